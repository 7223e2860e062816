//! What the screen shows, where it scrolls, and at which sizes.

use crate::support::harness::Harness;
use parlor::app::Event;
use parlor::app::talk::Scroll;
use parlor::chat::FinishReason;

fn lines(n: usize) -> String {
    (1..=n).map(|i| format!("line {i}.\n\n")).collect()
}

#[test]
fn a_conversation_looks_like_this() {
    let mut chat = Harness::new(60, 18);
    chat.send("How do I greet?")
        .thinks("The person wants code.");
    chat.says(
        "Use **print**:\n\n```python\nprint(\"hi\")\n```\n\n1. Save it.\n2. Run `python hi.py`.",
    );
    chat.finishes(FinishReason::Stop);
    insta::assert_snapshot!(chat.screen());
}

#[test]
fn help_lists_every_action_with_its_keys_at_every_scroll() {
    let mut chat = Harness::new(100, 30);
    chat.press("f1");
    let mut seen = chat.screen();
    for _ in 0..20 {
        seen.push_str(&chat.press("pagedown").screen());
    }
    for entry in parlor::app::action::ACTIONS {
        assert!(seen.contains(entry.doc), "{} is missing", entry.name);
        assert!(seen.contains(entry.name), "{} is missing", entry.name);
    }
}

#[test]
fn scrolling_up_while_it_streams_is_not_pulled_down_and_end_follows_again() {
    let mut chat = Harness::new(60, 16);
    chat.send("go").says(&lines(40)).sees("line 40.");
    chat.event(Event::Wheel(-6))
        .sees_not("line 40.")
        .sees("more below");
    let before = chat.rows();
    chat.says(&lines(20));
    assert_eq!(chat.rows()[..10], before[..10]);
    chat.press("end").sees("line 20.").sees_not("more below");
    assert_eq!(chat.state.talk.scroll, Scroll::Follow);
}

#[test]
fn scrolling_to_the_bottom_follows_again() {
    let mut chat = Harness::new(60, 16);
    chat.turn("go", &lines(40))
        .press("pageup pageup pagedown")
        .sees("more below");
    chat.press("pagedown pagedown").sees_not("more below");
    assert_eq!(chat.state.talk.scroll, Scroll::Follow);
}

#[test]
fn the_top_is_the_top_and_scrolling_beyond_changes_nothing() {
    let mut chat = Harness::new(60, 16);
    chat.turn("the first", &lines(40))
        .press("ctrl-home")
        .sees("❯ the first");
    let top = chat.screen();
    chat.event(Event::Wheel(-50)).press("pageup");
    assert_eq!(chat.screen(), top);
}

#[test]
fn a_resize_keeps_the_line_at_the_top() {
    let mut chat = Harness::new(60, 16);
    let long: String = (1..=60)
        .map(|i| format!("Paragraph {i} has several words that wrap at narrow widths.\n\n"))
        .collect();
    chat.turn("go", &long).press("pageup pageup pageup");
    let top = chat
        .rows()
        .iter()
        .find(|r| r.contains("Paragraph"))
        .unwrap()
        .clone();
    let number = top.split_whitespace().nth(1).unwrap().to_string();
    let before = chat.rows();
    for (width, height) in [(30, 16), (100, 20), (24, 9), (60, 16)] {
        chat.resize(width, height)
            .sees(&format!("Paragraph {number} "));
        let first = chat.rows()[0].clone() + &chat.rows()[1] + &chat.rows()[2];
        assert!(
            first.contains(&format!("Paragraph {number} ")),
            "{width}×{height}: {first}"
        );
    }
    // Not even when all of it fits for a while.
    chat.resize(200, 200).sees("Paragraph 1 ").resize(60, 16);
    assert_eq!(chat.rows(), before);
}

#[test]
fn every_size_can_be_drawn_with_every_popup() {
    let mut chat = Harness::new(60, 16);
    chat.turn("go", &lines(10))
        .send("more")
        .thinks("hm")
        .says("你好 👨‍👩‍👧 `code`");
    for keys in ["ctrl-l", "f1", "f2", "ctrl-p"] {
        chat.press(keys);
        for width in [1, 2, 3, 5, 9, 20, 60, 250] {
            for height in [1, 2, 3, 4, 6, 12, 80] {
                chat.resize(width, height);
            }
        }
        chat.resize(60, 16);
        if keys != "ctrl-l" {
            chat.press("esc");
        }
    }
    chat.sees("❯ more");
}

#[test]
fn no_escape_reaches_the_screen_from_model_file_or_person() {
    let mut chat = Harness::new(80, 24);
    let evil = "a\u{1b}]0;x\u{7}b\u{9b}31mc\u{202e}d";
    chat.event(Event::Paste(evil.into()))
        .press("enter")
        .thinks(evil)
        .says(evil)
        .says(&format!("\n\n```\n{evil}\n```"));
    let id = chat.id();
    chat.engine(parlor::protocol::engine::Event::Failed(id, evil.into()))
        .press("ctrl-t");
    chat.engine(parlor::protocol::engine::Event::LoadFailed(evil.into()));
    chat.send("/system \u{1b}[2J");
    let hostile = |c: char| c != '\n' && parlor::chat::text::is_hostile(c);
    assert!(!chat.screen().contains(hostile), "{:?}", chat.screen());
    chat.sees("␛]0;x");
}

#[test]
fn a_stream_drawn_piece_by_piece_looks_like_the_whole() {
    let text =
        "# Title\n\nSome *text* with `code`.\n\n- one\n- two\n\n```rust\nfn x() {}\n```\nend";
    let mut whole = Harness::new(50, 24);
    whole.send("q").says(text);
    for size in [1, 2, 5] {
        let mut pieces = Harness::new(50, 24);
        pieces.send("q");
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(size) {
            pieces.says(&piece.iter().collect::<String>());
        }
        // The last line's rate differs with the number of pieces.
        let (a, b) = (pieces.rows(), whole.rows());
        assert_eq!(a[..a.len() - 1], b[..b.len() - 1]);
    }
}

#[test]
fn a_long_message_takes_at_most_a_third_of_the_screen() {
    let mut chat = Harness::new(40, 18);
    chat.turn("q", "the answer stays in view");
    chat.event(Event::Paste("x\n".repeat(60)))
        .sees("the answer stays in view");
}

#[test]
fn help_cannot_be_scrolled_beyond_its_end() {
    let mut chat = Harness::new(100, 30);
    chat.press("f1 end");
    let end = chat.screen();
    chat.press("pagedown pagedown pagedown");
    assert_eq!(chat.screen(), end);
    chat.press("up");
    assert_ne!(chat.screen(), end);
}

#[test]
fn popups_can_be_used_on_a_small_screen() {
    let mut chat = Harness::new(40, 10);
    chat.press("f2")
        .sees("Esc closes")
        .sees("temperature")
        .write("9")
        .press("enter")
        .sees("must be");
    chat.press("esc down down down down down down down down")
        .sees("system prompt")
        .press("esc");
    chat.press("f1").sees("send the message").press("esc");
    chat.press("ctrl-p").write("quit").sees("quit");
}

#[test]
fn a_place_in_open_reasoning_is_found_again_after_a_resize() {
    let mut chat = Harness::new(60, 14);
    let thought: String = (1..=60)
        .map(|i| format!("Thought {i} is a thought of some words that wrap.\n"))
        .collect();
    chat.send("q")
        .thinks(&thought)
        .says("The answer.")
        .finishes(FinishReason::Stop);
    chat.press("ctrl-t ctrl-home").event(Event::Wheel(30));
    let top = chat.rows()[1].clone();
    let number = top.split_whitespace().nth(2).unwrap().to_string();
    chat.resize(34, 14)
        .sees(&format!("Thought {number} "))
        .resize(60, 14);
    assert_eq!(chat.rows()[1], top);
}
