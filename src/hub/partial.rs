//! A file that is not whole yet: `<file>.part`, and beside it
//! `<file>.part.json`, which says what of it is there.

use super::spans::Spans;
use super::{HubError, Pace};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Bytes of the note, at most.
const LONGEST: u64 = 1 << 20;

/// What the note says: which file it is, and which bytes of it are on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub url: String,
    pub repo: Option<String>,
    pub commit: Option<String>,
    /// The server's mark of this version: its `ETag`, or the date of its last
    /// change.
    pub etag: Option<String>,
    pub sha256: Option<String>,
    /// Bytes; 0 when unknown.
    pub size: u64,
    #[serde(default)]
    pub done: Spans,
}

impl Note {
    /// Whether the bytes that this note speaks of belong to that file too.
    /// Where neither digest nor mark is known, nothing says so.
    pub fn is_same_file(&self, other: &Note) -> bool {
        let size = self.size == other.size && self.size > 0;
        match (&self.sha256, &other.sha256) {
            (Some(a), Some(b)) => size && a == b,
            _ => size && self.etag.is_some() && self.etag == other.etag,
        }
    }
}

pub(super) fn part_path(path: &Path) -> PathBuf {
    with_ending(path, ".part")
}

pub(super) fn note_path(path: &Path) -> PathBuf {
    with_ending(path, ".part.json")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Reads the note of a file; nothing where it cannot be understood. Of the
/// ranges only those count that the part is long enough for.
pub(super) fn read_note(path: &Path) -> Option<Note> {
    let note = note_path(path);
    if fs::metadata(&note).ok()?.len() > LONGEST {
        return None;
    }
    let mut note: Note = serde_json::from_slice(&fs::read(&note).ok()?).ok()?;
    let length = fs::metadata(part_path(path)).map_or(0, |m| m.len());
    note.done = note.done.sound(note.size.min(length));
    Some(note)
}

/// Whole or not at all, also after a power cut; which may bring back the note
/// before this one, unless the folder is made safe too.
pub(super) fn write_note(path: &Path, note: &Note) -> io::Result<()> {
    let place = note_path(path);
    let draft = with_ending(path, ".part.json.new");
    let mut file = File::create(&draft)?;
    file.write_all(&serde_json::to_vec(note)?)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&draft, &place)
}

/// Makes a rename in the folder of this file last.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        return File::open(folder)?.sync_all();
    }
    Ok(())
}

/// Opens the part of a file, for this process alone.
///
/// # Errors
/// [`HubError::Busy`] where another holds it for longer than `pace.lock`.
pub(super) async fn open(path: &Path, pace: &Pace) -> Result<File, HubError> {
    let part = part_path(path);
    let disk = |source| disk_error(&part, source);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(disk)?;
    }
    let until = Instant::now() + pace.lock;
    loop {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&part).map_err(disk)?;
        match file.try_lock() {
            // The one who held it may have renamed it in the meantime.
            Ok(()) if is_still(&file, &part) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                return Err(HubError::Busy(path.to_owned()));
            }
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(20)).await,
            // Some network file systems know no locks.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Removes what is left of a download that was given up.
///
/// # Errors
/// [`HubError::Busy`] while it is still running, [`HubError::Disk`].
pub fn discard(path: &Path) -> Result<(), HubError> {
    let part = part_path(path);
    if let Ok(file) = File::open(&part)
        && matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    {
        return Err(HubError::Busy(path.to_owned()));
    }
    remove(path).map_err(|source| disk_error(&part, source))
}

/// Removes the note, then the part: a part without a note is worth nothing.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    for file in [note_path(path), part_path(path)] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A full disk is told apart from other troubles.
pub(super) fn disk_error(path: &Path, source: io::Error) -> HubError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            HubError::Full(path.to_owned())
        }
        _ => HubError::Disk {
            path: path.to_owned(),
            source,
        },
    }
}
