//! Conversations that last: begun, left, opened, and what the store says.

use super::effect::Effect;
use super::journal::{flush, save_all};
use super::state::State;
use super::talk::{Keep, Talk, Tone};
use super::title::Titling;
use super::verbs::reveal;
use crate::chat::{MessageId, Usage};
use crate::protocol::store::{Command, Event, Opened, Which};
use std::time::Instant;

/// What must be saved before the program ends.
pub fn finish(state: &mut State, now: Instant) -> Vec<Effect> {
    let mut effects = super::act::stop(state);
    state.talk.journal.draft(now);
    effects.extend(leave(state, now));
    effects
}

/// Saves what is left to save of the conversation that is being left.
pub(super) fn leave(state: &mut State, now: Instant) -> Vec<Effect> {
    let mut effects: Vec<Effect> = flush(state, now, true).into_iter().collect();
    if state.talk.keep == Keep::Saved {
        effects.push(Effect::Keep);
        effects.push(Effect::Store(Command::Close(state.talk.about.id.clone())));
    }
    effects
}

/// What belongs to a conversation is as at its beginning.
pub(super) fn began(state: &mut State) -> Vec<Effect> {
    state.usage = Usage::default();
    state.editing = None;
    // A title that is under way would be for what was open before.
    match std::mem::take(&mut state.titling) {
        Titling::Asked(id, _) => vec![Effect::Cancel(id)],
        Titling::Idle | Titling::Due(_) => Vec::new(),
    }
}

/// A new conversation; the composer stays.
pub(super) fn begin(state: &mut State, keep: Keep, now: Instant) -> Vec<Effect> {
    let mut effects = super::act::stop(state);
    // The draft goes with the person, not with what is left.
    let draft = state.composer.text();
    if !state.composer.is_empty() {
        state.composer.set("");
        state.talk.journal.draft(now);
    }
    effects.extend(leave(state, now));
    let id = state.new_id();
    let open = state.talk.reasoning_open;
    state.talk = Talk::new(id, keep);
    state.talk.reasoning_open = open;
    if !draft.is_empty() {
        state.composer.set(&draft);
    }
    effects.extend(began(state));
    effects
}

/// Asks for another conversation; what is open stays until it comes.
pub(super) fn open(
    state: &mut State,
    id: String,
    message: Option<MessageId>,
    now: Instant,
) -> Vec<Effect> {
    if id == state.talk.about.id {
        if let Some(message) = message {
            go_to(state, message);
        }
        return Vec::new();
    }
    let mut effects = super::act::stop(state);
    effects.extend(leave(state, now));
    state.shelf.go_to = message;
    effects.push(Effect::Store(Command::Open(Which::Id(id))));
    effects
}

/// Walks to a message and shows it.
fn go_to(state: &mut State, message: MessageId) {
    if state.talk.walk_to(message) {
        state.talk.focus = Some(message);
        let sought = &state.talk.sought;
        let text = state.talk.tree().get(message).map(|n| n.said.text());
        let offset = text.and_then(|t| crate::chat::find::first(t, sought));
        reveal(state, message, offset.map(|range| range.start));
    }
}

pub(super) fn hear(state: &mut State, event: Event, now: Instant) -> Vec<Effect> {
    match event {
        Event::Opened(opened) => return opened_one(state, *opened, now),
        Event::NotOpened(why) => {
            state.shelf.go_to = None;
            state
                .talk
                .notice(Tone::Problem, format!("Not opened: {why}."));
        }
        Event::Listed(list) => state.shelf.list = list,
        Event::Found { number, hits } if number == state.shelf.number => state.shelf.hits = hits,
        Event::Found { .. } => {}
        Event::Changed => return state.shelf.again(),
        Event::Trouble(why) => {
            let words = format!(
                "Conversations cannot be saved: {why}. Go on; everything is kept in memory and saved when that is mended."
            );
            state.unsaved = Some(why);
            state.talk.notice(Tone::Problem, words);
        }
        Event::Mended => {
            state.unsaved = None;
            state.flash("Everything is saved again.", now);
        }
        Event::Unknown(id) if id == state.talk.about.id => {
            save_all(&mut state.talk);
            return flush(state, now, true).into_iter().collect();
        }
        Event::Unknown(_) => {}
        Event::SetAside(path) => {
            let words = format!(
                "The file of conversations was broken. It is kept as {path}, and a new one was begun."
            );
            state.talk.notice(Tone::Problem, words);
            if state.talk.keep == Keep::Saved && !state.talk.tree().is_empty() {
                save_all(&mut state.talk);
            }
            return flush(state, now, true).into_iter().collect();
        }
    }
    Vec::new()
}

fn opened_one(state: &mut State, opened: Opened, now: Instant) -> Vec<Effect> {
    let sought = std::mem::take(&mut state.talk.sought);
    let fresh = state.talk.tree().is_empty();
    let notices = state.talk.take_problems();
    let open = state.talk.reasoning_open;
    state.talk = Talk::of(opened.conversation);
    state.talk.reasoning_open = open;
    state.talk.sought = sought;
    let effects = began(state);
    for words in notices {
        state.talk.notice(Tone::Problem, words);
    }
    if !opened.writable {
        state.talk.keep = Keep::ReadOnly;
        let words = match &state.unsaved {
            Some(why) => format!("This conversation can only be read: {why}."),
            None => super::verbs::READ_ONLY.into(),
        };
        state.talk.notice(Tone::Problem, words);
    }
    state.usage = state
        .talk
        .last_answer()
        .map_or(Usage::default(), |(_, a)| a.usage);
    // What was written before the first conversation came goes on; else the
    // draft that was left with this one comes back.
    if fresh && !state.composer.is_empty() {
        state.talk.journal.draft(now);
    } else {
        state.composer.set(&opened.draft);
        state.composer.touched = false;
    }
    if let Some(message) = state.shelf.go_to.take() {
        go_to(state, message);
    }
    effects
}
