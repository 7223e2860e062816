//! Where Parlor keeps its files.

use crate::models::{Places, starter};
use crate::protocol::library::STARTER;
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

/// Where models are usually kept.
pub fn model_places() -> Places {
    let home = BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf());
    let here = std::env::current_dir().unwrap_or_default();
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    Places::usual(&home.unwrap_or_default(), here, variable)
}

/// The file that a model's name stands for: the starter is written out where
/// it is not yet, anything else is a path. The error says what to do.
pub fn model_file(named: &Path) -> Result<PathBuf, String> {
    if named != Path::new(STARTER) {
        return Ok(expand_home(named));
    }
    let folder = data_folder().ok_or("no home folder is known for the starter; set HOME")?;
    starter::place(&folder).map_err(|e| {
        let folder = folder.display();
        format!("the starter cannot be written to {folder}: {e}; make room there, or set XDG_DATA_HOME to another folder")
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
