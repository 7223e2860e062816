//! The configuration file, read in two steps: what is written, then what is
//! valid. Unknown names are errors that say where and what was meant.

use super::models::{self, LibraryConfig, ModelConfig, RawTable};
use super::paths;
use crate::chat::{Persona, Sampling};
use crate::protocol::engine::Auto;
use crate::protocol::tuning::{Tuning, Written};
use crate::ui::picture::Wish;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Validated configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    pub model: Option<PathBuf>,
    pub system: String,
    pub persona: Persona,
    pub sampling: Sampling,
    pub engine: Tuning,
    /// The same, as written.
    pub engine_written: Written,
    /// What is said of single models, by name or path.
    pub models: BTreeMap<String, ModelConfig>,
    pub library: LibraryConfig,
    pub conversations: ConversationsConfig,
    pub ui: UiConfig,
    /// Action name to keys, as written; `config::keys` makes a keymap of them.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// What the chat begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StartWith {
    #[default]
    New,
    /// The conversation of last time.
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationsConfig {
    pub start: StartWith,
    /// Whether the model gives conversations their titles.
    pub titles: bool,
    /// Whether the model's memory of a conversation is kept beside it.
    pub keep_state: bool,
    /// Gigabytes that those may take; None chooses by the free disk.
    pub state_limit: Option<u32>,
}

impl Default for ConversationsConfig {
    fn default() -> Self {
        Self {
            start: StartWith::New,
            titles: true,
            keep_state: true,
            state_limit: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UiConfig {
    pub theme: String,
    pub mouse: bool,
    /// How pictures are drawn.
    pub pictures: Wish,
}

impl Default for UiConfig {
    fn default() -> Self {
        Self {
            theme: "terminal".into(),
            mouse: true,
            pictures: Wish::Auto,
        }
    }
}

/// What is wrong with a configuration file, and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {source}; check its permissions", path = .path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}, {words}", path = .path.display())]
    Invalid { path: PathBuf, words: String },
    #[error("cannot write {path}: {source}", path = .path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct RawConfig {
    model: Option<PathBuf>,
    system: String,
    persona: Option<String>,
    sampling: Sampling,
    engine: RawTable,
    models: BTreeMap<String, RawTable>,
    library: LibraryConfig,
    conversations: RawConversations,
    ui: RawUi,
    keys: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct RawConversations {
    start: Option<String>,
    titles: Option<bool>,
    keep_state: Option<bool>,
    state_limit: RawAuto,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct RawUi {
    theme: Option<String>,
    mouse: Option<bool>,
    pictures: Option<String>,
}

/// A number, or the word `auto`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number or \"auto\"")]
enum RawAuto {
    Number(u32),
    Word(String),
}

impl Default for RawAuto {
    fn default() -> Self {
        Self::Word("auto".into())
    }
}

impl Config {
    /// Reads the file; the defaults when there is none.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|words| ConfigError::Invalid {
                path: path.to_path_buf(),
                words,
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read {
                path: path.to_path_buf(),
                source,
            }),
        }
    }

    /// Validates the text of a file. The error names line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: RawConfig = toml::from_str(text).map_err(|e| place(text, &e))?;
        raw.sampling.check().map_err(|e| {
            let name = e.to_string();
            let key = name.split(' ').next().unwrap_or_default().to_string();
            format!("line {}: {e}", line_of(text, &key))
        })?;
        let persona = match &raw.persona {
            None => Persona::default(),
            Some(name) => Persona::named(name)
                .map_err(|why| format!("line {}: {why}", line_of(text, "persona")))?,
        };
        let line = |name: &str| line_of(text, name);
        let (engine, engine_written) = models::engine(raw.engine, line)?;
        let conversations = conversations(text, raw.conversations)?;
        let ui = UiConfig::default();
        let pictures = match &raw.ui.pictures {
            None => ui.pictures,
            Some(name) => name
                .parse()
                .map_err(|why| format!("line {}: pictures: {why}", line_of(text, "pictures")))?,
        };
        Ok(Self {
            model: raw.model.map(|m| paths::expand_home(&m)),
            system: raw.system,
            persona,
            sampling: raw.sampling,
            engine,
            engine_written,
            models: models::models(raw.models, line)?,
            library: raw.library.expanded(),
            conversations,
            ui: UiConfig {
                theme: raw.ui.theme.unwrap_or(ui.theme),
                mouse: raw.ui.mouse.unwrap_or(ui.mouse),
                pictures,
            },
            keys: raw.keys,
        })
    }
}

fn conversations(text: &str, raw: RawConversations) -> Result<ConversationsConfig, String> {
    let start = match raw.start.as_deref() {
        None | Some("new") => StartWith::New,
        Some("last") => StartWith::Last,
        Some(_) => {
            let line = line_of(text, "start");
            return Err(format!("line {line}: start must be \"new\" or \"last\""));
        }
    };
    let limit = auto(text, "state-limit", raw.state_limit, 1)?;
    Ok(ConversationsConfig {
        start,
        titles: raw.titles.unwrap_or(true),
        keep_state: raw.keep_state.unwrap_or(true),
        state_limit: match limit {
            Auto::Auto => None,
            Auto::Set(gigabytes) => Some(gigabytes),
        },
    })
}

fn auto(text: &str, key: &str, raw: RawAuto, least: u32) -> Result<Auto, String> {
    match raw {
        RawAuto::Number(n) if n >= least => Ok(Auto::Set(n)),
        RawAuto::Word(word) if word == "auto" => Ok(Auto::Auto),
        RawAuto::Number(_) | RawAuto::Word(_) => Err(format!(
            "line {}: {key} must be a whole number from {least}, or \"auto\"",
            line_of(text, key)
        )),
    }
}

/// The first line that sets this key; 1 when none is found.
fn line_of(text: &str, key: &str) -> usize {
    text.lines()
        .position(|l| l.trim_start().starts_with(key))
        .map_or(1, |at| at + 1)
}

/// A parse error with its place, and the nearest known name for a wrong one.
fn place(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |s| s.start).min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    let words = error.message();
    let words = match (suggestion(words), words.split_once(", expected")) {
        // The likely name says more than the list of all.
        (Some(name), Some((what, _))) => format!("{what}; did you mean `{name}`?"),
        _ => words
            .replace("expected f32", "expected a number")
            .replace("expected u32", "expected a whole number of 0 or more")
            .replace(
                "expected a sequence",
                "expected a list such as [\"ctrl-p\"]",
            ),
    };
    format!("line {line}, column {column}: {words}")
}

/// From serde's "unknown field `x`, expected one of `a`, `b`": the nearest.
fn suggestion(words: &str) -> Option<String> {
    let rest = words.strip_prefix("unknown field `")?;
    let (wrong, rest) = rest.split_once('`')?;
    rest.split('`')
        .skip(1)
        .step_by(2)
        .map(|known| (strsim::damerau_levenshtein(wrong, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_file_is_valid_and_changes_nothing() {
        assert_eq!(
            Config::parse(super::super::DEFAULTS).unwrap(),
            Config::default()
        );
    }

    #[test]
    fn every_commented_default_in_the_reference_is_valid_too() {
        let open: String = super::super::DEFAULTS
            .lines()
            .map(|l| match l.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") => format!("{rest}\n"),
                _ => format!("{l}\n"),
            })
            .collect();
        let config = Config::parse(&open).unwrap();
        assert_eq!(config.engine, Tuning::default());
        // An example, for there is no one default.
        assert!(config.library.folder.is_some());
        assert!(config.library.folders.is_empty());
        assert_eq!(config.ui, UiConfig::default());
        let defaults = Sampling {
            seed: Some(42),
            max_tokens: Some(1024),
            ..Sampling::default()
        };
        assert_eq!(config.sampling, defaults);
    }

    #[test]
    fn an_unknown_name_is_an_error_with_place_and_suggestion() {
        let words = Config::parse("[sampling]\ntemperatur = 1\n").unwrap_err();
        assert!(
            words.starts_with("line 2, column 1: unknown field"),
            "{words}"
        );
        assert!(words.ends_with("did you mean `temperature`?"), "{words}");
    }

    #[test]
    fn a_value_out_of_range_is_an_error_with_its_line() {
        let words = Config::parse("\n[sampling]\ntop-p = 1.5\n").unwrap_err();
        assert_eq!(
            words,
            "line 3: top-p must be a number from 0 to 1, not “1.5”"
        );
        let words = Config::parse("[engine]\nthreads = \"many\"\n").unwrap_err();
        assert!(words.contains("line 2: threads must be"), "{words}");
    }
}
