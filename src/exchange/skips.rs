//! What an import leaves out, counted, and told in words.

use crate::chat::text::one_line;
use std::collections::{BTreeMap, BTreeSet};

/// With more lines than this, one line for each kind is enough.
const LINES: usize = 20;

/// A kind of thing that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Tool,
    Hidden,
    System,
    Picture,
    Recording,
    File,
    Part,
    /// A message by someone who is neither the person nor the model.
    Stranger,
    Twice,
    Circle,
}

impl Kind {
    fn words(self, count: usize) -> (&'static str, &'static str) {
        let (one, many, why) = match self {
            Kind::Tool => ("tool message", "tool messages", ""),
            Kind::Hidden => ("hidden message", "hidden messages", ""),
            Kind::System => (
                "system message",
                "system messages",
                " besides the first one",
            ),
            Kind::Picture => ("picture", "pictures", ""),
            Kind::Recording => ("recording", "recordings", ""),
            Kind::File => ("file", "files", ""),
            Kind::Part => ("part", "parts", " in an unknown form"),
            Kind::Stranger => ("message", "messages", " by an unknown speaker"),
            Kind::Twice => ("message", "messages", " with the id of another"),
            Kind::Circle => ("message", "messages", " that answer each other in a circle"),
        };
        (if count == 1 { one } else { many }, why)
    }
}

/// What is left out of one file.
#[derive(Debug, Default)]
pub(super) struct Skips {
    /// By the number of the conversation, in their order.
    counts: BTreeMap<(usize, Kind), usize>,
    titles: BTreeMap<usize, String>,
    /// Lines that are told as they are.
    lines: Vec<String>,
    /// The number of the conversation that is being read.
    at: usize,
}

impl Skips {
    /// Goes on to the next conversation.
    pub fn next(&mut self) {
        self.at += 1;
    }

    /// The place of the conversation in the file, from 1.
    pub fn place(&self) -> usize {
        self.at
    }

    pub fn title(&mut self, title: &str) {
        self.titles.insert(self.at, title.into());
    }

    pub fn add(&mut self, kind: Kind, count: usize) {
        if count > 0 {
            *self.counts.entry((self.at, kind)).or_default() += count;
        }
    }

    /// Something that is told as it is.
    pub fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    pub fn told(self) -> Vec<String> {
        let mut told = self.lines;
        if self.counts.len() <= LINES {
            told.extend(self.counts.iter().map(|((at, kind), count)| {
                let (what, why) = kind.words(*count);
                let title = self.titles.get(at).map(String::as_str);
                let title = quoted(title.unwrap_or_default());
                format!("{count} {what} of {title}{why}")
            }));
            return told;
        }
        let mut kinds: BTreeMap<Kind, (usize, BTreeSet<usize>)> = BTreeMap::new();
        for ((at, kind), count) in &self.counts {
            let (sum, places) = kinds.entry(*kind).or_default();
            *sum += count;
            places.insert(*at);
        }
        told.extend(kinds.into_iter().map(|(kind, (sum, places))| {
            let (what, why) = kind.words(sum);
            let many = if places.len() == 1 { "" } else { "s" };
            format!("{sum} {what} of {} conversation{many}{why}", places.len())
        }));
        told
    }
}

/// A title in a sentence.
pub(super) fn quoted(title: &str) -> String {
    match one_line(title, 60) {
        title if title.is_empty() => "a conversation without a title".into(),
        title => format!("“{title}”"),
    }
}
