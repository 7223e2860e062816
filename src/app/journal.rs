//! What of the conversation is not saved yet, and when it is to be.
//!
//! A finished change is saved at once; an answer that grows, at the latest a
//! quarter of a second or so many pieces later; what stands in the composer, a
//! moment after the last key.

use super::effect::Effect;
use super::state::State;
use super::talk::{Keep, Talk};
use crate::chat::tree::Said;
use crate::chat::{MessageId, Record};
use crate::protocol::store::{Command, Write};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The longest that text of an answer may stay unsaved: a little less than what
/// is promised, for the saving itself takes a moment.
const LATEST: Duration = Duration::from_millis(200);
/// Pieces of an answer that may be unsaved.
const PIECES: u32 = 24;

/// How much of an answer is saved, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Growing {
    message: MessageId,
    text: usize,
    thinking: usize,
    pieces: u32,
}

#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// Whether the store does not know the conversation yet.
    new: bool,
    put: BTreeSet<MessageId>,
    removed: BTreeSet<MessageId>,
    /// Parents whose walked child is another; None for the roots.
    walked: BTreeSet<Option<MessageId>>,
    title: bool,
    model: bool,
    system: bool,
    draft: bool,
    growing: Option<Growing>,
    /// When something must be saved that may wait a little.
    due: Option<Instant>,
}

impl Journal {
    pub fn new(new: bool) -> Self {
        Self {
            new,
            ..Self::default()
        }
    }

    pub fn put(&mut self, id: MessageId) {
        self.put.insert(id);
        self.removed.remove(&id);
    }

    pub fn remove(&mut self, ids: Vec<MessageId>) {
        for id in ids {
            self.put.remove(&id);
            self.walked.remove(&Some(id));
            self.removed.insert(id);
        }
    }

    pub fn walked(&mut self, parent: Option<MessageId>) {
        self.walked.insert(parent);
    }

    pub fn title(&mut self) {
        self.title = true;
    }

    pub fn model(&mut self) {
        self.model = true;
    }

    pub fn system(&mut self) {
        self.system = true;
    }

    /// What stands in the composer is to be saved soon.
    pub fn draft(&mut self, now: Instant) {
        self.draft = true;
        self.due_by(now + LATEST);
    }

    pub fn begin_growing(&mut self, message: MessageId, text: usize, thinking: usize) {
        self.growing = Some(Growing {
            message,
            text,
            thinking,
            pieces: 0,
        });
    }

    /// A piece has come.
    pub fn grow(&mut self, now: Instant) {
        if let Some(growing) = &mut self.growing {
            growing.pieces += 1;
            let full = growing.pieces >= PIECES;
            self.due_by(if full { now } else { now + LATEST });
        }
    }

    pub fn end_growing(&mut self) {
        self.growing = None;
    }

    fn due_by(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// When something that waits must be saved.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    fn waits(&self) -> bool {
        let now = self.title || self.model || self.system;
        now || !self.put.is_empty() || !self.removed.is_empty() || !self.walked.is_empty()
    }
}

/// Everything of the conversation is to be saved anew.
pub fn save_all(talk: &mut Talk) {
    let ids: Vec<MessageId> = talk.tree().nodes().map(|n| n.id).collect();
    let journal = &mut talk.journal;
    journal.new = true;
    journal.draft = true;
    journal.put.extend(ids);
    journal.walked.insert(None);
}

/// What is to be saved by now; with `all`, also what may still wait.
pub(super) fn flush(state: &mut State, now: Instant, all: bool) -> Option<Effect> {
    let journal = &state.talk.journal;
    let due = journal.due.is_some_and(|at| all || at <= now) || all && journal.draft;
    if !due && !state.talk.journal.waits() {
        return None;
    }
    let journal = std::mem::take(&mut state.talk.journal);
    let mut next = Journal {
        growing: journal.growing,
        ..Journal::default()
    };
    match state.talk.keep {
        Keep::Saved => {}
        Keep::Private | Keep::ReadOnly => {
            state.talk.journal = next;
            return None;
        }
    }
    // The composer's text may be long, and a key must stay quick.
    let draft = (due && journal.draft).then(|| state.composer.text());
    if journal.draft && draft.is_none() {
        next.draft = true;
        next.due = journal.due.or(Some(now + LATEST));
    }
    let worth = journal.waits() || draft.as_ref().is_some_and(|d| !d.trim().is_empty());
    if journal.new && !worth {
        // A conversation without a word is not begun.
        next.new = true;
        state.talk.journal = next;
        return None;
    }
    let mut writes = Vec::new();
    let talk = &mut state.talk;
    about(talk, &journal, &mut writes);
    messages(talk, &journal, &mut next, &mut writes);
    writes.extend(draft.map(Write::Draft));
    state.talk.journal = next;
    (!writes.is_empty()).then(|| {
        Effect::Store(Command::Save {
            conversation: state.talk.about.id.clone(),
            writes,
        })
    })
}

fn about(talk: &Talk, journal: &Journal, writes: &mut Vec<Write>) {
    if journal.new {
        writes.push(Write::Begin(talk.about.clone()));
        return;
    }
    if journal.title {
        writes.push(Write::Title(talk.about.title.clone(), talk.about.titled));
    }
    if journal.model {
        writes.push(Write::Model(talk.about.model.clone()));
    }
    if journal.system {
        writes.push(Write::System(talk.about.system.clone()));
    }
}

fn messages(talk: &Talk, journal: &Journal, next: &mut Journal, writes: &mut Vec<Write>) {
    if !journal.removed.is_empty() {
        writes.push(Write::Remove(journal.removed.iter().copied().collect()));
    }
    for node in journal.put.iter().filter_map(|id| talk.tree().get(*id)) {
        writes.push(Write::Put(Box::new(Record::of(node))));
    }
    for parent in &journal.walked {
        match parent {
            None => writes.push(Write::Root(talk.tree().chosen_root())),
            // A message that was put as a whole knows its child already.
            Some(id) if journal.put.contains(id) => {}
            Some(id) => {
                if let Some(node) = talk.tree().get(*id) {
                    writes.push(Write::Chosen(*id, node.chosen()));
                }
            }
        }
    }
    let Some(growing) = journal.growing else {
        return;
    };
    let Some(Said::Answer(answer)) = talk.tree().get(growing.message).map(|n| &n.said) else {
        return;
    };
    let (text, thinking) = (answer.text.len(), answer.thinking.len());
    let grown = (text, thinking) != (growing.text, growing.thinking);
    if grown && !journal.put.contains(&growing.message) {
        writes.push(Write::Grow {
            message: growing.message,
            text: answer.text.get(growing.text..).unwrap_or_default().into(),
            thinking: answer
                .thinking
                .get(growing.thinking..)
                .unwrap_or_default()
                .into(),
        });
    }
    next.growing = Some(Growing {
        text,
        thinking,
        pieces: 0,
        ..growing
    });
}
