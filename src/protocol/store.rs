//! Commands to the store of conversations and events from it.

use crate::chat::{About, Conversation, MessageId, Record, Titled};

/// Where in the list a conversation stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shelf {
    #[default]
    Active,
    Archived,
    /// Gone for good after thirty days.
    Deleted,
}

/// One change to a conversation that is open for writing.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Makes the conversation, unless it is there.
    Begin(About),
    Title(String, Titled),
    Model(String),
    System(String),
    /// The root that is walked.
    Root(Option<MessageId>),
    /// A message, new or in place of what it was.
    Put(Box<Record>),
    /// Text that follows what is saved of an answer.
    Grow {
        message: MessageId,
        text: String,
        thinking: String,
    },
    /// The child of a message that is walked.
    Chosen(MessageId, Option<MessageId>),
    Remove(Vec<MessageId>),
    /// What stands in the composer.
    Draft(String),
}

/// A change that needs no open conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Rename(String),
    Pin(bool),
    Archive(bool),
    Tags(Vec<String>),
    /// To the bin, or back from it.
    Delete(bool),
}

/// Which conversation to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    Id(String),
    /// An id, the beginning of one, or a title.
    Named(String),
    /// The one that was changed last.
    Last,
    /// An empty one whose draft was never sent, if there is any.
    Unsent,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// All together or nothing.
    Save {
        conversation: String,
        writes: Vec<Write>,
    },
    /// Answered by [`Event::Opened`]; what was open before is let go.
    Open(Which),
    /// Lets another program have the conversation.
    Close(String),
    /// Answered by [`Event::Listed`].
    List(Shelf),
    /// Answered by [`Event::Found`] with the same number.
    Search { number: u64, query: String },
    Change {
        conversation: String,
        change: Change,
    },
    /// Copies a conversation under this new id.
    Duplicate { conversation: String, id: String },
}

/// A conversation as a list shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub about: About,
    /// Messages of all branches.
    pub messages: u32,
    /// Whole days before today in the person's time zone; 0 is today.
    pub days_ago: i64,
    /// How long ago in words, for instance `3 h`.
    pub age: String,
}

/// A message that holds what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub conversation: String,
    pub title: String,
    pub message: MessageId,
    pub archived: bool,
    pub age: String,
    /// The text around the first match.
    pub snippet: String,
    /// Byte ranges of the snippet that match.
    pub marks: Vec<std::ops::Range<usize>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    pub conversation: Conversation,
    pub draft: String,
    /// False while another program has it open.
    pub writable: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Opened(Box<Opened>),
    /// Why a conversation cannot be opened.
    NotOpened(String),
    Listed(Vec<Summary>),
    Found {
        number: u64,
        hits: Vec<Hit>,
    },
    /// A list that was shown may be out of date.
    Changed,
    /// Saving does not work; why. What is not saved waits.
    Trouble(String),
    /// Everything that waited is saved.
    Mended,
    /// A conversation that is being saved is not in the file any more.
    Unknown(String),
    /// The file was broken and is kept under this name; a new one was begun.
    SetAside(String),
}
