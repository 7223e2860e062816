//! The rows of the popup of models: what is fetched, what is here, what could
//! be fetched.

use super::ModelsLayer;
use crate::app::library::{HubSearch, Pull, PullId};
use crate::app::state::State;
use crate::protocol::hub::FoundRepo;
use crate::protocol::library::{CatalogEntry, Fit, Kind, Listed, Verdict};
use std::cmp::Reverse;

/// A row of the popup.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelRow<'m> {
    Pull(&'m Pull),
    Found(&'m Listed),
    /// What is written names something on the hub, or an address.
    Fetch(String),
    Repo(&'m FoundRepo),
    Catalog(&'m CatalogEntry),
    /// A file whose path is typed.
    File,
    Starter,
}

/// What Enter does with a row, without the state that the row is of.
pub enum Own {
    Pull(PullId),
    Found(Box<Listed>),
    Fetch(String),
    File,
    Starter,
}

impl ModelRow<'_> {
    pub(super) fn own(&self) -> Own {
        match self {
            ModelRow::Pull(pull) => Own::Pull(pull.id),
            ModelRow::Found(model) => Own::Found(Box::new((*model).clone())),
            ModelRow::Fetch(what) => Own::Fetch(what.clone()),
            ModelRow::Repo(repo) => Own::Fetch(repo.repo.clone()),
            ModelRow::Catalog(entry) => Own::Fetch(entry.reference()),
            ModelRow::File => Own::File,
            ModelRow::Starter => Own::Starter,
        }
    }
}

/// By what the models are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    /// Where they run best.
    Fit,
    Size,
    Used,
}

impl Sort {
    pub fn name(self) -> &'static str {
        match self {
            Sort::Name => "name",
            Sort::Fit => "fit",
            Sort::Size => "size",
            Sort::Used => "last used",
        }
    }

    pub(super) fn next(self) -> Self {
        match self {
            Sort::Name => Sort::Fit,
            Sort::Fit => Sort::Size,
            Sort::Size => Sort::Used,
            Sort::Used => Sort::Name,
        }
    }
}

/// The rows that the filter leaves.
pub fn rows<'m>(state: &'m State, layer: &ModelsLayer) -> Vec<ModelRow<'m>> {
    let library = &state.library;
    let words = layer.filter.to_lowercase();
    let words: Vec<&str> = words.split_whitespace().collect();
    let holds = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let mut found: Vec<&Listed> = library
        .models
        .iter()
        .flatten()
        .filter(|m| holds(&searched(m)))
        .collect();
    if layer.pairing.is_some() {
        found.retain(|m| matches!(&m.model.card, Ok(card) if card.kind == Kind::Mmproj));
        let found = found.into_iter().map(ModelRow::Found);
        return found.chain([ModelRow::File]).collect();
    }
    sort(&mut found, layer.sort);
    let written = layer.filter.trim().to_lowercase();
    if !written.is_empty() {
        // What is written whole is what is meant, then what begins so.
        found.sort_by_key(|m| {
            let name = m.model.name.to_lowercase();
            (name != written, !name.starts_with(&written))
        });
    }
    let mut rows: Vec<ModelRow<'_>> = library.pulls.iter().map(ModelRow::Pull).collect();
    rows.extend(found.into_iter().map(ModelRow::Found));
    let written = layer.filter.trim();
    if is_remote(written) {
        rows.push(ModelRow::Fetch(written.to_string()));
    }
    if let HubSearch::Found(repos) = &library.hub {
        rows.extend(repos.iter().map(ModelRow::Repo));
    }
    let catalog = library.catalog.iter().filter(|entry| {
        let here = |m: &Listed| m.model.repo.as_deref() == Some(entry.repo.as_str());
        let text = format!(
            "{} {} {} {}",
            entry.name, entry.repo, entry.kind, entry.good_for
        );
        holds(&text) && !library.models.iter().flatten().any(here)
    });
    rows.extend(catalog.map(ModelRow::Catalog));
    if words.is_empty() {
        rows.push(ModelRow::File);
    }
    if words.is_empty() || holds("starter") {
        rows.push(ModelRow::Starter);
    }
    rows
}

/// Whether what is written can be fetched: `owner/repo…` or an address.
fn is_remote(written: &str) -> bool {
    if written.starts_with("https://") || written.starts_with("http://") {
        return true;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let mut parts = written.split('/');
    let (owner, repo) = (parts.next(), parts.next());
    let sound = |part: Option<&str>| part.is_some_and(|p| !p.is_empty() && p.chars().all(plain));
    sound(owner) && sound(repo) && !written.contains(char::is_whitespace)
}

/// The text of a model that the filter looks in.
fn searched(model: &Listed) -> String {
    let found = &model.model;
    let card = found.card.as_ref().ok();
    format!(
        "{} {} {} {} {}",
        found.name,
        found.repo.as_deref().unwrap_or_default(),
        card.map_or("", |c| c.architecture.as_str()),
        card.map_or("", |c| c.quantization.as_str()),
        card.map_or("", |c| c.title.as_str()),
    )
}

/// Chat models first, then what belongs to them, then what is broken.
fn rank(model: &Listed) -> u8 {
    match &model.model.card {
        Ok(card) => match card.kind {
            Kind::Chat => 0,
            Kind::Adapter => 1,
            Kind::Mmproj | Kind::Embedding | Kind::Reranker => 2,
        },
        Err(_) => 3,
    }
}

fn sort(models: &mut [&Listed], by: Sort) {
    let name = |m: &Listed| m.model.name.to_lowercase();
    match by {
        Sort::Name => models.sort_by_key(|m| (rank(m), name(m))),
        Sort::Size => models.sort_by_key(|m| (rank(m), m.model.size, name(m))),
        Sort::Used => models.sort_by_key(|m| (rank(m), Reverse(m.used), name(m))),
        // Of those that run equally well, the larger is the better.
        Sort::Fit => models.sort_by_key(|m| (rank(m), place(m), Reverse(m.model.size), name(m))),
    }
}

fn place(model: &Listed) -> Verdict {
    match &model.fit {
        Some(Ok(Fit { verdict, .. })) => *verdict,
        Some(Err(_)) | None => Verdict::TooBig,
    }
}
