//! Floor 1: the engine that judges a submission. Text and facts in, a verdict with reasons out; no I/O, no clock.
//!
//! Whoever asks has gathered the facts. A verdict never deletes anything: it publishes or holds, and says why in words
//! that a moderator understands.

pub mod counts;
pub mod evaluation;
pub mod features;
pub mod filter;
pub mod folding;
pub mod regression;
pub mod teaching;
pub mod thresholds;

use serde::{Deserialize, Serialize};

/// What happens to a comment that nothing speaks against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// A moderator sees every comment first.
    #[default]
    HoldAll,
    /// A moderator sees every comment first but those of authors with a verified record.
    TrustVerified,
    /// It is published at once.
    PublishFirst,
}

impl Policy {
    /// Reads the word that settings use.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hold_all" => Some(Self::HoldAll),
            "trust_verified" => Some(Self::TrustVerified),
            "publish_first" => Some(Self::PublishFirst),
            _ => None,
        }
    }

    /// The word that settings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HoldAll => "hold_all",
            Self::TrustVerified => "trust_verified",
            Self::PublishFirst => "publish_first",
        }
    }
}

/// What is known about a submission.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The article's policy, or its site's.
    pub policy: Policy,
    /// Whether the name can be taken for a moderator's display name.
    pub is_staff_lookalike: bool,
}

/// What becomes of a submission at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Publish,
    Hold,
    /// Put away; its author is told what is told of any that is held.
    Spam,
}

/// What screening says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Why it is held, in words. Empty when it is published.
    pub reasons: Vec<String>,
    /// 0 to 1.
    pub risk: f64,
}

impl Verdict {
    /// The verdict when there is a further reason, named first: whatever it was before, it is held now.
    #[must_use]
    pub fn or_hold(mut self, reason: String) -> Self {
        self.reasons.insert(0, reason);
        let is_published = self.outcome == Outcome::Publish;
        Self { outcome: if is_published { Outcome::Hold } else { self.outcome }, risk: self.risk.max(0.5), ..self }
    }

    /// The verdict about somebody who is banned.
    #[must_use]
    pub fn or_spam(self, reason: String) -> Self {
        Self { outcome: Outcome::Spam, risk: 1.0, ..self.or_hold(reason) }
    }
}

/// Judges a submission by what is known about it. Every reason to hold it is named, not only the first.
pub fn judge(facts: Facts) -> Verdict {
    let mut reasons = Vec::new();
    if facts.is_staff_lookalike {
        reasons.push("The name can be taken for that of a member of staff.".to_owned());
    }
    match facts.policy {
        Policy::HoldAll => reasons.push("Every comment here waits for a moderator.".to_owned()),
        // Nobody can be verified yet, so this holds everyone.
        Policy::TrustVerified => reasons
            .push("Only authors with a verified record are published at once here; this author has none.".to_owned()),
        Policy::PublishFirst => {}
    }
    let outcome = if reasons.is_empty() { Outcome::Publish } else { Outcome::Hold };
    Verdict { outcome, reasons, risk: if facts.is_staff_lookalike { 0.5 } else { 0.0 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_published_that_the_policy_holds_or_that_poses_as_staff() {
        for (policy, is_staff_lookalike, outcome, reasons) in [
            (Policy::PublishFirst, false, Outcome::Publish, 0),
            (Policy::PublishFirst, true, Outcome::Hold, 1),
            (Policy::TrustVerified, false, Outcome::Hold, 1),
            (Policy::HoldAll, false, Outcome::Hold, 1),
            (Policy::HoldAll, true, Outcome::Hold, 2),
        ] {
            let verdict = judge(Facts { policy, is_staff_lookalike });
            assert_eq!((verdict.outcome, verdict.reasons.len()), (outcome, reasons));
        }
    }

    #[test]
    fn a_further_reason_never_makes_a_verdict_milder() {
        for policy in [Policy::PublishFirst, Policy::HoldAll] {
            let verdict = || judge(Facts { policy, is_staff_lookalike: false });
            assert_eq!(verdict().or_hold("a".to_owned()).outcome, Outcome::Hold);
            let spam = verdict().or_spam("a".to_owned()).or_hold("b".to_owned());
            assert_eq!((spam.outcome, &spam.reasons[..2]), (Outcome::Spam, &["b".to_owned(), "a".to_owned()][..]));
        }
    }
}
