//! Parlor: a terminal chat that runs language models on the person's own machine.
//!
//! One binary, two processes. The UI process owns the terminal and all state;
//! the engine process (the same binary, started with a hidden subcommand) owns
//! llama.cpp. They exchange the messages in [`protocol`].
//!
//! | module | holds |
//! |---|---|
//! | [`chat`] | the domain: messages, sampling values, streams of text |
//! | [`protocol`] | the words that layers exchange |
//! | [`help`] | the program's own help, and finding what answers a question |
//! | [`app`] | the pure state machine: state, events, actions, effects |
//! | [`ui`] | the view: state to screen |
//! | [`engine`] | `host` drives the child process, `runner` is the child |
//! | [`gguf`] | the header of a model's file, read without trust |
//! | [`fit`] | what a model takes of a machine's memory |
//! | [`models`] | the library: every model on this machine, names for them |
//! | [`hub`] | the hub: finding, choosing and downloading models |
//! | [`store`] | saved conversations: SQLite, search, what cannot be saved yet |
//! | [`exchange`] | conversations to and from files |
//! | [`config`] | files to validated values |
//! | [`runtime`] | the loop, the terminal, signals |
//! | [`cli`] | one file per subcommand |

pub mod app;
pub mod chat;
pub mod cli;
pub mod config;
pub mod engine;
pub mod exchange;
pub mod fit;
pub mod gguf;
pub mod help;
pub mod hub;
pub mod media;
pub mod models;
pub mod protocol;
pub mod runtime;
pub mod store;
pub mod ui;
