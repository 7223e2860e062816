//! Which layers see only a window of the last tokens.
//!
//! Files state the window; which layers have it is mostly known by the
//! architecture. Source: `load_swa_pattern` in `src/models/` of llama.cpp.

use super::header::Header;
use super::layers::{Layers, cut};
use super::value::Value;

/// Layers in groups of `group`: one of each group sees all, the others the
/// window. A group of 0: every layer has the window.
struct Pattern {
    architecture: &'static str,
    group: usize,
    /// Whether the one that sees all is the group's first; else its last.
    full_first: bool,
    /// Tokens, when the file does not say.
    tokens: u64,
}

const fn groups(architecture: &'static str, group: usize) -> Pattern {
    Pattern {
        architecture,
        group,
        full_first: false,
        tokens: 0,
    }
}

const fn full_first(architecture: &'static str, group: usize) -> Pattern {
    Pattern {
        full_first: true,
        ..groups(architecture, group)
    }
}

const PATTERNS: &[Pattern] = &[
    groups("afmoe", 4),
    groups("cohere2", 4),
    full_first("cohere2moe", 4),
    groups("deepseek4", 0),
    groups("exaone-moe", 4),
    Pattern {
        tokens: 4096,
        ..groups("exaone4", 4)
    },
    groups("gemma-embedding", 6),
    Pattern {
        tokens: 4096,
        ..groups("gemma2", 2)
    },
    groups("gemma3", 6),
    groups("gemma3n", 5),
    groups("gpt-oss", 2),
    full_first("laguna", 4),
    groups("lfm2", 0),
    Pattern {
        tokens: 8192,
        ..groups("llama4", 4)
    },
    groups("mellum", 4),
    full_first("modern-bert", 3),
    groups("muse-glimmer", 4),
    groups("olmo2", 4),
    groups("plamo3", 8),
    full_first("smallthinker", 4),
];

/// Architectures whose files list the layers.
const LISTED: &[&str] = &[
    "dflash",
    "dots3note",
    "gemma4",
    "gemma4-assistant",
    "granite_swa",
    "maple",
    "mimo2",
    "spark2_5",
    "step35",
];

/// The window and the layers that have it.
#[derive(Default)]
pub struct Window {
    /// Tokens; 0 when every layer sees all.
    pub tokens: u32,
    /// For each layer; empty when none has it.
    pub layers: Vec<bool>,
}

/// The window of a model.
pub fn window(header: &Header, layers: &Layers) -> Window {
    let architecture = header.architecture();
    let pattern = PATTERNS.iter().find(|p| p.architecture == architecture);
    if pattern.is_none() && !LISTED.contains(&architecture) {
        return Window::default();
    }
    let tokens = tokens(header, layers, pattern.map_or(0, |p| p.tokens));
    let windowed = windowed(header, layers, pattern);
    match tokens > 0 && windowed.contains(&true) {
        true => Window {
            tokens: cut(tokens),
            layers: windowed,
        },
        false => Window::default(),
    }
}

fn tokens(header: &Header, layers: &Layers, usual: u64) -> u64 {
    let stated = header.own("attention.sliding_window");
    let stated = stated.and_then(Value::number);
    match (header.architecture(), stated) {
        // For these, what the file states only turns the window on or off.
        ("llama4", Some(n)) if n > 0 => usual,
        ("smallthinker", Some(n)) if n > 0 => 4096,
        // Of Exaone 4, only the large one has it.
        ("exaone4", _) if layers.count != 64 => 0,
        (_, stated) => stated.unwrap_or(usual),
    }
}

fn windowed(header: &Header, layers: &Layers, pattern: Option<&Pattern>) -> Vec<bool> {
    let stated = header.own("attention.sliding_window_pattern");
    if let Some(value @ Value::Array(_)) = stated {
        let mut listed = value.numbers().unwrap_or_default();
        listed.resize(layers.count, 0);
        return listed.iter().map(|n| *n != 0).collect();
    }
    let Some(pattern) = pattern else {
        return Vec::new();
    };
    let stated = stated.and_then(Value::number).map(|n| cut(n) as usize);
    let group = stated.unwrap_or(pattern.group);
    let has = |i: usize| match (group, pattern.full_first) {
        (0, _) => !layers.recurrent[i],
        (_, true) => !i.is_multiple_of(group),
        (_, false) => i % group < group - 1,
    };
    (0..layers.count)
        .map(|i| i < layers.trunk && has(i))
        .collect()
}
