//! The engine: `host` drives the child process, `runner` is the child.

pub mod check;
pub mod frame;
pub mod host;
pub mod runner;
pub mod template;

mod child;
