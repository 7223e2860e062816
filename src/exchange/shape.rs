//! JSON of any kind: tells by its shape who wrote it, and reads it one
//! conversation at a time, so that a large export is never in memory twice.

use super::enclosed::Enclosed;
use super::skips::Skips;
use super::{Import, ImportError, Origin, chatgpt, json, mend, sharegpt, webui};
use crate::chat::Conversation;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// What one value of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Parlor,
    ChatGpt,
    /// A conversation of the web UI.
    WebUi,
    /// A line of the web UI: a conversation without its messages.
    Session,
    /// A line of the web UI: a message of the latest session.
    Message,
    ShareGpt,
    /// A message without a conversation around it.
    Turn,
}

impl Shape {
    fn of(value: &Value) -> Option<Self> {
        let is = |key: &str, kind: fn(&Value) -> bool| value.get(key).is_some_and(kind);
        let typed = |name: &str| value.get("type").and_then(Value::as_str) == Some(name);
        if is("parlor", Value::is_u64) {
            Some(Shape::Parlor)
        } else if is("mapping", Value::is_object) {
            Some(Shape::ChatGpt)
        } else if is("conv", Value::is_object) && is("messages", Value::is_array) {
            Some(Shape::WebUi)
        } else if typed("session") && is("id", Value::is_string) {
            Some(Shape::Session)
        } else if typed("message") && is("message", Value::is_object) {
            Some(Shape::Message)
        } else if sharegpt::LISTS.iter().any(|key| is(key, Value::is_array)) {
            Some(Shape::ShareGpt)
        } else if sharegpt::is_turn(value) {
            Some(Shape::Turn)
        } else {
            None
        }
    }

    fn origin(self) -> Origin {
        match self {
            Shape::Parlor => Origin::Parlor,
            Shape::ChatGpt => Origin::ChatGpt,
            Shape::WebUi | Shape::Session | Shape::Message => Origin::WebUi,
            Shape::ShareGpt | Shape::Turn => Origin::ShareGpt,
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    from: Option<Origin>,
    conversations: Vec<Conversation>,
    skips: Skips,
    enclosed: Enclosed,
    /// The session whose messages are being read.
    session: Option<(Value, Vec<Value>)>,
    turns: Vec<Value>,
    /// What was wrong with Parlor's own.
    failed: Option<ImportError>,
    strange: usize,
}

impl Reading {
    fn take(&mut self, value: Value) {
        let shape = Shape::of(&value).filter(|s| self.from.is_none_or(|from| from == s.origin()));
        let Some(shape) = shape else {
            self.strange += 1;
            return;
        };
        self.from = Some(shape.origin());
        let read = match shape {
            Shape::Parlor => {
                match json::read(value) {
                    Ok((read, files)) => {
                        self.enclosed.take(files, &read, &mut self.skips);
                        self.conversations.extend(read);
                    }
                    Err(error) => self.failed = self.failed.take().or(Some(error)),
                }
                return;
            }
            Shape::Session => {
                let read = self.finish_session();
                self.session = Some((value, Vec::new()));
                read
            }
            Shape::Message => {
                match &mut self.session {
                    Some((_, messages)) => messages.push(value),
                    None => self.strange += 1,
                }
                return;
            }
            Shape::Turn => {
                self.turns.push(value);
                return;
            }
            Shape::ChatGpt => {
                self.skips.next();
                chatgpt::read(value, &mut self.skips)
            }
            Shape::WebUi => {
                self.skips.next();
                webui::read(value, &mut self.skips)
            }
            Shape::ShareGpt => {
                self.skips.next();
                sharegpt::read(value, &mut self.skips)
            }
        };
        self.keep(read);
    }

    fn finish_session(&mut self) -> Option<Conversation> {
        let (session, lines) = self.session.take()?;
        self.skips.next();
        webui::read_lines(session, lines, &mut self.skips)
    }

    fn keep(&mut self, read: Option<Conversation>) {
        self.conversations.extend(read);
    }

    fn finish(mut self) -> Result<Import, ImportError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let last = self.finish_session();
        self.keep(last);
        if !self.turns.is_empty() {
            self.skips.next();
            let turns = std::mem::take(&mut self.turns);
            let read = sharegpt::of_turns(turns, &mut self.skips);
            self.keep(read);
        }
        let from = self.from.ok_or(ImportError::Unknown)?;
        if self.strange > 0 {
            let are = if self.strange == 1 {
                "entry that is"
            } else {
                "entries that are"
            };
            self.skips
                .say(format!("{} {are} no conversation", self.strange));
        }
        Ok(Import {
            conversations: self.conversations,
            files: self.enclosed.files,
            from,
            skipped: self.skips.told(),
        })
    }
}

/// Reads JSON: one value, an array of them, or one on each line.
pub(super) fn read(text: &str) -> Result<Import, ImportError> {
    let read = read_as_it_is(text);
    if let Err(ImportError::Json(_)) = read
        && let Some(mended) = mend::surrogates(text)
    {
        return read_as_it_is(&mended);
    }
    read
}

fn read_as_it_is(text: &str) -> Result<Import, ImportError> {
    let mut reading = Reading::default();
    if text.trim_start().starts_with('[') {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_seq(Items(&mut reading))?;
        deserializer.end()?;
    } else {
        for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            reading.take(value?);
        }
    }
    reading.finish()
}

/// Takes the items of an array one by one.
struct Items<'r>(&'r mut Reading);

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("conversations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<Value>()? {
            self.0.take(value);
        }
        Ok(())
    }
}
