//! The child's two ends: commands in, events out.

use crate::engine::frame;
use crate::protocol::engine::{Command, Event, RequestId};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// Commands in their order, and cancels out of band.
pub struct Inbox {
    commands: mpsc::Receiver<Command>,
    /// The highest cancelled id: ids only grow, and one request runs at a time.
    cancelled: Arc<AtomicU64>,
}

impl Inbox {
    /// Reads standard input on a thread of its own, so that a cancel is seen
    /// while the engine works and a closed input ends the process at once.
    pub fn listen() -> Self {
        let (sender, commands) = mpsc::channel();
        let cancelled = Arc::new(AtomicU64::new(0));
        let flag = Arc::clone(&cancelled);
        std::thread::spawn(move || {
            let mut input = io::BufReader::new(io::stdin());
            while let Ok(Some(command)) = frame::read::<Command>(&mut input) {
                match command {
                    Command::Cancel(id) => {
                        flag.fetch_max(id, Ordering::Relaxed);
                    }
                    other => {
                        if sender.send(other).is_err() {
                            break;
                        }
                    }
                }
            }
            // The UI is gone: nobody is left to work for.
            end();
        });
        Self {
            commands,
            cancelled,
        }
    }

    /// Waits for the next command; None when there will be no more.
    pub fn next(&self) -> Option<Command> {
        self.commands.recv().ok()
    }

    /// Waits for the next command no longer than this.
    pub fn next_within(&self, time: Duration) -> Waited {
        match self.commands.recv_timeout(time) {
            Ok(command) => Waited::Command(command),
            Err(mpsc::RecvTimeoutError::Timeout) => Waited::Nothing,
            Err(mpsc::RecvTimeoutError::Disconnected) => Waited::End,
        }
    }

    /// Whether this request, or a later one, was cancelled.
    pub fn is_cancelled(&self, id: RequestId) -> bool {
        self.cancelled.load(Ordering::Relaxed) >= id
    }
}

/// What came of waiting.
#[expect(
    clippy::large_enum_variant,
    reason = "there are few of them, each moved once or twice"
)]
pub enum Waited {
    Command(Command),
    Nothing,
    /// There will be no more.
    End,
}

/// Events out. Clones share the pipe.
#[derive(Clone)]
pub struct Outbox(Arc<Mutex<File>>);

impl Outbox {
    /// Takes standard output for events and points descriptor 1 at standard
    /// error, so that nothing a C++ library prints can break a frame.
    pub fn take_stdout() -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(claim_stdout()?))))
    }

    /// Sends an event. When the pipe is gone, so is the reason to go on.
    pub fn send(&self, event: &Event) {
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if frame::write(&mut *pipe, event).is_err() {
            end();
        }
    }
}

/// Ends the process without running anything more: the destructors of C++
/// libraries would run under the threads that still compute.
fn end() -> ! {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::exit(0)
}

#[cfg(unix)]
fn claim_stdout() -> io::Result<File> {
    let pipe = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(File::from(pipe))
}

#[cfg(windows)]
fn claim_stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}
