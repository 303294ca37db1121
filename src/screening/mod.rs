//! Floor 1: the engine that judges a submission. Text and facts in, a verdict with reasons out; no I/O, no clock.
//!
//! Whoever asks has gathered the facts. A verdict never deletes anything: it publishes or holds, and says why in words
//! that a moderator understands.

pub mod counts;
pub mod evaluation;
pub mod features;
pub mod filter;
pub mod folding;
mod opinion;
pub mod regression;
mod repeats;
mod robots;
mod rules;
mod shingles;
pub mod teaching;
pub mod thresholds;
mod verdict;

use serde::{Deserialize, Serialize};

pub use opinion::{DRAWN, Opinion, Says};
pub use repeats::{Repeats, Spot};
pub use robots::{Signs, Stamp};
pub use rules::{Field, Look, MAX_LABEL, MOST_ENTRIES, MOST_RULES, Rule, RuleSet, Submission};
pub use shingles::{FEWEST_WORDS, Sketch};
pub use verdict::{Effect, Explanation, Finding, Hit, Outcome, Screening, Verdict, Weight};

/// What happens to a comment that nothing speaks against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// A moderator sees every comment first.
    #[default]
    HoldAll,
    /// A moderator sees every comment first but those of authors with a verified record.
    TrustVerified,
    /// The filter publishes what it knows to be good, and a moderator sees the rest first.
    Screened,
    /// It is published at once.
    PublishFirst,
}

impl Policy {
    /// Reads the word that settings use.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hold_all" => Some(Self::HoldAll),
            "trust_verified" => Some(Self::TrustVerified),
            "screened" => Some(Self::Screened),
            "publish_first" => Some(Self::PublishFirst),
            _ => None,
        }
    }

    /// The word that settings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HoldAll => "hold_all",
            Self::TrustVerified => "trust_verified",
            Self::Screened => "screened",
            Self::PublishFirst => "publish_first",
        }
    }
}

/// What is known about a submission.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The article's policy, or its site's.
    pub policy: Policy,
    /// Whether the name can be taken for a moderator's display name.
    pub is_staff_lookalike: bool,
    /// Whether the author has proven who they are and the site's moderators have let stand what they wrote before.
    pub is_trusted: bool,
    /// What the site's filter thinks; none when it was not asked.
    pub filter: Option<&'a Opinion>,
}

/// Judges a submission by what is known about it. Every reason to hold it is named, not only the first.
pub fn judge(facts: Facts) -> Verdict {
    let mut reasons = Vec::new();
    match facts.policy {
        Policy::HoldAll => reasons.push("Every comment here waits for a moderator.".to_owned()),
        Policy::TrustVerified if !facts.is_trusted => reasons
            .push("Only authors with a verified record are published at once here; this author has none.".to_owned()),
        Policy::Screened => match facts.filter {
            Some(opinion) => reasons.extend(opinion.reason_to_hold()),
            None => reasons.push("Only what the filter knows to be good is published at once here.".to_owned()),
        },
        Policy::TrustVerified | Policy::PublishFirst => {}
    }
    let outcome = if reasons.is_empty() { Outcome::Publish } else { Outcome::Hold };
    let verdict = Verdict { outcome, reasons, risk: 0.0, hits: Vec::new(), filter: None };
    let verdict = match facts.filter {
        Some(opinion) => opinion.weigh_in(facts.policy, verdict),
        None => verdict,
    };
    if facts.is_staff_lookalike { verdict.with(staff_lookalike()) } else { verdict }
}

fn staff_lookalike() -> Finding {
    let reason = "The name can be taken for that of a member of staff.".to_owned();
    Finding::of_whole("staff", Effect::Hold, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_published_that_the_policy_holds_or_that_poses_as_staff() {
        for (policy, is_staff_lookalike, is_trusted, outcome, reasons) in [
            (Policy::PublishFirst, false, false, Outcome::Publish, 0),
            (Policy::PublishFirst, true, false, Outcome::Hold, 1),
            (Policy::TrustVerified, false, false, Outcome::Hold, 1),
            (Policy::TrustVerified, false, true, Outcome::Publish, 0),
            (Policy::TrustVerified, true, true, Outcome::Hold, 1),
            (Policy::Screened, false, true, Outcome::Hold, 1),
            (Policy::HoldAll, false, true, Outcome::Hold, 1),
            (Policy::HoldAll, true, false, Outcome::Hold, 2),
        ] {
            let verdict = judge(Facts { policy, is_staff_lookalike, is_trusted, filter: None });
            assert_eq!((verdict.outcome, verdict.reasons.len()), (outcome, reasons));
        }
    }
}
