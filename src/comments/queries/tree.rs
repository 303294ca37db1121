//! The SQL that keeps the published tree when a comment comes or goes; `comments/show.rs` says in which order.

use diesel::prelude::*;

use crate::comments::Comment;
use crate::kit::ids::CommentId;
use crate::store::schema::comments;
use crate::store::{Conn, StoreResult, execute_on_either, load_on_either};

use super::{Condition, is_below, is_published};

/// The published ones of `ids`, in the order given. They are few and asked for one by one: a statement for a list of
/// whatever length would be prepared anew each time, which costs more than the rows.
pub(in crate::comments) fn list_published_among(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<CommentId>> {
    let mut published = Vec::new();
    for id in ids {
        let query = comments::table.find(*id).filter(is_published()).select(comments::id);
        published.append(&mut load_on_either::<_, CommentId>(conn, query)?);
    }
    Ok(published)
}

/// Hangs on `comment` the published replies written below it that hang on `parent` now; says how many.
pub(in crate::comments) fn hang_replies_on(
    conn: &mut Conn,
    comment: &Comment,
    parent: Option<CommentId>,
) -> StoreResult<i64> {
    let hangs_there: Condition = match parent {
        Some(parent) => Box::new(comments::shown_parent_id.eq(parent).assume_not_null()),
        None => Box::new(comments::shown_parent_id.is_null()),
    };
    let replies =
        comments::table.filter(is_below(comment.id, comment.thread_id)).filter(is_published()).filter(hangs_there);
    let hung = diesel::update(replies).set(comments::shown_parent_id.eq(comment.id)).execute(conn)?;
    Ok(i64::try_from(hung).unwrap_or(i64::MAX))
}

/// Hangs on `parent` the published replies that hang on `comment` now; says how many.
pub(in crate::comments) fn hang_replies_of(
    conn: &mut Conn,
    comment: &Comment,
    parent: Option<CommentId>,
) -> StoreResult<i64> {
    let replies = comments::table
        .filter(comments::thread_id.eq(comment.thread_id))
        .filter(is_published())
        .filter(comments::shown_parent_id.eq(comment.id));
    let hung = diesel::update(replies).set(comments::shown_parent_id.eq(parent)).execute(conn)?;
    Ok(i64::try_from(hung).unwrap_or(i64::MAX))
}

pub(in crate::comments) fn count_published_below(conn: &mut Conn, comment: &Comment) -> StoreResult<i64> {
    Ok(comments::table
        .filter(is_below(comment.id, comment.thread_id))
        .filter(is_published())
        .count()
        .get_result(conn)?)
}

/// Changes the depth of everything published below a comment.
pub(in crate::comments) fn deepen_below(conn: &mut Conn, comment: &Comment, change: i32) -> StoreResult<()> {
    let below = comments::table.filter(is_below(comment.id, comment.thread_id)).filter(is_published());
    diesel::update(below).set(comments::shown_depth.eq(comments::shown_depth + change)).execute(conn)?;
    Ok(())
}

pub(in crate::comments) fn add_replies(conn: &mut Conn, id: CommentId, change: i64) -> StoreResult<()> {
    let update =
        diesel::update(comments::table.find(id)).set(comments::shown_replies.eq(comments::shown_replies + change));
    execute_on_either(conn, update)?;
    Ok(())
}

pub(in crate::comments) fn add_below(conn: &mut Conn, ids: &[CommentId], change: i64) -> StoreResult<()> {
    for id in ids {
        let update =
            diesel::update(comments::table.find(*id)).set(comments::shown_below.eq(comments::shown_below + change));
        execute_on_either(conn, update)?;
    }
    Ok(())
}
