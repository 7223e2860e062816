//! How models are loaded and where they are looked for, as the configuration
//! file says: `[engine]` for all, `[models."NAME"]` for one, `[library]`.

use super::paths;
use crate::protocol::tuning::{KNOBS, Knob, Tuning, Written};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is said of one model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelConfig {
    pub written: Written,
    /// Its eyes or ears.
    pub projector: Option<PathBuf>,
    pub adapters: Vec<PathBuf>,
}

/// Where models are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LibraryConfig {
    /// Parlor's own folder, into which `pull` fetches; None is in the data
    /// folder.
    pub folder: Option<PathBuf>,
    /// Other folders to look into.
    pub folders: Vec<PathBuf>,
}

impl LibraryConfig {
    pub(super) fn expanded(self) -> Self {
        Self {
            folder: self.folder.map(|f| paths::expand_home(&f)),
            folders: self.folders.iter().map(|f| paths::expand_home(f)).collect(),
        }
    }
}

/// A table of values as TOML has them: checked, and as text.
pub(super) type RawTable = BTreeMap<String, toml::Value>;

/// Reads the values of `[engine]`. The error names the line.
pub(super) fn engine(
    raw: RawTable,
    line: impl Fn(&str) -> usize,
) -> Result<(Tuning, Written), String> {
    let mut tuning = Tuning::default();
    let mut written = Written::new();
    for (name, value) in raw {
        let at = || format!("line {}", line(&name));
        let knob = knob(&name).map_err(|why| format!("{}: {why}", at()))?;
        let text = text(&value);
        knob.set(&mut tuning, &text)
            .map_err(|why| format!("{}: {why}", at()))?;
        written.push((knob.name, text));
    }
    Ok((tuning, written))
}

/// Reads the tables of `[models]`.
pub(super) fn models(
    raw: BTreeMap<String, RawTable>,
    line: impl Fn(&str) -> usize,
) -> Result<BTreeMap<String, ModelConfig>, String> {
    let mut models = BTreeMap::new();
    for (model, mut table) in raw {
        let path = |value: &toml::Value| paths::expand_home(Path::new(&text(value)));
        let adapters = match table.remove("adapters") {
            Some(toml::Value::Array(list)) => list.iter().map(&path).collect(),
            Some(one) => vec![path(&one)],
            None => Vec::new(),
        };
        let projector = table.remove("projector").map(|value| path(&value));
        let (_, written) = engine(table, &line)?;
        let config = ModelConfig {
            written,
            projector,
            adapters,
        };
        models.insert(model, config);
    }
    Ok(models)
}

fn knob(name: &str) -> Result<&'static Knob, String> {
    if let Some(knob) = Knob::find(name) {
        return Ok(knob);
    }
    let nearest = KNOBS
        .iter()
        .map(|k| (strsim::damerau_levenshtein(name, k.name), k.name))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    Err(match nearest {
        Some((_, known)) => format!("unknown field `{name}`; did you mean `{known}`?"),
        None => format!("unknown field `{name}`"),
    })
}

/// A value as it would be written on the command line.
fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
