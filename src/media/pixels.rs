//! Pixels as models take them: 8 bits each of red, green and blue.

use image::{DynamicImage, ImageEncoder, RgbImage, imageops};

use super::{Fault, Limits};

/// A picture, row by row from the top left: `rgb` holds
/// `3 * width * height` bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({}×{})", self.width, self.height)
    }
}

/// The picture as a PNG file, for the clipboard or for saving.
///
/// # Errors
/// `rgb` is not of the size that `width` and `height` say.
pub fn png(pixels: &Pixels) -> Result<Vec<u8>, Fault> {
    let needed = u64::from(pixels.width) * u64::from(pixels.height) * 3;
    if u64::try_from(pixels.rgb.len()) != Ok(needed) || needed == 0 {
        return Err(Fault::broken("PNG", "the pixels do not fill the picture"));
    }
    let mut file = Vec::new();
    image::codecs::png::PngEncoder::new(&mut file)
        .write_image(
            &pixels.rgb,
            pixels.width,
            pixels.height,
            image::ExtendedColorType::Rgb8,
        )
        .map_err(|error| Fault::broken("PNG", error))?;
    Ok(file)
}

/// Makes pixels of a decoded picture: over white where it is transparent, and
/// scaled down to the longest edge.
pub(super) fn settle(image: DynamicImage, limits: &Limits) -> Pixels {
    let rgb = if image.color().has_alpha() {
        over_white(&image.into_rgba8())
    } else {
        image.into_rgb8()
    };
    let (width, height) = limits.fit(rgb.width(), rgb.height());
    let rgb = if (width, height) == rgb.dimensions() {
        rgb
    } else {
        shrink(&rgb, width, height)
    };
    Pixels {
        width,
        height,
        rgb: rgb.into_raw(),
    }
}

/// Every pixel of the result is the mean of those that it covers. Much faster
/// than a wide filter, and as good when shrinking.
fn shrink(rgb: &RgbImage, width: u32, height: u32) -> RgbImage {
    // Below half the size whole pixels are covered; nearer to the full size the
    // mean of one or two would look ragged.
    if rgb.width() >= width.saturating_mul(2) && rgb.height() >= height.saturating_mul(2) {
        imageops::thumbnail(rgb, width, height)
    } else {
        imageops::resize(rgb, width, height, imageops::FilterType::Triangle)
    }
}

/// Lays a picture with straight alpha over white.
pub(super) fn over_white(image: &image::RgbaImage) -> RgbImage {
    let mut rgb = RgbImage::new(image.width(), image.height());
    for (to, from) in rgb.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0;
        let alpha = u32::from(alpha);
        to.0 = [red, green, blue].map(|value| {
            let value = (u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(value).unwrap_or(u8::MAX)
        });
    }
    rgb
}

/// Lays premultiplied RGBA bytes over white: what renderers of vectors give.
pub(super) fn premultiplied(width: u32, height: u32, rgba: &[u8]) -> Pixels {
    let rgb = rgba
        .chunks_exact(4)
        .flat_map(|pixel| {
            let rest = 255 - pixel[3];
            [pixel[0], pixel[1], pixel[2]].map(|value| value.saturating_add(rest))
        })
        .collect();
    Pixels { width, height, rgb }
}
