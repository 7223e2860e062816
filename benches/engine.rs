//! How soon the engine answers a second turn, obeys a stop and reopens a kept
//! conversation, with a real model: `MODEL=file.gguf ./dev bench --bench engine`. Without MODEL it says
//! so and measures nothing. Figures stand in docs/performance.md.

use parlor::chat::{Message, Role, Sampling};
use parlor::engine::host::{self, Engine};
use parlor::protocol::engine::{Command, Event, Finish, KeepSpec, LoadSpec, Request, RequestId};
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;

fn main() {
    let Some(model) = std::env::var_os("MODEL") else {
        println!("engine: MODEL names no .gguf file; nothing is measured");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let spec = LoadSpec {
            model: model.into(),
            ..LoadSpec::default()
        };
        let mut engine = loaded(spec.clone()).await;
        second_turn(&mut engine).await;
        stopping(&mut engine).await;
        siblings(&mut engine).await;
        drop(engine);
        reopening(spec).await;
    });
}

async fn loaded(spec: LoadSpec) -> Engine {
    let mut engine = host::start(host::Options {
        program: env!("CARGO_BIN_EXE_parlor").into(),
        log: None,
        gpu: false,
    });
    engine.commands.send(Command::Load(spec)).unwrap();
    while !matches!(next(&mut engine).await, Event::Loaded(_)) {}
    engine
}

async fn next(engine: &mut Engine) -> Event {
    match engine.events.recv().await.expect("the engine goes on") {
        Event::LoadFailed(why) | Event::Failed(_, why) | Event::Died(why) => panic!("{why}"),
        event => event,
    }
}

fn request(id: RequestId, messages: &[Message]) -> Command {
    Command::Generate(Request {
        id,
        messages: messages.to_vec(),
        media: Vec::new(),
        opening: String::new(),
        told: false,
        conversation: Some("bench".into()),
        sampling: Sampling {
            temperature: 0.0,
            max_tokens: Some(24),
            ..Sampling::default()
        },
    })
}

/// Sends and waits for the end; also the text.
async fn answer(engine: &mut Engine, id: RequestId, messages: &[Message]) -> (Finish, String) {
    engine.commands.send(request(id, messages)).unwrap();
    let mut text = String::new();
    loop {
        match next(engine).await {
            Event::Piece(i, parlor::chat::Part::Answer(piece)) if i == id => text.push_str(&piece),
            Event::Finished(i, finish) if i == id => return (finish, text),
            _ => {}
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// First token of a second turn after about 2,000 tokens, beside the time that
/// reading the new message alone takes in an empty context.
async fn second_turn(engine: &mut Engine) {
    let story =
        "The ship left the harbour at dawn and the gulls followed it out to sea. ".repeat(118);
    let question = "Now tell me, in one short sentence and without any ornament, what the gulls did \
        after the ship had left the harbour, and why a reader should care about it at all.";
    let mut id = 0;
    let (mut second, mut alone, mut kept, mut fresh) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..ROUNDS {
        id += 2;
        let mut talk = vec![Message::new(Role::User, story.as_str())];
        let (_, text) = answer(engine, id, &talk).await;
        talk.push(Message::new(Role::Assistant, text));
        talk.push(Message::new(Role::User, question));
        let (finish, _) = answer(engine, id + 1, &talk).await;
        second.push(finish.timings.ttft_ms);
        kept = finish.usage.cached_tokens;
        fresh = finish.usage.prompt_tokens - kept;
        id += 2;
        // Something else first, so that nothing of it is in the cache.
        answer(engine, id, &[Message::new(Role::User, "x")]).await;
        let (finish, _) = answer(engine, id + 1, &[Message::new(Role::User, question)]).await;
        alone.push(finish.timings.ttft_ms);
    }
    let (second, alone) = (median(second), median(alone));
    println!(
        "second turn: {kept} tokens kept, {fresh} read, first token after {second:.0} ms; the message alone {alone:.0} ms; ratio {:.2}",
        second / alone
    );
}

/// From a stop in the middle of reading to the engine being free again.
async fn stopping(engine: &mut Engine) {
    let long = "Words without end or meaning follow one another here. ".repeat(500);
    let mut times = Vec::new();
    for round in 0..ROUNDS as u64 {
        let id = 1000 + round;
        let message = Message::new(Role::User, format!("{round} {long}"));
        engine.commands.send(request(id, &[message])).unwrap();
        let after = 256 + 100 * round as u32;
        while !matches!(next(engine).await, Event::Reading(i, p) if i == id && p.read > after) {}
        tokio::time::sleep(Duration::from_millis(13 * round)).await;
        let asked = Instant::now();
        engine.commands.send(Command::Cancel(id)).unwrap();
        while !matches!(next(engine).await, Event::Finished(i, _) if i == id) {}
        times.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    let most = times.iter().copied().fold(0.0, f64::max);
    println!(
        "stop while reading: free after {:.0} ms, at most {most:.0} ms",
        median(times)
    );
}

/// About 4,000 tokens of a conversation.
fn long_talk() -> Vec<Message> {
    let story =
        "The ship left the harbour at dawn and the gulls followed it out to sea. ".repeat(236);
    vec![Message::new(Role::User, story)]
}

/// First token of another last question after a long conversation: only what
/// differs is read.
async fn siblings(engine: &mut Engine) {
    let mut id = 3000;
    let mut talk = long_talk();
    let (_, text) = answer(engine, id, &talk).await;
    talk.push(Message::new(Role::Assistant, text));
    let with = |question: &str| {
        let mut talk = talk.clone();
        talk.push(Message::new(Role::User, question));
        talk
    };
    let versions = [
        with("And what did the gulls see when they looked down at the ship from above?"),
        with("Did the captain think that day of those whom he had left on the shore?"),
    ];
    let (mut walked, mut kept, mut fresh) = (Vec::new(), 0, 0);
    for round in 0..ROUNDS {
        id += 1;
        let (finish, _) = answer(engine, id, &versions[round % 2]).await;
        walked.push(finish.timings.ttft_ms);
        kept = finish.usage.cached_tokens;
        fresh = finish.usage.prompt_tokens - kept;
    }
    println!(
        "sibling at the end: {kept} tokens kept, {fresh} read, first token after {:.0} ms",
        median(walked)
    );
}

/// A conversation of about 4,000 tokens, after a restart: with its kept state,
/// and read anew.
async fn reopening(spec: LoadSpec) {
    let folder = std::env::temp_dir().join(format!("parlor-bench-{}", std::process::id()));
    let keeping = LoadSpec {
        keep: Some(KeepSpec {
            folder: folder.clone(),
            limit: u64::MAX,
        }),
        ..spec.clone()
    };
    let mut talk = long_talk();
    let mut engine = loaded(keeping.clone()).await;
    let (_, text) = answer(&mut engine, 1, &talk).await;
    let asked = Instant::now();
    engine.commands.send(Command::Keep).unwrap();
    while next(&mut engine).await != Event::Kept {}
    let saving = asked.elapsed().as_secs_f64() * 1000.0;
    drop(engine);
    talk.push(Message::new(Role::Assistant, text));
    talk.push(Message::new(Role::User, "And what did the gulls do?"));
    let (mut kept, mut anew, mut same) = (Vec::new(), Vec::new(), true);
    let mut tokens = 0;
    for _ in 0..3 {
        let mut texts = Vec::new();
        for (spec, times) in [(&keeping, &mut kept), (&spec, &mut anew)] {
            let mut engine = loaded(spec.clone()).await;
            let asked = Instant::now();
            engine.commands.send(request(1, &talk)).unwrap();
            let mut text = String::new();
            loop {
                match next(&mut engine).await {
                    Event::Piece(_, parlor::chat::Part::Answer(piece)) => {
                        if text.is_empty() {
                            times.push(asked.elapsed().as_secs_f64() * 1000.0);
                        }
                        text += &piece;
                    }
                    Event::Finished(_, finish) => {
                        tokens = finish.usage.prompt_tokens;
                        break;
                    }
                    _ => {}
                }
            }
            texts.push(text);
        }
        same &= texts[0] == texts[1];
    }
    let size = std::fs::metadata(folder.join("bench.state")).map_or(0, |m| m.len());
    let _ = std::fs::remove_dir_all(&folder);
    let (kept, anew) = (median(kept), median(anew));
    println!(
        "reopening {tokens} tokens: first text after {kept:.0} ms with the kept state ({} MB, written in {saving:.0} ms), {anew:.0} ms read anew; {:.1} %; the same text: {same}",
        size / 1_000_000,
        100.0 * kept / anew
    );
}
