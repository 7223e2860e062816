//! What the KV cache holds of a conversation, kept in a file beside it, so that
//! reopening reads nothing again.
//!
//! A file is llama.cpp's own sequence state, then the text that it stands for
//! and where pictures and sounds are in it, then a foot: what the state was made with, and a checksum of all before. A
//! file that does not fit in every respect is ignored: reading anew costs time,
//! a wrong cache would cost the answer.

use super::prompt::Held;
use super::senses::Span;
use crate::protocol::engine::KeepSpec;
use llama_cpp_2::context::LlamaContext;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use xxhash_rust::xxh3::Xxh3;

/// The binding, whose version tells that of llama.cpp: its state's form may
/// change with every one.
pub const LIBRARY: &str = "llama-cpp-2 0.1.160";
/// Ends every file; the number is the form's version.
const MARK: &[u8; 8] = b"PARLORk2";
/// Length of the text with its spans, fingerprint, checksum, mark.
const FOOT: u64 = 8 + 8 + 8 + 8;
/// Fewer tokens than these are read again as quickly.
const LEAST: usize = 16;
/// The sequence that conversations are in.
const SEQUENCE: i32 = 0;

/// The files of one loaded model.
pub struct Keeper {
    spec: KeepSpec,
    fingerprint: u64,
    /// The conversation that the cache holds.
    conversation: Option<String>,
    /// Whether it is: what was there before may be another's, until the first
    /// prompt of this one is read.
    read: bool,
    /// Tokens of it that are in its file.
    kept: usize,
}

impl Keeper {
    /// `settings` are what else changes the form of the state.
    pub fn new(spec: KeepSpec, model: &Path, settings: &str) -> Option<Self> {
        Some(Self {
            fingerprint: fingerprint(model, settings).ok()?,
            spec,
            conversation: None,
            read: false,
            kept: 0,
        })
    }

    fn path(&self, conversation: &str) -> PathBuf {
        self.spec.folder.join(format!("{conversation}.state"))
    }

    /// The cache is to serve this conversation now: takes what is kept of it.
    /// Returns what the cache holds then; None when it is as it was.
    pub fn turn_to(
        &mut self,
        conversation: Option<&str>,
        context: &mut LlamaContext<'_>,
    ) -> Option<Held> {
        if self.conversation.as_deref() == conversation {
            return None;
        }
        self.conversation = conversation.map(String::from);
        self.kept = 0;
        self.read = false;
        let path = self.path(conversation?);
        let (text, spans) = self.check(&path).ok()?;
        context.clear_kv_cache();
        let room = context.n_ctx() as usize;
        let Ok((tokens, _)) = context.state_seq_load_file(&path, SEQUENCE, room) else {
            context.clear_kv_cache();
            return Some(Held::default());
        };
        self.kept = tokens.len();
        self.read = true;
        // What was used last is given up last.
        let _ = File::open(&path).and_then(|f| f.set_modified(SystemTime::now()));
        Some(Held {
            tokens,
            spans,
            text,
        })
    }

    /// The cache holds a prompt of this conversation, or the beginning of one.
    pub fn has_read(&mut self) {
        self.read = true;
    }

    /// Whether the file would tell less than the cache.
    pub fn is_due(&self, held: &Held) -> bool {
        let tokens = held.tokens.len();
        self.conversation.is_some() && self.read && tokens >= LEAST && tokens != self.kept
    }

    /// Writes what the cache holds, whole or not at all, within the limit.
    pub fn save(&mut self, context: &LlamaContext<'_>, held: &Held) {
        let Some(conversation) = self.conversation.clone().filter(|_| self.is_due(held)) else {
            return;
        };
        // Not tried again until there is more, whether it works or not.
        self.kept = held.tokens.len();
        let path = self.path(&conversation);
        let part = path.with_extension("part");
        let written = self
            .write(&part, context, held)
            .and_then(|()| fs::rename(&part, &path));
        if let Err(error) = written {
            tracing::warn!("the state of {conversation} is not kept: {error}");
            let _ = fs::remove_file(&part);
        }
        self.give_up(&path);
    }

    fn write(&self, part: &Path, context: &LlamaContext<'_>, held: &Held) -> io::Result<()> {
        private_folder(&self.spec.folder)?;
        create_private(part)?;
        context
            .state_seq_save_file(part, SEQUENCE, &held.tokens)
            .map_err(io::Error::other)?;
        let mut file = File::options().read(true).write(true).open(part)?;
        file.seek(SeekFrom::End(0))?;
        let tale = postcard::to_allocvec(&(&held.text, &held.spans)).map_err(io::Error::other)?;
        file.write_all(&tale)?;
        file.write_all(&(tale.len() as u64).to_le_bytes())?;
        file.write_all(&self.fingerprint.to_le_bytes())?;
        let length = file.stream_position()?;
        if length > self.spec.limit {
            return Err(io::Error::other("it is larger than the limit"));
        }
        let sum = checksum(&mut file, length)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(&sum.to_le_bytes())?;
        file.write_all(MARK)
    }

    /// The text and the spans of a sound file that fits.
    fn check(&self, path: &Path) -> io::Result<(Vec<u8>, Vec<Span>)> {
        let unfit = || io::Error::other("it does not fit");
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let foot_at = length.checked_sub(FOOT).ok_or_else(unfit)?;
        let mut foot = [0; FOOT as usize];
        file.seek(SeekFrom::Start(foot_at))?;
        file.read_exact(&mut foot)?;
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&foot[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        if &foot[24..] != MARK || number(8) != self.fingerprint {
            return Err(unfit());
        }
        let text_at = foot_at.checked_sub(number(0)).ok_or_else(unfit)?;
        if checksum(&mut file, foot_at + 16)? != number(16) {
            return Err(unfit());
        }
        let mut tale = Vec::new();
        file.seek(SeekFrom::Start(text_at))?;
        file.take(number(0)).read_to_end(&mut tale)?;
        postcard::from_bytes(&tale).map_err(io::Error::other)
    }

    /// Removes what was used least recently, until the rest is within the
    /// limit; never `but`, which was just written.
    fn give_up(&self, but: &Path) {
        let Ok(entries) = fs::read_dir(&self.spec.folder) else {
            return;
        };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| {
                let about = entry.metadata().ok()?;
                Some((about.modified().ok()?, about.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total <= self.spec.limit {
                return;
            }
            if path != but && fs::remove_file(&path).is_ok() {
                total -= length;
            }
        }
    }
}

/// What the state depends on: the model's file, the library, the settings.
fn fingerprint(model: &Path, settings: &str) -> io::Result<u64> {
    let file = File::open(model)?;
    let about = file.metadata()?;
    let mut head = Vec::new();
    file.take(1 << 20).read_to_end(&mut head)?;
    let changed = about.modified()?.duration_since(SystemTime::UNIX_EPOCH);
    let changed = changed.map_or(0, |since| since.as_nanos());
    let mut hash = Xxh3::new();
    hash.update(&head);
    hash.update(&about.len().to_le_bytes());
    hash.update(&changed.to_le_bytes());
    hash.update(LIBRARY.as_bytes());
    hash.update(settings.as_bytes());
    Ok(hash.digest())
}

/// XXH3 of the first so many bytes.
fn checksum(file: &mut File, length: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 1 << 20];
    let mut left = length;
    while left > 0 {
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = file.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&buffer[..read]);
        left -= read as u64;
    }
    Ok(hash.digest())
}

pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
