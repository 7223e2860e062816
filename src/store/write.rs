//! What changes the file.

use super::{Store, StoreError, now, words};
use crate::chat::{About, Conversation, MessageId, Record, Standing, Titled};
use crate::protocol::store::{Change, Write};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// What is kept of a message as JSON: never looked for.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(super) struct Details {
    pub made: Option<crate::chat::Made>,
    pub usage: crate::chat::Usage,
    pub timings: crate::chat::Timings,
    pub sources: Vec<crate::chat::Source>,
}

impl Store {
    /// Saves changes to one conversation, all together.
    pub fn save(&mut self, conversation: &str, writes: &[Write]) -> Result<(), StoreError> {
        self.writing(|connection| {
            let mut talks = false;
            for write in writes {
                talks |= matches!(write, Write::Put(_) | Write::Grow { .. } | Write::Remove(_));
                apply(connection, conversation, write)?;
            }
            if talks {
                connection
                    .prepare_cached(
                        "UPDATE conversations SET updated = ?2, deleted = NULL WHERE id = ?1",
                    )?
                    .execute(params![conversation, now()])?;
            }
            Ok(())
        })
    }

    /// Changes what a list shows of a conversation.
    pub fn change(&mut self, conversation: &str, change: &Change) -> Result<(), StoreError> {
        self.writing(|connection| {
            let set = |sql: &str, value: &dyn rusqlite::ToSql| {
                let sql = format!("UPDATE conversations SET {sql} WHERE id = ?1");
                connection.execute(&sql, params![conversation, value])
            };
            let changed = match change {
                Change::Rename(title) => set("titled = 'person', title = ?2", title)?,
                Change::Pin(pinned) => set("pinned = ?2", pinned)?,
                Change::Archive(archived) => set("archived = ?2", archived)?,
                Change::Tags(tags) => set("tags = ?2", &tags.join("\n"))?,
                Change::Delete(true) => set("deleted = ?2", &now())?,
                Change::Delete(false) => set("deleted = ?2", &None::<i64>)?,
            };
            match changed {
                0 => Err(StoreError::Missing(format!(
                    "there is no conversation {conversation}"
                ))),
                _ => Ok(()),
            }
        })
    }

    /// Puts a whole conversation in, unless one with its id is there already:
    /// then nothing changes and the answer is false.
    pub fn insert(&mut self, conversation: &Conversation) -> Result<bool, StoreError> {
        let about = &conversation.about;
        self.writing(|connection| {
            let there = connection
                .query_row(
                    "SELECT 1 FROM conversations WHERE id = ?1",
                    [&about.id],
                    |_| Ok(()),
                )
                .optional()?;
            if there.is_some() {
                return Ok(false);
            }
            begin(connection, about)?;
            for record in conversation.records() {
                put(connection, &about.id, &record)?;
            }
            connection.execute(
                "UPDATE conversations SET root = ?2, pinned = ?3, archived = ?4, tags = ?5
                 WHERE id = ?1",
                params![
                    about.id,
                    conversation.tree.chosen_root().map(signed),
                    about.pinned,
                    about.archived,
                    about.tags.join("\n")
                ],
            )?;
            Ok(true)
        })
    }

    /// Copies a conversation, with all its branches, under a new id.
    pub fn duplicate(&mut self, conversation: &str, id: &str) -> Result<(), StoreError> {
        let mut copy = self.conversation(conversation)?;
        copy.about = About {
            id: id.to_string(),
            title: format!("{} (copy)", copy.about.title),
            pinned: false,
            archived: false,
            created: 0,
            updated: 0,
            ..copy.about
        };
        self.insert(&copy)?;
        Ok(())
    }

    /// Answers that were being written when their program ended, unless it is
    /// another that still runs.
    pub(super) fn mend_interrupted(&mut self) -> Result<(), StoreError> {
        let open: Vec<(i64, String)> = {
            let mut statement = self.connection.prepare(
                "SELECT m.key, c.id FROM messages m JOIN conversations c ON c.key = m.conversation
                 WHERE m.state = 'open'",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (key, id) in open {
            let held = self.held.contains_key(&id);
            if held || !self.take(&id)? {
                continue;
            }
            self.writing(|connection| {
                connection.execute(
                    "UPDATE messages SET state = 'interrupted' WHERE key = ?1",
                    [key],
                )?;
                index(connection, key)
            })?;
            self.release(&id);
        }
        Ok(())
    }

    pub(super) fn writing<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.newer {
            return Err(StoreError::Newer);
        }
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

fn apply(connection: &Connection, id: &str, write: &Write) -> Result<(), StoreError> {
    let set = |what: &str, value: &dyn rusqlite::ToSql| {
        connection
            .prepare_cached(&format!(
                "UPDATE conversations SET {what} = ?2 WHERE id = ?1"
            ))?
            .execute(params![id, value])
    };
    match write {
        Write::Begin(about) => begin(connection, about)?,
        Write::Title(title, by) => {
            set("title", title)?;
            set("titled", &titled_name(*by))?;
        }
        Write::Model(model) => {
            set("model", model)?;
        }
        Write::System(system) => {
            set("system", system)?;
        }
        Write::Root(root) => {
            set("root", &root.map(signed))?;
        }
        Write::Draft(draft) => {
            set("draft", draft)?;
        }
        Write::Put(record) => put(connection, id, record)?,
        Write::Grow {
            message,
            text,
            thinking,
        } => {
            connection
                .prepare_cached(
                    "UPDATE messages SET text = text || ?3, thinking = thinking || ?4
                     WHERE conversation = (SELECT key FROM conversations WHERE id = ?1) AND id = ?2",
                )?
                .execute(params![id, signed(*message), text, thinking])?;
        }
        Write::Chosen(message, child) => {
            connection
                .prepare_cached(
                    "UPDATE messages SET chosen = ?3
                     WHERE conversation = (SELECT key FROM conversations WHERE id = ?1) AND id = ?2",
                )?
                .execute(params![id, signed(*message), child.map(signed)])?;
        }
        Write::Remove(messages) => {
            for message in messages {
                remove(connection, id, *message)?;
            }
        }
    }
    Ok(())
}

fn begin(connection: &Connection, about: &About) -> Result<(), StoreError> {
    let now = now();
    let at = |time: i64| if time == 0 { now } else { time };
    connection.execute(
        "INSERT OR IGNORE INTO conversations (id, title, titled, model, system, created, updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            about.id,
            about.title,
            titled_name(about.titled),
            about.model,
            about.system,
            at(about.created),
            at(about.updated)
        ],
    )?;
    Ok(())
}

fn put(connection: &Connection, id: &str, record: &Record) -> Result<(), StoreError> {
    let details = Details {
        made: record.made.clone(),
        usage: record.usage,
        timings: record.timings,
        sources: record.sources.clone(),
    };
    let at = if record.at == 0 { now() } else { record.at };
    // The time of the first writing stays.
    let key: i64 = connection
        .prepare_cached(
            "INSERT INTO messages
                (conversation, id, parent, role, text, thinking, state, why, chosen, at, details)
             VALUES ((SELECT key FROM conversations WHERE id = ?1),
                ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (conversation, id) DO UPDATE SET
                text = excluded.text, thinking = excluded.thinking, state = excluded.state,
                why = excluded.why, chosen = excluded.chosen, details = excluded.details
             RETURNING key",
        )?
        .query_row(
            params![
                id,
                signed(record.id),
                record.parent.map(signed),
                name(&record.role),
                record.text,
                record.thinking,
                name(&record.state),
                record.why,
                record.chosen.map(signed),
                at,
                serde_json::to_string(&details).unwrap_or_else(|_| "{}".into()),
            ],
            |row| row.get(0),
        )?;
    match record.state {
        Standing::Open => Ok(()),
        _ => index(connection, key),
    }
}

/// Brings the index of words up to date for one message.
fn index(connection: &Connection, key: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM words WHERE rowid = ?1")?
        .execute([key])?;
    let text: String = connection
        .prepare_cached("SELECT text FROM messages WHERE key = ?1")?
        .query_row([key], |row| row.get(0))?;
    connection
        .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
        .execute(params![key, words::of_message(&text)])?;
    Ok(())
}

fn remove(connection: &Connection, id: &str, message: MessageId) -> Result<(), StoreError> {
    let key: Option<i64> = connection
        .prepare_cached(
            "DELETE FROM messages
             WHERE conversation = (SELECT key FROM conversations WHERE id = ?1) AND id = ?2
             RETURNING key",
        )?
        .query_row(params![id, signed(message)], |row| row.get(0))
        .optional()?;
    if let Some(key) = key {
        connection
            .prepare_cached("DELETE FROM words WHERE rowid = ?1")?
            .execute([key])?;
    }
    Ok(())
}

fn titled_name(titled: Titled) -> String {
    name(&titled)
}

/// The lower-case word that a plain enum is written as in JSON.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// SQLite's numbers have a sign.
pub(super) fn signed(id: MessageId) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}
