//! The view of all conversations: a filter by title and a search in every
//! message, in one box.

use super::{Layer, close, pop_grapheme};
use crate::app::effect::Effect;
use crate::app::keep;
use crate::app::key::{Code, Key};
use crate::app::state::State;
use crate::app::talk::Keep;
use crate::chat::MessageId;
use crate::protocol::store::{Change, Command, Hit, Shelf, Summary};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::time::Instant;

/// What the store has listed and found.
#[derive(Debug, Clone, Default)]
pub struct Shelves {
    pub list: Vec<Summary>,
    pub hits: Vec<Hit>,
    /// Of the last search: older answers are ignored.
    pub(in crate::app) number: u64,
    /// The message to show in the conversation that was asked for.
    pub(in crate::app) go_to: Option<MessageId>,
    /// The conversation that is to be opened.
    pub(in crate::app) awaited: Awaited,
    shelf: Shelf,
    query: String,
    /// The conversation that was deleted last.
    deleted: Option<String>,
}

/// Which conversation may come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Awaited {
    /// The one of the start, as long as nothing was said.
    #[default]
    First,
    Id(String),
    None,
}

/// What is being typed about the chosen conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typing {
    Title(String),
    Tags(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationsLayer {
    pub query: String,
    pub choice: usize,
    pub shelf: Shelf,
    pub typing: Option<Typing>,
}

/// A row of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'s> {
    Conversation(&'s Summary),
    Hit(&'s Hit),
}

impl Row<'_> {
    fn id(&self) -> &str {
        match self {
            Row::Conversation(summary) => &summary.about.id,
            Row::Hit(hit) => &hit.conversation,
        }
    }
}

impl Shelves {
    /// Asks for everything that is shown once more.
    pub(in crate::app) fn again(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Store(Command::List(self.shelf))];
        effects.extend(self.search(self.query.clone()));
        effects
    }

    fn search(&mut self, query: String) -> Option<Effect> {
        self.query.clone_from(&query);
        self.number += 1;
        if query.trim().is_empty() {
            self.hits.clear();
            return None;
        }
        Some(Effect::Store(Command::Search {
            number: self.number,
            query,
        }))
    }
}

/// Conversations whose title or tags match the query, then messages.
pub fn rows<'s>(state: &'s State, layer: &ConversationsLayer) -> Vec<Row<'s>> {
    let shelves = &state.shelf;
    if layer.query.trim().is_empty() {
        return shelves.list.iter().map(Row::Conversation).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(&layer.query, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, &Summary)> = shelves
        .list
        .iter()
        .filter_map(|summary| {
            let words = format!("{} {}", summary.about.title, summary.about.tags.join(" "));
            let haystack = Utf32Str::new(&words, &mut buffer);
            Some((pattern.score(haystack, &mut matcher)?, summary))
        })
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let titles = scored.into_iter().map(|(_, s)| Row::Conversation(s));
    titles.chain(shelves.hits.iter().map(Row::Hit)).collect()
}

/// Opens the view, with what is looked for already.
pub(in crate::app) fn open(state: &mut State, query: &str) -> Vec<Effect> {
    state.shelf = Shelves {
        number: state.shelf.number,
        list: std::mem::take(&mut state.shelf.list),
        deleted: state.shelf.deleted.take(),
        awaited: std::mem::take(&mut state.shelf.awaited),
        go_to: state.shelf.go_to,
        ..Shelves::default()
    };
    state.shelf.query = query.to_string();
    state.layers.push(Layer::Conversations(ConversationsLayer {
        query: query.to_string(),
        ..ConversationsLayer::default()
    }));
    state.shelf.again()
}

pub(super) fn key(state: &mut State, key: Key, now: Instant) -> Vec<Effect> {
    let Some(Layer::Conversations(layer)) = state.layers.last() else {
        return Vec::new();
    };
    let mut layer = layer.clone();
    let rows = rows(state, &layer);
    let last = rows.len().saturating_sub(1);
    let chosen = rows.get(layer.choice.min(last)).copied();
    if layer.typing.is_some() {
        let id = chosen.map(|row| row.id().to_string());
        return type_words(state, layer, id, key);
    }
    let mut effects = Vec::new();
    match key.code {
        Code::Up => layer.choice = layer.choice.min(last).saturating_sub(1),
        Code::Down => layer.choice = (layer.choice + 1).min(last),
        Code::PageUp => layer.choice = layer.choice.min(last).saturating_sub(10),
        Code::PageDown => layer.choice = (layer.choice + 10).min(last),
        Code::Home => layer.choice = 0,
        Code::End => layer.choice = last,
        Code::Esc => {
            close(state);
            return Vec::new();
        }
        Code::Enter => {
            let Some(row) = chosen else {
                return Vec::new();
            };
            let (id, message) = match row {
                Row::Conversation(summary) => (summary.about.id.clone(), None),
                Row::Hit(hit) => (hit.conversation.clone(), Some(hit.message)),
            };
            state.talk.sought = match message {
                Some(_) => layer.query.clone(),
                None => String::new(),
            };
            close(state);
            return keep::open(state, id, message, now);
        }
        Code::Tab => {
            layer.shelf = match layer.shelf {
                Shelf::Active => Shelf::Archived,
                Shelf::Archived => Shelf::Deleted,
                Shelf::Deleted => Shelf::Active,
            };
            layer.choice = 0;
            state.shelf.shelf = layer.shelf;
            effects = state.shelf.again();
        }
        Code::Char(c) if key.ctrl => match (c, chosen) {
            ('u', _) => {
                layer.query.clear();
                effects.extend(state.shelf.search(String::new()));
            }
            ('n', _) => {
                close(state);
                return keep::begin(state, Keep::Saved, now);
            }
            ('y', _) => {
                let back = state.shelf.deleted.take();
                effects.extend(back.map(|id| change(id, Change::Delete(false))));
            }
            (c, Some(row)) => {
                let own = row.id() == state.talk.about.id;
                let (id, effect) = chosen_key(&mut layer, row, c);
                if c == 'd' && own && effect.is_some() {
                    state.flash(
                        "The open conversation cannot be deleted; begin another first.",
                        now,
                    );
                } else {
                    if c == 'd' && layer.shelf != Shelf::Deleted {
                        state.shelf.deleted = Some(id.clone());
                        state.flash("Deleted; Ctrl+Y brings it back.", now);
                    }
                    effects.extend(effect);
                    if c == 'e' {
                        let conversation = id;
                        let id = state.new_id();
                        effects.push(Effect::Store(Command::Duplicate { conversation, id }));
                    }
                }
            }
            (_, None) => {}
        },
        Code::Backspace => {
            pop_grapheme(&mut layer.query);
            layer.choice = 0;
            effects.extend(state.shelf.search(layer.query.clone()));
        }
        _ => {
            if let Some(c) = key.typed() {
                layer.query.push(c);
                layer.choice = 0;
                effects.extend(state.shelf.search(layer.query.clone()));
            }
        }
    }
    put(state, layer);
    effects
}

fn put(state: &mut State, layer: ConversationsLayer) {
    if let Some(Layer::Conversations(at)) = state.layers.last_mut() {
        *at = layer;
    }
}

fn change(conversation: String, change: Change) -> Effect {
    Effect::Store(Command::Change {
        conversation,
        change,
    })
}

/// A key with Ctrl about the chosen conversation: its id, and what changes.
fn chosen_key(layer: &mut ConversationsLayer, row: Row<'_>, c: char) -> (String, Option<Effect>) {
    let id = row.id().to_string();
    let about = match row {
        Row::Conversation(summary) => Some(&summary.about),
        Row::Hit(_) => None,
    };
    let effect = match (c, about) {
        ('d', _) => Some(change(
            id.clone(),
            Change::Delete(layer.shelf != Shelf::Deleted),
        )),
        ('r', Some(about)) => {
            layer.typing = Some(Typing::Title(about.title.clone()));
            None
        }
        ('t', Some(about)) => {
            layer.typing = Some(Typing::Tags(about.tags.join(" ")));
            None
        }
        ('k', Some(about)) => Some(change(id.clone(), Change::Pin(!about.pinned))),
        ('a', Some(about)) => Some(change(id.clone(), Change::Archive(!about.archived))),
        _ => None,
    };
    (id, effect)
}

/// A key while a title or tags are typed.
fn type_words(
    state: &mut State,
    mut layer: ConversationsLayer,
    id: Option<String>,
    key: Key,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    match (key.code, layer.typing.take()) {
        (Code::Esc, _) | (_, None) => {}
        (Code::Enter, Some(typing)) => {
            let what = match typing {
                Typing::Title(title) => Change::Rename(title.trim().to_string()),
                Typing::Tags(tags) => {
                    Change::Tags(tags.split_whitespace().map(String::from).collect())
                }
            };
            if let Some(id) = id {
                if let (Change::Rename(title), true) = (&what, id == state.talk.about.id) {
                    state.talk.about.title.clone_from(title);
                    state.talk.about.titled = crate::chat::Titled::Person;
                }
                effects.push(change(id, what));
            }
        }
        (_, Some(mut typing)) => {
            let (Typing::Title(words) | Typing::Tags(words)) = &mut typing;
            match (key.code, key.typed()) {
                (_, Some(c)) => words.push(c),
                (Code::Backspace, None) => pop_grapheme(words),
                (Code::Char('u'), None) if key.ctrl => words.clear(),
                (_, None) => {}
            }
            layer.typing = Some(typing);
        }
    }
    put(state, layer);
    effects
}

/// Pasted text goes where one is writing.
pub(in crate::app) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(Layer::Conversations(layer)) = state.layers.last_mut() else {
        return Vec::new();
    };
    match &mut layer.typing {
        Some(Typing::Title(words) | Typing::Tags(words)) => {
            words.push_str(text);
            Vec::new()
        }
        None => {
            layer.query.push_str(text);
            layer.choice = 0;
            let query = layer.query.clone();
            state.shelf.search(query).into_iter().collect()
        }
    }
}
