//! Telling how far a pull is: not too often, and never backwards.

use super::writer::Shared;
use crate::protocol::hub::{Phase, Progress};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// Over so many seconds the speed is smoothed.
const SMOOTH: f64 = 3.0;

/// Where the events of one pull come together.
pub(super) struct Report {
    events: UnboundedSender<Progress>,
    now: Mutex<Now>,
}

struct Now {
    progress: Progress,
    sent: Option<Progress>,
    /// Bytes of the files that are finished.
    before: u64,
    /// The file at hand.
    current: Option<Arc<Shared>>,
    size: u64,
    /// Where the phase turns to downloading again, once bytes come.
    mark: u64,
    meter: Meter,
}

impl Report {
    pub fn new(events: UnboundedSender<Progress>) -> Report {
        let progress = Progress {
            name: String::new(),
            file: 0,
            files: 0,
            done: 0,
            total: 0,
            speed: 0,
            left: None,
            phase: Phase::Looking,
        };
        Report {
            events,
            now: Mutex::new(Now {
                progress,
                sent: None,
                before: 0,
                current: None,
                size: 0,
                mark: 0,
                meter: Meter::at(0),
            }),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to come: so many files, of so many bytes; 0 for unknown.
    pub fn announce(&self, files: usize, total: u64) {
        let mut now = self.now();
        now.progress.files = files;
        now.progress.total = total;
    }

    /// A file begins; it is looked for first.
    pub fn begin(&self, file: usize, name: &str) {
        let mut now = self.now();
        now.progress.file = file;
        name.clone_into(&mut now.progress.name);
        now.current = None;
        self.turn(&mut now, Phase::Looking);
    }

    /// The bytes of the file begin to come.
    pub fn watch(&self, current: Arc<Shared>, size: u64) {
        let mut now = self.now();
        now.current = Some(current);
        now.size = size;
        // Of files from elsewhere the length is known only now.
        now.progress.total = now.progress.total.max(now.before + size);
        now.measure();
        now.meter = Meter::at(now.progress.done);
        self.turn(&mut now, Phase::Downloading);
    }

    /// A file is there.
    pub fn finish(&self, size: u64) {
        let mut now = self.now();
        now.before += size;
        now.current = None;
        now.measure();
    }

    pub fn phase(&self, phase: Phase) {
        let mut now = self.now();
        if matches!(phase, Phase::Restarting { .. }) {
            now.progress.done = now.before;
            now.meter = Meter::at(now.before);
        }
        if phase == Phase::Paused {
            now.meter = Meter::at(now.progress.done);
        }
        self.turn(&mut now, phase);
    }

    pub fn resume(&self) {
        let mut now = self.now();
        now.meter = Meter::at(now.progress.done);
        let phase = match now.current {
            Some(_) => Phase::Downloading,
            None => Phase::Looking,
        };
        self.turn(&mut now, phase);
    }

    fn turn(&self, now: &mut Now, phase: Phase) {
        now.mark = now.current.as_ref().map_or(0, |c| c.done());
        now.progress.phase = phase;
        self.send(now);
    }

    /// Events at even times; never ends.
    pub async fn tell(&self, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let mut now = self.now();
            now.measure();
            let done = now.progress.done;
            let steady = now.progress.phase == Phase::Downloading;
            now.progress.speed = now.meter.speed(done, steady);
            now.progress.left = left(&now.progress);
            self.send(&mut now);
        }
    }

    fn send(&self, now: &mut Now) {
        if now.sent.as_ref() != Some(&now.progress) {
            now.sent = Some(now.progress.clone());
            // Nobody may be listening; the pull goes on.
            let _ = self.events.send(now.progress.clone());
        }
    }
}

impl Now {
    fn measure(&mut self) {
        let (done, hashed) = match &self.current {
            Some(current) => (current.done(), current.hashed()),
            None => (0, 0),
        };
        self.progress.done = self.progress.done.max(self.before + done);
        match &mut self.progress.phase {
            Phase::Checking { done, total } => (*done, *total) = (hashed, self.size),
            phase @ (Phase::Retrying { .. } | Phase::Restarting { .. }) if done > self.mark => {
                *phase = Phase::Downloading;
            }
            _ => {}
        }
    }
}

fn left(progress: &Progress) -> Option<u64> {
    let rest = progress.total.checked_sub(progress.done)?;
    let known = progress.total > 0 && progress.speed > 0;
    known.then(|| rest.div_ceil(progress.speed.max(1)))
}

/// Bytes per second, smoothed.
struct Meter {
    done: u64,
    at: Instant,
    speed: Option<f64>,
}

impl Meter {
    fn at(done: u64) -> Meter {
        Meter {
            done,
            at: Instant::now(),
            speed: None,
        }
    }

    fn speed(&mut self, done: u64, steady: bool) -> u64 {
        let seconds = self.at.elapsed().as_secs_f64();
        let came = done.saturating_sub(self.done);
        // The first bytes tell too little of the speed.
        if seconds < 0.02 || (self.speed.is_none() && came == 0) {
            return self.speed.unwrap_or(0.0) as u64;
        }
        let speed = came as f64 / seconds;
        let before = self.speed.unwrap_or(speed);
        let now = before + (speed - before) * (1.0 - (-seconds / SMOOTH).exp());
        (self.done, self.at) = (done, Instant::now());
        self.speed = Some(now);
        if steady { now as u64 } else { 0 }
    }
}
