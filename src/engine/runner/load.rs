//! Loads a model: chooses what was not pinned, loads it so, and takes less
//! where that fails for memory.

use super::log::Log;
use super::pipe::{Inbox, Outbox};
use super::raw;
use super::senses::Senses;
use crate::engine::check;
use crate::fit;
use crate::gguf;
use crate::protocol::engine::{Auto, Event, LoadSpec, ModelFacts, Place, gpus};
use crate::protocol::library::{Card, Fit, Machine};
use crate::protocol::tuning::Tuning;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams, RopeScalingType};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Instant;

/// How a model is to be loaded, as it stands after what was tried.
pub struct Choice {
    card: Card,
    machine: Machine,
    fit: Fit,
    steps: Vec<String>,
    started: Instant,
}

/// What loading needs beside what is to be loaded.
pub struct Loader<'l> {
    pub backend: &'l LlamaBackend,
    pub spec: &'l LoadSpec,
    pub outbox: &'l Outbox,
    pub log: &'l Log,
}

impl Loader<'_> {
    /// Loads the vocabulary and the template alone.
    pub fn vocabulary(&self) -> Result<LlamaModel, String> {
        check::model_file(&self.spec.model)?;
        self.log.take_errors();
        self.attempt(0, true)
            .ok_or_else(|| self.unreadable(&self.log.take_errors()))
    }

    /// Chooses what was not pinned, by the file's header and the memory that
    /// is free. The error says what to do.
    pub fn choose(&self) -> Result<Choice, String> {
        let started = Instant::now();
        let path = self.spec.model.display();
        let card = check::chat_model(&self.spec.model)?;
        self.check_devices()?;
        self.check_overrides();
        let machine = self.machine();
        let fit = fit::plan(&card, &machine, &self.spec.tuning)
            .map_err(|e| format!("{path} is not loaded: {e}"))?;
        let mut choice = Choice {
            card,
            machine,
            fit,
            steps: Vec::new(),
            started,
        };
        if choice.fit.cache_types.0 != "f16" && self.spec.tuning.cache_type_k.is_none() {
            let words = format!("a cache of {} numbers", choice.fit.cache_types.0);
            self.step(&mut choice, words);
        }
        Ok(choice)
    }

    /// Loads the file, sending progress; with fewer layers on the GPU where
    /// there is no room for them.
    pub fn model(&self, choice: &mut Choice) -> Result<LlamaModel, String> {
        loop {
            self.log.forget();
            if let Some(model) = self.attempt(choice.fit.gpu_layers, false) {
                return Ok(model);
            }
            let errors = self.log.take_errors();
            let other = choice.fit.gpu_layers == 0 || !is_of_memory(&errors);
            if other || !self.take_less(choice) {
                return Err(self.unreadable(&errors));
            }
        }
    }

    /// Makes the context. None when the model must be loaded anew, in another
    /// way.
    pub fn context<'m>(
        &self,
        model: &'m LlamaModel,
        choice: &mut Choice,
    ) -> Result<Option<LlamaContext<'m>>, String> {
        let mut first_error = None;
        loop {
            let params = params(&choice.fit, &self.spec.tuning);
            let error = match model.new_context(self.backend, params) {
                Ok(context) => return Ok(Some(context)),
                Err(error) => error.to_string(),
            };
            let errors = self.log.take_errors();
            let why = errors.first().cloned().unwrap_or(error);
            if !is_of_memory(&errors) {
                return Err(format!("the context cannot be made: {why}"));
            }
            let why = first_error.get_or_insert(why);
            let layers = choice.fit.gpu_layers;
            if !self.take_less(choice) {
                return Err(format!(
                    "no room for a context of {} tokens: {why}; set a smaller [engine] context, or a cache-type-k and cache-type-v of q8_0",
                    choice.fit.context
                ));
            }
            if choice.fit.gpu_layers != layers {
                return Ok(None);
            }
        }
    }

    /// The model's eyes and ears, on the GPU where the model is. Those that do
    /// not work cost no more than themselves.
    pub fn senses<'m>(
        &'m self,
        model: &'m LlamaModel,
        choice: &Choice,
        inbox: &'m Inbox,
    ) -> Senses<'m> {
        let projector = self.spec.projector.as_deref();
        let on_gpu = choice.fit.gpu_layers > 0;
        let (_, threads) = threads(&self.spec.tuning);
        let around = (inbox, self.outbox, self.log);
        let of = |projector| Senses::of(model, projector, on_gpu, threads, around);
        of(projector).unwrap_or_else(|why| {
            let words = format!("The model is loaded without eyes or ears: {why}.");
            self.outbox.send(&Event::Told(words));
            Senses::none(inbox)
        })
    }

    /// What the loaded model is, and where it runs.
    pub fn facts(
        &self,
        model: &LlamaModel,
        context: &LlamaContext<'_>,
        choice: &Choice,
    ) -> ModelFacts {
        let tuning = &self.spec.tuning;
        let (threads, threads_batch) = threads(tuning);
        let chosen = self.log.flash_attention().or(tuning.flash_attention);
        ModelFacts {
            context: context.n_ctx(),
            read_per_token: fit::read_per_token(&choice.card),
            threads,
            threads_batch,
            batch: context.n_batch(),
            ubatch: context.n_ubatch(),
            gpu_layers: choice.fit.gpu_layers,
            flash_attention: chosen.unwrap_or(true),
            cache_types: choice.fit.cache_types.clone(),
            places: places(&choice.fit, self.log.places()),
            steps: choice.steps.clone(),
            load_ms: u64::try_from(choice.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..self.about(model)
        }
    }

    /// What is known of a model without a context.
    pub fn about(&self, model: &LlamaModel) -> ModelFacts {
        let meta = |key: &str| model.meta_val_str(key).unwrap_or_default();
        let file = self.spec.model.file_name().unwrap_or_default();
        ModelFacts {
            file: file.to_string_lossy().into_owned(),
            name: meta("general.name"),
            architecture: meta("general.architecture"),
            parameters: model.n_params(),
            size: model.size(),
            trained_context: model.n_ctx_train(),
            layers: model.n_layer(),
            ..ModelFacts::default()
        }
    }

    /// The memory that a model can have now, beside its projector.
    fn machine(&self) -> Machine {
        let mut machine = Machine {
            memory: fit::available_memory(),
            gpus: gpus(&super::devices()),
            ..Machine::default()
        };
        let size = |path: &PathBuf| path.metadata().map_or(0, |about| about.len());
        let projector = self.spec.projector.as_ref().map_or(0, size);
        match machine.gpus.first_mut() {
            Some(gpu) => gpu.free = gpu.free.saturating_sub(projector),
            None => machine.memory = machine.memory.saturating_sub(projector),
        }
        machine
    }

    fn take_less(&self, choice: &mut Choice) -> bool {
        let (card, machine) = (&choice.card, &choice.machine);
        let next = fit::smaller(card, machine, &self.spec.tuning, &choice.fit);
        let Some((next, words)) = next else {
            return false;
        };
        choice.fit = next;
        self.step(choice, words);
        true
    }

    fn step(&self, choice: &mut Choice, words: String) {
        tracing::warn!("not enough memory: going on with {words}");
        self.outbox.send(&Event::Told(format!(
            "There is not enough memory: going on with {words}."
        )));
        choice.steps.push(words);
    }

    fn unreadable(&self, errors: &[String]) -> String {
        let path = self.spec.model.display();
        let why = errors.first();
        let why = why.map_or("llama.cpp gave no reason", String::as_str);
        if is_of_memory(errors) {
            return format!(
                "{path} cannot be loaded: {why}; take a smaller model or quantisation, or close other programs"
            );
        }
        format!(
            "{path} cannot be loaded: {why}; the file may be damaged or of a kind that this version does not know"
        )
    }

    fn attempt(&self, layers: u32, vocabulary_only: bool) -> Option<LlamaModel> {
        let mut shown = u16::MAX;
        let mut progress = |part: f32| {
            let permille = (part.clamp(0.0, 1.0) * 1000.0) as u16;
            if permille != shown {
                shown = permille;
                self.outbox.send(&Event::Loading(permille));
            }
            true
        };
        raw::load(
            &self.spec.model,
            &self.spec.tuning,
            layers,
            vocabulary_only,
            &mut progress,
        )
    }

    /// A value that the header does not have is added to it, which is rarely
    /// what was meant.
    fn check_overrides(&self) {
        let overrides = &self.spec.tuning.overrides;
        let header = (!overrides.is_empty()).then(|| gguf::read(&self.spec.model));
        let Some(Ok(header)) = header else { return };
        for (key, _) in overrides {
            if header.value(key).is_none() {
                let words = format!("override-kv: the model's header has no {key}.");
                self.outbox.send(&Event::Told(words));
            }
        }
    }

    /// Every device that is named must be there.
    fn check_devices(&self) -> Result<(), String> {
        let known = super::devices();
        for name in self.spec.tuning.devices.iter().flatten() {
            if !known.iter().any(|d| d.name == *name) {
                let names: Vec<&str> = known.iter().map(|d| d.name.as_str()).collect();
                return Err(format!(
                    "there is no device {name}; there are {}",
                    names.join(", ")
                ));
            }
        }
        Ok(())
    }
}

/// Whether llama.cpp's errors tell that memory could not be had. Its words
/// differ by device: "unable to allocate CUDA0 buffer", "out of memory".
fn is_of_memory(errors: &[String]) -> bool {
    errors.iter().any(|error| {
        let error = error.to_lowercase();
        ["alloc", "memory", "mmap failed", "mlock"]
            .iter()
            .any(|word| error.contains(word))
    })
}

/// Layers on each device: the GPUs share theirs as they share the weights.
fn places(fit: &Fit, mut places: Vec<Place>) -> Vec<Place> {
    let on_gpus: u64 = places.iter().skip(1).map(|p| p.weights).sum();
    let mut left = fit.gpu_layers;
    let all = fit.layers + 1;
    for place in places.iter_mut().skip(1) {
        let share = place.weights as f64 / on_gpus.max(1) as f64;
        place.layers = ((f64::from(fit.gpu_layers) * share).round() as u32).min(left);
        left -= place.layers;
    }
    if let Some(processor) = places.first_mut() {
        processor.layers = all - fit.gpu_layers.min(all);
    }
    places
}

/// The context's settings: as pinned, else as planned.
fn params(fit: &Fit, tuning: &Tuning) -> LlamaContextParams {
    // The values of llama.cpp's `llama_flash_attn_type`.
    let flash_attention = match tuning.flash_attention {
        None => -1,
        Some(true) => 1,
        Some(false) => 0,
    };
    let (batch, ubatch) = fit::batches(tuning);
    let (threads, threads_batch) = threads(tuning);
    let workers = |n: u32| i32::try_from(n).unwrap_or(1);
    let mut params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(fit.context))
        .with_n_batch(batch)
        .with_n_ubatch(ubatch)
        .with_flash_attention_policy(flash_attention)
        .with_type_k(cache_type(&fit.cache_types.0))
        .with_type_v(cache_type(&fit.cache_types.1))
        .with_n_threads(workers(threads))
        .with_n_threads_batch(workers(threads_batch));
    let rope = &tuning.rope;
    if let Some(scaling) = &rope.scaling {
        params = params.with_rope_scaling_type(match scaling.as_str() {
            "linear" => RopeScalingType::Linear,
            "yarn" => RopeScalingType::Yarn,
            _ => RopeScalingType::None,
        });
    }
    if let Some(n) = rope.base {
        params = params.with_rope_freq_base(n);
    }
    if let Some(n) = rope.scale {
        params = params.with_rope_freq_scale(n);
    }
    if let Some(n) = rope.yarn_context {
        params = params.with_yarn_orig_ctx(n);
    }
    if let Some(n) = rope.yarn_extrapolation {
        params = params.with_yarn_ext_factor(n);
    }
    if let Some(n) = rope.yarn_attention {
        params = params.with_yarn_attn_factor(n);
    }
    if let Some(n) = rope.yarn_fast {
        params = params.with_yarn_beta_fast(n);
    }
    if let Some(n) = rope.yarn_slow {
        params = params.with_yarn_beta_slow(n);
    }
    params
}

fn cache_type(name: &str) -> KvCacheType {
    match name {
        "f32" => KvCacheType::F32,
        "bf16" => KvCacheType::BF16,
        "q8_0" => KvCacheType::Q8_0,
        "q5_1" => KvCacheType::Q5_1,
        "q5_0" => KvCacheType::Q5_0,
        "q4_1" => KvCacheType::Q4_1,
        "q4_0" => KvCacheType::Q4_0,
        "iq4_nl" => KvCacheType::IQ4_NL,
        _ => KvCacheType::F16,
    }
}

/// Threads that write, and those that read prompts.
fn threads(tuning: &Tuning) -> (u32, u32) {
    let threads = match tuning.threads {
        // More than there are would spin and wait for each other without end.
        Auto::Set(n) => n.clamp(1, allowed_threads()),
        Auto::Auto => good_threads(),
    };
    let batch = match tuning.threads_batch {
        Auto::Set(n) => n.clamp(1, allowed_threads()),
        Auto::Auto => threads,
    };
    (threads, batch)
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
