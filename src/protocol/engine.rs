//! Commands to the engine and events from it.
//!
//! The same types go over the channel between the loop and the host, and over
//! the pipe between the host and the child process. A frame on the pipe is a
//! big-endian u32 length and that many bytes of postcard.

use crate::chat::{FinishReason, Message, Part, Sampling, Timings, Usage};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Numbers requests; events of a stale request are ignored by their id.
pub type RequestId = u64;

/// The longest frame that either side accepts, in bytes.
pub const MAX_FRAME: usize = 256 * 1024 * 1024;

/// A number that is chosen by the program unless the person sets it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auto {
    #[default]
    Auto,
    Set(u32),
}

/// What to load and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadSpec {
    pub model: PathBuf,
    /// Tokens that the context holds.
    pub context: Auto,
    pub threads: Auto,
    /// Layers to put on the GPU.
    pub gpu_layers: Auto,
    /// None lets llama.cpp choose.
    pub flash_attention: Option<bool>,
    /// Where the cache's state is kept of conversations; None keeps nothing.
    pub keep: Option<KeepSpec>,
    /// Read only the vocabulary and the template: enough to render.
    pub vocabulary_only: bool,
}

/// Where what the KV cache holds of conversations is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepSpec {
    pub folder: PathBuf,
    /// Bytes that all files together may take.
    pub limit: u64,
}

/// A request for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub messages: Vec<Message>,
    /// How the answer begins: given, not written by the model, which goes on
    /// from there. Empty for an answer that is all the model's.
    pub opening: String,
    /// Whether the opening is known already and only what follows is sent.
    pub told: bool,
    pub sampling: Sampling,
    /// The conversation whose state may be kept beside the model; None keeps
    /// nothing.
    pub conversation: Option<String>,
}

/// A request for a measurement of speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchSpec {
    pub id: RequestId,
    /// Tokens to read in each round; 0 skips reading.
    pub prompt: u32,
    /// Tokens to write in each round; 0 skips writing.
    pub generate: u32,
    /// Tokens that are in the context before each measurement.
    pub depth: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Load a model, in place of the one that is loaded.
    Load(LoadSpec),
    Generate(Request),
    /// Render the prompt and send it back as [`Event::Rendered`].
    Render {
        id: RequestId,
        messages: Vec<Message>,
        generation_prompt: bool,
        bos: Option<String>,
        eos: Option<String>,
    },
    /// One round of measuring.
    Bench(BenchSpec),
    Cancel(RequestId),
    /// Keep what the cache holds now; answered by [`Event::Kept`].
    Keep,
    /// End the loading that is under way; or let go of the model.
    Unload,
    /// List the compute devices, without a model.
    Devices,
}

/// What a loaded model is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// The file's name without its folder.
    pub file: String,
    /// The name that the file gives itself; empty when it gives none.
    pub name: String,
    pub architecture: String,
    pub parameters: u64,
    /// Bytes of the tensors.
    pub size: u64,
    /// Tokens that the context holds now.
    pub context: u32,
    /// Tokens that the model was trained for.
    pub trained_context: u32,
    pub threads: u32,
    pub layers: u32,
    /// Layers that were put on a GPU.
    pub gpu_layers: u32,
    pub load_ms: u64,
}

/// A compute device that llama.cpp can use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub name: String,
    pub description: String,
    pub backend: String,
    pub gpu: bool,
    /// Bytes.
    pub memory_total: u64,
    /// Bytes.
    pub memory_free: u64,
}

/// How far the reading of a prompt is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadProgress {
    /// Prompt tokens that the context holds, cached ones included.
    pub read: u32,
    pub total: u32,
    pub cached: u32,
    /// Estimated milliseconds until the prompt is read; None before the first
    /// chunk was measured.
    pub left_ms: Option<u64>,
    /// Estimated milliseconds that the chunk now running takes.
    pub chunk_ms: Option<u64>,
}

/// How an answer ended and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    pub reason: FinishReason,
    pub usage: Usage,
    pub timings: Timings,
    pub seed: u32,
    /// Something the person should know, for instance that the context is full.
    pub notice: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Loading, in thousandths; 0 comes first.
    Loading(u16),
    Loaded(ModelFacts),
    /// The model cannot be used; the message says why and what to do.
    LoadFailed(String),
    /// Another model cannot be loaded, and the one that is loaded stays; the
    /// message says why and what to do.
    Refused(String),
    Reading(RequestId, ReadProgress),
    /// Text, whole characters, in order.
    Piece(RequestId, Part),
    Finished(RequestId, Finish),
    /// The request came to nothing; the message says why and what to do.
    Failed(RequestId, String),
    Rendered(RequestId, String),
    /// Tokens per second of one round; 0 for a part that was skipped.
    Measured {
        id: RequestId,
        prefill_tps: f64,
        generate_tps: f64,
    },
    Devices(Vec<Device>),
    /// What was to be kept is, as far as it could be.
    Kept,
    /// The child process ended by itself; the cause in words. The next request
    /// starts a new one.
    Died(String),
}
