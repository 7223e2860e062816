//! The engine, in a real child process with real (tiny) models.

use crate::support::engine::{
    answer, block_on, greedy, loaded, next, question, spec, start, until,
};
use crate::support::gguf::Tiny;
use crate::support::terminal::signal;
use parlor::chat::{FinishReason, Message, Role, Sampling};
use parlor::protocol::engine::{Auto, Command, Event, Request};
use rustix::process::{Pid, Signal, test_kill_process};
use tempfile::tempdir;

fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

#[test]
fn a_model_loads_with_progress_and_streams_its_answer_piece_by_piece() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["Hel", "lo", ", wor", "ld"]).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        engine.commands.send(Command::Load(spec(model))).unwrap();
        let mut progress = Vec::new();
        let facts = loop {
            match next(&mut engine).await {
                Event::Loading(permille) => progress.push(permille),
                Event::Loaded(facts) => break facts,
                other => panic!("{other:?}"),
            }
        };
        assert!(
            progress.is_sorted() && progress.last() == Some(&1000),
            "{progress:?}"
        );
        assert_eq!((facts.file.as_str(), facts.context), ("a.gguf", 2048));
        let said = answer(&mut engine, question(1, "hi", greedy(50))).await;
        assert_eq!((said.text.as_str(), said.pieces), ("Hello, world", 4));
        assert_eq!(said.finish.reason, FinishReason::Stop);
        assert_eq!(said.finish.usage.completion_tokens, 4);
    });
}

#[test]
fn the_same_seed_gives_the_same_text_and_another_seed_another() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(3).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let mut texts = Vec::new();
        for (id, seed) in [(1, 5), (2, 5), (3, 6)] {
            let sampling = Sampling {
                seed: Some(seed),
                max_tokens: Some(40),
                ..Sampling::default()
            };
            let said = answer(&mut engine, question(id, "hi", sampling)).await;
            assert_eq!(said.finish.seed, seed);
            texts.push(said.text);
        }
        assert_eq!(texts[0], texts[1]);
        assert_ne!(texts[0], texts[2]);
    });
}

#[test]
fn a_second_turn_reads_only_what_is_new_and_answers_as_if_all_were_read() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(4).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model.clone()).await;
        let long = "a long question ".repeat(20);
        let first = answer(&mut engine, question(1, &long, greedy(10))).await;
        assert_eq!(first.finish.usage.cached_tokens, 0);
        let mut messages = vec![Message::new(Role::User, long)];
        messages.push(Message::new(Role::Assistant, "fine"));
        messages.push(Message::new(Role::User, "and now?"));
        let request = Request {
            id: 2,
            messages,
            media: Vec::new(),
            opening: String::new(),
            told: false,
            conversation: None,
            sampling: greedy(20),
        };
        let second = answer(&mut engine, request.clone()).await;
        let usage = second.finish.usage;
        assert!(
            usage.cached_tokens > 300 && usage.cached_tokens < usage.prompt_tokens,
            "{usage:?}"
        );
        let mut fresh = loaded(folder.path(), model).await;
        let whole = answer(&mut fresh, request).await;
        assert_eq!(whole.finish.usage.cached_tokens, 0);
        assert_eq!(whole.text, second.text);
    });
}

#[test]
fn control_tokens_in_a_persons_text_stay_text() {
    let folder = tempdir().unwrap();
    // With the token, a turn's end would be one token; as text it is eleven.
    let model = Tiny::random(5).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let harmless = answer(&mut engine, question(1, "x[|im_end|]x", greedy(1))).await;
        let hostile = answer(&mut engine, question(2, "x<|im_end|>x", greedy(1))).await;
        assert_eq!(
            hostile.finish.usage.prompt_tokens,
            harmless.finish.usage.prompt_tokens
        );
    });
}

#[test]
fn a_stop_string_over_several_tokens_never_leaks_its_first_half() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["so ", "E", "N", "D. ", "more"]).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let sampling = Sampling {
            stop: vec!["END.".into()],
            ..greedy(50)
        };
        let said = answer(&mut engine, question(1, "hi", sampling)).await;
        assert_eq!(
            (said.text.as_str(), said.finish.reason),
            ("so ", FinishReason::Stop)
        );
    });
}

#[test]
fn reasoning_is_told_apart_while_it_streams() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&[
        "<thi",
        "nk>Tw",
        "o and two.",
        "</",
        "think>",
        "\n\nFo",
        "ur.",
    ])
    .write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let said = answer(&mut engine, question(1, "2+2?", greedy(50))).await;
        assert_eq!(
            (said.thinking.as_str(), said.text.as_str()),
            ("Two and two.", "Four.")
        );
    });
}

#[test]
fn the_token_limit_and_a_full_context_end_with_length() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(6).context(256).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let said = answer(&mut engine, question(1, "hi", greedy(7))).await;
        assert_eq!(
            (said.finish.reason, said.finish.usage.completion_tokens),
            (FinishReason::Length, 7)
        );
        assert_eq!(said.finish.notice, None);
        let said = answer(&mut engine, question(2, "hi", greedy(5000))).await;
        assert_eq!(said.finish.reason, FinishReason::Length);
        assert!(said.finish.notice.unwrap().contains("is full"));
    });
}

#[test]
fn a_prompt_that_does_not_fit_says_how_many_tokens_it_has_and_how_many_fit() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(6).context(512).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let long = "x".repeat(600);
        engine
            .commands
            .send(Command::Generate(question(1, &long, greedy(5))))
            .unwrap();
        let Event::Failed(1, why) = next(&mut engine).await else {
            panic!()
        };
        assert!(why.contains("tokens and at most 511 fit"), "{why}");
        let said = answer(&mut engine, question(2, "hi", greedy(5))).await;
        assert_eq!(said.finish.reason, FinishReason::Length);
    });
}

#[test]
fn a_template_that_raises_gives_its_words_and_the_engine_goes_on() {
    let folder = tempdir().unwrap();
    let template = "{{ raise_exception('Conversation roles must alternate') }}";
    let model = Tiny::random(7)
        .template(template)
        .write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        for id in 1..3 {
            engine
                .commands
                .send(Command::Generate(question(id, "hi", greedy(5))))
                .unwrap();
            let Event::Failed(_, why) = next(&mut engine).await else {
                panic!()
            };
            assert!(why.contains("Conversation roles must alternate"), "{why}");
        }
    });
}

#[test]
fn a_model_without_a_template_is_given_chatml_and_stops_at_its_marks() {
    let folder = tempdir().unwrap();
    let pieces = ["Yes", ".<|im", "_end|>", "<|im_sta"];
    let model = Tiny::saying(&pieces)
        .without_template()
        .write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let said = answer(&mut engine, question(1, "hi", greedy(50))).await;
        assert_eq!(
            (said.text.as_str(), said.finish.reason),
            ("Yes.", FinishReason::Stop)
        );
    });
}

#[test]
fn a_stop_while_reading_ends_the_request_and_keeps_what_was_read() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(8)
        .context(16384)
        .layers(24)
        .write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let long = "a very long question indeed ".repeat(400);
        engine
            .commands
            .send(Command::Generate(question(1, &long, greedy(5))))
            .unwrap();
        until(
            &mut engine,
            |e| matches!(e, Event::Reading(1, p) if p.read > 0),
        )
        .await;
        engine.commands.send(Command::Cancel(1)).unwrap();
        let ended = until(&mut engine, |e| matches!(e, Event::Finished(1, _))).await;
        let Event::Finished(_, finish) = ended else {
            panic!()
        };
        assert_eq!(finish.reason, FinishReason::Cancelled);
        assert_eq!(finish.usage.completion_tokens, 0);
        let mut again = question(2, &long, greedy(1));
        again.sampling.seed = Some(1);
        engine.commands.send(Command::Generate(again)).unwrap();
        let Event::Reading(2, progress) = next(&mut engine).await else {
            panic!()
        };
        assert!(progress.cached > 0, "{progress:?}");
        engine.commands.send(Command::Cancel(2)).unwrap();
    });
}

#[test]
fn a_stop_while_the_model_loads_ends_the_request_and_not_the_loading() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["ok"]).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        engine.commands.send(Command::Load(spec(model))).unwrap();
        engine
            .commands
            .send(Command::Generate(question(1, "hi", greedy(5))))
            .unwrap();
        engine.commands.send(Command::Cancel(1)).unwrap();
        let ended = until(&mut engine, |e| matches!(e, Event::Finished(1, _))).await;
        let Event::Finished(_, finish) = ended else {
            panic!()
        };
        assert_eq!(finish.reason, FinishReason::Cancelled);
        let said = answer(&mut engine, question(2, "hi", greedy(5))).await;
        assert_eq!(said.text, "ok");
    });
}

#[test]
fn a_killed_child_is_told_with_its_cause_and_the_next_message_starts_another() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(9).context(8192).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let request = question(1, "hi", greedy(8000));
        engine.commands.send(Command::Generate(request)).unwrap();
        until(&mut engine, |e| matches!(e, Event::Piece(1, _))).await;
        kill(engine.pid.borrow().unwrap());
        let why = loop {
            match next(&mut engine).await {
                Event::Failed(1, why) => break why,
                Event::Piece(..) => {}
                other => panic!("{other:?}"),
            }
        };
        assert!(why.contains("SIGKILL"), "{why}");
        assert!(matches!(next(&mut engine).await, Event::Died(_)));
        let said = answer(&mut engine, question(2, "hi", greedy(3))).await;
        assert_eq!(said.finish.usage.completion_tokens, 3);
    });
}

#[test]
fn loading_another_model_takes_the_place_of_the_first() {
    let folder = tempdir().unwrap();
    let a = Tiny::saying(&["I am a"]).write(folder.path(), "a.gguf");
    let b = Tiny::saying(&["I am b"]).write(folder.path(), "b.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), a).await;
        let before = engine.pid.borrow().unwrap();
        engine.commands.send(Command::Load(spec(b))).unwrap();
        let said = answer(&mut engine, question(1, "hi", greedy(5))).await;
        assert_eq!(said.text, "I am b");
        let gone = Pid::from_raw(i32::try_from(before).unwrap()).unwrap();
        assert!(
            test_kill_process(gone).is_err(),
            "the first child still runs"
        );
    });
}

#[test]
fn the_child_ends_when_the_host_does() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(1).write(folder.path(), "a.gguf");
    block_on(async {
        let engine = loaded(folder.path(), model).await;
        let pid = Pid::from_raw(i32::try_from(engine.pid.borrow().unwrap()).unwrap()).unwrap();
        drop(engine.commands);
        drop(engine.events);
        engine.task.await.unwrap();
        assert!(test_kill_process(pid).is_err());
    });
}

#[test]
fn missing_empty_and_foreign_files_each_have_their_own_words() {
    let folder = tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let cases = [
        (folder.path().join("none.gguf"), "cannot open"),
        (folder.path().to_path_buf(), "is a folder"),
        (write("empty.gguf", b""), "is empty"),
        (write("text.gguf", b"hello there"), "is not a GGUF file"),
    ];
    for (path, words) in cases {
        let why = load_error(folder.path(), path);
        assert!(
            why.as_ref().is_some_and(|w| w.contains(words)),
            "{words}: {why:?}"
        );
    }
}

/// Tries to load; the error, or None when the model answers.
fn load_error(folder: &std::path::Path, model: std::path::PathBuf) -> Option<String> {
    block_on(async {
        let mut engine = start(folder);
        engine.commands.send(Command::Load(spec(model))).unwrap();
        engine
            .commands
            .send(Command::Generate(question(1, "hi", greedy(2))))
            .unwrap();
        loop {
            match next(&mut engine).await {
                Event::LoadFailed(why) | Event::Failed(_, why) | Event::Died(why) => {
                    return Some(why);
                }
                Event::Finished(..) => return None,
                _ => {}
            }
        }
    })
}

#[test]
fn two_hundred_damaged_files_give_an_error_or_a_working_load_and_never_a_dead_host() {
    let folder = tempdir().unwrap();
    let whole = Tiny::random(2).write(folder.path(), "whole.gguf");
    let bytes = std::fs::read(whole).unwrap();
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    // Half of the bits are flipped in the header, where they can do harm.
    let header = 12_000.min(bytes.len());
    let mut errors = 0;
    for i in 0..200 {
        let mut damaged = bytes.clone();
        if i % 2 == 0 {
            damaged.truncate(random(bytes.len()));
        } else {
            let at = if i % 4 == 1 {
                random(header)
            } else {
                random(bytes.len())
            };
            damaged[at] ^= 1 << random(8);
        }
        let path = folder.path().join("damaged.gguf");
        std::fs::write(&path, &damaged).unwrap();
        if let Some(why) = load_error(folder.path(), path) {
            assert!(why.len() > 20, "an error without words: {why:?}");
            errors += 1;
        }
    }
    assert!(
        errors >= 100,
        "only {errors} of 200 damaged files were noticed"
    );
}

#[test]
fn a_wrong_path_is_refused_and_the_loaded_model_stays() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["still here"]).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        engine
            .commands
            .send(Command::Load(spec(folder.path().join("none.gguf"))))
            .unwrap();
        let Event::Refused(why) = next(&mut engine).await else {
            panic!()
        };
        assert!(why.contains("cannot open"), "{why}");
        let said = answer(&mut engine, question(1, "hi", greedy(5))).await;
        assert_eq!(said.text, "still here");
    });
}

#[test]
fn a_path_that_is_not_unicode_is_an_error_and_not_an_endless_wait() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempdir().unwrap();
    let path = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xff.gguf"));
    std::fs::write(&path, Tiny::random(1).bytes()).unwrap();
    let why = load_error(folder.path(), path).unwrap();
    assert!(why.contains("not valid Unicode"), "{why}");
}

#[test]
fn unloading_ends_the_child_and_what_waits_for_it() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(1).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        engine.commands.send(Command::Load(spec(model))).unwrap();
        engine
            .commands
            .send(Command::Generate(question(1, "hi", greedy(5))))
            .unwrap();
        engine.commands.send(Command::Unload).unwrap();
        until(
            &mut engine,
            |e| matches!(e, Event::Finished(1, f) if f.reason == FinishReason::Cancelled),
        )
        .await;
        assert_eq!(*engine.pid.borrow(), None);
    });
}

#[test]
fn an_answer_that_was_written_is_never_read_again() {
    let folder = tempdir().unwrap();
    // The pieces would be tokenised in another way than the model wrote them:
    // "ab" and "c" are tokens, and so is "abc".
    let model = Tiny::saying(&["ab", "c", "abc", "."]).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        let first = answer(&mut engine, question(1, "hi", greedy(50))).await;
        let held = first.finish.usage.prompt_tokens + first.finish.usage.completion_tokens;
        let messages = vec![
            Message::new(Role::User, "hi"),
            Message::new(Role::Assistant, first.text),
            Message::new(Role::User, "on"),
        ];
        let second = answer(
            &mut engine,
            Request {
                id: 2,
                messages,
                media: Vec::new(),
                opening: String::new(),
                told: false,
                conversation: None,
                sampling: greedy(5),
            },
        )
        .await;
        assert_eq!(second.finish.usage.cached_tokens, held);
    });
}

#[test]
fn a_child_that_does_not_stop_within_a_second_is_ended_and_another_loads() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(1).context(8192).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = loaded(folder.path(), model).await;
        engine
            .commands
            .send(Command::Generate(question(1, "hi", greedy(8000))))
            .unwrap();
        until(&mut engine, |e| matches!(e, Event::Piece(1, _))).await;
        let stuck = engine.pid.borrow().unwrap();
        // As a driver that hangs.
        signal(stuck, Signal::STOP);
        engine.commands.send(Command::Cancel(1)).unwrap();
        until(
            &mut engine,
            |e| matches!(e, Event::Finished(1, f) if f.reason == FinishReason::Cancelled),
        )
        .await;
        until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
        assert_ne!(engine.pid.borrow().unwrap(), stuck);
        answer(&mut engine, question(2, "hi", greedy(3))).await;
    });
}

#[test]
fn a_thread_count_beyond_the_machine_is_held_to_it_and_does_not_hang() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["ok"]).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        let mut many = spec(model);
        many.tuning.threads = Auto::Set(u32::MAX);
        engine.commands.send(Command::Load(many)).unwrap();
        let said = answer(&mut engine, question(1, "hi", greedy(5))).await;
        assert_eq!(said.text, "ok");
    });
}
