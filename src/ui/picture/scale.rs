//! How many cells a picture takes, and its pixels made to fit them.

use crate::media::Pixels;

/// A cell of the terminal in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellSize {
    pub width: u16,
    pub height: u16,
}

impl Default for CellSize {
    /// What is assumed where the terminal does not say: nearly all fonts are
    /// about twice as high as wide.
    fn default() -> Self {
        Self {
            width: 10,
            height: 20,
        }
    }
}

impl CellSize {
    /// Whether a font could be so large: some terminals answer with zeros.
    pub fn is_plausible(self) -> bool {
        (2..=200).contains(&self.width) && (4..=400).contains(&self.height)
    }
}

/// Columns and rows for a picture of so many pixels, within the largest that
/// are given; at least one of each.
///
/// A picture is made smaller as needed, never larger, except that it fills its
/// last cells: the sides keep their proportion to half a cell.
pub fn size_in_cells(
    width: u32,
    height: u32,
    max_columns: u16,
    max_rows: u16,
    cell: CellSize,
) -> (u16, u16) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let (cell_width, cell_height) = (f64::from(cell.width.max(1)), f64::from(cell.height.max(1)));
    let (max_columns, max_rows) = (max_columns.max(1), max_rows.max(1));
    let scale = (f64::from(max_columns) * cell_width / width)
        .min(f64::from(max_rows) * cell_height / height)
        .min(1.0);
    let rows = whole(height * scale / cell_height, max_rows);
    // From the rounded rows, so that only one side is rounded freely.
    let fitting = f64::from(rows) * cell_height * width / height / cell_width;
    if fitting <= f64::from(max_columns) {
        return (whole(fitting, max_columns), rows);
    }
    let fitting = f64::from(max_columns) * cell_width * height / width / cell_height;
    (max_columns, whole(fitting, max_rows))
}

/// The nearest whole number from 1 to `most`.
fn whole(value: f64, most: u16) -> u16 {
    let value = value.round().clamp(1.0, f64::from(most));
    // Within 1..=most, so nothing is cut off.
    value as u16
}

/// The picture at another size, three bytes a pixel: every new pixel is the
/// mean of those that it covers. The picture must not be empty.
pub fn scale(from: &Pixels, width: u32, height: u32) -> Pixels {
    let columns = spans(from.width, width);
    let rows = spans(from.height, height);
    let line = index(from.width) * 3;
    let mut rgb = Vec::with_capacity(columns.len() * rows.len() * 3);
    let mut sums = vec![[0_u32; 3]; columns.len()];
    for (top, bottom) in rows {
        sums.fill([0; 3]);
        for row in from.rgb[top * line..bottom * line].chunks_exact(line) {
            for (sum, (left, right)) in sums.iter_mut().zip(&columns) {
                for pixel in row[left * 3..right * 3].chunks_exact(3) {
                    for (sum, value) in sum.iter_mut().zip(pixel) {
                        *sum += u32::from(*value);
                    }
                }
            }
        }
        for (sum, (left, right)) in sums.iter().zip(&columns) {
            let area = u32::try_from((right - left) * (bottom - top)).unwrap_or(u32::MAX);
            rgb.extend(sum.map(|s| u8::try_from((s + area / 2) / area).unwrap_or(u8::MAX)));
        }
    }
    Pixels { width, height, rgb }
}

/// Which old pixels each of the new ones covers, at least one.
fn spans(from: u32, to: u32) -> Vec<(usize, usize)> {
    let edge = |at: u32| u64::from(at) * u64::from(from) / u64::from(to.max(1));
    (0..to)
        .map(|at| {
            let start = edge(at);
            let end = edge(at + 1).max(start + 1);
            (
                usize::try_from(start).unwrap_or(usize::MAX),
                usize::try_from(end).unwrap_or(usize::MAX),
            )
        })
        .collect()
}

/// A size as an index; pixels in memory always fit.
pub fn index(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
