//! Rows that were laid out before, so that a frame costs what changed.
//!
//! An answer that streams keeps the rows of its finished blocks; only the last
//! block, which may still change, is laid out again.

use super::hung::{Hung, Waves};
use super::markdown::{self, Look};
use super::picture::{Abilities, Gallery};
use super::text::{Lead, Row};
use crate::app::talk::EntryId;
use std::collections::HashMap;

/// Laid-out entries by id.
#[derive(Debug)]
pub struct Cache {
    pub(super) entries: HashMap<EntryId, Laid>,
    pub gallery: Gallery,
    pub waves: Waves,
}

impl Default for Cache {
    /// For a terminal that draws nothing.
    fn default() -> Self {
        Self::new(Gallery::new(Abilities::none(), 0))
    }
}

/// The rows of one entry: before its text, its text, after its text.
#[derive(Debug, Default)]
pub struct Laid {
    pub width: u16,
    /// What the rows were made of; when it differs they are made again.
    pub print: u64,
    pub head: Vec<Row>,
    pub body: Body,
    pub tail: Vec<Row>,
    /// Pictures and sounds, whose rows are among those of the tail.
    pub hung: Vec<Hung>,
}

/// Rows of a text that only grows.
#[derive(Debug, Default)]
pub struct Body {
    pub rows: Vec<Row>,
    /// Bytes of the text that were laid out.
    length: usize,
    /// Bytes, and rows of them, that will not change.
    done: usize,
    done_rows: usize,
}

impl Cache {
    pub fn new(gallery: Gallery) -> Self {
        Self {
            entries: HashMap::new(),
            gallery,
            waves: Waves::default(),
        }
    }

    /// The terminal can draw something else: rows are laid out anew.
    pub fn retarget(&mut self, abilities: Abilities) {
        if abilities != self.gallery.abilities() {
            self.gallery.retarget(abilities);
            self.entries.clear();
        }
    }

    /// Drops what is no longer in the conversation.
    pub fn keep(&mut self, is_there: impl Fn(EntryId) -> bool, count: usize) {
        if self.entries.len() > count + 32 {
            self.entries.retain(|id, _| is_there(*id));
        }
    }
}

impl Laid {
    pub fn len(&self) -> usize {
        self.head.len() + self.body.rows.len() + self.tail.len()
    }

    /// A row, counted from the entry's first.
    pub fn row(&self, at: usize) -> Option<&Row> {
        let body = at.checked_sub(self.head.len());
        match body {
            None => self.head.get(at),
            Some(at) => match at.checked_sub(self.body.rows.len()) {
                None => self.body.rows.get(at),
                Some(at) => self.tail.get(at),
            },
        }
    }

    /// The place of a row for an anchor: reasoning counts from 0, the text from
    /// [`Self::TEXT`], so that the two never meet.
    pub fn offset_of(&self, row: usize) -> usize {
        let offset = self.row(row).map_or(usize::MAX, |r| r.offset);
        if row < self.head.len() {
            offset
        } else {
            offset.saturating_add(Self::TEXT)
        }
    }

    /// The row that shows this place, as near as can be told.
    pub fn row_at(&self, offset: usize) -> usize {
        match offset.checked_sub(Self::TEXT) {
            None => {
                let after = self.head.partition_point(|r| r.offset <= offset);
                after.saturating_sub(1)
            }
            Some(offset) => {
                let after = self.body.rows.partition_point(|r| r.offset <= offset);
                self.head.len() + after.saturating_sub(1)
            }
        }
    }

    /// Beyond any byte of a reasoning.
    pub const TEXT: usize = usize::MAX / 2;
}

impl Body {
    /// Brings the rows up to the text, which must be the text of the last call
    /// with more at its end.
    pub fn grow(&mut self, text: &str, lead: &Lead, look: Look<'_>) {
        if text.len() == self.length && !self.rows.is_empty() {
            return;
        }
        self.rows.truncate(self.done_rows);
        let fresh = &text[self.done..];
        let complete = markdown::complete(fresh);
        self.extend(&fresh[..complete], self.done, lead, look);
        self.done += complete;
        self.done_rows = self.rows.len();
        self.extend(&fresh[complete..], self.done, lead, look);
        self.length = text.len();
    }

    /// Lays out whole blocks; `base` is the byte where `text` begins.
    fn extend(&mut self, text: &str, base: usize, lead: &Lead, look: Look<'_>) {
        for range in markdown::split(text) {
            let at = base + range.start;
            if !self.rows.is_empty() {
                self.rows.push(Row {
                    line: ratatui::text::Line::default(),
                    offset: at,
                });
            }
            let blocks = markdown::parse(&text[range], at);
            let mut rows = markdown::lay(&blocks, lead, look);
            // Offsets only grow, so that a place can be found by searching.
            let mut least = self.rows.last().map_or(0, |r| r.offset);
            for row in &mut rows {
                row.offset = row.offset.max(least);
                least = row.offset;
            }
            self.rows.extend(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Theme;
    use proptest::prelude::*;

    fn whole(text: &str) -> Vec<Row> {
        grown(&[text])
    }

    fn grown(pieces: &[&str]) -> Vec<Row> {
        let theme = Theme::default();
        let look = Look {
            theme: &theme,
            width: 24,
        };
        let mut body = Body::default();
        let mut text = String::new();
        for piece in pieces {
            text.push_str(piece);
            body.grow(&text, &Lead::default(), look);
        }
        body.rows
    }

    proptest! {
        #[test]
        fn any_chunking_of_a_stream_draws_like_the_whole(
            text in "(- a\n|1. b\n|\n|# h\n|```\n|> q\n|wörd |  c\n|\\*\\*s\\*\\*|`x|---\n|\\[a\\]\\(b\\)){0,20}",
            size in 1usize..9,
        ) {
            let chars: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = chars.chunks(size).map(|c| c.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(grown(&pieces), if pieces.is_empty() { Vec::new() } else { whole(&text) });
        }
    }
}
