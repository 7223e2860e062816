//! What is attached to messages: the files beside the conversations, what
//! becomes of them, and how their names are found.

use super::{chat, last};
use crate::support::engine::PATIENCE;
use parlor::app::Effect;
use parlor::chat::attachment::Kind;
use parlor::chat::conversation::title_of;
use parlor::chat::{About, Attachment, Record, Role};
use parlor::protocol::store::{Change, Which, Write};
use parlor::store::{FILE, Files, Store};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use tempfile::tempdir;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn picture(name: &str, digest: &str) -> String {
    let attachment = Attachment {
        digest: digest.into(),
        name: name.into(),
        kind: Kind::Picture,
        format: "PNG".into(),
        bytes: 7,
        width: 640,
        height: 480,
        ms: 0,
        count: 0,
    };
    attachment.marker()
}

/// Everything below a folder that is no folder.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => all_files(&path),
            false => vec![path],
        })
        .collect()
}

fn kept(folder: &Path) -> usize {
    all_files(&folder.join("attachments")).len()
}

fn make_old(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - 2 * HOUR).unwrap();
}

/// Saves a conversation of one message.
fn say(store: &mut Store, id: &str, text: &str) {
    let about = About {
        id: id.into(),
        title: id.into(),
        ..About::default()
    };
    let record = Record {
        text: text.into(),
        ..question()
    };
    let writes = [Write::Begin(about), Write::Put(Box::new(record))];
    store.save(id, &writes).unwrap();
}

fn question() -> Record {
    let json = r#"{"id": 1, "role": "user", "text": ""}"#;
    let record: Record = serde_json::from_str(json).unwrap();
    assert_eq!(record.role, Role::User);
    record
}

fn delete(store: &mut Store, id: &str) {
    store.change(id, &Change::Delete(true)).unwrap();
}

#[test]
fn the_same_bytes_are_kept_once_under_their_digest() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let digest = files.put(b"abc").unwrap();
    // FIPS 180-2, appendix B.1.
    assert_eq!(
        digest,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let path = folder.path().join("attachments/ba").join(&digest);
    assert_eq!(files.path(&digest), path);
    let other = folder.path().join("letters.txt");
    fs::write(&other, "abc").unwrap();
    assert_eq!(files.put_file(&other).unwrap(), (digest, 3));
    assert_eq!(kept(folder.path()), 1);
    assert_eq!(fs::read(&path).unwrap(), b"abc");
}

#[test]
fn a_file_that_is_there_is_written_again_only_when_its_length_differs() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let path = files.path(&files.put(b"whole").unwrap());
    fs::write(&path, "WHOLE").unwrap();
    files.put(b"whole").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"WHOLE");
    fs::write(&path, "who").unwrap();
    files.put(b"whole").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    assert_eq!(kept(folder.path()), 1);
}

#[cfg(unix)]
#[test]
fn only_the_person_may_read_what_is_attached() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let path = files.path(&files.put(b"private").unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.path().join("attachments")), 0o700);
}

#[test]
fn a_file_that_cannot_be_put_leaves_nothing_behind() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let digest = files.put(b"abc").unwrap();
    // A file stands where its folder would be.
    fs::remove_dir_all(folder.path().join("attachments/ba")).unwrap();
    fs::write(folder.path().join("attachments/ba"), "").unwrap();
    files.put(b"abc").unwrap_err();
    assert!(!files.path(&digest).exists());
    assert_eq!(kept(folder.path()), 1, "more than what stands in the way");
}

#[cfg(unix)]
#[test]
fn folders_pipes_and_devices_are_refused_and_not_waited_for() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    for path in [folder.path(), &pipe, &link, Path::new("/dev/zero")] {
        let error = files.put_file(path).unwrap_err();
        assert!(error.to_string().contains("attach"), "{error}");
    }
    assert_eq!(kept(folder.path()), 0);
}

#[test]
fn a_hostile_digest_leads_nowhere() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    files.put(b"something").unwrap();
    let long = "../".repeat(21) + "a";
    let capital = "A".repeat(64);
    let wide = "é".repeat(32);
    for digest in ["", "..", "/etc/passwd", "ab", &long, &capital, &wide] {
        let path = files.path(digest);
        assert!(!path.exists(), "{digest}");
        assert_eq!(path.parent(), Some(&*folder.path().join("attachments")));
    }
}

#[test]
fn sweeping_takes_what_is_old_and_that_nothing_names() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    assert_eq!(files.sweep(&HashSet::new()).unwrap(), 0);
    let [named, old, young, again] =
        ["named", "old", "young", "again"].map(|bytes| files.put(bytes.as_bytes()).unwrap());
    for digest in [&named, &old, &again] {
        make_old(&files.path(digest));
    }
    // Attached once more: it may be named in a moment.
    files.put(b"again").unwrap();
    let part = folder.path().join("attachments/0123.part");
    let young_part = folder.path().join("attachments/4567.part");
    let foreign = folder.path().join("attachments/ab/notes.txt");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    for path in [&part, &young_part, &foreign] {
        fs::write(path, "x").unwrap();
    }
    make_old(&part);
    make_old(&foreign);
    let keep = HashSet::from([named.clone()]);
    assert_eq!(files.sweep(&keep).unwrap(), 2);
    assert!(!files.path(&old).exists() && !part.exists());
    for digest in [&named, &young, &again] {
        assert!(files.path(digest).exists());
    }
    assert!(young_part.exists() && foreign.exists());
}

#[test]
fn a_purged_conversation_takes_its_file_and_leaves_a_shared_one() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let own = files.put(b"own").unwrap();
    let shared = files.put(b"shared").unwrap();
    let text = format!(
        "{} and {}",
        picture("a.png", &own),
        picture("b.png", &shared)
    );
    let mut store = Store::open(folder.path()).unwrap();
    say(&mut store, "one", &text);
    say(&mut store, "two", &picture("other name.png", &shared));
    delete(&mut store, "one");
    delete(&mut store, "two");
    store.change("two", &Change::Delete(false)).unwrap();
    // In the bin it can still be brought back.
    make_old(&files.path(&own));
    assert_eq!(store.sweep().unwrap(), 0);
    assert!(files.path(&own).exists());
    assert_eq!(store.purge(true).unwrap(), ["one"]);
    assert!(!files.path(&own).exists());
    assert!(files.path(&shared).exists());
    delete(&mut store, "two");
    store.purge(true).unwrap();
    assert_eq!(kept(folder.path()), 0);
}

#[test]
fn a_copy_of_a_conversation_keeps_its_files() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let digest = files.put(b"x").unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    say(&mut store, "one", &picture("a.png", &digest));
    store.duplicate("one", "copy").unwrap();
    delete(&mut store, "one");
    store.purge(true).unwrap();
    assert!(files.path(&digest).exists());
}

#[test]
fn the_file_of_a_draft_stays() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let digest = files.put(b"draft").unwrap();
    make_old(&files.path(&digest));
    let mut store = Store::open(folder.path()).unwrap();
    say(&mut store, "one", "hello");
    let draft = format!("look: {}", picture("a.png", &digest));
    store.save("one", &[Write::Draft(draft)]).unwrap();
    assert_eq!(store.digests().unwrap(), HashSet::from([digest.clone()]));
    assert_eq!(store.sweep().unwrap(), 0);
    store.save("one", &[Write::Draft("".into())]).unwrap();
    assert_eq!(store.sweep().unwrap(), 1);
    assert!(!files.path(&digest).exists());
}

#[test]
fn beside_a_file_that_was_set_aside_all_attachments_stay() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    make_old(&files.path(&files.put(b"named in the broken one").unwrap()));
    let aside = folder.path().join(format!("{FILE}.broken-1"));
    fs::write(&aside, "broken").unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.sweep().unwrap(), 0);
    fs::remove_file(aside).unwrap();
    assert_eq!(store.sweep().unwrap(), 1);
}

#[test]
fn the_chat_sweeps_when_it_has_started() {
    let folder = tempdir().unwrap();
    let files = Files::at(folder.path());
    let old = files.path(&files.put(b"old").unwrap());
    let young = files.path(&files.put(b"young").unwrap());
    make_old(&old);
    let mut chat = chat(&folder);
    let end = Instant::now() + PATIENCE;
    while old.exists() && Instant::now() < end {
        std::thread::yield_now();
    }
    assert!(!old.exists() && young.exists());
    chat.leave();
}

#[test]
fn a_search_finds_the_name_of_a_file_and_not_its_digest() {
    let folder = tempdir().unwrap();
    let digest = "c0ffee".to_string() + &"0".repeat(58);
    let mut store = Store::open(folder.path()).unwrap();
    let text = format!("Here: {} nice?", picture("harbour.png", &digest));
    say(&mut store, "one", &text);
    let hits = store.search("harbour").unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].snippet, "Here: [harbour.png] nice?");
    assert_eq!(&hits[0].snippet[hits[0].marks[0].clone()], "harbour");
    for hidden in ["c0ffee", &digest, "attached", "kind", "picture", "640x480"] {
        assert!(store.search(hidden).unwrap().is_empty(), "{hidden}");
    }
}

#[test]
fn a_message_that_is_only_a_picture_gives_its_name_as_title() {
    let marker = picture("harbour.png", &"0a".repeat(32));
    assert_eq!(title_of(&marker), "harbour.png");
    assert_eq!(
        title_of(&format!("\n What is {marker}?\nSay it")),
        "What is harbour.png?"
    );
    let folder = tempdir().unwrap();
    let mut chat = chat(&folder);
    chat.send(&marker).says("A harbour.").leave();
    assert_eq!(last(folder.path()).about.title, "harbour.png");
}

#[test]
fn finding_and_copying_use_the_name_of_a_file() {
    let folder = tempdir().unwrap();
    let digest = "0a".repeat(32);
    let mut store = Store::open(folder.path()).unwrap();
    say(&mut store, "one", &picture("harbour.png", &digest));
    drop(store);
    let mut chat = chat(&folder).opening(Which::Last);
    chat.send("/find harbour").sees("1 of 1").press("esc");
    chat.send("/find 0a0a")
        .sees("find: 0a0a")
        .sees_not("1 of")
        .press("esc");
    chat.effects.clear();
    chat.send("/copy all");
    let copied = chat.effects.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    });
    let copied = copied.unwrap();
    assert!(copied.contains("[harbour.png]"), "{copied}");
    assert!(!copied.contains(&digest), "{copied}");
}
