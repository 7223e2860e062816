//! What other programs write.

use super::{all, one, path};
use parlor::chat::{Node, Said, Titled};
use parlor::exchange::{Format, ImportError, Origin, export, import, import_text};
use std::path::Path;

pub const CHATGPT: &str = r#"[{"title":"Rye","create_time":1700000000.25,"update_time":1700000100.5,
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

pub const SHAREGPT: &str = r#"[{"id":"0","conversations":[{"from":"system","value":"Be kind."},
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

pub const WEBUI: &str = r#"[{"conv":{"id":"w-1","name":"Oven","lastModified":1700000009000,
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

pub const WEBUI_LINES: &str = r#"{"harness":"x","type":"session","id":"w-1","name":"Oven","currNode":"2"}
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
