//! Helpers of the hub's tests: a models folder, a pull, what it told.

use super::server::Server;
use parlor::hub::{Hub, HubError, Order, Pace, Settings, Target};
use parlor::protocol::hub::{Phase, Progress, Pulled, Room, Wish};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

pub const ROOM: Room = Room {
    fits: u64::MAX,
    most: u64::MAX,
};

/// Small figures: nothing waits long.
pub fn pace() -> Pace {
    Pace {
        parts: 4,
        small: 64 << 10,
        piece: 256 << 10,
        connect: Duration::from_secs(5),
        stall: Duration::from_millis(400),
        attempts: 5,
        wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(20),
        save_after: Duration::from_millis(20),
        save_bytes: 64 << 10,
        event: Duration::from_millis(5),
        margin: 1 << 20,
        lock: Duration::from_secs(3),
    }
}

/// Bytes that begin as a GGUF does, and are the same for the same seed.
pub fn gguf(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes: Vec<u8> = (0..length.div_ceil(8))
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    bytes.truncate(length);
    bytes[..4].copy_from_slice(b"GGUF");
    bytes
}

pub struct Bench {
    pub folder: TempDir,
    /// Where models go; `None` for a folder inside `folder`.
    pub models: Option<PathBuf>,
    pub pace: Pace,
    pub variables: Vec<(&'static str, String)>,
    pub free: u64,
}

/// How a pull ended, and what it told on the way.
pub struct Ended {
    pub result: Result<Pulled, HubError>,
    pub events: Vec<Progress>,
}

impl Bench {
    pub fn new(server: &Server) -> Bench {
        Bench::at(server.endpoint())
    }

    pub fn at(endpoint: String) -> Bench {
        Bench {
            folder: tempfile::tempdir().unwrap(),
            models: None,
            pace: pace(),
            variables: vec![("HF_ENDPOINT", endpoint)],
            free: u64::MAX,
        }
    }

    pub fn models(&self) -> PathBuf {
        let inside = || self.folder.path().join("models");
        self.models.clone().unwrap_or_else(inside)
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.models().join(inside)
    }

    pub fn settings(&self) -> Result<Settings, HubError> {
        Settings::from(self.folder.path(), |name| {
            let found = self.variables.iter().find(|(n, _)| *n == name)?;
            Some(OsString::from(&found.1))
        })
    }

    pub fn hub(&self) -> Hub {
        Hub::new(self.settings().unwrap(), self.pace.clone()).unwrap()
    }

    pub async fn pull(&self, target: &str) -> Ended {
        let (_keep, control) = watch::channel(Wish::Run);
        self.pull_with(target, control).await
    }

    pub async fn pull_with(&self, target: &str, control: watch::Receiver<Wish>) -> Ended {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let result = self.pull_telling(target, control, sender).await;
        let mut events = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            events.push(event);
        }
        Ended { result, events }
    }

    pub async fn pull_telling(
        &self,
        target: &str,
        control: watch::Receiver<Wish>,
        sender: mpsc::UnboundedSender<Progress>,
    ) -> Result<Pulled, HubError> {
        let order = Order {
            target: Target::parse(target)?,
            folder: self.models(),
            room: ROOM,
            projector: true,
        };
        let free = self.free;
        self.hub()
            .pull(&order, move |_| free, control, sender)
            .await
    }

    /// All files in the models folder, by their path inside it.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        walk(&self.models(), &self.models(), &mut files);
        files.sort();
        files
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            let inside = path.strip_prefix(root).unwrap();
            files.push(inside.to_str().unwrap().replace('\\', "/"));
        }
    }
}

impl Ended {
    pub fn pulled(&self) -> &Pulled {
        self.result.as_ref().unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn sentence(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }

    pub fn restarts(&self) -> usize {
        self.turns(|phase| matches!(phase, Phase::Restarting { .. }))
    }

    pub fn retries(&self) -> usize {
        self.turns(|phase| matches!(phase, Phase::Retrying { .. }))
    }

    /// How often such a phase began; it may be told more than once.
    fn turns(&self, is_it: impl Fn(&Phase) -> bool) -> usize {
        let begins = |pair: &&[Progress]| is_it(&pair[1].phase) && pair[0].phase != pair[1].phase;
        self.events.windows(2).filter(begins).count()
    }

    /// The bytes never run backwards but where a file begins again, and never
    /// past the end.
    pub fn assert_forwards(&self) {
        for pair in self.events.windows(2) {
            let again = matches!(pair[1].phase, Phase::Restarting { .. });
            assert!(again || pair[0].done <= pair[1].done, "{pair:#?}");
            assert!(
                pair[1].total == 0 || pair[1].done <= pair[1].total,
                "{pair:#?}"
            );
        }
    }
}

/// Random numbers that a seed repeats.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % end
    }
}
