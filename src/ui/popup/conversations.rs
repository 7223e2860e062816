//! The view of conversations: a bar at the side of a wide screen, a box over a
//! narrow one.

use super::{boxed, open, written};
use crate::app::State;
use crate::app::layer::{ConversationsLayer, Layer, Row, Typing, conversation_rows};
use crate::chat::text::one_line;
use crate::protocol::store::{Hit, Shelf, Summary};
use crate::ui::text::fit;
use crate::ui::theme::Theme;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// From this width on, the view stands at the side.
const WIDE: u16 = 120;
/// Columns that it takes there.
const SIDE: u16 = 58;

/// Columns at the left of the screen that the view takes while it is open.
pub fn side(state: &State, area: Rect) -> u16 {
    let open = |layer: &Layer| matches!(layer, Layer::Conversations(_));
    match area.width >= WIDE && state.layers.iter().any(open) {
        true => SIDE,
        false => 0,
    }
}

/// What a line of the view is.
enum Drawn<'s> {
    Heading(&'static str),
    Row(usize, Row<'s>),
}

pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    theme: &Theme,
    layer: &ConversationsLayer,
) {
    let title = match layer.shelf {
        Shelf::Active => "Conversations",
        Shelf::Archived => "Archived conversations",
        Shelf::Deleted => "Deleted conversations",
    };
    let foot = match (&layer.typing, layer.shelf) {
        (Some(_), _) => "Enter takes · Esc leaves it",
        (None, Shelf::Deleted) => "^D brings back · Tab shelf · Esc",
        (None, Shelf::Active | Shelf::Archived) => {
            "^R name ^T tags ^K pin ^A archive ^D delete · Tab"
        }
    };
    let inner = match area.width >= WIDE {
        true => {
            let side = Rect {
                width: SIDE,
                ..area
            };
            boxed(frame, side, theme, title, foot)
        }
        false => {
            let size = (90, area.height.saturating_sub(2));
            open(frame, area, theme, title, foot, size)
        }
    };
    if inner.is_empty() {
        return;
    }
    let [line, list] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    let words = match &layer.typing {
        Some(Typing::Title(title)) => format!("name: {title}"),
        Some(Typing::Tags(tags)) => format!("tags: {tags}"),
        None => format!("❯ {}", layer.query),
    };
    written(frame, line, &one_line(&words, 400), theme);
    let rows = conversation_rows(state, layer);
    if rows.is_empty() {
        let words = match layer.query.is_empty() {
            true => "nothing here yet",
            false => "nothing is called so, and nobody said it",
        };
        frame
            .buffer_mut()
            .set_stringn(list.x, list.y, words, usize::from(list.width), theme.dim);
        return;
    }
    let chosen = layer.choice.min(rows.len() - 1);
    lines(frame, list, &rows, chosen, layer.query.is_empty(), theme);
}

/// Draws the rows around the chosen one.
fn lines(
    frame: &mut Frame<'_>,
    area: Rect,
    rows: &[Row<'_>],
    chosen: usize,
    by_day: bool,
    theme: &Theme,
) {
    // Only as many rows as could be seen are looked at: there may be thousands.
    let height = usize::from(area.height);
    let from = chosen.saturating_sub(height);
    let until = (chosen + height).min(rows.len());
    let mut drawn: Vec<Drawn<'_>> = Vec::new();
    let mut at = 0;
    let mut last = None;
    for (i, row) in rows.iter().enumerate().take(until).skip(from) {
        let heading = heading(row, by_day);
        if heading != last {
            drawn.extend(heading.map(Drawn::Heading));
            last = heading;
        }
        if i == chosen {
            at = drawn.len();
        }
        drawn.push(Drawn::Row(i, *row));
    }
    let first = (at + 1).saturating_sub(height);
    for (line, y) in drawn.iter().skip(first).zip(area.y..area.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        match line {
            Drawn::Heading(words) => {
                frame
                    .buffer_mut()
                    .set_string(area.x, y, *words, theme.heading);
            }
            Drawn::Row(i, row) => one(frame, place, *row, *i == chosen, theme),
        }
    }
}

/// The heading that a row stands under.
fn heading(row: &Row<'_>, by_day: bool) -> Option<&'static str> {
    match row {
        Row::Hit(_) => Some("In messages"),
        Row::Conversation(_) if !by_day => None,
        Row::Conversation(summary) if summary.about.pinned => Some("Pinned"),
        Row::Conversation(summary) => Some(match summary.days_ago {
            0 => "Today",
            1 => "Yesterday",
            2..=6 => "This week",
            7..=30 => "This month",
            _ => "Before",
        }),
    }
}

fn one(frame: &mut Frame<'_>, area: Rect, row: Row<'_>, chosen: bool, theme: &Theme) {
    let style = if chosen { theme.chosen } else { theme.text };
    let buffer = frame.buffer_mut();
    buffer.set_style(area, style);
    let mark = if chosen { "▸" } else { " " };
    let width = usize::from(area.width);
    let line = match row {
        Row::Conversation(summary) => conversation(summary, mark, width, style, theme),
        Row::Hit(hit) => found(hit, mark, style, theme),
    };
    buffer.set_line(area.x, area.y, &line, area.width);
}

fn conversation(
    summary: &Summary,
    mark: &str,
    width: usize,
    style: Style,
    theme: &Theme,
) -> Line<'static> {
    let about = &summary.about;
    let model = std::path::Path::new(&about.model)
        .file_stem()
        .map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let tags: String = about.tags.iter().map(|tag| format!("#{tag} ")).collect();
    let right = format!(
        "{tags}{} · {} · {}",
        fit(&one_line(&model, 200), 18),
        summary.messages,
        summary.age
    );
    // The title first; what is beside it where there is room.
    let right = match width.saturating_sub(right.width()) >= 24 {
        true => right,
        false => summary.age.clone(),
    };
    let room = width.saturating_sub(right.width() + 2);
    let title = match about.title.as_str() {
        "" => "(no title)".to_string(),
        title => fit(&one_line(title, 200), room.saturating_sub(1)),
    };
    let gap = room.saturating_sub(title.width() + 1) + 1;
    Line::from(vec![
        Span::styled(format!("{mark}{title}{}", " ".repeat(gap)), style),
        Span::styled(right, style.patch(theme.dim)),
    ])
}

fn found(hit: &Hit, mark: &str, style: Style, theme: &Theme) -> Line<'static> {
    let mut spans = vec![Span::styled(
        format!("{mark}{}: ", fit(&one_line(&hit.title, 200), 18)),
        style.patch(theme.dim),
    )];
    let mut from = 0;
    for range in &hit.marks {
        let (Some(before), Some(word)) = (
            hit.snippet.get(from..range.start),
            hit.snippet.get(range.clone()),
        ) else {
            continue;
        };
        spans.push(Span::styled(before.to_string(), style));
        spans.push(Span::styled(word.to_string(), style.patch(theme.strong)));
        from = range.end;
    }
    let rest = hit.snippet.get(from..).unwrap_or_default();
    spans.push(Span::styled(rest.to_string(), style));
    Line::from(spans)
}
