//! Grows our tree from the messages of another program's tree, whatever state
//! that is in.

use crate::chat::{MessageId, Node, Said, Tree};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// How far up a thought is looked for: real ones are right before the answer.
const THOUGHTS: usize = 32;

/// What a foreign message is to us.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Said(Box<Said>),
    /// Reasoning, for the answer that hangs on it.
    Thought(String),
    /// What hangs on it hangs on what it hung on.
    Nothing,
}

impl What {
    pub fn said(said: Said) -> Self {
        What::Said(Box::new(said))
    }
}

/// A foreign message.
#[derive(Debug, Clone)]
pub(super) struct Seed {
    pub id: String,
    pub parent: Option<String>,
    /// Milliseconds since 1970; 0 when that is not known.
    pub at: i64,
    pub what: What,
}

/// A tree, and the messages that found no place in it.
#[derive(Debug, Default)]
pub(super) struct Grown {
    pub tree: Tree,
    /// Those with the id of an earlier one.
    pub twice: usize,
    /// Those that hang on each other.
    pub circles: usize,
}

/// Grows a tree and walks to `walked`, or to the latest message. Numbers are
/// given by time, parents before children. A message whose parent is missing
/// is a root.
pub(super) fn grow(seeds: Vec<Seed>, walked: Option<&str>) -> Grown {
    let given = seeds.len();
    let (mut seeds, twice) = without_doubles(seeds);
    let mut places = HashMap::new();
    for (at, seed) in seeds.iter().enumerate() {
        places.insert(seed.id.as_str(), at);
    }
    let place_of = |id: Option<&str>| places.get(id?).copied();
    let parents: Vec<Option<usize>> = seeds
        .iter()
        .map(|s| place_of(s.parent.as_deref()))
        .collect();
    let walked = place_of(walked);
    let mut children = vec![Vec::new(); seeds.len()];
    let mut ready = BinaryHeap::new();
    for (at, parent) in parents.iter().enumerate() {
        match parent {
            Some(parent) => children[*parent].push(at),
            None => ready.push(Reverse((seeds[at].at, at))),
        }
    }
    let mut tree = Tree::default();
    let mut kept: Vec<Kept> = vec![Kept::default(); seeds.len()];
    let mut reached = 0;
    while let Some(Reverse((time, at))) = ready.pop() {
        reached += 1;
        let above = parents[at].and_then(|p| kept[p].id);
        kept[at].id = above;
        if matches!(seeds[at].what, What::Said(_)) {
            let thoughts = thoughts_above(&seeds, &parents, &kept, at);
            if let What::Said(said) = std::mem::replace(&mut seeds[at].what, What::Nothing) {
                let id = tree.last_id() + 1;
                let mut node = Node::new(id, above, with_thoughts(*said, thoughts));
                node.at = seeds[at].at;
                tree.add(node);
                kept[at] = Kept {
                    id: Some(id),
                    said: true,
                };
            }
        }
        // A child that has no time, or an impossible one, follows its parent.
        for child in std::mem::take(&mut children[at]) {
            ready.push(Reverse((seeds[child].at.max(time), child)));
        }
    }
    if let Some(id) = walked.and_then(|at| kept[at].id) {
        tree.walk_to(id);
    }
    Grown {
        tree,
        twice,
        circles: given - twice - reached,
    }
}

/// What became of a seed.
#[derive(Debug, Clone, Default)]
struct Kept {
    /// Its number, or that of the nearest one above it that has one.
    id: Option<MessageId>,
    /// Whether it is a message of its own.
    said: bool,
}

fn without_doubles(seeds: Vec<Seed>) -> (Vec<Seed>, usize) {
    let given = seeds.len();
    let mut seen = std::collections::HashSet::new();
    let mut kept = Vec::with_capacity(given);
    for seed in seeds {
        if seen.insert(seed.id.clone()) {
            kept.push(seed);
        }
    }
    let twice = given - kept.len();
    (kept, twice)
}

/// The thoughts between a message and the one that it hangs on.
fn thoughts_above(
    seeds: &[Seed],
    parents: &[Option<usize>],
    kept: &[Kept],
    at: usize,
) -> Vec<String> {
    let mut thoughts = Vec::new();
    let mut next = parents[at];
    for _ in 0..THOUGHTS {
        let Some(place) = next.filter(|place| !kept[*place].said) else {
            break;
        };
        if let What::Thought(thought) = &seeds[place].what {
            thoughts.push(thought.clone());
        }
        next = parents[place];
    }
    thoughts.reverse();
    thoughts
}

fn with_thoughts(said: Said, mut thoughts: Vec<String>) -> Said {
    match said {
        Said::Answer(mut answer) if !thoughts.is_empty() => {
            if !answer.thinking.is_empty() {
                thoughts.push(answer.thinking);
            }
            answer.thinking = thoughts.join("\n\n");
            Said::Answer(answer)
        }
        other => other,
    }
}
