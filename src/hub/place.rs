//! Where files go: names from the network never lead out of the folder.

use super::HubError;
use std::path::{Component, Path, PathBuf};

/// Bytes of a name; file systems allow 255, and endings are added.
const LONGEST: usize = 200;

/// Names that are devices on Windows, with any ending.
const DEVICES: &[&str] = &[
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8",
    "COM9", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

/// `<folder>/<owner>/<repo>/<path>`, or `<folder>/<name>` for a file from
/// elsewhere. Folders inside a repository stay folders.
pub(super) fn place(folder: &Path, repo: Option<&str>, path: &str) -> Result<PathBuf, HubError> {
    let mut place = folder.to_owned();
    for name in repo
        .iter()
        .flat_map(|r| r.split('/'))
        .chain(path.split('/'))
    {
        place.push(safe(name).ok_or_else(|| HubError::Name(path.to_owned()))?);
    }
    let inside = place.strip_prefix(folder).is_ok_and(|rest| {
        let mut parts = rest.components();
        rest.components().count() > 0 && parts.all(|c| matches!(c, Component::Normal(_)))
    });
    match inside {
        true => Ok(place),
        false => Err(HubError::Name(path.to_owned())),
    }
}

/// The name as every file system takes it; `None` where nothing is left.
fn safe(name: &str) -> Option<String> {
    let strange = |c: char| c.is_control() || r#"/\<>:"|?*"#.contains(c) || is_turning(c);
    let name: String = name
        .chars()
        .map(|c| if strange(c) { '_' } else { c })
        .collect();
    let name = name
        .trim_start_matches(['.', ' '])
        .trim_end_matches(['.', ' ']);
    let name = shortened(name);
    let stem = name.split('.').next().unwrap_or_default().to_uppercase();
    let name = match DEVICES.contains(&stem.as_str()) {
        true => format!("_{name}"),
        false => name,
    };
    (!name.is_empty()).then_some(name)
}

/// Marks that make text run the other way hide what a name ends in.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Cut before the ending, so that a model stays a `.gguf`.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= 8 => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let room = LONGEST - ending.len();
    let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= room;
    let kept: String = stem
        .char_indices()
        .take_while(fits)
        .map(|(_, c)| c)
        .collect();
    kept + &ending
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_name_leads_out_of_the_folder(path in "(\\PC|[./\\\\:\u{0}\u{202e}]){0,300}") {
            let folder = Path::new("/models");
            if let Ok(place) = place(folder, Some("owner/repo"), &path) {
                let rest = place.strip_prefix("/models/owner/repo").unwrap();
                prop_assert!(rest.components().all(|c| matches!(c, Component::Normal(_))));
                for name in rest.iter() {
                    let name = name.to_str().unwrap();
                    prop_assert!(name.len() <= LONGEST + 1 && !name.starts_with('.'));
                    let strange = name.contains(['\\', ':', '\u{0}', '\u{202e}']);
                    prop_assert!(!strange);
                }
            }
        }
    }

    #[test]
    fn a_name_keeps_what_every_file_system_takes() {
        let name = |n: &str| safe(n);
        assert_eq!(name("a b-Q4_K_M.gguf").as_deref(), Some("a b-Q4_K_M.gguf"));
        assert_eq!(name(".."), None);
        assert_eq!(name(".hidden.gguf").as_deref(), Some("hidden.gguf"));
        assert_eq!(name("nul.gguf").as_deref(), Some("_nul.gguf"));
        assert_eq!(name("a:b?.gguf").as_deref(), Some("a_b_.gguf"));
        let long = name(&format!("{}.gguf", "ü".repeat(200))).unwrap();
        assert!(long.len() <= LONGEST && long.ends_with("ü.gguf"));
    }
}
