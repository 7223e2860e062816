//! What is known of the models on this machine.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The name by which the model inside the program is asked for, in place of a
/// path.
pub const STARTER: &str = "starter";

/// Whose folder a model stands in. The words are those of `models list --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// Parlor's own models folder: the only one that it removes files from.
    #[serde(rename = "parlor")]
    Parlor,
    /// A folder that the config file names, or the one the program started in.
    #[serde(rename = "folder")]
    Folder,
    #[serde(rename = "huggingface")]
    HuggingFace,
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    #[serde(rename = "lmstudio")]
    LmStudio,
    #[serde(rename = "ollama")]
    Ollama,
    #[serde(rename = "gpt4all")]
    Gpt4All,
    #[serde(rename = "jan")]
    Jan,
    #[serde(rename = "msty")]
    Msty,
}

impl Source {
    /// What people call the program.
    pub fn name(self) -> &'static str {
        match self {
            Source::Parlor => "Parlor",
            Source::Folder => "a folder",
            Source::HuggingFace => "Hugging Face",
            Source::LlamaCpp => "llama.cpp",
            Source::LmStudio => "LM Studio",
            Source::Ollama => "Ollama",
            Source::Gpt4All => "GPT4All",
            Source::Jan => "Jan",
            Source::Msty => "Msty",
        }
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Chat,
    Embedding,
    Reranker,
    /// A LoRA, laid over a chat model.
    Adapter,
    /// The eyes or ears of a chat model.
    Mmproj,
}

/// What a model can do, as its file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ability {
    Chat,
    Vision,
    Audio,
    Embedding,
    /// Its template has a place for thinking.
    Reasoning,
    /// Its template has a place for tools.
    Tools,
}

/// What the header of a GGUF file says, in short.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub kind: Kind,
    /// `general.name`; empty when there is none.
    pub title: String,
    pub architecture: String,
    /// Counted from the tensors.
    pub parameters: u64,
    /// For instance `Q4_K_M`: from `general.file_type`, else the type that most
    /// of the bytes have.
    pub quantization: String,
    /// Tokens that the model was trained for; 0 when unknown.
    pub context: u32,
    /// Bytes of the tensors, without padding and header.
    pub weights: u64,
    pub abilities: Vec<Ability>,
    pub shape: Shape,
    /// Of a projector: the width that it hands to the model. Else 0.
    pub projection: u32,
    /// `general.base_model.0.name`, `general.basename`, or similar: what a
    /// projector or an adapter belongs to. Empty when not told.
    pub base: String,
    /// `split.count`; 1 for a whole file.
    pub split: u16,
}

/// A model's measures: what its memory is computed from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    pub layers: u32,
    /// Width of the embedding.
    pub embedding: u32,
    /// Width of the feed-forward part; the largest of all layers.
    pub feed_forward: u32,
    /// Attention heads; the largest of all layers.
    pub heads: u32,
    pub vocabulary: u32,
    /// For each layer, numbers per token in the key cache and in the value
    /// cache: heads times head size; 0 for a layer without attention.
    pub key_widths: Vec<u32>,
    pub value_widths: Vec<u32>,
    /// Tokens of the sliding window; 0 when every layer sees all.
    pub window: u32,
    /// For each layer, whether it sees only the window. Empty: none.
    pub windowed: Vec<bool>,
    /// Bytes of the recurrent state of all layers, of one sequence; 0 for none.
    pub recurrent: u64,
    /// Experts in a layer, and those used for each token; 0 for none.
    pub experts: u32,
    pub experts_used: u32,
    /// Width of the feed-forward part of one expert; 0 where it is not told.
    pub expert_width: u32,
    /// Bytes of each layer's tensors (`blk.N.`), in order.
    pub layer_bytes: Vec<u64>,
    /// Of those, bytes of experts (`ffn_*_exps`), in order.
    pub expert_bytes: Vec<u64>,
    /// Bytes of the output matrix and its norm; the token embedding's bytes
    /// when the output shares it.
    pub output_bytes: u64,
    /// Bytes of the token embedding, which stays on the processor.
    pub input_bytes: u64,
}

/// What Ollama's manifest holds beside the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Extras {
    /// Go's template language: shown, not run.
    pub template: Option<String>,
    pub system: Option<String>,
    /// Names and values of `params`, as written.
    pub parameters: Vec<(String, String)>,
    pub adapters: Vec<PathBuf>,
}

/// A model that was found: one file, or all parts of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundModel {
    /// What to call it: the file's name without `.gguf` and part number, or
    /// the name that the program which fetched it gives it.
    pub name: String,
    /// The file to load: the first part.
    pub path: PathBuf,
    /// All its files, `path` first.
    pub parts: Vec<PathBuf>,
    pub source: Source,
    /// `owner/repo` on the hub, where the layout tells.
    pub repo: Option<String>,
    /// Bytes of all files.
    pub size: u64,
    /// Seconds since 1970 of the last change.
    pub modified: u64,
    /// What its header says; or why it cannot be used.
    pub card: Result<Card, String>,
    /// The projector that belongs to it.
    pub projector: Option<PathBuf>,
    pub extras: Option<Extras>,
}

/// The memory that models can have on this machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Bytes of the computer's memory that can be taken without swapping.
    pub memory: u64,
    pub gpus: Vec<Gpu>,
    /// Bytes of weights a second that the processor was seen to go through
    /// while writing, and the GPUs; 0 until that was measured.
    pub memory_speed: u64,
    pub gpu_speed: u64,
}

impl Machine {
    /// Where weights of this size would go, with a fifth of it for everything
    /// else.
    pub fn verdict(&self, weights: u64) -> Verdict {
        let needed = weights + weights / 5;
        // Memory that is shared counts once.
        let own = self.gpus.iter().filter(|g| !g.shared);
        let gpu: u64 = own.map(|g| g.free).sum();
        match needed {
            n if n <= gpu => Verdict::Gpu,
            n if gpu > 0 && n <= gpu + self.memory => Verdict::Partly,
            n if n <= self.memory => Verdict::Memory,
            _ => Verdict::TooBig,
        }
    }
}

/// A graphics card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    pub name: String,
    /// Bytes.
    pub free: u64,
    /// Its memory is the computer's own.
    pub shared: bool,
}

/// Where a model would run on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Wholly on the GPUs.
    Gpu,
    /// Some layers on the GPUs, the others on the processor.
    Partly,
    /// In the computer's memory, on the processor.
    Memory,
    /// It does not fit.
    TooBig,
}

/// What a model would take on a machine, and how it would be loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    pub verdict: Verdict,
    /// Bytes, on all devices.
    pub weights: u64,
    pub cache: u64,
    pub compute: u64,
    /// The context that it would be given, in tokens.
    pub context: u32,
    /// The largest context that fits, at most the trained one.
    pub largest_context: u32,
    /// Layers on the GPUs, the output as one more.
    pub gpu_layers: u32,
    pub layers: u32,
    /// Number types of the cache.
    pub cache_types: (String, String),
    /// Tokens a second that writing is expected to have; None before the
    /// machine's speed was measured.
    pub speed: Option<f32>,
}

impl Fit {
    /// Bytes of all.
    pub fn total(&self) -> u64 {
        self.weights + self.cache + self.compute
    }
}

/// A model of the library as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    pub model: FoundModel,
    /// How it would run here, or why it would not; None for what is not run by
    /// itself.
    pub fit: Option<Result<Fit, String>>,
    /// Seconds since 1970 when it was loaded last.
    pub used: Option<u64>,
}

/// A model of the short list for people who do not know what to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CatalogEntry {
    pub name: String,
    /// `owner/repo` on the hub.
    pub repo: String,
    /// The file in it; empty leaves the choice to the program.
    #[serde(default)]
    pub file: String,
    /// Bytes of that file; 0 when unknown.
    #[serde(default)]
    pub size: u64,
    #[serde(default)]
    pub size_approximate: bool,
    #[serde(default)]
    pub mmproj: Option<String>,
    pub licence: String,
    /// `text`, `vision`, `audio` or `embedding`.
    pub kind: String,
    pub good_for: String,
    #[serde(default)]
    pub parameters: String,
    #[serde(default)]
    pub context: Option<u32>,
    /// The public pages that the facts are from.
    pub source: String,
}

impl CatalogEntry {
    /// What to fetch.
    pub fn reference(&self) -> String {
        match self.file.as_str() {
            "" => self.repo.clone(),
            file => format!("{}/{file}", self.repo),
        }
    }
}
