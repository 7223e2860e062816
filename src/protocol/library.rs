//! What is known of the models on this machine.

use std::path::PathBuf;

/// The name by which the model inside the program is asked for, in place of a
/// path.
pub const STARTER: &str = "starter";

/// A model file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundModel {
    pub path: PathBuf,
    /// What to call it: the file's name without `.gguf`, or the name that the
    /// program which fetched it gives it.
    pub name: String,
    /// Bytes.
    pub size: u64,
}
