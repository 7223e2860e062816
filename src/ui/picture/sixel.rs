//! Sixels: bands of six pixel rows, one pass for each colour in a band.
//!
//! Format: DEC's "VT330/VT340 Programmer Reference Manual", chapter 14.

use super::palette::Indexed;
use std::fmt::Write;
use std::ops::Range;

/// The pixel rows `rows` of a picture as one sixel sequence.
pub fn encode(picture: &Indexed, rows: Range<usize>) -> String {
    let width = picture.width;
    let end = (rows.end * width).min(picture.pixels.len());
    let pixels = &picture.pixels[(rows.start * width).min(end)..end];
    let mut out = String::with_capacity(pixels.len());
    // Background 1: what is not drawn stays as it is. Pixels are square.
    let height = pixels.len() / width.max(1);
    let _ = write!(out, "\x1bP0;1;0q\"1;1;{width};{height}");
    let mut used = [false; 256];
    pixels.iter().for_each(|p| used[usize::from(*p)] = true);
    for (number, [r, g, b]) in picture.colours.iter().enumerate() {
        if used[number] {
            // Sixels count colours in hundredths.
            let [r, g, b] = [r, g, b].map(|v| (u32::from(*v) * 100 + 127) / 255);
            let _ = write!(out, "#{number};2;{r};{g};{b}");
        }
    }
    let mut band = Band::new(width);
    for rows in pixels.chunks(width.max(1) * 6) {
        band.fill(rows);
        band.write(&mut out);
    }
    out.push_str("\x1b\\");
    out
}

/// Six rows: for each colour the bits of its pixels in every column.
struct Band {
    width: usize,
    bits: Vec<u8>,
    /// For each colour, its first column and the one after its last.
    extent: [Range<usize>; 256],
}

impl Band {
    fn new(width: usize) -> Self {
        Self {
            width,
            bits: vec![0; width * 256],
            extent: std::array::from_fn(|_| 0..0),
        }
    }

    fn fill(&mut self, pixels: &[u8]) {
        for (y, row) in pixels.chunks_exact(self.width).enumerate() {
            for (x, colour) in row.iter().enumerate() {
                let colour = usize::from(*colour);
                self.bits[colour * self.width + x] |= 1 << y;
                let extent = &mut self.extent[colour];
                *extent = if extent.end == 0 {
                    x..x + 1
                } else {
                    extent.start.min(x)..extent.end.max(x + 1)
                };
            }
        }
    }

    /// Writes the band and empties it.
    fn write(&mut self, out: &mut String) {
        let mut first = true;
        for colour in 0..self.extent.len() {
            let extent = std::mem::take(&mut self.extent[colour]);
            if extent.end == 0 {
                continue;
            }
            if !std::mem::take(&mut first) {
                // Back to the left for the next colour.
                out.push('$');
            }
            let _ = write!(out, "#{colour}");
            repeat(out, 0, extent.start);
            let start = colour * self.width;
            let bits = &mut self.bits[start + extent.start..start + extent.end];
            for run in bits.chunk_by(|a, b| a == b) {
                repeat(out, run[0], run.len());
            }
            bits.fill(0);
        }
        out.push('-');
    }
}

/// The same six pixels so many times.
fn repeat(out: &mut String, bits: u8, times: usize) {
    let sixel = char::from(63 + bits);
    match times {
        0 => {}
        1..4 => out.extend(std::iter::repeat_n(sixel, times)),
        _ => {
            let _ = write!(out, "!{times}{sixel}");
        }
    }
}
