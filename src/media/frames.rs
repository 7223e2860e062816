//! Frames of pictures that move, evenly picked.

use std::io::Cursor;

use image::codecs::{gif, png, webp};
use image::{AnimationDecoder, DynamicImage, ImageDecoder};

use super::form::{Form, Kind, form};
use super::guard::guard;
use super::picture::{allowance, fault};
use super::pixels::settle;
use super::strip::{Strip, strip};
use super::{Fault, Pixels, Terms};

/// One frame and when it is first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub at_ms: u64,
    pub pixels: Pixels,
}

/// How many frames are taken from something that moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// At most this many, at least one.
    pub most: usize,
    /// This many for every second, if that is not more than `most`.
    pub per_second: f32,
}

impl Pace {
    /// The moments at which frames are taken from a length: evenly spread, the
    /// first at 0. `(how many, step in milliseconds)`.
    pub(super) fn moments(&self, length_ms: u64) -> (usize, f64) {
        #[expect(clippy::cast_precision_loss, reason = "below 2^53 ms")]
        let length = length_ms as f64;
        let rate = f64::from(self.per_second);
        let rate = if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast from float saturates, and the number is bounded next"
        )]
        let wanted = (length / 1000.0 * rate).ceil() as usize;
        let many = wanted.clamp(1, self.most.clamp(1, 100_000));
        #[expect(clippy::cast_precision_loss, reason = "at most 100000")]
        let step = length / many as f64;
        (many, step)
    }
}

/// The frames of a GIF, WebP or PNG that moves, as it looks at each moment of
/// `pace`. Moments at which nothing changed give no frame of their own.
///
/// # Errors
/// Not a picture, one that does not move, damaged before its first frame,
/// larger than the limits, or stopped.
pub fn frames(bytes: &[u8], pace: &Pace, terms: &Terms) -> Result<Vec<Frame>, Fault> {
    let form = form(bytes)?;
    if form.kind() != Kind::Picture {
        return Err(Fault::OtherKind {
            is: form.kind().words(),
            wanted: "a picture",
        });
    }
    let format = form.name();
    let strip = strip(bytes, form).ok_or(Fault::NotAnimated { format })?;
    guard(format, || decode(bytes, form, &strip, pace, terms))
}

fn decode(
    bytes: &[u8],
    form: Form,
    strip: &Strip,
    pace: &Pace,
    terms: &Terms,
) -> Result<Vec<Frame>, Fault> {
    let wanted = picked(strip, pace);
    let last = wanted.last().copied().unwrap_or(0);
    let mut found = Vec::with_capacity(wanted.len().min(1024));
    let mut held = 0_u64;
    for (index, frame) in open(bytes, form, terms)?.take(last + 1).enumerate() {
        terms.check()?;
        let frame = match frame {
            Ok(frame) => frame,
            // What came before the damage is good.
            Err(_) if !found.is_empty() => break,
            Err(error) => return Err(fault(form, &terms.limits, error)),
        };
        if wanted.binary_search(&index).is_ok() {
            let image = DynamicImage::ImageRgba8(frame.into_buffer());
            let pixels = settle(image, &terms.limits);
            held = held.saturating_add(pixels.rgb.len().try_into().unwrap_or(u64::MAX));
            found.push(Frame {
                at_ms: strip.starts[index],
                pixels,
            });
            if held > terms.limits.memory {
                return Err(Fault::TooMuchMemory {
                    format: form.name(),
                    needed: held >> 20,
                    limit: terms.limits.memory >> 20,
                });
            }
        }
    }
    if found.is_empty() {
        return Err(Fault::broken(form.name(), "it has no frames"));
    }
    Ok(found)
}

/// Which frames are seen at the moments of the pace, in order.
fn picked(strip: &Strip, pace: &Pace) -> Vec<usize> {
    let (many, step) = pace.moments(strip.length_ms);
    let mut picked: Vec<usize> = (0..many)
        .map(|moment| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a moment lies within the length"
            )]
            let at = (moment as f64 * step) as u64;
            strip.starts.partition_point(|start| *start <= at) - 1
        })
        .collect();
    picked.dedup();
    picked
}

/// The frames, each drawn over those before it as the format says.
fn open<'a>(bytes: &'a [u8], form: Form, terms: &Terms) -> Result<image::Frames<'a>, Fault> {
    let limits = &terms.limits;
    let broken = |error| fault(form, limits, error);
    let read = Cursor::new(bytes);
    let allowed = allowance(limits);
    // The canvas, the one that is handed out, and one for what disposal restores.
    let check =
        |(width, height): (u32, u32)| limits.check(form.name(), width.into(), height.into(), 12);
    Ok(match form {
        Form::Gif => {
            let mut decoder = gif::GifDecoder::new(read).map_err(broken)?;
            check(decoder.dimensions())?;
            decoder.set_limits(allowed).map_err(broken)?;
            decoder.into_frames()
        }
        Form::WebP => {
            let mut decoder = webp::WebPDecoder::new(read).map_err(broken)?;
            check(decoder.dimensions())?;
            // The background that files declare is ignored by all viewers.
            let clear = image::Rgba([0; 4]);
            decoder.set_background_color(clear).map_err(broken)?;
            decoder.into_frames()
        }
        _ => {
            let decoder = png::PngDecoder::with_limits(read, allowed).map_err(broken)?;
            check(decoder.dimensions())?;
            decoder.apng().map_err(broken)?.into_frames()
        }
    })
}
