//! The imperative shell: the terminal, the clock, the loop, the workers.

pub mod run;

mod clipboard;
mod hangup;
mod input;
pub mod fetch;
mod library;
mod perform;
mod signals;
pub mod terminal;
