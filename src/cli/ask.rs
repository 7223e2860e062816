//! `parlor ask`: one answer on standard output.

use super::args::Ask;
use super::output::{Progress, Stream};
use super::setup::Asked;
use super::{Fail, attach, input, output, saved, setup};
use crate::chat::{Attachment, Source};
use crate::chat::{FinishReason, Message, Part, Persona, Role, Timings, message};
use crate::config::{Config, paths};
use crate::engine::host::Engine;
use crate::help::guide::{Speaker, prepare};
use crate::protocol::engine::{Command, Event, Finish, ReadProgress, Request};
use crate::runtime::attach::Shelf;
use serde_json::json;

const ID: u64 = 1;

/// What has come of the answer so far.
#[derive(Default)]
pub struct Reply {
    pub text: String,
    pub thinking: String,
    model: String,
    load_ms: f64,
    pub finish: Option<Finish>,
    /// The passages of the help that the answer was made from.
    sources: Vec<Source>,
    /// Why the engine could not go on.
    pub error: Option<String>,
}

pub fn run(ask: Ask, asked: Asked, system: Option<String>) -> Result<(), Fail> {
    let mut asked = asked.with(&ask.tuning);
    let config = setup::config()?;
    let sampling = ask.sampling.over(config.sampling.clone())?;
    let mut kept = saved::Kept::of(&ask, system.as_deref(), &config.system)?;
    // What is not kept stays where it is.
    let shelf = Shelf::new(paths::data_folder().filter(|_| kept.is_some()).as_deref());
    let attached = ask.attach.take(&shelf, kept.is_none())?;
    let messages = match &mut kept {
        Some(kept) => kept.ask(prompt(&ask, &attached)?),
        None => conversation(&ask, &attached, system.as_deref(), &config.system)?,
    };
    // A saved conversation goes on with its own model where none is named.
    let own = kept.as_ref().and_then(saved::Kept::model);
    let own = own.filter(|_| config.model.is_none());
    asked.model = asked.model.take().or(own);
    let starter = setup::is_starter(&config, asked.model.as_deref());
    let speaker = speaker(&ask, &config, starter)?;
    let keymap = setup::keymap(&config).unwrap_or_default();
    let named = asked
        .model
        .clone()
        .or_else(|| config.model.clone())
        .unwrap_or_default();
    let spec = setup::spec(&config, &asked)?;
    let seed = sampling.seed;
    setup::run(async {
        let mut engine = setup::engine()?;
        let _ = engine.commands.send(Command::Load(spec));
        // The search through the help learns while the model loads.
        let guided = tokio::task::spawn_blocking(move || prepare(messages, speaker, &keymap))
            .await
            .map_err(Fail::failed)?;
        let texts = guided.messages.iter().map(|m| m.content.as_str());
        let media = shelf.media(texts);
        let request = Request {
            id: ID,
            messages: guided.messages,
            media,
            opening: guided.opening,
            told: false,
            sampling,
            conversation: kept.as_ref().map(|kept| kept.id().to_string()),
        };
        if let Some(kept) = &mut kept {
            kept.begin(&request, &named, &guided.sources)?;
        }
        let mut reply = Reply {
            sources: guided.sources,
            ..Reply::default()
        };
        let interrupted = tokio::select! {
            done = answer(&mut engine, request, &mut reply, &mut kept, ask.json) => done.map(|()| false),
            _ = tokio::signal::ctrl_c() => Ok(true),
        };
        if !matches!(interrupted, Ok(false)) {
            let _ = engine.commands.send(Command::Cancel(ID));
        }
        // What was said so far is kept, whatever ended it.
        if let Some(kept) = &mut kept {
            kept.end(&reply, !matches!(interrupted, Ok(false)))?;
        }
        let interrupted = interrupted?;
        let id = kept.as_ref().map(saved::Kept::id);
        let told = conclude(&reply, ask.json, seed, interrupted, id);
        if kept.is_some() {
            setup::leave(engine).await;
        }
        told
    })
}

/// The messages: a prompt with the written system prompt or else the
/// configured one, or a file's as they are, after the written system prompt.
fn conversation(
    ask: &Ask,
    attached: &[Attachment],
    written: Option<&str>,
    configured: &str,
) -> Result<Vec<Message>, Fail> {
    let Some(path) = &ask.messages else {
        let system = written.unwrap_or(configured);
        return Ok(message::single(system, prompt(ask, attached)?));
    };
    let mut messages = input::messages(path)?;
    if let Some(last) = messages.iter_mut().rev().find(|m| m.role == Role::User) {
        last.content = attach::message(&last.content, attached);
    }
    if let Some(system) = written {
        if messages.iter().any(|m| m.role == Role::System) {
            let words = "--system and a system message in --messages exclude each other; drop one";
            return Err(Fail::Usage(words.into()));
        }
        messages.insert(0, Message::new(Role::System, system));
    }
    Ok(messages)
}

/// The prompt with what is attached; with something attached there need not be
/// any words.
fn prompt(ask: &Ask, attached: &[Attachment]) -> Result<String, Fail> {
    let words = match (input::prompt(ask.prompt.as_deref()), &ask.prompt) {
        (Err(Fail::Usage(_)), None) if !attached.is_empty() => String::new(),
        (words, _) => words?,
    };
    Ok(attach::message(&words, attached).trim_end().to_string())
}

/// Who speaks as the guide, if anybody does.
fn speaker(ask: &Ask, config: &Config, starter: bool) -> Result<Option<Speaker>, Fail> {
    let persona = match &ask.persona {
        Some(name) => Persona::named(name).map_err(Fail::Usage)?,
        None => config.persona,
    };
    Ok(Speaker::of(persona, starter))
}

async fn answer(
    engine: &mut Engine,
    request: Request,
    reply: &mut Reply,
    kept: &mut Option<saved::Kept>,
    quiet: bool,
) -> Result<(), Fail> {
    let mut progress = Progress::new();
    let mut stream = Stream::new();
    let _ = engine.commands.send(Command::Generate(request));
    while let Some(event) = engine.events.recv().await {
        match event {
            Event::Loading(permille) => {
                progress.show(&format!("loading the model: {} %", permille / 10));
            }
            Event::Loaded(facts) => {
                reply.model = facts.file;
                reply.load_ms = facts.load_ms as f64;
                progress.clear();
            }
            Event::Reading(_, read) => progress.show(&reading(read)),
            Event::Piece(_, Part::Thinking(text)) => {
                reply.thinking.push_str(&text);
                let words = reply.thinking.split_whitespace().count();
                progress.show(&format!("thinking: {words} words"));
            }
            Event::Piece(_, Part::Answer(text)) => {
                progress.clear();
                reply.text.push_str(&text);
                if let Some(kept) = kept {
                    kept.grow(reply)?;
                }
                if !quiet {
                    stream.write(&text).await?;
                }
            }
            Event::Finished(_, finish) => {
                progress.clear();
                if let Some(notice) = &finish.notice {
                    progress.notice(notice);
                }
                reply.finish = Some(finish);
                break;
            }
            Event::LoadFailed(why) | Event::Failed(_, why) | Event::Died(why) => {
                progress.clear();
                reply.error = Some(why);
                break;
            }
            Event::Told(words) => progress.notice(&words),
            Event::Rendered(..)
            | Event::Weighed(..)
            | Event::Measured { .. }
            | Event::Devices(_)
            | Event::Adapted(_)
            | Event::Quantizing(_)
            | Event::Quantized(_)
            | Event::Rested
            | Event::Kept
            | Event::Refused(_) => {}
        }
    }
    if !quiet {
        stream.end().await?;
    }
    if let (false, Some(source)) = (quiet, reply.sources.first()) {
        progress.notice(&format!("from the help: “{}”", source.title));
    }
    Ok(())
}

/// The progress line while the prompt is read.
fn reading(read: ReadProgress) -> String {
    if let Some(encoding) = read.encoding {
        let what = if encoding.sound { "sound" } else { "picture" };
        let (number, count) = (encoding.number, encoding.count);
        return format!(
            "encoding {what} {number} of {count}: {} %",
            encoding.permille / 10
        );
    }
    let left = match read.left_ms {
        Some(ms) if ms >= 1000 => format!(", {} s left", ms.div_ceil(1000)),
        _ => String::new(),
    };
    format!("reading: {} of {} tokens{left}", read.read, read.total)
}

fn conclude(
    reply: &Reply,
    json: bool,
    seed: Option<u32>,
    interrupted: bool,
    conversation: Option<&str>,
) -> Result<(), Fail> {
    let reason = match (&reply.finish, interrupted) {
        (Some(finish), _) => finish.reason,
        (None, true) => FinishReason::Cancelled,
        (None, false) => FinishReason::Error,
    };
    if json {
        let mut object = object(reply, reason, seed);
        object["conversation"] = conversation.into();
        output::print_json(&object)?;
    }
    match (interrupted, &reply.error) {
        (true, _) => Err(Fail::Interrupted),
        (false, Some(why)) => Err(Fail::Failed(why.clone())),
        (false, None) if reply.finish.is_none() => {
            Err(Fail::Failed("the engine ended without an answer".into()))
        }
        (false, None) => Ok(()),
    }
}

fn object(reply: &Reply, reason: FinishReason, seed: Option<u32>) -> serde_json::Value {
    let finish = reply.finish.as_ref();
    let timings = Timings {
        load_ms: reply.load_ms,
        ..finish.map(|f| f.timings).unwrap_or_default()
    };
    let thinking = Some(&reply.thinking).filter(|t| !t.is_empty());
    json!({
        "text": reply.text,
        "thinking": thinking,
        "finish_reason": reason,
        "model": reply.model,
        "source": reply.sources.first().map(|s| &s.id),
        "sources": reply.sources.iter().map(|s| &s.id).collect::<Vec<_>>(),
        "seed": finish.map(|f| f.seed).or(seed),
        "usage": finish.map(|f| f.usage).unwrap_or_default(),
        "timings": timings,
    })
}
