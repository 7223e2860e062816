//! What the thread that writes is told to do.

use super::partial::Note;
use bytes::Bytes;
use tokio::sync::oneshot;

pub(super) enum Command {
    Write {
        at: u64,
        bytes: Bytes,
    },
    /// These bytes were not what the server said.
    Forget {
        from: u64,
        to: u64,
    },
    /// All that came is worth nothing; another version begins.
    Restart {
        note: Box<Note>,
        done: oneshot::Sender<()>,
    },
    /// Makes safe what came.
    Save {
        done: oneshot::Sender<()>,
    },
    /// Makes it safe if that was not done for long.
    Tick,
    /// All bytes are there: what are they?
    Finish {
        size: u64,
        whole: oneshot::Sender<Whole>,
    },
    /// Gives the file its name.
    Publish {
        done: oneshot::Sender<()>,
    },
    /// Removes what came.
    Remove {
        done: oneshot::Sender<()>,
    },
}

/// What a file is, once it is whole.
pub(super) struct Whole {
    /// SHA-256; of nothing, where none is known to check against.
    pub digest: String,
    pub first: Vec<u8>,
}
