//! Stage 2 of the filter: a logistic regression over the same features, learned comment by comment (`AdaGrad`).
//!
//! Unlike counts it learns what features say together, and its state depends on the order: it cannot be taken back, only
//! made again by replaying the last decisions in their order, which always gives the same weights. So it is kept in memory
//! only, 2 MiB for a site. See Duchi, Hazan, Singer, "Adaptive Subgradient Methods", JMLR 2011.

use super::counts::Label;
use super::features::{Feature, Features};

const BUCKET_BITS: u32 = 18;
/// The bits of a feature that the counts do not use.
const SHIFT: u32 = 20;

/// How far a first step goes. Between 0.2 and 0.5 it makes little difference.
const RATE: f64 = 0.3;
const RATE_OF_BIAS: f64 = 0.1;

/// Keeps the first step from being divided by nothing.
const LEAST: f32 = 1e-6;

/// A site's regression.
#[derive(Clone)]
pub struct Regression {
    weights: Vec<f32>,
    squares: Vec<f32>,
    bias: f64,
    square_of_bias: f64,
}

impl Default for Regression {
    fn default() -> Self {
        let zeros = || vec![0.0; 1 << BUCKET_BITS];
        Self { weights: zeros(), squares: zeros(), bias: 0.0, square_of_bias: 0.0 }
    }
}

impl Regression {
    /// Learns a comment, as far as it was not foreseen.
    #[allow(clippy::cast_possible_truncation)] // A weight need not be more exact.
    pub fn learn(&mut self, features: &Features, label: Label) {
        let scale = scale(features.distinct.len());
        let sum: f64 = features.distinct.iter().map(|feature| self.weight(*feature)).sum();
        let chance = 1.0 / (1.0 + (-(sum * scale + self.bias)).exp());
        let error = chance - if label == Label::Spam { 1.0 } else { 0.0 };
        let step = (error * scale) as f32;
        for feature in &features.distinct {
            let at = bucket(*feature);
            self.squares[at] += step * step;
            self.weights[at] -= RATE as f32 * step / (LEAST + self.squares[at]).sqrt();
        }
        self.square_of_bias += error * error;
        self.bias -= RATE_OF_BIAS * error / (f64::from(LEAST) + self.square_of_bias).sqrt();
    }

    /// The log-odds that a feature adds, before they are scaled.
    pub(super) fn weight(&self, feature: Feature) -> f64 {
        f64::from(self.weights[bucket(feature)])
    }

    /// The log-odds of a comment without features.
    pub(super) const fn bias(&self) -> f64 {
        self.bias
    }
}

/// What each of so many features counts: the longest comment weighs as much as the shortest.
#[allow(clippy::cast_precision_loss)] // There are thousands of features, not 2^52.
pub(super) fn scale(features: usize) -> f64 {
    1.0 / (features.max(1) as f64).sqrt()
}

const fn bucket(feature: Feature) -> usize {
    feature.bucket(BUCKET_BITS + SHIFT) & ((1 << BUCKET_BITS) - 1)
}
