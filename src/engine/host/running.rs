//! The request that the child works on.

use crate::chat::{FinishReason, Timings, Usage};
use crate::protocol::engine::{Command, Event, Finish, ReadProgress, RequestId};
use tokio::time::Instant;

/// The request that the child works on.
pub(super) struct Running {
    pub id: RequestId,
    pub progress: ReadProgress,
    /// Set when a stop was asked for: when patience ends.
    pub deadline: Option<Instant>,
}

impl Running {
    pub fn new(id: RequestId) -> Self {
        Self {
            id,
            progress: ReadProgress::default(),
            deadline: None,
        }
    }
}

/// The request that a command is about; 0 for none.
pub(super) fn id_of(command: &Command) -> RequestId {
    match command {
        Command::Generate(request) => request.id,
        Command::Render { id, .. } | Command::Weigh { id, .. } | Command::Cancel(id) => *id,
        Command::Bench(spec) => spec.id,
        Command::Load(_)
        | Command::Unload
        | Command::Keep
        | Command::Adapt(_)
        | Command::Quantize(_)
        | Command::Devices => 0,
    }
}

/// What is said of a request that was stopped.
pub(super) fn cancelled(running: &Running) -> Event {
    Event::Finished(
        running.id,
        Finish {
            reason: FinishReason::Cancelled,
            usage: Usage {
                prompt_tokens: running.progress.total,
                cached_tokens: running.progress.cached,
                completion_tokens: 0,
                encoded: 0,
            },
            timings: Timings::default(),
            seed: 0,
            notice: None,
        },
    )
}
