//! The domain: what a conversation is, apart from any screen, file or engine.

pub mod message;
pub mod persona;
pub mod reasoning;
pub mod sampling;
pub mod stop;
pub mod text;
pub mod usage;
pub mod utf8;

pub use message::{Message, Role};
pub use persona::Persona;
pub use reasoning::{Part, Reasoning};
pub use sampling::Sampling;
pub use usage::{FinishReason, Timings, Usage};
