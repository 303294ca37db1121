//! What has changed lately, for whoever follows it live: a ring of the latest changes, each with a number.
//!
//! Numbers rise by one with each change, and their ring begins at a billion times a second that no other ring of the
//! same database began at. So a number of another node, or of this one before it was started anew, is never taken for
//! one of ours: whoever comes with it is told that they have lost touch, as is whoever is further behind than the ring
//! reaches. Nobody is waited for, and nothing is kept but the ring. What a change means is not known here.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::ids::{CommentId, SiteId};

/// How many changes are kept: some 400 KiB.
const MOST: usize = 10_000;

/// Numbers for each second: what is left when a ring goes on longer only looks like another second's.
const NUMBERS: u64 = 1_000_000_000;

/// A comment that is not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub comment: CommentId,
    /// The version it has by it. Changes made at the same moment may be told in another order than they were made in.
    pub version: i64,
    /// The word for the status it has by it.
    pub status: &'static str,
    pub site: SiteId,
}

/// The ring, and a way to wait for what comes into it.
pub struct Changes {
    ring: Mutex<Ring>,
    latest: watch::Sender<u64>,
}

#[derive(Default)]
struct Ring {
    /// The number of the last change; 0 before the ring has begun.
    latest: u64,
    changes: VecDeque<Change>,
    /// How often others had written, as far as was told.
    foreign_writes: u64,
}

/// What came after a number.
#[derive(Debug, PartialEq, Eq)]
pub enum After {
    /// So many changes as were asked for, or all there are.
    Changes(Vec<(u64, Change)>),
    /// It cannot be told. It could be from this number on.
    Lost(u64),
}

impl Default for Changes {
    fn default() -> Self {
        Self { ring: Mutex::default(), latest: watch::Sender::new(0) }
    }
}

impl Changes {
    /// Whether anybody has asked to follow yet.
    pub fn is_begun(&self) -> bool {
        self.lock().latest > 0
    }

    /// Begins, in a second that no other ring begins in. Until then nothing is kept: nobody could ask for it.
    pub fn begin(&self, second: i64, foreign_writes: u64) {
        let mut ring = self.lock();
        if ring.latest == 0 {
            ring.foreign_writes = foreign_writes;
            self.move_on(&mut ring, second.unsigned_abs().max(1) * NUMBERS);
        }
    }

    /// Tells a change. Only after its commit, and only what was not told before.
    pub fn tell(&self, change: Change) {
        let mut ring = self.lock();
        if ring.latest == 0 {
            return;
        }
        if ring.changes.len() == MOST {
            ring.changes.pop_front();
        }
        ring.changes.push_back(change);
        let number = ring.latest + 1;
        self.move_on(&mut ring, number);
    }

    /// Says how often others have written what nobody tells here. When it is more than before, everybody has lost touch.
    pub fn note_foreign_writes(&self, count: u64) {
        let mut ring = self.lock();
        if ring.foreign_writes == count || ring.latest == 0 {
            return;
        }
        ring.foreign_writes = count;
        ring.changes.clear();
        let number = ring.latest + 1;
        self.move_on(&mut ring, number);
    }

    /// The number of the last change.
    pub fn latest(&self) -> u64 {
        self.lock().latest
    }

    /// The first changes after `number`, no more than `most`.
    pub fn after(&self, number: u64, most: usize) -> After {
        let ring = self.lock();
        let missed = ring.latest.checked_sub(number).and_then(|missed| usize::try_from(missed).ok());
        match missed.and_then(|missed| ring.changes.len().checked_sub(missed)) {
            Some(seen) => {
                After::Changes((number + 1..).zip(ring.changes.iter().skip(seen).take(most).copied()).collect())
            }
            None => After::Lost(ring.latest),
        }
    }

    /// What is marked as changed whenever something comes in.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    fn move_on(&self, ring: &mut Ring, number: u64) {
        ring.latest = number;
        self.latest.send_replace(number);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(number: i64) -> Change {
        Change { comment: CommentId::new(number), version: 1, status: "pending", site: SiteId::new(1) }
    }

    fn begun() -> Changes {
        let changes = Changes::default();
        changes.begin(7, 0);
        changes
    }

    #[test]
    fn nothing_is_kept_before_anybody_follows() {
        let changes = Changes::default();
        changes.tell(change(1));
        assert!(!changes.is_begun());
        changes.begin(7, 3);
        changes.begin(9, 3);
        assert_eq!(changes.latest(), 7_000_000_000);
        assert_eq!(changes.after(7_000_000_000, 9), After::Changes(Vec::new()));
    }

    #[test]
    fn what_is_not_ours_or_too_old_is_lost() {
        let changes = begun();
        let first = changes.latest();
        for number in 0..=10_000 {
            changes.tell(change(number));
        }
        let latest = first + 10_001;
        for lost in [0, 1, first - 1, first, latest + 1, 6_000_000_001, 8_000_000_000, u64::MAX] {
            assert_eq!(changes.after(lost, 9), After::Lost(latest), "{lost}");
        }
        assert_eq!(changes.after(first + 1, 1), After::Changes(vec![(first + 2, change(1))]));
        assert_eq!(changes.after(latest - 1, 9), After::Changes(vec![(latest, change(10_000))]));
        assert_eq!(changes.after(latest, 9), After::Changes(Vec::new()));
    }

    #[test]
    fn what_others_wrote_makes_everybody_lose_touch_once() {
        let changes = begun();
        let first = changes.latest();
        changes.tell(change(1));
        changes.note_foreign_writes(0);
        assert_eq!(changes.after(first + 1, 9), After::Changes(Vec::new()));
        changes.note_foreign_writes(1);
        changes.note_foreign_writes(1);
        for number in [first, first + 1] {
            assert_eq!(changes.after(number, 9), After::Lost(first + 2));
        }
        assert_eq!(changes.after(first + 2, 9), After::Changes(Vec::new()));
    }

    proptest! {
        /// Whoever asks in pieces of whatever size, whenever, hears everything once and in order.
        #[test]
        fn nothing_is_lost_or_doubled(asked in proptest::collection::vec((0usize..40, 1usize..9), 1..60)) {
            let changes = begun();
            let (mut at, mut heard, mut told) = (changes.latest(), Vec::new(), 0);
            for (tells, most) in asked {
                for _ in 0..tells {
                    changes.tell(change(told));
                    told += 1;
                }
                let After::Changes(found) = changes.after(at, most) else { panic!("lost") };
                prop_assert!(found.len() <= most);
                for (number, change) in found {
                    prop_assert_eq!(number, at + 1);
                    at = number;
                    heard.push(change.comment.get());
                }
            }
            let After::Changes(rest) = changes.after(at, usize::MAX) else { panic!("lost") };
            heard.extend(rest.into_iter().map(|(_, change)| change.comment.get()));
            prop_assert_eq!(heard, (0..told).collect::<Vec<_>>());
        }
    }
}
