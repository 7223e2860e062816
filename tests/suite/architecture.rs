//! Folders are layers: who may import whom, read from the sources, because one
//! crate's compiler does not hold it.

use std::fs;
use std::path::{Path, PathBuf};

/// Folder, what of ours it may use, and outside crates that it may not.
const RULES: &[(&str, &[&str], &[&str])] = &[
    (
        "chat",
        &["chat"],
        &[
            "tokio",
            "ratatui",
            "crossterm",
            "llama_cpp_2",
            "std::fs",
            "std::io",
        ],
    ),
    (
        "help",
        &["help", "chat"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2", "std::fs"],
    ),
    (
        "gguf",
        &["gguf", "protocol"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2"],
    ),
    (
        "media",
        &["media"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2"],
    ),
    (
        "fit",
        &["fit", "chat", "protocol"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2", "std::fs"],
    ),
    (
        "models",
        &["models", "chat", "protocol", "gguf", "fit"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2"],
    ),
    (
        "hub",
        &["hub", "chat", "protocol"],
        &["ratatui", "crossterm", "llama_cpp_2"],
    ),
    (
        "protocol",
        &["chat", "protocol"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2", "std::fs"],
    ),
    (
        "app",
        &["app", "chat", "protocol", "help"],
        &[
            "tokio",
            "ratatui::",
            "crossterm",
            "llama_cpp_2",
            "std::fs",
            "std::io",
            "Instant::now",
            "SystemTime",
            "async ",
        ],
    ),
    // The view reads engine facts as the state holds them.
    (
        "ui",
        &["ui", "app", "chat", "protocol", "help", "media"],
        &[
            "tokio",
            "crossterm",
            "llama_cpp_2",
            "std::fs",
            "Instant::now",
        ],
    ),
    (
        "engine",
        &["engine", "chat", "protocol", "gguf", "fit", "media"],
        &["ratatui", "crossterm"],
    ),
    (
        "store",
        &["store", "chat", "protocol"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2"],
    ),
    (
        "exchange",
        &["exchange", "chat"],
        &["tokio", "ratatui", "crossterm", "llama_cpp_2"],
    ),
    (
        "config",
        &["config", "chat", "protocol", "app", "ui", "models", "fit"],
        &["tokio", "crossterm", "llama_cpp_2"],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file: no comments, no tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .map(|l| format!("{l}\n"))
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_folder_imports_only_what_the_plan_allows() {
    let mut wrong = Vec::new();
    for (folder, allowed, banned) in RULES {
        for file in sources(&root().join(folder)) {
            let code = code(&file);
            for used in code.split("crate::").skip(1) {
                let module: String = used
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if !allowed.contains(&module.as_str()) {
                    wrong.push(format!("{} uses crate::{module}", file.display()));
                }
            }
            wrong.extend(
                banned
                    .iter()
                    .filter(|b| code.contains(*b))
                    .map(|b| format!("{} uses {b}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_runner_names_llama_cpp() {
    for file in sources(&root()) {
        let inside = file.starts_with(root().join("engine/runner"));
        assert!(
            inside || !code(&file).contains("llama_cpp_2"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn every_file_opens_with_its_purpose_and_stays_readable() {
    for file in sources(&root()) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not say what it is for",
            file.display()
        );
        assert!(
            text.lines().count() <= 500,
            "{} is too long",
            file.display()
        );
    }
}

#[test]
fn nothing_unwraps_or_prints_outside_tests() {
    for file in sources(&root()) {
        let code = code(&file);
        for word in [".unwrap()", ".expect(", "panic!(", "println!", "dbg!"] {
            let allowed = word == "println!"
                && code.contains("eprintln!")
                && file.starts_with(root().join("cli"));
            assert!(
                allowed || !code.contains(word),
                "{} has {word}",
                file.display()
            );
        }
    }
}
