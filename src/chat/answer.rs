//! An answer: its text, how it stands, and what it was made with.

use super::{Sampling, Timings, Usage};
use serde::{Deserialize, Serialize};

/// How an answer stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Progress {
    /// Text may still come.
    Open,
    #[default]
    Done,
    /// The person stopped it.
    Stopped,
    /// The token limit or the end of the context.
    Cut,
    /// The program ended while it was written.
    Interrupted,
    /// The engine could not go on; why.
    Failed(String),
}

impl Progress {
    /// Whether the answer may be gone on with.
    pub fn is_unfinished(&self) -> bool {
        match self {
            Progress::Stopped | Progress::Cut | Progress::Interrupted | Progress::Failed(_) => true,
            Progress::Open | Progress::Done => false,
        }
    }
}

/// A passage of the help that an answer was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub id: String,
    pub title: String,
}

/// What an answer was made with: the same gives the same text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Made {
    /// The model's file as it was named.
    pub model: String,
    pub sampling: Sampling,
    /// The seed that was drawn, when none was set.
    pub seed: Option<u32>,
    pub system: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    pub text: String,
    pub thinking: String,
    pub progress: Progress,
    pub usage: Usage,
    pub timings: Timings,
    /// The passages of the help that it was made from.
    pub sources: Vec<Source>,
    /// None for an answer that was written elsewhere, or by the person.
    pub made: Option<Made>,
}
