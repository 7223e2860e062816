//! Looks through folders without ever hanging: links that lead in circles,
//! folders that cannot be read and folders without end are all survived.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders that are looked into.
pub(super) const DEPTH: usize = 8;
/// More entries than this are not looked at, for a folder may be anything.
const ENTRIES: usize = 20_000;

/// The files below a folder, in order: regular ones, links to such, and links
/// that lead nowhere. Pipes and devices are left out, for opening one may
/// wait for ever. `depth` 0 is the folder alone.
pub(super) fn files(root: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = ENTRIES;
    let mut seen = HashSet::new();
    let mut ahead = vec![(root.to_path_buf(), depth)];
    while let Some((folder, depth)) = ahead.pop().filter(|_| left > 0) {
        // A folder is entered once, by whichever of its names comes first.
        let new = fs::canonicalize(&folder).is_ok_and(|real| seen.insert(real));
        if !new {
            continue;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if left == 0 {
                break;
            }
            left -= 1;
            match what(&entry) {
                What::Folder if depth > 0 => ahead.push((entry.path(), depth - 1)),
                What::File => found.push(entry.path()),
                What::Folder | What::Other => {}
            }
        }
    }
    found.sort();
    found
}

enum What {
    File,
    Folder,
    Other,
}

fn what(entry: &fs::DirEntry) -> What {
    let Ok(kind) = entry.file_type() else {
        return What::Other;
    };
    if !kind.is_symlink() {
        return of(kind);
    }
    match fs::metadata(entry.path()) {
        Ok(target) => of(target.file_type()),
        Err(_) => What::File,
    }
}

fn of(kind: fs::FileType) -> What {
    if kind.is_file() {
        What::File
    } else if kind.is_dir() {
        What::Folder
    } else {
        What::Other
    }
}

/// The folders directly in a folder, in order.
pub(super) fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let entries = entries.take(ENTRIES).map(|e| e.path());
    let mut found: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

/// The text of a small file: a manifest, a setting. `None` for one that is
/// not there, is not text, or is larger than a mebibyte.
pub(super) fn text(path: &Path) -> Option<String> {
    let meta = fs::metadata(path).ok()?;
    let small = meta.is_file() && meta.len() <= 1 << 20;
    small.then(|| fs::read_to_string(path).ok()).flatten()
}

/// The last component as text.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The components of a path below a folder, as text; none when it is not.
pub(super) fn below(root: &Path, path: &Path) -> Vec<String> {
    let rest = path.strip_prefix(root).unwrap_or(Path::new(""));
    rest.iter()
        .map(|c| c.to_string_lossy().into_owned())
        .collect()
}
