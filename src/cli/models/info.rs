//! `parlor models info`: everything that a model's file tells, and how it
//! would run here.

use super::{find, possible_gpus, verdict};
use crate::chat::size::bytes;
use crate::chat::text::one_line;
use crate::cli::{Fail, output};
use crate::config::{Config, machine};
use crate::gguf::{self, Sheet};
use crate::protocol::library::{Fit, FoundModel, Listed};
use serde_json::{Value, json};
use std::path::Path;

/// Characters of a template that are shown.
const TEMPLATE: usize = 2000;

pub fn run(config: &Config, named: &Path, json: bool) -> Result<(), Fail> {
    let model = find(config, named)?;
    let header = gguf::whole(&model.path)
        .map_err(|e| Fail::Failed(format!("{}: {e}", model.path.display())))?;
    let sheet = gguf::sheet(&header);
    let mut here = machine::machine(possible_gpus());
    machine::record().tell(&mut here);
    let tuning = machine::tuning(config, &model);
    let listed = Listed {
        fit: crate::models::fit(&model, &here, &tuning),
        used: None,
        model,
    };
    match json {
        true => output::print_json(&object(&listed, &sheet)),
        false => output::print(&text(&listed, &sheet)),
    }
}

fn object(listed: &Listed, sheet: &Sheet) -> Value {
    let mut object = serde_json::to_value(sheet).unwrap_or_default();
    let model = &listed.model;
    object["path"] = json!(model.path);
    object["files"] = json!(model.parts);
    object["source"] = json!(model.source);
    object["size"] = json!(model.size);
    object["projector_file"] = json!(model.projector);
    object["extras"] = json!(model.extras);
    object["verdict"] = json!(verdict(listed));
    object["fit"] = match &listed.fit {
        Some(Ok(fit)) => json!(fit),
        Some(Err(why)) => json!({"problem": why}),
        None => Value::Null,
    };
    object
}

fn text(listed: &Listed, sheet: &Sheet) -> String {
    let mut lines = Lines::default();
    let model = &listed.model;
    lines.add("name", &sheet.name);
    lines.add("file", &model.path.display().to_string());
    if model.parts.len() > 1 {
        lines.add("files", &format!("{} parts", model.parts.len()));
    }
    lines.add("size", &bytes(model.size));
    measures(&mut lines, sheet);
    words(&mut lines, sheet);
    belongs(&mut lines, model);
    match &listed.fit {
        Some(Ok(fit)) => here(&mut lines, fit),
        Some(Err(why)) => lines.add("here", why),
        None => {}
    }
    if let Some(template) = &sheet.template {
        let shown: String = template.chars().take(TEMPLATE).collect();
        let rest = template.chars().count().saturating_sub(TEMPLATE);
        lines.0 += &format!("\ntemplate\n{shown}\n");
        if rest > 0 {
            lines.0 += &format!("… and {rest} characters more; --json prints all\n");
        }
    }
    lines.0
}

fn measures(lines: &mut Lines, sheet: &Sheet) {
    lines.add("architecture", &sheet.architecture);
    lines.add("parameters", &sheet.parameters.to_string());
    lines.add("quantised", &sheet.quantization);
    for share in &sheet.tensors {
        let words = format!("{} tensors, {}", share.count, bytes(share.bytes));
        lines.add(&format!("  {}", share.name), &words);
    }
    lines.number("layers", sheet.layers);
    if sheet.heads > 0 {
        lines.add(
            "heads",
            &format!("{}, {} of keys and values", sheet.heads, sheet.kv_heads),
        );
    }
    lines.number("embedding", sheet.embedding);
    lines.number("feed-forward", sheet.feed_forward);
    if sheet.experts > 0 {
        lines.add(
            "experts",
            &format!("{}, {} for each token", sheet.experts, sheet.experts_used),
        );
    }
    lines.number("context", sheet.context);
    lines.number("window", sheet.window);
    let rope = &sheet.rope;
    let mut parts = Vec::new();
    parts.extend(rope.base.map(|n| format!("base {n}")));
    parts.extend(rope.scaling.as_ref().map(|s| format!("{s} scaling")));
    parts.extend(rope.factor.map(|n| format!("factor {n}")));
    parts.extend(rope.original_context.map(|n| format!("{n} tokens before")));
    lines.add("rope", &parts.join(", "));
}

fn words(lines: &mut Lines, sheet: &Sheet) {
    let tokenizer = [sheet.tokenizer.as_str(), sheet.pre_tokenizer.as_str()];
    let tokenizer = tokenizer.iter().filter(|t| !t.is_empty());
    lines.add(
        "vocabulary",
        &format!(
            "{} tokens ({})",
            sheet.vocabulary,
            tokenizer.copied().collect::<Vec<_>>().join(", ")
        ),
    );
    let special = &sheet.special_tokens;
    let ids = [
        ("bos", special.bos),
        ("eos", special.eos),
        ("eot", special.eot),
        ("pad", special.pad),
        ("unk", special.unk),
    ];
    let ids = ids
        .iter()
        .filter_map(|(name, id)| id.map(|id| format!("{name} {id}")));
    lines.add("special", &ids.collect::<Vec<_>>().join(", "));
    let abilities = sheet.abilities.iter().map(|a| {
        let word = serde_json::to_value(a).unwrap_or_default();
        word.as_str().unwrap_or_default().to_string()
    });
    lines.add("can", &abilities.collect::<Vec<_>>().join(", "));
    lines.add("licence", &sheet.license);
    lines.add("languages", &sheet.languages.join(", "));
    lines.add("author", &sheet.author);
    lines.add("quantised by", &sheet.quantized_by);
    lines.add("base model", &sheet.base_model);
    lines.add("address", &sheet.url);
    if let Some(adapter) = &sheet.adapter {
        let alpha = adapter
            .alpha
            .map_or(String::new(), |a| format!(", alpha {a}"));
        lines.add(
            "adapter",
            &format!("{}, rank {}{alpha}", adapter.method, adapter.rank),
        );
    }
    if let Some(projector) = &sheet.projector {
        lines.add("projector", &projector.method);
    }
}

fn belongs(lines: &mut Lines, model: &FoundModel) {
    if let Some(projector) = &model.projector {
        lines.add("eyes or ears", &projector.display().to_string());
    }
    let Some(extras) = &model.extras else { return };
    lines.add("its system", extras.system.as_deref().unwrap_or_default());
    for (name, value) in &extras.parameters {
        lines.add(&format!("  {name}"), value);
    }
    for adapter in &extras.adapters {
        lines.add("its adapter", &adapter.display().to_string());
    }
}

fn here(lines: &mut Lines, fit: &Fit) {
    let place = super::words(fit.verdict);
    let speed = fit
        .speed
        .map_or(String::new(), |s| format!(", about {s:.0} tokens/s"));
    lines.add("here", &format!("{place}{speed}"));
    lines.add(
        "memory",
        &format!(
            "{}: weights {}, cache {}, computing {}",
            bytes(fit.total()),
            bytes(fit.weights),
            bytes(fit.cache),
            bytes(fit.compute)
        ),
    );
    lines.add(
        "context here",
        &format!("{} tokens; {} would fit", fit.context, fit.largest_context),
    );
}

/// Lines of a name and a value; without a value there is none.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0 += &format!("{name:<14} {}\n", one_line(value, 500));
        }
    }

    fn number(&mut self, name: &str, value: u32) {
        if value > 0 {
            self.add(name, &value.to_string());
        }
    }
}
