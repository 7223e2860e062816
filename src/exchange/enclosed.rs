//! What is attached to messages, carried in the file itself: read for an
//! export, and checked in an import.

use super::skips::Skips;
use crate::chat::{Attachment, Conversation, attachment};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// Bytes that one file carries in all; what an export leaves out, an import
/// would refuse.
pub const MOST: u64 = 256 << 20;

/// Where the bytes of attachments are kept, by their digest.
pub trait Files {
    /// How many bytes there are; None where they are not here.
    fn size(&self, digest: &str) -> Option<u64>;
    fn read(&self, digest: &str) -> Option<Vec<u8>>;
}

/// None are here.
impl Files for () {
    fn size(&self, _: &str) -> Option<u64> {
        None
    }

    fn read(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

/// Bytes for one export, as long as there is room for them.
pub(super) struct Enclosing<'f> {
    files: &'f dyn Files,
    room: u64,
    /// What was left out and why, in words for the person.
    pub left_out: Vec<String>,
}

impl<'f> Enclosing<'f> {
    pub fn new(files: &'f dyn Files) -> Self {
        Self {
            files,
            room: MOST,
            left_out: Vec::new(),
        }
    }

    /// The bytes; none where they are not here, are more than `most`,
    /// or more than there is room for.
    pub fn take(&mut self, digest: &str, most: u64) -> Option<Vec<u8>> {
        let size = self.files.size(digest)?;
        if size > most.min(self.room) {
            return None;
        }
        let bytes = self.files.read(digest)?;
        self.room = self.room.saturating_sub(bytes.len() as u64);
        Some(bytes)
    }

    /// Every file that is attached in these conversations, in base64 by digest.
    pub fn all(&mut self, conversations: &[Conversation]) -> BTreeMap<String, String> {
        let mut seen = HashSet::new();
        let mut files = BTreeMap::new();
        for attached in attached(conversations) {
            let Attachment { digest, name, .. } = attached;
            if !seen.insert(digest.clone()) {
                continue;
            }
            if let Some(bytes) = self.take(&digest, MOST) {
                files.insert(digest, STANDARD.encode(bytes));
                continue;
            }
            let why = match self.files.size(&digest) {
                Some(_) => "for which there is no room: a file carries 256 MiB of attachments",
                None => "whose bytes are not here",
            };
            self.left_out.push(format!("“{name}”, {why}"));
        }
        files
    }
}

fn attached(conversations: &[Conversation]) -> impl Iterator<Item = Attachment> {
    let nodes = conversations.iter().flat_map(|c| c.tree.nodes());
    nodes.flat_map(|node| attachment::of(node.said.text()))
}

/// Bytes as text for a page.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// What a file carried.
#[derive(Debug, Default)]
pub(super) struct Enclosed {
    /// Bytes by their digest.
    pub files: BTreeMap<String, Vec<u8>>,
    taken: u64,
}

impl Enclosed {
    /// Takes what is attached in these conversations and is what its digest
    /// says; tells what is not.
    pub fn take(
        &mut self,
        carried: Map<String, Value>,
        conversations: &[Conversation],
        skips: &mut Skips,
    ) {
        let names: BTreeMap<String, String> = attached(conversations)
            .map(|a| (a.digest, a.name))
            .collect();
        let mut unnamed = 0;
        for (digest, value) in carried {
            let Some(name) = names.get(&digest) else {
                unnamed += 1;
                continue;
            };
            // Three bytes are four letters.
            let length = value.as_str().map_or(0, str::len) as u64 / 4 * 3;
            if self.taken + length > MOST + 2 {
                skips.say(format!("“{name}”, which is beyond 256 MiB of attachments"));
                continue;
            }
            match decoded(&value).filter(|bytes| is_of(bytes, &digest)) {
                Some(bytes) => {
                    self.taken += bytes.len() as u64;
                    self.files.insert(digest, bytes);
                }
                None => skips.say(format!("“{name}”, whose bytes are not what was attached")),
            }
        }
        match unnamed {
            0 => {}
            1 => skips.say("1 attachment that no message names".into()),
            n => skips.say(format!("{n} attachments that no message names")),
        }
    }
}

fn decoded(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

fn is_of(bytes: &[u8], digest: &str) -> bool {
    let found = Sha256::digest(bytes);
    let hex: String = found.iter().map(|b| format!("{b:02x}")).collect();
    hex == digest
}
