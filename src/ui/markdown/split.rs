//! Where the top-level blocks of a text begin and end.

use pulldown_cmark::{Event, Parser};
use std::ops::Range;

/// Byte ranges of the top-level blocks, each from the start of its first line.
pub fn split(text: &str) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut depth = 0usize;
    for (event, range) in Parser::new_ext(text, super::parse::options()).into_offset_iter() {
        match event {
            Event::Start(_) => {
                if depth == 0 {
                    blocks.push(range);
                }
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ if depth == 0 => blocks.push(range),
            _ => {}
        }
    }
    for block in &mut blocks {
        block.start = text[..block.start].rfind('\n').map_or(0, |at| at + 1);
    }
    // Text that belongs to no block (a link's definition) must still be seen:
    // each block runs up to the next one, and the first from the beginning.
    for i in 0..blocks.len() {
        blocks[i].end = blocks.get(i + 1).map_or(text.len(), |next| next.start);
    }
    match blocks.first_mut() {
        Some(first) => first.start = 0,
        None if !text.trim().is_empty() => blocks.push(0..text.len()),
        None => {}
    }
    blocks
}

/// How much of the beginning will not change whatever is appended: all whole
/// lines, but for the last block they make up.
pub fn complete(text: &str) -> usize {
    let lines = text.rfind('\n').map_or(0, |at| at + 1);
    split(&text[..lines]).last().map_or(0, |last| last.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blocks(text: &str) -> Vec<&str> {
        split(text)
            .into_iter()
            .map(|r| text[r].trim_end())
            .collect()
    }

    #[test]
    fn blocks_are_told_apart() {
        let text = "# A\ntext\nmore\n\n- a\n\n- b\n\n```\nx\n\ny\n```\nend";
        assert_eq!(
            blocks(text),
            ["# A", "text\nmore", "- a\n\n- b", "```\nx\n\ny\n```", "end"]
        );
    }

    #[test]
    fn a_half_written_heading_does_not_close_the_paragraph_before_it() {
        assert_eq!(complete("a\n#"), 0);
        assert_eq!(complete("a\n# b\n"), 2);
    }

    proptest! {
        #[test]
        fn what_is_complete_never_changes(
            text in "(- a\n|1. b\n|\n|# h\n|```\n|> q\n|word |  c\n|---\n|#x){0,14}",
            cut in 0usize..60,
        ) {
            let cut = (0..=cut.min(text.len())).rev().find(|c| text.is_char_boundary(*c)).unwrap_or(0);
            let done = complete(&text[..cut]);
            let before: Vec<_> = split(&text[..cut]).into_iter().filter(|r| r.end <= done).collect();
            let after: Vec<_> = split(&text).into_iter().filter(|r| r.end <= done).collect();
            prop_assert_eq!(before, after);
        }
    }
}
