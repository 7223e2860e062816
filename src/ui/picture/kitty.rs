//! kitty's graphics: the picture is sent once, and text stands where it is to
//! be seen, so that it scrolls, is cut and is written over like text.
//!
//! Format: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.

use super::diacritics::mark;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

/// The character that stands for a part of a picture.
const PLACEHOLDER: char = '\u{10EEEE}';
/// Bytes of a file in one piece: 4096 of base64, the most that is allowed.
const PIECE: usize = 3072;

/// The number of a picture in the terminal. Its low byte is the colour of the
/// placeholders, one of the 256 that also tmux keeps as they are; its high byte
/// is drawn by chance once in a run, so that two programs in one window do not
/// take each other's pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id {
    pub run: u8,
    /// Never 0.
    pub number: u8,
}

impl Id {
    fn value(self) -> u32 {
        u32::from(self.run) << 24 | u32::from(self.number)
    }
}

/// Sends a PNG file. The terminal is told not to answer.
pub fn transmit(out: &mut String, id: Id, png: &[u8], tmux: bool) {
    let pieces = png.chunks(PIECE).count();
    for (at, piece) in png.chunks(PIECE).enumerate() {
        let more = u8::from(at + 1 < pieces);
        let keys = match at {
            0 => format!("a=t,f=100,i={},q=2,m={more}", id.value()),
            _ => format!("q=2,m={more}"),
        };
        command(out, &keys, &STANDARD.encode(piece), tmux);
    }
}

/// Has a picture shown where its placeholders are, over so many cells. It
/// outlives the emptying of the screen, unlike placements that are not virtual.
pub fn place(out: &mut String, id: Id, (columns, rows): (u16, u16), tmux: bool) {
    let keys = format!("a=p,U=1,i={},p=1,c={columns},r={rows},q=2", id.value());
    command(out, &keys, "", tmux);
}

/// Forgets a picture and frees its memory in the terminal.
pub fn delete(out: &mut String, id: Id, tmux: bool) {
    command(out, &format!("a=d,d=I,i={},q=2", id.value()), "", tmux);
}

/// One command. tmux passes on what is wrapped so; every escape in it doubles.
fn command(out: &mut String, keys: &str, data: &str, tmux: bool) {
    let parts = if tmux {
        ["\x1bPtmux;\x1b\x1b_G", keys, ";", data, "\x1b\x1b\\\x1b\\"]
    } else {
        ["\x1b_G", keys, ";", data, "\x1b\\"]
    };
    parts.iter().for_each(|part| out.push_str(part));
}

/// Draws the placeholders from the row `hidden` of the picture on. Each says
/// its row and column, so that any of them may be changed alone.
pub fn draw(buffer: &mut Buffer, area: Rect, hidden: u16, columns: u16, id: Id) {
    let mut symbol = String::with_capacity(16);
    for y in 0..area.height {
        for x in 0..area.width.min(columns) {
            let row = hidden.saturating_add(y);
            let marks = [mark(row), mark(x), mark(u16::from(id.run))];
            let place = (area.x.saturating_add(x), area.y.saturating_add(y));
            let ([Some(row), Some(column), Some(run)], Some(cell)) =
                (marks, buffer.cell_mut(place))
            else {
                continue;
            };
            symbol.clear();
            symbol.extend([PLACEHOLDER, row, column, run]);
            cell.set_symbol(&symbol).set_fg(Color::Indexed(id.number));
            cell.modifier = Modifier::empty();
            cell.set_diff_option(CellDiffOption::None);
            // An underline's colour would be read as a placement's number.
            cell.underline_color = Color::Reset;
        }
    }
}
