//! The `logs.db` of the command line tool llm: a SQLite file with one row for
//! each prompt and its response. It is only read.

use super::skips::{Kind, Skips};
use super::{Import, ImportError, Origin, known};
use crate::chat::{About, Answer, Conversation, Node, Said};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How a SQLite file begins.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Tables that count what is not taken over: name, kind, what to count.
const ASIDES: &[(&str, Kind)] = &[
    ("prompt_attachments", Kind::File),
    ("prompt_fragments", Kind::File),
    ("system_fragments", Kind::File),
    ("tool_calls", Kind::Tool),
    ("tool_results", Kind::Tool),
];

pub(super) fn read(path: &Path) -> Result<Import, ImportError> {
    let connection = open(path)?;
    // What the file says of itself is not trusted.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "query_only", true)?;
    let columns = columns(&connection, "responses")?;
    let needed = ["id", "prompt", "response", "conversation_id"];
    if !needed.iter().all(|column| columns.contains(*column)) {
        return Err(ImportError::Foreign);
    }
    let names = names(&connection)?;
    let asides = asides(&connection)?;
    let mut skips = Skips::default();
    let mut conversations = Vec::new();
    for (id, rows) in responses(&connection, &columns)? {
        let name = names.get(&id);
        skips.next();
        let conversation = conversation(&id, name, rows, &asides, &mut skips);
        conversations.extend(conversation);
    }
    known::settle(Import {
        conversations,
        files: Default::default(),
        from: Origin::Llm,
        skipped: skips.told(),
    })
}

/// Opens the file so that nothing is ever written, not even beside it.
fn open(path: &Path) -> Result<Connection, ImportError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut log: OsString = path.as_os_str().to_owned();
    log.push("-wal");
    // Where no log of changes lies beside it, the file is all there is, and
    // SQLite need not put its own files there.
    let uri = path
        .to_str()
        .filter(|_| cfg!(unix) && !PathBuf::from(log).exists());
    let connection = match uri {
        Some(path) => {
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(format!("file:{}?immutable=1", encoded(path)), flags)?
        }
        None => Connection::open_with_flags(path, flags)?,
    };
    Ok(connection)
}

fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn columns(connection: &Connection, table: &str) -> Result<HashSet<String>, ImportError> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// A value as text, whatever it is: SQLite holds anything anywhere.
fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    })
}

/// The name and the model of each conversation, by its id.
fn names(connection: &Connection) -> Result<HashMap<String, (String, String)>, ImportError> {
    let columns = columns(connection, "conversations")?;
    if !["id", "name", "model"].iter().all(|c| columns.contains(*c)) {
        return Ok(HashMap::new());
    }
    let mut statement = connection.prepare("SELECT id, name, model FROM conversations")?;
    let rows = statement.query_map([], |row| {
        Ok((text(row, 0)?, (text(row, 1)?, text(row, 2)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How much each response has that is not taken over.
fn asides(connection: &Connection) -> Result<HashMap<String, Vec<(Kind, usize)>>, ImportError> {
    let mut found: HashMap<String, Vec<(Kind, usize)>> = HashMap::new();
    for (table, kind) in ASIDES {
        if !columns(connection, table)?.contains("response_id") {
            continue;
        }
        let sql = format!("SELECT response_id, count(*) FROM {table} GROUP BY response_id");
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((text(row, 0)?, row.get::<_, i64>(1)?)))?;
        for row in rows {
            let (id, count) = row?;
            let count = usize::try_from(count).unwrap_or_default();
            found.entry(id).or_default().push((*kind, count));
        }
    }
    Ok(found)
}

/// A prompt and its response.
struct Response {
    id: String,
    model: String,
    prompt: String,
    system: String,
    response: String,
    at: i64,
    /// Tokens of the prompt and of the response.
    tokens: (u32, u32),
}

/// The responses by time, under the ids of their conversations; those are in
/// the order of their first response.
fn responses(
    connection: &Connection,
    columns: &HashSet<String>,
) -> Result<Vec<(String, Vec<Response>)>, ImportError> {
    // Older files lack columns.
    let column = |name: &'static str| if columns.contains(name) { name } else { "NULL" };
    let sql = format!(
        "SELECT id, {}, prompt, {}, response, conversation_id, {}, {}, {} FROM responses
         ORDER BY {}, id",
        column("model"),
        column("system"),
        column("datetime_utc"),
        column("input_tokens"),
        column("output_tokens"),
        column("datetime_utc"),
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<(String, Vec<Response>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let tokens = |at: usize| Ok::<u32, rusqlite::Error>(text(row, at)?.parse().unwrap_or(0));
        let response = Response {
            id: text(row, 0)?,
            model: text(row, 1)?,
            prompt: text(row, 2)?,
            system: text(row, 3)?,
            response: text(row, 4)?,
            at: milliseconds(&text(row, 6)?),
            tokens: (tokens(7)?, tokens(8)?),
        };
        // One that belongs to none is a conversation of its own.
        let conversation = match text(row, 5)? {
            id if id.is_empty() => response.id.clone(),
            id => id,
        };
        let place = *places.entry(conversation.clone()).or_insert(found.len());
        match found.get_mut(place) {
            Some((_, responses)) => responses.push(response),
            None => found.push((conversation, vec![response])),
        }
    }
    Ok(found)
}

/// A time in UTC, with its zone or without; 0 when it is none.
fn milliseconds(time: &str) -> i64 {
    let zoned = time.parse::<jiff::Timestamp>().ok();
    let stamp = zoned.or_else(|| {
        let civil: jiff::civil::DateTime = time.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    });
    stamp.map_or(0, |stamp| stamp.as_millisecond())
}

fn conversation(
    id: &str,
    name: Option<&(String, String)>,
    rows: Vec<Response>,
    asides: &HashMap<String, Vec<(Kind, usize)>>,
    skips: &mut Skips,
) -> Option<Conversation> {
    let (title, mut model) = name.cloned().unwrap_or_default();
    let first = rows
        .iter()
        .map(|r| r.prompt.as_str())
        .find(|p| !p.is_empty());
    skips.title(match title.is_empty() {
        true => first.unwrap_or_default(),
        false => &title,
    });
    let mut conversation = Conversation {
        about: About {
            id: known::id(Origin::Llm, id),
            title,
            created: rows.first().map_or(0, |r| r.at),
            updated: rows.last().map_or(0, |r| r.at),
            ..About::default()
        },
        ..Conversation::default()
    };
    for row in rows {
        for (kind, count) in asides.get(&row.id).into_iter().flatten() {
            skips.add(*kind, *count);
        }
        if !row.system.trim().is_empty() {
            conversation.about.system = row.system.clone();
        }
        if model.is_empty() {
            model = row.model.clone();
        }
        add(&mut conversation, row);
    }
    conversation.about.model = model;
    // One that only called tools says nothing.
    (!conversation.tree.is_empty()).then_some(conversation)
}

fn add(conversation: &mut Conversation, row: Response) {
    let mut answer = Answer {
        text: row.response,
        ..Answer::default()
    };
    (answer.usage.prompt_tokens, answer.usage.completion_tokens) = row.tokens;
    let question = (!row.prompt.is_empty()).then_some(Said::Question(row.prompt));
    let answer = (!answer.text.is_empty()).then_some(Said::Answer(answer));
    for said in question.into_iter().chain(answer) {
        let last = conversation.tree.last_id();
        let mut node = Node::new(last + 1, (last > 0).then_some(last), said);
        node.at = row.at;
        conversation.tree.add(node);
    }
}
