//! A few places, and two bounded queues for them: those who are known go before newcomers.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// So many may do something at once.
#[derive(Debug)]
pub struct Places {
    free: Semaphore,
    /// Newcomers queue here first. As many get through as there are places, so that all places are used when nobody else
    /// wants them, and whoever is known waits behind no newcomer that has not begun.
    newcomers: Semaphore,
    waiting: [AtomicUsize; 2],
}

/// In which queue somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Known,
    Newcomers,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    _place: SemaphorePermit<'a>,
    _newcomer: Option<SemaphorePermit<'a>>,
}

impl Places {
    /// `count` places, all free.
    pub fn new(count: usize) -> Self {
        Self { free: Semaphore::new(count), newcomers: Semaphore::new(count), waiting: Default::default() }
    }

    /// Waits for a place; `None` when `most` wait in this queue already.
    pub async fn wait(&self, queue: Queue, most: usize) -> Option<Place<'_>> {
        let _waiting = Waiting::enter(&self.waiting[queue as usize], most)?;
        // The semaphores are never closed.
        let newcomer = match queue {
            Queue::Known => None,
            Queue::Newcomers => Some(self.newcomers.acquire().await.ok()?),
        };
        Some(Place { _place: self.free.acquire().await.ok()?, _newcomer: newcomer })
    }

    /// A place that is free now.
    pub fn take_if_free(&self) -> Option<SemaphorePermit<'_>> {
        self.free.try_acquire().ok()
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        let before = count.fetch_add(1, Ordering::AcqRel);
        let entered = Self(count);
        (before < most).then_some(entered)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn whoever_is_known_goes_before_newcomers_that_wait() {
        let places = Places::new(1);
        let first = places.wait(Queue::Newcomers, 64).now_or_never().flatten();
        assert!(first.is_some(), "a newcomer gets a place that nobody wants");
        let mut newcomers: Vec<_> = (0..10).map(|_| Box::pin(places.wait(Queue::Newcomers, 64))).collect();
        for newcomer in &mut newcomers {
            assert!(newcomer.as_mut().now_or_never().is_none());
        }
        let mut known = Box::pin(places.wait(Queue::Known, 64));
        assert!(known.as_mut().now_or_never().is_none());
        drop(first);
        assert!(newcomers[0].as_mut().now_or_never().is_none(), "it stands behind whoever is known");
        let place = known.as_mut().now_or_never().flatten();
        assert!(place.is_some());
        drop(place);
        assert!(newcomers[0].as_mut().now_or_never().flatten().is_some());
    }

    #[test]
    fn each_queue_is_bounded_and_a_full_one_leaves_the_other_open() {
        let places = Places::new(1);
        let _taken = places.wait(Queue::Known, 3).now_or_never().flatten();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(places.wait(Queue::Newcomers, 3))).collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert!(matches!(places.wait(Queue::Newcomers, 3).now_or_never(), Some(None)));
        assert!(places.wait(Queue::Known, 3).now_or_never().is_none(), "it waits and is not refused");
    }
}
