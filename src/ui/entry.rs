//! One entry of the conversation as rows.

use super::cache::Laid;
use super::hung;
use super::markdown::Look;
use super::picture::Gallery;
use super::text::{Break, Lead, Piece, Row, wrap};
use super::theme::Theme;
use crate::app::State;
use crate::app::action::Action;
use crate::app::talk::{Body, Entry, Tone};
use crate::chat::{Answer, Place, Progress, attachment};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Brings an entry's rows up to date.
pub fn lay(laid: &mut Laid, entry: Entry<'_>, state: &State, look: Look<'_>, gallery: &Gallery) {
    let place = state.talk.place(entry.id);
    let print = fingerprint(entry, place, state.talk.reasoning_open);
    if laid.width != look.width {
        *laid = Laid {
            width: look.width,
            ..Laid::default()
        };
    } else if laid.print == print {
        return;
    }
    laid.print = print;
    laid.tail.clear();
    laid.hung.clear();
    let theme = look.theme;
    match entry.body {
        Body::Question(text) => {
            let first = Lead::new(vec![Span::styled("❯ ", theme.question)]);
            let rest = Lead::new(vec![Span::raw("  ")]);
            laid.body.rows = question(text, theme, &first, &rest, look.width);
            let attached = attachment::of(text);
            (laid.tail, laid.hung) = hung::rows(&attached, gallery, theme, look.width);
        }
        Body::Notice(tone, text) => {
            let (mark, style) = match tone {
                Tone::Plain => ("· ", theme.notice),
                Tone::Problem => ("! ", theme.problem),
            };
            let first = Lead::new(vec![Span::styled(mark, style)]);
            let rest = Lead::new(vec![Span::raw("  ")]);
            laid.body.rows = plain(text, style, &first, &rest, look.width);
        }
        Body::Answer(answer) => {
            laid.head = reasoning(answer, state, look);
            laid.body.grow(&answer.text, &indent(), look);
            laid.tail = ending(answer, state, theme, look.width);
            laid.tail.extend(sources(answer, theme, look.width));
        }
    }
    laid.tail
        .extend(place.map(|place| version(place, state, theme)));
    laid.tail.push(Row {
        line: Line::default(),
        offset: usize::MAX,
    });
}

/// Which of several versions this is, and the keys to the others.
fn version(place: Place, state: &State, theme: &Theme) -> Row {
    let key = |action| state.keymap.key_of(action);
    let words = format!(
        "  ‹{}/{}› {} before · {} after",
        place.index + 1,
        place.count,
        key(Action::EarlierVersion),
        key(Action::LaterVersion)
    );
    Row {
        line: Line::styled(words, theme.dim),
        offset: usize::MAX,
    }
}

/// Changes whenever the rows would.
fn fingerprint(entry: Entry<'_>, place: Option<Place>, reasoning_open: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    place.map(|p| (p.index, p.count)).hash(&mut hasher);
    match entry.body {
        Body::Question(text) => text.len().hash(&mut hasher),
        Body::Notice(_, text) => text.len().hash(&mut hasher),
        Body::Answer(answer) => {
            answer.text.len().hash(&mut hasher);
            answer.thinking.len().hash(&mut hasher);
            reasoning_open.hash(&mut hasher);
            std::mem::discriminant(&answer.progress).hash(&mut hasher);
        }
    }
    // 0 is what a new entry has.
    hasher.finish() | 1
}

fn indent() -> Lead {
    Lead::new(vec![Span::raw("  ")])
}

fn plain(text: &str, style: Style, first: &Lead, rest: &Lead, width: u16) -> Vec<Row> {
    let piece = Piece {
        text,
        style,
        offset: 0,
    };
    wrap(&[piece], width, first, rest, Break::Words)
}

/// A message's own words, with the names of what is attached where it stands.
fn question(text: &str, theme: &Theme, first: &Lead, rest: &Lead, width: u16) -> Vec<Row> {
    if !attachment::is_in(text) {
        return plain(text, theme.question, first, rest, width);
    }
    let pieces = attachment::pieces(text);
    // Names first: the pieces of the row borrow them.
    let mut at = 0;
    let placed: Vec<(String, Style, usize)> = pieces
        .iter()
        .map(|piece| {
            let offset = at;
            match piece {
                attachment::Piece::Text(text) => {
                    at += text.len();
                    (text.to_string(), theme.question, offset)
                }
                attachment::Piece::Attached(one) => {
                    at += one.marker().len();
                    (format!("⟦{}⟧", one.name), theme.accent, offset)
                }
            }
        })
        .collect();
    let pieces: Vec<Piece<'_>> = placed
        .iter()
        .map(|(text, style, offset)| Piece {
            text,
            style: *style,
            offset: *offset,
        })
        .collect();
    wrap(&pieces, width, first, rest, Break::Words)
}

/// The reasoning: one line with its length, or all of it.
fn reasoning(answer: &Answer, state: &State, look: Look<'_>) -> Vec<Row> {
    if answer.thinking.is_empty() {
        return Vec::new();
    }
    let theme = look.theme;
    let words = answer.thinking.split_whitespace().count();
    let under_way = answer.progress == Progress::Open && answer.text.is_empty();
    let verb = if under_way { "thinking" } else { "reasoning" };
    let key = state.keymap.key_of(Action::ToggleReasoning);
    let (mark, hint) = if state.talk.reasoning_open {
        ("▾", format!("{key} folds it"))
    } else {
        ("▸", format!("{key} opens it"))
    };
    let unit = if words == 1 { "word" } else { "words" };
    let title = format!("{mark} {verb}, {words} {unit} · {hint}");
    let mut rows = plain(&title, theme.reasoning, &indent(), &indent(), look.width);
    // Only the reasoning's own bytes count as places.
    rows.iter_mut().for_each(|row| row.offset = 0);
    if state.talk.reasoning_open {
        let lead = indent().with("│ ", theme.border);
        rows.extend(plain(
            &answer.thinking,
            theme.reasoning,
            &lead,
            &lead,
            look.width,
        ));
    }
    if !answer.text.is_empty() {
        rows.push(Row {
            line: Line::default(),
            offset: answer.thinking.len(),
        });
    }
    rows
}

/// The passages of the help that the answer was made from.
fn sources(answer: &Answer, theme: &Theme, width: u16) -> Vec<Row> {
    if answer.sources.is_empty() || answer.text.is_empty() {
        return Vec::new();
    }
    let titles: Vec<String> = answer
        .sources
        .iter()
        .map(|s| format!("“{}”", s.title))
        .collect();
    let words = format!("from the help: {}", titles.join(", "));
    let mut rows = vec![Row {
        line: Line::default(),
        offset: usize::MAX,
    }];
    rows.extend(plain(&words, theme.dim, &indent(), &indent(), width));
    rows
}

/// How the answer ended, where that is not plain to see.
fn ending(answer: &Answer, state: &State, theme: &Theme, width: u16) -> Vec<Row> {
    let (words, style) = match &answer.progress {
        Progress::Done => return Vec::new(),
        Progress::Open if answer.text.is_empty() && answer.thinking.is_empty() => {
            ("…".to_string(), theme.dim)
        }
        Progress::Open => return Vec::new(),
        Progress::Stopped => (goes_on("■ stopped", state), theme.dim),
        Progress::Cut => (
            goes_on("… the limit of tokens was reached", state),
            theme.dim,
        ),
        Progress::Interrupted => (goes_on("■ interrupted", state), theme.dim),
        Progress::Failed(why) => (format!("✗ {why}"), theme.problem),
    };
    plain(&words, style, &indent(), &indent(), width)
}

/// How it ended, and the key that goes on.
fn goes_on(ended: &str, state: &State) -> String {
    let key = state.keymap.key_of(Action::Continue);
    format!("{ended} · {key} goes on")
}
