//! Finding words in the open conversation.

use super::{Layer, pop_grapheme};
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::state::State;
use crate::app::talk::EntryId;
use crate::app::verbs::reveal;
use crate::chat::find;
use std::time::Instant;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindLayer {
    pub query: String,
    /// Every place, from the top.
    pub places: Vec<(EntryId, usize)>,
    /// Which place is shown.
    pub at: usize,
    /// Enter was pressed: `n` and `N` walk instead of being typed.
    pub walking: bool,
}

pub(in crate::app) fn open(state: &mut State, query: &str) {
    state.layers.push(Layer::Find(FindLayer {
        query: query.to_string(),
        ..FindLayer::default()
    }));
    look(state);
}

pub(super) fn close(state: &mut State) {
    state.layers.pop();
    state.talk.sought.clear();
}

/// Looks for what is written, and shows the last place: what one looks for was
/// mostly said not long ago.
fn look(state: &mut State) {
    let Some(Layer::Find(layer)) = state.layers.last_mut() else {
        return;
    };
    let tree = state.talk.tree();
    let messages = state.talk.ids().iter().filter_map(|id| tree.get(*id));
    layer.places = messages
        .flat_map(|node| {
            let places = find::in_message(node.said.text(), &layer.query);
            places.into_iter().map(|range| (node.id, range.start))
        })
        .collect();
    layer.at = layer.places.len().saturating_sub(1);
    let query = layer.query.clone();
    state.talk.sought = query;
    show(state);
}

fn show(state: &mut State) {
    if let Some(Layer::Find(layer)) = state.layers.last()
        && let Some((id, offset)) = layer.places.get(layer.at).copied()
    {
        reveal(state, id, Some(offset));
    }
}

fn walk(state: &mut State, forward: bool) {
    if let Some(Layer::Find(layer)) = state.layers.last_mut() {
        let count = layer.places.len().max(1);
        let step = if forward { 1 } else { count - 1 };
        layer.at = (layer.at + step) % count;
        layer.walking = true;
    }
    show(state);
}

pub(super) fn key(state: &mut State, key: Key, _: Instant) -> Vec<Effect> {
    let Some(Layer::Find(layer)) = state.layers.last_mut() else {
        return Vec::new();
    };
    match (key.code, key.typed()) {
        (_, Some('n')) if layer.walking => walk(state, true),
        (_, Some('N')) if layer.walking => walk(state, false),
        (_, Some(c)) => {
            if std::mem::take(&mut layer.walking) {
                layer.query.clear();
            }
            layer.query.push(c);
            look(state);
        }
        (Code::Enter | Code::Down, None) => walk(state, true),
        (Code::Up, None) => walk(state, false),
        (Code::Backspace, None) => {
            layer.walking = false;
            pop_grapheme(&mut layer.query);
            look(state);
        }
        (Code::Char('u'), None) if key.ctrl => {
            layer.query.clear();
            look(state);
        }
        (Code::Esc, None) => close(state),
        (_, None) => {}
    }
    Vec::new()
}

/// Pasted text is looked for.
pub(in crate::app) fn paste(state: &mut State, text: &str) {
    if let Some(Layer::Find(layer)) = state.layers.last_mut() {
        layer.query.push_str(text);
        look(state);
    }
}
