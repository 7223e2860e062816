//! The memory that models can have on this machine, as it is now.

use super::{Config, paths, spec};
use crate::models::{self, record::Record};
use crate::protocol::library::{FoundModel, Gpu, Listed, Machine};
use crate::protocol::tuning::Tuning;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Memory that is free now, and these GPUs.
pub fn machine(gpus: Vec<Gpu>) -> Machine {
    Machine {
        memory: crate::fit::available_memory(),
        gpus,
        ..Machine::default()
    }
}

/// Where it is written what was learned by use.
fn record_file() -> Option<PathBuf> {
    paths::state_folder().map(|folder| folder.join("models.json"))
}

pub fn record() -> Record {
    record_file().map_or_else(Record::default, |file| Record::load(&file))
}

/// Changes what was learned. That it cannot be written costs only a guess.
pub fn learn(change: impl FnOnce(&mut Record)) {
    if let Some(file) = record_file() {
        let mut record = Record::load(&file);
        change(&mut record);
        if let Err(error) = record.save(&file) {
            tracing::warn!("{} cannot be written: {error}", file.display());
        }
    }
}

pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Every model on this machine, with its verdict.
pub fn library(config: &Config, gpus: Vec<Gpu>) -> Vec<Listed> {
    let tuning = |model: &FoundModel| tuning(config, model);
    models::list(spec::scan(config), &machine(gpus), &record(), tuning)
}

/// How the file has this model loaded.
pub fn tuning(config: &Config, model: &FoundModel) -> Tuning {
    let loaded = spec::load(config, &spec::Named::found(model), &spec::Said::default());
    loaded.map_or_else(|_| config.engine.clone(), |spec| spec.tuning)
}
