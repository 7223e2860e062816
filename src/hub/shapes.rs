//! The hub's answers, as `huggingface_hub` and llama.cpp read them.

use crate::protocol::hub::{FoundRepo, RemoteFile};
use serde::Deserialize;

/// `false`, or `"auto"` and `"manual"`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Gate {
    Plain(bool),
    How(String),
}

impl Gate {
    pub fn is_gated(&self) -> bool {
        match self {
            Gate::Plain(gated) => *gated,
            Gate::How(how) => !how.is_empty(),
        }
    }
}

impl Default for Gate {
    fn default() -> Gate {
        Gate::Plain(false)
    }
}

/// A repository at a revision.
#[derive(Deserialize)]
pub(super) struct Info {
    /// The commit.
    pub sha: String,
    #[serde(default)]
    pub gated: Gate,
}

/// One line of a search.
#[derive(Deserialize)]
pub(super) struct FoundModel {
    id: String,
    #[serde(default)]
    downloads: u64,
    #[serde(default)]
    likes: u64,
    #[serde(default)]
    gated: Gate,
    #[serde(default)]
    gguf: Option<Header>,
}

/// What the hub read in the GGUF file.
#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    total: Option<u64>,
}

impl FoundModel {
    pub fn into_repo(self) -> FoundRepo {
        FoundRepo {
            gated: self.gated.is_gated(),
            repo: self.id,
            downloads: self.downloads,
            likes: self.likes,
            parameters: self.gguf.and_then(|g| g.total),
        }
    }
}

/// One line of `tree`.
#[derive(Deserialize)]
pub(super) struct Entry {
    r#type: String,
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    lfs: Option<Lfs>,
}

/// For a large file: its SHA-256 and its true size.
#[derive(Deserialize)]
struct Lfs {
    oid: String,
    size: Option<u64>,
}

impl Entry {
    pub fn into_file(self) -> Option<RemoteFile> {
        let size = self.lfs.as_ref().and_then(|l| l.size).unwrap_or(self.size);
        (self.r#type == "file").then(|| RemoteFile {
            path: self.path,
            size,
            sha256: self.lfs.and_then(|l| sha256(&l.oid)),
        })
    }
}

/// A digest as it should be: 64 hexadecimal digits, in lower case.
pub(super) fn sha256(text: &str) -> Option<String> {
    let good = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| text.to_ascii_lowercase())
}
