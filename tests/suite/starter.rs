//! The model inside the program, and the guide that speaks through it: through
//! the whole program, with the real engine and the file that ships.

use crate::support::engine::program;
use crate::support::harness::Harness;
use crate::support::terminal::Pty;
use parlor::app::{Effect, Event};
use parlor::chat::{FinishReason, Role};
use parlor::protocol::engine::{self, ModelFacts};
use parlor::protocol::library::{Card, FoundModel, Listed, Source};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn asset(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("assets")
        .join(name);
    fs::read_to_string(path).unwrap()
}

fn ask(home: &Path, arguments: &[&str]) -> Output {
    Command::new(program())
        .arg("ask")
        .args(arguments)
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("PARLOR_CONFIG", home.join("config.toml"))
        .env_remove("PARLOR_MODEL")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What the starter answers, as JSON.
fn answer(home: &Path, question: &str) -> Value {
    let output = ask(
        home,
        &[
            "--model", "starter", "--seed", "1", "--json", "--", question,
        ],
    );
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_starter_answers_from_the_passage_and_names_it() {
    let home = tempfile::tempdir().unwrap();
    let said = answer(home.path(), "how do I make the answers less random?");
    assert_eq!(said["source"], "temperature", "{said}");
    let text = said["text"].as_str().unwrap();
    assert!(text.contains("`/set temperature VALUE`"), "{text}");
    assert_eq!(said["finish_reason"], "stop");
    assert!(home.path().join("data/parlor/starter.gguf").exists());
}

#[test]
fn with_no_passage_the_starter_says_how_to_come_to_a_real_model() {
    let home = tempfile::tempdir().unwrap();
    let said = answer(home.path(), "Who was the first emperor of Rome?");
    assert_eq!(said["source"], Value::Null);
    let text = said["text"].as_str().unwrap();
    assert!(text.contains("/model PATH"), "{text}");
}

#[test]
fn a_question_that_points_back_is_read_with_what_was_asked_before() {
    let home = tempfile::tempdir().unwrap();
    let talk = home.path().join("talk.json");
    let messages = |last: &str| {
        format!(
            r#"[{{"role":"user","content":"what does top-p do?"}},
                {{"role":"assistant","content":"It keeps the likeliest words."}},
                {{"role":"user","content":"{last}"}}]"#
        )
    };
    for last in ["tell me more about it", "and how do i set it?"] {
        fs::write(&talk, messages(last)).unwrap();
        let file = talk.to_str().unwrap();
        let output = ask(
            home.path(),
            &["--model", "starter", "--json", "--messages", file],
        );
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["source"], "top-p", "{last}: {said}");
    }
}

#[test]
fn no_that_is_all_is_not_answered_with_the_last_passage_again() {
    let mut chat = first_start(Vec::new());
    chat.press("enter");
    loaded(&mut chat);
    chat.send("what does temperature do?");
    assert!(chat.request().opening.starts_with("Temperature says"));
    chat.says("It is.")
        .finishes(FinishReason::Stop)
        .send("tell me more");
    assert!(chat.request().opening.starts_with("Too high a value"));
    chat.says("It is.")
        .finishes(FinishReason::Stop)
        .send("no thanks, that is all");
    let opening = &chat.request().opening;
    assert!(!opening.contains("Temperature"), "{opening}");
    chat.says("Well.").finishes(FinishReason::Stop);
    chat.turn("how do i undo typing?", "So.")
        .send("tell me more");
    let opening = &chat.request().opening;
    assert!(
        opening.starts_with("The help says no more about"),
        "{opening}"
    );
}

#[test]
fn without_the_guide_the_starter_speaks_for_itself() {
    let home = tempfile::tempdir().unwrap();
    let arguments = [
        "--model",
        "starter",
        "--persona",
        "none",
        "--json",
        "what is top-p?",
    ];
    let output = ask(home.path(), &arguments);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["source"], Value::Null);
    let output = ask(
        home.path(),
        &["--model", "starter", "--persona", "pirate", "hi"],
    );
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("auto, none or guide, not “pirate”"),
        "{error}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_written_is_told_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("data"), "a file, not a folder").unwrap();
    let output = ask(home.path(), &["--model", "starter", "hi"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("the starter cannot be written to"),
        "{error}"
    );
    assert!(error.contains("XDG_DATA_HOME"), "{error}");
}

#[test]
fn a_name_that_was_told_is_remembered() {
    let home = tempfile::tempdir().unwrap();
    let talk = home.path().join("talk.json");
    let said = |messages: Value| {
        fs::write(&talk, messages.to_string()).unwrap();
        let file = talk.to_str().unwrap();
        let arguments = ["--model", "starter", "--json", "--messages", file];
        let output = ask(home.path(), &arguments);
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        said["text"].clone()
    };
    let user = |text: &str| serde_json::json!({"role": "user", "content": text});
    let told = said(Value::Array(vec![
        user("hello, my name is Ada"),
        serde_json::json!({"role": "assistant", "content": "Good to meet you."}),
        user("what is my name"),
    ]));
    assert!(
        told.as_str()
            .unwrap()
            .starts_with("You said that your name is Ada.")
    );
    let untold = said(Value::Array(vec![user("what is my name")]));
    assert!(!untold.as_str().unwrap().contains("You said"));
}

#[test]
fn nothing_held_out_is_in_the_text_that_is_learned() {
    let plain = |text: &str| -> String {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|w| !w.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut learned: HashSet<String> = HashSet::new();
    for line in asset("help/questions.tsv").lines() {
        learned.insert(plain(line.split_once('\t').unwrap().1));
    }
    for line in asset("starter/text/unknown.txt").lines() {
        learned.insert(plain(line));
    }
    for line in asset("starter/text/smalltalk.txt").lines() {
        learned.insert(plain(line.trim_start_matches("U: ")));
    }
    for held in asset("starter/heldout.jsonl").lines() {
        let held: Value = serde_json::from_str(held).unwrap();
        let question = held["question"].as_str().unwrap();
        assert!(!learned.contains(&plain(question)), "{question}");
    }
}

/// How far a share of a sample of so many may fall below `bar` by chance: two
/// standard deviations.
fn chance(bar: f64, sample: usize) -> f64 {
    2.0 * (bar * (1.0 - bar) / sample as f64).sqrt()
}

/// The quick part of `assets/starter/evaluate.py`: 120 held-out questions. All of
/// them are to meet the bars of the model card; so few may miss them by chance.
#[test]
fn held_out_questions_are_answered_rightly_or_honestly() {
    let facts: HashMap<String, Vec<String>> = asset("starter/facts.tsv")
        .lines()
        .filter_map(|l| l.split_once('\t'))
        .map(|(id, facts)| (id.into(), facts.split(" | ").map(Into::into).collect()))
        .collect();
    let held = asset("starter/heldout.jsonl");
    let held: Vec<Value> = held
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let home = tempfile::tempdir().unwrap();
    let (mut right, mut wrong, mut asked) = (0, Vec::new(), 0);
    let (mut honest, mut unknown) = (0, 0);
    for held in held.iter().step_by(held.len() / 120).take(120) {
        let question = held["question"].as_str().unwrap();
        let said = answer(home.path(), question);
        let text = said["text"].as_str().unwrap();
        match held["topics"][0].as_str() {
            Some(topic) => {
                asked += 1;
                let is_right = facts[topic].iter().any(|fact| text.contains(fact.as_str()));
                right += usize::from(is_right);
                let sure = said["sources"].as_array().unwrap().len() == 1;
                if sure && !is_right {
                    wrong.push(format!("{question}: {text}"));
                }
            }
            None => {
                unknown += 1;
                honest += usize::from(said["source"].is_null());
            }
        }
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    assert!(
        share(right, asked) >= 0.85 - chance(0.85, asked),
        "{right} of {asked} right"
    );
    assert!(
        share(wrong.len(), asked) <= 0.05 + chance(0.05, asked),
        "{wrong:?}"
    );
    assert!(
        share(honest, unknown) >= 0.9 - chance(0.9, unknown),
        "{honest} of {unknown} honest"
    );
}

/// A chat without any model, after the search for models.
fn first_start(found: Vec<Listed>) -> Harness {
    let mut chat = Harness::starting(80, 24, None);
    chat.sees("Which model?").sees("Looking for models");
    chat.event(Event::Models(found));
    chat
}

fn found(path: &str) -> Listed {
    let model = FoundModel {
        path: path.into(),
        name: Path::new(path)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned(),
        parts: vec![path.into()],
        source: Source::Folder,
        repo: None,
        size: 2_500_000_000,
        modified: 0,
        card: Ok(Card::default()),
        projector: None,
        extras: None,
    };
    Listed {
        model,
        fit: None,
        used: None,
    }
}

fn loaded(chat: &mut Harness) {
    chat.engine(engine::Event::Loading(0));
    chat.engine(engine::Event::Loaded(ModelFacts {
        context: 2048,
        ..ModelFacts::default()
    }));
}

#[test]
fn at_the_first_start_enter_alone_ends_in_a_conversation_with_the_starter() {
    let mut chat = first_start(Vec::new());
    chat.sees("No model was found")
        .press("enter")
        .sees_not("Which model?");
    assert_eq!(chat.effects, [Effect::Load("starter".into())]);
    chat.effects.clear();
    loaded(&mut chat);
    assert_eq!(chat.effects, [Effect::Remember("starter".into())]);
    chat.sees("starter (demo)")
        .sees("very small demonstration model");
}

#[test]
fn a_model_that_was_found_is_offered_first_and_remembered_once_it_works() {
    let mut chat = first_start(vec![found("/m/qwen.gguf"), found("/m/gemma.gguf")]);
    chat.sees("2 models to chat with were found")
        .sees("▸gemma")
        .sees("2.5 GB");
    chat.press("enter");
    assert_eq!(chat.effects, [Effect::Load("/m/gemma.gguf".into())]);
    loaded(&mut chat);
    assert_eq!(
        chat.effects[1..],
        [Effect::Remember("/m/gemma.gguf".into())]
    );
}

#[test]
fn a_model_that_does_not_load_is_not_remembered() {
    let mut chat = first_start(Vec::new());
    chat.write("/tmp/x.gguf")
        .sees("a file: /tmp/x.gguf")
        .press("enter");
    assert_eq!(chat.effects, [Effect::Load("/tmp/x.gguf".into())]);
    chat.engine(engine::Event::LoadFailed("there is no such file".into()));
    chat.sees("there is no such file");
    chat.engine(engine::Event::Loading(0));
    loaded(&mut chat);
    assert_eq!(chat.effects.len(), 1);
}

#[test]
fn without_a_choice_the_starter_serves_this_time_only() {
    let mut chat = first_start(vec![found("/m/qwen.gguf")]);
    chat.press("esc");
    assert_eq!(chat.effects, [Effect::Load("starter".into())]);
    loaded(&mut chat);
    assert_eq!(chat.effects.len(), 1);
}

#[test]
fn the_choice_can_be_made_again_and_left_as_it_is() {
    let mut chat = Harness::new(80, 24);
    chat.send("/model")
        .sees("Which model?")
        .sees("In use: tiny.gguf");
    assert_eq!(chat.effects, [Effect::FindModels(Vec::new())]);
    chat.press("ctrl-c").sees_not("Which model?");
    assert_eq!(chat.effects.len(), 1);
}

#[test]
fn the_guide_puts_passages_before_the_question_and_shows_which() {
    let mut chat = first_start(Vec::new());
    chat.press("enter");
    loaded(&mut chat);
    chat.send("how do i stop an answer?");
    let request = chat.request().clone();
    let last = request.messages.last().unwrap();
    assert!(
        last.content.starts_with("Help: Stopping an answer\n"),
        "{}",
        last.content
    );
    assert!(last.content.ends_with("\n\nhow do i stop an answer?"));
    assert!(request.opening.starts_with("Esc stops the answer at once"));
    let opening = request.opening.clone();
    chat.says(&opening).finishes(FinishReason::Stop);
    chat.sees("from the help: “Stopping an answer”");
    // What is remembered of it is the question alone.
    chat.send("thanks");
    let messages = &chat.request().messages;
    assert_eq!(messages[0].content, "how do i stop an answer?");
    assert!(!chat.request().opening.is_empty());
}

#[test]
fn any_model_can_be_the_guide() {
    let mut chat = Harness::new(80, 24);
    chat.send("what is top-p?");
    assert_eq!(chat.request().messages.len(), 1);
    chat.says("A number.").finishes(FinishReason::Stop);
    chat.send("/persona guide")
        .sees("The guide answers questions about Parlor");
    chat.send("what is top-p?");
    let request = chat.request();
    assert_eq!(request.messages[0].role, Role::System);
    assert!(
        request.messages[0]
            .content
            .starts_with("You are the guide of Parlor")
    );
    let last = &request.messages.last().unwrap().content;
    assert!(
        last.contains("Help: Top-p\nTop-p, or nucleus sampling"),
        "{last}"
    );
    assert_eq!(request.opening, "");
    chat.says("It is.")
        .finishes(FinishReason::Stop)
        .send("who won the world cup");
    let last = &chat.request().messages.last().unwrap().content;
    assert!(
        last.starts_with("(No passage of Parlor's help fits this.)"),
        "{last}"
    );
}

#[test]
fn a_fresh_machine_ends_in_a_conversation() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::open(home.path(), 80, 24, &[]);
    pty.sees("No model was found");
    pty.write("\r");
    pty.sees("starter (demo)");
    pty.write("how do I load a real model?\r");
    pty.sees("from the help:");
    pty.write("\x04");
    assert_eq!(pty.wait(), 0);
    let config: PathBuf = fs::read_to_string(home.path().join("config.toml"))
        .map(|text| {
            text.parse::<toml::Table>().unwrap()["model"]
                .as_str()
                .unwrap()
                .into()
        })
        .unwrap();
    assert_eq!(config, Path::new("starter"));
}
