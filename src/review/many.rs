//! Deciding about many comments at once: those that somebody marked, each with the version they saw, or all that a filter
//! finds, with the number that they were shown.
//!
//! Up to a thousand are decided while the request waits; more go on in the background, and the answer says where to ask.
//! Comments that have changed since are left alone and named. One undo takes all of it back.

use std::collections::BTreeSet;

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::kit::ids::{CommentId, DecisionId};
use crate::store::{self, Cause, Conn, Constraint, Replay, StoreError};

use super::batch::{self, Batch, Goal, ItemResult};
use super::decide::Decision;
use super::filter::Filter;
use super::finding::{Asking, list_matching};
use super::index::{IndexError, index_waiting};
use super::item::Item;
use super::queries::{self, batches};
use super::reason;

/// So many are decided before the answer.
pub(super) const MOST_AT_ONCE: i64 = 1_000;
/// So many can be decided by one request.
pub const MOST: usize = 100_000;
/// So many comments are shown of those that a filter finds.
const SAMPLE: usize = 5;

/// Decisions to be made.
#[derive(Debug, Clone)]
pub struct DecideMany {
    pub decision: Decision,
    pub reason: Option<String>,
    pub note: Option<String>,
    pub message: Option<String>,
    pub which: Which,
    /// The key by which it may be sent again.
    pub replay: Option<Replay>,
}

/// About which comments.
#[derive(Debug, Clone)]
pub enum Which {
    /// These, as far as they are at these versions.
    Items(Vec<(CommentId, i64)>),
    /// All that the filter finds, if they are so many.
    Found { filter: Box<Filter>, expected_count: usize },
}

/// How a batch stands.
#[derive(Debug, Clone)]
pub struct BatchState {
    pub id: DecisionId,
    pub total: i64,
    pub done: i64,
    pub results: Vec<ItemResult>,
}

impl BatchState {
    /// Whether nothing is left to do.
    pub const fn is_done(&self) -> bool {
        self.done >= self.total
    }
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ManyError {
    #[error("the filter finds another number by now")]
    Moved { count: usize },
    #[error("more than can be decided at once")]
    TooMany,
    #[error("a site of these comments offers no such reason")]
    NoSuchReason,
    #[error("there is no such batch, or it is not one's own")]
    NoSuchBatch,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for ManyError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Index(error) => error.store_error(),
            _ => None,
        }
    }
}

/// Decides about many.
///
/// # Errors
/// See [`ManyError`]; nothing is changed then.
pub async fn decide_many(app: &App, by: &Moderator, many: DecideMany) -> Result<BatchState, ManyError> {
    let id = app.store.next_id().await?;
    let batch = Batch {
        id,
        by: by.id,
        key: by.key().map(|key| key.id),
        needs: matches!(many.which, Which::Found { .. }).then_some(Right::DecideMany),
        goal: Goal::Status(many.decision.status()),
        reason: many.reason,
        note: many.note,
        message: many.message,
        total: 0,
        done: 0,
        created_at: app.clock.now(),
    };
    if let Which::Found { filter, .. } = &many.which
        && filter.needs_index()
    {
        index_waiting(app).await?;
    }
    let (moderator, which, replay) = (by.clone(), many.which, many.replay);
    let write = move |conn: &mut Conn| keep(conn, &moderator, &batch, &which, replay.as_ref());
    let id = match app.store.write(write.clone()).await {
        // The same request at the same moment was faster: now its answer is there to be found.
        Err(ManyError::Store(StoreError::Taken(Constraint::IdempotencyKey))) => app.store.write(write).await?,
        outcome => outcome?,
    };
    go_on(app, id, MOST_AT_ONCE).await
}

/// Does a batch now if it is of at most `most_at_once`, else leaves it to the background; says how it stands.
pub(super) async fn go_on(app: &App, id: DecisionId, most_at_once: i64) -> Result<BatchState, ManyError> {
    let total =
        app.store.read(move |conn| Ok::<_, StoreError>(batches::find_batch(conn, id)?.map(|batch| batch.total)));
    if total.await?.ok_or(ManyError::NoSuchBatch)? <= most_at_once {
        batch::run(app, id).await?;
    } else {
        batch::leave_to_background(app);
    }
    app.store.read(move |conn| load_state(conn, id)).await
}

/// How many comments a filter finds, and some of them.
///
/// # Errors
/// When they are more than can be decided at once.
pub async fn preview(app: &App, by: &Moderator, filter: Filter) -> Result<(usize, Vec<Item>), ManyError> {
    if filter.needs_index() {
        index_waiting(app).await?;
    }
    let (by, asking) = (by.clone(), Asking::new(by, app.clock.now()));
    app.store
        .read(move |conn| {
            let found = find(conn, &asking, &filter)?;
            let ids: Vec<CommentId> = found.iter().take(SAMPLE).map(|(id, _)| *id).collect();
            let items = queries::load_items(conn, &ids, asking.now)?;
            Ok((found.len(), items.into_iter().map(|item| item.seen_by(&by)).collect()))
        })
        .await
}

/// How a batch stands, for whoever made it or sees all sites.
///
/// # Errors
/// When there is none.
pub async fn show_batch(app: &App, by: &Moderator, id: DecisionId) -> Result<BatchState, ManyError> {
    let by = by.clone();
    app.store
        .read(move |conn| {
            let batch = batches::find_batch(conn, id)?;
            let is_shown = batch.is_some_and(|batch| batch.by == by.id || by.visible_sites().is_none());
            if is_shown { load_state(conn, id) } else { Err(ManyError::NoSuchBatch) }
        })
        .await
}

fn find(conn: &mut Conn, asking: &Asking, filter: &Filter) -> Result<Vec<(CommentId, i64)>, ManyError> {
    let found = list_matching(conn, asking, filter, MOST + 1)?;
    if found.len() > MOST { Err(ManyError::TooMany) } else { Ok(found) }
}

/// The transaction that keeps the batch; nothing is decided yet. Says which batch it is, one from before included.
fn keep(
    conn: &mut Conn,
    by: &Moderator,
    batch: &Batch,
    which: &Which,
    replay: Option<&Replay>,
) -> Result<DecisionId, ManyError> {
    if let Some(replay) = replay
        && let Some(kept) = store::find_kept_answer(conn, replay)?
    {
        return if kept.is_same_request { Ok(DecisionId::new(kept.made_id)) } else { Err(ManyError::KeyReused) };
    }
    let items = match which {
        Which::Items(items) => items.clone(),
        Which::Found { filter, expected_count } => {
            let found = find(conn, &Asking::new(by, batch.created_at), filter)?;
            if found.len() != *expected_count {
                return Err(ManyError::Moved { count: found.len() });
            }
            found
        }
    };
    refuse_unknown_reason(conn, by, batch, &items)?;
    let batch = Batch { total: i64::try_from(items.len()).unwrap_or(i64::MAX), ..batch.clone() };
    let status = if batch.total <= MOST_AT_ONCE { 201 } else { 202 };
    batch::begin(conn, by, &batch, &items, replay.map(|replay| (replay, status)))?;
    Ok(batch.id)
}

/// Every site of comments that are one's own must offer the reason.
fn refuse_unknown_reason(
    conn: &mut Conn,
    by: &Moderator,
    batch: &Batch,
    items: &[(CommentId, i64)],
) -> Result<(), ManyError> {
    let Some(key) = &batch.reason else { return Ok(()) };
    let mut sites = BTreeSet::new();
    for some in items.chunks(batch::CHUNK) {
        let ids: Vec<CommentId> = some.iter().map(|(id, _)| *id).collect();
        sites.extend(batches::list_sites_of(conn, &ids)?.into_iter().map(|(_, site)| site));
    }
    for site in sites.into_iter().filter(|site| by.moderates(*site)) {
        reason::find_reason(conn, site, key)?.ok_or(ManyError::NoSuchReason)?;
    }
    Ok(())
}

fn load_state(conn: &mut Conn, id: DecisionId) -> Result<BatchState, ManyError> {
    let batch = batches::find_batch(conn, id)?.ok_or(ManyError::NoSuchBatch)?;
    Ok(BatchState { id, total: batch.total, done: batch.done, results: batches::list_results(conn, id)? })
}
