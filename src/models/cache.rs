//! Remembers what headers said, so that a second look opens no model file.
//!
//! The file is JSON: a number for its form, and for each model's path the size
//! and the time of the last change (nanoseconds since 1970) of its files, with
//! the card, or why there is none. It may be deleted at any time; one that is damaged, or of
//! another form, is as good as none.

use crate::gguf::{self, GgufError};
use crate::protocol::library::Card;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Raised whenever a card comes to mean something else.
const FORM: u32 = 2;
/// A cache of more bytes is not one of ours.
const MOST: u64 = 256 << 20;
const THREADS: usize = 8;

/// A model's files as they are on the disk now.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The first one.
    pub path: PathBuf,
    /// Size and time of the last change of each, in nanoseconds since 1970.
    pub stamps: Vec<(u64, u64)>,
}

/// What a model's header says, or why it cannot be used.
pub(super) type Header = Result<Card, String>;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    stamps: Vec<(u64, u64)>,
    card: Header,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    form: u32,
    files: BTreeMap<String, Entry>,
}

/// What is remembered, and where.
pub(super) struct Cache {
    path: Option<PathBuf>,
    files: BTreeMap<String, Entry>,
    /// Files that were asked for, and so are there.
    seen: HashSet<String>,
    changed: bool,
}

impl Cache {
    /// What the file holds. Without a path nothing is remembered.
    pub(super) fn load(path: Option<&Path>) -> Self {
        let files = path.and_then(read).unwrap_or_default();
        Self {
            path: path.map(Path::to_path_buf),
            files,
            seen: HashSet::new(),
            changed: false,
        }
    }

    /// The header of each model, in the same order: remembered, or read now.
    pub(super) fn headers(&mut self, models: &[Files]) -> Vec<Header> {
        let paths = models.iter().filter_map(|m| m.path.to_str());
        self.seen.extend(paths.map(str::to_string));
        let known = |model: &Files| {
            let entry = self.files.get(model.path.to_str()?)?;
            (entry.stamps == model.stamps).then(|| entry.card.clone())
        };
        let mut headers: Vec<Option<Header>> = models.iter().map(known).collect();
        let new: Vec<usize> = (0..models.len())
            .filter(|at| headers[*at].is_none())
            .collect();
        for (at, (card, lasting)) in new.iter().zip(open_all(models, &new)) {
            if lasting {
                self.remember(&models[*at], card.clone());
            }
            headers[*at] = Some(card);
        }
        let lost = || Err("it was not read".into());
        headers
            .into_iter()
            .map(|h| h.unwrap_or_else(lost))
            .collect()
    }

    fn remember(&mut self, model: &Files, card: Header) {
        // A path that is no text is read anew each time.
        if let Some(path) = model.path.to_str() {
            let entry = Entry {
                stamps: model.stamps.clone(),
                card,
            };
            self.files.insert(path.into(), entry);
            self.changed = true;
        }
    }

    /// Forgets files that are gone, and writes what is left if it changed.
    /// A cache that cannot be written costs time, and nothing else.
    pub(super) fn save(mut self) {
        let before = self.files.len();
        self.files
            .retain(|path, _| self.seen.contains(path) || Path::new(path).exists());
        self.changed |= self.files.len() != before;
        if let Some(path) = self.path.take().filter(|_| self.changed) {
            let content = Content {
                form: FORM,
                files: self.files,
            };
            let _ = write(&path, &content);
        }
    }
}

fn read(path: &Path) -> Option<BTreeMap<String, Entry>> {
    let meta = fs::metadata(path).ok()?;
    let plausible = meta.is_file() && meta.len() <= MOST;
    let bytes = plausible.then(|| fs::read(path).ok()).flatten()?;
    let content: Content = serde_json::from_slice(&bytes).ok()?;
    (content.form == FORM).then_some(content.files)
}

/// Whole or not at all: a draft of this process's own, then a rename.
fn write(path: &Path, content: &Content) -> std::io::Result<()> {
    let bytes = serde_json::to_vec(content)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = fs::File::create(&draft)
        .and_then(|mut file| file.write_all(&bytes))
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Reads headers of the models at these places, several at a time, and tells
/// of each whether the answer lasts as long as the file.
fn open_all(models: &[Files], which: &[usize]) -> Vec<(Header, bool)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(which.len()));
    let work = || {
        while let Some(at) = which.get(next.fetch_add(1, Ordering::Relaxed)) {
            let read = open(&models[*at].path);
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((*at, read));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..threads.min(THREADS).min(which.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, read)| read).collect()
}

/// A file that cannot be read may be tomorrow, without any change that would
/// show; one that is no model stays so.
fn open(path: &Path) -> (Header, bool) {
    match gguf::whole_card(path) {
        Ok(card) => (Ok(card), true),
        Err(error) => (Err(error.to_string()), lasting(&error)),
    }
}

fn lasting(error: &GgufError) -> bool {
    match error {
        GgufError::Io(_) => false,
        GgufError::Part { why, .. } => lasting(why),
        _ => true,
    }
}
