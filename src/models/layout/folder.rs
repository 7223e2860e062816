//! Folders of plain files: Parlor's own, those that the config names, and the
//! one that the program was started in.
//!
//! Parlor's own is `OWNER/REPO/FILE.gguf`, with folders below REPO as the
//! repository has them, or `FILE.gguf`. A file that is being fetched ends in
//! `.gguf.part`; `FILE.gguf.part.json` beside it tells how far it is.

use crate::models::candidate::Candidate;
use crate::models::{gather, walk};
use crate::protocol::library::Source;
use std::path::Path;

pub(in crate::models) fn own(root: &Path) -> Vec<Candidate> {
    find(root, walk::DEPTH, Source::Parlor)
}

/// A folder with whatever folders are in it.
pub(in crate::models) fn any(root: &Path) -> Vec<Candidate> {
    find(root, walk::DEPTH, Source::Folder)
}

/// A folder without the folders in it.
pub(in crate::models) fn flat(root: &Path) -> Vec<Candidate> {
    find(root, 0, Source::Folder)
}

fn find(root: &Path, depth: usize, source: Source) -> Vec<Candidate> {
    let groups = gather::groups(walk::files(root, depth)).into_iter();
    let models = groups.map(|group| {
        let path = group.files().next().unwrap_or(root);
        // In a folder of somebody's own, names of folders mean nothing sure.
        let repo = match source {
            Source::Parlor => super::repo_of(&walk::below(root, path)),
            _ => None,
        };
        let name = group.base.clone();
        group.candidate(&name, source, root, repo)
    });
    models.collect()
}
