//! LoRA files laid over the model, by command.

use super::effect::Effect;
use super::state::State;
use super::talk::Tone;
use super::turn::Engine;
use crate::protocol::engine::Adapter;
use std::path::Path;

/// `/adapter` alone says what lies over the model; `none` takes all off; files,
/// each with `:SCALE` where it should not count fully, take their place.
pub(super) fn command(state: &mut State, rest: &str) -> Vec<Effect> {
    let wanted = match rest.trim() {
        "" => {
            state.talk.notice(Tone::Plain, said(state));
            return Vec::new();
        }
        "none" => Ok(Vec::new()),
        files => split(files).iter().map(|file| adapter(file)).collect(),
    };
    match wanted {
        Ok(wanted) => vec![Effect::Adapt(wanted)],
        Err(words) => {
            state.talk.notice(Tone::Problem, words);
            Vec::new()
        }
    }
}

fn said(state: &State) -> String {
    let laid = match &state.engine {
        Engine::Ready(facts) => facts.adapters.as_slice(),
        Engine::NoModel | Engine::Loading(_) | Engine::Failed | Engine::Down | Engine::Resting => {
            &[]
        }
    };
    let how = "/adapter FILE lays one over the model, /adapter FILE:0.5 half as strongly, several with spaces between, /adapter none takes all off.";
    match laid {
        [] => format!("No adapter lies over the model. {how}"),
        laid => format!("Over the model: {}. {how}", names(laid)),
    }
}

/// Names of files and scales, for people.
pub fn names(adapters: &[Adapter]) -> String {
    let name = |path: &Path| {
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        stem.to_string_lossy().into_owned()
    };
    let named = adapters.iter().map(|a| match a.scale == 1.0 {
        true => name(&a.path),
        false => format!("{} × {}", name(&a.path), a.scale),
    });
    named.collect::<Vec<_>>().join(" + ")
}

/// Words, with quotes around those that hold spaces.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    words
}

/// `FILE` or `FILE:SCALE`; a colon with no number after it belongs to the path.
pub fn adapter(written: &str) -> Result<Adapter, String> {
    let whole = || Adapter {
        path: written.into(),
        scale: 1.0,
    };
    match written.rsplit_once(':') {
        Some((path, scale)) if !path.is_empty() => match scale.parse::<f32>() {
            Ok(scale) if scale.is_finite() => Ok(Adapter {
                path: path.into(),
                scale,
            }),
            Ok(_) => Err(format!("The scale of {path} must be a number.")),
            Err(_) => Ok(whole()),
        },
        _ => Ok(whole()),
    }
}

/// What the engine answered.
pub(super) fn adapted(state: &mut State, laid: Result<Vec<Adapter>, String>) {
    match laid {
        Ok(laid) => {
            let words = match laid.as_slice() {
                [] => "No adapter lies over the model now.".to_string(),
                laid => format!("Over the model now: {}.", names(laid)),
            };
            let again = match state.usage.prompt_tokens {
                0 => "",
                _ => " The conversation is read again with the next message.",
            };
            if let Engine::Ready(facts) = &mut state.engine {
                facts.adapters = laid;
            }
            state.talk.notice(Tone::Plain, format!("{words}{again}"));
        }
        Err(why) => {
            let words = format!("The adapters stay as they were: {why}.");
            state.talk.notice(Tone::Problem, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_is_a_file_and_perhaps_a_scale() {
        let half = adapter("/a/b.gguf:0.5").unwrap();
        assert_eq!((half.path.to_str(), half.scale), (Some("/a/b.gguf"), 0.5));
        assert_eq!(adapter("C:\\b.gguf").unwrap().scale, 1.0);
        assert!(adapter("b.gguf:inf").is_err());
        assert_eq!(split("'a b' c"), ["a b", "c"]);
    }
}
