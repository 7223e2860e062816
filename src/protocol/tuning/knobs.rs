//! Every value that can be pinned: how it is written, and where it goes.

use super::{CACHE_TYPES, Knob, Override, SplitMode, Tuning};
use crate::protocol::engine::Auto;

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
            t.rope.base = positive(v)?;
            Ok(())
        },
    ),
    knob(
        "rope-freq-scale",
        "rope-freq-scale",
        Some("F"),
        "the factor of the position frequencies; 0.5 doubles the context",
        |t, v| {
            t.rope.scale = positive(v)?;
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

fn positive(written: &str) -> Result<Option<f32>, String> {
    match real(written) {
        Ok(Some(n)) if n <= 0.0 => Err("a number above 0, or “auto”".into()),
        other => other,
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
