//! Copies text, to the system's clipboard or through the terminal; and takes
//! pictures from the clipboard.

use crate::app::CopyWay;
use crate::media::Pixels;
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

/// The picture on the system's clipboard.
pub fn picture() -> Result<Pixels, String> {
    if over_ssh() {
        return Err("over SSH the clipboard is that of the other computer; drop the file or give its path with /attach".into());
    }
    let none = |e: arboard::Error| match e {
        arboard::Error::ContentNotAvailable => "there is no picture on the clipboard".to_string(),
        e => format!("the clipboard cannot be read: {e}"),
    };
    let mut clipboard = arboard::Clipboard::new().map_err(none)?;
    let image = clipboard.get_image().map_err(none)?;
    let size = |n: usize| u32::try_from(n).map_err(|_| "the picture is too large".to_string());
    let (width, height) = (size(image.width)?, size(image.height)?);
    // What is transparent lies over white, as in files.
    let over_white = |part: u8, alpha: u8| {
        let (part, alpha) = (u32::from(part), u32::from(alpha));
        u8::try_from((part * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
    };
    let (pixels, _) = image.bytes.as_chunks::<4>();
    let rgb = pixels
        .iter()
        .flat_map(|[r, g, b, a]| [r, g, b].map(|part| over_white(*part, *a)));
    Ok(Pixels {
        width,
        height,
        rgb: rgb.collect(),
    })
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
