//! `parlor quantize`: writes a model anew in another number type.

use super::args::Quantize;
use super::output::{self, Progress};
use super::{Fail, setup};
use crate::chat::size::bytes;
use crate::config::spec;
use crate::protocol::engine::{Auto, Command, Event, QUANTIZING, QuantizeSpec};
use crate::protocol::quantization;

pub fn run(quantize: &Quantize) -> Result<(), Fail> {
    let config = setup::config()?;
    quantization::number(&quantize.kind).map_err(Fail::Usage)?;
    let from = spec::find(&config, &quantize.input)
        .map_err(Fail::Failed)?
        .path;
    let to = &quantize.output;
    if to.exists() && !quantize.force {
        let words = format!(
            "{} is there already; pass --force to write over it",
            to.display()
        );
        return Err(Fail::Failed(words));
    }
    if same(&from, to) {
        return Err(Fail::Usage("a model cannot be written over itself".into()));
    }
    let command = Command::Quantize(QuantizeSpec {
        from: from.clone(),
        to: to.clone(),
        kind: quantize.kind.clone(),
        threads: quantize.threads.map_or(config.engine.threads, Auto::Set),
        again: quantize.again,
    });
    let written = setup::run(async {
        let mut engine = setup::engine()?;
        let _ = engine.commands.send(command);
        let mut progress = Progress::new();
        let work = async {
            while let Some(event) = engine.events.recv().await {
                match event {
                    Event::Quantizing(permille) => {
                        progress.show(&format!("quantising: {} %", permille / 10));
                    }
                    Event::Quantized(written) => return written.map_err(Fail::Failed),
                    Event::Died(why) | Event::LoadFailed(why) => return Err(Fail::Failed(why)),
                    _ => {}
                }
            }
            Err(Fail::failed("the engine ended before it was done"))
        };
        tokio::select! {
            written = work => written,
            _ = tokio::signal::ctrl_c() => Err(Fail::Interrupted),
        }
    });
    if written.is_err() {
        // Whoever was cut off could not take it away.
        let mut draft = to.clone().into_os_string();
        draft.push(QUANTIZING);
        let _ = std::fs::remove_file(draft);
    }
    let size = written?;
    let before = std::fs::metadata(&from).map_or(0, |m| m.len());
    output::print(&format!(
        "{}: {} ({} before)\n",
        to.display(),
        bytes(size),
        bytes(before)
    ))
}

fn same(a: &std::path::Path, b: &std::path::Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
