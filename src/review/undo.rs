//! Taking back a decision, or many that were made at once: each comment goes back to what it was before, unless somebody
//! has decided about it since.
//!
//! An undo is decisions too: it has lines in the histories, and can itself be taken back. What an edit changed meanwhile
//! stays as it is. It can be done for 24 hours.

use std::collections::HashSet;
use std::time::Duration;

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, DecisionId, ModeratorId};
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::batch::{self, Batch, Goal};
use super::many::{self, BatchState, ManyError};
use super::queries::batches;

/// How long a decision can be taken back.
pub const UNDO_FOR: Duration = Duration::from_hours(24);
/// So many are taken back before the answer; more in the background.
pub(super) const MOST_AT_ONCE: i64 = 10_000;

/// Why nothing was taken back.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    #[error("there is no such decision, or it is not about one's own comments")]
    NoSuchDecision,
    #[error("it is another moderator's")]
    NotOnesOwn,
    #[error("it was made too long ago")]
    TooLate,
    #[error("it is still being made")]
    StillRunning,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for UndoError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// What is to be taken back.
struct Past {
    by: Option<ModeratorId>,
    at: Millis,
    /// Comments, and the versions that it made.
    items: Vec<(CommentId, i64)>,
}

/// Takes back a decision or a batch.
///
/// # Errors
/// See [`UndoError`]; nothing is changed then.
pub async fn undo(app: &App, by: &Moderator, of: DecisionId) -> Result<BatchState, UndoError> {
    let (id, now, moderator) = (app.store.next_id().await?, app.clock.now(), by.clone());
    app.store.write(move |conn| keep(conn, &moderator, (id, of), now)).await?;
    many::go_on(app, id, MOST_AT_ONCE).await.map_err(|error| match error {
        ManyError::Store(error) => error.into(),
        _ => UndoError::NoSuchDecision,
    })
}

fn keep(conn: &mut Conn, by: &Moderator, (id, of): (DecisionId, DecisionId), now: Millis) -> Result<(), UndoError> {
    let past = find_past(conn, by, of)?;
    if past.by != Some(by.id) && !by.may(Right::UndoOthers) {
        return Err(UndoError::NotOnesOwn);
    }
    if past.at < now.minus(UNDO_FOR) {
        return Err(UndoError::TooLate);
    }
    let batch = Batch {
        id,
        by: by.id,
        key: by.key().map(|key| key.id),
        needs: (past.by != Some(by.id)).then_some(Right::UndoOthers),
        goal: Goal::Back(of),
        reason: None,
        note: None,
        message: None,
        total: i64::try_from(past.items.len()).unwrap_or(i64::MAX),
        done: 0,
        created_at: now,
    };
    Ok(batch::begin(conn, by, &batch, &past.items, None)?)
}

fn find_past(conn: &mut Conn, by: &Moderator, of: DecisionId) -> Result<Past, UndoError> {
    if let Some(batch) = batches::find_batch(conn, of)? {
        if !batch.is_done() {
            return Err(UndoError::StillRunning);
        }
        let made = batches::list_made_by(conn, of)?;
        let items = keep_own(conn, by, made)?;
        if batch.by != by.id && items.is_empty() {
            return Err(UndoError::NoSuchDecision);
        }
        return Ok(Past { by: Some(batch.by), at: batch.created_at, items });
    }
    let made = batches::find_made(conn, of)?.ok_or(UndoError::NoSuchDecision)?;
    let items = keep_own(conn, by, vec![(made.comment, made.version)])?;
    if items.is_empty() {
        return Err(UndoError::NoSuchDecision);
    }
    Ok(Past { by: made.by, at: made.at, items })
}

/// Those of them that are on a site of theirs: nobody hears of others.
fn keep_own(conn: &mut Conn, by: &Moderator, items: Vec<(CommentId, i64)>) -> StoreResult<Vec<(CommentId, i64)>> {
    let mut own = HashSet::new();
    for some in items.chunks(500) {
        let ids: Vec<CommentId> = some.iter().map(|(id, _)| *id).collect();
        let sites = batches::list_sites_of(conn, &ids)?;
        own.extend(sites.into_iter().filter(|(_, site)| by.moderates(*site)).map(|(id, _)| id));
    }
    Ok(items.into_iter().filter(|(id, _)| own.contains(id)).collect())
}
