//! What the subcommands share: configuration, the model to use, the engine.

use super::Fail;
use super::tuning::TuningArgs;
use crate::app::Keymap;
use crate::config::{Config, keys, paths, spec};
use crate::engine::host::{self, Engine};
use crate::protocol::engine::{Command, Event, LoadSpec};
use crate::protocol::library::STARTER;
use std::path::{Path, PathBuf};

/// What to do when no model was named anywhere.
pub const NO_MODEL: &str = "no model is set: name a .gguf file with --model PATH, with PARLOR_MODEL, \
    or as `model` in the config file (`parlor config path` tells where); \
    --model starter is the small model inside this program";

/// The configuration, or why it cannot be used.
pub fn config() -> Result<Config, Fail> {
    match paths::config_file() {
        Some(path) => Ok(Config::load(&path)?),
        None => Ok(Config::default()),
    }
}

/// What the command line says of the model.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub model: Option<PathBuf>,
    pub tuning: TuningArgs,
}

impl Asked {
    /// With flags that stand after the subcommand.
    pub fn with(mut self, tuning: &TuningArgs) -> Self {
        self.tuning = tuning.over(&self.tuning);
        self
    }
}

/// The first model that is named, on the command line, then in the file; and
/// how to load it.
pub fn spec(config: &Config, asked: &Asked) -> Result<LoadSpec, Fail> {
    let model = asked.model.as_ref().or(config.model.as_ref());
    let model = model.ok_or_else(|| Fail::failed(NO_MODEL))?;
    let named = spec::find(config, model).map_err(Fail::Failed)?;
    spec::load(config, &named, &asked.tuning.said).map_err(Fail::Failed)
}

/// Whether the model that is named is the one inside the program.
pub fn is_starter(config: &Config, named: Option<&Path>) -> bool {
    named.or(config.model.as_deref()) == Some(Path::new(STARTER))
}

/// Has the engine keep its state, and ends it.
pub async fn leave(mut engine: Engine) {
    let _ = engine.commands.send(Command::Keep);
    let kept = async {
        while let Some(event) = engine.events.recv().await {
            if event == Event::Kept {
                break;
            }
        }
    };
    // It is only a convenience: whoever waits longer would rather go on.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), kept).await;
}

/// The keys as they are bound, for the help to name.
pub fn keymap(config: &Config) -> Result<Keymap, Fail> {
    keys::keymap(&config.keys).map_err(Fail::failed)
}

/// Starts the engine's host; inside a tokio runtime.
pub fn engine() -> Result<Engine, Fail> {
    let program = std::env::current_exe()
        .map_err(|e| Fail::Failed(format!("cannot find this program's own file: {e}")))?;
    Ok(host::start(host::Options::new(
        program,
        paths::engine_log(),
    )))
}

/// Does some asynchronous work on this thread. Does not wait afterwards for
/// threads that are stuck, for instance on a pipe that nobody reads.
pub fn run<T>(work: impl Future<Output = Result<T, Fail>>) -> Result<T, Fail> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Fail::Failed(format!("cannot start the asynchronous runtime: {e}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}
