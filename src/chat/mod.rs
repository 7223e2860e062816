//! The domain: what a conversation is, apart from any screen, file or engine.

pub mod answer;
pub mod attachment;
pub mod conversation;
pub mod find;
pub mod message;
pub mod persona;
pub mod reasoning;
pub mod sampling;
pub mod size;
pub mod stop;
pub mod text;
pub mod tree;
pub mod usage;
pub mod utf8;

pub use answer::{Answer, Made, Progress, Source};
pub use attachment::Attachment;
pub use conversation::{About, Conversation, Record, Standing, Titled};
pub use message::{Message, Role};
pub use persona::Persona;
pub use reasoning::{Part, Reasoning};
pub use sampling::Sampling;
pub use tree::{Branch, MessageId, Node, Place, Said, Tree, TreeError};
pub use usage::{FinishReason, Timings, Usage};
