//! A message of a conversation: who speaks and what they say.

use serde::{Deserialize, Serialize};

/// Who speaks. Written in lower case in JSON, as chat templates expect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// One message, in the shape that chat templates are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub role: Role,
    pub content: String,
}

impl Message {
    /// A message with the given role and text.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
        }
    }
}

/// The messages for a single question: the system prompt (when it is not
/// empty), then the question.
pub fn single(system: &str, question: impl Into<String>) -> Vec<Message> {
    let mut messages = Vec::with_capacity(2);
    if !system.trim().is_empty() {
        messages.push(Message::new(Role::System, system));
    }
    messages.push(Message::new(Role::User, question));
    messages
}
