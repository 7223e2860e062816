//! Films: frames by time and the sound track, through ffmpeg.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use super::form::{Form, Kind, form};
use super::probe::probe;
use super::program::{Input, failed, missing, run};
use super::reel::shoot;
use super::sound::Collector;
use super::{Fault, Frame, Pace, Samples, Terms};

/// Seeking starts ffmpeg anew for each frame; frames nearer to each other than
/// this come faster out of one pass over the whole film.
const SEEK_FROM_MS: f64 = 4000.0;
/// Enough of a file to know its form.
pub(super) const HEAD: u64 = 64 << 10;

/// What a model takes of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    pub length_ms: u64,
    /// In order of time, the first at 0.
    pub frames: Vec<Frame>,
    /// The sound track, if there is one and it was asked for.
    pub sound: Option<Samples>,
}

/// Takes frames from a film at the pace given, and its sound as samples at
/// `rate` when one is given. Needs ffmpeg.
///
/// # Errors
/// Not a film, damaged, longer than the limit (with sound asked for), ffmpeg
/// is missing, or stopped.
pub fn film(path: &Path, pace: &Pace, rate: Option<u32>, terms: &Terms) -> Result<Film, Fault> {
    let form = head(path)?.0;
    if form.kind() == Kind::Picture || form.kind() == Kind::Text {
        return Err(Fault::OtherKind {
            is: form.kind().words(),
            wanted: "a film",
        });
    }
    let input = Input { path, form };
    let facts = probe(&input, terms)?;
    if !facts.pictures {
        let format = form.name();
        return Err(Fault::NoPictures { format });
    }
    let length_ms = facts.length_ms.unwrap_or(0);
    let frames = pick(&input, pace, length_ms, terms)?;
    let sound = match rate {
        Some(rate) if facts.sound => Some(track(&input, rate, terms)?),
        _ => None,
    };
    Ok(Film {
        length_ms,
        frames,
        sound,
    })
}

/// The form of a file and its first bytes.
pub(super) fn head(path: &Path) -> Result<(Form, Vec<u8>), Fault> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(HEAD)
        .read_to_end(&mut bytes)?;
    Ok((form(&bytes)?, bytes))
}

fn pick(input: &Input, pace: &Pace, length_ms: u64, terms: &Terms) -> Result<Vec<Frame>, Fault> {
    let (many, step) = pace.moments(length_ms);
    let mut frames = Vec::new();
    if many == 1 || step < SEEK_FROM_MS {
        let step = step.max(1.0) / 1000.0;
        let chosen = format!("select='gte(t,selected_n*{step:.6})',setpts=N/TB,");
        for pixels in shoot(input, None, &chosen, many, terms)? {
            frames.push(Frame {
                at_ms: at(frames.len(), step * 1000.0),
                pixels,
            });
        }
    } else {
        for moment in 0..many {
            let at_ms = at(moment, step);
            // Some films end before the length that they declare.
            if let Some(pixels) = shoot(input, Some(at_ms), "", 1, terms)?.pop() {
                frames.push(Frame { at_ms, pixels });
            }
        }
    }
    if frames.is_empty() {
        return Err(failed(input.form, "no frame could be decoded".to_owned()));
    }
    Ok(frames)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "moments are few and lie within the length"
)]
fn at(moment: usize, step: f64) -> u64 {
    (moment as f64 * step).round() as u64
}

/// The sound track at a rate.
pub(super) fn track(input: &Input, rate: u32, terms: &Terms) -> Result<Samples, Fault> {
    let mut collector = Collector::new(rate, terms)?;
    let mut arguments: Vec<OsString> = ["-nostdin", "-v", "error"].map(OsString::from).into();
    arguments.extend(input.arguments()?);
    let hertz = rate.to_string();
    let streams = ["-map", "0:a:0", "-vn", "-sn", "-dn"];
    // The mean of the channels, as ours; by itself ffmpeg makes it louder.
    let mixed = ["-ac", "1", "-rematrix_maxval", "1", "-ar", &hertz];
    let out = [&streams[..], &mixed, &["-f", "f32le", "pipe:1"]].concat();
    arguments.extend(out.into_iter().map(OsString::from));
    let mut rest: Vec<u8> = Vec::new();
    let (good, said) = run(
        &terms.tools.ffmpeg,
        &arguments,
        missing(),
        terms,
        &mut |piece| {
            rest.extend_from_slice(piece);
            let whole = rest.len() / 4 * 4;
            let samples = rest[..whole].chunks_exact(4);
            let samples =
                samples.map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            collector.take(rate, &samples.collect::<Vec<_>>())?;
            rest.drain(..whole);
            Ok(true)
        },
    )?;
    let samples = collector.finish()?;
    if !good && samples.mono.is_empty() {
        return Err(failed(input.form, said));
    }
    Ok(samples)
}
