//! Samples: cutting long recordings, their outline, and WAV files of them.

use std::ops::Range;

/// Sound of one channel, each sample within -1..=1.
#[derive(Clone, PartialEq)]
pub struct Samples {
    /// In Hz.
    pub rate: u32,
    pub mono: Vec<f32>,
}

impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Samples({} ms at {} Hz)", self.length_ms(), self.rate)
    }
}

impl Samples {
    pub fn length_ms(&self) -> u64 {
        let samples = u64::try_from(self.mono.len()).unwrap_or(u64::MAX);
        samples.saturating_mul(1000) / u64::from(self.rate.max(1))
    }

    /// The samples of a part, as [`split`] gives them.
    pub fn part(&self, part: &Range<u64>) -> &[f32] {
        let at = |ms: u64| {
            let sample = ms.saturating_mul(u64::from(self.rate)) / 1000;
            usize::try_from(sample)
                .unwrap_or(usize::MAX)
                .min(self.mono.len())
        };
        // The last part has the end whole, which milliseconds may cut.
        let end = match part.end {
            end if end >= self.length_ms() => self.mono.len(),
            end => at(end),
        };
        self.mono.get(at(part.start)..end).unwrap_or(&[])
    }
}

/// Parts of a recording, in milliseconds, none above `longest_ms`, each
/// beginning `overlap_ms` before the one before it ends. All are equally long,
/// so that no short rest is left. An overlap of half a part or more is cut to
/// half.
pub fn split(length_ms: u64, longest_ms: u64, overlap_ms: u64) -> Vec<Range<u64>> {
    let longest = longest_ms.max(2);
    if length_ms <= longest {
        return std::iter::once(0..length_ms).collect();
    }
    let overlap = overlap_ms.min(longest / 2);
    let many = (length_ms - overlap).div_ceil(longest - overlap);
    // Spread what is new in each part evenly.
    let begin = |part: u64| {
        let fresh = u128::from(length_ms - overlap) * u128::from(part) / u128::from(many);
        u64::try_from(fresh).unwrap_or(u64::MAX)
    };
    (0..many)
        .map(|part| begin(part)..(begin(part + 1) + overlap).min(length_ms))
        .collect()
}

/// The outline of a sound: the largest level of each of `columns` equal parts,
/// 0..=1.
pub fn waveform(samples: &Samples, columns: usize) -> Vec<f32> {
    let all = samples.mono.len();
    let edge = |column: usize| {
        let at = u128::try_from(all).unwrap_or(0) * u128::try_from(column).unwrap_or(0);
        let at = at / u128::try_from(columns.max(1)).unwrap_or(1);
        usize::try_from(at).unwrap_or(all)
    };
    (0..columns)
        .map(|column| {
            // With fewer samples than columns each shows the nearest sample.
            let begin = edge(column);
            let end = edge(column + 1).max(begin + 1).min(all);
            let part = samples.mono.get(begin..end).unwrap_or(&[]);
            part.iter()
                .fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
                .min(1.0)
        })
        .collect()
}

/// The samples as a WAV file of 16-bit PCM. Sound beyond the 4 GiB that the
/// format holds is left out.
pub fn wav(samples: &Samples) -> Vec<u8> {
    const HEADER: u32 = 36;
    let most = usize::try_from((u32::MAX - HEADER) / 2).unwrap_or(usize::MAX);
    let kept = &samples.mono[..samples.mono.len().min(most)];
    let size = u32::try_from(kept.len() * 2).unwrap_or(u32::MAX - HEADER);
    let mut file = Vec::with_capacity(kept.len() * 2 + 44);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(HEADER + size).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&samples.rate.to_le_bytes());
    file.extend_from_slice(&samples.rate.saturating_mul(2).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&size.to_le_bytes());
    for sample in kept {
        #[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
        let value = (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16;
        file.extend_from_slice(&value.to_le_bytes());
    }
    file
}
