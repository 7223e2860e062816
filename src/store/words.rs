//! Text as the index of words takes it, and what a person looks for as a query
//! to it.
//!
//! SQLite's `unicode61` tokenizer makes one word of any row of letters. In
//! Chinese, Japanese and Korean there are no spaces, so every character is a
//! word of its own here, and what is looked for is a phrase of them.

use crate::chat::{attachment, find};

/// Whether a character is written without spaces around its word.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x11FF // Hangul Jamo
        | 0x2E80..=0x2FDF // radicals
        | 0x3005..=0x3007
        | 0x3040..=0x30FF // Hiragana, Katakana
        | 0x3130..=0x318F
        | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7FF // Hangul
        | 0xF900..=0xFAFF
        | 0xFF66..=0xFFDC // half-width forms
        | 0x20000..=0x3FFFF)
}

/// The text with spaces around every character that stands alone.
pub fn indexed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if stands_alone(c) {
            out.push(' ');
            out.push(c);
            out.push(' ');
        } else {
            out.push(c);
        }
    }
    out
}

/// A message as it is indexed: of what is attached only the names.
pub fn of_message(text: &str) -> String {
    indexed(&attachment::plain(text))
}

/// A query that finds messages with every word of this, the last one perhaps
/// unfinished; None when there is no word in it.
pub fn query(text: &str) -> Option<String> {
    let terms: Vec<&str> = text
        .split_whitespace()
        .filter(|term| term.chars().any(char::is_alphanumeric))
        .collect();
    let phrases = terms.iter().enumerate().map(|(i, term)| {
        let phrase = indexed(term).replace('"', " ");
        let ends_alone = term.chars().next_back().is_some_and(stands_alone);
        let star = if i + 1 == terms.len() && !ends_alone {
            "*"
        } else {
            ""
        };
        format!("\"{}\"{star}", phrase.trim())
    });
    let query = phrases.collect::<Vec<_>>().join(" ");
    (!query.is_empty()).then_some(query)
}

/// Characters before and after the first match.
const BEFORE: usize = 30;
const AROUND: usize = 120;

/// The part of a message around the first match, on one line, and the bytes of
/// it that match.
pub fn snippet(message: &str, looked_for: &str) -> (String, Vec<std::ops::Range<usize>>) {
    let text = attachment::plain(message);
    let terms: Vec<&str> = looked_for.split_whitespace().collect();
    let found = terms.iter().filter_map(|term| find::first(&text, term));
    let at = found.map(|range| range.start).min().unwrap_or(0);
    let start = text[..at]
        .char_indices()
        .rev()
        .take(BEFORE)
        .last()
        .map_or(at, |(i, _)| i);
    let part: String = text[start..].chars().take(AROUND * 2).collect();
    let mut line = crate::chat::text::one_line(&part, AROUND);
    if start > 0 {
        line.insert(0, '…');
    }
    let mut marks: Vec<_> = terms
        .iter()
        .flat_map(|term| find::all(&line, term))
        .collect();
    marks.sort_by_key(|range| range.start);
    marks.dedup_by(|next, last| next.start < last.end);
    (line, marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_without_spaces_become_words() {
        assert_eq!(indexed("a東京b"), "a 東  京 b");
        assert_eq!(query("東京").as_deref(), Some("\"東  京\""));
        assert_eq!(query("hello wor").as_deref(), Some("\"hello\" \"wor\"*"));
        assert_eq!(query("“-”"), None);
        assert_eq!(query("say \"hi"), Some("\"say\" \"hi\"*".into()));
    }

    #[test]
    fn a_snippet_shows_where_the_match_is() {
        let text = format!("{} the Café here {}", "x ".repeat(100), "y ".repeat(100));
        let (line, marks) = snippet(&text, "cafe");
        assert_eq!(&line[marks[0].clone()], "Café");
        assert!(line.chars().count() <= AROUND + 1);
    }
}
