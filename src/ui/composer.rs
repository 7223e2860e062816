//! The message being written, what is queued above it, and the commands that
//! match it.

use super::hung;
use super::picture::Gallery;
use super::text::{Break, Lead, Piece, fit, wrap};
use super::theme::Theme;
use crate::app::layer::Layer;
use crate::app::{Keep, State};
use crate::chat::attachment::{self, Attachment};
use crate::chat::text::one_line;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

/// Columns of the prompt mark.
const MARK: u16 = 2;
/// Lines for what is attached, at most.
const LINES: u16 = 4;

/// Rows that the composer takes: as many as it needs, up to a third.
pub fn height(state: &State, area: Rect) -> u16 {
    let width = area.width.saturating_sub(MARK).max(2);
    let most = (area.height / 3).max(1);
    let lead = Lead::default();
    let mut rows = 0usize;
    for line in state.composer.area.lines() {
        let piece = Piece {
            text: line,
            style: Style::default(),
            offset: 0,
        };
        rows += wrap(&[piece], width, &lead, &lead, Break::Words).len();
        if rows >= usize::from(most) {
            return most;
        }
    }
    u16::try_from(rows).unwrap_or(most).clamp(1, most)
}

/// The line between conversation and composer; says when there is more below.
pub fn rule(frame: &mut Frame<'_>, area: Rect, state: &State, more_below: bool, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let note = if more_below {
        " ↓ more below · End follows "
    } else {
        ""
    };
    let width = usize::from(area.width);
    let (words, style) = standing(state, theme);
    let words = match words.as_str() {
        "" => String::new(),
        words => fit(&format!("─ {words} "), width.saturating_sub(note.width())),
    };
    let dashes = width.saturating_sub(note.width() + words.width());
    let line = Line::from(vec![
        Span::styled(words, style),
        Span::styled("─".repeat(dashes), theme.border),
        Span::styled(fit(note, width), theme.accent),
    ]);
    frame
        .buffer_mut()
        .set_line(area.x, area.y, &line, area.width);
}

/// What is being looked for, or what is special about what one writes now.
fn standing(state: &State, theme: &Theme) -> (String, Style) {
    if let Some(Layer::Find(find)) = state.layers.last() {
        let place = match find.places.len() {
            0 if find.query.is_empty() => "words in this conversation".to_string(),
            0 => "not found".to_string(),
            count => format!("{} of {count}", find.at + 1),
        };
        let keys = match find.walking {
            true => "n next, N before, Esc closes",
            false => "Enter next, ↑ before, Esc closes",
        };
        let words = format!("find: {}▏ {place} · {keys}", one_line(&find.query, 200));
        return (words, theme.accent);
    }
    if let Some(id) = state.editing {
        let what = match state.talk.answer(id) {
            Some(_) => "changing an answer: Enter goes on from it",
            None => "changing a message: Enter sends it again",
        };
        return (format!("{what}, Esc leaves it"), theme.accent);
    }
    if state.talk.focus.is_some() {
        let words = "↑ ↓ choose · e edit · r again · g go on · ← → versions · c copy · x delete · k fork · Esc";
        return (words.into(), theme.accent);
    }
    if state.talk.keep == Keep::ReadOnly {
        return ("read only".into(), theme.accent);
    }
    if let Some(why) = &state.unsaved {
        return (format!("not saved: {}", one_line(why, 200)), theme.problem);
    }
    match state.talk.keep {
        Keep::Private => ("off the record".into(), theme.accent),
        Keep::ReadOnly | Keep::Saved => (one_line(&state.talk.about.title, 60), theme.dim),
    }
}

/// Messages that wait for the answer under way.
pub fn queue(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    for (text, y) in state.queue.iter().zip(area.y..area.bottom()) {
        let words = format!("queued: {}", one_line(&attachment::plain(text), 400));
        let line = Line::styled(fit(&words, usize::from(area.width)), theme.dim);
        frame.buffer_mut().set_line(area.x, y, &line, area.width);
    }
}

/// Rows that tell what is attached, and rows of small pictures of it.
pub fn strip_height(attached: &[Attachment], gallery: &Gallery, area: Rect) -> (u16, u16) {
    let lines = u16::try_from(attached.len()).unwrap_or(u16::MAX);
    let previews = match area.height >= 20 {
        true => hung::preview_rows(attached, gallery),
        false => 0,
    };
    (lines.min(LINES).min(area.height / 4), previews)
}

/// What is attached, and what it costs.
pub fn strip(
    frame: &mut Frame<'_>,
    area: Rect,
    attached: &[Attachment],
    previews: u16,
    state: &State,
    theme: &Theme,
    gallery: &mut Gallery,
) {
    if area.is_empty() {
        return;
    }
    let lines = area.height.saturating_sub(previews);
    let width = usize::from(area.width);
    for (at, y) in (0..attached.len()).zip(area.y..area.y + lines) {
        let left = attached.len() - at;
        let (words, style) = if y + 1 == area.y + lines && left > 1 {
            (format!("… and {left} more are attached"), theme.dim)
        } else {
            let one = &attached[at];
            match state.attaching.weights.get(&one.digest) {
                Some(Ok(tokens)) => (
                    format!("{} · {tokens} tokens", hung::words(one)),
                    theme.notice,
                ),
                Some(Err(why)) => (format!("{} · {why}", hung::words(one)), theme.problem),
                None => (hung::words(one), theme.notice),
            }
        };
        let line = Line::styled(fit(&words, width), style);
        frame.buffer_mut().set_line(area.x, y, &line, area.width);
    }
    let place = Rect {
        x: area.x + MARK.min(area.width),
        width: area.width.saturating_sub(MARK),
        y: area.y + lines,
        height: previews,
    };
    hung::previews(frame.buffer_mut(), place, attached, gallery, theme);
}

pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    frame
        .buffer_mut()
        .set_string(area.x, area.y, "❯", theme.accent);
    let inner = Rect {
        x: area.x + MARK.min(area.width),
        width: area.width.saturating_sub(MARK),
        ..area
    };
    if inner.is_empty() {
        return;
    }
    (&state.composer.area).render(inner, frame.buffer_mut());
    place_cursor(frame, inner, state);
}

/// The terminal's own cursor stands where the editor drew its own: it blinks
/// as the person has set it, and screen readers follow it.
fn place_cursor(frame: &mut Frame<'_>, inner: Rect, state: &State) {
    if !state.layers.is_empty() {
        return;
    }
    let buffer = frame.buffer_mut();
    let drawn = inner.positions().find(|at| {
        buffer
            .cell(*at)
            .is_some_and(|c| c.modifier.contains(Modifier::REVERSED))
    });
    if let Some(at) = drawn {
        if let Some(cell) = buffer.cell_mut(at) {
            cell.modifier.remove(Modifier::REVERSED);
        }
        frame.set_cursor_position(at);
    }
}

/// Slash commands that match, above the composer. `above` is the room there.
pub fn suggestions(frame: &mut Frame<'_>, above: Rect, state: &State, theme: &Theme) {
    let found = state.composer.suggestions();
    let rows = u16::try_from(found.len())
        .unwrap_or(u16::MAX)
        .min(above.height)
        .min(12);
    if rows == 0 || !state.layers.is_empty() {
        return;
    }
    let choice = state.composer.choice.min(found.len() - 1);
    let first = (choice + 1).saturating_sub(usize::from(rows));
    let area = Rect {
        y: above.bottom() - rows,
        height: rows,
        ..above
    };
    Clear.render(area, frame.buffer_mut());
    for ((i, entry), y) in found
        .iter()
        .enumerate()
        .skip(first)
        .zip(area.y..area.bottom())
    {
        let mark = if i == choice { "▸" } else { " " };
        let name = format!("{mark}/{} {}", entry.name, entry.slash.unwrap_or_default());
        let words = fit(
            &format!("{name:<20} {}", entry.doc),
            usize::from(area.width),
        );
        let style = if i == choice {
            theme.chosen
        } else {
            theme.text
        };
        let padded = format!("{words:<width$}", width = usize::from(area.width));
        frame
            .buffer_mut()
            .set_stringn(area.x, y, padded, usize::from(area.width), style);
    }
}
