//! A real engine: the host, and a child process of the real binary.

use parlor::chat::{Message, Part, Role, Sampling};
use parlor::engine::host::{self, Engine};
use parlor::protocol::engine::{Auto, Command, Event, Finish, LoadSpec, Request, RequestId};
use parlor::protocol::tuning::Tuning;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Long enough for anything on a busy machine; only a bug waits so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_parlor").into()
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

pub fn start(folder: &Path) -> Engine {
    host::start(host::Options {
        program: program(),
        log: Some(folder.join("engine.log")),
        gpu: false,
    })
}

pub fn spec(model: PathBuf) -> LoadSpec {
    LoadSpec {
        model,
        tuning: Tuning {
            threads: Auto::Set(1),
            ..Tuning::default()
        },
        ..LoadSpec::default()
    }
}

/// An engine with this model loaded.
pub async fn loaded(folder: &Path, model: PathBuf) -> Engine {
    let mut engine = start(folder);
    engine.commands.send(Command::Load(spec(model))).unwrap();
    until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
    engine
}

pub fn greedy(max: u32) -> Sampling {
    Sampling {
        temperature: 0.0,
        max_tokens: Some(max),
        ..Sampling::default()
    }
}

pub fn question(id: RequestId, text: &str, sampling: Sampling) -> Request {
    Request {
        id,
        messages: vec![Message::new(Role::User, text)],
        media: Vec::new(),
        opening: String::new(),
        told: false,
        conversation: None,
        sampling,
    }
}

/// The next event; a test that waits in vain fails.
pub async fn next(engine: &mut Engine) -> Event {
    tokio::time::timeout(PATIENCE, engine.events.recv())
        .await
        .expect("the engine says nothing")
        .expect("the host has ended")
}

/// Waits for an event and returns it; a failure that was not waited for fails.
pub async fn until(engine: &mut Engine, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = next(engine).await;
        if wanted(&event) {
            return event;
        }
        if let Event::LoadFailed(why) | Event::Failed(_, why) | Event::Died(why) = &event {
            panic!("unexpected: {why}");
        }
    }
}

/// A whole answer.
pub struct Answer {
    pub text: String,
    pub thinking: String,
    pub pieces: usize,
    pub finish: Finish,
}

pub async fn answer(engine: &mut Engine, request: Request) -> Answer {
    let id = request.id;
    engine.commands.send(Command::Generate(request)).unwrap();
    let (mut text, mut thinking, mut pieces) = (String::new(), String::new(), 0);
    loop {
        match next(engine).await {
            Event::Piece(i, part) if i == id => {
                pieces += 1;
                match part {
                    Part::Answer(t) => text.push_str(&t),
                    Part::Thinking(t) => thinking.push_str(&t),
                }
            }
            Event::Finished(i, finish) if i == id => {
                return Answer {
                    text,
                    thinking,
                    pieces,
                    finish,
                };
            }
            Event::LoadFailed(why) | Event::Failed(_, why) | Event::Died(why) => {
                panic!("unexpected: {why}");
            }
            _ => {}
        }
    }
}
