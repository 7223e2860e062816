//! What an answer cost and why it ended.

use serde::{Deserialize, Serialize};

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FinishReason {
    /// The model ended its turn, or a stop string was met.
    Stop,
    /// The token limit was reached or the context is full.
    Length,
    /// The person stopped it.
    Cancelled,
    /// The engine failed.
    Error,
}

/// Tokens of one answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the whole prompt, cached ones included.
    pub prompt_tokens: u32,
    /// Prompt tokens that were still in the KV cache and not read again.
    pub cached_tokens: u32,
    /// Tokens that the model wrote.
    pub completion_tokens: u32,
    /// Pictures and sounds that had to be encoded: what is in the KV cache, or
    /// was encoded before, is not.
    #[serde(default)]
    pub encoded: u32,
}

/// Times of one answer. Speeds are tokens per second; 0 when nothing was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// Milliseconds to load the model; 0 when it was loaded already.
    pub load_ms: f64,
    /// Milliseconds from the request to the first token.
    pub ttft_ms: f64,
    pub prefill_tps: f64,
    pub generate_tps: f64,
}
