//! Why a command did not do what it was asked, and the exit code for it.

use crate::chat::text::sanitise;
use std::process::ExitCode;

/// One sentence for people, and what kind of failure it is.
#[derive(Debug, thiserror::Error)]
pub enum Fail {
    /// It was tried and did not work: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// It was asked in a wrong way: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Ctrl+C: exit code 130.
    #[error("interrupted")]
    Interrupted,
    /// The output was already a report: exit code 1 and nothing more to say.
    #[error("")]
    Reported,
}

impl Fail {
    pub fn failed(words: impl std::fmt::Display) -> Self {
        Self::Failed(words.to_string())
    }

    /// Says it on standard error and gives the exit code.
    pub fn report(self) -> ExitCode {
        let code = match &self {
            Fail::Failed(words) | Fail::Usage(words) => {
                eprintln!("parlor: {}", sanitise(words));
                if matches!(self, Fail::Usage(_)) { 2 } else { 1 }
            }
            Fail::Interrupted => 130,
            Fail::Reported => 1,
        };
        // Leaves at once: threads that wait for standard input would hold a
        // normal exit back.
        std::process::exit(code)
    }
}

impl From<crate::config::ConfigError> for Fail {
    fn from(error: crate::config::ConfigError) -> Self {
        Fail::Failed(format!(
            "{error}; `parlor config check` checks the file again"
        ))
    }
}

impl From<crate::chat::sampling::SettingError> for Fail {
    fn from(error: crate::chat::sampling::SettingError) -> Self {
        Fail::Usage(error.to_string())
    }
}
