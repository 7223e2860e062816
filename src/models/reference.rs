//! What a person writes to name a model.

use super::name;
use crate::protocol::library::STARTER;
use std::path::{Path, PathBuf};

/// A model as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// The model inside the program.
    Starter,
    /// A file; `~/` is already the home folder.
    Path(PathBuf),
    /// A repository on the hub.
    Hub {
        /// `owner/repo`.
        repo: String,
        /// A quantization, such as `Q4_K_M`, or a file there by its path, which
        /// ends in `.gguf`.
        pick: Option<String>,
    },
    /// A model of Ollama's.
    Ollama {
        /// With namespace and host as far as they were written.
        name: String,
        /// `latest` when none was written.
        tag: String,
    },
    /// A name, or words of one.
    Name(String),
}

/// Where the hub is, as people write it.
const HUB: &[&str] = &[
    "https://huggingface.co/",
    "https://www.huggingface.co/",
    "http://huggingface.co/",
    "https://hf.co/",
    "http://hf.co/",
    "huggingface.co/",
    "hf.co/",
    "hf://",
    "hf:",
];

impl Reference {
    /// Reads a reference, in this order: `starter`; a path by its beginning,
    /// or of a file that is there; `ollama:NAME[:TAG]`; `hf:OWNER/REPO[:QUANT]`
    /// or an address on the hub; `OWNER/REPO[:QUANT]` or `OWNER/REPO/FILE.gguf`;
    /// a file by its ending; else a name. Nothing is no reference: it becomes an empty name.
    pub fn parse(text: &str, home: &Path) -> Self {
        let text = text.trim();
        if text.eq_ignore_ascii_case(STARTER) {
            return Self::Starter;
        }
        if begins_as_path(text) || Path::new(text).is_file() {
            return Self::Path(expanded(text, home));
        }
        if let Some(rest) = text.strip_prefix("ollama:").filter(|r| !r.is_empty()) {
            return ollama(rest);
        }
        let address = HUB.iter().find_map(|hub| text.strip_prefix(hub));
        if let Some(found) = address.and_then(hub) {
            return found;
        }
        if let Some(found) = owned(text) {
            return found;
        }
        if text.to_lowercase().ends_with(".gguf") {
            return Self::Path(text.into());
        }
        Self::Name(text.into())
    }
}

/// `/x`, `./x`, `../x`, `~/x`, and the same on Windows.
fn begins_as_path(text: &str) -> bool {
    let mut letters = text.chars();
    let drive = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.next() == Some(':')
        && matches!(letters.next(), Some('\\' | '/'));
    let starts = ["/", "\\", "./", "../", "~/", ".\\", "..\\", "~\\"];
    drive || starts.iter().any(|s| text.starts_with(s)) || ["~", ".", ".."].contains(&text)
}

fn expanded(text: &str, home: &Path) -> PathBuf {
    match text.strip_prefix('~') {
        Some("") => home.to_path_buf(),
        Some(rest) if rest.starts_with(['/', '\\']) => home.join(&rest[1..]),
        _ => text.into(),
    }
}

fn ollama(text: &str) -> Reference {
    // A host may have a port: a tag is behind the last slash.
    let last = text.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match text[last..].rfind(':') {
        Some(at) => (&text[..last + at], &text[last + at + 1..]),
        None => (text, ""),
    };
    Reference::Ollama {
        name: name.into(),
        tag: if tag.is_empty() { "latest" } else { tag }.into(),
    }
}

/// The rest of an address: a repository, perhaps with a revision and a file.
fn hub(text: &str) -> Option<Reference> {
    let text = text.split(['?', '#']).next().unwrap_or(text);
    let text = text.trim_end_matches('/');
    let pieces: Vec<&str> = text.splitn(5, '/').collect();
    match pieces.as_slice() {
        [owner, repo, "resolve" | "blob" | "raw", _, file] => {
            owned(&format!("{owner}/{repo}/{file}"))
        }
        [owner, repo, "tree", ..] => owned(&format!("{owner}/{repo}")),
        _ => owned(text),
    }
}

/// `OWNER/REPO`, `OWNER/REPO:QUANT` or `OWNER/REPO/FILE.gguf`, where FILE may
/// be in folders, and nothing else. `:latest` is as good as nothing.
fn owned(text: &str) -> Option<Reference> {
    let (owner, rest) = text.split_once('/')?;
    let (repo, pick) = if let Some((repo, file)) = rest.split_once('/') {
        let sound = file.split('/').all(|p| !["", ".", ".."].contains(&p));
        sound.then_some(())?;
        name::stem(file)?;
        (repo, Some(file))
    } else if let Some((repo, quant)) = rest.split_once(':') {
        good(quant).then_some(())?;
        (repo, Some(quant).filter(|q| *q != "latest"))
    } else {
        (rest, None)
    };
    (good(owner) && good(repo)).then(|| Reference::Hub {
        repo: format!("{owner}/{repo}"),
        pick: pick.map(String::from),
    })
}

fn good(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
