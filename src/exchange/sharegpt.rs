//! ShareGPT and the like: a list of turns, each with its speaker and its
//! words, in the keys of ShareGPT or of OpenAI.

use super::skips::{Kind, Skips, quoted};
use super::{Origin, known};
use crate::chat::{About, Answer, Conversation, Node, Said};
use serde_json::Value;

/// Where the turns of a conversation are.
pub(super) const LISTS: &[&str] = &["conversations", "conversation", "messages"];

/// Whether a value is a turn by itself.
pub(super) fn is_turn(value: &Value) -> bool {
    speaker(value).is_some() && (value.get("value").is_some() || value.get("content").is_some())
}

fn speaker(turn: &Value) -> Option<&str> {
    turn.get("from").or(turn.get("role"))?.as_str()
}

/// None when there are no messages; that is told.
pub(super) fn read(mut value: Value, skips: &mut Skips) -> Option<Conversation> {
    let word = |value: &Value, keys: &[&str]| {
        let word = keys.iter().find_map(|key| value.get(key)?.as_str());
        word.unwrap_or_default().to_owned()
    };
    let title = word(&value, &["title", "name"]);
    let about = About {
        system: word(&value, &["system", "system_prompt"]),
        model: word(&value, &["model"]),
        title,
        ..About::default()
    };
    let id = match value.get("id").or(value.get("conversation_id")) {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    };
    let list = LISTS
        .iter()
        .find(|key| value.get(key).is_some_and(Value::is_array))?;
    let turns = match value.get_mut(list).map(Value::take) {
        Some(Value::Array(turns)) => turns,
        _ => Vec::new(),
    };
    assemble(about, &id, turns, skips)
}

/// A conversation of turns that have nothing around them.
pub(super) fn of_turns(turns: Vec<Value>, skips: &mut Skips) -> Option<Conversation> {
    assemble(About::default(), "", turns, skips)
}

fn assemble(about: About, id: &str, turns: Vec<Value>, skips: &mut Skips) -> Option<Conversation> {
    let named = match about.title.as_str() {
        "" => format!("conversation {}", skips.place()),
        title => title.to_owned(),
    };
    skips.title(&named);
    let mut conversation = Conversation {
        about,
        ..Conversation::default()
    };
    for turn in turns {
        add(&mut conversation, &turn, skips);
    }
    if conversation.tree.is_empty() {
        skips.say(format!("{}, which has no messages", quoted(&named)));
        return None;
    }
    // Their ids are often only places in one file: the words make ours unlike
    // that of another file.
    conversation.about.id = known::id_of_words(Origin::ShareGpt, id, &conversation);
    Some(conversation)
}

fn add(conversation: &mut Conversation, turn: &Value, skips: &mut Skips) {
    let content = turn
        .get("value")
        .or(turn.get("content"))
        .unwrap_or(&Value::Null);
    let text = words(content, skips);
    let said = match speaker(turn)
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "human" | "user" | "prompter" => Said::Question(text),
        "gpt" | "assistant" | "chatgpt" | "model" | "bot" | "bing" | "bard" => {
            let calls = turn.get("tool_calls").and_then(Value::as_array);
            skips.add(Kind::Tool, calls.map_or(0, Vec::len));
            let thinking = ["reasoning_content", "reasoning", "thinking"];
            let thinking = thinking.iter().find_map(|key| turn.get(key)?.as_str());
            Said::Answer(Answer {
                text,
                thinking: thinking.unwrap_or_default().into(),
                ..Answer::default()
            })
        }
        "system" | "developer" => {
            match conversation.about.system.is_empty() {
                true => conversation.about.system = text,
                false => skips.add(Kind::System, 1),
            }
            return;
        }
        "tool" | "function" | "function_call" | "tool_call" | "observation" => {
            return skips.add(Kind::Tool, 1);
        }
        _ => return skips.add(Kind::Stranger, 1),
    };
    // An answer that only calls a tool says nothing.
    if matches!(&said, Said::Answer(a) if a.text.is_empty() && a.thinking.is_empty()) {
        return;
    }
    let tree = &mut conversation.tree;
    let last = tree.last_id();
    tree.add(Node::new(last + 1, (last > 0).then_some(last), said));
}

/// The words of a turn: text, or a list of parts.
fn words(content: &Value, skips: &mut Skips) -> String {
    let parts = match content {
        Value::String(text) => return text.clone(),
        Value::Array(parts) => parts,
        Value::Null => return String::new(),
        _ => {
            skips.add(Kind::Part, 1);
            return String::new();
        }
    };
    let mut texts = Vec::new();
    for part in parts {
        let text = part.as_str().or_else(|| part.get("text")?.as_str());
        match (text, part.get("type").and_then(Value::as_str)) {
            (Some(text), _) => texts.push(text),
            (None, Some("image_url" | "image" | "input_image")) => skips.add(Kind::Picture, 1),
            (None, Some("input_audio" | "audio")) => skips.add(Kind::Recording, 1),
            (None, Some("file" | "input_file")) => skips.add(Kind::File, 1),
            _ => skips.add(Kind::Part, 1),
        }
    }
    texts.join("\n")
}
