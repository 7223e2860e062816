//! Makes small GGUF files of every kind, and a home folder to put them in.

use parlor::models::{Places, scan};
use parlor::protocol::library::FoundModel;
use std::fs;
use std::path::{Path, PathBuf};

/// What a file says of itself.
#[derive(Clone, Default)]
pub struct Made {
    texts: Vec<(String, String)>,
    numbers: Vec<(String, u32)>,
    /// Tokens of a vocabulary, to make a header as long as real ones.
    tokens: usize,
}

impl Made {
    pub fn chat(name: &str, width: u32) -> Self {
        Self::default()
            .text("general.architecture", "llama")
            .text("general.name", name)
            .number("llama.block_count", 1)
            .number("llama.context_length", 2048)
            .number("llama.embedding_length", width)
            .text("tokenizer.chat_template", "{{ messages }}")
    }

    pub fn projector(base: &str, width: u32) -> Self {
        Self::default()
            .text("general.architecture", "clip")
            .text("general.type", "mmproj")
            .text("general.base_model.0.name", base)
            .number("clip.vision.projection_dim", width)
    }

    pub fn adapter() -> Self {
        Self::default()
            .text("general.architecture", "llama")
            .text("general.type", "adapter")
            .text("adapter.type", "lora")
    }

    pub fn embedding() -> Self {
        Self::default()
            .text("general.architecture", "bert")
            .text("general.name", "small bert")
            .number("bert.pooling_type", 1)
    }

    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.texts.push((key.into(), value.into()));
        self
    }

    pub fn number(mut self, key: &str, value: u32) -> Self {
        self.numbers.push((key.into(), value));
        self
    }

    pub fn tokens(self, tokens: usize) -> Self {
        Self { tokens, ..self }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend(1u64.to_le_bytes());
        let lists = usize::from(self.tokens > 0);
        let count = self.texts.len() + self.numbers.len() + lists;
        out.extend((count as u64).to_le_bytes());
        for (key, value) in &self.texts {
            string(&mut out, key);
            out.extend(8u32.to_le_bytes());
            string(&mut out, value);
        }
        for (key, value) in &self.numbers {
            string(&mut out, key);
            out.extend(4u32.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
        if self.tokens > 0 {
            string(&mut out, "tokenizer.ggml.tokens");
            out.extend(9u32.to_le_bytes());
            out.extend(8u32.to_le_bytes());
            out.extend((self.tokens as u64).to_le_bytes());
            (0..self.tokens).for_each(|n| string(&mut out, &format!("t{n}")));
        }
        string(&mut out, "token_embd.weight");
        out.extend(2u32.to_le_bytes());
        out.extend(8u64.to_le_bytes());
        out.extend(4u64.to_le_bytes());
        out.extend(0u32.to_le_bytes());
        out.extend(0u64.to_le_bytes());
        out.resize(out.len().next_multiple_of(32), 0);
        out.resize(out.len() + 8 * 4 * 4, 0);
        out
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// A home folder for one test.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("here")).unwrap();
        Self { folder }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, made: &Made) -> PathBuf {
        self.write(name, made.bytes())
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The usual places with nothing in the environment, and Parlor's own
    /// folder; none of the system's.
    pub fn places(&self) -> Places {
        let mut places = Places::usual(self.folder.path(), self.at("here"), |_| None);
        places.own = self.at("parlor");
        places.ollama.retain(|p| p.starts_with(self.folder.path()));
        places
    }

    pub fn scan(&self) -> Vec<FoundModel> {
        scan(&self.places(), &[], None)
    }
}

pub fn names(found: &[FoundModel]) -> Vec<&str> {
    found.iter().map(|m| m.name.as_str()).collect()
}

/// Why a model cannot be used.
pub fn why<'m>(found: &'m [FoundModel], name: &str) -> &'m str {
    let model = named(found, name);
    model.card.as_ref().expect_err("it can be used")
}

pub fn named<'m>(found: &'m [FoundModel], name: &str) -> &'m FoundModel {
    let model = found.iter().find(|m| m.name == name);
    model.unwrap_or_else(|| panic!("no {name} in {:?}", names(found)))
}

#[cfg(unix)]
pub fn link(to: impl AsRef<Path>, at: &Path) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(to, at).unwrap();
}
