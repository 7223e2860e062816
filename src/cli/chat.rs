//! `parlor`: opens the chat.

use super::args::Begin;
use super::attach::AttachArgs;
use super::setup::Asked;
use super::{Fail, output, setup};
use crate::app::{Keep, Keymap, Settings};
use crate::config::{Config, StartWith, keys, paths, theme};
use crate::engine::host;
use crate::protocol::store::Which;
use crate::runtime::run::{self, Start};
use std::io::IsTerminal;

pub fn run(
    asked: Asked,
    system: Option<String>,
    begin: &Begin,
    attach: &AttachArgs,
) -> Result<(), Fail> {
    if !std::io::stdout().is_terminal() {
        let words =
            "the chat needs a terminal for its output; `parlor ask` prints an answer to a pipe";
        return Err(Fail::Failed(words.into()));
    }
    let start = start(asked, system, begin, attach)?;
    setup::run(async {
        let left = run::run(start)
            .await
            .map_err(|e| Fail::Failed(format!("the terminal cannot be used: {e}")))?;
        if left.unsaved {
            let words = "not everything could be saved; the chat told why";
            return Err(Fail::Failed(words.into()));
        }
        if let Some(id) = left.conversation {
            output::print(&format!("To go on: parlor --conversation {id}\n"))?;
        }
        Ok(())
    })
}

/// Gathers what the chat starts with. What is wrong in the person's files is
/// told in the chat, which opens with defaults in their place.
fn start(
    asked: Asked,
    system: Option<String>,
    begin: &Begin,
    attach: &AttachArgs,
) -> Result<Start, Fail> {
    let mut notices = Vec::new();
    let mut or_default = |wrong: String| {
        let stop = if wrong.ends_with(['?', '.']) { "" } else { "." };
        notices.push(format!("{wrong}{stop} The defaults are used instead."));
    };
    let config = match paths::config_file().map(|path| Config::load(&path)) {
        Some(Ok(config)) => config,
        Some(Err(error)) => {
            or_default(error.to_string());
            Config::default()
        }
        None => Config::default(),
    };
    let keymap = keys::keymap(&config.keys).unwrap_or_else(|error| {
        or_default(error);
        Keymap::default()
    });
    let mut theme = theme::find(&config.ui.theme).unwrap_or_else(|error| {
        or_default(error);
        theme::default()
    });
    if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        theme = theme.without_colours();
    }
    let program = std::env::current_exe()
        .map_err(|e| Fail::Failed(format!("cannot find this program's own file: {e}")))?;
    Ok(Start {
        settings: Settings {
            system: system.unwrap_or_else(|| config.system.clone()),
            sampling: config.sampling.clone(),
            persona: config.persona,
            titles: config.conversations.titles,
        },
        keymap,
        theme,
        mouse: config.ui.mouse,
        pictures: config.ui.pictures,
        model: asked.model.or_else(|| config.model.clone()),
        host: host::Options::new(program, paths::engine_log()),
        store: paths::data_folder(),
        open: open(begin, config.conversations.start),
        keep: match begin.private {
            true => Keep::Private,
            false => Keep::Saved,
        },
        notices,
        config,
        said: asked.tuning.said,
        attach: attach.files.iter().map(|(_, path)| path.clone()).collect(),
    })
}

/// The conversation to open: what the command line says, else the config file.
fn open(begin: &Begin, usual: StartWith) -> Option<Which> {
    match (&begin.conversation, begin.continue_last) {
        (Some(name), _) => Some(Which::Named(name.clone())),
        (None, true) => Some(Which::Last),
        (None, false) if begin.private => None,
        (None, false) => Some(match usual {
            StartWith::Last => Which::Last,
            // A draft that was never sent is not lost.
            StartWith::New => Which::Unsent,
        }),
    }
}
