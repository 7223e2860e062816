//! The bytes of what is attached to messages, each kept once under its
//! SHA-256: `attachments/ab/abcdef…`, beside the conversations.

use super::place::private_folder;
use crate::chat::attachment::is_digest;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// In the data folder.
const FOLDER: &str = "attachments";
/// The ending of what is not written to its end yet.
const PART: &str = "part";
/// What no message names stays so long: it may stand in a message that is
/// being written in another window.
pub const KEPT_UNNAMED: Duration = Duration::from_secs(60 * 60);
/// Bytes that are copied at once.
const STEP: usize = 256 * 1024;

/// The folder of attachments, which is made when something is put there.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Those in a data folder.
    pub fn at(data_folder: &Path) -> Self {
        Self {
            folder: data_folder.join(FOLDER),
        }
    }

    /// Where the file with this digest is, or would be. What is no digest of
    /// 64 lower-case hexadecimal digits gives a path at which nothing ever is.
    pub fn path(&self, digest: &str) -> PathBuf {
        match is_digest(digest) {
            true => self.folder.join(&digest[..2]).join(digest),
            false => self.folder.join("none"),
        }
    }

    /// Keeps these bytes and returns their digest.
    pub fn put(&self, bytes: &[u8]) -> io::Result<String> {
        let digest = hex(&Sha256::digest(bytes));
        match self.has(&digest, bytes.len() as u64)? {
            true => Ok(digest),
            false => self.keep(bytes).map(|(digest, _)| digest),
        }
    }

    /// Keeps a copy of a file; returns its digest and how many bytes it has.
    /// Folders, pipes, sockets and devices are refused.
    pub fn put_file(&self, path: &Path) -> io::Result<(String, u64)> {
        self.keep(open_plain(path)?)
    }

    fn keep(&self, mut from: impl Read) -> io::Result<(String, u64)> {
        private_folder(&self.folder)?;
        let mut part = Part::begin(&self.folder)?;
        let mut sha = Sha256::new();
        let mut length = 0;
        let mut step = vec![0; STEP];
        loop {
            let count = match from.read(&mut step) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            sha.update(&step[..count]);
            part.file.write_all(&step[..count])?;
            length += count as u64;
        }
        let digest = hex(&sha.finalize());
        if !self.has(&digest, length)? {
            private_folder(&self.folder.join(&digest[..2]))?;
            part.finish(&self.path(&digest))?;
        }
        Ok((digest, length))
    }

    /// Whether a file is here whole, by its length. One that is counts as new
    /// from now on, so that no sweeping takes it before a message names it.
    fn has(&self, digest: &str, length: u64) -> io::Result<bool> {
        let path = self.path(digest);
        let there = std::fs::symlink_metadata(&path);
        if !there.is_ok_and(|there| there.is_file() && there.len() == length) {
            return Ok(false);
        }
        let file = OpenOptions::new().write(true).open(&path)?;
        file.set_modified(SystemTime::now())?;
        Ok(true)
    }

    /// Removes what is kept under a digest, if anything is.
    pub(super) fn remove(&self, digest: &str) -> io::Result<()> {
        match std::fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes what is not among the digests to keep, and what was never
    /// written to its end, where it is older than an hour. Returns
    /// how many files that were.
    pub fn sweep(&self, keep: &HashSet<String>) -> io::Result<usize> {
        let mut gone = 0;
        for (path, name) in entries(&self.folder)? {
            if is_part(&path) {
                gone += usize::from(remove_old(&path)?);
            }
            if name.len() != 2 || !path.is_dir() {
                continue;
            }
            for (path, name) in entries(&path)? {
                if is_digest(&name) && !keep.contains(&name) {
                    gone += usize::from(remove_old(&path)?);
                }
            }
        }
        Ok(gone)
    }
}

/// A file that is being written: it goes when it is not finished.
struct Part {
    file: File,
    path: PathBuf,
    finished: bool,
}

impl Part {
    fn begin(folder: &Path) -> io::Result<Self> {
        let name = format!("{:016x}.{PART}", super::random_bits());
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self {
            file: options.open(&path)?,
            path,
            finished: false,
        })
    }

    fn finish(mut self, path: &Path) -> io::Result<()> {
        // A name must never stand for bytes that a power cut took.
        self.file.sync_all()?;
        std::fs::rename(&self.path, path)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            // What stays is swept later.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Opens a plain file for reading.
fn open_plain(path: &Path) -> io::Result<File> {
    // Before it is opened: opening a device may already do something.
    check_plain(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        // Whatever took its place meanwhile must not be waited for.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    let file = options.open(path)?;
    check_plain(&file.metadata()?)?;
    Ok(file)
}

fn check_plain(about: &std::fs::Metadata) -> io::Result<()> {
    let what = match (about.is_file(), about.is_dir()) {
        (true, _) => return Ok(()),
        (false, true) => "this is a folder; attach the files in it",
        (false, false) => "this is no plain file; copy what it gives to one, and attach that",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// What is in a folder, with its names; nothing where there is none.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let paths = listed.map(|entry| entry.map(|entry| entry.path()));
    let named = |path: PathBuf| (path.clone(), file_name(&path));
    paths.map(|path| path.map(named)).collect()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == PART)
}

/// Removes a file that is older than an hour; says whether it did.
fn remove_old(path: &Path) -> io::Result<bool> {
    let about = match std::fs::symlink_metadata(path) {
        // Another program sweeps as well.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        about => about?,
    };
    // What is from the future, by a clock that was wrong, is young.
    let age = SystemTime::now().duration_since(about.modified()?);
    if !about.is_file() || age.unwrap_or_default() <= KEPT_UNNAMED {
        return Ok(false);
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        removed => Ok(removed.is_ok()),
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}
