//! Takes over what Ollama keeps beside a model: its system prompt and values.

use crate::app::state::State;
use crate::chat::sampling::Setting;
use crate::protocol::library::Extras;

/// Ollama's names of values, and ours.
const NAMES: &[(&str, &str)] = &[
    ("temperature", "temperature"),
    ("top_k", "top-k"),
    ("top_p", "top-p"),
    ("min_p", "min-p"),
    ("repeat_penalty", "repeat-penalty"),
    ("repeat_last_n", "repeat-last"),
    ("seed", "seed"),
    ("num_predict", "max-tokens"),
];

/// Sets what there is, and says what was set and what was left.
pub(super) fn take(state: &mut State, extras: &Extras) -> String {
    let mut taken = Vec::new();
    let mut left = Vec::new();
    if let Some(system) = &extras.system {
        state.settings.system.clone_from(system);
        taken.push("the system prompt".to_string());
    }
    let mut stops = Vec::new();
    for (name, value) in &extras.parameters {
        if name == "stop" {
            stops.push(value.clone());
            continue;
        }
        let known = NAMES.iter().find(|(theirs, _)| theirs == name);
        let set = known
            .and_then(|(_, ours)| Setting::find(ours).ok())
            .is_some_and(|s| s.set(&mut state.settings.sampling, value).is_ok());
        match set {
            true => taken.push(format!("{name} {value}")),
            false => left.push(name.clone()),
        }
    }
    if !stops.is_empty() {
        taken.push(format!("{} stop strings", stops.len()));
        state.settings.sampling.stop = stops;
    }
    match (taken.is_empty(), left.is_empty()) {
        (true, true) => "Nothing is kept beside that model.".into(),
        (true, false) => format!(
            "Not taken, for Parlor has no such value: {}.",
            left.join(", ")
        ),
        (false, true) => format!("Taken: {}.", taken.join(", ")),
        (false, false) => format!(
            "Taken: {}. Parlor has no such value: {}.",
            taken.join(", "),
            left.join(", ")
        ),
    }
}
