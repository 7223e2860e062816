//! A conversation as a tree of messages: every edit and every new answer is a
//! sibling, nothing is lost, and one path from a root to a leaf is walked.
//!
//! A message's id is greater than its parent's, so that the messages of any
//! path are in the order of their ids.

use super::answer::Answer;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Identifies a message inside its conversation, for ever.
pub type MessageId = u64;

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "every other message is an answer: a box would cost more"
)]
pub enum Said {
    Question(String),
    Answer(Answer),
}

impl Said {
    /// The words, without reasoning.
    pub fn text(&self) -> &str {
        match self {
            Said::Question(text) => text,
            Said::Answer(answer) => &answer.text,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub id: MessageId,
    pub parent: Option<MessageId>,
    pub said: Said,
    /// Milliseconds since 1970; 0 when it is not saved yet.
    pub at: i64,
    /// The child on the walked path.
    chosen: Option<MessageId>,
}

impl Node {
    pub fn new(id: MessageId, parent: Option<MessageId>, said: Said) -> Self {
        Self {
            id,
            parent,
            said,
            at: 0,
            chosen: None,
        }
    }

    pub fn chosen(&self) -> Option<MessageId> {
        self.chosen
    }
}

/// A part of a tree that was taken out, and can be put back.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// The root of the branch first.
    nodes: Vec<Node>,
}

impl Branch {
    pub fn root(&self) -> Option<MessageId> {
        self.nodes.first().map(|n| n.id)
    }

    /// What the branch hung on.
    pub fn parent(&self) -> Option<MessageId> {
        self.nodes.first().and_then(|n| n.parent)
    }

    pub fn ids(&self) -> Vec<MessageId> {
        self.nodes.iter().map(|n| n.id).collect()
    }
}

/// Where a message stands among its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 0.
    pub index: usize,
    pub count: usize,
}

/// What is wrong with messages that are to make a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    #[error("two messages have the number {0}")]
    Twice(MessageId),
    #[error("message {0} answers to one that is not there or comes later")]
    Parent(MessageId),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    nodes: BTreeMap<MessageId, Node>,
    /// Children in the order of their ids; the roots under None.
    children: HashMap<Option<MessageId>, BTreeSet<MessageId>>,
    /// The root on the walked path.
    chosen: Option<MessageId>,
}

impl Tree {
    /// A tree of these messages; `chosen` holds what was walked last at each
    /// parent, and is mended where it names no child.
    pub fn build(
        nodes: impl IntoIterator<Item = (Node, Option<MessageId>)>,
        root: Option<MessageId>,
    ) -> Result<Self, TreeError> {
        let mut tree = Self::default();
        let mut walked = Vec::new();
        let mut nodes: Vec<_> = nodes.into_iter().collect();
        nodes.sort_by_key(|(node, _)| node.id);
        for (node, chosen) in nodes {
            let id = node.id;
            if tree.nodes.contains_key(&id) {
                return Err(TreeError::Twice(id));
            }
            if node.parent.is_some_and(|p| !tree.nodes.contains_key(&p)) {
                return Err(TreeError::Parent(id));
            }
            tree.insert(node);
            walked.push((Some(id), chosen));
        }
        walked.push((None, root));
        for (parent, chosen) in walked {
            let child = chosen.filter(|id| tree.is_child(parent, *id));
            if child.is_some() {
                tree.choose(parent, child);
            }
        }
        Ok(tree)
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All messages of all branches.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn get(&self, id: MessageId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub fn get_mut(&mut self, id: MessageId) -> Option<&mut Node> {
        self.nodes.get_mut(&id)
    }

    /// All messages in the order of their ids: parents before children.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The root on the walked path.
    pub fn chosen_root(&self) -> Option<MessageId> {
        self.chosen
    }

    /// The greatest id; 0 in an empty tree.
    pub fn last_id(&self) -> MessageId {
        self.nodes.last_key_value().map_or(0, |(id, _)| *id)
    }

    /// Adds a message, and walks to it.
    pub fn add(&mut self, node: Node) {
        let (id, parent) = (node.id, node.parent);
        self.insert(node);
        self.choose(parent, Some(id));
    }

    /// Adds a message; where it is the first child it is walked.
    fn insert(&mut self, node: Node) {
        let (id, parent) = (node.id, node.parent);
        self.nodes.insert(id, node);
        let children = self.children.entry(parent).or_default();
        children.insert(id);
        if children.len() == 1 {
            self.choose(parent, Some(id));
        }
    }

    fn is_child(&self, parent: Option<MessageId>, id: MessageId) -> bool {
        self.children.get(&parent).is_some_and(|c| c.contains(&id))
    }

    fn choose(&mut self, parent: Option<MessageId>, child: Option<MessageId>) {
        match parent {
            None => self.chosen = child,
            Some(parent) => {
                if let Some(node) = self.nodes.get_mut(&parent) {
                    node.chosen = child;
                }
            }
        }
    }

    /// The walked path, from its root.
    pub fn path(&self) -> Vec<MessageId> {
        let mut path = Vec::new();
        let mut next = self.chosen;
        while let Some(id) = next {
            path.push(id);
            next = self.nodes.get(&id).and_then(|n| n.chosen);
        }
        path
    }

    /// The path from the root down to a message, whether it is walked or not.
    pub fn path_to(&self, id: MessageId) -> Vec<MessageId> {
        let mut path = Vec::new();
        let mut next = self.nodes.get(&id);
        while let Some(node) = next {
            path.push(node.id);
            next = node.parent.and_then(|p| self.nodes.get(&p));
        }
        path.reverse();
        path
    }

    /// The last message of the walked path.
    pub fn leaf(&self) -> Option<MessageId> {
        self.path().pop()
    }

    pub fn place(&self, id: MessageId) -> Option<Place> {
        let siblings = self.siblings(id)?;
        Some(Place {
            index: siblings.range(..id).count(),
            count: siblings.len(),
        })
    }

    fn siblings(&self, id: MessageId) -> Option<&BTreeSet<MessageId>> {
        let node = self.nodes.get(&id)?;
        self.children.get(&node.parent)
    }

    /// Walks from a message to the sibling before (`forward` false) or after
    /// it; returns that sibling.
    pub fn walk(&mut self, id: MessageId, forward: bool) -> Option<MessageId> {
        let parent = self.nodes.get(&id)?.parent;
        let siblings = self.siblings(id)?;
        let to = match forward {
            true => siblings.range(id + 1..).next().copied(),
            false => siblings.range(..id).next_back().copied(),
        }?;
        self.choose(parent, Some(to));
        Some(to)
    }

    /// Walks to a message, wherever it is; false when there is none.
    pub fn walk_to(&mut self, id: MessageId) -> bool {
        let path = self.path_to(id);
        let mut parent = None;
        for id in &path {
            self.choose(parent, Some(*id));
            parent = Some(*id);
        }
        !path.is_empty()
    }

    /// A message and everything below it.
    fn below(&self, id: MessageId) -> Vec<MessageId> {
        let mut found = vec![id];
        let mut at = 0;
        while let Some(id) = found.get(at) {
            if let Some(children) = self.children.get(&Some(*id)) {
                found.extend(children);
            }
            at += 1;
        }
        found
    }

    /// Takes a message out with everything below it. Where it was walked, the
    /// sibling before it is, else the one after it.
    pub fn remove(&mut self, id: MessageId) -> Option<Branch> {
        let parent = self.nodes.get(&id)?.parent;
        let was_walked = match parent {
            None => self.chosen == Some(id),
            Some(parent) => self.nodes.get(&parent)?.chosen == Some(id),
        };
        let ids = self.below(id);
        let nodes = ids
            .iter()
            .filter_map(|id| {
                self.children.remove(&Some(*id));
                self.nodes.remove(id)
            })
            .collect();
        let mut next = None;
        if let Some(siblings) = self.children.get_mut(&parent) {
            siblings.remove(&id);
            let before = siblings.range(..id).next_back();
            next = before.or(siblings.range(id..).next()).copied();
        }
        if was_walked {
            self.choose(parent, next);
        }
        Some(Branch { nodes })
    }

    /// Puts a branch back and walks to it; false when what it hung on is gone
    /// or a message of it is there already.
    pub fn restore(&mut self, branch: Branch) -> bool {
        let Some(root) = branch.nodes.first() else {
            return false;
        };
        let (id, parent) = (root.id, root.parent);
        let hangs = parent.is_none_or(|p| self.nodes.contains_key(&p));
        if !hangs || branch.nodes.iter().any(|n| self.nodes.contains_key(&n.id)) {
            return false;
        }
        for node in branch.nodes {
            let chosen = node.chosen;
            let id = node.id;
            self.insert(node);
            self.choose(Some(id), chosen);
        }
        self.choose(parent, Some(id));
        true
    }

    /// The walked path down to a message, as a tree of its own.
    pub fn path_as_tree(&self, id: MessageId) -> Tree {
        let mut tree = Tree::default();
        for id in self.path_to(id) {
            if let Some(node) = self.nodes.get(&id) {
                tree.add(Node {
                    chosen: None,
                    ..node.clone()
                });
            }
        }
        tree
    }

    /// What must always hold; None when it does, else what does not.
    pub fn flaw(&self) -> Option<String> {
        for node in self.nodes.values() {
            if node
                .parent
                .is_some_and(|p| p >= node.id || !self.nodes.contains_key(&p))
            {
                return Some(format!("{} hangs on {:?}", node.id, node.parent));
            }
            if !self.is_child(node.parent, node.id) {
                return Some(format!("{} is no child of {:?}", node.id, node.parent));
            }
        }
        let count: usize = self.children.values().map(BTreeSet::len).sum();
        if count != self.nodes.len() {
            return Some(format!("{count} children, {} messages", self.nodes.len()));
        }
        let parents = self.nodes.values().map(|n| (Some(n.id), n.chosen));
        for (parent, chosen) in parents.chain([(None, self.chosen)]) {
            let has = self.children.get(&parent).is_some_and(|c| !c.is_empty());
            let sound = match chosen {
                Some(id) => self.is_child(parent, id),
                None => !has,
            };
            if !sound {
                return Some(format!("{parent:?} walks to {chosen:?}"));
            }
        }
        None
    }
}
