//! Chooses layers, context and cache type for a machine: everything that was
//! not pinned by hand.

use super::memory::{self, Load};
use crate::protocol::engine::Auto;
use crate::protocol::library::{Card, Fit, Machine, Verdict};
use crate::protocol::tuning::Tuning;

/// The largest context that is chosen without being asked for: above it the
/// KV cache takes more memory and start-up time than most chats repay.
const AUTO_CONTEXT: u32 = 32_768;
/// A context that is worth having every layer on the GPU for.
const GOOD_CONTEXT: u32 = 8_192;
/// Less than this is of no use for a chat.
pub const LEAST_CONTEXT: u32 = 512;
/// Contexts are of this many tokens, or a multiple.
const STEP: u32 = 256;
/// Tokens computed at once: llama.cpp's own default, and less without flash
/// attention, whose buffers grow with batch times context.
const BATCH: u32 = 512;
const BATCH_WITHOUT_FLASH: u32 = 128;
/// Left free on each GPU, for the driver and the screen: this much, or a share.
const GPU_MARGIN: u64 = 256 << 20;
/// Left free in memory, for everything else on the machine.
const MEMORY_MARGIN: u64 = 256 << 20;

/// Why nothing that was allowed fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} takes {needed} of memory, and {there} can be had; {advice}", needed = bytes(*.needed), there = bytes(*.there))]
pub struct TooBig {
    pub what: String,
    pub needed: u64,
    pub there: u64,
    pub advice: String,
}

/// Bytes as people read them.
fn bytes(n: u64) -> String {
    match n {
        0..1_000_000_000 => format!("{} MB", n.div_ceil(1_000_000)),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

/// Chooses how to load, within what is pinned.
pub fn plan(card: &Card, machine: &Machine, tuning: &Tuning) -> Result<Fit, TooBig> {
    let room = Room::of(machine, tuning);
    let trained = match card.context {
        0 => 4096,
        n => n,
    };
    let (wanted, least) = match tuning.context {
        Auto::Set(n) => (n, n),
        Auto::Auto => (trained.min(AUTO_CONTEXT), trained.min(LEAST_CONTEXT)),
    };
    let mut seen = None;
    for types in cache_types(tuning) {
        let trial = Trial::new(card, &room, tuning, types);
        let good = wanted.min(GOOD_CONTEXT).max(least);
        let chosen = trial
            .layers_for(wanted, good)
            .or_else(|| trial.shrunk(wanted, least));
        if let Some((layers, context)) = chosen {
            let largest = trial.largest(trained.max(context), layers);
            return Ok(trial.fit(machine, layers, context, largest.max(context)));
        }
        let needed = trial.needs(0, least).0;
        seen = Some((needed, trial.largest(trained, 0)));
    }
    let (needed, largest) = seen.unwrap_or_default();
    Err(TooBig {
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
    })
}

/// What to try next when a loading failed for memory: fewer layers on the GPU,
/// then a smaller context, then the processor alone. None when nothing is left
/// that was not pinned. The words say what it goes on with.
pub fn smaller(fit: &Fit, tuning: &Tuning) -> Option<(Fit, String)> {
    const FEW_LAYERS: u32 = 4;
    let mut next = fit.clone();
    let free_layers = fit.gpu_layers > 0 && tuning.gpu_layers == Auto::Auto;
    let context_to = match tuning.context {
        Auto::Set(_) => fit.context,
        Auto::Auto => (fit.context / 2)
            .next_multiple_of(STEP)
            .max(LEAST_CONTEXT)
            .min(fit.context),
    };
    if free_layers && fit.gpu_layers > FEW_LAYERS {
        next.gpu_layers = fit.gpu_layers - fit.gpu_layers.div_ceil(4);
        let words = format!(
            "{} of {} layers on the GPU",
            next.gpu_layers,
            fit.layers + 1
        );
        return Some((next, words));
    }
    if context_to < fit.context && (!free_layers || context_to >= GOOD_CONTEXT / 2) {
        next.context = context_to;
        return Some((next, format!("a context of {context_to} tokens")));
    }
    if free_layers {
        next.gpu_layers = 0;
        return Some((next, "the processor alone".into()));
    }
    None
}

/// The cache's types to try, the best first.
fn cache_types(tuning: &Tuning) -> Vec<(String, String)> {
    let or = |pinned: &Option<String>, name: &str| pinned.clone().unwrap_or_else(|| name.into());
    let pair = |name: &str| {
        (
            or(&tuning.cache_type_k, name),
            or(&tuning.cache_type_v, name),
        )
    };
    // Quantised values need flash attention.
    let mut pairs = match tuning.flash_attention {
        Some(false) => vec![pair("f16")],
        None | Some(true) => vec![pair("f16"), pair("q8_0")],
    };
    pairs.dedup();
    pairs
}

/// Bytes that the plan may use.
struct Room {
    memory: u64,
    gpu: u64,
    /// What can at most be given to one buffer on a GPU: the share of the
    /// whole that the smallest fair part leaves.
    gpus: u64,
}

impl Room {
    fn of(machine: &Machine, tuning: &Tuning) -> Self {
        let memory = match tuning.memory_limit {
            Some(megabytes) => u64::from(megabytes) * 1_000_000,
            None => machine.memory.saturating_sub(MEMORY_MARGIN),
        };
        let used = |name: &String| match &tuning.devices {
            None => true,
            Some(names) => names.contains(name),
        };
        let free: Vec<u64> = machine
            .gpus
            .iter()
            .filter(|g| used(&g.name))
            .map(|g| g.free.saturating_sub(GPU_MARGIN.max(g.free / 20)))
            .collect();
        Self {
            memory,
            gpu: free.iter().sum(),
            gpus: free.len() as u64,
        }
    }
}

/// One choice of cache types, to be tried with layers and contexts.
struct Trial<'c> {
    card: &'c Card,
    room: &'c Room,
    tuning: &'c Tuning,
    types: (String, String),
}

impl<'c> Trial<'c> {
    fn new(card: &'c Card, room: &'c Room, tuning: &'c Tuning, types: (String, String)) -> Self {
        Self {
            card,
            room,
            tuning,
            types,
        }
    }

    fn load(&self, gpu_layers: u32, context: u32) -> Load {
        let flash = self.tuning.flash_attention != Some(false);
        let usual = if flash { BATCH } else { BATCH_WITHOUT_FLASH };
        let batch = match self.tuning.batch {
            Auto::Set(n) => n,
            Auto::Auto => usual,
        };
        let ubatch = match self.tuning.ubatch {
            Auto::Set(n) => n,
            Auto::Auto => usual,
        };
        Load {
            context,
            ubatch: ubatch.min(batch).min(context.max(1)),
            key_bits: memory::bits(&self.types.0),
            value_bits: memory::bits(&self.types.1),
            flash_attention: flash,
            gpu_layers,
            cpu_moe: self.tuning.cpu_moe,
        }
    }

    /// Bytes of memory and of all GPUs together.
    fn needs(&self, layers: u32, context: u32) -> (u64, u64) {
        let load = self.load(layers, context);
        let shape = &self.card.shape;
        let weights = memory::weights(self.card, &load);
        let cache = memory::cache(shape, &load);
        let compute = memory::compute(shape, &load);
        let all = shape.layers + 1;
        // Each device that computes has buffers of its own.
        let gpu = if layers > 0 {
            compute * self.room.gpus
        } else {
            0
        };
        let processor = if layers < all { compute } else { compute / 8 };
        (
            weights.processor + cache.processor + processor,
            weights.gpu + cache.gpu + gpu,
        )
    }

    fn fits(&self, layers: u32, context: u32) -> bool {
        let (memory, gpu) = self.needs(layers, context);
        memory <= self.room.memory && gpu <= self.room.gpu
    }

    /// Layers and context: all layers on the GPU as long as `good` tokens fit
    /// there, else as many as fit with the whole context.
    fn layers_for(&self, wanted: u32, good: u32) -> Option<(u32, u32)> {
        let all = self.card.shape.layers + 1;
        let pinned = match self.tuning.gpu_layers {
            Auto::Set(n) => Some(n.min(all)),
            Auto::Auto if self.room.gpu == 0 => Some(0),
            Auto::Auto => None,
        };
        if let Some(layers) = pinned {
            let layers = if self.room.gpu == 0 { 0 } else { layers };
            return self.fits(layers, wanted).then_some((layers, wanted));
        }
        if self.fits(all, good) {
            return Some((all, self.largest(wanted, all).max(good)));
        }
        let most = (0..=all).rev().find(|layers| self.fits(*layers, wanted))?;
        Some((most, wanted))
    }

    /// A smaller context, on the processor or with the pinned layers.
    fn shrunk(&self, wanted: u32, least: u32) -> Option<(u32, u32)> {
        let all = self.card.shape.layers + 1;
        let most = match self.tuning.gpu_layers {
            _ if self.room.gpu == 0 => 0,
            Auto::Set(n) => n.min(all),
            Auto::Auto => all,
        };
        let fewest = match self.tuning.gpu_layers {
            Auto::Set(_) => most,
            Auto::Auto => 0,
        };
        (fewest..=most).rev().find_map(|layers| {
            let context = self.largest(wanted, layers);
            (context >= least && context > 0).then_some((layers, context))
        })
    }

    /// The largest context up to `most` that fits with so many layers; 0 for
    /// none.
    fn largest(&self, most: u32, layers: u32) -> u32 {
        if self.fits(layers, most) {
            return most;
        }
        let (mut low, mut high) = (0, most.div_ceil(STEP));
        while high - low > 1 {
            let middle = low.midpoint(high);
            match self.fits(layers, middle * STEP) {
                true => low = middle,
                false => high = middle,
            }
        }
        low * STEP
    }

    fn fit(&self, machine: &Machine, layers: u32, context: u32, largest: u32) -> Fit {
        let load = self.load(layers, context);
        let shape = &self.card.shape;
        let all = shape.layers + 1;
        Fit {
            verdict: match layers {
                0 => Verdict::Memory,
                n if n == all => Verdict::Gpu,
                _ => Verdict::Partly,
            },
            weights: memory::weights(self.card, &load).total(),
            cache: memory::cache(shape, &load).total(),
            compute: memory::compute(shape, &load),
            context,
            largest_context: largest,
            gpu_layers: layers,
            layers: shape.layers,
            cache_types: self.types.clone(),
            speed: speed(self.card, machine, layers),
        }
    }
}

/// Tokens a second, when writing is bound by how fast weights are gone
/// through. Each device takes its share of the time.
fn speed(card: &Card, machine: &Machine, gpu_layers: u32) -> Option<f32> {
    let bytes = memory::read_per_token(card) as f64;
    let share = f64::from(gpu_layers) / f64::from(card.shape.layers + 1);
    let mut seconds = 0.0;
    for (part, speed) in [
        (share, machine.gpu_speed),
        (1.0 - share, machine.memory_speed),
    ] {
        if part > 0.0 {
            if speed == 0 {
                return None;
            }
            seconds += bytes * part / speed as f64;
        }
    }
    (seconds > 0.0).then(|| (1.0 / seconds) as f32)
}
