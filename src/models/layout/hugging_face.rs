//! The hub's cache: `models--OWNER--REPO/snapshots/REVISION/FILE` are links to
//! `blobs`, and `refs/main` names the revision in use.
//!
//! Documented at <https://huggingface.co/docs/hub/local-cache>. Where links
//! cannot be made, the files themselves are in `snapshots`. A blob that is
//! being fetched ends in `.incomplete` (`file_download.py` of
//! <https://github.com/huggingface/huggingface_hub>), and nothing tells which
//! file it will be. Where the folder is: `constants.py` there.

use crate::models::candidate::Candidate;
use crate::models::{gather, walk};
use crate::protocol::library::Source;
use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders below a revision, as deep as repositories have them.
const DEPTH: usize = 4;

pub(in crate::models) fn find(root: &Path, source: Source) -> Vec<Candidate> {
    let mut found = Vec::new();
    for folder in walk::folders(root) {
        let name = walk::file_name(&folder);
        if let Some(repo) = name.strip_prefix("models--") {
            found.extend(models(&folder, &repo.replacen("--", "/", 1), source, root));
        }
    }
    found
}

/// The models of one repository. A file that two revisions share comes twice.
fn models(folder: &Path, repo: &str, source: Source, root: &Path) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    // What each name stands for in the newest revision that has it.
    let mut newest: HashMap<String, Option<PathBuf>> = HashMap::new();
    for revision in revisions(folder) {
        for group in gather::groups(walk::files(&revision, DEPTH)) {
            let path = group.files().next().unwrap_or(&revision).to_path_buf();
            let key = walk::below(&revision, &path).join("/");
            let real = fs::canonicalize(&path).ok();
            let mut name = group.base.clone();
            match newest.get(&key) {
                // A link that leads nowhere says nothing where a newer
                // revision has the file.
                Some(_) if real.is_none() => continue,
                Some(known) if *known != real => {
                    let short: String = walk::file_name(&revision).chars().take(7).collect();
                    name = format!("{name}@{short}");
                }
                Some(_) => {}
                None => {
                    newest.insert(key, real.clone());
                }
            }
            found.push(group.candidate(&name, source, root, Some(repo.into())));
        }
    }
    found.extend(unfinished(folder, repo, source, root));
    found
}

/// The revisions, the one in use first, then the youngest.
fn revisions(folder: &Path) -> Vec<PathBuf> {
    let main = walk::text(&folder.join("refs/main")).unwrap_or_default();
    let main = folder.join("snapshots").join(main.trim());
    let age = |path: &PathBuf| {
        fs::metadata(path)
            .and_then(|m| m.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let mut revisions = walk::folders(&folder.join("snapshots"));
    revisions.sort_by_key(|path| (*path == main, age(path)));
    revisions.reverse();
    revisions
}

/// Blobs that are being fetched and begin as GGUF does: most of what the
/// cache holds is of other kinds.
fn unfinished(folder: &Path, repo: &str, source: Source, root: &Path) -> Vec<Candidate> {
    let files = walk::files(&folder.join("blobs"), 0).into_iter();
    let begun =
        files.filter(|path| walk::file_name(path).ends_with(".incomplete") && is_gguf(path));
    let models = begun.map(|path| {
        let name = repo.rsplit('/').next().unwrap_or(repo);
        let size = fs::metadata(&path).map_or(0, |m| m.len());
        let problem = gather::not_whole(size, None, source, Some(repo), None);
        let mut model = Candidate::whole(name, &path, source, root);
        model.repo = Some(repo.into());
        model.problem = Some(problem);
        model
    });
    models.collect()
}

/// Whether a file begins as a GGUF does.
pub(super) fn is_gguf(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && &start == b"GGUF"
}
