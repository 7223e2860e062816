//! The state machine: `update` turns an event into new state and effects.
//! Pure: no clock, no files, no terminal; time is an argument.

pub mod action;
pub mod attach;
pub mod composer;
pub mod effect;
pub mod event;
pub mod key;
pub mod keymap;
pub mod layer;
pub mod library;
pub mod slash;
pub mod state;
pub mod talk;
pub mod turn;

pub mod act;
mod adapt;
mod engine;
mod guide;
mod journal;
mod keep;
mod title;
mod update;
mod verbs;

pub use action::Action;
pub use adapt::{adapter, names as adapter_names};
pub use effect::Effect;
pub use event::{CopyWay, Drawn, Event};
pub use keep::finish;
pub use key::{Code, Key};
pub use keymap::Keymap;
pub use library::{Library, Pull, PullId};
pub use state::{Settings, State};
pub use talk::{Keep, Talk};
pub use update::update;
