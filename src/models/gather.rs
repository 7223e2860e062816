//! Puts files together into models by their names: the parts of one are one,
//! and what is still being fetched is told from what is whole.

use super::candidate::{Candidate, program};
use super::{name, walk};
use crate::protocol::library::Source;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file, and what it is called once it is whole.
struct Piece {
    path: PathBuf,
    /// Without `.gguf`.
    stem: String,
    whole: bool,
}

/// Files of one model.
pub(super) struct Group {
    /// The name without number of the part and ending.
    pub base: String,
    /// What there is of each part; `None` where nothing is.
    slots: Vec<Option<Piece>>,
    numbered: bool,
}

/// Endings that programs give to files while they are fetched: Parlor's own
/// and LM Studio's, llama.cpp's (`common/download.cpp`), and the hub's.
const UNFINISHED: &[&str] = &[".part", ".downloadInProgress", ".incomplete"];

fn piece(path: PathBuf) -> Option<Piece> {
    let file = walk::file_name(&path);
    let ending = UNFINISHED.iter().find(|e| file.ends_with(**e));
    let without = file
        .strip_suffix(ending.copied().unwrap_or(""))
        .unwrap_or(&file);
    // What GPT4All calls a file that it is fetching (`modellist.cpp`,
    // `incompleteDownloadPath`).
    let begun = without.strip_prefix("incomplete-");
    let stem = name::stem(begun.unwrap_or(without))?.to_string();
    let whole = ending.is_none() && begun.is_none();
    Some(Piece { path, stem, whole })
}

/// The models among files, each with all its parts, in order of the names.
/// Files that are no GGUF by their names are left out.
pub(super) fn groups(files: Vec<PathBuf>) -> Vec<Group> {
    let mut groups: BTreeMap<(PathBuf, String, u32), Group> = BTreeMap::new();
    for piece in files.into_iter().filter_map(piece) {
        let folder = piece.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let part = name::part(&piece.stem);
        let (base, index, count) =
            part.map_or((piece.stem.as_str(), 1, 0), |p| (p.base, p.index, p.count));
        let base = base.to_string();
        let group = groups
            .entry((folder, base.clone(), count))
            .or_insert_with(|| Group {
                base,
                slots: Vec::new(),
                numbered: count > 0,
            });
        group.put(index as usize - 1, count.max(1) as usize, piece);
    }
    groups.into_values().collect()
}

impl Group {
    /// What is whole is taken before what is being fetched once more.
    fn put(&mut self, at: usize, count: usize, piece: Piece) {
        self.slots.resize_with(count, || None);
        if self.slots[at].as_ref().is_none_or(|there| !there.whole) {
            self.slots[at] = Some(piece);
        }
    }

    /// The files that are there, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.slots.iter().flatten().map(|p| p.path.as_path())
    }

    /// As a model of this name.
    pub(super) fn candidate(
        self,
        name: &str,
        source: Source,
        root: &Path,
        repo: Option<String>,
    ) -> Candidate {
        let problem = self
            .unfinished(source, repo.as_deref())
            .or_else(|| self.missing());
        let parts = self.slots.into_iter().flatten().map(|p| p.path).collect();
        Candidate {
            name: name.into(),
            parts,
            source,
            root: root.to_path_buf(),
            repo,
            projector: None,
            extras: None,
            problem,
        }
    }

    fn missing(&self) -> Option<String> {
        let gaps = self.slots.iter().enumerate();
        let mut gaps = gaps.filter(|(_, s)| s.is_none()).map(|(at, _)| at + 1);
        let first = gaps.next().filter(|_| self.numbered)?;
        let (base, count) = (&self.base, self.slots.len());
        let file = format!("{base}-{first:05}-of-{count:05}.gguf");
        Some(match gaps.count() {
            0 => format!("{file} is missing: all {count} parts have to be in one folder"),
            more => format!(
                "{file} and {more} more parts are missing: all {count} have to be in one folder"
            ),
        })
    }

    fn unfinished(&self, source: Source, repo: Option<&str>) -> Option<String> {
        let pieces = || self.slots.iter().flatten();
        if pieces().all(|p| p.whole) {
            return None;
        }
        let mut done = 0;
        let mut total = (pieces().count() == self.slots.len()).then_some(0);
        for piece in pieces() {
            let (here, all) = progress(&piece.path, piece.whole);
            done += here;
            total = total.zip(all).map(|(sum, all)| sum + all);
        }
        Some(not_whole(
            done,
            total,
            source,
            repo,
            name::quant_of(&self.base).as_deref(),
        ))
    }
}

/// Bytes that are there and bytes that there will be, as far as known.
fn progress(path: &Path, whole: bool) -> (u64, Option<u64>) {
    let length = fs::metadata(path).map_or(0, |m| m.len());
    if whole {
        return (length, Some(length));
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".json");
    let note = walk::text(Path::new(&beside));
    match note.and_then(|text| serde_json::from_str::<Note>(&text).ok()) {
        Some(note) => (note.done(), Some(note.size)),
        None => (length, None),
    }
}

/// What Parlor writes beside a file that it is fetching.
#[derive(Deserialize)]
struct Note {
    size: u64,
    #[serde(default)]
    done: Vec<(u64, u64)>,
}

impl Note {
    fn done(&self) -> u64 {
        self.done
            .iter()
            .map(|(from, to)| to.saturating_sub(*from))
            .sum()
    }
}

/// Says how much is there of a model that is being fetched, and who goes on
/// with it.
pub(super) fn not_whole(
    done: u64,
    total: Option<u64>,
    source: Source,
    repo: Option<&str>,
    quant: Option<&str>,
) -> String {
    let much = match total {
        Some(total) => format!("{done} of {total} bytes"),
        None => format!("{done} bytes so far"),
    };
    let pull = repo.map(|repo| match quant {
        Some(quant) => format!("`parlor pull {repo}:{quant}`"),
        None => format!("`parlor pull {repo}`"),
    });
    let next = match (source, pull) {
        (Source::Parlor, Some(pull)) => format!("{pull} goes on with it"),
        (Source::Parlor, None) => "`parlor pull` goes on with it".into(),
        (_, Some(pull)) => format!(
            "{} has to finish it, or {pull} fetches it anew",
            program(source)
        ),
        (_, None) => format!("{} has to finish it", program(source)),
    };
    format!("not whole yet: {much}; {next}")
}
