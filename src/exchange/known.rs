//! Ids that stay the same from one import to the next, so that importing a
//! file twice makes no doubles.

use super::{Import, ImportError, Origin, skips};
use crate::chat::conversation::title_of;
use crate::chat::{Conversation, Said, Titled};
use std::collections::HashSet;

/// The longest id that is kept as it is.
const LONGEST: usize = 64;

/// FNV-1a, 64 bits: the same on every machine and in every version.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// In the letters and digits of our own ids.
    fn id(&self) -> String {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        // Sixty bits are shown; the others are folded in.
        let bits = self.0 ^ (self.0 >> 60);
        (0..12)
            .map(|at| char::from(DIGITS[((bits >> (at * 5)) % 32) as usize]))
            .collect()
    }
}

/// Our id for what another program calls `foreign`.
pub(super) fn id(origin: Origin, foreign: &str) -> String {
    let mut hash = Hash::new();
    hash.add(origin.words().as_bytes());
    hash.add(b"\0");
    hash.add(foreign.as_bytes());
    hash.id()
}

/// An id made of what is said, and of `foreign`, which may be empty.
pub(super) fn id_of_words(origin: Origin, foreign: &str, conversation: &Conversation) -> String {
    let mut hash = Hash::new();
    hash.add(origin.words().as_bytes());
    for part in [
        foreign,
        &conversation.about.title,
        &conversation.about.system,
    ] {
        hash.add(b"\0");
        hash.add(part.as_bytes());
    }
    for node in conversation.tree.nodes() {
        hash.add(match node.said {
            Said::Question(_) => b"\0q",
            Said::Answer(_) => b"\0a",
        });
        hash.add(&node.parent.unwrap_or_default().to_le_bytes());
        hash.add(node.said.text().as_bytes());
    }
    hash.id()
}

/// The last touches to every import: titles and ids where there are none, each
/// conversation once, and at least one.
pub(super) fn settle(mut import: Import) -> Result<Import, ImportError> {
    let from = import.from;
    let ours = matches!(from, Origin::Parlor | Origin::ParlorMarkdown);
    let mut seen = HashSet::new();
    let mut twice = Vec::new();
    import.conversations.retain_mut(|conversation| {
        if conversation.about.title.trim().is_empty() {
            let path = conversation.tree.path();
            let first = path.first().and_then(|id| conversation.tree.get(*id));
            conversation.about.title = first.map(|n| title_of(n.said.text())).unwrap_or_default();
        } else if !ours {
            // So that no title of ours takes its place.
            conversation.about.titled = Titled::Person;
        }
        let id = &conversation.about.id;
        if id.is_empty() {
            conversation.about.id = id_of_words(from, "", conversation);
        } else if id.len() > LONGEST || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
            conversation.about.id = self::id(from, id);
        }
        let new = seen.insert(conversation.about.id.clone());
        if !new {
            twice.push(skips::quoted(&conversation.about.title));
        }
        new
    });
    for title in twice {
        import
            .skipped
            .push(format!("{title}, which is in the file twice"));
    }
    match import.conversations.is_empty() {
        true => Err(ImportError::Empty),
        false => Ok(import),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a_as_published() {
        let of = |text: &str| {
            let mut hash = Hash::new();
            hash.add(text.as_bytes());
            hash.0
        };
        assert_eq!(of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(of("foobar"), 0x8594_4171_f739_67e8);
    }
}
