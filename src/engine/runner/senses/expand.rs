//! From messages with attachments to text with places for pictures and sounds,
//! and what stands at each place.

use super::{Film, Item, Senses, Source, read};
use crate::chat::attachment::{self, Attachment, Kind, Piece};
use crate::chat::{Message, Role};
use crate::media;
use crate::protocol::engine::MediaFile;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// Stands on both sides of an item's key in the text.
pub const PLACE: char = '\u{fffc}';
/// The longest stretch of sound that is given at once, in milliseconds, and how
/// much of it the next one repeats.
const LONGEST: u64 = 30_000;
const OVERLAP: u64 = 1_000;
/// Pictures that are taken of a film at most, and in a second.
const FRAMES: usize = 48;
const PER_SECOND: f32 = 1.0;
/// Films that stay taken apart.
const HELD_FILMS: usize = 2;
/// Bytes of a text that are given to the model at most.
const TEXT: usize = 400_000;

/// A film as it was taken: when each frame is, and how long its sound.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub(super) frames: Vec<(u64, media::Pixels)>,
    pub(super) track: Option<media::Samples>,
    ms: u64,
}

/// Messages as they are given to the template, and what the person should know.
#[derive(Debug, Default)]
pub struct Told {
    pub messages: Vec<Message>,
    pub items: HashMap<u64, Item>,
    pub notes: Vec<String>,
}

impl Told {
    /// The item with this key, where it is one.
    pub fn item(&self, key: &str) -> Option<&Item> {
        let key = (key.len() == 16).then(|| u64::from_str_radix(key, 16).ok());
        self.items.get(&key.flatten()?)
    }
}

impl Senses<'_> {
    /// Puts places where attachments stand. What the model cannot take is an
    /// error in the last message, and words in those before: the conversation
    /// may have begun with another model.
    pub fn expand(
        &mut self,
        messages: &[Message],
        files: &[MediaFile],
        room: usize,
    ) -> Result<Told, String> {
        let mut told = Told::default();
        let last = messages.iter().rposition(|m| m.role == Role::User);
        for (at, message) in messages.iter().enumerate() {
            let new = Some(at) == last;
            let mut content = String::with_capacity(message.content.len());
            for piece in attachment::pieces(&message.content) {
                match piece {
                    Piece::Text(text) => content.extend(text.chars().filter(|c| *c != PLACE)),
                    Piece::Attached(a) if message.role != Role::User => {
                        let _ = write!(content, "[{}]", a.name);
                    }
                    Piece::Attached(a) => match self.attached(&a, files, room, &mut told, new) {
                        Ok(text) => content.push_str(&text),
                        Err(why) if new => return Err(why),
                        Err(_) => {
                            let _ = write!(content, "[{} {}]", a.kind.name(), a.name);
                        }
                    },
                }
            }
            told.messages.push(Message::new(message.role, content));
        }
        Ok(told)
    }

    /// What stands in the text for one attachment.
    pub fn attached(
        &mut self,
        a: &Attachment,
        files: &[MediaFile],
        room: usize,
        told: &mut Told,
        new: bool,
    ) -> Result<String, String> {
        let file = files.iter().find(|f| f.digest == a.digest);
        let path = file.map(|f| f.path.clone()).filter(|p| p.exists());
        let path =
            path.ok_or_else(|| format!("{} is not there any more; attach it again", a.name))?;
        let mut notes = Vec::new();
        let text = match a.kind {
            Kind::Text => quote(a, &path, &mut notes)?,
            Kind::Picture => {
                self.must_see(a)?;
                let source = Source::Picture(path);
                place(told, item(&a.digest, "picture", &a.name, source))
            }
            Kind::Sound => {
                self.must_hear(a)?;
                self.sound(a, &path, told, &mut notes)?
            }
            Kind::Film => {
                self.must_see(a)?;
                self.film(a, &path, room, told, &mut notes)?
            }
        };
        if new {
            told.notes.extend(notes);
        }
        Ok(text)
    }

    fn must_see(&self, a: &Attachment) -> Result<(), String> {
        match self.sees() {
            true => Ok(()),
            false => Err(cannot(a, "see", "a model with eyes (vision)")),
        }
    }

    fn must_hear(&self, a: &Attachment) -> Result<(), String> {
        match self.hears() {
            true => Ok(()),
            false => Err(cannot(a, "hear", "a model with ears (audio)")),
        }
    }

    fn sound(
        &self,
        a: &Attachment,
        path: &Path,
        told: &mut Told,
        notes: &mut Vec<String>,
    ) -> Result<String, String> {
        let ms = match a.ms {
            0 => {
                let bytes = read(path, &a.name)?;
                let samples = media::sound(&bytes, self.rate(), &self.terms());
                samples.map_err(|e| format!("{}: {e}", a.name))?.length_ms()
            }
            ms => ms,
        };
        let source = |from, to| Source::Sound(path.to_path_buf(), from, to);
        Ok(stretches(a, ms, source, told, notes))
    }

    fn film(
        &mut self,
        a: &Attachment,
        path: &Path,
        room: usize,
        told: &mut Told,
        notes: &mut Vec<String>,
    ) -> Result<String, String> {
        let mut film = Film {
            attachment: a.clone(),
            path: path.to_path_buf(),
            most: FRAMES,
        };
        let count = self.take(&film)?.frames.len();
        // As many frames as half the context holds.
        let first = item(
            &a.digest,
            &what(0, count),
            &a.name,
            Source::Frame(film.clone(), 0),
        );
        let cost = self.tokens(&first, 0)?.0.len() + 8;
        let most = (room / 2 / cost).clamp(1, FRAMES);
        if count > most {
            film.most = most;
        }
        let hears = self.hears();
        let taken = self.take(&film)?;
        let (count, ms) = (taken.frames.len(), taken.ms);
        notes.push(format!(
            "{}: {count} pictures of {} are shown to the model.",
            a.name,
            attachment::length(ms)
        ));
        let mut text = String::new();
        for (number, (at, _)) in taken.frames.iter().enumerate() {
            let source = Source::Frame(film.clone(), number);
            let frame = place(told, item(&a.digest, &what(number, count), &a.name, source));
            let _ = writeln!(text, "[{}]{frame}", clock(*at));
        }
        if let Some(track) = taken.track.as_ref().filter(|_| hears) {
            let source = |from, to| Source::Track(film.clone(), from, to);
            text.push_str(&stretches(a, track.length_ms(), source, told, notes));
        } else if taken.track.is_some() {
            notes.push(format!("{}: the model does not hear its sound.", a.name));
        }
        Ok(text)
    }

    /// The film taken apart; those that were used last are held.
    pub(super) fn take(&mut self, film: &Film) -> Result<&Taken, String> {
        match self.films.iter().position(|(held, _)| held == film) {
            Some(at) => self.films.swap(at, 0),
            None => {
                let taken = self.take_apart(film)?;
                self.films.truncate(HELD_FILMS - 1);
                self.films.push_front((film.clone(), taken));
            }
        }
        let name = &film.attachment.name;
        let taken = self.films.front().map(|(_, taken)| taken);
        taken.ok_or_else(|| format!("{name} cannot be taken apart"))
    }

    fn take_apart(&self, film: &Film) -> Result<Taken, String> {
        let Film {
            attachment: a,
            path,
            most,
        } = film;
        let pace = media::Pace {
            most: *most,
            per_second: PER_SECOND,
        };
        let fault = |e: media::Fault| format!("{}: {e}", a.name);
        if a.count > 1 {
            // A picture that moves needs no other program.
            let bytes = read(path, &a.name)?;
            let frames = media::frames(&bytes, &pace, &self.terms()).map_err(fault)?;
            return Ok(Taken {
                frames: frames.into_iter().map(|f| (f.at_ms, f.pixels)).collect(),
                track: None,
                ms: a.ms,
            });
        }
        let rate = self.hears().then(|| self.rate());
        let film = media::film(path, &pace, rate, &self.terms()).map_err(fault)?;
        Ok(Taken {
            frames: film
                .frames
                .into_iter()
                .map(|f| (f.at_ms, f.pixels))
                .collect(),
            track: film.sound,
            ms: film.length_ms,
        })
    }
}

/// Tells a frame from others of its film, and from the same one among fewer.
fn what(number: usize, count: usize) -> String {
    format!("frame {number} of {count}")
}

fn cannot(a: &Attachment, verb: &str, other: &str) -> String {
    format!(
        "this model cannot {verb}: {} cannot be given to it; /model chooses {other}",
        a.name
    )
}

/// A place for an item in the text.
fn place(told: &mut Told, item: Item) -> String {
    let text = format!("{PLACE}{:016x}{PLACE}", item.key);
    told.items.insert(item.key, item);
    text
}

fn item(digest: &str, what: &str, name: &str, source: Source) -> Item {
    Item {
        key: xxh3_64(format!("{digest} {what}").as_bytes()),
        name: name.into(),
        source,
    }
}

/// A sound in stretches, where it is longer than one.
fn stretches(
    a: &Attachment,
    ms: u64,
    source: impl Fn(u64, u64) -> Source,
    told: &mut Told,
    notes: &mut Vec<String>,
) -> String {
    let parts = media::split(ms, LONGEST, OVERLAP);
    if parts.len() > 1 {
        notes.push(format!(
            "{}: {} of sound are given to the model in {} stretches.",
            a.name,
            attachment::length(ms),
            parts.len()
        ));
    }
    let mut text = String::new();
    for part in &parts {
        let what = format!("sound {}-{}", part.start, part.end);
        let stretch = item(&a.digest, &what, &a.name, source(part.start, part.end));
        if parts.len() > 1 {
            let _ = write!(text, "[{}–{}]", clock(part.start), clock(part.end));
        }
        text.push_str(&place(told, stretch));
        if parts.len() > 1 {
            text.push('\n');
        }
    }
    text
}

/// Minutes and seconds.
fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A text file with its name, in a fence that nothing in it can close.
fn quote(a: &Attachment, path: &Path, notes: &mut Vec<String>) -> Result<String, String> {
    let bytes = read(path, &a.name)?;
    let excerpt = media::text(&bytes, &a.name, TEXT).map_err(|e| format!("{}: {e}", a.name))?;
    if let Some(cut) = &excerpt.cut {
        notes.push(format!(
            "{}: only its first {} of {} lines are given to the model.",
            a.name, cut.shown_lines, cut.all_lines
        ));
    }
    let longest = excerpt
        .text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let text: String = excerpt.text.chars().filter(|c| *c != PLACE).collect();
    Ok(format!(
        "\n\n{}:\n{fence}{}\n{}\n{fence}\n",
        a.name,
        excerpt.language,
        text.trim_end_matches('\n')
    ))
}
