//! The conversation: finds which rows are in view, lays out only what it must,
//! and draws them.

use super::cache::{Cache, Laid};
use super::entry;
use super::markdown::Look;
use super::text::{Break, Lead, Piece, wrap};
use super::theme::Theme;
use crate::app::State;
use crate::app::act::NO_MODEL;
use crate::app::action::Action;
use crate::app::talk::Scroll;
use crate::app::turn::Engine;
use ratatui::Frame;
use ratatui::layout::Rect;

/// A row of an entry: index of the entry, row inside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    entry: usize,
    row: usize,
}

/// The conversation with its cache, while one frame is drawn.
struct View<'a> {
    state: &'a State,
    cache: &'a mut Cache,
    look: Look<'a>,
}

/// Where the view is now, and whether rows are hidden below it.
pub struct Shown {
    pub scroll: Scroll,
    pub more_below: bool,
}

/// Draws the visible rows.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    theme: &Theme,
    cache: &mut Cache,
) -> Shown {
    let at_end = |scroll| Shown {
        scroll,
        more_below: false,
    };
    if area.is_empty() {
        return at_end(state.talk.scroll);
    }
    let entries = &state.talk.entries;
    if entries.is_empty() {
        welcome(frame, area, state, theme);
        return at_end(Scroll::Follow);
    }
    cache.keep(|id| entries.iter().any(|e| e.id == id), entries.len());
    // One column is kept free at the right edge.
    let look = Look {
        theme,
        width: area.width.saturating_sub(1).max(4),
    };
    let mut view = View { state, cache, look };
    let (top, shown) = view.resolve(usize::from(area.height));
    view.paint(frame, area, top);
    shown
}

impl View<'_> {
    fn laid(&mut self, index: usize) -> &Laid {
        let entry = &self.state.talk.entries[index];
        let laid = self.cache.entries.entry(entry.id).or_default();
        entry::lay(laid, entry, self.state, self.look);
        laid
    }

    fn count(&self) -> usize {
        self.state.talk.entries.len()
    }

    /// The top row after the asked-for scrolling, held inside the conversation.
    fn resolve(&mut self, height: usize) -> (Place, Shown) {
        let at_end = |scroll| Shown {
            scroll,
            more_below: false,
        };
        let end = self.up(
            Place {
                entry: self.count(),
                row: 0,
            },
            height,
        );
        let pending = self.state.talk.pending;
        let top = match self.state.talk.scroll {
            Scroll::Follow if pending >= 0 => return (end, at_end(Scroll::Follow)),
            Scroll::Follow => end,
            Scroll::At {
                entry,
                row,
                offset,
                width,
            } => self.find(entry, row, offset, width),
        };
        // Scrolling goes from what is seen, not from a place kept below it.
        let top = if pending == 0 { top } else { top.min(end) };
        let rows = usize::try_from(pending.unsigned_abs()).unwrap_or(usize::MAX);
        let top = if pending < 0 {
            self.up(top, rows)
        } else {
            self.down(top, rows)
        };
        if top >= end {
            // A taller screen shows the end without being told to: the place
            // is kept for when it shrinks again. Scrolling there follows.
            let kept = if pending > 0 {
                Scroll::Follow
            } else {
                self.state.talk.scroll
            };
            return (end, at_end(kept));
        }
        if pending == 0 {
            // The anchor stays what it was: going back to the old width must
            // lead back to the very same row.
            let shown = Shown {
                scroll: self.state.talk.scroll,
                more_below: true,
            };
            return (top, shown);
        }
        let width = self.look.width;
        let entry = self.state.talk.entries[top.entry].id;
        let offset = self.laid(top.entry).offset_of(top.row);
        let scroll = Scroll::At {
            entry,
            row: top.row,
            offset,
            width,
        };
        let shown = Shown {
            scroll,
            more_below: true,
        };
        (top, shown)
    }

    /// The place that an anchor means now.
    fn find(&mut self, id: u64, row: usize, offset: usize, width: u16) -> Place {
        let entries = &self.state.talk.entries;
        let entry = entries
            .partition_point(|e| e.id < id)
            .min(entries.len() - 1);
        let same = width == self.look.width;
        let laid = self.laid(entry);
        let row = if same { row } else { laid.row_at(offset) };
        Place {
            entry,
            row: row.min(laid.len().saturating_sub(1)),
        }
    }

    /// So many rows up, at most to the beginning.
    fn up(&mut self, mut place: Place, mut rows: usize) -> Place {
        // The very beginning needs nothing laid out on the way.
        if rows > usize::MAX / 4 {
            return Place { entry: 0, row: 0 };
        }
        while rows > place.row {
            let Some(entry) = place.entry.checked_sub(1) else {
                return Place { entry: 0, row: 0 };
            };
            rows -= place.row;
            place = Place {
                entry,
                row: self.laid(entry).len(),
            };
        }
        place.row -= rows;
        place
    }

    /// So many rows down, at most to the end.
    fn down(&mut self, mut place: Place, mut rows: usize) -> Place {
        while place.entry < self.count() {
            let left = self.laid(place.entry).len() - place.row;
            if rows < left {
                place.row += rows;
                return place;
            }
            rows -= left;
            place = Place {
                entry: place.entry + 1,
                row: 0,
            };
        }
        place
    }

    fn paint(&mut self, frame: &mut Frame<'_>, area: Rect, top: Place) {
        let mut place = top;
        let mut y = area.y;
        while y < area.bottom() && place.entry < self.count() {
            let laid = self.laid(place.entry);
            while let Some(row) = laid.row(place.row).filter(|_| y < area.bottom()) {
                frame
                    .buffer_mut()
                    .set_line(area.x, y, &row.line, area.width);
                y += 1;
                place.row += 1;
            }
            place = Place {
                entry: place.entry + 1,
                row: 0,
            };
        }
    }
}

/// What an empty conversation says.
fn welcome(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let help = state.keymap.key_of(Action::Help);
    let palette = state.keymap.key_of(Action::Palette);
    let words = match &state.engine {
        Engine::NoModel => format!("{NO_MODEL}\n\n{help} shows help."),
        _ if state.has_starter() => format!(
            "You are talking to the starter, a very small demonstration model. It knows this \
             program's help and a little small talk. Ask it, for instance: how do I get a real \
             model?\n\nNothing leaves this machine. {help} shows help, {palette} finds any action, \
             /model chooses another model."
        ),
        Engine::Loading(_) | Engine::Ready(_) | Engine::Failed | Engine::Down => format!(
            "Write a message and press Enter. Nothing leaves this machine.\n\n\
             {help} shows help, {palette} finds any action, / begins a command."
        ),
    };
    let lead = Lead::new(vec![ratatui::text::Span::raw("  ")]);
    let pieces = [
        Piece {
            text: "Parlor\n\n",
            style: theme.heading,
            offset: 0,
        },
        Piece {
            text: &words,
            style: theme.text,
            offset: 0,
        },
    ];
    let width = area.width.saturating_sub(1).clamp(4, 80);
    let rows = wrap(&pieces, width, &lead, &lead, Break::Words);
    let top = area.y + u16::from(area.height > 4);
    for (row, y) in rows.iter().zip(top..area.bottom()) {
        frame
            .buffer_mut()
            .set_line(area.x, y, &row.line, area.width);
    }
}
