//! `parlor caption`: a caption for each of many pictures.

use super::Fail;
use super::args::Caption;
use super::output::{Progress, print};
use super::setup::{self, Asked};
use crate::chat::{Message, Part, Role, Sampling};
use crate::engine::host::Engine;
use crate::protocol::engine::{Command, Event, ModelFacts, Request};
use crate::runtime::attach::Shelf;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Endings of the files that are taken out of a folder.
const ENDINGS: [&str; 13] = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "svg",
    "apng",
];

/// How long a caption is, and what asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Length {
    Short,
    #[default]
    Medium,
    Long,
}

impl Length {
    fn prompt(self) -> &'static str {
        match self {
            Length::Short => "Describe this picture in a few words.",
            Length::Medium => "Describe this picture.",
            Length::Long => "Describe this picture in detail.",
        }
    }
}

/// One line of the output.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Captioned {
    file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    seconds: f64,
}

pub fn run(caption: &Caption, asked: Asked) -> Result<(), Fail> {
    let asked = asked.with(&caption.tuning);
    let config = setup::config()?;
    // The same picture has the same caption, unless otherwise is asked for.
    let plain = Sampling {
        temperature: 0.0,
        repeat_penalty: 1.0,
        ..config.sampling.clone()
    };
    let sampling = caption.sampling.over(plain)?;
    let files = gather(&caption.pictures)?;
    let done = match &caption.output {
        Some(path) => read(path)?,
        None => HashMap::new(),
    };
    let prompt = caption.prompt.as_deref().unwrap_or(caption.length.prompt());
    let spec = setup::spec(&config, &asked)?;
    setup::run(async {
        let mut engine = setup::engine()?;
        let _ = engine.commands.send(Command::Load(spec));
        let facts = loaded(&mut engine).await?;
        if !facts.sees {
            let name = &facts.file;
            return Err(Fail::Failed(format!(
                "{name} cannot see: name a model with eyes (its mmproj file beside it, or with --mmproj FILE); `parlor models list` shows which can"
            )));
        }
        let mut work = Work {
            engine,
            shelf: Shelf::new(None),
            prompt,
            sampling,
            next: 1,
            context: facts.context,
        };
        tokio::select! {
            done = work.all(caption, &files, &done) => done,
            _ = tokio::signal::ctrl_c() => Err(Fail::Interrupted),
        }
    })
}

/// The pictures: files as they are named, those in folders by their endings,
/// patterns as a shell would read them.
fn gather(named: &[PathBuf]) -> Result<Vec<PathBuf>, Fail> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            walk(path, &mut files)?;
        } else if path.exists() || !is_pattern(path) {
            files.push(path.clone());
        } else {
            let pattern = path.to_string_lossy();
            let wrong = |e| Fail::Usage(format!("{pattern} is no pattern: {e}"));
            let before = files.len();
            files.extend(glob::glob(&pattern).map_err(wrong)?.flatten());
            if files.len() == before {
                return Err(Fail::Failed(format!("no file matches {pattern}")));
            }
        }
    }
    match files.is_empty() {
        true => Err(Fail::Failed("there are no pictures there".into())),
        false => Ok(files),
    }
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Fail> {
    let wrong = |e| Fail::Failed(format!("cannot read {}: {e}", folder.display()));
    let entries = fs::read_dir(folder).map_err(wrong)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let link = path.is_symlink();
        if path.is_dir() && !link {
            walk(&path, files)?;
        } else if path.is_file() && has_ending(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn has_ending(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

/// What an earlier run wrote, by file; only whole lines count.
fn read(path: &Path) -> Result<HashMap<String, Captioned>, Fail> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Fail::Failed(format!("{}: {error}", path.display()))),
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut done = HashMap::new();
    for line in lines {
        // The last line may be half: the run was killed in it.
        if let Ok(one) = serde_json::from_str::<Captioned>(line)
            && one.caption.is_some()
        {
            done.insert(one.file.clone(), one);
        }
    }
    Ok(done)
}

async fn loaded(engine: &mut Engine) -> Result<ModelFacts, Fail> {
    let mut progress = Progress::new();
    while let Some(event) = engine.events.recv().await {
        match event {
            Event::Loading(permille) => {
                progress.show(&format!("loading the model: {} %", permille / 10));
            }
            Event::Loaded(facts) => {
                progress.clear();
                return Ok(facts);
            }
            Event::LoadFailed(why) | Event::Died(why) => {
                progress.clear();
                return Err(Fail::Failed(why));
            }
            Event::Told(words) => progress.notice(&words),
            _ => {}
        }
    }
    Err(Fail::Failed("the engine ended".into()))
}

struct Work<'w> {
    engine: Engine,
    shelf: Shelf,
    prompt: &'w str,
    sampling: Sampling,
    next: u64,
    context: u32,
}

impl Work<'_> {
    async fn all(
        &mut self,
        caption: &Caption,
        files: &[PathBuf],
        done: &HashMap<String, Captioned>,
    ) -> Result<(), Fail> {
        let mut out = match &caption.output {
            Some(path) => Some(open(path)?),
            None => None,
        };
        let mut progress = Progress::new();
        let mut failed = 0;
        for (at, path) in files.iter().enumerate() {
            let file = path.display().to_string();
            if files.len() > 1 {
                progress.show(&format!("{} of {}: {file}", at + 1, files.len()));
            }
            let one = match self.one(path, done.get(&file)).await {
                Ok(None) => continue,
                Ok(Some(one)) => one,
                Err(why) => Captioned {
                    file,
                    caption: None,
                    error: Some(why),
                    digest: String::new(),
                    seconds: 0.0,
                },
            };
            progress.clear();
            failed += usize::from(one.error.is_some());
            tell(&one, caption.json, files.len() > 1, out.as_mut())?;
        }
        progress.clear();
        match failed {
            0 => Ok(()),
            n => Err(Fail::Failed(format!(
                "{n} of {} pictures have no caption",
                files.len()
            ))),
        }
    }

    /// The caption of one picture; None when an earlier run made it.
    async fn one(
        &mut self,
        path: &Path,
        before: Option<&Captioned>,
    ) -> Result<Option<Captioned>, String> {
        let started = std::time::Instant::now();
        let one = self.shelf.take_file(path, true)?;
        if before.is_some_and(|before| before.digest == one.digest) {
            return Ok(None);
        }
        let content = format!("{}\n{}", one.marker(), self.prompt);
        let id = self.next;
        self.next += 1;
        let media = self.shelf.media([content.as_str()]);
        let request = Request {
            id,
            messages: vec![Message::new(Role::User, content)],
            media,
            opening: String::new(),
            told: false,
            sampling: Sampling {
                max_tokens: self.sampling.max_tokens.or(Some(self.context / 2)),
                ..self.sampling.clone()
            },
            conversation: None,
        };
        let _ = self.engine.commands.send(Command::Generate(request));
        let mut text = String::new();
        while let Some(event) = self.engine.events.recv().await {
            match event {
                Event::Piece(_, Part::Answer(piece)) => text.push_str(&piece),
                Event::Finished(of, _) if of == id => {
                    return Ok(Some(Captioned {
                        file: path.display().to_string(),
                        caption: Some(text.trim().to_string()),
                        error: None,
                        digest: one.digest,
                        seconds: started.elapsed().as_secs_f64(),
                    }));
                }
                Event::Failed(of, why) if of == id => return Err(why),
                Event::Died(why) | Event::LoadFailed(why) => return Err(why),
                _ => {}
            }
        }
        Err("the engine ended".into())
    }
}

/// Opened so that what is there stays, with a whole line at its end.
fn open(path: &Path) -> Result<File, Fail> {
    let wrong = |e| Fail::Failed(format!("{}: {e}", path.display()));
    let half = fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|b| *b != b'\n'));
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(wrong)?;
    if half {
        file.write_all(b"\n").map_err(wrong)?;
    }
    Ok(file)
}

fn tell(one: &Captioned, json: bool, many: bool, out: Option<&mut File>) -> Result<(), Fail> {
    let line = serde_json::to_string(one).map_err(Fail::failed)? + "\n";
    if let Some(file) = out {
        file.write_all(line.as_bytes()).map_err(Fail::failed)?;
    } else if json {
        print(&line)?;
    }
    if json {
        return Ok(());
    }
    match (&one.caption, &one.error) {
        (Some(caption), _) if many => print(&format!("{}: {caption}\n", one.file)),
        (Some(caption), _) => print(&format!("{caption}\n")),
        (None, Some(why)) => {
            Progress::new().notice(&format!("{}: {why}", one.file));
            Ok(())
        }
        (None, None) => Ok(()),
    }
}
