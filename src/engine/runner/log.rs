//! llama.cpp's log, as lines on standard error, which the host keeps in a file;
//! and what is read out of it, because nothing else tells it.

use crate::protocol::engine::Place;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing_subscriber::fmt::MakeWriter;

/// What llama.cpp said since the last [`Log::forget`].
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    errors: Vec<String>,
    places: Vec<Place>,
    /// Computing buffers, by device: told again whenever they are made again.
    compute: Vec<(String, u64)>,
    flash_attention: Option<bool>,
    watch: Option<Watch>,
}

type Watch = Box<dyn Fn(u32, u32) + Send>;

impl Log {
    /// The error lines since the last call. The first tells most: later ones
    /// only repeat that the whole failed.
    pub fn take_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.heard().errors)
    }

    /// Before a loading, whose buffers are to be told.
    pub fn forget(&self) {
        let watch = self.heard().watch.take();
        *self.heard() = Heard {
            watch,
            ..Heard::default()
        };
    }

    /// Bytes on each device, the processor's memory first.
    pub fn places(&self) -> Vec<Place> {
        let heard = self.heard();
        let mut places = heard.places.clone();
        for (device, bytes) in &heard.compute {
            place(&mut places, device).compute += bytes;
        }
        places.sort_by_key(|p| p.device != PROCESSOR);
        places
    }

    /// What was chosen, where llama.cpp chose.
    pub fn flash_attention(&self) -> Option<bool> {
        self.heard().flash_attention
    }

    /// Has steps of the form `[ 12/ 290]` told: how many are done, of how many.
    pub fn watch(&self, watch: Option<Watch>) {
        self.heard().watch = watch;
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the computer's own memory is called.
const PROCESSOR: &str = "CPU";

/// The entry of a device, made where there is none.
fn place<'p>(places: &'p mut Vec<Place>, device: &str) -> &'p mut Place {
    let at = match places.iter().position(|p| p.device == device) {
        Some(at) => at,
        None => {
            places.push(Place {
                device: device.into(),
                ..Place::default()
            });
            places.len() - 1
        }
    };
    &mut places[at]
}

impl Heard {
    fn line(&mut self, line: &str) {
        if let Some(buffer) = Buffer::read(line) {
            match buffer.kind {
                "model" => place(&mut self.places, buffer.device).weights += buffer.bytes,
                "KV" | "RS" => place(&mut self.places, buffer.device).cache += buffer.bytes,
                "output" => place(&mut self.places, buffer.device).compute += buffer.bytes,
                "compute" => {
                    let known = self.compute.iter_mut().find(|(d, _)| d == buffer.device);
                    match known {
                        Some((_, bytes)) => *bytes = buffer.bytes,
                        None => self.compute.push((buffer.device.into(), buffer.bytes)),
                    }
                }
                _ => {}
            }
        }
        if let Some(chosen) = line.split("Flash Attention was auto, set to ").nth(1) {
            self.flash_attention = Some(chosen.starts_with("enabled"));
        }
        if let (Some(watch), Some((done, all))) = (&self.watch, step(line)) {
            watch(done, all);
        }
    }
}

/// A line of the form `CPU_Mapped model buffer size =    92.10 MiB`.
struct Buffer<'l> {
    device: &'l str,
    kind: &'l str,
    bytes: u64,
}

impl<'l> Buffer<'l> {
    fn read(line: &'l str) -> Option<Self> {
        let (before, after) = line.split_once(" buffer size =")?;
        let mut words = before.split_whitespace().rev();
        let (kind, name) = (words.next()?, words.next()?);
        let mebibytes: f64 = after.split_whitespace().next()?.parse().ok()?;
        // Memory that a device is given from, and that it repacks, is the
        // computer's own.
        let device = match name.starts_with(PROCESSOR) || name.ends_with("_Host") {
            true => PROCESSOR,
            false => name.split("_Split").next().unwrap_or(name),
        };
        Some(Self {
            device,
            kind,
            bytes: (mebibytes * f64::from(1u32 << 20)) as u64,
        })
    }
}

/// From `[  12/ 290]`: 12 of 290.
fn step(line: &str) -> Option<(u32, u32)> {
    let (_, rest) = line.split_once('[')?;
    let (done, rest) = rest.split_once('/')?;
    let (all, _) = rest.split_once(']')?;
    Some((done.trim().parse().ok()?, all.trim().parse().ok()?))
}

/// Starts logging; before the backend starts, or it would print for itself.
pub fn start() -> Log {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(Tee(log.clone()))
        .with_ansi(false)
        .without_time()
        .with_max_level(tracing::Level::INFO)
        .finish();
    // Only fails when a logger was set before, which this process never does.
    let _ = tracing::subscriber::set_global_default(subscriber);
    llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
    log
}

struct Tee(Log);

impl<'a> MakeWriter<'a> for Tee {
    type Writer = Line<'a>;
    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a Log);

impl Write for Line<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(buf);
        let mut heard = self.0.heard();
        if let Some(words) = line.trim_start().strip_prefix("ERROR ")
            && heard.errors.len() < 16
        {
            heard.errors.push(plain(words).to_string());
        }
        heard.line(&line);
        drop(heard);
        io::stderr().write_all(buf)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Drops the log's own prefixes: module, function, field dump.
fn plain(line: &str) -> &str {
    let line = line.trim();
    let line = line
        .split_once("llama-cpp-2: ")
        .map_or(line, |(_, rest)| rest);
    let line = line.split(" module=").next().unwrap_or(line);
    match line.split_once(": ") {
        Some((function, rest)) if !function.contains(' ') => rest,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_on_each_device_is_read_from_the_log() {
        let mut heard = Heard::default();
        for line in [
            "INFO x: llama-cpp-2:   CPU_Mapped model buffer size =    92.00 MiB module=\"y\"",
            "INFO x: llama-cpp-2:      Vulkan0 model buffer size =    10.50 MiB module=\"y\"",
            "INFO x: llama-cpp-2:      Vulkan0 KV buffer size =   180.00 MiB module=\"y\"",
            "INFO x: llama-cpp-2:  Vulkan_Host compute buffer size =     4.00 MiB",
            "INFO x: llama-cpp-2:  Vulkan0 compute buffer size =   100.00 MiB",
            "INFO x: llama-cpp-2:  Vulkan0 compute buffer size =   109.00 MiB",
            "INFO x: llama-cpp-2: Flash Attention was auto, set to enabled module=\"z\"",
        ] {
            heard.line(line);
        }
        assert_eq!(heard.flash_attention, Some(true));
        let log = Log(Arc::new(Mutex::new(heard)));
        let mebibytes = |p: &Place| [p.weights >> 20, p.cache >> 20, p.compute >> 20];
        let places = log.places();
        assert_eq!(
            (places[0].device.as_str(), mebibytes(&places[0])),
            ("CPU", [92, 0, 4])
        );
        assert_eq!(
            (places[1].device.as_str(), mebibytes(&places[1])),
            ("Vulkan0", [10, 180, 109])
        );
    }

    #[test]
    fn steps_of_quantising_are_read_from_the_log() {
        let line = "INFO llama-cpp-2: [  12/ 290] blk.0.attn_k.weight - [ 64, 64]";
        assert_eq!(step(line), Some((12, 290)));
        assert_eq!(step("size = [1, 2]"), None);
    }
}
