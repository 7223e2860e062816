//! A loaded model with its context: serves requests and keeps the KV cache
//! between them.

use super::keep::Keeper;
use super::load::Loaded;
use super::log::LastError;
use super::pipe::{Inbox, Outbox, Waited};
use super::prompt::{Held, Prompts};
use super::read::{self, Pace};
use crate::protocol::engine::{Command, Event, LoadSpec, ModelFacts, ReadProgress, RequestId};
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use std::time::Duration;

/// How long nothing must come before what was read is kept.
const QUIET: Duration = Duration::from_millis(1500);

/// One model at work.
pub struct Session<'m> {
    pub context: LlamaContext<'m>,
    pub prompts: Prompts<'m>,
    pub batch: LlamaBatch<'static>,
    /// Tokens that fit a batch.
    most: usize,
    /// Exactly what the KV cache holds.
    pub held: Held,
    pub pace: Pace,
    keeper: Option<Keeper>,
    pub inbox: &'m Inbox,
    pub outbox: &'m Outbox,
}

/// How reading ended.
pub enum Read {
    /// Everything is read; so many tokens were there already.
    Done {
        cached: usize,
    },
    Cancelled {
        cached: usize,
    },
}

/// Makes the context, reports the model as loaded, and serves until there are
/// no more commands.
pub fn serve(
    backend: &LlamaBackend,
    loaded: &Loaded,
    spec: &LoadSpec,
    inbox: &Inbox,
    outbox: &Outbox,
    last_error: &LastError,
) -> Result<(), String> {
    let (context, facts) = loaded.context(backend, spec, last_error)?;
    let mut session = Session {
        prompts: Prompts::of(&loaded.model),
        batch: LlamaBatch::new(context.n_batch() as usize, 1),
        most: context.n_batch() as usize,
        held: Held::default(),
        pace: Pace::default(),
        keeper: keeper(spec, &facts),
        context,
        inbox,
        outbox,
    };
    outbox.send(&Event::Loaded(facts));
    while let Some(command) = session.wait() {
        match command {
            Command::Generate(request) => session.generate(&request),
            Command::Keep => {
                session.keep();
                outbox.send(&Event::Kept);
            }
            Command::Bench(spec) => session.bench(spec),
            Command::Render { .. } => super::render(&session.prompts, command, outbox),
            Command::Devices => outbox.send(&Event::Devices(super::devices())),
            // A process loads once; the host starts a new one for the next.
            Command::Load(_) | Command::Cancel(_) | Command::Unload => {}
        }
    }
    Ok(())
}

/// Keeps states, where that is wanted and the model's file can be read.
fn keeper(spec: &LoadSpec, facts: &ModelFacts) -> Option<Keeper> {
    let settings = format!("{:?} {}", spec.flash_attention, facts.gpu_layers);
    Keeper::new(spec.keep.clone()?, &spec.model, &settings)
}

impl Session<'_> {
    /// The next command. While none comes, what was read is kept: off the path
    /// of any answer.
    fn wait(&mut self) -> Option<Command> {
        let due = self.keeper.as_ref().is_some_and(|k| k.is_due(&self.held));
        if due {
            match self.inbox.next_within(QUIET) {
                Waited::Command(command) => return Some(command),
                Waited::Nothing => self.keep(),
                Waited::End => return None,
            }
        }
        self.inbox.next()
    }

    fn keep(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.save(&self.context, &self.held);
        }
    }

    /// Takes what is kept of a conversation, unless it is the one at hand.
    pub fn turn_to(&mut self, conversation: Option<&str>) {
        if let Some(keeper) = &mut self.keeper
            && let Some(held) = keeper.turn_to(conversation, &mut self.context)
        {
            self.held = held;
        }
    }

    /// Brings the KV cache to hold exactly `tokens`, reading only what follows
    /// the longest common prefix, with logits for the last token.
    pub fn read(&mut self, id: RequestId, tokens: &[LlamaToken]) -> Result<Read, DecodeError> {
        let cached = self.keep_prefix(tokens);
        if let Some(keeper) = &mut self.keeper {
            keeper.has_read();
        }
        // Known again when all is read.
        self.held.text.clear();
        self.report(id, tokens.len(), cached);
        while self.held.tokens.len() < tokens.len() {
            if self.inbox.is_cancelled(id) {
                return Ok(Read::Cancelled { cached });
            }
            let from = self.held.tokens.len();
            let size = self.pace.chunk(tokens.len() - from, self.most);
            let chunk = &tokens[from..from + size];
            let last = from + size == tokens.len();
            let read = read::chunk(
                &mut self.context,
                &mut self.batch,
                &mut self.pace,
                chunk,
                from,
                last,
            );
            if let Err(error) = read {
                self.forget();
                return Err(error);
            }
            self.held.tokens.extend_from_slice(chunk);
            self.report(id, tokens.len(), cached);
        }
        Ok(Read::Done { cached })
    }

    /// Cuts the cache back to what it shares with `tokens`, and returns how
    /// many tokens that is. The last token is always read again: its logits
    /// are needed.
    fn keep_prefix(&mut self, tokens: &[LlamaToken]) -> usize {
        let shared = self
            .held
            .tokens
            .iter()
            .zip(tokens)
            .take_while(|(a, b)| a == b)
            .count()
            .min(tokens.len().saturating_sub(1));
        if shared < self.held.tokens.len() {
            let from = u32::try_from(shared).ok();
            // Recurrent and hybrid models cannot forget a part: they start over.
            if shared == 0 || self.context.kv_cache_seq_rm(0, from, None).is_err() {
                self.forget();
            } else {
                self.held.tokens.truncate(shared);
            }
        }
        self.held.tokens.len()
    }

    /// Empties the cache.
    pub fn forget(&mut self) {
        self.context.clear_kv_cache();
        self.held = Held::default();
    }

    fn report(&self, id: RequestId, total: usize, cached: usize) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let left = total - self.held.tokens.len();
        let next = self.pace.chunk(left, self.most);
        self.outbox.send(&Event::Reading(
            id,
            ReadProgress {
                read: count(self.held.tokens.len()),
                total: count(total),
                cached: count(cached),
                left_ms: self.pace.estimate_ms(left),
                chunk_ms: self.pace.estimate_ms(next),
            },
        ));
    }
}
