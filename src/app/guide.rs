//! What is asked of the engine: the conversation as it is, or as the guide
//! puts it.

use super::action::Action;
use super::keymap::Keymap;
use super::state::State;
use crate::help::guide::{Guided, Speaker, guide};
use crate::help::{Find, Names};

impl Names for Keymap {
    fn keys(&self, action: &str) -> Vec<String> {
        Action::named(action).map_or_else(Vec::new, |action| self.keys_of(action))
    }
}

/// The conversation for the model, with passages of the help where the guide
/// speaks.
pub(super) fn prepare(state: &State) -> Guided {
    let messages = state.talk.messages(&state.settings.system);
    let starter = state.has_starter();
    if !state.settings.persona.guides(starter) {
        return Guided {
            messages,
            ..Guided::default()
        };
    }
    let speaker = match starter {
        true => Speaker::Starter,
        false => Speaker::Model,
    };
    guide(Find::english(), &messages, speaker, &state.keymap)
}
