//! What the subcommands share: configuration, the model to use, the engine.

use super::Fail;
use crate::app::Keymap;
use crate::config::{Config, keys, paths};
use crate::engine::host::{self, Engine};
use crate::protocol::engine::{Auto, Command, Event, KeepSpec, LoadSpec};
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

/// The first model that is named: on the command line, then in the file.
pub fn spec(config: &Config, named: Option<PathBuf>) -> Result<LoadSpec, Fail> {
    let model = named
        .or_else(|| config.model.clone())
        .ok_or_else(|| Fail::failed(NO_MODEL))?;
    let file = paths::model_file(&model).map_err(Fail::Failed)?;
    Ok(load_spec(config, file))
}

/// Whether the model that is named is the one inside the program.
pub fn is_starter(config: &Config, named: Option<&Path>) -> bool {
    named.or(config.model.as_deref()) == Some(Path::new(STARTER))
}

/// How to load this model under this configuration.
pub fn load_spec(config: &Config, model: PathBuf) -> LoadSpec {
    LoadSpec {
        model,
        context: config.engine.context,
        threads: config.engine.threads,
        gpu_layers: config.engine.gpu_layers,
        flash_attention: config.engine.flash_attention,
        keep: states(config),
        vocabulary_only: false,
    }
}

/// Where the engine keeps its states, and how much they may take: what the
/// config file says, else a tenth of the free disk, at most 4 GiB.
pub fn states(config: &Config) -> Option<KeepSpec> {
    const GIGABYTE: u64 = 1 << 30;
    let conversations = &config.conversations;
    let folder = paths::data_folder().filter(|_| conversations.keep_state)?;
    let limit = match conversations.state_limit {
        Some(gigabytes) => u64::from(gigabytes) * GIGABYTE,
        None => (paths::free_space(&folder) / 10).min(4 * GIGABYTE),
    };
    Some(KeepSpec {
        folder: folder.join(crate::store::STATES),
        limit,
    })
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
    Ok(host::start(host::Options {
        program,
        log: paths::engine_log(),
    }))
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

/// A count from the command line over one from the file.
pub fn over(base: Auto, given: Option<u32>) -> Auto {
    given.map_or(base, Auto::Set)
}
