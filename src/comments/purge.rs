//! Emptying the spam folder: what has been there for 30 days loses its words, its author's data and everything that was
//! said about it. What the filter learned from it stays, which is no word of it.
//!
//! The comment itself stays as one that was erased, so that its history and the log have something to be about, and its
//! receipt goes on reading `pending`: its author is told nothing at any time.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::audit::{self, Action, Actor};
use crate::kit::changes::Change;
use crate::kit::ids::{CommentId, DecisionId};
use crate::store::{Conn, StoreError, StoreResult};

use super::queries::purge;
use super::{NewDecision, Status};

/// How long spam is kept, from the last decision about it.
const KEEP_SPAM: Duration = Duration::from_hours(30 * 24);

/// Comments in one transaction.
const CHUNK: i64 = 200;

/// Empties the spam folders of all sites of what is too old, a chunk at a time.
///
/// # Errors
/// Those of the store; what was done stays done.
pub async fn purge_old_spam(app: &App) -> StoreResult<()> {
    let now = app.clock.now();
    let before = now.minus(KEEP_SPAM);
    loop {
        let old = app.store.read(move |conn| purge::list_old_spam(conn, before, CHUNK)).await?;
        if old.is_empty() {
            return Ok(());
        }
        let mut ids: Vec<(CommentId, DecisionId)> = Vec::with_capacity(old.len());
        for comment in old {
            ids.push((comment, app.store.next_id().await?));
        }
        let (ids, blank) = (Arc::new(ids), audit::blank(app).await?);
        let write = move |conn: &mut Conn| -> StoreResult<_> {
            let mut changes = Vec::new();
            for (id, line) in ids.iter() {
                // Somebody may have decided about it meanwhile.
                let Some((site, version)) = purge::purge(conn, *id, now)? else { continue };
                super::insert_decision(conn, &erased(*line, *id, version, now))?;
                changes.push(Change { comment: *id, version, status: Status::Erased.as_str(), site });
            }
            if !changes.is_empty() {
                let entry = blank.fill(Actor::NOBODY, Action::Erased).fact("spam", changes.len() as u64);
                audit::record(conn, &entry)?;
            }
            Ok::<_, StoreError>(changes)
        };
        let changes = app.store.write(write).await?;
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes {
            app.tell(change);
        }
    }
}

fn erased(id: DecisionId, comment: CommentId, version: i64, at: crate::kit::clock::Millis) -> NewDecision {
    NewDecision {
        id,
        comment,
        moderator: None,
        from: Some(Status::Spam),
        to: Status::Erased,
        reason: None,
        note: None,
        message: None,
        at,
        version,
        batch: None,
        undoes: None,
    }
}
