//! Finds words in text as people mean them: capitals and accents do not
//! matter.

use super::attachment;
use nucleo_matcher::chars::{normalize, to_lower_case};
use std::ops::Range;

fn fold(c: char) -> char {
    to_lower_case(normalize(c))
}

/// The first place where `needle` stands; None also when `needle` is empty.
pub fn first(text: &str, needle: &str) -> Option<Range<usize>> {
    all(text, needle).next()
}

/// Every place where `needle` stands, none overlapping another: byte ranges of
/// `text`.
pub fn all<'t>(text: &'t str, needle: &str) -> impl Iterator<Item = Range<usize>> + use<'t> {
    let needle: Vec<char> = needle.chars().map(fold).collect();
    let mut chars = text.char_indices();
    std::iter::from_fn(move || {
        let first = *needle.first()?;
        loop {
            let (start, c) = chars.next()?;
            if fold(c) != first {
                continue;
            }
            let mut rest = chars.clone();
            let mut end = start + c.len_utf8();
            let matches = needle[1..].iter().all(|n| {
                rest.next().is_some_and(|(at, c)| {
                    end = at + c.len_utf8();
                    fold(c) == *n
                })
            });
            if matches {
                chars = rest;
                return Some(start..end);
            }
        }
    })
}

/// The same in a message, as people see it: of what is attached only the names
/// count.
pub fn in_message(text: &str, needle: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut look = |from: usize, part: &str| {
        found.extend(all(part, needle).map(|r| r.start + from..r.end + from));
    };
    let mut at = 0;
    while let Some((marker, attached)) = attachment::first(&text[at..]) {
        let start = at + marker.start;
        look(at, &text[at..start]);
        look(start + "![".len(), &attached.name);
        at += marker.end;
    }
    look(at, &text[at..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_accents_do_not_matter() {
        let found: Vec<_> = all("Äpfel, apfel, ÄPFEL", "apfel").collect();
        assert_eq!(found.len(), 3);
        assert_eq!(first("größe", "OSS"), None);
        assert_eq!(all("aaaa", "aa").count(), 2);
        assert_eq!(all("abc", "").count(), 0);
    }

    #[test]
    fn of_what_is_attached_only_the_name_is_found() {
        let marker = format!(
            "![a cat.png](attached:{}?kind=picture&bytes=7)",
            "0a".repeat(32)
        );
        let text = format!("A cat: {marker} cat");
        let name = text.find("cat.png").unwrap();
        assert_eq!(
            in_message(&text, "CAT"),
            [2..5, name..name + 3, text.len() - 3..text.len()]
        );
        for hidden in ["attached", "0a0a", "picture", "]("] {
            assert_eq!(in_message(&text, hidden), []);
        }
    }
}
