//! What is recorded so far, written by the device and read by the screen.

use super::{MicrophoneError, Recorded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sound of one channel. Copies are the same tape.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    inner: Arc<Mutex<Inner>>,
    longest: Duration,
}

#[derive(Debug, Default)]
struct Inner {
    /// Samples in a second; 0 before the device has told.
    rate: u32,
    mono: Vec<f32>,
    /// Something else than exact silence came.
    sound: bool,
    trouble: Option<MicrophoneError>,
}

impl Tape {
    pub fn new(longest: Duration) -> Tape {
        Tape {
            inner: Arc::default(),
            longest,
        }
    }

    pub fn set_rate(&self, rate: u32) {
        self.lock().rate = rate;
    }

    /// Adds frames of so many channels, mixed down to one. Called on the sound
    /// system's thread, which may not be kept waiting: readers hold the lock
    /// for microseconds.
    pub fn add(&self, channels: usize, samples: impl Iterator<Item = f32>) {
        let mut inner = self.lock();
        if inner.trouble.is_some() || channels == 0 {
            return;
        }
        let most = samples_in(self.longest, inner.rate);
        // Few channels are 2 or 8, far below what an f32 holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let part = 1.0 / channels as f32;
        let (mut sum, mut count) = (0.0, 0);
        for sample in samples {
            sum += if sample.is_finite() { sample } else { 0.0 };
            count += 1;
            if count < channels {
                continue;
            }
            if inner.mono.len() >= most {
                inner.trouble = Some(MicrophoneError::Full(self.longest));
                return;
            }
            let mixed = (sum * part).clamp(-1.0, 1.0);
            inner.sound |= mixed != 0.0;
            inner.mono.push(mixed);
            (sum, count) = (0.0, 0);
        }
    }

    /// Nothing more comes. The first reason stays.
    pub fn end(&self, why: MicrophoneError) {
        self.lock().trouble.get_or_insert(why);
    }

    pub fn level(&self) -> f32 {
        let inner = self.lock();
        // What came last is old once nothing more comes.
        if inner.trouble.is_some() {
            return 0.0;
        }
        let last = samples_in(Duration::from_millis(100), inner.rate);
        let from = inner.mono.len().saturating_sub(last);
        let recent = inner.mono.get(from..).unwrap_or_default();
        recent.iter().fold(0.0, |peak, s| s.abs().max(peak))
    }

    pub fn elapsed_ms(&self) -> u64 {
        let inner = self.lock();
        (inner.mono.len() as u64 * 1000)
            .checked_div(u64::from(inner.rate))
            .unwrap_or(0)
    }

    pub fn trouble(&self) -> Option<MicrophoneError> {
        self.lock().trouble.clone()
    }

    pub fn is_silent(&self) -> bool {
        let inner = self.lock();
        !inner.sound && inner.mono.len() >= samples_in(Duration::from_secs(1), inner.rate.max(1))
    }

    pub fn take(&self) -> Recorded {
        let mut inner = self.lock();
        Recorded {
            rate: inner.rate,
            mono: std::mem::take(&mut inner.mono),
        }
    }

    /// A writer that failed leaves whole samples behind.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn samples_in(time: Duration, rate: u32) -> usize {
    let samples = time.as_millis() * u128::from(rate) / 1000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}
