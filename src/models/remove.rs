//! Removes a model's files, where they are Parlor's own to remove.

use super::candidate::program;
use crate::protocol::library::{FoundModel, Source};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a model was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// Its files are in a folder of another program or of the person's own.
    #[error("{name} is not Parlor's to remove: it is at {path}, {whose}")]
    Elsewhere {
        name: String,
        path: String,
        whose: String,
    },
    /// A link in Parlor's folder: what it leads to may be in use elsewhere.
    #[error(
        "{link} is a link to {target}, so nothing was removed; remove the link by hand if you do not want it"
    )]
    Link { link: String, target: String },
    /// Some of its files may be gone by then.
    #[error("{path} cannot be removed: {source}; see to its permissions and try again")]
    Disk { path: String, source: io::Error },
}

/// Endings of the files that the downloader keeps beside a model's.
const BESIDE: &[&str] = &[
    ".part",
    ".part.json",
    ".part.json.new",
    // Beside a `.part`.
    ".json",
    ".json.new",
];

/// Removes all files of a model and what is kept beside them, and folders
/// within `own`, Parlor's folder of models, that become empty. Returns the
/// files that were removed. Nothing is, unless every file really is in `own`.
pub fn remove(model: &FoundModel, own: &Path) -> Result<Vec<PathBuf>, RemoveError> {
    let elsewhere = |path: &Path| RemoveError::Elsewhere {
        name: model.name.clone(),
        path: path.display().to_string(),
        whose: whose(model),
    };
    let root = fs::canonicalize(own).map_err(|_| elsewhere(&model.path))?;
    let mut files = Vec::new();
    for part in &model.parts {
        files.push(inside(part, &root, &elsewhere)?);
    }
    let beside: Vec<PathBuf> = files.iter().flat_map(|f| sidecars(f)).collect();
    files.extend(beside);
    for file in &files {
        fs::remove_file(file).map_err(|source| RemoveError::Disk {
            path: file.display().to_string(),
            source,
        })?;
    }
    files.iter().for_each(|file| tidy(file, &root));
    Ok(files)
}

/// The canonical path of a file that is in the folder.
fn inside(
    part: &Path,
    root: &Path,
    elsewhere: &dyn Fn(&Path) -> RemoveError,
) -> Result<PathBuf, RemoveError> {
    let disk = |source| RemoveError::Disk {
        path: part.display().to_string(),
        source,
    };
    let folder = part.parent().unwrap_or(Path::new(""));
    let folder = fs::canonicalize(folder).map_err(disk)?;
    if !folder.starts_with(root) {
        return Err(elsewhere(part));
    }
    if let Ok(target) = fs::read_link(part) {
        return Err(RemoveError::Link {
            link: part.display().to_string(),
            target: target.display().to_string(),
        });
    }
    let file = folder.join(part.file_name().unwrap_or_default());
    match fs::symlink_metadata(&file) {
        Ok(meta) if meta.is_file() => Ok(file),
        Ok(_) => Err(elsewhere(part)),
        Err(error) => Err(disk(error)),
    }
}

fn sidecars(file: &Path) -> Vec<PathBuf> {
    let with = |ending: &&str| {
        let mut longer = file.as_os_str().to_owned();
        longer.push(ending);
        PathBuf::from(longer)
    };
    let is_file = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|m| m.is_file());
    BESIDE.iter().map(with).filter(is_file).collect()
}

/// Removes the folders above a removed file, up to the first that holds
/// something: that is what `remove_dir` refuses.
fn tidy(file: &Path, root: &Path) {
    let above = file.ancestors().skip(1);
    let within = above.take_while(|folder| *folder != root && folder.starts_with(root));
    for folder in within {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// Whose it is, and how it is removed there.
fn whose(model: &FoundModel) -> String {
    let how = match model.source {
        Source::Parlor => return "outside of Parlor's folder of models".into(),
        Source::Folder => {
            return "a folder of your own; delete the file there if you want to".into();
        }
        Source::Ollama => format!("`ollama rm {}` removes it", model.name),
        Source::HuggingFace => match &model.repo {
            Some(repo) => {
                format!("`hf cache rm model/{repo}` removes it with all of its repository")
            }
            None => "`hf cache rm` removes it".into(),
        },
        Source::LlamaCpp => "delete the file there".into(),
        Source::LmStudio => "remove it under My Models in LM Studio".into(),
        Source::Gpt4All => "remove it under Models in GPT4All".into(),
        Source::Jan => "remove it in Jan's settings, under Llama.cpp".into(),
        Source::Msty => "remove it under Local AI Models in Msty".into(),
    };
    format!("which is {}'s: {how}", program(model.source))
}
