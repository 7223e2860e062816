//! Records with the microphone.

#[cfg(feature = "microphone")]
mod device;
#[cfg(not(feature = "microphone"))]
#[path = "microphone/no_device.rs"]
mod device;
#[cfg(all(feature = "microphone", target_os = "linux"))]
mod quiet;
// Without a device only the tests record.
#[cfg_attr(not(feature = "microphone"), allow(dead_code))]
mod tape;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tape::Tape;

/// A sound server that does not answer is given up after this time.
const OPENING: Duration = Duration::from_secs(10);

/// Why nothing, or no more, is recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MicrophoneError {
    #[error(
        "this Parlor was built without the microphone; build it with `cargo build --release \
         --features microphone` (Debian and Ubuntu need the package libasound2-dev for that)"
    )]
    NotBuilt,
    #[error("no microphone was found; plug one in, or choose one in the system's sound settings")]
    Absent,
    #[error(
        "the system does not let Parlor use the microphone; allow it for your terminal in the \
         privacy settings, or on Linux join the group “audio”"
    )]
    Denied,
    #[error("another program is using the microphone; close it and try again")]
    Busy,
    #[error("the microphone is gone, so the recording ends here; what came before is kept")]
    Unplugged,
    #[error("the sound system did not answer for {} s; restart it, or log in again", .0.as_secs())]
    Hangs(Duration),
    #[error("a recording is at most {} minutes long, and this one is; what came is kept", .0.as_secs() / 60)]
    Full(Duration),
    #[error("the microphone does not work: {0}; choose another in the system's sound settings")]
    Broken(String),
}

/// A recording that runs. Dropping it ends it and forgets what came.
#[derive(Debug)]
pub struct Recording {
    tape: Tape,
    /// Hung up to end the recording.
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Samples in a second, as the device gives them.
    pub rate: u32,
    /// One channel, from -1 to 1: the mean of the device's channels.
    pub mono: Vec<f32>,
}

impl Recording {
    /// The longest recording.
    pub const LONGEST: Duration = Duration::from_secs(30 * 60);

    /// Begins to record from the system's default microphone. Waits for the
    /// sound system, 10 s at most: not for a thread that draws.
    ///
    /// # Errors
    /// [`MicrophoneError`]: no microphone, no permission, in use, not built.
    pub fn start() -> Result<Recording, MicrophoneError> {
        Recording::with(Recording::LONGEST, OPENING, device::open)
    }

    /// The device lives on a thread of its own, from opening to closing: on some
    /// systems it may not change threads.
    fn with<D>(
        longest: Duration,
        patience: Duration,
        open: impl FnOnce(&Tape) -> Result<D, MicrophoneError> + Send + 'static,
    ) -> Result<Recording, MicrophoneError> {
        let tape = Tape::new(longest);
        let (stop, stopped) = mpsc::sync_channel::<()>(0);
        let (ready, opened) = mpsc::sync_channel(1);
        let own = tape.clone();
        let thread = thread::Builder::new()
            .name("microphone".to_owned())
            .spawn(move || hold(open(&own), &ready, &stopped))
            .map_err(|e| MicrophoneError::Broken(e.to_string()))?;
        match opened.recv_timeout(patience) {
            Ok(Ok(())) => Ok(Recording { tape, stop, thread }),
            Ok(Err(error)) => Err(error),
            Err(RecvTimeoutError::Timeout) => Err(MicrophoneError::Hangs(patience)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(MicrophoneError::Broken("its driver failed".to_owned()))
            }
        }
    }

    /// The highest sample of the last 100 ms, from 0 to 1.
    pub fn level(&self) -> f32 {
        self.tape.level()
    }

    /// The length of what is recorded, in milliseconds.
    pub fn elapsed_ms(&self) -> u64 {
        self.tape.elapsed_ms()
    }

    /// Why nothing more is recorded, if so: the microphone was unplugged, or the
    /// recording is as long as may be. [`Recording::stop`] gives what came.
    pub fn trouble(&self) -> Option<MicrophoneError> {
        self.tape.trouble()
    }

    /// Whether the microphone has given nothing but exact silence: it is
    /// switched off, or the system (macOS does so) hides it from the terminal.
    pub fn is_silent(&self) -> bool {
        self.tape.is_silent()
    }

    /// Ends the recording, closes the device, and gives what came.
    pub fn stop(self) -> Recorded {
        drop(self.stop);
        // It fails only where a driver did, and then what came is there.
        let _ = self.thread.join();
        self.tape.take()
    }
}

/// Tells how opening went, and holds the device until the recording ends.
fn hold<D>(
    opened: Result<D, MicrophoneError>,
    ready: &SyncSender<Result<(), MicrophoneError>>,
    stopped: &Receiver<()>,
) {
    let (device, answer) = match opened {
        Ok(device) => (Some(device), Ok(())),
        Err(error) => (None, Err(error)),
    };
    let heard = ready.send(answer).is_ok();
    if device.is_some() && heard {
        // Nothing is sent: this ends when the other side hangs up.
        let _ = stopped.recv();
    }
}

/// Recordings from a microphone that the test plays: few machines that test have
/// one.
#[cfg(test)]
mod tests {
    use super::{MicrophoneError, Recorded, Recording, Tape};
    use std::sync::mpsc::{self, Sender};
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A device of the test: says when it is closed.
    struct Fake(Sender<()>);

    impl Drop for Fake {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    /// A recording with the tape that the device writes on.
    fn start(longest: Duration, rate: u32) -> (Recording, Tape, mpsc::Receiver<()>) {
        let (closed, is_closed) = mpsc::channel();
        let (give, given) = mpsc::channel();
        let recording = Recording::with(longest, PATIENCE, move |tape| {
            tape.set_rate(rate);
            give.send(tape.clone()).unwrap();
            Ok(Fake(closed))
        });
        (recording.unwrap(), given.recv().unwrap(), is_closed)
    }

    #[test]
    fn channels_become_one_and_stopping_closes_the_device() {
        let (recording, device, closed) = start(Recording::LONGEST, 10);
        device.add(
            2,
            [1.0, 0.0, -0.5, -0.5, 3.0, 3.0, f32::NAN, 0.5].into_iter(),
        );
        assert_eq!(recording.elapsed_ms(), 400);
        assert!(closed.try_recv().is_err(), "it is open while it records");
        let recorded = recording.stop();
        assert_eq!(closed.try_recv(), Ok(()));
        let mono = vec![0.5, -0.5, 1.0, 0.25];
        assert_eq!(recorded, Recorded { rate: 10, mono });
    }

    #[test]
    fn the_level_is_the_peak_of_the_last_tenth_of_a_second() {
        let (recording, device, _closed) = start(Recording::LONGEST, 1000);
        assert_eq!((recording.level(), recording.elapsed_ms()), (0.0, 0));
        device.add(1, [0.9, -0.7].into_iter());
        assert_eq!(recording.level(), 0.9);
        device.add(1, [0.1; 99].into_iter());
        assert_eq!(recording.level(), 0.7);
        device.add(1, [0.1; 1].into_iter());
        assert_eq!(recording.level(), 0.1);
    }

    #[test]
    fn a_recording_ends_at_its_longest_and_keeps_what_came() {
        let (recording, device, _closed) = start(Duration::from_secs(2), 100);
        device.add(1, [0.5; 200].into_iter());
        assert_eq!(recording.trouble(), None);
        device.add(1, [0.5; 1].into_iter());
        let full = MicrophoneError::Full(Duration::from_secs(2));
        assert_eq!(recording.trouble(), Some(full));
        assert_eq!(recording.stop().mono.len(), 200);
    }

    #[test]
    fn an_unplugged_microphone_is_told_and_what_came_is_kept() {
        let (recording, device, _closed) = start(Recording::LONGEST, 100);
        device.add(1, [0.5; 50].into_iter());
        device.end(MicrophoneError::Unplugged);
        device.end(MicrophoneError::Busy);
        device.add(1, [0.5; 50].into_iter());
        assert_eq!(recording.trouble(), Some(MicrophoneError::Unplugged));
        assert_eq!(recording.level(), 0.0);
        assert_eq!(recording.stop().mono.len(), 50);
    }

    #[test]
    fn a_second_of_exact_silence_is_noticed_and_a_whisper_is_none() {
        let (recording, device, _closed) = start(Recording::LONGEST, 100);
        device.add(1, [0.0; 99].into_iter());
        assert!(!recording.is_silent());
        device.add(1, [0.0; 1].into_iter());
        assert!(recording.is_silent());
        device.add(1, [0.0001; 1].into_iter());
        assert!(!recording.is_silent());
    }

    #[test]
    fn a_dropped_recording_closes_the_device() {
        let (recording, _device, closed) = start(Recording::LONGEST, 100);
        drop(recording);
        assert_eq!(closed.recv_timeout(PATIENCE), Ok(()));
    }

    #[test]
    fn a_sound_system_that_hangs_is_given_up_and_closed_once_it_opens() {
        let (closed, is_closed) = mpsc::channel();
        let (wake, asleep) = mpsc::channel::<()>();
        let result = Recording::with(Recording::LONGEST, Duration::from_millis(1), move |_| {
            let _ = asleep.recv();
            Ok(Fake(closed))
        });
        assert!(matches!(result, Err(MicrophoneError::Hangs(_))));
        wake.send(()).unwrap();
        assert_eq!(is_closed.recv_timeout(PATIENCE), Ok(()));
    }

    #[test]
    fn a_driver_that_panics_is_a_broken_microphone() {
        let result = Recording::with::<()>(Recording::LONGEST, PATIENCE, |_| {
            // Quietly, as a test's own output would be.
            std::panic::resume_unwind(Box::new("driver"))
        });
        assert!(matches!(result, Err(MicrophoneError::Broken(_))));
    }
}
