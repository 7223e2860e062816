//! The help, generated from the actions, the editing keys and the commands.

use super::theme::Theme;
use crate::app::State;
use crate::app::action::ACTIONS;
use crate::app::composer::EDIT_KEYS;
use ratatui::text::{Line, Span};

/// Every line of the help.
pub fn lines(state: &State, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Keys", theme.heading)];
    let pair = |left: String, right: &str| {
        Line::from(vec![
            Span::styled(format!("  {left:<28} "), theme.accent),
            Span::styled(right.to_string(), theme.text),
        ])
    };
    for entry in ACTIONS {
        let keys = state.keymap.keys_of(entry.action);
        if !keys.is_empty() {
            lines.push(pair(keys.join(", "), entry.doc));
        }
    }
    lines.push(pair(
        "↑, ↓".into(),
        "in the first and last row: messages sent before",
    ));
    lines.push(pair(
        "End".into(),
        "at the end of the line: follow the answer again",
    ));
    lines.push(pair(
        "wheel".into(),
        "scroll; Shift and the mouse select text",
    ));
    lines.push(Line::default());
    lines.push(Line::styled("Editing", theme.heading));
    for edit in EDIT_KEYS {
        let keys: Vec<String> = edit
            .keys
            .iter()
            .filter_map(|k| k.parse::<crate::app::Key>().ok())
            .map(|k| k.to_string())
            .collect();
        lines.push(pair(keys.join(", "), edit.doc));
    }
    lines.push(Line::default());
    lines.push(Line::styled("Commands", theme.heading));
    for entry in ACTIONS {
        if let Some(needs) = entry.slash {
            lines.push(pair(format!("/{} {needs}", entry.name), entry.doc));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled(
        "Names for [keys] in the config file",
        theme.heading,
    ));
    for entry in ACTIONS {
        lines.push(pair(entry.name.into(), entry.doc));
    }
    lines
}
