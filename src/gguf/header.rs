//! The header of a GGUF file: its metadata and the list of its tensors.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, and
//! `gguf.cpp` of llama.cpp for what is refused.

use super::error::{GgufError, shown};
use super::look;
use super::source::Source;
use super::tensors::{Tensor, first_twice, read_tensors};
use super::value::{Array, Value};
use super::values::read_value;
use std::path::Path;

/// A tensor's data begins at a multiple of this, unless the file says another.
const ALIGNMENT: u64 = 32;
const ALIGNMENT_KEY: &str = "general.alignment";
/// Real files have some tens of keys.
const MOST_KEYS: u64 = 4096;
/// Bytes that a key with its value takes at least.
const LEAST_KEY: u64 = 8 + 1 + 4 + 1;
/// As the format has it.
const LONGEST_KEY: u64 = 65_535;

/// What stands before the data of a GGUF file.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub version: u32,
    /// Keys and values in the order of the file; no key is there twice.
    pub metadata: Vec<(Box<str>, Value)>,
    pub tensors: Vec<Tensor>,
    /// Where the data of the tensors begins, in bytes.
    pub data_start: u64,
    /// Bytes; of a model in parts, of all.
    pub file_size: u64,
}

/// Reads the header of a GGUF file, and nothing of its tensors' data.
pub fn read(path: &Path) -> Result<Header, GgufError> {
    let mut source = Source::open(path)?;
    let start = source.peek()?;
    if start.is_empty() {
        return Err(GgufError::Empty);
    }
    if !start.starts_with(b"GGUF") {
        return Err(look::not_gguf(start));
    }
    source.skip(4)?;
    let version = read_version(&mut source)?;
    let tensors = source.u64()?;
    let keys = source.u64()?;
    source.place = "its metadata";
    let metadata = read_metadata(&mut source, keys)?;
    let alignment = alignment(&metadata)?;
    source.place = "its list of tensors";
    let tensors = read_tensors(&mut source, tensors, alignment)?;
    let header = Header {
        version,
        metadata,
        tensors,
        data_start: source.at().next_multiple_of(alignment),
        file_size: source.file_size(),
    };
    header.check_length()?;
    Ok(header)
}

fn read_version(source: &mut Source) -> Result<u32, GgufError> {
    let version = source.u32()?;
    match version {
        2 | 3 => Ok(version),
        0 | 1 => Err(GgufError::TooOld(version)),
        // Read the wrong way round, a small number stands in the upper bytes.
        n if n & 0xffff == 0 => Err(GgufError::BigEndian),
        n => Err(GgufError::TooNew(n)),
    }
}

fn read_metadata(source: &mut Source, count: u64) -> Result<Vec<(Box<str>, Value)>, GgufError> {
    let count = source.count("keys", count, LEAST_KEY, MOST_KEYS)?;
    let mut metadata = Vec::with_capacity(count);
    for _ in 0..count {
        let key = source.name(LONGEST_KEY)?;
        let value = read_value(source, &key)?;
        metadata.push((key, value));
    }
    match first_twice(count, |i| &metadata[i].0) {
        Some(i) => Err(GgufError::Twice(format!(
            "the key {}",
            shown(&metadata[i].0)
        ))),
        None => Ok(metadata),
    }
}

fn alignment(metadata: &[(Box<str>, Value)]) -> Result<u64, GgufError> {
    let stated = metadata.iter().find(|(key, _)| **key == *ALIGNMENT_KEY);
    match stated {
        None => Ok(ALIGNMENT),
        Some((_, Value::Unsigned(n))) if n.is_power_of_two() && *n <= 1 << 31 => Ok(*n),
        Some((_, Value::Unsigned(n))) => Err(GgufError::Alignment(n.to_string())),
        Some(_) => Err(GgufError::Alignment("of the file".into())),
    }
}

impl Header {
    /// Whether the data of all tensors is in the file.
    fn check_length(&self) -> Result<(), GgufError> {
        let Some(last) = self.tensors.last() else {
            return Ok(());
        };
        let end = last.offset.checked_add(last.bytes);
        let needed = end.and_then(|end| end.checked_add(self.data_start));
        match needed {
            Some(needed) if needed <= self.file_size => Ok(()),
            Some(needed) => Err(GgufError::CutShort {
                needed,
                there: self.file_size,
            }),
            None => Err(GgufError::TensorTooLarge(shown(&last.name))),
        }
    }

    /// The value of a key, by its whole name.
    pub fn value(&self, key: &str) -> Option<&Value> {
        let found = self.metadata.iter().find(|(known, _)| **known == *key);
        found.map(|(_, value)| value)
    }

    /// The value of a key of the model's architecture, as `llama.block_count`.
    pub fn own(&self, key: &str) -> Option<&Value> {
        let architecture = self.architecture();
        let found = self.metadata.iter().find(|(known, _)| {
            let rest = known.strip_prefix(architecture);
            rest.and_then(|rest| rest.strip_prefix('.')) == Some(key)
        });
        found.map(|(_, value)| value)
    }

    /// `general.architecture`; empty when there is none.
    pub fn architecture(&self) -> &str {
        self.text("general.architecture").unwrap_or_default()
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.value(key)?.text()
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        self.value(key)?.number()
    }

    pub fn float(&self, key: &str) -> Option<f64> {
        self.value(key)?.float()
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.value(key)?.flag()
    }

    /// The numbers of a short list, or a single one; see [`Value::numbers`].
    pub fn numbers(&self, key: &str) -> Option<Vec<u64>> {
        self.value(key)?.numbers()
    }

    /// The texts of a short list.
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        self.value(key)?.texts()
    }

    /// Entries of a list, short or long.
    pub fn count(&self, key: &str) -> Option<u64> {
        self.array(key).map(|a| a.count)
    }

    /// A list, whose entries may not have been kept.
    pub fn array(&self, key: &str) -> Option<&Array> {
        match self.value(key)? {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|t| *t.name == *name)
    }
}
