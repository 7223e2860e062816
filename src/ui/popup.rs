//! Popups, drawn from the bottom of the stack up.

mod conversations;
mod models;
mod runs;

use super::help;
use super::text::fit;
use super::theme::Theme;
use crate::app::State;
use crate::app::layer::{HelpLayer, Layer, SETTING_ROWS, SettingsLayer, palette_matches};
use crate::chat::sampling::SETTINGS;
use crate::chat::text::one_line;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Widget, Wrap};

pub use conversations::side;

/// Draws every popup; returns by how many rows the help can be scrolled.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) -> usize {
    let mut help_rows = 0;
    for layer in &state.layers {
        match layer {
            Layer::Help(layer) => {
                help_rows = draw_help(frame, area, state, theme, layer);
            }
            Layer::Conversations(layer) => conversations::draw(frame, area, state, theme, layer),
            // Drawn as the line above the composer.
            Layer::Find(_) => {}
            Layer::Models(layer) => models::draw(frame, area, state, theme, layer),
            Layer::Runs => runs::draw(frame, area, state, theme),
            Layer::Palette { query, choice } => {
                draw_palette(frame, area, state, theme, query, *choice)
            }
            Layer::Settings(settings) => draw_settings(frame, area, state, theme, settings),
        }
    }
    help_rows
}

/// A cleared, bordered box in the middle; returns its inside.
fn open(
    frame: &mut Frame<'_>,
    area: Rect,
    theme: &Theme,
    title: &str,
    foot: &str,
    size: (u16, u16),
) -> Rect {
    let outer = area.centered(
        Constraint::Length(size.0.min(area.width)),
        Constraint::Length(size.1.min(area.height)),
    );
    boxed(frame, outer, theme, title, foot)
}

/// A cleared, bordered box; returns its inside.
fn boxed(frame: &mut Frame<'_>, outer: Rect, theme: &Theme, title: &str, foot: &str) -> Rect {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.border)
        .title(Line::styled(format!(" {title} "), theme.heading))
        .title_bottom(Line::styled(format!(" {foot} "), theme.dim));
    let inner = block.inner(outer);
    Clear.render(outer, frame.buffer_mut());
    frame.buffer_mut().set_style(outer, theme.text);
    block.render(outer, frame.buffer_mut());
    inner
}

fn draw_help(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    theme: &Theme,
    layer: &HelpLayer,
) -> usize {
    // The box is at most 100 columns; its border takes two.
    let lines = help::lines(
        state,
        theme,
        &layer.query,
        area.width.min(100).saturating_sub(2),
    );
    // The border, and the line where one writes.
    let height = u16::try_from(lines.len() + 3).unwrap_or(u16::MAX);
    let size = (100, height.min(area.height.saturating_sub(2)));
    let inner = open(
        frame,
        area,
        theme,
        "Help",
        "type to look something up · ↑ ↓ scroll · Esc closes",
        size,
    );
    if inner.is_empty() {
        return 0;
    }
    let query = format!("❯ {}", one_line(&layer.query, 200));
    let [line, inner] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    written(frame, line, &query, theme);
    let most = lines.len().saturating_sub(usize::from(inner.height));
    let scroll = layer.scroll.min(most);
    let seen: Vec<Line<'_>> = lines
        .into_iter()
        .skip(scroll)
        .take(usize::from(inner.height))
        .collect();
    Paragraph::new(seen).render(inner, frame.buffer_mut());
    most
}

fn draw_palette(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    theme: &Theme,
    query: &str,
    choice: usize,
) {
    let found = palette_matches(query);
    let foot = "↑ ↓ choose · Enter runs · Esc closes";
    let inner = open(
        frame,
        area,
        theme,
        "Actions",
        foot,
        (80, 18.min(area.height.saturating_sub(2))),
    );
    if inner.is_empty() {
        return;
    }
    let prompt = format!("❯ {}", one_line(query, 200));
    written(frame, inner, &prompt, theme);
    if found.is_empty() && inner.height > 1 {
        frame
            .buffer_mut()
            .set_string(inner.x, inner.y + 1, "nothing matches", theme.dim);
    }
    let rows = inner.height.saturating_sub(1);
    let first = (choice + 1).saturating_sub(usize::from(rows));
    for ((i, entry), y) in found
        .iter()
        .enumerate()
        .skip(first)
        .zip(inner.y + 1..inner.bottom())
    {
        let key = state.keymap.key_of(entry.action);
        let words = format!("{:<14} {:<10} {}", entry.name, key, entry.doc);
        row(frame, inner, y, &words, i == choice, theme);
    }
}

/// What is being written, with the cursor behind it.
fn written(frame: &mut Frame<'_>, area: Rect, words: &str, theme: &Theme) {
    let words = fit(words, usize::from(area.width));
    let width = unicode_width::UnicodeWidthStr::width(words.as_str());
    let column = area.x + u16::try_from(width).unwrap_or(0);
    frame
        .buffer_mut()
        .set_string(area.x, area.y, words, theme.accent);
    frame.set_cursor_position((column.min(area.right().saturating_sub(1)), area.y));
}

/// A row of a list, across the whole width.
fn row(frame: &mut Frame<'_>, inner: Rect, y: u16, words: &str, chosen: bool, theme: &Theme) {
    let width = usize::from(inner.width);
    let style = if chosen { theme.chosen } else { theme.text };
    let mark = if chosen { "▸" } else { " " };
    let words = format!("{:<width$}", fit(&format!("{mark}{words}"), width));
    frame
        .buffer_mut()
        .set_stringn(inner.x, y, words, width, style);
}

fn draw_settings(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    theme: &Theme,
    layer: &SettingsLayer,
) {
    let height = u16::try_from(SETTING_ROWS + 6).unwrap_or(u16::MAX);
    let foot = if area.width < 72 {
        "Ctrl+S saves · Esc closes"
    } else {
        "← → change · Enter types · Ctrl+S saves to the config file · Esc closes"
    };
    let inner = open(frame, area, theme, "Settings", foot, (84, height));
    let sampling = &state.settings.sampling;
    // Where not all fits, the explanation has its rows and the list scrolls.
    let list = usize::from(inner.height.saturating_sub(3)).clamp(1, SETTING_ROWS);
    let first = (layer.choice + 1).saturating_sub(list);
    for (i, y) in (first..first + list).zip(inner.y..inner.bottom()) {
        let (name, value) = match SETTINGS.get(i) {
            Some(setting) => (setting.name, setting.show(sampling)),
            None => ("system prompt", shown_system(&state.settings.system)),
        };
        let chosen = i == layer.choice;
        let value = match &layer.typing {
            Some(typed) if chosen => format!("{}▏", one_line_end(typed, 60)),
            _ => value,
        };
        row(
            frame,
            inner,
            y,
            &format!("{name:<16} {value}"),
            chosen,
            theme,
        );
    }
    let about = match SETTINGS.get(layer.choice) {
        Some(setting) => format!("{}\n{}", setting.doc, setting.range()),
        None => {
            "what the model is told before the conversation\nholds from the next message on".into()
        }
    };
    // What is wrong comes first, where there is little room.
    let problem = layer.problem.iter();
    let mut lines: Vec<Line<'_>> = problem
        .map(|p| Line::styled(format!(" {p}"), theme.problem))
        .collect();
    lines.extend(
        about
            .lines()
            .map(|l| Line::styled(format!(" {l}"), theme.dim)),
    );
    let gap = usize::from(list == SETTING_ROWS && usize::from(inner.height) > SETTING_ROWS + 3);
    let below = u16::try_from(list + gap)
        .unwrap_or(u16::MAX)
        .min(inner.height);
    let about = Rect {
        y: inner.y + below,
        height: inner.height - below,
        ..inner
    };
    Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .render(about, frame.buffer_mut());
}

fn shown_system(system: &str) -> String {
    if system.is_empty() {
        "none".into()
    } else {
        one_line(system, 60)
    }
}

/// The end of what is typed: the part where the typing happens.
fn one_line_end(typed: &str, max: usize) -> String {
    let count = typed.chars().count();
    let tail: String = typed.chars().skip(count.saturating_sub(max)).collect();
    crate::chat::text::sanitise(&tail.replace('\n', "⏎")).into_owned()
}
