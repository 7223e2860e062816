//! The real program in a real terminal: a pseudo-terminal, and a vt100 parser
//! that keeps its screen.

use crate::support::engine::{PATIENCE, program};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

pub struct Pty {
    pub parser: vt100::Parser,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    output: mpsc::Receiver<Vec<u8>>,
}

impl Pty {
    /// Starts parlor with these arguments and a home of its own.
    pub fn open(home: &Path, width: u16, height: u16, arguments: &[&str]) -> Self {
        let mut command = CommandBuilder::new(program());
        command.args(arguments);
        Self::start(home, width, height, command)
    }

    pub fn start(home: &Path, width: u16, height: u16, mut command: CommandBuilder) -> Self {
        command.env("HOME", home);
        command.env("XDG_STATE_HOME", home.join("state"));
        command.env("PARLOR_CONFIG", home.join("config.toml"));
        command.env("TERM", "xterm-256color");
        for name in ["PARLOR_MODEL", "NO_COLOR", "DISPLAY", "WAYLAND_DISPLAY"] {
            command.env_remove(name);
        }
        let size = PtySize {
            rows: height,
            cols: width,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || sender.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        // The slave stays open here, so that its settings can be looked at
        // after the program has ended.
        std::mem::forget(pair.slave);
        Self {
            parser: vt100::Parser::new(some(height), some(width), 0),
            master: pair.master,
            writer,
            child,
            output,
        }
    }

    pub fn write(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        self.until(text, |p| p.screen().contents().contains(text));
    }

    /// Waits until the screen is so.
    #[track_caller]
    pub fn until(&mut self, what: &str, so: impl Fn(&vt100::Parser) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(&self.parser) {
            match self
                .output
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.parser.process(&bytes),
                Err(_) => panic!("never “{what}” on:\n{}", self.screen()),
            }
        }
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        let size = PtySize {
            rows: height,
            cols: width,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.parser.screen_mut().set_size(some(height), some(width));
        self.master.resize(size).unwrap();
    }

    /// Whether the terminal echoes what is typed, as it does for a shell.
    pub fn echoes(&self) -> bool {
        let modes = self.master.get_termios().unwrap();
        modes
            .local_flags
            .contains(nix::sys::termios::LocalFlags::ECHO)
    }

    /// Waits for the end and returns the exit code; all output is taken in.
    pub fn wait(&mut self) -> u32 {
        // A program that does not end fails its test and not the whole run.
        let (ended, ends) = mpsc::channel::<()>();
        let mut killer = self.child.clone_killer();
        let watch = std::thread::spawn(move || {
            let late = ends.recv_timeout(PATIENCE).is_err();
            if late {
                let _ = killer.kill();
            }
            late
        });
        let code = self.child.wait().unwrap().exit_code();
        let _ = ended.send(());
        assert!(
            !watch.join().unwrap(),
            "it does not end:\n{}",
            self.screen()
        );
        self.settle();
        code
    }

    /// Takes in the output that is there already: a program that has ended
    /// says no more. The marker comes back because the terminal echoes.
    fn settle(&mut self) {
        if self.echoes() {
            self.write("\u{1}");
            self.until("the echo of the marker", |p| {
                p.screen().contents().contains("^A")
            });
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

fn some(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

pub fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// Waits for a process to have a child, and returns its id.
pub fn child_of(pid: u32) -> u32 {
    let end = Instant::now() + PATIENCE;
    let path = format!("/proc/{pid}/task/{pid}/children");
    while Instant::now() < end {
        let children = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(child) = children.split_whitespace().next() {
            return child.parse().unwrap();
        }
        std::thread::yield_now();
    }
    panic!("{pid} has no child");
}

/// Waits for a process to end; false when it takes longer than this.
pub fn ends_within(pid: u32, milliseconds: i64) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{PidfdFlags, pidfd_open};
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
        return true;
    };
    let time = Timespec {
        tv_sec: milliseconds / 1000,
        tv_nsec: milliseconds % 1000 * 1_000_000,
    };
    let mut waited = [PollFd::new(&process, PollFlags::IN)];
    loop {
        match poll(&mut waited, Some(&time)) {
            Err(rustix::io::Errno::INTR) => {}
            ended => return ended.unwrap() == 1,
        }
    }
}

/// Waits for a child of this process to be stopped by a signal.
pub fn is_stopped(pid: u32) {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
}
