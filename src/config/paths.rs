//! Where Parlor keeps its files.

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
