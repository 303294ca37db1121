//! A replica of the PostgreSQL database, read in its place where what is a few seconds old will do.
//!
//! Once a second it is asked whether it has come to where the primary was a second before. Only a replica that had is read,
//! and only for as long as that is news: what is read there is at most [`BEHIND`] old. Whoever must see what has just been
//! written reads the primary.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::job::Queue;
use super::threads::Threads;
use super::{StoreResult, postgres};

/// How old what a replica shows is at most.
pub const BEHIND: Duration = Duration::from_secs(5);
/// How often it is asked how far it is.
const LOOK: Duration = Duration::from_secs(1);
/// How long its answer counts.
const GOOD_FOR: Duration = Duration::from_secs(3);

/// The way to a replica.
#[derive(Clone)]
pub(super) struct Replica {
    pub readers: Queue,
    began: Instant,
    /// Until when it may be read, in milliseconds since then.
    good_until: Arc<AtomicU64>,
    /// Gone with the last way to it, and with it the thread that looks.
    _is_used: Sender<()>,
}

impl Replica {
    /// Starts the threads that read it and the one that looks after it. It need not be there yet.
    pub fn start(primary: &str, replica: &str, threads: &Threads) -> StoreResult<Self> {
        let (is_used, until_unused) = crossbeam_channel::bounded(0);
        let (began, good_until) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let urls = [postgres::with_time_limits(primary), postgres::with_time_limits(replica)];
        let readers = postgres::start_readers(&urls[1], "store-replica", threads)?;
        let mut watch = Watch { urls, open: None, was_at: None, began, good_until: Arc::clone(&good_until) };
        threads.spawn("store-replica-watch", move || watch.work(&until_unused))?;
        Ok(Self { readers, began, good_until, _is_used: is_used })
    }

    /// Whether it may be read.
    pub fn is_close(&self) -> bool {
        ms(self.began.elapsed()) < self.good_until.load(Ordering::Acquire)
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

struct Watch {
    urls: [String; 2],
    open: Option<[PgConnection; 2]>,
    /// Where the primary was when it was last asked.
    was_at: Option<String>,
    began: Instant,
    good_until: Arc<AtomicU64>,
}

impl Watch {
    fn work(&mut self, until_unused: &Receiver<()>) {
        let mut is_told = false;
        while until_unused.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            match self.look() {
                Ok(is_close) => {
                    if is_close {
                        self.good_until.store(ms(self.began.elapsed() + GOOD_FOR), Ordering::Release);
                    }
                    is_told = false;
                }
                Err(error) => {
                    self.open = None;
                    self.was_at = None;
                    if !is_told {
                        tracing::warn!(%error, "the replica is not read at present; the primary is");
                        is_told = true;
                    }
                }
            }
        }
    }

    /// Whether the replica has come to where the primary was when it was last asked.
    fn look(&mut self) -> StoreResult<bool> {
        let open = match self.open.take() {
            Some(open) => open,
            None => [postgres::connect(&self.urls[0])?, postgres::connect(&self.urls[1])?],
        };
        let [primary, replica] = self.open.insert(open);
        let at = diesel::dsl::sql::<Text>("pg_current_wal_lsn()::text");
        let at: String = diesel::select(at).get_result(primary)?;
        let Some(was_at) = self.was_at.replace(at) else { return Ok(false) };
        // One that was promoted takes writes itself: then it is no replica any more.
        let has_come = diesel::dsl::sql::<Bool>("coalesce(pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= ")
            .bind::<Text, _>(was_at)
            .sql("::pg_lsn, false)");
        Ok(diesel::select(has_come).get_result(replica)?)
    }
}
