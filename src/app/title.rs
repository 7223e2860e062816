//! A title from the model: asked for when nothing else is going on, and given
//! up at once for anything that the person does.

use super::effect::Effect;
use super::state::State;
use super::talk::Keep;
use super::turn::Engine;
use crate::chat::text::one_line;
use crate::chat::{Message, Part, Role, Sampling, Titled};
use crate::protocol::engine::{Finish, Request, RequestId};
use std::time::{Duration, Instant};

/// How long the chat must be quiet.
const QUIET: Duration = Duration::from_secs(3);
/// Tokens that a title may take, and characters.
const TOKENS: u32 = 24;
const LONGEST: usize = 60;
const MOST_WORDS: usize = 8;
const ASK: &str =
    "Give this conversation a title of two to six words. Answer with the title alone.";

#[derive(Debug, Clone, Default, PartialEq)]
pub enum Titling {
    #[default]
    Idle,
    /// To be asked for at this time.
    Due(Instant),
    /// Under way; what has come of it.
    Asked(RequestId, String),
}

impl Titling {
    pub fn due(&self) -> Option<Instant> {
        match self {
            Titling::Due(at) => Some(*at),
            Titling::Idle | Titling::Asked(..) => None,
        }
    }

    pub fn is(&self, id: RequestId) -> bool {
        matches!(self, Titling::Asked(asked, _) if *asked == id)
    }

    pub fn take(&mut self, part: Part) {
        if let (Titling::Asked(_, title), Part::Answer(text)) = (self, part) {
            title.push_str(&text);
        }
    }
}

/// An answer has ended: a title may be asked for when nothing follows.
pub(super) fn plan(state: &mut State, now: Instant) {
    let wanted = state.settings.titles
        && state.talk.about.titled == Titled::Auto
        && state.talk.keep == Keep::Saved
        && !state.has_starter();
    if wanted {
        state.titling = Titling::Due(now + QUIET);
    }
}

/// The person does something: it waits, or is given up.
pub(super) fn give_way(state: &mut State, now: Instant) -> Option<Effect> {
    match &state.titling {
        Titling::Idle => None,
        Titling::Due(_) => {
            state.titling = Titling::Due(now + QUIET);
            None
        }
        Titling::Asked(id, _) => {
            let id = *id;
            state.titling = Titling::Idle;
            Some(Effect::Cancel(id))
        }
    }
}

/// Asks for the title when it is time.
pub(super) fn ask(state: &mut State, now: Instant) -> Option<Effect> {
    if state.titling.due().is_none_or(|at| at > now) {
        return None;
    }
    state.titling = Titling::Idle;
    let ready = matches!(state.engine, Engine::Ready(_)) && state.turn.is_idle();
    let leaf = state.talk.leaf().filter(|_| ready)?;
    // What the cache holds already comes first, so that little is read.
    let mut messages = state.talk.messages_to(leaf, &state.settings.system);
    messages.push(Message::new(Role::User, ASK));
    let id = state.next_request;
    state.next_request += 1;
    state.titling = Titling::Asked(id, String::new());
    Some(Effect::Generate(Request {
        id,
        messages,
        media: Vec::new(),
        opening: String::new(),
        told: false,
        sampling: Sampling {
            temperature: 0.0,
            max_tokens: Some(TOKENS),
            ..Sampling::default()
        },
        conversation: Some(state.talk.about.id.clone()),
    }))
}

/// The title has come.
pub(super) fn finished(state: &mut State, _: &Finish) {
    let Titling::Asked(_, said) = std::mem::take(&mut state.titling) else {
        return;
    };
    let line = said.lines().map(str::trim).find(|l| !l.is_empty());
    let plain = line.unwrap_or_default().trim_start_matches("Title:");
    let marks = [' ', '"', '“', '”', '*', '#', '.', '\'', '`'];
    let title = one_line(plain.trim_matches(marks.as_slice()), 400);
    // What is longer, or the last answer over again, is no title: small models
    // do not know what is asked of them.
    let answer = state.talk.last_answer().map(|(_, answer)| &answer.text);
    let again = answer.is_some_and(|text| text.starts_with(title.as_str()));
    let words = title.split_whitespace().count();
    if (1..=MOST_WORDS).contains(&words) && title.chars().count() <= LONGEST && !again {
        state.talk.entitle(title);
    }
}
