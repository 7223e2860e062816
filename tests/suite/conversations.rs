//! Conversations that last: the chat over a real store, and the store by itself.

mod attached;

use crate::support::engine::PATIENCE;
use crate::support::harness::Harness;
use parlor::app::Event as AppEvent;
use parlor::chat::{Conversation, FinishReason};
use parlor::protocol::engine;
use parlor::protocol::store::{Change, Event, Shelf, Which, Write};
use parlor::store::{FILE, STEPS, Store, VERSION};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

fn chat(folder: &TempDir) -> Harness {
    Harness::new(100, 24).saved_in(folder.path())
}

fn last(folder: &Path) -> Conversation {
    let mut store = Store::open(folder).unwrap();
    store.open_conversation(&Which::Last).unwrap().conversation
}

fn texts(conversation: &Conversation) -> Vec<String> {
    let tree = &conversation.tree;
    let path = tree.path();
    path.iter()
        .map(|id| tree.get(*id).unwrap().said.text().to_string())
        .collect()
}

#[test]
fn what_was_said_and_what_was_not_sent_come_back() {
    let folder = tempdir().unwrap();
    let mut first = chat(&folder);
    first.turn("What is a fjord?", "A long, narrow inlet.");
    first.write("and how dee");
    first.leave();
    let mut again = chat(&folder).opening(Which::Last);
    again
        .sees("❯ What is a fjord?")
        .sees("A long, narrow inlet.")
        .sees("❯ and how dee")
        .sees("─ What is a fjord?");
    again.write("p?").press("enter").says("Very.");
    assert_eq!(again.request().messages.len(), 3);
}

#[test]
fn an_answer_is_saved_while_it_streams() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.send("count").says("one two ");
    chat.wait(Duration::from_millis(250));
    chat.says("three");
    for _ in 0..32 {
        chat.says(" more");
    }
    // What another program reads now, while this one still runs.
    let listed = || Store::open(folder.path()).unwrap().list(Shelf::Active);
    let end = Instant::now() + PATIENCE;
    while listed().unwrap().is_empty() && Instant::now() < end {}
    let id = listed().unwrap()[0].about.id.clone();
    let read = || {
        let store = Store::open_to_read(folder.path()).unwrap().unwrap();
        texts(&store.conversation(&id).unwrap())[1].clone()
    };
    while read().len() < 100 && Instant::now() < end {}
    assert!(read().starts_with("one two three more more"), "{}", read());
}

/// Found as an answer with a hole in it: the drawing's own event saved what was
/// due, and nobody listened to what it asked for.
#[test]
fn a_drawing_saves_nothing_by_itself() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.send("count").says("one ");
    let before = chat.stored.len();
    chat.draw_later(Duration::from_secs(1));
    assert_eq!(chat.stored.len(), before);
    chat.wait(Duration::ZERO);
    assert_eq!(chat.stored.len(), before + 1);
}

#[test]
fn nothing_of_a_private_conversation_reaches_the_store() {
    let folder = tempdir().unwrap();
    let mut private = chat(&folder);
    private
        .send("/private")
        .turn("my secret", "is safe")
        .write("not sent");
    private.sees("off the record");
    assert_eq!(private.request().conversation, None);
    private.leave();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("secret"), "{}", path.display());
            assert!(!text.contains("not sent"), "{}", path.display());
        }
    }
}

#[test]
fn changing_a_question_makes_a_version_beside_it_and_keys_walk_between_them() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("first", "answer one").press("alt-e");
    chat.sees("changing a message");
    chat.press("ctrl-u").send("second").says("answer two");
    chat.finishes(FinishReason::Stop)
        .sees("‹2/2›")
        .sees("answer two");
    chat.press("alt-,").sees("‹1/2›").sees("answer one");
    chat.sees_not("answer two");
    chat.leave();
    // The version that was seen last is seen again.
    let mut again = self::chat(&folder).opening(Which::Last);
    again.sees("‹1/2›").sees("answer one");
    again.press("alt-.").sees("answer two");
}

#[test]
fn another_answer_stands_beside_the_first_and_the_same_one_has_its_seed() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("ask", "one");
    chat.press("alt-r").says("two").finishes(FinishReason::Stop);
    chat.sees("‹2/2›").sees("two");
    let seed = chat.request().sampling.seed;
    assert!(seed.is_some());
    chat.send("/retry same");
    assert_eq!(chat.request().sampling.seed, seed);
    assert_eq!(chat.request().messages.len(), 1);
    chat.says("two").finishes(FinishReason::Stop).sees("‹3/3›");
}

#[test]
fn a_stopped_answer_goes_on_where_it_ended() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.send("tell").says("Once upon").press("esc");
    chat.sees("■ stopped · Alt+G goes on").press("alt-g");
    let request = chat.request();
    assert_eq!(
        (request.opening.as_str(), request.told),
        ("Once upon", true)
    );
    assert_eq!(request.messages.len(), 1);
    chat.says(" a time.").finishes(FinishReason::Stop);
    chat.sees("Once upon a time.").sees_not("stopped");
    chat.leave();
    assert_eq!(texts(&last(folder.path())), ["tell", "Once upon a time."]);
}

#[test]
fn what_a_stopped_answer_cost_is_told_when_the_engine_has_said_it() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.send("tell").says("Once").press("esc");
    chat.finishes(FinishReason::Cancelled).send("/details");
    chat.sees("90 tokens read").sees("■ stopped");
    let seed = chat.request().sampling.seed.unwrap();
    chat.sees(&format!("seed = {seed}"));
}

#[test]
fn a_changed_answer_is_gone_on_from() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("tell", "Once upon a time.")
        .press("alt-up e ctrl-u");
    chat.sees("changing an answer").send("Long ago");
    assert_eq!(chat.request().opening, "Long ago");
    chat.says(" in Norway.").finishes(FinishReason::Stop);
    chat.sees("Long ago in Norway.").sees("‹2/2›");
}

#[test]
fn a_deleted_branch_comes_back_whole() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("one", "first").turn("two", "second");
    chat.press("alt-up up x").sees_not("second").sees("first");
    chat.press("alt-u").sees("second");
    chat.leave();
    assert_eq!(
        texts(&last(folder.path())),
        ["one", "first", "two", "second"]
    );
}

#[test]
fn a_fork_leaves_the_first_conversation_as_it_was() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("one", "first").turn("two", "second");
    chat.press("alt-up up up k").sees_not("second");
    chat.turn("three", "third").leave();
    let store = Store::open(folder.path()).unwrap();
    let list = store.list(Shelf::Active).unwrap();
    let mut lengths: Vec<u32> = list.iter().map(|s| s.messages).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [4, 4]);
    assert_eq!(list[0].about.title, "one (fork)");
}

#[test]
fn copying_takes_the_chosen_message_its_code_or_everything() {
    use parlor::app::Effect::Copy;
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("code?", "So:\n```rust\nfn main() {}\n```\ndone");
    chat.press("alt-up up c")
        .send("/copy code")
        .send("/copy all");
    let copied: Vec<_> = chat
        .effects
        .iter()
        .filter_map(|e| match e {
            Copy(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(copied[..2], ["code?", "fn main() {}\n"]);
    assert!(copied[2].starts_with("**You:** code?\n\n**Model:** So:"));
}

#[test]
fn the_view_finds_titles_and_words_and_opens_at_the_place() {
    let folder = tempdir().unwrap();
    let mut one = chat(&folder);
    one.turn("Plans for Lisbon", "Take the tram to Belém.");
    one.leave();
    let mut two = chat(&folder);
    two.turn("東京の天気は", "晴れです。");
    two.press("ctrl-o")
        .sees("Today")
        .sees("Plans for Lisbon")
        .sees("東京の天気は");
    two.write("belem").sees("In messages").sees("tram to Belém");
    two.press("enter").sees("❯ Plans for Lisbon");
    two.press("esc ctrl-o").write("天気").sees("In messages");
    two.press("esc ctrl-o")
        .write("lsbn")
        .sees("▸Plans for Lisbon");
}

#[test]
fn conversations_are_renamed_tagged_pinned_archived_deleted_and_brought_back() {
    let folder = tempdir().unwrap();
    for title in ["alpha", "beta"] {
        let mut chat = chat(&folder);
        chat.turn(title, "yes");
        chat.leave();
    }
    let mut chat = chat(&folder);
    chat.press("ctrl-o down ctrl-r ctrl-u")
        .write("first")
        .press("enter")
        .sees("▸first");
    chat.press("ctrl-t")
        .write("work")
        .press("enter")
        .sees("#work");
    chat.press("ctrl-k").sees("Pinned");
    chat.press("home ctrl-a").sees_not("first");
    chat.press("tab").sees("Archived").sees("first");
    chat.press("ctrl-a tab tab ctrl-d").sees("beta");
    chat.sees_not("first").press("ctrl-y").sees("first");
}

#[test]
fn words_in_the_open_conversation_are_marked_and_walked() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    for n in 0..20 {
        chat.turn(&format!("question {n}"), &format!("needle number {n}"));
    }
    chat.press("f3").write("NEEDLE");
    chat.sees("20 of 20").sees("needle number 19");
    chat.press("enter").sees("1 of 20").sees("needle number 0");
    chat.press("n n").sees("3 of 20").press("N").sees("2 of 20");
    chat.press("esc").sees_not("of 20");
}

#[test]
fn a_conversation_that_is_open_elsewhere_can_only_be_read() {
    let folder = tempdir().unwrap();
    let mut here = chat(&folder);
    here.turn("mine", "yours").press("ctrl-o esc");
    let mut there = chat(&folder).opening(Which::Last);
    there.sees("read only").sees("mine").send("no");
    assert_eq!(there.effects, []);
    there.press("ctrl-u").send("/fork").send("in the copy");
    assert_eq!(there.request().messages.len(), 3);
    there.leave();
    here.turn("still", "mine");
    here.leave();
    assert_eq!(
        Store::open(folder.path())
            .unwrap()
            .list(Shelf::Active)
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn what_cannot_be_saved_waits_in_memory_until_it_can() {
    let folder = tempdir().unwrap();
    // A file where the folder should be.
    let place = folder.path().join("data");
    fs::write(&place, "in the way").unwrap();
    let mut chat = Harness::new(100, 24).saved_in(&place);
    chat.store_says().sees("cannot be saved");
    chat.turn("kept", "in memory").sees("not saved:");
    fs::remove_file(&place).unwrap();
    chat.store_says().sees("saved again");
    chat.leave();
    assert_eq!(texts(&last(&place)), ["kept", "in memory"]);
}

#[test]
fn a_broken_file_is_set_aside_and_what_is_open_is_saved_anew() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join(FILE), vec![b'x'; 8192]).unwrap();
    let mut chat = chat(&folder);
    chat.store_says().sees("was broken").sees(".broken-");
    chat.turn("new", "life").leave();
    assert_eq!(texts(&last(folder.path())), ["new", "life"]);
    let aside = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.to_string_lossy().contains(".broken-"))
        .unwrap();
    assert_eq!(fs::read(aside).unwrap(), vec![b'x'; 8192]);
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date_after_a_copy() {
    let folder = tempdir().unwrap();
    let path = folder.path().join(FILE);
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(STEPS[0]).unwrap();
    old.execute_batch(
        "PRAGMA user_version = 1;
         INSERT INTO conversations (id, title, created, updated, root) VALUES ('old1', 'old', 1, 1, 1);
         INSERT INTO messages (conversation, id, role, text, at) VALUES (1, 1, 'user', 'ancient words', 1);",
    )
    .unwrap();
    drop(old);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.search("ancient").unwrap().len(), 1);
    let copy = rusqlite::Connection::open(path.with_extension("v1.db")).unwrap();
    let kept: String = copy
        .query_row("SELECT text FROM messages", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, "ancient words");
}

#[test]
fn a_file_of_a_newer_version_is_read_and_never_written() {
    let folder = tempdir().unwrap();
    let mut first = chat(&folder);
    first.turn("now", "then");
    first.leave();
    let path = folder.path().join(FILE);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer
        .pragma_update(None, "user_version", VERSION + 1)
        .unwrap();
    drop(newer);
    let mut chat = chat(&folder);
    chat.store_says().sees("newer Parlor");
    chat.press("ctrl-o enter").sees("❯ now").sees("read only");
    let mut store = Store::open(folder.path()).unwrap();
    let id = store.list(Shelf::Active).unwrap()[0].about.id.clone();
    assert!(store.change(&id, &Change::Pin(true)).is_err());
}

#[cfg(unix)]
#[test]
fn only_the_person_may_read_what_is_saved() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let place = folder.path().join("data");
    let mut chat = Harness::new(100, 24).saved_in(&place);
    chat.turn("a", "b").leave();
    let mut waiting = vec![place];
    while let Some(path) = waiting.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}", path.display());
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        }
    }
}

#[test]
fn what_is_purged_is_gone_from_the_file() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("forget mynameisada", "done").leave();
    let mut store = Store::open(folder.path()).unwrap();
    let id = store.list(Shelf::Active).unwrap()[0].about.id.clone();
    store.change(&id, &Change::Delete(true)).unwrap();
    // What was deleted today stays for thirty days.
    assert_eq!(store.purge(false).unwrap(), Vec::<String>::new());
    assert_eq!(store.purge(true).unwrap(), [id]);
    assert!(store.search("mynameisada").unwrap().is_empty());
    assert_eq!(store.flaw().unwrap(), None);
    drop(store);
    let bytes = fs::read(folder.path().join(FILE)).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("mynameisada"));
}

#[test]
fn the_model_gives_a_title_when_it_is_idle_and_gives_way_at_once() {
    use parlor::app::Effect;
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.state.settings.titles = true;
    chat.turn("what is a fjord, in short?", "An inlet.");
    chat.effects.clear();
    chat.wait(Duration::from_secs(2)).press("a");
    chat.wait(Duration::from_secs(2));
    assert_eq!(chat.effects, [], "asked while the person writes");
    chat.wait(Duration::from_secs(2));
    assert!(chat.request().messages[2].content.contains("title"));
    let asked = chat.id();
    chat.press("b");
    assert!(chat.effects.contains(&Effect::Cancel(asked)));
    chat.press("enter")
        .says("Yes.")
        .finishes(FinishReason::Stop);
    chat.wait(Duration::from_secs(4));
    chat.says("\"Fjords, briefly\"\n")
        .finishes(FinishReason::Stop);
    chat.sees("─ Fjords, briefly ─").sees_not("\"Fjords");
    chat.leave();
    assert_eq!(last(folder.path()).about.title, "Fjords, briefly");
}

#[test]
fn two_chats_write_to_one_store_at_once() {
    let folder = tempdir().unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let path = folder.path().to_path_buf();
            std::thread::spawn(move || {
                let mut store = Store::open(&path).unwrap();
                for n in 0..25 {
                    let id = format!("w{writer}n{n}");
                    let about = parlor::chat::About {
                        id: id.clone(),
                        title: id.clone(),
                        ..Default::default()
                    };
                    store.save(&id, &[Write::Begin(about)]).unwrap();
                    store.save(&id, &[Write::Draft("d".into())]).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(Store::open(folder.path()).unwrap().flaw().unwrap(), None);
}

#[test]
fn a_conversation_that_is_not_there_is_told() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder).opening(Which::Named("nothing".into()));
    chat.sees("Not opened: there is no conversation “nothing”");
    chat.event(AppEvent::Store(Event::Unknown("other".into())));
    chat.engine(engine::Event::Died("x".into()));
}

/// Found as a question that was removed, with all that followed it, when going
/// on with its empty answer failed.
#[test]
fn going_on_that_fails_costs_nothing_that_was_there() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.send("one").press("esc").turn("two", "second");
    chat.press("alt-up up up g");
    let id = chat.id();
    chat.engine(engine::Event::Failed(id, "no".into()));
    chat.sees("❯ one").sees("second");
    chat.leave();
    assert_eq!(texts(&last(folder.path())).len(), 4);
}

/// Found as queued messages that were gone after another conversation was opened.
#[test]
fn what_was_queued_stays_with_its_conversation() {
    let folder = tempdir().unwrap();
    let mut first = chat(&folder);
    first.turn("alpha", "yes");
    first.leave();
    let mut chat = chat(&folder);
    chat.send("beta").says("thinking").send("queued words");
    chat.press("ctrl-o end enter").sees("❯ alpha");
    chat.sees_not("queued words");
    chat.press("ctrl-o home enter").sees("❯ queued words");
}

#[test]
fn a_draft_that_another_chat_writes_is_left_to_it() {
    let folder = tempdir().unwrap();
    let mut here = chat(&folder);
    here.write("half a thou").wait(Duration::from_secs(1));
    // Answers only when everything before it is done.
    here.press("ctrl-o esc");
    let mut store = Store::open(folder.path()).unwrap();
    let opened = store.open_conversation(&Which::Unsent).unwrap();
    assert!(!opened.writable);
    let mut there = Harness::new(100, 24).saved_in(folder.path());
    there.ask_store(parlor::protocol::store::Command::Open(Which::Unsent));
    there.press("ctrl-o esc").sees_not("half a thou");
    here.write("ght");
    here.leave();
    let mut again = chat(&folder).opening(Which::Unsent);
    again.sees("❯ half a thought");
}

#[test]
fn a_conversation_that_comes_too_late_replaces_nothing() {
    let folder = tempdir().unwrap();
    let mut first = chat(&folder);
    first.turn("old", "yes");
    first.leave();
    let mut chat = chat(&folder);
    chat.send("early").says("and");
    let mut chat = chat.opening(Which::Last);
    chat.sees("❯ early").says(" late").sees("and late");
}

#[test]
fn a_private_draft_is_not_carried_into_a_saved_conversation() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.send("/private").write("secret plan").press("alt-n");
    chat.sees_not("secret plan").press("up").sees("secret plan");
}

#[test]
fn undoing_waits_for_the_answer_under_way() {
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.turn("one", "first").turn("two", "second");
    chat.press("alt-up up x").send("other").says("under way");
    chat.press("alt-u")
        .sees("An answer is under way")
        .sees("under way");
    chat.finishes(FinishReason::Stop)
        .press("alt-u")
        .sees("second");
}

#[test]
fn talking_in_a_deleted_conversation_brings_it_back() {
    let folder = tempdir().unwrap();
    let mut first = chat(&folder);
    first.turn("gone", "yes");
    first.leave();
    let mut chat = chat(&folder);
    chat.press("ctrl-o ctrl-d tab tab enter").sees("❯ gone");
    chat.turn("not yet", "fine");
    chat.leave();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.list(Shelf::Active).unwrap().len(), 1);
}

#[test]
fn a_conversation_that_is_open_elsewhere_is_not_deleted() {
    let folder = tempdir().unwrap();
    let mut here = chat(&folder);
    here.turn("mine", "yes").press("ctrl-o esc");
    let mut there = chat(&folder);
    there.press("ctrl-o").sees("mine").press("ctrl-d");
    there.press("esc").sees("is open in another Parlor");
    assert_eq!(
        Store::open(folder.path())
            .unwrap()
            .list(Shelf::Active)
            .unwrap()
            .len(),
        1
    );
}
