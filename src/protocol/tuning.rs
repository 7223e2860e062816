//! How a model is loaded and run: every value that a person can pin by hand,
//! with one entry each for the config file and the command line.

mod knobs;

pub use knobs::KNOBS;

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
