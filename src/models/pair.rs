//! Finds the projector that belongs to a model: the eyes or ears that it was
//! trained with, in a file of their own.
//!
//! A projector belongs to a model of the same repository, or else of the same
//! folder, whose embedding is as wide as what the projector hands on, and
//! which has the same name as far as both have one. Of several that fit, the
//! nearest folder counts, then the more exact name, then 16-bit floats before
//! other types.

use super::name;
use crate::protocol::library::{Card, FoundModel, Kind};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Letters below which a name says nothing.
const SAYING: usize = 3;

/// Gives each chat model its projector. What a person paired comes first, then
/// what the program that keeps the model says.
pub(super) fn pair(models: &mut [FoundModel], paired: &[(PathBuf, PathBuf)]) {
    let by_hand = by_hand(paired);
    let found: Vec<Option<PathBuf>> = models.iter().map(|m| choose(m, models, &by_hand)).collect();
    for (model, projector) in models.iter_mut().zip(found) {
        model.projector = projector.or(model.projector.take());
    }
}

/// Pairs whose projector is there, the model's path canonical.
fn by_hand(paired: &[(PathBuf, PathBuf)]) -> Vec<(PathBuf, &Path)> {
    let there = paired.iter().filter(|(_, projector)| projector.is_file());
    there
        .filter_map(|(model, projector)| Some((fs::canonicalize(model).ok()?, projector.as_path())))
        .collect()
}

fn choose(model: &FoundModel, all: &[FoundModel], by_hand: &[(PathBuf, &Path)]) -> Option<PathBuf> {
    if !by_hand.is_empty() {
        let real = |path: &PathBuf| fs::canonicalize(path).ok();
        let files: Vec<PathBuf> = model.parts.iter().filter_map(real).collect();
        let pair = by_hand.iter().find(|(path, _)| files.contains(path));
        if let Some((_, projector)) = pair {
            return Some(projector.to_path_buf());
        }
    }
    let card = model.card.as_ref().ok().filter(|c| c.kind == Kind::Chat)?;
    if model.projector.is_some() {
        return None;
    }
    let eyes = all.iter().filter_map(|eye| {
        let of = eye.card.as_ref().ok().filter(|c| c.kind == Kind::Mmproj)?;
        Some((fit(model, card, eye, of, all)?, eye))
    });
    let best = eyes.max_by(|(a, x), (b, y)| a.cmp(b).then_with(|| y.path.cmp(&x.path)))?;
    Some(best.1.path.clone())
}

/// How well a projector fits, greater being better; `None` when it does not.
type Fit = (bool, bool, u8);

fn fit(
    model: &FoundModel,
    card: &Card,
    eye: &FoundModel,
    of: &Card,
    all: &[FoundModel],
) -> Option<Fit> {
    let same_folder = model.path.parent() == eye.path.parent();
    let same_repo = match (&model.repo, &eye.repo) {
        (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => true,
        (Some(_), Some(_)) => return None,
        _ => false,
    };
    let known = of.projection != 0 && card.shape.embedding != 0;
    let fits = !known || of.projection == card.shape.embedding;
    if !fits || !(same_repo || same_folder) {
        return None;
    }
    let akin = akin(model, card, eye, of);
    let sure = match akin {
        Some(akin) => akin || same_repo,
        None => same_repo || (known && alone(model, card, all)),
    };
    sure.then(|| (same_folder, akin == Some(true), kind_rank(&eye.name)))
}

/// Whether the names agree; `None` when the projector has none that says
/// something.
fn akin(model: &FoundModel, card: &Card, eye: &FoundModel, of: &Card) -> Option<bool> {
    let plain = family(&eye.name);
    let theirs = [of.base.as_str(), of.title.as_str(), plain.as_str()].map(squeezed);
    let theirs: Vec<&String> = theirs.iter().filter(|n| n.len() >= SAYING).collect();
    if theirs.is_empty() {
        return None;
    }
    let own = family(&model.name);
    let ours = [own.as_str(), card.title.as_str(), card.base.as_str()].map(squeezed);
    let mut ours = ours.iter().filter(|n| n.len() >= SAYING);
    Some(ours.any(|o| theirs.iter().any(|t| o.contains(*t) || t.contains(o))))
}

/// Whether all chat models in the model's folder that the projector could fit
/// by its width are one model, in different quantizations.
fn alone(model: &FoundModel, card: &Card, all: &[FoundModel]) -> bool {
    let same = |other: &&FoundModel| {
        let chat = other.card.as_ref().ok().filter(|c| c.kind == Kind::Chat);
        chat.is_some_and(|c| c.shape.embedding == card.shape.embedding)
            && other.path.parent() == model.path.parent()
    };
    let families = all.iter().filter(same).map(|m| squeezed(&family(&m.name)));
    families.collect::<HashSet<_>>().len() == 1
}

/// A model's name without quantization, and without words that only say that
/// a file is a projector.
fn family(name: &str) -> String {
    let quant = name::quant_of(name).unwrap_or_default().to_lowercase();
    let name = name.to_lowercase();
    let name = match name.rfind(&quant).filter(|_| !quant.is_empty()) {
        Some(at) => format!("{}{}", &name[..at], &name[at + quant.len()..]),
        None => name.replace("fp16", "").replace("fp32", ""),
    };
    let words = name.split(['-', '_', '.', ' ']);
    let said = words
        .filter(|w| !["mmproj", "model", "projector", "vision", "clip", "gguf", ""].contains(w));
    said.collect::<Vec<_>>().join("-")
}

/// Letters and digits alone, in lower case.
fn squeezed(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

fn kind_rank(name: &str) -> u8 {
    match name::quant_of(name).as_deref() {
        Some("F16") => 4,
        Some("BF16") => 3,
        Some("Q8_0") => 2,
        Some("F32") => 1,
        _ => 0,
    }
}
