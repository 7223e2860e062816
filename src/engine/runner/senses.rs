//! The model's eyes and ears: what pictures and sounds are to it, encoded once
//! and then remembered.

mod expand;
mod memory;

use super::pipe::{Inbox, Outbox};
use super::raw::media::{Chunk, Part, Projector, Watch, load};
use crate::chat::Attachment;
use crate::engine::runner::log::Log;
use crate::gguf;
use crate::media;
use crate::protocol::engine::{Encoding, Event, ReadProgress, RequestId};
use expand::Taken;
pub use expand::{PLACE, Told};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use memory::Memory;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use xxhash_rust::xxh3::xxh3_64;

/// Pictures and sounds that stay prepared, ready to be encoded.
const READY: usize = 16;

/// Where the pixels or samples of an item come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Picture(PathBuf),
    /// One frame of a film, by its number among those that are taken.
    Frame(Film, usize),
    /// A stretch of a sound, in milliseconds.
    Sound(PathBuf, u64, u64),
    /// A stretch of the sound of a film.
    Track(Film, u64, u64),
}

/// A film, and how many frames of it are taken at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    attachment: Attachment,
    path: PathBuf,
    most: usize,
}

/// One thing that is given to the projector as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Tells it from all others, for ever.
    pub key: u64,
    /// As the person knows it.
    pub name: String,
    pub source: Source,
}

impl Item {
    fn is_sound(&self) -> bool {
        matches!(self.source, Source::Sound(..) | Source::Track(..))
    }
}

/// A stretch of the KV cache that holds a picture or a sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The index of its first cell.
    pub at: usize,
    pub tokens: usize,
    /// Positions that it takes.
    pub positions: usize,
    pub key: u64,
    /// Which of the item's parts it is.
    pub part: usize,
}

/// What an item is among tokens.
#[derive(Debug, Clone)]
enum Shape {
    Tokens(Vec<LlamaToken>),
    Media {
        tokens: usize,
        positions: usize,
        /// All of it must be decoded at once.
        whole: bool,
    },
}

/// What the encoder's watch tells while it works.
#[derive(Clone, Copy)]
struct Watched {
    id: RequestId,
    progress: ReadProgress,
    layers: u32,
}

pub struct Senses<'m> {
    projector: Option<Projector<'m>>,
    file: String,
    /// Layers of the encoders of pictures and of sounds.
    layers: (u32, u32),
    watched: Rc<Cell<Option<Watched>>>,
    shapes: HashMap<u64, Vec<Shape>>,
    ready: VecDeque<(u64, Vec<Part>)>,
    items: HashMap<u64, Item>,
    /// The films that were taken apart last.
    films: VecDeque<(Film, Taken)>,
    pub(super) memory: Memory,
    inbox: &'m Inbox,
    /// The request at hand, and whether it was stopped.
    pub(super) request: Rc<Cell<RequestId>>,
    stop: Box<dyn Fn() -> bool + 'm>,
}

/// How a stretch of media came to be read.
pub enum Looked {
    /// It had to be encoded, or was remembered.
    Read {
        encoded: bool,
    },
    Cancelled,
}

impl<'m> Senses<'m> {
    /// Neither eyes nor ears.
    pub fn none(inbox: &'m Inbox) -> Self {
        let request: Rc<Cell<RequestId>> = Rc::default();
        let asked = Rc::clone(&request);
        Self {
            request,
            stop: Box::new(move || inbox.is_cancelled(asked.get())),
            projector: None,
            file: String::new(),
            layers: (1, 1),
            watched: Rc::default(),
            shapes: HashMap::new(),
            ready: VecDeque::new(),
            items: HashMap::new(),
            films: VecDeque::new(),
            memory: Memory::new(None),
            inbox,
        }
    }

    /// Loads the projector, where there is one.
    pub fn of(
        model: &'m LlamaModel,
        projector: Option<&Path>,
        use_gpu: bool,
        threads: u32,
        (inbox, outbox, log): (&'m Inbox, &'m Outbox, &Log),
    ) -> Result<Self, String> {
        let mut senses = Self::none(inbox);
        let Some(path) = projector else {
            return Ok(senses);
        };
        senses.memory = Memory::new(projector);
        let shown = path.display();
        let header = gguf::read(path).map_err(|e| format!("the projector {shown}: {e}"))?;
        let layers = |key: &str| {
            let count = header.value(key).and_then(|v| v.number());
            count.and_then(|n| u32::try_from(n).ok()).unwrap_or(1)
        };
        senses.layers = (
            layers("clip.vision.block_count"),
            layers("clip.audio.block_count"),
        );
        log.take_errors();
        let threads = i32::try_from(threads).unwrap_or(1);
        let watch = watch(Rc::clone(&senses.watched), inbox, outbox);
        senses.projector = load(model, path, use_gpu, threads, watch);
        if senses.projector.is_none() {
            let errors = log.take_errors();
            let why = errors
                .first()
                .map_or("llama.cpp gave no reason", |e| e.as_str());
            return Err(format!(
                "the projector {shown} cannot be used with this model: {why}; it belongs to another model, or is of a kind that this version does not know"
            ));
        }
        senses.file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(senses)
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn sees(&self) -> bool {
        self.projector.as_ref().is_some_and(Projector::sees)
    }

    pub fn hears(&self) -> bool {
        self.projector.as_ref().is_some_and(Projector::hears)
    }

    /// The tokens of an item: for pictures and sounds numbers that stand for
    /// them, below 0 and unlike those of anything else; and where those are,
    /// counted from `at`.
    pub fn tokens(
        &mut self,
        item: &Item,
        at: usize,
    ) -> Result<(Vec<LlamaToken>, Vec<Span>), String> {
        if !self.shapes.contains_key(&item.key) {
            self.prepare(item)?;
        }
        self.items.entry(item.key).or_insert_with(|| item.clone());
        let mut tokens = Vec::new();
        let mut spans = Vec::new();
        for (part, shape) in self.shapes[&item.key].iter().enumerate() {
            match shape {
                Shape::Tokens(of_text) => tokens.extend_from_slice(of_text),
                Shape::Media {
                    tokens: count,
                    positions,
                    ..
                } => {
                    spans.push(Span {
                        at: at + tokens.len(),
                        tokens: *count,
                        positions: *positions,
                        key: item.key,
                        part,
                    });
                    tokens.extend((0..*count).map(|i| stand_in(item.key, part, i)));
                }
            }
        }
        Ok((tokens, spans))
    }

    /// Decodes or fetches the pixels or samples, and cuts them as the model
    /// wants them.
    fn prepare(&mut self, item: &Item) -> Result<(), String> {
        let parts = self.parts(item)?;
        let projector = self.projector.as_ref();
        let shapes = parts.iter().map(|part| match part {
            Part::Tokens(tokens) => Shape::Tokens(tokens.clone()),
            Part::Media(chunk) => Shape::Media {
                tokens: chunk.tokens(),
                positions: chunk.positions(),
                whole: projector.is_some_and(|p| p.needs_whole(chunk)),
            },
        });
        self.shapes.insert(item.key, shapes.collect());
        self.ready.push_back((item.key, parts));
        if self.ready.len() > READY {
            self.ready.pop_front();
        }
        Ok(())
    }

    fn parts(&mut self, item: &Item) -> Result<Vec<Part>, String> {
        let name = &item.name;
        let fault = |e: media::Fault| format!("{name}: {e}");
        match &item.source {
            Source::Picture(path) => {
                let bytes = read(path, name)?;
                let pixels = media::picture(&bytes, 1, &self.terms()).map_err(fault)?;
                self.seen(name, &pixels)
            }
            Source::Frame(film, number) => {
                let taken = self.take(film)?;
                let frame = taken.frames.get(*number);
                let pixels = frame.map(|(_, pixels)| pixels.clone());
                let pixels = pixels.ok_or_else(|| format!("{name} has no such picture"))?;
                self.seen(name, &pixels)
            }
            Source::Sound(path, from, to) => {
                let bytes = read(path, name)?;
                let samples = media::sound(&bytes, self.rate(), &self.terms()).map_err(fault)?;
                self.heard(name, samples.part(&(*from..*to)))
            }
            Source::Track(film, from, to) => {
                let track = self.take(film)?.track.clone();
                let samples = track.ok_or_else(|| format!("{name} has no sound"))?;
                self.heard(name, samples.part(&(*from..*to)))
            }
        }
    }

    /// Decoding ends when the request does.
    fn terms(&self) -> media::Terms<'_> {
        media::Terms {
            stop: &*self.stop,
            ..media::Terms::default()
        }
    }

    fn rate(&self) -> u32 {
        let rate = self.projector.as_ref().and_then(Projector::sample_rate);
        rate.unwrap_or(16_000)
    }

    fn seen(&self, name: &str, pixels: &media::Pixels) -> Result<Vec<Part>, String> {
        let projector = self.projector.as_ref();
        projector
            .and_then(|p| p.picture(pixels.width, pixels.height, &pixels.rgb))
            .ok_or_else(|| {
                format!("{name} cannot be prepared for this model; the engine's log may say why")
            })
    }

    fn heard(&self, name: &str, samples: &[f32]) -> Result<Vec<Part>, String> {
        let projector = self.projector.as_ref();
        projector
            .and_then(|p| p.sound(samples))
            .ok_or_else(|| format!("{name} cannot be prepared for this model: it may be too short; the engine's log may say more"))
    }

    /// Has the model read a stretch of media. `position` is where it begins.
    pub fn look(
        &mut self,
        context: &mut LlamaContext<'_>,
        span: &Span,
        position: usize,
        (id, progress): (RequestId, ReadProgress),
    ) -> Result<Looked, String> {
        let item = self.items.get(&span.key).cloned();
        let item = item.ok_or("a picture or sound of this conversation is not known any more")?;
        let (key, part) = (span.key, span.part);
        if self.needs_whole(span) && span.tokens > context.n_ubatch() as usize {
            return Err(format!(
                "{} takes {} tokens, which this model reads all at once, and {} can be read at once; set [engine] ubatch to {} or more",
                item.name,
                span.tokens,
                context.n_ubatch(),
                span.tokens
            ));
        }
        if !self.ready.iter().any(|(ready, _)| *ready == key) {
            self.prepare(&item)?;
        }
        let sound = item.is_sound();
        let layers = if sound { self.layers.1 } else { self.layers.0 };
        let failed = || {
            format!(
                "{} cannot be read by this model; the engine's log may say why",
                item.name
            )
        };
        let (ready, projector) = (&self.ready, self.projector.as_mut());
        let projector = projector.ok_or_else(failed)?;
        let chunk = chunk_of(ready, key, part).ok_or_else(failed)?;
        let known = self
            .memory
            .recall(key, part, projector.width() * span.tokens);
        let encoded = known.is_none();
        let mut numbers = match known {
            Some(numbers) => numbers,
            None => {
                self.watched.set(Some(Watched {
                    id,
                    progress,
                    layers,
                }));
                let numbers = projector.encode(chunk);
                self.watched.set(None);
                if self.inbox.is_cancelled(id) {
                    return Ok(Looked::Cancelled);
                }
                let numbers = numbers.ok_or_else(failed)?;
                self.memory.remember(key, part, &numbers);
                numbers
            }
        };
        let position = i32::try_from(position).map_err(|_| failed())?;
        let batch = i32::try_from(context.n_batch()).unwrap_or(i32::MAX);
        match projector.decode(context, chunk, &mut numbers, position, batch) {
            true => Ok(Looked::Read { encoded }),
            false => Err(failed()),
        }
    }

    fn needs_whole(&self, span: &Span) -> bool {
        let shape = self.shapes.get(&span.key).and_then(|s| s.get(span.part));
        matches!(shape, Some(Shape::Media { whole: true, .. }))
    }

    /// Whether a stretch is sound.
    pub fn is_sound(&self, span: &Span) -> bool {
        self.items.get(&span.key).is_some_and(Item::is_sound)
    }
}

fn chunk_of(ready: &VecDeque<(u64, Vec<Part>)>, key: u64, part: usize) -> Option<&Chunk> {
    let (_, parts) = ready.iter().find(|(ready, _)| *ready == key)?;
    match parts.get(part)? {
        Part::Media(chunk) => Some(chunk),
        Part::Tokens(_) => None,
    }
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{name} cannot be read from {}: {e}", path.display()))
}

/// Tells how far the encoder is, layer by layer, and ends it when the request is
/// stopped.
fn watch<'m>(
    watched: Rc<Cell<Option<Watched>>>,
    inbox: &'m Inbox,
    outbox: &'m Outbox,
) -> Watch<'m> {
    Box::new(move |layer| {
        let Some(now) = watched.get() else {
            return true;
        };
        let done = 1000 * (layer + 1) / now.layers.max(1);
        let encoding = now.progress.encoding.map(|encoding| Encoding {
            permille: u16::try_from(done.min(1000)).unwrap_or(1000),
            ..encoding
        });
        outbox.send(&Event::Reading(
            now.id,
            ReadProgress {
                encoding,
                ..now.progress
            },
        ));
        !inbox.is_cancelled(now.id)
    })
}

/// A number that stands for a part of an item: below -1, which llama.cpp uses
/// for no token.
fn stand_in(key: u64, part: usize, index: usize) -> LlamaToken {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&key.to_le_bytes());
    bytes[8..16].copy_from_slice(&(part as u64).to_le_bytes());
    bytes[16..].copy_from_slice(&(index as u64).to_le_bytes());
    let hash = xxh3_64(&bytes);
    // 30 bits: together with their order, enough that two never look the same.
    LlamaToken(-2 - i32::try_from(hash & 0x3fff_ffff).unwrap_or(0))
}
