//! Which key does what.

use super::action::{ACTIONS, Action};
use super::key::{Code, Key};
use std::collections::HashMap;

/// Keys to actions.
#[derive(Debug, Clone)]
pub struct Keymap {
    keys: HashMap<Key, Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self {
            keys: HashMap::new(),
        };
        for entry in ACTIONS {
            for key in entry.keys {
                // Held by a test: every default key can be parsed.
                if let Ok(key) = key.parse() {
                    keymap.keys.insert(key, entry.action);
                }
            }
        }
        keymap
    }
}

impl Keymap {
    /// The action for a key. A key that types a character acts only while the
    /// composer is empty; otherwise it is typed.
    pub fn action(&self, key: Key, composer_empty: bool) -> Option<Action> {
        if key.typed().is_some() && !composer_empty {
            return None;
        }
        self.keys.get(&key).copied()
    }

    /// Gives an action these keys instead of its own.
    pub fn bind(&mut self, action: Action, keys: &[Key]) {
        self.keys.retain(|_, a| *a != action);
        for key in keys {
            self.keys.insert(*key, action);
        }
    }

    /// The keys of an action, as people read them; the shortest first.
    pub fn keys_of(&self, action: Action) -> Vec<String> {
        let mut keys: Vec<&Key> = self
            .keys
            .iter()
            .filter(|(_, a)| **a == action)
            .map(|(k, _)| k)
            .collect();
        keys.sort_by_key(|k| {
            let preferred = action
                .entry()
                .keys
                .iter()
                .position(|d| d.parse().as_ref() == Ok(*k));
            let types = matches!(k.code, Code::Char(_)) && !k.ctrl && !k.alt;
            (preferred.unwrap_or(usize::MAX), types, k.to_string())
        });
        keys.into_iter().map(ToString::to_string).collect()
    }

    /// The first key of an action; empty when it has none.
    pub fn key_of(&self, action: Action) -> String {
        self.keys_of(action).into_iter().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_key_is_a_key_and_means_one_thing() {
        let mut seen = HashMap::new();
        for entry in ACTIONS {
            for key in entry.keys {
                let parsed: Key = key.parse().unwrap();
                assert_eq!(
                    seen.insert(parsed, entry.name),
                    None,
                    "{key} is bound twice"
                );
            }
        }
    }

    #[test]
    fn a_question_mark_helps_only_on_an_empty_composer() {
        let keymap = Keymap::default();
        let mark = "?".parse().unwrap();
        assert_eq!(keymap.action(mark, true), Some(Action::Help));
        assert_eq!(keymap.action(mark, false), None);
    }
}
