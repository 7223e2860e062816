//! Signals as events of the loop.

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, SIGHUP, or SIGINT from outside.
    End,
    /// SIGTSTP from outside: give the terminal back and stop.
    Suspend,
    /// SIGCONT: take the terminal again.
    Continue,
}

#[cfg(unix)]
mod imp {
    use super::Signal;
    use std::io;
    use tokio::signal::unix::{self, SignalKind, signal};

    /// The signals that the chat answers.
    pub struct Signals {
        terminate: unix::Signal,
        hangup: unix::Signal,
        interrupt: unix::Signal,
        stop: unix::Signal,
        resume: unix::Signal,
    }

    impl Signals {
        pub fn listen() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
                resume: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            })
        }

        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.terminate.recv() => Signal::End,
                _ = self.hangup.recv() => Signal::End,
                _ = self.interrupt.recv() => Signal::End,
                _ = self.stop.recv() => Signal::Suspend,
                _ = self.resume.recv() => Signal::Continue,
            }
        }
    }

    /// Stops this process until SIGCONT.
    pub fn stop_self() {
        // The whole group, as the terminal's own Ctrl+Z would.
        // The whole group, as the terminal's own Ctrl+Z: a shell that waits for
        // a script sees its job stop. The engine has a group of its own.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
    }
}

#[cfg(not(unix))]
mod imp {
    use super::Signal;
    use std::io;

    pub struct Signals;

    impl Signals {
        pub fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        pub async fn next(&mut self) -> Signal {
            let _ = tokio::signal::ctrl_c().await;
            Signal::End
        }
    }

    pub fn stop_self() {}
}

pub use imp::{Signals, stop_self};
