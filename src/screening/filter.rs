//! The filter of one site: it learns from what moderators decide, and scores what comes in.
//!
//! A score is a log-odds: above 0 the comment is more like the site's spam than like its good comments. Counts and
//! regression each say what a feature adds; what they say is added up and divided by the root of how many there are. A
//! long comment is read in windows too, and the worst of them counts, so that harmless words around spam do not hide it.
//! Everything is additive, so every score is explained by the words that made it. About 10 MiB less what was never touched.

use super::counts::{Counts, Label};
use super::features::{FeatureKey, Features, Written};
use super::regression::{Regression, scale};
use super::thresholds::{Judged, Past, Record, Thresholds, grained};
use super::verdict::{Explanation, Outcome, Weight as TokenWeight};

/// Tokens in a window: about two lines of text.
const WINDOW: usize = 15;
const STEP: usize = 5;

/// Of many windows one looks bad by chance: it must look worse than the whole by so much.
const HANDICAP: f64 = 0.5;

/// Tokens that an explanation names.
const MOST_TOKENS: usize = 10;

/// Which stages score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stages {
    Counts,
    Both,
}

/// What the filter knows of one site.
#[derive(Clone)]
pub struct Filter {
    key: FeatureKey,
    stages: Stages,
    pub counts: Counts,
    pub regression: Regression,
    /// How it judged before it was told.
    pub record: Record,
}

/// What the filter thinks of a comment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Log-odds, above 0 means spam.
    pub value: f64,
    /// The part of it that comes from the comment: what the record of a decision keeps.
    pub evidence: f64,
}

impl Filter {
    /// A filter that has learned nothing.
    pub fn new(key: FeatureKey, stages: Stages) -> Self {
        Self { key, stages, counts: Counts::default(), regression: Regression::default(), record: Record::default() }
    }

    /// Reads a submission, for scoring, learning and taking back.
    pub fn read(&self, written: &Written) -> Features {
        Features::of(self.key, written)
    }

    /// Scores a submission.
    pub fn score(&self, features: &Features) -> Score {
        let weighed = self.weigh(features);
        self.score_of(weighed.sum(weighed.worst(features).as_ref()))
    }

    /// What would be done with a submission by itself. What was too long to be read whole is never published so. The
    /// thresholds are the [`Record`]'s, found anew after something was learned, not for each verdict.
    pub fn judge(&self, features: &Features, score: Score, thresholds: &Thresholds, draw: f64) -> Judged {
        let judged = thresholds.judge(score.evidence, draw);
        let is_unread = features.is_cut && judged.outcome == Outcome::Publish;
        if is_unread { Judged { outcome: Outcome::Hold, was_drawn: false } } else { judged }
    }

    /// Scores a submission and says why.
    pub fn explain(&self, features: &Features) -> Explanation {
        let weighed = self.weigh(features);
        let window = weighed.worst(features);
        let score = self.score_of(weighed.sum(window.as_ref())).value;
        let mut by_token = vec![0.0; features.count_tokens()];
        for (token, weight) in weighed.by_token(features, window.as_ref()) {
            by_token[token] += weight;
        }
        let mut strongest: Vec<(usize, f64)> = by_token.into_iter().map(grained).enumerate().collect();
        strongest.sort_by(|(_, one), (_, other)| other.abs().total_cmp(&one.abs()));
        strongest.retain(|(_, weight)| *weight != 0.0);
        strongest.truncate(MOST_TOKENS);
        let prior = grained(self.record.offset() + self.bias());
        let named: f64 = strongest.iter().map(|(_, weight)| weight).sum();
        let tokens =
            strongest.into_iter().map(|(at, weight)| TokenWeight { token: features.token(at), weight }).collect();
        Explanation { score, prior, tokens, rest: score - prior - named }
    }

    /// Learns a decision: counts it, follows it, and records how the comment was scored before. Gives what to store with
    /// the decision, so that the record can be had again.
    ///
    /// `stands_for` is how many such decisions it stands for: 1, or [`super::thresholds::STANDS_FOR`] when the comment was
    /// drawn at random from those decided by the filter.
    pub fn learn(&mut self, features: &Features, label: Label, stands_for: u32) -> Past {
        let past = Past { evidence: self.score(features).evidence, label, stands_for };
        self.record.add(past);
        self.counts.learn(features, label);
        self.regression.learn(features, label);
        past
    }

    fn bias(&self) -> f64 {
        if self.stages == Stages::Both { self.regression.bias() } else { 0.0 }
    }

    fn score_of(&self, sum: f64) -> Score {
        let evidence = grained(sum + self.bias());
        Score { value: evidence + self.record.offset(), evidence }
    }

    fn weigh(&self, features: &Features) -> Weighed {
        let weigher = self.counts.weigh();
        let has_both = self.stages == Stages::Both;
        let weights = features.distinct.iter().map(|feature| {
            let counted = if feature.is_short() { 0.0 } else { weigher.weight(*feature) };
            let followed = if has_both { self.regression.weight(*feature) } else { 0.0 };
            Weight { counted, followed, is_counted: !feature.is_short() }
        });
        Weighed(weights.collect())
    }
}

struct Weight {
    counted: f64,
    followed: f64,
    is_counted: bool,
}

/// What each feature of a comment says.
struct Weighed(Vec<Weight>);

/// Part of a comment: its features, each with the token where it stands in this part.
struct Window(Vec<(u32, Option<u32>)>);

/// The sums over some features.
#[derive(Default)]
struct Sums {
    counted: f64,
    counting: usize,
    followed: f64,
    following: usize,
}

impl Sums {
    fn add(&mut self, weight: &Weight) {
        self.counted += weight.counted;
        self.counting += usize::from(weight.is_counted);
        self.followed += weight.followed;
        self.following += 1;
    }

    fn total(&self) -> f64 {
        self.counted * scale(self.counting) + self.followed * scale(self.following)
    }
}

impl Weighed {
    /// The evidence of a window, or of the whole comment.
    fn sum(&self, window: Option<&Window>) -> f64 {
        let mut sums = Sums::default();
        match window {
            Some(window) => window.0.iter().for_each(|(feature, _)| sums.add(&self.0[*feature as usize])),
            None => self.0.iter().for_each(|weight| sums.add(weight)),
        }
        sums.total() - if window.is_some() { HANDICAP } else { 0.0 }
    }

    /// The window with most evidence of spam, if one has more than the whole.
    fn worst(&self, features: &Features) -> Option<Window> {
        let tokens = features.count_tokens();
        if tokens <= WINDOW {
            return None;
        }
        let mut passes = Passes { by_token: by_token(features, tokens), seen: vec![0; self.0.len()], pass: 0 };
        let mut worst = (self.sum(None), None);
        let last = tokens - WINDOW;
        for start in (0..last).step_by(STEP).chain([last]) {
            let mut sums = Sums::default();
            self.0[..features.about].iter().for_each(|weight| sums.add(weight));
            passes.of(features, start, |feature, _| sums.add(&self.0[feature as usize]));
            if sums.total() - HANDICAP > worst.0 {
                worst = (sums.total() - HANDICAP, Some(start));
            }
        }
        let start = worst.1?;
        let mut window: Vec<_> = (0..).zip(&self.0[..features.about]).map(|(feature, _)| (feature, None)).collect();
        passes.of(features, start, |feature, token| window.push((feature, Some(token))));
        Some(Window(window))
    }

    /// What each token of a window adds to its evidence, feature by feature.
    fn by_token(&self, features: &Features, window: Option<&Window>) -> Vec<(usize, f64)> {
        let places: Vec<(u32, Option<u32>)> = if let Some(window) = window {
            window.0.clone()
        } else {
            let mut seen = vec![false; self.0.len()];
            let about = u32::try_from(features.about).unwrap_or(u32::MAX);
            let mut first = |feature: u32| feature >= about && !std::mem::replace(&mut seen[feature as usize], true);
            let places = features.places.iter().filter(|place| first(place.feature));
            let stands = places.map(|place| (place.feature, Some(place.token)));
            (0..about).map(|feature| (feature, None)).chain(stands).collect()
        };
        let counting = places.iter().filter(|(feature, _)| self.0[*feature as usize].is_counted).count();
        let (counted, followed) = (scale(counting), scale(places.len()));
        let stands = places.into_iter().filter_map(|(feature, token)| Some((&self.0[feature as usize], token?)));
        stands.map(|(weight, token)| (token as usize, weight.counted * counted + weight.followed * followed)).collect()
    }
}

/// Goes through windows, each feature once in each.
struct Passes {
    /// Where each token's places begin in the order of tokens, and the places in that order.
    by_token: (Vec<usize>, Vec<u32>),
    seen: Vec<u32>,
    pass: u32,
}

impl Passes {
    fn of(&mut self, features: &Features, start: usize, mut each: impl FnMut(u32, u32)) {
        self.pass += 1;
        let (begins, order) = &self.by_token;
        for index in &order[begins[start]..begins[start + WINDOW]] {
            let place = features.places[*index as usize];
            let seen = &mut self.seen[place.feature as usize];
            if place.feature as usize >= features.about && *seen != self.pass {
                *seen = self.pass;
                each(place.feature, place.token);
            }
        }
    }
}

/// The places sorted by token, and where each token's begin.
#[allow(clippy::cast_possible_truncation)] // There are fewer places than five times the characters.
fn by_token(features: &Features, tokens: usize) -> (Vec<usize>, Vec<u32>) {
    let mut begins = vec![0; tokens + 1];
    for place in &features.places {
        begins[place.token as usize + 1] += 1;
    }
    for token in 0..tokens {
        begins[token + 1] += begins[token];
    }
    let mut next = begins.clone();
    let mut order = vec![0; features.places.len()];
    for (index, place) in features.places.iter().enumerate() {
        let at = &mut next[place.token as usize];
        order[*at] = index as u32;
        *at += 1;
    }
    (begins, order)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taught() -> Filter {
        let mut filter = Filter::new(FeatureKey::new([3; 16]), Stages::Both);
        for number in 0..60 {
            for (text, label) in [
                (format!("subscribe to my channel number {number} http://shop.example"), Label::Spam),
                (format!("the harbour gate stood open for {number} hours that night"), Label::Good),
            ] {
                let features = filter.read(&Written { text: &text, ..Written::default() });
                filter.learn(&features, label, 1);
            }
        }
        filter
    }

    #[allow(clippy::float_cmp)] // That it is exact is what is promised.
    fn check(filter: &Filter, text: &str) -> Result<(), TestCaseError> {
        let features = filter.read(&Written { text, ..Written::default() });
        let why = filter.explain(&features);
        prop_assert!(why.tokens.len() <= MOST_TOKENS);
        let sum = why.prior + why.tokens.iter().map(|token| token.weight).sum::<f64>() + why.rest;
        prop_assert!(sum == why.score, "{sum} {}", why.score);
        prop_assert!(why.score == filter.score(&features).value);
        let json: serde_json::Value = serde_json::from_str(&serde_json::to_string(&why).unwrap()).unwrap();
        prop_assert_eq!(json["score"].as_f64(), Some(why.score));
        Ok(())
    }

    #[test]
    fn every_score_explains_itself() {
        let filter = taught();
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
        let words = proptest::collection::vec(
            prop_oneof!["subscribe|channel|harbour|gate|http://shop.example|night", any::<String>()],
            0..60,
        );
        runner.run(&words, |words| check(&filter, &words.join(" "))).unwrap();
    }

    #[test]
    fn harmless_words_do_not_hide_spam_and_names_say_something() {
        let filter = taught();
        let score = |text: &str| filter.score(&filter.read(&Written { text, ..Written::default() })).value;
        let salad = "the harbour gate stood open for hours that night ".repeat(22);
        assert!(score("subscribe to my channel http://shop.example") > 0.0);
        assert!(score(&format!("subscribe to my channel http://shop.example {salad}")) > 0.0);
        assert!(score(&format!("{salad} subscribe to my channel http://shop.example {salad}")) > 0.0);
        assert!(score(&salad) < 0.0);
    }

    #[test]
    fn the_same_decisions_in_the_same_order_make_the_same_filter() {
        let (one, other) = (taught(), taught());
        let features = one.read(&Written { text: "subscribe to the harbour", name: "Ada", ..Written::default() });
        assert_eq!(one.score(&features), other.score(&features));
    }

    #[test]
    fn what_was_not_read_whole_is_not_published_by_itself() {
        let filter = taught();
        let thresholds = Thresholds { spam_above: None, publish_below: Some(100.0) };
        let outcome = |text: &str| {
            let features = filter.read(&Written { text, ..Written::default() });
            filter.judge(&features, filter.score(&features), &thresholds, 1.0).outcome
        };
        assert_eq!(outcome("the harbour gate"), Outcome::Publish);
        assert_eq!(outcome(&"the harbour gate ".repeat(1_000)), Outcome::Hold);
    }
}
