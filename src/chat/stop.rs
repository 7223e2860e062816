//! Finds stop strings in streamed text without leaking their first half.

/// What may be shown now, and whether a stop string was met.
#[derive(Debug, PartialEq, Eq)]
pub struct Scan {
    pub text: String,
    pub stopped: bool,
}

/// Holds back the longest tail that could still become a stop string.
#[derive(Debug, Default)]
pub struct StopStrings {
    stops: Vec<String>,
    held: String,
    stopped: bool,
}

impl StopStrings {
    /// Empty strings are ignored: they would stop every answer at once.
    pub fn new(stops: impl IntoIterator<Item = String>) -> Self {
        Self {
            stops: stops.into_iter().filter(|s| !s.is_empty()).collect(),
            ..Self::default()
        }
    }

    /// Adds text. After a stop string nothing more is let through.
    pub fn push(&mut self, text: &str) -> Scan {
        if self.stopped {
            return Scan {
                text: String::new(),
                stopped: true,
            };
        }
        self.held.push_str(text);
        // The string that is complete first wins, so that the split into
        // pieces does not matter; between two that end together, the longer.
        let first = self
            .stops
            .iter()
            .filter_map(|s| self.held.find(s.as_str()).map(|at| (at + s.len(), at)))
            .min();
        if let Some((_, at)) = first {
            self.stopped = true;
            self.held.truncate(at);
            return Scan {
                text: std::mem::take(&mut self.held),
                stopped: true,
            };
        }
        let keep = self
            .stops
            .iter()
            .map(|s| overlap(&self.held, s))
            .max()
            .unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        Scan {
            text: std::mem::replace(&mut self.held, rest),
            stopped: false,
        }
    }

    /// Ends the stream and returns what was held back in vain.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Length in bytes of the longest end of `text` that begins `pattern`, short
/// of the whole pattern.
pub(crate) fn overlap(text: &str, pattern: &str) -> usize {
    let longest = text.len().min(pattern.len().saturating_sub(1));
    (1..=longest)
        .rev()
        .find(|&n| pattern.is_char_boundary(n) && text.ends_with(&pattern[..n]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut scanner = StopStrings::new(stops.iter().map(|s| (*s).to_string()));
        let mut shown = String::new();
        for piece in pieces {
            let scan = scanner.push(piece);
            shown.push_str(&scan.text);
            if scan.stopped {
                return (shown, true);
            }
        }
        shown.push_str(&scanner.finish());
        (shown, false)
    }

    #[test]
    fn a_stop_string_over_three_pieces_never_leaks_its_first_half() {
        assert_eq!(
            run(&["END."], &["so E", "N", "D. more"]),
            ("so ".into(), true)
        );
    }

    #[test]
    fn a_half_that_comes_to_nothing_is_shown() {
        assert_eq!(
            run(&["END."], &["so EN", "tire"]),
            ("so ENtire".into(), false)
        );
        assert_eq!(run(&["END."], &["so EN"]), ("so EN".into(), false));
    }

    #[test]
    fn an_empty_stop_string_stops_nothing() {
        assert_eq!(run(&[""], &["text"]), ("text".into(), false));
    }

    proptest! {
        #[test]
        fn any_split_stops_at_the_same_place(
            text in "[ab\u{e9}]{0,40}",
            stops in proptest::collection::vec("[ab\u{e9}]{1,4}", 0..3),
            size in 1usize..5,
        ) {
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let chars: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = chars.chunks(size).map(|c| c.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(run(&stops, &pieces), run(&stops, &[&text]));
        }
    }
}
