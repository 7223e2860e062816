//! A block tree as rows of a width.

use super::parse::{Block, Inline};
use crate::ui::text::{Break, Lead, Piece, Row, wrap};
use crate::ui::theme::Theme;
use ratatui::style::Style;
use ratatui::text::Line;

/// The width and the theme, and whether blocks stand apart.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub theme: &'a Theme,
    pub width: u16,
}

/// Rows of some blocks, an empty row between them; `lead` stands before each.
pub fn lay(blocks: &[Block], lead: &Lead, look: Look<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        let first = lead.clone();
        if i > 0 {
            let offset = rows.last().map_or(0, |r: &Row| r.offset);
            rows.push(blank(lead, offset));
        }
        rows.extend(lay_block(block, &first, lead, look));
    }
    rows
}

/// A row with the lead alone.
fn blank(lead: &Lead, offset: usize) -> Row {
    Row {
        line: Line::from(lead.spans.clone()),
        offset,
    }
}

fn lay_block(block: &Block, first: &Lead, rest: &Lead, look: Look<'_>) -> Vec<Row> {
    let theme = look.theme;
    match block {
        Block::Paragraph(inlines) => lay_inlines(inlines, theme.text, first, rest, look),
        Block::Heading(inlines) => lay_inlines(inlines, theme.heading, first, rest, look),
        Block::Code {
            language,
            text,
            offset,
        } => lay_code(language, text, *offset, first, rest, look),
        Block::List { start, items } => lay_list(*start, items, first, rest, look),
        Block::Quote(blocks) => {
            let first = first.with("│ ", theme.quote);
            let rest = rest.with("│ ", theme.quote);
            lay_item(blocks, &first, &rest, look)
        }
        Block::Rule => vec![Row {
            line: Line::from(first.with("────────", theme.border).spans),
            offset: 0,
        }],
    }
}

fn lay_inlines(
    inlines: &[Inline],
    base: Style,
    first: &Lead,
    rest: &Lead,
    look: Look<'_>,
) -> Vec<Row> {
    let pieces: Vec<Piece<'_>> = inlines
        .iter()
        .map(|inline| Piece {
            text: &inline.text,
            style: style(inline, base, look.theme),
            offset: inline.offset,
        })
        .collect();
    wrap(&pieces, look.width, first, rest, Break::Words)
}

fn style(inline: &Inline, base: Style, theme: &Theme) -> Style {
    let marks = [
        (inline.strong, theme.strong),
        (inline.emphasis, theme.emphasis),
        (inline.strike, theme.strike),
        (inline.link, theme.link),
        (inline.code, theme.code),
    ];
    marks
        .iter()
        .filter(|(on, _)| *on)
        .fold(base, |style, (_, mark)| style.patch(*mark))
}

fn lay_code(
    language: &str,
    text: &str,
    offset: usize,
    first: &Lead,
    rest: &Lead,
    look: Look<'_>,
) -> Vec<Row> {
    let theme = look.theme;
    let mut rows = Vec::new();
    let bar = rest.with("▎ ", theme.border);
    if !language.trim().is_empty() {
        let label = Piece {
            text: language.trim(),
            style: theme.dim,
            offset,
        };
        let lead = first.with("▎ ", theme.border);
        rows.extend(wrap(&[label], look.width, &lead, &bar, Break::Anywhere));
    }
    // Where the text begins in the source: after the fence's own line. An
    // indented block has none; a row's offset need only be near.
    let begin = offset
        + if rows.is_empty() {
            0
        } else {
            language.len() + 4
        };
    let code = Piece {
        text: text.strip_suffix('\n').unwrap_or(text),
        style: theme.code,
        offset: begin,
    };
    let lead = if rows.is_empty() {
        first.with("▎ ", theme.border)
    } else {
        bar.clone()
    };
    rows.extend(wrap(&[code], look.width, &lead, &bar, Break::Anywhere));
    rows
}

fn lay_list(
    start: Option<u64>,
    items: &[Vec<Block>],
    first: &Lead,
    rest: &Lead,
    look: Look<'_>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let mark = match start {
            Some(n) => format!("{}. ", n.saturating_add(i as u64)),
            None => "• ".to_string(),
        };
        let outer = if i == 0 { first } else { rest };
        let inner = rest.with(" ".repeat(mark.chars().count()), look.theme.text);
        let lead = outer.with(mark, look.theme.accent);
        rows.extend(lay_item(item, &lead, &inner, look));
    }
    rows
}

/// The blocks of a list's item or a quote, close together.
fn lay_item(blocks: &[Block], first: &Lead, rest: &Lead, look: Look<'_>) -> Vec<Row> {
    if blocks.is_empty() {
        return vec![blank(first, 0)];
    }
    let mut rows = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        let lead = if i == 0 { first } else { rest };
        rows.extend(lay_block(block, lead, rest, look));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn shown(text: &str, width: u16) -> String {
        let theme = Theme::default();
        let look = Look {
            theme: &theme,
            width,
        };
        let rows = lay(&parse(text, 0), &Lead::default(), look);
        rows.iter()
            .map(|r| r.line.to_string().trim_end().to_string())
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_usual_blocks_look_as_they_should() {
        let text = "# Title\nSome *soft* and **hard** `code`.\n\n1. one\n2. two\n   - in\n\n> said\n\n```rust\nfn a() {}\n```\n";
        insta::assert_snapshot!(shown(text, 40), @r"
        Title

        Some soft and hard code.

        1. one
        2. two
           • in

        │ said

        ▎ rust
        ▎ fn a() {}
        ");
    }

    #[test]
    fn long_items_hang_under_their_text() {
        insta::assert_snapshot!(shown("- one two three four\n- five", 10), @r"
        • one two
          three
          four
        • five
        ");
    }

    #[test]
    fn a_link_shows_where_it_leads() {
        assert_eq!(shown("[here](https://a.b)", 60), "here (https://a.b)");
        assert_eq!(shown("<https://a.b>", 60), "https://a.b");
    }

    #[test]
    fn endless_nesting_costs_neither_stack_nor_memory() {
        for mark in [">", "- ", "1. "] {
            let text = format!("{}end", mark.repeat(50_000));
            assert!(shown(&text, 200).contains("end"), "{mark}");
        }
    }

    #[test]
    fn html_and_unknown_marks_stay_readable() {
        assert_eq!(
            shown("a <b>x</b>\n\n<div>\ny\n</div>\n", 60),
            "a <b>x</b>\n\n<div>\ny\n</div>"
        );
    }
}
