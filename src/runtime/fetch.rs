//! Fetches models and searches the hub, for the chat and for the command line:
//! joins what was asked for, the config file, the machine and the hub.

use crate::config::{Config, machine, paths};
use crate::hub::{self, Hub, HubError, Order, Pace, Settings, Target};
use crate::models;
use crate::protocol::hub::{FoundRepo, Progress, Pulled, Room, Wish};
use crate::protocol::library::{FoundModel, Gpu};
use std::ffi::OsString;
use std::path::PathBuf;
use tokio::sync::{mpsc, watch};

/// Memory beside the weights that a quantisation is chosen by: a share for the
/// cache and the buffers.
const BESIDE: u64 = 5;

/// What is to be fetched.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// As a person writes it.
    pub what: String,
    /// With the projector, where there is one.
    pub projector: bool,
    pub gpus: Vec<Gpu>,
}

/// Fetches, on this thread. The error says what to do.
pub fn pull(
    config: &Config,
    wanted: &Wanted,
    wishes: watch::Receiver<Wish>,
    mut tell: impl FnMut(Progress),
) -> Result<Pulled, String> {
    let folder = paths::models_folder(config)
        .ok_or("no home folder is known for models; set [library] folder in the config file")?;
    let order = Order {
        target: target(&wanted.what)?,
        folder,
        room: room(&wanted.gpus),
        projector: wanted.projector,
    };
    block_on(async {
        let hub = Hub::new(settings()?, Pace::default())?;
        let (events, mut progress) = mpsc::unbounded_channel();
        let pull = hub.pull(&order, paths::free_space, wishes, events);
        let tell = async {
            while let Some(event) = progress.recv().await {
                tell(event);
            }
        };
        let (pulled, ()) = tokio::join!(pull, tell);
        pulled
    })
}

/// What is written: a name of the catalog, or what the hub knows.
pub fn target(what: &str) -> Result<Target, String> {
    let catalog = models::catalog();
    let entry = catalog
        .iter()
        .find(|entry| entry.name.eq_ignore_ascii_case(what.trim()));
    let what = entry.map_or_else(|| what.to_string(), |entry| entry.reference());
    Target::parse(&what).map_err(|e| e.to_string())
}

/// Repositories on the hub whose names have these words.
pub fn search(text: &str, limit: usize) -> Result<Vec<FoundRepo>, String> {
    block_on(async {
        let hub = Hub::new(settings()?, Pace::default())?;
        hub.search(text, limit).await
    })
}

fn settings() -> Result<Settings, HubError> {
    let variable = |name: &str| -> Option<OsString> { std::env::var_os(name) };
    Settings::from(&paths::home(), variable)
}

/// Deletes a model of Parlor's own folder; of one that is being fetched, what
/// came so far, unless it is being fetched now.
pub fn remove(config: &Config, model: &FoundModel) -> Result<Vec<PathBuf>, String> {
    let own = paths::models_folder(config).ok_or("no home folder is known for models")?;
    let part = model.path.extension().is_some_and(|e| e == "part");
    if part && model.path.starts_with(&own) {
        let whole = model.path.with_extension("");
        hub::discard(&whole).map_err(|e| e.to_string())?;
        return Ok(vec![model.path.clone()]);
    }
    models::remove(model, &own).map_err(|e| e.to_string())
}

/// The memory that a model's weights may take here.
pub fn room(gpus: &[Gpu]) -> Room {
    let less = |bytes: u64| bytes - bytes / BESIDE;
    let memory = less(machine::machine(Vec::new()).memory);
    // Memory that is shared counts once.
    let own = gpus.iter().filter(|g| !g.shared);
    let gpu = less(own.map(|g| g.free).sum());
    Room {
        fits: if gpu > 0 { gpu } else { memory },
        most: memory + gpu,
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, HubError>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("cannot start the asynchronous runtime: {e}"))?;
    runtime.block_on(work).map_err(|e| e.to_string())
}
