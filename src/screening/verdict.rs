//! The verdict about a submission, with everything that led to it.
//!
//! Whatever speaks against a comment is a [`Finding`]: a ban, a rule, a sign of a robot, the filter. Findings only ever
//! make a verdict sterner, so their order does not matter but to those who read the reasons.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What becomes of a submission at first. The later, the sterner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Publish,
    Hold,
    /// Put away; its author is told what is told of any that is held.
    Spam,
}

/// What a finding does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Hold,
    Spam,
    /// Nothing; it is only told.
    Log,
}

/// Something that was found about a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In words, for moderators. It says nothing personal.
    pub reason: String,
    pub hit: Hit,
}

impl Finding {
    /// One about the submission as a whole: `rule` is the word it is known by, as `honeypot`.
    pub fn of_whole(rule: &str, effect: Effect, reason: String) -> Self {
        Self { reason, hit: Hit { rule: rule.to_owned(), effect, field: None, matched: None, start: None } }
    }
}

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// The id of a rule of the site, or the word of what the program itself looks for, as `ban` or `honeypot`.
    pub rule: String,
    pub effect: Effect,
    /// The field of the form; null when it is about the whole.
    pub field: Option<String>,
    /// What was found there, as it was written; of an email or network address all of it, and null for whoever may not see
    /// it.
    #[serde(rename = "match")]
    pub matched: Option<String>,
    /// Where in the field it begins, in bytes of UTF-8.
    pub start: Option<u64>,
}

/// What the filter thinks, in log-odds: above 0 means spam. Prior, weights and rest add up to the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    pub score: f64,
    pub prior: f64,
    /// The ten that weigh most, the heaviest first.
    pub tokens: Vec<Weight>,
    pub rest: f64,
}

/// What one token adds to the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Weight {
    pub token: String,
    pub weight: f64,
}

/// Everything behind a verdict, as it is kept with the comment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Screening {
    pub verdict: Outcome,
    pub rules: Vec<Hit>,
    /// Null when the filter was not asked.
    pub filter: Option<Explanation>,
}

impl Screening {
    /// The same with what hits were found in where that is personal, for those who may see it: none of it is kept here.
    #[must_use]
    pub fn with_personal(mut self, email: Option<&str>, address: Option<&str>) -> Self {
        for hit in &mut self.rules {
            match hit.field.as_deref() {
                Some("email") => hit.matched = email.map(str::to_owned),
                Some("ip") => hit.matched = address.map(str::to_owned),
                _ => {}
            }
        }
        self
    }
}

/// What screening says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Why it is held, in words. Empty when it is published.
    pub reasons: Vec<String>,
    /// 0 to 1.
    pub risk: f64,
    pub hits: Vec<Hit>,
    pub filter: Option<Explanation>,
}

impl Verdict {
    /// The verdict when something further is found, which is named first.
    #[must_use]
    pub fn with(mut self, finding: Finding) -> Self {
        let (outcome, risk) = match finding.hit.effect {
            Effect::Log => (self.outcome, self.risk),
            Effect::Hold => (self.outcome.max(Outcome::Hold), self.risk.max(0.5)),
            Effect::Spam => (Outcome::Spam, 1.0),
        };
        if finding.hit.effect != Effect::Log {
            self.reasons.insert(0, finding.reason);
        }
        self.hits.insert(0, finding.hit);
        Self { outcome, risk, ..self }
    }

    /// What is kept of it; nothing when there is nothing behind it but the site's policy.
    pub fn screening(&self) -> Option<Screening> {
        let is_bare = self.hits.is_empty() && self.filter.is_none();
        let whole = || Screening { verdict: self.outcome, rules: self.hits.clone(), filter: self.filter.clone() };
        (!is_bare).then(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(outcome: Outcome) -> Verdict {
        Verdict { outcome, reasons: Vec::new(), risk: 0.0, hits: Vec::new(), filter: None }
    }

    fn finding(effect: Effect) -> Finding {
        Finding::of_whole("x", effect, format!("{effect:?}"))
    }

    #[test]
    fn a_further_finding_never_makes_a_verdict_milder() {
        for first in [Outcome::Publish, Outcome::Hold, Outcome::Spam] {
            for effect in [Effect::Hold, Effect::Spam, Effect::Log] {
                let after = verdict(first).with(finding(effect));
                assert!(after.outcome >= first && after.risk >= 0.0, "{first:?} {effect:?}");
                assert_eq!(after.hits.len(), 1);
            }
        }
        let spam = verdict(Outcome::Publish).with(finding(Effect::Spam)).with(finding(Effect::Hold));
        assert_eq!((spam.outcome, &spam.reasons[..]), (Outcome::Spam, &["Hold".to_owned(), "Spam".to_owned()][..]));
    }

    #[test]
    fn what_is_only_logged_is_kept_and_gives_no_reason() {
        let logged = verdict(Outcome::Publish).with(finding(Effect::Log));
        assert_eq!((logged.outcome, logged.reasons.len(), logged.hits.len()), (Outcome::Publish, 0, 1));
        assert_eq!(verdict(Outcome::Hold).screening(), None);
        let kept = serde_json::to_value(logged.screening()).unwrap();
        let hit = serde_json::json!({"rule": "x", "effect": "log", "field": null, "match": null, "start": null});
        assert_eq!(kept, serde_json::json!({"verdict": "publish", "rules": [hit], "filter": null}));
    }
}
