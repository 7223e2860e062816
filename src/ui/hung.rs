//! Pictures and sounds in the rows of the conversation and above the composer.

use super::picture::{Gallery, Key, Label};
use super::text::Row;
use super::theme::Theme;
use crate::chat::attachment::{Attachment, Kind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::HashMap;

/// The largest picture in the conversation, in cells.
const MOST: (u16, u16) = (60, 15);
/// The largest above the composer.
const SMALL: (u16, u16) = (16, 4);
/// Columns of a sound's waveform.
pub const WAVE: usize = 48;

/// Something drawn over rows of an entry.
#[derive(Debug, Clone)]
pub struct Hung {
    /// The first row, counted among those after the entry's text.
    pub row: usize,
    pub key: Key,
    pub words: String,
    pub sound: bool,
}

/// Waveforms of sounds, by digest.
#[derive(Debug, Default)]
pub struct Waves {
    known: HashMap<String, String>,
    asked: Vec<String>,
}

impl Waves {
    /// Those that were to be drawn and are not known; each is told once.
    pub fn take_missing(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }

    pub fn insert(&mut self, digest: String, wave: String) {
        self.known.insert(digest, wave);
    }

    fn get(&mut self, digest: &str) -> &str {
        if !self.known.contains_key(digest) {
            self.known.insert(digest.into(), String::new());
            self.asked.push(digest.into());
        }
        self.known.get(digest).map_or("", String::as_str)
    }
}

/// Peaks as a line of bars.
pub fn bars(peaks: &[f32]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = peaks.iter().copied().fold(0.05_f32, f32::max);
    let bar = |peak: &f32| BARS[((peak / most * 7.0).round() as usize).min(7)];
    peaks.iter().map(bar).collect()
}

/// Whether pixels can be had of it without another program.
fn is_drawn(one: &Attachment) -> bool {
    let picture = one.kind == Kind::Picture || one.kind == Kind::Film && one.count > 1;
    picture && one.width > 0 && one.height > 0
}

/// How large a picture is drawn, at most this wide; None where it is not.
fn size(one: &Attachment, gallery: &Gallery, most: (u16, u16)) -> Option<Key> {
    let draws = gallery.abilities().protocol != super::picture::Protocol::Off;
    if !draws || !is_drawn(one) || most.0 < 4 {
        return None;
    }
    let (columns, rows) = gallery.size((one.width, one.height), most);
    Some(Key {
        digest: one.digest.clone(),
        columns,
        rows,
    })
}

/// What a line says of an attachment.
pub fn words(one: &Attachment) -> String {
    let mark = match one.kind {
        Kind::Picture => "▣",
        Kind::Sound => "♪",
        Kind::Film => "▶",
        Kind::Text => "≡",
    };
    format!("{mark} {} · {}", one.name, one.words())
}

/// The rows of attachments below a message, and what hangs over them.
pub fn rows(
    attached: &[Attachment],
    gallery: &Gallery,
    theme: &Theme,
    width: u16,
) -> (Vec<Row>, Vec<Hung>) {
    let mut rows = Vec::new();
    let mut hung = Vec::new();
    let mut push = |line: Line<'static>| {
        rows.push(Row {
            line,
            offset: usize::MAX,
        });
        rows.len()
    };
    for one in attached {
        let line = super::text::fit(&words(one), usize::from(width.saturating_sub(2)));
        let at = push(Line::styled(format!("  {line}"), theme.dim));
        let key = match one.kind {
            Kind::Sound => Some(Key {
                digest: one.digest.clone(),
                columns: 0,
                rows: 1,
            }),
            _ => {
                let most = (MOST.0.min(width.saturating_sub(3)), MOST.1);
                size(one, gallery, most)
            }
        };
        let Some(key) = key else { continue };
        for _ in 0..key.rows {
            push(Line::default());
        }
        hung.push(Hung {
            row: at,
            key,
            words: one.name.clone(),
            sound: one.kind == Kind::Sound,
        });
    }
    (rows, hung)
}

/// Draws one, of which `hidden` rows are above the area.
pub fn draw(
    buffer: &mut Buffer,
    area: Rect,
    hidden: u16,
    hung: &Hung,
    (gallery, waves): (&mut Gallery, &mut Waves),
    theme: &Theme,
) {
    if hung.sound {
        let wave = waves.get(&hung.key.digest);
        buffer.set_stringn(area.x, area.y, wave, usize::from(area.width), theme.accent);
        return;
    }
    let label = Label {
        words: &hung.words,
        style: theme.dim,
    };
    gallery.draw(buffer, area, hidden, &hung.key, label);
}

/// Draws small pictures beside each other.
pub fn previews(
    buffer: &mut Buffer,
    area: Rect,
    attached: &[Attachment],
    gallery: &mut Gallery,
    theme: &Theme,
) {
    let mut x = area.x;
    for one in attached {
        let most = (SMALL.0.min(area.right().saturating_sub(x)), SMALL.1);
        let Some(key) = size(one, gallery, most) else {
            continue;
        };
        let place = Rect {
            x,
            width: key.columns,
            height: key.rows.min(area.height),
            ..area
        };
        x = x.saturating_add(key.columns + 1);
        let label = Label {
            words: &one.name,
            style: theme.dim,
        };
        gallery.draw(buffer, place, 0, &key, label);
    }
}

/// Rows that previews take.
pub fn preview_rows(attached: &[Attachment], gallery: &Gallery) -> u16 {
    let rows = attached.iter().filter_map(|one| size(one, gallery, SMALL));
    rows.map(|key| key.rows).max().unwrap_or(0)
}
