//! Jan's models: in its data folder, `llamacpp/models/ID/model.yml` names the
//! files; in versions before, `models/ID/model.json` does, or nothing.
//!
//! From <https://github.com/janhq/jan>: `extensions/llamacpp-extension/src/
//! index.ts` (`model_path` and `mmproj_path` are absolute, or below the data
//! folder; ID may have slashes), `docs/src/pages/docs/desktop/data-folder.mdx`,
//! `core/src/types/model/modelEntity.ts` (`model.json`), and for the data
//! folder `src-tauri/src/core/app/commands.rs`: `JAN_DATA_FOLDER`, or
//! `data_folder` of `Jan/settings.json`, or `Jan/data`.

use crate::models::candidate::Candidate;
use crate::models::{gather, name, walk};
use crate::protocol::library::Source;
use serde_json::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The data folder that the settings name.
pub(in crate::models) fn set(settings: &Path) -> Option<PathBuf> {
    let value: Value = serde_json::from_str(&walk::text(settings)?).ok()?;
    let path = PathBuf::from(value["data_folder"].as_str()?);
    path.is_absolute().then_some(path)
}

pub(in crate::models) fn find(root: &Path) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut loose = Vec::new();
    for models in [root.join("llamacpp/models"), root.join("models")] {
        for path in walk::files(&models, walk::DEPTH) {
            match walk::file_name(&path).as_str() {
                "model.yml" => found.extend(of_yaml(root, &models, &path)),
                "model.json" => found.extend(of_json(root, &models, &path)),
                _ => loose.push(path),
            }
        }
    }
    // What no description names stands for itself.
    let named = found
        .iter()
        .flat_map(|m: &Candidate| m.parts.iter().chain(&m.projector));
    let named: HashSet<PathBuf> = named.cloned().collect();
    loose.retain(|path| !named.contains(path));
    found.extend(gather::groups(loose).into_iter().map(|group| {
        let name = group.base.clone();
        let path = group.files().next().unwrap_or(root);
        let hub = root.join("models/huggingface.co");
        let repo = super::repo_of(&walk::below(&hub, path));
        group.candidate(&name, Source::Jan, root, repo)
    }));
    found
}

fn of_yaml(root: &Path, models: &Path, description: &Path) -> Option<Candidate> {
    let text = walk::text(description)?;
    let path = root.join(field(&text, "model_path")?);
    let id = id(models, description)?;
    let mut model = with_parts(&id, &path, root);
    model.projector = field(&text, "mmproj_path")
        .map(|p| root.join(p))
        .filter(|p| p.is_file());
    let is_repo = id.split('/').count() == 2;
    model.repo = is_repo.then_some(id);
    Some(model)
}

fn of_json(root: &Path, models: &Path, description: &Path) -> Option<Candidate> {
    let value: Value = serde_json::from_str(&walk::text(description)?).ok()?;
    let settings = &value["settings"];
    let set = settings["llama_model_path"]
        .as_str()
        .or_else(|| settings["model_path"].as_str());
    // A model of a server elsewhere has no file.
    let file = set.or_else(|| value["sources"][0]["filename"].as_str())?;
    let folder = description.parent()?;
    let path = folder.join(file);
    name::stem(&walk::file_name(&path))?;
    let id = value["id"]
        .as_str()
        .map(str::to_string)
        .or_else(|| id(models, description))?;
    let mut model = with_parts(&id, &path, root);
    model.projector = settings["mmproj"]
        .as_str()
        .map(|p| folder.join(p))
        .filter(|p| p.is_file());
    Some(model)
}

/// The folders that lead to a description.
fn id(models: &Path, description: &Path) -> Option<String> {
    let id = walk::below(models, description.parent()?).join("/");
    (!id.is_empty()).then_some(id)
}

/// A model whose first file is known: the other parts are beside it.
fn with_parts(id: &str, path: &Path, root: &Path) -> Candidate {
    let beside = walk::files(path.parent().unwrap_or(root), 0);
    let groups = gather::groups(beside).into_iter();
    let mut same = groups.filter(|group| group.files().any(|file| file == path));
    match same.next() {
        Some(group) => group.candidate(id, Source::Jan, root, None),
        None => Candidate::whole(id, path, Source::Jan, root),
    }
}

/// The value of a key at the top of a YAML file, which Jan writes flat.
fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut lines = text.lines();
    let value = lines
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?
        .trim();
    let quoted = |quote: char| {
        value
            .strip_prefix(quote)
            .and_then(|v| v.strip_suffix(quote))
    };
    let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
    (!value.is_empty() && value != "null").then_some(value)
}
