//! A few places, and a bounded queue for them.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// So many may do something at once.
#[derive(Debug)]
pub struct Places {
    free: Semaphore,
    waiting: AtomicUsize,
}

impl Places {
    /// `count` places, all free.
    pub fn new(count: usize) -> Self {
        Self { free: Semaphore::new(count), waiting: AtomicUsize::new(0) }
    }

    /// Waits for a place, until it is dropped; `None` when `most` wait already.
    pub async fn wait(&self, most: usize) -> Option<SemaphorePermit<'_>> {
        let _waiting = Waiting::enter(&self.waiting, most)?;
        // The semaphore is never closed.
        self.free.acquire().await.ok()
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
