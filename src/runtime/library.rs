//! The worker for models: looks for them, fetches them, searches the hub, each
//! on a thread of its own, so that the chat goes on.

use super::fetch::{self, Wanted};
use crate::app::{Event, PullId};
use crate::config::{Config, machine, save, spec};
use crate::models;
use crate::protocol::hub::Wish;
use crate::protocol::library::{FoundModel, Gpu};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

pub struct LibraryWorker {
    pub config: Arc<Config>,
    pub answers: mpsc::UnboundedSender<Event>,
    pulls: HashMap<PullId, watch::Sender<Wish>>,
    /// As they were at the last look.
    gpus: Vec<Gpu>,
    /// Held while what was learned is changed.
    learning: Arc<Mutex<()>>,
}

fn lock(learning: &Mutex<()>) -> MutexGuard<'_, ()> {
    learning.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many repositories a search finds at most.
const FOUND: usize = 20;

impl LibraryWorker {
    pub fn new(config: Arc<Config>, answers: mpsc::UnboundedSender<Event>) -> Self {
        Self {
            config,
            answers,
            pulls: HashMap::new(),
            gpus: Vec::new(),
            learning: Arc::default(),
        }
    }

    /// Looks for models, and tells the short list.
    pub fn find(&mut self, gpus: Vec<Gpu>) {
        self.gpus.clone_from(&gpus);
        let config = self.config();
        self.work(move || {
            let here = machine::machine(gpus.clone());
            let list = machine::library(&config, gpus);
            vec![Event::Catalog(models::catalog(), here), Event::Models(list)]
        });
    }

    pub fn pull(&mut self, id: PullId, what: String) {
        let (wish, wishes) = watch::channel(Wish::Run);
        self.pulls.insert(id, wish);
        let (config, answers) = (self.config(), self.answers.clone());
        let gpus = self.gpus.clone();
        std::thread::spawn(move || {
            let tell = answers.clone();
            let wanted = Wanted {
                what,
                projector: true,
                gpus,
            };
            let outcome = fetch::pull(&config, &wanted, wishes, move |progress| {
                let _ = tell.send(Event::Pulling(id, progress));
            });
            let _ = answers.send(Event::Pulled(id, outcome));
        });
    }

    pub fn wish(&self, id: PullId, wish: Wish) {
        if let Some(sender) = self.pulls.get(&id) {
            sender.send_replace(wish);
        }
    }

    pub fn search(&self, text: String) {
        self.work(move || vec![Event::Hub(fetch::search(&text, FOUND))]);
    }

    pub fn remove(&self, model: FoundModel) {
        let config = self.config();
        self.work(move || {
            let removed = fetch::remove(&config, &model);
            vec![Event::Removed(removed.map(|_| model.name))]
        });
    }

    /// Writes a pair into the config file.
    pub fn pair(&mut self, file: Option<&PathBuf>, model: &Path, projector: &Path) {
        let saved = match file {
            Some(file) => spec::projector(projector).and_then(|projector| {
                save::pair(file, model, &projector)
                    .map(|()| file.display().to_string())
                    .map_err(|e| e.to_string())
            }),
            None => Err("no home folder is known; set PARLOR_CONFIG to a file".into()),
        };
        if let Some(Ok(config)) = file.map(|file| Config::load(file)) {
            self.config = Arc::new(config);
        }
        let _ = self.answers.send(Event::Saved(saved));
    }

    /// A model was loaded now.
    pub fn uses(&self, model: PathBuf) {
        let learning = Arc::clone(&self.learning);
        self.work(move || {
            let _one = lock(&learning);
            machine::learn(|record| record.uses(&model, machine::now()));
            Vec::new()
        });
    }

    pub fn learn(&self, on_gpu: bool, speed: u64) {
        let learning = Arc::clone(&self.learning);
        self.work(move || {
            let _one = lock(&learning);
            machine::learn(|record| record.learn(on_gpu, speed));
            Vec::new()
        });
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }

    fn work(&self, work: impl FnOnce() -> Vec<Event> + Send + 'static) {
        let answers = self.answers.clone();
        std::thread::spawn(move || {
            for event in work() {
                let _ = answers.send(event);
            }
        });
    }
}
