//! What the UI sees of the hub: search results, choices, progress, outcomes.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A repository that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRepo {
    /// `owner/repo`.
    pub repo: String,
    /// Downloads of the last month, as the hub counts them.
    pub downloads: u64,
    pub likes: u64,
    /// Its owner asks for a licence to be accepted first.
    pub gated: bool,
    /// Numbers in the model, where the hub tells.
    pub parameters: Option<u64>,
}

impl FoundRepo {
    /// Bytes of the model at Q4_K_M, the usual choice: about 4.9 bits a number.
    pub fn usual_size(&self) -> Option<u64> {
        self.parameters.map(|n| n * 49 / 80)
    }
}

/// A file in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFile {
    /// Path inside the repository, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// 64 lower-case hexadecimal digits, where the hub tells.
    pub sha256: Option<String>,
}

/// The files of a repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// `owner/repo`.
    pub repo: String,
    /// The commit, by which the files are asked for.
    pub commit: String,
    pub gated: bool,
    pub files: Vec<RemoteFile>,
}

/// The memory that a model may take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// What fits wholly in the fastest memory.
    pub fits: u64,
    /// What fits at all.
    pub most: u64,
}

/// The model that was chosen from a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// For instance `Q4_K_M`; the file's name where it tells no quantization.
    pub quant: String,
    /// One sentence for the person.
    pub why: String,
    /// All parts, first part first.
    pub files: Vec<RemoteFile>,
    /// Bytes of `files`.
    pub size: u64,
    /// The projector that belongs to the model.
    pub projector: Option<RemoteFile>,
}

/// How far a pull is. About ten of these come in a second, at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Name of the file at hand; empty while looking.
    pub name: String,
    /// Which file, counted from 1; 0 while looking.
    pub file: usize,
    pub files: usize,
    /// Bytes of all files. Falls only at [`Phase::Restarting`].
    pub done: u64,
    /// Bytes of all files; 0 while unknown.
    pub total: u64,
    /// Bytes per second, smoothed over some seconds.
    pub speed: u64,
    /// Seconds to the end at this speed; `None` while unknown.
    pub left: Option<u64>,
    pub phase: Phase,
}

/// What a pull is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Asking what there is.
    Looking,
    /// The model to be downloaded is known.
    Chosen(Choice),
    Downloading,
    Paused,
    /// Reading what came, for its digest; bytes of this file.
    Checking {
        done: u64,
        total: u64,
    },
    /// A connection failed, and is tried again.
    Retrying {
        why: String,
        /// Milliseconds until then.
        wait: u64,
    },
    /// What was there of the file is worth nothing: from the start again.
    Restarting {
        why: String,
    },
    Done,
}

/// What the person wants of a running pull.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wish {
    #[default]
    Run,
    /// Connections are closed; what came is kept.
    Pause,
    /// The pull ends; what came is kept, and a later pull goes on from there.
    Cancel,
}

/// What a finished pull left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// All parts of the model; the first is the one to load.
    pub files: Vec<PathBuf>,
    pub projector: Option<PathBuf>,
    /// Bytes of all files.
    pub size: u64,
    /// Everything was here before; nothing was downloaded.
    pub already: bool,
    pub checked: Checked,
    /// Why this model was chosen; empty where a file was named.
    pub why: String,
}

/// How surely the files are the right ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checked {
    /// Every byte, by the hub's SHA-256.
    Digest,
    /// Not checked against a digest: only length and kind.
    Length,
}
