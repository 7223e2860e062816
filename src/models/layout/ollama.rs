//! Ollama's store: `manifests/HOST/NAMESPACE/NAME/TAG` is JSON whose layers
//! name files in `blobs` by their digests.
//!
//! From <https://github.com/ollama/ollama>: `manifest/paths.go` (digests are
//! `sha256` and 64 hexadecimal digits; the folder is `OLLAMA_MODELS` or
//! `~/.ollama/models`, of the user `ollama` under `/usr/share/ollama` by
//! `scripts/install.sh`), `manifest/manifest.go`, `types/model/name.go` (which
//! parts of a name are shown), `server/images.go` (kinds of layers) and
//! `server/download.go` (`-partial` and `-partial-N`).

use crate::models::candidate::Candidate;
use crate::models::{gather, walk};
use crate::protocol::library::{Extras, Source};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// HOST, NAMESPACE and NAME are folders; TAG is a file.
const DEPTH: usize = 3;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    digest: String,
}

pub(in crate::models) fn find(root: &Path, source: Source) -> Vec<Candidate> {
    let manifests = root.join("manifests");
    let mut found = Vec::new();
    for path in walk::files(&manifests, DEPTH) {
        if let Some(name) = name(&walk::below(&manifests, &path)) {
            found.extend(model(root, &path, name, source));
        }
    }
    let named: HashSet<PathBuf> = found.iter().flat_map(|m| m.parts.clone()).collect();
    let begun = unfinished(root, source).into_iter();
    found.extend(begun.filter(|m| !named.contains(&m.parts[0])));
    found
}

/// The shortest name that Ollama itself takes, always with a tag.
fn name(components: &[String]) -> Option<String> {
    let [host, namespace, name, tag] = components else {
        return None;
    };
    if components.iter().any(|c| c.starts_with('.')) {
        return None;
    }
    Some(match (host.as_str(), namespace.as_str()) {
        ("registry.ollama.ai", "library") => format!("{name}:{tag}"),
        ("registry.ollama.ai", _) => format!("{namespace}/{name}:{tag}"),
        _ => format!("{host}/{namespace}/{name}:{tag}"),
    })
}

/// The model of a manifest; `None` when it holds none that is a file here,
/// such as one that runs elsewhere or is kept as single tensors.
fn model(root: &Path, manifest: &Path, name: String, source: Source) -> Option<Candidate> {
    let text = walk::text(manifest).unwrap_or_default();
    let Ok(read) = serde_json::from_str::<Manifest>(&text) else {
        let mut broken = Candidate::whole(&name, manifest, source, root);
        broken.problem = Some(format!(
            "its manifest cannot be read; {}",
            again(source, &name)
        ));
        return Some(broken);
    };
    let of = |kind: &str| {
        let kind = format!("application/vnd.ollama.image.{kind}");
        let layers = read.layers.iter().filter(move |l| l.media_type == kind);
        layers.map(|l| blob(root, &l.digest))
    };
    let path = match of("model").next_back()? {
        Some(path) => path,
        None => {
            let mut broken = Candidate::whole(&name, manifest, source, root);
            broken.problem = Some(format!(
                "its manifest names a file in a way that Ollama does not; {}",
                again(source, &name)
            ));
            return Some(broken);
        }
    };
    let mut found = Candidate::whole(&name, &path, source, root);
    found.repo = hub_repo(&name);
    found.projector = of("projector").flatten().find(|p| p.is_file());
    found.extras = Some(Extras {
        template: of("template")
            .chain(of("prompt"))
            .flatten()
            .find_map(|p| walk::text(&p)),
        system: of("system").flatten().find_map(|p| walk::text(&p)),
        parameters: of("params")
            .flatten()
            .find_map(|p| parameters(&p))
            .unwrap_or_default(),
        adapters: of("adapter").flatten().collect(),
    });
    if fs::symlink_metadata(&path).is_err() {
        lacking(&mut found, path, &name);
    }
    Some(found)
}

/// The model's file is not there: it is being fetched, or it was removed.
fn lacking(found: &mut Candidate, path: PathBuf, name: &str) {
    let partial = with(&path, "-partial");
    found.problem = Some(if partial.is_file() {
        let (done, total) = progress(&partial);
        found.parts = vec![partial];
        gather::not_whole(done, total, found.source, None, None)
    } else {
        let file = walk::file_name(&path);
        let again = again(found.source, name);
        format!("its file is gone from blobs ({file}); {again}")
    });
}

fn again(source: Source, name: &str) -> String {
    match source {
        Source::Ollama => format!("`ollama pull {name}` fetches it anew"),
        _ => "fetch it anew with Msty".into(),
    }
}

/// The file that a digest names; a digest names a file in one folder and
/// nothing else.
fn blob(root: &Path, digest: &str) -> Option<PathBuf> {
    let hex = digest.strip_prefix("sha256")?.strip_prefix([':', '-'])?;
    let good = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| root.join("blobs").join(format!("sha256-{hex}")))
}

/// Ollama runs models of the hub as `hf.co/OWNER/REPO:QUANT`.
fn hub_repo(name: &str) -> Option<String> {
    let hosts = ["hf.co/", "huggingface.co/"];
    let rest = hosts.iter().find_map(|host| name.strip_prefix(host))?;
    rest.rsplit_once(':').map(|(repo, _)| repo.to_string())
}

/// Names and values; a list, such as of `stop`, is a pair for each of its
/// values.
fn parameters(path: &Path) -> Option<Vec<(String, String)>> {
    let text = walk::text(path)?;
    let values: serde_json::Map<String, Value> = serde_json::from_str(&text).ok()?;
    let written = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut pairs = Vec::new();
    for (name, value) in &values {
        match value {
            Value::Array(list) => pairs.extend(list.iter().map(|v| (name.clone(), written(v)))),
            value => pairs.push((name.clone(), written(value))),
        }
    }
    Some(pairs)
}

/// Blobs that are being fetched: no manifest names them before all are there.
fn unfinished(root: &Path, source: Source) -> Vec<Candidate> {
    let files = walk::files(&root.join("blobs"), 0).into_iter();
    let begun = files
        .filter(|p| walk::file_name(p).ends_with("-partial") && super::hugging_face::is_gguf(p));
    let models = begun.map(|path| {
        let name: String = walk::file_name(&path)
            .chars()
            .take("sha256-".len() + 12)
            .collect();
        let (done, total) = progress(&path);
        let mut model = Candidate::whole(&name, &path, source, root);
        model.problem = Some(gather::not_whole(done, total, source, None, None));
        model
    });
    models.collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Piece {
    size: u64,
    completed: u64,
}

/// Bytes that are there and bytes that there will be, from `-partial-0` and so
/// on: the file itself has its full length from the start.
fn progress(partial: &Path) -> (u64, Option<u64>) {
    let read = |n: u32| {
        let text = walk::text(&with(partial, &format!("-{n}")))?;
        serde_json::from_str::<Piece>(&text).ok()
    };
    let pieces: Vec<Piece> = (0..).map_while(read).collect();
    let done = pieces.iter().map(|p| p.completed).sum();
    let total = pieces.iter().map(|p| p.size).sum();
    (done, (total > 0).then_some(total))
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut longer = path.as_os_str().to_owned();
    longer.push(ending);
    longer.into()
}
