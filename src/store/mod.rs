//! Floor 2: the database behind two calls, [`Store::read`] and [`Store::write`].
//!
//! Both run a closure where the connection lives, on threads this module owns, and resolve when its effect is
//! certain: a write's answer comes after the commit is on disk, never before. The closure may run more than once
//! (a serialisation failure, a group that is rolled back), so it does nothing but SQL: no clock, no randomness, no
//! other I/O. On SQLite one writer shares each commit among all who wait; on PostgreSQL
//! several threads do.
//!
//! No feature is known here. What differs between the two databases stands in `dialect` alone.

mod dialect;
mod error;
mod idempotency;
mod ids;
mod job;
mod keep;
mod migrations;
mod news;
mod outbox;
mod postgres;
mod replica;
mod sqlite;
mod threads;

pub mod schema;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;
use tokio::sync::mpsc;

use crate::config::DatabaseUrl;
use crate::kit::ids::Id;

use threads::Threads;

pub use dialect::{
    WasRead, add_counts, execute_on_either, list_by_words, load_on_either, lock_rows, mark_indexed,
    try_lock_until_commit, widen_page_cache, write_words,
};
pub use error::{Constraint, StoreError, StoreResult};
pub use idempotency::{KeptAnswer, Replay, find_kept_answer, forget_answers_before, keep_answer};
pub use job::Cause;
pub use keep::{load_mark, move_mark, secret_or_insert};
pub use migrations::{MigrateError, migrate};
pub use outbox::{
    MailEnd, NewMail, WaitingMail, clear_recipients, count_mails_caused_by, count_mails_to, end_mail, insert_mail_once,
    lease_mails, list_due_mails, postpone_mail,
};
pub use replica::BEHIND;

/// A connection to whichever database the installation uses.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL 13 or newer.
    Postgres(PgConnection),
    /// The SQLite that is built in.
    Sqlite(SqliteConnection),
}

/// The backend of [`Conn`], for boxed queries.
pub type Db = MultiBackend;

/// The database. Clones share it; the last clone dropped ends its threads after the work they hold, and waits for them.
#[derive(Clone)]
pub struct Store {
    readers: job::Queue,
    writer: job::Queue,
    ids: Arc<ids::IdBlock>,
    foreign_writes: Arc<AtomicU64>,
    /// How many writes there have been.
    writes: Arc<AtomicU64>,
    /// When a database was opened that other nodes write to.
    opened: Option<Instant>,
    /// The way to these nodes.
    news: Option<news::News>,
    replica: Option<replica::Replica>,
    refused: Arc<Mutex<Option<StoreError>>>,
    /// Last, so that the queues are gone when it waits.
    threads: Arc<Threads>,
}

impl Store {
    /// Opens the database and starts its threads. The schema must be there already: see [`migrate`].
    ///
    /// # Errors
    /// When it cannot be reached, or is a SQLite too old to trust with commits.
    pub fn open(url: &DatabaseUrl) -> StoreResult<Self> {
        let (foreign_writes, threads) = (Arc::new(AtomicU64::new(0)), Arc::new(Threads::default()));
        let (opened, (readers, writer)) = match url {
            DatabaseUrl::Sqlite(path) => (None, sqlite::start(path, &foreign_writes, &threads)?),
            DatabaseUrl::Postgres(url) => (Some(Instant::now()), postgres::start(url, &threads)?),
        };
        let news = match url {
            DatabaseUrl::Sqlite(_) => None,
            DatabaseUrl::Postgres(url) => Some(news::News::start(&postgres::with_time_limits(url), &threads)?),
        };
        let (ids, refused, writes) = (Arc::default(), Arc::default(), Arc::default());
        Ok(Self { readers, writer, ids, foreign_writes, writes, opened, news, replica: None, refused, threads })
    }

    /// Runs `work` on a reading connection. What it sees is committed.
    ///
    /// # Errors
    /// Those of `work`; [`StoreError::Busy`] when too many wait; [`StoreError::Unavailable`] when the database is lost.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Cause + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// The same store, with a replica for [`Store::read_behind`]. It need not be there: without it the database is read.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn with_replica(mut self, primary: &DatabaseUrl, replica: &DatabaseUrl) -> StoreResult<Self> {
        if let (DatabaseUrl::Postgres(primary), DatabaseUrl::Postgres(replica)) = (primary, replica) {
            self.replica = Some(replica::Replica::start(primary, replica, &self.threads)?);
        }
        Ok(self)
    }

    /// As [`Store::read`], where what is up to [`BEHIND`] old will do: from a replica, when there is one and it is close.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read_behind<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Cause + Send + 'static,
    {
        if let Some(replica) = self.replica.as_ref().filter(|replica| replica.is_close()) {
            let read = replica.readers.run(work.clone()).await;
            let is_lost = read.as_ref().err().and_then(Cause::store_error).is_some_and(StoreError::is_of_the_database);
            if !is_lost {
                return read;
            }
        }
        self.read(work).await
    }

    /// Runs `work` in a transaction of its own and resolves after the commit is on disk. An error of `work` rolls
    /// back all of it.
    ///
    /// # Errors
    /// As [`Store::read`]; [`StoreError::Full`] when the disk is. After [`StoreError::Unavailable`] a commit may or
    /// may not have happened: try again with the same ids or an idempotency key.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Cause + Send + 'static,
    {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let outcome = self.writer.run(work).await;
        self.note_refusal(&outcome);
        outcome
    }

    /// Whether a write that came now would be refused because too many wait. Whoever asks before doing the work for one
    /// saves that work; it may have changed by the time of the write.
    pub fn is_too_busy_to_write(&self) -> bool {
        self.writer.is_full()
    }

    /// How many writes were asked for since this store was opened, for work that is better done while there are few.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// An id that nothing has and nothing will have again, on any node.
    ///
    /// # Errors
    /// Once in some hundred calls a block of ids is reserved by a write, with that write's errors.
    pub async fn next_id<Of: 'static>(&self) -> StoreResult<Id<Of>> {
        self.ids.next(self).await.map(Id::new)
    }

    /// A number that rises when another program may have written to this database. Whoever keeps what was read compares
    /// it with what it was. On SQLite it follows what other programs do to the file, within a second; on PostgreSQL,
    /// where other nodes write all the time, it rises every second.
    pub fn foreign_writes(&self) -> u64 {
        match self.opened {
            Some(opened) => opened.elapsed().as_secs(),
            None => self.foreign_writes.load(Ordering::Acquire),
        }
    }

    /// As [`Store::foreign_writes`], for whoever also drops what [`Store::take_news`] tells of: on PostgreSQL it changes
    /// only when something may not have been told, and every five seconds.
    pub fn untold_writes(&self) -> u64 {
        self.news.as_ref().map_or_else(|| self.foreign_writes(), news::News::untold)
    }

    /// A number that rises when another program has written to this database for certain and not said what, or, on
    /// PostgreSQL, when what other nodes said was lost.
    pub fn known_foreign_writes(&self) -> u64 {
        self.news.as_ref().map_or_else(|| self.foreign_writes.load(Ordering::Acquire), news::News::losses)
    }

    /// Tells the other nodes, if there can be any, a line of news. After the commit that it is about; it may be lost.
    pub fn tell(&self, news: impl FnOnce() -> String) {
        if let Some(way) = &self.news {
            way.tell(news());
        }
    }

    /// What the other nodes tell, line by line, to whoever asks first; none where there are no other nodes.
    pub fn take_news(&self) -> Option<mpsc::Receiver<String>> {
        self.news.as_ref().and_then(news::News::take_heard)
    }

    /// Whether it can be read and written now. After a write that the database refused, another is tried, so that an
    /// installation is ready again as soon as it is.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check(&self) -> StoreResult<()> {
        self.read(|conn| load_mark(conn, "readiness").map(drop)).await?;
        let is_refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_refused {
            // Only this clears it: a write that found nothing to do succeeds on a full disk too.
            self.write(keep::try_to_write).await?;
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.write(|_| Ok(())).await
    }

    /// After the last write: on SQLite, makes the file whole without its write-ahead log. Without it nothing is lost; the
    /// next start reads the log.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(url: &DatabaseUrl) -> StoreResult<()> {
        match url {
            DatabaseUrl::Sqlite(path) => sqlite::fold_log(path),
            DatabaseUrl::Postgres(_) => Ok(()),
        }
    }

    fn note_refusal<T, E: Cause>(&self, outcome: &Result<T, E>) {
        let refusal = outcome.as_ref().err().and_then(Cause::store_error).filter(|error| error.is_of_the_database());
        if let Some(refusal) = refusal {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal.clone());
        }
    }
}
