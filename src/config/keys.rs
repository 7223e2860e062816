//! The `[keys]` table: from names and written keys to a keymap.

use crate::app::action::ACTIONS;
use crate::app::{Action, Key, Keymap};
use std::collections::BTreeMap;

/// The default keymap with the person's own keys laid over it.
pub fn keymap(written: &BTreeMap<String, Vec<String>>) -> Result<Keymap, String> {
    let mut keymap = Keymap::default();
    for (name, keys) in written {
        let action = Action::named(name).ok_or_else(|| unknown(name))?;
        let keys: Result<Vec<Key>, _> = keys.iter().map(|k| k.parse()).collect();
        keymap.bind(action, &keys.map_err(|e| format!("[keys] {name}: {e}"))?);
    }
    Ok(keymap)
}

fn unknown(name: &str) -> String {
    let nearest = ACTIONS
        .iter()
        .min_by_key(|e| strsim::damerau_levenshtein(name, e.name))
        .map_or("", |e| e.name);
    format!("[keys]: there is no action “{name}”; did you mean “{nearest}”?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, key: &str) -> Result<Keymap, String> {
        keymap(&BTreeMap::from([(name.to_string(), vec![key.to_string()])]))
    }

    #[test]
    fn own_keys_replace_the_default_ones() {
        let keymap = one("open-palette", "ctrl-x").unwrap();
        assert_eq!(
            keymap.action("ctrl-x".parse().unwrap(), false),
            Some(Action::Palette)
        );
        assert_eq!(keymap.action("ctrl-p".parse().unwrap(), false), None);
    }

    #[test]
    fn a_wrong_action_or_key_is_an_error_that_helps() {
        assert!(
            one("open-pallete", "ctrl-x")
                .unwrap_err()
                .contains("did you mean “open-palette”")
        );
        assert!(one("quit", "crtl-x").unwrap_err().contains("is not a key"));
    }
}
