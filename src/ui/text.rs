//! Styled text to rows of a width: words kept whole where they fit, graphemes
//! always, and nothing hostile let through.

use crate::chat::text::{is_hostile, stand_in};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns of a tab.
const TAB: &str = "    ";

/// Text of one style; `offset` is the byte of the source where it begins.
#[derive(Debug, Clone)]
pub struct Piece<'a> {
    pub text: &'a str,
    pub style: Style,
    pub offset: usize,
}

/// One row of the screen, and the byte of the source that begins it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub line: Line<'static>,
    pub offset: usize,
}

/// What stands before the text of a row: bullets, bars, indentation.
#[derive(Debug, Clone, Default)]
pub struct Lead {
    pub spans: Vec<Span<'static>>,
    width: usize,
}

impl Lead {
    /// A lead of these spans.
    pub fn new(spans: Vec<Span<'static>>) -> Self {
        let width = spans.iter().map(|s| s.content.width()).sum();
        Self { spans, width }
    }

    /// This lead with one more span.
    #[must_use]
    pub fn with(&self, text: impl Into<String>, style: Style) -> Self {
        let mut spans = self.spans.clone();
        spans.push(Span::styled(text.into(), style));
        Self::new(spans)
    }
}

/// How lines are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Between words where possible.
    Words,
    /// At the width, wherever that is: for code.
    Anywhere,
}

struct Cell<'a> {
    grapheme: &'a str,
    style: Style,
    offset: usize,
    width: usize,
}

/// Lays pieces out in rows. `first` leads the first row and `rest` the others.
pub fn wrap(pieces: &[Piece<'_>], width: u16, first: &Lead, rest: &Lead, how: Break) -> Vec<Row> {
    let cells = cells(pieces);
    let mut rows = Vec::new();
    let mut from = 0;
    loop {
        let lead = if rows.is_empty() { first } else { rest };
        // Room for one wide character at least, or nothing could be shown.
        let room = usize::from(width).saturating_sub(lead.width).max(2);
        let (end, next) = break_at(&cells, from, room, how);
        let offset = cells.get(from).or(cells.last()).map_or(0, |c| c.offset);
        rows.push(row(lead, &cells[from..end], offset));
        match next {
            Some(next) => from = next,
            None => return rows,
        }
    }
}

fn cells<'a>(pieces: &[Piece<'a>]) -> Vec<Cell<'a>> {
    let mut cells = Vec::with_capacity(pieces.iter().map(|p| p.text.len()).sum());
    for piece in pieces {
        for (at, grapheme) in piece.text.grapheme_indices(true) {
            let cell = |grapheme: &'a str| Cell {
                grapheme,
                style: piece.style,
                offset: piece.offset + at,
                width: grapheme.width(),
            };
            if grapheme == "\t" {
                cells.extend(TAB.graphemes(true).map(cell));
            } else if grapheme == "\n" || grapheme == "\r\n" {
                cells.push(Cell {
                    width: 0,
                    ..cell("\n")
                });
            } else if grapheme.contains(is_hostile) {
                let harmless = grapheme.char_indices().filter_map(|(at, c)| {
                    if is_hostile(c) {
                        stand_in(c).map(picture)
                    } else {
                        grapheme.get(at..at + c.len_utf8())
                    }
                });
                cells.extend(harmless.map(cell));
            } else {
                cells.push(cell(grapheme));
            }
        }
    }
    cells
}

/// The stand-in for a hostile character, as a string of static life.
fn picture(c: char) -> &'static str {
    const PICTURES: &str = "␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␠␡";
    PICTURES
        .char_indices()
        .find(|(_, p)| *p == c)
        .map_or("\u{fffd}", |(at, p)| &PICTURES[at..at + p.len_utf8()])
}

/// Where the row that begins at `from` ends, and where the next begins.
fn break_at(cells: &[Cell<'_>], from: usize, room: usize, how: Break) -> (usize, Option<usize>) {
    let mut used = 0;
    // The last place where the row may end, and where the next would begin.
    let mut chance = None;
    for (i, cell) in cells.iter().enumerate().skip(from) {
        if cell.grapheme == "\n" {
            return (i, Some(i + 1));
        }
        let space = cell.grapheme == " ";
        if how == Break::Words && i > from && cell.width == 2 {
            chance = Some((i, i));
        }
        if used + cell.width > room {
            if how == Break::Words && space {
                return (i, Some(i + 1));
            }
            return match chance {
                Some((end, next)) => (end, Some(next)),
                None => (i.max(from + 1), Some(i.max(from + 1))),
            };
        }
        used += cell.width;
        if how == Break::Words && i > from && (space || cell.width == 2) {
            // A space at a break is not shown; a wide character is.
            chance = Some(if space { (i, i + 1) } else { (i + 1, i + 1) });
        }
    }
    (cells.len(), None)
}

fn row(lead: &Lead, cells: &[Cell<'_>], offset: usize) -> Row {
    let mut spans = lead.spans.clone();
    let mut text = String::new();
    let mut style = Style::default();
    for cell in cells {
        if cell.style != style && !text.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut text), style));
        }
        style = cell.style;
        text.push_str(cell.grapheme);
    }
    if !text.is_empty() {
        spans.push(Span::styled(text, style));
    }
    Row {
        line: Line::from(spans),
        offset,
    }
}

/// The beginning of a text that fits a width, with … where it was cut.
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        if used + grapheme.width() + 1 > width {
            break;
        }
        used += grapheme.width();
        out.push_str(grapheme);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lay(text: &str, width: u16, how: Break) -> Vec<String> {
        let piece = Piece {
            text,
            style: Style::default(),
            offset: 0,
        };
        wrap(&[piece], width, &Lead::default(), &Lead::default(), how)
            .iter()
            .map(|r| r.line.to_string())
            .collect()
    }

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(lay("one two three", 8, Break::Words), ["one two", "three"]);
        assert_eq!(
            lay("abcdefghij kl", 4, Break::Words),
            ["abcd", "efgh", "ij", "kl"]
        );
        assert_eq!(lay("ab cd ef", 5, Break::Anywhere), ["ab cd", " ef"]);
    }

    #[test]
    fn wide_characters_break_anywhere_and_never_in_half() {
        assert_eq!(lay("你好世界", 5, Break::Words), ["你好", "世界"]);
        assert_eq!(lay("a👨‍👩‍👧b", 3, Break::Words), ["a👨‍👩‍👧", "b"]);
    }

    #[test]
    fn escapes_are_shown_and_tabs_are_spaces() {
        assert_eq!(
            lay("a\u{1b}[2J\tb\u{202e}", 40, Break::Words),
            ["a␛[2J    b\u{fffd}"]
        );
    }

    #[test]
    fn empty_text_is_one_empty_row() {
        assert_eq!(lay("", 10, Break::Words), [""]);
        assert_eq!(lay("a\n\nb", 10, Break::Words), ["a", "", "b"]);
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_width_and_no_word_is_lost(
            text in "[a-z \u{4f60}\u{e9}\n]{0,120}", width in 2u16..30,
        ) {
            let rows = lay(&text, width, Break::Words);
            for row in &rows {
                prop_assert!(row.width() <= usize::from(width), "{row:?}");
            }
            let kept: String = rows.concat().split_whitespace().collect();
            let whole: String = text.split_whitespace().collect();
            prop_assert_eq!(kept, whole);
        }
    }
}
