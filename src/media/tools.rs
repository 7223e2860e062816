//! The programs ffmpeg and ffprobe, which read what is not read here: film,
//! AVIF and HEIC, and rarer sounds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Said wherever ffmpeg is missing.
pub(super) const HOW_TO_INSTALL: &str = if cfg!(target_os = "macos") {
    "install it with `brew install ffmpeg`"
} else if cfg!(windows) {
    "install it with `winget install ffmpeg`"
} else {
    "install it with your system's packages (`apt install ffmpeg`, `dnf install ffmpeg`, `pacman -S ffmpeg`)"
};

/// Where the programs are: names are looked for in PATH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
        }
    }
}

/// Whether both programs start. Runs them, so ask once and remember.
pub fn ffmpeg_there(tools: &Tools) -> bool {
    starts(&tools.ffmpeg) && starts(&tools.ffprobe)
}

fn starts(program: &Path) -> bool {
    Command::new(program)
        .arg("-version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
