//! The persona "guide": puts passages of the help before a question, so that
//! any model can answer from them, and the starter cannot be wrong about them.
//!
//! The starter is too small to be trusted with facts. For it the answer begins
//! with the passage itself, word for word, and the model only goes on from
//! there; where nothing fits, with a reply to small talk or that it does not
//! know. `assets/starter/talk.py` makes its training text in
//! exactly the form that is made here.

use super::pointing::{self, Tie};
use super::{Find, Found, Names, Passage, Trust, small_talk};
use crate::chat::{Message, Persona, Role, Source};

/// How a passage stands before a question for the starter.
const PROMPT: &str = include_str!("../../assets/starter/prompt.txt");
/// What other models are told.
const SYSTEM: &str = include_str!("../../assets/personas/guide.txt");
const UNSURE: &str = "I am not sure which of these you mean.\n\n";
/// Said to other models when nothing was found.
const NONE: &str = "(No passage of Parlor's help fits this.)";
/// Passages given to other models.
const GIVEN: usize = 3;
/// Messages of the past that the starter is shown, and characters of each: it
/// has a short memory and a small context.
const PAST: usize = 6;
const PAST_LENGTH: usize = 600;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Starter,
    /// Any other model.
    Model,
}

impl Speaker {
    /// Who speaks as the guide; None where the persona is no guide.
    pub fn of(persona: Persona, starter: bool) -> Option<Self> {
        let speaker = match starter {
            true => Speaker::Starter,
            false => Speaker::Model,
        };
        persona.guides(starter).then_some(speaker)
    }
}

/// What to ask of the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guided {
    pub messages: Vec<Message>,
    /// How the answer begins; empty when the model speaks for itself.
    pub opening: String,
    /// The passages that were put before the question, the best first.
    pub sources: Vec<Source>,
}

/// Prepares a conversation whose last message is the person's question; without
/// a speaker it stays as it is.
pub fn prepare(messages: Vec<Message>, speaker: Option<Speaker>, names: &dyn Names) -> Guided {
    match speaker {
        Some(speaker) => guide(Find::english(), &messages, speaker, names),
        None => Guided {
            messages,
            ..Guided::default()
        },
    }
}

fn guide(find: &Find, messages: &[Message], speaker: Speaker, names: &dyn Names) -> Guided {
    let Some((question, past)) = messages.split_last() else {
        return Guided::default();
    };
    if question.role != Role::User {
        return Guided {
            messages: messages.to_vec(),
            ..Guided::default()
        };
    }
    let meant = meaning(find, &question.content, past);
    match speaker {
        Speaker::Starter => for_starter(find, &meant, question, past, names),
        Speaker::Model => for_model(&meant, question, past, names),
    }
}

/// What a question is about.
struct Meaning<'f> {
    passages: Vec<&'f Passage>,
    trust: Trust,
    /// Whether it asks for more about the same.
    more: bool,
}

impl<'f> Meaning<'f> {
    fn of(find: &'f Find, found: &Found) -> Self {
        Self {
            passages: found.best.iter().map(|hit| find.passage(*hit)).collect(),
            trust: found.trust,
            more: false,
        }
    }
}

/// Looks the question up; one that only points back ("and how do I undo
/// that?", "tell me more") is read together with what was asked before.
fn meaning<'f>(find: &'f Find, question: &str, past: &[Message]) -> Meaning<'f> {
    let alone = find.find(question);
    if alone.trust == Trust::Clear {
        return Meaning::of(find, &alone);
    }
    let Some(before) = last_topic(find, past) else {
        return Meaning::of(find, &alone);
    };
    if pointing::asks_for_more(question) {
        return Meaning {
            more: true,
            ..Meaning::of(find, &before.1)
        };
    }
    let tied = match pointing::tie(question) {
        Tie::Strong => true,
        // What names something by itself changes the subject.
        Tie::Weak => alone.trust == Trust::Nothing,
        Tie::None => false,
    };
    // "no, that is all" points to nothing.
    if tied && !small_talk::is_small_talk(question) {
        let both = find.find(&format!("{question} {}", before.0));
        if both.trust != Trust::Nothing {
            return Meaning::of(find, &both);
        }
        // It points back and names nothing of its own.
        if alone.trust == Trust::Nothing && pointing::tie(question) == Tie::Strong {
            return Meaning::of(find, &before.1);
        }
    }
    Meaning::of(find, &alone)
}

/// The last question before that was clearly about a passage.
fn last_topic<'m>(find: &Find, past: &'m [Message]) -> Option<(&'m str, Found)> {
    let asked = past.iter().rev().filter(|m| m.role == Role::User);
    asked.take(PAST / 2).find_map(|m| {
        let found = find.find(&m.content);
        (found.trust == Trust::Clear).then_some((m.content.as_str(), found))
    })
}

fn for_starter(
    find: &Find,
    meant: &Meaning<'_>,
    question: &Message,
    past: &[Message],
    names: &dyn Names,
) -> Guided {
    let mut messages = shortened(past);
    let used: &[&Passage] = match meant.trust {
        Trust::Clear => &meant.passages[..1],
        Trust::Unsure => &meant.passages[..meant.passages.len().min(2)],
        Trust::Nothing => &[],
    };
    let opening = match used {
        [] => small_talk::reply(&question.content, past),
        [one] if meant.more => Some(one.more(names))
            .filter(|more| !more.is_empty())
            .unwrap_or_else(|| format!("The help says no more about “{}”.", one.title)),
        [one] => one.answer(names),
        several => {
            let each: Vec<String> = several
                .iter()
                .map(|p| format!("**{}**: {}", p.title, p.answer(names)))
                .collect();
            format!("{UNSURE}{}", each.join("\n\n"))
        }
    };
    let mut content: String = used.iter().map(|p| shown(find, p, names)).collect();
    if !content.is_empty() {
        content.push('\n');
    }
    content.push_str(&question.content);
    messages.push(Message::new(Role::User, content));
    Guided {
        messages,
        opening,
        sources: used.iter().map(|p| source(p)).collect(),
    }
}

/// A passage as the starter is shown it, with titles that it may name.
fn shown(find: &Find, passage: &Passage, names: &dyn Names) -> String {
    PROMPT
        .replace("{title}", &passage.title)
        .replace("{see}", &find.titles(&passage.see).join("; "))
        .replace("{answer}", &passage.answer(names))
}

/// The end of the past that fits the starter's small context, after whatever
/// system prompt there is.
fn shortened(past: &[Message]) -> Vec<Message> {
    let system = past.iter().filter(|m| m.role == Role::System);
    let said: Vec<&Message> = past.iter().filter(|m| m.role != Role::System).collect();
    let tail = &said[said.len().saturating_sub(PAST)..];
    system
        .chain(tail.iter().copied())
        .map(|m| {
            Message::new(
                m.role,
                m.content.chars().take(PAST_LENGTH).collect::<String>(),
            )
        })
        .collect()
}

fn for_model(
    meant: &Meaning<'_>,
    question: &Message,
    past: &[Message],
    names: &dyn Names,
) -> Guided {
    let used: &[&Passage] = match meant.trust {
        Trust::Clear | Trust::Unsure => &meant.passages[..meant.passages.len().min(GIVEN)],
        Trust::Nothing => &[],
    };
    let mut system = SYSTEM.trim().to_string();
    for message in past.iter().filter(|m| m.role == Role::System) {
        system.push_str("\n\n");
        system.push_str(&message.content);
    }
    let mut messages = vec![Message::new(Role::System, system)];
    messages.extend(past.iter().filter(|m| m.role != Role::System).cloned());
    let before = match used {
        [] => NONE.to_string(),
        _ => {
            let each = used
                .iter()
                .map(|p| format!("Help: {}\n{}", p.title, p.text(names)));
            each.collect::<Vec<_>>().join("\n\n")
        }
    };
    let content = format!("{before}\n\nQuestion: {}", question.content);
    messages.push(Message::new(Role::User, content));
    Guided {
        messages,
        opening: String::new(),
        sources: used.iter().map(|p| source(p)).collect(),
    }
}

fn source(passage: &Passage) -> Source {
    Source {
        id: passage.id.clone(),
        title: passage.title.clone(),
    }
}
