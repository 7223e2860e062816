//! llama.cpp's own cache: one flat folder, where the repository is part of a
//! file's name; and, in newer versions, the hub's layout in the same folder.
//!
//! From <https://github.com/ggml-org/llama.cpp>: the folder is `LLAMA_CACHE`
//! or one per system (`common/common.cpp`, `fs_get_cache_directory`). Up to
//! March 2026 a file of `-hf OWNER/REPO` was `OWNER_REPO_FILE.gguf` there, with
//! `/` in FILE as `_`, beside `manifest=OWNER=REPO=TAG.json` and
//! `….gguf.etag` (pull requests 19828 and 20775; `common/hf-cache.cpp` of that
//! time, `make_old_cache_filename`); older still, `….gguf.json` held the
//! `url`. `….downloadInProgress` is being fetched (`common/download.cpp`).
//! Since pull request 21009 `LLAMA_CACHE` also names the folder for the hub's
//! layout (`common/hf-cache.cpp`, `get_cache_directory`).

use crate::models::candidate::Candidate;
use crate::models::reference::Reference;
use crate::models::{gather, walk};
use crate::protocol::library::Source;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(in crate::models) fn find(root: &Path) -> Vec<Candidate> {
    let mut found = super::hugging_face::find(root, Source::LlamaCpp);
    let files = walk::files(root, 0);
    let repos = manifests(&files);
    let models = gather::groups(files).into_iter().map(|group| {
        let (repo, name) = named(&group, &repos);
        group.candidate(&name, Source::LlamaCpp, root, repo)
    });
    found.extend(models);
    found
}

/// Owner and name of each repository that a manifest is named after; the
/// longest first, since one may begin like another.
fn manifests(files: &[PathBuf]) -> Vec<(String, String)> {
    let repo = |path: &PathBuf| {
        let file = walk::file_name(path);
        let rest = file.strip_prefix("manifest=")?.strip_suffix(".json")?;
        let mut pieces = rest.splitn(3, '=');
        let (owner, repo) = (pieces.next()?, pieces.next()?);
        pieces.next()?;
        Some((owner.to_string(), repo.to_string()))
    };
    let mut repos: Vec<_> = files.iter().filter_map(repo).collect();
    repos.sort_by_key(|(owner, repo)| std::cmp::Reverse(owner.len() + repo.len()));
    repos
}

fn named(group: &gather::Group, repos: &[(String, String)]) -> (Option<String>, String) {
    let of_manifest = repos.iter().find_map(|(owner, repo)| {
        let rest = group.base.strip_prefix(&format!("{owner}_{repo}_"))?;
        Some((format!("{owner}/{repo}"), rest))
    });
    let from = of_manifest.map(|(repo, name)| (Some(repo), name.to_string()));
    from.or_else(|| of_address(group))
        .unwrap_or_else(|| (None, group.base.clone()))
}

/// By the address in the note that older versions wrote beside a file.
fn of_address(group: &gather::Group) -> Option<(Option<String>, String)> {
    let mut note = group.files().next()?.as_os_str().to_owned();
    note.push(".json");
    let note: Value = serde_json::from_str(&walk::text(Path::new(&note))?).ok()?;
    let Reference::Hub { repo, .. } = Reference::parse(note["url"].as_str()?, Path::new("")) else {
        return None;
    };
    let prefix = format!("{}_", repo.replace('/', "_"));
    let name = group.base.strip_prefix(&prefix).unwrap_or(&group.base);
    Some((Some(repo), name.to_string()))
}
