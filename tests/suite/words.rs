//! What the documents promise is so.

use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_readme_says_what_each_dependency_is_for() {
    let readme = read("README.md");
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let mut tables = vec![&manifest["dependencies"], &manifest["dev-dependencies"]];
    tables.push(&manifest["target"]["cfg(unix)"]["dependencies"]);
    for name in tables.iter().flat_map(|t| t.as_table().unwrap().keys()) {
        assert!(
            readme.contains(&format!("`{name}`")),
            "the README does not say what {name} is for"
        );
    }
}

#[test]
fn the_readme_lists_every_action_and_setting() {
    let readme = read("README.md");
    for entry in parlor::app::action::ACTIONS {
        assert!(
            readme.contains(entry.doc),
            "the README lacks {}: {}",
            entry.name,
            entry.doc
        );
    }
    for setting in parlor::chat::sampling::SETTINGS {
        assert!(
            readme.contains(setting.name),
            "the README lacks {}",
            setting.name
        );
    }
}

#[test]
fn every_folder_of_the_sources_is_in_the_architecture() {
    let text = read("docs/architecture.md");
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = format!("`{}/`", path.file_name().unwrap().to_string_lossy());
            assert!(text.contains(&name), "docs/architecture.md lacks {name}");
        }
    }
}
