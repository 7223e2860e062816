//! What the chat knows of models: those on this machine, those that could be
//! fetched, and those that are being fetched.

use super::effect::Effect;
use super::state::State;
use super::talk::Tone;
use super::turn::Engine;
use crate::protocol::hub::{FoundRepo, Phase, Progress, Pulled, Wish};
use crate::protocol::library::{CatalogEntry, Gpu, Kind, Listed, Machine};
use std::path::Path;
use std::time::Instant;

/// Numbers pulls.
pub type PullId = u64;

/// A model that is being fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    pub id: PullId,
    /// What was asked for.
    pub what: String,
    pub progress: Option<Progress>,
    pub wish: Wish,
}

/// A search on the hub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HubSearch {
    #[default]
    None,
    Searching(String),
    Found(Vec<FoundRepo>),
    Failed(String),
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Library {
    /// None before the first look.
    pub models: Option<Vec<Listed>>,
    pub catalog: Vec<CatalogEntry>,
    /// The memory that there is.
    pub machine: Machine,
    pub gpus: Vec<Gpu>,
    pub pulls: Vec<Pull>,
    pub hub: HubSearch,
    next: PullId,
}

impl Library {
    /// The model of this path.
    pub fn of(&self, path: &Path) -> Option<&Listed> {
        self.models.iter().flatten().find(|m| m.model.path == path)
    }

    /// How many models one could chat with.
    pub fn chat_models(&self) -> usize {
        let models = self.models.iter().flatten();
        models
            .filter(|m| m.model.card.as_ref().is_ok_and(|c| c.kind == Kind::Chat))
            .count()
    }

    fn pull_mut(&mut self, id: PullId) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|p| p.id == id)
    }
}

impl State {
    /// What changing to a model of this size costs, if there is something to
    /// read again: the time is guessed from the speed of the model in use.
    pub fn reread_cost(&self, size: Option<u64>) -> Option<String> {
        let tokens = self.usage.prompt_tokens + self.usage.completion_tokens;
        let (_, answer) = self.talk.last_answer().filter(|_| tokens > 0)?;
        let read = answer.timings.prefill_tps;
        let time = match (&self.engine, size) {
            (Engine::Ready(facts), Some(size)) if read > 0.0 && facts.size > 0 => {
                let slower = size as f64 / facts.size as f64;
                let seconds = (f64::from(tokens) / read * slower).ceil();
                format!(", about {seconds} s")
            }
            _ => String::new(),
        };
        Some(format!(
            "The conversation stays; its {tokens} tokens are read again with the next message{time}."
        ))
    }
}

/// Begins to fetch a model, unless it is being fetched.
pub(super) fn pull(state: &mut State, what: String) -> Vec<Effect> {
    let library = &mut state.library;
    if let Some(pull) = library.pulls.iter_mut().find(|p| p.what == what) {
        pull.wish = Wish::Run;
        return vec![Effect::Wish(pull.id, Wish::Run)];
    }
    library.next += 1;
    let id = library.next;
    library.pulls.push(Pull {
        id,
        what: what.clone(),
        progress: None,
        wish: Wish::Run,
    });
    vec![Effect::Pull(id, what)]
}

/// Pauses a pull, or lets it go on.
pub(super) fn pause(state: &mut State, id: PullId) -> Vec<Effect> {
    let Some(pull) = state.library.pull_mut(id) else {
        return Vec::new();
    };
    pull.wish = match pull.wish {
        Wish::Pause => Wish::Run,
        Wish::Run | Wish::Cancel => Wish::Pause,
    };
    vec![Effect::Wish(id, pull.wish)]
}

/// Ends a pull; what came is kept, and asking again goes on from there.
pub(super) fn cancel(state: &mut State, id: PullId) -> Vec<Effect> {
    let Some(pull) = state.library.pull_mut(id) else {
        return Vec::new();
    };
    pull.wish = Wish::Cancel;
    vec![Effect::Wish(id, Wish::Cancel)]
}

pub(super) fn progress(state: &mut State, id: PullId, progress: Progress) {
    let told = match &progress.phase {
        Phase::Chosen(choice) if !choice.why.is_empty() => Some(choice.why.clone()),
        Phase::Restarting { why } => Some(format!("It is fetched from the start again: {why}.")),
        _ => None,
    };
    if let Some(pull) = state.library.pull_mut(id) {
        pull.progress = Some(progress);
        if let Some(words) = told {
            let words = format!("Fetching {}. {words}", pull.what);
            state.talk.notice(Tone::Plain, words);
        }
    }
}

/// A pull has ended. What came is on the list at the next look.
pub(super) fn pulled(
    state: &mut State,
    id: PullId,
    outcome: Result<Pulled, String>,
    now: Instant,
) -> Vec<Effect> {
    let library = &mut state.library;
    let Some(at) = library.pulls.iter().position(|p| p.id == id) else {
        return Vec::new();
    };
    let pull = library.pulls.remove(at);
    match outcome {
        Ok(pulled) => {
            let name = pulled.files.first().and_then(|f| f.file_name());
            let name = name.unwrap_or_default().to_string_lossy().into_owned();
            let words = match pulled.already {
                true => format!("{name} was here already."),
                false => format!("{name} is here."),
            };
            // Without a model, the list is open and shows it first.
            match state.engine {
                Engine::NoModel => state.flash(format!("{words} Enter loads it."), now),
                _ => state
                    .talk
                    .notice(Tone::Plain, format!("{words} /model chooses it.")),
            }
            super::layer::take_pulled(state, pulled.files.into_iter().next());
        }
        Err(_) if pull.wish == Wish::Cancel => {
            let words = "Ended; what came is kept, and fetching it again goes on from there.";
            state.flash(words, now);
        }
        Err(why) => {
            let words = format!("{} was not fetched: {why}", pull.what);
            state.talk.notice(Tone::Problem, words.clone());
            if !state.layers.is_empty() {
                state.flash(words, now);
            }
        }
    }
    vec![Effect::FindModels(state.library.gpus.clone())]
}
