//! Which of a repository's files to take.

use super::HubError;
use super::quant::{self, LAST_GOOD, USUAL};
use crate::chat::size::bytes;
use crate::protocol::hub::{Choice, RemoteFile, Room};
use crate::protocol::quantization::in_name;
use std::collections::BTreeMap;

/// Files that lie beside models and are none; llama.cpp passes over the same.
const BESIDE: &[&str] = &["mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-"];

/// A model: one file, or all parts of one.
struct Group {
    quant: String,
    rank: usize,
    files: Vec<RemoteFile>,
    size: u64,
}

/// Takes the named quantization or file, else the best that fits.
///
/// `UD-Q4_K_XL` answers to `Q4_K_XL` where there is no plain one. A named
/// model is taken whether it fits or not.
///
/// # Errors
/// [`HubError::NoGguf`], [`HubError::Quant`], [`HubError::Several`],
/// [`HubError::NothingFits`].
pub fn choose(
    repo: &str,
    files: &[RemoteFile],
    wanted: Option<&str>,
    room: Room,
) -> Result<Choice, HubError> {
    let groups = groups(files);
    if groups.is_empty() {
        return Err(HubError::NoGguf(repo.to_owned()));
    }
    let (group, why) = match wanted {
        Some(wanted) => (named(&groups, wanted)?, None),
        None => {
            let beside = projector(files, &groups[0]).map_or(0, |p| p.size);
            let (group, why) = best(&groups, room, beside)?;
            (group, Some(why))
        }
    };
    Ok(Choice {
        why: why.unwrap_or_else(|| format!("{}: as you asked", group.quant)),
        quant: group.quant.clone(),
        projector: projector(files, group),
        files: group.files.clone(),
        size: group.size,
    })
}

/// All models, by name.
fn groups(files: &[RemoteFile]) -> Vec<Group> {
    let mut parts: BTreeMap<(String, u32), BTreeMap<u32, RemoteFile>> = BTreeMap::new();
    for file in files.iter().filter(|f| is_model(&f.path)) {
        let (stem, index, count) = split(&file.path);
        let group = parts.entry((stem.to_owned(), count)).or_default();
        group.insert(index, file.clone());
    }
    let whole = |count: u32, files: &BTreeMap<u32, RemoteFile>| files.keys().copied().eq(1..=count);
    parts
        .into_iter()
        .filter(|((_, count), files)| whole(*count, files))
        .map(|((stem, _), files)| {
            let name = file_name(&stem);
            let quant = in_name(name)
                .or_else(|| in_name(folder(&stem)))
                .unwrap_or_else(|| name.to_owned());
            Group {
                rank: quant::rank(&quant),
                quant,
                size: files.values().map(|f| f.size).sum(),
                files: files.into_values().collect(),
            }
        })
        .collect()
}

fn is_model(path: &str) -> bool {
    let name = file_name(path).to_lowercase();
    name.ends_with(".gguf") && !BESIDE.iter().any(|b| name.contains(b))
}

/// The names of all parts of the file with this name: itself where it is whole.
pub(super) fn parts_of(name: &str) -> Vec<String> {
    match name.strip_suffix(".gguf").map(|_| split(name)) {
        Some((stem, _, count)) if (2..=999).contains(&count) => (1..=count)
            .map(|index| format!("{stem}-{index:05}-of-{count:05}.gguf"))
            .collect(),
        _ => vec![name.to_owned()],
    }
}

/// `x-00001-of-00003.gguf` is part 1 of 3 of `x`; any other file, of itself.
fn split(path: &str) -> (&str, u32, u32) {
    let stem = &path[..path.len() - ".gguf".len()];
    let parts = || {
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (name, index) = rest.rsplit_once('-')?;
        let number = |text: &str| text.parse().ok().filter(|_| text.len() == 5);
        Some((name, number(index)?, number(count)?))
    };
    parts().unwrap_or((stem, 1, 1))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn named<'a>(groups: &'a [Group], wanted: &str) -> Result<&'a Group, HubError> {
    let same = |a: &str| a.eq_ignore_ascii_case(wanted);
    let is_file = |g: &Group| {
        g.files
            .iter()
            .any(|f| same(&f.path) || same(file_name(&f.path)))
    };
    let is_path = |g: &Group| g.files.iter().any(|f| f.path == wanted);
    let plain = |g: &Group| same(g.quant.strip_prefix("UD-").unwrap_or(&g.quant));
    let ways: [&dyn Fn(&Group) -> bool; 4] = [&is_path, &is_file, &|g| same(&g.quant), &plain];
    for way in ways {
        let mut found = groups.iter().filter(|g| way(g));
        match (found.next(), found.next()) {
            (Some(group), None) => return Ok(group),
            (Some(_), Some(_)) => {
                return Err(HubError::Several {
                    wanted: wanted.to_owned(),
                    files: groups
                        .iter()
                        .filter(|g| way(g))
                        .map(|g| g.files[0].path.clone())
                        .collect(),
                });
            }
            _ => {}
        }
    }
    let mut there: Vec<&Group> = groups.iter().collect();
    there.sort_by_key(|g| g.rank);
    let mut there: Vec<String> = there.iter().map(|g| g.quant.clone()).collect();
    there.dedup();
    Err(HubError::Quant {
        wanted: wanted.to_owned(),
        there,
    })
}

/// The best that fits. A projector of `beside` bytes comes with each.
fn best(groups: &[Group], room: Room, beside: u64) -> Result<(&Group, String), HubError> {
    let mut list: Vec<&Group> = groups.iter().collect();
    if list.iter().any(|g| !quant::is_float(&g.quant)) {
        list.retain(|g| !quant::is_float(&g.quant));
    }
    // Of equals the smaller: it is the one without extras.
    list.sort_by_key(|g| (g.rank, g.size));
    let need = |g: &Group| g.size.saturating_add(beside);
    // Above the usual choice a tenth stays free: long conversations are worth
    // more than the last bit.
    let with_margin = |g: &Group| match g.rank < USUAL {
        true => need(g).saturating_add(need(g) / 10),
        false => need(g),
    };
    let position = |fits: &dyn Fn(&Group) -> bool| list.iter().position(|g| fits(g));
    let good = |g: &Group| g.rank <= LAST_GOOD || quant::is_float(&g.quant);
    let fast = position(&|g| good(g) && with_margin(g) <= room.fits);
    if let Some(at) = fast {
        let fits = format!(
            "{}: the best that fits {} of memory",
            list[at].quant,
            bytes(room.fits)
        );
        let better = list[..at].iter().rev().find(|g| with_margin(g) > room.fits);
        let why = match better {
            Some(g) if need(g) > room.fits => {
                format!("{fits}; {} would need {}", g.quant, bytes(need(g)))
            }
            Some(g) => format!(
                "{fits} with room for conversations; {} would fill it",
                g.quant
            ),
            None => fits,
        };
        return Ok((list[at], why));
    }
    let slow = position(&|g| good(g) && g.rank >= USUAL && need(g) <= room.most)
        .or_else(|| position(&|g| need(g) <= room.most && need(g) <= room.fits))
        .or_else(|| position(&|g| need(g) <= room.most));
    if let Some(at) = slow {
        let group = list[at];
        let why = match need(group) <= room.fits {
            true => format!(
                "{}: small enough for {} of memory",
                group.quant,
                bytes(room.fits)
            ),
            false => format!(
                "{}: it needs {}, of which {} go into the fastest memory, so it will be slower",
                group.quant,
                bytes(need(group)),
                bytes(room.fits)
            ),
        };
        return Ok((group, why));
    }
    let smallest = list
        .iter()
        .min_by_key(|g| g.size)
        .copied()
        .unwrap_or(list[0]);
    Err(HubError::NothingFits {
        smallest: smallest.quant.clone(),
        size: need(smallest),
        most: room.most,
    })
}

/// The projector of a model: in its folder or one above, the nearest first.
fn projector(files: &[RemoteFile], group: &Group) -> Option<RemoteFile> {
    const ORDER: [&str; 5] = ["F16", "FP16", "BF16", "Q8_0", "F32"];
    let home = folder(&group.files[0].path);
    let near = |path: &str| {
        let folder = folder(path);
        folder.is_empty() || home == folder || home.starts_with(&format!("{folder}/"))
    };
    let order = |path: &str| {
        let quant = in_name(file_name(path).trim_end_matches(".gguf"));
        ORDER
            .iter()
            .position(|o| Some(*o) == quant.as_deref())
            .unwrap_or(ORDER.len())
    };
    files
        .iter()
        .filter(|f| {
            let name = file_name(&f.path).to_lowercase();
            name.ends_with(".gguf") && name.contains("mmproj") && near(&f.path)
        })
        .min_by_key(|f| (usize::MAX - folder(&f.path).len(), order(&f.path)))
        .cloned()
}
