//! A job: a closure on its way to a connection, and its answer on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use tokio::sync::oneshot;

use super::{Conn, StoreError};

/// Lets the store see, in a feature's error, the database error behind it, to decide whether to run again.
pub trait Cause {
    /// The database error this one wraps, if it does.
    fn store_error(&self) -> Option<&StoreError>;
}

/// How a run of a job ended, as far as the connection's owner must know.
pub(super) enum Ran {
    /// Its effect is to be kept.
    Well,
    /// It refused, or failed alone: its effect is to be undone.
    Refused,
    /// It met another transaction: undo, run again.
    Contended,
    /// The database itself failed under it, and with it everything in the same transaction.
    DatabaseFailed(StoreError),
}

/// A job of any result type.
pub(super) trait Job: Send {
    /// Runs the closure and remembers what it said. May be called again; the last run counts.
    fn run(&mut self, conn: &mut Conn) -> Ran;
    /// Sends what the last run said, or `failure` in its place.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

struct Task<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Task<F, T, E>
where
    F: Fn(&mut Conn) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Cause + Send,
{
    fn run(&mut self, conn: &mut Conn) -> Ran {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(conn)))
            .unwrap_or_else(|panic| Err(StoreError::Broken(panic_message(panic.as_ref())).into()));
        let ran = match &outcome {
            Ok(_) => Ran::Well,
            Err(error) => match error.store_error() {
                Some(StoreError::Contended(_)) => Ran::Contended,
                Some(error) if error.is_of_the_database() => Ran::DatabaseFailed(error.clone()),
                _ => Ran::Refused,
            },
        };
        self.outcome = Some(outcome);
        ran
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let outcome = match (failure, self.outcome) {
            // A job that refused changed nothing, so its own answer stands whatever became of the commit.
            (Some(failure), Some(Ok(_)) | None) => Err(failure.into()),
            (_, Some(outcome)) => outcome,
            (None, None) => Err(StoreError::Broken("a job was never run".to_owned()).into()),
        };
        // Whoever asked may have gone away; what was committed stays committed.
        let _ = self.reply.send(outcome);
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a job panicked: {}", text.unwrap_or("no message"))
}

/// The bounded way to the threads that hold connections.
#[derive(Clone)]
pub(super) struct Queue {
    jobs: Sender<Box<dyn Job>>,
}

impl Queue {
    /// A queue that holds at most `capacity` waiting jobs, and its other end.
    pub fn bounded(capacity: usize) -> (Self, Receiver<Box<dyn Job>>) {
        let (jobs, receiver) = crossbeam_channel::bounded(capacity);
        (Self { jobs }, receiver)
    }

    /// Whether whoever comes now would be told that too many wait.
    pub fn is_full(&self) -> bool {
        self.jobs.is_full()
    }

    /// Sends `work` and waits for its answer.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Cause + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(Box::new(Task { work, outcome: None, reply })) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(StoreError::Busy.into()),
            Err(TrySendError::Disconnected(_)) => return Err(stopped().into()),
        }
        answer.await.unwrap_or_else(|_| Err(stopped().into()))
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store's threads have stopped".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_is_busy_and_a_stopped_one_is_unavailable() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (queue, jobs) = Queue::bounded(1);
        let ask = || queue.run(|_: &mut Conn| Ok::<_, StoreError>(()));
        let waits = ask();
        runtime.block_on(async {
            // The first takes the only place and waits there; nobody works.
            let mut waits = std::pin::pin!(waits);
            assert!(futures_util::poll!(&mut waits).is_pending());
            assert!(matches!(ask().await, Err(StoreError::Busy)));
            drop(jobs);
            assert!(matches!(ask().await, Err(StoreError::Unavailable(_))));
        });
    }

    #[test]
    fn a_job_that_panics_is_broken_and_harms_nobody() {
        let (reply, mut answer) = oneshot::channel::<Result<(), StoreError>>();
        let work = |_: &mut Conn| panic!("a mistake");
        let mut task: Box<dyn Job> = Box::new(Task { work, outcome: None, reply });
        let conn = diesel::Connection::establish(":memory:").expect("SQLite");
        assert!(matches!(task.run(&mut Conn::Sqlite(conn)), Ran::Refused));
        task.answer(None);
        let error = answer.try_recv().expect("an answer").expect_err("an error");
        assert!(error.to_string().contains("a mistake"), "{error}");
    }
}
