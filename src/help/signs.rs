//! The counting behind the search: features get numbers, rarities and, for each
//! topic, weights.

use super::words::Feature;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Added to every count, so that a feature never seen with a topic does not
/// rule it out.
const SMOOTHING: f32 = 0.1;
pub struct Topic {
    /// ln of the weight of each feature that was seen with it, over that of one
    /// that was not, in order of number.
    pub weights: Counts,
    /// ln of the weight of a feature that was never seen with it.
    pub unseen: f32,
}

/// What is known of features: a number for each, and how rare it is.
pub struct Known {
    numbers: HashMap<Feature, u32, Plain>,
    /// ln((1 + texts) / (1 + texts with it)) + 1, by number.
    pub rarity: Vec<f32>,
}

/// Features are hashes already.
type Plain = BuildHasherDefault<Same>;

#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only numbers are keys here.
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A text's features by number, each with how often it is there.
pub type Counts = Vec<(u32, f32)>;

impl Known {
    /// Numbers the features of all texts, which become their counts.
    pub fn of(texts: Vec<Vec<Feature>>) -> (Self, Vec<Counts>) {
        let mut numbers: HashMap<Feature, u32, Plain> = HashMap::default();
        let mut within: Vec<f32> = Vec::new();
        let mut counts = Vec::with_capacity(texts.len());
        for text in texts {
            let numbered = text.iter().map(|feature| {
                let next = numbers.len() as u32;
                *numbers.entry(*feature).or_insert(next)
            });
            let counted = count(numbered.collect());
            within.resize(numbers.len(), 0.0);
            counted.iter().for_each(|(n, _)| within[*n as usize] += 1.0);
            counts.push(counted);
        }
        let all = 1.0 + counts.len() as f32;
        let rarity = within.iter().map(|n| (all / (1.0 + n)).ln() + 1.0);
        let rarity = rarity.collect();
        (Self { numbers, rarity }, counts)
    }

    /// Those features of a text that are known.
    pub fn counts(&self, text: &[Feature]) -> Counts {
        count(
            text.iter()
                .filter_map(|f| self.numbers.get(f).copied())
                .collect(),
        )
    }

    /// Counts dampened, weighted by rarity, and made as long as any other
    /// text's.
    pub fn weigh(&self, mut counts: Counts) -> Counts {
        for (number, weight) in &mut counts {
            *weight = (1.0 + weight.ln()) * self.rarity[*number as usize];
        }
        let length = counts.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
        counts.iter_mut().for_each(|(_, w)| *w /= length.max(1e-9));
        counts
    }
}

fn count(mut numbers: Vec<u32>) -> Counts {
    numbers.sort_unstable();
    let runs = numbers.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() as f32)).collect()
}

/// What is known of a topic from the weighed texts about it.
pub fn learn(mut signs: Counts, features: usize) -> Topic {
    signs.sort_unstable_by_key(|(number, _)| *number);
    let runs = signs.chunk_by(|a, b| a.0 == b.0);
    let sums: Counts = runs
        .map(|run| (run[0].0, run.iter().map(|(_, w)| w).sum::<f32>()))
        .collect();
    let total = sums.iter().map(|(_, w)| w).sum::<f32>() + SMOOTHING * features as f32;
    let weights = sums
        .into_iter()
        .map(|(number, sum)| (number, ((sum + SMOOTHING) / SMOOTHING).ln()));
    Topic {
        weights: weights.collect(),
        unseen: (SMOOTHING / total).ln(),
    }
}
