//! Parlor's own Markdown: the walked path, to be read by people and to be read
//! back exactly, whatever a message says.
//!
//! A line that is a comment with our name stands before each message, and such
//! a line inside a message gets a backslash:
//!
//! ```text
//! ---
//! parlor: 1
//! id: "k3v9"
//! title: "Bread"
//! ---
//!
//! # Bread
//!
//! <!-- parlor: user 1 {"at":1700000000000} -->
//! ## You
//!
//! How long does it rise?
//!
//! <!-- parlor: end -->
//! ```

use super::text::{path, speaker, title};
use super::{Import, ImportError, Origin, json};
use crate::chat::text::one_line;
use crate::chat::{About, Conversation, Record, Role};
use serde_json::{Map, Value};

/// Begins every line that is ours.
const MARK: &str = "<!-- parlor:";
/// What a message's own fields do not repeat, or what stands in its text.
const ELSEWHERE: &[&str] = &["id", "parent", "role", "text", "thinking", "chosen"];

pub(super) fn write(conversations: &[Conversation]) -> String {
    let mut out = String::new();
    for conversation in conversations {
        let (begin, end) = match out.is_empty() {
            true => ("---\n", "---\n"),
            // A front matter is one only at the beginning of a file.
            false => ("\n<!-- parlor: conversation\n", "-->\n"),
        };
        out.push_str(begin);
        out.push_str(&format!("parlor: {}\n", json::VERSION));
        write_about(&conversation.about, &mut out);
        out.push_str(end);
        out.push_str(&format!("\n# {}\n\n", title(conversation)));
        for node in path(conversation) {
            let record = json::writable(Record::of(node));
            write_message(record, &speaker(conversation, node), &mut out);
        }
        out.push_str(&format!("{MARK} end -->\n"));
    }
    out
}

fn write_about(about: &About, out: &mut String) {
    let usual = fields(&About::default());
    for (key, value) in fields(about) {
        if key != "id" && key != "title" && usual.get(&key) == Some(&value) {
            continue;
        }
        let moment = match key.as_str() {
            "created" => moment(about.created),
            "updated" => moment(about.updated),
            _ => None,
        };
        out.push_str(&format!("{key}: {}\n", guarded(&moment.unwrap_or(value))));
    }
}

/// The fields of a value; serde gives our own ones without fail.
fn fields(value: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn moment(milliseconds: i64) -> Option<Value> {
    let stamp = jiff::Timestamp::from_millisecond(milliseconds).ok()?;
    Some(Value::String(stamp.to_string()))
}

/// JSON that cannot end the comment that it stands in.
fn guarded(value: &Value) -> String {
    value.to_string().replace("-->", "--\\u003e")
}

fn write_message(record: Record, speaker: &str, out: &mut String) {
    let role = match record.role {
        Role::Assistant => "assistant",
        Role::User | Role::System | Role::Tool => "user",
    };
    let plain = Record {
        id: 0,
        parent: None,
        role: record.role,
        text: String::new(),
        thinking: String::new(),
        state: Default::default(),
        why: String::new(),
        chosen: None,
        at: 0,
        made: None,
        usage: Default::default(),
        timings: Default::default(),
        sources: Vec::new(),
    };
    let usual = fields(&plain);
    let mut fields = fields(&record);
    fields.retain(|key, value| !ELSEWHERE.contains(&key.as_str()) && usual.get(key) != Some(value));
    let fields = match fields.is_empty() {
        true => String::new(),
        false => format!(" {}", guarded(&Value::Object(fields))),
    };
    out.push_str(&format!(
        "{MARK} {role} {}{fields} -->\n## {speaker}\n\n",
        record.id
    ));
    if !record.thinking.is_empty() {
        out.push_str(&format!(
            "{MARK} thinking -->\n<details><summary>Reasoning</summary>\n\n"
        ));
        write_text(&record.thinking, out);
        out.push_str(&format!("{MARK} answer -->\n</details>\n\n"));
    }
    write_text(&record.text, out);
}

/// A text, and a blank line; a fence that it leaves open is closed, so that
/// the messages after it are no code.
fn write_text(text: &str, out: &mut String) {
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if line.trim_start_matches('\\').starts_with(MARK) {
            out.push('\\');
        }
        out.push_str(line);
    }
    out.push_str("\n\n");
    if let Some(fence) = open_fence(text) {
        out.push_str(&format!("{MARK} close -->\n{fence}\n\n"));
    }
}

/// The fence of a code block that does not end.
fn open_fence(text: &str) -> Option<String> {
    let mut open: Option<(char, usize)> = None;
    for line in text.lines() {
        let inner = line.trim_start_matches(' ');
        if line.len() - inner.len() > 3 {
            continue;
        }
        let Some(mark) = inner.chars().next().filter(|c| matches!(c, '`' | '~')) else {
            continue;
        };
        let count = inner.chars().take_while(|c| *c == mark).count();
        let info = &inner[count..];
        open = match open {
            Some((c, n)) if c == mark && count >= n && info.trim().is_empty() => None,
            None if count >= 3 && !(mark == '`' && info.contains('`')) => Some((mark, count)),
            open => open,
        };
    }
    open.map(|(mark, count)| std::iter::repeat_n(mark, count).collect())
}

/// Whether a text begins as ours do.
pub(super) fn is_ours(text: &str) -> bool {
    let after = text.strip_prefix("---\n").or(text.strip_prefix("---\r\n"));
    after.is_some_and(|after| after.starts_with("parlor:"))
}

pub(super) fn read(text: &str) -> Result<Import, ImportError> {
    // We write no carriage return there: the whole file was converted.
    let converted = text
        .starts_with("---\r\n")
        .then(|| text.replace("\r\n", "\n"));
    let text = converted.as_deref().unwrap_or(text);
    let mut sections = sections(text).into_iter();
    let mut conversations = Vec::new();
    let mut skipped = Vec::new();
    let mut draft = Draft::default();
    if let Some(head) = sections.next() {
        draft.about = read_about(&head, "---")?;
    }
    for section in sections {
        let (kind, rest) = section.words.split_once(' ').unwrap_or((section.words, ""));
        match kind {
            "conversation" => {
                let about = read_about(&section, "-->")?;
                let done = std::mem::replace(&mut draft, Draft::of(about));
                conversations.push(done.finish(&mut skipped)?);
            }
            "user" | "assistant" => {
                let record = read_record(&section, kind, rest, draft.records.last())?;
                draft.records.push(record);
            }
            "thinking" | "answer" => {
                let Some(record) = draft.records.last_mut() else {
                    return Err(section.wrong("there is no message before it"));
                };
                match kind {
                    "thinking" => record.thinking = section.text(),
                    _ => record.text = section.text(),
                }
            }
            "close" => {}
            "end" => draft.ended = true,
            _ => return Err(section.wrong(&format!("“{kind}” is not known here"))),
        }
    }
    conversations.push(draft.finish(&mut skipped)?);
    Ok(Import {
        conversations,
        files: Default::default(),
        from: Origin::ParlorMarkdown,
        skipped,
    })
}

/// A conversation that is being read.
#[derive(Default)]
struct Draft {
    about: About,
    records: Vec<Record>,
    ended: bool,
}

impl Draft {
    fn of(about: About) -> Self {
        Self {
            about,
            ..Self::default()
        }
    }

    fn finish(self, skipped: &mut Vec<String>) -> Result<Conversation, ImportError> {
        if !self.ended {
            let title = super::skips::quoted(&self.about.title);
            skipped.push(format!("the end of {title}, which is missing in the file"));
        }
        let root = self.records.first().map(|record| record.id);
        json::assemble(self.about, self.records, root)
    }
}

/// A line of ours, and everything up to the next one.
struct Section<'t> {
    /// From 1.
    line: usize,
    words: &'t str,
    body: &'t str,
}

/// The sections of a text; what is before the first line of ours is one too.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let (mut words, mut line, mut start) = ("", 1, 0);
    let mut at = 0;
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let end = at + whole.len();
        if let Some(rest) = whole.strip_prefix(MARK) {
            let body = &text[start..at];
            sections.push(Section { line, words, body });
            let rest = rest.trim();
            words = rest.strip_suffix("-->").unwrap_or(rest).trim();
            (line, start) = (index + 1, end);
        }
        at = end;
    }
    let body = &text[start..];
    sections.push(Section { line, words, body });
    sections
}

impl Section<'_> {
    fn wrong(&self, what: &str) -> ImportError {
        ImportError::Markdown {
            line: self.line,
            what: one_line(what, 200),
        }
    }

    /// The text below the heading.
    fn text(&self) -> String {
        let after = self.body.split_once('\n').map_or("", |(_, after)| after);
        let after = after.strip_prefix('\n').unwrap_or(after);
        // Where the end of the file was cut or trimmed there is less.
        let text = after
            .strip_suffix("\n\n")
            .or(after.strip_suffix('\n'))
            .unwrap_or(after);
        let mut out = String::with_capacity(text.len());
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                out.push('\n');
            }
            let ours = line.starts_with('\\') && line.trim_start_matches('\\').starts_with(MARK);
            out.push_str(if ours { &line[1..] } else { line });
        }
        out
    }
}

/// What is known of a conversation, up to the line `end`.
fn read_about(section: &Section<'_>, end: &str) -> Result<About, ImportError> {
    let mut fields = Map::new();
    let lines = section.body.lines().filter(|line| !line.is_empty());
    for line in lines.skip_while(|line| *line == "---") {
        if line.trim_end() == end {
            break;
        }
        let Some((key, value)) = line.split_once(':') else {
            return Err(section.wrong(&format!("“{line}” is no field of a conversation")));
        };
        let (key, value) = (key.trim(), value.trim());
        // A person may write a title without quotes.
        let value = serde_json::from_str(value).unwrap_or(Value::String(value.into()));
        let value = match (key, &value) {
            ("created" | "updated", Value::String(moment)) => {
                let stamp: jiff::Timestamp = moment
                    .parse()
                    .map_err(|_| section.wrong(&format!("“{moment}” is no moment")))?;
                Value::from(stamp.as_millisecond())
            }
            _ => value,
        };
        fields.insert(key.into(), value);
    }
    if let Some(found) = fields.get("parlor").and_then(Value::as_u64) {
        json::check_version(found)?;
    }
    let about = serde_json::from_value(Value::Object(fields));
    about.map_err(|error| section.wrong(&error.to_string()))
}

fn read_record(
    section: &Section<'_>,
    role: &str,
    rest: &str,
    parent: Option<&Record>,
) -> Result<Record, ImportError> {
    let (id, json) = rest.split_once(' ').unwrap_or((rest, "{}"));
    let id: u64 = id
        .parse()
        .map_err(|_| section.wrong(&format!("“{id}” is no number of a message")))?;
    let fields = serde_json::from_str(json);
    let mut fields: Map<String, Value> =
        fields.map_err(|error| section.wrong(&error.to_string()))?;
    fields.insert("id".into(), id.into());
    fields.insert("role".into(), role.into());
    fields.insert("parent".into(), parent.map(|p| p.id).into());
    fields.insert("text".into(), section.text().into());
    let record = serde_json::from_value(Value::Object(fields));
    record.map_err(|error| section.wrong(&error.to_string()))
}
