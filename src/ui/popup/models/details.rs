//! What is known of a model, in some lines.

use crate::app::State;
use crate::app::layer::ModelRow;
use crate::chat::size::bytes;
use crate::chat::text::one_line;
use crate::protocol::library::{Ability, Card, Fit, Listed, Verdict};
use crate::ui::text::fit;

/// Lines about the chosen row.
pub fn of(row: &ModelRow<'_>, state: &State, width: usize) -> Vec<String> {
    let lines = match row {
        ModelRow::Found(listed) => found(listed, state),
        ModelRow::Catalog(entry) => vec![
            format!("{}: {}", entry.name, entry.good_for),
            format!("{}  {} parameters, {}", entry.repo, entry.parameters, entry.licence),
            "Enter fetches it into Parlor's own folder, while the chat goes on.".into(),
        ],
        ModelRow::Repo(repo) => vec![
            repo.repo.clone(),
            "Enter fetches the quantisation that suits this machine; type OWNER/REPO:QUANT for another.".into(),
        ],
        ModelRow::Fetch(_) => {
            vec!["Enter fetches it into Parlor's own folder, while the chat goes on.".into()]
        }
        ModelRow::Pull(pull) => vec![
            pull.progress
                .as_ref()
                .map(|p| format!("{} of {}  {}", bytes(p.done), bytes(p.total), p.name))
                .unwrap_or_default(),
            "Enter pauses and goes on; Ctrl+X ends it, and what came is kept.".into(),
        ],
        ModelRow::File => vec!["Any .gguf file: it is used where it is.".into()],
        ModelRow::Starter => vec!["Inside the program, 5 MB; it needs no other file.".into()],
    };
    let lines = lines.into_iter().filter(|l| !l.is_empty());
    lines.map(|l| fit(&one_line(&l, 400), width)).collect()
}

fn found(listed: &Listed, state: &State) -> Vec<String> {
    let model = &listed.model;
    let path = model.path.display().to_string();
    let card = match &model.card {
        Ok(card) => card,
        Err(why) => return vec![path, format!("Cannot be used: {why}")],
    };
    let mut lines = vec![path, about(card)];
    match &listed.fit {
        Some(Ok(fit)) => lines.extend(memory(fit)),
        Some(Err(why)) => lines.push(why.clone()),
        None => {}
    }
    if let Some(projector) = &model.projector {
        let name = projector.file_name().unwrap_or_default().to_string_lossy();
        lines.push(format!("Its eyes or ears: {name}."));
    }
    if let Some(extras) = &model.extras {
        if let Some(system) = &extras.system {
            lines.push(format!("Its own system prompt (Ctrl+S takes it): {system}"));
        }
        if !extras.parameters.is_empty() {
            let pairs = extras.parameters.iter().map(|(n, v)| format!("{n} {v}"));
            lines.push(format!(
                "Its own values (Ctrl+S takes them): {}",
                pairs.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    if state.model.as_ref() != Some(&model.path) {
        lines.extend(state.reread_cost(Some(model.size)));
    }
    lines
}

fn about(card: &Card) -> String {
    let can: Vec<&str> = card.abilities.iter().map(|a| ability(*a)).collect();
    format!(
        "{}, {} parameters, {}, trained for {} tokens{}{}",
        card.architecture,
        count(card.parameters),
        card.quantization,
        card.context,
        if can.is_empty() { "" } else { "; " },
        can.join(", ")
    )
}

fn memory(fit: &Fit) -> Vec<String> {
    let place = match fit.verdict {
        Verdict::Gpu => "wholly on the GPU".to_string(),
        Verdict::Partly => format!("{} of {} layers on the GPU", fit.gpu_layers, fit.layers + 1),
        Verdict::Memory => "on the processor".to_string(),
        Verdict::TooBig => "nowhere".to_string(),
    };
    let speed = fit
        .speed
        .map_or(String::new(), |s| format!(", about {s:.0} tok/s"));
    vec![
        format!(
            "Takes {}: weights {}, cache {}, computing {}.",
            bytes(fit.total()),
            bytes(fit.weights),
            bytes(fit.cache),
            bytes(fit.compute)
        ),
        format!(
            "Runs {place}{speed}, with a context of {} tokens; {} would fit.",
            fit.context, fit.largest_context
        ),
    ]
}

/// A word for what a model can do.
fn ability(ability: Ability) -> &'static str {
    match ability {
        Ability::Chat => "chat",
        Ability::Vision => "sees",
        Ability::Audio => "hears",
        Ability::Embedding => "compares texts",
        Ability::Reasoning => "thinks first",
        Ability::Tools => "uses tools",
    }
}

/// A number of parameters as people read it.
fn count(n: u64) -> String {
    match n {
        0..1_000_000_000 => format!("{} M", n / 1_000_000),
        _ => format!("{:.1} B", n as f64 / 1e9),
    }
}

/// Seconds as people read them.
pub fn time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
