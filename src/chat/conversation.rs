//! A conversation as it is kept: what it is called, and its tree of messages
//! as flat records, the form of the store and of the JSON export.

use super::answer::{Answer, Made, Progress, Source};
use super::tree::{MessageId, Node, Said, Tree, TreeError};
use super::{Role, Timings, Usage};
use serde::{Deserialize, Serialize};

/// Who gave a conversation its title.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Titled {
    /// It is the beginning of the first message.
    #[default]
    Auto,
    Model,
    Person,
}

/// What is known of a conversation besides its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Letters and digits; unlike that of any other conversation anywhere.
    pub id: String,
    pub title: String,
    pub titled: Titled,
    /// The model's file as it was last named.
    pub model: String,
    pub system: String,
    pub tags: Vec<String>,
    pub pinned: bool,
    pub archived: bool,
    /// Milliseconds since 1970; 0 when it is not saved yet.
    pub created: i64,
    pub updated: i64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conversation {
    pub about: About,
    pub tree: Tree,
}

/// How a saved message stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// An answer that is being written, or was when the program ended.
    Open,
    #[default]
    Done,
    Stopped,
    Cut,
    Interrupted,
    Failed,
}

/// One message, flat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: MessageId,
    #[serde(default)]
    pub parent: Option<MessageId>,
    /// User or assistant.
    pub role: Role,
    pub text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thinking: String,
    #[serde(default)]
    pub state: Standing,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The child that was walked last.
    #[serde(default)]
    pub chosen: Option<MessageId>,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    #[serde(default)]
    pub usage: Usage,
    #[serde(default)]
    pub timings: Timings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

impl Record {
    pub fn of(node: &Node) -> Self {
        let empty = Self {
            id: node.id,
            parent: node.parent,
            role: Role::User,
            text: String::new(),
            thinking: String::new(),
            state: Standing::Done,
            why: String::new(),
            chosen: node.chosen(),
            at: node.at,
            made: None,
            usage: Usage::default(),
            timings: Timings::default(),
            sources: Vec::new(),
        };
        match &node.said {
            Said::Question(text) => Self {
                text: text.clone(),
                ..empty
            },
            Said::Answer(answer) => {
                let (state, why) = match &answer.progress {
                    Progress::Open => (Standing::Open, ""),
                    Progress::Done => (Standing::Done, ""),
                    Progress::Stopped => (Standing::Stopped, ""),
                    Progress::Cut => (Standing::Cut, ""),
                    Progress::Interrupted => (Standing::Interrupted, ""),
                    Progress::Failed(why) => (Standing::Failed, why.as_str()),
                };
                Self {
                    role: Role::Assistant,
                    text: answer.text.clone(),
                    thinking: answer.thinking.clone(),
                    state,
                    why: why.into(),
                    made: answer.made.clone(),
                    usage: answer.usage,
                    timings: answer.timings,
                    sources: answer.sources.clone(),
                    ..empty
                }
            }
        }
    }

    /// The message, and the child that was walked last. An answer that was
    /// open is interrupted: nobody is writing it any more.
    fn node(self) -> (Node, Option<MessageId>) {
        let said = match self.role {
            Role::Assistant => Said::Answer(Answer {
                text: self.text,
                thinking: self.thinking,
                progress: match self.state {
                    Standing::Open | Standing::Interrupted => Progress::Interrupted,
                    Standing::Done => Progress::Done,
                    Standing::Stopped => Progress::Stopped,
                    Standing::Cut => Progress::Cut,
                    Standing::Failed => Progress::Failed(self.why),
                },
                usage: self.usage,
                timings: self.timings,
                sources: self.sources,
                made: self.made,
            }),
            Role::User | Role::System | Role::Tool => Said::Question(self.text),
        };
        let mut node = Node::new(self.id, self.parent, said);
        node.at = self.at;
        (node, self.chosen)
    }
}

impl Conversation {
    /// A conversation of records; `root` is the root that was walked last.
    pub fn of(
        about: About,
        records: impl IntoIterator<Item = Record>,
        root: Option<MessageId>,
    ) -> Result<Self, TreeError> {
        let tree = Tree::build(records.into_iter().map(Record::node), root)?;
        Ok(Self { about, tree })
    }

    /// Parents before children.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        self.tree.nodes().map(Record::of)
    }
}

/// The id that sixty of these bits give.
pub fn id_of(mut bits: u64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    (0..12)
        .map(|_| {
            let digit = DIGITS[(bits % 32) as usize];
            bits /= 32;
            char::from(digit)
        })
        .collect()
}

/// The title that a first message gives: its first line that says anything,
/// with the names of what is attached to it.
pub fn title_of(message: &str) -> String {
    const LONGEST: usize = 60;
    let message = super::attachment::replace(message, |a| a.name.clone());
    let line = message.lines().map(str::trim).find(|l| !l.is_empty());
    let line = super::text::one_line(line.unwrap_or_default(), 400);
    if line.chars().count() <= LONGEST {
        return line;
    }
    let cut: String = line.chars().take(LONGEST).collect();
    // Between words, where one ends in the second half.
    let end = cut.rfind(' ').filter(|at| *at > cut.len() / 2);
    format!("{}…", &cut[..end.unwrap_or(cut.len())])
}
