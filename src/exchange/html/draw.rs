//! A message as HTML: its Markdown drawn, its pictures in their places.

use super::escaped;
use crate::chat::text::sanitise;
use crate::chat::{Attachment, attachment};
use crate::exchange::enclosed::{Enclosing, base64};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

/// A picture with more bytes is only named.
const LARGEST_PICTURE: u64 = 4 << 20;
/// Around the number of an attachment while the Markdown is drawn: characters
/// that Unicode promises never to use, and no message keeps.
const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';

/// Markdown as HTML; `breaks` keeps the line ends that a person typed.
pub(super) fn drawn(text: &str, breaks: bool, enclosing: &mut Enclosing<'_>) -> String {
    let mut attached = Vec::new();
    let text = sanitise(text).replace([OPEN, CLOSE], "\u{fffd}");
    let text = attachment::replace(&text, |found| {
        attached.push(found.clone());
        format!("{OPEN}{}{CLOSE}", attached.len() - 1)
    });
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = harmless(Parser::new_ext(&text, options), breaks);
    // In code a file is only named.
    let mut in_code = false;
    let events = events.flat_map(|event| match event {
        Event::Text(text) if !in_code && text.contains(OPEN) => placed(&text, &attached, enclosing),
        event => {
            match &event {
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                _ => {}
            }
            vec![event]
        }
    });
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, events);
    // What is left stands in code, or in the title of a link.
    let left = pieces(&out).map(|piece| match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Number(n) => attached.get(n).map_or(String::new(), named),
    });
    left.collect()
}

fn named(attached: &Attachment) -> String {
    escaped(&format!("[{}]", attached.name))
}

enum Piece<'t> {
    Text(&'t str),
    Number(usize),
}

/// A text and the numbers in it.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.split(OPEN).enumerate().flat_map(|(at, part)| {
        let (number, text) = match part.split_once(CLOSE) {
            Some((number, text)) if at > 0 => (number.parse().ok(), text),
            Some(_) | None => (None, part),
        };
        let number = number.map(Piece::Number);
        number.into_iter().chain([Piece::Text(text)])
    })
}

/// Text with attachments in their places.
fn placed<'t>(
    text: &str,
    attached: &[Attachment],
    enclosing: &mut Enclosing<'_>,
) -> Vec<Event<'t>> {
    let event = |piece| match piece {
        Piece::Text(text) => Event::Text(CowStr::from(text.to_string())),
        Piece::Number(n) => {
            let html = attached.get(n).map(|a| shown(a, enclosing));
            Event::InlineHtml(CowStr::from(html.unwrap_or_default()))
        }
    };
    pieces(text).map(event).collect()
}

/// A picture itself, where it is here and not too large; else a line that
/// names the file.
fn shown(attached: &Attachment, enclosing: &mut Enclosing<'_>) -> String {
    let name = escaped(&attached.name);
    if let Some(type_of) = picture_type(&attached.format)
        && let Some(bytes) = enclosing.take(&attached.digest, LARGEST_PICTURE)
        && type_of.begins(&bytes)
    {
        let data = base64(&bytes);
        let mime = type_of.mime;
        return format!(
            "<img class=\"picture\" src=\"data:{mime};base64,{data}\" alt=\"{name}\" title=\"{name}\">"
        );
    }
    let words = escaped(&crate::exchange::text::in_words(attached));
    format!("<span class=\"file\">{words}</span>")
}

/// A format of pictures that every browser draws and that holds nothing but
/// the picture.
struct PictureType {
    name: &'static str,
    mime: &'static str,
    magic: &'static [u8],
}

impl PictureType {
    /// Whether the bytes are what the message says.
    fn begins(&self, bytes: &[u8]) -> bool {
        let webp = self.name != "WebP" || bytes.get(8..12) == Some(b"WEBP");
        bytes.starts_with(self.magic) && webp
    }
}

const PICTURES: &[PictureType] = &[
    PictureType {
        name: "PNG",
        mime: "image/png",
        magic: b"\x89PNG\r\n\x1a\n",
    },
    PictureType {
        name: "JPEG",
        mime: "image/jpeg",
        magic: b"\xff\xd8\xff",
    },
    PictureType {
        name: "GIF",
        mime: "image/gif",
        magic: b"GIF8",
    },
    PictureType {
        name: "WebP",
        mime: "image/webp",
        magic: b"RIFF",
    },
];

fn picture_type(format: &str) -> Option<&'static PictureType> {
    PICTURES
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(format))
}

/// The events without what could run, fetch or deceive.
fn harmless<'t>(
    events: impl Iterator<Item = Event<'t>>,
    breaks: bool,
) -> impl Iterator<Item = Event<'t>> {
    // Links that were taken out still end.
    let mut dropped = Vec::new();
    events.filter_map(move |event| {
        Some(match event {
            // HTML in a message is shown, not obeyed.
            Event::Html(html) => Event::Text(html),
            Event::InlineHtml(html) => Event::Code(html),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::CodeBlock),
            Event::SoftBreak if breaks => Event::HardBreak,
            // A picture would be fetched, and tell its server.
            Event::Start(Tag::Image { dest_url, .. }) => {
                Event::Text(CowStr::from(format!("[picture {dest_url} ")))
            }
            Event::End(TagEnd::Image) => Event::Text(CowStr::from("]")),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let drop = link_type != LinkType::Email && !is_harmless(&dest_url);
                dropped.push(drop);
                if drop {
                    return None;
                }
                Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                })
            }
            Event::End(TagEnd::Link) if dropped.pop().unwrap_or(false) => return None,
            other => other,
        })
    })
}

/// Whether a link only leads somewhere, and does nothing by itself.
fn is_harmless(link: &str) -> bool {
    let start: String = link
        .chars()
        .take(8)
        .collect::<String>()
        .to_ascii_lowercase();
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|s| start.starts_with(s))
}
