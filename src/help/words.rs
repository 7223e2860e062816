//! A text as features, the signs that the search counts: words, pairs of
//! neighbours, pieces of words, and groups of synonyms.

use std::collections::HashMap;
use unicode_segmentation::UnicodeSegmentation;

/// A feature by its hash: of a hundred thousand, two fall together once in
/// billions of times.
pub type Feature = u64;

/// Letters of a piece of a word.
const PIECES: [usize; 2] = [3, 4];

/// Groups of words that stand for the same thing.
pub struct Synonyms {
    /// A word or phrase to the numbers of its groups.
    groups: HashMap<String, Vec<usize>>,
    /// Words in the longest phrase.
    longest: usize,
}

impl Synonyms {
    /// One group on each line, with commas between; `#` begins a comment.
    pub fn parse(text: &str) -> Self {
        let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
        let mut longest = 1;
        let lines = text.lines().filter(|l| !l.starts_with('#'));
        for (number, line) in lines.enumerate() {
            for phrase in line.split(',').map(words).filter(|w| !w.is_empty()) {
                longest = longest.max(phrase.len());
                groups.entry(phrase.join(" ")).or_default().push(number);
            }
        }
        Self { groups, longest }
    }

    /// The groups that these words belong to, each once, in order.
    fn of(&self, words: &[String]) -> Vec<usize> {
        let mut found: Vec<usize> = (1..=self.longest)
            .flat_map(|length| words.windows(length))
            .filter_map(|phrase| self.groups.get(&phrase.join(" ")))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Words in lower case, in any script; keys, options and names such as
/// `ctrl+c`, `--json` and `top-p` come apart into their words.
pub fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(str::to_lowercase).collect()
}

/// The features of a text, each as often as it is there.
pub fn features(text: &str, synonyms: &Synonyms) -> Vec<Feature> {
    let words = words(text);
    let mut found = Vec::with_capacity(16 * words.len());
    for word in &words {
        found.push(hash(0, word.bytes()));
        pieces(word, &mut found);
    }
    for pair in words.windows(2) {
        let between = pair[0].bytes().chain([b' ']);
        found.push(hash(1, between.chain(pair[1].bytes())));
    }
    let groups = synonyms.of(&words);
    for (at, group) in groups.iter().enumerate() {
        found.push(hash(2, group.to_le_bytes()));
        for other in &groups[at + 1..] {
            let both = group.to_le_bytes().into_iter();
            found.push(hash(3, both.chain(other.to_le_bytes())));
        }
    }
    found
}

/// Neighbouring letters of a word with its borders: what is left of a word with
/// a typo or another ending.
fn pieces(word: &str, found: &mut Vec<Feature>) {
    let borders: Vec<usize> = word
        .char_indices()
        .map(|(at, _)| at)
        .chain([word.len()])
        .collect();
    for length in PIECES {
        // One letter less at either end, where the border stands for it.
        for end in length - 1..borders.len() {
            let start = (end + 1).saturating_sub(length + 1);
            let piece = &word[borders[start]..borders[end]];
            let kind = 4 + u8::from(end + 1 == length);
            found.push(hash(kind, piece.bytes()));
        }
        if borders.len() > length - 1 {
            let last = &word[borders[borders.len() - length]..];
            found.push(hash(6, last.bytes()));
        }
    }
}

/// FNV-1a, with the kind of feature before its bytes.
fn hash(kind: u8, bytes: impl IntoIterator<Item = u8>) -> Feature {
    let start = 0xcbf2_9ce4_8422_2325;
    let all = [kind].into_iter().chain(bytes);
    all.fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
