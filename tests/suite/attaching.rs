//! Attaching in the chat: chips, what is dropped and named, what it costs, and
//! what the model at hand cannot take.

use crate::support::harness::Harness;
use parlor::app::attach::Origin;
use parlor::app::{Effect, Event};
use parlor::chat::attachment::{Attachment, Kind, of};
use parlor::protocol::engine::{self, Encoding, ModelFacts, ReadProgress};
use std::path::PathBuf;

fn picture(name: &str, digit: char) -> Attachment {
    Attachment {
        digest: digit.to_string().repeat(64),
        name: name.into(),
        kind: Kind::Picture,
        format: "PNG".into(),
        bytes: 427,
        width: 64,
        height: 48,
        ms: 0,
        count: 0,
    }
}

/// A chat whose model sees.
fn seeing() -> Harness {
    let mut chat = Harness::starting(90, 24, Some("eyes.gguf"));
    chat.engine(engine::Event::Loaded(ModelFacts {
        file: "eyes.gguf".into(),
        context: 1000,
        sees: true,
        ..ModelFacts::default()
    }));
    chat
}

fn attach(chat: &mut Harness, one: &Attachment) {
    chat.event(Event::Attached(Ok(vec![one.clone()]), None));
}

fn weighs(chat: &mut Harness, tokens: &[u32]) {
    let Some(Effect::Weigh { id, .. }) = chat.effects.last().cloned() else {
        panic!("{:?}", chat.effects);
    };
    let tokens = tokens.iter().map(|n| Ok(*n)).collect();
    chat.engine(engine::Event::Weighed(id, tokens));
}

#[test]
fn a_chip_stands_for_a_file_and_its_cost_above_it() {
    let mut chat = seeing();
    chat.send("/attach ~/pictures/cat.png");
    let asked = Effect::Attach {
        origin: Origin::Path("~/pictures/cat.png".into()),
        private: false,
    };
    assert_eq!(chat.effects, [asked]);
    let cat = picture("cat.png", 'a');
    attach(&mut chat, &cat);
    chat.sees("▣ cat.png · PNG 64×48, 427 B")
        .sees("❯ ⟦cat.png⟧");
    weighs(&mut chat, &[64]);
    chat.sees("427 B · 64 tokens");
    chat.send("What is it?");
    assert_eq!(
        chat.request().messages[0].content,
        format!("{} What is it?", cat.marker())
    );
    chat.sees("❯ ⟦cat.png⟧ What is it?");
}

#[test]
fn several_stand_where_they_belong_and_two_of_one_name_are_told_apart() {
    let mut chat = seeing();
    let (a, b) = (picture("x.png", 'a'), picture("x.png", 'b'));
    chat.write("Compare");
    attach(&mut chat, &a);
    chat.write("with");
    attach(&mut chat, &b);
    chat.sees("❯ Compare ⟦x.png⟧ with ⟦x.png 2⟧").send(".");
    let sent = &chat.request().messages[0].content;
    assert_eq!(
        *sent,
        format!("Compare {} with {} .", a.marker(), b.marker())
    );
}

#[test]
fn a_chip_goes_as_a_whole_and_comes_back_with_undo() {
    let mut chat = seeing();
    let cat = picture("a cat.png", 'a');
    attach(&mut chat, &cat);
    chat.press("backspace").press("backspace");
    assert_eq!(chat.state.composer.text(), "");
    chat.sees_not("427 B").press("ctrl-/");
    assert_eq!(of(&chat.state.composer.text()), [cat]);
}

#[test]
fn a_message_that_is_changed_keeps_its_picture() {
    let mut chat = seeing();
    let cat = picture("cat.png", 'a');
    attach(&mut chat, &cat);
    chat.send("What?").says("A cat.");
    chat.finishes(parlor::chat::FinishReason::Stop);
    chat.press("alt-up").press("alt-up").press("alt-e");
    chat.sees("❯ ⟦cat.png⟧ What?").send(" Really?");
    let sent = &chat.request().messages[0].content;
    assert_eq!(*sent, format!("{} What? Really?", cat.marker()));
}

#[test]
fn dropped_files_are_attached_and_other_text_is_pasted() {
    let mut chat = seeing();
    chat.event(Event::Paste("'/tmp/a b.png' ".into()));
    let dropped = Effect::Drop {
        text: "'/tmp/a b.png' ".into(),
        paths: vec![PathBuf::from("/tmp/a b.png")],
        private: false,
    };
    assert_eq!(chat.effects, [dropped]);
    // No such file: then it was words.
    chat.event(Event::Attached(
        Ok(Vec::new()),
        Some("'/tmp/a b.png' ".into()),
    ));
    chat.sees("❯ '/tmp/a b.png'");
    chat.press("ctrl-u").event(Event::Paste("hello".into()));
    chat.sees("❯ hello");
}

#[test]
fn files_that_a_message_names_are_attached_before_it_is_sent() {
    let mut chat = seeing();
    chat.send("look at @a.png and @not.there");
    let text = "look at @a.png and @not.there";
    let asked = Effect::Mention {
        text: text.into(),
        private: false,
    };
    assert_eq!(chat.effects, [asked]);
    let marker = picture("a.png", 'a').marker();
    let with = text.replace("@a.png", &marker);
    chat.event(Event::Mentioned(text.into(), Ok(with.clone())));
    assert_eq!(chat.request().messages[0].content, with);
}

#[test]
fn a_message_that_was_changed_while_its_files_were_looked_for_is_not_sent() {
    let mut chat = seeing();
    chat.send("look at @a.png").write("!");
    chat.event(Event::Mentioned("look at @a.png".into(), Ok("x".into())));
    assert!(
        !chat
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Generate(_)))
    );
    assert_eq!(chat.state.composer.text(), "look at @a.png!");
}

#[test]
fn a_file_that_cannot_be_attached_keeps_the_message() {
    let mut chat = seeing();
    chat.send("look at @a.png");
    let why = "a.png: the file is empty; attach one with something in it";
    chat.event(Event::Mentioned("look at @a.png".into(), Err(why.into())));
    chat.sees("Not sent: a.png: the file is empty");
    assert_eq!(chat.state.composer.text(), "look at @a.png");
}

#[test]
fn what_the_model_cannot_take_is_said_at_once() {
    let mut chat = Harness::new(90, 24);
    attach(&mut chat, &picture("cat.png", 'a'));
    chat.sees("tiny cannot see it. Alt+L looks for a model that can.");
    assert!(
        chat.effects
            .iter()
            .any(|e| matches!(e, Effect::FindModels(_)))
    );
}

#[test]
fn a_draft_with_a_picture_and_a_queued_one_keep_it() {
    let mut chat = seeing();
    chat.send("first").says("Yes");
    let cat = picture("cat.png", 'a');
    attach(&mut chat, &cat);
    chat.send("and this?").sees("queued: [cat.png] and this?");
    chat.press("esc");
    assert_eq!(
        chat.state.composer.text(),
        format!("{} and this?", cat.marker())
    );
}

#[test]
fn encoding_is_shown_as_looking() {
    let mut chat = seeing();
    chat.send("go");
    let id = chat.id();
    let read = ReadProgress {
        total: 100,
        encoding: Some(Encoding {
            number: 2,
            count: 3,
            permille: 420,
            sound: false,
        }),
        ..ReadProgress::default()
    };
    chat.engine(engine::Event::Reading(id, read));
    chat.sees("looking 2/3 42 %");
}

#[test]
fn a_recording_is_ended_by_the_key_and_thrown_away_by_esc() {
    use parlor::app::attach::Recording;
    let mut chat = seeing();
    let step = |step| Effect::Record {
        step,
        private: false,
    };
    chat.press("alt-m").sees("● recording").press("alt-m");
    assert_eq!(chat.effects, [step(Recording::Begin), step(Recording::End)]);
    chat.event(Event::NotRecorded("no microphone was found".into()));
    chat.sees("Not recorded: no microphone was found.");
    chat.press("alt-m").press("esc").sees_not("● recording");
    assert_eq!(chat.effects.last(), Some(&step(Recording::Discard)));
}
