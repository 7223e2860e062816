//! What the terminal can draw, told from its environment and from its answers.
//!
//! What is assumed, because it is known of these terminals: kitty and Ghostty
//! have kitty's graphics with placeholders (WezTerm, Konsole and Warp have the
//! graphics without placeholders, so an answer to kitty's own question would
//! mislead); iTerm2 and WezTerm have iTerm2's images; foot and mlterm have
//! sixels; Alacritty, Terminal.app, the Linux console and GNU screen have
//! nothing. `TERM` is believed before the other variables: the terminal itself
//! sets it, and it travels over ssh.
//!
//! What is asked of all others: `CSI c` (4 among the answer's numbers means
//! sixels) and `CSI 16 t` (the size of a cell). Only these, because crossterm
//! takes in an answer to them that comes late without making keys of it, which
//! it does not for the answers to `CSI > q` or to kitty's question.

use super::half::Depth;
use super::scale::CellSize;
use std::str::FromStr;

/// A way to draw pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Kitty,
    Iterm2,
    Sixel,
    HalfBlocks,
    /// Not at all: a picture is a line of words.
    Off,
}

/// What the person wants: a protocol by name, or the best there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wish {
    #[default]
    Auto,
    Use(Protocol),
}

impl Wish {
    /// The names that may be written.
    pub const NAMES: [&'static str; 6] = ["auto", "kitty", "iterm2", "sixel", "halfblocks", "off"];
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            "auto" => Self::Auto,
            "kitty" => Self::Use(Protocol::Kitty),
            "iterm2" => Self::Use(Protocol::Iterm2),
            "sixel" => Self::Use(Protocol::Sixel),
            "halfblocks" => Self::Use(Protocol::HalfBlocks),
            "off" => Self::Use(Protocol::Off),
            _ => return Err(format!("write one of {}", Self::NAMES.join(", "))),
        })
    }
}

/// What a picture is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    pub protocol: Protocol,
    pub cell: CellSize,
    pub depth: Depth,
    /// What is for the terminal must be wrapped to pass through tmux.
    pub tmux: bool,
}

impl Abilities {
    /// Those of a terminal that draws nothing.
    pub fn none() -> Self {
        Self {
            protocol: Protocol::Off,
            cell: CellSize::default(),
            depth: Depth::Basic,
            tmux: false,
        }
    }
}

/// Variables of the environment by name; empty ones count as not there.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The protocol that the environment alone tells; None where it must be asked
/// for. For a session inside tmux see [`through_tmux`].
pub fn known(var: Variables<'_>) -> Option<Protocol> {
    use Protocol::{HalfBlocks, Iterm2, Kitty, Off, Sixel};
    let var = |name| var(name).unwrap_or_default();
    let term = var("TERM");
    if !var("NO_COLOR").is_empty() || term == "dumb" {
        return Some(Off);
    }
    if !var("ZELLIJ").is_empty() {
        // It keeps the outer TERM, but passes only sixels on.
        return None;
    }
    if !var("STY").is_empty() || !var("TMUX").is_empty() {
        return Some(HalfBlocks);
    }
    match term.split('-').next().unwrap_or_default() {
        "xterm" if term == "xterm-kitty" || term == "xterm-ghostty" => return Some(Kitty),
        "wezterm" => return Some(Iterm2),
        "foot" | "mlterm" => return Some(Sixel),
        "linux" | "alacritty" | "screen" | "tmux" | "" => return Some(HalfBlocks),
        _ => {}
    }
    match var("TERM_PROGRAM").as_str() {
        "iTerm.app" | "WezTerm" => return Some(Iterm2),
        "ghostty" => return Some(Kitty),
        "Apple_Terminal" => return Some(HalfBlocks),
        "" => {}
        _ => return None,
    }
    if var("LC_TERMINAL") == "iTerm2" {
        return Some(Iterm2);
    }
    // Inherited by a terminal that was started from kitty's shell; the others
    // that do not set TERM_PROGRAM say who they are like this.
    let other = ["VTE_VERSION", "KONSOLE_VERSION", "XTERM_VERSION"];
    let other = other.iter().any(|name| !var(name).is_empty());
    (!var("KITTY_WINDOW_ID").is_empty() && !other).then_some(Kitty)
}

/// The protocol inside tmux, from what tmux says of the terminal it is shown
/// on: `client_termtype`, `client_termname` and `allow-passthrough`, with tabs
/// between them. Sixels are left out: tmux keeps only few pictures.
pub fn through_tmux(said: &str) -> Protocol {
    let mut fields = said.trim_end().split('\t').map(str::to_lowercase);
    let mut next = || fields.next().unwrap_or_default();
    let (kind, name, passes) = (next(), next(), next());
    let draws = ["kitty", "ghostty"]
        .iter()
        .any(|known| kind.starts_with(known) || name.ends_with(known));
    match draws && matches!(passes.as_str(), "on" | "all" | "1" | "2") {
        true => Protocol::Kitty,
        false => Protocol::HalfBlocks,
    }
}

/// How many colours the environment promises.
pub fn depth(var: Variables<'_>) -> Depth {
    let var = |name| var(name).unwrap_or_default();
    let term = var("TERM");
    let many = ["kitty", "ghostty", "direct", "wezterm", "alacritty", "foot"];
    if matches!(var("COLORTERM").as_str(), "truecolor" | "24bit")
        || many.iter().any(|name| term.contains(name))
        || matches!(
            var("TERM_PROGRAM").as_str(),
            "iTerm.app" | "WezTerm" | "vscode"
        )
    {
        Depth::True
    } else if term.contains("256color") {
        Depth::Indexed
    } else {
        Depth::Basic
    }
}

/// What a terminal is asked. The second question is answered by every terminal,
/// so its answer ends the waiting.
pub const QUESTIONS: &str = "\x1b[16t\x1b[c";

/// What a terminal answered, and what was typed meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    pub cell: Option<CellSize>,
    /// None while the last answer has not come.
    pub sixel: Option<bool>,
    /// The bytes that are no answers, in their order.
    pub typed: Vec<u8>,
    /// The last bytes may be the beginning of an answer.
    pub unfinished: bool,
}

/// Tells answers from keys.
pub fn parse(mut bytes: &[u8]) -> Answers {
    let mut answers = Answers::default();
    while let Some((first, rest)) = bytes.split_first() {
        let Some(inner) = bytes.strip_prefix(b"\x1b[") else {
            answers.unfinished = bytes == b"\x1b";
            answers.typed.push(*first);
            bytes = rest;
            continue;
        };
        // Up to and with the letter that ends the sequence.
        let Some(end) = inner.iter().position(|b| (0x40..=0x7E).contains(b)) else {
            answers.unfinished = true;
            answers.typed.extend(bytes);
            break;
        };
        let (sequence, after) = inner.split_at(end + 1);
        if !answer(sequence, &mut answers) {
            answers.typed.extend(&bytes[..sequence.len() + 2]);
        }
        bytes = after;
    }
    answers
}

/// Takes in a sequence, given without its `CSI`; false where it is no answer.
fn answer(sequence: &[u8], answers: &mut Answers) -> bool {
    let text = std::str::from_utf8(sequence).unwrap_or_default();
    if let Some(numbers) = text.strip_prefix('?').and_then(|t| t.strip_suffix('c')) {
        answers.sixel = Some(numbers.split(';').any(|n| n == "4"));
        return true;
    }
    let Some(size) = text.strip_prefix("6;").and_then(|t| t.strip_suffix('t')) else {
        return false;
    };
    answers.cell = size.split_once(';').and_then(|(height, width)| {
        let cell = CellSize {
            width: width.parse().ok()?,
            height: height.parse().ok()?,
        };
        cell.is_plausible().then_some(cell)
    });
    true
}
