//! A file that belongs to a message, written in the message's own text at the
//! place where it stands: `![NAME](attached:DIGEST?…)`.
//!
//! So a message with pictures is still one text: it can be edited, searched,
//! saved, moved and exported as any other, and nothing of it can be lost on the
//! way. The bytes are kept apart, under their digest.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

const OPEN: &str = "![";
const MIDDLE: &str = "](attached:";
/// Hexadecimal digits of a SHA-256.
pub const DIGEST: usize = 64;
/// The longest name, in characters.
const NAME: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Picture,
    Sound,
    Film,
    /// Text and code, given to the model as words.
    Text,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Picture, Kind::Sound, Kind::Film, Kind::Text];

    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Picture => "picture",
            Kind::Sound => "sound",
            Kind::Film => "film",
            Kind::Text => "text",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attachment {
    /// The SHA-256 of the bytes, in lower-case hexadecimal digits.
    pub digest: String,
    /// The file's name without its folder.
    pub name: String,
    pub kind: Kind,
    /// The format's usual name, such as `PNG`; a text's language.
    pub format: String,
    pub bytes: u64,
    /// Pixels, as shown; 0 where there is nothing to see.
    pub width: u32,
    pub height: u32,
    /// Length in milliseconds; 0 where it has none or it is not known.
    pub ms: u64,
    /// Lines of a text; pictures of a picture that moves.
    pub count: u64,
}

/// A stretch of a message's text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece<'t> {
    Text(&'t str),
    Attached(Attachment),
}

impl Attachment {
    /// As it stands in a message.
    pub fn marker(&self) -> String {
        let mut out = format!(
            "{OPEN}{}{MIDDLE}{}?kind={}&format={}&bytes={}",
            clean(&self.name),
            self.digest,
            self.kind.name(),
            plain_word(&self.format),
            self.bytes
        );
        // Writing to a String cannot fail.
        if self.width > 0 {
            let _ = write!(out, "&size={}x{}", self.width, self.height);
        }
        if self.ms > 0 {
            let _ = write!(out, "&ms={}", self.ms);
        }
        if self.count > 0 {
            let _ = write!(out, "&count={}", self.count);
        }
        out.push(')');
        out
    }

    /// The format and its measures in words, for instance
    /// `PNG 640×480, 88.1 KB`.
    pub fn words(&self) -> String {
        let mut out = self.format.clone();
        if self.width > 0 {
            let _ = write!(out, " {}×{}", self.width, self.height);
        }
        if self.ms > 0 {
            let _ = write!(out, " {}", length(self.ms));
        }
        match (self.kind, self.count) {
            (Kind::Text, 1) => out.push_str(" 1 line"),
            (Kind::Text, n) => {
                let _ = write!(out, " {n} lines");
            }
            (Kind::Picture, n) if n > 1 => {
                let _ = write!(out, ", {n} frames");
            }
            _ => {}
        }
        let _ = write!(out, ", {}", super::size::bytes(self.bytes));
        out
    }

    fn parse(name: &str, address: &str) -> Option<Self> {
        let (digest, rest) = address.split_once('?')?;
        if !is_digest(digest) {
            return None;
        }
        let mut found = Self {
            digest: digest.into(),
            name: name.into(),
            kind: Kind::Text,
            format: String::new(),
            bytes: 0,
            width: 0,
            height: 0,
            ms: 0,
            count: 0,
        };
        let mut kind = None;
        for pair in rest.split('&') {
            let (key, value) = pair.split_once('=')?;
            match key {
                "kind" => kind = Kind::ALL.into_iter().find(|k| k.name() == value),
                "format" => found.format = value.into(),
                "bytes" => found.bytes = value.parse().ok()?,
                "ms" => found.ms = value.parse().ok()?,
                "count" => found.count = value.parse().ok()?,
                "size" => {
                    let (width, height) = value.split_once('x')?;
                    found.width = width.parse().ok()?;
                    found.height = height.parse().ok()?;
                }
                // A later version may say more.
                _ => {}
            }
        }
        found.kind = kind?;
        Some(found)
    }
}

/// Whether a text is a SHA-256 in lower-case hexadecimal digits.
pub fn is_digest(text: &str) -> bool {
    text.len() == DIGEST && text.bytes().all(is_digit)
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// Minutes and seconds, with tenths below ten seconds.
pub fn length(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("{}.{} s", seconds, ms % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!(
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    }
}

/// A name that cannot end its marker, nor command a terminal.
pub fn clean(name: &str) -> String {
    let clean: String = super::text::sanitise(name)
        .chars()
        .map(|c| match c {
            '[' | ']' | '\n' | '\t' | '⟦' | '⟧' => '_',
            c => c,
        })
        .take(NAME)
        .collect();
    match clean.trim() {
        "" => "file".into(),
        name => name.into(),
    }
}

fn plain_word(word: &str) -> String {
    let word: String = word
        .chars()
        .filter(|c| c.is_alphanumeric() || "+#-. ".contains(*c))
        .collect();
    word.trim().into()
}

/// The first marker of a text, and where it stands; its name begins two bytes
/// later.
pub(super) fn first(text: &str) -> Option<(Range<usize>, Attachment)> {
    let mut from = 0;
    while let Some(middle) = text.get(from..)?.find(MIDDLE).map(|at| at + from) {
        let address = middle + MIDDLE.len();
        from = address;
        let Some(open) = text[..middle].rfind(OPEN) else {
            continue;
        };
        let name = &text[open + OPEN.len()..middle];
        let Some(length) = text[address..].find(')') else {
            continue;
        };
        if name.contains(['[', ']', '\n']) {
            continue;
        }
        if let Some(found) = Attachment::parse(name, &text[address..address + length]) {
            return Some((open..address + length + 1, found));
        }
    }
    None
}

/// A message's text and attachments, in order; none of the texts is empty.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((range, attachment)) = first(rest) {
        if range.start > 0 {
            out.push(Piece::Text(&rest[..range.start]));
        }
        out.push(Piece::Attached(attachment));
        rest = &rest[range.end..];
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest));
    }
    out
}

/// Whether anything is attached.
pub fn is_in(text: &str) -> bool {
    text.contains(MIDDLE) && first(text).is_some()
}

/// What is attached, in order.
pub fn of(text: &str) -> Vec<Attachment> {
    if !text.contains(MIDDLE) {
        return Vec::new();
    }
    let pieces = pieces(text).into_iter();
    pieces
        .filter_map(|piece| match piece {
            Piece::Attached(attachment) => Some(attachment),
            Piece::Text(_) => None,
        })
        .collect()
}

/// The text with each marker as `written` has it.
pub fn replace(text: &str, mut written: impl FnMut(&Attachment) -> String) -> Cow<'_, str> {
    if !is_in(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Attached(attachment) => out.push_str(&written(&attachment)),
        }
    }
    Cow::Owned(out)
}

/// The text with only the names of what is attached, for people to read.
pub fn plain(text: &str) -> Cow<'_, str> {
    replace(text, |a| format!("[{}]", a.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cat() -> Attachment {
        Attachment {
            digest: "0a".repeat(32),
            name: "a cat (1).png".into(),
            kind: Kind::Picture,
            format: "PNG".into(),
            bytes: 88_123,
            width: 640,
            height: 480,
            ms: 0,
            count: 0,
        }
    }

    #[test]
    fn a_marker_is_found_where_it_stands() {
        let text = format!("What is ![this]({}? And this?", cat().marker());
        let found = pieces(&text);
        assert_eq!(
            found,
            [
                Piece::Text("What is ![this]("),
                Piece::Attached(cat()),
                Piece::Text("? And this?")
            ]
        );
        assert_eq!(plain(&cat().marker()), "[a cat (1).png]");
    }

    #[test]
    fn what_only_looks_like_a_marker_stays_text() {
        for text in [
            "![x](attached:0a?kind=picture)",
            "![x](attached:",
            "](attached:0",
            "![x](https://example.org/x.png)",
        ] {
            assert_eq!(pieces(text), [Piece::Text(text)], "{text}");
            assert_eq!(plain(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_name_and_any_text_around_come_back(
            name in any::<String>(), before in any::<String>(), after in any::<String>()
        ) {
            let attachment = Attachment { name: clean(&name), ..cat() };
            let text = format!("{before}{}{after}", attachment.marker());
            let found = of(&text);
            prop_assert_eq!(found, vec![attachment]);
        }
    }
}
