//! Signs of a robot that a submission itself carries: a trap that only robots see, and the time since its form was given
//! out. None of them refuses anything.

use std::time::Duration;

use super::{Effect, Finding};

/// Nobody reads a form and writes a comment within this.
const FASTEST: Duration = Duration::from_secs(3);
/// A form that lay open for longer was more likely kept by a program than by a person.
const OLDEST: Duration = Duration::from_hours(24);

/// What is known of how a submission came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signs {
    /// Whether something stands in the field that people do not see.
    pub is_trapped: bool,
    pub stamp: Stamp,
    /// Whether it came from a browser without the work that was asked for.
    pub lacks_work: bool,
}

/// What the stamp says that a form was given out with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stamp {
    /// It came without, as from programs and from forms on publishers' own pages: that says nothing.
    #[default]
    None,
    Forged,
    /// How long ago the form was given out.
    Aged(Duration),
}

impl Signs {
    /// What speaks against the submission.
    pub fn findings(self) -> Vec<Finding> {
        let hold = |rule, reason: &str| Finding::of_whole(rule, Effect::Hold, reason.to_owned());
        let stamp = match self.stamp {
            Stamp::Forged => Some(hold("stamp", "The time at which its form was given out is forged.")),
            Stamp::Aged(age) if age < FASTEST => {
                Some(hold("stamp", "It was sent within three seconds after its form was given out."))
            }
            Stamp::Aged(age) if age > OLDEST => {
                Some(hold("stamp", "It was sent more than a day after its form was given out."))
            }
            Stamp::None | Stamp::Aged(_) => None,
        };
        let trap = || "A field is filled in that people do not see.".to_owned();
        let work = "It came from a browser that did not solve the challenge, as one without JavaScript.";
        let work = self.lacks_work.then(|| hold("challenge", work));
        let trap = self.is_trapped.then(|| Finding::of_whole("honeypot", Effect::Spam, trap()));
        [stamp, work, trap].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(signs: Signs) -> Vec<(String, Effect)> {
        signs.findings().into_iter().map(|finding| (finding.hit.rule, finding.hit.effect)).collect()
    }

    #[test]
    fn only_the_trap_makes_it_spam_and_people_are_not_held() {
        let aged = |ms| Signs { stamp: Stamp::Aged(Duration::from_millis(ms)), ..Signs::default() };
        let hold = vec![("stamp".to_owned(), Effect::Hold)];
        assert_eq!(found(Signs::default()), []);
        assert_eq!(found(aged(2_999)), hold);
        assert_eq!(found(aged(3_000)), []);
        assert_eq!(found(aged(24 * 3_600_000)), []);
        assert_eq!(found(aged(24 * 3_600_000 + 1)), hold);
        assert_eq!(found(Signs { stamp: Stamp::Forged, ..Signs::default() }), hold);
        assert_eq!(found(Signs { lacks_work: true, ..Signs::default() }), [("challenge".to_owned(), Effect::Hold)]);
        let all = found(Signs { is_trapped: true, stamp: Stamp::Forged, lacks_work: true });
        assert_eq!(all.last(), Some(&("honeypot".to_owned(), Effect::Spam)));
        assert_eq!(all.len(), 3);
    }
}
