//! Changes the sample rate of mono sound by a windowed sinc, in pieces.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side: a sharper edge costs more.
const CROSSINGS: f64 = 24.0;
/// The edge of what is kept, as a part of half the lower rate.
const KEPT: f64 = 0.94;
/// Shape of the Kaiser window: what is cut off is 90 dB down.
const BETA: f64 = 9.0;
/// Rates whose ratio needs more positions between samples than this use the
/// nearest of them, which is as good as a table of this size can be.
const MOST_PHASES: u64 = 1024;

/// Changes sound from one rate to another. Samples go in by [`Self::push`] in
/// pieces of any length; [`Self::finish`] gives the last of them.
pub(super) struct Resampler {
    /// Output position `n` lies at input position `n * from / to`; both are
    /// divided by their greatest common divisor.
    from: u64,
    to: u64,
    phases: u64,
    /// Taps of each phase, one after another.
    table: Vec<f32>,
    taps: usize,
    /// Input not yet done with; the first is at input position `start`.
    held: Vec<f32>,
    start: i64,
    /// Next output position.
    next: u64,
    /// Input samples so far.
    taken: u64,
}

impl Resampler {
    /// Both rates are in Hz and above 0.
    pub(super) fn new(from: u32, to: u32) -> Self {
        let (from, to) = (u64::from(from.max(1)), u64::from(to.max(1)));
        let common = gcd(from, to);
        let (from, to) = (from / common, to / common);
        let phases = to.min(MOST_PHASES);
        #[expect(clippy::cast_precision_loss, reason = "rates are below 2^32")]
        let ratio = (to as f64 / from as f64).min(1.0);
        // Taps on each side of the position.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive"
        )]
        let half = (CROSSINGS / ratio).ceil() as usize;
        let taps = 2 * half;
        Self {
            from,
            to,
            phases,
            table: table(phases, half, ratio * KEPT),
            taps,
            held: vec![0.0; half - 1],
            start: 1 - i64::try_from(half).unwrap_or(i64::MAX),
            next: 0,
            taken: 0,
        }
    }

    /// Takes samples and appends what they complete.
    pub(super) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        if self.from == self.to {
            out.extend_from_slice(samples);
            return;
        }
        self.taken += u64::try_from(samples.len()).unwrap_or(0);
        self.held.extend_from_slice(samples);
        self.give(u64::MAX, out);
    }

    /// Appends the end, so that the length is that of the input, rounded.
    pub(super) fn finish(mut self, out: &mut Vec<f32>) {
        if self.from == self.to {
            return;
        }
        let silence = vec![0.0; self.taps];
        self.held.extend_from_slice(&silence);
        let whole = u128::from(self.taken) * u128::from(self.to);
        let whole = whole.div_ceil(u128::from(self.from));
        self.give(u64::try_from(whole).unwrap_or(u64::MAX), out);
    }

    /// Computes outputs up to `end`, as far as the held samples reach.
    fn give(&mut self, end: u64, out: &mut Vec<f32>) {
        let half = self.taps / 2;
        let mut first = 0;
        while self.next < end {
            let at = u128::from(self.next) * u128::from(self.from);
            let whole = i64::try_from(at / u128::from(self.to)).unwrap_or(i64::MAX);
            let part = u64::try_from(at % u128::from(self.to)).unwrap_or(0);
            // The nearest phase; exactly `part` when there is one for each.
            let phase = (part * self.phases + self.to / 2) / self.to;
            let carry = i64::from(phase == self.phases);
            let phase = usize::try_from(phase % self.phases).unwrap_or(0);
            let begin = whole + carry - i64::try_from(half).unwrap_or(0) + 1 - self.start;
            let Ok(begin) = usize::try_from(begin) else {
                break;
            };
            first = begin.min(self.held.len());
            let Some(window) = self.held.get(begin..begin + self.taps) else {
                break;
            };
            let taps = &self.table[phase * self.taps..(phase + 1) * self.taps];
            out.push(dot(window, taps));
            self.next += 1;
        }
        self.held.drain(..first);
        self.start += i64::try_from(first).unwrap_or(0);
    }
}

/// In four sums, which the compiler can do at once.
fn dot(samples: &[f32], taps: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (samples, rest) = samples.as_chunks::<8>();
    let (taps, last) = taps.as_chunks::<8>();
    for (samples, taps) in samples.iter().zip(taps) {
        for (sum, (sample, tap)) in sums.iter_mut().zip(samples.iter().zip(taps)) {
            *sum += sample * tap;
        }
    }
    let rest: f32 = rest
        .iter()
        .zip(last)
        .map(|(sample, tap)| sample * tap)
        .sum();
    sums.iter().sum::<f32>() + rest
}

/// For each phase the taps at `1 - half ..= half` samples from the position.
/// `cutoff` is the edge as a part of half the input's rate.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
#[expect(clippy::cast_possible_truncation, reason = "a tap is at most 1")]
fn table(phases: u64, half: usize, cutoff: f64) -> Vec<f32> {
    let mut table = Vec::new();
    for phase in 0..phases {
        let part = phase as f64 / phases as f64;
        let row: Vec<f64> = (0..2 * half)
            .map(|tap| {
                let away = tap as f64 - (half as f64 - 1.0) - part;
                let sinc = match PI * away * cutoff {
                    angle if angle.abs() < 1e-9 => 1.0,
                    angle => angle.sin() / angle,
                };
                cutoff * sinc * kaiser(away / half as f64)
            })
            .collect();
        // Each phase passes a steady level unchanged.
        let sum: f64 = row.iter().sum();
        table.extend(row.iter().map(|tap| (tap / sum) as f32));
    }
    table
}

fn kaiser(at: f64) -> f64 {
    let inside = (1.0 - at * at).max(0.0);
    bessel(BETA * inside.sqrt()) / bessel(BETA)
}

/// The modified Bessel function of the first kind, order 0, by its series.
fn bessel(x: f64) -> f64 {
    let mut sum = 1.0;
    let mut term = 1.0;
    let mut index = 1.0;
    while term > sum * 1e-12 {
        term *= (x / (2.0 * index)) * (x / (2.0 * index));
        sum += term;
        index += 1.0;
    }
    sum
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 {
        one
    } else {
        gcd(other, one % other)
    }
}
