//! Showing and hiding: how the published tree changes when a comment comes into it or leaves.
//!
//! A published comment hangs on the nearest published one above it, or stands as a root in its thread's place. Each
//! keeps where it hangs, how deep, and how many replies it has, so that reading a page computes nothing. Both functions
//! run in the transaction that changes the status, and touch one thread. That transaction has counted the change on the
//! article before anything else ([`crate::articles::add_to_published`]): this locks it on PostgreSQL, so that all who
//! change what is published there come one after the other and never wait for each other in a ring.

use crate::store::{Conn, StoreResult};

use super::{Comment, Shown, queries};

/// Brings a comment into the published tree, when its status has become `approved`.
///
/// # Errors
/// Those of the store.
pub fn show(conn: &mut Conn, comment: &Comment) -> StoreResult<()> {
    let above = queries::list_published_among(conn, comment.ancestors.ids())?;
    let parent = above.last().copied();
    // Only what was published, and replied to, before can have replies to take over.
    let taken = if comment.version > 1 { queries::hang_replies_on(conn, comment, parent)? } else { 0 };
    let below = if taken > 0 { queries::count_published_below(conn, comment)? } else { 0 };
    if below > 0 {
        queries::deepen_below(conn, comment, 1)?;
    }
    let depth = i32::try_from(above.len()).unwrap_or(i32::MAX);
    queries::place_in_tree(conn, comment.id, Shown { parent_id: parent, depth, replies: taken, below })?;
    if let Some(parent) = parent {
        queries::add_replies(conn, parent, 1 - taken)?;
    }
    queries::add_below(conn, &above, 1)
}

/// Takes a comment out of the published tree, when its status has ceased to be `approved`. `comment` is as it was.
///
/// # Errors
/// Those of the store.
pub fn hide(conn: &mut Conn, comment: &Comment) -> StoreResult<()> {
    let above = queries::list_published_among(conn, comment.ancestors.ids())?;
    let parent = above.last().copied();
    let given = queries::hang_replies_of(conn, comment, parent)?;
    if given > 0 {
        queries::deepen_below(conn, comment, -1)?;
    }
    queries::place_in_tree(conn, comment.id, Shown::default())?;
    if let Some(parent) = parent {
        queries::add_replies(conn, parent, given - 1)?;
    }
    queries::add_below(conn, &above, -1)
}
