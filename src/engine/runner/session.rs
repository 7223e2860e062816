//! A loaded model with its context: serves requests and keeps the KV cache
//! between them.

use super::adapters::Adapters;
use super::keep::Keeper;
use super::load::{Choice, Loader};
use super::pipe::{Inbox, Outbox, Waited};
use super::prompt::{Held, Prompt, Prompts};
use super::read::{self, Pace};
use super::senses::{Looked, Senses, Span};
use crate::protocol::engine::{
    Adapter, Command, Encoding, Event, LoadSpec, ModelFacts, ReadProgress, RequestId,
};
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
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
    pub senses: Senses<'m>,
    adapters: Adapters<'m>,
    loader: &'m Loader<'m>,
    facts: ModelFacts,
    pub inbox: &'m Inbox,
    pub outbox: &'m Outbox,
}

/// How reading ended.
pub enum Read {
    /// Everything is read; so many tokens were there already, and so many
    /// pictures and sounds had to be encoded.
    Done {
        cached: usize,
        encoded: u32,
    },
    Cancelled {
        cached: usize,
    },
}

/// Loads the model, reports it as loaded, and serves until there are no more
/// commands.
pub fn serve(loader: &Loader<'_>, inbox: &Inbox) -> Result<(), String> {
    let mut choice = loader.choose()?;
    loop {
        let model = loader.model(&mut choice)?;
        if let Some(context) = loader.context(&model, &mut choice)? {
            return serve_model(loader, &model, context, &choice, inbox);
        }
    }
}

fn serve_model(
    loader: &Loader<'_>,
    model: &LlamaModel,
    mut context: LlamaContext<'_>,
    choice: &Choice,
    inbox: &Inbox,
) -> Result<(), String> {
    let prompts = Prompts::of(model);
    let mut adapters = Adapters::of(model);
    adapters.lay(&loader.spec.adapters, &mut context, loader.log)?;
    let senses = loader.senses(model, choice, inbox);
    let facts = ModelFacts {
        projector: senses.file().to_string(),
        sees: senses.sees(),
        hears: senses.hears(),
        own_template: prompts.has_template(),
        special: prompts.special(),
        adapters: adapters.laid.clone(),
        ..loader.facts(model, &context, choice)
    };
    let mut session = Session {
        prompts,
        batch: LlamaBatch::new(context.n_batch() as usize, 1),
        most: context.n_batch() as usize,
        held: Held::default(),
        pace: Pace::default(),
        keeper: keeper(loader.spec, &facts),
        senses,
        context,
        adapters,
        loader,
        facts: facts.clone(),
        inbox,
        outbox: loader.outbox,
    };
    session.outbox.send(&Event::Loaded(facts));
    while let Some(command) = session.wait() {
        match command {
            Command::Generate(request) => session.generate(&request),
            Command::Keep => {
                session.keep();
                session.outbox.send(&Event::Kept);
            }
            Command::Adapt(wanted) => session.adapt(&wanted),
            Command::Weigh { id, text, media } => session.weigh(id, &text, &media),
            Command::Bench(spec) => session.bench(spec),
            Command::Render { .. } => super::render(&session.prompts, command, session.outbox),
            Command::Devices => session.outbox.send(&Event::Devices(super::devices())),
            Command::Quantize(_) => super::busy(session.outbox),
            // A process loads once; the host starts a new one for the next.
            Command::Load(_) | Command::Cancel(_) | Command::Unload => {}
        }
    }
    Ok(())
}

/// Keeps states, where that is wanted and the model's file can be read. A
/// state holds only for what it was computed with.
fn keeper(spec: &LoadSpec, facts: &ModelFacts) -> Option<Keeper> {
    let settings = format!(
        "{} {:?} {} {:?} {:?} {:?} {:?}",
        facts.flash_attention,
        facts.cache_types,
        facts.gpu_layers,
        facts.adapters,
        spec.tuning.rope,
        spec.tuning.overrides,
        spec.projector
    );
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

    /// Lays other LoRA files over the model. What was read without them is of
    /// no use any more.
    fn adapt(&mut self, wanted: &[Adapter]) {
        self.keep();
        let laid = self
            .adapters
            .lay(wanted, &mut self.context, self.loader.log);
        if laid.is_ok() {
            self.forget();
            self.facts.adapters = self.adapters.laid.clone();
            self.keeper = keeper(self.loader.spec, &self.facts);
        }
        let laid = laid.map(|()| self.adapters.laid.clone());
        self.outbox.send(&Event::Adapted(laid));
    }

    /// Takes what is kept of a conversation, unless it is the one at hand.
    pub fn turn_to(&mut self, conversation: Option<&str>) {
        // What is never saved leaves nothing on the disk.
        let keeps = conversation.and(self.loader.spec.keep.as_ref());
        self.senses.memory.folder = keeps.map(|keep| keep.folder.clone());
        if let Some(keeper) = &mut self.keeper
            && let Some(held) = keeper.turn_to(conversation, &mut self.context)
        {
            self.held = held;
        }
    }

    /// Brings the KV cache to hold exactly this prompt, reading only what follows
    /// the longest common prefix, with logits for the last token.
    pub fn read(&mut self, id: RequestId, prompt: &Prompt) -> Result<Read, String> {
        let tokens = &prompt.tokens;
        let cached = self.keep_prefix(prompt);
        if let Some(keeper) = &mut self.keeper {
            keeper.has_read();
        }
        // Known again when all is read.
        self.held.text.clear();
        self.report(id, tokens.len(), cached);
        let mut encoded = 0;
        while self.held.tokens.len() < tokens.len() {
            if self.inbox.is_cancelled(id) {
                return Ok(Read::Cancelled { cached });
            }
            let from = self.held.tokens.len();
            let next = prompt.spans.iter().position(|span| span.at >= from);
            let span = next.and_then(|at| prompt.spans.get(at));
            if let Some(span) = span.filter(|span| span.at == from) {
                match self.look(id, prompt, span, cached) {
                    Ok(Looked::Read { encoded: anew }) => encoded += u32::from(anew),
                    Ok(Looked::Cancelled) => return Ok(Read::Cancelled { cached }),
                    Err(why) => {
                        self.forget();
                        return Err(why);
                    }
                }
            } else {
                let until = span.map_or(tokens.len(), |span| span.at);
                let size = self.pace.chunk(until - from, self.most);
                let chunk = &tokens[from..from + size];
                let last = from + size == tokens.len();
                let read = read::chunk(
                    &mut self.context,
                    &mut self.batch,
                    &mut self.pace,
                    chunk,
                    self.held.position(),
                    last,
                );
                if let Err(error) = read {
                    self.forget();
                    return Err(decode_words(&error));
                }
                self.held.tokens.extend_from_slice(chunk);
            }
            self.report(id, tokens.len(), cached);
        }
        Ok(Read::Done { cached, encoded })
    }

    /// Reads the picture or sound that begins here.
    fn look(
        &mut self,
        id: RequestId,
        prompt: &Prompt,
        span: &Span,
        cached: usize,
    ) -> Result<Looked, String> {
        let number = prompt.spans.iter().filter(|s| s.at <= span.at).count();
        let encoding = Encoding {
            number: count(number),
            count: count(prompt.spans.len()),
            permille: 0,
            sound: self.senses.is_sound(span),
        };
        let progress = ReadProgress {
            encoding: Some(encoding),
            ..self.progress(prompt.tokens.len(), cached)
        };
        self.outbox.send(&Event::Reading(id, progress));
        let position = self.held.position();
        let looked = self
            .senses
            .look(&mut self.context, span, position, (id, progress))?;
        if matches!(looked, Looked::Read { .. }) {
            let end = span.at + span.tokens;
            self.held
                .tokens
                .extend_from_slice(&prompt.tokens[span.at..end]);
            self.held.spans.push(span.clone());
        }
        Ok(looked)
    }

    /// Cuts the cache back to what it shares with the prompt, and returns how
    /// many tokens that is. The last token is always read again: its logits
    /// are needed.
    fn keep_prefix(&mut self, prompt: &Prompt) -> usize {
        let tokens = &prompt.tokens;
        let mut shared = self
            .held
            .tokens
            .iter()
            .zip(tokens)
            .take_while(|(a, b)| a == b)
            .count()
            .min(tokens.len().saturating_sub(1));
        // A picture is kept whole or not at all.
        let within = |span: &&Span| span.at < shared && shared < span.at + span.tokens;
        if let Some(span) = self.held.spans.iter().find(within) {
            shared = span.at;
        }
        if shared < self.held.tokens.len() {
            let from = u32::try_from(self.held.position_of(shared)).ok();
            // Recurrent and hybrid models cannot forget a part: they start over.
            if shared == 0 || self.context.kv_cache_seq_rm(0, from, None).is_err() {
                self.forget();
            } else {
                self.held.tokens.truncate(shared);
                self.held.spans.retain(|span| span.at < shared);
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
        let progress = self.progress(total, cached);
        self.outbox.send(&Event::Reading(id, progress));
    }

    fn progress(&self, total: usize, cached: usize) -> ReadProgress {
        let left = total - self.held.tokens.len();
        let next = self.pace.chunk(left, self.most);
        ReadProgress {
            read: count(self.held.tokens.len()),
            total: count(total),
            cached: count(cached),
            left_ms: self.pace.estimate_ms(left),
            chunk_ms: self.pace.estimate_ms(next),
            encoding: None,
        }
    }
}

/// llama.cpp's fault in words.
pub fn decode_words(error: &DecodeError) -> String {
    format!("llama.cpp could not compute the next tokens: {error}; the engine's log may say more")
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
