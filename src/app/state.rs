//! All that the chat knows. Only `update` changes it; the view reads it.

use super::attach::Attaching;
use super::composer::Composer;
use super::keymap::Keymap;
use super::layer::Shelves;
use super::layer::{Layer, ModelsLayer};
use super::library::Library;
use super::talk::{Keep, Talk};
use super::title::Titling;
use super::turn::{Engine, Turn};
use crate::chat::{MessageId, Persona, Sampling, Usage};
use crate::protocol::engine::RequestId;
use crate::protocol::library::STARTER;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a passing word stays.
const FLASH: Duration = Duration::from_secs(3);

/// What can be changed while the chat runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    pub sampling: Sampling,
    pub system: String,
    pub persona: Persona,
    /// Whether the model gives conversations their titles, when it is idle.
    pub titles: bool,
}

/// An answer that was stopped, and the request that it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stopped {
    pub request: RequestId,
    pub conversation: String,
    pub message: MessageId,
}

/// A word that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    pub words: String,
    pub until: Instant,
    /// Whether it asks for Ctrl+C once more, to quit.
    pub asks_to_quit: bool,
}

#[derive(Debug)]
pub struct State {
    pub talk: Talk,
    /// The message that stands in the composer to be changed.
    pub editing: Option<MessageId>,
    /// Conversations that a list shows.
    pub shelf: Shelves,
    /// Why saving does not work, while it does not.
    pub unsaved: Option<String>,
    /// Makes ids for new conversations.
    pub(super) ids: u64,
    pub(super) titling: Titling,
    /// The answer that was stopped last: its account is still to come.
    pub(super) stopped: Option<Stopped>,
    pub composer: Composer,
    pub engine: Engine,
    pub turn: Turn,
    /// Messages that were sent while an answer was under way.
    pub queue: VecDeque<String>,
    /// Popups, the topmost last.
    pub layers: Vec<Layer>,
    pub settings: Settings,
    pub keymap: Keymap,
    pub flash: Option<Flash>,
    /// The model that is loaded or loading.
    pub model: Option<PathBuf>,
    /// The model that was loaded last.
    pub(super) loaded: Option<PathBuf>,
    /// The model that was asked for, until the engine takes or refuses it.
    pub(super) wanted: Option<PathBuf>,
    /// The model to be remembered once it is loaded.
    pub(super) chosen: Option<PathBuf>,
    pub library: Library,
    pub attaching: Attaching,
    /// What the library calls the models that were asked for.
    pub(super) names: HashMap<PathBuf, String>,
    /// Tokens of the last answer: how full the context is.
    pub usage: Usage,
    /// Tokens of the prompt that the answer under way was given.
    pub reading_total: u32,
    /// Rows by which the help can be scrolled, at the last drawing.
    pub(super) help_rows: usize,
    /// The message in each row of the conversation, and where those begin.
    pub(super) rows: Vec<MessageId>,
    pub(super) place: (u16, u16, u16),
    /// Rows of the conversation on the screen at the last drawing.
    pub page: u16,
    pub(super) next_request: RequestId,
}

impl State {
    /// The state at the start; the model is loading, or the person is asked for
    /// one.
    pub fn new(settings: Settings, keymap: Keymap, model: Option<PathBuf>) -> Self {
        Self {
            talk: Talk::new(String::new(), Keep::Saved),
            editing: None,
            shelf: Shelves::default(),
            unsaved: None,
            ids: 0,
            titling: Titling::default(),
            stopped: None,
            composer: Composer::default(),
            engine: if model.is_some() {
                Engine::Loading(0)
            } else {
                Engine::NoModel
            },
            turn: Turn::Idle,
            queue: VecDeque::new(),
            layers: match model {
                Some(_) => Vec::new(),
                None => vec![Layer::Models(ModelsLayer::default())],
            },
            settings,
            keymap,
            flash: None,
            model,
            loaded: None,
            wanted: None,
            chosen: None,
            library: Library::default(),
            attaching: Attaching::default(),
            names: HashMap::new(),
            usage: Usage::default(),
            reading_total: 0,
            help_rows: 0,
            rows: Vec::new(),
            place: (0, 0, 0),
            page: 10,
            next_request: 1,
        }
    }

    /// Says something that passes.
    pub fn flash(&mut self, words: impl Into<String>, now: Instant) {
        self.flash = Some(Flash {
            words: words.into(),
            until: now + FLASH,
            asks_to_quit: false,
        });
    }

    /// What to call the model that is loaded or loading; None without one.
    pub fn model_name(&self) -> Option<String> {
        let path = self.model.as_ref()?;
        let stem = || path.file_stem().unwrap_or(path.as_os_str());
        let name = self.names.get(path).cloned();
        Some(name.unwrap_or_else(|| stem().to_string_lossy().into_owned()))
    }

    /// Whether the model inside the program is loaded or loading.
    pub fn has_starter(&self) -> bool {
        self.model.as_deref() == Some(Path::new(STARTER))
    }

    /// When `Event::Tick` is due, if ever.
    pub fn deadline(&self) -> Option<Instant> {
        let flash = self.flash.as_ref().map(|f| f.until);
        [flash, self.talk.journal.due(), self.titling.due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Begins with a conversation of its own; `ids` are bits that no other
    /// program has.
    pub fn begin(&mut self, ids: u64, keep: Keep) {
        self.ids = ids;
        let id = self.new_id();
        self.talk = Talk::new(id, keep);
    }

    /// The id of a new conversation.
    pub(super) fn new_id(&mut self) -> String {
        crate::chat::conversation::id_of(self.random())
    }

    /// A seed for an answer, known before it begins: what is interrupted can be
    /// made again too. llama.cpp takes the largest number for "choose one".
    pub(super) fn new_seed(&mut self) -> u32 {
        (self.random() >> 32) as u32 % u32::MAX
    }

    fn random(&mut self) -> u64 {
        // SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
        self.ids = self.ids.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.ids;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}
