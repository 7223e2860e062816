//! Why a file could not be read, and what to do.

use crate::chat::TreeError;
use crate::chat::text::one_line;
use std::path::PathBuf;

/// Why a file could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is larger than 1 GiB; split it, and import the parts", .0.display())]
    Large(PathBuf),
    #[error("this is a ZIP archive; unpack it, and import the file with the conversations")]
    Packed,
    #[error("this is not text in UTF-8; export the conversations again, or convert the file")]
    NotText,
    #[error(
        "there are no conversations here that Parlor can read; it reads its own JSON and \
         Markdown, ChatGPT's conversations.json, ShareGPT, the logs.db of llm, and exports of \
         llama.cpp's web UI"
    )]
    Unknown,
    #[error("the JSON cannot be read: {}; export the conversations again", one_line(&.0.to_string(), 300))]
    Json(#[from] serde_json::Error),
    #[error(
        "this file is of form {found}, and this Parlor reads form {known}; install a newer Parlor \
         to import it"
    )]
    Newer { found: u64, known: u64 },
    #[error("line {line}: {what}; export the conversation again")]
    Markdown { line: usize, what: String },
    #[error("“{title}” does not hang together: {source}; export it again")]
    Tree { title: String, source: TreeError },
    #[error(
        "“{title}” has a message with the number {number}, which is too great; number its messages from 1"
    )]
    Number { title: String, number: u64 },
    #[error("this database cannot be read: {}; close the program that writes it, and try again", one_line(&.0.to_string(), 300))]
    Database(#[from] rusqlite::Error),
    #[error("this database was not written by llm; import the one that `llm logs path` names")]
    Foreign,
    #[error("the file has no messages; export the conversations again")]
    Empty,
}
