//! The popup of models: a row for each, and what is known of the chosen one.

mod details;

use super::{open, row};
use crate::app::layer::{ModelRow, ModelsLayer, model_rows};
use crate::app::library::{HubSearch, Pull};
use crate::app::turn::Engine;
use crate::app::{State, layer};
use crate::chat::size::bytes;
use crate::chat::text::one_line;
use crate::protocol::hub::{Phase, Wish};
use crate::protocol::library::{Fit, Kind, Listed, Verdict};
use crate::ui::text::fit;
use crate::ui::theme::Theme;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};
use unicode_width::UnicodeWidthStr;

/// Columns of the box at most.
const WIDTH: u16 = 100;
/// Rows for what is known of the chosen one.
const DETAILS: u16 = 8;
/// Fewer columns than these have no room for everything.
const NARROW: usize = 76;
/// Rows of the list that there must be room for beside those.
const LEAST_LIST: u16 = 6;

pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme, layer: &ModelsLayer) {
    let rows = model_rows(state, layer);
    let about = about(state, layer);
    let width = usize::from(WIDTH.min(area.width).saturating_sub(4)).max(1);
    let about_rows = about.chars().count().div_ceil(width) as u16 + 1;
    let list = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    let most = area.height.saturating_sub(2);
    let with_details = most >= about_rows + LEAST_LIST + DETAILS + 2;
    let details_rows = if with_details { DETAILS } else { 0 };
    let height = list.saturating_add(about_rows + details_rows + 3);
    let size = (WIDTH, height.min(most));
    let title = match &layer.pairing {
        Some(_) => "Which eyes or ears?",
        None => "Which model?",
    };
    let inner = open(
        frame,
        area,
        theme,
        title,
        foot(state, layer, area.width < 92),
        size,
    );
    let [top, line, list, below] = Layout::vertical([
        Constraint::Length(about_rows.min(inner.height.saturating_sub(2))),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(details_rows),
    ])
    .areas(inner);
    Paragraph::new(Line::styled(about, theme.text))
        .wrap(Wrap { trim: true })
        .render(top, frame.buffer_mut());
    let written = match &layer.typing {
        Some(typed) => format!("a file: {}▏", tail(typed, width)),
        None => format!("❯ {}▏", one_line(&layer.filter, 200)),
    };
    super::written(frame, line, &written, theme);
    let chosen = layer.chosen(&rows);
    let first = (chosen + 1).saturating_sub(usize::from(list.height).max(1));
    let shown = rows.iter().enumerate().skip(first);
    for ((i, entry), y) in shown.zip(list.y..list.bottom()) {
        row(
            frame,
            list,
            y,
            &words(entry, state, width),
            i == chosen,
            theme,
        );
    }
    if let (true, Some(entry)) = (with_details, rows.get(chosen)) {
        let lines = details::of(entry, state, width);
        let lines: Vec<Line<'_>> = std::iter::once("─".repeat(width))
            .chain(lines)
            .map(|words| Line::styled(words, theme.dim))
            .collect();
        Paragraph::new(lines).render(below, frame.buffer_mut());
    }
}

fn foot(state: &State, layer: &ModelsLayer, narrow: bool) -> &'static str {
    match (&layer.typing, &layer.pairing, &state.engine) {
        (None, None, _) if narrow => "Enter takes · type to find · Esc",
        (Some(_), ..) => "Enter loads · Esc back",
        (None, Some(_), _) => "Enter joins them · Esc back",
        (None, None, Engine::NoModel) => {
            "Enter takes · type to find · Tab sorts · Ctrl+F hub · Esc: the starter, for now"
        }
        (None, None, _) => {
            "Enter takes · type to find · Tab sorts · Ctrl+F hub · Ctrl+R eyes · Ctrl+X removes · Esc"
        }
    }
}

fn about(state: &State, layer: &ModelsLayer) -> String {
    let library = &state.library;
    let looked = match &library.models {
        None => "Looking for models on this machine …".to_string(),
        Some(found) if found.is_empty() => {
            "No model was found in this folder or in the usual caches.".to_string()
        }
        Some(_) => match library.chat_models() {
            1 => "1 model to chat with was found on this machine.".to_string(),
            n => format!("{n} models to chat with were found on this machine."),
        },
    };
    let hub = match &library.hub {
        HubSearch::None => String::new(),
        HubSearch::Searching(text) => {
            format!(" Searching the hub for “{}” …", one_line(text, 40))
        }
        HubSearch::Found(repos) => format!(" {} found on the hub.", repos.len()),
        HubSearch::Failed(why) => format!(" The hub: {}", one_line(why, 200)),
    };
    let sorted = match layer.sort {
        layer::Sort::Name => String::new(),
        by => format!(" Sorted by {}.", by.name()),
    };
    let model = match &state.model {
        Some(_) if state.has_starter() => "the starter".to_string(),
        Some(path) => one_line(&path.display().to_string(), 200),
        None => return format!("{looked}{hub} Your choice is kept; /model asks again.{sorted}"),
    };
    let how = match &state.engine {
        Engine::Ready(_) => "In use",
        Engine::Loading(_) => "Loading",
        // A dead engine comes back with the next message, a resting one too.
        Engine::Down | Engine::Resting => "Chosen",
        Engine::Failed | Engine::NoModel => "Not loaded",
    };
    format!("{looked}{hub} {how}: {model}{sorted}")
}

/// A row: name, size, verdict, where it is.
fn words(entry: &ModelRow<'_>, state: &State, width: usize) -> String {
    let fits = |size: u64| match size {
        0 => "",
        size => short(state.library.machine.verdict(size)),
    };
    match entry {
        ModelRow::Pull(pull) => pulling(pull),
        ModelRow::Found(listed) => {
            let model = &listed.model;
            let quant = model.card.as_ref().map_or("", |c| c.quantization.as_str());
            if width < NARROW {
                return format!(
                    "{}  {}  {}",
                    column(&one_line(&model.name, 200), width.saturating_sub(23).max(8)),
                    column(&bytes(model.size), 8),
                    verdict(listed)
                );
            }
            let name_width = (width / 2).clamp(16, 48);
            format!(
                "{}  {}  {}  {}  {}",
                column(&one_line(&model.name, 200), name_width),
                column(quant, 8),
                column(&bytes(model.size), 8),
                column(&verdict(listed), 16),
                model.source.name(),
            )
        }
        ModelRow::Fetch(what) => format!("fetch {}", one_line(what, 200)),
        ModelRow::Repo(repo) => format!(
            "hub: {}  {}  {}  {} downloads{}",
            column(&one_line(&repo.repo, 100), (width / 2).clamp(16, 40)),
            column(&repo.usual_size().map(bytes).unwrap_or_default(), 8),
            column(fits(repo.usual_size().unwrap_or(0)), 9),
            repo.downloads,
            if repo.gated {
                "  asks for a licence"
            } else {
                ""
            }
        ),
        ModelRow::Catalog(entry) => {
            let size = match entry.size {
                0 => String::new(),
                size => bytes(size),
            };
            format!(
                "fetch: {}  {}  {}  {}",
                column(&one_line(&entry.name, 60), 22),
                column(&size, 8),
                column(fits(entry.size), 9),
                one_line(&entry.good_for, 200)
            )
        }
        ModelRow::File => "a file: type its path".into(),
        ModelRow::Starter => {
            "the starter: a tiny demonstration model, knows only Parlor's help".into()
        }
    }
}

/// A word for how a model runs.
fn verdict(listed: &Listed) -> String {
    match (&listed.model.card, &listed.fit) {
        (Err(_), _) => "✗ cannot be used".into(),
        (Ok(card), _) if card.kind == Kind::Adapter => "adapter".into(),
        (Ok(card), _) if card.kind == Kind::Mmproj => "eyes or ears".into(),
        (Ok(card), _) if card.kind == Kind::Embedding => "embedding".into(),
        (Ok(card), _) if card.kind == Kind::Reranker => "reranker".into(),
        (Ok(_), Some(Ok(fit))) => placed(fit),
        (Ok(_), Some(Err(_))) => "✗ too big".into(),
        (Ok(_), None) => String::new(),
    }
}

fn placed(fit: &Fit) -> String {
    match fit.verdict {
        Verdict::Partly => format!("✓ {}/{} on GPU", fit.gpu_layers, fit.layers + 1),
        verdict => short(verdict).into(),
    }
}

fn short(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Gpu => "✓ GPU",
        Verdict::Partly => "✓ partly",
        Verdict::Memory => "✓ memory",
        Verdict::TooBig => "✗ too big",
    }
}

/// A pull with its bar.
fn pulling(pull: &Pull) -> String {
    const BAR: u64 = 20;
    let what = column(&one_line(&pull.what, 200), 34);
    let Some(progress) = &pull.progress else {
        return format!("↓ {what}  asking the hub …");
    };
    let full = progress.done * BAR / progress.total.max(1);
    let bar: String = (0..BAR).map(|i| if i < full { '█' } else { '░' }).collect();
    let percent = progress.done * 100 / progress.total.max(1);
    let state = match (&progress.phase, pull.wish) {
        (_, Wish::Cancel) => "ending".into(),
        (Phase::Paused, _) | (_, Wish::Pause) => "paused: Enter goes on".into(),
        (Phase::Looking | Phase::Chosen(_), _) => "asking the hub".into(),
        (Phase::Checking { .. }, _) => "checking".into(),
        (Phase::Retrying { why, .. }, _) => format!("again soon: {}", one_line(why, 60)),
        (Phase::Restarting { .. } | Phase::Downloading | Phase::Done, _) => {
            let left = progress
                .left
                .map_or(String::new(), |s| format!(", {} left", details::time(s)));
            format!("{}/s{left}", bytes(progress.speed))
        }
    };
    format!("↓ {what}  {bar} {percent:>3} %  {state}")
}

/// A text of exactly so many columns.
fn column(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let blank = width.saturating_sub(text.width());
    text + &" ".repeat(blank)
}

/// The end of what is typed, where the typing happens.
fn tail(typed: &str, width: usize) -> String {
    let most = width.saturating_sub(14).max(1);
    let skip = typed.chars().count().saturating_sub(most);
    let shown: String = typed.chars().skip(skip).collect();
    one_line(&shown, 1000)
}
