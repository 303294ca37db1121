//! Whether a service is worth asking: after five failures in a row it is left alone for half a minute, then one request
//! tries it. Readers then wait for nothing that is down.
//!
//! Counted by each node for itself, and forgotten at a restart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::kit::ids::SiteId;

/// Failures in a row after which nobody is asked.
const MOST_FAILURES: u32 = 5;
/// For how long.
const REST: Duration = Duration::from_secs(30);

/// A service of a site: `akismet` or `webhook`.
pub(super) type Which = (SiteId, &'static str);

/// How the services have answered lately.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<Which, State>>);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    failures: u32,
    /// When, on the monotonic clock, it may be tried again.
    rests_until: Duration,
}

impl Breakers {
    /// Whether the service may be asked now. Where it rested, this one request tries it, and the others wait for what comes
    /// of that.
    pub fn may_ask(&self, which: Which, now: Duration) -> bool {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(which).or_default();
        if state.failures < MOST_FAILURES {
            return true;
        }
        let is_rested = now >= state.rests_until;
        if is_rested {
            state.rests_until = now + REST;
        }
        is_rested
    }

    /// Notes how it went.
    pub fn note(&self, which: Which, has_answered: bool, now: Duration) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(which).or_default();
        if has_answered {
            *state = State::default();
        } else {
            *state = State { failures: state.failures.saturating_add(1), rests_until: now + REST };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_one_in_half_a_minute_tries_until_it_answers() {
        let (breakers, which) = (Breakers::default(), (SiteId::new(1), "webhook"));
        let at = Duration::from_secs;
        for _ in 0..5 {
            assert!(breakers.may_ask(which, at(0)));
            breakers.note(which, false, at(0));
        }
        assert!(!breakers.may_ask(which, at(29)) && breakers.may_ask((SiteId::new(2), "webhook"), at(29)));
        assert!(breakers.may_ask(which, at(30)) && !breakers.may_ask(which, at(30)));
        breakers.note(which, false, at(31));
        assert!(!breakers.may_ask(which, at(60)) && breakers.may_ask(which, at(61)));
        breakers.note(which, true, at(61));
        assert!(breakers.may_ask(which, at(61)) && breakers.may_ask(which, at(61)));
        breakers.note(which, false, at(62));
        assert!(breakers.may_ask(which, at(62)));
    }
}
