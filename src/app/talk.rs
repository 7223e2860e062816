//! The conversation as the chat shows it: the walked path of its tree with
//! notices between, where the view is scrolled to, and which message is chosen.
//!
//! Every change of the tree goes through here, so that none is left unsaved.

use super::journal::Journal;
use crate::chat::tree::{Branch, Node, Place, Said, Tree};
use crate::chat::{About, Answer, Conversation, Made, Message, MessageId, Progress, Role, Titled};
use crate::protocol::engine::Finish;
use std::collections::BTreeMap;

/// Identifies an entry for its whole life; a message's own id where it is one.
pub type EntryId = MessageId;

/// What kind of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Problem,
}

/// What is shown at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Body<'t> {
    Question(&'t str),
    Answer(&'t Answer),
    Notice(Tone, &'t str),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry<'t> {
    pub id: EntryId,
    pub body: Body<'t>,
}

/// Whether and how the conversation is saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    #[default]
    Saved,
    /// Never written anywhere.
    Private,
    /// Another program has it open.
    ReadOnly,
}

/// Where the view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// At the end, and staying there.
    Follow,
    /// The top row shows this row of this entry. `offset` is the byte of the
    /// entry's reasoning and text that begins that row: it finds the place
    /// again when the width has changed.
    At {
        entry: EntryId,
        row: usize,
        offset: usize,
        width: u16,
    },
}

/// A place that the next drawing must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reveal {
    pub entry: EntryId,
    /// The byte of its text; None is its first row.
    pub offset: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct Talk {
    pub about: About,
    pub keep: Keep,
    tree: Tree,
    notices: BTreeMap<EntryId, (Tone, String)>,
    /// What is shown, in the order of ids.
    shown: Vec<EntryId>,
    /// The answer that is being written.
    writing: Option<MessageId>,
    /// The question that was asked in this turn.
    asked: Option<MessageId>,
    /// What was removed, the last at the end.
    removed: Vec<Branch>,
    pub(super) journal: Journal,
    /// The chosen message.
    pub focus: Option<EntryId>,
    /// Words that are marked wherever they stand.
    pub sought: String,
    pub scroll: Scroll,
    /// Rows to move at the next drawing, which knows the rows; negative is up.
    pub pending: i64,
    pub reveal: Option<Reveal>,
    /// Whether reasoning is shown in full.
    pub reasoning_open: bool,
    next: EntryId,
}

impl Talk {
    /// A conversation that nothing was said in.
    pub fn new(id: String, keep: Keep) -> Self {
        let about = About {
            id,
            ..About::default()
        };
        let mut talk = Self::of(Conversation {
            about,
            tree: Tree::default(),
        });
        talk.keep = keep;
        talk.journal = Journal::new(keep == Keep::Saved);
        talk
    }

    /// A conversation that was saved.
    pub fn of(conversation: Conversation) -> Self {
        let mut talk = Self {
            about: conversation.about,
            keep: Keep::Saved,
            next: conversation.tree.last_id() + 1,
            tree: conversation.tree,
            notices: BTreeMap::new(),
            shown: Vec::new(),
            writing: None,
            asked: None,
            removed: Vec::new(),
            journal: Journal::new(false),
            focus: None,
            sought: String::new(),
            scroll: Scroll::Follow,
            pending: 0,
            reveal: None,
            reasoning_open: false,
        };
        talk.show();
        talk
    }

    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Entries that are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    pub fn ids(&self) -> &[EntryId] {
        &self.shown
    }

    /// An entry by its place in what is shown.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.by_id(*self.shown.get(index)?)
    }

    fn by_id(&self, id: EntryId) -> Option<Entry<'_>> {
        let body = match self.tree.get(id) {
            Some(node) => match &node.said {
                Said::Question(text) => Body::Question(text),
                Said::Answer(answer) => Body::Answer(answer),
            },
            None => {
                let (tone, text) = self.notices.get(&id)?;
                Body::Notice(*tone, text)
            }
        };
        Some(Entry { id, body })
    }

    /// What is shown last.
    pub fn last(&self) -> Option<Entry<'_>> {
        self.by_id(*self.shown.last()?)
    }

    /// Where an entry stands among its siblings; None for one that has none.
    pub fn place(&self, id: EntryId) -> Option<Place> {
        self.tree.place(id).filter(|place| place.count > 1)
    }

    /// Finds again what is shown, after the walked path has changed.
    fn show(&mut self) {
        self.shown = self.tree.path();
        self.shown.extend(self.notices.keys());
        self.shown.sort_unstable();
        let shown = &self.shown;
        self.focus = self.focus.filter(|id| shown.binary_search(id).is_ok());
    }

    fn next_id(&mut self) -> EntryId {
        let id = self.next;
        self.next += 1;
        id
    }

    pub fn notice(&mut self, tone: Tone, words: impl Into<String>) {
        let id = self.next_id();
        self.notices.insert(id, (tone, words.into()));
        self.shown.push(id);
    }

    /// Takes out the notices of problems, to be shown elsewhere.
    pub fn take_problems(&mut self) -> Vec<String> {
        let notices = std::mem::take(&mut self.notices).into_values();
        notices
            .filter(|(tone, _)| *tone == Tone::Problem)
            .map(|(_, words)| words)
            .collect()
    }

    fn add(&mut self, parent: Option<MessageId>, said: Said) -> MessageId {
        let id = self.next_id();
        self.tree.add(Node::new(id, parent, said));
        self.journal.put(id);
        self.journal.walked(parent);
        self.show();
        id
    }

    /// Adds a question behind `parent`, and walks to it.
    pub fn ask(&mut self, parent: Option<MessageId>, question: String) -> MessageId {
        if self.about.titled == Titled::Auto && self.about.title.is_empty() {
            self.about.title = crate::chat::conversation::title_of(&question);
            self.journal.title();
        }
        let id = self.add(parent, Said::Question(question));
        self.asked = Some(id);
        id
    }

    /// Opens an answer behind `parent`, to be written.
    pub fn open_answer(&mut self, parent: Option<MessageId>, answer: Answer) -> MessageId {
        let answer = Answer {
            progress: Progress::Open,
            ..answer
        };
        let id = self.add(parent, Said::Answer(answer));
        self.write(id);
        id
    }

    /// Opens an answer that is there, to be gone on with.
    pub fn reopen(&mut self, id: MessageId) {
        if let Some(answer) = self.answer_mut(id) {
            answer.progress = Progress::Open;
            self.journal.put(id);
            self.write(id);
        }
    }

    fn write(&mut self, id: MessageId) {
        self.writing = Some(id);
        let (text, thinking) = self
            .answer(id)
            .map_or((0, 0), |a| (a.text.len(), a.thinking.len()));
        self.journal.begin_growing(id, text, thinking);
    }

    pub fn answer(&self, id: MessageId) -> Option<&Answer> {
        match &self.tree.get(id)?.said {
            Said::Answer(answer) => Some(answer),
            Said::Question(_) => None,
        }
    }

    fn answer_mut(&mut self, id: MessageId) -> Option<&mut Answer> {
        match &mut self.tree.get_mut(id)?.said {
            Said::Answer(answer) => Some(answer),
            Said::Question(_) => None,
        }
    }

    /// The answer that is being written, to be added to.
    pub fn open(&mut self) -> Option<&mut Answer> {
        self.answer_mut(self.writing?)
    }

    /// The model has given the conversation a title.
    pub fn entitle(&mut self, title: String) {
        self.about.title = title;
        self.about.titled = Titled::Model;
        self.journal.title();
    }

    /// The conversation goes on with this model and system prompt.
    pub fn is_with(&mut self, made: &Made) {
        if self.about.model != made.model {
            self.about.model.clone_from(&made.model);
            self.journal.model();
        }
        if self.about.system != made.system {
            self.about.system.clone_from(&made.system);
            self.journal.system();
        }
    }

    /// The answer that is being written.
    pub fn writing(&self) -> Option<MessageId> {
        self.writing
    }

    /// What an answer cost; it may have ended before that was known.
    pub fn account(&mut self, id: MessageId, finish: &Finish) {
        let Some(answer) = self.answer_mut(id) else {
            return;
        };
        answer.usage = finish.usage;
        answer.timings = finish.timings;
        if let Some(made) = &mut answer.made {
            made.seed.get_or_insert(finish.seed);
        }
        self.journal.put(id);
    }

    /// Ends the answer that is being written.
    pub fn close(&mut self, progress: Progress) {
        self.asked = None;
        if let Some(id) = self.writing.take() {
            if let Some(answer) = self.answer_mut(id) {
                answer.progress = progress;
            }
            self.journal.put(id);
            self.journal.end_growing();
        }
    }

    /// The last answer on the walked path with any text.
    pub fn last_answer(&self) -> Option<(MessageId, &Answer)> {
        let ids = self.shown.iter().rev();
        let mut answers = ids.filter_map(|id| Some((*id, self.answer(*id)?)));
        answers.find(|(_, answer)| !answer.text.is_empty())
    }

    /// The last message on the walked path.
    pub fn leaf(&self) -> Option<MessageId> {
        let messages = self.shown.iter().rev();
        messages.copied().find(|id| self.tree.get(*id).is_some())
    }

    /// The message that a verb is about: the chosen one, else the last.
    pub fn target(&self) -> Option<MessageId> {
        self.focus.or_else(|| self.leaf())
    }

    /// Opens or folds all reasoning. Rows move: a place above is found again by
    /// its text, as after a change of width.
    pub fn toggle_reasoning(&mut self) {
        self.reasoning_open = !self.reasoning_open;
        if let Scroll::At { width, .. } = &mut self.scroll {
            *width = 0;
        }
    }

    /// Takes back the question of this turn, when nothing of its answer has come;
    /// the question is returned. One that was there before stays.
    pub fn take_back(&mut self) -> Option<String> {
        let id = self.writing?;
        let answer = self.answer(id)?;
        if !answer.text.is_empty() || !answer.thinking.is_empty() {
            return None;
        }
        let question = self.tree.get(id)?.parent?;
        if self.asked != Some(question) {
            return None;
        }
        let text = match &self.tree.get(question)?.said {
            Said::Question(text) => text.clone(),
            Said::Answer(_) => return None,
        };
        self.writing = None;
        self.journal.end_growing();
        self.take_out(question);
        Some(text)
    }

    fn take_out(&mut self, id: MessageId) -> Option<Branch> {
        let parent = self.tree.get(id)?.parent;
        let branch = self.tree.remove(id)?;
        self.journal.remove(branch.ids());
        self.journal.walked(parent);
        self.show();
        Some(branch)
    }

    /// Removes a message and everything below it, until [`Self::undo`].
    pub fn remove(&mut self, id: MessageId) -> bool {
        let Some(branch) = self.take_out(id) else {
            return false;
        };
        self.removed.push(branch);
        true
    }

    /// Brings back what was removed last; its root, if there was any.
    pub fn undo(&mut self) -> Option<MessageId> {
        let branch = self.removed.pop()?;
        let root = branch.root()?;
        let parent = branch.parent();
        for id in branch.ids() {
            self.journal.put(id);
        }
        if !self.tree.restore(branch) {
            return None;
        }
        self.journal.walked(parent);
        self.show();
        Some(root)
    }

    /// Walks to the sibling before or after a message; returns it.
    pub fn walk(&mut self, id: MessageId, forward: bool) -> Option<MessageId> {
        let parent = self.tree.get(id)?.parent;
        let to = self.tree.walk(id, forward)?;
        self.journal.walked(parent);
        // Notices were about what is no longer shown.
        self.notices.retain(|notice, _| *notice < id.min(to));
        self.show();
        Some(to)
    }

    /// Walks to a message, wherever it is.
    pub fn walk_to(&mut self, id: MessageId) -> bool {
        let before = self.shown.clone();
        if !self.tree.walk_to(id) {
            return false;
        }
        self.journal.walked(None);
        for id in self.tree.path_to(id) {
            self.journal.walked(Some(id));
        }
        self.show();
        if before != self.shown {
            self.notices.clear();
            self.show();
        }
        true
    }

    /// Moves the choice to the message before or after the chosen one.
    pub fn move_focus(&mut self, forward: bool) {
        let messages: Vec<EntryId> = self
            .shown
            .iter()
            .copied()
            .filter(|id| self.tree.get(*id).is_some())
            .collect();
        let at = self.focus.and_then(|id| messages.binary_search(&id).ok());
        let to = match (at, forward) {
            (None, false) => messages.last(),
            (None, true) => None,
            (Some(at), false) => messages.get(at.saturating_sub(1)),
            // Beyond the last one nothing is chosen.
            (Some(at), true) => messages.get(at + 1),
        };
        self.focus = to.copied();
        match self.focus {
            Some(entry) => {
                self.reveal = Some(Reveal {
                    entry,
                    offset: None,
                });
            }
            None => self.scroll = Scroll::Follow,
        }
    }

    /// The messages on the path down to one, for the model: the system prompt,
    /// then what was said. Reasoning is left out; an answer that came to nothing
    /// is left out too, and the questions around it become one.
    pub fn messages_to(&self, id: MessageId, system: &str) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        if !system.trim().is_empty() {
            messages.push(Message::new(Role::System, system));
        }
        let path = self.tree.path_to(id);
        for said in path.iter().filter_map(|id| Some(&self.tree.get(*id)?.said)) {
            let role = match said {
                Said::Question(_) => Role::User,
                Said::Answer(_) => Role::Assistant,
            };
            let text = said.text();
            match messages.last_mut() {
                _ if role == Role::Assistant && text.is_empty() => {}
                Some(last) if last.role == role => {
                    last.content.push_str("\n\n");
                    last.content.push_str(text);
                }
                Some(_) | None => messages.push(Message::new(role, text)),
            }
        }
        messages
    }
}
