//! The popup of models: at the first start, and whenever the person wants
//! another; where they are fetched, paired and removed too.

mod extras;
mod rows;

pub use rows::{ModelRow, Sort, rows};

use super::{Layer, close, pop_grapheme};
use crate::app::act;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::library::{self, HubSearch};
use crate::app::state::State;
use crate::app::talk::Tone;
use crate::app::turn::Engine;
use crate::protocol::engine::Adapter;
use crate::protocol::library::{Gpu, Kind, Listed, STARTER, Source};
use std::path::PathBuf;
use std::time::Instant;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelsLayer {
    /// Words that a row must hold.
    pub filter: String,
    /// The row; None until the person moves, for rows may still be found.
    pub choice: Option<usize>,
    pub sort: Sort,
    /// The path that is being typed.
    pub typing: Option<String>,
    /// The model that a projector is being chosen for.
    pub pairing: Option<PathBuf>,
    /// The model whose removal was asked for once.
    pub removing: Option<PathBuf>,
    /// What was fetched last: its row is the one to take.
    pub pulled: Option<PathBuf>,
}

impl ModelsLayer {
    /// Puts pasted text into the path or the words to look for, which it may
    /// begin.
    pub fn paste(&mut self, text: &str) {
        match &mut self.typing {
            Some(typing) => typing.push_str(text),
            None if text.starts_with(['/', '~', '.', '\'', '"']) => {
                self.typing = Some(text.into());
            }
            None => {
                self.filter.push_str(text);
                self.choice = None;
            }
        }
    }

    /// The row that Enter takes: the first model found, else the starter.
    pub fn chosen(&self, rows: &[ModelRow<'_>]) -> usize {
        let last = rows.len().saturating_sub(1);
        let pulled = |row: &ModelRow<'_>| match row {
            ModelRow::Found(m) => Some(&m.model.path) == self.pulled.as_ref(),
            _ => false,
        };
        let usual = rows
            .iter()
            .position(pulled)
            .or_else(|| {
                rows.iter()
                    .position(|row| matches!(row, ModelRow::Found(m) if can_chat(m)))
            })
            .or_else(|| {
                rows.iter()
                    .position(|row| matches!(row, ModelRow::Fetch(_)))
            })
            .unwrap_or(last);
        let usual = if self.pairing.is_some() { 0 } else { usual };
        self.choice.unwrap_or(usual).min(last)
    }
}

fn can_chat(model: &Listed) -> bool {
    let card = model.model.card.as_ref();
    card.is_ok_and(|c| c.kind == Kind::Chat) && !matches!(model.fit, Some(Err(_)))
}

pub(in crate::app) fn found(state: &mut State, models: Vec<Listed>) {
    state.library.models = Some(models);
}

/// The engine's devices: what fits is told by them.
pub(in crate::app) fn devices(state: &mut State, gpus: Vec<Gpu>) -> Vec<Effect> {
    if state.library.gpus == gpus {
        return Vec::new();
    }
    state.library.gpus.clone_from(&gpus);
    vec![Effect::FindModels(gpus)]
}

/// What was fetched becomes the chosen row once it is found.
pub(in crate::app) fn take_pulled(state: &mut State, path: Option<PathBuf>) {
    if let Some(Layer::Models(layer)) = state.layers.last_mut() {
        layer.choice = None;
        layer.pulled = path;
    }
}

pub(super) fn key(state: &mut State, key: Key, now: Instant) -> Vec<Effect> {
    let Some(Layer::Models(layer)) = state.layers.last() else {
        return Vec::new();
    };
    let mut layer = layer.clone();
    if layer.typing.is_some() {
        return type_path(state, layer, key);
    }
    let rows = rows(state, &layer);
    let (at, last) = (layer.chosen(&rows), rows.len().saturating_sub(1));
    let row = rows.get(at).map(ModelRow::own);
    let asked = layer.removing.take();
    match key.code {
        Code::Up => layer.choice = Some(at.saturating_sub(1)),
        Code::Down => layer.choice = Some((at + 1).min(last)),
        Code::PageUp => layer.choice = Some(at.saturating_sub(10)),
        Code::PageDown => layer.choice = Some((at + 10).min(last)),
        Code::Home => layer.choice = Some(0),
        Code::End => layer.choice = Some(last),
        Code::Tab => {
            layer.sort = layer.sort.next();
            layer.choice = None;
        }
        Code::Enter => return enter(state, layer, row, now),
        Code::Esc if layer.pairing.take().is_some() => layer.choice = None,
        Code::Esc if !layer.filter.is_empty() => {
            layer.filter.clear();
            layer.choice = None;
            state.library.hub = HubSearch::None;
        }
        Code::Esc => return leave(state),
        Code::Backspace => {
            pop_grapheme(&mut layer.filter);
            layer.choice = None;
        }
        Code::Delete => return remove(state, layer, row, asked, now),
        Code::Char('x') if key.ctrl => return remove(state, layer, row, asked, now),
        Code::Char('u') if key.ctrl => layer.filter.clear(),
        Code::Char('s') if key.ctrl => {
            let words = match &row {
                Some(Own::Found(model)) => match &model.model.extras {
                    Some(extras) => extras::take(state, extras),
                    None => "Only Ollama keeps values beside its models.".into(),
                },
                _ => return Vec::new(),
            };
            state.talk.notice(Tone::Plain, words.clone());
            state.flash(words, now);
        }
        Code::Char('f') if key.ctrl => return search(state, layer, now),
        Code::Char('r') if key.ctrl => match row {
            Some(Own::Found(model)) if can_chat(&model) => {
                layer.pairing = Some(model.model.path);
                layer.choice = None;
                layer.filter.clear();
            }
            _ => state.flash(
                "A projector belongs to a chat model: choose one first.",
                now,
            ),
        },
        _ => match key.typed() {
            // Whoever begins to write a path means a file.
            Some(c @ ('/' | '~' | '.')) if layer.filter.is_empty() => {
                layer.typing = Some(c.to_string());
            }
            Some(c) => {
                layer.filter.push(c);
                layer.choice = None;
            }
            None => {}
        },
    }
    put(state, layer)
}

use rows::Own;

/// Enter on a row: loads, fetches, lays over, or says why it cannot.
fn enter(state: &mut State, mut layer: ModelsLayer, row: Option<Own>, now: Instant) -> Vec<Effect> {
    match row {
        Some(Own::Found(model)) => return take(state, layer, &model, now),
        Some(Own::Fetch(what)) => {
            layer.filter.clear();
            layer.choice = None;
            put(state, layer);
            return library::pull(state, what);
        }
        Some(Own::Pull(id)) => return library::pause(state, id),
        Some(Own::File) => layer.typing = Some(String::new()),
        Some(Own::Starter) => return choose(state, STARTER.into()),
        None => {}
    }
    put(state, layer)
}

fn take(state: &mut State, layer: ModelsLayer, model: &Listed, now: Instant) -> Vec<Effect> {
    let found = &model.model;
    if let Some(base) = layer.pairing {
        close(state);
        return vec![Effect::Pair {
            model: base,
            projector: found.path.clone(),
        }];
    }
    let kind = match &found.card {
        Ok(card) => card.kind,
        Err(why) => {
            state.flash(format!("{} cannot be used: {why}", found.name), now);
            return Vec::new();
        }
    };
    match kind {
        // What does not fit now may fit once the present model is gone: the
        // engine decides.
        Kind::Chat => choose(state, found.path.clone()),
        Kind::Adapter => {
            close(state);
            vec![Effect::Adapt(vec![Adapter {
                path: found.path.clone(),
                scale: 1.0,
            }])]
        }
        Kind::Mmproj => {
            let words = "That is the eyes or ears of another model: choose that model, and join them with Ctrl+R.";
            state.flash(words, now);
            Vec::new()
        }
        Kind::Embedding | Kind::Reranker => {
            let words = "That model compares texts and cannot chat.";
            state.flash(words, now);
            Vec::new()
        }
    }
}

/// Removes a model of Parlor's own folder, once it is asked for twice; ends a
/// pull.
fn remove(
    state: &mut State,
    mut layer: ModelsLayer,
    row: Option<Own>,
    asked: Option<PathBuf>,
    now: Instant,
) -> Vec<Effect> {
    match row {
        Some(Own::Pull(id)) => return library::cancel(state, id),
        Some(Own::Found(model)) => {
            let found = model.model;
            let in_use = state.model.as_ref() == Some(&found.path);
            if found.source != Source::Parlor {
                let folder = found.path.parent().unwrap_or(&found.path).display();
                let words = format!("Not Parlor's own: it stands in {folder}.");
                state.flash(words, now);
            } else if in_use {
                state.flash("It is in use; choose another model first.", now);
            } else if asked.as_ref() == Some(&found.path) {
                put(state, layer);
                return vec![Effect::RemoveModel(Box::new(found))];
            } else {
                let words = format!("Delete {} for good? Again deletes it.", found.name);
                state.flash(words, now);
                layer.removing = Some(found.path);
            }
        }
        _ => {}
    }
    put(state, layer)
}

fn search(state: &mut State, layer: ModelsLayer, now: Instant) -> Vec<Effect> {
    let text = layer.filter.trim().to_string();
    put(state, layer);
    if text.is_empty() {
        state.flash("Write what to search the hub for, then Ctrl+F.", now);
        return Vec::new();
    }
    state.library.hub = HubSearch::Searching(text.clone());
    vec![Effect::SearchHub(text)]
}

fn type_path(state: &mut State, mut layer: ModelsLayer, key: Key) -> Vec<Effect> {
    let typed = layer.typing.get_or_insert_default();
    if let Some(c) = key.typed() {
        typed.push(c);
        return put(state, layer);
    }
    match key.code {
        Code::Backspace => pop_grapheme(typed),
        Code::Char('u') if key.ctrl => typed.clear(),
        Code::Esc => layer.typing = None,
        Code::Enter if !typed.trim().is_empty() => {
            // Paths that were dragged into the terminal come quoted.
            let path = PathBuf::from(typed.trim().trim_matches(['\'', '"']));
            if let Some(model) = layer.pairing {
                close(state);
                return vec![Effect::Pair {
                    model,
                    projector: path,
                }];
            }
            return choose(state, path);
        }
        _ => {}
    }
    put(state, layer)
}

fn put(state: &mut State, layer: ModelsLayer) -> Vec<Effect> {
    if let Some(Layer::Models(shown)) = state.layers.last_mut() {
        *shown = layer;
    }
    Vec::new()
}

/// Loads a model that is to be remembered once it works.
fn choose(state: &mut State, path: PathBuf) -> Vec<Effect> {
    close(state);
    let effects = act::load(state, path.clone());
    state.chosen = Some(path);
    effects
}

/// Without a choice, a person who has no model yet talks to the starter, and
/// is asked again next time.
pub(in crate::app) fn leave(state: &mut State) -> Vec<Effect> {
    close(state);
    state.library.hub = HubSearch::None;
    match state.engine {
        Engine::NoModel => act::load(state, STARTER.into()),
        Engine::Loading(_) | Engine::Ready(_) | Engine::Failed | Engine::Down | Engine::Resting => {
            Vec::new()
        }
    }
}
