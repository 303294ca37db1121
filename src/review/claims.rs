//! Claims: who is at work on which comment, so that two moderators do not read the same.
//!
//! A claim is a lease of five minutes, renewed by asking again. It keeps nobody from deciding; it is seen, and who asks for
//! the next comment gets another. A decision ends it. Claims are not in the audit log: nothing of them stays.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::Moderator;
use crate::app::App;
use crate::comments::find_comment;
use crate::kit::clock::Millis;
use crate::kit::ids::CommentId;
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::filter::{Claimed, Filter};
use super::finding::{Asking, list_matching};
use super::index::index_waiting;
use super::queries;
use super::queue::QueueError;

/// How long a claim lasts (API.md).
const LEASE: Duration = Duration::from_mins(5);

/// Comments that are tried in turn while others take them at the same moment.
const CANDIDATES: usize = 20;

/// How often candidates are looked for before it counts as too much at once.
const ROUNDS: usize = 10;

/// A claim that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Claim {
    /// User name of who has it.
    pub by: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
}

/// Why nothing was claimed or given back.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("there is no such comment, or it is not one's own")]
    NoSuchComment,
    #[error("its author withdrew it, or it was erased")]
    Gone,
    #[error("somebody else has it")]
    Held(Claim),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for ClaimError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Claims a comment, or renews the claim.
///
/// # Errors
/// See [`ClaimError`].
pub async fn claim(app: &App, moderator: &Moderator, id: CommentId) -> Result<Claim, ClaimError> {
    let (by, now) = (moderator.clone(), app.clock.now());
    let claim = Claim { by: by.username.clone(), expires_at: now.plus(LEASE) };
    app.store
        .write(move |conn| {
            let comment = find_comment(conn, id)?.filter(|comment| by.moderates(comment.site_id));
            if comment.ok_or(ClaimError::NoSuchComment)?.status.is_final() {
                return Err(ClaimError::Gone);
            }
            if queries::claims::take(conn, id, by.id, now, claim.expires_at)? {
                return Ok(claim.clone());
            }
            // Between the two it may have ended.
            let held = queries::claims::find_live(conn, id, now)?;
            Err(held.map_or_else(|| StoreError::Contended("a claim ended".to_owned()).into(), ClaimError::Held))
        })
        .await
}

/// Gives a comment back. That nobody holds it is no error.
///
/// # Errors
/// See [`ClaimError`].
pub async fn release(app: &App, moderator: &Moderator, id: CommentId) -> Result<(), ClaimError> {
    let (by, now) = (moderator.clone(), app.clock.now());
    app.store
        .write(move |conn| {
            let comment = find_comment(conn, id)?.filter(|comment| by.moderates(comment.site_id));
            comment.ok_or(ClaimError::NoSuchComment)?;
            queries::claims::give_back(conn, id, by.id)?;
            queries::claims::find_live(conn, id, now)?.map_or(Ok(()), |held| Err(ClaimError::Held(held)))
        })
        .await
}

/// Claims the oldest comment that a filter finds and nobody else holds; `None` when there is none. Who holds one of these
/// already gets it again.
///
/// # Errors
/// As a page of the queue.
pub async fn claim_next(app: &App, moderator: &Moderator, filter: Filter) -> Result<Option<CommentId>, QueueError> {
    if filter.needs_index() {
        index_waiting(app).await?;
    }
    let (by, now) = (moderator.clone(), app.clock.now());
    let (asking, filter) = (Asking::new(moderator, now), Filter { claimed: Some(Claimed::No), ..filter });
    app.store
        .write(move |conn| {
            for _ in 0..ROUNDS {
                let found = list_matching(conn, &asking, &filter, CANDIDATES)?;
                if found.is_empty() {
                    return Ok(None);
                }
                for (id, version) in found {
                    if take_as_found(conn, &by, id, version, now)? {
                        return Ok(Some(id));
                    }
                }
            }
            Err(StoreError::Contended("too many asked for the next comment".to_owned()).into())
        })
        .await
}

/// Takes a comment unless somebody else did, or decided it, since it was found.
fn take_as_found(conn: &mut Conn, by: &Moderator, id: CommentId, version: i64, now: Millis) -> StoreResult<bool> {
    if !queries::claims::take(conn, id, by.id, now, now.plus(LEASE))? {
        return Ok(false);
    }
    let is_as_found = find_comment(conn, id)?.is_some_and(|comment| comment.version == version);
    if !is_as_found {
        queries::claims::give_back(conn, id, by.id)?;
    }
    Ok(is_as_found)
}
