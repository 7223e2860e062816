//! The tables, and the way from each version of them to the next.

use super::StoreError;
use rusqlite::Connection;
use std::path::Path;

/// What each version adds to the one before; the first makes version 1.
/// A released step never changes: a new one is added behind it.
pub const STEPS: &[&str] = &[
    "CREATE TABLE conversations (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL DEFAULT '',
        titled TEXT NOT NULL DEFAULT 'auto',
        model TEXT NOT NULL DEFAULT '',
        system TEXT NOT NULL DEFAULT '',
        pinned INTEGER NOT NULL DEFAULT 0,
        archived INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER,
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        root INTEGER,
        messages INTEGER NOT NULL DEFAULT 0,
        draft TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX conversations_by_time ON conversations (updated);
    CREATE TABLE messages (
        key INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL REFERENCES conversations (key),
        id INTEGER NOT NULL,
        parent INTEGER,
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        thinking TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'done',
        why TEXT NOT NULL DEFAULT '',
        chosen INTEGER,
        at INTEGER NOT NULL,
        details TEXT NOT NULL DEFAULT '{}',
        UNIQUE (conversation, id)
    ) STRICT;
    CREATE INDEX messages_open ON messages (conversation) WHERE state = 'open';
    CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
        UPDATE conversations SET messages = messages + 1 WHERE key = new.conversation;
    END;
    CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
        UPDATE conversations SET messages = messages - 1 WHERE key = old.conversation;
    END;",
    // Words of finished messages; `parlor_words` is the function in words.rs.
    "ALTER TABLE conversations ADD COLUMN tags TEXT NOT NULL DEFAULT '';
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = '', contentless_delete = 1, prefix = '2 3',
        tokenize = \"unicode61 remove_diacritics 2\"
    );
    INSERT INTO words (rowid, text)
        SELECT key, parlor_words(text) FROM messages WHERE state <> 'open';",
];

/// The version that this program writes.
pub const VERSION: i64 = STEPS.len() as i64;

pub fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings an older file up to date, after a copy of it was made beside it.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let from = version(connection)?;
    if from >= VERSION {
        return Ok(());
    }
    if from > 0 {
        back_up(connection, path, from)?;
    }
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another program may have done it while this one waited.
    let from = version(&transaction)?;
    let done = usize::try_from(from).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    if from < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(())
}

/// A copy named after its version; an earlier one of the same version is
/// replaced, for it is older.
fn back_up(connection: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let copy = path.with_extension(format!("v{version}.db"));
    let _ = std::fs::remove_file(&copy);
    super::place::create_private(&copy).map_err(|source| StoreError::Io {
        path: copy.clone(),
        source,
    })?;
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    Ok(())
}
