//! Chooses layers, context and cache type for a machine: everything that was
//! not pinned by hand.

use super::trial::{Room, Trial};
use crate::chat::size::bytes;
use crate::protocol::engine::Auto;
use crate::protocol::library::{Card, Fit, Machine};
use crate::protocol::tuning::Tuning;

/// The largest context that is chosen without being asked for: above it the
/// KV cache takes more memory and start-up time than most chats repay.
const AUTO_CONTEXT: u32 = 32_768;
/// A context that is worth having every layer on the GPU for.
const GOOD_CONTEXT: u32 = 8_192;
/// Less than this is of no use for a chat.
pub const LEAST_CONTEXT: u32 = 512;
/// Contexts are of this many tokens, or a multiple.
pub(super) const STEP: u32 = 256;
/// Tokens computed at once: llama.cpp's own default, and less without flash
/// attention, whose buffers grow with batch times context. On a processor
/// prompts are read in smaller pieces anyway.
const BATCH: u32 = 512;
const BATCH_WITHOUT_FLASH: u32 = 128;
/// Quantised numbers are stored in blocks of so many.
const BLOCK: u32 = 32;

/// Why nothing that was allowed fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("{what} takes {needed} of memory, and {there} can be had; {advice}", needed = bytes(*.needed), there = bytes(*.there))]
    TooBig {
        what: String,
        needed: u64,
        there: u64,
        advice: String,
    },
    #[error(
        "a quantised cache-type-v needs flash attention; take f16 for it, or flash-attention auto"
    )]
    NeedsFlash,
}

/// Tokens given to llama.cpp at once, and computed at once.
pub fn batches(tuning: &Tuning) -> (u32, u32) {
    let usual = match tuning.flash_attention {
        Some(false) => BATCH_WITHOUT_FLASH,
        None | Some(true) => BATCH,
    };
    let or_usual = |auto: Auto| match auto {
        Auto::Set(n) => n,
        Auto::Auto => usual,
    };
    let batch = or_usual(tuning.batch);
    (batch, or_usual(tuning.ubatch).min(batch))
}

/// Chooses how to load, within what is pinned: the wanted context as it is, or
/// a smaller cache of it, or a smaller context.
pub fn plan(card: &Card, machine: &Machine, tuning: &Tuning) -> Result<Fit, Unfit> {
    let room = Room::of(machine, tuning);
    let trained = match card.context {
        0 => 4096,
        n => n,
    };
    let (wanted, least) = match tuning.context {
        Auto::Set(n) => (n, n),
        Auto::Auto => (trained.min(AUTO_CONTEXT), trained.min(LEAST_CONTEXT)),
    };
    let good = wanted.min(GOOD_CONTEXT).max(least);
    let trials: Vec<Trial<'_>> = cache_types(card, tuning)?
        .into_iter()
        .map(|types| Trial {
            card,
            room: &room,
            tuning,
            types,
        })
        .collect();
    // Each way is tried with every cache before the next: the whole context,
    // then a good part of it, then the least.
    let whole = trials.iter().map(|t| (t, t.whole(wanted, good)));
    let shrunk = trials.iter().map(|t| (t, t.shrunk(wanted, good)));
    let least_of_all = trials.iter().map(|t| (t, t.shrunk(wanted, least)));
    let first = whole.chain(shrunk).chain(least_of_all);
    let Some((trial, (layers, context))) = first.filter_map(|(t, way)| Some((t, way?))).next()
    else {
        return Err(too_big(&trials, &room, tuning, trained, least));
    };
    let largest = trial.largest(trained.max(context), layers);
    Ok(trial.fit(machine, layers, context, largest.max(context)))
}

fn too_big(trials: &[Trial<'_>], room: &Room, tuning: &Tuning, trained: u32, least: u32) -> Unfit {
    // The last is the smallest.
    let smallest = trials.last();
    let needed = smallest.map_or(0, |t| t.needs(0, least).0);
    let largest = smallest.map_or(0, |t| t.largest(trained, 0));
    Unfit::TooBig {
        what: match tuning.context {
            Auto::Set(n) => format!("this model with a context of {n} tokens"),
            Auto::Auto => "this model".into(),
        },
        needed,
        there: room.memory,
        advice: match (tuning.context, largest >= LEAST_CONTEXT) {
            (Auto::Set(_), true) => format!("a context of {largest} tokens fits"),
            _ => "take a smaller model or a smaller quantisation of it, or close other programs"
                .into(),
        },
    }
}

/// What to try next when a loading failed for memory: fewer layers on the GPU,
/// then a smaller context, then the processor alone. None when nothing is left
/// that was not pinned and that the computer's memory can take. The words say
/// what it goes on with.
pub fn smaller(
    card: &Card,
    machine: &Machine,
    tuning: &Tuning,
    fit: &Fit,
) -> Option<(Fit, String)> {
    let room = Room::of(machine, tuning);
    let trial = Trial {
        card,
        room: &room,
        tuning,
        types: fit.cache_types.clone(),
    };
    let mut next = (fit.gpu_layers, fit.context);
    // What is moved off the GPU must not swap: it takes less until it fits.
    loop {
        next = less(next, tuning, fit.layers)?;
        if trial.needs(next.0, next.1).0 <= room.memory {
            break;
        }
    }
    let (layers, context) = next;
    let mut words = Vec::new();
    if layers != fit.gpu_layers {
        words.push(match layers {
            0 => "the processor alone".to_string(),
            n => format!("{n} of {} layers on the GPU", fit.layers + 1),
        });
    }
    if context != fit.context {
        words.push(format!("a context of {context} tokens"));
    }
    let fit = trial.fit(machine, layers, context, fit.largest_context);
    Some((fit, words.join(" and ")))
}

/// The next step down in layers on the GPU and in the context.
fn less((layers, context): (u32, u32), tuning: &Tuning, count: u32) -> Option<(u32, u32)> {
    const FEW_LAYERS: u32 = 4;
    let free_layers = layers > 0 && tuning.gpu_layers == Auto::Auto;
    let shorter = match tuning.context {
        Auto::Set(_) => context,
        Auto::Auto => (context / 2)
            .next_multiple_of(STEP)
            .max(LEAST_CONTEXT)
            .min(context),
    };
    if free_layers && layers > FEW_LAYERS.min(count) {
        return Some((layers - layers.div_ceil(4), context));
    }
    if shorter < context && (!free_layers || shorter >= GOOD_CONTEXT / 2) {
        return Some((layers, shorter));
    }
    free_layers.then_some((0, context))
}

/// The cache's types to try, the best first.
fn cache_types(card: &Card, tuning: &Tuning) -> Result<Vec<(String, String)>, Unfit> {
    let or = |pinned: &Option<String>, name: &str| pinned.clone().unwrap_or_else(|| name.into());
    let pair = |name: &str| {
        (
            or(&tuning.cache_type_k, name),
            or(&tuning.cache_type_v, name),
        )
    };
    let whole = |name: &str| matches!(name, "f16" | "f32" | "bf16");
    let usual = pair("f16");
    if tuning.flash_attention == Some(false) {
        return match whole(&usual.1) {
            true => Ok(vec![usual]),
            false => Err(Unfit::NeedsFlash),
        };
    }
    let shape = &card.shape;
    let mut widths = shape.key_widths.iter().chain(&shape.value_widths);
    let mut pairs = vec![usual];
    if widths.all(|width| width.is_multiple_of(BLOCK)) {
        pairs.push(pair("q8_0"));
    }
    pairs.dedup();
    Ok(pairs)
}
