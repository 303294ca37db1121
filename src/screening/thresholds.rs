//! From scores to what is done: nothing by itself at first, then as much as the site's budget of mistakes allows.
//!
//! The record has how comments were scored *before* a moderator decided about them. A comment is put away by itself when
//! its score is above what all but the budget's share of good comments had, and published by itself when it is below what
//! all but that share of spam had (split conformal prediction: for comments that come in no particular order the promise
//! holds whatever the scores mean). What a person decides because it was held says little about the rest; so a share of
//! what is decided by itself goes to people too, and those decisions stand for all that did not.

use std::collections::VecDeque;

use super::Outcome;
use super::counts::Label;

/// Of what the filter would decide by itself, one in this many goes to a moderator; whose decision then counts so much.
pub const STANDS_FOR: u32 = 50;

/// Decisions of each kind before anything happens by itself.
pub const FEWEST: usize = 50;

/// A budget below this share cannot be shown to be kept from fewer good comments than [`FEWEST_FOR_STRICT`]: when none in n
/// fails, the rate may still be 3/n.
const STRICT: f64 = 0.003;
const FEWEST_FOR_STRICT: usize = 3_000;

/// Decisions of each kind that thresholds look back on.
const MOST: usize = 4_000;

/// Decisions of both kinds that the offset looks back on, and how often it is set anew when there are many.
const MOST_FOR_OFFSET: usize = 2_000;
const MANY: usize = 256;
const EVERY: usize = 16;

/// A good comment taken for spam is as bad as so much spam taken for good: a reader is wronged, not a moderator bothered.
const WORSE: f64 = 3.5;

/// Holds the offset near 0 until there are decisions, as so many of them would.
const RIDGE: f64 = 2.0;

/// How a comment was scored before it was decided about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    pub evidence: f64,
    pub label: Label,
    pub stands_for: u32,
}

/// The last decisions and how they were foreseen. Rebuilt by adding them in their order.
#[derive(Debug, Default, Clone)]
pub struct Record {
    good: VecDeque<(f64, u32)>,
    spam: VecDeque<(f64, u32)>,
    recent: VecDeque<(f64, Label)>,
    added: usize,
    offset: f64,
}

/// Where things happen by themselves, for one budget; in [`super::filter::Score::evidence`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Above this it is spam.
    pub spam_above: Option<f64>,
    /// Below this it is published.
    pub publish_below: Option<f64>,
}

impl Record {
    /// Adds a decision.
    pub fn add(&mut self, past: Past) {
        let kind = if past.label == Label::Spam { &mut self.spam } else { &mut self.good };
        keep(kind, (past.evidence, past.stands_for.max(1)), MOST);
        keep(&mut self.recent, (past.evidence, past.label), MOST_FOR_OFFSET);
        self.added += 1;
        if self.added <= MANY || self.added.is_multiple_of(EVERY) {
            self.offset = self.fit();
        }
    }

    /// What is added to a comment's evidence, so that above 0 it is better called spam.
    pub const fn offset(&self) -> f64 {
        self.offset
    }

    /// The thresholds for a budget: the share of good comments that may be put away by mistake, and of spam that may be
    /// published. 0.01 is usual. Sorts the whole record: some 0.3 ms when it is full.
    pub fn thresholds(&self, budget: f64) -> Thresholds {
        let has_enough = self.good.len() >= FEWEST && self.spam.len() >= FEWEST;
        if !has_enough || budget < STRICT && self.good.len() < FEWEST_FOR_STRICT {
            return Thresholds { spam_above: None, publish_below: None };
        }
        let good = self.good.iter().copied();
        let spam = self.spam.iter().map(|(evidence, stands_for)| (-evidence, *stands_for));
        Thresholds { spam_above: quantile(good, budget), publish_below: quantile(spam, budget).map(|below| -below) }
    }

    /// The offset at which the mistakes, weighed, are least surprising (logistic loss), by bisection.
    fn fit(&self) -> f64 {
        let (mut low, mut high) = (-16.0_f64, 16.0_f64);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            let slopes = self.recent.iter().map(|(evidence, label)| {
                let chance = 1.0 / (1.0 + (-(middle + evidence)).exp());
                if *label == Label::Spam { chance - 1.0 } else { WORSE * chance }
            });
            if slopes.sum::<f64>() + RIDGE * middle > 0.0 { high = middle } else { low = middle }
        }
        grained(low)
    }
}

impl Thresholds {
    /// What becomes of a comment with this evidence. `draw` is a random number from 0 to 1: one in [`STANDS_FOR`] of what
    /// would happen by itself is held instead, and the caller says so when it is learned (`was_drawn`).
    pub fn judge(&self, evidence: f64, draw: f64) -> Judged {
        let is_spam = self.spam_above.is_some_and(|above| evidence > above);
        let is_good = self.publish_below.is_some_and(|below| evidence < below);
        let outcome = match (is_spam, is_good) {
            (true, false) => Outcome::Spam,
            (false, true) => Outcome::Publish,
            // Between spam and good comments where there have been neither, nobody knows.
            _ => return Judged { outcome: Outcome::Hold, was_drawn: false },
        };
        let was_drawn = draw * f64::from(STANDS_FOR) < 1.0;
        Judged { outcome: if was_drawn { Outcome::Hold } else { outcome }, was_drawn }
    }
}

/// What the filter would do with a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub outcome: Outcome,
    /// Whether it is held only so that a person looks, in which case its decision stands for others.
    pub was_drawn: bool,
}

/// Rounded to a multiple of 2^-12, as scores and all that explains them are: then they add up exactly, and their decimals
/// are few enough for any reader of JSON.
pub(super) fn grained(value: f64) -> f64 {
    (value * 4_096.0).round() / 4_096.0
}

/// The score that all but a share of these do not exceed, nor would one more of their kind; none when there are too few.
fn quantile(scores: impl Iterator<Item = (f64, u32)>, share: f64) -> Option<f64> {
    let mut scores: Vec<(f64, u32)> = scores.collect();
    scores.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let all: f64 = scores.iter().map(|(_, stands_for)| f64::from(*stands_for)).sum();
    let mut above = 1.0;
    if above > share * (all + 1.0) {
        return None;
    }
    for (score, stands_for) in scores {
        above += f64::from(stands_for);
        if above > share * (all + 1.0) {
            return Some(score);
        }
    }
    None
}

fn keep<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many good comments at 1, 2, 3, … below 0 and as much spam above it.
    fn record(good: u32, spam: u32) -> Record {
        let mut record = Record::default();
        for at in 1..=good.max(spam) {
            for (label, of, sign) in [(Label::Good, good, -1.0), (Label::Spam, spam, 1.0)] {
                if at <= of {
                    record.add(Past { evidence: sign * f64::from(at), label, stands_for: 1 });
                }
            }
        }
        record
    }

    const NONE: Thresholds = Thresholds { spam_above: None, publish_below: None };

    #[test]
    fn nothing_happens_by_itself_before_fifty_of_each_kind() {
        assert_eq!(record(49, 400).thresholds(0.01), NONE);
        assert_eq!(record(400, 49).thresholds(0.01), NONE);
        assert_ne!(record(99, 99).thresholds(0.05), NONE);
    }

    #[test]
    fn a_budget_is_spent_only_when_there_are_enough_to_show_it() {
        assert_eq!(record(98, 98).thresholds(0.01), NONE);
        assert_eq!(record(99, 99).thresholds(0.01), Thresholds { spam_above: Some(-1.0), publish_below: Some(1.0) });
        assert_eq!(record(199, 199).thresholds(0.01), Thresholds { spam_above: Some(-2.0), publish_below: Some(2.0) });
        assert_eq!(record(332, 332).thresholds(0.003), NONE);
        assert_ne!(record(333, 333).thresholds(0.003), NONE);
        assert_eq!(record(2_999, 2_999).thresholds(0.001), NONE);
        assert_ne!(record(3_000, 3_000).thresholds(0.001), NONE);
        assert_eq!(record(3_000, 3_000).thresholds(0.0), NONE);
    }

    #[test]
    fn a_decision_that_stands_for_others_counts_as_many() {
        let mut record = record(4_000, 4_000);
        record.add(Past { evidence: 10.0, label: Label::Good, stands_for: STANDS_FOR });
        assert_eq!(record.thresholds(0.01).spam_above, Some(10.0));
        assert_eq!(record.thresholds(0.03).spam_above, Some(-72.0), "seventy more than it stands for, from -2 on");
    }

    #[test]
    fn one_in_fifty_of_what_would_happen_by_itself_goes_to_people() {
        let thresholds = Thresholds { spam_above: Some(1.0), publish_below: Some(-1.0) };
        for (evidence, draw, outcome, was_drawn) in [
            (2.0, 0.02, Outcome::Spam, false),
            (2.0, 0.019, Outcome::Hold, true),
            (-2.0, 1.0, Outcome::Publish, false),
            (-2.0, 0.0, Outcome::Hold, true),
            (0.0, 0.0, Outcome::Hold, false),
        ] {
            assert_eq!(thresholds.judge(evidence, draw), Judged { outcome, was_drawn });
        }
        let crossed = Thresholds { spam_above: Some(-1.0), publish_below: Some(1.0) };
        assert_eq!(crossed.judge(0.0, 1.0).outcome, Outcome::Hold);
    }

    #[test]
    fn the_offset_moves_to_where_mistakes_are_fewest() {
        assert!(Record::default().offset().abs() < f64::EPSILON);
        let mut record = Record::default();
        for evidence in 1..=40 {
            for (label, evidence) in [(Label::Good, 4.0 + f64::from(evidence % 3)), (Label::Spam, 9.0)] {
                record.add(Past { evidence, label, stands_for: 1 });
            }
        }
        assert!((-9.0..-6.0).contains(&record.offset()), "{}", record.offset());
    }
}
