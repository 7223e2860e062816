//! Models as files: the starter inside the program, and every GGUF that is on
//! this machine, in Parlor's own folder and in those of other programs.
//!
//! `layout` reads one program's way of keeping files per file; `scan` puts
//! them together into one list, each file once, with what `cache` remembers
//! of their headers; `pair` finds the projectors that belong to models;
//! `reference` and `resolve` turn what a person writes into one of them.

mod cache;
mod candidate;
mod gather;
mod layout;
mod listed;
mod name;
mod pair;
mod places;
pub mod record;
mod reference;
mod remove;
mod resolve;
mod scan;
pub mod starter;
mod unresolved;
mod usual;
mod walk;

pub use listed::{catalog, fit, list};
pub use name::quant_of;
pub use places::Places;
pub use reference::Reference;
pub use remove::{RemoveError, remove};
pub use resolve::resolve;
pub use scan::{look, scan};
pub use unresolved::ResolveError;
