//! What only adapters and only projectors have to tell.

use super::card::{LONGEST_NAME, line, projector};
use super::error::plain;
use super::header::Header;
use serde::{Deserialize, Serialize};

/// What only adapters have. The architecture is that of their base model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AdapterFacts {
    /// `lora`.
    pub method: String,
    pub alpha: Option<f64>,
    /// Width of its matrices; the largest.
    pub rank: u64,
}

/// What only projectors have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectorFacts {
    /// For instance `gemma3`.
    pub method: String,
    /// The width that it hands to the model.
    pub projection: u32,
    /// Layers of its own, for pictures or else for sound.
    pub layers: u64,
    /// Points along a side of a picture, and of the squares it is cut into.
    pub image_size: u64,
    pub patch_size: u64,
}

impl AdapterFacts {
    pub fn of(header: &Header) -> Self {
        let down = header
            .tensors
            .iter()
            .filter(|t| t.name.ends_with(".lora_a"));
        let ranks = down.filter_map(|t| t.dims.get(1));
        Self {
            method: line(header, "adapter.type"),
            alpha: header.float("adapter.lora.alpha"),
            rank: ranks.copied().max().unwrap_or(0),
        }
    }
}

impl ProjectorFacts {
    /// `projection` is the width that the card names.
    pub fn of(header: &Header, projection: u32) -> Self {
        let number = |key| header.number(key).unwrap_or(0);
        let layers = header.number("clip.vision.block_count");
        Self {
            method: plain(projector(header), LONGEST_NAME),
            projection,
            layers: layers.unwrap_or_else(|| number("clip.audio.block_count")),
            image_size: number("clip.vision.image_size"),
            patch_size: number("clip.vision.patch_size"),
        }
    }
}
