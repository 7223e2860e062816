//! Files to validated values: the configuration, its place, the theme.

pub mod file;
pub mod keys;
pub mod paths;
pub mod save;
pub mod theme;

pub use file::{Config, ConfigError, ConversationsConfig, EngineConfig, StartWith, UiConfig};

/// The commented defaults: the reference, and what a new file starts as.
pub const DEFAULTS: &str = include_str!("../../assets/config.toml");
