//! `parlor models`: what is on this machine and on the hub.

mod info;

use super::args::ModelsVerb;
use super::{Fail, doctor, output, setup};
use crate::chat::size::bytes;
use crate::chat::text::one_line;
use crate::config::{Config, machine, paths, save, spec};
use crate::engine::host::Options;
use crate::models::{self, Reference};
use crate::protocol::engine::gpus;
use crate::protocol::library::{Fit, FoundModel, Gpu, Kind, Listed, Verdict};
use crate::runtime::fetch;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

pub fn run(verb: ModelsVerb) -> Result<(), Fail> {
    let config = setup::config()?;
    match verb {
        ModelsVerb::List { all, json } => list(&config, all, json),
        ModelsVerb::Info { model, json } => info::run(&config, &model, json),
        ModelsVerb::Path { model } => {
            let model = find(&config, &model)?;
            output::print(&format!("{}\n", model.path.display()))
        }
        ModelsVerb::Remove { model, yes } => remove(&config, &model, yes),
        ModelsVerb::Pair { model, projector } => pair(&config, &model, &projector),
        ModelsVerb::Where { json } => places(&config, json),
        ModelsVerb::Search { text, limit, json } => search(&text.join(" "), limit, json),
        ModelsVerb::Catalog { json } => catalog(&config, json),
    }
}

/// Graphics cards, asked for only where this binary may use one: it takes a
/// moment.
pub fn possible_gpus() -> Vec<Gpu> {
    let may_be = Options::new(PathBuf::new(), None).gpu;
    let devices = may_be.then(|| setup::run(async { Ok(doctor::devices().await) }));
    match devices {
        Some(Ok(Ok(devices))) => gpus(&devices),
        Some(_) | None => Vec::new(),
    }
}

fn list(config: &Config, all: bool, json: bool) -> Result<(), Fail> {
    let mut models = machine::library(config, possible_gpus());
    if json {
        let list: Vec<Value> = models.iter().map(object).collect();
        return output::print_json(&Value::Array(list));
    }
    let broken = models.iter().filter(|m| m.model.card.is_err()).count();
    let hidden = match broken {
        0 => String::new(),
        n => format!("\n{n} cannot be used; `parlor models list --all` says why.\n"),
    };
    if !all {
        models.retain(|m| matches!(&m.model.card, Ok(c) if c.kind == Kind::Chat));
    }
    if models.is_empty() {
        return output::print(&format!(
            "No model was found. `parlor models catalog` lists some to begin with, `parlor models where` says where was looked.\n{hidden}",
        ));
    }
    let width = models.iter().map(|m| m.model.name.chars().count()).max();
    let width = width.unwrap_or(0).min(60);
    let lines = models.iter().map(|m| line(m, width));
    let lines: String = lines.collect();
    output::print(&match all {
        true => lines,
        false => lines + &hidden,
    })
}

fn line(listed: &Listed, width: usize) -> String {
    let model = &listed.model;
    let (quant, about) = match &model.card {
        Ok(card) => (card.quantization.as_str(), verdict_words(listed)),
        Err(why) => ("", format!("cannot be used: {}", one_line(why, 200))),
    };
    let source = serde_json::to_value(model.source).unwrap_or_default();
    format!(
        "{:<width$}  {:<8}  {:>8}  {:<11}  {about}\n",
        one_line(&model.name, 200),
        quant,
        bytes(model.size),
        source.as_str().unwrap_or_default(),
    )
}

/// A few words on how a model would run here.
fn verdict_words(listed: &Listed) -> String {
    match (&listed.fit, &listed.model.card) {
        (Some(Ok(fit)), _) => {
            let place = match fit.verdict {
                Verdict::Gpu => "fits the GPU".to_string(),
                Verdict::Partly => {
                    format!("{} of {} layers on the GPU", fit.gpu_layers, fit.layers + 1)
                }
                Verdict::Memory => "fits memory".to_string(),
                Verdict::TooBig => "too big".to_string(),
            };
            let speed = fit
                .speed
                .map_or(String::new(), |s| format!(", about {s:.0} tokens/s"));
            format!("{place}{speed}")
        }
        (Some(Err(_)), _) => "too big for this machine".into(),
        (None, Ok(card)) => match card.kind {
            Kind::Adapter => "an adapter".into(),
            Kind::Mmproj => "eyes or ears of another model".into(),
            Kind::Chat | Kind::Embedding | Kind::Reranker => String::new(),
        },
        (None, Err(_)) => String::new(),
    }
}

/// A model as the array holds it.
fn object(listed: &Listed) -> Value {
    let model = &listed.model;
    let card = model.card.as_ref().ok();
    let fit = listed.fit.as_ref().and_then(|f| f.as_ref().ok());
    json!({
        "name": model.name,
        "path": model.path,
        "source": model.source,
        "kind": card.map(|c| c.kind),
        "size": model.size,
        "architecture": card.map(|c| &c.architecture),
        "parameters": card.map(|c| c.parameters),
        "quantization": card.map(|c| &c.quantization),
        "context": card.map(|c| c.context),
        "abilities": card.map(|c| &c.abilities),
        "verdict": verdict(listed),
        "memory": fit.map(Fit::total),
        "largest_context": fit.map(|f| f.largest_context),
        "speed": fit.and_then(|f| f.speed),
        "projector": model.projector,
        "repo": model.repo,
        "parts": model.parts,
        "used": listed.used,
        "problem": model.card.as_ref().err(),
    })
}

fn verdict(listed: &Listed) -> Option<Verdict> {
    match &listed.fit {
        Some(Ok(fit)) => Some(fit.verdict),
        Some(Err(_)) => Some(Verdict::TooBig),
        None => None,
    }
}

/// A model of the library that is named; it need not be one to chat with.
fn find(config: &Config, named: &Path) -> Result<FoundModel, Fail> {
    let text = named.to_string_lossy();
    let reference = Reference::parse(&text, &paths::home());
    if reference == Reference::Starter {
        let starter = spec::find(config, named).map_err(Fail::Failed)?;
        return Ok(models::look(&starter.path, &[]));
    }
    let found = spec::scan(config);
    let path = paths::expand_home(named);
    if path.exists() {
        let real = std::fs::canonicalize(&path).ok();
        let same = |m: &&FoundModel| std::fs::canonicalize(&m.path).ok() == real;
        let known = found.iter().find(same).cloned();
        return match path.is_file() {
            true => Ok(known.unwrap_or_else(|| models::look(&path, &[]))),
            false => Err(Fail::Failed(format!(
                "{} is a folder; name the .gguf file in it",
                path.display()
            ))),
        };
    }
    let named: Vec<&FoundModel> = found
        .iter()
        .filter(|m| {
            m.name.eq_ignore_ascii_case(&text)
                || m.path
                    .file_name()
                    .is_some_and(|f| f.eq_ignore_ascii_case(&*text))
        })
        .collect();
    match named.as_slice() {
        [one] => Ok((*one).clone()),
        [] => match &reference {
            Reference::Path(_) => Err(Fail::Failed(format!(
                "there is no file {}; `parlor models list --all` lists what there is",
                path.display()
            ))),
            reference => {
                let model = models::resolve(reference, &found).map_err(Fail::failed)?;
                Ok(model.clone())
            }
        },
        several => {
            let paths = several.iter().map(|m| format!("\n  {}", m.path.display()));
            let paths: String = paths.collect();
            Err(Fail::Failed(format!(
                "several models have that name; say which by its path:{paths}"
            )))
        }
    }
}

fn remove(config: &Config, named: &Path, yes: bool) -> Result<(), Fail> {
    let model = find(config, named)?;
    if !yes {
        if !std::io::stdin().is_terminal() {
            return Err(Fail::Usage(
                "removing asks first; pass --yes to remove without".into(),
            ));
        }
        let _ = write!(
            std::io::stderr(),
            "Delete {} ({}) for good? [y/N] ",
            model.path.display(),
            bytes(model.size)
        );
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return output::print("Nothing was deleted.\n");
        }
    }
    let removed = fetch::remove(config, &model).map_err(Fail::Failed)?;
    let lines = removed.iter().map(|p| format!("deleted {}\n", p.display()));
    output::print(&lines.collect::<String>())
}

fn pair(config: &Config, model: &Path, projector: &Path) -> Result<(), Fail> {
    let model = find(config, model)?;
    let projector = find(config, projector)?;
    spec::projector(&projector.path).map_err(Fail::Failed)?;
    let file = paths::config_file()
        .ok_or_else(|| Fail::failed("no home folder is known; set PARLOR_CONFIG to a file"))?;
    save::pair(&file, &model.path, &projector.path)?;
    output::print(&format!(
        "{} is the eyes or ears of {} from now on; {} says so\n",
        projector.name,
        model.name,
        file.display()
    ))
}

fn places(config: &Config, json: bool) -> Result<(), Fail> {
    let places = paths::places(config).list();
    if json {
        let list = places
            .iter()
            .map(|(source, path, there)| json!({"source": source, "path": path, "exists": there}));
        return output::print_json(&Value::Array(list.collect()));
    }
    let lines = places.iter().map(|(source, path, there)| {
        let source = serde_json::to_value(source).unwrap_or_default();
        let mark = if *there { ' ' } else { '·' };
        format!(
            "{mark} {:<11}  {}\n",
            source.as_str().unwrap_or_default(),
            path.display()
        )
    });
    let lines: String = lines.collect();
    output::print(&format!("{lines}\n· is not there\n"))
}

fn search(text: &str, limit: u32, json: bool) -> Result<(), Fail> {
    let found = fetch::search(text, limit as usize).map_err(Fail::Failed)?;
    let machine = machine::machine(possible_gpus());
    if json {
        let list = found.iter().map(|repo| {
            let mut object = serde_json::to_value(repo).unwrap_or_default();
            object["verdict"] = json!(repo.usual_size().map(|size| machine.verdict(size)));
            object
        });
        return output::print_json(&Value::Array(list.collect()));
    }
    if found.is_empty() {
        return output::print("Nothing was found; try fewer words.\n");
    }
    let lines = found.iter().map(|repo| {
        let size = repo.usual_size().map_or(String::new(), |size| {
            let verdict = words(machine.verdict(size));
            format!("{} at Q4_K_M: {verdict}", bytes(size))
        });
        let gated = if repo.gated {
            "  asks for a licence"
        } else {
            ""
        };
        format!(
            "{:<60}  {:>10} downloads  {size}{gated}\n",
            repo.repo, repo.downloads
        )
    });
    let lines: String = lines.collect();
    output::print(&format!(
        "{lines}\nparlor pull OWNER/REPO fetches what suits this machine.\n"
    ))
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Gpu => "fits the GPU",
        Verdict::Partly => "partly on the GPU",
        Verdict::Memory => "fits memory",
        Verdict::TooBig => "too big for this machine",
    }
}

fn catalog(config: &Config, json: bool) -> Result<(), Fail> {
    let entries = models::catalog();
    let machine = machine::machine(possible_gpus());
    if json {
        let list = entries.iter().map(|entry| {
            let mut object = serde_json::to_value(entry).unwrap_or_default();
            object["verdict"] = json!(machine.verdict(entry.size));
            object
        });
        return output::print_json(&Value::Array(list.collect()));
    }
    let here = spec::scan(config);
    let lines = entries.iter().map(|entry| {
        let is_here = here
            .iter()
            .any(|m| m.repo.as_deref() == Some(entry.repo.as_str()));
        let verdict = match is_here {
            true => "is here",
            false => words(machine.verdict(entry.size)),
        };
        format!(
            "{:<24} {:>8}  {:<9} {:<24}  {}\n",
            entry.name,
            bytes(entry.size),
            entry.kind,
            verdict,
            entry.good_for
        )
    });
    let lines: String = lines.collect();
    output::print(&format!("{lines}\nparlor pull \"NAME\" fetches one.\n"))
}
