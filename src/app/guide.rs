//! What is asked of the engine: the conversation as it is, or as the guide
//! puts it.

use super::action::Action;
use super::keymap::Keymap;
use super::state::State;
use crate::chat::MessageId;
use crate::help::Names;
use crate::help::guide::{self, Guided, Speaker};

impl Names for Keymap {
    fn keys(&self, action: &str) -> Vec<String> {
        Action::named(action).map_or_else(Vec::new, |action| self.keys_of(action))
    }
}

/// The conversation for the model, with passages of the help where the guide
/// speaks.
pub(super) fn prepare(state: &State, question: MessageId) -> Guided {
    let messages = state.talk.messages_to(question, &state.settings.system);
    let speaker = Speaker::of(state.settings.persona, state.has_starter());
    guide::prepare(messages, speaker, &state.keymap)
}
