//! Reads prompts and conversations from files and standard input.

use super::Fail;
use crate::chat::Message;
use std::io::{IsTerminal, Read};
use std::path::Path;

/// The prompt: the argument, standard input, or one after the other.
pub fn prompt(argument: Option<&str>) -> Result<String, Fail> {
    let piped = !std::io::stdin().is_terminal();
    let prompt = match argument {
        None | Some("-") if argument.is_some() || piped => stdin()?,
        Some(words) if piped => {
            let rest = stdin()?;
            if rest.trim().is_empty() {
                words.to_string()
            } else {
                format!("{words}\n\n{rest}")
            }
        }
        Some(words) => words.to_string(),
        None => String::new(),
    };
    let prompt = prompt.trim_end_matches(['\n', '\r']);
    if prompt.trim().is_empty() {
        return Err(Fail::Usage(
            "there is no prompt: write one after `parlor ask`, or pipe one in".into(),
        ));
    }
    Ok(prompt.to_string())
}

fn stdin() -> Result<String, Fail> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|e| Fail::Failed(format!("cannot read standard input: {e}")))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Fail::Failed(format!(
            "standard input is not UTF-8 text (byte {at}); convert it first"
        ))
    })
}

/// A conversation from a JSON file, or from standard input for `-`.
pub fn messages(path: &Path) -> Result<Vec<Message>, Fail> {
    let shown = match path.to_str() {
        Some("-") => "standard input".to_string(),
        _ => path.display().to_string(),
    };
    let text = if path == Path::new("-") {
        stdin()?
    } else {
        std::fs::read_to_string(path)
            .map_err(|e| Fail::Failed(format!("cannot read the messages in {shown}: {e}")))?
    };
    let messages: Vec<Message> = serde_json::from_str(&text).map_err(|e| {
        Fail::Failed(format!(
            "{shown} is not a conversation: {e}; it must be a JSON array of {{\"role\", \"content\"}}"
        ))
    })?;
    if messages.is_empty() {
        return Err(Fail::Failed(format!(
            "{shown} holds no messages; it needs at least one"
        )));
    }
    Ok(messages)
}
