//! From a model's name to how it is loaded: the file behind the name, and what
//! the configuration file and the command line say of it.

use super::{Config, paths};
use crate::models::{self, Reference, starter};
use crate::protocol::engine::{Adapter, KeepSpec, LoadSpec, STATES};
use crate::protocol::library::{FoundModel, Kind, STARTER};
use crate::protocol::tuning::Written;
use std::path::{Path, PathBuf};

/// A model that was named, and what is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Named {
    pub path: PathBuf,
    /// As the library calls it; the file's name otherwise.
    pub name: String,
    pub projector: Option<PathBuf>,
    /// LoRA files that belong to it.
    pub adapters: Vec<PathBuf>,
}

impl Named {
    fn path(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap_or_default();
        Self {
            name: name.to_string_lossy().into_owned(),
            path,
            ..Self::default()
        }
    }

    pub fn found(model: &FoundModel) -> Self {
        let extras = model.extras.as_ref();
        Self {
            path: model.path.clone(),
            name: model.name.clone(),
            projector: model.projector.clone(),
            adapters: extras.map(|e| e.adapters.clone()).unwrap_or_default(),
        }
    }
}

/// The model that a name stands for: the starter is written out where it is
/// not yet, a path is itself, anything else is looked up in the library. The
/// error says what to do.
pub fn find(config: &Config, named: &Path) -> Result<Named, String> {
    let Some(text) = named.to_str() else {
        return Ok(Named::path(named.to_path_buf()));
    };
    let text = text.strip_prefix("file://").unwrap_or(text);
    let there = paths::expand_home(Path::new(text));
    if there.exists() && text != STARTER {
        return Ok(find_path(config, there));
    }
    let reference = Reference::parse(text, &paths::home());
    match reference {
        Reference::Starter => place_starter().map(Named::path),
        Reference::Path(path) => Ok(find_path(config, path)),
        reference => {
            let found = scan(config);
            let exact: Vec<&FoundModel> = found
                .iter()
                .filter(|m| m.name.eq_ignore_ascii_case(text))
                .collect();
            if let [one] = exact.as_slice() {
                return match &one.card {
                    Ok(_) => Ok(Named::found(one)),
                    Err(why) => Err(format!("{text} cannot be used: {why}")),
                };
            }
            let model = models::resolve(&reference, &found).map_err(|e| match reference {
                Reference::Hub { .. } => format!("{e}; nor is there a file {text} here"),
                _ => e.to_string(),
            })?;
            Ok(Named::found(model))
        }
    }
}

/// What the library knows of a path: of a file that is one of several, or that
/// stands in a store without a name of its own; and of a name with `.gguf`
/// that is no path from here. Other files are looked at by themselves.
fn find_path(config: &Config, path: PathBuf) -> Named {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain = path.extension().is_some_and(|e| e == "gguf") && !stem.contains("-of-");
    if plain && path.exists() && config.models.is_empty() {
        return match has_eyes_beside(&path) {
            true => Named {
                projector: models::look(&path, &[]).projector,
                ..Named::path(path)
            },
            false => Named::path(path),
        };
    }
    let by_name = !path.exists() && path.components().count() == 1;
    let file = path.file_name();
    let found = scan(config);
    let known = found.iter().find(|model| match by_name {
        true => model.path.file_name() == file && model.card.is_ok(),
        false => model.parts.contains(&path),
    });
    known.map_or_else(|| Named::path(path.clone()), Named::found)
}

/// Whether a projector lies in the file's folder, which may be the file's own.
fn has_eyes_beside(path: &Path) -> bool {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new(".")));
    let mut names = entries.into_iter().flatten().flatten();
    names.any(|entry| {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        name.contains("mmproj") && name.ends_with(".gguf")
    })
}

fn place_starter() -> Result<PathBuf, String> {
    let folder = paths::data_folder().ok_or("no home folder is known for the starter; set HOME")?;
    starter::place(&folder).map_err(|e| {
        let folder = folder.display();
        format!("the starter cannot be written to {folder}: {e}; make room there, or set XDG_DATA_HOME to another folder")
    })
}

/// The whole path of a projector, if the file is one. The error says what it
/// is instead.
pub fn projector(path: &Path) -> Result<PathBuf, String> {
    let path = std::path::absolute(paths::expand_home(path)).map_err(|e| e.to_string())?;
    let shown = path.display();
    match models::look(&path, &[]).card {
        Ok(card) if card.kind == Kind::Mmproj => Ok(path),
        Ok(_) => Err(format!("{shown} is not a projector (an mmproj file)")),
        Err(why) => Err(format!("{shown}: {why}")),
    }
}

/// Every model on this machine.
pub fn scan(config: &Config) -> Vec<FoundModel> {
    let pairs: Vec<(PathBuf, PathBuf)> = config
        .models
        .iter()
        .filter_map(|(name, model)| {
            let path = paths::expand_home(Path::new(name));
            Some((path, model.projector.clone()?))
        })
        .collect();
    let cache = paths::state_folder().map(|folder| folder.join("models.cache"));
    models::scan(&paths::places(config), &pairs, cache.as_deref())
}

/// What is said on the command line of how models are loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    pub written: Written,
    /// LoRA files with their scales.
    pub adapters: Vec<(PathBuf, f32)>,
    /// The model's eyes or ears.
    pub projector: Option<PathBuf>,
}

/// How to load this model: what is said of all, then of this one, then on the
/// command line.
pub fn load(config: &Config, named: &Named, said: &Said) -> Result<LoadSpec, String> {
    let mut tuning = config.engine.clone();
    let own = config.models.iter().find(|(name, _)| is(named, name));
    if let Some((_, own)) = own {
        tuning.lay(&own.written)?;
    }
    tuning.lay(&said.written)?;
    let configured = own.map(|(_, own)| own.adapters.as_slice()).unwrap_or(&[]);
    let adapters = configured
        .iter()
        .chain(&named.adapters)
        .map(|path| (path.clone(), 1.0))
        .chain(said.adapters.iter().cloned())
        .map(|(path, scale)| Adapter {
            path: paths::expand_home(&path),
            scale,
        });
    Ok(LoadSpec {
        model: named.path.clone(),
        tuning,
        adapters: adapters.collect(),
        projector: match &said.projector {
            Some(path) => Some(projector(path)?),
            None => own
                .and_then(|(_, own)| own.projector.clone())
                .or_else(|| named.projector.clone()),
        },
        keep: states(config),
        vocabulary_only: false,
    })
}

/// Whether a table of the file is about this model.
fn is(named: &Named, name: &str) -> bool {
    let stem = named.path.file_stem().unwrap_or_default();
    name.eq_ignore_ascii_case(&named.name)
        || stem.eq_ignore_ascii_case(name)
        || paths::expand_home(Path::new(name)) == named.path
        || (name == STARTER && stem == "starter")
}

/// Where the engine keeps its states, and how much they may take: what the
/// config file says, else a tenth of the free disk, at most 4 GiB.
pub fn states(config: &Config) -> Option<KeepSpec> {
    const GIGABYTE: u64 = 1 << 30;
    let conversations = &config.conversations;
    let folder = paths::data_folder().filter(|_| conversations.keep_state)?;
    let limit = match conversations.state_limit {
        Some(gigabytes) => u64::from(gigabytes) * GIGABYTE,
        None => (paths::free_space(&folder) / 10).min(4 * GIGABYTE),
    };
    Some(KeepSpec {
        folder: folder.join(STATES),
        limit,
    })
}
