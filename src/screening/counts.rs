//! Stage 1 of the filter: how often each feature stood in spam and in good comments, and what that says (naive Bayes).
//!
//! Counts are sums and nothing else: comments may be learned in any order, by any node, in any batches, and taken back one
//! by one, and the counts are those of the comments that remain. To be stored they are made into a [`Change`], rows of
//! `(site, bucket) → spam, good` that add up; a table is filled by applying all rows, and kept up by applying those that
//! others made. A site's table takes 6 MiB whatever it has learned.

use std::collections::BTreeMap;

use super::features::{Feature, Features};

/// Features share 2^20 buckets. What shares one is told apart by the others in the comment.
const BUCKET_BITS: u32 = 20;

/// What is believed before a feature was seen, as a number of sightings spread over both kinds as they are spread in all.
const DOUBT: f64 = 2.0;

/// Pieces of a word overlap, so that a word's evidence comes again in each: they count for less.
const WEIGHT_OF_A_PIECE: f64 = 0.4;

/// What a comment was decided to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    Good,
    Spam,
}

/// What was learned, or taken back, as numbers to add. Changes may be merged in any order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Change {
    /// Comments: good, spam.
    pub comments: [i64; 2],
    /// By bucket: sightings in good comments, in spam.
    pub buckets: BTreeMap<u32, [i64; 2]>,
}

impl Change {
    /// Adds what learning a comment changes.
    pub fn learn(&mut self, features: &Features, label: Label) {
        self.add(features, label, 1);
    }

    /// Adds what taking it back changes: exactly the opposite.
    pub fn unlearn(&mut self, features: &Features, label: Label) {
        self.add(features, label, -1);
    }

    /// Adds another change. Buckets that come to nothing are left out.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, [good, spam]) in &other.buckets {
            self.count(*bucket, [*good, *spam]);
        }
        for kind in 0..2 {
            self.comments[kind] += other.comments[kind];
        }
    }

    fn add(&mut self, features: &Features, label: Label, by: i64) {
        let mut one = [0, 0];
        one[label as usize] = by;
        self.comments[label as usize] += by;
        for bucket in counted(features) {
            self.count(bucket, one);
        }
    }

    fn count(&mut self, bucket: u32, by: [i64; 2]) {
        let counts = self.buckets.entry(bucket).or_default();
        *counts = [counts[0] + by[0], counts[1] + by[1]];
        if *counts == [0, 0] {
            self.buckets.remove(&bucket);
        }
    }
}

/// A site's counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Counts {
    /// Two numbers of 24 bits each, good and spam; they count modulo 2^24, so that even beyond it nothing is lost that
    /// taking back does not restore.
    buckets: Vec<[u8; 6]>,
    comments: [i64; 2],
    sightings: [i64; 2],
}

impl Default for Counts {
    fn default() -> Self {
        Self { buckets: vec![[0; 6]; 1 << BUCKET_BITS], comments: [0; 2], sightings: [0; 2] }
    }
}

impl Counts {
    /// Learns a comment.
    pub fn learn(&mut self, features: &Features, label: Label) {
        self.comments[label as usize] += 1;
        for bucket in counted(features) {
            self.add(bucket, label, 1);
        }
    }

    /// Takes back a comment that was learned with this label.
    pub fn unlearn(&mut self, features: &Features, label: Label) {
        self.comments[label as usize] -= 1;
        for bucket in counted(features) {
            self.add(bucket, label, -1);
        }
    }

    /// Adds what was stored, or learned elsewhere. Buckets that no table has are ignored.
    pub fn apply(&mut self, change: &Change) {
        for (bucket, [good, spam]) in &change.buckets {
            self.add(*bucket, Label::Good, *good);
            self.add(*bucket, Label::Spam, *spam);
        }
        for kind in 0..2 {
            self.comments[kind] += change.comments[kind];
        }
    }

    /// All that has been learned, as one change: two tables are equal when these are.
    pub fn to_change(&self) -> Change {
        let seen = (0_u32..).zip(&self.buckets).filter(|(_, counts)| **counts != [0; 6]);
        let buckets = seen.map(|(bucket, counts)| (bucket, read(*counts).map(i64::from))).collect();
        Change { comments: self.comments, buckets }
    }

    /// How many comments with this label have been learned.
    pub const fn count(&self, label: Label) -> i64 {
        self.comments[label as usize]
    }

    /// The weigher as the counts stand.
    pub(super) fn weigh(&self) -> Weigher<'_> {
        #[allow(clippy::cast_precision_loss)] // sightings are fewer than 2^52
        let [good, spam] = self.sightings.map(|sightings| sightings.max(0) as f64 + 1.0);
        let prior = spam / (good + spam);
        Weigher {
            buckets: &self.buckets,
            spam: DOUBT * prior,
            good: DOUBT * (1.0 - prior),
            usual: (prior / (1.0 - prior)).ln(),
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // modulo 2^24, as said there
    fn add(&mut self, bucket: u32, label: Label, by: i64) {
        if let Some(counts) = self.buckets.get_mut(bucket as usize) {
            let half = &mut counts[label as usize * 3..][..3];
            let after = u32::from_le_bytes([half[0], half[1], half[2], 0]).wrapping_add(by as u32);
            half.copy_from_slice(&after.to_le_bytes()[..3]);
            self.sightings[label as usize] += by;
        }
    }
}

/// Says what features say, while the counts stand still.
pub(super) struct Weigher<'a> {
    buckets: &'a [[u8; 6]],
    spam: f64,
    good: f64,
    usual: f64,
}

impl Weigher<'_> {
    /// The log-odds that a feature adds: above 0 it is seen in spam more than other features are.
    pub(super) fn weight(&self, feature: Feature) -> f64 {
        let [good, spam] = read(self.buckets[feature.bucket(BUCKET_BITS)]);
        if good == 0 && spam == 0 {
            return 0.0;
        }
        let weight = ((f64::from(spam) + self.spam) / (f64::from(good) + self.good)).ln() - self.usual;
        if feature.is_piece() { weight * WEIGHT_OF_A_PIECE } else { weight }
    }
}

/// The buckets of what is counted.
#[allow(clippy::cast_possible_truncation)] // twenty bits
fn counted(features: &Features) -> impl Iterator<Item = u32> {
    let counted = features.distinct.iter().filter(|feature| !feature.is_short());
    counted.map(|feature| feature.bucket(BUCKET_BITS) as u32)
}

fn read(counts: [u8; 6]) -> [u32; 2] {
    [0, 3].map(|at| u32::from_le_bytes([counts[at], counts[at + 1], counts[at + 2], 0]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::features::{FeatureKey, Written};
    use super::*;

    fn read(text: &str) -> Features {
        Features::of(FeatureKey::new([5; 16]), &Written { text, ..Written::default() })
    }

    fn lessons() -> impl Strategy<Value = Vec<(String, bool, u8)>> {
        proptest::collection::vec(("[a-d ]{0,12}", any::<bool>(), 0_u8..3), 0..12)
    }

    fn label(is_spam: bool) -> Label {
        if is_spam { Label::Spam } else { Label::Good }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn any_order_and_any_split_over_nodes_give_equal_counts(lessons in lessons()) {
            let mut direct = Counts::default();
            let mut nodes = [Change::default(), Change::default(), Change::default()];
            for (text, is_spam, node) in &lessons {
                direct.learn(&read(text), label(*is_spam));
                nodes[usize::from(*node)].learn(&read(text), label(*is_spam));
            }
            let mut backwards = Change::default();
            for (text, is_spam, _) in lessons.iter().rev() {
                backwards.learn(&read(text), label(*is_spam));
            }
            let mut merged = nodes[2].clone();
            merged.merge(&nodes[0]);
            merged.merge(&nodes[1]);
            let mut applied = Counts::default();
            for node in &nodes {
                applied.apply(node);
            }
            prop_assert_eq!(&direct.to_change(), &backwards);
            prop_assert_eq!(&direct.to_change(), &merged);
            prop_assert!(direct == applied);
        }

        #[test]
        fn taking_back_is_exactly_the_opposite_of_learning(lessons in lessons(), kept in lessons()) {
            let mut counts = Counts::default();
            for (text, is_spam, _) in &kept {
                counts.learn(&read(text), label(*is_spam));
            }
            let before = counts.clone();
            let mut change = Change::default();
            for (text, is_spam, _) in &lessons {
                counts.learn(&read(text), label(*is_spam));
                change.learn(&read(text), label(*is_spam));
            }
            for (text, is_spam, _) in &lessons {
                counts.unlearn(&read(text), label(*is_spam));
                change.unlearn(&read(text), label(*is_spam));
            }
            prop_assert!(counts == before);
            prop_assert_eq!(change, Change::default());
        }
    }

    #[test]
    fn a_count_beyond_its_bits_comes_back() {
        let mut counts = Counts::default();
        let most = Change { comments: [0, 0], buckets: [(7, [(1 << 24) - 1, 5])].into() };
        let one = Change { comments: [0, 0], buckets: [(7, [1, 0])].into() };
        let minus = Change { comments: [0, 0], buckets: [(7, [-1, 0])].into() };
        counts.apply(&most);
        counts.apply(&one);
        counts.apply(&minus);
        assert_eq!(counts.to_change(), most);
    }
}
