//! Whose decisions the filter follows: everybody's, but one person alone cannot unteach what others taught.
//!
//! A decision that contradicts the filter is how it learns, from anybody. Who contradicts it in more than a few of their
//! last 32 decisions, and twice as often as others do, is in doubt: their decisions stand, as decisions do, but are set
//! aside in training until they are foreseen again. Whether a decision is set aside is settled once, when its turn to be
//! learned comes, and is kept with its row; so counts remain sums over rows, and to take back what somebody taught is to take
//! back their rows.

use super::counts::Label;

/// Decisions of a moderator that are looked back on, and of others.
const LOOKED_AT: u32 = 32;
const LOOKED_AT_OF_OTHERS: u32 = 64;

/// Contradictions among them that never are too many: so few wrong approvals leave most of the spam recognised.
const FREE: u32 = 5;

/// Decisions by others below which a moderator is all that the site has, and teaches what they like.
const FEWEST_BY_OTHERS: u64 = 50;

/// How a moderator's decisions compare with what the filter thought, on one site. Kept per site and moderator, and changed
/// with every training row of theirs, learned or set aside, in the order of the rows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Teaching {
    /// The last 64 decisions, the latest as the lowest bit: 1 when it contradicted the filter.
    pub contradicted: u64,
    pub decisions: u64,
}

impl Teaching {
    /// Adds a decision about a comment that had this score before.
    #[must_use]
    pub const fn with(self, score: f64, label: Label) -> Self {
        let contradicts = (score > 0.0) != matches!(label, Label::Spam);
        Self { contradicted: self.contradicted << 1 | contradicts as u64, decisions: self.decisions + 1 }
    }

    /// Whether the last of these decisions, already added, is set aside, given what others do on the site.
    pub fn is_in_doubt(self, others: &[Self]) -> bool {
        if others.iter().map(|other| other.decisions).sum::<u64>() < FEWEST_BY_OTHERS {
            return false;
        }
        let looked_at: u64 = others.iter().map(|other| other.decisions.min(LOOKED_AT_OF_OTHERS.into())).sum();
        let theirs: u64 = others.iter().map(|other| u64::from(other.contradicted.count_ones())).sum();
        let own = (self.contradicted << (64 - LOOKED_AT)).count_ones();
        own > FREE && u64::from(own) * looked_at > 2 * theirs * self.decisions.min(LOOKED_AT.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody after so many decisions, of which the last `wrong` contradicted the filter.
    fn after(decisions: u64, wrong: u64) -> Teaching {
        let foreseen = (wrong..decisions).fold(Teaching::default(), |teaching, _| teaching.with(1.0, Label::Spam));
        (0..wrong).fold(foreseen, |teaching, _| teaching.with(1.0, Label::Good))
    }

    #[test]
    fn who_contradicts_often_and_more_than_others_is_in_doubt_until_they_agree_again() {
        let others = [after(500, 4)];
        assert!(!after(5, 5).is_in_doubt(&others), "anybody may contradict it some times");
        assert!(after(6, 6).is_in_doubt(&others));
        assert!(after(5_000, 6).is_in_doubt(&others), "a good past does not buy wrong decisions");
        assert!(!after(500, 500).is_in_doubt(&[]), "who is alone teaches what they like");
        assert!(!after(500, 500).is_in_doubt(&[after(49, 0)]));
        let agreeing = (0..27).fold(after(500, 64), |teaching, _| teaching.with(-1.0, Label::Good));
        assert!(!agreeing.is_in_doubt(&others), "it heals");
    }

    #[test]
    fn where_everybody_contradicts_the_filter_nobody_is_in_doubt() {
        assert!(!after(200, 16).is_in_doubt(&[after(64, 20), after(64, 16)]));
    }
}
