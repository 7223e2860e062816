//! Hands each effect to whoever carries it out. Decides nothing.

use super::attach::Attacher;
use super::clipboard::Clipboard;
use super::library::LibraryWorker;
use crate::app::{Effect, Event};
use crate::config::spec::Said;
use crate::config::{self, paths, spec};
use crate::protocol::engine::{self, Adapter, Command, Request};
use crate::protocol::store;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// How models are loaded, as the command line says.
    pub said: Said,
    pub library: LibraryWorker,
    /// Commands that wait until a model's name is looked up: they are about
    /// that model.
    pub held: Arc<Mutex<Held>>,
    pub config_file: Option<PathBuf>,
    pub clipboard: Clipboard,
    pub attacher: Attacher,
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
            Effect::FindModels(gpus) => self.library.find(gpus),
            Effect::Devices => self.send(Command::Devices),
            Effect::Pull(id, what) => self.library.pull(id, what),
            Effect::Wish(id, wish) => self.library.wish(id, wish),
            Effect::SearchHub(text) => self.library.search(text),
            Effect::RemoveModel(model) => self.library.remove(*model),
            Effect::Pair { model, projector } => {
                let file = self.config_file.clone();
                self.library.pair(file.as_ref(), &model, &projector);
            }
            Effect::Adapt(adapters) => self.send(Command::Adapt(expanded(adapters))),
            Effect::Used(model) => self.library.uses(model),
            Effect::Learn { on_gpu, speed } => self.library.learn(on_gpu, speed),
            Effect::Unload => self.send(Command::Unload),
            Effect::Generate(request) => {
                let texts = request.messages.iter().map(|m| m.content.as_str());
                let media = self.attacher.shelf.media(texts);
                self.send(Command::Generate(Request { media, ..request }));
            }
            Effect::Weigh { id, text } => {
                let media = self.attacher.shelf.media([text.as_str()]);
                self.send(Command::Weigh { id, text, media });
            }
            Effect::Attach { origin, private } => self.attacher.attach(origin, private),
            Effect::Drop {
                text,
                paths,
                private,
            } => self.attacher.dropped(text, paths, private),
            Effect::Mention { text, private } => self.attacher.mention(text, private),
            Effect::Open(one) => self.attacher.open(one),
            Effect::Record { step, private } => self.attacher.record(step, private),
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
        // A name is found from everywhere.
        let written = paths::expand_home(model);
        let model = match written.exists() {
            false => model.to_path_buf(),
            true => std::path::absolute(written).map_err(|e| e.to_string())?,
        };
        config::save::model(file, &model).map_err(|e| e.to_string())?;
        Ok(file.display().to_string())
    }

    /// Finds what is named, which may take a look through the library, on a
    /// thread of its own.
    fn load(&self, named: PathBuf) {
        let config = Arc::clone(&self.library.config);
        let said = self.said.clone();
        let (engine, answers) = (self.engine.clone(), self.answers.clone());
        let look = Look::begin(&self.held, engine.clone());
        std::thread::spawn(move || {
            let spec = spec::find(&config, &named).and_then(|named| {
                let spec = spec::load(&config, &named, &said)?;
                Ok((spec, named.name))
            });
            // Whoever asked for another model meanwhile does not want this one.
            if !look.is_the_last() {
                return;
            }
            // The host and the loop live as long as the program.
            match spec {
                Ok((spec, name)) => {
                    let _ = answers.send(Event::Named(spec.model.clone(), name));
                    let _ = engine.send(Command::Load(spec));
                }
                Err(why) => {
                    let _ = answers.send(Event::Engine(engine::Event::Refused(why)));
                }
            }
        });
    }

    fn send(&self, command: Command) {
        let mut held = lock(&self.held);
        match &command {
            // A stop never waits; what it stops may not have left yet.
            Command::Cancel(id) => {
                let id = *id;
                held.commands
                    .retain(|c| !matches!(c, Command::Generate(r) if r.id == id));
            }
            Command::Unload => held.latest += 1,
            _ if held.looking > 0 => {
                held.commands.push(command);
                return;
            }
            _ => {}
        }
        // The host lives as long as this sender.
        let _ = self.engine.send(command);
    }
}

/// What waits for a look through the library.
#[derive(Default)]
pub struct Held {
    /// Looks that are under way.
    looking: usize,
    /// The number of the look whose result counts.
    latest: u64,
    commands: Vec<Command>,
}

/// One look. Its end, however it comes, lets the commands go.
struct Look {
    held: Arc<Mutex<Held>>,
    engine: mpsc::UnboundedSender<Command>,
    number: u64,
}

impl Look {
    fn begin(held: &Arc<Mutex<Held>>, engine: mpsc::UnboundedSender<Command>) -> Self {
        let mut state = lock(held);
        state.looking += 1;
        state.latest += 1;
        Self {
            held: Arc::clone(held),
            engine,
            number: state.latest,
        }
    }

    fn is_the_last(&self) -> bool {
        lock(&self.held).latest == self.number
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.looking -= 1;
        if held.looking == 0 {
            for command in held.commands.drain(..) {
                let _ = self.engine.send(command);
            }
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files of adapters, with the home folder put in.
fn expanded(adapters: Vec<Adapter>) -> Vec<Adapter> {
    let expand = |adapter: Adapter| Adapter {
        path: paths::expand_home(&adapter.path),
        ..adapter
    };
    adapters.into_iter().map(expand).collect()
}
