//! The popup that asks which model to use.

use super::{open, row};
use crate::app::State;
use crate::app::layer::{ModelRow, ModelsLayer, model_rows};
use crate::app::turn::Engine;
use crate::chat::text::one_line;
use crate::ui::text::fit;
use crate::ui::theme::Theme;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

/// Columns of the box at most.
const WIDTH: u16 = 84;

pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme, layer: &ModelsLayer) {
    let rows = model_rows(state);
    let about = about(state, rows.len());
    let inner_width = usize::from(WIDTH.min(area.width).saturating_sub(4)).max(1);
    let about_rows = about.len().div_ceil(inner_width) as u16 + 1;
    let list = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    let height = list.saturating_add(about_rows + 2);
    let foot = match (&layer.typing, state.engine == Engine::NoModel) {
        (Some(_), _) => "Enter loads · Esc back",
        (None, true) => "↑ ↓ choose · Enter takes · Esc: the starter, for now",
        (None, false) => "↑ ↓ choose · Enter takes · Esc closes",
    };
    let size = (WIDTH, height.min(area.height.saturating_sub(2)));
    let inner = open(frame, area, theme, "Which model?", foot, size);
    let [top, list] = Layout::vertical([
        Constraint::Length(about_rows.min(inner.height.saturating_sub(1))),
        Constraint::Fill(1),
    ])
    .areas(inner);
    Paragraph::new(Line::styled(about, theme.text))
        .wrap(Wrap { trim: true })
        .render(top, frame.buffer_mut());
    let chosen = layer.chosen(&rows);
    let first = (chosen + 1).saturating_sub(usize::from(list.height).max(1));
    let shown = rows.iter().enumerate().skip(first);
    for ((i, entry), y) in shown.zip(list.y..list.bottom()) {
        let words = match (entry, &layer.typing) {
            (ModelRow::File, Some(typed)) => format!("a file: {}▏", tail(typed, inner_width)),
            _ => words(*entry),
        };
        row(frame, list, y, &words, i == chosen, theme);
    }
}

fn about(state: &State, rows: usize) -> String {
    let looked = match &state.models {
        None => "Looking for models on this machine …".to_string(),
        Some(found) if found.is_empty() => {
            "No model was found in this folder or in the usual caches.".to_string()
        }
        Some(_) => format!("{} found on this machine.", rows - 2),
    };
    let model = match &state.model {
        Some(_) if state.has_starter() => "the starter".to_string(),
        Some(path) => one_line(&path.display().to_string(), 200),
        None => return format!("{looked} Your choice is kept; /model asks again."),
    };
    let how = match &state.engine {
        Engine::Ready(_) => "In use",
        Engine::Loading(_) => "Loading",
        // A dead engine comes back with the next message.
        Engine::Down => "Chosen",
        Engine::Failed | Engine::NoModel => "Not loaded",
    };
    format!("{looked} {how}: {model}")
}

fn words(entry: ModelRow<'_>) -> String {
    match entry {
        ModelRow::Found(model) => {
            let folder = model.path.parent().unwrap_or(&model.path);
            format!(
                "{}  {}  {}",
                fit(&one_line(&model.name, 200), 40),
                size(model.size),
                one_line(&folder.display().to_string(), 200)
            )
        }
        ModelRow::File => "a file: type its path".into(),
        ModelRow::Starter => {
            "the starter: a tiny demonstration model, knows only Parlor's help".into()
        }
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes.div_ceil(1_000_000)),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// The end of what is typed, where the typing happens.
fn tail(typed: &str, width: usize) -> String {
    let most = width.saturating_sub(14).max(1);
    let skip = typed.chars().count().saturating_sub(most);
    one_line(&typed.chars().skip(skip).collect::<String>(), most)
}
