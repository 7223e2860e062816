//! What was encoded before: the latest in memory, and beside the states of the
//! conversations on disk, so that a reopened one is not encoded again.

use crate::engine::runner::keep::{LIBRARY, create_private, private_folder};
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Bytes of what was encoded that stay in memory.
const MOST: usize = 256 << 20;
/// Of a file's head that is hashed.
const HEAD: u64 = 1 << 20;

struct Encoded {
    key: u64,
    part: usize,
    numbers: Vec<f32>,
}

pub struct Memory {
    /// What the numbers depend on.
    fingerprint: u64,
    /// The latest last.
    held: VecDeque<Encoded>,
    bytes: usize,
    /// None while nothing may be written.
    pub folder: Option<PathBuf>,
}

impl Memory {
    pub fn new(projector: Option<&Path>) -> Self {
        Self {
            fingerprint: projector.and_then(|p| fingerprint(p).ok()).unwrap_or(0),
            held: VecDeque::new(),
            bytes: 0,
            folder: None,
        }
    }

    /// What was encoded of an item's part, if it is this long.
    pub fn recall(&mut self, key: u64, part: usize, length: usize) -> Option<Vec<f32>> {
        let at = self
            .held
            .iter()
            .position(|e| e.key == key && e.part == part);
        if let Some(found) = at.and_then(|at| self.held.remove(at)) {
            let numbers = found.numbers.clone();
            self.held.push_back(found);
            return (numbers.len() == length).then_some(numbers);
        }
        let numbers = self.read(&self.path(key, part)?, length)?;
        self.hold(key, part, numbers.clone());
        Some(numbers)
    }

    pub fn remember(&mut self, key: u64, part: usize, numbers: &[f32]) {
        self.hold(key, part, numbers.to_vec());
        if let Some(path) = self.path(key, part)
            && let Err(error) = write(&path, numbers)
        {
            tracing::warn!("what was encoded is not kept: {error}");
        }
    }

    fn hold(&mut self, key: u64, part: usize, numbers: Vec<f32>) {
        self.bytes += size_of_val(numbers.as_slice());
        self.held.push_back(Encoded { key, part, numbers });
        while self.bytes > MOST && self.held.len() > 1 {
            let oldest = self
                .held
                .pop_front()
                .map_or(0, |e| size_of_val(e.numbers.as_slice()));
            self.bytes -= oldest;
        }
    }

    fn path(&self, key: u64, part: usize) -> Option<PathBuf> {
        let name = format!("{key:016x}-{part}-{:016x}.encoded", self.fingerprint);
        Some(self.folder.as_ref()?.join(name))
    }

    fn read(&self, path: &Path, length: usize) -> Option<Vec<f32>> {
        let bytes = fs::read(path).ok()?;
        let (numbers, sum) = bytes.split_last_chunk::<8>()?;
        if numbers.len() != length * 4 || xxh3_64(numbers) != u64::from_le_bytes(*sum) {
            return None;
        }
        // What was used last is given up last.
        let touched = fs::File::open(path);
        let _ = touched.and_then(|f| f.set_modified(std::time::SystemTime::now()));
        let (numbers, _) = numbers.as_chunks::<4>();
        Some(numbers.iter().map(|n| f32::from_le_bytes(*n)).collect())
    }
}

/// Whole or not at all; the numbers, then their checksum.
fn write(path: &Path, numbers: &[f32]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    let part = path.with_extension("part");
    let mut file = create_private(&part)?;
    let written = file
        .write_all(&bytes)
        .and_then(|()| file.write_all(&xxh3_64(&bytes).to_le_bytes()))
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Of the projector's file and of the library.
fn fingerprint(path: &Path) -> io::Result<u64> {
    let file = fs::File::open(path)?;
    let mut hash = Xxh3::new();
    hash.update(&file.metadata()?.len().to_le_bytes());
    let mut head = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, HEAD), &mut head)?;
    hash.update(&head);
    hash.update(LIBRARY.as_bytes());
    Ok(hash.digest())
}
