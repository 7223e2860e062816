//! Reads tokens into the KV cache in chunks sized by measured speed.

use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use std::time::{Duration, Instant};

/// Tokens of a chunk in ordinary times. 64 cost about 15 % of the reading speed
/// in an empty context and 128 under 5 %; deep in a context, where attention
/// takes most of the time, the difference is small.
const USUAL: usize = 128;
/// Tokens of a chunk when the usual number would hold up a stop for too long.
const SMALLEST: usize = 64;
/// Matrix products run in tiles: 171 tokens at once are read a tenth slower than
/// 128 or 192 (measured).
const GRAIN: usize = 32;
/// How long a chunk should hold the engine at most. A stop waits for it.
const TARGET: Duration = Duration::from_millis(280);

/// The speed of reading, as last measured, and what follows from it.
#[derive(Debug, Default)]
pub struct Pace {
    /// Tokens per second; None before the first chunk.
    speed: Option<f64>,
}

impl Pace {
    /// Tokens of the next chunk out of `left`, split evenly so that no small
    /// remainder is left to be read slowly, in multiples of [`GRAIN`].
    pub fn chunk(&self, left: usize, batch: usize) -> usize {
        let ideal = match self.speed {
            Some(speed) => (speed * TARGET.as_secs_f64()) as usize,
            None => USUAL,
        };
        // So slow that a stop ends the process: then at least read well.
        let most = if ideal < SMALLEST / 4 {
            USUAL
        } else {
            ideal.max(SMALLEST)
        };
        let most = most.min(batch);
        let most = (most - most % GRAIN).max(1);
        let chunks = left.div_ceil(most).max(1);
        let chunk = left.div_ceil(chunks).next_multiple_of(GRAIN);
        chunk.min(left).min(batch.max(1))
    }

    /// Estimated milliseconds for this many tokens.
    pub fn estimate_ms(&self, tokens: usize) -> Option<u64> {
        self.speed
            .map(|speed| (tokens as f64 / speed * 1000.0) as u64)
    }

    fn measure(&mut self, tokens: usize, took: Duration) {
        // Small chunks measure the overhead, not the speed.
        if tokens < SMALLEST / 2 && self.speed.is_some() {
            return;
        }
        let now = tokens as f64 / took.as_secs_f64().max(1e-6);
        self.speed = Some(self.speed.map_or(now, |before| f64::midpoint(before, now)));
    }
}

/// Decodes one chunk at `position`; with `logits`, for its last token.
pub fn chunk(
    context: &mut LlamaContext<'_>,
    batch: &mut LlamaBatch<'_>,
    pace: &mut Pace,
    tokens: &[LlamaToken],
    position: usize,
    logits: bool,
) -> Result<(), DecodeError> {
    let started = Instant::now();
    batch.clear();
    for (i, token) in tokens.iter().enumerate() {
        let at = i32::try_from(position + i).map_err(|_| DecodeError::NoKvCacheSlot)?;
        let last = logits && i + 1 == tokens.len();
        batch
            .add(*token, at, &[0], last)
            .map_err(|_| DecodeError::NoKvCacheSlot)?;
    }
    context.decode(batch)?;
    context.synchronize();
    pace.measure(tokens.len(), started.elapsed());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(speed: f64) -> Pace {
        Pace { speed: Some(speed) }
    }

    #[test]
    fn chunks_grow_with_speed_and_leave_no_small_remainder() {
        assert_eq!(pace(500.0).chunk(512, 512), 128);
        assert_eq!(pace(500.0).chunk(141, 512), 96);
        assert_eq!(pace(500.0).chunk(45, 512), 45);
        assert_eq!(pace(5000.0).chunk(4096, 512), 512);
        assert_eq!(Pace::default().chunk(1000, 512), 128);
    }

    #[test]
    fn a_slow_model_still_reads_chunks_worth_reading() {
        assert_eq!(pace(300.0).chunk(1280, 512), 64);
        assert_eq!(pace(20.0).chunk(1280, 512), 128);
        assert_eq!(pace(20.0).estimate_ms(128), Some(6400));
    }
}
