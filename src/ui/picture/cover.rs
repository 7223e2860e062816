//! Cells under a picture that is not text, and what stands in a picture's place.
//!
//! ratatui compares each cell with that of the last frame, also in its option
//! for comparing. So a cell that a picture leaves differs and is written, and a
//! picture is sent again exactly when its first cell has another sequence.

use super::gallery::Label;
use super::half::Half;
use super::prepare::Prepared;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;
use std::num::NonZeroU16;
use unicode_width::UnicodeWidthStr;

/// Stands in cells that a picture covers and that are never sent, so that
/// anything written over them is seen by its difference.
const COVERED: &str = "\u{2800}";

/// Puts what is sent in the first cell, and keeps ratatui from the others.
pub fn cover(buffer: &mut Buffer, area: Rect, hidden: u16, prepared: &mut Prepared) {
    let Some(part) = prepared.part(hidden, area.height) else {
        return prepared.half.draw(buffer, area, hidden);
    };
    for place in area.positions() {
        if let Some(cell) = buffer.cell_mut(place) {
            cell.set_symbol(COVERED)
                .set_diff_option(CellDiffOption::Skip);
        }
    }
    if let Some(cell) = buffer.cell_mut(area.as_position()) {
        let width = CellDiffOption::ForcedWidth(NonZeroU16::MIN);
        cell.set_symbol(part).set_diff_option(width);
    }
}

/// Whether a cell is still as [`cover`] left it.
fn is_covered(buffer: &Buffer, area: Rect, at: (u16, u16)) -> bool {
    let place = (area.x + at.0, area.y + at.1);
    buffer.cell(place).is_some_and(|cell| match at {
        (0, 0) => {
            matches!(cell.diff_option, CellDiffOption::ForcedWidth(_))
                && cell.symbol().starts_with('\x1b')
        }
        _ => cell.diff_option == CellDiffOption::Skip && cell.symbol() == COVERED,
    })
}

fn cells(area: Rect) -> impl Iterator<Item = (u16, u16)> {
    (0..area.height).flat_map(move |y| (0..area.width).map(move |x| (x, y)))
}

/// Whether nothing stands over the picture in this area.
pub fn is_whole(buffer: &Buffer, area: Rect) -> bool {
    cells(area).all(|at| is_covered(buffer, area, at))
}

/// Draws half blocks where nothing else was drawn, and lets through what was.
pub fn uncover(buffer: &mut Buffer, area: Rect, hidden: u16, half: &Half) {
    for at in cells(area) {
        if is_covered(buffer, area, at) {
            half.cell(buffer, area, at, hidden);
        } else if let Some(cell) = buffer.cell_mut((area.x + at.0, area.y + at.1)) {
            cell.set_diff_option(CellDiffOption::None);
        }
    }
}

/// A frame with the label in its middle, as far as it is in view.
pub fn placeholder(buffer: &mut Buffer, area: Rect, hidden: u16, rows: u16, label: Label<'_>) {
    let inner = usize::from(area.width.saturating_sub(2));
    for y in 0..area.height {
        let row = hidden + y;
        let (left, fill, right) = match row {
            _ if rows < 3 => (' ', ' ', ' '),
            0 => ('┌', '─', '┐'),
            row if row + 1 == rows => ('└', '─', '┘'),
            _ => ('│', ' ', '│'),
        };
        let mut line: String = std::iter::repeat_n(fill, inner).collect();
        line.insert(0, left);
        line.push(right);
        buffer.set_stringn(
            area.x,
            area.y + y,
            &line,
            usize::from(area.width),
            label.style,
        );
        if row == rows / 2 {
            let room = inner.saturating_sub(label.words.width()) / 2;
            let indent = u16::try_from(room).unwrap_or(0) + 1;
            buffer.set_stringn(area.x + indent, area.y + y, label.words, inner, label.style);
        }
    }
}
