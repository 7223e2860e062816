//! What a layout takes for a model, before any file is opened.

use crate::protocol::library::{Extras, Source};
use std::path::{Path, PathBuf};

/// Files that are one model by their names and places.
#[derive(Debug)]
pub(super) struct Candidate {
    pub name: String,
    /// All files that are there, the first part first; never empty.
    pub parts: Vec<PathBuf>,
    pub source: Source,
    /// The folder of the program that keeps it.
    pub root: PathBuf,
    pub repo: Option<String>,
    /// The projector that the program itself gives it.
    pub projector: Option<PathBuf>,
    /// There for stores of Ollama's kind, where one file has several names.
    pub extras: Option<Extras>,
    /// Why it cannot be used, as far as names and places tell.
    pub problem: Option<String>,
}

impl Candidate {
    /// One whole file.
    pub(super) fn whole(name: &str, path: &Path, source: Source, root: &Path) -> Self {
        Self {
            name: name.into(),
            parts: vec![path.to_path_buf()],
            source,
            root: root.to_path_buf(),
            repo: None,
            projector: None,
            extras: None,
            problem: None,
        }
    }
}

/// The order in which sources are believed when they share a file: those that
/// know most about it first.
pub(super) fn rank(source: Source) -> u8 {
    match source {
        Source::Parlor => 0,
        Source::Ollama => 1,
        Source::Msty => 2,
        Source::HuggingFace => 3,
        Source::LlamaCpp => 4,
        Source::LmStudio => 5,
        Source::Jan => 6,
        Source::Gpt4All => 7,
        Source::Folder => 8,
    }
}

/// What the program is called in sentences.
pub(super) fn program(source: Source) -> &'static str {
    match source {
        Source::Folder => "the program that fetched it",
        Source::HuggingFace => "Hugging Face's `hf`",
        other => other.name(),
    }
}
