//! Conversations to and from files: Parlor's own forms, and what other
//! programs write.
//!
//! | form | written | read |
//! |---|---|---|
//! | Parlor's JSON | everything, and what is attached | everything |
//! | Parlor's Markdown | the walked path | that path |
//! | HTML | the walked path, with its pictures | no |
//! | plain text | the walked path | no |
//! | ChatGPT, ShareGPT, llm, llama.cpp web UI | no | words, branches and times |

mod chatgpt;
mod enclosed;
mod error;
mod grow;
mod html;
mod json;
mod known;
mod llm;
mod markdown;
mod mend;
mod shape;
mod sharegpt;
mod skips;
mod text;
mod webui;

pub use enclosed::Files;
pub use error::ImportError;

use crate::chat::Conversation;
use enclosed::Enclosing;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file that is larger than this is refused.
const LARGEST: u64 = 1 << 30;

/// A form that conversations are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Markdown,
    Json,
    Html,
    Text,
}

impl Format {
    /// The names that [`Format::named`] knows, one for each form.
    pub const NAMES: &[&str] = &["markdown", "json", "html", "text"];

    /// The form with this name, or the usual ending of its files.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "markdown" | "md" => Some(Format::Markdown),
            "json" => Some(Format::Json),
            "html" | "htm" => Some(Format::Html),
            "text" | "txt" => Some(Format::Text),
            _ => None,
        }
    }

    /// The usual ending of its files, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Markdown => "md",
            Format::Json => "json",
            Format::Html => "html",
            Format::Text => "txt",
        }
    }

    /// The form that a file's ending asks for.
    pub fn of_path(path: &Path) -> Option<Self> {
        Self::named(path.extension()?.to_str()?)
    }
}

/// Conversations as one file, without the bytes of what is attached.
pub fn export(conversations: &[Conversation], format: Format) -> String {
    export_with(conversations, format, &()).text
}

/// What an export came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub text: String,
    /// Attachments that are missing in it and why, in words for the person.
    pub left_out: Vec<String>,
}

/// Conversations as one file, with what is attached as far as the form can
/// carry it: all of it in JSON, pictures in HTML.
pub fn export_with(conversations: &[Conversation], format: Format, files: &dyn Files) -> Export {
    let mut enclosing = Enclosing::new(files);
    let text = match format {
        Format::Markdown => markdown::write(conversations),
        Format::Json => json::write(conversations, &mut enclosing),
        Format::Html => html::write(conversations, &mut enclosing),
        Format::Text => text::write(conversations),
    };
    Export {
        text,
        left_out: enclosing.left_out,
    }
}

/// What wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Parlor,
    ParlorMarkdown,
    ChatGpt,
    ShareGpt,
    Llm,
    WebUi,
}

impl Origin {
    /// Its name for people.
    pub fn words(self) -> &'static str {
        match self {
            Origin::Parlor => "Parlor",
            Origin::ParlorMarkdown => "Parlor Markdown",
            Origin::ChatGpt => "ChatGPT",
            Origin::ShareGpt => "ShareGPT",
            Origin::Llm => "llm",
            Origin::WebUi => "llama.cpp web UI",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What was read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    pub conversations: Vec<Conversation>,
    /// The bytes of what is attached, by digests that hold; only those that
    /// the file carries.
    pub files: BTreeMap<String, Vec<u8>>,
    pub from: Origin,
    /// What was left out and why, in words for the person.
    pub skipped: Vec<String>,
}

/// Reads a file of conversations; what it holds says what it is, not its name.
pub fn import(path: &Path) -> Result<Import, ImportError> {
    let unreadable = |source| ImportError::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(ImportError::Large(path.to_path_buf()));
    }
    // What is no plain file, like a pipe, has no size beforehand.
    let mut limited = file.take(LARGEST + 1);
    let mut bytes = Vec::new();
    let beginning = llm::MAGIC.len() as u64;
    let mut first = limited.by_ref().take(beginning);
    first.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes == llm::MAGIC {
        return llm::read(path);
    }
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(ImportError::Large(path.to_path_buf()));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(ImportError::Packed);
    }
    let text = String::from_utf8(bytes).map_err(|_| ImportError::NotText)?;
    import_text(&text)
}

/// Reads the text of a file of conversations.
pub fn import_text(text: &str) -> Result<Import, ImportError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let import = if markdown::is_ours(text) {
        markdown::read(text)
    } else if text.trim_start().starts_with(['{', '[']) {
        shape::read(text)
    } else {
        Err(ImportError::Unknown)
    }?;
    known::settle(import)
}
