//! The prepared pictures, within a bound of memory, and how they are drawn.

use super::cover::{cover, is_whole, placeholder, uncover};
use super::kitty::{self, Id};
use super::prepare::{Form, Prepared};
use super::scale::{CellSize, size_in_cells};
use super::terminal::{Abilities, Protocol};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::collections::{HashMap, HashSet};

/// How much larger than their pixels half blocks may be drawn.
const COARSE: u16 = 4;
/// Bytes that prepared pictures may take.
const MEMORY: usize = 64 * 1024 * 1024;

/// Which picture, and over how many cells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub digest: String,
    pub columns: u16,
    pub rows: u16,
}

/// What stands in a picture's place until it is prepared.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// For instance `harbour.png, 2048×1536`; made harmless by the caller.
    pub words: &'a str,
    pub style: Style,
}

/// Prepared pictures. What must reach the terminal outside of a frame gathers
/// in an outbox, see [`Gallery::take_outbox`].
#[derive(Debug)]
pub struct Gallery {
    abilities: Abilities,
    /// See [`Id::run`].
    run: u8,
    memory: usize,
    kept: HashMap<Key, Kept>,
    /// Counts frames.
    frame: u64,
    /// Pictures of this frame that are not text.
    covering: Vec<Covering>,
    /// Pictures that were to be drawn and are not prepared.
    missing: Vec<Key>,
    /// Pictures that the caller was told of and that have not come yet.
    asked: HashSet<Key>,
    outbox: String,
}

#[derive(Debug)]
struct Kept {
    prepared: Prepared,
    bytes: usize,
    /// The last frame that showed it.
    used: u64,
    /// Its number in a terminal with kitty's graphics.
    number: Option<u8>,
}

#[derive(Debug)]
struct Covering {
    key: Key,
    area: Rect,
    hidden: u16,
}

impl Gallery {
    /// An empty gallery. `run` is any number, by chance.
    pub fn new(abilities: Abilities, run: u8) -> Self {
        Self {
            abilities,
            run,
            memory: MEMORY,
            kept: HashMap::new(),
            frame: 0,
            covering: Vec::new(),
            missing: Vec::new(),
            asked: HashSet::new(),
            outbox: String::new(),
        }
    }

    /// The same gallery within another bound, in bytes.
    #[must_use]
    pub fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// What pictures must be prepared for.
    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Columns and rows that a picture takes: one row where none are drawn.
    pub fn size(&self, (width, height): (u32, u32), most: (u16, u16)) -> (u16, u16) {
        match self.abilities.protocol {
            Protocol::Off => (most.0, 1),
            Protocol::HalfBlocks => {
                // Two points to a cell: a small picture is drawn larger, or
                // nothing could be told in it.
                let CellSize {
                    width: w,
                    height: h,
                } = self.abilities.cell;
                let cell = CellSize {
                    width: (w / COARSE).max(1),
                    height: (h / COARSE).max(2),
                };
                size_in_cells(width, height, most.0, most.1, cell)
            }
            _ => size_in_cells(width, height, most.0, most.1, self.abilities.cell),
        }
    }

    /// Whether this picture is prepared.
    pub fn holds(&self, key: &Key) -> bool {
        self.kept.contains_key(key)
    }

    /// Bytes that the prepared pictures take.
    pub fn bytes(&self) -> usize {
        self.kept.values().map(|kept| kept.bytes).sum()
    }

    /// The pictures that were to be drawn and are not prepared. Each is told
    /// once, until it is inserted; one that cannot be prepared stays a label.
    pub fn take_missing(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.missing)
    }

    /// Takes in a prepared picture; the longest unseen go where it is too much.
    pub fn insert(&mut self, key: Key, prepared: Prepared) {
        self.asked.remove(&key);
        self.remove(&key);
        let bytes = prepared.bytes();
        self.make_room(bytes);
        let number = matches!(prepared.form, Form::Kitty(_))
            .then(|| self.free_number())
            .flatten();
        let kept = Kept {
            prepared,
            bytes,
            used: self.frame,
            number,
        };
        self.send(&kept);
        self.kept.insert(key, kept);
    }

    /// What the terminal must be sent before the next frame, if anything.
    pub fn take_outbox(&mut self) -> Option<String> {
        (!self.outbox.is_empty()).then(|| std::mem::take(&mut self.outbox))
    }

    /// To be called when the terminal was given away and taken back: what it
    /// was sent once is sent again.
    pub fn send_again(&mut self) {
        self.outbox.clear();
        let kept = std::mem::take(&mut self.kept);
        kept.values().for_each(|kept| self.send(kept));
        self.kept = kept;
    }

    /// To be called when the terminal can now something else, for instance
    /// with a font of another size: everything is prepared anew.
    pub fn retarget(&mut self, abilities: Abilities) {
        if abilities != self.abilities {
            self.outbox = self.farewell();
            self.kept.clear();
            self.asked.clear();
            self.missing.clear();
            self.abilities = abilities;
        }
    }

    /// What frees the terminal's memory before it is given away.
    pub fn farewell(&self) -> String {
        let mut out = String::new();
        for number in self.kept.values().filter_map(|kept| kept.number) {
            kitty::delete(&mut out, self.id(number), self.abilities.tmux);
        }
        out
    }

    /// Draws what is in view of a picture: `area` is its visible part, which
    /// begins `hidden` rows below its top. Draws the label where the picture is
    /// not prepared, and remembers that.
    pub fn draw(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        hidden: u16,
        key: &Key,
        label: Label<'_>,
    ) {
        let area = Rect {
            width: area.width.min(key.columns),
            height: area.height.min(key.rows.saturating_sub(hidden)),
            ..area
        }
        .intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        if self.abilities.protocol == Protocol::Off {
            buffer.set_stringn(
                area.x,
                area.y,
                label.words,
                usize::from(area.width),
                label.style,
            );
            return;
        }
        let Some(kept) = self.kept.get_mut(key) else {
            if self.asked.insert(key.clone()) {
                self.missing.push(key.clone());
            }
            return placeholder(buffer, area, hidden, key.rows, label);
        };
        kept.used = self.frame;
        match (&kept.prepared.form, kept.number) {
            (Form::Kitty(_), Some(number)) => {
                let id = Id {
                    run: self.run,
                    number,
                };
                kitty::draw(buffer, area, hidden, key.columns, id);
            }
            // A sequence that ends on the last row of the screen scrolls it,
            // and one that is cut at the side cannot be told to be.
            (Form::Sixel(..) | Form::Iterm2(..), _)
                if area.bottom() < buffer.area.bottom() && area.width == key.columns =>
            {
                cover(buffer, area, hidden, &mut kept.prepared);
                kept.bytes = kept.prepared.bytes();
                self.covering.push(Covering {
                    key: key.clone(),
                    area,
                    hidden,
                });
            }
            _ => kept.prepared.half.draw(buffer, area, hidden),
        }
    }

    /// To be called when the whole frame is drawn: a picture that something
    /// stands over is drawn in half blocks, which leave nothing behind.
    pub fn settle(&mut self, buffer: &mut Buffer) {
        for Covering { key, area, hidden } in std::mem::take(&mut self.covering) {
            if let Some(kept) = self.kept.get(&key)
                && !is_whole(buffer, area)
            {
                uncover(buffer, area, hidden, &kept.prepared.half);
            }
        }
        self.frame += 1;
    }

    fn id(&self, number: u8) -> Id {
        Id {
            run: self.run,
            number,
        }
    }

    /// A number that no kept picture has; frees one where all are taken.
    fn free_number(&mut self) -> Option<u8> {
        let free = |gallery: &Self| {
            (1..=u8::MAX).find(|n| gallery.kept.values().all(|kept| kept.number != Some(*n)))
        };
        free(self).or_else(|| {
            self.remove_oldest(u64::MAX);
            free(self)
        })
    }

    /// Drops pictures until so many bytes fit; those in view stay.
    fn make_room(&mut self, bytes: usize) {
        while self.bytes() + bytes > self.memory && self.remove_oldest(self.frame) {}
    }

    /// Drops the longest unseen that was not seen in the last whole frame
    /// before `frame`; false where there is none.
    fn remove_oldest(&mut self, frame: u64) -> bool {
        let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
        let oldest = oldest.filter(|(_, kept)| kept.used.saturating_add(1) < frame);
        let Some(key) = oldest.map(|(key, _)| key.clone()) else {
            return false;
        };
        self.remove(&key);
        true
    }

    fn remove(&mut self, key: &Key) {
        if let Some(number) = self.kept.remove(key).and_then(|kept| kept.number) {
            let id = self.id(number);
            kitty::delete(&mut self.outbox, id, self.abilities.tmux);
        }
    }

    fn send(&mut self, kept: &Kept) {
        if let (Form::Kitty(file), Some(number)) = (&kept.prepared.form, kept.number) {
            let (id, size) = (self.id(number), kept.prepared.size());
            kitty::transmit(&mut self.outbox, id, file, self.abilities.tmux);
            kitty::place(&mut self.outbox, id, size, self.abilities.tmux);
        }
    }
}
