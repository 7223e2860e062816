//! The passages: short texts in `assets/help/`, one for each thing that a
//! person may ask about. They are the one source of the help popup, `/help`,
//! `parlor help`, the manual page, `docs/help.md` and the guide's answers.
//!
//! A file is Markdown: a `# Heading` for the area, then for each passage a
//! `## Title`, a comment `<!-- id: x; covers: action y; see: a, b -->`, a first
//! paragraph that answers by itself, and perhaps more paragraphs. `{key:NAME}`
//! is the first key of an action as bound now, `{keys:NAME}` all of them.

use crate::chat::Sampling;
use crate::chat::sampling::Setting;
use std::sync::LazyLock;

/// What a passage explains, so that nothing is left unexplained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cover {
    /// An action by its name.
    Action(String),
    /// A sampling setting by its name.
    Setting(String),
    /// A name in the config file, with its table: `engine.context`.
    Config(String),
    /// A subcommand of the program.
    Command(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub id: String,
    pub title: String,
    /// The heading that it stands under.
    pub area: String,
    pub covers: Vec<Cover>,
    /// Ids of passages that are worth reading next.
    pub see: Vec<String>,
    answer: String,
    more: String,
}

/// Knows the keys of actions as they are bound now.
pub trait Names {
    /// The keys of the action with this name, as people read them.
    fn keys(&self, action: &str) -> Vec<String>;
}

const FILES: [&str; 10] = [
    include_str!("../../assets/help/about.md"),
    include_str!("../../assets/help/chat.md"),
    include_str!("../../assets/help/conversations.md"),
    include_str!("../../assets/help/settings.md"),
    include_str!("../../assets/help/library.md"),
    include_str!("../../assets/help/media.md"),
    include_str!("../../assets/help/models.md"),
    include_str!("../../assets/help/shell.md"),
    include_str!("../../assets/help/install.md"),
    include_str!("../../assets/help/trouble.md"),
];

/// The English passages, in the order of their files.
pub fn english() -> &'static [Passage] {
    static PASSAGES: LazyLock<Vec<Passage>> = LazyLock::new(|| {
        // That every file can be read is held by a test.
        let read = FILES.iter().filter_map(|file| parse(file).ok());
        read.flatten().collect()
    });
    &PASSAGES
}

/// Reads one file of passages, or says what is wrong in it.
pub fn parse(text: &str) -> Result<Vec<Passage>, String> {
    let mut area = String::new();
    let mut passages = Vec::new();
    for part in format!("\n{}", text.trim()).split("\n## ") {
        let Some((title, rest)) = part.split_once('\n') else {
            return Err(format!("“{part}” has no text"));
        };
        if let Some(heading) = rest.trim().strip_prefix("# ") {
            area = heading.to_string();
        } else {
            passages.push(passage(title.trim(), &area, rest)?);
        }
    }
    Ok(passages)
}

fn passage(title: &str, area: &str, rest: &str) -> Result<Passage, String> {
    let about = rest
        .trim_start()
        .strip_prefix("<!--")
        .and_then(|r| r.split_once("-->"));
    let Some((about, body)) = about else {
        return Err(format!("“{title}” does not begin with <!-- id: … -->"));
    };
    let mut made = Passage {
        id: String::new(),
        title: title.to_string(),
        area: area.to_string(),
        covers: Vec::new(),
        see: Vec::new(),
        answer: String::new(),
        more: String::new(),
    };
    for field in about.split(';') {
        let words = || field.split_once(':').map_or("", |(_, v)| v).split(',');
        match field.split(':').next().unwrap_or_default().trim() {
            "id" => made.id = words().collect::<String>().trim().to_string(),
            "see" => made.see = words().map(|w| w.trim().to_string()).collect(),
            "covers" => made.covers = words().map(cover).collect::<Result<_, _>>()?,
            other => return Err(format!("“{title}” has an unknown field “{other}”")),
        }
    }
    let (answer, more) = body.trim().split_once("\n\n").unwrap_or((body.trim(), ""));
    made.answer = answer.replace('\n', " ");
    made.more = more.trim().to_string();
    match made.id.is_empty() || made.answer.is_empty() {
        true => Err(format!("“{title}” has no id or no text")),
        false => Ok(made),
    }
}

fn cover(words: &str) -> Result<Cover, String> {
    let (kind, name) = words.trim().split_once(' ').unwrap_or_default();
    let name = name.to_string();
    match kind {
        "action" => Ok(Cover::Action(name)),
        "setting" => Ok(Cover::Setting(name)),
        "config" => Ok(Cover::Config(name)),
        "command" => Ok(Cover::Command(name)),
        _ => Err(format!("“{words}” is nothing that can be covered")),
    }
}

impl Passage {
    /// The paragraph that answers by itself, with the keys as bound now; for a
    /// setting, also its range, default and the ways to set it.
    pub fn answer(&self, names: &dyn Names) -> String {
        let mut text = fill(&self.answer, names);
        for cover in &self.covers {
            if let Cover::Setting(name) = cover
                && let Ok(setting) = Setting::find(name)
            {
                text.push_str(&format!(
                    " Set it with `/set {name} VALUE`: {}; the default is {}.",
                    setting.range(),
                    setting.show(&Sampling::default())
                ));
            }
        }
        text
    }

    /// What there is to say beyond the answer; often nothing.
    pub fn more(&self, names: &dyn Names) -> String {
        fill(&self.more, names)
    }

    /// Everything that the passage says.
    pub fn text(&self, names: &dyn Names) -> String {
        let (answer, more) = (self.answer(names), self.more(names));
        match more.is_empty() {
            true => answer,
            false => format!("{answer}\n\n{more}"),
        }
    }

    /// Text and title as written, for finding.
    pub(super) fn written(&self) -> String {
        format!("{} {} {}", self.title, self.answer, self.more)
    }
}

/// Puts keys in the place of `{key:…}` and `{keys:…}`.
fn fill(text: &str, names: &dyn Names) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{key") {
        out.push_str(before);
        let Some((action, tail)) = after.split_once('}') else {
            out.push_str("{key");
            rest = after;
            continue;
        };
        out.push_str(&match action.split_once(':') {
            Some(("", action)) => first(names.keys(action)),
            Some(("s", action)) => listed(&names.keys(action)),
            _ => format!("{{key{action}}}"),
        });
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn first(keys: Vec<String>) -> String {
    keys.into_iter()
        .next()
        .unwrap_or_else(|| "(no key is bound)".into())
}

/// `A`, `A or B`, `A, B or C`.
fn listed(keys: &[String]) -> String {
    match keys {
        [] | [_] => first(keys.to_vec()),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    struct Bound;
    impl Names for Bound {
        fn keys(&self, action: &str) -> Vec<String> {
            match action {
                "copy" => vec!["Alt+C".into(), "Ctrl+X".into()],
                "stop" => vec!["Esc".into(), "A".into(), "B".into()],
                _ => Vec::new(),
            }
        }
    }

    #[test]
    fn every_file_can_be_read_and_every_reference_leads_somewhere() {
        let read: usize = FILES.iter().map(|f| parse(f).unwrap().len()).sum();
        let ids: HashSet<_> = english().iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids.len(), read);
        for passage in english() {
            for see in &passage.see {
                assert!(ids.contains(see.as_str()), "{} → {see}", passage.id);
                assert_ne!(*see, passage.id);
            }
            assert!(!passage.area.is_empty());
        }
    }

    #[test]
    fn an_answer_is_short_enough_to_be_read_at_a_glance() {
        for passage in english() {
            let words = passage.answer(&Bound).split_whitespace().count();
            assert!(words <= 60, "{}: {words} words", passage.id);
        }
    }

    #[test]
    fn keys_are_put_in_as_they_are_bound() {
        let text = "{key:copy}, {keys:copy}, {keys:stop}; {key:none}. {keyhole} {key";
        assert_eq!(
            fill(text, &Bound),
            "Alt+C, Alt+C or Ctrl+X, Esc, A or B; (no key is bound). {keyhole} {key"
        );
    }

    #[test]
    fn a_setting_tells_its_range_and_default_by_itself() {
        let passage = english().iter().find(|p| p.id == "top-p").unwrap();
        let text = passage.answer(&Bound);
        assert!(
            text.ends_with("`/set top-p VALUE`: a number from 0 to 1; the default is 0.95."),
            "{text}"
        );
    }

    #[test]
    fn a_file_with_a_mistake_says_what_is_wrong() {
        let wrong = parse("# A\n\n## T\nno comment\n").unwrap_err();
        assert!(wrong.contains("“T” does not begin with"), "{wrong}");
        let wrong = parse("# A\n\n## T\n<!-- id: t; covers: nonsense x -->\ntext\n").unwrap_err();
        assert!(wrong.contains("nonsense x"), "{wrong}");
        assert!(parse("# A\n\n## T\n<!-- id: t -->\n").is_err());
    }
}
