//! Models in several files: the header of the whole.
//!
//! The names are those of llama.cpp's `llama_split_path`:
//! `name-00001-of-00003.gguf`.

use super::card::card;
use super::error::{GgufError, shown};
use super::header::{Header, read};
use super::kind::check;
use crate::protocol::library::Card;
use std::path::{Path, PathBuf};

/// Reads the header of a model: of its only file, or of its first part and of
/// all others, which stand beside it. The metadata is the first part's.
pub fn whole(path: &Path) -> Result<Header, GgufError> {
    let mut header = read(path)?;
    let count = header.number("split.count").unwrap_or(1);
    if count <= 1 {
        return Ok(header);
    }
    let number = header.number("split.no").unwrap_or(0);
    if number != 0 {
        return Err(GgufError::NotFirstPart {
            part: number.saturating_add(1),
            count,
        });
    }
    for number in 2..=count {
        let part = part_path(path, number, count)?;
        let name = part.file_name().unwrap_or_default().to_string_lossy();
        let read = read(&part).map_err(|why| GgufError::Part {
            name: shown(&name),
            why: Box::new(why),
        })?;
        header.tensors.extend(read.tensors);
        header.file_size += read.file_size;
    }
    let there = header.tensors.len() as u64;
    match header.number("split.tensors.count") {
        Some(expected) if expected != there => Err(GgufError::PartsDiffer { expected, there }),
        _ => Ok(header),
    }
}

/// The card of a model with all its parts. Files that are of no use as a model
/// are an error.
pub fn whole_card(path: &Path) -> Result<Card, GgufError> {
    let header = whole(path)?;
    check(&header)?;
    Ok(card(&header))
}

/// The path of a part, by the first one's.
fn part_path(first: &Path, number: u64, count: u64) -> Result<PathBuf, GgufError> {
    let ending = |number: u64| format!("-{number:05}-of-{count:05}.gguf");
    let name = first.file_name().and_then(|n| n.to_str());
    let stem = name.and_then(|n| n.strip_suffix(&ending(1)));
    match stem {
        Some(stem) => Ok(first.with_file_name(format!("{stem}{}", ending(number)))),
        None => Err(GgufError::PartName {
            count,
            ending: ending(1),
        }),
    }
}
