//! Tells a model's reasoning apart from its answer while both stream.
//!
//! Reasoning counts only before the answer begins: a model that writes about
//! `<think>` in the middle of an answer is not folded away.

use super::stop::overlap;
use serde::{Deserialize, Serialize};

/// One stretch of text and which part of the reply it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Thinking(String),
    Answer(String),
}

/// A way in which models mark their reasoning.
struct Marks {
    open: &'static str,
    close: &'static str,
}

/// Sources: DeepSeek-R1, Qwen3 and many (`<think>`); Reflection and others
/// (`<thinking>`, `<reasoning>`); Magistral (`[THINK]`); Seed-OSS; OpenThinker;
/// gpt-oss's harmony channels; Gemma's thought channel.
const MARKS: &[Marks] = &[
    Marks {
        open: "<think>",
        close: "</think>",
    },
    Marks {
        open: "<thinking>",
        close: "</thinking>",
    },
    Marks {
        open: "<thought>",
        close: "</thought>",
    },
    Marks {
        open: "<reasoning>",
        close: "</reasoning>",
    },
    Marks {
        open: "[THINK]",
        close: "[/THINK]",
    },
    Marks {
        open: "<seed:think>",
        close: "</seed:think>",
    },
    Marks {
        open: "<|begin_of_thought|>",
        close: "<|end_of_thought|>",
    },
    Marks {
        open: "<|START_THINKING|>",
        close: "<|END_THINKING|>",
    },
    Marks {
        open: "<|channel|>analysis<|message|>",
        close: "<|end|>",
    },
    Marks {
        open: "<|channel>thought",
        close: "<channel|>",
    },
];

/// Wrappers around the answer itself, swallowed before it begins.
const ANSWER_MARKS: &[&str] = &[
    "<|start|>assistant",
    "<|channel|>final<|message|>",
    "<|begin_of_solution|>",
    "<|START_RESPONSE|>",
];

/// Control tokens that the marks are made of: the engine must render these as
/// text although they are control tokens, or the marks could not be seen.
pub const MARK_TOKENS: &[&str] = &[
    "<think>",
    "</think>",
    "[THINK]",
    "[/THINK]",
    "<seed:think>",
    "</seed:think>",
    "<|START_THINKING|>",
    "<|END_THINKING|>",
    "<|START_RESPONSE|>",
    "<|channel|>",
    "<|message|>",
    "<|start|>",
    "<|end|>",
    "<|channel>",
    "<channel|>",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing but white space and closed reasoning so far.
    Before,
    /// Inside the reasoning with this entry of [`MARKS`].
    Thinking(usize),
    Answer,
}

/// The splitter: feed it text, take parts.
#[derive(Debug)]
pub struct Reasoning {
    phase: Phase,
    held: String,
    /// Whether the current part has had text: white space before it is dropped.
    begun: bool,
    /// White space at the end of reasoning, shown only when more follows.
    space: String,
}

impl Reasoning {
    /// `prompt_end` is the end of the rendered prompt: templates that write
    /// the opening mark themselves make the answer begin inside the reasoning.
    pub fn new(prompt_end: &str) -> Self {
        let end = prompt_end.trim_end();
        let inside = MARKS.iter().position(|m| end.ends_with(m.open));
        Self {
            phase: inside.map_or(Phase::Before, Phase::Thinking),
            held: String::new(),
            begun: false,
            space: String::new(),
        }
    }

    /// For text of which it is known that no reasoning is in it.
    pub fn past() -> Self {
        Self {
            phase: Phase::Answer,
            held: String::new(),
            begun: true,
            space: String::new(),
        }
    }

    /// The mark that ends the reasoning in which a prompt ends, if it does.
    pub fn close_of(prompt_end: &str) -> Option<&'static str> {
        let end = prompt_end.trim_end();
        let inside = MARKS.iter().find(|m| end.ends_with(m.open));
        inside.map(|m| m.close)
    }

    /// Adds text and returns the parts that are now certain.
    pub fn push(&mut self, text: &str) -> Vec<Part> {
        self.held.push_str(text);
        let mut parts = Vec::new();
        while self.step(&mut parts, false) {}
        parts
    }

    /// Ends the stream: whatever was held back is text after all.
    pub fn finish(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        while self.step(&mut parts, true) {}
        parts
    }

    /// Takes one step; false when it needs more text.
    fn step(&mut self, parts: &mut Vec<Part>, last: bool) -> bool {
        match self.phase {
            Phase::Before => self.before(last),
            Phase::Thinking(mark) => self.thinking(mark, parts, last),
            Phase::Answer => {
                let text = std::mem::take(&mut self.held);
                self.emit_answer(text, parts);
                false
            }
        }
    }

    fn before(&mut self, last: bool) -> bool {
        let space = self.held.len() - self.held.trim_start().len();
        let (lead, rest) = self.held.split_at(space);
        if let Some(mark) = MARKS.iter().position(|m| rest.starts_with(m.open)) {
            self.held = rest[MARKS[mark].open.len()..].to_string();
            self.begun = false;
            self.phase = Phase::Thinking(mark);
            return true;
        }
        if let Some(mark) = ANSWER_MARKS.iter().find(|m| rest.starts_with(**m)) {
            self.held = rest[mark.len()..].to_string();
            return true;
        }
        let mut opens = MARKS
            .iter()
            .map(|m| m.open)
            .chain(ANSWER_MARKS.iter().copied());
        if !last && opens.any(|m| m.starts_with(rest)) {
            return false;
        }
        // The answer begins. White space before it is kept only when the
        // model wrote no reasoning and no mark.
        if self.begun {
            self.held = rest.to_string();
        } else {
            self.held = format!("{lead}{rest}");
        }
        if self.held.is_empty() {
            return false;
        }
        self.phase = Phase::Answer;
        true
    }

    fn thinking(&mut self, mark: usize, parts: &mut Vec<Part>, last: bool) -> bool {
        let close = MARKS[mark].close;
        if let Some(at) = self.held.find(close) {
            let rest = self.held.split_off(at + close.len());
            let mut text = std::mem::replace(&mut self.held, rest);
            text.truncate(at);
            self.emit_thinking(&text, parts);
            self.space.clear();
            self.begun = true;
            self.phase = Phase::Before;
            return true;
        }
        let keep = if last { 0 } else { overlap(&self.held, close) };
        let rest = self.held.split_off(self.held.len() - keep);
        let text = std::mem::replace(&mut self.held, rest);
        self.emit_thinking(&text, parts);
        false
    }

    /// Shows reasoning without the white space at its two ends.
    fn emit_thinking(&mut self, text: &str, parts: &mut Vec<Part>) {
        let text = if self.begun { text } else { text.trim_start() };
        if text.is_empty() {
            return;
        }
        self.begun = true;
        let body = text.trim_end();
        if body.is_empty() {
            self.space.push_str(text);
            return;
        }
        let mut shown = std::mem::take(&mut self.space);
        shown.push_str(body);
        self.space.push_str(&text[body.len()..]);
        push_part(parts, Part::Thinking(shown));
    }

    fn emit_answer(&mut self, text: String, parts: &mut Vec<Part>) {
        if !text.is_empty() {
            push_part(parts, Part::Answer(text));
        }
    }
}

fn push_part(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (Some(Part::Thinking(before)), Part::Thinking(text))
        | (Some(Part::Answer(before)), Part::Answer(text)) => before.push_str(&text),
        (_, part) => parts.push(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(prompt: &str, pieces: &[&str]) -> (String, String) {
        let mut splitter = Reasoning::new(prompt);
        let mut parts = Vec::new();
        for piece in pieces {
            parts.extend(splitter.push(piece));
        }
        parts.extend(splitter.finish());
        let (mut thinking, mut answer) = (String::new(), String::new());
        for part in parts {
            match part {
                Part::Thinking(text) => thinking.push_str(&text),
                Part::Answer(text) => answer.push_str(&text),
            }
        }
        (thinking, answer)
    }

    fn told(thinking: &str, answer: &str) -> (String, String) {
        (thinking.into(), answer.into())
    }

    #[test]
    fn reasoning_is_told_apart_from_the_answer() {
        let text = "<think>\nTwo and two.\n</think>\n\nFour.";
        assert_eq!(run("", &[text]), told("Two and two.", "Four."));
    }

    #[test]
    fn a_template_that_opens_the_reasoning_starts_inside_it() {
        assert_eq!(
            run("…assistant\n<think>\n", &["hm</think>yes"]),
            told("hm", "yes")
        );
    }

    #[test]
    fn a_mark_in_the_middle_of_an_answer_is_text() {
        let text = "Write <think>x</think> so.";
        assert_eq!(run("", &[text]), told("", text));
    }

    #[test]
    fn harmony_channels_are_understood() {
        let text = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes";
        assert_eq!(run("<|start|>assistant", &[text]), told("hm", "yes"));
    }

    #[test]
    fn reasoning_that_never_ends_is_all_reasoning() {
        assert_eq!(run("", &["<think>on and </thi"]), told("on and </thi", ""));
    }

    #[test]
    fn an_answer_that_only_looks_like_a_mark_is_kept() {
        assert_eq!(run("", &["<thi"]), told("", "<thi"));
        assert_eq!(run("", &["  <b>"]), told("", "  <b>"));
    }

    proptest! {
        #[test]
        fn any_split_tells_the_same(
            head in "[ \n]{0,2}",
            open in prop::sample::select(vec!["<think>", "[THINK]", "<thought>", "", "<thi"]),
            thought in "[a<\u{e9} \n]{0,12}",
            close in prop::sample::select(vec!["</think>", "[/THINK]", "</thought>", "", "</thi"]),
            answer in "[b</thinkTHI\\[\\]> \n]{0,20}",
            size in 1usize..7,
        ) {
            let text = format!("{head}{open}{thought}{close}{answer}");
            let chars: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = chars.chunks(size).map(|c| c.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(run("", &pieces), run("", &[&text]));
        }
    }
}
