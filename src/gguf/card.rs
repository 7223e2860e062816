//! A file's card: what its header says, in short.

use super::error::plain;
use super::header::Header;
use super::kind::{abilities, kind};
use super::layers::cut;
use super::shape::shape;
use super::types::file_type;
use super::value::Value;
use crate::protocol::library::{Card, Kind, Shape};

/// Characters of a name that are shown at most.
pub const LONGEST_NAME: usize = 200;

/// Where projectors keep the width that they hand to the model: their type,
/// a tensor, and which of its dimensions (`clip_n_mmproj_embd` of llama.cpp).
/// Of these types there are files whose `projection_dim` is something else;
/// of all others it is that width.
const PROJECTIONS: &[(&str, &str, usize)] = &[
    ("mlp", "mm.3.bias", 0),
    ("mlp", "mm.2.weight", 1),
    ("ldp", "mm.model.mb_block.1.block.2.1.bias", 0),
    ("ldpv2", "mm.model.peg.0.bias", 0),
    ("resampler", "resampler.proj.weight", 0),
    ("adapter", "adapter.linear.dense_4h_to_h.weight", 1),
    ("qwen2vl_merger", "mm.2.bias", 0),
    ("qwen2.5vl_merger", "mm.2.bias", 0),
    ("gemma3", "mm.input_projection.weight", 0),
];

/// What a header says, in short. Values of a wrong type or beyond reason count
/// as not told.
pub fn card(header: &Header) -> Card {
    let kind = kind(header);
    let (shape, projection) = match kind {
        Kind::Mmproj => (Shape::default(), projection(header)),
        _ => (shape(header), 0),
    };
    let context = header.own("context_length").and_then(Value::number);
    let split = header.number("split.count").unwrap_or(1).max(1);
    Card {
        kind,
        title: line(header, "general.name"),
        architecture: plain(header.architecture(), LONGEST_NAME),
        parameters: header.tensors.iter().map(|t| t.numbers()).sum(),
        quantization: quantization(header),
        context: context.map_or(0, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        weights: header.tensors.iter().map(|t| t.bytes).sum(),
        abilities: abilities(header, kind),
        shape,
        projection,
        base: base(header),
        split: u16::try_from(split).unwrap_or(u16::MAX),
    }
}

/// A text of the metadata in one line; empty when there is none.
pub fn line(header: &Header, key: &str) -> String {
    plain(header.text(key).unwrap_or_default(), LONGEST_NAME)
}

/// The first of these keys that has a text.
pub fn first_line(header: &Header, keys: &[&str]) -> String {
    let mut told = keys.iter().map(|key| line(header, key));
    told.find(|text| !text.is_empty()).unwrap_or_default()
}

/// The file type's name, else that of the type that most of the bytes have.
fn quantization(header: &Header) -> String {
    let stated = header.number("general.file_type").and_then(file_type);
    let seen = || types(header).first().map(|(name, ..)| *name);
    stated.or_else(seen).unwrap_or_default().to_string()
}

/// The types of the tensors, each with how many tensors and bytes have it,
/// the one with most bytes first.
pub fn types(header: &Header) -> Vec<(&'static str, u64, u64)> {
    let mut types: Vec<(&'static str, u64, u64)> = Vec::new();
    for tensor in &header.tensors {
        match types
            .iter_mut()
            .find(|(name, ..)| *name == tensor.kind.name)
        {
            Some((_, count, bytes)) => {
                *count += 1;
                *bytes += tensor.bytes;
            }
            None => types.push((tensor.kind.name, 1, tensor.bytes)),
        }
    }
    types.sort_by_key(|(_, _, bytes)| std::cmp::Reverse(*bytes));
    types
}

/// The type of a projector; old files do not tell theirs.
pub fn projector(header: &Header) -> &str {
    const KEYS: [&str; 3] = [
        "clip.projector_type",
        "clip.vision.projector_type",
        "clip.audio.projector_type",
    ];
    let stated = KEYS.iter().find_map(|key| header.text(key));
    stated.unwrap_or("mlp")
}

fn projection(header: &Header) -> u32 {
    let projector = projector(header);
    let of_tensor = |(name, tensor, dim): &(&str, &str, usize)| {
        let tensor = header.tensor(tensor).filter(|_| *name == projector)?;
        tensor.dims.get(*dim).copied()
    };
    let width = PROJECTIONS.iter().find_map(of_tensor);
    let stated = || {
        let vision = header.number("clip.vision.projection_dim");
        vision.or_else(|| header.number("clip.audio.projection_dim"))
    };
    width.or_else(stated).map_or(0, cut)
}

/// What a model was made from, or an adapter or projector belongs to.
fn base(header: &Header) -> String {
    const KEYS: [&str; 4] = [
        "general.base_model.0.name",
        "general.basename",
        "general.base_model.0.repo_url",
        "general.source.huggingface.repository",
    ];
    first_line(header, &KEYS)
}
