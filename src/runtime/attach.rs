//! Takes files in that are to be attached: reads them, looks at what they are,
//! and puts their bytes beside the conversations.

use super::microphone::Recording;
use super::open::{Surroundings, open};
use super::take_url::{Taking, take_url};
use crate::app::Event;
use crate::app::attach::{self, Origin};
use crate::chat::attachment::{self, Attachment, Kind, Piece};
use crate::config::paths;
use crate::media;
use crate::protocol::engine::MediaFile;
use crate::store::Files;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// The largest file that is attached; films may be larger.
const MOST: u64 = 512 << 20;
const MOST_OF_FILM: u64 = 8 << 30;

/// Where the bytes of attachments are.
#[derive(Clone)]
pub struct Shelf {
    /// Beside the conversations; None where those are not saved.
    files: Option<Files>,
    /// What must not be saved, and what was found elsewhere, by digest.
    loose: Arc<Mutex<HashMap<String, PathBuf>>>,
    /// A folder that goes when the program ends.
    passing: Arc<Mutex<Option<Passing>>>,
}

/// A folder of the system's temporary one, removed with all in it.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Shelf {
    /// `data` is the folder of the conversations.
    pub fn new(data: Option<&Path>) -> Self {
        Self {
            files: data.map(Files::at),
            loose: Arc::default(),
            passing: Arc::default(),
        }
    }

    /// Where the bytes of something attached are.
    pub fn path(&self, digest: &str) -> Option<PathBuf> {
        let loose = self.loose.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = loose.get(digest) {
            return Some(path.clone());
        }
        drop(loose);
        self.files.as_ref().map(|files| files.path(digest))
    }

    /// The files that belong to some texts.
    pub fn media<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<MediaFile> {
        let mut media: Vec<MediaFile> = Vec::new();
        for one in texts.into_iter().flat_map(attachment::of) {
            if media.iter().any(|m| m.digest == one.digest) {
                continue;
            }
            if let Some(path) = self.path(&one.digest) {
                media.push(MediaFile {
                    digest: one.digest,
                    path,
                });
            }
        }
        media
    }

    /// Takes in a file by its path. What is private stays where it is.
    pub fn take_file(&self, path: &Path, private: bool) -> Result<Attachment, String> {
        let path = paths::expand_home(path);
        let shown = path.display();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let about = path.metadata().map_err(|e| format!("{shown}: {e}"))?;
        if about.is_dir() {
            return Err(format!("{shown} is a folder; attach the files in it"));
        }
        if !about.is_file() {
            return Err(format!("{shown} is not a plain file"));
        }
        let look =
            media::look_at(&path, &media::Terms::default()).map_err(|e| format!("{name}: {e}"))?;
        let limit = match look.kind {
            media::Kind::Film => MOST_OF_FILM,
            _ => MOST,
        };
        if about.len() > limit {
            return Err(format!(
                "{name} is larger than the {} that can be attached",
                crate::chat::size::bytes(limit)
            ));
        }
        let files = self.files.as_ref().filter(|_| !private);
        let digest = match files {
            Some(files) => files.put_file(&path).map_err(|e| format!("{name}: {e}"))?.0,
            None => {
                let digest = digest_of(&path).map_err(|e| format!("{name}: {e}"))?;
                self.remember(&digest, path.clone());
                digest
            }
        };
        Ok(attachment(&name, digest, about.len(), look))
    }

    /// Takes in bytes that are in no file of their own.
    pub fn take_bytes(
        &self,
        bytes: &[u8],
        name: &str,
        private: bool,
    ) -> Result<Attachment, String> {
        let look = media::look(bytes, name).map_err(|e| format!("{name}: {e}"))?;
        let fault = |e: std::io::Error| format!("{name} cannot be kept: {e}");
        let digest = match self.files.as_ref().filter(|_| !private) {
            Some(files) => files.put(bytes).map_err(fault)?,
            None => {
                let passing = Files::at(&self.passing().map_err(fault)?);
                let digest = passing.put(bytes).map_err(fault)?;
                self.remember(&digest, passing.path(&digest));
                digest
            }
        };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(attachment(name, digest, length, look))
    }

    fn remember(&self, digest: &str, path: PathBuf) {
        let mut loose = self.loose.lock().unwrap_or_else(PoisonError::into_inner);
        loose.insert(digest.into(), std::path::absolute(&path).unwrap_or(path));
    }

    fn passing(&self) -> std::io::Result<PathBuf> {
        let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(passing) = passing.as_ref() {
            return Ok(passing.0.clone());
        }
        let name = format!("parlor-{:016x}", crate::store::random_bits());
        let path = std::env::temp_dir().join(name);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        *passing = Some(Passing(path.clone()));
        Ok(path)
    }

    /// A message with the files that it names as `@path` attached.
    pub fn mentioned(&self, text: &str, private: bool) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        for piece in attachment::pieces(text) {
            match piece {
                Piece::Attached(one) => out.push_str(&one.marker()),
                Piece::Text(text) => self.mentions(text, private, &mut out)?,
            }
        }
        Ok(out)
    }

    fn mentions(&self, text: &str, private: bool, out: &mut String) -> Result<(), String> {
        for word in text.split_inclusive(char::is_whitespace) {
            let bare = word.trim_end();
            let named = bare.strip_prefix('@').filter(|path| !path.is_empty());
            // The end of a sentence is not the end of a name.
            let named = named.map(|path| match Path::new(path).exists() {
                true => path,
                false => path.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']),
            });
            let path = named.map(|path| (path, paths::expand_home(Path::new(path))));
            match path.filter(|(_, path)| path.is_file()) {
                Some((written, path)) => {
                    out.push_str(&self.take_file(&path, private)?.marker());
                    out.push_str(&word[1 + written.len()..]);
                }
                None => out.push_str(word),
            }
        }
        Ok(())
    }
}

/// The SHA-256 of a file's bytes, in hexadecimal digits.
fn digest_of(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    let digest = hash.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn attachment(name: &str, digest: String, bytes: u64, look: media::Look) -> Attachment {
    let mut one = Attachment {
        digest,
        name: attachment::clean(name),
        kind: match look.kind {
            media::Kind::Picture => Kind::Picture,
            media::Kind::Sound => Kind::Sound,
            media::Kind::Film => Kind::Film,
            media::Kind::Text => Kind::Text,
        },
        format: look.format.into(),
        bytes,
        width: 0,
        height: 0,
        ms: 0,
        count: 0,
    };
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    match look.measure {
        media::Measure::Picture {
            width,
            height,
            frames,
            length_ms,
        } => {
            (one.width, one.height, one.ms) = (width, height, length_ms);
            if frames > 1 {
                // What moves is shown to the model as a film.
                one.kind = Kind::Film;
                one.count = count(frames);
            }
        }
        media::Measure::Pages {
            pages,
            width,
            height,
        } => (one.width, one.height, one.count) = (width, height, count(pages)),
        media::Measure::Sound { length_ms, .. } => one.ms = length_ms.unwrap_or(0),
        media::Measure::Film {
            length_ms,
            width,
            height,
            ..
        } => (one.width, one.height, one.ms) = (width, height, length_ms.unwrap_or(0)),
        media::Measure::Text { lines, .. } => one.count = count(lines),
    }
    one
}

/// Attaches on threads of its own, and tells the loop.
pub struct Attacher {
    pub shelf: Shelf,
    recording: Arc<Mutex<Option<Recording>>>,
    answers: mpsc::UnboundedSender<Event>,
}

impl Attacher {
    pub fn new(shelf: Shelf, answers: mpsc::UnboundedSender<Event>) -> Self {
        Self {
            shelf,
            recording: Arc::default(),
            answers,
        }
    }

    pub fn attach(&self, origin: Origin, private: bool) {
        match origin {
            Origin::Path(path) => self.work(move |shelf| {
                Event::Attached(shelf.take_file(&path, private).map(|one| vec![one]), None)
            }),
            Origin::Clipboard => self.work(move |shelf| {
                let picture = super::clipboard::picture().and_then(|pixels| {
                    let png = media::png(&pixels).map_err(|e| e.to_string())?;
                    shelf.take_bytes(&png, "pasted.png", private)
                });
                Event::Attached(picture.map(|one| vec![one]), None)
            }),
            Origin::Url(url) => {
                let (shelf, answers) = (self.shelf.clone(), self.answers.clone());
                tokio::spawn(async move {
                    let taking = Taking::default();
                    let taken = take_url(&url, &taking, |_, _| {}).await;
                    let attached = taken
                        .map_err(|e| e.to_string())
                        .and_then(|taken| shelf.take_bytes(&taken.bytes, &taken.name, private));
                    let attached = attached.map(|one| vec![one]);
                    let _ = answers.send(Event::Attached(attached, None));
                });
            }
        }
    }

    /// Files that were dropped: all of them, or their paths are words.
    pub fn dropped(&self, text: String, paths: Vec<PathBuf>, private: bool) {
        self.work(move |shelf| {
            let there = paths.iter().all(|p| paths::expand_home(p).is_file());
            if !there {
                return Event::Attached(Ok(Vec::new()), Some(text));
            }
            let taken: Result<Vec<Attachment>, String> = paths
                .iter()
                .map(|path| shelf.take_file(path, private))
                .collect();
            match taken {
                Ok(taken) => Event::Attached(Ok(taken), Some(text)),
                Err(why) => Event::Attached(Err(why), None),
            }
        });
    }

    pub fn mention(&self, text: String, private: bool) {
        self.work(move |shelf| {
            let outcome = shelf.mentioned(&text, private);
            Event::Mentioned(text, outcome)
        });
    }

    /// Shows it in the system's own viewer.
    pub fn open(&self, one: Attachment) {
        let (shelf, answers) = (self.shelf.clone(), self.answers.clone());
        tokio::spawn(async move {
            let path = shelf.path(&one.digest).filter(|path| path.exists());
            let opened = match path {
                None => Err(format!("{} is not there any more", one.name)),
                Some(path) => {
                    let path = named(&shelf, &path, &one).unwrap_or(path);
                    let opened = open(&path, &Surroundings::here()).await;
                    opened.map_err(|e| e.to_string())
                }
            };
            if let Err(why) = opened {
                let _ = answers.send(Event::NotOpened(why));
            }
        });
    }

    /// Begins or ends to record; opening the microphone may take a while.
    pub fn record(&self, step: attach::Recording, private: bool) {
        let recording = Arc::clone(&self.recording);
        let (shelf, answers) = (self.shelf.clone(), self.answers.clone());
        std::thread::spawn(move || {
            let mut held = recording.lock().unwrap_or_else(PoisonError::into_inner);
            let event = match step {
                attach::Recording::Begin => match Recording::start() {
                    Ok(begun) => {
                        *held = Some(begun);
                        return;
                    }
                    Err(why) => Event::NotRecorded(why.to_string()),
                },
                attach::Recording::Discard => {
                    *held = None;
                    return;
                }
                attach::Recording::End => match held.take() {
                    Some(recorded) => recorded_of(recorded, &shelf, private),
                    None => Event::NotRecorded("the microphone was not there yet".into()),
                },
            };
            let _ = answers.send(event);
        });
    }

    fn work(&self, work: impl FnOnce(&Shelf) -> Event + Send + 'static) {
        let (shelf, answers) = (self.shelf.clone(), self.answers.clone());
        std::thread::spawn(move || {
            // Nobody listens any more when the chat ends.
            let _ = answers.send(work(&shelf));
        });
    }
}

/// What was recorded, attached as a sound.
fn recorded_of(recording: Recording, shelf: &Shelf, private: bool) -> Event {
    if recording.is_silent() {
        let why = "the microphone heard nothing at all; it may be muted";
        return Event::NotRecorded(why.into());
    }
    let recorded = recording.stop();
    let wav = media::wav(&media::Samples {
        rate: recorded.rate,
        mono: recorded.mono,
    });
    let taken = shelf.take_bytes(&wav, "recorded.wav", private);
    Event::Attached(taken.map(|one| vec![one]), None)
}

/// A link whose name tells viewers what it is, for a digest has no ending: in
/// a folder that only this person may read, and that goes with the program.
fn named(shelf: &Shelf, path: &Path, one: &Attachment) -> std::io::Result<PathBuf> {
    // What lies elsewhere has its own name.
    if path.extension().is_some() {
        return Ok(path.to_path_buf());
    }
    let folder = shelf.passing()?.join(&one.digest);
    std::fs::create_dir_all(&folder)?;
    let name: String = one
        .name
        .chars()
        .map(|c| if matches!(c, '/' | '\\') { '_' } else { c })
        .collect();
    let link = folder.join(name);
    if !link.exists() {
        std::fs::hard_link(path, &link).or_else(|_| std::fs::copy(path, &link).map(|_| ()))?;
    }
    Ok(link)
}
