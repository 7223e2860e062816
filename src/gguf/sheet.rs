//! A file's sheet: everything that is shown of a model.

use super::card::{LONGEST_NAME, card, first_line, line, types};
use super::error::plain;
use super::facts::{AdapterFacts, ProjectorFacts};
use super::header::Header;
use super::kind::{template, template_names};
use super::layers::Layers;
use super::value::Value;
use crate::protocol::library::{Ability, Card, Kind};
use serde::{Deserialize, Serialize};

/// Everything that is shown of a model. Texts are empty and numbers 0 where
/// the file does not tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    pub name: String,
    pub kind: Kind,
    pub architecture: String,
    pub abilities: Vec<Ability>,
    /// Of the GGUF format.
    pub version: u32,
    /// Bytes.
    pub file_size: u64,
    /// Files that the model is in.
    pub parts: u16,

    pub parameters: u64,
    /// Bytes of the tensors.
    pub weights: u64,
    pub quantization: String,
    pub tensor_count: u64,
    /// By bytes, the most first.
    pub tensors: Vec<TensorShare>,

    pub layers: u32,
    pub heads: u32,
    /// Heads of keys and values; the most of all layers.
    pub kv_heads: u32,
    /// Tokens.
    pub context: u32,
    /// Tokens of the sliding window.
    pub window: u32,
    pub embedding: u32,
    pub feed_forward: u32,
    pub experts: u32,
    pub experts_used: u32,
    pub rope: Rope,

    pub vocabulary: u32,
    /// Kind of the tokenizer: `llama`, `gpt2`, `bert` and others.
    pub tokenizer: String,
    /// How text is cut before it.
    pub pre_tokenizer: String,
    pub special_tokens: SpecialTokens,
    /// The chat template as it stands in the file, control characters and all.
    pub template: Option<String>,
    /// Names of templates for special uses.
    pub templates: Vec<String>,

    pub license: String,
    pub license_link: String,
    pub tags: Vec<String>,
    pub languages: Vec<String>,
    pub author: String,
    pub organization: String,
    pub quantized_by: String,
    pub url: String,
    pub base_model: String,
    pub base_url: String,

    pub adapter: Option<AdapterFacts>,
    pub projector: Option<ProjectorFacts>,
}

/// How places in the text are told to the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    pub base: Option<f64>,
    /// `none`, `linear`, `yarn`, `longrope`.
    pub scaling: Option<String>,
    pub factor: Option<f64>,
    /// Tokens of context before it was stretched.
    pub original_context: Option<u64>,
    /// Numbers of a head that are turned.
    pub dimensions: Option<u64>,
}

/// Numbers of tokens with a meaning of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialTokens {
    pub bos: Option<u64>,
    pub eos: Option<u64>,
    pub eot: Option<u64>,
    pub pad: Option<u64>,
    pub unk: Option<u64>,
}

/// How many tensors are of one number type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorShare {
    pub name: String,
    pub count: u64,
    pub bytes: u64,
}

/// All that a header tells.
pub fn sheet(header: &Header) -> Sheet {
    let sheet = of_card(card(header), header);
    let layers = Layers::of(header);
    let list = |key| {
        let texts = header.texts(key).unwrap_or_default();
        texts.iter().map(|t| plain(t, LONGEST_NAME)).collect()
    };
    Sheet {
        version: header.version,
        file_size: header.file_size,
        tensor_count: header.tensors.len() as u64,
        tensors: shares(header),
        kv_heads: layers.kv_heads.iter().copied().max().unwrap_or(0),
        rope: rope(header),
        tokenizer: line(header, "tokenizer.ggml.model"),
        pre_tokenizer: line(header, "tokenizer.ggml.pre"),
        special_tokens: special_tokens(header),
        template: template(header).map(str::to_string),
        templates: template_names(header)
            .map(|name| plain(name, LONGEST_NAME))
            .collect(),
        license: line(header, "general.license"),
        license_link: line(header, "general.license.link"),
        tags: list("general.tags"),
        languages: list("general.languages"),
        author: line(header, "general.author"),
        organization: line(header, "general.organization"),
        quantized_by: line(header, "general.quantized_by"),
        url: first_line(
            header,
            &["general.url", "general.repo_url", "general.source.url"],
        ),
        base_url: first_line(
            header,
            &["general.base_model.0.repo_url", "general.base_model.0.url"],
        ),
        ..sheet
    }
}

/// What the card has too.
fn of_card(card: Card, header: &Header) -> Sheet {
    Sheet {
        adapter: (card.kind == Kind::Adapter).then(|| AdapterFacts::of(header)),
        projector: (card.kind == Kind::Mmproj).then(|| ProjectorFacts::of(header, card.projection)),
        name: card.title,
        kind: card.kind,
        architecture: card.architecture,
        abilities: card.abilities,
        parts: card.split,
        parameters: card.parameters,
        weights: card.weights,
        quantization: card.quantization,
        layers: card.shape.layers,
        heads: card.shape.heads,
        context: card.context,
        window: card.shape.window,
        embedding: card.shape.embedding,
        feed_forward: card.shape.feed_forward,
        experts: card.shape.experts,
        experts_used: card.shape.experts_used,
        vocabulary: card.shape.vocabulary,
        base_model: card.base,
        ..Sheet::default()
    }
}

fn shares(header: &Header) -> Vec<TensorShare> {
    let share = |(name, count, bytes): (&str, u64, u64)| TensorShare {
        name: name.to_string(),
        count,
        bytes,
    };
    types(header).into_iter().map(share).collect()
}

fn rope(header: &Header) -> Rope {
    let float = |key| header.own(key).and_then(Value::float);
    let number = |key| header.own(key).and_then(Value::number);
    let scaling = header.own("rope.scaling.type").and_then(Value::text);
    Rope {
        base: float("rope.freq_base"),
        scaling: scaling.map(|text| plain(text, LONGEST_NAME)),
        factor: float("rope.scaling.factor").or_else(|| float("rope.scale_linear")),
        original_context: number("rope.scaling.original_context_length"),
        dimensions: number("rope.dimension_count"),
    }
}

fn special_tokens(header: &Header) -> SpecialTokens {
    let token = |name| header.number(&format!("tokenizer.ggml.{name}_token_id"));
    SpecialTokens {
        bos: token("bos"),
        eos: token("eos"),
        eot: token("eot"),
        pad: token("padding"),
        unk: token("unknown"),
    }
}
