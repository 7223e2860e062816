//! Where Parlor keeps its files.

use super::Config;
use crate::models::Places;
use directories::{BaseDirs, ProjectDirs};
use std::path::{Path, PathBuf};

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "parlor")
}

/// The configuration file: `PARLOR_CONFIG`, or the system's usual place.
pub fn config_file() -> Option<PathBuf> {
    match std::env::var_os("PARLOR_CONFIG") {
        Some(path) if !path.is_empty() => Some(path.into()),
        _ => project().map(|p| p.config_dir().join("config.toml")),
    }
}

/// The folder for logs.
pub fn state_folder() -> Option<PathBuf> {
    project().map(|p| {
        p.state_dir()
            .unwrap_or_else(|| p.data_local_dir())
            .to_path_buf()
    })
}

/// The folder for what Parlor keeps and can make again, such as the starter.
pub fn data_folder() -> Option<PathBuf> {
    project().map(|p| p.data_local_dir().to_path_buf())
}

/// Free bytes on the disk that holds a folder, or will once it is made.
#[cfg(unix)]
pub fn free_space(folder: &Path) -> u64 {
    let there = folder.ancestors().find(|f| f.exists());
    let disk = there.and_then(|f| rustix::fs::statvfs(f).ok());
    disk.map_or(0, |d| d.f_bavail.saturating_mul(d.f_frsize))
}

/// Not looked up here: the limit alone holds.
#[cfg(not(unix))]
pub fn free_space(_: &Path) -> u64 {
    u64::MAX
}

/// The person's home folder; empty where none is known.
pub fn home() -> PathBuf {
    BaseDirs::new().map_or_else(PathBuf::new, |dirs| dirs.home_dir().to_path_buf())
}

/// A variable of the environment, where it is set to something.
pub fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
}

/// Parlor's own folder of models.
pub fn models_folder(config: &Config) -> Option<PathBuf> {
    let own = config.library.folder.clone();
    own.or_else(|| data_folder().map(|folder| folder.join("models")))
}

/// Where models are kept.
pub fn places(config: &Config) -> Places {
    let here = std::env::current_dir().unwrap_or_default();
    let mut places = Places::usual(&home(), here, variable);
    if let Some(own) = models_folder(config) {
        places.own = own;
    }
    places
        .folders
        .extend(config.library.folders.iter().cloned());
    places
}

/// The engine's log.
pub fn engine_log() -> Option<PathBuf> {
    state_folder().map(|folder| folder.join("engine.log"))
}

/// `~/x` as the home folder's x; anything else as it is.
pub fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), BaseDirs::new()) {
        (Ok(rest), Some(dirs)) => dirs.home_dir().join(rest),
        _ => path.to_path_buf(),
    }
}
