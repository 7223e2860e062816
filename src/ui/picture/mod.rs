//! Pictures in the transcript: drawn as kitty, iTerm2 or sixel graphics where
//! the terminal can, in half blocks elsewhere, and as words where not at all.
//!
//! `prepare` does the costly work and may run on any thread; `Gallery` keeps
//! what is prepared and draws the part of it that is in view.

mod cover;
mod diacritics;
mod gallery;
mod half;
mod iterm;
mod kitty;
mod palette;
mod prepare;
mod scale;
mod sixel;
mod terminal;

pub use gallery::{Gallery, Key, Label};
pub use half::Depth;
pub use prepare::{PictureError, Prepared, prepare};
pub use scale::{CellSize, size_in_cells};
pub use terminal::{
    Abilities, Answers, Protocol, QUESTIONS, Wish, depth, known, parse, through_tmux,
};
