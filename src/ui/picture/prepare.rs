//! A picture made ready for one terminal and one size: the costly part, a pure
//! function that may run on any thread.

use super::half::Half;
use super::iterm;
use super::palette::Indexed;
use super::scale::{CellSize, index, scale};
use super::sixel;
use super::terminal::{Abilities, Protocol};
use crate::media::Pixels;

/// The most pixels that are sent where the terminal scales the picture itself.
const MOST_PIXELS: u32 = 1 << 20;
/// The largest file for iTerm2: it takes no sequence above 1 MiB, and base64
/// makes four bytes of three.
const MOST_FILE: usize = 780_000;

/// Why a picture cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("the picture is empty or its pixels do not match its size; attach it again")]
    Pixels,
    #[error("the picture could not be written as PNG ({0}); attach it again as another file")]
    Png(#[from] png::EncodingError),
}

/// A picture that can be drawn; made by [`prepare`], drawn by a gallery.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) columns: u16,
    pub(super) rows: u16,
    /// Also drawn where something stands over a picture that is not text.
    pub(super) half: Half,
    pub(super) form: Form,
    /// The last part that was drawn: first row, rows, and what is sent.
    part: Option<(u16, u16, String)>,
    tmux: bool,
}

/// What a protocol needs.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// Half blocks, which are always there.
    Cells,
    /// The PNG file to send once.
    Kitty(Vec<u8>),
    /// The picture in few colours, and how high a row is in its pixels.
    Sixel(Indexed, u16),
    /// The picture, and how high a row is in its pixels.
    Iterm2(Pixels, u16),
}

/// Makes a picture ready to be drawn over `columns` by `rows` cells, which it
/// fills; see [`super::size_in_cells`] for a size of the right proportion.
///
/// # Errors
/// When the pixels do not match their size.
pub fn prepare(
    pixels: &Pixels,
    (columns, rows): (u16, u16),
    abilities: Abilities,
) -> Result<Prepared, PictureError> {
    let right = index(pixels.width)
        .checked_mul(index(pixels.height))
        .and_then(|count| count.checked_mul(3))
        .is_some_and(|bytes| bytes > 0 && bytes == pixels.rgb.len());
    if !right || columns == 0 || rows == 0 {
        return Err(PictureError::Pixels);
    }
    let mut prepared = Prepared {
        columns,
        rows,
        half: Half::new(pixels, columns, rows, abilities.depth),
        form: form(pixels, (columns, rows), abilities)?,
        part: None,
        tmux: abilities.tmux,
    };
    // The whole of it, which is what is drawn most.
    prepared.part(0, rows);
    Ok(prepared)
}

fn form(
    pixels: &Pixels,
    (columns, rows): (u16, u16),
    abilities: Abilities,
) -> Result<Form, PictureError> {
    let fit = |cell: CellSize| {
        let wide = u32::from(columns) * u32::from(cell.width.max(1));
        (wide, u32::from(rows) * u32::from(cell.height.max(1)))
    };
    let mut cell = abilities.cell;
    let (wide, high) = fit(cell);
    match abilities.protocol {
        Protocol::HalfBlocks | Protocol::Off => Ok(Form::Cells),
        Protocol::Sixel => {
            let colours = Indexed::new(&scale(pixels, wide, high));
            Ok(Form::Sixel(colours, cell.height.max(1)))
        }
        Protocol::Kitty => {
            // In the cells' own proportion, or there would be margins.
            let (wide, high) = shrink(wide, high);
            let file = iterm::png(wide, high, &scale(pixels, wide, high).rgb)?;
            Ok(Form::Kitty(file))
        }
        Protocol::Iterm2 => loop {
            let (wide, high) = fit(cell);
            let least = cell.width <= 1 && cell.height <= 1;
            if least || wide.saturating_mul(high) <= MOST_PIXELS {
                let fitting = scale(pixels, wide, high);
                if least || iterm::png(wide, high, &fitting.rgb)?.len() <= MOST_FILE {
                    return Ok(Form::Iterm2(fitting, cell.height.max(1)));
                }
            }
            // Smaller by a quarter, and a row still of whole pixels.
            cell.width = (cell.width * 3 / 4).max(1);
            cell.height = (cell.height * 3 / 4).max(1);
        },
    }
}

/// A size of the same proportion that has not too many pixels.
fn shrink(wide: u32, high: u32) -> (u32, u32) {
    let pixels = f64::from(wide) * f64::from(high);
    let factor = (f64::from(MOST_PIXELS) / pixels).sqrt().min(1.0);
    // Smaller than what fits in u32, so nothing is cut off.
    let side = |side: u32| (f64::from(side) * factor).round().max(1.0) as u32;
    (side(wide), side(high))
}

impl Prepared {
    /// Columns and rows that the picture fills.
    pub fn size(&self) -> (u16, u16) {
        (self.columns, self.rows)
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        let form = match &self.form {
            Form::Cells => 0,
            Form::Kitty(file) => file.len(),
            Form::Sixel(colours, _) => colours.pixels.len() + colours.colours.len() * 3,
            Form::Iterm2(pixels, _) => pixels.rgb.len(),
        };
        let part = self.part.as_ref().map_or(0, |(_, _, part)| part.len());
        self.half.bytes() + form + part
    }

    /// What a terminal is sent for some rows of a sixel or iTerm2 picture, to
    /// stand in their first cell. The cursor ends right of that cell, where
    /// ratatui believes it to be.
    pub(super) fn part(&mut self, hidden: u16, rows: u16) -> Option<&str> {
        let known = self.part.as_ref().map(|(h, r, _)| (*h, *r));
        if known != Some((hidden, rows)) {
            let sequence = self.sequence(hidden, rows)?;
            let part = format!("\x1b7{sequence}\x1b8\x1b[C");
            self.part = Some((hidden, rows, part));
        }
        self.part.as_ref().map(|(_, _, part)| part.as_str())
    }

    fn sequence(&self, hidden: u16, rows: u16) -> Option<String> {
        match &self.form {
            Form::Cells | Form::Kitty(_) => None,
            Form::Sixel(colours, height) => {
                let row = |at: u16| usize::from(at) * usize::from(*height);
                let end = hidden.saturating_add(rows);
                Some(sixel::encode(colours, row(hidden)..row(end)))
            }
            Form::Iterm2(pixels, height) => {
                let row = |at: u16| u32::from(at) * u32::from(*height);
                let file = iterm::slice(pixels, row(hidden), row(rows)).ok()?;
                let sequence = iterm::encode(&file, self.columns, rows);
                Some(match self.tmux {
                    true => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
                    false => sequence,
                })
            }
        }
    }
}
