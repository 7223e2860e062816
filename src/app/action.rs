//! Every verb of the chat: one entry feeds keys, palette, slash commands,
//! help and docs.

/// What a person can have the chat do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Submit,
    Newline,
    Stop,
    Interrupt,
    Leave,
    Quit,
    Help,
    Palette,
    Settings,
    Model,
    Runs,
    Adapter,
    Pull,
    Attach,
    PastePicture,
    OpenAttached,
    Record,
    Able,
    System,
    Persona,
    Set,
    Clear,
    Private,
    Conversations,
    Find,
    ChooseUp,
    ChooseDown,
    Edit,
    Retry,
    Continue,
    EarlierVersion,
    LaterVersion,
    Delete,
    Undo,
    Fork,
    Copy,
    Details,
    ToggleReasoning,
    ScrollUp,
    ScrollDown,
    PageUp,
    PageDown,
    Top,
    Follow,
    Suspend,
    Redraw,
}

/// What is known of an action.
#[derive(Debug)]
pub struct Entry {
    pub action: Action,
    /// The name in slash commands and in the config file.
    pub name: &'static str,
    /// One line for people.
    pub doc: &'static str,
    /// What may follow the slash command; None for actions that only keys make
    /// sense for.
    pub slash: Option<&'static str>,
    /// Keys unless the config file says otherwise.
    pub keys: &'static [&'static str],
}

/// All actions, in the order in which help shows them.
pub const ACTIONS: &[Entry] = &[
    entry(
        Action::Submit,
        "submit",
        "send the message",
        None,
        &["enter"],
    ),
    entry(
        Action::Newline,
        "newline",
        "start a new line",
        None,
        &["shift-enter", "alt-enter", "ctrl-j"],
    ),
    entry(
        Action::Stop,
        "stop",
        "stop the answer; close what is open",
        None,
        &["esc"],
    ),
    entry(
        Action::Interrupt,
        "interrupt",
        "stop the answer, else clear the message, else quit",
        None,
        &["ctrl-c"],
    ),
    entry(
        Action::Help,
        "help",
        "show keys and commands, or look a question up: /help QUESTION",
        Some("QUESTION"),
        &["f1", "?"],
    ),
    entry(
        Action::Palette,
        "open-palette",
        "find any action by name",
        Some(""),
        &["ctrl-p"],
    ),
    entry(
        Action::Settings,
        "settings",
        "change sampling values and the system prompt",
        Some(""),
        &["f2"],
    ),
    entry(
        Action::Model,
        "model",
        "choose, fetch and remove models, or load one: /model NAME",
        Some("NAME"),
        &[],
    ),
    entry(
        Action::Runs,
        "where",
        "show where the model runs: layers, memory, threads",
        Some(""),
        &[],
    ),
    entry(
        Action::Adapter,
        "adapter",
        "lay LoRA files over the model: /adapter FILE[:SCALE], /adapter none",
        Some("FILES"),
        &[],
    ),
    entry(
        Action::Pull,
        "pull",
        "fetch a model while you chat: /pull OWNER/REPO[:QUANT]",
        Some("WHAT"),
        &[],
    ),
    entry(
        Action::System,
        "system",
        "set what the model is told first: /system TEXT",
        Some("TEXT"),
        &[],
    ),
    entry(
        Action::Persona,
        "persona",
        "set the part that the model plays: /persona guide",
        Some("NAME"),
        &[],
    ),
    entry(
        Action::Set,
        "set",
        "set a sampling value: /set temperature 0.5",
        Some("NAME VALUE"),
        &[],
    ),
    entry(
        Action::Retry,
        "retry",
        "have a message answered again; /retry same: with the same seed",
        Some("same"),
        &["alt-r"],
    ),
    entry(
        Action::Continue,
        "continue",
        "go on with an answer that was stopped or cut off",
        Some(""),
        &["alt-g"],
    ),
    entry(
        Action::Edit,
        "edit",
        "change a message; what it was stays beside it",
        Some(""),
        &["alt-e"],
    ),
    entry(
        Action::ChooseUp,
        "choose-up",
        "choose the message above; then these keys work without Alt",
        None,
        &["alt-up"],
    ),
    entry(
        Action::ChooseDown,
        "choose-down",
        "choose the message below",
        None,
        &["alt-down"],
    ),
    entry(
        Action::EarlierVersion,
        "earlier-version",
        "show the version of a message before this one",
        Some(""),
        &["alt-,"],
    ),
    entry(
        Action::LaterVersion,
        "later-version",
        "show the version of a message after this one",
        Some(""),
        &["alt-."],
    ),
    entry(
        Action::Delete,
        "delete",
        "delete a message and what follows it",
        Some(""),
        &["alt-x", "alt-delete"],
    ),
    entry(
        Action::Undo,
        "undo",
        "bring back what was deleted",
        Some(""),
        &["alt-u"],
    ),
    entry(
        Action::Fork,
        "fork",
        "copy the conversation down to a message, and go on in the copy",
        Some(""),
        &["alt-k"],
    ),
    entry(
        Action::Details,
        "details",
        "tell what an answer was made with",
        Some(""),
        &["alt-i"],
    ),
    entry(
        Action::Copy,
        "copy",
        "copy a message; /copy code: its code, /copy all: everything",
        Some("code"),
        &["alt-c"],
    ),
    entry(
        Action::ToggleReasoning,
        "reasoning",
        "open or fold the model's reasoning",
        Some(""),
        &["ctrl-t"],
    ),
    entry(
        Action::Clear,
        "clear",
        "start a new conversation",
        Some(""),
        &["alt-n"],
    ),
    entry(
        Action::Private,
        "private",
        "start a conversation that is never saved",
        Some(""),
        &[],
    ),
    entry(
        Action::Conversations,
        "conversations",
        "find, open and tidy conversations: /conversations WORDS",
        Some("WORDS"),
        &["ctrl-o"],
    ),
    entry(
        Action::Find,
        "find",
        "find words in this conversation: /find WORDS",
        Some("WORDS"),
        &["f3"],
    ),
    entry(
        Action::Attach,
        "attach",
        "attach a picture, sound, film or text: /attach PATH or URL",
        Some("PATH"),
        &["alt-a"],
    ),
    entry(
        Action::PastePicture,
        "paste-picture",
        "attach the picture that was copied elsewhere",
        Some(""),
        &["ctrl-v", "alt-v"],
    ),
    entry(
        Action::OpenAttached,
        "open-attached",
        "open what is attached in the system's own viewer",
        Some(""),
        &["alt-o"],
    ),
    entry(
        Action::Record,
        "record",
        "record from the microphone; once more attaches it",
        Some(""),
        &["alt-m"],
    ),
    entry(
        Action::Able,
        "able",
        "load a model that can take what is attached",
        Some(""),
        &["alt-l"],
    ),
    entry(
        Action::PageUp,
        "page-up",
        "scroll up a page",
        None,
        &["pageup"],
    ),
    entry(
        Action::PageDown,
        "page-down",
        "scroll down a page",
        None,
        &["pagedown"],
    ),
    entry(
        Action::ScrollUp,
        "scroll-up",
        "scroll up a line",
        None,
        &["ctrl-up"],
    ),
    entry(
        Action::ScrollDown,
        "scroll-down",
        "scroll down a line",
        None,
        &["ctrl-down"],
    ),
    entry(
        Action::Top,
        "top",
        "go to the beginning",
        None,
        &["ctrl-home"],
    ),
    entry(
        Action::Follow,
        "follow",
        "go to the end and stay there",
        None,
        &["ctrl-end"],
    ),
    entry(
        Action::Suspend,
        "suspend",
        "put the chat in the background of the shell",
        None,
        &["ctrl-z"],
    ),
    entry(
        Action::Redraw,
        "redraw",
        "draw the screen afresh",
        None,
        &["ctrl-l"],
    ),
    entry(
        Action::Leave,
        "leave",
        "quit, when the message is empty",
        None,
        &["ctrl-d"],
    ),
    entry(Action::Quit, "quit", "quit", Some(""), &["ctrl-q"]),
];

const fn entry(
    action: Action,
    name: &'static str,
    doc: &'static str,
    slash: Option<&'static str>,
    keys: &'static [&'static str],
) -> Entry {
    Entry {
        action,
        name,
        doc,
        slash,
        keys,
    }
}

impl Action {
    /// The action with this name.
    pub fn named(name: &str) -> Option<Action> {
        ACTIONS.iter().find(|e| e.name == name).map(|e| e.action)
    }

    /// This action's entry.
    pub fn entry(self) -> &'static Entry {
        // Held by the test below: every action has exactly one entry.
        ACTIONS
            .iter()
            .find(|e| e.action == self)
            .unwrap_or(&ACTIONS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_action_has_one_entry_and_a_name_of_its_own() {
        let names: HashSet<_> = ACTIONS.iter().map(|e| e.name).collect();
        let actions: HashSet<_> = ACTIONS.iter().map(|e| e.action).collect();
        assert_eq!((names.len(), actions.len()), (ACTIONS.len(), ACTIONS.len()));
        // The last variant: when one is added after it, this test is to follow.
        assert_eq!(Action::Redraw as usize + 1, ACTIONS.len());
    }

    #[test]
    fn the_promised_slash_commands_are_there() {
        for name in [
            "help", "model", "system", "set", "clear", "retry", "copy", "quit",
        ] {
            assert!(
                Action::named(name).unwrap().entry().slash.is_some(),
                "/{name}"
            );
        }
    }
}
