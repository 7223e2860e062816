//! The library with a verdict for each model: how it would run here.

use super::record::Record;
use crate::fit;
use crate::protocol::library::{CatalogEntry, Fit, FoundModel, Kind, Listed, Machine};
use crate::protocol::tuning::Tuning;

/// The short list that comes with the program.
const CATALOG: &str = include_str!("../../assets/catalog.toml");

#[derive(serde::Deserialize)]
struct Catalog {
    model: Vec<CatalogEntry>,
}

/// Models for people who do not know what to choose, small to large.
pub fn catalog() -> Vec<CatalogEntry> {
    // Held by a test: the file is sound.
    toml::from_str::<Catalog>(CATALOG).map_or_else(|_| Vec::new(), |c| c.model)
}

/// How a model would run, where it is one that runs by itself.
pub fn fit(model: &FoundModel, machine: &Machine, tuning: &Tuning) -> Option<Result<Fit, String>> {
    let card = model.card.as_ref().ok()?;
    match card.kind {
        Kind::Chat | Kind::Embedding | Kind::Reranker => {
            Some(fit::plan(card, machine, tuning).map_err(|e| e.to_string()))
        }
        Kind::Adapter | Kind::Mmproj => None,
    }
}

/// Every model with its verdict. `tuning` tells how a model is to be loaded.
pub fn list(
    found: Vec<FoundModel>,
    machine: &Machine,
    record: &Record,
    tuning: impl Fn(&FoundModel) -> Tuning,
) -> Vec<Listed> {
    let mut known = machine.clone();
    record.tell(&mut known);
    found
        .into_iter()
        .map(|model| Listed {
            fit: fit(&model, &known, &tuning(&model)),
            used: record.used(&model.path),
            model,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_is_sound_small_to_large_and_of_every_kind() {
        let catalog = catalog();
        assert!(catalog.len() >= 10);
        assert!(catalog.is_sorted_by_key(|e| e.size));
        for kind in ["text", "vision", "audio", "embedding"] {
            assert!(catalog.iter().any(|e| e.kind == kind), "{kind}");
        }
        for entry in &catalog {
            assert_eq!(entry.repo.split('/').count(), 2, "{}", entry.repo);
            assert!(entry.source.contains("huggingface.co") || entry.source.contains('/'));
        }
    }
}
