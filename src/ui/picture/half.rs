//! Half blocks: two pixels in a cell, in the colours that the terminal has.

use super::scale::scale;
use crate::media::Pixels;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Depth {
    /// Any of 2²⁴.
    True,
    /// The 256 of xterm.
    Indexed,
    /// The 16 that every terminal with colours has.
    #[default]
    Basic,
}

/// A picture of `columns` by twice as many pixels as it has rows.
#[derive(Debug, Clone)]
pub struct Half {
    columns: u16,
    cells: Vec<(Color, Color)>,
}

impl Half {
    /// Makes the two colours of every cell.
    pub fn new(pixels: &Pixels, columns: u16, rows: u16, depth: Depth) -> Self {
        let small = scale(pixels, u32::from(columns), u32::from(rows) * 2);
        let line = usize::from(columns) * 3;
        let colour = |pixel: &[u8]| match pixel {
            [r, g, b] => depth.colour([*r, *g, *b]),
            _ => Color::Reset,
        };
        let cells = small
            .rgb
            .chunks_exact(line * 2)
            .flat_map(|pair| {
                let (upper, lower) = pair.split_at(line);
                upper
                    .chunks_exact(3)
                    .zip(lower.chunks_exact(3))
                    .map(|(u, l)| (colour(u), colour(l)))
            })
            .collect();
        Self { columns, cells }
    }

    /// Bytes that this takes.
    pub fn bytes(&self) -> usize {
        self.cells.len() * size_of::<(Color, Color)>()
    }

    /// Draws the part that begins `hidden` rows below the picture's top.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect, hidden: u16) {
        for y in 0..area.height {
            for x in 0..area.width.min(self.columns) {
                self.cell(buffer, area, (x, y), hidden);
            }
        }
    }

    /// Draws one cell; `at` counts from the area's corner.
    pub fn cell(&self, buffer: &mut Buffer, area: Rect, at: (u16, u16), hidden: u16) {
        let row = usize::from(hidden) + usize::from(at.1);
        let index = row * usize::from(self.columns) + usize::from(at.0);
        let place = (area.x.saturating_add(at.0), area.y.saturating_add(at.1));
        if let (Some((upper, lower)), Some(cell)) = (self.cells.get(index), buffer.cell_mut(place))
        {
            cell.set_symbol("▀").set_fg(*upper).set_bg(*lower);
            cell.modifier = Modifier::empty();
            cell.set_diff_option(CellDiffOption::None);
        }
    }
}

impl Depth {
    /// The nearest colour that there is.
    pub fn colour(self, rgb: [u8; 3]) -> Color {
        let [r, g, b] = rgb;
        match self {
            Self::True => Color::Rgb(r, g, b),
            Self::Indexed => Color::Indexed(indexed(rgb)),
            Self::Basic => Color::Indexed(basic(rgb)),
        }
    }
}

/// The six levels of each colour in xterm's cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of the cube and the greys, as xterm has them from 16 on; the
/// first 16 are left out, since every theme has its own.
fn indexed(rgb: [u8; 3]) -> u8 {
    let steps = rgb.map(|value| nearest(LEVELS.iter().map(|l| distance(&[*l], &[value]))));
    let cube = steps.map(|s| LEVELS[usize::from(s)]);
    let grey = nearest((0..24).map(|step| distance(&[8 + step * 10; 3], &rgb)));
    if distance(&[8 + grey * 10; 3], &rgb) < distance(&cube, &rgb) {
        return 232 + grey;
    }
    16 + 36 * steps[0] + 6 * steps[1] + steps[2]
}

/// xterm's own values of the first 16 colours.
const BASIC: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

fn basic(rgb: [u8; 3]) -> u8 {
    nearest(BASIC.iter().map(|b| distance(b, &rgb)))
}

/// The square of how far two colours are apart.
pub fn distance(a: &[u8], b: &[u8]) -> u32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2))
        .sum()
}

/// The place of the least, the first of equals; 0 of none.
pub fn nearest(distances: impl Iterator<Item = u32>) -> u8 {
    let least = distances.enumerate().min_by_key(|(_, d)| *d);
    least.map_or(0, |(at, _)| u8::try_from(at).unwrap_or(u8::MAX))
}
