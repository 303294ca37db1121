//! How well the filter does on labelled comments, predicted one by one before each is learned.
//!
//! It is the filter that serves, with the thresholds that serve, so what is measured here is what a site with these
//! comments would have had. One moderator decides about everything: what the filter would decide by itself is learned like
//! the rest, since its label is known.

use serde::Serialize;

use super::Outcome;
use super::counts::Label;
use super::features::{FeatureKey, Written};
use super::filter::{Filter, Stages};
use super::thresholds::Thresholds;

/// Decisions after which the error so far is told.
const MARKS: [usize; 9] = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000];

/// Decisions after which the figures are counted once more, for what came later.
const AFTER: [usize; 3] = [0, 200, 1_000];

/// How often thresholds are found anew: always at first, then now and then.
const MANY: usize = 256;
const EVERY: usize = 16;

/// A filter being measured.
pub struct Evaluation {
    filter: Filter,
    is_frozen: bool,
    /// The share of good comments that may be put away by mistake.
    budget: f64,
    /// Found anew now and then, as a server does.
    thresholds: Thresholds,
    predicted: Vec<Predicted>,
}

/// What the filter said of a comment.
#[derive(Debug, Clone, Copy)]
pub struct Predicted {
    /// Log-odds, above 0 means spam.
    pub score: f64,
    pub label: Label,
    outcome: Outcome,
}

/// What came out. Shares are from 0 to 1; what there is nothing to count of is null.
#[derive(Debug, Serialize)]
pub struct Report {
    pub comments: usize,
    pub spam: usize,
    pub good: usize,
    /// The share of wrong predictions among the first so many.
    pub cumulative_error: Vec<ErrorAt>,
    /// Figures for all comments, and for those that came after some decisions.
    pub figures: Vec<Figures>,
}

#[derive(Debug, Serialize)]
pub struct ErrorAt {
    pub decisions: usize,
    pub error: f64,
}

#[derive(Debug, Serialize)]
pub struct Figures {
    /// Comments before these.
    pub after: usize,
    pub comments: usize,
    /// The chance that spam scores above a good comment.
    pub auc: Option<f64>,
    /// Predictions that were right, spam being what scores above 0.
    pub accuracy: f64,
    /// Of what scores above 0, how much is spam.
    pub precision: Option<f64>,
    /// Of the spam, how much scores above 0.
    pub recall: Option<f64>,
    /// Of the spam, how much scores above all but so many good comments.
    pub recall_at_1_percent: Option<f64>,
    pub recall_at_0_1_percent: Option<f64>,
    /// What is neither published nor put away without a moderator.
    pub left_to_people: f64,
    /// Of the good comments, how many are put away.
    pub false_positives: Option<f64>,
    /// Of the spam, how much is published.
    pub leak: Option<f64>,
}

impl Evaluation {
    /// With a filter that knows nothing.
    pub fn new(stages: Stages, budget: f64) -> Self {
        // Any key does: nobody who could choose words after it is asked.
        let filter = Filter::new(FeatureKey::new(*b"the key is known"), stages);
        let thresholds = filter.record.thresholds(budget);
        Self { filter, is_frozen: false, budget, thresholds, predicted: Vec::new() }
    }

    /// Learns a comment without predicting it.
    pub fn train(&mut self, text: &str, label: Label) {
        let features = self.filter.read(&Written { text, ..Written::default() });
        self.filter.learn(&features, label, 1);
    }

    /// From here on nothing is learned.
    pub const fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// Predicts a comment, then learns it.
    pub fn take(&mut self, text: &str, label: Label) {
        let features = self.filter.read(&Written { text, ..Written::default() });
        let score = self.filter.score(&features);
        // Nothing is drawn: the figures are of what the filter would do by itself.
        if self.predicted.len() < MANY || self.predicted.len().is_multiple_of(EVERY) {
            self.thresholds = self.filter.record.thresholds(self.budget);
        }
        let outcome = self.filter.judge(&features, score, &self.thresholds, 1.0).outcome;
        self.predicted.push(Predicted { score: score.value, label, outcome });
        if !self.is_frozen {
            self.filter.learn(&features, label, 1);
        }
    }

    /// What was predicted, in order.
    pub fn predicted(&self) -> &[Predicted] {
        &self.predicted
    }

    /// What came out.
    pub fn report(&self) -> Report {
        let spam = self.predicted.iter().filter(|one| one.is_spam()).count();
        let marks = MARKS.into_iter().filter(|mark| *mark < self.predicted.len()).chain([self.predicted.len()]);
        let error_at = |decisions: usize| {
            let wrong = self.predicted[..decisions].iter().filter(|one| !one.is_right()).count();
            ErrorAt { decisions, error: share(wrong, decisions).unwrap_or(0.0) }
        };
        let after = AFTER.into_iter().filter(|after| *after < self.predicted.len());
        Report {
            comments: self.predicted.len(),
            spam,
            good: self.predicted.len() - spam,
            cumulative_error: marks.map(error_at).collect(),
            figures: after.map(|after| Figures::of(after, &self.predicted[after..])).collect(),
        }
    }
}

impl Predicted {
    fn is_spam(self) -> bool {
        self.label == Label::Spam
    }

    fn is_right(self) -> bool {
        (self.score > 0.0) == self.is_spam()
    }
}

impl Figures {
    fn of(after: usize, predicted: &[Predicted]) -> Self {
        let count = |is: &dyn Fn(&Predicted) -> bool| predicted.iter().filter(|one| is(one)).count();
        let spam = count(&|one| one.is_spam());
        let good = predicted.len() - spam;
        let called = count(&|one| one.score > 0.0);
        let caught = count(&|one| one.score > 0.0 && one.is_spam());
        let mut good_scores: Vec<f64> = predicted.iter().filter(|one| !one.is_spam()).map(|one| one.score).collect();
        good_scores.sort_by(|one, other| other.total_cmp(one));
        let recall_beyond = |one_in: usize| {
            let beyond = *good_scores.get(good_scores.len() / one_in)?;
            share(count(&|one| one.is_spam() && one.score > beyond), spam)
        };
        Self {
            after,
            comments: predicted.len(),
            auc: area(predicted),
            accuracy: share(count(&|one| one.is_right()), predicted.len()).unwrap_or(0.0),
            precision: share(caught, called),
            recall: share(caught, spam),
            recall_at_1_percent: recall_beyond(100),
            recall_at_0_1_percent: recall_beyond(1_000),
            left_to_people: share(count(&|one| one.outcome == Outcome::Hold), predicted.len()).unwrap_or(0.0),
            false_positives: share(count(&|one| one.outcome == Outcome::Spam && !one.is_spam()), good),
            leak: share(count(&|one| one.outcome == Outcome::Publish && one.is_spam()), spam),
        }
    }
}

/// The area under the ROC curve: the share of pairs of spam and good comment in which the spam scores above, ties by half.
fn area(predicted: &[Predicted]) -> Option<f64> {
    let mut sorted: Vec<&Predicted> = predicted.iter().collect();
    sorted.sort_by(|one, other| one.score.total_cmp(&other.score));
    let (mut good_below, mut pairs_by_half) = (0_usize, 0_usize);
    for tied in sorted.chunk_by(|one, other| one.score.total_cmp(&other.score).is_eq()) {
        let spam = tied.iter().filter(|one| one.is_spam()).count();
        let good = tied.len() - spam;
        pairs_by_half += spam * (2 * good_below + good);
        good_below += good;
    }
    share(pairs_by_half, 2 * good_below * (sorted.len() - good_below))
}

#[allow(clippy::cast_precision_loss)] // counts of comments, and of pairs of them
fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}
