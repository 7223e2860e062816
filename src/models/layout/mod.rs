//! The ways in which programs keep their models, one file each.

pub(super) mod folder;
pub(super) mod gpt4all;
pub(super) mod hugging_face;
pub(super) mod jan;
pub(super) mod llama_cpp;
pub(super) mod lm_studio;
pub(super) mod msty;
pub(super) mod ollama;

use super::candidate::Candidate;
use super::places::Places;
use crate::protocol::library::Source;
use std::path::Path;

/// What every program keeps, unopened. One file may come several times.
pub(super) fn all(places: &Places) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut add = |more: Vec<Candidate>| found.extend(more);
    add(folder::own(&places.own));
    places
        .ollama
        .iter()
        .for_each(|p| add(ollama::find(p, Source::Ollama)));
    places.msty.iter().for_each(|p| add(msty::find(p)));
    let hub = |p: &Path| hugging_face::find(p, Source::HuggingFace);
    places.hugging_face.iter().for_each(|p| add(hub(p)));
    places
        .llama_cpp
        .iter()
        .for_each(|p| add(llama_cpp::find(p)));
    places
        .lm_studio
        .iter()
        .for_each(|p| add(lm_studio::find(p)));
    places.jan.iter().for_each(|p| add(jan::find(p)));
    places.gpt4all.iter().for_each(|p| add(gpt4all::find(p)));
    places.folders.iter().for_each(|p| add(folder::any(p)));
    add(folder::flat(&places.here));
    found
}

/// `owner/repo` from the first two of the components that lead to a file.
fn repo_of(components: &[String]) -> Option<String> {
    match components {
        [owner, repo, _, ..] => Some(format!("{owner}/{repo}")),
        _ => None,
    }
}
