//! Where models may be: a folder or more for each program that keeps some.

use super::usual::Usual;
use crate::protocol::library::Source;
use std::path::{Path, PathBuf};

/// Where to look. A folder that is not there does no harm.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Places {
    /// Parlor's own folder of models.
    pub own: PathBuf,
    /// The folder that the program was started in; folders within it are not
    /// looked into.
    pub here: PathBuf,
    /// Folders that the config names, and `~/models`, with folders inside.
    pub folders: Vec<PathBuf>,
    /// Hub caches: each holds `models--OWNER--REPO`.
    pub hugging_face: Vec<PathBuf>,
    pub llama_cpp: Vec<PathBuf>,
    /// LM Studio's `models`.
    pub lm_studio: Vec<PathBuf>,
    /// Stores: each holds `manifests` and `blobs`.
    pub ollama: Vec<PathBuf>,
    pub gpt4all: Vec<PathBuf>,
    /// Jan's data folders.
    pub jan: Vec<PathBuf>,
    pub msty: Vec<PathBuf>,
}

impl Places {
    /// The usual places under a home folder, what the environment names, and
    /// what settings of other programs name. `own` stays empty, for that is
    /// told by Parlor's own settings; `folders` holds `~/models`.
    pub fn usual(home: &Path, here: PathBuf, variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let usual = Usual::here(home, &variable);
        Self {
            here,
            ..usual.places()
        }
    }

    /// Every place, whose it is, and whether there is a folder.
    pub fn list(&self) -> Vec<(Source, PathBuf, bool)> {
        let of = |source, folders: &[PathBuf]| {
            let row = |folder: &PathBuf| (source, folder.clone(), folder.is_dir());
            folders.iter().map(row).collect::<Vec<_>>()
        };
        let mut rows = of(Source::Parlor, std::slice::from_ref(&self.own));
        rows.extend(of(Source::Folder, &self.folders));
        rows.extend(of(Source::Folder, std::slice::from_ref(&self.here)));
        rows.extend(of(Source::HuggingFace, &self.hugging_face));
        rows.extend(of(Source::LlamaCpp, &self.llama_cpp));
        rows.extend(of(Source::LmStudio, &self.lm_studio));
        rows.extend(of(Source::Ollama, &self.ollama));
        rows.extend(of(Source::Gpt4All, &self.gpt4all));
        rows.extend(of(Source::Jan, &self.jan));
        rows.extend(of(Source::Msty, &self.msty));
        rows.retain(|(_, folder, _)| !folder.as_os_str().is_empty());
        rows
    }
}
