//! The thread that writes: bytes to the part, the note beside it, the digest.
//!
//! It is a thread of its own because a disk may stop for seconds, and the
//! runtime that draws the screen may not.

use super::command::{Command, Whole};
use super::partial::{Note, note_path, remove, sync_folder, write_note};
use super::writer::Shared;
use super::{Pace, partial};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

/// Bytes that are read at once for the digest.
const SLICE: usize = 1 << 20;

/// What the thread holds.
pub(super) struct Disk {
    pub file: File,
    pub path: PathBuf,
    pub note: Note,
    pub shared: Arc<Shared>,
    pub pace: Pace,
    pub state: State,
}

pub(super) struct State {
    /// Digest of the first `hashed` bytes.
    sha: Sha256,
    hashed: u64,
    /// Where the file's cursor is.
    cursor: Option<u64>,
    /// Bytes since the last note.
    unsaved: u64,
    saved: Instant,
    buffer: Vec<u8>,
}

impl Default for State {
    fn default() -> State {
        State {
            sha: Sha256::new(),
            hashed: 0,
            cursor: None,
            unsaved: 0,
            saved: Instant::now(),
            buffer: Vec::new(),
        }
    }
}

impl Disk {
    /// Works until the other side is gone, or the disk fails.
    pub fn run(mut self, mut commands: mpsc::Receiver<Command>) -> io::Result<()> {
        loop {
            let command = match commands.try_recv() {
                Ok(command) => Some(command),
                Err(TryRecvError::Disconnected) => None,
                // While nothing comes, what lies behind is read for the digest.
                Err(TryRecvError::Empty) if self.hash_some()? => continue,
                Err(TryRecvError::Empty) => commands.blocking_recv(),
            };
            match command {
                Some(command) => {
                    if self.obey(command)? {
                        return Ok(());
                    }
                }
                None if self.state.unsaved > 0 => return self.save(),
                None => return Ok(()),
            }
        }
    }

    /// Whether that was the last command.
    fn obey(&mut self, command: Command) -> io::Result<bool> {
        match command {
            Command::Write { at, bytes } => self.write(at, &bytes)?,
            Command::Forget { from, to } => {
                self.shared.change(|spans| spans.remove(from, to));
                self.unhash(from);
                self.state.unsaved += 1;
                self.save()?;
            }
            Command::Restart { note, done } => {
                self.restart(*note)?;
                let _ = done.send(());
            }
            Command::Save { done } => {
                self.save()?;
                let _ = done.send(());
            }
            Command::Tick => self.save_if_due()?,
            Command::Finish { size, whole } => {
                if self.finish(size, &whole)? {
                    let _ = whole.send(self.whole()?);
                }
            }
            Command::Publish { done } => {
                fs::rename(partial::part_path(&self.path), &self.path)?;
                sync_folder(&self.path)?;
                let _ = fs::remove_file(note_path(&self.path));
                let _ = done.send(());
                return Ok(true);
            }
            Command::Remove { done } => {
                remove(&self.path)?;
                let _ = done.send(());
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(at)?;
        self.state.cursor = None;
        self.file.write_all(bytes)?;
        let length = bytes.len() as u64;
        let end = at + length;
        self.state.cursor = Some(end);
        if at == self.state.hashed && self.is_checked() {
            self.state.sha.update(bytes);
            self.set_hashed(end);
        }
        self.shared.change(|spans| spans.add(at, end));
        self.state.unsaved += length;
        let often = self.pace.save_after / 4;
        if self.state.unsaved >= self.pace.save_bytes && self.state.saved.elapsed() >= often {
            self.save()?;
        }
        self.save_if_due()
    }

    fn save_if_due(&mut self) -> io::Result<()> {
        if self.state.unsaved > 0 && self.state.saved.elapsed() >= self.pace.save_after {
            return self.save();
        }
        Ok(())
    }

    fn seek(&mut self, at: u64) -> io::Result<()> {
        if self.state.cursor != Some(at) {
            self.file.seek(SeekFrom::Start(at))?;
            self.state.cursor = Some(at);
        }
        Ok(())
    }

    /// First the bytes, then the note: it never promises what is not there.
    fn save(&mut self) -> io::Result<()> {
        if self.state.unsaved > 0 {
            self.file.sync_data()?;
            self.write_note()?;
        }
        Ok(())
    }

    fn write_note(&mut self) -> io::Result<()> {
        self.note.done = self.shared.spans();
        write_note(&self.path, &self.note)?;
        self.state.unsaved = 0;
        self.state.saved = Instant::now();
        Ok(())
    }

    fn restart(&mut self, note: Note) -> io::Result<()> {
        self.note = note;
        self.shared.change(|spans| *spans = self.note.done.clone());
        self.unhash(0);
        // The note first, and safely: it may not speak of bytes that are gone.
        self.write_note()?;
        sync_folder(&self.path)?;
        self.file.set_len(0)?;
        self.state.cursor = None;
        Ok(())
    }

    /// Whether there is a digest to check against; else none is computed.
    fn is_checked(&self) -> bool {
        self.note.sha256.is_some()
    }

    fn unhash(&mut self, from: u64) {
        if from < self.state.hashed {
            self.state.sha = Sha256::new();
            self.set_hashed(0);
        }
    }

    fn set_hashed(&mut self, hashed: u64) {
        self.state.hashed = hashed;
        self.shared.set_hashed(hashed);
    }

    /// Reads one slice of what is there without a gap; whether there was one.
    fn hash_some(&mut self) -> io::Result<bool> {
        let hashed = self.state.hashed;
        let behind = self.shared.front().saturating_sub(hashed);
        if behind == 0 || !self.is_checked() {
            return Ok(false);
        }
        let length = usize::try_from(behind).map_or(SLICE, |b| b.min(SLICE));
        let mut buffer = std::mem::take(&mut self.state.buffer);
        buffer.resize(SLICE, 0);
        self.seek(hashed)?;
        self.state.cursor = None;
        self.file.read_exact(&mut buffer[..length])?;
        self.state.sha.update(&buffer[..length]);
        self.state.buffer = buffer;
        let end = hashed + length as u64;
        self.state.cursor = Some(end);
        self.set_hashed(end);
        Ok(true)
    }

    /// `false` where nobody waits any more.
    fn finish(&mut self, size: u64, waiting: &oneshot::Sender<Whole>) -> io::Result<bool> {
        self.save()?;
        while self.hash_some()? {
            if waiting.is_closed() {
                return Ok(false);
            }
        }
        if self.shared.front() != size {
            return Err(io::Error::other("bytes are missing"));
        }
        self.file.set_len(size)?;
        self.file.sync_all()?;
        Ok(true)
    }

    /// Read here: on Windows the lock keeps every other handle out.
    fn whole(&mut self) -> io::Result<Whole> {
        let mut first = Vec::new();
        self.seek(0)?;
        self.state.cursor = None;
        Read::by_ref(&mut self.file)
            .take(4)
            .read_to_end(&mut first)?;
        let digest = hex(&self.state.sha.clone().finalize());
        Ok(Whole { digest, first })
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}
