//! What was learned by use: when each model was loaded last, and how fast this
//! machine goes through weights.

use crate::protocol::library::Machine;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A measurement counts this much of what is known; the rest is what was
/// measured before, for one answer may have had the machine to share.
const WEIGHT: u64 = 4;

/// Everything that was learned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Seconds since 1970.
    used: BTreeMap<PathBuf, u64>,
    /// Bytes a second; 0 while unknown.
    memory_speed: u64,
    gpu_speed: u64,
}

impl Record {
    /// From its file; empty when there is none that can be read.
    pub fn load(file: &Path) -> Self {
        let text = fs::read_to_string(file).ok();
        text.and_then(|t| serde_json::from_str(&t).ok())
            .unwrap_or_default()
    }

    /// Whole or not at all.
    pub fn save(&self, file: &Path) -> io::Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let draft = file.with_extension(format!("{}.new", std::process::id()));
        fs::write(&draft, serde_json::to_vec(self)?)?;
        fs::rename(&draft, file)
    }

    /// The model was loaded now.
    pub fn uses(&mut self, model: &Path, now: u64) {
        self.used.insert(model.to_path_buf(), now);
    }

    pub fn used(&self, model: &Path) -> Option<u64> {
        self.used.get(model).copied()
    }

    /// Takes a measurement in.
    pub fn learn(&mut self, on_gpu: bool, speed: u64) {
        let known = match on_gpu {
            true => &mut self.gpu_speed,
            false => &mut self.memory_speed,
        };
        *known = match *known {
            0 => speed,
            before => before - before / WEIGHT + speed / WEIGHT,
        };
    }

    /// Puts the speeds into what is known of the machine.
    pub fn tell(&self, machine: &mut Machine) {
        machine.memory_speed = self.memory_speed;
        machine.gpu_speed = self.gpu_speed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_is_there_again_and_a_spoiled_file_is_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/record.json");
        let mut record = Record::load(&file);
        record.uses(Path::new("/m.gguf"), 5);
        record.learn(false, 1000);
        record.learn(false, 2000);
        record.save(&file).unwrap();
        let again = Record::load(&file);
        assert_eq!(again, record);
        let mut machine = Machine::default();
        again.tell(&mut machine);
        assert_eq!((machine.memory_speed, machine.gpu_speed), (1250, 0));
        fs::write(&file, "{").unwrap();
        assert_eq!(Record::load(&file), Record::default());
    }
}
