//! What a site's filter knows, as one node keeps it in memory: counts, regression, the record of how it foresaw the last
//! decisions. About 10 MiB for a site that has learned anything.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::screening::counts::{Change, Label};
use crate::screening::features::{FeatureKey, Features};
use crate::screening::filter::{Filter, Stages};
use crate::screening::thresholds::{Past, Thresholds};

/// Decisions that the second stage is made of again when a filter is loaded, the last ones: 60 µs each. Older ones have
/// little say in it by then.
pub const REPLAYED: usize = 2_000;

/// Decisions that the record of what was foreseen is made of again.
pub const LOOKED_BACK_ON: usize = 8_000;

/// How far the filter of a site has learned. Two that are equal know the same.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The place of the last row that was learned or set aside.
    pub seq: i64,
    /// How many rows were taken back.
    pub takebacks: i64,
    /// Comments: good, spam.
    pub comments: [i64; 2],
}

/// A row that was learned.
pub struct Learned {
    pub features: Features,
    pub past: Past,
}

/// A site's filter in memory.
pub struct Model {
    pub head: Head,
    pub filter: Filter,
    /// The last decisions and how they were foreseen, the oldest first.
    pub pasts: VecDeque<Past>,
    /// For the budget that was last asked about.
    thresholds: Mutex<Option<(f64, Thresholds)>>,
}

impl Model {
    /// Makes it of what is kept: all counts, and the last rows in their order.
    pub fn new(key: FeatureKey, head: Head, counts: &Change, pasts: &[Past], last: &[Learned]) -> Self {
        let mut filter = Filter::new(key, Stages::Both);
        filter.counts.apply(counts);
        let mut model = Self { head, filter, pasts: VecDeque::new(), thresholds: Mutex::default() };
        for past in pasts {
            model.note(*past);
        }
        for learned in last {
            model.filter.regression.learn(&learned.features, learned.past.label);
        }
        model
    }

    /// Learns rows, in their order, up to a head.
    pub fn learn(&mut self, rows: &[Learned], head: Head) {
        for row in rows {
            self.filter.counts.learn(&row.features, row.past.label);
            self.filter.regression.learn(&row.features, row.past.label);
            self.note(row.past);
        }
        self.head = head;
    }

    /// Where things happen by themselves, for a budget. Remembered until something is learned.
    pub fn thresholds(&self, budget: f64) -> Thresholds {
        let mut kept = self.thresholds.lock().unwrap_or_else(PoisonError::into_inner);
        match *kept {
            #[allow(clippy::float_cmp)] // The same setting, read again.
            Some((of, thresholds)) if of == budget => thresholds,
            _ => kept.insert((budget, self.filter.record.thresholds(budget))).1,
        }
    }

    fn note(&mut self, past: Past) {
        self.filter.record.add(past);
        if self.pasts.len() == LOOKED_BACK_ON {
            self.pasts.pop_front();
        }
        self.pasts.push_back(past);
        *self.thresholds.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Whether comments of both kinds have been learned: before, a score says nothing.
pub fn has_learned(filter: &Filter) -> bool {
    [Label::Good, Label::Spam].into_iter().all(|label| filter.counts.count(label) > 0)
}
