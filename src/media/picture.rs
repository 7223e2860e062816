//! Pictures of every format to pixels.

use std::io::Cursor;

use image::codecs::{bmp, gif, jpeg, png, tiff, webp};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder};

use super::form::{Form, Kind, form};
use super::guard::guard;
use super::pixels::settle;
use super::{Fault, Limits, Pixels, Terms, isobmff, pdf, reel, svg};

/// Decodes a picture as it is meant to be seen: turned as its EXIF says, over
/// white where it is transparent, and scaled down to `terms.limits.edge`. Of
/// a picture that moves, the first frame. `page` counts from 1 and matters
/// for a PDF only. Colour profiles are not applied.
///
/// # Errors
/// Not a picture, damaged, larger than the limits, or in need of ffmpeg (AVIF
/// and HEIC).
pub fn picture(bytes: &[u8], page: usize, terms: &Terms) -> Result<Pixels, Fault> {
    let form = form(bytes)?;
    terms.check()?;
    let limits = &terms.limits;
    guard(form.name(), || match form {
        Form::Svg => svg::draw(bytes, limits),
        Form::Pdf => pdf::draw(bytes, page, limits),
        Form::Avif | Form::Heic => through_ffmpeg(bytes, form, terms),
        _ if form.kind() == Kind::Picture => raster(bytes, form, limits),
        _ => Err(Fault::OtherKind {
            is: form.kind().words(),
            wanted: "a picture",
        }),
    })
}

/// Size as shown, read from the header alone. Refuses what is too large.
pub(super) fn size(bytes: &[u8], form: Form, limits: &Limits) -> Result<(u32, u32), Fault> {
    let mut decoder = decoder(bytes, form, limits)?;
    let (width, height) = decoder.dimensions();
    Ok(match orientation(&mut *decoder) {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    })
}

/// A wrong EXIF block is no reason to refuse the picture.
fn orientation(decoder: &mut dyn ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn raster(bytes: &[u8], form: Form, limits: &Limits) -> Result<Pixels, Fault> {
    let mut decoder = decoder(bytes, form, limits)?;
    let orientation = orientation(&mut *decoder);
    let mut image =
        DynamicImage::from_decoder(decoder).map_err(|error| fault(form, limits, error))?;
    if image.width().max(image.height()) > limits.edge {
        // Turning is cheaper once it is small.
        image = DynamicImage::ImageRgb8(small(image, limits));
    }
    image.apply_orientation(orientation);
    Ok(settle(image, limits))
}

fn small(image: DynamicImage, limits: &Limits) -> image::RgbImage {
    let pixels = settle(image, limits);
    // `settle` gives bytes for exactly this size.
    image::RgbImage::from_raw(pixels.width, pixels.height, pixels.rgb).unwrap_or_default()
}

/// The decoder for a format, with what it declares already checked.
pub(super) fn decoder<'a>(
    bytes: &'a [u8],
    form: Form,
    limits: &Limits,
) -> Result<Box<dyn ImageDecoder + 'a>, Fault> {
    let read = Cursor::new(bytes);
    let broken = |error: image::ImageError| fault(form, limits, error);
    let boxed = allowance(limits);
    let mut decoder: Box<dyn ImageDecoder + 'a> = match form {
        Form::Png => Box::new(png::PngDecoder::with_limits(read, boxed.clone()).map_err(broken)?),
        Form::Jpeg => Box::new(jpeg::JpegDecoder::new(read).map_err(broken)?),
        Form::Gif => Box::new(gif::GifDecoder::new(read).map_err(broken)?),
        Form::WebP => Box::new(webp::WebPDecoder::new(read).map_err(broken)?),
        Form::Bmp => Box::new(bmp::BmpDecoder::new(read).map_err(broken)?),
        _ => Box::new(tiff::TiffDecoder::new(read).map_err(broken)?),
    };
    let (width, height) = decoder.dimensions();
    // The decoder's own pixels, and three bytes for ours.
    let each = u64::from(decoder.color_type().bytes_per_pixel()) + 3;
    limits.check(form.name(), width.into(), height.into(), each)?;
    decoder.set_limits(boxed).map_err(broken)?;
    Ok(decoder)
}

/// Our limits as the `image` crate takes them.
pub(super) fn allowance(limits: &Limits) -> image::Limits {
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.memory);
    allowed
}

pub(super) fn fault(form: Form, limits: &Limits, error: image::ImageError) -> Fault {
    match error {
        image::ImageError::Limits(_) => Fault::TooMuchMemory {
            format: form.name(),
            needed: (limits.memory >> 20) + 1,
            limit: limits.memory >> 20,
        },
        error => Fault::broken(form.name(), error),
    }
}

fn through_ffmpeg(bytes: &[u8], form: Form, terms: &Terms) -> Result<Pixels, Fault> {
    let format = form.name();
    let Some((width, height)) = isobmff::picture_size(bytes) else {
        return Err(Fault::broken(format, "it does not say how large it is"));
    };
    terms.limits.check(format, width.into(), height.into(), 8)?;
    let pixels = reel::still(bytes, form, terms)?;
    // Older versions of ffmpeg take one tile for the picture.
    let (wide, high) = terms.limits.fit(width, height);
    let near = |one: u32, other: u32| one.abs_diff(other) <= 1;
    let same = near(pixels.width, wide) && near(pixels.height, high);
    let turned = near(pixels.width, high) && near(pixels.height, wide);
    if same || turned {
        Ok(pixels)
    } else {
        Err(Fault::OnlyPart { format })
    }
}
