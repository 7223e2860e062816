//! One way of loading a model, tried against the memory that there is.

use super::memory::{self, Load};
use super::{STEP, batches};
use crate::protocol::engine::Auto;
use crate::protocol::library::{Card, Fit, Gpu, Machine, Verdict};
use crate::protocol::tuning::{SplitMode, Tuning};

/// Left free on each GPU, for the driver and the screen: this much, or a share.
const GPU_MARGIN: u64 = 256 << 20;
/// Left free in memory, for everything else on the machine.
const MEMORY_MARGIN: u64 = 256 << 20;

/// Bytes that a model may take.
pub struct Room {
    pub memory: u64,
    /// Of all GPUs together.
    pub gpu: u64,
    /// How many GPUs there are.
    gpus: u64,
    /// The GPUs' memory is the computer's own.
    shared: bool,
}

impl Room {
    pub fn of(machine: &Machine, tuning: &Tuning) -> Self {
        let memory = match tuning.memory_limit {
            Some(megabytes) => u64::from(megabytes) * 1_000_000,
            None => machine.memory.saturating_sub(MEMORY_MARGIN),
        };
        let used = |gpu: &&Gpu| match &tuning.devices {
            None => true,
            Some(names) => names.contains(&gpu.name),
        };
        let most = match tuning.split_mode {
            SplitMode::None => 1,
            SplitMode::Layer | SplitMode::Row => usize::MAX,
        };
        let gpus: Vec<&Gpu> = machine.gpus.iter().filter(used).take(most).collect();
        let free = |g: &&Gpu| g.free.saturating_sub(GPU_MARGIN.max(g.free / 20));
        Self {
            memory,
            gpu: gpus.iter().map(free).sum(),
            gpus: gpus.len() as u64,
            shared: gpus.iter().any(|g| g.shared),
        }
    }

    fn holds(&self, memory: u64, gpu: u64, whatever_gpu: bool) -> bool {
        let together = match self.shared {
            true => memory + gpu <= self.memory.max(self.gpu),
            false => true,
        };
        memory <= self.memory && (whatever_gpu || gpu <= self.gpu) && together
    }
}

/// One choice of cache types, to be tried with layers and contexts.
pub struct Trial<'c> {
    pub card: &'c Card,
    pub room: &'c Room,
    pub tuning: &'c Tuning,
    pub types: (String, String),
}

impl Trial<'_> {
    fn load(&self, gpu_layers: u32, context: u32) -> Load {
        let (batch, ubatch) = batches(self.tuning);
        Load {
            context,
            ubatch: ubatch.min(batch).min(context.max(1)),
            key_bits: memory::bits(&self.types.0),
            value_bits: memory::bits(&self.types.1),
            flash_attention: self.tuning.flash_attention != Some(false),
            gpu_layers,
            cpu_moe: self.tuning.cpu_moe,
        }
    }

    /// Bytes of memory and of all GPUs together.
    pub fn needs(&self, layers: u32, context: u32) -> (u64, u64) {
        let load = self.load(layers, context);
        let shape = &self.card.shape;
        let weights = memory::weights(self.card, &load);
        let cache = memory::cache(shape, &load);
        let compute = memory::compute(shape, &load);
        let all = shape.layers + 1;
        // Each device that computes has buffers of its own; beside GPUs that
        // have all layers, the processor needs little.
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

    /// Layers that were pinned are tried whatever the estimate says of the GPU.
    pub fn fits(&self, layers: u32, context: u32) -> bool {
        let (memory, gpu) = self.needs(layers, context);
        let pinned = self.tuning.gpu_layers != Auto::Auto;
        self.room.holds(memory, gpu, pinned)
    }

    /// The fewest and the most layers that the GPUs may have.
    fn range(&self) -> (u32, u32) {
        let all = self.card.shape.layers + 1;
        match self.tuning.gpu_layers {
            _ if self.room.gpu == 0 => (0, 0),
            Auto::Set(n) => (n.min(all), n.min(all)),
            Auto::Auto => (0, all),
        }
    }

    /// Layers and context: all layers on the GPU as long as `good` tokens fit
    /// there, else as many as fit with the whole context.
    pub fn whole(&self, wanted: u32, good: u32) -> Option<(u32, u32)> {
        let (fewest, most) = self.range();
        let all = self.card.shape.layers + 1;
        if most == all && self.fits(all, good) {
            return Some((all, self.largest(wanted, all).max(good)));
        }
        let layers = (fewest..=most).rev().find(|n| self.fits(*n, wanted))?;
        Some((layers, wanted))
    }

    /// A smaller context of at least `least` tokens, with as many layers on
    /// the GPU as leave room for it.
    pub fn shrunk(&self, wanted: u32, least: u32) -> Option<(u32, u32)> {
        let (fewest, most) = self.range();
        (fewest..=most).rev().find_map(|layers| {
            let context = self.largest(wanted, layers);
            (context >= least && context > 0).then_some((layers, context))
        })
    }

    /// The largest context up to `most` that fits with so many layers; 0 for
    /// none.
    pub fn largest(&self, most: u32, layers: u32) -> u32 {
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

    pub fn fit(&self, machine: &Machine, layers: u32, context: u32, largest: u32) -> Fit {
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
