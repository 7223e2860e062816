//! The popup that asks which model to use: at the first start, and whenever
//! the person wants another.

use super::{Layer, close, pop_grapheme};
use crate::app::act;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::state::State;
use crate::app::turn::Engine;
use crate::protocol::library::{FoundModel, STARTER};
use std::path::PathBuf;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelsLayer {
    /// The row; None until the person moves, for rows may still be found.
    pub choice: Option<usize>,
    /// The path that is being typed.
    pub typing: Option<String>,
}

/// A row of the popup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelRow<'m> {
    Found(&'m FoundModel),
    /// A file whose path is typed.
    File,
    Starter,
}

impl ModelsLayer {
    /// Puts pasted text into the path, which it may begin.
    pub fn paste(&mut self, text: &str) {
        self.typing.get_or_insert_default().push_str(text);
    }

    /// The row that Enter takes: the first model found, else the starter.
    pub fn chosen(&self, rows: &[ModelRow<'_>]) -> usize {
        let first = match rows.first() {
            Some(ModelRow::Found(_)) => 0,
            _ => rows.len().saturating_sub(1),
        };
        self.choice
            .unwrap_or(first)
            .min(rows.len().saturating_sub(1))
    }
}

/// The rows: what was found, a file, the starter.
pub fn rows(state: &State) -> Vec<ModelRow<'_>> {
    let found = state.models.iter().flatten().map(ModelRow::Found);
    found.chain([ModelRow::File, ModelRow::Starter]).collect()
}

pub(in crate::app) fn found(state: &mut State, models: Vec<FoundModel>) {
    state.models = Some(models);
}

pub(super) fn key(state: &mut State, key: Key) -> Vec<Effect> {
    let rows = rows(state);
    let Some(Layer::Models(layer)) = state.layers.last() else {
        return Vec::new();
    };
    let mut layer = layer.clone();
    if layer.typing.is_some() {
        return type_path(state, layer, key);
    }
    let (at, last) = (layer.chosen(&rows), rows.len() - 1);
    match key.code {
        Code::Up => layer.choice = Some(at.saturating_sub(1)),
        Code::Down => layer.choice = Some((at + 1).min(last)),
        Code::Home | Code::PageUp => layer.choice = Some(0),
        Code::End | Code::PageDown => layer.choice = Some(last),
        Code::Enter => match rows[at] {
            ModelRow::Found(model) => return choose(state, model.path.clone()),
            ModelRow::File => layer.typing = Some(String::new()),
            ModelRow::Starter => return choose(state, STARTER.into()),
        },
        Code::Esc => return leave(state),
        _ => match key.typed() {
            // Whoever begins to write a path means a file.
            Some(c @ ('/' | '~' | '.')) => layer.typing = Some(c.to_string()),
            _ => return Vec::new(),
        },
    }
    put(state, layer)
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
            let path = typed.trim().trim_matches(['\'', '"']);
            return choose(state, PathBuf::from(path));
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
    match state.engine {
        Engine::NoModel => act::load(state, STARTER.into()),
        Engine::Loading(_) | Engine::Ready(_) | Engine::Failed | Engine::Down => Vec::new(),
    }
}
