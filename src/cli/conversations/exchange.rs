//! `parlor conversations export` and `import`.

use super::{find, folder, open, reading};
use crate::chat::Conversation;
use crate::chat::text::sanitise;
use crate::cli::{Fail, output};
use crate::exchange::{self, Format, Import};
use crate::protocol::store::Shelf;
use crate::store::Files;
use serde_json::json;
use std::path::Path;

/// The attachments of this person, for an export.
struct Kept(Files);

impl exchange::Files for Kept {
    fn size(&self, digest: &str) -> Option<u64> {
        let about = std::fs::metadata(self.0.path(digest)).ok()?;
        about.is_file().then_some(about.len())
    }

    fn read(&self, digest: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.path(digest)).ok()
    }
}

pub(super) fn export(
    names: &[String],
    format: Option<&str>,
    to: Option<&Path>,
) -> Result<(), Fail> {
    let format = match (format, to) {
        (Some(name), _) => Format::named(name).ok_or_else(|| {
            Fail::Usage(format!(
                "there is no format {name}; there are {}",
                Format::NAMES.join(", ")
            ))
        })?,
        (None, Some(path)) => Format::of_path(path).unwrap_or(Format::Markdown),
        (None, None) => Format::Markdown,
    };
    let store = reading()?.ok_or_else(|| Fail::failed("nothing was saved yet"))?;
    let ids: Vec<String> = match names {
        [] => {
            let mut all = store.list(Shelf::Active).map_err(Fail::failed)?;
            all.extend(store.list(Shelf::Archived).map_err(Fail::failed)?);
            all.into_iter().map(|s| s.about.id).collect()
        }
        names => names
            .iter()
            .map(|name| find(&store, name))
            .collect::<Result<_, _>>()?,
    };
    let conversations: Vec<Conversation> = ids
        .iter()
        .map(|id| store.conversation(id))
        .collect::<Result<_, _>>()
        .map_err(Fail::failed)?;
    let files = Kept(Files::at(&folder()?));
    let export = exchange::export_with(&conversations, format, &files);
    for left_out in &export.left_out {
        eprintln!("parlor: left out: {}", sanitise(left_out));
    }
    match to {
        None => output::print(&export.text),
        Some(path) => write(path, &export.text),
    }
}

/// Writes beside the file and renames: an older export is never half lost.
fn write(path: &Path, text: &str) -> Result<(), Fail> {
    let beside = path.with_extension("part");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|e| {
            let _ = std::fs::remove_file(&beside);
            Fail::Failed(format!("cannot write {}: {e}", path.display()))
        })
}

/// What is attached is there before the messages that name it.
fn keep_files(import: &Import) -> Result<(), Fail> {
    let files = Files::at(&folder()?);
    for (digest, bytes) in &import.files {
        files.put(bytes).map_err(|error| {
            let path = files.path(digest);
            Fail::Failed(format!("cannot write {}: {error}", path.display()))
        })?;
    }
    Ok(())
}

pub(super) fn import(file: &Path, dry_run: bool, json: bool) -> Result<(), Fail> {
    let import = exchange::import(file).map_err(Fail::failed)?;
    // A dry run makes nothing, not even an empty store.
    let mut store = if dry_run { None } else { Some(open()?) };
    let there = match &store {
        Some(_) => None,
        None => reading()?,
    };
    if !dry_run {
        keep_files(&import)?;
    }
    let (mut new, mut known) = (0, 0);
    let mut titles = Vec::new();
    for conversation in &import.conversations {
        let about = &conversation.about;
        let fresh = match &mut store {
            Some(store) => store.insert(conversation).map_err(Fail::failed)?,
            None => there
                .as_ref()
                .is_none_or(|store| store.conversation(&about.id).is_err()),
        };
        if fresh {
            new += 1;
            titles.push(format!(
                "{}  {} messages  {}",
                about.id,
                conversation.tree.len(),
                about.title
            ));
        } else {
            known += 1;
        }
    }
    let from = import.from.words();
    if json {
        return output::print_json(&json!({
            "from": from,
            "new": new,
            "known": known,
            "skipped": import.skipped,
            "dry_run": dry_run,
        }));
    }
    let verb = if dry_run { "would come" } else { "came" };
    let mut text = titles.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    for skipped in &import.skipped {
        text += &format!("left out: {skipped}\n");
    }
    text += &format!("from {from}: {new} {verb}, {known} are here already\n");
    output::print(&text)
}
