//! SQLite: one thread that writes and shares each commit, and a few that read.
//!
//! The writer takes one job, then whatever else already waits, and commits them together: one flush to disk
//! serves many posts, nobody ever sees "database is locked", and nobody is answered before the flush.
//! It is the bottleneck of the whole program; keep out of it what need not be in the commit.

use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::job::{Job, Queue, Ran};
use super::threads::Threads;
use super::{Conn, StoreError, StoreResult, dialect};

/// The most jobs that share one commit. More would gain little (at 512 the flush is already a small part) and make
/// the first of them wait longer.
const GROUP: usize = 512;

/// How many writes may wait before the answer is "busy": some eight groups, about half a second of work.
const WAITING_WRITES: usize = 4096;

/// How many reads may wait.
const WAITING_READS: usize = 4096;

/// How often an idle writer looks whether another program wrote to the file, and how long it waits for work before it
/// moves the log into the file.
const IDLE: Duration = Duration::from_millis(500);

/// How often a busy one looks.
const LOOK: Duration = Duration::from_millis(100);

/// How many groups run behind savepoints after one in which a job refused.
const WARY_GROUPS: u32 = 16;

/// The first SQLite without the WAL-reset bug, which could lose commits.
const OLDEST_TRUSTED: &str = "3.51.3";

/// Opens the file and starts its threads.
pub(super) fn start(path: &str, foreign_writes: &Arc<AtomicU64>, threads: &Threads) -> StoreResult<(Queue, Queue)> {
    let mut writing = open(path, "")?;
    refuse_untrusted_version(&mut writing)?;

    let (writer, jobs) = Queue::bounded(WAITING_WRITES);
    let foreign_writes = Arc::clone(foreign_writes);
    let file = File::at(path);
    threads.spawn("store-writer", move || {
        Writer {
            conn: Conn::Sqlite(writing),
            file,
            foreign_writes,
            seen: None,
            looked: Instant::now(),
            wary: 0,
            has_log: true,
        }
        .work(&jobs);
    })?;

    let (readers, jobs) = Queue::bounded(WAITING_READS);
    for number in 0..reader_count() {
        let mut conn = Conn::Sqlite(open(path, "PRAGMA query_only = ON; PRAGMA cache_size = -2048;")?);
        let jobs = jobs.clone();
        threads.spawn(&format!("store-reader-{number}"), move || {
            for mut job in jobs {
                job.run(&mut conn);
                job.answer(None);
            }
        })?;
    }
    Ok((readers, writer))
}

/// Opens one connection. WAL with a flush at every commit; a page cache of 8 MiB to write with and 2 MiB to read with,
/// since the operating system caches the file anyway; no memory map, so that a failing disk is an error and not a signal. The log is moved into the file
/// when the writer is idle, and under steady load each time it has 8,192 pages (32 MiB): a page that many posts write is
/// then moved once.
pub(super) fn open(path: &str, more: &str) -> StoreResult<SqliteConnection> {
    keep_private(path);
    let mut conn = SqliteConnection::establish(path)
        .map_err(|error| StoreError::Unavailable(format!("cannot open the SQLite file {path}: {error}")))?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -8192;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 8192;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    conn.batch_execute(more)?;
    Ok(conn)
}

/// Makes a file that is not there yet, readable by nobody else: it will hold emails and keys. Those beside it get the
/// same rights from SQLite. What hinders it hinders opening it too, and is told then.
fn keep_private(path: &str) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

/// Moves what stands in the write-ahead log into the file, so that a copy of the file alone is whole.
pub(super) fn fold_log(path: &str) -> StoreResult<()> {
    Ok(open(path, "")?.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?)
}

fn reader_count() -> usize {
    thread::available_parallelism().map_or(2, usize::from).clamp(2, 16)
}

fn refuse_untrusted_version(conn: &mut SqliteConnection) -> StoreResult<()> {
    let version: String =
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()")).get_result(conn)?;
    let numbers = |text: &str| text.split('.').filter_map(|part| part.parse().ok()).collect::<Vec<u32>>();
    if numbers(&version) < numbers(OLDEST_TRUSTED) {
        return Err(StoreError::Unavailable(format!(
            "this SQLite is {version}; versions before {OLDEST_TRUSTED} can lose commits"
        )));
    }
    Ok(())
}

/// The file as it was when it was opened. Removed or replaced under the program, it would take writes that nobody could
/// ever read again.
struct File {
    path: PathBuf,
    number: Option<u64>,
}

impl File {
    fn at(path: &str) -> Self {
        Self { path: path.into(), number: number_of(Path::new(path)) }
    }

    fn is_still_there(&self) -> bool {
        self.number.is_none() || number_of(&self.path) == self.number
    }
}

fn number_of(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

struct Writer {
    conn: Conn,
    file: File,
    foreign_writes: Arc<AtomicU64>,
    seen: Option<i64>,
    looked: Instant,
    /// How many of the next groups run behind savepoints.
    wary: u32,
    /// Whether something may stand in the log that is not in the file.
    has_log: bool,
}

impl Writer {
    /// Works until every [`Queue`] is gone and the last job is done.
    fn work(mut self, jobs: &Receiver<Box<dyn Job>>) {
        // What others have written before anybody has read anything is no news; what they write from now on is.
        self.look_for_foreign_writes();
        loop {
            match jobs.recv_timeout(IDLE) {
                Ok(first) => {
                    let mut group = vec![first];
                    group.extend(jobs.try_iter().take(GROUP - 1));
                    self.commit(group);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.look_for_foreign_writes();
                    self.move_log();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Err(error) = self.conn.batch_execute("PRAGMA optimize") {
            tracing::warn!(%error, "the query planner's figures could not be brought up to date");
        }
    }

    /// Runs the group in one transaction and answers every job, after the commit.
    fn commit(&mut self, mut group: Vec<Box<dyn Job>>) {
        let failure = self.run_and_commit(&mut group).err();
        if failure.is_some() {
            // After some failures SQLite has rolled back already, and says so; either way nothing is left open.
            let _ = self.conn.batch_execute("ROLLBACK");
        }
        for job in group {
            job.answer(failure.clone());
        }
        if self.looked.elapsed() >= LOOK {
            self.look_for_foreign_writes();
        }
    }

    fn run_and_commit(&mut self, group: &mut [Box<dyn Job>]) -> StoreResult<()> {
        if !self.file.is_still_there() {
            return Err(StoreError::Unavailable(format!(
                "the file {} was removed or replaced",
                self.file.path.display()
            )));
        }
        self.has_log = true;
        if self.wary > 0 {
            self.wary -= 1;
            self.run_apart(group)?;
        } else if !self.run_together(group)? {
            self.wary = WARY_GROUPS;
            self.run_apart(group)?;
        }
        Ok(self.conn.batch_execute("COMMIT")?)
    }

    /// Runs the jobs in one transaction and nothing between them; false, and all undone, when one of them refused, for
    /// what it did cannot be told from what the others did. A savepoint for each would copy every page that it writes;
    /// refusals are rare, and whoever sends many makes the writer wary.
    fn run_together(&mut self, group: &mut [Box<dyn Job>]) -> StoreResult<bool> {
        dialect::begin_writing(&mut self.conn)?;
        for job in group {
            match job.run(&mut self.conn) {
                Ran::Well => {}
                // Contended cannot be: SQLite has one writer and this is it.
                Ran::Refused | Ran::Contended => {
                    self.conn.batch_execute("ROLLBACK")?;
                    return Ok(false);
                }
                Ran::DatabaseFailed(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Runs the jobs in one transaction, each behind a savepoint, so that one that refuses is undone alone.
    fn run_apart(&mut self, group: &mut [Box<dyn Job>]) -> StoreResult<()> {
        dialect::begin_writing(&mut self.conn)?;
        for job in group {
            self.conn.batch_execute("SAVEPOINT job")?;
            match job.run(&mut self.conn) {
                Ran::Well => self.conn.batch_execute("RELEASE job")?,
                Ran::Refused | Ran::Contended => self.conn.batch_execute("ROLLBACK TO job; RELEASE job")?,
                Ran::DatabaseFailed(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Moves the log into the file, as far as no reader needs it where it is.
    fn move_log(&mut self) {
        if !self.has_log {
            return;
        }
        match self.conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)") {
            Ok(()) => self.has_log = false,
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be moved into the file"),
        }
    }

    fn look_for_foreign_writes(&mut self) {
        self.looked = Instant::now();
        let Ok(version) = dialect::foreign_version(&mut self.conn) else { return };
        if self.seen.is_some_and(|seen| seen != version) {
            self.foreign_writes.fetch_add(1, Ordering::AcqRel);
        }
        self.seen = Some(version);
    }
}
