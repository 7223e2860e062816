//! What happens to the state machine.

use super::key::Key;
use super::library::PullId;
use super::talk::{EntryId, Scroll};
use crate::chat::Attachment;
use crate::protocol::engine;
use crate::protocol::hub::{FoundRepo, Progress, Pulled};
use crate::protocol::library::{CatalogEntry, Listed, Machine};
use crate::protocol::store;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Key(Key),
    Paste(String),
    /// The wheel, in rows; negative is up.
    Wheel(i32),
    Engine(engine::Event),
    Store(store::Event),
    /// A press of the mouse: column and row of the screen.
    Click(u16, u16),
    /// The models that were found on this machine.
    Models(Vec<Listed>),
    /// The short list of models that could be fetched, and the memory that
    /// there is for them.
    Catalog(Vec<CatalogEntry>, Machine),
    Pulling(PullId, Progress),
    Pulled(PullId, Result<Pulled, String>),
    /// What a search on the hub found.
    Hub(Result<Vec<FoundRepo>, String>),
    /// The file behind the name of the model that is loaded now, and what the
    /// library calls it.
    Named(PathBuf, String),
    /// The name of the model that was deleted; or why it was not.
    Removed(Result<String, String>),
    /// How copying went.
    Copied(Result<CopyWay, String>),
    /// How saving went: where, or why not.
    Saved(Result<String, String>),
    /// What was attached, or why not; and the pasted text that it came from.
    Attached(Result<Vec<Attachment>, String>, Option<String>),
    /// A message as it was, and with the files that it names; or why one of
    /// them cannot be attached.
    Mentioned(String, Result<String, String>),
    /// Why nothing is recorded.
    NotRecorded(String),
    /// Why a file was not opened in a viewer.
    NotOpened(String),
    /// What the last drawing resolved.
    Drawn(Drawn),
    /// The terminal has another size: everything is drawn again.
    Resized,
    /// The time given by [`super::State::deadline`] has come.
    Tick,
}

/// What only the drawing can know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Where the conversation is scrolled to, with the asked-for rows applied.
    pub scroll: Scroll,
    /// Rows that the conversation has on the screen.
    pub page: u16,
    /// Rows by which the help can be scrolled.
    pub help_rows: usize,
    /// The message in each row of the conversation.
    pub rows: Vec<EntryId>,
    /// The screen's row and columns where those begin and end.
    pub place: (u16, u16, u16),
}

/// The way that text took to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyWay {
    Clipboard,
    /// Sent to the terminal, which does not say whether it took it.
    Terminal,
}
