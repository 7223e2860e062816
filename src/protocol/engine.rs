//! Commands to the engine and events from it.
//!
//! The same types go over the channel between the loop and the host, and over
//! the pipe between the host and the child process. A frame on the pipe is a
//! big-endian u32 length and that many bytes of postcard.

use super::library::Gpu;
use super::tuning::Tuning;
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadSpec {
    pub model: PathBuf,
    pub tuning: Tuning,
    /// LoRA files that are laid over the model from the beginning.
    pub adapters: Vec<Adapter>,
    /// The model's eyes or ears: its mmproj file.
    pub projector: Option<PathBuf>,
    /// Where the cache's state is kept of conversations; None keeps nothing.
    pub keep: Option<KeepSpec>,
    /// Read only the vocabulary and the template: enough to render.
    pub vocabulary_only: bool,
}

/// A LoRA file and how strongly it counts; 1 is as it was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    pub path: PathBuf,
    pub scale: f32,
}

/// The folder of what engines keep of conversations, in the data folder.
pub const STATES: &str = "states";

/// Where what the KV cache holds of conversations is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepSpec {
    pub folder: PathBuf,
    /// Bytes that all files together may take.
    pub limit: u64,
}

/// Where the bytes are of something that is attached to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaFile {
    /// SHA-256 of the bytes, as in the message.
    pub digest: String,
    pub path: PathBuf,
}

/// A request for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub messages: Vec<Message>,
    /// The files that are attached to the messages.
    pub media: Vec<MediaFile>,
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

/// Ends the name of a file that is being written anew, until it is whole.
pub const QUANTIZING: &str = ".quantizing";

/// A model to be written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantizeSpec {
    pub from: PathBuf,
    pub to: PathBuf,
    /// llama.cpp's name of the mixture, such as `Q4_K_M`.
    pub kind: String,
    pub threads: Auto,
    /// Quantise what is quantised already, at a loss.
    pub again: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few of them, each moved once or twice"
)]
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
    /// Count what the attachments of this text cost; answered by
    /// [`Event::Weighed`] with the same number.
    Weigh {
        id: RequestId,
        text: String,
        media: Vec<MediaFile>,
    },
    /// One round of measuring.
    Bench(BenchSpec),
    Cancel(RequestId),
    /// Lay these LoRA files over the model, and no others; answered by
    /// [`Event::Adapted`].
    Adapt(Vec<Adapter>),
    /// Write a model anew in another number type; answered by
    /// [`Event::Quantized`].
    Quantize(QuantizeSpec),
    /// Keep what the cache holds now; answered by [`Event::Kept`].
    Keep,
    /// End the loading that is under way; or let go of the model.
    Unload,
    /// List the compute devices, without a model.
    Devices,
}

/// What a loaded model is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// The file's name without its folder.
    pub file: String,
    /// The name that the file gives itself; empty when it gives none.
    pub name: String,
    pub architecture: String,
    pub parameters: u64,
    /// Bytes of the tensors.
    pub size: u64,
    /// Bytes of weights that one written token goes through.
    pub read_per_token: u64,
    /// Tokens that the context holds now.
    pub context: u32,
    /// Tokens that the model was trained for.
    pub trained_context: u32,
    pub threads: u32,
    /// Threads that read prompts.
    pub threads_batch: u32,
    /// Tokens given to llama.cpp at once, and computed at once.
    pub batch: u32,
    pub ubatch: u32,
    pub layers: u32,
    /// Layers that were put on a GPU; the output counts as one more.
    pub gpu_layers: u32,
    pub flash_attention: bool,
    /// Number types of the cache's keys and values.
    pub cache_types: (String, String),
    /// What lies on each device.
    pub places: Vec<Place>,
    /// Whose words the template's are: the model's own, or ChatML in their
    /// place.
    pub own_template: bool,
    /// The tokens that begin and end a text, as text.
    pub special: Vec<(String, String)>,
    pub adapters: Vec<Adapter>,
    /// The mmproj file's name; empty where there is none.
    pub projector: String,
    /// Whether pictures can be given to it, and sounds.
    pub sees: bool,
    pub hears: bool,
    /// What had to be made smaller, in the order in which it was.
    pub steps: Vec<String>,
    pub load_ms: u64,
}

/// What lies on one device, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub device: String,
    /// Layers of the model, the output as one more.
    pub layers: u32,
    pub weights: u64,
    /// The KV cache and recurrent states.
    pub cache: u64,
    pub compute: u64,
}

impl Place {
    pub fn total(&self) -> u64 {
        self.weights + self.cache + self.compute
    }
}

/// A compute device that llama.cpp can use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub name: String,
    pub description: String,
    pub backend: String,
    pub gpu: bool,
    /// Its memory is the computer's own.
    pub shared: bool,
    /// Bytes.
    pub memory_total: u64,
    /// Bytes.
    pub memory_free: u64,
}

/// The graphics cards of these devices.
pub fn gpus(devices: &[Device]) -> Vec<Gpu> {
    let gpus = devices.iter().filter(|d| d.gpu).map(|d| Gpu {
        name: d.name.clone(),
        free: d.memory_free,
        shared: d.shared,
    });
    gpus.collect()
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
    /// The picture or sound that is being encoded.
    pub encoding: Option<Encoding>,
}

/// How far the encoding of pictures and sounds is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// Which of them, from 1, and of how many in the prompt.
    pub number: u32,
    pub count: u32,
    /// Of this one, in thousandths.
    pub permille: u16,
    pub sound: bool,
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
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is sent once, when a model is loaded"
)]
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
    /// Tokens of each attachment, or why it cannot be given to the model.
    Weighed(RequestId, Vec<Result<u32, String>>),
    /// Tokens per second of one round; 0 for a part that was skipped.
    Measured {
        id: RequestId,
        prefill_tps: f64,
        generate_tps: f64,
    },
    Devices(Vec<Device>),
    /// Something about the loading that the person should know: what was made
    /// smaller, or that the GPU was given up.
    Told(String),
    /// The LoRA files that lie over the model now; or why they do not fit, and
    /// those before stay.
    Adapted(Result<Vec<Adapter>, String>),
    /// Quantising, in thousandths.
    Quantizing(u16),
    /// How quantising ended: bytes written, or why not.
    Quantized(Result<u64, String>),
    /// The model was idle and has let go of its memory; the next request
    /// loads it again.
    Rested,
    /// What was to be kept is, as far as it could be.
    Kept,
    /// The child process ended by itself; the cause in words. The next request
    /// starts a new one.
    Died(String),
}
