//! Where the engine and the current answer stand.

use crate::protocol::engine::{ModelFacts, ReadProgress, RequestId};
use std::time::Instant;

/// The engine as the chat knows it.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
pub enum Engine {
    /// No model was named.
    NoModel,
    /// In thousandths.
    Loading(u16),
    Ready(ModelFacts),
    /// The model cannot be used; why is in the conversation.
    Failed,
    /// The process ended; the next message starts another.
    Down,
    /// Idle for long, the model has let go of its memory; the next message
    /// loads it again.
    Resting,
}

/// The answer that is under way.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    Idle,
    /// Asked for; the model is still loading, or nothing has been heard yet.
    Waiting(RequestId),
    Reading(RequestId, ReadProgress),
    Writing {
        id: RequestId,
        since: Instant,
        pieces: u32,
    },
}

impl Turn {
    /// The request under way.
    pub fn id(&self) -> Option<RequestId> {
        match self {
            Turn::Idle => None,
            Turn::Waiting(id) | Turn::Reading(id, _) | Turn::Writing { id, .. } => Some(*id),
        }
    }

    pub fn is_idle(&self) -> bool {
        *self == Turn::Idle
    }
}
