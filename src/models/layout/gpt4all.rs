//! GPT4All's models: files in one folder, that its settings may name.
//!
//! From <https://github.com/nomic-ai/gpt4all>, `gpt4all-chat`: the folder is
//! Qt's `AppLocalDataLocation` for `nomic.ai/GPT4All` (`mysettings.cpp`,
//! `main.cpp`), or `modelPath` of `GPT4All.ini`; it is looked through with
//! folders inside, and `incomplete-` begins the name of a file that is being
//! fetched (`modellist.cpp`). Where the settings are: `qa_checklist.md`.

use crate::models::candidate::Candidate;
use crate::models::{gather, walk};
use crate::protocol::library::Source;
use std::path::{Path, PathBuf};

pub(in crate::models) fn find(root: &Path) -> Vec<Candidate> {
    let groups = gather::groups(walk::files(root, walk::DEPTH)).into_iter();
    let models = groups.map(|group| {
        let name = group.base.clone();
        group.candidate(&name, Source::Gpt4All, root, None)
    });
    models.collect()
}

/// The folder that the settings name.
pub(in crate::models) fn set(ini: &Path) -> Option<PathBuf> {
    let text = walk::text(ini)?;
    // `modelPaths` is the key of versions before 2.4.11.
    let value = |key: &str| {
        let mut lines = text.lines();
        lines.find_map(|l| l.trim().strip_prefix(key)?.strip_prefix('='))
    };
    let path = PathBuf::from(unescape(
        value("modelPath").or_else(|| value("modelPaths"))?,
    ));
    path.is_absolute().then_some(path)
}

/// Undoes how Qt writes a value to an INI file: quotes around it, backslashes
/// before special characters, `\x` and hexadecimal digits for the rest
/// (<https://doc.qt.io/qt-6/qsettings.html#Format-enum>).
fn unescape(value: &str) -> String {
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let mut text = String::new();
    let mut rest = inner.unwrap_or(value).chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('x') => {
                let mut code = 0u32;
                while let Some(digit) = rest.peek().and_then(|c| c.to_digit(16)) {
                    code = code.wrapping_mul(16).wrapping_add(digit);
                    rest.next();
                }
                text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            Some(c) => text.push(c),
            None => {}
        }
    }
    text
}
