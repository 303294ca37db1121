//! News between the nodes of one PostgreSQL: what one of them has changed the others hear within moments, by LISTEN and
//! NOTIFY over a connection that does nothing else.
//!
//! News is sent after the commit it is about, several at once. It can be lost with its sender, or while a connection is
//! down, so nobody may rest on hearing it: [`Ear::untold`] changes whenever something may have been missed, and every few
//! seconds anyway. A connection is trusted only as long as it brings back this node's own pulse: behind a pooler that
//! hands connections round, or a network that swallows them, it does not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use tokio::sync::mpsc;

use super::threads::Threads;
use super::{StoreResult, postgres};

/// How long what comes in waits at most, and what goes out for more to go with it.
const LOOK: Duration = Duration::from_millis(10);
/// How often the connection is asked whether it still brings news.
const PULSE: Duration = Duration::from_secs(1);
/// After so long without the pulse nothing is trusted that was not read within a second.
const SILENCE: Duration = Duration::from_secs(5);
/// How often what was kept is read anew although nobody said so: a sender may have died between commit and news.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a lost connection is left alone.
const AGAIN: Duration = Duration::from_millis(500);
/// News waiting to be sent, and news waiting to be heard; what does not fit is made up for by a sweep.
const WAITING: usize = 10_000;
/// The most bytes of one notification: PostgreSQL takes less than 8,000.
const MOST_BYTES: usize = 7_000;

/// Where news goes, and where it comes from.
#[derive(Clone)]
pub(super) struct News {
    out: Sender<String>,
    heard: Arc<Mutex<Option<mpsc::Receiver<String>>>>,
    ear: Arc<Ear>,
}

impl News {
    /// Starts the thread that has the connection. It ends when the last way to it is gone, after sending what waits.
    pub fn start(url: &str, threads: &Threads) -> StoreResult<Self> {
        let (out, to_send) = crossbeam_channel::bounded(WAITING);
        let (hear, heard) = mpsc::channel(WAITING);
        let ear = Arc::new(Ear::new());
        // Opened before anybody can have kept anything, so nothing was missed.
        let line = Some(Line::open(url)?);
        let mut herald = Herald { url: url.to_owned(), line, to_send, hear, ear: Arc::clone(&ear) };
        threads.spawn("store-news", move || herald.work())?;
        Ok(Self { out, heard: Arc::new(Mutex::new(Some(heard))), ear })
    }

    /// Sends a line to the other nodes.
    pub fn tell(&self, line: String) {
        // With as many waiting as that the line is down or slow; the others sweep.
        let _ = self.out.try_send(line);
    }

    /// What other nodes send, line by line, to whoever asks first.
    pub fn take_heard(&self) -> Option<mpsc::Receiver<String>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// See [`Ear::untold`].
    pub fn untold(&self) -> u64 {
        self.ear.untold()
    }

    /// See [`Ear::losses`].
    pub fn losses(&self) -> u64 {
        self.ear.losses.load(Ordering::Acquire)
    }
}

/// What is known about having heard everything.
struct Ear {
    began: Instant,
    /// When the pulse last came back, in milliseconds since then.
    pulse: AtomicU64,
    /// How often something was lost for certain.
    losses: AtomicU64,
}

impl Ear {
    fn new() -> Self {
        Self { began: Instant::now(), pulse: AtomicU64::new(0), losses: AtomicU64::new(0) }
    }

    /// Changes when something may have been missed: after each loss, every five seconds, and every second while the line
    /// is silent.
    fn untold(&self) -> u64 {
        let (seconds, losses) = (self.began.elapsed().as_secs(), self.losses.load(Ordering::Acquire));
        let steps = if self.is_silent() { seconds } else { seconds / SWEEP.as_secs() * SWEEP.as_secs() };
        losses << 32 | steps
    }

    fn is_silent(&self) -> bool {
        self.silence() > SILENCE
    }

    fn silence(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.pulse.load(Ordering::Acquire)))
    }

    fn note_pulse(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.pulse.store(now, Ordering::Release);
    }

    fn note_loss(&self) {
        self.losses.fetch_add(1, Ordering::AcqRel);
    }
}

struct Herald {
    url: String,
    line: Option<Line>,
    to_send: Receiver<String>,
    hear: mpsc::Sender<String>,
    ear: Arc<Ear>,
}

/// An open connection that listens.
struct Line {
    conn: PgConnection,
    channel: String,
    /// Of this connection, on the server: what we sent ourselves is no news.
    own: i32,
    pulsed: Instant,
}

impl Herald {
    fn work(&mut self) {
        let mut has_told = false;
        loop {
            let (goes_on, lines) = self.collect();
            let worked = self.say_and_hear(&lines);
            match worked {
                Ok(()) => has_told &= self.ear.is_silent(),
                Err(error) => {
                    self.line = None;
                    self.ear.note_loss();
                    if !has_told {
                        tracing::warn!(%error, "other nodes are not heard; what they change is seen within a second");
                        has_told = true;
                    }
                    if goes_on {
                        std::thread::sleep(AGAIN);
                    }
                }
            }
            if !goes_on {
                return;
            }
        }
    }

    /// What waits to be sent, joined into notifications; false when nobody can send any more.
    fn collect(&self) -> (bool, Vec<String>) {
        let first = match self.to_send.recv_timeout(LOOK) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => return (true, Vec::new()),
            Err(RecvTimeoutError::Disconnected) => return (false, Vec::new()),
        };
        let mut parts = vec![first];
        for line in self.to_send.try_iter().take(WAITING) {
            match parts.last_mut() {
                Some(part) if part.len() + 1 + line.len() <= MOST_BYTES => {
                    part.push('\n');
                    part.push_str(&line);
                }
                _ => parts.push(line),
            }
        }
        (true, parts)
    }

    fn say_and_hear(&mut self, parts: &[String]) -> StoreResult<()> {
        let open = if let Some(open) = self.line.take() {
            open
        } else {
            let open = Line::open(&self.url)?;
            // Whatever was told meanwhile was missed.
            self.ear.note_loss();
            open
        };
        let line = self.line.insert(open);
        for part in parts {
            line.notify(part)?;
        }
        if line.pulsed.elapsed() >= PULSE {
            line.pulsed = Instant::now();
            line.notify("")?;
        }
        for notification in line.conn.notifications_iter() {
            let notification = notification?;
            if notification.process_id == line.own {
                self.ear.note_pulse();
                continue;
            }
            for news in notification.payload.lines() {
                if self.hear.try_send(news.to_owned()).is_err() {
                    self.ear.note_loss();
                }
            }
        }
        Ok(())
    }
}

impl Line {
    fn open(url: &str) -> StoreResult<Self> {
        let mut conn = postgres::connect(url)?;
        let text = |sql: &str| diesel::dsl::sql::<Text>(sql);
        // One database may hold several installations, each in a schema of its own.
        let channel: String =
            diesel::select(text("'rejoinder_' || left(md5(current_schema()), 16)")).get_result(&mut conn)?;
        let own = diesel::dsl::sql::<Integer>("pg_backend_pid()");
        let own: i32 = diesel::select(own).get_result(&mut conn)?;
        // The name is for whoever looks at the server's list of connections.
        conn.batch_execute(&format!("SET application_name = 'news of {channel}'; LISTEN {channel}"))?;
        Ok(Self { conn, channel, own, pulsed: Instant::now().checked_sub(PULSE).unwrap_or_else(Instant::now) })
    }

    fn notify(&mut self, payload: &str) -> StoreResult<()> {
        let notify = diesel::sql_query("SELECT pg_notify($1, $2)");
        notify.bind::<Text, _>(&self.channel).bind::<Text, _>(payload).execute(&mut self.conn)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_losses_make_what_was_kept_a_thing_of_the_past() {
        let ear = Ear::new();
        ear.note_pulse();
        let before = ear.untold();
        assert_eq!((ear.untold(), ear.losses.load(Ordering::Acquire)), (before, 0));
        ear.note_loss();
        assert_ne!(ear.untold(), before);
        let deaf = Ear { began: Instant::now().checked_sub(Duration::from_mins(1)).unwrap(), ..Ear::new() };
        assert!(deaf.is_silent());
        assert_eq!(deaf.untold(), 60);
        deaf.note_pulse();
        assert!(!deaf.is_silent());
    }

    #[test]
    fn what_waits_goes_in_few_notifications_and_none_is_too_long() {
        let (out, to_send) = crossbeam_channel::bounded(WAITING);
        let (hear, _heard) = mpsc::channel(1);
        let herald = Herald { url: String::new(), line: None, to_send, hear, ear: Arc::new(Ear::new()) };
        (0..1_000).for_each(|number| out.send(format!("comment {number:>20}")).unwrap());
        let (goes_on, parts) = herald.collect();
        assert!(goes_on && parts.len() < 6 && parts.iter().all(|part| part.len() <= MOST_BYTES), "{}", parts.len());
        assert_eq!(parts.iter().flat_map(|part| part.lines()).count(), 1_000);
        drop(out);
        assert!(!herald.collect().0);
    }
}
