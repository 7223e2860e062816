//! The usual places on each system.
//!
//! Which variables and folders a program has is told, with its source, in its
//! file in `layout`. Folders that a variable names come before the usual ones,
//! and the usual ones stay: what was fetched before is still there.

use super::layout::{gpt4all, jan, lm_studio};
use super::places::Places;
use std::path::{Path, PathBuf};

/// Systems differ in where programs keep their data.
#[derive(Clone, Copy, PartialEq)]
enum System {
    Linux,
    Mac,
    Windows,
}

/// What the usual places depend on.
pub(super) struct Usual<'u> {
    system: System,
    home: &'u Path,
    variable: &'u dyn Fn(&str) -> Option<PathBuf>,
}

impl<'u> Usual<'u> {
    /// On the system that this program runs on.
    pub(super) fn here(home: &'u Path, variable: &'u dyn Fn(&str) -> Option<PathBuf>) -> Self {
        let system = match std::env::consts::OS {
            "macos" => System::Mac,
            "windows" => System::Windows,
            _ => System::Linux,
        };
        Self {
            system,
            home,
            variable,
        }
    }

    /// All but the folder that the program was started in.
    pub(super) fn places(&self) -> Places {
        Places {
            folders: vec![self.home.join("models")],
            hugging_face: self.hugging_face(),
            llama_cpp: self.llama_cpp(),
            lm_studio: distinct(lm_studio::roots(self.home).into_iter().map(Some)),
            ollama: self.ollama(),
            gpt4all: self.gpt4all(),
            jan: self.jan(),
            msty: self.msty(),
            ..Places::default()
        }
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name).filter(|value| !value.as_os_str().is_empty())
    }

    /// A variable's folder, or else this one below home.
    fn base(&self, variable: &str, below_home: &str) -> PathBuf {
        self.variable(variable)
            .unwrap_or_else(|| self.home.join(below_home))
    }

    fn cache(&self) -> PathBuf {
        self.base("XDG_CACHE_HOME", ".cache")
    }

    /// Where programs keep data of this machine alone.
    fn local_data(&self) -> PathBuf {
        match self.system {
            System::Linux => self.base("XDG_DATA_HOME", ".local/share"),
            System::Mac => self.home.join("Library/Application Support"),
            System::Windows => self.base("LOCALAPPDATA", "AppData/Local"),
        }
    }

    /// Where programs keep data that follows the person.
    fn data(&self) -> PathBuf {
        match self.system {
            System::Windows => self.base("APPDATA", "AppData/Roaming"),
            _ => self.local_data(),
        }
    }

    fn config(&self) -> PathBuf {
        match self.system {
            System::Linux => self.base("XDG_CONFIG_HOME", ".config"),
            _ => self.data(),
        }
    }

    fn hugging_face(&self) -> Vec<PathBuf> {
        distinct([
            self.variable("HF_HUB_CACHE"),
            self.variable("HUGGINGFACE_HUB_CACHE"),
            self.variable("HF_HOME").map(|home| home.join("hub")),
            Some(self.cache().join("huggingface/hub")),
            Some(self.home.join(".cache/huggingface/hub")),
        ])
    }

    fn llama_cpp(&self) -> Vec<PathBuf> {
        let cache = match self.system {
            System::Linux => self.cache(),
            System::Mac => self.home.join("Library/Caches"),
            System::Windows => self.local_data(),
        };
        distinct([self.variable("LLAMA_CACHE"), Some(cache.join("llama.cpp"))])
    }

    fn ollama(&self) -> Vec<PathBuf> {
        let service = [
            "/usr/share/ollama/.ollama/models",
            "/var/lib/ollama",
            "/var/lib/ollama/models",
        ];
        let service = service.into_iter().filter(|_| self.system == System::Linux);
        let own = [
            self.variable("OLLAMA_MODELS"),
            Some(self.home.join(".ollama/models")),
        ];
        distinct(own.into_iter().chain(service.map(|p| Some(p.into()))))
    }

    fn gpt4all(&self) -> Vec<PathBuf> {
        let settings = match self.system {
            // Qt takes the organization's domain there, and no other folder.
            System::Mac => self.home.join(".config/gpt4all.io/GPT4All.ini"),
            _ => self.config().join("nomic.ai/GPT4All.ini"),
        };
        let usual = self.local_data().join("nomic.ai/GPT4All");
        distinct([gpt4all::set(&settings), Some(usual)])
    }

    fn jan(&self) -> Vec<PathBuf> {
        let homes = [self.data().join("Jan"), self.config().join("Jan")];
        let set = homes
            .iter()
            .map(|home| jan::set(&home.join("settings.json")));
        let usual = homes.iter().map(|home| Some(home.join("data")));
        let old = [Some(self.home.join("jan"))];
        let named = [self.variable("JAN_DATA_FOLDER")];
        distinct(named.into_iter().chain(set).chain(usual).chain(old))
    }

    fn msty(&self) -> Vec<PathBuf> {
        let studio = self.config().join("MstyStudio");
        distinct([
            Some(self.config().join("Msty/models")),
            Some(studio.join("models")),
            Some(studio.join("models-llamacpp")),
        ])
    }
}

fn distinct(folders: impl IntoIterator<Item = Option<PathBuf>>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for folder in folders.into_iter().flatten() {
        if !kept.contains(&folder) {
            kept.push(folder);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(system: System, variable: &dyn Fn(&str) -> Option<PathBuf>) -> Places {
        let home = Path::new("/h");
        let usual = Usual {
            system,
            home,
            variable,
        };
        usual.places()
    }

    #[test]
    fn each_system_has_its_own_folders() {
        let mac = on(System::Mac, &|_| None);
        assert_eq!(mac.llama_cpp, [Path::new("/h/Library/Caches/llama.cpp")]);
        let support = Path::new("/h/Library/Application Support");
        assert_eq!(mac.gpt4all, [support.join("nomic.ai/GPT4All")]);
        assert_eq!(mac.jan, [support.join("Jan/data"), "/h/jan".into()]);
        assert_eq!(mac.msty[0], support.join("Msty/models"));
        assert_eq!(mac.ollama, [Path::new("/h/.ollama/models")]);

        let app_data = |name: &str| match name {
            "LOCALAPPDATA" => Some("/local".into()),
            "APPDATA" => Some("/roaming".into()),
            _ => None,
        };
        let windows = on(System::Windows, &app_data);
        assert_eq!(windows.llama_cpp, [Path::new("/local/llama.cpp")]);
        assert_eq!(windows.gpt4all, [Path::new("/local/nomic.ai/GPT4All")]);
        assert_eq!(windows.jan[0], Path::new("/roaming/Jan/data"));
        assert_eq!(windows.msty[1], Path::new("/roaming/MstyStudio/models"));
    }
}
