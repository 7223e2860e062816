//! One round of measuring, through the same reading, sampling and pipe that
//! an answer goes through.

use super::generate::{per_second, sampler};
use super::prompt::Prompt;
use super::session::{Read, Session};
use crate::chat::{Part, Sampling};
use crate::protocol::engine::{BenchSpec, Event};
use llama_cpp_2::token::LlamaToken;
use std::time::Instant;

impl Session<'_> {
    pub fn bench(&mut self, spec: BenchSpec) {
        let measured = self.round(spec);
        self.forget();
        self.outbox.send(&match measured {
            Ok((prefill_tps, generate_tps)) => Event::Measured {
                id: spec.id,
                prefill_tps,
                generate_tps,
            },
            Err(error) => Event::Failed(spec.id, error),
        });
    }

    fn round(&mut self, spec: BenchSpec) -> Result<(f64, f64), String> {
        let (depth, prompt) = (spec.depth as usize, spec.prompt as usize);
        let room = self.context.n_ctx() as usize;
        let most = depth + prompt.max(spec.generate as usize) + 1;
        if most > room {
            return Err(format!("{most} tokens do not fit the context of {room}"));
        }
        self.forget();
        let tokens = self.noise(depth + prompt.max(1));
        self.fill(spec, &tokens[..depth])?;
        let started = Instant::now();
        let mut prefill_tps = 0.0;
        if prompt > 0 {
            self.fill(spec, &tokens)?;
            prefill_tps = per_second(prompt, started);
        }
        if spec.generate == 0 {
            return Ok((prefill_tps, 0.0));
        }
        self.forget();
        self.fill(spec, &tokens[..depth])?;
        let mut sampler = sampler(&Sampling::default(), 1, self.prompts.vocab.n_tokens());
        let mut token = tokens[0];
        let started = Instant::now();
        for _ in 0..spec.generate {
            if self.inbox.is_cancelled(spec.id) {
                return Err("stopped".into());
            }
            self.extend(token).map_err(|e| e.to_string())?;
            token = sampler.sample(&self.context, -1);
            let text = String::from_utf8_lossy(&self.prompts.piece(token)).into_owned();
            self.outbox.send(&Event::Piece(spec.id, Part::Answer(text)));
        }
        Ok((prefill_tps, per_second(spec.generate as usize, started)))
    }

    fn fill(&mut self, spec: BenchSpec, tokens: &[LlamaToken]) -> Result<(), String> {
        if tokens.is_empty() {
            return Ok(());
        }
        match self.read(spec.id, &Prompt::of(tokens))? {
            Read::Done { .. } => Ok(()),
            Read::Cancelled { .. } => Err("stopped".into()),
        }
    }

    /// Tokens without meaning, the same each time (a linear congruence).
    fn noise(&self, n: usize) -> Vec<LlamaToken> {
        let size = u64::try_from(self.prompts.vocab.n_tokens())
            .unwrap_or(1)
            .max(1);
        let mut state: u64 = 42;
        (0..n)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                LlamaToken(i32::try_from((state >> 33) % size).unwrap_or(0))
            })
            .collect()
    }
}
