//! Conversations to files and back, and from what other programs write.

mod arbitrary;
mod attached;
mod foreign;

use foreign::{CHATGPT, SHAREGPT, WEBUI, WEBUI_LINES};
use parlor::chat::{About, Answer, Conversation, Made, MessageId, Node, Progress, Said, Tree};
use parlor::exchange::{Format, Import, ImportError, Origin, export, import, import_text};
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::Path;

fn asked(id: MessageId, parent: Option<MessageId>, text: &str) -> Node {
    Node::new(id, parent, Said::Question(text.into()))
}

fn answered(id: MessageId, parent: Option<MessageId>, text: &str) -> Node {
    let answer = Answer {
        text: text.into(),
        ..Answer::default()
    };
    Node::new(id, parent, Said::Answer(answer))
}

fn talk(nodes: impl IntoIterator<Item = Node>) -> Conversation {
    let mut tree = Tree::default();
    for node in nodes {
        tree.add(node);
    }
    Conversation {
        about: About {
            id: "k3v9".into(),
            title: "Bread".into(),
            ..About::default()
        },
        tree,
    }
}

fn one(import: Import) -> Conversation {
    assert_eq!(import.conversations.len(), 1, "{:?}", import.skipped);
    import.conversations.into_iter().next().expect("one")
}

/// The words of the walked path.
fn path(conversation: &Conversation) -> Vec<&str> {
    let path = conversation.tree.path();
    path.iter()
        .filter_map(|id| conversation.tree.get(*id))
        .map(|n| n.said.text())
        .collect()
}

fn all(conversation: &Conversation) -> Vec<&str> {
    conversation.tree.nodes().map(|n| n.said.text()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_conversation_comes_back_from_json_as_it_was(conversation in arbitrary::conversation()) {
        let json = export(std::slice::from_ref(&conversation), Format::Json);
        let back = import_text(&json).expect("our own JSON");
        prop_assert_eq!(back.from, Origin::Parlor);
        prop_assert!(back.skipped.is_empty());
        prop_assert_eq!(back.conversations, vec![conversation]);
    }

    #[test]
    fn any_walked_path_comes_back_from_markdown_as_it_was(
        first in arbitrary::conversation(),
        mut second in arbitrary::conversation(),
    ) {
        second.about.id = first.about.id.clone() + "x";
        let both = [first, second];
        let markdown = export(&both, Format::Markdown);
        let back = import_text(&markdown).expect("our own Markdown");
        prop_assert_eq!(back.from, Origin::ParlorMarkdown);
        prop_assert!(back.skipped.is_empty(), "{:?}", back.skipped);
        prop_assert_eq!(back.conversations.len(), 2);
        for (was, is) in both.iter().zip(&back.conversations) {
            let leaf = was.tree.leaf().expect("a message");
            prop_assert_eq!(&is.about, &was.about);
            prop_assert_eq!(&is.tree, &was.tree.path_as_tree(leaf));
        }
    }

    #[test]
    fn a_page_never_has_a_tag_that_a_message_wrote(conversation in arbitrary::conversation()) {
        let page = export(&[conversation], Format::Html);
        prop_assert!(!page.to_ascii_lowercase().contains("<script"));
        prop_assert!(!page.contains("<!-- "));
    }

    #[test]
    fn no_damaged_file_makes_an_import_panic(
        sample in prop::sample::select(samples()),
        damage in vec((any::<prop::sample::Index>(), any::<u8>(), 0usize..40), 1..6),
    ) {
        let mut bytes = sample.into_bytes();
        for (at, byte, cut) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match cut {
                0..20 => bytes[at] = byte,
                20..30 => bytes.insert(at, byte),
                _ => drop(bytes.drain(at..(at + cut).min(bytes.len()))),
            }
        }
        if let Ok(import) = import_text(&String::from_utf8_lossy(&bytes)) {
            for conversation in &import.conversations {
                prop_assert_eq!(conversation.tree.flaw(), None);
                prop_assert!(!conversation.about.id.is_empty());
            }
        }
    }
}

fn samples() -> Vec<String> {
    let mut tree = vec![asked(1, None, "a\n```\nb"), answered(2, Some(1), "c")];
    tree.push(answered(3, Some(1), "d <!-- parlor: x"));
    let ours = [talk(tree)];
    vec![
        export(&ours, Format::Json),
        export(&ours, Format::Markdown),
        CHATGPT.into(),
        SHAREGPT.into(),
        WEBUI.into(),
        WEBUI_LINES.into(),
    ]
}

#[test]
fn formats_are_found_by_name_and_by_ending() {
    for name in Format::NAMES {
        let format = Format::named(name).expect(name);
        assert_eq!(Format::named(format.ending()), Some(format));
    }
    assert_eq!(Format::named("Markdown"), Some(Format::Markdown));
    assert_eq!(Format::named("pdf"), None);
    assert_eq!(Format::of_path(Path::new("a/b.MD")), Some(Format::Markdown));
    assert_eq!(Format::of_path(Path::new("b.htm")), Some(Format::Html));
    assert_eq!(Format::of_path(Path::new("json")), None);
}

#[test]
fn a_newer_form_is_refused_with_what_to_do() {
    let json = r#"{"parlor": 2, "conversations": "something new"}"#;
    let error = import_text(json).expect_err("newer");
    assert!(matches!(error, ImportError::Newer { found: 2, known: 1 }));
    assert!(error.to_string().contains("install a newer Parlor"));
    let markdown = "---\nparlor: 2\nid: \"a\"\n---\n";
    assert!(matches!(
        import_text(markdown),
        Err(ImportError::Newer { .. })
    ));
}

#[test]
fn a_number_that_no_next_one_can_follow_is_refused() {
    let json = r#"{"parlor":1,"conversations":[{"title":"A","messages":[
        {"id":18446744073709551615,"role":"user","text":"x"}]}]}"#;
    assert!(matches!(import_text(json), Err(ImportError::Number { .. })));
}

#[test]
fn our_own_json_without_an_id_gets_the_same_one_each_time() {
    let json = r#"{"conversations":[{"messages":[{"id":1,"role":"user","text":"Hello\nyou"}]}],
        "parlor":1}"#;
    let first = one(import_text(json).expect("readable"));
    let second = one(import_text(json).expect("readable"));
    assert_eq!(first.about.title, "Hello");
    assert_eq!(first.about.id.len(), 12);
    assert_eq!(first.about.id, second.about.id);
}

#[test]
fn an_id_that_could_be_a_path_does_not_stay() {
    let json = r#"{"parlor":1,"conversations":[{"id":"../../x","messages":[
        {"id":1,"role":"user","text":"x"}]}]}"#;
    let conversation = one(import_text(json).expect("readable"));
    assert!(
        conversation
            .about
            .id
            .chars()
            .all(|c| c.is_ascii_alphanumeric())
    );
}

#[test]
fn markdown_reads_well_and_closes_a_fence_that_is_open() {
    let mut conversation = talk([
        asked(1, None, "How?"),
        answered(2, Some(1), "Like this:\n```sh\nbake"),
        asked(3, Some(2), "Thanks"),
    ]);
    conversation.about.model = "models/Baker-3B.gguf".into();
    conversation.about.created = 1_700_000_000_000;
    let markdown = export(&[conversation.clone()], Format::Markdown);
    let expected = "---
parlor: 1
id: \"k3v9\"
title: \"Bread\"
model: \"models/Baker-3B.gguf\"
created: \"2023-11-14T22:13:20Z\"
---

# Bread

<!-- parlor: user 1 -->
## You

How?

<!-- parlor: assistant 2 -->
## Baker-3B

Like this:
```sh
bake

<!-- parlor: close -->
```

<!-- parlor: user 3 -->
## You

Thanks

<!-- parlor: end -->
";
    assert_eq!(markdown, expected);
    // An editor for another system changes every line end.
    let converted = markdown.replace('\n', "\r\n");
    assert_eq!(
        one(import_text(&converted).expect("readable")),
        conversation
    );
}

#[test]
fn markdown_that_a_person_edited_is_read_where_it_can_be() {
    let text = "---\nparlor: 1\ntitle: My bread\n---\n\n<!-- parlor: user 1 -->\n## You\n\nHow?";
    let import = import_text(text).expect("readable");
    assert_eq!(
        import.skipped,
        ["the end of “My bread”, which is missing in the file"]
    );
    assert_eq!(path(&one(import)), ["How?"]);
    let text = "---\nparlor: 1\n---\n\n<!-- parlor: user one -->\n## You\n\nHow?";
    let error = import_text(text).expect_err("no number");
    assert!(
        error.to_string().starts_with("line 5: “one” is no number"),
        "{error}"
    );
}

#[test]
fn hostile_messages_are_inert_in_a_page() {
    let hostile = "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> in a line\n\n\
        [a](javascript:alert(1)) <javascript:alert(2)> [b](JaVaScRiPt:alert(3)) \
        [c](data:text/html,<script>x</script>) [d]( vbscript:x) [e][r]\n\n\
        ![p](https://example.org/pixel.png)\n\n<https://example.org/> <me@example.org>\n\n\
        `<b>`\n\n```\"><script>\n</code><script>\n```\n\n\
        [q](https://example.org/\"onmouseover=x \"t\\\"><script>\")\n\n[r]: javascript:alert(4)\n\
        \n</details></div><style>*{}</style>\n\n|<i>|\n|-|\n|<script>|\n\n\u{202e}\u{1b}[31m";
    let mut answer = Answer {
        text: hostile.into(),
        thinking: hostile.into(),
        progress: Progress::Failed(hostile.into()),
        ..Answer::default()
    };
    answer.made = Some(Made {
        model: "<script>m".into(),
        ..Made::default()
    });
    let mut conversation = talk([asked(1, None, hostile)]);
    conversation
        .tree
        .add(Node::new(2, Some(1), Said::Answer(answer)));
    conversation.about.title = "</title><script>alert(0)</script>".into();
    conversation.about.system = hostile.into();
    let page = export(&[conversation], Format::Html);
    let low = page.to_ascii_lowercase();
    for tag in [
        "<script", "<img", "<i>", "<b>", "<iframe", "<link", "<object",
    ] {
        assert!(!low.contains(tag), "{tag}\n{page}");
    }
    assert_eq!(low.matches("<style>").count(), 1);
    assert_eq!(low.matches("</title>").count(), 1);
    assert_eq!(
        low.matches("<details").count(),
        low.matches("</details>").count()
    );
    let allowed = [
        "href=\"https://example.org/",
        "href=\"mailto:me@example.org\"",
    ];
    for (at, _) in low.match_indices("href=") {
        let good = allowed.iter().any(|start| low[at..].starts_with(start));
        assert!(good, "{}", &low[at..(at + 40).min(low.len())]);
    }
    assert!(!page.contains(['\u{202e}', '\u{1b}']));
    assert!(page.contains("href=\"https://example.org/\""));
    assert!(page.contains("href=\"mailto:me@example.org\""));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("[picture https://example.org/pixel.png p]"));
}

#[test]
fn a_page_draws_markdown_and_keeps_a_persons_line_ends() {
    let page = export(
        &[talk([
            asked(1, None, "one\ntwo"),
            answered(2, Some(1), "**three**\nfour"),
        ])],
        Format::Html,
    );
    assert!(page.contains("one<br />\ntwo"));
    assert!(page.contains("<strong>three</strong>\nfour"));
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("<title>Bread</title>"));
    assert!(!page.contains("<details"));
}

#[test]
fn plain_text_has_turns_and_nothing_that_commands_a_terminal() {
    let mut conversation = talk([
        asked(1, None, "How?\u{1b}[31m"),
        answered(2, Some(1), "So."),
    ]);
    let stopped = Answer {
        text: "Or".into(),
        progress: Progress::Stopped,
        ..Answer::default()
    };
    conversation
        .tree
        .add(Node::new(3, Some(1), Said::Answer(stopped)));
    let text = export(&[conversation], Format::Text);
    assert_eq!(text, "Bread\n\nYou:\nHow?␛[31m\n\nModel:\nOr\n(stopped)\n");
}

#[test]
fn several_files_of_ours_in_one_are_read() {
    let mut other = talk([asked(1, None, "Else")]);
    let first = export(&[talk([asked(1, None, "First")])], Format::Json);
    other.about.id = "z9".into();
    let both = first + &export(&[other], Format::Json);
    let import = import_text(&both).expect("readable");
    assert_eq!(import.from, Origin::Parlor);
    assert_eq!(import.conversations.len(), 2);
    assert!(matches!(
        import_text(&(both + "x")),
        Err(ImportError::Json(_))
    ));
}

#[test]
fn a_file_is_known_by_what_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).expect("writable");
        import(&file)
    };
    assert_eq!(
        put("a.txt", CHATGPT.as_bytes()).expect("readable").from,
        Origin::ChatGpt
    );
    let with_mark = format!("\u{feff}{SHAREGPT}");
    assert_eq!(
        put("a.db", with_mark.as_bytes()).expect("readable").from,
        Origin::ShareGpt
    );
    assert!(matches!(
        put("a.json", b"PK\x03\x04...."),
        Err(ImportError::Packed)
    ));
    assert!(matches!(
        put("a.md", b"\xff\xfe\x00"),
        Err(ImportError::NotText)
    ));
    assert!(matches!(
        put("a.md", b"# Notes\n"),
        Err(ImportError::Unknown)
    ));
    assert!(matches!(put("a.json", b""), Err(ImportError::Unknown)));
    assert!(matches!(
        put("a.json", b"{\"a\": 1}"),
        Err(ImportError::Unknown)
    ));
    assert!(matches!(
        put("a.json", b"[{\"a\": 1},"),
        Err(ImportError::Json(_))
    ));
    assert!(matches!(
        import(folder.path()),
        Err(ImportError::Read { .. })
    ));
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.json");
    let file = std::fs::File::create(&path).expect("a file");
    // A hole: it takes no room.
    file.set_len((1 << 30) + 1).expect("a hole");
    let error = import(&path).expect_err("too large");
    assert!(
        error.to_string().contains("larger than 1 GiB; split it"),
        "{error}"
    );
}
