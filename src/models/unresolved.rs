//! Why a reference means no model, in words that say what to write instead.

/// Names that an error shows at most.
const SHOWN: usize = 10;
/// Why no model was found. The message says what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Names with paths.
    #[error("{}", several(.asked, .found))]
    Ambiguous {
        asked: String,
        found: Vec<(String, String)>,
    },
    /// With the nearest names.
    #[error("{}", none(.asked, .near))]
    Unknown { asked: String, near: Vec<String> },
    /// A repository of the hub, with the quantization that was asked for.
    #[error("{} is not on this machine; `parlor pull {}` fetches it", .0, .0)]
    Absent(String),
    /// A model of Ollama's.
    #[error("Ollama has no {0} on this machine; `ollama pull {0}` fetches it")]
    AbsentFromOllama(String),
    /// A file that is in no place where models are looked for.
    #[error("{0} is not among the models of `parlor models list`")]
    Unlisted(String),
    #[error("{name} cannot be used: {why}")]
    Broken { name: String, why: String },
    #[error("{name} is {what}, not a model to chat with")]
    NotChat { name: String, what: &'static str },
}

fn several(asked: &str, found: &[(String, String)]) -> String {
    let mut text = format!(
        "{asked} may be any of {}; write the whole name or the path of one:",
        found.len()
    );
    for (name, path) in found.iter().take(SHOWN) {
        text.push_str(&format!("\n  {name}  ({path})"));
    }
    if let Some(more) = found.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

fn none(asked: &str, near: &[String]) -> String {
    if asked.is_empty() {
        return "no model was named; `parlor models list` shows those that are here".into();
    }
    let near = match near {
        [] => String::new(),
        [name] => format!("; the nearest is {name}"),
        names => format!("; the nearest are {}", names.join(", ")),
    };
    format!(
        "no model here is called {asked}{near}. `parlor models list` shows all, `parlor pull OWNER/REPO` fetches one"
    )
}
