//! Prepares pictures and waveforms for the screen, away from the loop.

use super::attach::Shelf;
use crate::media;
use crate::ui::hung::{WAVE, bars};
use crate::ui::picture::{Abilities, Key, Prepared, prepare};
use std::path::Path;
use tokio::sync::mpsc;

/// The longest edge of what is drawn: no terminal shows more.
const EDGE: u32 = 1600;
/// Sounds are looked at in this many samples a second.
const RATE: u32 = 8_000;

/// Something for the cache of the view.
pub enum Ready {
    Picture(Key, Box<Prepared>),
    Wave(String, String),
}

/// Prepares one after the other on a thread of its own.
pub struct Drawing {
    work: std::sync::mpsc::Sender<Wanted>,
}

enum Wanted {
    Picture(Key, Abilities),
    Wave(String),
}

impl Drawing {
    pub fn start(shelf: Shelf) -> (Self, mpsc::UnboundedReceiver<Ready>) {
        let (work, wanted) = std::sync::mpsc::channel();
        let (tell, ready) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            while let Ok(wanted) = wanted.recv() {
                let made = match wanted {
                    Wanted::Picture(key, abilities) => picture(&shelf, key, abilities),
                    Wanted::Wave(digest) => wave(&shelf, digest),
                };
                if let Some(made) = made
                    && tell.send(made).is_err()
                {
                    return;
                }
            }
        });
        (Self { work }, ready)
    }

    pub fn picture(&self, key: Key, abilities: Abilities) {
        let _ = self.work.send(Wanted::Picture(key, abilities));
    }

    pub fn wave(&self, digest: String) {
        let _ = self.work.send(Wanted::Wave(digest));
    }
}

/// None where it cannot be drawn: its name stays in its place.
fn picture(shelf: &Shelf, key: Key, abilities: Abilities) -> Option<Ready> {
    let bytes = read(&shelf.path(&key.digest)?)?;
    let mut terms = media::Terms::default();
    terms.limits.edge = EDGE;
    let pixels = media::picture(&bytes, 1, &terms).ok()?;
    let prepared = prepare(&pixels, (key.columns, key.rows), abilities).ok()?;
    Some(Ready::Picture(key, Box::new(prepared)))
}

fn wave(shelf: &Shelf, digest: String) -> Option<Ready> {
    let bytes = read(&shelf.path(&digest)?)?;
    let samples = media::sound(&bytes, RATE, &media::Terms::default()).ok()?;
    let wave = bars(&media::waveform(&samples, WAVE));
    Some(Ready::Wave(digest, wave))
}

fn read(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}
