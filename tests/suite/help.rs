//! The program's own help: nothing is left out, and questions find it.

use crate::support::engine::program;
use crate::support::harness::Harness;
use parlor::app::Keymap;
use parlor::app::action::ACTIONS;
use parlor::chat::sampling::SETTINGS;
use parlor::help::{Cover, Find, Names, Trust, english, parse};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn covered(cover: &Cover) -> bool {
    english().iter().any(|p| p.covers.contains(cover))
}

#[test]
fn every_action_setting_command_and_config_name_has_a_passage() {
    for entry in ACTIONS {
        assert!(covered(&Cover::Action(entry.name.into())), "{}", entry.name);
    }
    for setting in SETTINGS {
        assert!(
            covered(&Cover::Setting(setting.name.into())),
            "{}",
            setting.name
        );
    }
    for command in parlor::cli::command().get_subcommands() {
        let name = command.get_name().to_string();
        assert!(covered(&Cover::Command(name.clone())), "parlor {name}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = fs::read_to_string(root.join("assets/config.toml")).unwrap();
    let mut table = String::new();
    for line in config.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']').to_string();
        } else if let Some((name, _)) = line.trim_start_matches("# ").split_once(" = ") {
            let cover = match table.as_str() {
                "" => Cover::Config(name.into()),
                "sampling" => Cover::Setting(name.into()),
                "keys" => Cover::Config("keys".into()),
                table => Cover::Config(format!("{table}.{name}")),
            };
            assert!(covered(&cover), "{cover:?}");
        }
    }
}

#[test]
fn passages_cover_only_what_there_is() {
    for cover in english().iter().flat_map(|p| &p.covers) {
        let there = match cover {
            Cover::Action(name) => ACTIONS.iter().any(|e| e.name == name),
            Cover::Setting(name) => name == "stop" || SETTINGS.iter().any(|s| s.name == name),
            Cover::Command(name) => parlor::cli::command().find_subcommand(name).is_some(),
            Cover::Config(_) => true,
        };
        assert!(there, "{cover:?}");
    }
}

#[test]
fn passages_name_only_keys_of_actions_that_there_are() {
    struct Known;
    impl Names for Known {
        fn keys(&self, action: &str) -> Vec<String> {
            assert!(ACTIONS.iter().any(|e| e.name == action), "{action}");
            Keymap::default().keys(action)
        }
    }
    for passage in english() {
        let text = passage.text(&Known);
        assert!(!text.contains("no key is bound"), "{text}");
        assert!(!text.contains('{'), "{text}");
    }
}

#[test]
fn the_help_names_keys_as_they_are_bound_now() {
    let mut keymap = Keymap::default();
    keymap.bind(parlor::app::Action::Retry, &["ctrl-r".parse().unwrap()]);
    let find = Find::english();
    let found = find.find("have it answer my last message again");
    assert_eq!(find.passage(found.best[0]).id, "retry");
    let text = find.passage(found.best[0]).text(&keymap);
    assert!(text.starts_with("Ctrl+R or `/retry`"), "{text}");
}

#[test]
fn questions_in_ones_own_words_find_their_passage() {
    for (question, id) in [
        ("it keeps saying the same thing over and over", "repeats"),
        ("can i have it forget everything and begin anew", "clear"),
        ("does anything i type get sent to the internet", "privacy"),
        ("which key stopps an anwser", "stop"),
        ("top-p", "top-p"),
        ("what is the repeat penalty?", "repeat-penalty"),
    ] {
        let found = Find::english().find(question);
        assert_eq!(Find::english().passage(found.best[0]).id, id, "{question}");
        assert_ne!(found.trust, Trust::Nothing, "{question}");
    }
}

#[test]
fn what_the_help_does_not_answer_is_told_apart() {
    for question in [
        "what is the capital of france",
        "12 * 7",
        "hello there",
        "thank you so much",
        "write a poem about autumn leaves",
        "日本の首都は?",
        "",
        "?!",
    ] {
        assert_eq!(
            Find::english().find(question).trust,
            Trust::Nothing,
            "{question}"
        );
    }
}

#[test]
fn passages_in_another_language_are_found_in_it() {
    let passages = parse(
        "# Tasten\n\n## Abbrechen\n<!-- id: stop -->\nEsc bricht die Antwort ab.\n\n\
         ## Kopieren\n<!-- id: copy -->\nAlt+C kopiert die letzte Antwort.\n\n\
         ## Größe des Kontexts\n<!-- id: context -->\nDer Kontext fasst so viele Token.\n",
    )
    .unwrap();
    let questions = "stop\twie halte ich das an\ncopy\twie kann ich den text übernehmen\n";
    let find = Find::new(
        passages,
        questions,
        "",
        &[vec!["wie ist das wetter", "guten tag"]],
    );
    for (question, id) in [
        ("wie breche ich eine Antwort ab?", "stop"),
        ("Antwort in die Zwischenablage kopieren", "copy"),
        ("wie groß ist der kontext", "context"),
    ] {
        assert_eq!(
            find.passage(find.find(question).best[0]).id,
            id,
            "{question}"
        );
    }
}

#[test]
fn the_help_popup_answers_what_is_typed_into_it() {
    let mut chat = Harness::new(80, 24);
    chat.press("f1").sees("send the message");
    chat.write("how do i undo typing")
        .sees("❯ how do i undo typing")
        .sees("Undo and redo while writing")
        .sees("Ctrl+/ undoes the last change")
        .sees_not("send the message");
    chat.press("ctrl-u").sees("send the message").press("esc");
    chat.send("/help what is a token")
        .sees("A token is a piece of text");
    chat.press("esc").sees_not("A token is a piece of text");
    assert_eq!(chat.effects, []);
}

fn parlor(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program())
        .args(arguments)
        .env("HOME", home.path())
        .env("PARLOR_CONFIG", home.path().join("config.toml"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_in_the_shell_answers_a_question_and_lists_what_there_is() {
    let text = parlor(&["help", "where", "is", "the", "config", "file"]);
    assert!(
        text.starts_with("The config file\n\n`parlor config path` tells"),
        "{text}"
    );
    let text = parlor(&["help", "what is the capital of france"]);
    assert!(
        text.starts_with("Nothing in the help fits this well."),
        "{text}"
    );
    let text = parlor(&["help"]);
    for passage in english() {
        assert!(text.contains(&passage.title), "{}", passage.title);
    }
    let found: serde_json::Value =
        serde_json::from_str(&parlor(&["help", "--json", "seed"])).unwrap();
    assert_eq!(found["passages"][0]["id"], "seed");
    assert_eq!(found["trust"], "clear");
}

#[test]
fn the_manual_page_holds_the_help() {
    let page = parlor(&["man"]);
    for passage in english() {
        assert!(
            page.contains(&passage.title.replace('"', "\\(dq")),
            "{}",
            passage.title
        );
    }
}

/// `UPDATE=1 ./dev test` writes it anew.
#[test]
fn the_page_in_docs_is_the_help() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/help.md");
    let text = parlor(&["help", "--all"]);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "docs/help.md differs from `parlor help --all`; UPDATE=1 ./dev test writes it"
    );
}
