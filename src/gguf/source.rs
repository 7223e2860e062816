//! Reads numbers and strings from a file, and trusts no length that it finds
//! there: each is held against the bytes that are left before memory is taken.

use super::error::GgufError;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Large, because the words of a vocabulary are skipped one by one.
const BUFFER: usize = 128 << 10;
/// Headers have some tens of megabytes at most, nearly all of it vocabulary.
const LONGEST_HEADER: u64 = 256 << 20;

/// A file that is read from its start on.
pub struct Source {
    inner: BufReader<File>,
    /// Bytes read or skipped.
    at: u64,
    /// Where a header has to have ended.
    end: u64,
    file_size: u64,
    /// What is being read, for messages.
    pub place: &'static str,
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        // Opening a pipe would wait for its other end.
        if !std::fs::metadata(path)?.is_file() {
            return Err(GgufError::NotAFile);
        }
        let file = File::open(path)?;
        let file_size = file.metadata()?.len();
        Ok(Self {
            inner: BufReader::with_capacity(BUFFER, file),
            at: 0,
            end: file_size.min(LONGEST_HEADER),
            file_size,
            place: "its first bytes",
        })
    }

    pub fn file_size(&self) -> u64 {
        self.file_size
    }

    /// Bytes read or skipped so far.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The bytes that come next, as many as one reading gives.
    pub fn peek(&mut self) -> Result<&[u8], GgufError> {
        Ok(self.inner.fill_buf()?)
    }

    /// Whether so many bytes are left; each count and length goes through this.
    pub fn claim(&self, bytes: u64) -> Result<(), GgufError> {
        if bytes <= self.end - self.at {
            return Ok(());
        }
        Err(match self.end < self.file_size {
            true => GgufError::HeaderTooLong(LONGEST_HEADER),
            false => GgufError::EndsInHeader {
                place: self.place,
                at: self.at,
            },
        })
    }

    /// Whether `count` things of at least `each` bytes can follow.
    pub fn claim_all(&self, count: u64, each: u64) -> Result<(), GgufError> {
        self.claim(count.saturating_mul(each))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.claim(N as u64)?;
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    pub fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: u64) -> Result<Vec<u8>, GgufError> {
        self.claim(count)?;
        let length = usize::try_from(count).map_err(|_| GgufError::BadName)?;
        let mut bytes = vec![0; length];
        self.inner.read_exact(&mut bytes)?;
        self.at += count;
        Ok(bytes)
    }

    pub fn skip(&mut self, count: u64) -> Result<(), GgufError> {
        self.claim(count)?;
        // `claim` holds it below the longest header.
        let step = i64::try_from(count).unwrap_or(i64::MAX);
        self.inner.seek_relative(step)?;
        self.at += count;
        Ok(())
    }

    /// A count of things of at least `least` bytes each, if the file has room
    /// for them and a model can need as many.
    pub fn count(
        &self,
        what: &'static str,
        count: u64,
        least: u64,
        most: u64,
    ) -> Result<usize, GgufError> {
        match usize::try_from(count) {
            Ok(n) if count <= most => {
                self.claim_all(count, least)?;
                Ok(n)
            }
            _ => Err(GgufError::TooMany { what, count, most }),
        }
    }

    /// A name of at most `longest` bytes, its length before it.
    pub fn name(&mut self, longest: u64) -> Result<Box<str>, GgufError> {
        let length = self.u64()?;
        self.claim(length)?;
        if length == 0 || length > longest {
            return Err(GgufError::BadName);
        }
        self.text(length)
    }

    /// Text of `count` bytes. Each byte that is not UTF-8 becomes a question
    /// mark: the usual replacement would take three times the memory.
    pub fn text(&mut self, count: u64) -> Result<Box<str>, GgufError> {
        Ok(to_text(self.bytes(count)?))
    }
}

/// Bytes as text, in the same memory.
pub fn to_text(mut bytes: Vec<u8>) -> Box<str> {
    let mut good = 0;
    while let Err(e) = std::str::from_utf8(&bytes[good..]) {
        let from = good + e.valid_up_to();
        let to = match e.error_len() {
            Some(n) => from + n,
            None => bytes.len(),
        };
        bytes[from..to].fill(b'?');
        good = to;
    }
    String::from_utf8(bytes).unwrap_or_default().into()
}
