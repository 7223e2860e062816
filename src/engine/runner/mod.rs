//! The engine process: owns llama.cpp, answers commands from its standard
//! input with events on its standard output, and ends when its input closes.
//!
//! Only this folder names `llama_cpp_2`. The process loads one model in its
//! life: ending it is what gives all memory back.

mod adapters;
mod bench;
mod generate;
pub mod keep;
mod load;
mod log;
mod pipe;
mod prompt;
mod quantize;
mod raw;
mod read;
mod senses;
mod session;
mod weigh;

use crate::engine::template::{self, Context};
use crate::protocol::engine::{Command, Device, Event};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::{LlamaBackendDeviceType, list_llama_ggml_backend_devices};
use load::Loader;
use pipe::{Inbox, Outbox};
use prompt::Prompts;

/// The hidden subcommand that starts this process.
pub const SUBCOMMAND: &str = "engine";

/// Runs until standard input closes. The error is for the log.
pub fn run() -> Result<(), String> {
    let outbox = Outbox::take_stdout().map_err(|e| format!("no way to send events: {e}"))?;
    let log = log::start();
    let inbox = Inbox::listen();
    load_backends();
    let backend = LlamaBackend::init().map_err(|e| format!("llama.cpp does not start: {e}"))?;
    while let Some(command) = inbox.next() {
        match command {
            Command::Load(spec) => {
                let loader = Loader {
                    backend: &backend,
                    spec: &spec,
                    outbox: &outbox,
                    log: &log,
                };
                let served = match spec.vocabulary_only {
                    true => serve_vocabulary(&loader, &inbox),
                    false => session::serve(&loader, &inbox),
                };
                if let Err(error) = served {
                    outbox.send(&Event::LoadFailed(error));
                }
            }
            Command::Quantize(spec) => quantize::run(&spec, &outbox, &log),
            Command::Devices => outbox.send(&Event::Devices(devices())),
            Command::Generate(request) => no_model(&outbox, request.id),
            Command::Render { id, .. } => no_model(&outbox, id),
            Command::Weigh { id, .. } => no_model(&outbox, id),
            Command::Bench(spec) => no_model(&outbox, spec.id),
            Command::Keep => outbox.send(&Event::Kept),
            Command::Adapt(_) => {
                let why = "no model is loaded for an adapter".to_string();
                outbox.send(&Event::Adapted(Err(why)));
            }
            Command::Cancel(_) | Command::Unload => {}
        }
    }
    Ok(())
}

/// Loads the variants for this processor and the GPUs, from the folder
/// `backends` beside the program, else from where they were built.
#[cfg(feature = "dynamic-backends")]
fn load_backends() {
    let program = std::env::current_exe().ok();
    let beside = program.and_then(|p| p.parent().map(|folder| folder.join("backends")));
    match beside.filter(|folder| folder.is_dir() && folder.to_str().is_some()) {
        Some(folder) => llama_cpp_2::llama_backend::load_backends_from_path(&folder),
        None => llama_cpp_2::llama_backend::load_backends(),
    }
}

/// There is one, inside the program.
#[cfg(not(feature = "dynamic-backends"))]
fn load_backends() {}

fn busy(outbox: &Outbox) {
    let why = "a model is loaded; quantising takes a process of its own".to_string();
    outbox.send(&Event::Quantized(Err(why)));
}

fn no_model(outbox: &Outbox, id: u64) {
    outbox.send(&Event::Failed(id, "no model is loaded".into()));
}

/// Serves rendering alone.
fn serve_vocabulary(loader: &Loader<'_>, inbox: &Inbox) -> Result<(), String> {
    let outbox = loader.outbox;
    let model = loader.vocabulary()?;
    let prompts = Prompts::of(&model);
    outbox.send(&Event::Loaded(loader.about(&model)));
    while let Some(command) = inbox.next() {
        match command {
            Command::Render { .. } => render(&prompts, command, outbox),
            Command::Generate(request) => no_model(outbox, request.id),
            Command::Weigh { id, .. } => no_model(outbox, id),
            Command::Bench(spec) => no_model(outbox, spec.id),
            Command::Devices => outbox.send(&Event::Devices(devices())),
            Command::Keep => outbox.send(&Event::Kept),
            Command::Quantize(_) => busy(outbox),
            Command::Load(_) | Command::Adapt(_) | Command::Cancel(_) | Command::Unload => {}
        }
    }
    Ok(())
}

/// Answers one [`Command::Render`].
fn render(prompts: &Prompts<'_>, command: Command, outbox: &Outbox) {
    let Command::Render {
        id,
        messages,
        generation_prompt,
        bos,
        eos,
    } = command
    else {
        return;
    };
    let context = Context {
        bos: bos.unwrap_or_else(|| prompts.bos().to_string()),
        eos: eos.unwrap_or_else(|| prompts.eos().to_string()),
        generation_prompt,
    };
    outbox.send(
        &match template::render(prompts.template(), &messages, &context) {
            Ok(text) => Event::Rendered(id, text),
            Err(error) => Event::Failed(id, error.to_string()),
        },
    );
}

fn devices() -> Vec<Device> {
    list_llama_ggml_backend_devices()
        .into_iter()
        .map(|d| Device {
            gpu: matches!(
                d.device_type,
                LlamaBackendDeviceType::Gpu | LlamaBackendDeviceType::IntegratedGpu
            ),
            shared: d.device_type == LlamaBackendDeviceType::IntegratedGpu
                || matches!(d.backend.as_str(), "Metal" | "MTL"),
            name: d.name,
            description: d.description,
            backend: d.backend,
            memory_total: d.memory_total as u64,
            memory_free: d.memory_free as u64,
        })
        .collect()
}
