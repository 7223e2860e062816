//! One list of every model on this machine, each file once.

use super::cache::{Cache, Files, Header};
use super::candidate::{Candidate, rank};
use super::places::Places;
use super::{gather, layout, name, pair, walk};
use crate::protocol::library::{FoundModel, Source};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Every model that is found, by name. `paired` are models with the
/// projectors that a person gave them by hand. Of `cache`, see its file; its
/// folder is made where it is not.
pub fn scan(
    places: &Places,
    paired: &[(PathBuf, PathBuf)],
    cache: Option<&Path>,
) -> Vec<FoundModel> {
    let mut cache = Cache::load(cache);
    let mut looked = once(layout::all(places).into_iter().map(look_at).collect());
    looked.sort_by_cached_key(|l| {
        (
            l.candidate.name.to_lowercase(),
            l.candidate.parts[0].clone(),
        )
    });
    let models = open(looked, &mut cache, paired);
    cache.save();
    models
}

/// One file anywhere as a model, with its parts and its projector beside it.
/// A file that cannot be used comes with the reason.
pub fn look(path: &Path, paired: &[(PathBuf, PathBuf)]) -> FoundModel {
    let folder = path.parent().unwrap_or(Path::new(""));
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let file = walk::file_name(path);
    let groups = gather::groups(walk::files(here, 0)).into_iter();
    let is_it = |group: &gather::Group| group.files().any(|f| walk::file_name(f) == file);
    let mut near: Vec<Candidate> = groups
        .filter(|group| is_it(group) || group.base.to_lowercase().contains("mmproj"))
        .map(|group| {
            let name = group.base.clone();
            group.candidate(&name, Source::Folder, here, None)
        })
        .collect();
    let asked = |c: &Candidate| c.parts.iter().any(|p| walk::file_name(p) == file);
    if !near.iter().any(asked) {
        near.push(Candidate::whole(
            name::base(&file),
            path,
            Source::Folder,
            here,
        ));
    }
    near.sort_by_key(|c| !asked(c));
    let looked = near.into_iter().map(look_at).collect();
    let mut models = open(looked, &mut Cache::load(None), paired);
    models.swap_remove(0)
}

/// A candidate with what the file system says of its files.
struct Looked {
    candidate: Candidate,
    files: Files,
    /// What the first file is, whatever it is called.
    identity: Identity,
    /// Its first file really is in the folder of the program that keeps it.
    at_home: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    #[cfg_attr(not(unix), allow(dead_code))]
    Node(u64, u64),
    Path(PathBuf),
}

fn look_at(mut candidate: Candidate) -> Looked {
    let mut files = Files {
        path: candidate.parts[0].clone(),
        stamps: Vec::new(),
    };
    let mut identity = None;
    let mut first = None;
    for part in &candidate.parts {
        match stat(part) {
            Ok((real, stamp, id)) => {
                identity.get_or_insert(id);
                first.get_or_insert(real);
                files.stamps.push(stamp);
            }
            Err(why) => candidate.problem = candidate.problem.or(Some(why)),
        }
    }
    let root = fs::canonicalize(&candidate.root);
    let at_home = first
        .as_ref()
        .is_some_and(|real| root.is_ok_and(|root| real.starts_with(root)));
    let identity = identity.unwrap_or_else(|| Identity::Path(candidate.parts[0].clone()));
    Looked {
        candidate,
        files,
        identity,
        at_home,
    }
}

/// Where a file really is, its size and time, and what it is.
fn stat(path: &Path) -> Result<(PathBuf, (u64, u64), Identity), String> {
    let unread = |error: std::io::Error| match fs::read_link(path) {
        Ok(to) if error.kind() == std::io::ErrorKind::NotFound => {
            let to = to.display();
            format!("it is a link to {to}, which is gone; fetch the model anew")
        }
        _ => format!("{} cannot be read: {error}", path.display()),
    };
    let real = fs::canonicalize(path).map_err(unread)?;
    let meta = fs::metadata(&real).map_err(unread)?;
    if !meta.is_file() {
        return Err(format!("{} is no file", path.display()));
    }
    let since = meta
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        Identity::Node(meta.dev(), meta.ino())
    };
    #[cfg(not(unix))]
    let identity = Identity::Path(real.clone());
    let modified = since.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(0));
    Ok((real, (meta.len(), modified), identity))
}

/// Each file once: the program in whose folder it really is has it, else the
/// one that knows most. In a store of Ollama's kind, though, one file has
/// several names that people know, each with settings of its own.
fn once(mut looked: Vec<Looked>) -> Vec<Looked> {
    looked.sort_by_key(|l| (!l.at_home, rank(l.candidate.source)));
    let mut taken: HashMap<Identity, Source> = HashMap::new();
    let mut names: HashSet<(Identity, String)> = HashSet::new();
    looked.retain(|l| {
        let candidate = &l.candidate;
        let new_name = names.insert((l.identity.clone(), candidate.name.to_lowercase()));
        let Some(by) = taken.get(&l.identity) else {
            taken.insert(l.identity.clone(), candidate.source);
            return true;
        };
        *by == candidate.source && candidate.extras.is_some() && new_name
    });
    looked
}

/// Opens what has to be opened, and pairs projectors with models.
fn open(looked: Vec<Looked>, cache: &mut Cache, paired: &[(PathBuf, PathBuf)]) -> Vec<FoundModel> {
    let usable = looked.iter().filter(|l| l.candidate.problem.is_none());
    let files: Vec<Files> = usable.map(|l| l.files.clone()).collect();
    let mut headers = cache.headers(&files).into_iter();
    let mut models: Vec<FoundModel> = looked
        .into_iter()
        .map(|l| {
            let card = match l.candidate.problem.clone() {
                Some(problem) => Err(problem),
                None => headers
                    .next()
                    .unwrap_or_else(|| Err("it was not read".into())),
            };
            model(l, card)
        })
        .collect();
    pair::pair(&mut models, paired);
    models
}

fn model(looked: Looked, card: Header) -> FoundModel {
    let Looked {
        candidate, files, ..
    } = looked;
    let seconds = |(_, modified): &(u64, u64)| modified / 1_000_000_000;
    FoundModel {
        // A name is one line, whatever its file is called.
        name: candidate.name.replace(char::is_control, " "),
        path: candidate.parts[0].clone(),
        parts: candidate.parts,
        source: candidate.source,
        repo: candidate.repo,
        size: files.stamps.iter().map(|(size, _)| size).sum(),
        modified: files.stamps.iter().map(seconds).max().unwrap_or(0),
        card,
        projector: candidate.projector,
        extras: candidate.extras,
    }
}
