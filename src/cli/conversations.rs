//! `parlor conversations`: list, show, search, export, import, rename, delete,
//! purge.

mod exchange;

use super::args::ConversationsVerb;
use super::{Fail, output};
use crate::chat::{Conversation, Record, Role, Standing};
use crate::config::paths;
use crate::exchange::Format;
use crate::protocol::store::{Change, Shelf, Summary, Which};
use crate::store::Store;
use serde_json::{Value, json};
use std::path::PathBuf;

pub fn run(verb: ConversationsVerb) -> Result<(), Fail> {
    match verb {
        ConversationsVerb::List {
            archived,
            deleted,
            json,
        } => {
            let shelf = match (archived, deleted) {
                (_, true) => Shelf::Deleted,
                (true, false) => Shelf::Archived,
                (false, false) => Shelf::Active,
            };
            list(shelf, json)
        }
        ConversationsVerb::Show { name, json } => show(&name, json),
        ConversationsVerb::Search { words, json } => search(&words.join(" "), json),
        ConversationsVerb::Export {
            names,
            format,
            output,
        } => exchange::export(&names, format.as_deref(), output.as_deref()),
        ConversationsVerb::Import {
            file,
            dry_run,
            json,
        } => exchange::import(&file, dry_run, json),
        ConversationsVerb::Rename { name, title } => {
            let mut store = open()?;
            let id = find(&store, &name)?;
            store
                .change(&id, &Change::Rename(title))
                .map_err(Fail::failed)
        }
        ConversationsVerb::Delete { name, undo } => delete(&name, undo),
        ConversationsVerb::Purge => purge(),
    }
}

/// The store of this person.
pub fn open() -> Result<Store, Fail> {
    let folder = folder()?;
    Store::open(&folder).map_err(|error| {
        let path = folder.join(crate::store::FILE);
        Fail::Failed(format!("{}: {error}", path.display()))
    })
}

fn folder() -> Result<PathBuf, Fail> {
    paths::data_folder().ok_or_else(|| {
        Fail::failed("no home folder is known for the conversations; set HOME or XDG_DATA_HOME")
    })
}

/// The store for reading; none was made yet where nothing was ever saved.
fn reading() -> Result<Option<Store>, Fail> {
    Store::open_to_read(&folder()?).map_err(Fail::failed)
}

fn find(store: &Store, name: &str) -> Result<String, Fail> {
    store
        .resolve(&Which::Named(name.into()))
        .map_err(Fail::failed)
}

fn list(shelf: Shelf, json: bool) -> Result<(), Fail> {
    let list = match reading()? {
        Some(store) => store.list(shelf).map_err(Fail::failed)?,
        None => Vec::new(),
    };
    if json {
        let all: Vec<Value> = list.iter().map(summary).collect();
        return output::print_json(&Value::Array(all));
    }
    let mut text = String::new();
    for entry in &list {
        let about = &entry.about;
        let pin = if about.pinned { "* " } else { "" };
        text += &format!(
            "{}  {:>9}  {:>4} messages  {pin}{}\n",
            about.id, entry.age, entry.messages, about.title
        );
    }
    output::print(&text)
}

fn summary(entry: &Summary) -> Value {
    let about = &entry.about;
    json!({
        "id": about.id,
        "title": about.title,
        "model": about.model,
        "messages": entry.messages,
        "created": time(about.created),
        "updated": time(about.updated),
        "pinned": about.pinned,
        "archived": about.archived,
        "tags": about.tags,
    })
}

/// A time as RFC 3339.
fn time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or(String::new(), |time| time.to_string())
}

/// The walked path, flat.
fn path(conversation: &Conversation) -> Vec<Record> {
    let tree = &conversation.tree;
    let path = tree.path();
    path.iter()
        .filter_map(|id| tree.get(*id))
        .map(Record::of)
        .collect()
}

fn show(name: &str, json: bool) -> Result<(), Fail> {
    let store = reading()?.ok_or_else(|| Fail::failed("nothing was saved yet"))?;
    let id = find(&store, name)?;
    let conversation = store.conversation(&id).map_err(Fail::failed)?;
    if !json {
        return output::print(&crate::exchange::export(&[conversation], Format::Text));
    }
    let about = &conversation.about;
    let messages: Vec<Value> = path(&conversation).iter().map(message).collect();
    output::print_json(&json!({
        "id": about.id,
        "title": about.title,
        "model": about.model,
        "system": about.system,
        "created": time(about.created),
        "updated": time(about.updated),
        "messages": messages,
    }))
}

fn message(record: &Record) -> Value {
    // An answer that reached a limit is whole as far as it goes.
    let (state, reason) = match record.state {
        Standing::Done => ("done", "stop"),
        Standing::Cut => ("done", "length"),
        Standing::Stopped => ("stopped", "cancelled"),
        Standing::Open => ("open", "none"),
        Standing::Interrupted => ("interrupted", "error"),
        Standing::Failed => ("failed", "error"),
    };
    let mut value = json!({
        "id": record.id,
        "role": record.role,
        "text": record.text,
        "state": state,
        "time": time(record.at),
    });
    if record.role == Role::Assistant {
        value["finish_reason"] = reason.into();
        value["thinking"] = record.thinking.as_str().into();
        value["model"] = record.made.as_ref().map_or("", |m| &m.model).into();
        value["seed"] = record.made.as_ref().and_then(|m| m.seed).into();
    }
    value
}

fn search(words: &str, json: bool) -> Result<(), Fail> {
    let hits = match reading()? {
        Some(store) => store.search(words).map_err(Fail::failed)?,
        None => Vec::new(),
    };
    if json {
        let all: Vec<Value> = hits
            .iter()
            .map(|hit| {
                json!({
                    "conversation": hit.conversation,
                    "title": hit.title,
                    "message": hit.message,
                    "archived": hit.archived,
                    "snippet": hit.snippet,
                })
            })
            .collect();
        return output::print_json(&Value::Array(all));
    }
    let mut text = String::new();
    for hit in &hits {
        text += &format!(
            "{}  {:>9}  {}: {}\n",
            hit.conversation, hit.age, hit.title, hit.snippet
        );
    }
    output::print(&text)
}

fn delete(name: &str, undo: bool) -> Result<(), Fail> {
    let mut store = open()?;
    if !undo {
        let id = find(&store, name)?;
        if !store.take(&id).map_err(Fail::failed)? {
            return Err(Fail::Failed(format!(
                "{name} is open in another Parlor; close it there first"
            )));
        }
        return store
            .change(&id, &Change::Delete(true))
            .map_err(Fail::failed);
    }
    let deleted = store.list(Shelf::Deleted).map_err(Fail::failed)?;
    let about = deleted.iter().map(|s| &s.about);
    let mut fits = about.filter(|a| a.id.starts_with(name) || a.title == name);
    match (fits.next(), fits.next()) {
        (Some(one), None) => store
            .change(&one.id, &Change::Delete(false))
            .map_err(Fail::failed),
        (Some(_), Some(_)) => Err(Fail::Failed(format!(
            "“{name}” fits several; name one by its whole id"
        ))),
        (None, _) => Err(Fail::Failed(format!(
            "no deleted conversation is called “{name}”; `parlor conversations list --deleted` shows them"
        ))),
    }
}

fn purge() -> Result<(), Fail> {
    let mut store = open()?;
    let gone = store.purge(true).map_err(Fail::failed)?;
    for id in &gone {
        crate::store::forget_state(&folder()?, id);
    }
    output::print(&format!("{} removed for good\n", gone.len()))
}
