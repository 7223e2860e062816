//! What can be done with a message: the chosen one, else the last that the
//! verb makes sense for.

use super::act::{NO_MODEL_SHORT, ask, stop};
use super::effect::Effect;
use super::state::State;
use super::talk::{Keep, Reveal, Scroll, Tone};
use super::turn::Engine;
use crate::chat::tree::Said;
use crate::chat::{Answer, Conversation, MessageId, Titled, attachment};
use std::time::Instant;

pub const READ_ONLY: &str =
    "This conversation is open in another Parlor and can only be read here; /fork copies it.";

/// Whether the conversation may be changed; says so where it may not.
pub(super) fn may_change(state: &mut State, now: Instant) -> bool {
    let may = state.talk.keep != Keep::ReadOnly;
    if !may {
        state.flash(READ_ONLY, now);
    }
    may
}

/// The chosen message, else the last answer with text.
fn chosen_answer(state: &State) -> Option<MessageId> {
    match state.talk.focus {
        Some(id) => state.talk.answer(id).map(|_| id),
        None => state.talk.last_answer().map(|(id, _)| id),
    }
}

/// The chosen question, or the one that the chosen answer answers; else the
/// last.
fn chosen_question(state: &State) -> Option<MessageId> {
    let tree = state.talk.tree();
    let id = state.talk.target()?;
    match &tree.get(id)?.said {
        Said::Question(_) => Some(id),
        Said::Answer(_) => tree.get(id)?.parent,
    }
}

/// Puts a message into the composer, to be changed.
pub(super) fn edit(state: &mut State, now: Instant) -> Vec<Effect> {
    if !may_change(state, now) {
        return Vec::new();
    }
    let id = match state.talk.focus {
        Some(id) => Some(id),
        None => chosen_question(state),
    };
    let Some(node) = id.and_then(|id| state.talk.tree().get(id)) else {
        state.flash("There is no message to change.", now);
        return Vec::new();
    };
    let (id, text) = (node.id, node.said.text().to_string());
    state.composer.shelve();
    state.composer.set(&text);
    state.editing = Some(id);
    state.talk.focus = None;
    Vec::new()
}

/// Leaves a change undone; what was written before is a press of Up away.
pub(super) fn leave_edit(state: &mut State) {
    state.editing = None;
    state.composer.set("");
}

/// Takes what was changed: a question is asked again, an answer goes on from
/// its new text. The message as it was stays beside it.
pub(super) fn edited(state: &mut State, id: MessageId, text: String) -> Vec<Effect> {
    state.editing = None;
    let mut effects = stop(state);
    state.talk.scroll = Scroll::Follow;
    let Some(node) = state.talk.tree().get(id) else {
        return effects;
    };
    let parent = node.parent;
    match &node.said {
        Said::Question(_) => {
            let question = state.talk.ask(parent, text);
            effects.extend(ask(state, question));
        }
        Said::Answer(old) => {
            let answer = Answer {
                text,
                sources: old.sources.clone(),
                ..Answer::default()
            };
            let id = state.talk.open_answer(parent, answer);
            effects.extend(go_on(state, id));
        }
    }
    effects
}

/// Has the question answered once more; `same` with what the answer was made
/// with, so that its text comes again.
pub(super) fn retry(state: &mut State, words: &str, now: Instant) -> Vec<Effect> {
    if state.engine == Engine::NoModel {
        state.flash(NO_MODEL_SHORT, now);
        return Vec::new();
    }
    if !may_change(state, now) {
        return Vec::new();
    }
    let same = match words {
        "" => false,
        "same" => true,
        _ => {
            state.flash("/retry answers again, /retry same with the same seed.", now);
            return Vec::new();
        }
    };
    let answer = chosen_answer(state);
    let mut effects = stop(state);
    let Some(question) = chosen_question(state) else {
        state.flash("There is no message to answer again.", now);
        return effects;
    };
    let made = answer
        .and_then(|id| state.talk.answer(id)?.made.clone())
        .filter(|_| same);
    state.talk.focus = None;
    state.talk.scroll = Scroll::Follow;
    let Some(made) = made else {
        if same {
            state.flash("It is not known what that answer was made with.", now);
            return effects;
        }
        effects.extend(ask(state, question));
        return effects;
    };
    let now_loaded = state.model.as_ref().map(|m| m.display().to_string());
    if now_loaded.as_deref() != Some(made.model.as_str()) {
        let words = format!("That answer was made by another model: {}", made.model);
        state.flash(words, now);
        return effects;
    }
    let mut settings = state.settings.clone();
    settings.sampling = made.sampling;
    settings.sampling.seed = made.seed;
    settings.system = made.system;
    let usual = std::mem::replace(&mut state.settings, settings);
    effects.extend(ask(state, question));
    state.settings = usual;
    effects
}

/// Goes on with an answer that was stopped, cut off or interrupted.
pub(super) fn proceed(state: &mut State, now: Instant) -> Vec<Effect> {
    if state.engine == Engine::NoModel {
        state.flash(NO_MODEL_SHORT, now);
        return Vec::new();
    }
    if !may_change(state, now) || !state.turn.is_idle() {
        return Vec::new();
    }
    // With nothing chosen, what is last is meant: a question without an answer
    // is answered.
    let Some(id) = state.talk.target() else {
        state.flash("There is no answer to go on with.", now);
        return Vec::new();
    };
    let Some(answer) = state.talk.answer(id) else {
        state.talk.focus = None;
        state.talk.scroll = Scroll::Follow;
        return ask(state, id);
    };
    if !answer.progress.is_unfinished() {
        state.flash("That answer is finished; /retry asks for another.", now);
        return Vec::new();
    }
    state.talk.walk_to(id);
    state.talk.focus = None;
    state.talk.scroll = Scroll::Follow;
    state.talk.reopen(id);
    go_on(state, id)
}

/// Asks for the rest of an answer that is open.
fn go_on(state: &mut State, id: MessageId) -> Vec<Effect> {
    let opening = state.talk.answer(id).map(|a| a.text.clone());
    let parent = state.talk.tree().get(id).and_then(|n| n.parent);
    let Some(parent) = parent else {
        return Vec::new();
    };
    super::act::request(state, parent, opening)
}

/// Removes a message and what follows it.
pub(super) fn delete(state: &mut State, now: Instant) -> Vec<Effect> {
    if !may_change(state, now) {
        return Vec::new();
    }
    let effects = stop(state);
    let Some(id) = state.talk.target() else {
        state.flash("There is no message to delete.", now);
        return effects;
    };
    state.editing = None;
    if state.talk.remove(id) {
        let key = state.keymap.key_of(super::Action::Undo);
        state.flash(format!("Deleted, with what followed. {key} undoes."), now);
    }
    effects
}

pub(super) fn undo(state: &mut State, now: Instant) {
    if !may_change(state, now) {
        return;
    }
    if !state.turn.is_idle() {
        state.flash("An answer is under way.", now);
        return;
    }
    match state.talk.undo() {
        Some(id) => reveal(state, id, None),
        None => state.flash("Nothing was deleted.", now),
    }
}

/// Walks to the sibling before or after.
pub(super) fn walk(state: &mut State, forward: bool, now: Instant) {
    if !state.turn.is_idle() {
        state.flash("An answer is under way.", now);
        return;
    }
    // Without a choice: the nearest message above that has siblings.
    let id = state.talk.focus.or_else(|| {
        let ids = state.talk.ids().iter().rev().copied();
        ids.into_iter().find(|id| state.talk.place(*id).is_some())
    });
    let chosen = state.talk.focus.is_some();
    match id.and_then(|id| state.talk.walk(id, forward)) {
        Some(to) => {
            if chosen {
                state.talk.focus = Some(to);
            }
            reveal(state, to, None);
        }
        None => state.flash("There is no other version there.", now),
    }
}

/// Shows a place of the conversation.
pub(super) fn reveal(state: &mut State, entry: MessageId, offset: Option<usize>) {
    state.talk.reveal = Some(Reveal { entry, offset });
}

/// Begins a new conversation with a copy of the path down to a message.
pub(super) fn fork(state: &mut State, now: Instant) -> Vec<Effect> {
    let Some(id) = state.talk.target() else {
        state.flash("There is nothing to copy yet.", now);
        return Vec::new();
    };
    let effects = stop(state);
    let tree = state.talk.tree().path_as_tree(id);
    let mut about = state.talk.about.clone();
    let keep = match state.talk.keep {
        Keep::Private => Keep::Private,
        Keep::Saved | Keep::ReadOnly => Keep::Saved,
    };
    about.id = state.new_id();
    state.shelf.awaited = super::layer::Awaited::None;
    about.titled = Titled::Person;
    about.title = format!("{} (fork)", about.title);
    let mut effects = [effects, super::keep::leave(state, now)].concat();
    state.talk = super::Talk::of(Conversation { about, tree });
    state.talk.keep = keep;
    super::journal::save_all(&mut state.talk);
    effects.extend(super::keep::began(state));
    state.flash("This is a copy; the conversation before is as it was.", now);
    effects
}

/// Says what an answer was made with.
pub(super) fn details(state: &mut State, now: Instant) {
    let Some((id, answer)) = chosen_answer(state).and_then(|id| Some((id, state.talk.answer(id)?)))
    else {
        state.flash("There is no answer to tell about.", now);
        return;
    };
    let mut lines = vec![format!(
        "Message {id} of conversation {}.",
        state.talk.about.id
    )];
    match &answer.made {
        None => lines.push("Not written by a model here.".into()),
        Some(made) => {
            lines.push(format!("model = {}", made.model));
            let seed = made.seed.map_or("unknown".into(), |s| s.to_string());
            let mut sampling = made.sampling.clone();
            sampling.seed = None;
            let settings = crate::chat::sampling::SETTINGS.iter();
            lines.extend(
                settings
                    .filter(|s| s.name != "seed")
                    .map(|s| format!("{} = {}", s.name, s.show(&sampling))),
            );
            lines.push(format!("seed = {seed}"));
            if !made.system.is_empty() {
                lines.push(format!("system = {}", made.system));
            }
        }
    }
    if answer.usage.prompt_tokens > 0 {
        lines.push(format!(
        "{} tokens read, {} of them kept; {} written at {:.1} per second; the first after {:.0} ms",
        answer.usage.prompt_tokens,
        answer.usage.cached_tokens,
        answer.usage.completion_tokens,
        answer.timings.generate_tps,
        answer.timings.ttft_ms
    ));
    }
    state.talk.notice(Tone::Plain, lines.join("\n"));
    state.talk.scroll = Scroll::Follow;
}

/// Copies a message, its last code block, or the whole branch.
pub(super) fn copy(state: &mut State, what: &str, now: Instant) -> Vec<Effect> {
    let text = match what {
        "" => match state.talk.focus {
            Some(id) => state.talk.tree().get(id).map(|n| n.said.text().to_string()),
            None => state.talk.last_answer().map(|(_, a)| a.text.clone()),
        },
        "code" => {
            let id = state.talk.focus.or_else(|| chosen_answer(state));
            let node = id.and_then(|id| state.talk.tree().get(id));
            node.and_then(|n| crate::chat::text::last_code(n.said.text()))
        }
        "all" => branch_text(state),
        _ => {
            state.flash(
                "/copy copies the message, /copy code its code, /copy all everything.",
                now,
            );
            return Vec::new();
        }
    };
    match text {
        // What is attached cannot be copied with it: its name stands for it.
        Some(text) => vec![Effect::Copy(attachment::plain(&text).into_owned())],
        None => {
            let words = match what {
                "code" => "There is no code to copy.",
                _ => "There is no answer to copy.",
            };
            state.flash(words, now);
            Vec::new()
        }
    }
}

fn branch_text(state: &State) -> Option<String> {
    let tree = state.talk.tree();
    let turns: Vec<String> = tree
        .path()
        .iter()
        .filter_map(|id| Some(&tree.get(*id)?.said))
        .map(|said| match said {
            Said::Question(text) => format!("**You:** {text}"),
            Said::Answer(answer) => format!("**Model:** {}", answer.text),
        })
        .collect();
    (!turns.is_empty()).then(|| turns.join("\n\n") + "\n")
}

/// Lets the composer be used for a message again.
pub(super) fn cancel_focus(state: &mut State) -> bool {
    let chosen = state.talk.focus.take().is_some();
    if chosen {
        state.talk.scroll = Scroll::Follow;
    }
    chosen
}
