//! Messages that are understood only with what was said before.

use super::words::words;

/// Words that point to what was said before.
const POINTING: [&str; 9] = [
    "it", "that", "this", "them", "those", "these", "its", "one", "there",
];
/// Words that say nothing by themselves.
const FILLING: [&str; 20] = [
    "tell", "me", "please", "on", "about", "what", "can", "you", "say", "a", "bit", "is", "some",
    "anything", "give", "in", "detail", "to", "know", "the",
];

/// Whether this asks for more about the same ("tell me more").
pub fn asks_for_more(question: &str) -> bool {
    const MORE: [&str; 12] = [
        "more",
        "continue",
        "elaborate",
        "details",
        "else",
        "further",
        "go",
        "explain",
        "keep",
        "and",
        "longer",
        "deeper",
    ];
    let words = words(question);
    !words.is_empty()
        && words.iter().any(|w| MORE.contains(&w.as_str()))
        && words.iter().all(|w| {
            MORE.contains(&w.as_str())
                || FILLING.contains(&w.as_str())
                || POINTING.contains(&w.as_str())
        })
}

/// How a message hangs together with what was said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// It stands alone.
    None,
    /// It begins like a continuation ("and the keys"), but names its own thing.
    Weak,
    /// It points back ("how do I undo that").
    Strong,
}

/// Whether this is understood only with what was said before.
pub fn tie(question: &str) -> Tie {
    let words = words(question);
    if words.len() <= 12 && words.iter().any(|w| POINTING.contains(&w.as_str())) {
        return Tie::Strong;
    }
    match words.first().map(String::as_str) {
        Some("and" | "but" | "or" | "then") => Tie::Weak,
        Some(_) | None => Tie::None,
    }
}
