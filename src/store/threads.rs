//! The threads that hold connections, waited for when nobody needs them any more: a process that ended while one of them
//! was closing its connection would clean up under its feet.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::{StoreError, StoreResult};

/// Threads that end by themselves when the last way to them is gone. Dropped after those ways, it waits for that.
#[derive(Default)]
pub(super) struct Threads(Mutex<Vec<JoinHandle<()>>>);

impl Threads {
    /// Starts one more.
    pub fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> StoreResult<()> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        let thread = thread.map_err(|error| StoreError::Unavailable(format!("cannot start a thread: {error}")))?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for thread in self.0.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // The last clone of a store may be dropped by a job, on one of these threads.
            if thread.thread().id() != thread::current().id() {
                // One that panicked has said so.
                let _ = thread.join();
            }
        }
    }
}
