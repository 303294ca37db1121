//! Back-off: whoever fails again and again waits longer and longer, and is forgotten after a quiet hour.
//!
//! A try counts as failed from its beginning until it has succeeded, so that a hundred at once are not a hundred free
//! guesses. Nothing is ever locked: the longest wait is a quarter of an hour, and a try that comes too early is not
//! counted. Memory is bounded: when there are too many counters, those with the fewest failures are forgotten first.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The first wait; each failure more doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// A counter without a failure for so long starts anew.
const QUIET: Duration = Duration::from_hours(1);
/// The most counters, about 40 bytes each.
const MOST: usize = 65_536;

/// What a try counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    pub key: u64,
    /// Failures before the first wait.
    pub free: u32,
}

/// Failures, by what they count on.
#[derive(Debug, Default)]
pub struct BackOff(Mutex<HashMap<u64, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Duration,
    wait: Duration,
}

impl BackOff {
    /// Begins a try at the monotonic time `now`: counts it on every one of these, or says how long to wait.
    ///
    /// # Errors
    /// The longest wait of any of them; then nothing was counted.
    pub fn begin(&self, counters: &[Counter], now: Duration) -> Result<(), Duration> {
        let mut all = self.lock();
        let left = |counter: &Counter| {
            let failures = all.get(&counter.key)?;
            Some((failures.last + failures.wait).saturating_sub(now))
        };
        match counters.iter().filter_map(left).max() {
            Some(wait) if !wait.is_zero() => return Err(wait),
            _ => {}
        }
        for counter in counters {
            if all.len() >= MOST {
                make_room(&mut all, now);
            }
            let failures = all.entry(counter.key).or_insert(Failures { count: 0, last: now, wait: Duration::ZERO });
            let before = if now.saturating_sub(failures.last) < QUIET { failures.count } else { 0 };
            *failures = Failures::of(before.saturating_add(1), now, counter.free);
        }
        Ok(())
    }

    /// A try that was begun has shown nothing: it counts no longer.
    pub fn take_back(&self, counters: &[Counter]) {
        let mut all = self.lock();
        for counter in counters {
            if let Some(failures) = all.get_mut(&counter.key) {
                *failures = Failures::of(failures.count.saturating_sub(1), failures.last, counter.free);
            }
        }
    }

    /// Starts anew.
    pub fn clear(&self, key: u64) {
        self.lock().remove(&key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    fn of(count: u32, last: Duration, free: u32) -> Self {
        let doublings = count.checked_sub(free);
        let wait = doublings.map(|times| FIRST_WAIT.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)));
        Self { count, last, wait: wait.unwrap_or_default().min(LONGEST_WAIT) }
    }
}

/// Forgets the quiet, and when that is not enough the half with the fewest failures: a flood of names drives out itself
/// before it drives out a name that somebody guesses at.
fn make_room(all: &mut HashMap<u64, Failures>, now: Duration) {
    all.retain(|_, failures| now.saturating_sub(failures.last) < QUIET);
    if all.len() < MOST {
        return;
    }
    let mut counts: Vec<u32> = all.values().map(|failures| failures.count).collect();
    let middle = counts.len() / 2;
    let (_, median, _) = counts.select_nth_unstable(middle);
    let median = *median;
    all.retain(|_, failures| failures.count > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: [Counter; 1] = [Counter { key: 7, free: 5 }];

    fn after(failures: u32) -> (BackOff, Duration) {
        let (back_off, mut now) = (BackOff::default(), Duration::ZERO);
        for _ in 0..failures {
            now += back_off.begin(&FIVE, now).err().unwrap_or_default();
            let _ = back_off.begin(&FIVE, now);
        }
        (back_off, now)
    }

    #[test]
    fn the_wait_doubles_from_one_second_to_a_quarter_of_an_hour() {
        let (back_off, mut now) = (BackOff::default(), Duration::ZERO);
        let mut waits = Vec::new();
        for _ in 0..17 {
            assert_eq!(back_off.begin(&FIVE, now), Ok(()));
            let wait = back_off.begin(&FIVE, now).err().unwrap_or_default();
            if wait.is_zero() {
                back_off.take_back(&FIVE);
            }
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    }

    #[test]
    fn a_try_that_comes_too_early_changes_nothing() {
        let back_off = BackOff::default();
        for _ in 0..5 {
            assert_eq!(back_off.begin(&FIVE, Duration::ZERO), Ok(()));
        }
        for early_ms in [0, 1, 500, 999] {
            let early = Duration::from_millis(early_ms);
            assert_eq!(back_off.begin(&FIVE, early), Err(Duration::from_millis(1_000 - early_ms)));
        }
        assert_eq!(back_off.begin(&FIVE, Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn tries_at_once_are_counted_before_they_have_failed() {
        let back_off = BackOff::default();
        let begun = (0..100).filter(|_| back_off.begin(&FIVE, Duration::ZERO).is_ok()).count();
        assert_eq!(begun, 5);
    }

    #[test]
    fn a_success_starts_anew_and_so_does_a_quiet_hour() {
        let (back_off, now) = after(20);
        assert!(back_off.begin(&FIVE, now).is_err());
        back_off.clear(7);
        assert_eq!(back_off.begin(&FIVE, now), Ok(()));
        let (back_off, now) = after(20);
        for _ in 0..5 {
            assert_eq!(back_off.begin(&FIVE, now + QUIET), Ok(()));
        }
        assert!(back_off.begin(&FIVE, now + QUIET).is_err());
    }

    #[test]
    fn a_flood_of_names_takes_bounded_memory_and_frees_nobody_who_is_guessed_at() {
        let back_off = BackOff::default();
        for _ in 0..5 {
            assert_eq!(back_off.begin(&FIVE, Duration::ZERO), Ok(()));
        }
        for key in 0..300_000 {
            let _ = back_off.begin(&[Counter { key: 1_000 + key, free: 5 }], Duration::ZERO);
            assert!(back_off.lock().len() <= MOST);
        }
        assert!(back_off.begin(&FIVE, Duration::ZERO).is_err());
    }
}
