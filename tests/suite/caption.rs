//! `parlor caption` and attachments of `parlor ask`, through the real program.

use crate::support::engine::program;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::tempdir;

const FIRST: &str = "Three shapes: an orange cross at the top right, an orange ring at the bottom and an orange star at the bottom right.";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn parlor(home: &Path, arguments: &[&str]) -> Output {
    Command::new(program())
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("PARLOR_CONFIG", home.join("config.toml"))
        .env("PARLOR_MODEL", file("assets/starter/eyes/eyes.gguf"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn pictures(folder: &Path, names: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    for name in names {
        fs::copy(file("tests/media/senses").join(name), folder.join(name)).unwrap();
    }
}

#[test]
fn one_picture_has_one_line() {
    let home = tempdir().unwrap();
    pictures(home.path(), &["000.png"]);
    let picture = home.path().join("000.png");
    let output = parlor(home.path(), &["caption", picture.to_str().unwrap()]);
    assert_eq!(text(&output), format!("{FIRST}\n"));
}

#[test]
fn folders_and_patterns_are_gone_through_and_a_broken_file_costs_only_itself() {
    let home = tempdir().unwrap();
    let folder = home.path().join("pictures");
    pictures(&folder.join("inner"), &["001.png"]);
    pictures(&folder, &["000.png"]);
    fs::write(folder.join("broken.png"), b"\x89PNG\r\n\x1a\n and no more").unwrap();
    fs::write(folder.join("notes.txt"), b"no picture").unwrap();
    let output = parlor(
        home.path(),
        &["caption", "--json", folder.to_str().unwrap()],
    );
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = text(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0]["caption"], FIRST);
    assert!(
        lines[1]["error"].as_str().unwrap().contains("damaged"),
        "{lines:?}"
    );
    assert!(
        lines[2]["file"]
            .as_str()
            .unwrap()
            .ends_with("inner/001.png")
    );
    let pattern = folder.join("0*.png");
    let output = parlor(home.path(), &["caption", pattern.to_str().unwrap()]);
    assert_eq!(text(&output), format!("{FIRST}\n"));
}

#[test]
fn a_run_goes_on_where_an_earlier_one_ended() {
    let home = tempdir().unwrap();
    let folder = home.path().join("pictures");
    pictures(&folder, &["000.png", "001.png", "002.png"]);
    let out = home.path().join("captions.jsonl");
    let run = || {
        let arguments = [
            "caption",
            "-o",
            out.to_str().unwrap(),
            folder.to_str().unwrap(),
        ];
        let output = parlor(home.path(), &arguments);
        assert!(output.status.success(), "{output:?}");
        text(&output).lines().count()
    };
    assert_eq!(run(), 3);
    assert_eq!(run(), 0);
    // Killed in the middle of a line, and one picture is another now.
    let written = fs::read_to_string(&out).unwrap();
    let half = written.len() - 20;
    fs::write(&out, &written[..half]).unwrap();
    fs::copy(folder.join("002.png"), folder.join("000.png")).unwrap();
    assert_eq!(run(), 2);
    let lines = fs::read_to_string(&out).unwrap();
    let whole = lines
        .lines()
        .filter_map(|l| serde_json::from_str::<Value>(l).ok());
    assert_eq!(whole.count(), 4);
}

#[test]
fn short_and_long_captions_are_asked_for_in_other_words() {
    let home = tempdir().unwrap();
    pictures(home.path(), &["002.png"]);
    let picture = home.path().join("002.png");
    let picture = picture.to_str().unwrap();
    let of = |length| {
        text(&parlor(
            home.path(),
            &["caption", "--length", length, picture],
        ))
    };
    let (short, medium, long) = (of("short"), of("medium"), of("long"));
    assert!(
        short.len() < medium.len() && medium.len() < long.len(),
        "{short}{medium}{long}"
    );
}

#[test]
fn attachments_of_ask_stand_in_order_or_where_they_are_named() {
    let home = tempdir().unwrap();
    pictures(home.path(), &["000.png", "001.png"]);
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_string();
    let (a, b) = (path("000.png"), path("001.png"));
    let ask = |words: &str| {
        let arguments = ["ask", "--temp", "0", "--image", &a, "--image", &b, words];
        text(&parlor(home.path(), &arguments))
    };
    let plain = ask("Describe these pictures.");
    assert!(
        plain.starts_with(&format!("First picture: {FIRST} Second picture: ")),
        "{plain}"
    );
    let turned = ask("@001.png\n@000.png\nDescribe these pictures.");
    assert!(
        turned.contains(&format!("Second picture: {FIRST}")),
        "{turned}"
    );
    // Nothing is kept of what is not saved.
    assert!(!home.path().join("data/parlor/attachments").exists());
}

#[test]
fn a_saved_question_keeps_its_picture_and_a_later_turn_remembers_it() {
    let home = tempdir().unwrap();
    pictures(home.path(), &["000.png"]);
    let picture = home.path().join("000.png");
    let first = [
        "ask",
        "--save",
        "--temp",
        "0",
        "--image",
        picture.to_str().unwrap(),
        "Describe this picture.",
    ];
    assert_eq!(text(&parlor(home.path(), &first)).trim(), FIRST);
    // The original may go: the conversation has its own.
    fs::remove_file(&picture).unwrap();
    let second = [
        "ask",
        "--continue",
        "--temp",
        "0",
        "--json",
        "How many shapes are there?",
    ];
    let output = parlor(home.path(), &second);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["text"], "Three shapes.");
    assert_eq!(said["usage"]["encoded"], 0, "{said}");
}

/// Found as a complaint that there is no prompt, where nobody types.
#[test]
fn a_picture_alone_is_a_question() {
    let home = tempdir().unwrap();
    pictures(home.path(), &["000.png"]);
    let picture = home.path().join("000.png");
    let arguments = ["ask", "--temp", "0", "--image", picture.to_str().unwrap()];
    assert_eq!(text(&parlor(home.path(), &arguments)).trim(), FIRST);
}

#[test]
fn a_wrong_kind_of_file_is_told() {
    let home = tempdir().unwrap();
    let sound = file("tests/media/senses/1.wav");
    let output = parlor(
        home.path(),
        &["ask", "--image", sound.to_str().unwrap(), "x"],
    );
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        words.contains("1.wav is a sound (WAV), not a picture; --file takes any"),
        "{words}"
    );
}
