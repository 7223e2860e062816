//! `parlor help`: the program's own help in the shell.

use super::args::Help;
use super::{Fail, output, setup};
use crate::app::Keymap;
use crate::help::{Find, Found, Trust, english};
use serde_json::json;

/// Passages that are printed for a question.
const SHOWN: usize = 3;

pub fn run(help: &Help) -> Result<(), Fail> {
    // Help is wanted most where the configuration is broken.
    let keymap = setup::config()
        .and_then(|config| setup::keymap(&config))
        .unwrap_or_default();
    let question = help.question.join(" ");
    if help.all {
        return output::print(&whole(&keymap));
    }
    if question.trim().is_empty() && !help.json {
        return output::print(&contents());
    }
    let found = Find::english().find(&question);
    match help.json {
        true => output::print_json(&object(&found, &keymap)),
        false => output::print(&answer(&found, &keymap)),
    }
}

/// The titles, by area.
fn contents() -> String {
    let mut text = String::from(
        "`parlor help QUESTION` answers in a few words, for instance: parlor help change the keys\n`parlor COMMAND --help` tells about one command; `parlor help --all` prints everything.\n",
    );
    let mut area = "";
    for passage in english() {
        if passage.area != area {
            area = &passage.area;
            text += &format!("\n{area}\n");
        }
        text += &format!("  {}\n", passage.title);
    }
    text
}

fn answer(found: &Found, keymap: &Keymap) -> String {
    let find = Find::english();
    let mut text = String::new();
    let shown = match found.trust {
        Trust::Clear => 1,
        Trust::Unsure => SHOWN,
        Trust::Nothing => {
            text += "Nothing in the help fits this well. The nearest:\n\n";
            SHOWN
        }
    };
    for passage in found.best.iter().take(shown).map(|hit| find.passage(*hit)) {
        text += &format!("{}\n\n{}\n\n", passage.title, passage.text(keymap));
    }
    let others = found.best.iter().skip(shown).take(SHOWN);
    let mut see: Vec<&str> = others
        .map(|hit| find.passage(*hit).title.as_str())
        .collect();
    if let (Trust::Clear, Some(best)) = (found.trust, found.best.first()) {
        see = find.titles(&find.passage(*best).see);
    }
    text + &format!("See also: {}\n", see.join("; "))
}

/// The whole help as one page: what `docs/help.md` holds.
pub fn whole(keymap: &Keymap) -> String {
    let mut text = String::from(
        "# Parlor's help\n\nThe same passages answer `/help QUESTION` in the chat and `parlor help QUESTION` in the\nshell. This page is printed by `parlor help --all`.\n",
    );
    let mut area = "";
    for passage in english() {
        if passage.area != area {
            area = &passage.area;
            text += &format!("\n## {area}\n");
        }
        text += &format!("\n### {}\n\n{}\n", passage.title, passage.text(keymap));
    }
    text
}

fn object(found: &Found, keymap: &Keymap) -> serde_json::Value {
    let find = Find::english();
    let trust = match found.trust {
        Trust::Clear => "clear",
        Trust::Unsure => "unsure",
        Trust::Nothing => "nothing",
    };
    let passages: Vec<_> = found
        .best
        .iter()
        .map(|hit| {
            let passage = find.passage(*hit);
            json!({
                "id": passage.id,
                "title": passage.title,
                "text": passage.text(keymap),
                "score": (f64::from(hit.score) * 1000.0).round() / 1000.0,
            })
        })
        .collect();
    json!({"trust": trust, "elsewhere": found.elsewhere, "passages": passages})
}
