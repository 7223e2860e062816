//! Reads values of the metadata, and skips what is long: of a vocabulary no
//! word is kept.

use super::error::{GgufError, shown};
use super::source::Source;
use super::value::{Array, Value, ValueType, decode};

/// Longer texts are skipped.
const LONGEST_TEXT: u64 = 1 << 20;
/// Longer lists are skipped.
const MOST_NUMBERS: u64 = 4096;
const MOST_TEXTS: u64 = 64;
/// Of a list of texts, in bytes.
const LONGEST_TEXTS: u64 = 64 << 10;
/// Lists may stand in lists, this deep.
const DEEPEST: u32 = 4;
/// More than any vocabulary has.
const MOST_ENTRIES: u64 = 1 << 24;

/// Reads the value of a key, its type before it.
pub fn read_value(source: &mut Source, key: &str) -> Result<Value, GgufError> {
    let kind = read_type(source, key)?;
    match kind {
        ValueType::Text => {
            let length = source.u64()?;
            if length <= LONGEST_TEXT {
                return Ok(Value::Text(source.text(length)?));
            }
            source.skip(length)?;
            Ok(Value::LongText(length))
        }
        ValueType::Array => read_array(source, key).map(Value::Array),
        number => {
            let size = number.size().unwrap_or_default();
            Ok(decode(number, &source.bytes(size)?))
        }
    }
}

fn read_type(source: &mut Source, key: &str) -> Result<ValueType, GgufError> {
    let code = source.u32()?;
    ValueType::of(code).ok_or_else(|| GgufError::ValueType {
        key: shown(key),
        code,
    })
}

fn read_array(source: &mut Source, key: &str) -> Result<Array, GgufError> {
    let (kind, count) = read_array_head(source, key)?;
    let kept = match kind.size() {
        Some(size) if count <= MOST_NUMBERS => Some(source.bytes(count * size)?.into()),
        None if kind == ValueType::Text && count <= MOST_TEXTS => keep_texts(source, count)?,
        _ => {
            skip_entries(source, key, kind, count, 1)?;
            None
        }
    };
    Ok(Array { kind, count, kept })
}

/// What a list holds and how many, which can be in the rest of the file.
fn read_array_head(source: &mut Source, key: &str) -> Result<(ValueType, u64), GgufError> {
    let kind = read_type(source, key)?;
    let count = source.u64()?;
    // A text is at least its length, a list its type and count.
    let least = match kind {
        ValueType::Text => 8,
        ValueType::Array => 12,
        number => number.size().unwrap_or(1),
    };
    source.claim_all(count, least)?;
    if kind.size().is_none() && count > MOST_ENTRIES {
        return Err(GgufError::TooMany {
            what: "entries of a list",
            count,
            most: MOST_ENTRIES,
        });
    }
    Ok((kind, count))
}

/// Keeps a list of texts as it stands in the file; None when it is long.
fn keep_texts(source: &mut Source, count: u64) -> Result<Option<Box<[u8]>>, GgufError> {
    let mut kept = Some(Vec::new());
    for _ in 0..count {
        let length = source.u64()?;
        source.claim(length)?;
        let room = |kept: &Vec<u8>| (kept.len() as u64 + 8).saturating_add(length);
        kept = kept.filter(|kept| room(kept) <= LONGEST_TEXTS);
        match &mut kept {
            Some(kept) => {
                kept.extend(length.to_le_bytes());
                kept.extend(source.bytes(length)?);
            }
            None => source.skip(length)?,
        }
    }
    Ok(kept.map(Vec::into_boxed_slice))
}

fn skip_entries(
    source: &mut Source,
    key: &str,
    kind: ValueType,
    count: u64,
    depth: u32,
) -> Result<(), GgufError> {
    if let Some(size) = kind.size() {
        return source.skip(count.saturating_mul(size));
    }
    if depth > DEEPEST {
        return Err(GgufError::TooDeep(shown(key)));
    }
    for _ in 0..count {
        match kind {
            ValueType::Text => {
                let length = source.u64()?;
                source.skip(length)?;
            }
            _ => {
                let (kind, count) = read_array_head(source, key)?;
                skip_entries(source, key, kind, count, depth + 1)?;
            }
        }
    }
    Ok(())
}
