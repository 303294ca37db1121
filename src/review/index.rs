//! What moderators find comments by is brought up to date after the commit, so that a post pays nothing for it.
//!
//! A comment says that it waits (`is_indexed`): when it is new, and whenever its status, text, name, URL or email changes. Its
//! words, its folded name and the like are made of it outside the transaction that writes them, which writes only what has
//! not changed since. Whoever asks for what is indexed first indexes what waits; a job does it meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::app::App;
use crate::kit::ids::CommentId;
use crate::kit::search::words_of;
use crate::kit::{network, text};
use crate::screening::{Effect, Screening};
use crate::store::{Cause, StoreError, StoreResult};

use super::queries::indexing::{self, Indexed, Waiting};
use super::sketched::{Known, load_known, sketch_all};

/// Comments indexed in one transaction while people wait for writes of their own.
const CHUNK: i64 = 256;

/// More than so many are not indexed while somebody waits for an answer: it would take seconds.
const MOST_WAITING: usize = 30_000;

/// How long somebody waits at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for another node that is at it.
const PAUSE: Duration = Duration::from_millis(20);

/// Why what waits was not indexed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("too much waits to be indexed")]
    TooMuchWaits,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for IndexError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// What came of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// Nothing waited.
    Empty,
    /// So many were indexed; some may have changed meanwhile and wait still.
    Indexed(u64),
    /// Another node is at it.
    Elsewhere,
}

/// One in this process is at it; the others wait for what it does.
#[derive(Default)]
struct Turn(Mutex<()>);

/// Indexes everything that waits now: whoever asks then finds all that was answered before.
///
/// # Errors
/// When more waits than can be indexed while somebody waits for it.
pub async fn index_waiting(app: &App) -> Result<(), IndexError> {
    let began = Instant::now();
    let most = i64::try_from(MOST_WAITING + 1).unwrap_or(i64::MAX);
    let waiting = app.store.read(move |conn| indexing::list_waiting_ids(conn, most)).await?;
    let Some(last) = waiting.last().copied() else { return Ok(()) };
    if waiting.len() > MOST_WAITING {
        return Err(IndexError::TooMuchWaits);
    }
    let turns = app.shelves.get::<Turn>();
    let _turn = turns.0.lock().await;
    while waits_up_to(app, last).await? {
        if began.elapsed() > PATIENCE {
            return Err(IndexError::TooMuchWaits);
        }
        if index(app, CHUNK).await? == Chunk::Elsewhere {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Indexes a few hundred comments that wait, unless somebody is at it already.
///
/// # Errors
/// Those of the store.
pub async fn index_chunk(app: &App) -> StoreResult<Chunk> {
    let turns = app.shelves.get::<Turn>();
    let Ok(_turn) = turns.0.try_lock() else { return Ok(Chunk::Elsewhere) };
    index(app, CHUNK).await
}

/// Indexes all that waits, however much, in transactions of thousands; tells `progress` how many by now. For a command that
/// has the database to itself.
///
/// # Errors
/// Those of the store.
pub async fn index_all(app: &App, mut progress: impl FnMut(u64)) -> StoreResult<()> {
    const LARGE_CHUNK: i64 = 4_000;
    let mut done = 0;
    loop {
        match index(app, LARGE_CHUNK).await? {
            Chunk::Empty => return Ok(()),
            Chunk::Indexed(count) => done += count,
            Chunk::Elsewhere => tokio::time::sleep(PAUSE).await,
        }
        progress(done);
    }
}

async fn waits_up_to(app: &App, last: CommentId) -> StoreResult<bool> {
    let first = app.store.read(move |conn| indexing::list_waiting_ids(conn, 1)).await?;
    Ok(first.first().is_some_and(|first| first.get() <= last.get()))
}

async fn index(app: &App, most: i64) -> StoreResult<Chunk> {
    // Words are cut where comments are read: on SQLite all writes wait for one thread.
    let read = app.store.read(move |conn| {
        let waiting = indexing::list_waiting(conn, most)?;
        let known = load_known(conn, &waiting)?;
        Ok::<_, StoreError>(waiting.into_iter().map(|comment| indexed(comment, &known)).collect::<Vec<_>>())
    });
    let mut all = read.await?;
    if all.is_empty() {
        return Ok(Chunk::Empty);
    }
    let joined_at = sketch_all(app, &mut all).await?;
    let (all, now) = (Arc::new(all), app.clock.now());
    let written = app.store.write(move |conn| indexing::write_indexed(conn, &all, joined_at, now)).await?;
    Ok(written.map_or(Chunk::Elsewhere, |count| Chunk::Indexed(count as u64)))
}

fn indexed(comment: Waiting, known: &Known) -> Indexed {
    Indexed {
        sketch: known.sketch_of(&comment),
        report: known.report_of(&comment),
        name: text::fold(&comment.name),
        email: comment.email.as_deref().map(text::fold),
        address: comment.ip.as_deref().and_then(|ip| ip.parse().ok()).map(network::sortable),
        rules: comment.screening.as_deref().map(held_by).unwrap_or_default(),
        words: words_of(&comment.name, comment.url.as_deref(), &comment.text, comment.email.as_deref()),
        comment,
    }
}

/// What held a comment, each once. What cannot be read, kept by another version, held nothing that is known here.
fn held_by(screening: &str) -> Vec<String> {
    let Ok(screening) = serde_json::from_str::<Screening>(screening) else { return Vec::new() };
    let held = screening.rules.into_iter().filter(|hit| hit.effect != Effect::Log);
    held.map(|hit| hit.rule).collect::<BTreeSet<_>>().into_iter().collect()
}
