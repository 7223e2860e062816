//! Markdown as a model writes it: one block tree, laid out to rows.
//!
//! `split` finds where blocks end, `parse` makes the tree of one block, and
//! `lay` turns it into rows. Blocks are parsed each for itself, so that a
//! finished block never changes while later ones stream in.

mod lay;
mod parse;
mod split;

pub use lay::{Look, lay};
pub use parse::{Block, Inline, parse};
pub use split::{complete, split};
