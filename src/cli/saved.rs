//! A saved conversation that `parlor ask` adds a turn to.

use super::args::Ask;
use super::ask::Reply;
use super::{Fail, conversations};
use crate::app::Talk;
use crate::app::talk::Keep;
use crate::chat::{
    About, Answer, Conversation, FinishReason, Made, Message, MessageId, Progress, Record, Source,
};
use crate::protocol::engine::Request;
use crate::protocol::store::{Which, Write};
use crate::store::{Store, random_bits};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that text may stay unsaved.
const LATEST: Duration = Duration::from_millis(200);

pub struct Kept {
    store: Store,
    talk: Talk,
    /// Not in the store yet.
    new: bool,
    system: String,
    question: Option<MessageId>,
    answer: Option<MessageId>,
    /// Bytes of text and of reasoning that are saved, and when.
    saved: (usize, usize, Instant),
}

impl Kept {
    /// The conversation that the command line asks for, if any.
    pub fn of(ask: &Ask, written: Option<&str>, usual: &str) -> Result<Option<Self>, Fail> {
        let which = match (&ask.conversation, ask.continue_last, ask.save) {
            (Some(name), ..) => Some(Which::Named(name.clone())),
            (None, true, _) => Some(Which::Last),
            (None, false, true) => None,
            (None, false, false) => return Ok(None),
        };
        let mut store = conversations::open()?;
        let new = which.is_none();
        let conversation = match which {
            Some(which) => {
                let opened = store.open_conversation(&which).map_err(Fail::failed)?;
                if !opened.writable {
                    let id = opened.conversation.about.id;
                    return Err(Fail::failed(crate::store::StoreError::Taken(id)));
                }
                opened.conversation
            }
            None => Conversation {
                about: About {
                    id: crate::chat::conversation::id_of(random_bits()),
                    system: usual.to_string(),
                    ..About::default()
                },
                ..Conversation::default()
            },
        };
        let system = written.map_or(conversation.about.system.clone(), String::from);
        Ok(Some(Self {
            store,
            talk: Talk::of(conversation),
            new,
            system,
            question: None,
            answer: None,
            saved: (0, 0, Instant::now()),
        }))
    }

    pub fn id(&self) -> &str {
        &self.talk.about.id
    }

    /// The model that it was last spoken with, if any.
    pub fn model(&self) -> Option<PathBuf> {
        let model = &self.talk.about.model;
        (!model.is_empty()).then(|| model.into())
    }

    /// Adds the question; returns the conversation for the model.
    pub fn ask(&mut self, question: String) -> Vec<Message> {
        debug_assert_eq!(self.talk.keep, Keep::Saved);
        let id = self.talk.ask(self.talk.leaf(), question);
        self.question = Some(id);
        self.talk.messages_to(id, &self.system)
    }

    /// Saves the question and an answer that is still empty.
    pub fn begin(
        &mut self,
        request: &Request,
        model: &Path,
        sources: &[Source],
    ) -> Result<(), Fail> {
        let before = self
            .question
            .and_then(|id| self.talk.tree().get(id)?.parent);
        let made = Made {
            model: model.display().to_string(),
            sampling: request.sampling.clone(),
            seed: None,
            system: self.system.clone(),
        };
        self.talk.is_with(&made);
        let answer = Answer {
            sources: sources.to_vec(),
            made: Some(made),
            ..Answer::default()
        };
        self.answer = Some(self.talk.open_answer(self.question, answer));
        let mut writes = vec![match self.new {
            true => Write::Begin(self.talk.about.clone()),
            false => Write::Model(self.talk.about.model.clone()),
        }];
        writes.push(Write::System(self.system.clone()));
        writes.push(Write::Root(self.talk.tree().chosen_root()));
        writes.extend(before.map(|id| Write::Chosen(id, self.question)));
        writes.extend(self.question.and_then(|id| self.put(id)));
        writes.extend(self.answer.and_then(|id| self.put(id)));
        self.save(&writes)
    }

    fn put(&self, id: MessageId) -> Option<Write> {
        let node = self.talk.tree().get(id)?;
        Some(Write::Put(Box::new(Record::of(node))))
    }

    fn save(&mut self, writes: &[Write]) -> Result<(), Fail> {
        let id = self.id().to_string();
        if self.new {
            self.store.take(&id).map_err(Fail::failed)?;
            self.new = false;
        }
        self.store.save(&id, writes).map_err(Fail::failed)
    }

    /// Saves what has come since the last time, a few times in a second.
    pub fn grow(&mut self, reply: &Reply) -> Result<(), Fail> {
        let (text, thinking, at) = self.saved;
        let (Some(message), true) = (self.answer, at.elapsed() >= LATEST) else {
            return Ok(());
        };
        self.saved = (reply.text.len(), reply.thinking.len(), Instant::now());
        self.save(&[Write::Grow {
            message,
            text: reply.text.get(text..).unwrap_or_default().into(),
            thinking: reply.thinking.get(thinking..).unwrap_or_default().into(),
        }])
    }

    /// Saves the answer as it ended.
    pub fn end(&mut self, reply: &Reply, interrupted: bool) -> Result<(), Fail> {
        let progress = match (&reply.finish, &reply.error, interrupted) {
            (_, _, true) => Progress::Stopped,
            (_, Some(why), false) => Progress::Failed(why.clone()),
            (None, None, false) => Progress::Interrupted,
            (Some(finish), None, false) => match finish.reason {
                FinishReason::Stop => Progress::Done,
                FinishReason::Length => Progress::Cut,
                FinishReason::Cancelled => Progress::Stopped,
                FinishReason::Error => Progress::Failed("the engine failed".into()),
            },
        };
        if let Some(answer) = self.talk.open() {
            answer.text.clone_from(&reply.text);
            answer.thinking.clone_from(&reply.thinking);
            if let Some(finish) = &reply.finish {
                answer.usage = finish.usage;
                answer.timings = finish.timings;
                if let Some(made) = &mut answer.made {
                    made.seed = Some(finish.seed);
                }
            }
        }
        self.talk.close(progress);
        let writes: Vec<Write> = self
            .answer
            .and_then(|id| self.put(id))
            .into_iter()
            .collect();
        self.save(&writes)
    }
}
