//! Finds GGUF models in the usual places, without reading more of a file than
//! its first bytes.

use crate::protocol::library::FoundModel;
use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Folders within folders that are looked into.
const DEPTH: usize = 6;
/// More entries than this are not looked at, for a folder may be anything.
const ENTRIES: usize = 20_000;

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The folder that the program was started in; folders within it are not
    /// looked into.
    pub here: PathBuf,
    /// Folders that hold models, with folders inside.
    pub folders: Vec<PathBuf>,
    /// Ollama's folder of models: blobs without names, named by manifests.
    pub ollama: Vec<PathBuf>,
}

impl Places {
    /// The usual places under a home folder, and what the environment names.
    pub fn usual(home: &Path, here: PathBuf, variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let cache = variable("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let hub = variable("HF_HUB_CACHE").unwrap_or_else(|| {
            variable("HF_HOME")
                .unwrap_or_else(|| cache.join("huggingface"))
                .join("hub")
        });
        let ollama = variable("OLLAMA_MODELS").map_or_else(
            || {
                vec![
                    home.join(".ollama/models"),
                    PathBuf::from("/usr/share/ollama/.ollama/models"),
                ]
            },
            |folder| vec![folder],
        );
        Self {
            here,
            folders: vec![
                home.join("models"),
                hub,
                variable("LLAMA_CACHE").unwrap_or_else(|| cache.join("llama.cpp")),
                home.join("Library/Caches/llama.cpp"),
                home.join(".lmstudio/models"),
                cache.join("lm-studio/models"),
            ],
            ollama,
        }
    }
}

/// Every model that is found, each once, by name.
pub fn scan(places: &Places) -> Vec<FoundModel> {
    let mut found = Vec::new();
    let mut left = ENTRIES;
    walk(&places.here, 0, &mut left, &mut found);
    for folder in &places.folders {
        walk(folder, DEPTH, &mut left, &mut found);
    }
    for folder in &places.ollama {
        ollama(folder, &mut found);
    }
    let mut seen = HashSet::new();
    found.retain(|m| seen.insert(fs::canonicalize(&m.path).unwrap_or_else(|_| m.path.clone())));
    found.sort_by_key(|m| m.name.to_lowercase());
    found
}

fn walk(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<FoundModel>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|e| e.ok().map(|e| e.path())) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        if path.is_dir() {
            if depth > 0 {
                walk(&path, depth - 1, left, found);
            }
        } else if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("gguf"))
        {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            found.extend(model(&path, &name));
        }
    }
}

/// The file as a model to chat with: a whole one, or the first part of one.
/// Projectors for pictures are no model by themselves.
fn model(path: &Path, name: &str) -> Option<FoundModel> {
    let lower = name.to_lowercase();
    let later_part = lower
        .rsplit_once("-of-")
        .is_some_and(|(before, _)| !before.ends_with("-00001"));
    if later_part || lower.contains("mmproj") {
        return None;
    }
    let mut start = [0; 4];
    let mut file = fs::File::open(path).ok()?;
    file.read_exact(&mut start).ok()?;
    (&start == b"GGUF").then_some(())?;
    Some(FoundModel {
        path: path.to_path_buf(),
        name: name.to_string(),
        size: file.metadata().ok()?.len(),
    })
}

/// Ollama's models: `manifests/HOST/OWNER/NAME/TAG` is JSON whose layer of type
/// `…image.model` names a blob by its digest.
fn ollama(folder: &Path, found: &mut Vec<FoundModel>) {
    let mut manifests = Vec::new();
    files(&folder.join("manifests"), DEPTH, &mut manifests);
    for manifest in manifests {
        found.extend(ollama_model(folder, &manifest));
    }
}

fn ollama_model(folder: &Path, manifest: &Path) -> Option<FoundModel> {
    let text = fs::read_to_string(manifest).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let layer = value["layers"]
        .as_array()?
        .iter()
        .find(|l| l["mediaType"] == "application/vnd.ollama.image.model")?;
    // A digest names a file in one folder and nothing else.
    let digest = layer["digest"].as_str()?.replace(':', "-");
    if digest.contains(['/', '\\']) {
        return None;
    }
    let tag = manifest.file_name()?.to_string_lossy();
    let name = manifest.parent()?.file_name()?.to_string_lossy();
    model(&folder.join("blobs").join(digest), &format!("{name}:{tag}"))
}

fn files(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    for path in entries.filter_map(|e| e.ok().map(|e| e.path())) {
        if path.is_dir() && depth > 0 {
            files(&path, depth - 1, into);
        } else if path.is_file() {
            into.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn models_are_found_where_programs_keep_them() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        put(&at("here/mine.gguf"), "GGUFxxxx");
        put(&at("here/not.gguf"), "no model");
        put(&at("here/deep/hidden.gguf"), "GGUF");
        put(
            &at(".cache/huggingface/hub/models--a--b/snapshots/c/b-Q4.gguf"),
            "GGUF",
        );
        put(
            &at(".cache/huggingface/hub/models--a--b/snapshots/c/mmproj-b.gguf"),
            "GGUF",
        );
        put(&at(".lmstudio/models/o/r/big-00001-of-00002.gguf"), "GGUF");
        put(&at(".lmstudio/models/o/r/big-00002-of-00002.gguf"), "GGUF");
        put(&at(".ollama/models/blobs/sha256-12"), "GGUF");
        put(
            &at(".ollama/models/manifests/registry.ollama.ai/library/qwen3/4b"),
            r#"{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:12"}]}"#,
        );
        let found = scan(&Places::usual(home.path(), at("here"), |_| None));
        let names: Vec<_> = found.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["b-Q4", "big-00001-of-00002", "mine", "qwen3:4b"]);
        assert_eq!(found[2].size, 8);
    }

    #[test]
    fn a_model_that_two_places_share_is_listed_once() {
        let home = tempfile::tempdir().unwrap();
        put(&home.path().join("models/one.gguf"), "GGUF");
        let places = Places::usual(home.path(), home.path().join("models"), |_| None);
        assert_eq!(scan(&places).len(), 1);
    }
}
