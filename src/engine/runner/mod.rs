//! The engine process: owns llama.cpp, answers commands from its standard
//! input with events on its standard output, and ends when its input closes.
//!
//! Only this folder names `llama_cpp_2`. The process loads one model in its
//! life: ending it is what gives all memory back.

mod bench;
mod generate;
pub mod keep;
mod load;
mod log;
mod pipe;
mod prompt;
mod read;
mod session;

use crate::engine::template::{self, Context};
use crate::protocol::engine::{Command, Device, Event};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::{LlamaBackendDeviceType, list_llama_ggml_backend_devices};
use pipe::{Inbox, Outbox};
use prompt::Prompts;

/// The hidden subcommand that starts this process.
pub const SUBCOMMAND: &str = "engine";

/// Runs until standard input closes. The error is for the log.
pub fn run() -> Result<(), String> {
    let outbox = Outbox::take_stdout().map_err(|e| format!("no way to send events: {e}"))?;
    let last_error = log::start();
    let inbox = Inbox::listen();
    let backend = LlamaBackend::init().map_err(|e| format!("llama.cpp does not start: {e}"))?;
    while let Some(command) = inbox.next() {
        match command {
            Command::Load(spec) if spec.vocabulary_only => {
                match load::model(&backend, &spec, &outbox, &last_error) {
                    Ok(loaded) => {
                        outbox.send(&Event::Loaded(loaded.facts()));
                        serve_vocabulary(&Prompts::of(&loaded.model), &inbox, &outbox);
                    }
                    Err(error) => outbox.send(&Event::LoadFailed(error)),
                }
            }
            Command::Load(spec) => {
                let served =
                    load::model(&backend, &spec, &outbox, &last_error).and_then(|loaded| {
                        session::serve(&backend, &loaded, &spec, &inbox, &outbox, &last_error)
                    });
                if let Err(error) = served {
                    outbox.send(&Event::LoadFailed(error));
                }
            }
            Command::Devices => outbox.send(&Event::Devices(devices())),
            Command::Generate(request) => no_model(&outbox, request.id),
            Command::Render { id, .. } => no_model(&outbox, id),
            Command::Bench(spec) => no_model(&outbox, spec.id),
            Command::Keep => outbox.send(&Event::Kept),
            Command::Cancel(_) | Command::Unload => {}
        }
    }
    Ok(())
}

fn no_model(outbox: &Outbox, id: u64) {
    outbox.send(&Event::Failed(id, "no model is loaded".into()));
}

/// Serves rendering alone.
fn serve_vocabulary(prompts: &Prompts<'_>, inbox: &Inbox, outbox: &Outbox) {
    while let Some(command) = inbox.next() {
        match command {
            Command::Render { .. } => render(prompts, command, outbox),
            Command::Generate(request) => no_model(outbox, request.id),
            Command::Bench(spec) => no_model(outbox, spec.id),
            Command::Devices => outbox.send(&Event::Devices(devices())),
            Command::Keep => outbox.send(&Event::Kept),
            Command::Load(_) | Command::Cancel(_) | Command::Unload => {}
        }
    }
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
            name: d.name,
            description: d.description,
            backend: d.backend,
            memory_total: d.memory_total as u64,
            memory_free: d.memory_free as u64,
        })
        .collect()
}
