//! Popups: a stack; the topmost takes the keys.

mod conversations;
mod find;
mod models;

pub(super) use conversations::Awaited;
pub use conversations::{ConversationsLayer, Row, Shelves, Typing, rows as conversation_rows};
pub(super) use conversations::{open as open_conversations, paste as paste_conversations};
pub use find::FindLayer;
pub(super) use find::{open as open_find, paste as paste_find};
pub use models::{ModelRow, ModelsLayer, Sort, rows as model_rows};
pub(super) use models::{devices, found, take_pulled};

use super::action::{ACTIONS, Action, Entry};
use super::effect::Effect;
use super::key::{Code, Key};
use super::state::State;
use crate::chat::sampling::SETTINGS;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use std::time::Instant;
use unicode_segmentation::UnicodeSegmentation;

#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    Help(HelpLayer),
    Conversations(ConversationsLayer),
    /// Words in the open conversation.
    Find(FindLayer),
    /// Which model to use.
    Models(ModelsLayer),
    /// Where the model runs.
    Runs,
    /// Actions by fuzzy name.
    Palette {
        query: String,
        choice: usize,
    },
    Settings(SettingsLayer),
}

/// Keys and commands; or, once something is written, the passages that answer
/// it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HelpLayer {
    pub query: String,
    /// Rows that it is scrolled by.
    pub scroll: usize,
}

/// The settings popup: a row for each number, then the system prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingsLayer {
    pub choice: usize,
    /// What is being typed into the chosen row.
    pub typing: Option<String>,
    pub problem: Option<String>,
}

/// Rows of the settings popup.
pub const SETTING_ROWS: usize = SETTINGS.len() + 1;

/// Actions that match the query, the best first. The palette shows each as
/// its name and doc.
pub fn palette_matches(query: &str) -> Vec<&'static Entry> {
    let offered = ACTIONS
        .iter()
        .filter(|e| !matches!(e.action, Action::Palette | Action::Submit | Action::Newline));
    if query.trim().is_empty() {
        return offered.collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut score = |words: &str| {
        let haystack = nucleo_matcher::Utf32Str::new(words, &mut buffer);
        pattern.score(haystack, &mut matcher)
    };
    // A match in the name counts before any in the description.
    let mut scored: Vec<(u32, &Entry)> = offered
        .filter_map(|e| match score(e.name) {
            Some(points) => Some((points + 10_000, e)),
            None => score(e.doc).map(|points| (points, e)),
        })
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, e)| e).collect()
}

/// Gives a key to the topmost layer.
pub(super) fn key(state: &mut State, key: Key, now: Instant) -> Vec<Effect> {
    match state.layers.last_mut() {
        None => Vec::new(),
        Some(Layer::Help(_)) => {
            help_key(state, key);
            Vec::new()
        }
        Some(Layer::Models(_)) => models::key(state, key, now),
        Some(Layer::Runs) => {
            close(state);
            Vec::new()
        }
        Some(Layer::Conversations(_)) => conversations::key(state, key, now),
        Some(Layer::Find(_)) => find::key(state, key, now),
        Some(Layer::Palette { .. }) => palette_key(state, key, now),
        Some(Layer::Settings(_)) => settings_key(state, key),
    }
}

/// Closes the topmost layer, whatever it is.
pub(super) fn dismiss(state: &mut State) -> Vec<Effect> {
    match state.layers.last() {
        Some(Layer::Models(_)) => models::leave(state),
        Some(Layer::Find(_)) => {
            find::close(state);
            Vec::new()
        }
        Some(
            Layer::Help(_)
            | Layer::Palette { .. }
            | Layer::Settings(_)
            | Layer::Conversations(_)
            | Layer::Runs,
        )
        | None => {
            close(state);
            Vec::new()
        }
    }
}

fn close(state: &mut State) {
    state.layers.pop();
}

fn help_key(state: &mut State, key: Key) {
    let rows = state.help_rows;
    let Some(Layer::Help(HelpLayer { query, scroll })) = state.layers.last_mut() else {
        return;
    };
    if let Some(c) = key.typed() {
        query.push(c);
        *scroll = 0;
        return;
    }
    match key.code {
        Code::Up => *scroll = scroll.saturating_sub(1),
        Code::Down => *scroll += 1,
        Code::PageUp => *scroll = scroll.saturating_sub(10),
        Code::PageDown => *scroll += 10,
        Code::Home => *scroll = 0,
        Code::End => *scroll = usize::MAX,
        Code::Backspace => {
            pop_grapheme(query);
            *scroll = 0;
        }
        Code::Char('u') if key.ctrl => query.clear(),
        _ => close(state),
    }
    if let Some(Layer::Help(HelpLayer { scroll, .. })) = state.layers.last_mut() {
        *scroll = (*scroll).min(rows);
    }
}

fn palette_key(state: &mut State, key: Key, now: Instant) -> Vec<Effect> {
    let Some(Layer::Palette { query, choice }) = state.layers.last_mut() else {
        return Vec::new();
    };
    if let Some(c) = key.typed() {
        query.push(c);
        *choice = 0;
        return Vec::new();
    }
    let found = palette_matches(query);
    match key.code {
        Code::Backspace => {
            pop_grapheme(query);
            *choice = 0;
        }
        Code::Char('u') if key.ctrl => query.clear(),
        Code::Up => *choice = choice.saturating_sub(1),
        Code::Down => *choice = (*choice + 1).min(found.len().saturating_sub(1)),
        Code::Enter => {
            let chosen = found.get(*choice).map(|e| e.action);
            close(state);
            return chosen.map_or_else(Vec::new, |a| super::act::run(state, a, now));
        }
        Code::Esc => close(state),
        _ => {}
    }
    Vec::new()
}

/// Takes the last grapheme off.
pub(super) fn pop_grapheme(text: &mut String) {
    if let Some((at, _)) = text.grapheme_indices(true).next_back() {
        text.truncate(at);
    }
}

fn settings_key(state: &mut State, key: Key) -> Vec<Effect> {
    let State {
        layers, settings, ..
    } = state;
    let Some(Layer::Settings(layer)) = layers.last_mut() else {
        return Vec::new();
    };
    if layer.typing.is_some() {
        type_setting(layer, settings, key);
        return Vec::new();
    }
    layer.problem = None;
    let setting = SETTINGS.get(layer.choice);
    match (key.code, setting) {
        (Code::Up, _) => layer.choice = layer.choice.saturating_sub(1),
        (Code::Down, _) => layer.choice = (layer.choice + 1).min(SETTING_ROWS - 1),
        (Code::Left, Some(s)) => s.step(&mut settings.sampling, -1),
        (Code::Right, Some(s)) => s.step(&mut settings.sampling, 1),
        (Code::Enter, Some(_)) => layer.typing = Some(String::new()),
        (Code::Enter, None) => layer.typing = Some(settings.system.clone()),
        (Code::Char(c), Some(_)) if key.typed().is_some() && (c.is_ascii_digit() || c == '.') => {
            layer.typing = Some(c.to_string());
        }
        (Code::Char('s'), _) if key.ctrl => {
            return vec![Effect::Save {
                sampling: settings.sampling.clone(),
                system: settings.system.clone(),
            }];
        }
        (Code::Esc, _) => close(state),
        _ => {}
    }
    Vec::new()
}

/// A key while a value is being typed.
fn type_setting(layer: &mut SettingsLayer, settings: &mut super::Settings, key: Key) {
    let Some(typed) = &mut layer.typing else {
        return;
    };
    if let Some(c) = key.typed() {
        typed.push(c);
        return;
    }
    match key.code {
        Code::Char('u') if key.ctrl => typed.clear(),
        Code::Backspace => pop_grapheme(typed),
        Code::Esc => {
            layer.typing = None;
            layer.problem = None;
        }
        Code::Enter => {
            let set = match SETTINGS.get(layer.choice) {
                Some(setting) => setting.set(&mut settings.sampling, typed),
                None => {
                    settings.system = std::mem::take(typed);
                    Ok(())
                }
            };
            match set {
                Ok(()) => {
                    layer.typing = None;
                    layer.problem = None;
                }
                Err(error) => layer.problem = Some(error.to_string()),
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_finds_actions_by_scattered_letters() {
        assert_eq!(palette_matches("cpy")[0].action, Action::Copy);
        assert!(
            palette_matches("sampling")
                .iter()
                .any(|e| e.action == Action::Set)
        );
        assert!(palette_matches("zzzz").is_empty());
    }
}
