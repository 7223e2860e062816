//! Files to validated values: the configuration, its place, the theme.

pub mod file;
pub mod keys;
pub mod machine;
mod models;
pub mod paths;
pub mod save;
pub mod spec;
pub mod theme;

pub use file::{Config, ConfigError, ConversationsConfig, StartWith, UiConfig};
pub use models::{LibraryConfig, ModelConfig};

/// The commented defaults: the reference, and what a new file starts as.
pub const DEFAULTS: &str = include_str!("../../assets/config.toml");
