//! Hands each effect to whoever carries it out. Decides nothing.

use super::clipboard::Clipboard;
use crate::app::{Effect, Event};
use crate::config::{self, EngineConfig, paths};
use crate::protocol::engine::{self, Command, LoadSpec};
use crate::protocol::library::STARTER;
use crate::protocol::store;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

const NO_CONFIG: &str = "no home folder is known; set PARLOR_CONFIG to a file";

/// What the loop itself must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inward {
    Suspend,
    Redraw,
    Quit,
}

/// The workers.
pub struct Workers {
    pub engine: mpsc::UnboundedSender<Command>,
    pub config: EngineConfig,
    pub keep: Option<engine::KeepSpec>,
    pub config_file: Option<PathBuf>,
    pub clipboard: Clipboard,
    /// The store's commands; None where there is no place for one.
    pub store: Option<std::sync::mpsc::Sender<store::Command>>,
    /// Answers that come at once, for the loop to take in.
    pub answers: mpsc::UnboundedSender<Event>,
}

impl Workers {
    pub fn perform(&mut self, effect: Effect) -> Option<Inward> {
        match effect {
            Effect::Load(path) => self.load(path),
            Effect::Remember(model) => {
                let _ = self.answers.send(Event::Saved(self.remember(&model)));
            }
            Effect::FindModels => {
                let answers = self.answers.clone();
                std::thread::spawn(move || {
                    let found = crate::models::scan(&paths::model_places());
                    let _ = answers.send(Event::Models(found));
                });
            }
            Effect::Unload => self.send(Command::Unload),
            Effect::Generate(request) => self.send(Command::Generate(request)),
            Effect::Cancel(id) => self.send(Command::Cancel(id)),
            Effect::Keep => self.send(Command::Keep),
            Effect::Copy(text) => {
                let copied = self.clipboard.copy(&text);
                let _ = self.answers.send(Event::Copied(copied));
            }
            Effect::Save { sampling, system } => {
                let saved = match &self.config_file {
                    Some(path) => config::save::settings(path, &sampling, &system)
                        .map(|()| path.display().to_string())
                        .map_err(|e| e.to_string()),
                    None => Err(NO_CONFIG.into()),
                };
                let _ = self.answers.send(Event::Saved(saved));
            }
            Effect::Store(command) => {
                if let Some(store) = &self.store {
                    // The store's task lives as long as this sender.
                    let _ = store.send(command);
                }
            }
            Effect::Suspend => return Some(Inward::Suspend),
            Effect::Redraw => return Some(Inward::Redraw),
            Effect::Quit => return Some(Inward::Quit),
        }
        None
    }

    fn remember(&self, model: &Path) -> Result<String, String> {
        let file = self.config_file.as_ref().ok_or(NO_CONFIG)?;
        // Where the person is now is not where they will start next.
        let model = match model == Path::new(STARTER) {
            true => model.to_path_buf(),
            false => std::path::absolute(paths::expand_home(model)).map_err(|e| e.to_string())?,
        };
        config::save::model(file, &model).map_err(|e| e.to_string())?;
        Ok(file.display().to_string())
    }

    fn load(&self, path: PathBuf) {
        let model = match paths::model_file(&path) {
            Ok(model) => model,
            Err(why) => {
                let _ = self
                    .answers
                    .send(Event::Engine(engine::Event::Refused(why)));
                return;
            }
        };
        self.send(Command::Load(LoadSpec {
            model,
            context: self.config.context,
            threads: self.config.threads,
            gpu_layers: self.config.gpu_layers,
            flash_attention: self.config.flash_attention,
            keep: self.keep.clone(),
            vocabulary_only: false,
        }));
    }

    fn send(&self, command: Command) {
        // The host lives as long as this sender.
        let _ = self.engine.send(command);
    }
}
