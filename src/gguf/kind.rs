//! What a file is for and what its model can do, by the signs in its header.

use super::error::GgufError;
use super::header::Header;
use super::value::Value;
use crate::protocol::library::{Ability, Kind};

/// Models that only make vectors (`llama-arch.cpp`).
const EMBEDDING: &[&str] = &[
    "bert",
    "modern-bert",
    "nomic-bert",
    "nomic-bert-moe",
    "neo-bert",
    "jina-bert-v2",
    "jina-bert-v3",
    "eurobert",
    "gemma-embedding",
    "llama-embed",
    "t5encoder",
];
/// Models that make pictures or films, as ComfyUI-GGUF names them.
const PICTURES: &[&str] = &[
    "flux",
    "sd1",
    "sdxl",
    "sd3",
    "aura",
    "hidream",
    "cosmos",
    "ltxv",
    "hyvid",
    "wan",
    "lumina2",
    "qwen_image",
];
/// Models that guess ahead for a larger one.
const DRAFTS: &[&str] = &["eagle3", "dflash", "gemma4-assistant"];
/// Signs in a template that the model thinks before it answers; see
/// `chat::reasoning`, which tells the parts of the answer by the same.
const THINKING: &[&str] = &[
    "<think>",
    "</think>",
    "<thinking>",
    "<reasoning>",
    "<thought>",
    "[THINK]",
    "<seed:think>",
    "<|begin_of_thought|>",
    "<|START_THINKING|>",
    "<|channel|>analysis",
    "<|channel>thought",
    "enable_thinking",
    "reasoning_content",
];
/// Values of `pooling_type` (`llama_pooling_type`).
const POOLED: std::ops::RangeInclusive<u64> = 1..=3;
const RANK: u64 = 4;

const TEMPLATE: &str = "tokenizer.chat_template";

/// What a file is for.
pub fn kind(header: &Header) -> Kind {
    let architecture = header.architecture();
    let general_type = header.text("general.type").unwrap_or_default();
    if general_type == "adapter" || header.value("adapter.type").is_some() {
        return Kind::Adapter;
    }
    if general_type == "mmproj" || architecture == "clip" {
        return Kind::Mmproj;
    }
    let pooling = header.own("pooling_type").and_then(Value::number);
    let ranks = |name| header.tensor(name).is_some();
    if pooling == Some(RANK) || ranks("cls.output.weight") || ranks("cls.weight") {
        return Kind::Reranker;
    }
    let pooled = pooling.is_some_and(|n| POOLED.contains(&n));
    // Some embedding models keep the template of the chat model they come from.
    let pooled = pooled && (!has_template(header) || is_named_embedding(header));
    match pooled || EMBEDDING.contains(&architecture) {
        true => Kind::Embedding,
        false => Kind::Chat,
    }
}

fn is_named_embedding(header: &Header) -> bool {
    let named = |key| {
        let name = header.text(key).unwrap_or_default();
        name.to_ascii_lowercase().contains("embed")
    };
    named("general.name") || named("general.basename") || named("general.finetune")
}

/// Whether a file can be of use at all, beside what its kind says: importance
/// matrices, vocabularies and models for other programs are GGUF too.
pub fn check(header: &Header) -> Result<(), GgufError> {
    let other = |what, advice| Err(GgufError::NotAModel { what, advice });
    let architecture = header.architecture();
    let general_type = header.text("general.type").unwrap_or_default();
    if general_type == "imatrix" {
        return other(
            "an importance matrix, made for quantizing",
            "choose the model itself",
        );
    }
    if architecture == "controlvector" {
        return other("a control vector and no model", "choose a model");
    }
    if PICTURES.contains(&architecture) {
        return other(
            "a model that makes pictures",
            "choose a language model; ComfyUI runs this one",
        );
    }
    if DRAFTS.contains(&architecture) {
        return other(
            "a draft model, which guesses ahead for a larger one",
            "choose the larger one",
        );
    }
    let whole = header.number("split.count").unwrap_or(0) <= 1;
    if header.tensors.is_empty() && whole {
        return other("a vocabulary without a model", "choose the model itself");
    }
    Ok(())
}

/// What a model of this kind can do.
pub fn abilities(header: &Header, kind: Kind) -> Vec<Ability> {
    match kind {
        Kind::Chat => {
            let mut abilities = vec![Ability::Chat];
            let says = |sign: &str| templates(header).any(|t| t.contains(sign));
            if THINKING.iter().any(|sign| says(sign)) {
                abilities.push(Ability::Reasoning);
            }
            if says("tools") {
                abilities.push(Ability::Tools);
            }
            abilities
        }
        Kind::Embedding => vec![Ability::Embedding],
        Kind::Mmproj => senses(header),
        Kind::Reranker | Kind::Adapter => Vec::new(),
    }
}

/// The senses that a projector gives.
fn senses(header: &Header) -> Vec<Ability> {
    let flag = |key| header.flag(key);
    let audio = flag("clip.has_audio_encoder").unwrap_or(false);
    // Old files say nothing, and are all for pictures.
    let vision = flag("clip.has_vision_encoder").unwrap_or(!audio);
    let both = [(vision, Ability::Vision), (audio, Ability::Audio)];
    let had = both.into_iter().filter(|(has, _)| *has);
    had.map(|(_, ability)| ability).collect()
}

/// Whether there is a chat template, even one too long to keep.
pub fn has_template(header: &Header) -> bool {
    header.value(TEMPLATE).is_some() || template_names(header).next().is_some()
}

/// The default template and the named ones.
fn templates(header: &Header) -> impl Iterator<Item = &str> {
    let named = |key: &str| {
        let rest = key.strip_prefix(TEMPLATE);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let values = header.metadata.iter().filter(move |(key, _)| named(key));
    values.filter_map(|(_, value)| value.text())
}

/// The template that is used where no other is asked for.
pub fn template(header: &Header) -> Option<&str> {
    header.text(TEMPLATE)
}

/// Names of the templates for special uses, for instance `tool_use`.
pub fn template_names(header: &Header) -> impl Iterator<Item = &str> {
    let keys = header.metadata.iter().map(|(key, _)| &**key);
    keys.filter_map(|key| key.strip_prefix(TEMPLATE)?.strip_prefix('.'))
}
