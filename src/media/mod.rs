//! Turns the files that people attach into what a model takes: pixels,
//! samples, frames and text.
//!
//! Every file is a stranger's. Nothing is believed: what a file is, is read
//! from its bytes; sizes that it declares are checked before memory is taken;
//! and the decoders of others run behind a guard, so that their panics become
//! a [`Fault`].

mod fault;
mod film;
mod form;
mod frames;
mod guard;
mod isobmff;
mod language;
mod look;
mod opus;
mod part;
mod pdf;
mod picture;
mod pixels;
mod probe;
mod program;
mod reel;
mod resample;
mod sound;
mod strip;
mod svg;
mod terms;
mod text;
mod tools;
mod track;

pub use fault::Fault;
pub use film::{Film, film};
pub use form::Kind;
pub use frames::{Frame, Pace, frames};
pub use guard::guarded;
pub use look::{Look, Measure, look, look_at};
pub use part::{Samples, split, wav, waveform};
pub use picture::picture;
pub use pixels::{Pixels, png};
pub use sound::sound;
pub use terms::{Limits, Terms};
pub use text::{Cut, Excerpt, text};
pub use tools::{Tools, ffmpeg_there};
