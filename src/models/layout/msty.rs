//! Msty's models: a store of Ollama's kind, and for its llama.cpp plain files
//! in `models-llamacpp/OWNER/REPO`.
//!
//! Msty is closed and documents no layout. That `models` is a store of
//! Ollama's kind is told by its guide to replacing `msty-local` with the
//! `ollama` program, and done so by other programs that look there.

use super::ollama;
use crate::models::candidate::Candidate;
use crate::models::{gather, walk};
use crate::protocol::library::Source;
use std::path::Path;

pub(in crate::models) fn find(root: &Path) -> Vec<Candidate> {
    let mut found = ollama::find(root, Source::Msty);
    let groups = gather::groups(walk::files(root, walk::DEPTH)).into_iter();
    found.extend(groups.map(|group| {
        let path = group.files().next().unwrap_or(root);
        let repo = super::repo_of(&walk::below(root, path));
        let name = group.base.clone();
        group.candidate(&name, Source::Msty, root, repo)
    }));
    found
}
