//! Programs that are killed in the middle of an answer: what was said is saved.

use crate::support::gguf::Tiny;
use crate::support::terminal::{Pty, child_of, signal};
use parlor::chat::{Progress, Said, Standing};
use parlor::protocol::store::{Shelf, Which};
use parlor::store::Store;
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

/// Words that are numbered, so that what was seen can be told from what was
/// saved.
fn counting(home: &Path) -> PathBuf {
    let pieces: Vec<String> = (0..400).map(|n| format!("w{n:03} ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    Tiny::saying(&pieces).layers(200).write(home, "a.gguf")
}

/// The highest number of a word in a text.
fn highest(text: &str) -> usize {
    let numbers = text.match_indices('w').filter_map(|(at, _)| {
        let digits = text.get(at + 1..at + 4)?;
        digits.parse().ok()
    });
    numbers.max().unwrap_or(0)
}

fn terminal(home: &Path, model: &Path) -> Pty {
    // More threads than cores, over all tests, would wait for each other.
    fs::write(home.join("config.toml"), "[engine]\nthreads = 1\n").unwrap();
    Pty::open(home, 100, 30, &["--model", model.to_str().unwrap()])
}

fn data(home: &TempDir) -> PathBuf {
    home.path().join(".local/share/parlor")
}

/// How often the tests below kill: `KILLS=100 cargo test killed` for more.
fn kills() -> usize {
    let set = std::env::var("KILLS").ok();
    set.and_then(|n| n.parse().ok()).unwrap_or(4)
}

#[test]
fn a_killed_chat_has_saved_all_but_the_last_quarter_of_a_second() {
    let home = tempdir().unwrap();
    let model = counting(home.path());
    for round in 0..kills() {
        let mut pty = terminal(home.path(), &model);
        pty.sees("context 0");
        pty.write(&format!("round {round}\r"));
        // What was seen when; then the end, at another place each time.
        let mut seen = Vec::new();
        for word in (0..60 + round * 37 % 200).step_by(5) {
            pty.sees(&format!("w{word:03}"));
            seen.push((Instant::now(), word));
        }
        let killed = Instant::now();
        signal(pty.pid(), Signal::KILL);
        pty.child.wait().unwrap();
        let promised = seen
            .iter()
            .filter(|(at, _)| *at + Duration::from_millis(250) <= killed)
            .map(|(_, word)| *word)
            .max();
        let mut store = Store::open(&data(&home)).unwrap();
        assert_eq!(store.flaw().unwrap(), None);
        let opened = store.open_conversation(&Which::Last).unwrap();
        let tree = &opened.conversation.tree;
        let Said::Answer(answer) = &tree.get(tree.leaf().unwrap()).unwrap().said else {
            panic!("the question is last");
        };
        assert_eq!(answer.progress, Progress::Interrupted);
        let kept = highest(&answer.text);
        eprintln!("round {round}: promised {promised:?}, kept {kept}");
        assert!(kept >= promised.unwrap_or(0), "{promised:?}, kept {kept}");
        let whole: String = (0..=kept).map(|n| format!("w{n:03} ")).collect();
        assert_eq!(answer.text.trim_end(), whole.trim_end());
    }
}

#[test]
fn a_killed_engine_costs_nothing_that_was_said() {
    let home = tempdir().unwrap();
    let model = counting(home.path());
    let mut pty = terminal(home.path(), &model);
    for round in 0..kills() {
        pty.sees("Write a message");
        pty.write(&format!("round {round}\r"));
        pty.sees("w010");
        let engine = child_of(pty.pid());
        signal(engine, Signal::KILL);
        pty.sees("was killed");
        // A new conversation, so that the next round is seen apart.
        pty.write("/clear\r");
    }
    pty.write("/quit\r");
    pty.wait();
    let store = Store::open(&data(&home)).unwrap();
    assert_eq!(store.flaw().unwrap(), None);
    let list = store.list(Shelf::Active).unwrap();
    assert_eq!(list.len(), kills());
    for summary in list {
        let conversation = store.conversation(&summary.about.id).unwrap();
        let records: Vec<_> = conversation.records().collect();
        assert!(highest(&records[1].text) >= 10, "{}", records[1].text);
        assert_eq!(records[1].state, Standing::Failed);
    }
}
