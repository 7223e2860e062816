//! What the metadata says of each layer: heads, widths, and which layers are
//! recurrent.
//!
//! Source: `llama-hparams.cpp` and `src/models/` of llama.cpp.

use super::header::Header;
use super::value::Value;

/// llama.cpp reads 512 at most (`LLAMA_MAX_LAYERS`).
const MOST_LAYERS: u64 = 1024;
/// No measure of a model comes near this; what a damaged file says is cut, so
/// that products of measures stay numbers.
const LARGEST: u64 = 1 << 24;

/// Every layer keeps a recurrent state; of falcon-h1, beside its attention.
const ALL_RECURRENT: &[&str] = &[
    "mamba",
    "mamba2",
    "rwkv6",
    "rwkv6qwen2",
    "rwkv7",
    "arwkv7",
    "falcon-h1",
];
/// Layers without key heads are recurrent.
const RECURRENT_BY_HEADS: &[&str] = &[
    "jamba",
    "plamo2",
    "granitehybrid",
    "lfm2",
    "lfm2moe",
    "kimi-linear",
    "kimi-k3",
    "bailingmoe3",
    "glm5-next",
];
/// All but every nth layer, unless the file lists them: name and n.
const RECURRENT_BY_INTERVAL: &[(&str, u64)] = &[
    ("qwen3next", 4),
    ("qwen35", 4),
    ("qwen35moe", 4),
    ("qwen4exp", 4),
    ("minimax-01", 8),
];

/// A measure of the model; 0 when it is not told.
pub fn measure(header: &Header, key: &str) -> u32 {
    header.own(key).and_then(Value::number).map_or(0, cut)
}

/// A number of the file as a measure.
pub fn cut(n: u64) -> u32 {
    u32::try_from(n.min(LARGEST)).unwrap_or_default()
}

/// The layers of a model.
pub struct Layers {
    pub count: usize,
    /// Of those, the ones that write text; others predict further tokens.
    pub trunk: usize,
    pub heads: Vec<u32>,
    pub kv_heads: Vec<u32>,
    pub feed_forward: Vec<u32>,
    pub recurrent: Vec<bool>,
}

impl Layers {
    pub fn of(header: &Header) -> Self {
        let stated = header.own("block_count").and_then(Value::number);
        let count = stated.unwrap_or(0).min(MOST_LAYERS) as usize;
        let ahead = measure(header, "nextn_predict_layers") as usize;
        let heads = per_layer(header, "attention.head_count", count);
        let heads = heads.unwrap_or_else(|| vec![0; count]);
        let kv_heads = per_layer(header, "attention.head_count_kv", count);
        let mut layers = Self {
            count,
            trunk: if ahead < count { count - ahead } else { count },
            kv_heads: kv_heads.unwrap_or_else(|| heads.clone()),
            heads,
            feed_forward: per_layer(header, "feed_forward_length", count)
                .unwrap_or_else(|| vec![0; count]),
            recurrent: Vec::new(),
        };
        layers.recurrent = layers.find_recurrent(header);
        layers
    }

    /// Heads of the first layer, from which llama.cpp takes the head's width.
    pub fn first_heads(&self) -> u32 {
        self.heads.first().copied().unwrap_or(0)
    }

    fn find_recurrent(&self, header: &Header) -> Vec<bool> {
        let name = header.architecture();
        let kv = |i: usize| self.kv_heads[i];
        let all = 0..self.count;
        if ALL_RECURRENT.contains(&name) {
            return vec![true; self.count];
        }
        if RECURRENT_BY_HEADS.contains(&name) {
            return all.map(|i| i < self.trunk && kv(i) == 0).collect();
        }
        if name.starts_with("nemotron_h") {
            let none = |i| kv(i) == 0 && self.feed_forward[i] == 0;
            return all.map(|i| i < self.trunk && none(i)).collect();
        }
        let known = RECURRENT_BY_INTERVAL.iter().find(|(n, _)| *n == name);
        let Some((_, usual)) = known else {
            return vec![false; self.count];
        };
        if let Some(listed) = per_layer(header, "attention.recurrent_layers", self.count) {
            return listed.iter().map(|n| *n != 0).collect();
        }
        let stated = measure(header, "full_attention_interval") as usize;
        let interval = if stated == 0 { *usual as usize } else { stated };
        all.map(|i| i < self.trunk && (i + 1) % interval != 0)
            .collect()
    }

    /// Bytes of the recurrent state of all layers, of one sequence.
    pub fn state_bytes(&self, header: &Header) -> u64 {
        let layers = self.recurrent.iter().filter(|r| **r).count() as u64;
        let numbers = self.state_numbers(header);
        layers.saturating_mul(numbers).saturating_mul(4)
    }

    /// Numbers of one layer's state: `n_embd_r` and `n_embd_s` of llama.cpp.
    fn state_numbers(&self, header: &Header) -> u64 {
        let get = |key| u64::from(measure(header, key));
        let embedding = get("embedding_length");
        let heads = u64::from(self.first_heads());
        let (wkv, short) = (get("wkv.head_size"), get("shortconv.l_cache"));
        let (kda, conv) = (get("kda.head_dim"), get("ssm.conv_kernel"));
        if wkv != 0 {
            let shifts = header.own("token_shift_count").and_then(Value::number);
            let shifts = u64::from(shifts.map_or(2, cut));
            return embedding * (shifts + wkv);
        }
        if short != 0 {
            return embedding * (short - 1);
        }
        if kda != 0 {
            let steps = if conv > 0 { conv - 1 } else { 3 };
            let convolved = (3 * steps).saturating_mul(heads * kda);
            return convolved.saturating_add((kda * kda).saturating_mul(heads));
        }
        let (inner, state) = (get("ssm.inner_size"), get("ssm.state_size"));
        let groups = get("ssm.group_count");
        let width = (groups * state).saturating_mul(2).saturating_add(inner);
        let convolved = conv.saturating_sub(1).saturating_mul(width);
        let square = match header.architecture() {
            "minimax-01" => {
                let head = get("attention.key_length");
                (head * head).saturating_mul(heads)
            }
            _ => state * inner,
        };
        convolved.saturating_add(square)
    }
}

/// A number for each layer: one for all, or a list. What a list lacks is 0.
pub fn per_layer(header: &Header, key: &str, layers: usize) -> Option<Vec<u32>> {
    let value = header.own(key)?;
    let numbers = value.numbers()?;
    let mut all: Vec<u32> = numbers.into_iter().take(layers).map(cut).collect();
    match value {
        Value::Array(_) => all.resize(layers, 0),
        _ => all = vec![all.first().copied().unwrap_or(0); layers],
    }
    Some(all)
}
