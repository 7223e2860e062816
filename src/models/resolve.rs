//! Finds the model that a reference means among those that are here.

use super::name;
use super::reference::Reference;
use super::unresolved::ResolveError;
use crate::protocol::library::{FoundModel, Kind};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::cmp::Reverse;
use std::path::Path;

/// How like a name must be to be shown as near, from 0 to 1.
const NEAR: f64 = 0.6;

/// The model that a reference means. The starter is in no list; a path is
/// found here only if the list has it: callers take both as they are.
pub fn resolve<'m>(
    reference: &Reference,
    found: &'m [FoundModel],
) -> Result<&'m FoundModel, ResolveError> {
    match reference {
        Reference::Starter => Err(ResolveError::Unlisted("the starter".into())),
        Reference::Path(path) => by_path(path, found),
        Reference::Hub { repo, pick } => by_repo(repo, pick.as_deref(), found),
        Reference::Ollama { name, tag } => {
            let whole = format!("{name}:{tag}");
            let absent = || ResolveError::AbsentFromOllama(whole.clone());
            let named = |m: &&FoundModel| m.extras.is_some() && m.name.eq_ignore_ascii_case(&whole);
            usable(found.iter().find(named).ok_or_else(absent)?)
        }
        Reference::Name(text) => by_name(text, found),
    }
}

fn by_path<'m>(path: &Path, found: &'m [FoundModel]) -> Result<&'m FoundModel, ResolveError> {
    let real = std::fs::canonicalize(path).ok();
    let same =
        |part: &Path| part == path || (real.is_some() && std::fs::canonicalize(part).ok() == real);
    // A bare name of a file that is not here may be one of a file elsewhere.
    let bare = path.parent().is_some_and(|p| p.as_os_str().is_empty()) && real.is_none();
    let called = |part: &Path| bare && part.file_name() == path.file_name();
    let is_it = |m: &&FoundModel| m.parts.iter().any(|p| same(p) || called(p));
    let those: Vec<&FoundModel> = found.iter().filter(is_it).collect();
    let shown = path.display().to_string();
    one(&shown, &those).unwrap_or(Err(ResolveError::Unlisted(shown)))
}

fn by_repo<'m>(
    repo: &str,
    pick: Option<&str>,
    found: &'m [FoundModel],
) -> Result<&'m FoundModel, ResolveError> {
    // As `parlor pull` takes it.
    let asked = match pick {
        None => repo.to_string(),
        Some(file) if name::stem(file).is_some() => format!("{repo}/{file}"),
        Some(quant) => format!("{repo}:{quant}"),
    };
    // Ollama's and Jan's names may look like a repository.
    let called = exact(&asked, found);
    if !called.is_empty() {
        return one(&asked, &called).unwrap_or(Err(ResolveError::Absent(asked)));
    }
    let of_repo = |m: &&FoundModel| {
        m.repo
            .as_ref()
            .is_some_and(|r| r.eq_ignore_ascii_case(repo))
    };
    let all: Vec<&FoundModel> = found.iter().filter(of_repo).collect();
    let these = match pick {
        None => chats(&all),
        Some(pick) => picked(&all, pick),
    };
    one(&asked, &these).unwrap_or(Err(ResolveError::Absent(asked)))
}

/// A file by its name, or models of exactly this quantization; else those
/// whose quantization ends so, as `UD-Q4_K_XL` does in `Q4_K_XL`.
fn picked<'m>(all: &[&'m FoundModel], pick: &str) -> Vec<&'m FoundModel> {
    let of = |test: &dyn Fn(&FoundModel) -> bool| -> Vec<&'m FoundModel> {
        all.iter().copied().filter(|m| test(m)).collect()
    };
    let file = pick.rsplit('/').next().unwrap_or(pick);
    let named =
        of(&|m| name::stem(file).is_some() && m.name.eq_ignore_ascii_case(name::base(file)));
    if !named.is_empty() {
        return named;
    }
    let pick = pick.to_ascii_uppercase();
    let tail = format!("-{pick}");
    let chat = chats(all);
    let quants = |test: &dyn Fn(&str) -> bool| -> Vec<&'m FoundModel> {
        let has = |m: &&FoundModel| quant(m).is_some_and(|q| test(&q));
        chat.iter().copied().filter(has).collect()
    };
    let exactly = quants(&|q| q == pick);
    if exactly.is_empty() {
        quants(&|q| q.ends_with(&tail))
    } else {
        exactly
    }
}

fn quant(model: &FoundModel) -> Option<String> {
    let path = model.path.to_string_lossy();
    let told = || {
        model
            .card
            .as_ref()
            .ok()
            .map(|c| c.quantization.to_ascii_uppercase())
    };
    name::quant_of(&model.name)
        .or_else(|| name::quant_of(&path))
        .or_else(told)
}

fn by_name<'m>(text: &str, found: &'m [FoundModel]) -> Result<&'m FoundModel, ResolveError> {
    let unknown = || ResolveError::Unknown {
        asked: text.into(),
        near: near(text, found),
    };
    let called = exact(text, found);
    if !called.is_empty() {
        return one(text, &called).unwrap_or_else(|| Err(unknown()));
    }
    one(text, &like(text, found)).unwrap_or_else(|| Err(unknown()))
}

/// Models of this very name; Ollama's need no `:latest`.
fn exact<'m>(text: &str, found: &'m [FoundModel]) -> Vec<&'m FoundModel> {
    let latest = format!("{text}:latest");
    let named =
        |m: &&FoundModel| m.name.eq_ignore_ascii_case(text) || m.name.eq_ignore_ascii_case(&latest);
    found.iter().filter(named).collect()
}

/// Models in which every word occurs, the best match first.
fn like<'m>(text: &str, found: &'m [FoundModel]) -> Vec<&'m FoundModel> {
    let words: Vec<String> = text.split_whitespace().map(squeezed).collect();
    if words.iter().all(String::is_empty) {
        return Vec::new();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::new(
        text,
        CaseMatching::Ignore,
        Normalization::Smart,
        AtomKind::Fuzzy,
    );
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, &FoundModel)> = Vec::new();
    for model in found {
        let all = described(model);
        let squeezed = squeezed(&all);
        if words.iter().all(|word| squeezed.contains(word.as_str())) {
            let score = pattern.score(Utf32Str::new(&all, &mut buffer), &mut matcher);
            scored.push((score.unwrap_or(0), model));
        }
    }
    scored.sort_by_key(|(score, _)| Reverse(*score));
    scored.into_iter().map(|(_, model)| model).collect()
}

fn described(model: &FoundModel) -> String {
    let (title, quant) = match &model.card {
        Ok(card) => (card.title.as_str(), card.quantization.as_str()),
        Err(_) => ("", ""),
    };
    let repo = model.repo.as_deref().unwrap_or("");
    format!("{} {repo} {title} {quant}", model.name)
}

/// Letters and digits in lower case, so that `qwen34b` finds `Qwen3-4B`.
fn squeezed(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// Those to chat with, or which may turn out to be.
fn chats<'m>(models: &[&'m FoundModel]) -> Vec<&'m FoundModel> {
    let may = |m: &&&FoundModel| m.card.as_ref().map_or(true, |c| c.kind == Kind::Chat);
    models.iter().filter(may).copied().collect()
}

/// The one that can be used; else what is wrong. `None` when there is none at
/// all. Copies of one file in several places are no reason to ask: the first
/// one counts.
fn one<'m>(asked: &str, models: &[&'m FoundModel]) -> Option<Result<&'m FoundModel, ResolveError>> {
    let good: Vec<&FoundModel> = models
        .iter()
        .filter(|m| usable(m).is_ok())
        .copied()
        .collect();
    let left = if good.is_empty() { models } else { &good };
    let first = left.first()?;
    let copy =
        |m: &&FoundModel| m.name == first.name && m.size == first.size && m.card == first.card;
    if left.iter().all(copy) {
        return Some(usable(first));
    }
    let shown = |m: &&FoundModel| (m.name.clone(), m.path.display().to_string());
    Some(Err(ResolveError::Ambiguous {
        asked: asked.into(),
        found: left.iter().map(shown).collect(),
    }))
}

fn usable(model: &FoundModel) -> Result<&FoundModel, ResolveError> {
    let name = model.name.clone();
    let card = model.card.as_ref().map_err(|why| ResolveError::Broken {
        name: name.clone(),
        why: why.clone(),
    })?;
    let what = match card.kind {
        Kind::Chat => return Ok(model),
        Kind::Embedding => "an embedding model, which turns text into numbers",
        Kind::Reranker => "a reranker, which sorts passages",
        Kind::Adapter => "an adapter, to be laid over a chat model",
        Kind::Mmproj => "a projector, the eyes or ears of a chat model",
    };
    Err(ResolveError::NotChat { name, what })
}

/// The names most like what was written.
fn near(text: &str, found: &[FoundModel]) -> Vec<String> {
    let text = text.to_lowercase();
    let chat = chats(&found.iter().collect::<Vec<_>>());
    let mut scored: Vec<(f64, &str)> = chat
        .iter()
        .map(|m| {
            (
                strsim::jaro_winkler(&text, &m.name.to_lowercase()),
                m.name.as_str(),
            )
        })
        .filter(|(likeness, _)| *likeness >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(3)
        .map(|(_, name)| name.to_string())
        .collect()
}
