//! What the state machine asks the outside world to do, as data.

use super::attach::{Origin, Recording};
use super::library::PullId;
use crate::chat::{Attachment, Sampling};
use crate::protocol::engine::{Adapter, Request, RequestId};
use crate::protocol::hub::Wish;
use crate::protocol::library::{FoundModel, Gpu};
use crate::protocol::store;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Load this model, in place of the one that is loaded.
    Load(PathBuf),
    /// Write the model that was chosen to the config file; answered by
    /// `Event::Saved`.
    Remember(PathBuf),
    /// Look for models on this machine, where these GPUs are; answered by
    /// `Event::Models`.
    FindModels(Vec<Gpu>),
    /// Ask the engine for its devices.
    Devices,
    /// Fetch a model; answered by `Event::Pulling` and `Event::Pulled`.
    Pull(PullId, String),
    /// Pause, go on with, or end a pull.
    Wish(PullId, Wish),
    /// Search the hub; answered by `Event::Hub`.
    SearchHub(String),
    /// Delete a model of Parlor's own folder; answered by `Event::Removed`.
    RemoveModel(Box<FoundModel>),
    /// Write to the config file that these belong together; answered by
    /// `Event::Saved`.
    Pair {
        model: PathBuf,
        projector: PathBuf,
    },
    /// Lay exactly these LoRA files over the model.
    Adapt(Vec<Adapter>),
    /// This model was loaded now.
    Used(PathBuf),
    /// Weights were gone through so fast, in bytes a second: on the GPUs, or
    /// by the processor.
    Learn {
        on_gpu: bool,
        speed: u64,
    },
    /// End the loading that is under way.
    Unload,
    Generate(Request),
    Cancel(RequestId),
    /// Have the engine keep what it knows of the conversation.
    Keep,
    /// Put text on the clipboard; answered by `Event::Copied`.
    Copy(String),
    /// Attach something; answered by `Event::Attached`. What is private is not
    /// written anywhere that lasts.
    Attach {
        origin: Origin,
        private: bool,
    },
    /// Attach these files, if all are there; answered by `Event::Attached`, with
    /// the text if not.
    Drop {
        text: String,
        paths: Vec<PathBuf>,
        private: bool,
    },
    /// Attach the files that a message names as `@path`; answered by
    /// `Event::Mentioned`.
    Mention {
        text: String,
        private: bool,
    },
    /// Count what the attachments of a text cost.
    Weigh {
        id: RequestId,
        text: String,
    },
    /// Show it in the system's own viewer.
    Open(Attachment),
    /// Record from the microphone; answered by `Event::Attached` at the end, or
    /// by `Event::NotRecorded`.
    Record {
        step: Recording,
        private: bool,
    },
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
