//! Standard output and the progress line, for people and for pipes.

use super::Fail;
use crate::chat::text::{is_hostile, sanitise};
use std::io::{self, IsTerminal, Write};
use tokio::io::AsyncWriteExt;

/// Streams text to standard output. Text for a terminal is made harmless;
/// text for a pipe goes as it is.
pub struct Stream {
    out: tokio::io::Stdout,
    terminal: bool,
    /// The last character written, to end on a whole line.
    last: Option<char>,
}

impl Stream {
    pub fn new() -> Self {
        Self {
            out: tokio::io::stdout(),
            terminal: io::stdout().is_terminal(),
            last: None,
        }
    }

    /// Writes and flushes; a closed pipe ends the program in success.
    pub async fn write(&mut self, text: &str) -> Result<(), Fail> {
        let Some(last) = text.chars().last() else {
            return Ok(());
        };
        self.last = Some(last);
        let safe = if self.terminal {
            sanitise(text)
        } else {
            text.into()
        };
        let written = match self.out.write_all(safe.as_bytes()).await {
            Ok(()) => self.out.flush().await,
            error => error,
        };
        closed_is_done(written)
    }

    /// Ends the last line.
    pub async fn end(&mut self) -> Result<(), Fail> {
        match self.last {
            None | Some('\n') => Ok(()),
            Some(_) => self.write("\n").await,
        }
    }
}

/// A JSON value on a line of its own, with nothing in it that could command a
/// terminal: JSON can say the same in escapes, so this is exact in pipes too.
pub fn json_line(value: &serde_json::Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        if is_hostile(c) {
            let mut units = [0; 2];
            let escaped = c
                .encode_utf16(&mut units)
                .iter()
                .map(|u| format!("\\u{u:04x}"));
            line.extend(escaped);
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

pub fn print_json(value: &serde_json::Value) -> Result<(), Fail> {
    print(&json_line(value))
}

/// Prints text: harmless on a terminal, exact in a pipe. A closed pipe is
/// success.
pub fn print(text: &str) -> Result<(), Fail> {
    let terminal = io::stdout().is_terminal();
    let text = if terminal {
        sanitise(text)
    } else {
        text.into()
    };
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    closed_is_done(written)
}

/// Whoever reads may stop reading: that is no failure of ours.
fn closed_is_done(written: io::Result<()>) -> Result<(), Fail> {
    match written {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(Fail::Failed(format!("cannot write the answer: {e}"))),
    }
}

/// One line on standard error that is written over, only on a terminal.
pub struct Progress {
    terminal: bool,
    shown: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            shown: false,
        }
    }

    pub fn show(&mut self, words: &str) {
        if self.terminal {
            self.shown = true;
            let _ = write!(io::stderr(), "\r\x1b[2K{}", sanitise(words));
        }
    }

    /// Takes the line away before the answer begins.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }

    /// A line that stays.
    pub fn notice(&mut self, words: &str) {
        self.clear();
        if self.terminal {
            let _ = writeln!(io::stderr(), "parlor: {}", sanitise(words));
        }
    }
}

impl Drop for Progress {
    /// An interrupted command leaves no half line behind.
    fn drop(&mut self) {
        self.clear();
    }
}
