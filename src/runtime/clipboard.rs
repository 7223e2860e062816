//! Copies text: to the system's clipboard, or through the terminal.

use crate::app::CopyWay;
use base64::Engine;
use std::io::{self, Write};

/// Terminals take no more than about this much through OSC 52.
const TERMINAL_LIMIT: usize = 74_994;

/// The system's clipboard. Kept open: on X11 the text is gone with its owner.
#[derive(Default)]
pub struct Clipboard {
    system: Option<arboard::Clipboard>,
}

impl Clipboard {
    /// Copies, and tells which way the text took.
    pub fn copy(&mut self, text: &str) -> Result<CopyWay, String> {
        // Over SSH the system's clipboard is the wrong machine's.
        if !over_ssh() && self.set_system(text) {
            return Ok(CopyWay::Clipboard);
        }
        to_terminal(text)
    }

    fn set_system(&mut self, text: &str) -> bool {
        if self.system.is_none() {
            self.system = arboard::Clipboard::new().ok();
        }
        self.system
            .as_mut()
            .is_some_and(|c| c.set_text(text.to_string()).is_ok())
    }
}

fn over_ssh() -> bool {
    ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

/// OSC 52. The text is base64, so nothing in it can reach the terminal raw.
fn to_terminal(text: &str) -> Result<CopyWay, String> {
    if text.len() > TERMINAL_LIMIT {
        return Err(format!(
            "{} bytes are more than a terminal takes; there is no clipboard here",
            text.len()
        ));
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let mut out = io::stdout();
    write!(out, "\x1b]52;c;{encoded}\x07")
        .and_then(|()| out.flush())
        .map(|()| CopyWay::Terminal)
        .map_err(|e| e.to_string())
}
