//! The imperative shell: the terminal, the clock, the loop, the workers.

pub mod run;

mod clipboard;
pub mod fetch;
mod hangup;
mod input;
mod library;
mod perform;
mod signals;
pub mod terminal;
