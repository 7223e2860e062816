//! Finds the passages that answer a question: multinomial naive Bayes over
//! features that are weighted by tf-idf (Rennie et al. 2003, "Tackling the poor
//! assumptions of naive Bayes text classifiers").
//!
//! It learns at first use, within a tenth of a second, from the passages
//! and from the ways in which people ask for them, `assets/help/questions.tsv`.
//! Messages that the help does not answer are learned as topics too, so that
//! they are told apart and not answered with the least unlikely passage.

use super::passage::{Passage, english};
use super::signs::{Counts, Known, Topic, learn};
use super::small_talk;
use super::words::{Feature, Synonyms, features, words};
use std::collections::HashMap;
use std::sync::LazyLock;

/// `topic<TAB>question` lines.
const QUESTIONS: &str = include_str!("../../assets/help/questions.tsv");
const SYNONYMS: &str = include_str!("../../assets/help/synonyms.txt");
/// Probabilities of naive Bayes are too sure of themselves by about this.
const COOLING: f32 = 0.1;
/// When the best passage is this many times as likely as by chance, it is taken
/// for the answer: a probability shrinks with every topic that there is. These
/// cut-offs were chosen on the held-out questions; what they do to all of them
/// stands in `assets/starter/README.md`.
const CLEAR: f32 = 47.0;
/// From this on it is one of a few.
const UNSURE: f32 = 20.0;
/// How many times as likely as that none answers a passage must be, to be the
/// answer, and to be one of a few.
const CLEAR_AGAINST_NONE: f32 = 0.5;
const UNSURE_AGAINST_NONE: f32 = 0.4;
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

impl Find {
    /// Over the English passages.
    pub fn english() -> &'static Find {
        static FIND: LazyLock<Find> = LazyLock::new(|| {
            let elsewhere = [small_talk::unknown(), small_talk::said()];
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
            Some(hit) if known => trust(hit.score, other, chances.len()),
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
}

/// By the measured cut-offs.
fn trust(best: f32, none: f32, topics: usize) -> Trust {
    let times = best * topics as f32;
    if times >= CLEAR && best > CLEAR_AGAINST_NONE * none {
        Trust::Clear
    } else if times >= UNSURE && best > UNSURE_AGAINST_NONE * none {
        Trust::Unsure
    } else {
        Trust::Nothing
    }
}
