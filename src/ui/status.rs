//! The last line: the model, what it is doing, how full the context is, and
//! the keys that matter now.

use super::text::fit;
use super::theme::Theme;
use crate::app::action::Action;
use crate::app::turn::{Engine, Turn};
use crate::app::{State, adapter_names};
use crate::chat::text::one_line;
use crate::protocol::engine::ReadProgress;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::time::Instant;
use unicode_width::UnicodeWidthStr;

pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme, now: Instant) {
    if area.is_empty() {
        return;
    }
    let width = usize::from(area.width);
    if let Some(flash) = &state.flash {
        let words = fit(&one_line(&flash.words, 1000), width);
        frame
            .buffer_mut()
            .set_string(area.x, area.y, words, theme.notice);
        return;
    }
    let mut parts: Vec<(String, Style)> = vec![(model(state), theme.status)];
    parts.extend(doing(state, theme, now));
    parts.extend(fetching(state).map(|words| (words, theme.busy)));
    parts.extend(place(state).map(|words| (words, theme.status)));
    parts.extend(context(state).map(|words| (words, theme.status)));
    parts.push((hints(state), theme.dim));
    let mut spans = Vec::new();
    let mut used = 0;
    for (words, style) in parts.into_iter().filter(|(w, _)| !w.is_empty()) {
        let gap = if used == 0 { "" } else { " · " };
        let room = width.saturating_sub(used + gap.width());
        // What does not fit whole is left out, but for the first.
        if words.width() > room && used > 0 {
            continue;
        }
        let words = fit(&words, room);
        used += gap.width() + words.width();
        spans.push(Span::styled(gap, theme.dim));
        spans.push(Span::styled(words, style));
    }
    frame
        .buffer_mut()
        .set_line(area.x, area.y, &Line::from(spans), area.width);
}

fn model(state: &State) -> String {
    match &state.model {
        Some(_) if state.has_starter() => "starter (demo)".into(),
        Some(_) => one_line(&state.model_name().unwrap_or_default(), 32),
        None => "no model".into(),
    }
}

/// What the engine is doing, if it is worth a word.
fn doing(state: &State, theme: &Theme, now: Instant) -> Option<(String, Style)> {
    let busy = |words: String| Some((words, theme.busy));
    match (&state.engine, &state.turn) {
        (Engine::NoModel, _) => None,
        (Engine::Loading(permille), _) => busy(format!("loading {} %", permille / 10)),
        (_, Turn::Waiting(_)) => busy("waiting".into()),
        (_, Turn::Reading(_, read)) => busy(reading(*read)),
        (_, Turn::Writing { since, pieces, .. }) => busy(writing(*pieces, *since, now)),
        _ if state.attaching.recording.is_some() => busy("● recording".into()),
        _ if state.attaching.under_way > 0 => busy("attaching".into()),
        (Engine::Resting, Turn::Idle) => Some(("resting".into(), theme.status)),
        (Engine::Failed, Turn::Idle) => Some(("not loaded".into(), theme.problem)),
        (Engine::Down, Turn::Idle) => Some(("engine stopped".into(), theme.problem)),
        (Engine::Ready(_), Turn::Idle) => {
            let speed = state
                .talk
                .last_answer()
                .map_or(0.0, |(_, a)| a.timings.generate_tps);
            (speed > 0.0).then(|| (format!("{speed:.1} tok/s"), theme.status))
        }
    }
}

/// How far the pulls are, together.
fn fetching(state: &State) -> Option<String> {
    let pulls = &state.library.pulls;
    let (done, total) = pulls
        .iter()
        .filter_map(|p| p.progress.as_ref())
        .fold((0, 0), |(done, total), p| (done + p.done, total + p.total));
    match pulls.len() {
        0 => None,
        _ if total == 0 => Some("fetching".into()),
        1 => Some(format!("fetching {} %", done * 100 / total)),
        n => Some(format!("fetching {n}: {} %", done * 100 / total)),
    }
}

/// Where the model runs, and what lies over it.
fn place(state: &State) -> Option<String> {
    let Engine::Ready(facts) = &state.engine else {
        return None;
    };
    let device = match facts.gpu_layers {
        0 => "CPU".to_string(),
        n if n > facts.layers => "GPU".to_string(),
        n => format!("GPU {n}/{}", facts.layers + 1),
    };
    Some(match facts.adapters.as_slice() {
        [] => device,
        laid => format!("{device} + {}", one_line(&adapter_names(laid), 32)),
    })
}

fn reading(read: ReadProgress) -> String {
    if let Some(encoding) = read.encoding {
        let verb = if encoding.sound {
            "listening"
        } else {
            "looking"
        };
        let which = match encoding.count {
            0 | 1 => String::new(),
            count => format!(" {}/{count}", encoding.number),
        };
        return format!("{verb}{which} {} %", encoding.permille / 10);
    }
    let left = match read.left_ms {
        Some(ms) if ms >= 1000 => format!(", {} s left", ms.div_ceil(1000)),
        _ => String::new(),
    };
    format!("reading {}/{}{left}", read.read, read.total)
}

fn writing(pieces: u32, since: Instant, now: Instant) -> String {
    let seconds = now.saturating_duration_since(since).as_secs_f64();
    // A rate over less than this says nothing yet.
    if pieces < 3 || seconds < 0.2 {
        return "writing".into();
    }
    format!("writing {:.1} tok/s", f64::from(pieces - 1) / seconds)
}

/// Tokens in the context of those that fit.
fn context(state: &State) -> Option<String> {
    let Engine::Ready(facts) = &state.engine else {
        return None;
    };
    let used = match &state.turn {
        Turn::Reading(_, read) => read.total,
        Turn::Writing { pieces, .. } => state.reading_total.saturating_add(*pieces),
        Turn::Idle | Turn::Waiting(_) => state.usage.prompt_tokens + state.usage.completion_tokens,
    };
    let percent = u64::from(used) * 100 / u64::from(facts.context.max(1));
    Some(format!("context {used}/{} ({percent} %)", facts.context))
}

fn hints(state: &State) -> String {
    let key = |action: Action| state.keymap.key_of(action);
    if !state.layers.is_empty() {
        return "Esc closes".into();
    }
    if !state.turn.is_idle() {
        return format!("{} stops", key(Action::Stop));
    }
    if state.composer.is_empty() {
        return format!(
            "{} help · {} actions",
            key(Action::Help),
            key(Action::Palette)
        );
    }
    format!(
        "{} sends · {} new line",
        key(Action::Submit),
        key(Action::Newline)
    )
}
