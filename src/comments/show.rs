//! Showing and hiding: how the published tree changes when a comment comes into it or leaves.
//!
//! A published comment hangs on the nearest published one above it, or stands as a root in its thread's place. Each
//! keeps where it hangs, how deep, and how many replies it has, so that reading a page computes nothing. All of it
//! happens in the transaction that changes the status, and touches one thread. The change is counted on the article
//! before anything else ([`crate::articles::add_to_published`]): this locks it on PostgreSQL, so that all who change
//! what is published there come one after the other and never wait for each other in a ring.

use std::collections::BTreeMap;

use crate::articles::add_to_published;
use crate::kit::ids::ArticleId;
use crate::store::{Conn, StoreError, StoreResult};

use super::{Comment, Shown, Status, queries};

/// Moves a comment from the version it is at to another status, and with it what readers see; false when it has another
/// version by now, and then the transaction must not be kept. What the reader sent is not touched.
///
/// # Errors
/// Those of the store.
pub fn change_status(conn: &mut Conn, comment: &Comment, to: Status) -> StoreResult<bool> {
    if let Some(change) = change_of_published(comment, to) {
        add_to_published(conn, comment.article_id, change)?;
    }
    move_to(conn, comment, to)
}

/// By how much the number of published comments changes; none when it does not.
fn change_of_published(comment: &Comment, to: Status) -> Option<i64> {
    match (comment.status == Status::Approved, to == Status::Approved) {
        (false, true) => Some(1),
        (true, false) => Some(-1),
        _ => None,
    }
}

/// As [`change_status`], when the article has counted it.
fn move_to(conn: &mut Conn, comment: &Comment, to: Status) -> StoreResult<bool> {
    let place = match change_of_published(comment, to) {
        // What is not published has no place: one that is like none need not be written.
        Some(1..) => Some(show(conn, comment)?).filter(|place| *place != Shown::default()),
        Some(_) => Some(hide(conn, comment)?),
        None => None,
    };
    queries::set_status(conn, comment, to, place)
}

/// As [`change_status`], of many that nobody else can change until the commit and that are as they were read.
///
/// # Errors
/// Those of the store.
pub fn change_statuses(conn: &mut Conn, comments: &[&Comment], to: Status) -> StoreResult<()> {
    let is_seen = |comment: &&&Comment| change_of_published(comment, to).is_some();
    let mut counts: BTreeMap<ArticleId, i64> = BTreeMap::new();
    for comment in comments {
        *counts.entry(comment.article_id).or_default() += change_of_published(comment, to).unwrap_or(0);
    }
    for (article, change) in counts.into_iter().filter(|(_, change)| *change != 0) {
        add_to_published(conn, article, change)?;
    }
    for comment in comments.iter().filter(is_seen) {
        if !move_to(conn, comment, to)? {
            return Err(StoreError::Contended(format!("comment {} changed while it was locked", comment.id)));
        }
    }
    let unseen: Vec<_> = comments.iter().filter(|comment| !is_seen(comment)).map(|comment| comment.id).collect();
    if unseen.is_empty() { Ok(()) } else { queries::set_statuses(conn, &unseen, to) }
}

/// Makes room in the published tree for a comment that is new and published at once, and says where that is.
///
/// # Errors
/// Those of the store.
pub(super) fn show_new(conn: &mut Conn, comment: &Comment) -> StoreResult<Shown> {
    add_to_published(conn, comment.article_id, 1)?;
    show(conn, comment)
}

/// Makes room for a comment that is about to be `approved`.
fn show(conn: &mut Conn, comment: &Comment) -> StoreResult<Shown> {
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
