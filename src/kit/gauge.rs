//! A gauge: how much of something has come lately, by key. It fills with each and runs dry at a steady rate.
//!
//! It refuses nothing; whoever reads it decides what to do while it is over its mark. It holds twice its mark at most, so
//! that it falls below again soon after a flood, however great that was. Memory is bounded: when there are too many keys,
//! those that are nearly dry are forgotten first.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most keys, about 40 bytes each.
const MOST: usize = 65_536;

/// What has come lately, by key.
#[derive(Debug)]
pub struct Gauge<K> {
    mark: u32,
    one_per: Duration,
    /// When each will have run dry, on the monotonic clock.
    dry_at: Mutex<HashMap<K, Duration>>,
}

impl<K: Hash + Eq + Copy> Gauge<K> {
    /// One that is over when more than `mark` have come at once, and loses one in each `one_per`.
    pub fn new(mark: u32, one_per: Duration) -> Self {
        Self { mark, one_per, dry_at: Mutex::default() }
    }

    /// Counts one at the monotonic time `now`.
    pub fn count(&self, key: K, now: Duration) {
        let fullest = now.saturating_add(self.full().saturating_mul(2));
        let mut all = self.lock();
        if all.len() >= MOST && !all.contains_key(&key) {
            make_room(&mut all, now);
        }
        let dry_at = all.entry(key).or_insert(now);
        *dry_at = (*dry_at).max(now).saturating_add(self.one_per).min(fullest);
    }

    /// Whether more than the mark has come lately.
    pub fn is_over(&self, key: K, now: Duration) -> bool {
        let left = self.lock().get(&key).map_or(Duration::ZERO, |dry_at| dry_at.saturating_sub(now));
        left > self.full()
    }

    /// Forgets the keys that have run dry.
    pub fn forget_the_dry(&self, now: Duration) {
        let mut all = self.lock();
        all.retain(|_, dry_at| *dry_at > now);
        all.shrink_to_fit();
    }

    fn full(&self) -> Duration {
        self.one_per.saturating_mul(self.mark)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Duration>> {
        self.dry_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the dry, and when that is not enough the emptier half: a flood of keys drives out itself before one that fills.
fn make_room<K: Hash + Eq + Copy>(all: &mut HashMap<K, Duration>, now: Duration) {
    all.retain(|_, dry_at| *dry_at > now);
    if all.len() < MOST {
        return;
    }
    let mut levels: Vec<Duration> = all.values().copied().collect();
    let middle = levels.len() / 2;
    let (_, median, _) = levels.select_nth_unstable(middle);
    let median = *median;
    all.retain(|_, dry_at| *dry_at > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_is_over_its_mark_until_what_came_has_run_off() {
        let gauge = Gauge::new(3, SECOND);
        for _ in 0..3 {
            gauge.count('a', SECOND);
            assert!(!gauge.is_over('a', SECOND));
        }
        gauge.count('a', SECOND);
        assert!(gauge.is_over('a', SECOND) && !gauge.is_over('b', SECOND));
        assert!(!gauge.is_over('a', SECOND * 2));
    }

    #[test]
    fn however_much_came_it_falls_below_after_the_time_that_filling_it_once_takes() {
        let gauge = Gauge::new(3, SECOND);
        for _ in 0..1_000 {
            gauge.count('a', SECOND);
        }
        assert!(gauge.is_over('a', SECOND * 3));
        assert!(!gauge.is_over('a', SECOND * 4));
    }

    #[test]
    fn a_flood_of_keys_takes_bounded_memory_and_leaves_the_one_that_fills() {
        let gauge = Gauge::new(3, SECOND);
        for _ in 0..5 {
            gauge.count(0, SECOND);
        }
        for key in 1..200_000 {
            gauge.count(key, SECOND);
        }
        assert!(gauge.lock().len() <= MOST);
        assert!(gauge.is_over(0, SECOND));
        gauge.forget_the_dry(SECOND * 100);
        assert!(gauge.lock().is_empty());
    }
}
