//! The tree of a conversation keeps its shape, whatever is done to it, and the
//! store and the export hold exactly what the chat holds.

use crate::support::harness::Harness;
use parlor::chat::{Conversation, FinishReason, Record};
use parlor::exchange::{Format, export, import_text};
use parlor::protocol::store::Which;
use parlor::store::Store;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::tempdir;

/// What a person may do next.
#[derive(Debug, Clone)]
enum Deed {
    Turn(String),
    Stopped(String),
    Edit(String),
    Retry(String),
    Continue(String),
    Delete,
    Undo,
    Earlier,
    Later,
    Up,
    Down,
    Reopen,
}

fn deed() -> impl Strategy<Value = Deed> {
    let words = "[a-zé東 \\.]{1,12}[a-z]";
    prop_oneof![
        4 => words.prop_map(Deed::Turn),
        1 => words.prop_map(Deed::Stopped),
        2 => words.prop_map(Deed::Edit),
        2 => words.prop_map(Deed::Retry),
        1 => words.prop_map(Deed::Continue),
        1 => Just(Deed::Delete),
        1 => Just(Deed::Undo),
        2 => Just(Deed::Earlier),
        1 => Just(Deed::Later),
        3 => Just(Deed::Up),
        1 => Just(Deed::Down),
        1 => Just(Deed::Reopen),
    ]
}

/// Answers whatever was asked, if anything was.
fn answer(chat: &mut Harness, text: &str) {
    if !chat.state.turn.is_idle() {
        chat.says(text).finishes(FinishReason::Stop);
    }
}

fn perform(chat: &mut Harness, deed: &Deed) {
    match deed {
        Deed::Turn(text) => {
            chat.press("esc").send(&format!("q{text}"));
            answer(chat, text);
        }
        Deed::Stopped(text) => {
            chat.press("esc").send(&format!("s{text}"));
            chat.says(text).press("esc");
        }
        Deed::Edit(text) => {
            chat.press("alt-e");
            if chat.state.editing.is_some() {
                chat.press("ctrl-u").send(text);
                answer(chat, "changed");
            }
        }
        Deed::Retry(text) => {
            chat.press("alt-r");
            answer(chat, text);
        }
        Deed::Continue(text) => {
            chat.press("alt-g");
            answer(chat, text);
        }
        Deed::Delete => {
            chat.press("alt-x");
        }
        Deed::Undo => {
            chat.press("alt-u");
        }
        Deed::Earlier => {
            chat.press("alt-,");
        }
        Deed::Later => {
            chat.press("alt-.");
        }
        Deed::Up => {
            chat.press("alt-up");
        }
        Deed::Down => {
            chat.press("alt-down");
        }
        Deed::Reopen => {}
    }
}

/// Everything but the times, which the store gives.
fn timeless(conversation: &Conversation) -> (Vec<Record>, Option<u64>) {
    let records = conversation.records().map(|r| Record { at: 0, ..r });
    (records.collect(), conversation.tree.chosen_root())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sequence_of_deeds_is_saved_as_it_was_done(deeds in vec(deed(), 1..24)) {
        let folder = tempdir().unwrap();
        let mut chat = Harness::new(60, 20).saved_in(folder.path());
        for deed in &deeds {
            if matches!(deed, Deed::Reopen) && !chat.state.talk.tree().is_empty() {
                chat.leave();
                chat = Harness::new(60, 20).saved_in(folder.path()).opening(Which::Last);
            }
            perform(&mut chat, deed);
            prop_assert_eq!(chat.state.talk.tree().flaw(), None);
        }
        let shown = Conversation {
            about: chat.state.talk.about.clone(),
            tree: chat.state.talk.tree().clone(),
        };
        chat.leave();
        let store = Store::open_to_read(folder.path()).unwrap().unwrap();
        prop_assert_eq!(store.flaw().unwrap(), None);
        if shown.tree.is_empty() {
            return Ok(());
        }
        let kept = store.conversation(&shown.about.id).unwrap();
        prop_assert_eq!(timeless(&kept), timeless(&shown));
        let text = export(std::slice::from_ref(&kept), Format::Json);
        let back = import_text(&text).unwrap().conversations;
        prop_assert_eq!(back, vec![kept]);
    }
}
