//! Loads a model: the file, the layers on a GPU, the size of the context.

use super::log::LastError;
use super::pipe::Outbox;
use crate::engine::check;
use crate::protocol::engine::{Auto, Device, Event, LoadSpec, ModelFacts};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use std::num::NonZeroU32;
use std::time::Instant;

/// The largest context that is chosen without being asked for: above it the
/// KV cache takes more memory and start-up time than most chats repay.
const AUTO_CONTEXT: u32 = 32_768;
const SMALLEST_CONTEXT: u32 = 512;
/// Bytes left free on the GPUs for llama.cpp's computing buffers.
const COMPUTE_BUFFERS: u64 = 512 * 1024 * 1024;
/// Tokens of one decode at most; llama.cpp's own default.
const BATCH: u32 = 512;
/// The same without flash attention, whose buffers grow with batch times
/// context. On a processor chunks are smaller anyway (`read::Pace`).
const BATCH_WITHOUT_FLASH: u32 = 128;

/// A model in memory.
pub struct Loaded {
    pub model: LlamaModel,
    started: Instant,
    file: String,
    gpu_layers: u32,
}

/// Loads the file, sending progress. The error says what to do.
pub fn model(
    backend: &LlamaBackend,
    spec: &LoadSpec,
    outbox: &Outbox,
    last_error: &LastError,
) -> Result<Loaded, String> {
    let started = Instant::now();
    let path = spec.model.display();
    check::model_file(&spec.model)?;
    last_error.take();
    let gpus: Vec<Device> = super::devices().into_iter().filter(|d| d.gpu).collect();
    let mut layers = match spec.gpu_layers {
        _ if spec.vocabulary_only || gpus.is_empty() => 0,
        Auto::Set(n) => n,
        Auto::Auto => fitting_layers(backend, spec, &gpus),
    };
    loop {
        if let Some(model) = attempt(backend, spec, outbox, layers) {
            let file = spec.model.file_name().unwrap_or_default();
            return Ok(Loaded {
                gpu_layers: layers.min(model.n_layer() + 1),
                model,
                started,
                file: file.to_string_lossy().into_owned(),
            });
        }
        let why = last_error
            .take()
            .unwrap_or_else(|| "llama.cpp gave no reason".into());
        if layers > 0 && spec.gpu_layers == Auto::Auto {
            tracing::warn!("loading {layers} layers on the GPU failed ({why}); trying fewer");
            layers /= 2;
            continue;
        }
        return Err(format!(
            "{path} cannot be loaded: {why}; the file may be damaged or of a kind that this version does not know"
        ));
    }
}

fn attempt(
    backend: &LlamaBackend,
    spec: &LoadSpec,
    outbox: &Outbox,
    layers: u32,
) -> Option<LlamaModel> {
    let progress = outbox.clone();
    let mut shown = u16::MAX;
    let params = LlamaModelParams::default()
        .with_vocab_only(spec.vocabulary_only)
        .with_n_gpu_layers(layers)
        .with_progress_callback(move |part| {
            let permille = (part.clamp(0.0, 1.0) * 1000.0) as u16;
            if permille != shown {
                shown = permille;
                progress.send(&Event::Loading(permille));
            }
            true
        });
    LlamaModel::load_from_file(backend, &spec.model, &params).ok()
}

/// How many layers fit the GPUs' free memory: all of them, or as many as leave
/// a tenth and the computing buffers free. Counts a layer as an even share of
/// the file, and its part of the KV cache.
fn fitting_layers(backend: &LlamaBackend, spec: &LoadSpec, gpus: &[Device]) -> u32 {
    let vocabulary = LlamaModelParams::default().with_vocab_only(true);
    let Ok(model) = LlamaModel::load_from_file(backend, &spec.model, &vocabulary) else {
        return 0;
    };
    let shape = Shape::of(&model);
    let size = std::fs::metadata(&spec.model).map_or(0, |m| m.len());
    let count = shape.layers + 1;
    let context = match spec.context {
        Auto::Set(n) => u64::from(n),
        Auto::Auto => shape.trained_context.min(u64::from(AUTO_CONTEXT)),
    };
    let cache = shape.cache_bytes().saturating_mul(context) / count;
    let layer = (size / count).saturating_add(cache).max(1);
    let free: u64 = gpus.iter().map(|d| d.memory_free).sum();
    let usable = (free - free / 10).saturating_sub(COMPUTE_BUFFERS);
    u32::try_from((usable / layer).min(count)).unwrap_or(0)
}

/// A model's measures, from its metadata: llama.cpp aborts when it is asked for
/// them after only the vocabulary was loaded.
struct Shape {
    layers: u64,
    heads: u64,
    kv_heads: u64,
    embedding: u64,
    trained_context: u64,
}

impl Shape {
    fn of(model: &LlamaModel) -> Self {
        let architecture = model
            .meta_val_str("general.architecture")
            .unwrap_or_default();
        let number = |key: &str| -> Option<u64> {
            let value = model.meta_val_str(&format!("{architecture}.{key}")).ok()?;
            // Hybrid models have a list with a number for each layer.
            let numbers = value.split(|c: char| !c.is_ascii_digit());
            numbers.filter_map(|n| n.parse().ok()).max()
        };
        let heads = number("attention.head_count").unwrap_or(1).max(1);
        Self {
            layers: number("block_count").unwrap_or(0).min(10_000),
            heads,
            kv_heads: number("attention.head_count_kv").unwrap_or(heads),
            embedding: number("embedding_length").unwrap_or(0),
            trained_context: number("context_length").unwrap_or(0),
        }
    }

    /// Bytes of the KV cache for each token: keys and values, two bytes a number.
    fn cache_bytes(&self) -> u64 {
        let width = (self.embedding / self.heads).saturating_mul(self.kv_heads);
        width.saturating_mul(self.layers).saturating_mul(4).max(1)
    }
}

impl Loaded {
    /// What is known before there is a context.
    pub fn facts(&self) -> ModelFacts {
        let meta = |key: &str| self.model.meta_val_str(key).unwrap_or_default();
        ModelFacts {
            file: self.file.clone(),
            name: meta("general.name"),
            architecture: meta("general.architecture"),
            parameters: self.model.n_params(),
            size: self.model.size(),
            trained_context: self.model.n_ctx_train(),
            layers: self.model.n_layer(),
            gpu_layers: self.gpu_layers,
            load_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..ModelFacts::default()
        }
    }

    /// Makes the context: its size and threads as asked, or as they suit.
    pub fn context<'m>(
        &'m self,
        backend: &LlamaBackend,
        spec: &LoadSpec,
        last_error: &LastError,
    ) -> Result<(LlamaContext<'m>, ModelFacts), String> {
        let wanted = match spec.context {
            Auto::Set(n) => n.max(1),
            Auto::Auto => self.fitting_context(),
        };
        let threads = match spec.threads {
            // More than there are would spin and wait for each other without end.
            Auto::Set(n) => n.clamp(1, allowed_threads()),
            Auto::Auto => good_threads(),
        };
        // The values of llama.cpp's `llama_flash_attn_type`.
        let (batch, flash_attention) = match spec.flash_attention {
            None => (BATCH, -1),
            Some(true) => (BATCH, 1),
            Some(false) => (BATCH_WITHOUT_FLASH, 0),
        };
        let workers = i32::try_from(threads).unwrap_or(1);
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(wanted))
            .with_n_batch(batch)
            .with_n_ubatch(batch)
            .with_flash_attention_policy(flash_attention)
            .with_n_threads(workers)
            .with_n_threads_batch(workers);
        let context = self.model.new_context(backend, params).map_err(|e| {
            let why = last_error.take().unwrap_or_else(|| e.to_string());
            format!("no room for a context of {wanted} tokens: {why}; set a smaller [engine] context in the config file")
        })?;
        let facts = ModelFacts {
            context: context.n_ctx(),
            threads,
            ..self.facts()
        };
        Ok((context, facts))
    }

    /// The trained size, within half of the memory that the weights leave.
    fn fitting_context(&self) -> u32 {
        let model = &self.model;
        let cap = model.n_ctx_train().clamp(SMALLEST_CONTEXT, AUTO_CONTEXT);
        let free = available_memory().saturating_sub(model.size()) / 2;
        let fits = u32::try_from(free / Shape::of(model).cache_bytes()).unwrap_or(u32::MAX);
        fits.clamp(SMALLEST_CONTEXT, cap)
    }
}

/// Bytes that can be taken without swapping.
fn available_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    match system.cgroup_limits() {
        Some(limits) => limits.free_memory.min(system.available_memory()),
        None => system.available_memory(),
    }
}

/// One thread for each physical core that this process may use: llama.cpp's
/// workers spin, so a second one on the same core only takes turns with it.
pub fn good_threads() -> u32 {
    let allowed = allowed_threads();
    let cores = sysinfo::System::physical_core_count().and_then(|n| u32::try_from(n).ok());
    cores.unwrap_or(allowed).clamp(1, allowed)
}

/// Threads that can run at once.
fn allowed_threads() -> u32 {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(allowed).unwrap_or(1).max(1)
}
