//! iTerm2's inline images: a whole file in one sequence.
//!
//! Format: <https://iterm2.com/documentation-images.html>.

use super::prepare::PictureError;
use crate::media::Pixels;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The picture over so many cells, which it fills whole: the terminal scales
/// it, so that its idea of a cell's pixels does not matter.
pub fn encode(png: &[u8], columns: u16, rows: u16) -> String {
    let size = png.len();
    let data = STANDARD.encode(png);
    // doNotMoveCursor is WezTerm's; others do not know it and pass over it.
    format!(
        "\x1b]1337;File=inline=1;size={size};width={columns};height={rows};\
         preserveAspectRatio=0;doNotMoveCursor=1:{data}\x07"
    )
}

/// A PNG file of these pixels, quick to make.
pub fn png(width: u32, height: u32, rgb: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut file = Vec::with_capacity(rgb.len());
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(file)
}

/// A PNG file of some rows of a picture.
pub fn slice(pixels: &Pixels, top: u32, height: u32) -> Result<Vec<u8>, PictureError> {
    let line = super::scale::index(pixels.width) * 3;
    let start = (super::scale::index(top) * line).min(pixels.rgb.len());
    let end = (start + super::scale::index(height) * line).min(pixels.rgb.len());
    let rows = u32::try_from((end - start) / line.max(1)).unwrap_or(0);
    png(pixels.width, rows, &pixels.rgb[start..end])
}
