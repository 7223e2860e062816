//! The conversation as the chat shows it: what was said, and where the view
//! is scrolled to.

use crate::chat::{Message, Role, Timings, Usage};
use crate::help::guide::Source;

/// Identifies an entry for its whole life.
pub type EntryId = u64;

/// How an answer stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Text may still come.
    Open,
    Done,
    /// The person stopped it.
    Stopped,
    /// The token limit or the end of the context.
    Cut,
    /// The engine could not go on; why.
    Failed(String),
}

/// What kind of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Problem,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Question(String),
    Answer(Answer),
    Notice(Tone, String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub text: String,
    pub thinking: String,
    pub progress: Progress,
    pub usage: Usage,
    pub timings: Timings,
    /// The passages of the help that it was made from.
    pub sources: Vec<Source>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: EntryId,
    pub body: Body,
}

/// Where the view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// At the end, and staying there.
    Follow,
    /// The top row shows this row of this entry. `offset` is the byte of the
    /// entry's reasoning and text that begins that row: it finds the place
    /// again when the width has changed.
    At {
        entry: EntryId,
        row: usize,
        offset: usize,
        width: u16,
    },
}

#[derive(Debug, Clone)]
pub struct Talk {
    pub entries: Vec<Entry>,
    pub scroll: Scroll,
    /// Rows to move at the next drawing, which knows the rows; negative is up.
    pub pending: i64,
    /// Whether reasoning is shown in full.
    pub reasoning_open: bool,
    next: EntryId,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            scroll: Scroll::Follow,
            pending: 0,
            reasoning_open: false,
            next: 1,
        }
    }
}

impl Talk {
    pub fn push(&mut self, body: Body) -> EntryId {
        let id = self.next;
        self.next += 1;
        self.entries.push(Entry { id, body });
        id
    }

    pub fn notice(&mut self, tone: Tone, words: impl Into<String>) {
        self.push(Body::Notice(tone, words.into()));
    }

    /// Opens an empty answer at the end, to be made from these passages.
    pub fn open_answer(&mut self, sources: Vec<Source>) {
        self.push(Body::Answer(Answer {
            text: String::new(),
            thinking: String::new(),
            progress: Progress::Open,
            usage: Usage::default(),
            timings: Timings::default(),
            sources,
        }));
    }

    /// The answer that is being written.
    pub fn open(&mut self) -> Option<&mut Answer> {
        self.entries
            .iter_mut()
            .rev()
            .find_map(|e| match &mut e.body {
                Body::Answer(answer) if answer.progress == Progress::Open => Some(answer),
                _ => None,
            })
    }

    /// The last answer with any text.
    pub fn last_answer(&self) -> Option<&Answer> {
        self.entries.iter().rev().find_map(|e| match &e.body {
            Body::Answer(answer) if !answer.text.is_empty() => Some(answer),
            _ => None,
        })
    }

    /// Opens or folds all reasoning. Rows move: a place above is found again by
    /// its text, as after a change of width.
    pub fn toggle_reasoning(&mut self) {
        self.reasoning_open = !self.reasoning_open;
        if let Scroll::At { width, .. } = &mut self.scroll {
            *width = 0;
        }
    }

    /// Takes back the question whose answer is open, when nothing of the answer
    /// has come; the question is returned.
    pub fn take_back(&mut self) -> Option<String> {
        let nothing_came =
            |a: &Answer| a.progress == Progress::Open && a.text.is_empty() && a.thinking.is_empty();
        let [.., question, answer] = self.entries.as_slice() else {
            return None;
        };
        let (Body::Question(text), Body::Answer(answer)) = (&question.body, &answer.body) else {
            return None;
        };
        let text = nothing_came(answer).then(|| text.clone())?;
        self.entries.truncate(self.entries.len() - 2);
        Some(text)
    }

    /// Forgets everything after the last question; false when there is none.
    pub fn back_to_question(&mut self) -> bool {
        let last = self
            .entries
            .iter()
            .rposition(|e| matches!(e.body, Body::Question(_)));
        if let Some(at) = last {
            self.entries.truncate(at + 1);
        }
        last.is_some()
    }

    /// A new, empty conversation. Ids go on, so that nothing drawn before is
    /// taken for something new.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.scroll = Scroll::Follow;
        self.pending = 0;
    }

    /// The conversation for the model: the system prompt, then what was said.
    /// Reasoning and notices are left out; an answer that came to nothing is
    /// left out too, and the questions around it become one.
    pub fn messages(&self, system: &str) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::with_capacity(self.entries.len() + 1);
        if !system.trim().is_empty() {
            messages.push(Message::new(Role::System, system));
        }
        for entry in &self.entries {
            match &entry.body {
                Body::Question(text) => match messages.last_mut() {
                    Some(last) if last.role == Role::User => {
                        last.content.push_str("\n\n");
                        last.content.push_str(text);
                    }
                    _ => messages.push(Message::new(Role::User, text.as_str())),
                },
                Body::Answer(answer) if !answer.text.is_empty() => {
                    messages.push(Message::new(Role::Assistant, answer.text.as_str()));
                }
                Body::Answer(_) | Body::Notice(..) => {}
            }
        }
        messages
    }
}
