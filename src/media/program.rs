//! Runs ffmpeg or ffprobe on a file, safely, and hands on what it writes.
//!
//! The file decides nothing about how it is opened: the demuxer is named, so
//! that no file is taken for a playlist, and only the protocols for files and
//! pipes are allowed.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::form::Form;
use super::{Fault, Terms};

/// How often `stop` is asked while the program writes nothing.
const ASK: Duration = Duration::from_millis(40);
const CHUNK: usize = 64 << 10;
/// What is kept of the program's complaints.
const SAID: u64 = 4096;

/// Ends the program whichever way its user returns.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file for the programs to open.
pub(super) struct Input<'a> {
    pub path: &'a Path,
    pub form: Form,
}

impl Input<'_> {
    /// The arguments that name the file, up to and with the file itself.
    pub(super) fn arguments(&self) -> Result<Vec<OsString>, Fault> {
        let format = self.form.name();
        let demuxer = self.form.demuxer().ok_or(Fault::OtherKind {
            is: self.form.kind().words(),
            wanted: "a film",
        })?;
        // With `file:` no name is taken for an option, a list or an address.
        let mut file = OsString::from("file:");
        file.push(std::path::absolute(self.path)?);
        if self.path.as_os_str().is_empty() {
            return Err(Fault::broken(format, "it has no name"));
        }
        let words = ["-protocol_whitelist", "file,pipe", "-f", demuxer, "-i"];
        let mut arguments: Vec<OsString> = words.map(OsString::from).into();
        arguments.push(file);
        Ok(arguments)
    }
}

/// Runs `program` and gives what it writes to `take`, piece by piece, until it
/// ends or `take` says enough by giving false. Returns whether it ended by
/// itself with success, and the last of what it said to its error stream.
///
/// # Errors
/// The program cannot be started (`missing`), `terms.stop`, or what `take` says.
pub(super) fn run(
    program: &Path,
    arguments: &[OsString],
    missing: Fault,
    terms: &Terms,
    take: &mut dyn FnMut(&[u8]) -> Result<bool, Fault>,
) -> Result<(bool, String), Fault> {
    terms.check()?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => missing,
        _ => Fault::Io(error),
    })?;
    let mut running = Running(child);
    let (Some(out), Some(error)) = (running.0.stdout.take(), running.0.stderr.take()) else {
        return Err(Fault::Io(std::io::ErrorKind::BrokenPipe.into()));
    };
    // A pipe cannot be read with a time limit, so both are read by threads that
    // end with the program, which is killed before they are waited for.
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(4);
        let said = scope.spawn(move || complaints(error));
        scope.spawn(move || pump(out, &send));
        let result = follow(receive, terms, take);
        let ended = match result {
            Ok(true) => running.0.wait().is_ok_and(|status| status.success()),
            _ => false,
        };
        drop(running);
        let said = said.join().unwrap_or_default();
        result.map(|_| (ended, said))
    })
}

fn pump(mut out: ChildStdout, send: &SyncSender<Vec<u8>>) {
    let mut piece = vec![0; CHUNK];
    while let Ok(read) = out.read(&mut piece) {
        if read == 0 || send.send(piece[..read].to_vec()).is_err() {
            return;
        }
    }
}

fn complaints(error: ChildStderr) -> String {
    let mut said = Vec::new();
    let mut error = error;
    let _ = error.by_ref().take(SAID).read_to_end(&mut said);
    // The rest is read too, or the program would wait for its reader.
    let _ = std::io::copy(&mut error, &mut std::io::sink());
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    last.unwrap_or("it did not say why")
        .trim()
        .chars()
        .take(160)
        .collect()
}

/// Gives whether the program closed its output by itself.
fn follow(
    receive: Receiver<Vec<u8>>,
    terms: &Terms,
    take: &mut dyn FnMut(&[u8]) -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    loop {
        terms.check()?;
        match receive.recv_timeout(ASK) {
            Ok(piece) => {
                if !take(&piece)? {
                    return Ok(false);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(true),
        }
    }
}

/// The fault of ffmpeg not being there, for film.
pub(super) fn missing() -> Fault {
    Fault::NeedsFfmpeg {
        what: "film",
        instead: "attach single pictures of it",
    }
}

/// The fault of a program that ended badly.
pub(super) fn failed(form: Form, said: String) -> Fault {
    Fault::FfmpegFailed {
        format: form.name(),
        said,
    }
}
