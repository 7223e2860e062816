//! Answers one request: read, sample, piece by piece, until there is a reason
//! to end.

use super::pipe::Outbox;
use super::session::{Read, Session, decode_words};
use crate::chat::stop::StopStrings;
use crate::chat::utf8::Utf8Stream;
use crate::chat::{FinishReason, Part, Reasoning, Sampling, Timings, Usage};
use crate::protocol::engine::{Event, Finish, Request, RequestId};
use llama_cpp_2::DecodeError;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use std::time::Instant;

/// From tokens' bytes to parts of the reply: characters are made whole, stop
/// strings found, reasoning told apart.
struct Voice {
    utf8: Utf8Stream,
    stops: StopStrings,
    reasoning: Reasoning,
    /// Bytes of text that are known already and not told again.
    known: usize,
}

impl Voice {
    /// Tells the parts, but for what is known.
    fn tell(&mut self, outbox: &Outbox, id: RequestId, parts: Vec<Part>) {
        for part in parts {
            let part = match part {
                Part::Answer(text) if self.known > 0 => {
                    let skipped = self.known.min(text.len());
                    self.known -= skipped;
                    Part::Answer(text.get(skipped..).unwrap_or_default().into())
                }
                other => other,
            };
            let (Part::Answer(text) | Part::Thinking(text)) = &part;
            if !text.is_empty() {
                outbox.send(&Event::Piece(id, part));
            }
        }
    }

    /// The parts that are certain now, and whether a stop string was met.
    fn say(&mut self, bytes: &[u8]) -> (Vec<Part>, bool) {
        let text = self.utf8.push(bytes);
        let scan = self.stops.push(&text);
        (self.reasoning.push(&scan.text), scan.stopped)
    }

    /// What was held back; nothing of it when a stop string was met.
    fn finish(&mut self) -> Vec<Part> {
        let rest = self.utf8.finish();
        let scan = self.stops.push(&rest);
        let mut parts = self.reasoning.push(&scan.text);
        if !scan.stopped {
            parts.extend(self.reasoning.push(&self.stops.finish()));
        }
        parts.extend(self.reasoning.finish());
        parts
    }
}

/// The running account of one answer.
struct Account {
    id: RequestId,
    seed: u32,
    started: Instant,
    usage: Usage,
    timings: Timings,
    notice: Option<String>,
}

impl Session<'_> {
    /// Answers, or says why it cannot.
    pub fn generate(&mut self, request: &Request) {
        if let Err(error) = self.answer(request) {
            self.outbox.send(&Event::Failed(request.id, error));
        }
    }

    fn answer(&mut self, request: &Request) -> Result<(), String> {
        let mut account = Account {
            id: request.id,
            seed: request.sampling.seed.unwrap_or_else(random_seed),
            started: Instant::now(),
            usage: Usage::default(),
            timings: Timings::default(),
            notice: None,
        };
        // An opening of nothing is an answer from the beginning.
        let told = request.told && !request.opening.is_empty();
        // Counts as time to the first token.
        self.turn_to(request.conversation.as_deref());
        let room = self.context.n_ctx() as usize;
        self.senses.request.set(request.id);
        let expanded = self
            .senses
            .expand(&request.messages, &request.media, room)?;
        if !expanded.notes.is_empty() {
            account.notice = Some(expanded.notes.join(" "));
        }
        let (prompts, senses) = (&self.prompts, &mut self.senses);
        let mut look = |piece: &str, at: usize| {
            let item = expanded.item(piece)?;
            Some(senses.tokens(item, at))
        };
        let (opening, held) = (&request.opening, &self.held);
        let prompt = prompts.tokens(&expanded.messages, opening, told, held, &mut look)?;
        if prompt.tokens.is_empty() {
            return Err("the prompt is empty; write something to answer".into());
        }
        if prompt.tokens.len() >= room {
            return Err(format!(
                "the prompt has {} tokens and at most {} fit the context; shorten it, or set a larger [engine] context",
                prompt.tokens.len(),
                room - 1
            ));
        }
        account.usage.prompt_tokens = count(prompt.tokens.len());
        if prompt
            .spans
            .last()
            .is_some_and(|s| s.at + s.tokens == prompt.tokens.len())
        {
            return Err("the prompt ends with a picture or sound, and this model's template says nothing after it".into());
        }
        let read = self.read(request.id, &prompt)?;
        let (cached, encoded, cancelled) = match read {
            Read::Done { cached, encoded } => (cached, encoded, false),
            Read::Cancelled { cached } => (cached, 0, true),
        };
        account.usage.encoded = encoded;
        account.usage.cached_tokens = count(cached);
        let fresh = self.held.tokens.len() - cached;
        account.timings.prefill_tps = per_second(fresh, account.started);
        if cancelled {
            self.finish(account, FinishReason::Cancelled);
            return Ok(());
        }
        self.held.text = prompt.text.as_bytes().to_vec();
        let opening = &request.opening;
        let mut voice = Voice {
            utf8: Utf8Stream::default(),
            stops: StopStrings::new(
                request
                    .sampling
                    .stop
                    .iter()
                    .cloned()
                    .chain(self.prompts.extra_stops()),
            ),
            reasoning: match told {
                true => Reasoning::past(),
                false => Reasoning::new(prompt.rendered()),
            },
            known: if told { opening.len() } else { 0 },
        };
        let mut sampler = sampler(
            &request.sampling,
            account.seed,
            self.prompts.vocab.n_tokens(),
        );
        let last = request.sampling.repeat_last as usize;
        // What stands for pictures and sounds is no token that could come again.
        let before: Vec<LlamaToken> = prompt.tokens[prompt.tokens.len().saturating_sub(last)..]
            .iter()
            .copied()
            .filter(|token| token.0 >= 0)
            .collect();
        sampler.accept_many(&before);
        let (parts, stopped) = voice.say(opening.as_bytes());
        voice.tell(self.outbox, account.id, parts);
        let ended = match stopped {
            true => Ok(FinishReason::Stop),
            false => self.write(&mut account, &request.sampling, &mut voice, &mut sampler),
        };
        let parts = voice.finish();
        voice.tell(self.outbox, account.id, parts);
        match ended {
            Ok(reason) => {
                self.finish(account, reason);
                Ok(())
            }
            Err(error) => Err(decode_words(&error)),
        }
    }

    /// The loop: sample, say, decode.
    fn write(
        &mut self,
        account: &mut Account,
        sampling: &Sampling,
        voice: &mut Voice,
        sampler: &mut LlamaSampler,
    ) -> Result<FinishReason, DecodeError> {
        let limit = sampling.max_tokens.unwrap_or(u32::MAX);
        let mut first_at = account.started;
        let reason = loop {
            if self.inbox.is_cancelled(account.id) {
                break FinishReason::Cancelled;
            }
            if account.usage.completion_tokens >= limit {
                break FinishReason::Length;
            }
            let token = sampler.sample(&self.context, -1);
            if account.usage.completion_tokens == 0 {
                first_at = Instant::now();
                account.timings.ttft_ms = account.started.elapsed().as_secs_f64() * 1000.0;
            }
            if self.prompts.vocab.is_eog(token) {
                break FinishReason::Stop;
            }
            account.usage.completion_tokens += 1;
            let (parts, stopped) = voice.say(&self.prompts.piece(token));
            voice.tell(self.outbox, account.id, parts);
            if stopped {
                break FinishReason::Stop;
            }
            if account.usage.completion_tokens >= limit {
                break FinishReason::Length;
            }
            if self.held.tokens.len() >= self.context.n_ctx() as usize {
                account.notice = Some(format!(
                    "the context of {} tokens is full; start a new conversation with /clear, or set a larger [engine] context",
                    self.context.n_ctx()
                ));
                break FinishReason::Length;
            }
            self.extend(token)?;
        };
        let after_first = account.usage.completion_tokens.saturating_sub(1) as usize;
        account.timings.generate_tps = per_second(after_first, first_at);
        Ok(reason)
    }

    /// Decodes one token of the model's own.
    pub fn extend(&mut self, token: LlamaToken) -> Result<(), DecodeError> {
        let at = i32::try_from(self.held.position()).map_err(|_| DecodeError::NoKvCacheSlot)?;
        self.batch.clear();
        self.batch
            .add(token, at, &[0], true)
            .map_err(|_| DecodeError::NoKvCacheSlot)?;
        if let Err(error) = self.context.decode(&mut self.batch) {
            self.forget();
            return Err(error);
        }
        self.held.tokens.push(token);
        if !self.held.text.is_empty() {
            let piece = self.prompts.vocab.token_to_piece(token, true, None);
            self.held.text.extend(piece);
        }
        Ok(())
    }

    fn finish(&self, account: Account, reason: FinishReason) {
        self.outbox.send(&Event::Finished(
            account.id,
            Finish {
                reason,
                usage: account.usage,
                timings: account.timings,
                seed: account.seed,
                notice: account.notice,
            },
        ));
    }
}

/// llama.cpp's order: penalties, top-k, top-p, min-p, temperature, draw.
pub fn sampler(sampling: &Sampling, seed: u32, vocabulary: i32) -> LlamaSampler {
    let mut chain = Vec::with_capacity(6);
    if sampling.repeat_penalty != 1.0 && sampling.repeat_last > 0 {
        let last = i32::try_from(sampling.repeat_last).unwrap_or(i32::MAX);
        let penalty = sampling.repeat_penalty;
        chain.push(LlamaSampler::penalties(vocabulary, last, penalty, 0.0, 0.0));
    }
    if sampling.temperature <= 0.0 {
        chain.push(LlamaSampler::greedy());
        return LlamaSampler::chain_simple(chain);
    }
    if sampling.top_k > 0 {
        let k = i32::try_from(sampling.top_k).unwrap_or(i32::MAX);
        chain.push(LlamaSampler::top_k(k));
    }
    if sampling.top_p < 1.0 {
        chain.push(LlamaSampler::top_p(sampling.top_p, 1));
    }
    if sampling.min_p > 0.0 {
        chain.push(LlamaSampler::min_p(sampling.min_p, 1));
    }
    chain.push(LlamaSampler::temp(sampling.temperature));
    chain.push(LlamaSampler::dist(seed));
    LlamaSampler::chain_simple(chain)
}

/// A seed that no one can predict is not needed, only one that differs: the
/// standard library's own random state.
fn random_seed() -> u32 {
    use std::hash::{BuildHasher, Hasher};
    let hash = std::hash::RandomState::new().build_hasher().finish();
    // llama.cpp takes u32::MAX for "choose one yourself".
    (hash >> 32) as u32 % u32::MAX
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Tokens per second since `from`; 0 for no tokens.
pub fn per_second(tokens: usize, from: Instant) -> f64 {
    match tokens {
        0 => 0.0,
        n => n as f64 / from.elapsed().as_secs_f64().max(1e-9),
    }
}
