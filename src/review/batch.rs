//! A batch: many decisions that somebody made at once, done chunk by chunk.
//!
//! What it is about is kept before anything is decided, so a batch that was interrupted goes on where it was: each chunk
//! is one transaction with what came of it, and every comment is whole. Whoever is disabled meanwhile, or loses the right to
//! it, decides no more. Its id takes back all of it.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::accounts::{self, Moderator, Right};
use crate::app::App;
use crate::audit;
use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, CommentId, DecisionId, ModeratorId};
use crate::learning;
use crate::store::{self, Conn, Replay, StoreResult};

use super::chunk::{self, Chunk, Fresh};
use super::queries::batches;

/// Comments decided in one transaction: whoever writes meanwhile waits for so many, about 50 ms.
pub(super) const CHUNK: usize = 500;

/// What a batch does to its comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    Status(Status),
    /// Takes back what this batch or decision changed.
    Back(DecisionId),
}

/// Many decisions at once.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub id: DecisionId,
    pub by: ModeratorId,
    /// The key that it was begun with.
    pub key: Option<ApiKeyId>,
    /// The right that it takes beside deciding; whoever loses one of them ends it.
    pub needs: Option<Right>,
    pub goal: Goal,
    pub reason: Option<String>,
    pub note: Option<String>,
    pub message: Option<String>,
    pub total: i64,
    pub done: i64,
    pub created_at: Millis,
}

impl Batch {
    /// Whether nothing of it is left to do.
    pub const fn is_done(&self) -> bool {
        self.done >= self.total
    }

    /// Whether a moderator may do what it does.
    fn is_allowed_to(&self, by: &Moderator) -> bool {
        by.may(Right::Decide) && self.needs.is_none_or(|right| by.may(right))
    }
}

/// What came of one comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemResult {
    pub id: CommentId,
    /// 200, 202 (it waits for a second moderator), 403 (its moderator may no longer), 404, 409 or 410.
    pub outcome: u16,
    /// The version it has now; none where there is nothing to see.
    pub version: Option<i64>,
}

/// Wakes whoever goes on with batches.
#[derive(Default)]
struct Waiting(Notify);

/// Keeps a batch. Part of the transaction that chose its items: whatever is not one of `by`'s comments is kept as such.
///
/// # Errors
/// Those of the store.
pub(super) fn begin(
    conn: &mut Conn,
    by: &Moderator,
    batch: &Batch,
    items: &[(CommentId, i64)],
    replay: Option<(&Replay, u16)>,
) -> StoreResult<()> {
    let mut items = items.to_vec();
    for some in items.chunks_mut(CHUNK) {
        let ids: Vec<CommentId> = some.iter().map(|(id, _)| *id).collect();
        let sites = batches::list_sites_of(conn, &ids)?;
        let mine = sites.into_iter().filter(|(_, site)| by.moderates(*site)).map(|(id, _)| id);
        let mine: std::collections::HashSet<CommentId> = mine.collect();
        for (id, version) in some {
            if !mine.contains(id) {
                *version = chunk::NOT_FOUND;
            }
        }
    }
    batches::insert_batch(conn, batch, &items)?;
    match replay {
        Some((replay, status)) => store::keep_answer(conn, replay, batch.id.get(), status, batch.created_at),
        None => Ok(()),
    }
}

/// Goes on with a batch until it is done. Several may: each takes the next chunk.
///
/// # Errors
/// Those of the store; what was done stays done, and somebody goes on later.
pub(super) async fn run(app: &App, id: DecisionId) -> StoreResult<()> {
    while run_chunk(app, id).await? {}
    // Not before: what is learned meanwhile would make whoever waits for the batch wait longer.
    learning::wake(app);
    Ok(())
}

/// Leaves a batch to the background.
pub(super) fn leave_to_background(app: &App) {
    app.shelves.get::<Waiting>().0.notify_one();
}

/// Resolves when a batch was left to the background.
pub async fn batch_waits(app: &App) {
    app.shelves.get::<Waiting>().0.notified().await;
}

/// Goes on with every batch that is not done, those included that a crash interrupted.
///
/// # Errors
/// Those of the store; they can be tried again.
pub async fn run_batches(app: &App, goes_on: impl Fn() -> bool) -> StoreResult<()> {
    let ids = app.store.read(batches::list_running).await?;
    for id in ids {
        while goes_on() && run_chunk(app, id).await? {}
        learning::wake(app);
    }
    Ok(())
}

/// Decides the next chunk; false when there is none.
async fn run_chunk(app: &App, id: DecisionId) -> StoreResult<bool> {
    let batch = app.store.read(move |conn| batches::find_batch(conn, id)).await?;
    let left = batch.map_or(0, |batch| batch.total - batch.done);
    let count = usize::try_from(left).unwrap_or(0).min(CHUNK);
    let mut fresh = Vec::with_capacity(count);
    for _ in 0..count {
        fresh.push(Fresh { id: app.store.next_id().await?, entry: audit::blank(app).await? });
    }
    if fresh.is_empty() {
        return Ok(false);
    }
    let (fresh, now) = (Arc::new(fresh), app.clock.now());
    let chunk = app.store.write(move |conn| write_chunk(conn, id, &fresh, now)).await?;
    let Some(chunk) = chunk else { return Ok(false) };
    for (site, article) in &chunk.articles_changed {
        app.drop_thread(site, article);
    }
    chunk.changes.into_iter().for_each(|change| app.tell(change));
    Ok(true)
}

/// The transaction of a chunk.
fn write_chunk(conn: &mut Conn, id: DecisionId, fresh: &[Fresh], now: Millis) -> StoreResult<Option<Chunk>> {
    let Some(batch) = batches::lock_batch(conn, id)?.filter(|batch| !batch.is_done()) else { return Ok(None) };
    let items = batches::load_items_of(conn, id, batch.done, fresh.len())?;
    let chunk = match accounts::find_acting(conn, batch.by, batch.key, now)?.filter(|by| batch.is_allowed_to(by)) {
        Some(by) => chunk::decide(conn, &by, &batch, &items, fresh, now)?,
        None => Chunk::refused(&items),
    };
    batches::insert_results(conn, id, batch.done, &chunk.results)?;
    Ok(Some(chunk))
}
