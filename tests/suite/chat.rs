//! What the chat does, told as keys in and screen or effects out.

use crate::support::harness::Harness;
use parlor::app::{CopyWay, Effect, Event};
use parlor::chat::{FinishReason, Role};
use parlor::protocol::engine;
use std::path::PathBuf;
use std::time::Duration;

fn chat() -> Harness {
    Harness::new(80, 24)
}

#[test]
fn without_a_model_the_chat_says_so_and_keeps_what_was_written() {
    let mut chat = Harness::starting(80, 24, Some("huge.gguf"));
    chat.engine(engine::Event::Loading(10)).press("esc");
    chat.effects.clear();
    chat.send("hello")
        .sees("❯ hello")
        .sees("There is no model: /model");
    assert_eq!(chat.effects, []);
}

#[test]
fn typing_and_sending_work_while_the_model_loads() {
    let mut chat = Harness::starting(80, 24, Some("tiny.gguf"));
    chat.engine(engine::Event::Loading(450))
        .sees("loading 45 %");
    chat.send("early").sees("❯ early");
    chat.engine(engine::Event::Loaded(engine::ModelFacts::default()));
    chat.says("late").finishes(FinishReason::Stop).sees("late");
}

#[test]
fn an_answer_streams_and_the_next_turn_carries_the_conversation() {
    let mut chat = chat();
    chat.send("one").sees("❯ one").sees("waiting");
    chat.reads(40, 200, 12_000)
        .sees("reading 40/200, 12 s left");
    chat.says("an").says("swer").sees("answer").sees("writing");
    chat.finishes(FinishReason::Stop)
        .sees("12.0 tok/s")
        .sees("context 100/1000 (10 %)");
    chat.send("two");
    let said: Vec<_> = chat
        .request()
        .messages
        .iter()
        .map(|m| (m.role, m.content.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (Role::User, "one"),
            (Role::Assistant, "answer"),
            (Role::User, "two")
        ]
    );
}

#[test]
fn reasoning_is_folded_to_a_line_opened_by_a_key_and_left_out_of_later_turns() {
    let mut chat = chat();
    chat.send("2+2?")
        .thinks("two and two")
        .sees("thinking, 3 words");
    chat.says("Four.").finishes(FinishReason::Stop);
    chat.sees("▸ reasoning, 3 words").sees_not("two and two");
    chat.press("ctrl-t")
        .sees("│ two and two")
        .press("ctrl-t")
        .sees_not("│ two and two");
    chat.send("sure?");
    assert!(
        chat.request()
            .messages
            .iter()
            .all(|m| !m.content.contains("two and two"))
    );
}

#[test]
fn esc_stops_the_answer_at_once_and_keeps_what_came() {
    let mut chat = chat();
    chat.send("go")
        .says("half an")
        .press("esc")
        .sees("half an")
        .sees("■ stopped");
    assert_eq!(chat.effects.last(), Some(&Effect::Cancel(1)));
    // What the engine still says of it is stale.
    chat.says(" answer")
        .finishes(FinishReason::Cancelled)
        .sees_not("half an answer");
    chat.send("on").says("yes").sees("yes");
}

#[test]
fn esc_stops_reading_too() {
    let mut chat = chat();
    chat.send("long")
        .reads(10, 9000, 60_000)
        .press("esc")
        .sees("■ stopped")
        .sees_not("reading");
    assert_eq!(chat.effects.last(), Some(&Effect::Cancel(1)));
}

#[test]
fn a_message_sent_meanwhile_waits_its_turn_and_is_shown_as_queued() {
    let mut chat = chat();
    chat.send("first")
        .says("answer")
        .send("second")
        .sees("queued: second");
    assert_eq!(chat.request().messages.len(), 1);
    chat.finishes(FinishReason::Stop)
        .sees_not("queued")
        .sees("❯ second");
    assert_eq!(chat.request().messages.len(), 3);
}

#[test]
fn stopping_gives_queued_messages_back_to_the_composer() {
    let mut chat = chat();
    chat.send("first")
        .send("second")
        .send("third")
        .write("draft")
        .press("esc");
    assert_eq!(chat.state.composer.text(), "second\nthird\ndraft");
}

#[test]
fn a_draft_is_kept_while_an_answer_streams() {
    let mut chat = chat();
    chat.send("first")
        .says("a")
        .write("dra")
        .says("b")
        .write("ft")
        .says("c")
        .sees("❯ draft")
        .sees("abc");
}

#[test]
fn ctrl_c_stops_then_clears_then_asks_and_then_quits() {
    let mut chat = chat();
    chat.send("go")
        .says("x")
        .write("draft")
        .press("ctrl-c")
        .sees("■ stopped")
        .sees("❯ draft");
    chat.press("ctrl-c");
    assert!(chat.state.composer.is_empty());
    chat.press("ctrl-c").sees("Ctrl+C again quits");
    assert!(!chat.effects.contains(&Effect::Quit));
    chat.press("ctrl-c");
    assert_eq!(chat.effects.last(), Some(&Effect::Quit));
}

#[test]
fn the_question_whether_to_quit_passes() {
    let mut chat = chat();
    chat.press("ctrl-c")
        .wait(Duration::from_secs(4))
        .sees_not("again quits")
        .press("ctrl-c");
    assert!(!chat.effects.contains(&Effect::Quit));
    chat.write("x").press("backspace").press("ctrl-c");
    assert!(!chat.effects.contains(&Effect::Quit));
}

#[test]
fn ctrl_d_quits_only_on_an_empty_composer() {
    let mut chat = chat();
    chat.write("ab").press("home ctrl-d");
    assert_eq!(
        (chat.state.composer.text().as_str(), chat.effects.len()),
        ("b", 0)
    );
    chat.press("ctrl-d ctrl-d");
    assert_eq!(chat.effects, [Effect::Quit]);
}

#[test]
fn every_way_to_a_new_line_makes_one_and_enter_sends_all() {
    let mut chat = chat();
    chat.write("a")
        .press("shift-enter")
        .write("b")
        .press("alt-enter")
        .write("c")
        .press("ctrl-j")
        .write("d")
        .press("enter");
    assert_eq!(chat.request().messages[0].content, "a\nb\nc\nd");
}

#[test]
fn a_question_mark_opens_help_only_on_an_empty_composer() {
    let mut chat = chat();
    chat.press("?")
        .sees("Help")
        .sees("send the message")
        .press("esc")
        .sees_not("send the message");
    chat.write("why?")
        .sees("❯ why?")
        .sees_not("send the message");
    chat.press("f1").sees("send the message");
}

#[test]
fn the_palette_finds_and_runs_an_action() {
    let mut chat = chat();
    chat.turn("q", "the answer")
        .press("ctrl-p")
        .write("copy")
        .press("enter");
    assert_eq!(
        chat.effects.last(),
        Some(&Effect::Copy("the answer".into()))
    );
    chat.sees_not("Actions");
}

#[test]
fn slash_commands_complete_run_and_name_their_mistakes() {
    let mut chat = chat();
    chat.write("/re")
        .sees("/retry")
        .sees("/reasoning")
        .press("tab")
        .sees("❯ /retry")
        .press("ctrl-u");
    chat.send("/set temperature 0.2")
        .sees("temperature is now 0.2.");
    assert_eq!(chat.state.settings.sampling.temperature, 0.2);
    chat.send("/set temperature 9")
        .sees("temperature must be a number from 0 to 5");
    chat.send("/set temp 1").sees("there is no setting “temp”");
    chat.send("/nonsense x")
        .sees("There is no command /nonsense");
    assert_eq!(chat.state.composer.text(), "/nonsense x");
    chat.press("ctrl-u").send("/quit");
    assert_eq!(chat.effects, [Effect::Quit]);
}

#[test]
fn a_leading_space_sends_a_slash_as_text() {
    let mut chat = chat();
    chat.send(" /etc/hosts?");
    assert_eq!(chat.request().messages[0].content, " /etc/hosts?");
}

#[test]
fn the_system_prompt_holds_from_the_next_message_on() {
    let mut chat = chat();
    chat.send("/system Be brief.").send("hi");
    assert_eq!(chat.request().messages[0].role, Role::System);
    chat.says("ok").finishes(FinishReason::Stop);
    chat.send("/system none").send("again");
    assert_eq!(chat.request().messages[0].role, Role::User);
}

#[test]
fn another_model_is_loaded_by_its_path() {
    let mut chat = chat();
    chat.send("/model other model.gguf");
    chat.engine(engine::Event::Loading(0))
        .sees("other model · loading 0 %");
    assert_eq!(
        chat.effects,
        [Effect::Load(PathBuf::from("other model.gguf"))]
    );
}

#[test]
fn a_model_that_does_not_load_is_told_in_the_conversation_and_the_draft_stays() {
    let mut chat = Harness::starting(80, 24, Some("bad.gguf"));
    chat.write("draft").engine(engine::Event::LoadFailed(
        "bad.gguf is not a GGUF file".into(),
    ));
    chat.sees("The model was not loaded: bad.gguf is not a GGUF file.")
        .sees("not loaded")
        .sees("❯ draft");
}

#[test]
fn retry_asks_the_last_question_again() {
    let mut chat = chat();
    chat.turn("q1", "a1")
        .turn("q2", "a2")
        .press("alt-r")
        .sees_not("a2");
    assert_eq!(chat.request().messages.len(), 3);
    chat.says("a3").finishes(FinishReason::Stop).sees("a3");
}

#[test]
fn clear_begins_anew() {
    let mut chat = chat();
    chat.turn("q1", "a1")
        .send("/clear")
        .sees_not("a1")
        .send("q2");
    assert_eq!(chat.request().messages.len(), 1);
}

#[test]
fn an_engine_that_dies_leaves_the_partial_answer_marked_with_the_cause() {
    let mut chat = chat();
    chat.send("go").says("half an");
    let why = "the engine was killed (SIGKILL)";
    let id = chat.id();
    chat.engine(engine::Event::Failed(id, why.into()))
        .engine(engine::Event::Died(why.into()));
    chat.sees("half an")
        .sees("✗ the engine was killed (SIGKILL)")
        .sees("engine stopped");
    assert_eq!(chat.screen().matches("SIGKILL").count(), 1);
    chat.send("again");
    assert_eq!(chat.request().messages.len(), 3);
}

#[test]
fn an_engine_that_dies_while_idle_is_told_too() {
    let mut chat = chat();
    chat.turn("q", "a")
        .engine(engine::Event::Died("the engine was killed".into()));
    chat.sees("The engine stopped: the engine was killed. The next message starts it again.");
}

#[test]
fn two_questions_without_an_answer_between_reach_the_model_as_one() {
    let mut chat = chat();
    chat.send("one").press("esc").send("two");
    let said: Vec<_> = chat
        .request()
        .messages
        .iter()
        .map(|m| m.content.as_str())
        .collect();
    assert_eq!(said, ["one\n\ntwo"]);
}

#[test]
fn a_limited_answer_and_a_full_context_say_so() {
    let mut chat = chat();
    chat.send("go")
        .says("and so")
        .finishes(FinishReason::Length)
        .sees("the limit of tokens was reached");
}

#[test]
fn settings_change_by_arrows_and_typing_and_refuse_what_is_out_of_range() {
    let mut chat = chat();
    chat.press("f2").sees("Settings").press("right").sees("0.8");
    chat.write("7")
        .press("enter")
        .sees("must be a number from 0 to 5")
        .press("backspace")
        .write("1.5")
        .press("enter");
    assert_eq!(chat.state.settings.sampling.temperature, 1.5);
    chat.press("down down down down down down down down enter")
        .write("Be kind.")
        .press("enter");
    assert_eq!(chat.state.settings.system, "Be kind.");
    chat.press("ctrl-s");
    let [Effect::Save { sampling, system }] = chat.effects.as_slice() else {
        panic!()
    };
    assert_eq!((sampling.temperature, system.as_str()), (1.5, "Be kind."));
    chat.event(Event::Saved(Ok("/x/config.toml".into())))
        .sees("Saved to /x/config.toml");
}

#[test]
fn copying_says_truly_what_happened() {
    let mut chat = chat();
    chat.press("alt-c").sees("There is no answer to copy");
    chat.event(Event::Copied(Ok(CopyWay::Clipboard)))
        .sees("Copied.");
    chat.event(Event::Copied(Ok(CopyWay::Terminal)))
        .sees("Sent to the terminal")
        .sees("not every terminal takes it");
    chat.event(Event::Copied(Err("no clipboard".into())))
        .sees("Not copied: no clipboard");
}

#[test]
fn a_paste_of_many_lines_is_one_paste_and_sends_nothing() {
    let mut chat = chat();
    chat.event(Event::Paste("one\r\ntwo\r\n".into()))
        .sees("❯ one")
        .sees("  two");
    assert_eq!(chat.effects, []);
}

#[test]
fn a_message_from_the_history_comes_back_with_up() {
    let mut chat = chat();
    chat.turn("first", "a")
        .turn("second", "b")
        .write("draft")
        .press("up")
        .sees("❯ second");
    chat.press("up").sees("❯ first").press("down down");
    assert_eq!(chat.state.composer.text(), "draft");
}

#[test]
fn a_wrong_path_does_not_cost_the_model_that_is_loaded() {
    let mut chat = chat();
    chat.send("/model /nope.gguf");
    chat.engine(engine::Event::Refused("cannot open /nope.gguf".into()));
    chat.sees("Not loaded: cannot open /nope.gguf.")
        .sees("tiny · ");
    chat.turn("hi", "still here").sees("still here");
}

#[test]
fn a_question_that_came_to_nothing_goes_back_to_the_composer() {
    let mut chat = chat();
    chat.turn("q", "a").send("far too long");
    let id = chat.id();
    let why = "the prompt has 9000 tokens and at most 999 fit";
    chat.engine(engine::Event::Failed(id, why.into()))
        .sees("No answer: the prompt has 9000 tokens");
    assert_eq!(chat.state.composer.text(), "far too long");
    chat.press("ctrl-u").send("short");
    assert_eq!(chat.request().messages.last().unwrap().content, "short");
}

#[test]
fn a_load_that_fails_with_a_message_waiting_is_told_once() {
    let mut chat = Harness::starting(80, 24, Some("bad.gguf"));
    chat.send("hi");
    let id = chat.id();
    chat.engine(engine::Event::Failed(id, "bad.gguf is empty".into()));
    chat.engine(engine::Event::LoadFailed("bad.gguf is empty".into()));
    assert_eq!(
        chat.screen().matches("bad.gguf is empty").count(),
        1,
        "{}",
        chat.screen()
    );
    assert_eq!(chat.state.composer.text(), "hi");
}

#[test]
fn esc_ends_a_loading_that_nobody_waits_for() {
    let mut chat = Harness::starting(80, 24, Some("huge.gguf"));
    chat.engine(engine::Event::Loading(10))
        .press("esc")
        .sees("Loading was stopped");
    assert_eq!(chat.effects, [Effect::Unload]);
    chat.engine(engine::Event::Loading(20)).sees("no model");
}

#[test]
fn a_queued_message_does_not_pull_down_who_has_scrolled_up() {
    let mut chat = Harness::new(60, 12);
    let long = "line\n\n".repeat(40);
    chat.send("one")
        .says(&long)
        .send("two")
        .event(Event::Wheel(-9))
        .sees("more below");
    chat.finishes(FinishReason::Stop)
        .says("next")
        .sees("more below");
}

#[test]
fn an_exact_command_is_run_although_another_begins_with_it() {
    let mut chat = chat();
    chat.send("/set")
        .sees("temperature = 0.7")
        .sees_not("Ctrl+S saves");
}

#[test]
fn a_passing_word_goes_with_the_next_key() {
    let mut chat = chat();
    chat.send("/nonsense")
        .sees("There is no command")
        .press("ctrl-u")
        .sees_not("There is no command");
}

#[test]
fn the_palette_keeps_a_draft_that_a_command_takes_the_place_of() {
    let mut chat = chat();
    chat.write("draft")
        .press("ctrl-p")
        .write("system")
        .press("enter");
    assert_eq!(chat.state.composer.text(), "/system ");
    chat.press("ctrl-u up");
    assert_eq!(chat.state.composer.text(), "draft");
}

#[test]
fn a_second_esc_does_not_cost_a_model_that_loads_again_after_a_stop() {
    let mut chat = chat();
    chat.send("long").reads(10, 9000, 60_000).press("esc");
    chat.engine(engine::Event::Loading(0))
        .press("esc")
        .sees_not("Loading was stopped");
    assert!(!chat.effects.contains(&Effect::Unload));
}
