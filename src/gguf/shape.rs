//! A model's measures, from which its memory is computed.
//!
//! Source: `llama-hparams.cpp` and `llama-kv-cache.cpp` of llama.cpp.

use super::header::Header;
use super::layers::{Layers, cut, measure, per_layer};
use super::tensors::Tensor;
use super::value::Value;
use super::window::{Window, window};
use crate::protocol::library::Shape;

/// Architectures that keep no cache: they see the whole text each time
/// (`llama_model::create_memory`).
const WITHOUT_CACHE: &[&str] = &[
    "bert",
    "jina-bert-v2",
    "jina-bert-v3",
    "nomic-bert",
    "nomic-bert-moe",
    "neo-bert",
    "eurobert",
    "wavtokenizer-dec",
    "modern-bert",
    "gemma-embedding",
    "dream",
    "llada",
    "llada-moe",
    "rnd1",
    "clef",
    "clip",
];
/// Tensors of the input, which stay on the processor.
const INPUTS: &[&str] = &[
    "token_embd.weight",
    "per_layer_token_embd.weight",
    "position_embd.weight",
    "token_types.weight",
];
/// Layers of gemma3n with a cache of their own; the others use it too.
const GEMMA3N_CACHED: usize = 20;

/// The measures of a model.
pub fn shape(header: &Header) -> Shape {
    let layers = Layers::of(header);
    let window = window(header, &layers);
    let (key_widths, value_widths) = widths(header, &layers, &window);
    let (layer_bytes, expert_bytes) = layer_bytes(header, layers.count);
    let largest = |all: &[u32]| all.iter().copied().max().unwrap_or(0);
    let of_experts =
        per_layer(header, "expert_feed_forward_length", layers.count).unwrap_or_default();
    let used = per_layer(header, "expert_used_count", layers.count);
    Shape {
        layers: cut(layers.count as u64),
        embedding: measure(header, "embedding_length"),
        feed_forward: largest(&layers.feed_forward).max(largest(&of_experts)),
        heads: largest(&layers.heads),
        vocabulary: vocabulary(header),
        key_widths,
        value_widths,
        window: window.tokens,
        windowed: window.layers,
        recurrent: layers.state_bytes(header),
        experts: measure(header, "expert_count"),
        experts_used: largest(&used.unwrap_or_default()),
        expert_width: largest(&of_experts),
        layer_bytes,
        expert_bytes,
        output_bytes: output_bytes(header),
        input_bytes: INPUTS.iter().filter_map(|n| bytes_of(header, n)).sum(),
    }
}

/// Words that the model knows.
pub fn vocabulary(header: &Header) -> u32 {
    let tokens = header.count("tokenizer.ggml.tokens");
    let stated = || header.own("vocab_size").and_then(Value::number);
    tokens.or_else(stated).map_or(0, cut)
}

/// Numbers per token in the key cache and in the value cache of each layer.
fn widths(header: &Header, layers: &Layers, window: &Window) -> (Vec<u32>, Vec<u32>) {
    let none = || vec![0; layers.count];
    let heads = layers.first_heads();
    let architecture = header.architecture();
    if heads == 0 || WITHOUT_CACHE.contains(&architecture) {
        return (none(), none());
    }
    let get = |key: &str, usual: u32| {
        let stated = header.own(key).and_then(Value::number);
        stated.map_or(usual, cut)
    };
    let usual = measure(header, "embedding_length") / heads;
    let key = get("attention.key_length", usual);
    let value = get("attention.value_length", usual);
    let windowed_key = get("attention.key_length_swa", key);
    let windowed_value = get("attention.value_length_swa", value);
    // Latent attention keeps keys and values in one, in the key cache.
    let latent = measure(header, "attention.key_length_mla") > 0
        && measure(header, "attention.value_length_mla") > 0;
    let index = index_widths(header, layers);
    let (mut keys, mut values) = (none(), none());
    for i in cached(header, layers) {
        let (key, value) = match window.layers.get(i) {
            Some(true) => (windowed_key, windowed_value),
            _ => (key, value),
        };
        let width = |head: u32| cut(u64::from(layers.kv_heads[i]) * u64::from(head));
        keys[i] = width(key) + index[i];
        values[i] = if latent { 0 } else { width(value) };
    }
    (keys, values)
}

/// The layers that have a cache of their own.
fn cached<'a>(header: &Header, layers: &'a Layers) -> impl Iterator<Item = usize> + use<'a> {
    let count = layers.count;
    let end = match header.architecture() {
        "gemma3n" => GEMMA3N_CACHED,
        "gemma4" => {
            let shared = measure(header, "attention.shared_kv_layers") as usize;
            count.saturating_sub(shared)
        }
        _ => count,
    };
    let both = header.architecture() == "falcon-h1";
    let attends = move |i: &usize| both || !layers.recurrent[*i];
    (0..end.min(layers.trunk)).filter(attends)
}

/// Numbers per token of each layer by which sparse attention finds the keys
/// that matter.
fn index_widths(header: &Header, layers: &Layers) -> Vec<u32> {
    let width = measure(header, "attention.indexer.key_length");
    let listed = per_layer(header, "attention.indexer.types", layers.count);
    let own = listed.unwrap_or_else(|| vec![1; layers.count]);
    let has = |(own, heads): (&u32, &u32)| *own != 0 && *heads != 0;
    let each = own.iter().zip(&layers.kv_heads);
    each.map(|layer| if has(layer) { width } else { 0 })
        .collect()
}

fn bytes_of(header: &Header, name: &str) -> Option<u64> {
    header.tensor(name).map(|t| t.bytes)
}

/// Bytes of the output matrix and its norm.
fn output_bytes(header: &Header) -> u64 {
    let of_output = |t: &&Tensor| {
        let name = t.name.strip_prefix("output");
        name.is_some_and(|rest| rest.starts_with('.') || rest.starts_with("_norm."))
    };
    let own: u64 = header
        .tensors
        .iter()
        .filter(of_output)
        .map(|t| t.bytes)
        .sum();
    let shared = match header.tensor("output.weight") {
        Some(_) => 0,
        None => bytes_of(header, "token_embd.weight").unwrap_or(0),
    };
    own + shared
}

/// Bytes of each layer's tensors, and of its experts among them.
fn layer_bytes(header: &Header, layers: usize) -> (Vec<u64>, Vec<u64>) {
    let (mut all, mut experts) = (vec![0; layers], vec![0; layers]);
    for tensor in &header.tensors {
        let Some((layer, part)) = layer_part(&tensor.name) else {
            continue;
        };
        let Some(bytes) = all.get_mut(layer) else {
            continue;
        };
        *bytes += tensor.bytes;
        if is_of_experts(part) {
            experts[layer] += tensor.bytes;
        }
    }
    (all, experts)
}

/// The layer and the rest of a name like `blk.7.ffn_up.weight`.
fn layer_part(name: &str) -> Option<(usize, &str)> {
    let stack = name.strip_prefix("enc.").or(name.strip_prefix("dec."));
    let (layer, part) = stack
        .unwrap_or(name)
        .strip_prefix("blk.")?
        .split_once('.')?;
    Some((layer.parse().ok()?, part))
}

/// Experts stand in one tensor, `ffn_up_exps.weight`; in files of early 2024
/// each had its own, `ffn_up.3.weight`.
fn is_of_experts(part: &str) -> bool {
    let Some(rest) = part.strip_prefix("ffn_") else {
        return false;
    };
    let (name, tail) = rest.split_once('.').unwrap_or((rest, ""));
    name.ends_with("_exps") || tail.starts_with(|c: char| c.is_ascii_digit())
}
