//! One file, from the question to its name: it has that name only when it is
//! whole and right.

use super::HubError;
use super::fault::Asked;
use super::net::Net;
use super::partial::{self, Note, read_note};
use super::parts::{Parts, Stop};
use super::probe::{Probe, is_gguf, not_gguf};
use super::run::Run;
use super::writer::Writer;
use crate::protocol::hub::{Checked, Phase};
use reqwest::Url;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Versions of a file that may come up while it is downloaded.
const VERSIONS: u32 = 3;

/// A file that is to be there.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub url: Url,
    pub asked: Asked,
    /// What to call it in words.
    pub name: String,
    pub path: PathBuf,
    /// As the hub's listing tells.
    pub size: Option<u64>,
    pub sha256: Option<String>,
    pub repo: Option<String>,
    pub commit: Option<String>,
}

/// A file that is there.
pub(super) struct Got {
    pub size: u64,
    pub already: bool,
    pub checked: Checked,
}

/// Says whether so many more bytes have room.
pub(super) type HasRoom<'a> = &'a (dyn Fn(u64) -> Result<(), HubError> + Send + Sync);

pub(super) struct Fetch<'a> {
    pub net: &'a Net,
    pub run: &'a Run,
    pub wanted: &'a Wanted,
    pub has_room: HasRoom<'a>,
}

impl Fetch<'_> {
    pub async fn file(&self) -> Result<Got, HubError> {
        let path = &self.wanted.path;
        if let Some(got) = self.here(self.wanted.size) {
            return Ok(got);
        }
        let file = partial::open(path, &self.net.pace).await?;
        // Another may have finished it while this one waited.
        let got = match self.here(self.wanted.size) {
            Some(got) => Ok(got),
            None => self.fresh(file).await,
        };
        let leftover = got.as_ref().is_ok_and(|got| got.already) || is_bare(path);
        if leftover {
            let _ = partial::remove(path);
        }
        got
    }

    fn here(&self, size: Option<u64>) -> Option<Got> {
        let size = size.filter(|size| is_here(&self.wanted.path, *size))?;
        Some(Got {
            size,
            already: true,
            checked: match self.wanted.sha256 {
                Some(_) => Checked::Digest,
                None => Checked::Length,
            },
        })
    }

    async fn probe(&self) -> Result<Probe, HubError> {
        let wanted = self.wanted;
        let ask = || {
            self.net
                .probe(&wanted.url, &wanted.asked, &wanted.name, wanted.size)
        };
        self.run.steadily(|| self.net.patiently(ask)).await
    }

    /// What is to be written down of the file that the server has now.
    fn note(&self, probe: &Probe) -> Note {
        // What comes after `?` may be a secret.
        let mut url = self.wanted.url.clone();
        url.set_query(None);
        Note {
            url: url.to_string(),
            repo: self.wanted.repo.clone(),
            commit: self.wanted.commit.clone(),
            etag: probe.etag.clone(),
            sha256: self.wanted.sha256.clone().or(probe.sha256.clone()),
            size: probe.size.unwrap_or(0),
            ..Note::default()
        }
    }

    /// The file is not there, and its part is ours.
    async fn fresh(&self, file: File) -> Result<Got, HubError> {
        let path = &self.wanted.path;
        let probe = self.probe().await?;
        if let Some(got) = self.here(probe.size) {
            return Ok(got);
        }
        let mut note = self.note(&probe);
        let old = read_note(path).filter(|old| old.done.total() > 0);
        let kept = old.as_ref().filter(|old| old.is_same_file(&note));
        note.done = kept.map_or_else(Default::default, |old| old.done.clone());
        if self.wanted.size.is_none() {
            (self.has_room)(note.size - note.done.total())?;
        }
        let writer = Writer::start(file, path, note.clone(), &self.net.pace)?;
        self.run.report.watch(writer.shared(), note.size);
        if kept.is_none() {
            writer.restart(note.clone()).await?;
            if old.is_some() {
                self.again("the file on the server is another one now");
            }
        }
        match self.carry(&writer, probe, note).await {
            Ok((size, checked)) => {
                writer.publish().await?;
                Ok(Got {
                    size,
                    already: false,
                    checked,
                })
            }
            Err(error @ (HubError::Digest(_) | HubError::NotGguf { .. })) => {
                writer.remove().await?;
                Err(error)
            }
            Err(error) => {
                // What came is kept, unless it is the disk that failed.
                let _ = writer.save().await;
                Err(error)
            }
        }
    }

    /// Downloads and checks, and again where that is worth while.
    async fn carry(
        &self,
        writer: &Writer,
        mut probe: Probe,
        mut note: Note,
    ) -> Result<(u64, Checked), HubError> {
        let (mut versions, mut wrong) = (1, 0);
        loop {
            note.done = Default::default();
            let parts = Parts {
                net: self.net,
                run: self.run,
                writer,
                url: &self.wanted.url,
                asked: &self.wanted.asked,
                size: probe.size,
                ranges: probe.ranges,
                note: &note,
            };
            let why = match parts.all().await {
                Ok(size) => match self.check(writer, &note, size).await? {
                    Some(checked) => return Ok((size, checked)),
                    None if wrong == 1 => return Err(HubError::Digest(self.wanted.name.clone())),
                    None => {
                        wrong += 1;
                        "some of its bytes were wrong"
                    }
                },
                Err(Stop::Fail(error)) => return Err(error),
                Err(Stop::NoRanges) => {
                    probe.ranges = false;
                    "the server sends this file only from its start"
                }
                Err(Stop::Changed) if versions == VERSIONS => {
                    return Err(HubError::Changes(self.wanted.name.clone()));
                }
                Err(Stop::Changed) => {
                    versions += 1;
                    probe = self.probe().await?;
                    note = self.note(&probe);
                    "the file on the server is another one now"
                }
            };
            writer.restart(note.clone()).await?;
            self.again(why);
        }
    }

    /// `None` for wrong bytes.
    async fn check(
        &self,
        writer: &Writer,
        note: &Note,
        size: u64,
    ) -> Result<Option<Checked>, HubError> {
        let finish = async || {
            let (done, total) = (writer.shared().hashed(), size);
            self.run.report.phase(Phase::Checking { done, total });
            writer.finish(size).await
        };
        let whole = self.run.steadily(finish).await?;
        match &note.sha256 {
            Some(right) if *right == whole.digest => Ok(Some(Checked::Digest)),
            Some(_) => Ok(None),
            None if is_gguf(&whole.first) => Ok(Some(Checked::Length)),
            None => Err(not_gguf(&self.wanted.name, &whole.first)),
        }
    }

    fn again(&self, why: &str) {
        let why = why.to_owned();
        self.run.report.phase(Phase::Restarting { why });
    }
}

/// A file of the right length that begins as a GGUF does. Its digest was
/// checked before it got its name.
pub(super) fn is_here(path: &Path, size: u64) -> bool {
    let length = fs::metadata(path).map(|m| m.is_file().then_some(m.len()));
    matches!(length, Ok(Some(length)) if length == size) && is_gguf(&first_bytes(path))
}

fn first_bytes(path: &Path) -> Vec<u8> {
    let mut first = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(4).read_to_end(&mut first);
    }
    first
}

/// A part of which nothing came.
fn is_bare(path: &Path) -> bool {
    let empty = fs::metadata(partial::part_path(path)).is_ok_and(|m| m.len() == 0 && m.is_file());
    empty && read_note(path).is_none_or(|note| note.done.total() == 0)
}
