//! Ends the program when its terminal has gone: a window that was closed, a
//! connection that was lost.
//!
//! SIGHUP usually tells so, but not every process of a session is sent it; and
//! when the shell above has gone first, crossterm 0.29 reads nothing from the
//! terminal again and again, and computes for ever.

/// How long the loop has to end by itself.
#[cfg(unix)]
const GRACE: std::time::Duration = std::time::Duration::from_secs(1);

/// Watches standard input from a thread of its own, which sleeps until then.
#[cfg(unix)]
pub fn watch() {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;

    std::thread::spawn(|| {
        let input = std::io::stdin();
        // A hang-up is told without being asked for.
        let mut watched = [PollFd::new(&input, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        if watched[0].revents().contains(PollFlags::HUP) {
            std::thread::sleep(GRACE);
            // The engine ends by itself when this process has.
            std::process::exit(1);
        }
    });
}

#[cfg(not(unix))]
pub fn watch() {}
