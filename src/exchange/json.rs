//! Parlor's own JSON: everything that is known of conversations.

use super::ImportError;
use super::enclosed::Enclosing;
use crate::chat::text::one_line;
use crate::chat::{About, Conversation, MessageId, Record, Timings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The number of this form.
pub(super) const VERSION: u64 = 1;
/// Greater numbers are not the same in every program that reads JSON.
const GREATEST: MessageId = 1 << 53;

#[derive(Debug, Serialize, Deserialize)]
struct Book {
    parlor: u64,
    conversations: Vec<Item>,
    /// What is attached, in base64 by its SHA-256.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    #[serde(flatten)]
    about: About,
    /// The root that was walked last.
    #[serde(default)]
    chosen: Option<MessageId>,
    #[serde(default)]
    messages: Vec<Record>,
}

pub(super) fn write(conversations: &[Conversation], enclosing: &mut Enclosing<'_>) -> String {
    let items = conversations.iter().map(|conversation| Item {
        about: conversation.about.clone(),
        chosen: conversation.tree.chosen_root(),
        messages: conversation.records().map(writable).collect(),
    });
    let book = Book {
        parlor: VERSION,
        conversations: items.collect(),
        files: enclosing.all(conversations),
    };
    // Only maps with keys that are no text, and writers, can fail.
    let mut json = serde_json::to_string_pretty(&book).unwrap_or_default();
    json.push('\n');
    json
}

/// JSON has no infinity; a speed that is one is not known.
pub(super) fn writable(mut record: Record) -> Record {
    let finite = |x: f64| if x.is_finite() { x } else { 0.0 };
    let Timings {
        load_ms,
        ttft_ms,
        prefill_tps,
        generate_tps,
    } = record.timings;
    record.timings = Timings {
        load_ms: finite(load_ms),
        ttft_ms: finite(ttft_ms),
        prefill_tps: finite(prefill_tps),
        generate_tps: finite(generate_tps),
    };
    record
}

/// Whether this form can be read, by its number.
pub(super) fn check_version(found: u64) -> Result<(), ImportError> {
    match found > VERSION {
        true => Err(ImportError::Newer {
            found,
            known: VERSION,
        }),
        false => Ok(()),
    }
}

/// The conversations, and the files as the JSON has them.
pub(super) fn read(
    mut value: Value,
) -> Result<(Vec<Conversation>, Map<String, Value>), ImportError> {
    // Before all else: a newer form may differ in everything that follows.
    if let Some(found) = value.get("parlor").and_then(Value::as_u64) {
        check_version(found)?;
    }
    // What is wrong with a file is wrong with that file alone.
    let files = value.as_object_mut().and_then(|book| book.remove("files"));
    let files = match files {
        Some(Value::Object(files)) => files,
        Some(_) | None => Map::new(),
    };
    let book: Book = serde_json::from_value(value)?;
    let items = book.conversations.into_iter();
    let conversations = items
        .map(|item| assemble(item.about, item.messages, item.chosen))
        .collect::<Result<_, _>>()?;
    Ok((conversations, files))
}

/// A conversation of what a file says.
pub(super) fn assemble(
    about: About,
    records: Vec<Record>,
    chosen: Option<MessageId>,
) -> Result<Conversation, ImportError> {
    let title = one_line(&about.title, 60);
    if let Some(record) = records.iter().find(|r| r.id > GREATEST) {
        let number = record.id;
        return Err(ImportError::Number { title, number });
    }
    Conversation::of(about, records, chosen).map_err(|source| ImportError::Tree { title, source })
}
