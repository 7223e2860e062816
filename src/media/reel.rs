//! Frames out of ffmpeg: it writes PPM pictures into a pipe, one after another.

use std::ffi::OsString;
use std::io::Write;

use super::form::Form;
use super::program::{Input, failed, missing, run};
use super::{Fault, Pixels, Terms};

/// Decodes up to `many` frames, from a moment on, through a chain of filters.
pub(super) fn shoot(
    input: &Input,
    from_ms: Option<u64>,
    filters: &str,
    many: usize,
    terms: &Terms,
) -> Result<Vec<Pixels>, Fault> {
    let edge = terms.limits.edge.clamp(1, 16_384);
    // Square pixels first, then the edge; commas within a filter are escaped.
    let filters = format!(
        "{filters}scale='max(1,trunc(iw*max(sar,0.01)))':ih,setsar=1,\
         scale='min({edge},iw)':'min({edge},ih)':force_original_aspect_ratio=decrease"
    );
    let mut arguments: Vec<OsString> = ["-nostdin", "-v", "error"].map(OsString::from).into();
    let limit = terms.limits.pixels.to_string();
    arguments.extend(["-max_pixels", &limit].map(OsString::from));
    if let Some(from) = from_ms {
        let from = format!("{}.{:03}", from / 1000, from % 1000);
        arguments.extend(["-ss", &from].map(OsString::from));
    }
    arguments.extend(input.arguments()?);
    let many = many.to_string();
    let out = [
        "-map",
        "0:V:0",
        "-an",
        "-sn",
        "-dn",
        "-vf",
        &filters,
        "-r",
        "1",
        "-frames:v",
        &many,
        "-pix_fmt",
        "rgb24",
        "-c:v",
        "ppm",
        "-f",
        "image2pipe",
        "pipe:1",
    ];
    arguments.extend(out.map(OsString::from));
    let mut reel = Reel::new(edge, terms.limits.memory);
    let (good, said) = run(
        &terms.tools.ffmpeg,
        &arguments,
        missing(),
        terms,
        &mut |piece| {
            reel.take(piece, input.form)?;
            Ok(true)
        },
    )?;
    // Past the end of a film there is no frame, and no failure either.
    if !good && reel.frames.is_empty() {
        return Err(failed(input.form, said));
    }
    Ok(reel.frames)
}

/// A picture that only ffmpeg decodes, by way of a file: its formats are read
/// back and forth, which a pipe does not allow.
pub(super) fn still(bytes: &[u8], form: Form, terms: &Terms) -> Result<Pixels, Fault> {
    let missing = Fault::NeedsFfmpeg {
        what: "a picture of this format",
        instead: "save the picture as JPEG or PNG",
    };
    let file = copy(bytes)?;
    let input = Input {
        path: file.path(),
        form,
    };
    let shot = shoot(&input, None, "", 1, terms).map_err(|fault| match fault {
        Fault::NeedsFfmpeg { .. } => missing,
        fault => fault,
    })?;
    let none = || failed(form, "no frame could be decoded".to_owned());
    shot.into_iter().next().ok_or_else(none)
}

/// The bytes as a file that only this user reads, deleted when dropped.
pub(super) fn copy(bytes: &[u8]) -> Result<tempfile::NamedTempFile, Fault> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    file.flush()?;
    Ok(file)
}

/// Cuts the pipe's bytes into pictures: `P6 <width> <height> 255`, one sign of
/// space, and the pixels.
struct Reel {
    frames: Vec<Pixels>,
    waiting: Vec<u8>,
    edge: u32,
    memory: u64,
}

impl Reel {
    fn new(edge: u32, memory: u64) -> Self {
        Self {
            frames: Vec::new(),
            waiting: Vec::new(),
            edge,
            memory,
        }
    }

    fn take(&mut self, piece: &[u8], form: Form) -> Result<(), Fault> {
        let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.memory = self.memory.checked_sub(size).ok_or(Fault::TooMuchMemory {
            format: form.name(),
            needed: 1,
            limit: 0,
        })?;
        self.waiting.extend_from_slice(piece);
        while let Some((width, height, head)) = self.header(form)? {
            let size = usize::try_from(u64::from(width) * u64::from(height) * 3);
            let size = size.unwrap_or(usize::MAX);
            let Some(rgb) = self.waiting.get(head..head.saturating_add(size)) else {
                break;
            };
            let rgb = rgb.to_vec();
            self.waiting.drain(..head + size);
            self.frames.push(Pixels { width, height, rgb });
        }
        Ok(())
    }

    /// Width, height and length of the header, once it is there.
    fn header(&self, form: Form) -> Result<Option<(u32, u32, usize)>, Fault> {
        let head = &self.waiting[..self.waiting.len().min(64)];
        let mut words = Vec::new();
        let mut start = 0;
        for (at, byte) in head.iter().enumerate() {
            if byte.is_ascii_whitespace() {
                words.push(&head[start..at]);
                start = at + 1;
            }
            if words.len() == 4 {
                break;
            }
        }
        let [magic, width, height, _] = words[..] else {
            return if head.len() < 64 {
                Ok(None)
            } else {
                Err(failed(form, "its output was not understood".to_owned()))
            };
        };
        let side = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u32>().ok();
        match (magic, side(width), side(height)) {
            (b"P6", Some(width), Some(height)) if width.max(height) <= self.edge => {
                Ok(Some((width, height, start)))
            }
            _ => Err(failed(form, "its output was not understood".to_owned())),
        }
    }
}
