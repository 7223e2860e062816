//! What the starter says where no passage fits: a reply to small talk whose kind
//! is plain, else that it does not know and how to come to a model that may.
//!
//! The starter was trained on these replies, but of itself it takes the wrong
//! one too often; so it is given the reply, as it is given passages.

use super::Find;
use super::words::words;
use crate::chat::{Message, Role};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Blocks of one kind each: `U: ` what people say, `A: ` replies that fit all of
/// it.
const TALK: &str = include_str!("../../assets/starter/text/smalltalk.txt");
const UNKNOWN: &str = include_str!("../../assets/starter/text/unknown.txt");
const HONEST: &str = include_str!("../../assets/starter/text/unknown_answers.txt");
/// Small talk is answered as such from this probability on; measured in
/// `assets/starter/README.md`.
const PLAIN: f32 = 0.3;
/// The reply where every reply of the kind wants a name that is not known.
const NAMELESS: &str = "Good to meet you. What would you like to know about Parlor?";

struct Talk {
    find: Find,
    /// What people say, word for word, to its kind: a word alone is too short a
    /// text to be told by its signs.
    said: HashMap<String, usize>,
    /// Replies by kind.
    replies: Vec<Vec<&'static str>>,
}

static KINDS: LazyLock<Talk> = LazyLock::new(|| {
    let pick = |block: &'static str, mark: &str| -> Vec<&'static str> {
        block.lines().filter_map(|l| l.strip_prefix(mark)).collect()
    };
    let blocks: Vec<&str> = TALK.split("\n\n").collect();
    let mut said: Vec<Vec<&str>> = vec![unknown()];
    let mut replies: Vec<Vec<&str>> = vec![HONEST.lines().collect()];
    for block in blocks {
        said.push(pick(block, "U: "));
        let whole = pick(block, "A: ");
        replies.push(whole.into_iter().filter(|a| !a.contains('{')).collect());
    }
    let whole = |message: &&str| words(message).join(" ");
    let kinds = said.iter().enumerate();
    Talk {
        said: kinds
            .flat_map(|(kind, all)| all.iter().map(move |m| (whole(m), kind)))
            .collect(),
        find: Find::new(Vec::new(), "", "", &said),
        replies,
    }
});

/// Messages that the starter knows nothing about.
pub fn unknown() -> Vec<&'static str> {
    UNKNOWN.lines().collect()
}

/// Small talk of every kind.
pub fn said() -> Vec<&'static str> {
    TALK.lines().filter_map(|l| l.strip_prefix("U: ")).collect()
}

/// Whether a message is plainly small talk.
pub fn is_small_talk(message: &str) -> bool {
    kind(message) != 0
}

/// The reply to a message after what was said before.
pub fn reply(message: &str, past: &[Message]) -> String {
    let asks_name = TALK
        .split("\n\n")
        .position(|block| block.trim_start().starts_with("# what-is-my-name"));
    let kind = kind(message);
    // Kind 0 is what is no small talk; the blocks follow.
    let name = asks_name.filter(|at| kind == at + 1).and_then(|_| {
        let said = past.iter().rev().filter(|m| m.role == Role::User);
        said.filter_map(|m| told_name(&m.content)).next()
    });
    match name {
        Some(name) => format!("You said that your name is {name}."),
        None => usual(message, kind, past.len()).to_string(),
    }
}

/// The name that a message tells.
fn told_name(message: &str) -> Option<String> {
    const TELLING: [&str; 3] = ["my name is ", "i am called ", "call me "];
    let at = TELLING
        .iter()
        .filter_map(|words| Some(crate::chat::find::first(message, words)?.end))
        .min()?;
    let rest = message.get(at..)?.trim_start();
    let name: String = rest
        .chars()
        .take_while(|c| c.is_alphabetic() || matches!(c, '-' | '\''))
        .take(30)
        .collect();
    (!name.is_empty()).then_some(name)
}

/// A reply of this kind; `turn` makes it another one later on.
fn usual(message: &str, kind: usize, turn: usize) -> &'static str {
    let replies = &KINDS.replies[kind];
    let choice = message.chars().count() + turn;
    match replies.len() {
        0 => NAMELESS,
        several => replies[choice % several],
    }
}

/// The kind of small talk; 0 for what is none.
fn kind(message: &str) -> usize {
    let known = KINDS.said.get(&words(message).join(" ")).copied();
    known.unwrap_or_else(|| match KINDS.find.kind(message) {
        Some((kind, chance)) if chance >= PLAIN => kind,
        Some(_) | None => 0,
    })
}
