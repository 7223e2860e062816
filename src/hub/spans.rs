//! Which bytes of a file are there: ranges that neither touch nor overlap.

use serde::{Deserialize, Serialize};

/// Half-open ranges `[from, to)`, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spans(Vec<(u64, u64)>);

impl Spans {
    pub fn add(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let first = self.0.partition_point(|s| s.1 < from);
        let last = self.0.partition_point(|s| s.0 <= to);
        let mut whole = (from, to);
        for span in &self.0[first..last] {
            whole = (whole.0.min(span.0), whole.1.max(span.1));
        }
        self.0.splice(first..last, [whole]);
    }

    pub fn remove(&mut self, from: u64, to: u64) {
        let kept = self.0.iter().flat_map(|&(a, b)| {
            [(a, b.min(from)), (a.max(to), b)]
                .into_iter()
                .filter(|s| s.0 < s.1)
        });
        if from < to {
            self.0 = kept.collect();
        }
    }

    /// Bytes in all ranges.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|s| s.1 - s.0).sum()
    }

    /// The end of the range that begins at 0.
    pub fn front(&self) -> u64 {
        match self.0.first() {
            Some(&(0, to)) => to,
            _ => 0,
        }
    }

    /// What is missing of `size` bytes, in pieces of `piece` bytes at most.
    pub fn missing(&self, size: u64, piece: u64) -> Vec<(u64, u64)> {
        let piece = piece.max(1);
        let mut pieces = Vec::new();
        let mut at = 0;
        for &(from, to) in self.0.iter().chain([&(size, size)]) {
            while at < from.min(size) {
                let end = from.min(size).min(at.saturating_add(piece));
                pieces.push((at, end));
                at = end;
            }
            at = at.max(to);
        }
        pieces
    }

    /// The same ranges, made good: what a file says need be neither in order
    /// nor inside the file.
    pub fn sound(&self, size: u64) -> Spans {
        let mut sound = Spans::default();
        for &(from, to) in &self.0 {
            sound.add(from.min(size), to.min(size));
        }
        sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranges_hold_what_a_set_of_bytes_holds(
            steps in proptest::collection::vec((any::<bool>(), 0u64..60, 0u64..60), 0..30),
            piece in 1u64..20,
        ) {
            let mut spans = Spans::default();
            let mut bytes = [false; 60];
            for (add, a, b) in steps {
                let (from, to) = (a.min(b), a.max(b));
                if add { spans.add(from, to) } else { spans.remove(from, to) }
                (from..to).for_each(|i| bytes[i as usize] = add);
            }
            prop_assert_eq!(spans.total(), bytes.iter().filter(|b| **b).count() as u64);
            prop_assert_eq!(spans.front(), bytes.iter().take_while(|b| **b).count() as u64);
            prop_assert_eq!(&spans.sound(60), &spans);
            prop_assert!(spans.0.windows(2).all(|w| w[0].1 < w[1].0));
            let missing = spans.missing(60, piece);
            prop_assert!(missing.iter().all(|m| m.0 < m.1 && m.1 - m.0 <= piece));
            for (from, to) in missing {
                (from..to).for_each(|i| {
                    assert!(!bytes[i as usize]);
                    bytes[i as usize] = true;
                });
            }
            prop_assert!(bytes.iter().all(|b| *b));
        }
    }
}
