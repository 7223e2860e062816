//! Pages of a PDF to pixels.

use std::sync::Arc;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};

use super::pixels::premultiplied;
use super::{Fault, Limits, Pixels};

/// Points are 1/72 inch; a page is drawn at twice that, unless the edge of the
/// limits says less.
const DRAWN: f32 = 2.0;
/// The renderer counts pixels in 16 bits.
const LONGEST: f32 = 16_384.0;

/// How many pages there are, and the size of the first in points, as shown.
pub(super) fn pages(bytes: &[u8]) -> Result<(usize, u32, u32), Fault> {
    let pdf = open(bytes)?;
    let pages = pdf.pages();
    let first = pages.first().ok_or_else(empty)?;
    let (width, height) = first.render_dimensions();
    Ok((pages.len(), whole(width), whole(height)))
}

/// Draws one page, counted from 1.
pub(super) fn draw(bytes: &[u8], page: usize, limits: &Limits) -> Result<Pixels, Fault> {
    let pdf = open(bytes)?;
    let pages = pdf.pages();
    if pages.is_empty() {
        return Err(empty());
    }
    let chosen = page.checked_sub(1).and_then(|at| pages.get(at));
    let chosen = chosen.ok_or(Fault::NoSuchPage {
        pages: pages.len(),
        asked: page,
    })?;
    let (width, height) = chosen.render_dimensions();
    let longest = width.max(height);
    if !(longest.is_finite() && width.min(height) >= 1.0) {
        return Err(Fault::broken("PDF", "the page has no size"));
    }
    #[expect(clippy::cast_precision_loss, reason = "an edge is far below 2^24")]
    let most = (limits.edge.max(1) as f32).min(LONGEST);
    let scale = DRAWN.min(most / longest);
    let sides = (whole(width * scale), whole(height * scale));
    limits.check("PDF", sides.0.into(), sides.1.into(), 16)?;
    let settings = InterpreterSettings::default();
    let canvas = render(
        chosen,
        &RenderCache::new(),
        &settings,
        &RenderSettings::default(),
        &PixmapSettings {
            x_scale: scale,
            y_scale: scale,
            bg_color: WHITE,
        },
    );
    let (width, height) = (canvas.width().into(), canvas.height().into());
    Ok(premultiplied(width, height, canvas.data_as_u8_slice()))
}

fn open(bytes: &[u8]) -> Result<Pdf, Fault> {
    // The reader keeps the bytes, and wants its own.
    Pdf::new(Arc::new(bytes.to_vec())).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Fault::Encrypted,
        LoadPdfError::Decryption(_) => Fault::Encrypted,
        LoadPdfError::Invalid => Fault::broken("PDF", "its structure cannot be read"),
    })
}

fn empty() -> Fault {
    Fault::broken("PDF", "it has no pages")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates, and a page has no negative size"
)]
fn whole(side: f32) -> u32 {
    side.round().max(1.0) as u32
}
