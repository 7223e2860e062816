//! What a file is and how large, without decoding it.

use std::io::Read;
use std::path::Path;

use super::form::{Form, Kind};
use super::guard::guard;
use super::language::language;
use super::probe::probe;
use super::program::Input;
use super::strip::strip;
use super::{Fault, Limits, Terms, film, form, isobmff, pdf, picture, svg, text, track};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub kind: Kind,
    /// The name of the format, or of a text's language: "PNG", "MP3", "Rust".
    pub format: &'static str,
    pub measure: Measure,
}

/// How large a file is, in its own terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Pixels as shown, turned as EXIF says. A drawing (SVG) has the size that
    /// it declares. More than one frame: it moves, for `length_ms`.
    Picture {
        width: u32,
        height: u32,
        frames: usize,
        length_ms: u64,
    },
    /// Pages of a document, and the size of the first in points (1/72 inch).
    Pages {
        pages: usize,
        width: u32,
        height: u32,
    },
    /// The length is `None` where only decoding tells it; rate in Hz and
    /// channels are 0 where unknown.
    Sound {
        length_ms: Option<u64>,
        rate: u32,
        channels: u32,
    },
    /// Size in pixels as shown, 0 where unknown: only ffprobe tells it.
    Film {
        length_ms: Option<u64>,
        width: u32,
        height: u32,
        sound: bool,
    },
    /// Lines, and the language as a code fence names it.
    Text {
        lines: usize,
        language: &'static str,
    },
}

/// Looks at the bytes of a file. What it is, is told from them; the name
/// matters only for the language of a text. For a film the first few KiB do,
/// but then its length may stay unknown.
///
/// # Errors
/// Empty, not of a known kind, damaged, or larger than the default [`Limits`].
pub fn look(bytes: &[u8], name: &str) -> Result<Look, Fault> {
    let form = form::form(bytes)?;
    guard(form.name(), || match form.kind() {
        Kind::Picture => pictured(bytes, form),
        Kind::Sound | Kind::Film => Ok(heard(bytes, form)?),
        Kind::Text => Ok(read(bytes, name)),
    })
}

/// Looks at a file on disk. Of a film only the start is read, and ffprobe is
/// asked if it is there; other files are read whole, up to the memory limit.
///
/// # Errors
/// As [`look`], and when the file cannot be read or is too large.
pub fn look_at(path: &Path, terms: &Terms) -> Result<Look, Fault> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (form, start) = film::head(path)?;
    if form.kind() == Kind::Film {
        return match probe(&Input { path, form }, terms) {
            Ok(facts) if facts.pictures => Ok(Look {
                kind: Kind::Film,
                format: form.name(),
                measure: Measure::Film {
                    length_ms: facts.length_ms,
                    width: facts.width,
                    height: facts.height,
                    sound: facts.sound,
                },
            }),
            Err(Fault::Stopped) => Err(Fault::Stopped),
            // Without ffprobe, or of a sound in a film's clothes.
            _ => whole(path, terms).map_or_else(|_| look(&start, &name), |all| look(&all, &name)),
        };
    }
    look(&whole(path, terms)?, &name)
}

/// All bytes of a file, up to the memory limit.
fn whole(path: &Path, terms: &Terms) -> Result<Vec<u8>, Fault> {
    let limit = terms.limits.memory;
    let size = std::fs::metadata(path)?.len();
    if size > limit {
        return Err(Fault::TooLarge {
            what: "file",
            size: size >> 20,
            limit: limit >> 20,
        });
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn pictured(bytes: &[u8], form: Form) -> Result<Look, Fault> {
    let limits = Limits::default();
    let measure = if form == Form::Pdf {
        let (pages, width, height) = pdf::pages(bytes)?;
        Measure::Pages {
            pages,
            width,
            height,
        }
    } else {
        let (width, height) = match form {
            Form::Svg => svg::size(bytes, &limits)?,
            Form::Avif | Form::Heic => {
                let size = isobmff::picture_size(bytes);
                size.ok_or_else(|| Fault::broken(form.name(), "it does not say how large it is"))?
            }
            _ => picture::size(bytes, form, &limits)?,
        };
        let strip = strip(bytes, form);
        Measure::Picture {
            width,
            height,
            frames: strip.as_ref().map_or(1, |strip| strip.starts.len()),
            length_ms: strip.map_or(0, |strip| strip.length_ms),
        }
    };
    Ok(Look {
        kind: Kind::Picture,
        format: form.name(),
        measure,
    })
}

fn heard(bytes: &[u8], form: Form) -> Result<Look, Fault> {
    let told = match track::told(bytes, form) {
        Ok(told) => told,
        // Containers that are not opened here, or that end in the middle.
        Err(_) if form.kind() == Kind::Film => track::Told {
            pictures: true,
            ..track::Told::default()
        },
        Err(Fault::Codec { .. }) => track::Told::default(),
        Err(fault) => return Err(fault),
    };
    let film = told.pictures || (form.kind() == Kind::Film && !told.sound);
    let (kind, measure) = if film {
        let measure = Measure::Film {
            length_ms: told.length_ms,
            width: 0,
            height: 0,
            sound: told.sound,
        };
        (Kind::Film, measure)
    } else {
        let measure = Measure::Sound {
            length_ms: told.length_ms,
            rate: told.rate,
            channels: told.channels,
        };
        (Kind::Sound, measure)
    };
    let format = match form {
        Form::Mp4 if kind == Kind::Sound => "M4A",
        _ if bytes.starts_with(b"\x1a\x45\xdf\xa3") && webm(bytes) => "WebM",
        _ => form.name(),
    };
    Ok(Look {
        kind,
        format,
        measure,
    })
}

/// WebM is Matroska whose header names the document type `webm`.
fn webm(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(64)]
        .windows(4)
        .any(|four| four == b"webm")
}

fn read(bytes: &[u8], name: &str) -> Look {
    let (shown, fence) = language(name);
    let (all, _) = text::decode(bytes);
    Look {
        kind: Kind::Text,
        format: shown,
        measure: Measure::Text {
            lines: text::count(&all),
            language: fence,
        },
    }
}
