//! Text files: their encoding, their language, and as much of them as fits.

use super::Fault;
use super::language::language;

/// The text of a file, or as many whole lines from its start as were allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The language as a code fence names it; empty for plain text.
    pub language: &'static str,
    pub text: String,
    /// Lines in `text`.
    pub lines: usize,
    /// The bytes were not UTF-8 and were read as Latin-1, which may be wrong
    /// for letters beyond ASCII.
    pub guessed: bool,
    /// Set when the file has more than `text` shows.
    pub cut: Option<Cut>,
}

/// How much of a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub shown_lines: usize,
    pub all_lines: usize,
}

/// Reads a text file: UTF-8, UTF-16 with a byte-order mark, else Latin-1. What
/// is longer than `limit` bytes of UTF-8 is cut at the end of a line, or
/// within the first line when that alone is longer.
///
/// # Errors
/// The file is empty, or is not text.
pub fn text(bytes: &[u8], name: &str, limit: usize) -> Result<Excerpt, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    check(bytes)?;
    let (mut text, guessed) = decode(bytes);
    let all_lines = count(&text);
    let mut cut = None;
    if text.len() > limit {
        text.truncate(end(&text, limit));
        cut = Some(Cut {
            shown_lines: count(&text),
            all_lines,
        });
    }
    Ok(Excerpt {
        language: language(name).1,
        lines: count(&text),
        text,
        guessed,
        cut,
    })
}

/// Where to cut: after the last line end within the limit, else at the last
/// character that fits.
fn end(text: &str, limit: usize) -> usize {
    let end = text.floor_char_boundary(limit);
    match text[..end].rfind('\n') {
        Some(line_end) => line_end + 1,
        None => end,
    }
}

/// Lines of a text; the last need not end with a line end.
pub(super) fn count(text: &str) -> usize {
    text.lines().count()
}

/// The text of the bytes, and whether the encoding was guessed.
pub(super) fn decode(bytes: &[u8]) -> (String, bool) {
    let wide = |pairs: &[u8], join: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = pairs
            .chunks_exact(2)
            .map(|pair| join([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => (String::from_utf8_lossy(rest).into_owned(), false),
        [0xff, 0xfe, rest @ ..] => (wide(rest, u16::from_le_bytes), false),
        [0xfe, 0xff, rest @ ..] => (wide(rest, u16::from_be_bytes), false),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (bytes.iter().map(|byte| char::from(*byte)).collect(), true),
        },
    }
}

/// Refuses what is not text: a control character that no text has, unless a
/// byte-order mark says UTF-16.
///
/// # Errors
/// The place and value of the first such byte.
pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    if is_utf16(bytes) {
        return Ok(());
    }
    // Tab, line feed, vertical tab, form feed, carriage return, escape (in logs).
    let odd = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    match bytes.iter().position(odd) {
        Some(at) => Err(Fault::NotText {
            at,
            byte: bytes[at],
        }),
        None => Ok(()),
    }
}

/// Whether the bytes begin with a mark of UTF-16 and the rest agrees: no odd
/// byte, and no control characters among the first. (MP3 begins alike.)
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    let join: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return false,
    };
    let odd = |unit: u16| matches!(unit, 0..=8 | 14..=26 | 28..=31 | 0xfffe | 0xffff);
    let units = bytes[2..].chunks_exact(2).take(4096);
    let units: Vec<u16> = units.map(|pair| join([pair[0], pair[1]])).collect();
    bytes.len().is_multiple_of(2) && !units.iter().any(|unit| odd(*unit)) && !lone_surrogate(&units)
}

/// Whether a surrogate stands alone, other than at the end of what was looked at.
fn lone_surrogate(units: &[u16]) -> bool {
    let wrong: Vec<bool> = char::decode_utf16(units.iter().copied())
        .map(|unit| unit.is_err())
        .collect();
    wrong.iter().rev().skip(1).any(|wrong| *wrong)
}
