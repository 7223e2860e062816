//! llama.cpp's log, as lines on standard error, which the host keeps in a file.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::fmt::MakeWriter;

/// The last error that llama.cpp reported: the reason when a load fails.
#[derive(Clone, Default)]
pub struct LastError(Arc<Mutex<Vec<String>>>);

impl LastError {
    /// The first error line since the last call: later ones only repeat that
    /// the whole failed.
    pub fn take(&self) -> Option<String> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = lines.first().cloned();
        lines.clear();
        first
    }

    fn note(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < 16 {
            lines.push(line.to_string());
        }
    }
}

/// Starts logging; before the backend starts, or it would print for itself.
pub fn start() -> LastError {
    let last = LastError::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(Tee(last.clone()))
        .with_ansi(false)
        .without_time()
        .with_max_level(tracing::Level::INFO)
        .finish();
    // Only fails when a logger was set before, which this process never does.
    let _ = tracing::subscriber::set_global_default(subscriber);
    llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
    last
}

struct Tee(LastError);

impl<'a> MakeWriter<'a> for Tee {
    type Writer = Line<'a>;
    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a LastError);

impl Write for Line<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(buf);
        if let Some(words) = line.trim_start().strip_prefix("ERROR ") {
            self.0.note(plain(words));
        }
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
