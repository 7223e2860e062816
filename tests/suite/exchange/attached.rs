//! What is attached to messages, in files that conversations go to and come
//! from.

use super::{answered, asked, one, talk};
use crate::support::engine::program;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor::chat::attachment::Kind;
use parlor::chat::{Attachment, Conversation};
use parlor::exchange::{Files, Format, export, export_with, import_text};
use parlor::store::{self, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand what follows, \x00\xff";

/// Files in memory, by digests that need not hold.
#[derive(Default)]
struct Kept(BTreeMap<String, Vec<u8>>);

impl Files for Kept {
    fn size(&self, digest: &str) -> Option<u64> {
        self.0.get(digest).map(|bytes| bytes.len() as u64)
    }

    fn read(&self, digest: &str) -> Option<Vec<u8>> {
        self.0.get(digest).cloned()
    }
}

/// A size is all that is looked at.
struct Huge;

impl Files for Huge {
    fn size(&self, _: &str) -> Option<u64> {
        Some((256 << 20) + 1)
    }

    fn read(&self, _: &str) -> Option<Vec<u8>> {
        panic!("read although it is too large")
    }
}

fn attachment(name: &str, kind: Kind, format: &str, digest: &str) -> Attachment {
    Attachment {
        digest: digest.into(),
        name: name.into(),
        kind,
        format: format.into(),
        bytes: 88_123,
        width: 640,
        height: 480,
        ms: 0,
        count: 0,
    }
}

fn with(attached: &Attachment) -> Conversation {
    talk([
        asked(1, None, &format!("What is {}?", attached.marker())),
        answered(2, Some(1), "A cat."),
    ])
}

fn digest_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    store::Files::at(folder.path())
        .put(bytes)
        .expect("writable")
}

fn cat(digest: &str) -> Conversation {
    with(&attachment("a cat.png", Kind::Picture, "PNG", digest))
}

/// An export of one picture as JSON, changed.
fn changed(change: impl Fn(&mut Value)) -> (String, String) {
    let digest = digest_of(PNG);
    let kept = Kept([(digest.clone(), PNG.to_vec())].into());
    let export = export_with(&[cat(&digest)], Format::Json, &kept);
    let mut json: Value = serde_json::from_str(&export.text).expect("JSON");
    change(&mut json["files"]);
    (json.to_string(), digest)
}

#[test]
fn json_carries_what_is_attached() {
    let (json, digest) = changed(|_| {});
    let import = import_text(&json).expect("our own JSON");
    assert_eq!(import.files, [(digest.clone(), PNG.to_vec())].into());
    assert!(import.skipped.is_empty(), "{:?}", import.skipped);
    assert_eq!(one(import), cat(&digest));
}

#[test]
fn an_export_tells_which_bytes_are_not_here_or_too_many() {
    let digest = "0a".repeat(32);
    let missing = export_with(&[cat(&digest)], Format::Json, &Kept::default());
    assert_eq!(missing.left_out, ["“a cat.png”, whose bytes are not here"]);
    assert!(!missing.text.contains("\"files\""));
    let huge = export_with(&[cat(&digest)], Format::Json, &Huge);
    assert!(huge.left_out[0].contains("no room"), "{:?}", huge.left_out);
    assert_eq!(
        one(import_text(&huge.text).expect("our own JSON")),
        cat(&digest)
    );
}

#[test]
fn bytes_that_are_not_what_was_attached_are_refused_and_told() {
    let refused = "“a cat.png”, whose bytes are not what was attached";
    for wrong in [
        json!(STANDARD.encode("other")),
        json!("no base64!"),
        json!(7),
    ] {
        let (json, digest) = changed(|files| {
            for (_, value) in files.as_object_mut().expect("files") {
                *value = wrong.clone();
            }
        });
        let import = import_text(&json).expect("readable");
        assert!(import.files.is_empty());
        assert_eq!(import.skipped, [refused]);
        assert_eq!(one(import), cat(&digest));
    }
}

#[test]
fn a_file_that_no_message_names_is_left_out_and_told() {
    let (json, digest) = changed(|files| {
        let other = digest_of(b"other");
        files[other] = STANDARD.encode("other").into();
        files["../../x"] = STANDARD.encode("x").into();
    });
    let import = import_text(&json).expect("readable");
    assert_eq!(import.files.keys().collect::<Vec<_>>(), [&digest]);
    assert_eq!(
        import.skipped,
        ["2 attachments that no message names"],
        "{:?}",
        import.skipped
    );
    let (json, _) = changed(|files| *files = json!([1, 2]));
    assert!(import_text(&json).expect("readable").files.is_empty());
}

#[test]
fn markdown_keeps_a_message_with_its_attachment_as_it_is() {
    let conversation = cat(&"0a".repeat(32));
    let markdown = export(std::slice::from_ref(&conversation), Format::Markdown);
    assert!(markdown.contains("![a cat.png](attached:0a0a"));
    assert_eq!(one(import_text(&markdown).expect("readable")), conversation);
}

#[test]
fn plain_text_names_what_is_attached() {
    let text = export(&[cat(&"0a".repeat(32))], Format::Text);
    assert!(text.contains("What is [a cat.png] (PNG 640×480, 88.1 kB)?"));
    assert!(!text.contains("0a0a"), "{text}");
}

#[test]
fn a_page_has_the_picture_itself() {
    let digest = "0a".repeat(32);
    let kept = Kept([(digest.clone(), PNG.to_vec())].into());
    let page = export_with(&[cat(&digest)], Format::Html, &kept).text;
    let picture = format!(
        "What is <img class=\"picture\" src=\"data:image/png;base64,{}\" alt=\"a cat.png\"",
        STANDARD.encode(PNG)
    );
    assert!(page.contains(&picture), "{page}");
    assert!(page.contains("img-src data:"));
    assert!(!page.contains("0a0a"), "{page}");
}

#[test]
fn a_page_only_names_what_is_no_small_picture() {
    let digest = "0a".repeat(32);
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"x\"/>".to_vec();
    let mut large = PNG.to_vec();
    large.resize((4 << 20) + 1, 0);
    let cases = [
        (Kind::Picture, "SVG", svg.clone()),
        // It says that it is something else.
        (Kind::Picture, "PNG", svg),
        (Kind::Picture, "PNG", large),
        (Kind::Picture, "TIFF", PNG.to_vec()),
        (Kind::Sound, "FLAC", PNG.to_vec()),
    ];
    for (kind, format, bytes) in cases {
        let kept = Kept([(digest.clone(), bytes)].into());
        let conversation = with(&attachment("it", kind, format, &digest));
        let page = export_with(&[conversation], Format::Html, &kept).text;
        assert!(!page.contains("<img"), "{format}");
        let line = format!("<span class=\"file\">[it] ({format} 640×480, 88.1 kB)</span>");
        assert!(page.contains(&line), "{page}");
    }
}

#[test]
fn a_hostile_name_or_place_stays_text_in_a_page() {
    let digest = "0a".repeat(32);
    let kept = Kept([(digest.clone(), PNG.to_vec())].into());
    let hostile = attachment(
        "\"><script>alert(1)</script>'.png",
        Kind::Picture,
        "PNG",
        &digest,
    );
    let marker = hostile.marker();
    let text = format!(
        "{marker}\n\n`{marker}`\n\n```\n{marker}\n```\n\n<div title=\"{marker}\">\n\n\
         [a](https://example.org/ \"{marker}\") [b](https://example.org/{marker})\n\n\
         \u{fdd0}0\u{fdd1} \u{fdd0}7\u{fdd1} \u{fdd0}"
    );
    let page = export_with(&[talk([asked(1, None, &text)])], Format::Html, &kept).text;
    assert!(!page.to_ascii_lowercase().contains("<script"), "{page}");
    // One where it stands by itself; elsewhere there is its name.
    assert_eq!(page.matches("<img").count(), 1, "{page}");
    assert!(page.contains("title=\"[&quot;&gt;&lt;script&gt;"), "{page}");
    assert!(!page.contains(['\u{fdd0}', '\u{fdd1}']), "{page}");
}

fn parlor(home: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(program())
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env("XDG_DATA_HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("PARLOR_CONFIG", home.join("config.toml"))
        .env_remove("PARLOR_MODEL")
        .output()
        .expect("a program");
    assert!(output.status.success(), "{output:?}");
    output
}

#[test]
fn an_exported_picture_comes_back_byte_for_byte_on_another_machine() {
    let here = tempfile::tempdir().expect("a folder");
    let there = tempfile::tempdir().expect("a folder");
    let data = here.path().join("parlor");
    let digest = store::Files::at(&data).put(PNG).expect("writable");
    let mut store = Store::open(&data).expect("a store");
    assert!(store.insert(&cat(&digest)).expect("new"));
    drop(store);
    let file = there.path().join("all.json");
    let name = file.to_str().expect("a name");
    let exported = parlor(here.path(), &["conversations", "export", "-o", name]);
    assert!(exported.stderr.is_empty(), "{exported:?}");
    let kept = store::Files::at(&there.path().join("parlor"));
    parlor(
        there.path(),
        &["conversations", "import", "--dry-run", name],
    );
    assert!(!kept.path(&digest).exists());
    parlor(there.path(), &["conversations", "import", name]);
    assert_eq!(std::fs::read(kept.path(&digest)).expect("a file"), PNG);
    // What is not here any more is told, and the rest is there.
    std::fs::remove_file(store::Files::at(&data).path(&digest)).expect("removed");
    let exported = parlor(here.path(), &["conversations", "export", "-o", name]);
    let told = String::from_utf8_lossy(&exported.stderr).into_owned();
    assert!(
        told.contains("left out: “a cat.png”, whose bytes are not here"),
        "{told}"
    );
}
