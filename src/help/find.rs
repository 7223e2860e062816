//! Finds the passages that answer a question: multinomial naive Bayes over
//! features that are weighted by tf-idf (Rennie et al. 2003, "Tackling the poor
//! assumptions of naive Bayes text classifiers").
//!
//! It learns at first use, within a tenth of a second, from the passages
//! and from the ways in which people ask for them, `assets/help/questions.tsv`.
//! Messages that the help does not answer are learned as topics too, so that
//! they are told apart and not answered with the least unlikely passage.

use super::passage::{Passage, english};
use super::words::{Feature, Synonyms, features, words};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// `topic<TAB>question` lines.
const QUESTIONS: &str = include_str!("../../assets/help/questions.tsv");
const SYNONYMS: &str = include_str!("../../assets/help/synonyms.txt");
/// What people say that is no question about Parlor.
const UNKNOWN: &str = include_str!("../../assets/starter/text/unknown.txt");
const SMALL_TALK: &str = include_str!("../../assets/starter/text/smalltalk.txt");

/// Added to every count, so that a feature never seen with a topic does not
/// rule it out.
const SMOOTHING: f32 = 0.1;
/// Probabilities of naive Bayes are too sure of themselves by about this.
const COOLING: f32 = 0.1;
/// From this probability on the best passage is taken for the answer. These
/// cut-offs were chosen on the held-out questions; what they do to all
/// of them stands in `assets/starter/README.md`.
const CLEAR: f32 = 0.4;
/// From this on it is one of a few.
const UNSURE: f32 = 0.17;
/// How many times as likely as that none answers a passage must be, to be the
/// answer, and to be one of a few.
const CLEAR_AGAINST_NONE: f32 = 0.5;
const UNSURE_AGAINST_NONE: f32 = 0.3;
/// Passages that are given back.
const BEST: usize = 5;

/// How far the best passage can be trusted to be the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    Clear,
    /// One of the best few.
    Unsure,
    /// No question that the help answers.
    Nothing,
}

/// A passage that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its place among the passages.
    at: usize,
    /// Probability from 0 to 1 among all that could be meant.
    pub score: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The best first.
    pub best: Vec<Hit>,
    /// Probability from 0 to 1 that no passage answers.
    pub elsewhere: f32,
    pub trust: Trust,
}

/// A search over passages.
pub struct Find {
    passages: Vec<Passage>,
    synonyms: Synonyms,
    known: Known,
    /// For each topic (the passages, then what is none) the weights of features.
    topics: Vec<Topic>,
}

struct Topic {
    /// ln of the weight of each feature that was seen with it, over that of one
    /// that was not, in order of number.
    weights: Counts,
    /// ln of the weight of a feature that was never seen with it.
    unseen: f32,
}

impl Find {
    /// Over the English passages.
    pub fn english() -> &'static Find {
        static FIND: LazyLock<Find> = LazyLock::new(|| {
            let elsewhere = [unknown(), small_talk()];
            Find::new(english().to_vec(), QUESTIONS, SYNONYMS, &elsewhere)
        });
        &FIND
    }

    /// Over these passages, in any language. `questions` has lines of a
    /// passage's id, a tab, and a way of asking for it; each list of
    /// `elsewhere` is of messages of one kind that no passage answers.
    pub fn new(
        passages: Vec<Passage>,
        questions: &str,
        synonyms: &str,
        elsewhere: &[Vec<&str>],
    ) -> Self {
        let place: HashMap<&str, usize> = passages
            .iter()
            .enumerate()
            .map(|(at, p)| (p.id.as_str(), at))
            .collect();
        let synonyms = Synonyms::parse(synonyms);
        let mut texts: Vec<(usize, String)> = Vec::new();
        for (at, passage) in passages.iter().enumerate() {
            texts.push((at, passage.id.replace('-', " ")));
            texts.push((at, passage.title.clone()));
            texts.push((at, passage.written()));
        }
        for (id, question) in questions.lines().filter_map(|l| l.split_once('\t')) {
            texts.extend(place.get(id).map(|at| (*at, question.to_string())));
        }
        for (kind, messages) in elsewhere.iter().enumerate() {
            let at = passages.len() + kind;
            texts.extend(messages.iter().map(|m| (at, (*m).to_string())));
        }
        let (places, found): (Vec<usize>, Vec<Vec<Feature>>) = texts
            .iter()
            .map(|(at, text)| (*at, features(text, &synonyms)))
            .unzip();
        let (known, counts) = Known::of(found);
        let mut signs: Vec<Counts> = vec![Counts::new(); passages.len() + elsewhere.len()];
        for (at, counts) in places.into_iter().zip(counts) {
            signs[at].extend(known.weigh(counts));
        }
        let size = known.rarity.len();
        let topics = signs.into_iter().map(|s| learn(s, size)).collect();
        Self {
            passages,
            synonyms,
            known,
            topics,
        }
    }

    /// The likeliest kind of `elsewhere` and its probability; None for a text of
    /// which nothing is known.
    pub fn kind(&self, message: &str) -> Option<(usize, f32)> {
        let counts = self.known.counts(&features(message, &self.synonyms));
        let chances = self.chances(&self.known.weigh(counts));
        let kinds = chances
            .iter()
            .copied()
            .enumerate()
            .skip(self.passages.len());
        let best = kinds.max_by(|a, b| a.1.total_cmp(&b.1));
        best.filter(|(_, chance)| *chance > 1.5 / chances.len() as f32)
            .map(|(at, chance)| (at - self.passages.len(), chance))
    }

    pub fn passage(&self, hit: Hit) -> &Passage {
        &self.passages[hit.at]
    }

    /// The titles of the passages with these ids.
    pub fn titles(&self, ids: &[String]) -> Vec<&str> {
        ids.iter()
            .filter_map(|id| self.passages.iter().find(|p| p.id == *id))
            .map(|p| p.title.as_str())
            .collect()
    }

    /// The passages that answer a question, and how sure that is.
    pub fn find(&self, question: &str) -> Found {
        let counts = self.known.counts(&features(question, &self.synonyms));
        let weighed = self.known.weigh(counts);
        let chances = self.chances(&weighed);
        let mut best: Vec<Hit> = chances[..self.passages.len()]
            .iter()
            .enumerate()
            .map(|(at, score)| Hit { at, score: *score })
            .collect();
        best.sort_by(|a, b| b.score.total_cmp(&a.score));
        best.truncate(BEST);
        let named = self.named(question);
        if let Some(at) = named {
            best.retain(|hit| hit.at != at);
            best.insert(0, Hit { at, score: 1.0 });
        }
        let known = !weighed.is_empty();
        let other = chances[self.passages.len()..].iter().sum::<f32>();
        let trust = match best.first() {
            Some(_) if named.is_some() => Trust::Clear,
            Some(hit) if known => trust(hit.score, other),
            Some(_) | None => Trust::Nothing,
        };
        Found {
            best,
            elsewhere: other,
            trust,
        }
    }

    /// The passage whose id or title is the question, but for "what is the …".
    fn named(&self, question: &str) -> Option<usize> {
        const ASKING: [&str; 9] = [
            "what", "is", "are", "the", "a", "an", "does", "mean", "explain",
        ];
        let words = |text: &str| {
            let words = words(text).into_iter();
            let named = words.filter(|w| !ASKING.contains(&w.as_str()));
            named.collect::<Vec<_>>()
        };
        let asked = words(question).join(" ");
        if asked.is_empty() {
            return None;
        }
        self.passages
            .iter()
            .position(|p| asked == words(&p.id).join(" ") || asked == words(&p.title).join(" "))
    }

    /// The probability of each topic, all equally likely beforehand.
    fn chances(&self, weighed: &[(u32, f32)]) -> Vec<f32> {
        let sum: f32 = weighed.iter().map(|(_, w)| w).sum();
        // More signs are surer, but not in proportion: they are not independent.
        let scale = COOLING * (weighed.len() as f32).sqrt();
        let logs: Vec<f32> = self
            .topics
            .iter()
            .map(|topic| {
                let seen = weighed.iter().filter_map(|(number, weight)| {
                    let at = topic.weights.binary_search_by_key(number, |(n, _)| *n);
                    at.ok().map(|at| topic.weights[at].1 * weight)
                });
                scale * (topic.unseen * sum + seen.sum::<f32>())
            })
            .collect();
        let most = logs.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f32> = logs.iter().map(|log| (log - most).exp()).collect();
        let total: f32 = powers.iter().sum();
        powers.iter().map(|p| p / total).collect()
    }

    /// Whether this asks for more about the same ("tell me more").
    pub fn asks_for_more(&self, question: &str) -> bool {
        const MORE: [&str; 12] = [
            "more",
            "continue",
            "elaborate",
            "details",
            "else",
            "further",
            "go",
            "explain",
            "keep",
            "and",
            "longer",
            "deeper",
        ];
        let words = words(question);
        !words.is_empty()
            && words.iter().any(|w| MORE.contains(&w.as_str()))
            && words.iter().all(|w| {
                MORE.contains(&w.as_str())
                    || FILLING.contains(&w.as_str())
                    || POINTING.contains(&w.as_str())
            })
    }

    /// Whether this is understood only with what was said before.
    pub fn points_back(&self, question: &str) -> bool {
        let words = words(question);
        words.len() <= 12 && words.iter().any(|w| POINTING.contains(&w.as_str()))
            || matches!(
                words.first().map(String::as_str),
                Some("and" | "but" | "or" | "then")
            )
    }
}

/// Words that point to what was said before.
const POINTING: [&str; 9] = [
    "it", "that", "this", "them", "those", "these", "its", "one", "there",
];
/// Words that say nothing by themselves.
const FILLING: [&str; 20] = [
    "tell", "me", "please", "on", "about", "what", "can", "you", "say", "a", "bit", "is", "some",
    "anything", "give", "in", "detail", "to", "know", "the",
];

/// By the measured cut-offs.
fn trust(best: f32, none: f32) -> Trust {
    if best >= CLEAR && best > CLEAR_AGAINST_NONE * none {
        Trust::Clear
    } else if best >= UNSURE && best > UNSURE_AGAINST_NONE * none {
        Trust::Unsure
    } else {
        Trust::Nothing
    }
}

fn unknown() -> Vec<&'static str> {
    UNKNOWN.lines().collect()
}

fn small_talk() -> Vec<&'static str> {
    let said = SMALL_TALK.lines().filter_map(|l| l.strip_prefix("U: "));
    said.collect()
}

/// What is known of features: a number for each, and how rare it is.
struct Known {
    numbers: HashMap<Feature, u32, Plain>,
    /// ln((1 + texts) / (1 + texts with it)) + 1, by number.
    rarity: Vec<f32>,
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
type Counts = Vec<(u32, f32)>;

impl Known {
    /// Numbers the features of all texts, which become their counts.
    fn of(texts: Vec<Vec<Feature>>) -> (Self, Vec<Counts>) {
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
    fn counts(&self, text: &[Feature]) -> Counts {
        count(
            text.iter()
                .filter_map(|f| self.numbers.get(f).copied())
                .collect(),
        )
    }

    /// Counts dampened, weighted by rarity, and made as long as any other
    /// text's.
    fn weigh(&self, mut counts: Counts) -> Counts {
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
fn learn(mut signs: Counts, features: usize) -> Topic {
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
