//! Conversations that last: begun, left, opened, and what the store says.

use super::effect::Effect;
use super::journal::{flush, save_all};
use super::layer::Awaited;
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
    let draft = match state.talk.keep {
        Keep::Saved | Keep::ReadOnly => state.composer.text(),
        // What was written off the record stays there; Up brings it back.
        Keep::Private => {
            state.composer.shelve();
            String::new()
        }
    };
    state.shelf.awaited = Awaited::None;
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
            go_to(state, message, now);
        }
        return Vec::new();
    }
    let mut effects = super::act::stop(state);
    // What was queued stands in the composer now.
    state.talk.journal.draft(now);
    effects.extend(leave(state, now));
    state.shelf.go_to = message;
    state.shelf.awaited = Awaited::Id(id.clone());
    effects.push(Effect::Store(Command::Open(Which::Id(id))));
    effects
}

/// Walks to a message and shows it.
fn go_to(state: &mut State, message: MessageId, now: Instant) {
    if !state.turn.is_idle() {
        state.flash("An answer is under way.", now);
        return;
    }
    if state.talk.walk_to(message) {
        state.talk.focus = Some(message);
        let sought = &state.talk.sought;
        let text = state.talk.tree().get(message).map(|n| n.said.text());
        let places = text.map(|t| crate::chat::find::in_message(t, sought));
        let first = places.and_then(|places| places.first().map(|range| range.start));
        reveal(state, message, first);
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
            if state.talk.keep == Keep::Saved {
                save_all(&mut state.talk);
            }
            return flush(state, now, true).into_iter().collect();
        }
    }
    Vec::new()
}

fn opened_one(state: &mut State, opened: Opened, now: Instant) -> Vec<Effect> {
    let id = opened.conversation.about.id.clone();
    let first = state.shelf.awaited == Awaited::First;
    let wanted = match &state.shelf.awaited {
        Awaited::First => state.talk.tree().is_empty() && state.turn.is_idle(),
        Awaited::Id(awaited) => *awaited == id,
        Awaited::None => false,
    };
    state.shelf.awaited = Awaited::None;
    if !wanted {
        // Something else was begun meanwhile.
        state.shelf.go_to = None;
        return vec![Effect::Store(Command::Close(id))];
    }
    let mut effects = super::act::stop(state);
    effects.extend(flush(state, now, true).filter(|_| !first));
    let sought = std::mem::take(&mut state.talk.sought);
    let notices = state.talk.take_problems();
    let open = state.talk.reasoning_open;
    state.talk = Talk::of(opened.conversation);
    state.talk.reasoning_open = open;
    state.talk.sought = sought;
    effects.extend(began(state));
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
    // What was written before the first conversation came goes on behind the
    // draft that was left with it; else the draft comes back alone.
    let written = state.composer.text();
    if first && !written.is_empty() {
        let both = [opened.draft, written].join("\n");
        state.composer.set(both.trim_start_matches('\n'));
    } else {
        state.composer.shelve();
        state.composer.set(&opened.draft);
        state.composer.touched = false;
    }
    if let Some(message) = state.shelf.go_to.take() {
        go_to(state, message, now);
    }
    effects
}
