//! Models as files: the starter inside the program, and what is on this
//! machine.

mod scan;
pub mod starter;

pub use scan::{Places, scan};
