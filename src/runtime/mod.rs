//! The imperative shell: the terminal, the clock, the loop, the workers.

pub mod run;

pub mod ask;
pub mod attach;
mod clipboard;
mod drawing;
pub mod fetch;
mod hangup;
mod input;
mod library;
pub mod microphone;
pub mod open;
mod perform;
mod signals;
pub mod take_url;
pub mod terminal;
