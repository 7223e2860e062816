//! Slash commands: the palette's verbs, typed.

use super::action::{ACTIONS, Action, Entry};

/// What a line that begins with a slash means.
#[derive(Debug, PartialEq, Eq)]
pub enum Slash<'a> {
    /// A known command and what follows it.
    Command(Action, &'a str),
    Unknown(&'a str),
}

/// Reads a message as a slash command; None when it is ordinary text. A
/// leading space makes any text ordinary.
pub fn parse(text: &str) -> Option<Slash<'_>> {
    let line = text.strip_prefix('/')?;
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let entry = ACTIONS.iter().find(|e| e.slash.is_some() && e.name == name);
    Some(match entry {
        Some(entry) => Slash::Command(entry.action, rest.trim()),
        None => Slash::Unknown(name),
    })
}

/// Commands that begin with what is written, while it is one word.
pub fn matches(text: &str) -> Vec<&'static Entry> {
    match text.strip_prefix('/') {
        Some(name) if !name.contains(char::is_whitespace) => {
            let mut found: Vec<&Entry> = ACTIONS
                .iter()
                .filter(|e| e.slash.is_some() && e.name.starts_with(name))
                .collect();
            // What is written whole is what is meant.
            found.sort_by_key(|e| e.name != name);
            found
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_from_what_follows_it() {
        assert_eq!(
            parse("/set top-p 0.5 "),
            Some(Slash::Command(Action::Set, "top-p 0.5"))
        );
        assert_eq!(parse("/quit"), Some(Slash::Command(Action::Quit, "")));
        assert_eq!(parse("/etc/hosts"), Some(Slash::Unknown("etc/hosts")));
        assert_eq!(parse(" /quit"), None);
    }

    #[test]
    fn completion_offers_what_begins_so() {
        let names: Vec<_> = matches("/s").iter().map(|e| e.name).collect();
        assert_eq!(names, ["settings", "system", "set"]);
        assert!(matches("/set ").is_empty());
        assert_eq!(matches("/set")[0].action, Action::Set);
    }
}
