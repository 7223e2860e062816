//! `parlor config`: where the file is, what is in use, whether it is sound.

use super::args::ConfigVerb;
use super::{Fail, output, setup};
use crate::chat::sampling::SETTINGS;
use crate::config::{Config, StartWith, keys, paths, theme};
use crate::protocol::engine::Auto;
use crate::protocol::tuning::{KNOBS, Written};
use std::path::Path;

pub fn run(verb: ConfigVerb) -> Result<(), Fail> {
    let path = paths::config_file()
        .ok_or_else(|| Fail::failed("no home folder is known; set PARLOR_CONFIG to a file"))?;
    match verb {
        ConfigVerb::Path => output::print(&format!("{}\n", path.display())),
        ConfigVerb::Show => output::print(&show(&setup::config()?)),
        ConfigVerb::Check => check(&path),
    }
}

fn check(path: &Path) -> Result<(), Fail> {
    if !path.exists() {
        let words = format!(
            "{} does not exist; the defaults are in use\n",
            path.display()
        );
        return output::print(&words);
    }
    let config = Config::load(path).map_err(Fail::failed)?;
    let invalid = |words| Fail::Failed(format!("{}, {words}", path.display()));
    keys::keymap(&config.keys).map_err(invalid)?;
    theme::find(&config.ui.theme).map_err(invalid)?;
    for (name, model) in &config.models {
        let files = model.adapters.iter().chain(&model.projector);
        if let Some(missing) = files.into_iter().find(|f| !f.exists()) {
            let missing = missing.display();
            return Err(invalid(format!(
                "[models.\"{name}\"]: there is no file {missing}"
            )));
        }
    }
    output::print(&format!("{} is sound\n", path.display()))
}

/// The values in use, as a valid configuration file.
fn show(config: &Config) -> String {
    let mut out = String::new();
    let text = |s: &str| toml_edit::Value::from(s).to_string();
    if let Some(model) = &config.model {
        out += &format!("model = {}\n", text(&model.to_string_lossy()));
    }
    out += &format!(
        "system = {}\npersona = {}\n\n[sampling]\n",
        text(&config.system),
        text(config.persona.name())
    );
    for setting in SETTINGS {
        let unset = setting.value(&config.sampling).is_none();
        let mark = if unset { "# " } else { "" };
        let shown = setting.show(&config.sampling);
        out += &format!("{mark}{} = {shown}\n", setting.name);
    }
    let stops: Vec<String> = config.sampling.stop.iter().map(|s| text(s)).collect();
    out += &format!("stop = [{}]\n", stops.join(", "));
    let auto = |value: Auto| match value {
        Auto::Auto => "\"auto\"".to_string(),
        Auto::Set(n) => n.to_string(),
    };
    out += "\n[library]\n";
    if let Some(folder) = &config.library.folder {
        out += &format!("folder = {}\n", text(&folder.to_string_lossy()));
    }
    let folders = config.library.folders.iter();
    let folders: Vec<String> = folders.map(|f| text(&f.to_string_lossy())).collect();
    out += &format!("folders = [{}]\n\n[engine]\n", folders.join(", "));
    out += &written(&config.engine_written);
    for (name, model) in &config.models {
        out += &format!("\n[models.{}]\n", text(name));
        out += &written(&model.written);
        if let Some(projector) = &model.projector {
            out += &format!("projector = {}\n", text(&projector.to_string_lossy()));
        }
        let adapters = model.adapters.iter();
        let adapters: Vec<String> = adapters.map(|f| text(&f.to_string_lossy())).collect();
        if !adapters.is_empty() {
            out += &format!("adapters = [{}]\n", adapters.join(", "));
        }
    }
    let kept = &config.conversations;
    out += &format!(
        "\n[conversations]\nstart = {}\ntitles = {}\nkeep-state = {}\nstate-limit = {}\n",
        match kept.start {
            StartWith::New => "\"new\"",
            StartWith::Last => "\"last\"",
        },
        kept.titles,
        kept.keep_state,
        auto(kept.state_limit.map_or(Auto::Auto, Auto::Set)),
    );
    out += &format!(
        "\n[ui]\ntheme = {}\nmouse = {}\n",
        text(&config.ui.theme),
        config.ui.mouse
    );
    if !config.keys.is_empty() {
        out += "\n[keys]\n";
    }
    for (action, keys) in &config.keys {
        let keys: Vec<String> = keys.iter().map(|k| text(k)).collect();
        out += &format!("{action} = [{}]\n", keys.join(", "));
    }
    out
}

/// What is pinned, and the rest as comments.
fn written(pinned: &Written) -> String {
    let lines = KNOBS.iter().map(|knob| {
        let pinned = pinned.iter().find(|(name, _)| *name == knob.name);
        match pinned {
            Some((name, value)) => {
                format!("{name} = {}\n", toml_edit::Value::from(value.as_str()))
            }
            None => format!("# {}: {}\n", knob.name, knob.doc),
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back_as_the_same_configuration() {
        let config = Config::parse(
            "system = \"a \\\"b\\\"\"\n[sampling]\nseed = 3\n[engine]\ncontext = 4096\nmlock = true\n[models.\"a b\"]\ntensor-split = [3, 1]\nadapters = [\"/x.gguf\"]\n[library]\nfolders = [\"/m\"]\n[keys]\nquit = [\"ctrl-x\"]",
        )
        .unwrap();
        assert_eq!(Config::parse(&show(&config)).unwrap(), config);
    }
}
