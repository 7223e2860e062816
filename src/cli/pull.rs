//! `parlor pull`: fetches a model.

use super::args::Pull;
use super::models::possible_gpus;
use super::output::{self, Progress};
use super::{Fail, setup};
use crate::chat::size::bytes;
use crate::config::{Config, paths};
use crate::hub::{self, Target};
use crate::protocol::hub::{self as told, Checked, Phase, Pulled, Wish};
use crate::protocol::quantization;
use crate::runtime::fetch::{self, Wanted};
use serde_json::json;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

pub fn run(pull: &Pull) -> Result<(), Fail> {
    let config = setup::config()?;
    if pull.discard {
        return discard(&config, &pull.what);
    }
    let wanted = Wanted {
        what: pull.what.clone(),
        projector: !pull.no_mmproj,
        gpus: possible_gpus(),
    };
    let (wish, wishes) = watch::channel(Wish::Run);
    std::thread::spawn(move || listen(&wish));
    let watched = wishes.clone();
    let mut progress = Progress::new();
    let pulled = fetch::pull(&config, &wanted, wishes, |event| {
        if let Phase::Chosen(choice) = &event.phase {
            progress.notice(&choice.why);
        }
        progress.show(&line(&event));
    });
    progress.clear();
    match pulled {
        Ok(pulled) if pull.json => output::print_json(&json!(pulled)),
        Ok(pulled) => output::print(&done(&pulled)),
        Err(_) if *watched.borrow() == Wish::Cancel => {
            progress.notice("what came is kept; the same command goes on from there");
            Err(Fail::Interrupted)
        }
        Err(why) => Err(Fail::Failed(why)),
    }
}

/// Ctrl+C ends the pull in order: what came is kept. A second one ends the
/// program.
fn listen(wish: &watch::Sender<Wish>) {
    let interrupted = || setup::run(async { tokio::signal::ctrl_c().await.map_err(Fail::failed) });
    if interrupted().is_ok() {
        wish.send_replace(Wish::Cancel);
        if interrupted().is_ok() {
            std::process::exit(130);
        }
    }
}

/// The progress in one line.
fn line(event: &told::Progress) -> String {
    let percent = event.done * 100 / event.total.max(1);
    let files = match event.files {
        0 | 1 => String::new(),
        n => format!(" ({} of {n})", event.file),
    };
    let so_far = format!(
        "{}{files}: {percent} % of {}",
        event.name,
        bytes(event.total)
    );
    match &event.phase {
        Phase::Looking | Phase::Chosen(_) => "asking the hub …".into(),
        Phase::Downloading | Phase::Done => {
            let left = event
                .left
                .map_or(String::new(), |s| format!(", {} s left", s));
            format!("{so_far}, {}/s{left}", bytes(event.speed))
        }
        Phase::Paused => format!("{so_far}, paused"),
        Phase::Checking { done, total } => {
            format!(
                "{}: checking {} %",
                event.name,
                done * 100 / (*total).max(1)
            )
        }
        Phase::Retrying { why, wait } => {
            format!("{so_far}; {why}; again in {} s", wait.div_ceil(1000))
        }
        Phase::Restarting { why } => format!("{}: from the start again: {why}", event.name),
    }
}

fn done(pulled: &Pulled) -> String {
    let mut text = String::new();
    for file in pulled.files.iter().chain(&pulled.projector) {
        text += &format!("{}\n", file.display());
    }
    let checked = match (pulled.already, pulled.checked) {
        (true, _) => "was here already",
        (false, Checked::Digest) => "its SHA-256 is right",
        (false, Checked::Length) => "its length is right; there was no digest to check it against",
    };
    let name = pulled.files.first().and_then(|f| f.file_stem());
    let name = name.unwrap_or_default().to_string_lossy();
    text + &format!(
        "{} fetched: {checked}. Chat with it: parlor --model {name}\n",
        bytes(pulled.size)
    )
}

/// Throws away what was fetched of a model and is not whole.
fn discard(config: &Config, what: &str) -> Result<(), Fail> {
    let folder =
        paths::models_folder(config).ok_or_else(|| Fail::failed("no home folder is known"))?;
    let target = fetch::target(what).map_err(Fail::Failed)?;
    let place = match &target {
        Target::Repo { repo, .. } | Target::File { repo, .. } => folder.join(repo),
        Target::Address(_) => folder.clone(),
    };
    let is_it = |name: &str| match &target {
        Target::Repo { quant: None, .. } => true,
        Target::Repo {
            quant: Some(quant), ..
        } => quantization::in_name(name).is_some_and(|q| q.eq_ignore_ascii_case(quant)),
        Target::File { file, .. } => file.rsplit('/').next() == Some(name),
        Target::Address(url) => {
            let last = url.path_segments().and_then(|mut s| s.next_back());
            last.is_some_and(|last| last == name)
        }
    };
    let deep = !matches!(target, Target::Address(_));
    let mut halves = Vec::new();
    find_halves(&place, deep, &mut halves);
    halves.retain(|whole| {
        let name = whole.file_name().unwrap_or_default().to_string_lossy();
        is_it(&name)
    });
    if halves.is_empty() {
        let place = place.display();
        let words = format!("nothing of {what} is half fetched in {place}");
        return Err(Fail::Failed(words));
    }
    for whole in &halves {
        hub::discard(whole).map_err(Fail::failed)?;
    }
    let files = if halves.len() == 1 { "file" } else { "files" };
    output::print(&format!(
        "{} half fetched {files} thrown away\n",
        halves.len()
    ))
}

/// The names that files which are not whole will have.
fn find_halves(folder: &Path, deep: bool, into: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for path in entries.filter_map(|e| e.ok().map(|e| e.path())) {
        if path.is_dir() {
            if deep {
                find_halves(&path, false, into);
            }
        } else if path.extension().is_some_and(|e| e == "part") {
            into.push(path.with_extension(""));
        }
    }
}
