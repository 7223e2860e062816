//! A loaded model with its context: serves requests and keeps the KV cache
//! between them.

use super::load::{BATCH, Loaded};
use super::log::LastError;
use super::pipe::{Inbox, Outbox};
use super::prompt::Prompts;
use super::read::{self, Pace};
use crate::protocol::engine::{Command, Event, LoadSpec, ReadProgress, RequestId};
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

/// One model at work. `held` is exactly what the KV cache holds.
pub struct Session<'m> {
    pub context: LlamaContext<'m>,
    pub prompts: Prompts<'m>,
    pub batch: LlamaBatch<'static>,
    pub held: Vec<LlamaToken>,
    pub pace: Pace,
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
        context,
        prompts: Prompts::of(&loaded.model),
        batch: LlamaBatch::new(BATCH as usize, 1),
        held: Vec::new(),
        pace: Pace::default(),
        inbox,
        outbox,
    };
    outbox.send(&Event::Loaded(facts));
    while let Some(command) = inbox.next() {
        match command {
            Command::Generate(request) => session.generate(&request),
            Command::Bench(spec) => session.bench(spec),
            Command::Render { .. } => super::render(&session.prompts, command, outbox),
            Command::Devices => outbox.send(&Event::Devices(super::devices())),
            // A process loads once; the host starts a new one for the next.
            Command::Load(_) | Command::Cancel(_) => {}
        }
    }
    Ok(())
}

impl Session<'_> {
    /// Brings the KV cache to hold exactly `tokens`, reading only what follows
    /// the longest common prefix, with logits for the last token.
    pub fn read(&mut self, id: RequestId, tokens: &[LlamaToken]) -> Result<Read, DecodeError> {
        let cached = self.keep_prefix(tokens);
        self.report(id, tokens.len(), cached);
        while self.held.len() < tokens.len() {
            if self.inbox.is_cancelled(id) {
                return Ok(Read::Cancelled { cached });
            }
            let from = self.held.len();
            let size = self.pace.chunk(tokens.len() - from, BATCH as usize);
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
            self.held.extend_from_slice(chunk);
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
            .iter()
            .zip(tokens)
            .take_while(|(a, b)| a == b)
            .count()
            .min(tokens.len().saturating_sub(1));
        if shared < self.held.len() {
            let from = u32::try_from(shared).ok();
            // Recurrent and hybrid models cannot forget a part: they start over.
            if shared == 0 || self.context.kv_cache_seq_rm(0, from, None).is_err() {
                self.forget();
            } else {
                self.held.truncate(shared);
            }
        }
        self.held.len()
    }

    /// Empties the cache.
    pub fn forget(&mut self) {
        self.context.clear_kv_cache();
        self.held.clear();
    }

    fn report(&self, id: RequestId, total: usize, cached: usize) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let left = total - self.held.len();
        let next = self.pace.chunk(left, BATCH as usize);
        self.outbox.send(&Event::Reading(
            id,
            ReadProgress {
                read: count(self.held.len()),
                total: count(total),
                cached: count(cached),
                left_ms: self.pace.estimate_ms(left),
                chunk_ms: self.pace.estimate_ms(next),
            },
        ));
    }
}
