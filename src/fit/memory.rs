//! Bytes of weights, KV cache and computing buffers.
//!
//! The cache follows llama.cpp's `llama-kv-cache.cpp` to the byte for ordinary
//! models. The computing buffers are an estimate: llama.cpp reuses memory
//! within a graph, and what stands at once in the widest place was found by
//! comparing with what it reports.

use crate::protocol::library::{Card, Shape};
use crate::protocol::tuning::CACHE_TYPES;

/// llama.cpp rounds the cells of a cache up to this many.
const CELLS: u64 = 256;

/// How a model would be loaded, as far as memory goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    pub context: u32,
    /// Tokens computed at once.
    pub ubatch: u32,
    /// Bits of a number in the cache.
    pub key_bits: f64,
    pub value_bits: f64,
    /// Without it, attention takes memory by context times batch.
    pub flash_attention: bool,
    /// Layers on the GPUs, counted from the last; the output is one more, and
    /// goes first.
    pub gpu_layers: u32,
    /// Whether experts stay on the processor.
    pub cpu_moe: bool,
}

/// Bits that a number takes in a cache of this type.
pub fn bits(name: &str) -> f64 {
    let known = CACHE_TYPES.iter().find(|(known, _)| *known == name);
    known.map_or(16.0, |(_, bits)| *bits)
}

/// Bytes on the processor and on the GPUs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    pub processor: u64,
    pub gpu: u64,
}

impl Share {
    pub fn total(self) -> u64 {
        self.processor + self.gpu
    }
}

/// Whether layer `i` is on a GPU: the last layers are.
fn on_gpu(shape: &Shape, load: &Load, i: usize) -> bool {
    // The output is the first to go.
    let layers = load.gpu_layers.saturating_sub(1) as usize;
    i + layers >= shape.layers as usize
}

/// Bytes of the weights. The token embedding stays on the processor.
pub fn weights(card: &Card, load: &Load) -> Share {
    let shape = &card.shape;
    let mut gpu = 0;
    for (i, bytes) in shape.layer_bytes.iter().enumerate() {
        if load.gpu_layers > 0 && on_gpu(shape, load, i) {
            let experts = shape.expert_bytes.get(i).copied().unwrap_or(0);
            gpu += bytes - if load.cpu_moe { experts.min(*bytes) } else { 0 };
        }
    }
    if load.gpu_layers > 0 {
        gpu += shape.output_bytes;
    }
    // An output that shares the embedding's tensor is copied to the GPU.
    let layers: u64 = shape.layer_bytes.iter().sum();
    let shared = card.weights < layers + shape.input_bytes + shape.output_bytes;
    let copied = match load.gpu_layers > 0 && shared {
        true => shape.output_bytes.min(shape.input_bytes),
        false => 0,
    };
    Share {
        processor: (card.weights + copied).saturating_sub(gpu),
        gpu,
    }
}

/// Bytes of the KV cache and of recurrent states.
pub fn cache(shape: &Shape, load: &Load) -> Share {
    let cells = |windowed: bool| {
        let all = u64::from(load.context).next_multiple_of(CELLS);
        let window = u64::from(shape.window) + u64::from(load.ubatch);
        match windowed && shape.window > 0 {
            true => all.min(window.next_multiple_of(CELLS)),
            false => all,
        }
    };
    let mut share = Share::default();
    let recurrent = shape.recurrent / u64::from(shape.layers.max(1));
    for i in 0..shape.layers as usize {
        let width = |widths: &[u32]| f64::from(widths.get(i).copied().unwrap_or(0));
        let token = width(&shape.key_widths) * load.key_bits / 8.0
            + width(&shape.value_widths) * load.value_bits / 8.0;
        let windowed = shape.windowed.get(i).copied().unwrap_or(false);
        let bytes = (token * cells(windowed) as f64) as u64 + recurrent;
        match load.gpu_layers > 0 && on_gpu(shape, load, i) {
            true => share.gpu += bytes,
            false => share.processor += bytes,
        }
    }
    share
}

/// Bytes of the buffers that one computation needs, on each device that takes
/// part: the widest place of the graph, and the mask over the context.
pub fn compute(shape: &Shape, load: &Load) -> u64 {
    let embedding = u64::from(shape.embedding);
    // At the end there are a number for each word and some embeddings; within
    // a layer the gate and the up part of the feed-forward network.
    let dense = u64::from(shape.feed_forward);
    let experts = match shape.expert_width {
        0 if shape.experts > 0 => dense,
        width => u64::from(width),
    };
    let width = dense.max(experts * u64::from(shape.experts_used));
    let end = u64::from(shape.vocabulary) + 5 * embedding;
    let within = 2 * width + 9 * embedding;
    let tokens = u64::from(load.ubatch);
    let context = u64::from(load.context).next_multiple_of(CELLS);
    let numbers = end.max(within) * 4 * tokens;
    let attention = match load.flash_attention {
        true => 2 * tokens * context,
        // Scores for every head, before and after the soft maximum.
        false => (4 + 4 * u64::from(shape.heads.max(1))) * tokens * context,
    };
    numbers + attention
}

/// Bytes of weights that one written token goes through: all but the experts
/// that are not asked, and of the embedding nothing.
pub fn read_per_token(card: &Card) -> u64 {
    let shape = &card.shape;
    let layers: u64 = shape.layer_bytes.iter().sum();
    let experts: u64 = shape.expert_bytes.iter().sum();
    let asked = match shape.experts {
        0 => experts,
        all => experts * u64::from(shape.experts_used.min(all)) / u64::from(all),
    };
    (layers - experts.min(layers)) + asked + shape.output_bytes
}
