//! One conversation of llama.cpp's web UI: its properties, and messages that
//! name their parent, together as JSON or each on its line.

use super::grow::{Seed, What, grow};
use super::skips::{Kind, Skips, quoted};
use super::{Origin, known};
use crate::chat::{About, Answer, Conversation, Said};
use serde_json::Value;

/// A conversation and its messages as one value.
pub(super) fn read(mut value: Value, skips: &mut Skips) -> Option<Conversation> {
    let messages = match value.get_mut("messages").map(Value::take) {
        Some(Value::Array(messages)) => messages,
        _ => Vec::new(),
    };
    let conv = value.get("conv").unwrap_or(&Value::Null);
    assemble(conv, &messages, skips)
}

/// A line with the conversation, and lines with its messages.
pub(super) fn read_lines(
    session: Value,
    lines: Vec<Value>,
    skips: &mut Skips,
) -> Option<Conversation> {
    let messages: Vec<Value> = lines
        .into_iter()
        .filter_map(|mut line| line.get_mut("message").map(Value::take))
        .collect();
    assemble(&session, &messages, skips)
}

fn assemble(conv: &Value, messages: &[Value], skips: &mut Skips) -> Option<Conversation> {
    let title = word(conv, "name").unwrap_or_default();
    skips.title(&title);
    let mut about = About {
        pinned: conv.get("pinned") == Some(&Value::Bool(true)),
        updated: conv
            .get("lastModified")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
        title,
        ..About::default()
    };
    let mut seeds = Vec::with_capacity(messages.len());
    for message in messages {
        let at = message
            .get("timestamp")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        if at > 0 && (about.created == 0 || at < about.created) {
            about.created = at;
        }
        if let Some(model) = word(message, "model").filter(|m| !m.is_empty()) {
            about.model = model;
        }
        seeds.push(Seed {
            id: word(message, "id").unwrap_or_default(),
            parent: word(message, "parent"),
            at,
            what: what(message, &mut about.system, skips),
        });
    }
    let grown = grow(seeds, word(conv, "currNode").as_deref());
    skips.add(Kind::Twice, grown.twice);
    skips.add(Kind::Circle, grown.circles);
    if grown.tree.is_empty() {
        skips.say(format!("{}, which has no messages", quoted(&about.title)));
        return None;
    }
    let mut conversation = Conversation {
        about,
        tree: grown.tree,
    };
    conversation.about.id = match word(conv, "id") {
        Some(id) if !id.is_empty() => known::id(Origin::WebUi, &id),
        _ => known::id_of_words(Origin::WebUi, "", &conversation),
    };
    Some(conversation)
}

/// Text, or a number as text: ids were numbers once.
fn word(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn what(message: &Value, system: &mut String, skips: &mut Skips) -> What {
    let text = word(message, "content").unwrap_or_default();
    let kind = message.get("type").and_then(Value::as_str);
    if kind == Some("root") {
        return What::Nothing;
    }
    match message
        .get("role")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "user" => {
            count_extras(message, skips);
            What::said(Said::Question(text))
        }
        "assistant" => {
            count_extras(message, skips);
            skips.add(Kind::Tool, tool_calls(message));
            let thinking = word(message, "reasoningContent").filter(|t| !t.is_empty());
            let thinking = thinking.or(word(message, "thinking")).unwrap_or_default();
            // An answer that only calls a tool says nothing, but may think.
            if text.is_empty() && tool_calls(message) > 0 {
                return What::Thought(thinking);
            }
            What::said(Said::Answer(Answer {
                text,
                thinking,
                ..Answer::default()
            }))
        }
        "system" => {
            if !text.trim().is_empty() {
                match system.is_empty() {
                    true => *system = text,
                    false => skips.add(Kind::System, 1),
                }
            }
            What::Nothing
        }
        "tool" => {
            skips.add(Kind::Tool, 1);
            What::Nothing
        }
        _ => {
            skips.add(Kind::Stranger, 1);
            What::Nothing
        }
    }
}

/// They are a list, or a list written as text.
fn tool_calls(message: &Value) -> usize {
    match message.get("toolCalls") {
        Some(Value::Array(calls)) => calls.len(),
        Some(Value::String(calls)) if !calls.is_empty() => {
            let calls = serde_json::from_str::<Vec<serde::de::IgnoredAny>>(calls);
            calls.map_or(1, |calls| calls.len())
        }
        _ => 0,
    }
}

fn count_extras(message: &Value, skips: &mut Skips) {
    let extras = message.get("extra").and_then(Value::as_array);
    for extra in extras.into_iter().flatten() {
        let kind = extra
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        skips.add(
            match kind {
                "imageFile" => Kind::Picture,
                "audioFile" | "videoFile" => Kind::Recording,
                _ => Kind::File,
            },
            1,
        );
    }
}
