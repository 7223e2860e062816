//! One child process: its pipes, its log, and the cause of its end.

use super::{frame, runner};
use crate::chat::text;
use crate::protocol::engine::{Command, Event};
use futures_util::{SinkExt, StreamExt};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

/// A log larger than this is set aside as `.1` before the next start.
const LOG_LIMIT: u64 = 1024 * 1024;
/// Bytes at the end of the log in which the cause of a death is looked for.
const LOG_TAIL: u64 = 32 * 1024;

/// A running engine process. Dropping it kills it.
pub struct Child {
    process: tokio::process::Child,
    commands: mpsc::UnboundedSender<Command>,
    events: FramedRead<ChildStdout, LengthDelimitedCodec>,
    log: Option<(PathBuf, u64)>,
}

impl Child {
    /// Starts `program engine`, in a process group of its own so that the
    /// terminal's Ctrl+C reaches only the UI.
    pub fn spawn(program: &Path, log: Option<&Path>) -> io::Result<Self> {
        let log = log.and_then(|path| open_log(path).ok().map(|(file, at)| (file, path, at)));
        let stderr = match &log {
            Some((file, ..)) => Stdio::from(file.try_clone()?),
            None => Stdio::null(),
        };
        let mut command = tokio::process::Command::new(program);
        command
            .arg(runner::SUBCOMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn()?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("the engine has no pipes"));
        };
        let (commands, queue) = mpsc::unbounded_channel();
        tokio::spawn(write_commands(stdin, queue));
        Ok(Self {
            process,
            commands,
            events: FramedRead::new(stdout, frame::codec()),
            log: log.map(|(_, path, at)| (path.to_path_buf(), at)),
        })
    }

    /// Queues a command. A dead child shows itself by the end of its events.
    pub fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// The process id, while the process runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// The next event; None when the process has ended or speaks nonsense.
    /// Safe to cancel.
    pub async fn next(&mut self) -> Option<Event> {
        let body = self.events.next().await?.ok()?;
        frame::decode(&body).ok()
    }

    /// Kills the process and waits for its end.
    pub async fn kill(mut self) {
        let _ = self.process.kill().await;
    }

    /// Waits for the end of a process whose events have ended, and says why.
    pub async fn cause(mut self) -> String {
        let _ = self.process.start_kill();
        match self.process.wait().await {
            Ok(status) => describe(status, self.last_line().as_deref()),
            Err(error) => format!("the engine ended: {error}"),
        }
    }

    /// The last line that this process logged.
    fn last_line(&self) -> Option<String> {
        let (path, from) = self.log.as_ref()?;
        let mut file = File::open(path).ok()?;
        let end = file.metadata().ok()?.len();
        let from = (*from).max(end.saturating_sub(LOG_TAIL));
        file.seek(SeekFrom::Start(from)).ok()?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).ok()?;
        last_words(&String::from_utf8_lossy(&tail))
    }
}

/// The line that tells most: the last that names an error, since an abort is
/// followed by a backtrace; or the last of all.
fn last_words(log: &str) -> Option<String> {
    let named = |l: &&str| {
        [
            "GGML_ASSERT",
            "fatal error",
            "terminate called",
            "panicked",
            "ERROR",
        ]
        .iter()
        .any(|word| l.contains(word))
    };
    let lines = || log.lines().rev().filter(|l| !l.trim().is_empty());
    let line = lines().find(named).or_else(|| lines().next())?;
    // A path of the machine that built it says nothing here.
    let line = line.rsplit_once('/').map_or(line, |(_, rest)| rest);
    Some(text::one_line(line, 200))
}

async fn write_commands(stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<Command>) {
    let mut pipe = FramedWrite::new(stdin, frame::codec());
    while let Some(command) = queue.recv().await {
        // A command that cannot be written would be waited for without end: a
        // closed pipe ends the child, and the host tells.
        let Ok(body) = frame::encode(&command) else {
            tracing::error!("a command cannot be written");
            break;
        };
        if pipe.send(Bytes::from(body)).await.is_err() {
            break;
        }
    }
}

/// Opens the log for appending, set aside first when it has grown large, and
/// tells where it ends now.
fn open_log(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if std::fs::metadata(path).is_ok_and(|m| m.len() > LOG_LIMIT) {
        std::fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let end = file.metadata()?.len();
    Ok((file, end))
}

/// The end of a process in words, with its last words where they help.
fn describe(status: ExitStatus, last_line: Option<&str>) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let what = match signal {
            4 => "an illegal instruction (SIGILL): this binary was built for another processor",
            6 => "an abort (SIGABRT)",
            7 => "a bus error (SIGBUS): the model file may have been cut short while in use",
            8 => "an arithmetic fault (SIGFPE)",
            9 => return "the engine was killed (SIGKILL); if you did not do it, the system may have run out of memory".into(),
            11 => "a crash (SIGSEGV)",
            15 => return "the engine was ended (SIGTERM)".into(),
            _ => return format!("the engine was ended by signal {signal}"),
        };
        return with_last(format!("the engine was ended by {what}"), last_line);
    }
    match status.code() {
        Some(0) | None => "the engine ended".into(),
        Some(code) => with_last(format!("the engine ended with code {code}"), last_line),
    }
}

fn with_last(what: String, last_line: Option<&str>) -> String {
    match last_line {
        Some(line) => format!("{what}; its last words: {line}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_an_abort_is_found_before_its_backtrace() {
        let log = "loading\n/a/b/llama.cpp:55: fatal error\n#0 wait4 ()\n[Inferior 1 (process 2) detached]\n";
        assert_eq!(last_words(log).unwrap(), "llama.cpp:55: fatal error");
        assert_eq!(last_words("one\ntwo\n\n").unwrap(), "two");
        assert_eq!(last_words(""), None);
    }
}
