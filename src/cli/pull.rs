//! `parlor pull`: fetches a model.

use super::args::Pull;
use super::models::possible_gpus;
use super::output::{self, Progress};
use crate::chat::size::bytes;
use super::{Fail, setup};
use crate::config::paths;
use crate::hub::{self, Target};
use crate::protocol::hub::{self as told, Checked, Phase, Pulled, Wish};
use crate::runtime::fetch::{self, Wanted};
use serde_json::json;
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
fn discard(config: &crate::config::Config, what: &str) -> Result<(), Fail> {
    let folder =
        paths::models_folder(config).ok_or_else(|| Fail::failed("no home folder is known"))?;
    let target = fetch::target(what).map_err(Fail::Failed)?;
    let place = match &target {
        Target::Repo { repo, .. } | Target::File { repo, .. } => folder.join(repo),
        Target::Address(_) => folder.clone(),
    };
    let wanted = match &target {
        Target::Repo { quant, .. } => quant.clone(),
        Target::File { file, .. } => file.rsplit('/').next().map(String::from),
        Target::Address(url) => url
            .path_segments()
            .and_then(|mut s| s.next_back())
            .map(String::from),
    };
    let entries = std::fs::read_dir(&place).into_iter().flatten();
    let parts = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase();
            let named = wanted
                .as_ref()
                .is_none_or(|w| name.contains(&w.to_lowercase()));
            name.ends_with(".part") && named
        });
    let mut count = 0;
    for part in parts {
        hub::discard(&part.with_extension("")).map_err(Fail::failed)?;
        count += 1;
    }
    match count {
        0 => Err(Fail::Failed(format!(
            "nothing of {what} is half fetched in {}",
            place.display()
        ))),
        n => output::print(&format!(
            "{n} half fetched {} thrown away\n",
            if n == 1 { "file" } else { "files" }
        )),
    }
}
