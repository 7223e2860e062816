//! How a model is loaded and run: every value that a person can pin by hand,
//! with one entry each for the config file and the command line.

use super::engine::Auto;
use serde::{Deserialize, Serialize};

/// Number types of the KV cache, by llama.cpp's names, and bits for a number.
/// Quantised ones store blocks of 32 with their scales.
pub const CACHE_TYPES: &[(&str, f64)] = &[
    ("f16", 16.0),
    ("f32", 32.0),
    ("bf16", 16.0),
    ("q8_0", 8.5),
    ("q5_1", 6.0),
    ("q5_0", 5.5),
    ("q4_1", 5.0),
    ("q4_0", 4.5),
    ("iq4_nl", 4.5),
];

/// How a model is shared between several GPUs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SplitMode {
    /// One GPU alone.
    None,
    #[default]
    Layer,
    Row,
}

/// A value of the file's header that is read as another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Override {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
}

/// Stretching of positions; None is what the model says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    /// `none`, `linear` or `yarn`.
    pub scaling: Option<String>,
    pub base: Option<f32>,
    pub scale: Option<f32>,
    pub yarn_context: Option<u32>,
    pub yarn_extrapolation: Option<f32>,
    pub yarn_attention: Option<f32>,
    pub yarn_fast: Option<f32>,
    pub yarn_slow: Option<f32>,
}

/// Everything that can be pinned; the default leaves all to the program.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Tokens that the context holds.
    pub context: Auto,
    pub threads: Auto,
    /// Threads for reading prompts; as `threads` when not set.
    pub threads_batch: Auto,
    /// Tokens given to llama.cpp at once, and computed at once.
    pub batch: Auto,
    pub ubatch: Auto,
    /// Layers to put on the GPU.
    pub gpu_layers: Auto,
    /// None lets llama.cpp choose.
    pub flash_attention: Option<bool>,
    /// An entry of [`CACHE_TYPES`]; None is f16, or a smaller one where
    /// nothing else fits.
    pub cache_type_k: Option<String>,
    pub cache_type_v: Option<String>,
    /// Hold the weights in memory, never on the swap disk.
    pub mlock: bool,
    /// Read the weights into memory rather than map the file.
    pub no_mmap: bool,
    /// Names of the devices to use; None is all, an empty list the processor
    /// alone.
    pub devices: Option<Vec<String>>,
    pub split_mode: SplitMode,
    /// Shares of the devices, in their order.
    pub tensor_split: Vec<f32>,
    /// Leave experts on the processor.
    pub cpu_moe: bool,
    pub rope: Rope,
    pub overrides: Vec<(String, Override)>,
    /// Megabytes that the model may take of the computer's memory.
    pub memory_limit: Option<u32>,
    /// Seconds without a message after which the model lets go of its memory;
    /// None never.
    pub unload_after: Option<u32>,
}

/// One value: its names, and how it is written.
#[derive(Debug)]
pub struct Knob {
    /// In the config file.
    pub name: &'static str,
    /// On the command line.
    pub flag: &'static str,
    /// What the value is called; None for a flag that stands alone.
    pub value: Option<&'static str>,
    /// One line for people.
    pub doc: &'static str,
    put: fn(&mut Tuning, &str) -> Result<(), String>,
}

/// Every value, in the order in which it is shown.
pub const KNOBS: &[Knob] = &[
    knob(
        "context",
        "ctx",
        Some("N"),
        "tokens that the context holds, or auto",
        |t, v| {
            t.context = auto(v, 1)?;
            Ok(())
        },
    ),
    knob(
        "gpu-layers",
        "gpu-layers",
        Some("N"),
        "layers on the GPU, or auto; 0 is the processor alone",
        |t, v| {
            t.gpu_layers = auto(v, 0)?;
            Ok(())
        },
    ),
    knob(
        "threads",
        "threads",
        Some("N"),
        "threads that compute, or auto",
        |t, v| {
            t.threads = auto(v, 1)?;
            Ok(())
        },
    ),
    knob(
        "threads-batch",
        "threads-batch",
        Some("N"),
        "threads that read prompts, or auto: as many as compute",
        |t, v| {
            t.threads_batch = auto(v, 1)?;
            Ok(())
        },
    ),
    knob(
        "batch",
        "batch",
        Some("N"),
        "tokens given to the model at once, or auto",
        |t, v| {
            t.batch = auto(v, 1)?;
            Ok(())
        },
    ),
    knob(
        "ubatch",
        "ubatch",
        Some("N"),
        "tokens computed at once, or auto; more is faster and takes more memory",
        |t, v| {
            t.ubatch = auto(v, 1)?;
            Ok(())
        },
    ),
    knob(
        "flash-attention",
        "flash-attn",
        Some("on|off|auto"),
        "how attention is computed",
        |t, v| {
            t.flash_attention = match v {
                "auto" => None,
                _ => Some(switch(v)?),
            };
            Ok(())
        },
    ),
    knob(
        "cache-type-k",
        "cache-type-k",
        Some("TYPE"),
        "number type of the keys in the cache: f16, q8_0, q4_0 and others, or auto",
        |t, v| {
            t.cache_type_k = cache_type(v)?;
            Ok(())
        },
    ),
    knob(
        "cache-type-v",
        "cache-type-v",
        Some("TYPE"),
        "number type of the values in the cache; the quantised ones need flash attention",
        |t, v| {
            t.cache_type_v = cache_type(v)?;
            Ok(())
        },
    ),
    knob(
        "mlock",
        "mlock",
        None,
        "keep the weights in memory, never on the swap disk",
        |t, v| {
            t.mlock = switch(v)?;
            Ok(())
        },
    ),
    knob(
        "no-mmap",
        "no-mmap",
        None,
        "read the weights into memory rather than map the file",
        |t, v| {
            t.no_mmap = switch(v)?;
            Ok(())
        },
    ),
    knob(
        "device",
        "device",
        Some("NAMES"),
        "devices to use, with commas (parlor doctor lists them), auto, or none for the processor alone",
        |t, v| {
            t.devices = match v {
                "auto" => None,
                "none" => Some(Vec::new()),
                _ => Some(list(v).map(String::from).collect()),
            };
            Ok(())
        },
    ),
    knob(
        "split-mode",
        "split-mode",
        Some("none|layer|row"),
        "how several GPUs share the model",
        |t, v| {
            t.split_mode = match v {
                "none" => SplitMode::None,
                "layer" => SplitMode::Layer,
                "row" => SplitMode::Row,
                _ => return Err("none, layer or row".into()),
            };
            Ok(())
        },
    ),
    knob(
        "tensor-split",
        "tensor-split",
        Some("N,N"),
        "the GPUs' shares of the model, such as 3,1",
        |t, v| {
            t.tensor_split = list(v)
                .map(|n| match n.parse::<f32>() {
                    Ok(n) if n.is_finite() && n >= 0.0 => Ok(n),
                    _ => Err("numbers of 0 or more with commas, such as 3,1".to_string()),
                })
                .collect::<Result<_, _>>()?;
            Ok(())
        },
    ),
    knob(
        "cpu-moe",
        "cpu-moe",
        None,
        "leave the experts of a mixture-of-experts model on the processor",
        |t, v| {
            t.cpu_moe = switch(v)?;
            Ok(())
        },
    ),
    knob(
        "rope-scaling",
        "rope-scaling",
        Some("none|linear|yarn"),
        "how positions beyond the trained context are stretched",
        |t, v| {
            t.rope.scaling = match v {
                "auto" => None,
                "none" | "linear" | "yarn" => Some(v.into()),
                _ => return Err("none, linear, yarn or auto".into()),
            };
            Ok(())
        },
    ),
    knob(
        "rope-freq-base",
        "rope-freq-base",
        Some("F"),
        "the base of the position frequencies",
        |t, v| {
            t.rope.base = real(v)?;
            Ok(())
        },
    ),
    knob(
        "rope-freq-scale",
        "rope-freq-scale",
        Some("F"),
        "the factor of the position frequencies; 0.5 doubles the context",
        |t, v| {
            t.rope.scale = real(v)?;
            Ok(())
        },
    ),
    knob(
        "yarn-orig-ctx",
        "yarn-orig-ctx",
        Some("N"),
        "YaRN: the context that the model was trained for",
        |t, v| {
            t.rope.yarn_context = match auto(v, 1)? {
                Auto::Auto => None,
                Auto::Set(n) => Some(n),
            };
            Ok(())
        },
    ),
    knob(
        "yarn-ext-factor",
        "yarn-ext-factor",
        Some("F"),
        "YaRN: the share of extrapolation",
        |t, v| {
            t.rope.yarn_extrapolation = real(v)?;
            Ok(())
        },
    ),
    knob(
        "yarn-attn-factor",
        "yarn-attn-factor",
        Some("F"),
        "YaRN: the factor of the attention's magnitude",
        |t, v| {
            t.rope.yarn_attention = real(v)?;
            Ok(())
        },
    ),
    knob(
        "yarn-beta-fast",
        "yarn-beta-fast",
        Some("F"),
        "YaRN: the low correction",
        |t, v| {
            t.rope.yarn_fast = real(v)?;
            Ok(())
        },
    ),
    knob(
        "yarn-beta-slow",
        "yarn-beta-slow",
        Some("F"),
        "YaRN: the high correction",
        |t, v| {
            t.rope.yarn_slow = real(v)?;
            Ok(())
        },
    ),
    knob(
        "override-kv",
        "override-kv",
        Some("KEY=TYPE:VALUE"),
        "read a value of the model's header as another; several with commas",
        |t, v| {
            t.overrides = list(v).map(one_override).collect::<Result<_, _>>()?;
            Ok(())
        },
    ),
    knob(
        "memory-limit",
        "memory-limit",
        Some("MB"),
        "megabytes of memory that a model may take, or auto: what is free",
        |t, v| {
            t.memory_limit = match auto(v, 1)? {
                Auto::Auto => None,
                Auto::Set(n) => Some(n),
            };
            Ok(())
        },
    ),
    knob(
        "unload-after",
        "unload-after",
        Some("MINUTES"),
        "minutes without a message after which the model frees its memory (30s: seconds), or never",
        |t, v| {
            t.unload_after = match v {
                "never" | "auto" => None,
                _ => Some(seconds(v).ok_or("minutes such as 10, seconds such as 30s, or “never”")?),
            };
            Ok(())
        },
    ),
];

const fn knob(
    name: &'static str,
    flag: &'static str,
    value: Option<&'static str>,
    doc: &'static str,
    put: fn(&mut Tuning, &str) -> Result<(), String>,
) -> Knob {
    Knob {
        name,
        flag,
        value,
        doc,
        put,
    }
}

impl Knob {
    /// By its name in the config file.
    pub fn find(name: &str) -> Option<&'static Knob> {
        KNOBS.iter().find(|k| k.name == name)
    }

    /// Sets the value as it is written. The error names the value and says
    /// what it must be.
    pub fn set(&self, tuning: &mut Tuning, written: &str) -> Result<(), String> {
        let written = written.trim();
        (self.put)(tuning, written)
            .map_err(|must| format!("{} must be {must}, not “{written}”", self.name))
    }
}

/// Values as written, by the names of their knobs: one layer over another.
pub type Written = Vec<(&'static str, String)>;

impl Tuning {
    /// Lays what is written over this. The error is of the first wrong value.
    pub fn lay(&mut self, written: &[(&'static str, String)]) -> Result<(), String> {
        for (name, value) in written {
            if let Some(knob) = Knob::find(name) {
                knob.set(self, value)?;
            }
        }
        Ok(())
    }
}

fn list(written: &str) -> impl Iterator<Item = &str> {
    written.split(',').map(str::trim).filter(|s| !s.is_empty())
}

fn auto(written: &str, least: u32) -> Result<Auto, String> {
    match written.parse() {
        _ if written == "auto" => Ok(Auto::Auto),
        Ok(n) if n >= least => Ok(Auto::Set(n)),
        _ => Err(format!("a whole number from {least}, or “auto”")),
    }
}

/// From minutes, or seconds with an s.
fn seconds(written: &str) -> Option<u32> {
    let (number, factor) = match written.strip_suffix('s') {
        Some(number) => (number, 1),
        None => (written, 60),
    };
    let number: u32 = number.trim().parse().ok()?;
    number.checked_mul(factor).filter(|n| *n > 0)
}

fn switch(written: &str) -> Result<bool, String> {
    match written {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err("true or false (on or off)".into()),
    }
}

fn real(written: &str) -> Result<Option<f32>, String> {
    match written.parse::<f32>() {
        _ if written == "auto" => Ok(None),
        Ok(n) if n.is_finite() => Ok(Some(n)),
        _ => Err("a number, or “auto”".into()),
    }
}

fn cache_type(written: &str) -> Result<Option<String>, String> {
    let lower = written.to_lowercase();
    match CACHE_TYPES.iter().any(|(name, _)| *name == lower) {
        true => Ok(Some(lower)),
        false if lower == "auto" => Ok(None),
        false => {
            let names: Vec<&str> = CACHE_TYPES.iter().map(|(name, _)| *name).collect();
            Err(format!("auto or one of {}", names.join(", ")))
        }
    }
}

/// As llama.cpp writes them: `KEY=int:N`, `float:F`, `bool:true`, `str:TEXT`.
fn one_override(written: &str) -> Result<(String, Override), String> {
    let wrong = || "KEY=TYPE:VALUE with a type of int, float, bool or str".to_string();
    let (key, rest) = written.split_once('=').ok_or_else(wrong)?;
    let (kind, value) = rest.split_once(':').ok_or_else(wrong)?;
    // llama.cpp's fields are of 128 bytes, the last for the end.
    if key.is_empty() || key.len() > 127 || value.len() > 127 {
        return Err("KEY=TYPE:VALUE with at most 127 bytes each".into());
    }
    let value = match kind {
        "int" => Override::Int(value.parse().map_err(|_| wrong())?),
        "float" => Override::Float(value.parse().map_err(|_| wrong())?),
        "bool" => Override::Bool(value.parse().map_err(|_| wrong())?),
        "str" => Override::Text(value.into()),
        _ => return Err(wrong()),
    };
    Ok((key.into(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_layer_lies_over_an_earlier_one() {
        let mut tuning = Tuning::default();
        let file: Written = vec![("context", "4096".into()), ("threads", "2".into())];
        let line: Written = vec![("context", "auto".into()), ("mlock", "true".into())];
        tuning.lay(&file).unwrap();
        tuning.lay(&line).unwrap();
        assert_eq!(
            (tuning.context, tuning.threads, tuning.mlock),
            (Auto::Auto, Auto::Set(2), true)
        );
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_it_must_be() {
        let mut tuning = Tuning::default();
        let said = |name: &str, value: &str, tuning: &mut Tuning| {
            Knob::find(name).unwrap().set(tuning, value).unwrap_err()
        };
        assert_eq!(
            said("context", "0", &mut tuning),
            "context must be a whole number from 1, or “auto”, not “0”"
        );
        assert!(said("cache-type-k", "q9", &mut tuning).contains("q8_0"));
        assert!(said("override-kv", "a=b", &mut tuning).contains("KEY=TYPE:VALUE"));
        assert!(said("tensor-split", "1,x", &mut tuning).contains("3,1"));
        assert_eq!(tuning, Tuning::default());
    }
}
