//! `parlor bench`: speed through the same child process and pipe as the chat.

use super::args::Bench;
use super::output::Progress;
use super::setup::Asked;
use super::{Fail, output, setup};
use crate::engine::host::Engine;
use crate::protocol::engine::{Auto, BenchSpec, Command, Event, LoadSpec, ModelFacts};
use serde_json::json;

/// Room in the context beyond what is measured.
const SPARE: u32 = 16;

/// The middle, the least and the most of some rounds.
#[derive(Debug, Clone, Copy, serde::Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

pub fn run(bench: &Bench, asked: Asked) -> Result<(), Fail> {
    if bench.prompt == 0 && bench.generate == 0 {
        let words = "there is nothing to measure: -p and -n are both 0";
        return Err(Fail::Usage(words.into()));
    }
    let config = setup::config()?;
    let room = bench.depth.saturating_add(bench.prompt.max(bench.generate));
    let asked = asked.with(&bench.tuning);
    let mut spec = setup::spec(&config, &asked)?;
    spec.tuning.context = Auto::Set(room.saturating_add(SPARE));
    setup::run(async {
        let mut engine = setup::engine()?;
        tokio::select! {
            done = measure(&mut engine, spec, bench) => done,
            _ = tokio::signal::ctrl_c() => Err(Fail::Interrupted),
        }
    })
}

async fn measure(engine: &mut Engine, spec: LoadSpec, bench: &Bench) -> Result<(), Fail> {
    let mut progress = Progress::new();
    let _ = engine.commands.send(Command::Load(spec));
    let mut facts = ModelFacts::default();
    let (mut reading, mut writing) = (Vec::new(), Vec::new());
    // Round 0 warms up: it touches every weight and is not counted.
    for round in 0..=bench.rounds {
        progress.show(&format!("round {round} of {}", bench.rounds));
        let generate = if round == 0 {
            bench.generate.min(8)
        } else {
            bench.generate
        };
        let _ = engine.commands.send(Command::Bench(BenchSpec {
            id: u64::from(round) + 1,
            prompt: bench.prompt,
            generate,
            depth: bench.depth,
        }));
        let (prefill, written) = finished(engine, &mut facts).await?;
        if round > 0 {
            reading.push(prefill);
            writing.push(written);
        }
    }
    progress.clear();
    output::print(&report(bench, &facts, spread(reading), spread(writing)))
}

/// Waits for the end of a round.
async fn finished(engine: &mut Engine, facts: &mut ModelFacts) -> Result<(f64, f64), Fail> {
    while let Some(event) = engine.events.recv().await {
        match event {
            Event::Loaded(loaded) => *facts = loaded,
            Event::Measured {
                prefill_tps,
                generate_tps,
                ..
            } => return Ok((prefill_tps, generate_tps)),
            Event::LoadFailed(why) | Event::Failed(_, why) | Event::Died(why) => {
                return Err(Fail::Failed(why));
            }
            Event::Told(words) => Progress::new().notice(&words),
            Event::Loading(_)
            | Event::Adapted(_)
            | Event::Quantizing(_)
            | Event::Quantized(_)
            | Event::Rested
            | Event::Reading(..)
            | Event::Piece(..)
            | Event::Finished(..)
            | Event::Rendered(..)
            | Event::Weighed(..)
            | Event::Refused(_)
            | Event::Kept
            | Event::Devices(_) => {}
        }
    }
    Err(Fail::failed("the engine ended before it was measured"))
}

fn spread(mut rounds: Vec<f64>) -> Spread {
    rounds.sort_by(f64::total_cmp);
    let at = |i: usize| rounds.get(i).copied().unwrap_or_default();
    let middle = rounds.len() / 2;
    let median = if rounds.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.saturating_sub(1)), at(middle))
    };
    Spread {
        median,
        min: at(0),
        max: at(rounds.len().saturating_sub(1)),
    }
}

fn report(bench: &Bench, facts: &ModelFacts, reading: Spread, writing: Spread) -> String {
    if bench.json {
        let object = json!({
            "model": facts.file,
            "threads": facts.threads,
            "gpu_layers": facts.gpu_layers,
            "prompt_tokens": bench.prompt,
            "generate_tokens": bench.generate,
            "depth": bench.depth,
            "rounds": bench.rounds,
            "prefill_tps": reading,
            "generate_tps": writing,
        });
        return output::json_line(&object);
    }
    let line = |what: &str, tokens: u32, s: Spread| {
        format!(
            "{what} {tokens:>6} tokens  {:>10.2} tokens/s  (least {:.2}, most {:.2})\n",
            s.median, s.min, s.max
        )
    };
    format!(
        "{}, {} threads, depth {}, {} rounds\n{}{}",
        facts.file,
        facts.threads,
        bench.depth,
        bench.rounds,
        line("reading", bench.prompt, reading),
        line("writing", bench.generate, writing)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_rounds_is_between_the_middle_two() {
        let s = spread(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((s.median, s.min, s.max), (2.5, 1.0, 4.0));
    }
}
