//! Conversations to files and back, and from what other programs write.

use parlor::chat::{
    About, Answer, Conversation, Made, MessageId, Node, Progress, Said, Sampling, Source, Timings,
    Titled, Tree, Usage,
};
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

mod arbitrary {
    use super::*;

    /// Anything, and what our own Markdown is made of.
    pub fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            3 => any::<String>(),
            1 => "[a-c \\\\\n\r`~#>-]{0,12}",
            1 => prop::sample::select(vec![
                "\n<!-- parlor: user 7 -->\n",
                "\n\\<!-- parlor: end -->\n",
                "<!-- parlor: end -->",
                "<!-- parlor: conversation\nparlor: 1\n-->",
                "---\nparlor: 1\n---\n",
                "\n## You\n\n",
                "\n```\n",
                "```rust",
                "~~~~",
                "</details>",
                "\r\n",
                "\n\n",
                "-->",
                "\u{feff}",
                "\0\u{1b}[31m\u{202e}",
            ])
            .prop_map(str::to_owned),
        ];
        vec(piece, 0..5).prop_map(|pieces| pieces.concat())
    }

    fn progress() -> impl Strategy<Value = Progress> {
        prop_oneof![
            Just(Progress::Done),
            Just(Progress::Stopped),
            Just(Progress::Cut),
            Just(Progress::Interrupted),
            text().prop_map(Progress::Failed),
        ]
    }

    fn made() -> impl Strategy<Value = Made> {
        let sampling = (
            0.0f32..5.0,
            any::<u32>(),
            any::<Option<u32>>(),
            vec(text(), 0..3),
        );
        (text(), any::<Option<u32>>(), text(), sampling).prop_map(
            |(model, seed, system, (temperature, top_k, max_tokens, stop))| Made {
                model,
                seed,
                system,
                sampling: Sampling {
                    temperature,
                    top_k,
                    max_tokens,
                    stop,
                    ..Sampling::default()
                },
            },
        )
    }

    fn answer() -> impl Strategy<Value = Answer> {
        let counts = (any::<u32>(), any::<u32>(), any::<u32>());
        let times = (0.0f64..1e9, 0.0f64..1e6, prop::option::of(made()));
        (text(), text(), progress(), counts, times, text()).prop_map(
            |(text, thinking, progress, counts, (load_ms, generate_tps, made), source)| Answer {
                text,
                thinking,
                progress,
                usage: Usage {
                    prompt_tokens: counts.0,
                    cached_tokens: counts.1,
                    completion_tokens: counts.2,
                },
                timings: Timings {
                    load_ms,
                    generate_tps,
                    ..Timings::default()
                },
                sources: match source.as_str() {
                    "" => Vec::new(),
                    id => vec![Source {
                        id: id.into(),
                        title: "Title".into(),
                    }],
                },
                made,
            },
        )
    }

    fn said() -> impl Strategy<Value = Said> {
        prop_oneof![
            text().prop_map(Said::Question),
            answer().prop_map(Said::Answer),
        ]
    }

    fn about() -> impl Strategy<Value = About> {
        let titled = prop_oneof![
            Just(Titled::Auto),
            Just(Titled::Model),
            Just(Titled::Person)
        ];
        let times = (-4_000_000_000_000i64..4_000_000_000_000, any::<i64>());
        (
            ("[0-9a-z]{1,12}", "[a-z]", text(), titled),
            (text(), text(), vec(text(), 0..4)),
            (any::<bool>(), any::<bool>(), times),
        )
            .prop_map(
                |((id, letter, title, titled), (model, system, tags), flags)| About {
                    id,
                    title: letter + &title,
                    titled,
                    model,
                    system,
                    tags,
                    pinned: flags.0,
                    archived: flags.1,
                    created: flags.2.0,
                    updated: flags.2.1,
                },
            )
    }

    /// Any tree: each message hangs on an earlier one or on none, and some
    /// message is walked to.
    pub fn conversation() -> impl Strategy<Value = Conversation> {
        let message = (said(), any::<prop::sample::Index>(), 1u64..5, any::<i64>());
        let messages = vec(message, 1..9);
        (about(), messages, any::<prop::sample::Index>()).prop_map(|(about, messages, walked)| {
            let mut tree = Tree::default();
            let mut ids: Vec<MessageId> = Vec::new();
            for (said, parent, step, at) in messages {
                let id = tree.last_id() + step;
                // One place more than there are messages: a root.
                let parent = ids.get(parent.index(ids.len() + 1)).copied();
                let mut node = Node::new(id, parent, said);
                node.at = at;
                tree.add(node);
                ids.push(id);
            }
            tree.walk_to(*walked.get(&ids));
            Conversation { about, tree }
        })
    }
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
        assert!(Format::named(name).is_some(), "{name}");
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

const CHATGPT: &str = r#"[{"title":"Rye","create_time":1700000000.25,"update_time":1700000100.5,
"default_model_slug":"gpt-x","conversation_id":"c-1","current_node":"n5","mapping":{
"root":{"id":"root","message":null,"parent":null,"children":["sys"]},
"sys":{"id":"sys","message":{"author":{"role":"system"},"content":{"content_type":"text",
  "parts":["Be brief."]},"create_time":null,"metadata":{}},"parent":"root","children":["n1"]},
"n4":{"id":"n4","message":{"author":{"role":"assistant"},"create_time":1700000050.0,"content":
  {"content_type":"text","parts":["A newer answer"]}},"parent":"n1","children":[]},
"n1":{"id":"n1","message":{"author":{"role":"user"},"create_time":1700000000.5,"content":
  {"content_type":"multimodal_text","parts":[{"content_type":"image_asset_pointer",
  "asset_pointer":"file-service://x"},"What is this?"]}},"parent":"sys","children":["t","n4"]},
"t":{"id":"t","message":{"author":{"role":"assistant"},"content":{"content_type":"thoughts",
  "thoughts":[{"summary":"Looking","content":"It is bread."}]},"create_time":1700000001},
  "parent":"n1","children":["call"]},
"call":{"id":"call","message":{"author":{"role":"assistant"},"recipient":"python","content":
  {"content_type":"code","text":"print()"},"create_time":1700000002},"parent":"t",
  "children":["tool"]},
"tool":{"id":"tool","message":{"author":{"role":"tool","name":"python"},"content":{"content_type":
  "execution_output","text":"1"},"create_time":1700000003},"parent":"call","children":["n3"]},
"n3":{"id":"n3","message":{"author":{"role":"assistant"},"recipient":"all","content":
  {"content_type":"text","parts":["Rye bread."]},"create_time":1700000004,
  "metadata":{"model_slug":"gpt-y"}},"parent":"tool","children":["n5"]},
"n5":{"id":"n5","message":{"author":{"role":"user"},"content":{"content_type":"text",
  "parts":["Thanks"]},"create_time":1700000005},"parent":"n3","children":[]}}}]"#;

#[test]
fn chatgpt_keeps_branches_times_and_the_walked_path() {
    let import = import_text(CHATGPT).expect("readable");
    assert_eq!(import.from.to_string(), "ChatGPT");
    assert_eq!(
        import.skipped,
        ["2 tool messages of “Rye”", "1 picture of “Rye”"]
    );
    let talk = one(import);
    assert_eq!(path(&talk), ["What is this?", "Rye bread.", "Thanks"]);
    // By time, though the file has another order.
    assert_eq!(
        all(&talk),
        ["What is this?", "Rye bread.", "Thanks", "A newer answer"]
    );
    assert_eq!(talk.about.titled, Titled::Person);
    assert_eq!(talk.about.system, "Be brief.");
    assert_eq!(talk.about.model, "gpt-x");
    assert_eq!(talk.about.created, 1_700_000_000_250);
    assert_eq!(talk.about.updated, 1_700_000_100_500);
    assert_eq!(talk.tree.get(1).map(|n| n.at), Some(1_700_000_000_500));
    assert_eq!(talk.tree.get(4).and_then(|n| n.parent), Some(1));
    let Some(Said::Answer(answer)) = talk.tree.get(2).map(|n| &n.said) else {
        panic!("no answer");
    };
    assert_eq!(answer.thinking, "It is bread.");
    assert_eq!(answer.made, None);
    assert_eq!(talk.tree.flaw(), None);
}

#[test]
fn importing_twice_gives_the_same_ids() {
    for sample in [CHATGPT, SHAREGPT, WEBUI] {
        let ids = |text: &str| -> Vec<String> {
            let import = import_text(text).expect("readable");
            import
                .conversations
                .into_iter()
                .map(|c| c.about.id)
                .collect()
        };
        assert_eq!(ids(sample), ids(sample));
        assert!(ids(sample).iter().all(|id| id.len() == 12));
    }
    // The id is theirs, not that of the words.
    let id = |text: &str| one(import_text(text).expect("readable")).about.id;
    assert_eq!(id(CHATGPT), id(&CHATGPT.replace("Thanks", "Thank you")));
    assert_ne!(id(CHATGPT), id(&CHATGPT.replace("c-1", "c-2")));
}

#[test]
fn the_same_conversation_twice_in_a_file_is_taken_once() {
    let inner = &CHATGPT[1..CHATGPT.len() - 1];
    let import = import_text(&format!("[{inner},{inner}]")).expect("readable");
    assert!(
        import
            .skipped
            .contains(&"“Rye”, which is in the file twice".to_owned())
    );
    one(import);
}

#[test]
fn a_circle_of_messages_is_left_out_and_told() {
    let node = |id: &str, parent: &str| {
        format!(
            r#""{id}":{{"message":{{"author":{{"role":"user"}},"content":{{"parts":["{id}"]}}}},
            "parent":"{parent}","children":[]}}"#
        )
    };
    let nodes = [
        node("a", "b"),
        node("b", "a"),
        node("c", "gone"),
        node("d", "d"),
    ]
    .join(",");
    let json = format!(r#"[{{"title":"T","current_node":"a","mapping":{{{nodes}}}}}]"#);
    let import = import_text(&json).expect("readable");
    assert_eq!(
        import.skipped,
        ["3 messages of “T” that answer each other in a circle"]
    );
    // A message whose parent is missing is the first of its own tree.
    assert_eq!(path(&one(import)), ["c"]);
    let json = format!(r#"[{{"title":"T","mapping":{{{}}}}}]"#, node("a", "a"));
    assert!(matches!(import_text(&json), Err(ImportError::Empty)));
}

#[test]
fn a_chain_of_a_hundred_thousand_messages_is_no_trouble() {
    const LENGTH: usize = 100_000;
    let mut nodes = Vec::with_capacity(LENGTH);
    // Every other one is hidden, and all are in the wrong order.
    for at in (0..LENGTH).rev() {
        let role = ["user", "tool"][at % 2];
        let parent = at
            .checked_sub(1)
            .map_or("null".into(), |p| format!("\"{p}\""));
        nodes.push(format!(
            r#""{at}":{{"message":{{"author":{{"role":"{role}"}},"content":{{"parts":["x"]}}}},
            "parent":{parent}}}"#
        ));
    }
    let json = format!(
        r#"[{{"title":"T","id":"i","current_node":"0","mapping":{{{}}}}}]"#,
        nodes.join(",")
    );
    let talk = one(import_text(&json).expect("readable"));
    assert_eq!(talk.tree.path().len(), LENGTH / 2);
    let json = export(&[talk], Format::Json);
    assert_eq!(
        one(import_text(&json).expect("readable")).tree.len(),
        LENGTH / 2
    );
}

#[test]
fn many_things_left_out_are_told_by_their_kind() {
    let talk = |at: usize| {
        format!(
            r#"{{"title":"T{at}","id":"{at}","mapping":{{
            "a":{{"message":{{"author":{{"role":"user"}},"content":{{"parts":["x"]}}}}}},
            "b":{{"message":{{"author":{{"role":"tool"}}}},"parent":"a"}}}}}}"#
        )
    };
    let talks: Vec<String> = (0..30).map(talk).collect();
    let import = import_text(&format!("[{}]", talks.join(","))).expect("readable");
    assert_eq!(import.conversations.len(), 30);
    assert_eq!(import.skipped, ["30 tool messages of 30 conversations"]);
}

#[test]
fn what_a_person_told_of_themselves_is_hidden_and_a_file_alone_is_a_question() {
    let json = r#"{"title":"T","id":"i","mapping":{
        "a":{"message":{"author":{"role":"user"},"content":{"content_type":
          "user_editable_context","user_profile":"I bake"}},"parent":null},
        "b":{"message":{"author":{"role":"user"},"content":{"content_type":"text","parts":[""]},
          "metadata":{"attachments":[{"name":"a.pdf","mime_type":"application/pdf"},
          {"name":"b.png","mime_type":"image/png"}]}},"parent":"a"},
        "c":{"message":{"author":{"role":"assistant"},"content":{"content_type":"text",
          "parts":["A list"]}},"parent":"b"},
        "d":{"message":{"author":{"role":"assistant"},"content":{"content_type":"sonic"}},
          "parent":"c"}}}"#;
    let import = import_text(json).expect("readable");
    assert_eq!(
        import.skipped,
        [
            "1 hidden message of “T”",
            "1 file of “T”",
            "1 part of “T” in an unknown form"
        ]
    );
    assert_eq!(path(&one(import)), ["", "A list"]);
}

#[test]
fn half_a_character_in_an_export_is_no_reason_to_refuse_it() {
    let cut = CHATGPT.replace("Rye bread.", "Rye \\ud83d");
    let talk = one(import_text(&cut).expect("readable"));
    assert_eq!(path(&talk)[1], "Rye \u{fffd}");
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

const SHAREGPT: &str = r#"[{"id":"0","conversations":[{"from":"system","value":"Be kind."},
{"from":"human","value":"Hello there\nfriend"},{"from":"gpt","value":"Hello!"}]},
{"id":"1","conversations":[{"from":"human","value":"Bye"},{"from":"narrator","value":"?"}]}]"#;

#[test]
fn sharegpt_is_read_with_its_system_message() {
    let import = import_text(SHAREGPT).expect("readable");
    assert_eq!(import.from, Origin::ShareGpt);
    assert_eq!(
        import.skipped,
        ["1 message of “conversation 2” by an unknown speaker"]
    );
    let [first, second] = import.conversations.as_slice() else {
        panic!("two conversations");
    };
    assert_eq!(first.about.system, "Be kind.");
    assert_eq!(first.about.title, "Hello there");
    assert_eq!(path(first), ["Hello there\nfriend", "Hello!"]);
    assert_eq!(path(second), ["Bye"]);
}

#[test]
fn lists_of_messages_are_read_in_each_of_their_shapes() {
    let messages = r#"[{"role":"user","content":[{"type":"text","text":"See"},
        {"type":"image_url","image_url":{"url":"data:"}}]},
        {"role":"assistant","content":"Seen","reasoning_content":"Hm"}]"#
        .replace('\n', " ");
    let object = format!(r#"{{"messages":{messages}}}"#);
    let lines = format!("{object}\n\n{}\n", object.replace("See", "Look"));
    for (text, count) in [(&messages, 1), (&object, 1), (&lines, 2)] {
        let import = import_text(text).expect("readable");
        assert_eq!(import.from, Origin::ShareGpt);
        assert_eq!(import.conversations.len(), count, "{text}");
        let talk = &import.conversations[0];
        assert_eq!(path(talk), ["See", "Seen"]);
        let thinks = |n: &Node| matches!(&n.said, Said::Answer(a) if a.thinking == "Hm");
        assert!(talk.tree.nodes().any(thinks));
        assert_eq!(import.skipped[0], "1 picture of “conversation 1”");
    }
}

const WEBUI: &str = r#"[{"conv":{"id":"w-1","name":"Oven","lastModified":1700000009000,
"currNode":"m3"},"messages":[
{"id":"r","convId":"w-1","type":"root","timestamp":1700000000000,"role":"system","content":"",
 "parent":null,"children":["s"]},
{"id":"s","convId":"w-1","type":"system","timestamp":1700000000001,"role":"system",
 "content":"Be warm.","parent":"r","children":["m1"]},
{"id":"m1","convId":"w-1","type":"text","timestamp":1700000001000,"role":"user",
 "content":"How hot?","parent":"s","children":["m2","m3"],
 "extra":[{"type":"imageFile","name":"oven.png","base64Url":"data:"}]},
{"id":"m2","convId":"w-1","type":"text","timestamp":1700000003000,"role":"assistant",
 "content":"250 °C","parent":"m1","children":[],"thinking":"","model":"baker"},
{"id":"m3","convId":"w-1","type":"text","timestamp":1700000002000,"role":"assistant",
 "content":"230 °C","parent":"m1","children":[],"reasoningContent":"Warm…"}]}]"#;

const WEBUI_LINES: &str = r#"{"harness":"x","type":"session","id":"w-1","name":"Oven","currNode":"2"}
{"message":{"id":"1","role":"user","type":"text","content":"How hot?","parent":null,"timestamp":5},"type":"message"}
{"message":{"id":"2","role":"assistant","type":"text","content":"230","parent":"1","timestamp":6,"toolCalls":[{}]},"type":"message"}
{"harness":"x","type":"session","id":"w-2","name":"Other"}
{"message":{"id":"1","role":"user","type":"text","content":"Cold","parent":null,"timestamp":7},"type":"message"}
"#;

#[test]
fn the_web_ui_keeps_its_tree() {
    let import = import_text(WEBUI).expect("readable");
    assert_eq!(import.from.words(), "llama.cpp web UI");
    assert_eq!(import.skipped, ["1 picture of “Oven”"]);
    let talk = one(import);
    assert_eq!(path(&talk), ["How hot?", "230 °C"]);
    assert_eq!(all(&talk), ["How hot?", "230 °C", "250 °C"]);
    assert_eq!(talk.about.system, "Be warm.");
    assert_eq!(talk.about.model, "baker");
    assert_eq!(talk.about.updated, 1_700_000_009_000);
    let Some(Said::Answer(answer)) = talk.tree.get(2).map(|n| &n.said) else {
        panic!("no answer");
    };
    assert_eq!(answer.thinking, "Warm…");
}

#[test]
fn the_web_ui_is_read_line_by_line_too() {
    let import = import_text(WEBUI_LINES).expect("readable");
    assert_eq!(import.from, Origin::WebUi);
    assert_eq!(import.conversations.len(), 2);
    assert_eq!(path(&import.conversations[0]), ["How hot?", "230"]);
    assert_eq!(path(&import.conversations[1]), ["Cold"]);
    // The same conversation, whatever file it comes in.
    let whole = one(import_text(WEBUI).expect("readable"));
    assert_eq!(import.conversations[0].about.id, whole.about.id);
}

fn logs(path: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
             CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT,
               prompt_json TEXT, options_json TEXT, response TEXT, response_json TEXT,
               conversation_id TEXT REFERENCES conversations(id), duration_ms INTEGER,
               datetime_utc TEXT, input_tokens INTEGER, output_tokens INTEGER);
             CREATE TABLE prompt_attachments (response_id TEXT, attachment_id TEXT);
             INSERT INTO conversations VALUES ('k1', 'Names for cheese', 'gpt-x');
             INSERT INTO responses (id, model, prompt, system, response, conversation_id,
               datetime_utc, input_tokens, output_tokens) VALUES
               ('r2', 'gpt-x', 'More', NULL, 'Brie', 'k1', '2023-11-14T22:13:30', 7, 2),
               ('r1', 'gpt-x', 'Names?', 'Be brief', 'Cheddar', 'k1',
                '2023-11-14T22:13:20.500000+00:00', 5, 1),
               ('r3', 'other', 'Alone', NULL, 'Yes', NULL, 'some day', NULL, NULL);
             INSERT INTO prompt_attachments VALUES ('r2', 'a1');",
        )
        .expect("tables");
    connection
}

#[test]
fn the_logs_of_llm_are_read_and_never_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("what's this? 100%.txt");
    drop(logs(&file));
    let before = std::fs::read(&file).expect("readable");
    let import = import(&file).expect("readable");
    assert_eq!(std::fs::read(&file).expect("readable"), before);
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("readable").count(),
        1
    );
    assert_eq!(import.from, Origin::Llm);
    assert_eq!(import.skipped, ["1 file of “Names for cheese”"]);
    let [cheese, alone] = import.conversations.as_slice() else {
        panic!("two conversations");
    };
    assert_eq!(path(alone), ["Alone", "Yes"]);
    assert_eq!(alone.about.model, "other");
    assert_eq!(path(cheese), ["Names?", "Cheddar", "More", "Brie"]);
    assert_eq!(cheese.about.title, "Names for cheese");
    assert_eq!(cheese.about.system, "Be brief");
    assert_eq!(cheese.about.created, 1_700_000_000_500);
    assert_eq!(cheese.about.updated, 1_700_000_010_000);
}

#[test]
fn the_logs_of_llm_are_read_while_llm_has_them_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("logs.db");
    let connection = logs(&file);
    connection
        .pragma_update(None, "journal_mode", "wal")
        .expect("a log of changes");
    connection
        .execute(
            "UPDATE responses SET response = 'Gouda' WHERE id = 'r2'",
            [],
        )
        .expect("a change");
    let import = import(&file).expect("readable");
    let talk = import
        .conversations
        .iter()
        .find(|c| c.about.model == "gpt-x");
    assert_eq!(talk.map(path).unwrap_or_default().last(), Some(&"Gouda"));
}

#[test]
fn another_database_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("logs.db");
    let connection = rusqlite::Connection::open(&file).expect("a database");
    connection
        .execute_batch("CREATE TABLE a (b)")
        .expect("a table");
    drop(connection);
    let error = import(&file).expect_err("not llm's");
    assert!(matches!(error, ImportError::Foreign), "{error}");
    // Damage beyond the beginning is an error as well, and no panic.
    let mut bytes = std::fs::read(&file).expect("readable");
    bytes[100..].fill(0xff);
    std::fs::write(&file, bytes).expect("writable");
    assert!(matches!(import(&file), Err(ImportError::Database(_))));
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
