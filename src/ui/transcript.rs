//! The conversation: finds which rows are in view, lays out only what it must,
//! and draws them.

use super::cache::{Cache, Laid};
use super::entry;
use super::hung::{self, Hung};
use super::markdown::Look;
use super::text::{Break, Lead, Piece, wrap};
use super::theme::Theme;
use crate::app::State;
use crate::app::act::NO_MODEL;
use crate::app::action::Action;
use crate::app::talk::{EntryId, Reveal, Scroll};
use crate::app::turn::Engine;
use crate::chat::find;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

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

/// What was drawn, and the entry in each row.
pub struct Page {
    pub shown: Shown,
    pub rows: Vec<EntryId>,
}

/// Draws the visible rows.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    theme: &Theme,
    cache: &mut Cache,
) -> Page {
    let at_end = |scroll| Page {
        shown: Shown {
            scroll,
            more_below: false,
        },
        rows: Vec::new(),
    };
    if area.is_empty() {
        return at_end(state.talk.scroll);
    }
    let talk = &state.talk;
    if talk.is_empty() {
        welcome(frame, area, state, theme);
        return at_end(Scroll::Follow);
    }
    cache.keep(|id| talk.ids().binary_search(&id).is_ok(), talk.len());
    // One column is kept free at the right edge.
    let look = Look {
        theme,
        width: area.width.saturating_sub(1).max(4),
    };
    let mut view = View { state, cache, look };
    let (top, shown) = view.resolve(usize::from(area.height));
    let rows = view.paint(frame, area, top);
    Page { shown, rows }
}

impl View<'_> {
    fn laid(&mut self, index: usize) -> &Laid {
        let id = self.id(index);
        let laid = self.cache.entries.entry(id).or_default();
        if let Some(entry) = self.state.talk.entry(index) {
            entry::lay(laid, entry, self.state, self.look, &self.cache.gallery);
        }
        laid
    }

    /// The id of the entry at this place; 0 beyond the last.
    fn id(&self, index: usize) -> EntryId {
        self.state.talk.ids().get(index).copied().unwrap_or(0)
    }

    fn count(&self) -> usize {
        self.state.talk.len()
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
        if let Some(reveal) = self.state.talk.reveal {
            return self.reveal(reveal, end, height);
        }
        if self.state.talk.scroll == Scroll::Follow && pending >= 0 {
            return (end, at_end(Scroll::Follow));
        }
        let top = self.standing(end);
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
        let entry = self.id(top.entry);
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

    /// The top row as the anchor says.
    fn standing(&mut self, end: Place) -> Place {
        match self.state.talk.scroll {
            Scroll::Follow => end,
            Scroll::At {
                entry,
                row,
                offset,
                width,
            } => self.find(entry, row, offset, width),
        }
    }

    /// The top row that shows a place: as it is, where it shows it already.
    fn reveal(&mut self, reveal: Reveal, end: Place, height: usize) -> (Place, Shown) {
        let ids = self.state.talk.ids();
        let entry = ids
            .partition_point(|e| *e < reveal.entry)
            .min(ids.len() - 1);
        let laid = self.laid(entry);
        let row = reveal.offset.map_or(0, |at| laid.row_at(Laid::TEXT + at));
        let place = Place { entry, row };
        let top = self.standing(end).min(end);
        let bottom = self.down(top, height);
        if top <= place && place < bottom {
            let scroll = self.state.talk.scroll;
            let more_below = top < end;
            return (top, Shown { scroll, more_below });
        }
        // A third of the screen above it, so that one sees what it follows.
        let top = self.up(place, height / 3).min(end);
        let offset = self.laid(top.entry).offset_of(top.row);
        let scroll = match top == end {
            true => Scroll::Follow,
            false => Scroll::At {
                entry: self.id(top.entry),
                row: top.row,
                offset,
                width: self.look.width,
            },
        };
        let more_below = top < end;
        (top, Shown { scroll, more_below })
    }

    /// The place that an anchor means now.
    fn find(&mut self, id: u64, row: usize, offset: usize, width: u16) -> Place {
        let ids = self.state.talk.ids();
        let entry = ids.partition_point(|e| *e < id).min(ids.len() - 1);
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

    fn paint(&mut self, frame: &mut Frame<'_>, area: Rect, top: Place) -> Vec<EntryId> {
        let mut rows = Vec::with_capacity(usize::from(area.height));
        let theme = self.look.theme;
        let mut place = top;
        let mut y = area.y;
        let mut hung: Vec<(Hung, Rect, u16)> = Vec::new();
        while y < area.bottom() && place.entry < self.count() {
            let id = self.id(place.entry);
            let chosen = self.state.talk.focus == Some(id);
            let sought = self.state.talk.sought.clone();
            let laid = self.laid(place.entry);
            hung.extend(in_view(laid, place.row, y, area));
            while let Some(row) = laid.row(place.row).filter(|_| y < area.bottom()) {
                let buffer = frame.buffer_mut();
                buffer.set_line(area.x, y, &row.line, area.width);
                mark(buffer, (area.x, y), &row.line, &sought, theme.chosen);
                if chosen && place.row + 1 < laid.len() {
                    buffer.set_string(area.x, y, "▌", theme.accent);
                }
                rows.push(id);
                y += 1;
                place.row += 1;
            }
            place = Place {
                entry: place.entry + 1,
                row: 0,
            };
        }
        let (gallery, waves) = (&mut self.cache.gallery, &mut self.cache.waves);
        for (hung, area, hidden) in hung {
            let buffer = frame.buffer_mut();
            hung::draw(
                buffer,
                area,
                hidden,
                &hung,
                (&mut *gallery, &mut *waves),
                theme,
            );
        }
        rows
    }
}

/// What hangs in an entry whose row `first` is drawn at `y`, as far as it is in
/// view, and how many of its rows are above.
fn in_view(laid: &Laid, first: usize, y: u16, area: Rect) -> Vec<(Hung, Rect, u16)> {
    let before = laid.len() - laid.tail.len();
    let rows = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let mut out = Vec::new();
    for hung in &laid.hung {
        let (top, height) = (before + hung.row, usize::from(hung.key.rows));
        let hidden = first.saturating_sub(top);
        if hidden >= height {
            continue;
        }
        let from = y.saturating_add(rows(top.saturating_sub(first)));
        let height = rows(height - hidden).min(area.bottom().saturating_sub(from));
        let place = Rect {
            x: area.x.saturating_add(2),
            y: from,
            width: area.width.saturating_sub(3),
            height,
        };
        if !place.is_empty() && from < area.bottom() {
            out.push((hung.clone(), place, rows(hidden)));
        }
    }
    out
}

/// Marks what is looked for, wherever it stands in a row.
fn mark(buffer: &mut Buffer, at: (u16, u16), line: &Line<'_>, sought: &str, style: Style) {
    if sought.is_empty() {
        return;
    }
    let text: String = line.spans.iter().map(|s| s.content.as_ref()).collect();
    let columns = |text: &str| u16::try_from(text.width()).unwrap_or(u16::MAX);
    for range in find::all(&text, sought) {
        let x = at.0.saturating_add(columns(&text[..range.start]));
        let width = columns(&text[range]);
        let area = Rect::new(x, at.1, width, 1).intersection(buffer.area);
        buffer.set_style(area, style);
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
        Engine::Loading(_) | Engine::Ready(_) | Engine::Failed | Engine::Down | Engine::Resting => {
            format!(
                "Write a message and press Enter. Nothing leaves this machine.\n\n\
             {help} shows help, {palette} finds any action, / begins a command."
            )
        }
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
