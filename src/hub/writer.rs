//! The side of a download that fetches, towards the thread that writes.

use super::command::{Command, Whole};
use super::disk::{Disk, State};
use super::partial::{Note, disk_error, part_path};
use super::spans::Spans;
use super::{HubError, Pace};
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait; with more, the network waits for the disk.
const WAITING: usize = 64;

/// What both sides see.
#[derive(Debug, Default)]
pub(super) struct Shared {
    spans: Mutex<Spans>,
    done: AtomicU64,
    hashed: AtomicU64,
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn change(&self, change: impl FnOnce(&mut Spans)) {
        let mut spans = open(&self.spans);
        change(&mut spans);
        self.done.store(spans.total(), Ordering::Relaxed);
    }

    pub fn spans(&self) -> Spans {
        open(&self.spans).clone()
    }

    pub fn front(&self) -> u64 {
        open(&self.spans).front()
    }

    /// Bytes that are written.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Bytes that went into the digest.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    pub fn set_hashed(&self, hashed: u64) {
        self.hashed.store(hashed, Ordering::Relaxed);
    }
}

/// Dropping it saves what came, and then lets the file go.
pub(super) struct Writer {
    path: PathBuf,
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

impl Writer {
    /// Begins with what `note` says is there.
    pub fn start(file: File, path: &Path, note: Note, pace: &Pace) -> Result<Writer, HubError> {
        let shared = Arc::new(Shared::default());
        shared.change(|spans| *spans = note.done.clone());
        let (commands, receiver) = mpsc::channel(WAITING);
        let disk = Disk {
            file,
            path: path.to_owned(),
            note,
            shared: shared.clone(),
            pace: pace.clone(),
            state: State::default(),
        };
        let thread = thread::Builder::new()
            .name("download".to_owned())
            .spawn(move || disk.run(receiver))
            .map_err(|source| disk_error(path, source))?;
        Ok(Writer {
            path: path.to_owned(),
            commands,
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    pub async fn write(&self, at: u64, bytes: Bytes) -> Result<(), HubError> {
        self.send(Command::Write { at, bytes }).await
    }

    pub async fn forget(&self, from: u64, to: u64) -> Result<(), HubError> {
        self.send(Command::Forget { from, to }).await
    }

    /// Begins from nothing. Returns when nothing is left.
    pub async fn restart(&self, note: Note) -> Result<(), HubError> {
        let note = Box::new(note);
        self.answer(|done| Command::Restart { note, done }).await
    }

    /// Now and then, so that a long silence loses nothing. Where the disk is
    /// busy, it does so by itself.
    pub fn tick(&self) {
        let _ = self.commands.try_send(Command::Tick);
    }

    /// Returns when everything that was sent before is safe on the disk.
    pub async fn save(&self) -> Result<(), HubError> {
        self.answer(|done| Command::Save { done }).await
    }

    /// Makes all `size` bytes safe, and says what they are.
    pub async fn finish(&self, size: u64) -> Result<Whole, HubError> {
        self.answer(|whole| Command::Finish { size, whole }).await
    }

    pub async fn publish(self) -> Result<(), HubError> {
        self.answer(|done| Command::Publish { done }).await
    }

    pub async fn remove(self) -> Result<(), HubError> {
        self.answer(|done| Command::Remove { done }).await
    }

    async fn send(&self, command: Command) -> Result<(), HubError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| self.failure())
    }

    async fn answer<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, HubError> {
        let (sender, receiver) = oneshot::channel();
        self.send(command(sender)).await?;
        receiver.await.map_err(|_| self.failure())
    }

    /// Why the thread ended, which it does only where the disk fails.
    fn failure(&self) -> HubError {
        let ended = open(&self.thread).take().map(JoinHandle::join);
        let error = match ended {
            Some(Ok(Err(error))) => error,
            _ => io::Error::other("writing has ended"),
        };
        disk_error(&part_path(&self.path), error)
    }
}
