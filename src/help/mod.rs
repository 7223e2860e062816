//! Parlor's own help: passages about everything it can do, and finding the
//! ones that answer a question.

mod find;
mod passage;
mod pointing;
mod signs;
mod small_talk;
mod words;

pub mod guide;

pub use find::{Find, Found, Trust};
pub use passage::{Cover, Names, Passage, english, parse};
