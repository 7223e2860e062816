//! Plain text: the walked path, to be read by people.

use crate::chat::text::{one_line, sanitise};
use crate::chat::{Answer, Attachment, Conversation, Node, Progress, Said, attachment};
use std::path::Path;

/// Between two conversations.
const LINE: &str = "────────────────────────────────────────";

pub(super) fn write(conversations: &[Conversation]) -> String {
    let texts: Vec<String> = conversations.iter().map(conversation).collect();
    texts.join(&format!("\n{LINE}\n\n"))
}

fn conversation(conversation: &Conversation) -> String {
    let mut out = title(conversation);
    out.push('\n');
    if let Some(date) = date(conversation.about.created) {
        out.push_str(&date);
        out.push('\n');
    }
    if !conversation.about.system.trim().is_empty() {
        turn(&mut out, "System", &conversation.about.system);
    }
    for node in path(conversation) {
        let text = attachment::replace(node.said.text(), in_words);
        turn(&mut out, &speaker(conversation, node), &text);
        if let Said::Answer(answer) = &node.said
            && let Some(end) = ending(answer)
        {
            out.push_str(&format!("({end})\n"));
        }
    }
    sanitise(&out).into_owned()
}

/// What stands for something that is attached.
pub(super) fn in_words(attached: &Attachment) -> String {
    format!("[{}] ({})", attached.name, attached.words())
}

fn turn(out: &mut String, speaker: &str, text: &str) {
    out.push_str(&format!("\n{speaker}:\n{}\n", text.trim_end()));
}

/// The messages of the walked path.
pub(super) fn path(conversation: &Conversation) -> impl Iterator<Item = &Node> {
    let path = conversation.tree.path();
    path.into_iter().filter_map(|id| conversation.tree.get(id))
}

/// The title on one line, never empty.
pub(super) fn title(conversation: &Conversation) -> String {
    match one_line(&conversation.about.title, 200) {
        title if title.is_empty() => "Conversation".into(),
        title => title,
    }
}

/// Who says a message, on one line: the person, or the model by its name.
pub(super) fn speaker(conversation: &Conversation, node: &Node) -> String {
    let Said::Answer(answer) = &node.said else {
        return "You".into();
    };
    let made = answer.made.as_ref().map(|made| made.model.as_str());
    let model = made
        .filter(|m| !m.is_empty())
        .unwrap_or(&conversation.about.model);
    let file = Path::new(model)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let name = file.strip_suffix(".gguf").unwrap_or(&file);
    match one_line(name, 100) {
        name if name.is_empty() => "Model".into(),
        name => name,
    }
}

/// How an answer ended, when it is not done.
pub(super) fn ending(answer: &Answer) -> Option<String> {
    match &answer.progress {
        Progress::Done | Progress::Open => None,
        Progress::Stopped => Some("stopped".into()),
        Progress::Cut => Some("cut off: there was no more room".into()),
        Progress::Interrupted => Some("interrupted".into()),
        Progress::Failed(why) => Some(one_line(&format!("failed: {why}"), 300)),
    }
}

/// A moment for people; None when it is not known.
pub(super) fn date(milliseconds: i64) -> Option<String> {
    if milliseconds == 0 {
        return None;
    }
    let stamp = jiff::Timestamp::from_millisecond(milliseconds).ok()?;
    Some(stamp.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
