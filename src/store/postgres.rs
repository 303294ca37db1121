//! PostgreSQL: threads with a connection each; what waits together is written together.
//!
//! A thread that writes takes one job and some of those that wait, and commits them at once: what costs time here is going
//! back and forth, and flushing. When one of them refuses or meets another transaction, all are undone and run one by one,
//! as each is that comes alone.
//! A write that met another one is run again; a connection that was lost is opened again, and the job with it when
//! it had not come to its commit. A commit whose answer was lost is not repeated: the caller is told that the
//! database was lost, and repeats with the same ids.

use crossbeam_channel::Receiver;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;

use super::job::{Job, Queue, Ran};
use super::threads::Threads;
use super::{Conn, StoreError, StoreResult, dialect};

/// Connections for reading, and as many for writing. PostgreSQL itself shares flushes between the latter.
const CONNECTIONS: usize = 8;

/// How many jobs may wait for each kind of connection.
const WAITING: usize = 4096;

/// The most jobs that share one commit: few enough that what they lock is free again soon.
const GROUP: usize = 64;

/// How many jobs a thread takes alone after a group in which one refused.
const WARY_JOBS: u32 = 64;

/// How long a group waits for a lock. Two of them can wait for each other, and PostgreSQL would look for that after a
/// second only; one by one their jobs cannot.
const LOCK_WAIT: &str = "100ms";

/// How often a write that met others is run before its caller is told.
const TRIES: usize = 8;

/// Starts the threads, after one connection has shown that the database is there.
pub(super) fn start(url: &str, threads: &Threads) -> StoreResult<(Queue, Queue)> {
    let url = with_time_limits(url);
    connect(&url)?;
    Ok((spawn(threads, &url, "store-reader", Mode::Read)?, spawn(threads, &url, "store-writer", Mode::Write)?))
}

/// Starts threads that only read, on a database that need not be there yet.
pub(super) fn start_readers(url: &str, name: &str, threads: &Threads) -> StoreResult<Queue> {
    spawn(threads, url, name, Mode::Read)
}

/// Opens one connection.
pub(super) fn connect(url: &str) -> StoreResult<PgConnection> {
    PgConnection::establish(url).map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// A server that has gone silent must not hold a thread for the minutes that TCP allows: five seconds to connect,
/// ten for sent data to be acknowledged. What the URL says itself is kept.
pub(super) fn with_time_limits(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in [("connect_timeout", "5"), ("tcp_user_timeout", "10000"), ("keepalives_idle", "10")] {
        if !url.contains(name) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}{name}={value}");
        }
    }
    url
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
}

fn spawn(threads: &Threads, url: &str, name: &str, mode: Mode) -> StoreResult<Queue> {
    let (queue, jobs) = Queue::bounded(WAITING);
    for number in 0..CONNECTIONS {
        let mut worker = Worker { url: url.to_owned(), conn: None, mode, wary: 0 };
        let jobs: Receiver<Box<dyn Job>> = jobs.clone();
        threads.spawn(&format!("{name}-{number}"), move || {
            for job in &jobs {
                worker.serve_with(job, &jobs);
            }
        })?;
    }
    Ok(queue)
}

struct Worker {
    url: String,
    conn: Option<Conn>,
    mode: Mode,
    /// How many of the next jobs are taken alone.
    wary: u32,
}

impl Worker {
    /// Serves a job, and with it some that wait, when they can be written together.
    fn serve_with(&mut self, first: Box<dyn Job>, jobs: &Receiver<Box<dyn Job>>) {
        let mut group = vec![first];
        if self.wary > 0 {
            self.wary -= 1;
        } else if self.mode == Mode::Write {
            group.extend(jobs.try_iter().take(GROUP - 1));
        }
        let mut attempt = Attempt::Again(StoreError::Busy);
        if let (2.., Some(conn)) = (group.len(), &mut self.conn) {
            attempt = write_together(conn, &mut group);
        }
        match attempt {
            Attempt::Done => {
                for job in group {
                    job.answer(None);
                }
            }
            Attempt::Uncertain(error) => {
                self.conn = None;
                for job in group {
                    job.answer(Some(error.clone()));
                }
            }
            Attempt::Again(error) => {
                if matches!(error, StoreError::Unavailable(_)) {
                    self.conn = None;
                }
                if group.len() > 1 && self.conn.is_some() {
                    self.wary = WARY_JOBS;
                }
                for job in group {
                    self.serve(job);
                }
            }
        }
    }

    fn serve(&mut self, mut job: Box<dyn Job>) {
        let mut last = StoreError::Busy;
        for _ in 0..TRIES {
            match self.attempt(job.as_mut()) {
                Attempt::Done => return job.answer(None),
                Attempt::Uncertain(error) => return job.answer(Some(error)),
                Attempt::Again(error) => last = error,
            }
        }
        job.answer(Some(last));
    }

    fn attempt(&mut self, job: &mut dyn Job) -> Attempt {
        let was_open = self.conn.is_some();
        let conn = match self.conn.take().map_or_else(|| connect(&self.url).map(Conn::Postgres), Ok) {
            Ok(conn) => self.conn.insert(conn),
            Err(error) => return Attempt::Uncertain(error),
        };
        let attempt = match self.mode {
            Mode::Read => read(conn, job),
            Mode::Write => write(conn, job),
        };
        match attempt {
            Attempt::Again(StoreError::Unavailable(why)) => {
                self.conn = None;
                // A connection that had been idle may have been closed long ago; a fresh one that fails is news.
                if was_open {
                    Attempt::Again(StoreError::Unavailable(why))
                } else {
                    Attempt::Uncertain(StoreError::Unavailable(why))
                }
            }
            Attempt::Uncertain(error) => {
                self.conn = None;
                Attempt::Uncertain(error)
            }
            other => other,
        }
    }
}

enum Attempt {
    /// The job's own answer stands.
    Done,
    /// Nothing was kept; it may be run again.
    Again(StoreError),
    /// Not to be run again: it may have been kept, or there is nothing to run it on.
    Uncertain(StoreError),
}

fn read(conn: &mut Conn, job: &mut dyn Job) -> Attempt {
    match job.run(conn) {
        Ran::Well | Ran::Refused => Attempt::Done,
        Ran::Contended => Attempt::Again(StoreError::Contended("a read met a write".to_owned())),
        Ran::DatabaseFailed(error) => Attempt::Again(error),
    }
}

fn write(conn: &mut Conn, job: &mut dyn Job) -> Attempt {
    if let Err(error) = dialect::begin_writing(conn) {
        return Attempt::Again(as_lost(error.into()));
    }
    match job.run(conn) {
        Ran::Well => match conn.batch_execute("COMMIT").map_err(StoreError::from) {
            Ok(()) => Attempt::Done,
            Err(error @ StoreError::Contended(_)) => Attempt::Again(error),
            Err(error) => Attempt::Uncertain(error),
        },
        Ran::Refused => match conn.batch_execute("ROLLBACK") {
            Ok(()) => Attempt::Done,
            Err(error) => Attempt::Again(as_lost(error.into())),
        },
        Ran::Contended => match conn.batch_execute("ROLLBACK") {
            Ok(()) => Attempt::Again(StoreError::Contended("a write met another".to_owned())),
            Err(error) => Attempt::Again(as_lost(error.into())),
        },
        Ran::DatabaseFailed(error) => {
            let _ = conn.batch_execute("ROLLBACK");
            Attempt::Again(error)
        }
    }
}

/// Runs jobs in one transaction; nothing is kept unless all of them went well.
fn write_together(conn: &mut Conn, group: &mut [Box<dyn Job>]) -> Attempt {
    if let Err(error) = begin_together(conn) {
        return Attempt::Again(as_lost(error));
    }
    for job in group {
        if !matches!(job.run(conn), Ran::Well) {
            return match conn.batch_execute("ROLLBACK") {
                Ok(()) => Attempt::Again(StoreError::Contended("one of a group did not go well".to_owned())),
                Err(error) => Attempt::Again(as_lost(error.into())),
            };
        }
    }
    match conn.batch_execute("COMMIT").map_err(StoreError::from) {
        Ok(()) => Attempt::Done,
        Err(error @ StoreError::Contended(_)) => Attempt::Again(error),
        Err(error) => Attempt::Uncertain(error),
    }
}

fn begin_together(conn: &mut Conn) -> StoreResult<()> {
    Ok(conn.batch_execute(&format!("BEGIN; SET LOCAL lock_timeout = '{LOCK_WAIT}'"))?)
}

/// Whatever kept a transaction from opening or closing, the connection is not to be used again.
fn as_lost(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(_) => error,
        other => StoreError::Unavailable(other.to_string()),
    }
}
