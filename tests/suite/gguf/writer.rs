//! Writes made-up GGUF files, right and wrong ones.
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use parlor::gguf::{self, GgufError, Header};
use parlor::protocol::library::Card;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub const U8: u32 = 0;
pub const U32: u32 = 4;
pub const I32: u32 = 5;
pub const F32: u32 = 6;
pub const BOOL: u32 = 7;
pub const TEXT: u32 = 8;
pub const ARRAY: u32 = 9;
pub const U64: u32 = 10;

/// A file to be written.
#[derive(Clone)]
pub struct Made {
    architecture: String,
    version: u32,
    keys: u64,
    values: Vec<u8>,
    pub tensors: Vec<Put>,
    alignment: u64,
    /// Counts to claim instead of the right ones.
    claimed_keys: Option<u64>,
    claimed_tensors: Option<u64>,
}

/// A tensor to be written; its data is zeros.
#[derive(Clone)]
pub struct Put {
    pub name: Vec<u8>,
    pub dims: Vec<u64>,
    pub code: u32,
    pub bytes: u64,
    /// Instead of the right one.
    pub offset: Option<u64>,
}

pub fn text(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

pub fn array(kind: u32, count: u64, entries: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &count.to_le_bytes(), entries].concat()
}

impl Made {
    /// Without any key.
    pub fn bare() -> Self {
        Self {
            architecture: String::new(),
            version: 3,
            keys: 0,
            values: Vec::new(),
            tensors: Vec::new(),
            alignment: 32,
            claimed_keys: None,
            claimed_tensors: None,
        }
    }

    pub fn new(architecture: &str) -> Self {
        let made = Self {
            architecture: architecture.into(),
            ..Self::bare()
        };
        made.say("general.architecture", architecture)
    }

    /// The measures of a small model of this architecture.
    pub fn model(architecture: &str, layers: u32) -> Self {
        Self::new(architecture)
            .own("block_count", layers)
            .own("embedding_length", 64)
            .own("context_length", 2048)
            .own("feed_forward_length", 128)
            .own("attention.head_count", 4)
            .own("attention.head_count_kv", 2)
            .tensor("token_embd.weight", &[64, 10], 0)
    }

    pub fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    pub fn claim_keys(self, keys: u64) -> Self {
        Self {
            claimed_keys: Some(keys),
            ..self
        }
    }

    pub fn claim_tensors(self, tensors: u64) -> Self {
        Self {
            claimed_tensors: Some(tensors),
            ..self
        }
    }

    /// A key with its value as bytes.
    pub fn put(mut self, key: &[u8], kind: u32, value: &[u8]) -> Self {
        self.values.extend(text(key));
        self.values.extend(kind.to_le_bytes());
        self.values.extend(value);
        self.keys += 1;
        self
    }

    pub fn say(self, key: &str, value: &str) -> Self {
        self.put(key.as_bytes(), TEXT, &text(value.as_bytes()))
    }

    pub fn count(self, key: &str, value: u32) -> Self {
        self.put(key.as_bytes(), U32, &value.to_le_bytes())
    }

    pub fn flag(self, key: &str, value: bool) -> Self {
        self.put(key.as_bytes(), BOOL, &[u8::from(value)])
    }

    pub fn float(self, key: &str, value: f32) -> Self {
        self.put(key.as_bytes(), F32, &value.to_le_bytes())
    }

    /// A number under the architecture's own name.
    pub fn own(self, key: &str, value: u32) -> Self {
        let key = format!("{}.{key}", self.architecture);
        self.count(&key, value)
    }

    /// A number for each layer.
    pub fn each(self, key: &str, values: &[u32]) -> Self {
        let entries: Vec<u8> = values.iter().flat_map(|n| n.to_le_bytes()).collect();
        let key = format!("{}.{key}", self.architecture);
        let list = array(U32, values.len() as u64, &entries);
        self.put(key.as_bytes(), ARRAY, &list)
    }

    pub fn say_all(self, key: &str, values: &[&str]) -> Self {
        let entries: Vec<u8> = values.iter().flat_map(|t| text(t.as_bytes())).collect();
        let list = array(TEXT, values.len() as u64, &entries);
        self.put(key.as_bytes(), ARRAY, &list)
    }

    pub fn alignment(self, alignment: u32) -> Self {
        let made = Self {
            alignment: u64::from(alignment.max(1)),
            ..self
        };
        made.count("general.alignment", alignment)
    }

    /// A tensor of F32 (0), F16 (1), or of Q4_K (12).
    pub fn tensor(self, name: &str, dims: &[u64], code: u32) -> Self {
        let numbers: u64 = dims.iter().product();
        let bytes = match code {
            0 => numbers * 4,
            1 => numbers * 2,
            _ => numbers / 256 * 144,
        };
        self.sized(name.as_bytes(), dims, code, bytes)
    }

    /// A tensor with so many bytes of data.
    pub fn sized(mut self, name: &[u8], dims: &[u64], code: u32, bytes: u64) -> Self {
        self.tensors.push(Put {
            name: name.into(),
            dims: dims.into(),
            code,
            bytes,
            offset: None,
        });
        self
    }

    /// The header, and how long the file is to be.
    pub fn header(&self) -> (Vec<u8>, u64) {
        let tensors = self.claimed_tensors.unwrap_or(self.tensors.len() as u64);
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(tensors.to_le_bytes());
        out.extend(self.claimed_keys.unwrap_or(self.keys).to_le_bytes());
        out.extend(&self.values);
        let mut at = 0;
        for put in &self.tensors {
            out.extend(text(&put.name));
            out.extend((put.dims.len() as u32).to_le_bytes());
            put.dims.iter().for_each(|d| out.extend(d.to_le_bytes()));
            out.extend(put.code.to_le_bytes());
            out.extend(put.offset.unwrap_or(at).to_le_bytes());
            at = (at + put.bytes).next_multiple_of(self.alignment);
        }
        let start = (out.len() as u64).next_multiple_of(self.alignment);
        (out, start + at)
    }

    pub fn write(&self, path: &Path) -> PathBuf {
        let (header, length) = self.header();
        let mut file = File::create(path).unwrap();
        file.write_all(&header).unwrap();
        file.set_len(length).unwrap();
        path.into()
    }

    pub fn read(&self) -> Result<Header, GgufError> {
        let folder = TempDir::new().unwrap();
        gguf::read(&self.write(&folder.path().join("made.gguf")))
    }

    pub fn card(&self) -> Card {
        gguf::card(&self.read().unwrap())
    }
}

/// Reads a file of these bytes.
pub fn read_bytes(bytes: &[u8]) -> Result<Header, GgufError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("made.gguf");
    std::fs::write(&path, bytes).unwrap();
    gguf::read(&path)
}

/// What is said of a file that is refused.
pub fn refusal(read: Result<Header, GgufError>) -> String {
    read.map(|_| ()).unwrap_err().to_string()
}
