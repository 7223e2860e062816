//! Writes settings into the configuration file and keeps its comments.

use super::file::ConfigError;
use super::{Config, DEFAULTS};
use crate::chat::Sampling;
use crate::chat::sampling::SETTINGS;
use std::io::Write;
use std::path::Path;
use toml_edit::{DocumentMut, Item, Table, value};

/// Sets the sampling values and the system prompt in the file at `path`. A value
/// that is the default is written only where the file sets it already.
pub fn settings(path: &Path, sampling: &Sampling, system: &str) -> Result<(), ConfigError> {
    change(path, |document| {
        put_system(document, system);
        let table = document
            .entry("sampling")
            .or_insert_with(|| Item::Table(Table::new()));
        if let Some(table) = table.as_table_like_mut() {
            put_sampling(table, sampling);
        }
    })
}

/// Names the model to load at every start.
pub fn model(path: &Path, model: &Path) -> Result<(), ConfigError> {
    change(path, |document| {
        let name = value(model.to_string_lossy().as_ref());
        match document.get_mut("model") {
            Some(item) => replace(item, name),
            None => {
                document.insert("model", name);
            }
        }
    })
}

/// Names the projector, the eyes or ears, of a model.
pub fn pair(path: &Path, model: &Path, projector: &Path) -> Result<(), ConfigError> {
    change(path, |document| {
        let models = document.entry("models").or_insert_with(|| {
            let mut table = Table::new();
            // Only the tables within it are to be seen.
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(models) = models.as_table_like_mut() else {
            return;
        };
        let own = models
            .entry(model.to_string_lossy().as_ref())
            .or_insert_with(|| Item::Table(Table::new()));
        if let Some(own) = own.as_table_like_mut() {
            own.insert("projector", value(projector.to_string_lossy().as_ref()));
        }
    })
}

/// Changes the file at `path`, which is made from the commented defaults when
/// there is none.
fn change(path: &Path, make: impl FnOnce(&mut DocumentMut)) -> Result<(), ConfigError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => DEFAULTS.to_string(),
        Err(source) => {
            return Err(ConfigError::Read {
                path: path.to_path_buf(),
                source,
            });
        }
    };
    let invalid = |words: String| ConfigError::Invalid {
        path: path.to_path_buf(),
        words,
    };
    Config::parse(&text).map_err(invalid)?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| invalid(e.to_string()))?;
    make(&mut document);
    write(path, &document.to_string()).map_err(|source| ConfigError::Write {
        path: path.to_path_buf(),
        source,
    })
}

fn put_system(document: &mut DocumentMut, system: &str) {
    match document.get_mut("system") {
        Some(item) => replace(item, value(system)),
        None if system.is_empty() => {}
        None => {
            document.insert("system", value(system));
        }
    }
}

fn put_sampling(table: &mut dyn toml_edit::TableLike, sampling: &Sampling) {
    let defaults = Sampling::default();
    for setting in SETTINGS {
        let now = setting.value(sampling);
        match (table.get_mut(setting.name), now) {
            (_, None) => {
                table.remove(setting.name);
            }
            (Some(item), Some(number)) => replace(item, number_item(number, setting.whole)),
            (None, Some(number)) if setting.value(&defaults) != now => {
                table.insert(setting.name, number_item(number, setting.whole));
            }
            (None, Some(_)) => {}
        }
    }
}

fn number_item(number: f64, whole: bool) -> Item {
    if whole {
        value(number as i64)
    } else {
        value(number)
    }
}

/// Puts a new value in place of an old one and keeps the comments around it.
fn replace(item: &mut Item, with: Item) {
    let decor = item.as_value().map(|v| v.decor().clone());
    *item = with;
    if let (Some(decor), Some(value)) = (decor, item.as_value_mut()) {
        *value.decor_mut() = decor;
    }
}

/// Whole or not at all: a new file, then a rename.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    // A link stays a link: what it points to is replaced.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("toml.new");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_keeps_comments_and_every_other_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(
            &path,
            "# mine\nmodel = \"a.gguf\" # this one\n\n[sampling]\ntemperature = 1.0 # warm\n",
        )
        .unwrap();
        let sampling = Sampling {
            temperature: 0.5,
            seed: Some(7),
            ..Sampling::default()
        };
        settings(&path, &sampling, "Be brief.").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("# mine\nmodel = \"a.gguf\" # this one\n"),
            "{text}"
        );
        assert!(text.contains("temperature = 0.5 # warm\n"), "{text}");
        assert!(!text.contains("top-k"), "{text}");
        let config = Config::parse(&text).unwrap();
        assert_eq!(
            (config.sampling, config.system.as_str()),
            (sampling, "Be brief.")
        );
    }

    #[test]
    fn a_new_file_starts_as_the_commented_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/config.toml");
        let sampling = Sampling {
            temperature: 1.2,
            ..Sampling::default()
        };
        settings(&path, &sampling, "").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("# Choose among this many likeliest words"));
        assert_eq!(Config::parse(&text).unwrap().sampling, sampling);
    }

    #[test]
    fn a_chosen_model_is_kept_beside_everything_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "system = \"Hi\" # mine\n\n[engine]\nthreads = 3\n").unwrap();
        model(&path, Path::new("starter")).unwrap();
        model(&path, Path::new("/m/a.gguf")).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let config = Config::parse(&text).unwrap();
        assert_eq!(config.model.as_deref(), Some(Path::new("/m/a.gguf")));
        assert!(text.contains("# mine"), "{text}");
        assert!(text.contains("threads = 3"), "{text}");
    }

    #[test]
    fn a_broken_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "[sampling\n").unwrap();
        assert!(settings(&path, &Sampling::default(), "").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[sampling\n");
    }
}
