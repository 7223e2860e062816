//! Writes a model anew in another number type.

use super::log::Log;
use super::pipe::Outbox;
use super::{load, raw};
use crate::engine::check;
use crate::protocol::engine::{Auto, Event, QUANTIZING, QuantizeSpec};
use crate::protocol::quantization;
use std::fs;

/// Quantises, sending progress, whole or not at all.
pub fn run(spec: &QuantizeSpec, outbox: &Outbox, log: &Log) {
    let progress = outbox.clone();
    log.watch(Some(Box::new(move |done, all| {
        let permille = u64::from(done) * 1000 / u64::from(all.max(1));
        progress.send(&Event::Quantizing(u16::try_from(permille).unwrap_or(1000)));
    })));
    let written = quantize(spec, log);
    log.watch(None);
    outbox.send(&Event::Quantized(written));
}

fn quantize(spec: &QuantizeSpec, log: &Log) -> Result<u64, String> {
    check::model_file(&spec.from)?;
    let ftype = quantization::number(&spec.kind)?;
    log.forget();
    let threads = match spec.threads {
        Auto::Set(n) => n,
        Auto::Auto => load::good_threads(),
    };
    let mut draft = spec.to.clone().into_os_string();
    draft.push(QUANTIZING);
    let draft = std::path::PathBuf::from(draft);
    let threads = i32::try_from(threads).unwrap_or(1);
    // Whether it can be written is better known now than in the end.
    if let Err(error) = fs::File::create(&draft) {
        let to = spec.to.display();
        return Err(format!(
            "{to} cannot be written: {error}; choose another place"
        ));
    }
    let done = raw::quantize(&spec.from, &draft, ftype, threads, spec.again);
    let finished = match done {
        true => fs::File::open(&draft)
            .and_then(|f| f.sync_all())
            .and_then(|()| fs::rename(&draft, &spec.to))
            .and_then(|()| fs::metadata(&spec.to))
            .map(|m| m.len())
            .map_err(|e| format!("{} cannot be written: {e}", spec.to.display())),
        false => Err(reason(spec, log)),
    };
    if finished.is_err() {
        let _ = fs::remove_file(&draft);
    }
    finished
}

fn reason(spec: &QuantizeSpec, log: &Log) -> String {
    let from = spec.from.display();
    match log.take_errors().into_iter().next() {
        Some(why) if why.contains("requantizing") => format!(
            "{from} is quantised already, and quantising it again loses more; take an F16 or BF16 file, or pass --again"
        ),
        Some(why) if why.contains("iostream") => format!(
            "{} cannot be written to the end: the disk is full, or it failed; make room, or choose another place",
            spec.to.display()
        ),
        Some(why) => format!("{from} cannot be quantised: {why}"),
        None => format!("{from} cannot be quantised; parlor doctor names the log that may say why"),
    }
}
