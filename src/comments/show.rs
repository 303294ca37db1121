//! Showing and hiding: how the published tree changes when a comment comes into it or leaves.
//!
//! A published comment hangs on the nearest published one above it, or stands as a root in its thread's place. Each
//! keeps where it hangs, how deep, and how many replies it has, so that reading a page computes nothing. All of it
//! happens in the transaction that changes the status, and touches one thread. The change is counted on the article
//! before anything else ([`crate::articles::add_to_published`]): this locks it on PostgreSQL, so that all who change
//! what is published there come one after the other and never wait for each other in a ring.

use crate::articles::add_to_published;
use crate::store::{Conn, StoreError, StoreResult};

use super::{Comment, Shown, Status, queries};

/// Moves a comment from the version it is at to another status, and with it what readers see; false when it has another
/// version by now, and then the transaction must not be kept. What the reader sent is not touched.
///
/// # Errors
/// Those of the store.
pub fn change_status(conn: &mut Conn, comment: &Comment, to: Status) -> StoreResult<bool> {
    let place = match (comment.status == Status::Approved, to == Status::Approved) {
        // What is not published has no place: one that is like none need not be written.
        (false, true) => Some(show(conn, comment)?).filter(|place| *place != Shown::default()),
        (true, false) => Some(hide(conn, comment)?),
        _ => None,
    };
    queries::set_status(conn, comment, to, place)
}

/// As [`change_status`], of many that nobody else can change until the commit and that are as they were read.
///
/// # Errors
/// Those of the store.
pub fn change_statuses(conn: &mut Conn, comments: &[&Comment], to: Status) -> StoreResult<()> {
    let is_seen = |comment: &&&Comment| (comment.status == Status::Approved) != (to == Status::Approved);
    for comment in comments.iter().filter(is_seen) {
        if !change_status(conn, comment, to)? {
            return Err(StoreError::Contended(format!("comment {} changed while it was locked", comment.id)));
        }
    }
    let unseen: Vec<_> = comments.iter().filter(|comment| !is_seen(comment)).map(|comment| comment.id).collect();
    if unseen.is_empty() { Ok(()) } else { queries::set_statuses(conn, &unseen, to) }
}

/// Makes room in the published tree for a comment that is about to be `approved`, and says where that is.
///
/// # Errors
/// Those of the store.
pub(super) fn show(conn: &mut Conn, comment: &Comment) -> StoreResult<Shown> {
    add_to_published(conn, comment.article_id, 1)?;
    let above = queries::list_published_among(conn, comment.ancestors.ids())?;
    let parent_id = above.last().copied();
    // Only what was published, and replied to, before can have replies to take over.
    let replies = if comment.version > 1 { queries::hang_replies_on(conn, comment, parent_id)? } else { 0 };
    let below = if replies > 0 { queries::count_published_below(conn, comment)? } else { 0 };
    if below > 0 {
        queries::deepen_below(conn, comment, 1)?;
    }
    if let Some(parent) = parent_id {
        queries::add_replies(conn, parent, 1 - replies)?;
    }
    queries::add_below(conn, &above, 1)?;
    Ok(Shown { parent_id, depth: i32::try_from(above.len()).unwrap_or(i32::MAX), replies, below })
}

/// Takes a comment out of the published tree that is about to be `approved` no longer.
fn hide(conn: &mut Conn, comment: &Comment) -> StoreResult<Shown> {
    add_to_published(conn, comment.article_id, -1)?;
    let above = queries::list_published_among(conn, comment.ancestors.ids())?;
    let parent = above.last().copied();
    let given = queries::hang_replies_of(conn, comment, parent)?;
    if given > 0 {
        queries::deepen_below(conn, comment, -1)?;
    }
    if let Some(parent) = parent {
        queries::add_replies(conn, parent, given - 1)?;
    }
    queries::add_below(conn, &above, -1)?;
    Ok(Shown::default())
}
