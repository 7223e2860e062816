//! One conversation of ChatGPT's `conversations.json`: a map of messages that
//! name their parent and their children.

use super::grow::{Seed, What, grow};
use super::skips::{Kind, Skips, quoted};
use super::{Origin, known};
use crate::chat::{About, Answer, Conversation, Said};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// None when there are no messages; that is told.
pub(super) fn read(value: Value, skips: &mut Skips) -> Option<Conversation> {
    let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let title = word("title").to_owned();
    skips.title(&title);
    let empty = Map::new();
    let mapping = value
        .get("mapping")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let mut system = String::new();
    let mut model = word("default_model_slug").to_owned();
    let adopted = parents_by_children(mapping);
    let mut seeds = Vec::with_capacity(mapping.len());
    for (id, node) in mapping {
        let message = node.get("message").unwrap_or(&Value::Null);
        let parent = node.get("parent").and_then(Value::as_str);
        let slug = message
            .pointer("/metadata/model_slug")
            .and_then(Value::as_str);
        if let Some(slug) = slug.filter(|_| model.is_empty()) {
            model = slug.into();
        }
        seeds.push(Seed {
            id: id.clone(),
            parent: parent
                .or(adopted.get(id.as_str()).copied())
                .map(str::to_owned),
            at: milliseconds(message.get("create_time")),
            what: what(message, &mut system, skips),
        });
    }
    let grown = grow(seeds, value.get("current_node").and_then(Value::as_str));
    skips.add(Kind::Twice, grown.twice);
    skips.add(Kind::Circle, grown.circles);
    if grown.tree.is_empty() {
        skips.say(format!("{}, which has no messages", quoted(&title)));
        return None;
    }
    let foreign = match word("conversation_id") {
        "" => word("id"),
        id => id,
    };
    let mut conversation = Conversation {
        about: About {
            title,
            model,
            system,
            archived: value.get("is_archived") == Some(&Value::Bool(true)),
            created: milliseconds(value.get("create_time")),
            updated: milliseconds(value.get("update_time")),
            ..About::default()
        },
        tree: grown.tree,
    };
    conversation.about.id = match foreign {
        "" => known::id_of_words(Origin::ChatGpt, "", &conversation),
        id => known::id(Origin::ChatGpt, id),
    };
    Some(conversation)
}

/// The parents of those that name none but are named as children.
fn parents_by_children(mapping: &Map<String, Value>) -> HashMap<&str, &str> {
    let mut parents = HashMap::new();
    for (id, node) in mapping {
        let children = node.get("children").and_then(Value::as_array);
        for child in children.into_iter().flatten().filter_map(Value::as_str) {
            parents.entry(child).or_insert(id.as_str());
        }
    }
    parents
}

/// Seconds with a fraction, as milliseconds; 0 when there is no sound time.
fn milliseconds(seconds: Option<&Value>) -> i64 {
    let seconds = seconds.and_then(Value::as_f64).unwrap_or_default();
    // The year 9999 is enough; what is outside the range is no time.
    match (0.0..253_402_300_800.0).contains(&seconds) {
        true => (seconds * 1000.0).round() as i64,
        false => 0,
    }
}

/// What a message is to us; a visible system message goes to `system`.
fn what(message: &Value, system: &mut String, skips: &mut Skips) -> What {
    let role = message.pointer("/author/role").and_then(Value::as_str);
    let Some(role) = role else {
        return What::Nothing;
    };
    if role == "tool" {
        skips.add(Kind::Tool, 1);
        return What::Nothing;
    }
    let content = message.get("content").unwrap_or(&Value::Null);
    match content.get("content_type").and_then(Value::as_str) {
        Some("thoughts") => return What::Thought(thought(content)),
        // “Thought for 5 seconds” is no answer, and what a person told of
        // themselves in the settings is no question.
        Some("reasoning_recap" | "model_editable_context") => return What::Nothing,
        Some("user_editable_context") => {
            skips.add(Kind::Hidden, 1);
            return What::Nothing;
        }
        _ => {}
    }
    let said = Words::of(message, content);
    let hidden = message.pointer("/metadata/is_visually_hidden_from_conversation");
    if hidden == Some(&Value::Bool(true)) {
        skips.add(Kind::Hidden, usize::from(!said.text.is_empty()));
        return What::Nothing;
    }
    let recipient = message.get("recipient").and_then(Value::as_str);
    match role {
        "user" => said.tell(skips),
        "assistant" if recipient.is_none_or(|to| to == "all") => said.tell(skips),
        "assistant" => {
            skips.add(Kind::Tool, 1);
            return What::Nothing;
        }
        "system" => {
            if !said.text.trim().is_empty() {
                match system.is_empty() {
                    true => *system = said.text,
                    false => skips.add(Kind::System, 1),
                }
            }
            return What::Nothing;
        }
        _ => {
            skips.add(Kind::Stranger, 1);
            return What::Nothing;
        }
    }
    if said.text.is_empty() && !said.has_more() {
        return What::Nothing;
    }
    What::said(match role {
        "user" => Said::Question(said.text),
        _ => Said::Answer(Answer {
            text: said.text,
            ..Answer::default()
        }),
    })
}

/// Reasoning, which is a message of its own there.
fn thought(content: &Value) -> String {
    let thoughts = content.get("thoughts").and_then(Value::as_array);
    let texts = thoughts.into_iter().flatten().filter_map(|thought| {
        let of = |key: &str| {
            thought
                .get(key)
                .and_then(Value::as_str)
                .filter(|t| !t.is_empty())
        };
        of("content").or(of("summary"))
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

/// The words of a message, and how much else it has.
#[derive(Default)]
struct Words {
    text: String,
    pictures: usize,
    recordings: usize,
    files: usize,
    /// In a form that is not known.
    parts: usize,
}

impl Words {
    fn of(message: &Value, content: &Value) -> Self {
        let mut words = Words::default();
        // Attached pictures are parts as well, and counted there.
        let attached = message
            .pointer("/metadata/attachments")
            .and_then(Value::as_array);
        let files = attached.into_iter().flatten().filter(|file| {
            let kind = file.get("mime_type").and_then(Value::as_str);
            !kind.unwrap_or_default().starts_with("image/")
        });
        words.files = files.count();
        let kind = content.get("content_type").and_then(Value::as_str);
        let mut texts: Vec<&str> = Vec::new();
        if let Some(parts) = content.get("parts").and_then(Value::as_array) {
            for part in parts {
                match part {
                    Value::String(text) => texts.push(text),
                    Value::Null => {}
                    other => texts.extend(words.part(other)),
                }
            }
        } else if let Some(text) = content.get("text").and_then(Value::as_str) {
            texts.push(text);
        } else {
            let known = matches!(kind, None | Some("text" | "multimodal_text" | "code"));
            words.parts += usize::from(!known);
        }
        texts.retain(|text| !text.is_empty());
        words.text = texts.join("\n");
        words
    }

    /// Counts a part that is no plain text; gives the words of a recording.
    fn part<'v>(&mut self, part: &'v Value) -> Option<&'v str> {
        let kind = part.get("content_type").and_then(Value::as_str);
        match kind.unwrap_or_default() {
            "image_asset_pointer" => self.pictures += 1,
            "audio_transcription" => return part.get("text").and_then(Value::as_str),
            kind if kind.contains("audio") => self.recordings += 1,
            _ => self.parts += 1,
        }
        None
    }

    /// Whether something was said in another way, so that the answer to it
    /// must not hang on the message before.
    fn has_more(&self) -> bool {
        self.pictures + self.recordings + self.files > 0
    }

    /// Tells what else the message has.
    fn tell(&self, skips: &mut Skips) {
        skips.add(Kind::Picture, self.pictures);
        skips.add(Kind::Recording, self.recordings);
        skips.add(Kind::File, self.files);
        skips.add(Kind::Part, self.parts);
    }
}
