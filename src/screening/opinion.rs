//! What the filter has to say about a submission, and what each policy makes of it.
//!
//! Where a moderator sees everything, it only says how likely spam is. Elsewhere it may hold, or put away what it is sure
//! about; only a site that asks for it has comments published by it. Some of what it would decide goes to people instead,
//! at random, so that there is always somebody who knows how good it is.

use super::thresholds::FEWEST;
use super::{Effect, Explanation, Finding, Outcome, Policy, Verdict};

/// The word of the finding that a comment was drawn at random for people to look at.
pub const DRAWN: &str = "drawn";

/// The word of what the filter finds.
const FILTER: &str = "filter";

/// What the filter would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// It has not learned enough: so many good comments, so much spam.
    TooLittle {
        good: usize,
        spam: usize,
    },
    /// Neither is certain enough for the site's budget of mistakes.
    Unsure,
    Good,
    Spam,
}

/// The filter's opinion of a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    pub says: Says,
    /// Whether people are to look at it all the same.
    pub was_drawn: bool,
    /// None while it has learned nothing of one kind or the other.
    pub explanation: Option<Explanation>,
}

impl Opinion {
    /// That of a filter that has learned nothing at all.
    pub const fn knowing_nothing() -> Self {
        Self { says: Says::TooLittle { good: 0, spam: 0 }, was_drawn: false, explanation: None }
    }

    /// How likely it is spam, from 0 to 1; 0 while nothing is known.
    pub fn risk(&self) -> f64 {
        self.explanation.as_ref().map_or(0.0, |explanation| 1.0 / (1.0 + (-explanation.score).exp()))
    }

    /// Whether it looks more like spam than not.
    fn is_suspicious(&self) -> bool {
        !matches!(self.says, Says::TooLittle { .. } | Says::Good) && self.risk() > 0.5
    }

    /// Why a site that leaves deciding to the filter holds this; none when the filter publishes it or puts it away.
    pub(super) fn reason_to_hold(&self) -> Option<String> {
        match self.says {
            Says::TooLittle { good, spam } => Some(format!(
                "The filter has not learnt enough yet ({good} of {FEWEST} approved, {spam} of {FEWEST} spam)."
            )),
            Says::Unsure => Some("The filter is not sure about it.".to_owned()),
            Says::Good | Says::Spam => None,
        }
    }

    /// The verdict of a policy, with what the filter makes of it. The policy has had its say in `verdict`.
    pub(super) fn weigh_in(&self, policy: Policy, mut verdict: Verdict) -> Verdict {
        verdict.risk = verdict.risk.max(self.risk());
        verdict.filter.clone_from(&self.explanation);
        let risk = verdict.risk;
        let decides = policy != Policy::HoldAll;
        let verdict = match self.says {
            _ if !decides => return verdict,
            // What waits anyway, or would be published anyway, is not drawn.
            Says::Good if policy == Policy::Screened && self.was_drawn => verdict.with(drawn()),
            Says::Spam if self.was_drawn => verdict.with(drawn()),
            Says::Spam => verdict.with(found(Effect::Spam, "The filter is sure that it is spam.")),
            _ if self.is_suspicious() && verdict.outcome == Outcome::Publish => {
                verdict.with(found(Effect::Hold, "The filter takes it for spam, but is not sure."))
            }
            _ => verdict,
        };
        // How likely it is does not depend on what is done about it.
        Verdict { risk, ..verdict }
    }
}

fn found(effect: Effect, reason: &str) -> Finding {
    Finding::of_whole(FILTER, effect, reason.to_owned())
}

fn drawn() -> Finding {
    let reason = "Drawn at random: people look at one in fifty of those that the filter would decide by itself.";
    Finding::of_whole(DRAWN, Effect::Hold, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, judge};
    use super::*;

    fn opinion(says: Says, score: f64, was_drawn: bool) -> Opinion {
        let explanation = Explanation { score, prior: 0.0, tokens: Vec::new(), rest: score };
        Opinion { says, was_drawn, explanation: Some(explanation) }
    }

    fn outcome(policy: Policy, opinion: &Opinion) -> (Outcome, Vec<String>) {
        let verdict = judge(Facts { policy, is_staff_lookalike: false, is_trusted: false, filter: Some(opinion) });
        (verdict.outcome, verdict.reasons)
    }

    #[test]
    fn the_filter_decides_only_where_a_policy_lets_it() {
        use Outcome::{Hold, Publish, Spam};
        for (says, score, hold_all, screened, publish_first) in [
            (Says::TooLittle { good: 12, spam: 3 }, 3.0, Hold, Hold, Publish),
            (Says::Unsure, -1.0, Hold, Hold, Publish),
            (Says::Unsure, 1.0, Hold, Hold, Hold),
            (Says::Good, -5.0, Hold, Publish, Publish),
            (Says::Spam, 5.0, Hold, Spam, Spam),
        ] {
            let opinion = opinion(says, score, false);
            for (policy, wanted) in [
                (Policy::HoldAll, hold_all),
                (Policy::TrustVerified, if says == Says::Spam { Spam } else { Hold }),
                (Policy::Screened, screened),
                (Policy::PublishFirst, publish_first),
            ] {
                let (outcome, reasons) = outcome(policy, &opinion);
                assert_eq!(outcome, wanted, "{policy:?} {says:?}");
                assert_eq!(reasons.is_empty(), outcome == Publish, "{policy:?} {says:?}: {reasons:?}");
            }
        }
    }

    #[test]
    fn what_is_drawn_is_held_and_says_so() {
        for (says, score) in [(Says::Good, -5.0), (Says::Spam, 5.0)] {
            let opinion = opinion(says, score, true);
            let verdict = judge(Facts {
                policy: Policy::Screened,
                is_staff_lookalike: false,
                is_trusted: false,
                filter: Some(&opinion),
            });
            assert_eq!(verdict.outcome, Outcome::Hold);
            assert_eq!(verdict.hits[0].rule, DRAWN);
            assert!((verdict.risk - opinion.risk()).abs() < 1e-12);
        }
        let held = judge(Facts {
            policy: Policy::HoldAll,
            is_staff_lookalike: false,
            is_trusted: false,
            filter: Some(&opinion(Says::Good, -5.0, true)),
        });
        assert_eq!(held.hits, [], "what a moderator sees anyway is not drawn");
    }

    #[test]
    fn before_it_has_learnt_enough_it_says_how_much_it_has() {
        let opinion = Opinion { says: Says::TooLittle { good: 12, spam: 3 }, was_drawn: false, explanation: None };
        let (outcome, reasons) = outcome(Policy::Screened, &opinion);
        let wanted = "The filter has not learnt enough yet (12 of 50 approved, 3 of 50 spam).";
        assert_eq!((outcome, reasons), (Outcome::Hold, vec![wanted.to_owned()]));
    }
}
