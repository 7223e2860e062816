//! What the engine keeps of conversations: taken when it fits, ignored when it
//! does not, and never the cause of another answer.

use crate::support::engine::{block_on, greedy, question, spec, start, until};
use crate::support::gguf::Tiny;
use parlor::chat::{Message, Part, Role};
use parlor::engine::host::Engine;
use parlor::engine::runner::keep::LIBRARY;
use parlor::protocol::engine::{Command, Event, KeepSpec, LoadSpec, Request};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

struct Home {
    folder: TempDir,
    model: PathBuf,
}

impl Home {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        let model = Tiny::random(11)
            .context(4096)
            .write(folder.path(), "a.gguf");
        Self { folder, model }
    }

    fn states(&self) -> PathBuf {
        self.folder.path().join("states")
    }

    fn spec(&self, limit: u64) -> LoadSpec {
        LoadSpec {
            keep: Some(KeepSpec {
                folder: self.states(),
                limit,
            }),
            ..spec(self.model.clone())
        }
    }

    /// Asks in an engine of its own, which keeps its state before it ends;
    /// returns the answer and how many tokens were not read again.
    fn ask(&self, spec: LoadSpec, conversation: &str, messages: &[Message]) -> (String, u32) {
        block_on(async {
            let mut engine = start(self.folder.path());
            engine.commands.send(Command::Load(spec)).unwrap();
            until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
            let said = answer(&mut engine, conversation, messages).await;
            engine.commands.send(Command::Keep).unwrap();
            until(&mut engine, |e| *e == Event::Kept).await;
            said
        })
    }
}

async fn answer(engine: &mut Engine, conversation: &str, messages: &[Message]) -> (String, u32) {
    let request = Request {
        messages: messages.to_vec(),
        media: Vec::new(),
        conversation: Some(conversation.into()),
        ..question(1, "", greedy(8))
    };
    engine.commands.send(Command::Generate(request)).unwrap();
    let mut text = String::new();
    loop {
        match until(engine, |e| {
            matches!(e, Event::Piece(..) | Event::Finished(..))
        })
        .await
        {
            Event::Piece(_, Part::Answer(piece) | Part::Thinking(piece)) => text += &piece,
            Event::Finished(_, finish) => return (text, finish.usage.cached_tokens),
            _ => unreachable!(),
        }
    }
}

const ROOM: u64 = 1 << 30;

fn long() -> Vec<Message> {
    vec![Message::new(Role::User, "a long story, ".repeat(30))]
}

/// The conversation with its answer and another question.
fn longer(answer: &str) -> Vec<Message> {
    let mut messages = long();
    messages.push(Message::new(Role::Assistant, answer));
    messages.push(Message::new(Role::User, "and then?"));
    messages
}

fn file(home: &Home) -> PathBuf {
    home.states().join("one.state")
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_reopened_conversation_is_not_read_again_and_is_answered_the_same() {
    let home = Home::new();
    let (said, cached) = home.ask(home.spec(ROOM), "one", &long());
    assert_eq!(cached, 0);
    let (kept, cached) = home.ask(home.spec(ROOM), "one", &longer(&said));
    assert!(cached > 400, "{cached}");
    let none = LoadSpec {
        keep: None,
        ..home.spec(ROOM)
    };
    let (fresh, cached) = home.ask(none, "one", &longer(&said));
    assert_eq!((fresh, cached), (kept, 0));
}

#[test]
fn another_conversation_in_between_costs_nothing() {
    let home = Home::new();
    block_on(async {
        let mut engine = start(home.folder.path());
        let load = Command::Load(home.spec(ROOM));
        engine.commands.send(load).unwrap();
        until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
        let (said, _) = answer(&mut engine, "one", &long()).await;
        engine.commands.send(Command::Keep).unwrap();
        until(&mut engine, |e| *e == Event::Kept).await;
        answer(&mut engine, "two", &[Message::new(Role::User, "b")]).await;
        let (_, cached) = answer(&mut engine, "one", &longer(&said)).await;
        assert!(cached > 400, "{cached}");
    });
}

#[test]
fn a_state_that_was_changed_anywhere_is_ignored() {
    let home = Home::new();
    let (said, _) = home.ask(home.spec(ROOM), "one", &long());
    let length = fs::metadata(file(&home)).unwrap().len() as usize;
    for at in [
        0,
        9,
        length / 2,
        length - 33,
        length - 20,
        length - 10,
        length - 1,
    ] {
        home.ask(home.spec(ROOM), "one", &long());
        flip(&file(&home), at);
        let (_, cached) = home.ask(home.spec(ROOM), "one", &longer(&said));
        assert_eq!(cached, 0, "byte {at} of {length}");
        fs::remove_file(file(&home)).unwrap();
    }
}

#[test]
fn a_state_that_was_cut_short_is_ignored() {
    let home = Home::new();
    let (said, _) = home.ask(home.spec(ROOM), "one", &long());
    let bytes = fs::read(file(&home)).unwrap();
    fs::write(file(&home), &bytes[..bytes.len() / 2]).unwrap();
    let (_, cached) = home.ask(home.spec(ROOM), "one", &longer(&said));
    assert_eq!(cached, 0);
}

#[test]
fn a_state_of_another_model_or_of_other_settings_is_ignored() {
    let home = Home::new();
    let (said, _) = home.ask(home.spec(ROOM), "one", &long());
    let mut other = home.spec(ROOM);
    other.tuning.flash_attention = Some(false);
    assert_eq!(home.ask(other, "one", &longer(&said)).1, 0);
    let mut model = fs::read(&home.model).unwrap();
    let last = model.len() - 1;
    model[last] ^= 1;
    home.ask(home.spec(ROOM), "one", &long());
    fs::write(&home.model, model).unwrap();
    assert_eq!(home.ask(home.spec(ROOM), "one", &longer(&said)).1, 0);
}

#[test]
fn the_states_used_least_recently_go_first() {
    let home = Home::new();
    home.ask(home.spec(ROOM), "one", &long());
    let size = fs::metadata(file(&home)).unwrap().len();
    let limit = size * 5 / 2;
    home.ask(home.spec(limit), "two", &long());
    home.ask(home.spec(limit), "three", &long());
    let mut names: Vec<String> = fs::read_dir(home.states())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["three.state", "two.state"]);
    // What is larger than all that is allowed is not kept at all.
    home.ask(home.spec(size / 2), "four", &long());
    assert!(!home.states().join("four.state").exists());
}

#[test]
fn the_version_of_the_library_is_the_one_that_is_built() {
    let manifest = include_str!("../../Cargo.toml");
    let version = LIBRARY.rsplit(' ').next().unwrap();
    assert!(manifest.contains(&format!("version = \"={version}\"")));
}

#[test]
fn an_answer_that_is_gone_on_with_has_no_seam() {
    let folder = tempdir().unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/starter/starter.gguf");
    let asked = [Message::new(
        Role::User,
        "tell me what you are and what you can do",
    )];
    block_on(async {
        let mut engine = start(folder.path());
        engine.commands.send(Command::Load(spec(model))).unwrap();
        until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
        let mut ask = async |max: u32, opening: &str| {
            let request = Request {
                messages: asked.to_vec(),
                media: Vec::new(),
                opening: opening.into(),
                told: true,
                ..question(1, "", greedy(max))
            };
            engine.commands.send(Command::Generate(request)).unwrap();
            let mut text = String::new();
            loop {
                match until(&mut engine, |e| {
                    matches!(e, Event::Piece(..) | Event::Finished(..))
                })
                .await
                {
                    Event::Piece(_, Part::Answer(piece)) => text += &piece,
                    Event::Finished(..) => return text,
                    _ => {}
                }
            }
        };
        let whole = ask(60, "").await;
        assert!(whole.len() > 30, "{whole}");
        for most in [3, 8] {
            let begun = ask(most, "").await;
            // At once, when the cache holds exactly this; and after another
            // answer, when it is read again.
            for _ in 0..2 {
                let rest = ask(60, &begun).await;
                assert_eq!(format!("{begun}{rest}"), whole);
            }
        }
    });
}

/// Found as a private conversation that was kept under the name of the next one.
#[test]
fn a_prompt_that_is_refused_keeps_nothing_of_what_was_there_before() {
    let home = Home::new();
    block_on(async {
        let mut engine = start(home.folder.path());
        let load = Command::Load(home.spec(ROOM));
        engine.commands.send(load).unwrap();
        until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
        let private = Request {
            messages: long(),
            media: Vec::new(),
            conversation: None,
            ..question(1, "", greedy(4))
        };
        engine.commands.send(Command::Generate(private)).unwrap();
        until(&mut engine, |e| matches!(e, Event::Finished(..))).await;
        let refused = Request {
            messages: vec![Message::new(Role::User, "x".repeat(9000))],
            media: Vec::new(),
            conversation: Some("one".into()),
            ..question(2, "", greedy(4))
        };
        engine.commands.send(Command::Generate(refused)).unwrap();
        while !matches!(
            crate::support::engine::next(&mut engine).await,
            Event::Failed(2, _)
        ) {}
        engine.commands.send(Command::Keep).unwrap();
        until(&mut engine, |e| *e == Event::Kept).await;
    });
    assert!(!file(&home).exists());
}

/// Found as an answer that was told again as reasoning.
#[test]
fn an_answer_goes_on_behind_the_reasoning_that_its_template_opens() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["more"])
        .template("{% for m in messages %}{{ m.content }}{% endfor %}<think>\n")
        .write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        engine.commands.send(Command::Load(spec(model))).unwrap();
        until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
        let request = Request {
            opening: "What was said, ".into(),
            told: true,
            ..question(1, "tell", greedy(4))
        };
        engine.commands.send(Command::Generate(request)).unwrap();
        let piece = until(&mut engine, |e| matches!(e, Event::Piece(..))).await;
        assert_eq!(piece, Event::Piece(1, Part::Answer("more".into())));
    });
}
