//! What the state machine asks the outside world to do, as data.

use crate::chat::Sampling;
use crate::protocol::engine::{Request, RequestId};
use crate::protocol::store;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Load this model, in place of the one that is loaded.
    Load(PathBuf),
    /// Write the model that was chosen to the config file; answered by
    /// `Event::Saved`.
    Remember(PathBuf),
    /// Look for models on this machine; answered by `Event::Models`.
    FindModels,
    /// End the loading that is under way.
    Unload,
    Generate(Request),
    Cancel(RequestId),
    /// Have the engine keep what it knows of the conversation.
    Keep,
    /// Put text on the clipboard; answered by `Event::Copied`.
    Copy(String),
    /// Write settings to the config file; answered by `Event::Saved`.
    Save {
        sampling: Sampling,
        system: String,
    },
    /// Have the store do this.
    Store(store::Command),
    Suspend,
    Redraw,
    Quit,
}
