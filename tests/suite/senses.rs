//! Pictures, sounds and films through the real engine, with the small models
//! of `assets/starter` that see and hear.

use crate::support::engine::{answer, block_on, greedy, question, spec, start, until};
use parlor::chat::attachment::Attachment;
use parlor::chat::{Message, Role};
use parlor::engine::host::Engine;
use parlor::protocol::engine::{
    Command, Event, KeepSpec, LoadSpec, MediaFile, ModelFacts, Request, RequestId,
};
use parlor::runtime::attach::Shelf;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

const FIRST: &str = "Three shapes: an orange cross at the top right, an orange ring at the bottom and an orange star at the bottom right.";
const SECOND: &str = "Three shapes: a yellow star at the top right, a yellow star on the right and a yellow star at the bottom.";
const THIRD: &str = "Three shapes: a red circle at the top left, a green square at the top and a yellow cross in the middle.";

fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("assets/starter")
        .join(name)
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/media/senses")
        .join(name)
}

fn eyes() -> LoadSpec {
    LoadSpec {
        projector: Some(asset("eyes/mmproj-eyes.gguf")),
        ..spec(asset("eyes/eyes.gguf"))
    }
}

fn ears() -> LoadSpec {
    LoadSpec {
        projector: Some(asset("ears/mmproj-ears.gguf")),
        ..spec(asset("ears/ears.gguf"))
    }
}

/// Files that are attached where they lie.
struct Files(Shelf);

impl Files {
    fn new() -> Self {
        Self(Shelf::new(None))
    }

    fn take(&self, path: &Path) -> Attachment {
        self.0.take_file(path, true).unwrap()
    }

    fn marker(&self, name: &str) -> String {
        self.take(&sample(name)).marker()
    }

    fn request(&self, id: RequestId, messages: &[Message]) -> Request {
        let texts = messages.iter().map(|m| m.content.as_str());
        Request {
            messages: messages.to_vec(),
            media: self.0.media(texts),
            ..question(id, "", greedy(80))
        }
    }
}

async fn load(folder: &Path, spec: LoadSpec) -> (Engine, ModelFacts) {
    let mut engine = start(folder);
    engine.commands.send(Command::Load(spec)).unwrap();
    match until(&mut engine, |e| matches!(e, Event::Loaded(_))).await {
        Event::Loaded(facts) => (engine, facts),
        _ => unreachable!(),
    }
}

fn user(text: impl Into<String>) -> Message {
    Message::new(Role::User, text)
}

fn said(text: impl Into<String>) -> Message {
    Message::new(Role::Assistant, text)
}

/// Asks, in an engine of its own that keeps what it knows of a conversation.
fn in_an_engine_of_its_own(
    home: &TempDir,
    files: &Files,
    messages: &[Message],
) -> (String, u32, u32) {
    block_on(async {
        let kept = LoadSpec {
            keep: Some(KeepSpec {
                folder: home.path().join("states"),
                limit: 1 << 30,
            }),
            ..eyes()
        };
        let (mut engine, _) = load(home.path(), kept).await;
        let request = Request {
            conversation: Some("one".into()),
            ..files.request(1, messages)
        };
        let told = answer(&mut engine, request).await;
        engine.commands.send(Command::Keep).unwrap();
        until(&mut engine, |e| *e == Event::Kept).await;
        let usage = told.finish.usage;
        (told.text, usage.encoded, usage.cached_tokens)
    })
}

#[test]
fn a_picture_is_described_and_remembered_in_later_turns() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    block_on(async {
        let (mut engine, facts) = load(home.path(), eyes()).await;
        assert!(facts.sees && !facts.hears);
        assert_eq!(facts.projector, "mmproj-eyes.gguf");
        let mut talk = vec![user(format!(
            "{}\nDescribe this picture.",
            files.marker("000.png")
        ))];
        let told = answer(&mut engine, files.request(1, &talk)).await;
        assert_eq!(told.text, FIRST);
        assert_eq!(told.finish.usage.encoded, 1);
        talk.push(said(told.text));
        talk.push(user("How many shapes are there?"));
        let told = answer(&mut engine, files.request(2, &talk)).await;
        assert_eq!(told.text, "Three shapes.");
        assert_eq!(told.finish.usage.encoded, 0);
        // All but the new question is in the cache.
        let usage = told.finish.usage;
        assert!(usage.prompt_tokens - usage.cached_tokens < 25, "{usage:?}");
    });
}

#[test]
fn two_pictures_in_one_message_are_told_apart_by_their_order() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        for (first, second, words) in [
            ("000.png", "001.png", [FIRST, SECOND]),
            ("001.png", "000.png", [SECOND, FIRST]),
        ] {
            let text = format!(
                "{}\n{}\nDescribe these pictures.",
                files.marker(first),
                files.marker(second)
            );
            let told = answer(&mut engine, files.request(1, &[user(text)])).await;
            let wanted = format!("First picture: {} Second picture: {}", words[0], words[1]);
            assert_eq!(told.text, wanted);
        }
    });
}

/// A sibling shares nothing with the cache behind its first message, and the
/// picture in it is still known.
#[test]
fn a_sibling_with_the_same_picture_does_not_encode_it_again() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        let picture = files.marker("000.png");
        let first = [user(format!("{picture}\nDescribe this picture."))];
        let told = answer(&mut engine, files.request(1, &first)).await;
        assert_eq!(told.finish.usage.encoded, 1);
        let other = [user(format!("Describe this picture.\n{picture}"))];
        let told = answer(&mut engine, files.request(2, &other)).await;
        assert_eq!((told.text.as_str(), told.finish.usage.encoded), (FIRST, 0));
    });
}

#[test]
fn a_reopened_conversation_does_not_encode_its_picture_again() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    let mut talk = vec![user(format!(
        "{}\nDescribe this picture.",
        files.marker("000.png")
    ))];
    let (text, encoded, _) = in_an_engine_of_its_own(&home, &files, &talk);
    assert_eq!((text.as_str(), encoded), (FIRST, 1));
    talk.push(said(text));
    talk.push(user("How many shapes are there?"));
    let (text, encoded, cached) = in_an_engine_of_its_own(&home, &files, &talk);
    assert_eq!((text.as_str(), encoded), ("Three shapes.", 0));
    assert!(cached > 64, "{cached}");
    // Another way through the conversation: its state does not serve, what was
    // encoded does.
    let states: Vec<PathBuf> = std::fs::read_dir(home.path().join("states"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    for state in states.iter().filter(|p| p.extension().unwrap() == "state") {
        std::fs::remove_file(state).unwrap();
    }
    let (text, encoded, cached) = in_an_engine_of_its_own(&home, &files, &talk);
    assert_eq!((text.as_str(), encoded, cached), ("Three shapes.", 0, 0));
}

#[test]
fn another_picture_of_the_same_name_is_not_taken_for_it() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    let copy = |from: &str, folder: &str| {
        let folder = home.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let to = folder.join("same.png");
        std::fs::copy(sample(from), &to).unwrap();
        files.take(&to).marker()
    };
    let (a, b) = (copy("000.png", "a"), copy("002.png", "b"));
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        for (marker, words) in [(a, FIRST), (b, THIRD)] {
            let talk = [user(format!("{marker}\nDescribe this picture."))];
            let told = answer(&mut engine, files.request(1, &talk)).await;
            assert_eq!(told.text, words);
        }
    });
}

#[test]
fn a_picture_that_moves_is_shown_frame_by_frame_with_times() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        let film = files.take(&sample("moving.gif"));
        assert_eq!((film.count, film.ms), (2, 2000));
        let talk = [user(format!("{}\nDescribe these pictures.", film.marker()))];
        let told = answer(&mut engine, files.request(1, &talk)).await;
        assert_eq!(told.finish.usage.encoded, 2);
        let notice = told.finish.notice.unwrap();
        assert_eq!(
            notice,
            "moving.gif: 2 pictures of 2.0 s are shown to the model."
        );
    });
}

#[test]
fn a_sound_is_heard() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    block_on(async {
        let (mut engine, facts) = load(home.path(), ears()).await;
        assert!(facts.hears && !facts.sees);
        for (name, words) in [
            ("1.wav", "One high tone, then one falling tone."),
            ("2.wav", "Two falling tones, then one high tone."),
        ] {
            let talk = [user(format!(
                "{}\nDescribe this sound.",
                files.marker(name)
            ))];
            let told = answer(&mut engine, files.request(1, &talk)).await;
            assert_eq!(told.text, words);
        }
    });
}

#[test]
fn what_the_model_cannot_take_is_refused_in_the_last_message_and_named_in_earlier_ones() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        let sound = files.marker("1.wav");
        let talk = [user(format!("{sound}\nDescribe this sound."))];
        let request = files.request(1, &talk);
        engine.commands.send(Command::Generate(request)).unwrap();
        let refused = until(&mut engine, |e| matches!(e, Event::Failed(..))).await;
        let why = "this model cannot hear: 1.wav cannot be given to it; /model chooses a model with ears (audio)";
        assert_eq!(refused, Event::Failed(1, why.into()));
        let talk = [
            user(format!("{sound}\nDescribe this sound.")),
            said("One tone."),
            user(format!(
                "{}\nDescribe this picture.",
                files.marker("000.png")
            )),
        ];
        let told = answer(&mut engine, files.request(2, &talk)).await;
        assert_eq!(told.finish.usage.encoded, 1);
    });
}

#[test]
fn a_file_that_is_gone_is_told_by_its_name() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    let copy = home.path().join("gone.png");
    std::fs::copy(sample("000.png"), &copy).unwrap();
    let marker = files.take(&copy).marker();
    std::fs::remove_file(&copy).unwrap();
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        let request = files.request(1, &[user(marker)]);
        engine.commands.send(Command::Generate(request)).unwrap();
        let refused = until(&mut engine, |e| matches!(e, Event::Failed(..))).await;
        let why = "gone.png is not there any more; attach it again";
        assert_eq!(refused, Event::Failed(1, why.into()));
    });
}

#[test]
fn attachments_are_weighed_before_they_are_sent() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    let code = home.path().join("a.rs");
    std::fs::write(&code, "fn main() {}\n").unwrap();
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        let text = [
            files.marker("000.png"),
            files.marker("1.wav"),
            files.take(&code).marker(),
        ]
        .concat();
        let media: Vec<MediaFile> = files.0.media([text.as_str()]);
        engine
            .commands
            .send(Command::Weigh { id: 7, text, media })
            .unwrap();
        let weighed = until(&mut engine, |e| matches!(e, Event::Weighed(..))).await;
        let Event::Weighed(7, tokens) = weighed else {
            panic!("{weighed:?}");
        };
        assert_eq!(tokens[0], Ok(64));
        assert!(tokens[1].as_ref().unwrap_err().contains("cannot hear"));
        assert!(matches!(tokens[2], Ok(n) if n > 5), "{tokens:?}");
    });
}

#[test]
fn text_is_given_as_words_with_its_name_in_a_fence_that_it_cannot_close() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    let text = home.path().join("notes.md");
    std::fs::write(&text, "a\n````\nb\n").unwrap();
    let talk = [user(format!("Sum up {}", files.take(&text).marker()))];
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        let with = answer(&mut engine, files.request(1, &talk)).await;
        let plain = "Sum up \n\nnotes.md:\n`````markdown\na\n````\nb\n`````\n";
        let same = answer(&mut engine, files.request(2, &[user(plain)])).await;
        let usage = same.finish.usage;
        assert_eq!(usage.prompt_tokens, with.finish.usage.prompt_tokens);
        // The very same tokens: nothing of them is read again.
        assert_eq!(usage.cached_tokens + 1, usage.prompt_tokens);
    });
}

/// A stop in the middle of encoding ends it; the next request works.
#[test]
fn a_stop_while_a_picture_is_encoded_is_obeyed() {
    let (home, files) = (tempdir().unwrap(), Files::new());
    block_on(async {
        let (mut engine, _) = load(home.path(), eyes()).await;
        let talk = [user(format!(
            "{}\nDescribe this picture.",
            files.marker("000.png")
        ))];
        let request = files.request(1, &talk);
        engine.commands.send(Command::Generate(request)).unwrap();
        until(
            &mut engine,
            |e| matches!(e, Event::Reading(1, read) if read.encoding.is_some()),
        )
        .await;
        engine.commands.send(Command::Cancel(1)).unwrap();
        until(&mut engine, |e| matches!(e, Event::Finished(1, _))).await;
        let told = answer(&mut engine, files.request(2, &talk)).await;
        assert_eq!(told.text, FIRST);
    });
}

#[test]
fn a_projector_of_another_model_costs_only_the_eyes() {
    let home = tempdir().unwrap();
    block_on(async {
        let wrong = LoadSpec {
            projector: Some(asset("eyes/eyes.gguf")),
            ..eyes()
        };
        let mut engine = start(home.path());
        engine.commands.send(Command::Load(wrong)).unwrap();
        let told = until(&mut engine, |e| matches!(e, Event::Told(_))).await;
        let Event::Told(words) = told else {
            unreachable!()
        };
        assert!(
            words.starts_with("The model is loaded without eyes or ears: the projector"),
            "{words}"
        );
        let loaded = until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
        assert!(matches!(loaded, Event::Loaded(facts) if !facts.sees));
    });
}
