//! The help: keys and commands, generated from the tables of actions and
//! editing keys; or the passages that answer what is written.

use super::markdown;
use super::text::{Break, Lead, Piece, wrap};
use super::theme::Theme;
use crate::app::State;
use crate::app::action::ACTIONS;
use crate::app::composer::EDIT_KEYS;
use crate::help::{Find, Trust};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Columns of the left half.
const LEFT: usize = 31;
/// Passages that are shown for a question.
const SHOWN: usize = 3;

/// Every line of the help, for a box of this width.
pub fn lines(state: &State, theme: &Theme, query: &str, width: u16) -> Vec<Line<'static>> {
    match query.trim() {
        "" => table(state, theme, width),
        question => passages(state, theme, question, width),
    }
}

/// The passages that answer a question, the best first.
fn passages(state: &State, theme: &Theme, question: &str, width: u16) -> Vec<Line<'static>> {
    let find = Find::english();
    let found = find.find(question);
    let mut lines = Vec::new();
    if found.trust == Trust::Nothing {
        let words = "Nothing in the help fits this well. Try other words. The nearest:";
        lines.extend(paragraph(words, theme.dim, width));
    }
    for passage in found.best.iter().take(SHOWN).map(|hit| find.passage(*hit)) {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(paragraph(&passage.title, theme.heading, width));
        let blocks = markdown::parse(&passage.text(&state.keymap), 0);
        let lead = Lead::new(vec![Span::raw("  ")]);
        let rows = markdown::lay(&blocks, &lead, markdown::Look { theme, width });
        lines.extend(rows.into_iter().map(|r| r.line));
        let see = find.titles(&passage.see).join(" · ");
        lines.extend(paragraph(&format!("See also: {see}"), theme.dim, width));
    }
    lines
}

fn paragraph(words: &str, style: Style, width: u16) -> Vec<Line<'static>> {
    let piece = Piece {
        text: words,
        style,
        offset: 0,
    };
    let lead = Lead::new(vec![Span::raw("  ")]);
    let rows = wrap(&[piece], width, &lead, &lead, Break::Words);
    rows.into_iter().map(|r| r.line).collect()
}

/// Keys, editing keys, commands and names, in two columns.
fn table(state: &State, theme: &Theme, width: u16) -> Vec<Line<'static>> {
    let mut pairs: Vec<(String, &str)> = Vec::new();
    collect(state, &mut |left, right| pairs.push((left, right)));
    let mut lines = Vec::new();
    for (left, right) in pairs {
        if right.is_empty() {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(left, theme.heading));
            continue;
        }
        let piece = Piece {
            text: right,
            style: theme.text,
            offset: 0,
        };
        // Side by side, or below each other where that is too narrow.
        let narrow = usize::from(width) < 2 * LEFT;
        let indent = if narrow { 6 } else { LEFT };
        let rest = Lead::new(vec![Span::raw(" ".repeat(indent))]);
        let head = Span::styled(format!("  {left:<28} "), theme.accent);
        let first = if narrow {
            lines.push(Line::from(Span::styled(format!("  {left}"), theme.accent)));
            rest.clone()
        } else {
            Lead::new(vec![head])
        };
        let rows = wrap(&[piece], width, &first, &rest, Break::Words);
        lines.extend(rows.into_iter().map(|r| r.line));
    }
    lines
}

/// Gives every heading (with nothing beside it) and every pair.
fn collect(state: &State, line: &mut dyn FnMut(String, &'static str)) {
    line("Keys".into(), "");
    for entry in ACTIONS {
        let keys = state.keymap.keys_of(entry.action);
        if !keys.is_empty() {
            line(keys.join(", "), entry.doc);
        }
    }
    line(
        "↑, ↓".into(),
        "in the first and last row: messages sent before",
    );
    line(
        "End".into(),
        "at the end of the line: follow the answer again",
    );
    line("wheel".into(), "scroll; Shift and the mouse select text");
    line("Editing".into(), "");
    for edit in EDIT_KEYS {
        let keys: Vec<String> = edit
            .keys
            .iter()
            .filter_map(|k| k.parse::<crate::app::Key>().ok())
            .map(|k| k.to_string())
            .collect();
        line(keys.join(", "), edit.doc);
    }
    line("Commands".into(), "");
    for entry in ACTIONS {
        if let Some(needs) = entry.slash {
            line(format!("/{} {needs}", entry.name), entry.doc);
        }
    }
    line("Names for [keys] in the config file".into(), "");
    for entry in ACTIONS {
        line(entry.name.into(), entry.doc);
    }
}
