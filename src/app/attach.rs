//! Attaching files to the message that is being written: by path, by dropping
//! them on the terminal, from the clipboard, by URL, by recording.

use super::act;
use super::effect::Effect;
use super::state::State;
use super::talk::{Keep, Tone};
use super::turn::Engine;
use crate::chat::attachment::{self, Attachment, Kind};
use crate::protocol::engine::RequestId;
use crate::protocol::library::{Ability, FoundModel};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

/// Where something to attach comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Path(PathBuf),
    Url(String),
    /// A picture that was copied elsewhere.
    Clipboard,
}

/// What a person may do with the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    Begin,
    End,
    /// End it, and keep nothing.
    Discard,
}

/// What is known of attachments.
#[derive(Debug, Clone, Default)]
pub struct Attaching {
    /// Things that are being fetched or looked at.
    pub under_way: usize,
    /// Tokens of each, by digest; or why the model cannot take it.
    pub weights: HashMap<String, Result<u32, String>>,
    weighing: Option<(RequestId, Vec<String>)>,
    /// Since when the microphone is recorded.
    pub recording: Option<Instant>,
    /// The message that is looked through for `@path` before it is sent.
    sending: Option<String>,
}

/// `/attach WHAT`.
pub(super) fn command(state: &mut State, what: &str) -> Vec<Effect> {
    let what = what.trim();
    if what.is_empty() {
        state.talk.notice(
            Tone::Plain,
            "/attach PATH attaches a picture, sound, film or text file; /attach URL one of the web. A file can be dropped on the terminal, named in a message as @path, or a picture pasted.",
        );
        return Vec::new();
    }
    let origin = match what.starts_with("https://") || what.starts_with("http://") {
        true => Origin::Url(what.into()),
        false => Origin::Path(unquoted(what).into()),
    };
    begin(state, origin)
}

/// Attaches something, once it is looked at.
pub fn begin(state: &mut State, origin: Origin) -> Vec<Effect> {
    state.attaching.under_way += 1;
    vec![Effect::Attach {
        origin,
        private: is_private(state),
    }]
}

fn is_private(state: &State) -> bool {
    state.talk.keep == Keep::Private
}

/// Pasted text that reads as paths of files may have been dropped.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let paths = dropped(text);
    if paths.is_empty() {
        state.composer.paste(text);
        return Vec::new();
    }
    state.attaching.under_way += 1;
    vec![Effect::Drop {
        text: text.into(),
        paths,
        private: is_private(state),
    }]
}

/// What came of it: chips for what was attached; or the text, where it was none.
pub(super) fn came(
    state: &mut State,
    outcome: Result<Vec<Attachment>, String>,
    text: Option<String>,
    now: Instant,
) -> Vec<Effect> {
    state.attaching.under_way = state.attaching.under_way.saturating_sub(1);
    match (outcome, text) {
        (Ok(attached), _) if !attached.is_empty() => {
            for one in &attached {
                state.composer.attach(one);
            }
            let told = attached.iter().find_map(|one| cannot(state, one));
            let mut effects = weigh(state);
            if let Some(words) = told {
                state.flash(words, now);
                effects.extend(look(state));
            }
            effects
        }
        (_, Some(text)) => {
            state.composer.paste(&text);
            Vec::new()
        }
        (Ok(_), None) => Vec::new(),
        (Err(why), None) => {
            state
                .talk
                .notice(Tone::Problem, format!("Not attached: {why}."));
            Vec::new()
        }
    }
}

/// Why the model at hand cannot take it, and what could.
fn cannot(state: &State, one: &Attachment) -> Option<String> {
    let Engine::Ready(facts) = &state.engine else {
        return None;
    };
    let (able, verb) = match one.kind {
        Kind::Picture | Kind::Film => (facts.sees, "see"),
        Kind::Sound => (facts.hears, "hear"),
        Kind::Text => (true, "read"),
    };
    let key = state.keymap.key_of(super::Action::Able);
    let name = state.model_name().unwrap_or_default();
    (!able).then(|| match fitting(state) {
        Some(other) => format!(
            "{name} cannot {verb} it. {key} loads {}, which can.",
            other.name
        ),
        None => format!("{name} cannot {verb} it. {key} looks for a model that can."),
    })
}

/// What the composer's attachments need of a model.
fn needed(state: &State) -> Vec<Ability> {
    let attached = attachment::of(&state.composer.text());
    let needs = attached.iter().filter_map(|one| match one.kind {
        Kind::Picture | Kind::Film => Some(Ability::Vision),
        Kind::Sound => Some(Ability::Audio),
        Kind::Text => None,
    });
    let mut needs: Vec<Ability> = needs.collect();
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// A model of the library that can take what is attached; the smallest.
fn fitting(state: &State) -> Option<&FoundModel> {
    let needs = needed(state);
    let models = state.library.models.as_ref()?;
    let able = |model: &&FoundModel| {
        let Some(projector) = &model.projector else {
            return false;
        };
        let card = models.iter().find(|m| m.model.path == *projector);
        let abilities = card.and_then(|m| m.model.card.as_ref().ok());
        needs
            .iter()
            .all(|need| abilities.is_some_and(|c| c.abilities.contains(need)))
    };
    models
        .iter()
        .map(|m| &m.model)
        .filter(able)
        .min_by_key(|m| m.size)
}

/// Looks through the library, where that was not done yet.
fn look(state: &State) -> Vec<Effect> {
    match state.library.models {
        Some(_) => Vec::new(),
        None => vec![
            Effect::Devices,
            Effect::FindModels(state.library.gpus.clone()),
        ],
    }
}

/// Loads a model that can take what is attached.
pub(super) fn load_able(state: &mut State, now: Instant) -> Vec<Effect> {
    if needed(state).is_empty() {
        state.flash("Nothing is attached that needs eyes or ears.", now);
        return Vec::new();
    }
    match fitting(state).map(|m| m.path.clone()) {
        Some(path) => act::load(state, path),
        None if state.library.models.is_none() => {
            state.flash("Looking for models; press the key again.", now);
            look(state)
        }
        None => {
            state.flash(
                "No model on this machine can take it; the list shows some to fetch.",
                now,
            );
            act::run(state, super::Action::Model, now)
        }
    }
}

/// Asks what the attachments cost that were not weighed yet.
pub(super) fn weigh(state: &mut State) -> Vec<Effect> {
    if !matches!(state.engine, Engine::Ready(_)) || !state.turn.is_idle() {
        return Vec::new();
    }
    let attached = attachment::of(&state.composer.text());
    let known = &state.attaching.weights;
    let fresh: Vec<&Attachment> = attached
        .iter()
        .filter(|one| !known.contains_key(&one.digest))
        .collect();
    if fresh.is_empty() {
        return Vec::new();
    }
    let id = state.next_request;
    state.next_request += 1;
    let text = fresh.iter().map(|one| one.marker()).collect();
    let digests = fresh.iter().map(|one| one.digest.clone()).collect();
    state.attaching.weighing = Some((id, digests));
    vec![Effect::Weigh { id, text }]
}

/// The engine has counted.
pub(super) fn weighed(state: &mut State, id: RequestId, tokens: Vec<Result<u32, String>>) {
    let attaching = &mut state.attaching;
    if let Some((_, digests)) = attaching.weighing.take_if(|(asked, _)| *asked == id) {
        attaching.weights.extend(digests.into_iter().zip(tokens));
    }
}

/// Another model sees and counts otherwise.
pub(super) fn forget_weights(state: &mut State) -> Vec<Effect> {
    state.attaching.weights.clear();
    weigh(state)
}

/// Words of the message that may name files: they are looked for before it is
/// sent. None when there are none.
pub(super) fn mentions(state: &mut State) -> Option<Vec<Effect>> {
    let text = state.composer.text();
    let plain = attachment::replace(&text, |_| String::new());
    let names_files = plain.split_whitespace().any(|word| {
        word.strip_prefix('@')
            .is_some_and(|path| path.contains(['/', '.', '\\', '~']))
    });
    if !names_files || state.attaching.sending.is_some() {
        return None;
    }
    state.attaching.sending = Some(text.clone());
    Some(vec![Effect::Mention {
        text,
        private: is_private(state),
    }])
}

/// The message with its files, to be sent; unless it was changed meanwhile.
pub(super) fn mentioned(
    state: &mut State,
    was: &str,
    outcome: Result<String, String>,
) -> Vec<Effect> {
    let sending = state.attaching.sending.take();
    if sending.as_deref() != Some(was) || state.composer.text() != was {
        return Vec::new();
    }
    match outcome {
        Ok(text) => {
            state.composer.set(&text);
            act::send(state)
        }
        Err(why) => {
            state
                .talk
                .notice(Tone::Problem, format!("Not sent: {why}."));
            Vec::new()
        }
    }
}

/// Opens the original of what is attached to the chosen message, or to the last
/// that has anything, or in the composer.
pub(super) fn open(state: &mut State, now: Instant) -> Vec<Effect> {
    let written = attachment::of(&state.composer.text());
    let chosen = state.talk.focus.and_then(|id| state.talk.tree().get(id));
    let found = match chosen {
        Some(node) => attachment::of(node.said.text()).into_iter().next(),
        None => written.into_iter().next().or_else(|| {
            let ids = state.talk.ids().iter().rev();
            let mut nodes = ids.filter_map(|id| state.talk.tree().get(*id));
            nodes.find_map(|node| attachment::of(node.said.text()).into_iter().next())
        }),
    };
    match found {
        Some(one) => vec![Effect::Open(one)],
        None => {
            state.flash("Nothing is attached here.", now);
            Vec::new()
        }
    }
}

/// Begins to record, or ends it and attaches what was said.
pub(super) fn record(state: &mut State, now: Instant) -> Vec<Effect> {
    let step = match state.attaching.recording {
        Some(_) => Recording::End,
        None => Recording::Begin,
    };
    state.attaching.recording = match step {
        Recording::Begin => Some(now),
        Recording::End | Recording::Discard => {
            state.attaching.under_way += 1;
            None
        }
    };
    vec![Effect::Record {
        step,
        private: is_private(state),
    }]
}

/// Ends a recording without keeping it; false when there is none.
pub(super) fn discard(state: &mut State, now: Instant) -> Option<Vec<Effect>> {
    state.attaching.recording.take()?;
    state.flash("The recording is thrown away.", now);
    Some(vec![Effect::Record {
        step: Recording::Discard,
        private: is_private(state),
    }])
}

/// The microphone does not work.
pub(super) fn not_recorded(state: &mut State, why: &str) {
    if state.attaching.recording.take().is_none() {
        state.attaching.under_way = state.attaching.under_way.saturating_sub(1);
    }
    state
        .talk
        .notice(Tone::Problem, format!("Not recorded: {why}."));
}

/// The paths that a pasted text consists of, as terminals write what was
/// dropped on them: quoted, or with backslashes before blanks, or as file://
/// addresses; several with blanks or line ends between. Empty when it is
/// anything else.
pub fn dropped(text: &str) -> Vec<PathBuf> {
    if text.len() > 16_384 || text.lines().count() > 64 {
        return Vec::new();
    }
    let words = words(text.trim());
    let is_path = |word: &String| {
        let word = word.as_str();
        let drive = word.as_bytes().get(1..3) == Some(b":\\");
        word.starts_with('/') && word.len() > 1
            || word.starts_with("~/")
            || word.starts_with("./")
            || word.starts_with("file://")
            || drive
    };
    match !words.is_empty() && words.iter().all(is_path) {
        true => words.iter().map(|word| unaddressed(word).into()).collect(),
        false => Vec::new(),
    }
}

/// Splits as a shell would: at blanks that are not quoted or escaped.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            // Only before what a shell must be told of: elsewhere it is a
            // Windows path's own.
            (None | Some('"'), '\\') => match chars.peek() {
                Some(next) if !next.is_alphanumeric() => word.extend(chars.next()),
                _ => word.push('\\'),
            },
            (None, c) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, c) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// One path as a person may write it.
pub fn unquoted(text: &str) -> String {
    // A path with blanks may be written plainly.
    let all = words(text);
    match all.as_slice() {
        [one] => unaddressed(one),
        _ => text.to_string(),
    }
}

/// A path from a `file://` address, with its percent escapes undone.
fn unaddressed(text: &str) -> String {
    let Some(rest) = text.strip_prefix("file://") else {
        return text.to_string();
    };
    let path = rest.find('/').map_or(rest, |at| &rest[at..]);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let paths = dropped(text).into_iter();
        paths.map(|p| p.display().to_string()).collect()
    }

    #[test]
    fn dropped_files_are_told_in_every_form_that_terminals_use() {
        assert_eq!(paths("/home/a/cat.png\n"), ["/home/a/cat.png"]);
        assert_eq!(paths("'/tmp/a b.png' "), ["/tmp/a b.png"]);
        assert_eq!(paths("/tmp/a\\ b\\(1\\).png"), ["/tmp/a b(1).png"]);
        assert_eq!(paths("file:///tmp/a%20b.png"), ["/tmp/a b.png"]);
        assert_eq!(paths("/a.png '/b c.png'"), ["/a.png", "/b c.png"]);
        assert_eq!(paths("\"C:\\Users\\me\\a.png\""), ["C:\\Users\\me\\a.png"]);
    }

    #[test]
    fn words_are_no_paths() {
        for text in ["", "/", "what is /etc/fstab", "a/b", "/ask me\nthat"] {
            assert_eq!(dropped(text), Vec::<PathBuf>::new(), "{text:?}");
        }
    }
}
