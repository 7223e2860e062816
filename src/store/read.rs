//! What only reads the file.

use super::write::{Details, signed};
use super::{Store, StoreError, now, words};
use crate::chat::{About, Conversation, MessageId, Record, Role, Standing, Titled};
use crate::protocol::store::{Hit, Opened, Shelf, Summary, Which};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

/// Messages that a search looks at, the newest first.
const HITS: i64 = 200;
const ABOUT: &str = "id, title, titled, model, system, tags, pinned, archived, created, updated";

impl Store {
    /// The id that is meant.
    pub fn resolve(&self, which: &Which) -> Result<String, StoreError> {
        let one = |sql: &str| {
            self.connection
                .query_row(sql, [], |row| row.get::<_, String>(0))
                .optional()
        };
        let missing = |words: &str| StoreError::Missing(words.into());
        match which {
            Which::Id(id) => Ok(id.clone()),
            Which::Last => one("SELECT id FROM conversations
                 WHERE deleted IS NULL AND archived = 0 AND messages > 0
                 ORDER BY updated DESC, key DESC LIMIT 1")?
            .ok_or_else(|| missing("there is no conversation to go on with")),
            Which::Unsent => one("SELECT id FROM conversations
                 WHERE deleted IS NULL AND messages = 0 AND draft <> ''
                 ORDER BY updated DESC, key DESC LIMIT 1")?
            .ok_or_else(|| missing("there is no draft")),
            Which::Named(name) => self.named(name),
        }
    }

    /// By id, by the beginning of an id, by title, by a part of a title.
    fn named(&self, name: &str) -> Result<String, StoreError> {
        let conditions = [
            "id = ?1",
            "length(?1) >= 4 AND substr(id, 1, length(?1)) = ?1",
            "title = ?1",
            "instr(lower(title), lower(?1)) > 0",
        ];
        for condition in conditions {
            let sql = format!(
                "SELECT id, title FROM conversations WHERE deleted IS NULL AND messages > 0
                 AND {condition} ORDER BY updated DESC LIMIT 6"
            );
            let mut statement = self.connection.prepare(&sql)?;
            let found: Vec<(String, String)> = statement
                .query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            match found.as_slice() {
                [] => {}
                [(id, _)] => return Ok(id.clone()),
                several => {
                    let list: Vec<String> = several
                        .iter()
                        .map(|(id, title)| format!("{id} “{title}”"))
                        .collect();
                    return Err(StoreError::Missing(format!(
                        "“{name}” fits several conversations: {}; name one by its id",
                        list.join(", ")
                    )));
                }
            }
        }
        Err(StoreError::Missing(format!(
            "there is no conversation “{name}”; `parlor conversations list` shows them"
        )))
    }

    /// Takes a conversation where that can be had, and reads it.
    pub fn open_conversation(&mut self, which: &Which) -> Result<Opened, StoreError> {
        let id = self.resolve(which)?;
        let writable = !self.newer && self.take(&id)?;
        // What another program left open is interrupted: it is ours now.
        if writable {
            self.close_open_answers(&id)?;
        }
        let (conversation, draft) = self.read(&id)?;
        Ok(Opened {
            conversation,
            draft,
            writable,
        })
    }

    fn close_open_answers(&mut self, id: &str) -> Result<(), StoreError> {
        self.release(id);
        self.mend_interrupted()?;
        if self.take(id)? {
            Ok(())
        } else {
            Err(StoreError::Taken(id.into()))
        }
    }

    /// A conversation and its draft.
    pub fn read(&self, id: &str) -> Result<(Conversation, String), StoreError> {
        let found = self
            .connection
            .prepare_cached(&format!(
                "SELECT {ABOUT}, key, root, draft FROM conversations WHERE id = ?1"
            ))?
            .query_row([id], |row| {
                let root: Option<i64> = row.get(11)?;
                Ok((
                    about(row)?,
                    row.get::<_, i64>(10)?,
                    root,
                    row.get::<_, String>(12)?,
                ))
            })
            .optional()?;
        let Some((about, key, root, draft)) = found else {
            return Err(StoreError::Missing(format!(
                "there is no conversation {id}"
            )));
        };
        let mut statement = self.connection.prepare_cached(
            "SELECT id, parent, role, text, thinking, state, why, chosen, at, details
             FROM messages WHERE conversation = ?1 ORDER BY id",
        )?;
        let records: Vec<Record> = statement
            .query_map([key], record)?
            .collect::<Result<_, _>>()?;
        let conversation = Conversation::of(about, records, root.map(unsigned))
            .map_err(|error| StoreError::Unsound(id.into(), error))?;
        Ok((conversation, draft))
    }

    /// A conversation without its draft.
    pub fn conversation(&self, id: &str) -> Result<Conversation, StoreError> {
        self.read(id).map(|(conversation, _)| conversation)
    }

    /// Conversations of a shelf, pinned ones first, then the newest.
    pub fn list(&self, shelf: Shelf) -> Result<Vec<Summary>, StoreError> {
        let condition = match shelf {
            Shelf::Active => "deleted IS NULL AND archived = 0",
            Shelf::Archived => "deleted IS NULL AND archived = 1",
            Shelf::Deleted => "deleted IS NOT NULL",
        };
        let sql = format!(
            "SELECT {ABOUT}, messages FROM conversations WHERE messages > 0 AND {condition}
             ORDER BY pinned DESC, updated DESC, key DESC"
        );
        let clock = Clock::new();
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| {
            let about = about(row)?;
            Ok(Summary {
                messages: row.get(10)?,
                days_ago: clock.days_ago(about.updated),
                age: clock.age(about.updated),
                about,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Messages that hold every word of a query, the newest first.
    pub fn search(&self, looked_for: &str) -> Result<Vec<Hit>, StoreError> {
        let Some(query) = words::query(looked_for) else {
            return Ok(Vec::new());
        };
        let clock = Clock::new();
        let mut statement = self.connection.prepare_cached(
            "SELECT c.id, c.title, c.archived, m.id, m.at, m.text
             FROM (SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid DESC LIMIT ?2) w
             JOIN messages m ON m.key = w.rowid
             JOIN conversations c ON c.key = m.conversation
             WHERE c.deleted IS NULL ORDER BY w.rowid DESC",
        )?;
        let rows = statement.query_map(params![query, HITS], |row| {
            let text: String = row.get(5)?;
            let (snippet, marks) = words::snippet(&text, looked_for);
            Ok(Hit {
                conversation: row.get(0)?,
                title: row.get(1)?,
                archived: row.get(2)?,
                message: unsigned(row.get(3)?),
                age: clock.age(row.get(4)?),
                snippet,
                marks,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a conversation has a message.
    pub fn has_message(&self, conversation: &str, message: MessageId) -> Result<bool, StoreError> {
        let found = self.connection.query_row(
            "SELECT count(*) FROM messages m JOIN conversations c ON c.key = m.conversation
             WHERE c.id = ?1 AND m.id = ?2",
            params![conversation, signed(message)],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(found > 0)
    }

    /// Whether SQLite finds the file sound; None when it does, else what it
    /// says.
    pub fn flaw(&self) -> Result<Option<String>, StoreError> {
        let said: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok((said != "ok").then_some(said))
    }
}

fn unsigned(id: i64) -> MessageId {
    MessageId::try_from(id).unwrap_or(0)
}

/// A plain enum from its lower-case word; the default for a word that a newer
/// version wrote.
fn named<T: DeserializeOwned + Default>(word: String) -> T {
    serde_json::from_value(serde_json::Value::String(word)).unwrap_or_default()
}

/// Columns in the order of [`ABOUT`].
fn about(row: &Row<'_>) -> rusqlite::Result<About> {
    let tags: String = row.get(5)?;
    Ok(About {
        id: row.get(0)?,
        title: row.get(1)?,
        titled: named::<Titled>(row.get(2)?),
        model: row.get(3)?,
        system: row.get(4)?,
        tags: tags
            .split('\n')
            .filter(|t| !t.is_empty())
            .map(String::from)
            .collect(),
        pinned: row.get(6)?,
        archived: row.get(7)?,
        created: row.get(8)?,
        updated: row.get(9)?,
    })
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let role: String = row.get(2)?;
    let details: String = row.get(9)?;
    let details: Details = serde_json::from_str(&details).unwrap_or_default();
    Ok(Record {
        id: unsigned(row.get(0)?),
        parent: row.get::<_, Option<i64>>(1)?.map(unsigned),
        role: match role.as_str() {
            "assistant" => Role::Assistant,
            _ => Role::User,
        },
        text: row.get(3)?,
        thinking: row.get(4)?,
        state: named::<Standing>(row.get(5)?),
        why: row.get(6)?,
        chosen: row.get::<_, Option<i64>>(7)?.map(unsigned),
        at: row.get(8)?,
        made: details.made,
        usage: details.usage,
        timings: details.timings,
        sources: details.sources,
    })
}

/// Now, and the person's time zone.
struct Clock {
    now: i64,
    /// Milliseconds that the time zone adds now.
    offset: i64,
}

const DAY: i64 = 24 * 60 * 60 * 1000;

impl Clock {
    fn new() -> Self {
        let now = now();
        let offset = Timestamp::from_millisecond(now)
            .map_or(0, |t| TimeZone::system().to_offset(t).seconds());
        Self {
            now,
            offset: i64::from(offset) * 1000,
        }
    }

    fn day(&self, at: i64) -> i64 {
        (at + self.offset).div_euclid(DAY)
    }

    fn days_ago(&self, at: i64) -> i64 {
        (self.day(self.now) - self.day(at)).max(0)
    }

    /// How long ago, in one or two words.
    fn age(&self, at: i64) -> String {
        let minutes = (self.now - at).max(0) / 60_000;
        match (minutes, self.days_ago(at)) {
            (0, _) => "now".into(),
            (1..60, _) => format!("{minutes} min"),
            (_, 0) => format!("{} h", minutes / 60),
            (_, 1) => "yesterday".into(),
            (_, days @ 2..60) => format!("{days} days"),
            (_, days @ 60..730) => format!("{} months", days / 30),
            (_, days) => format!("{} years", days / 365),
        }
    }
}
