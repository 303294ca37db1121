//! The SQL of a comment's status and of its history of decisions.

use diesel::prelude::*;

use crate::comments::{Comment, NewDecision, Shown, Status};
use crate::kit::ids::CommentId;
use crate::store::schema::{comments, decisions};
use crate::store::{Conn, StoreResult, execute_on_either};

/// Writes a line of history.
///
/// # Errors
/// Those of the store.
pub fn insert_decision(conn: &mut Conn, decision: &NewDecision) -> StoreResult<()> {
    let insert = diesel::insert_into(decisions::table).values((
        decisions::id.eq(decision.id),
        decisions::comment_id.eq(decision.comment),
        decisions::moderator_id.eq(decision.moderator),
        decisions::from_status.eq(decision.from.map(Status::as_str)),
        decisions::to_status.eq(decision.to.as_str()),
        decisions::reason.eq(&decision.reason),
        decisions::note.eq(&decision.note),
        decisions::message.eq(&decision.message),
        decisions::decided_at.eq(decision.at),
        decisions::version.eq(decision.version),
        decisions::batch_id.eq(decision.batch),
        decisions::undoes.eq(decision.undoes),
    ));
    execute_on_either(conn, insert)?;
    Ok(())
}

/// Reason and message of a comment's latest decision by a person, but for those that took it for spam: its author must
/// not see that anything changed then.
pub(in crate::comments) fn find_last_word(
    conn: &mut Conn,
    id: CommentId,
) -> StoreResult<Option<(Option<String>, Option<String>)>> {
    Ok(decisions::table
        .filter(decisions::comment_id.eq(id).and(decisions::moderator_id.is_not_null()))
        .filter(decisions::to_status.ne(Status::Spam.as_str()))
        .order(decisions::version.desc())
        .select((decisions::reason, decisions::message))
        .first(conn)
        .optional()?)
}

/// Moves a comment from its version and status to the next, and to another place among the published; false when it is not
/// at that version any more. A comment in the trash is no longer in the way of the same text. What moderators find it by is
/// no longer up to date: status and reason change.
pub(in crate::comments) fn set_status(
    conn: &mut Conn,
    comment: &Comment,
    to: Status,
    place: Option<Shown>,
) -> StoreResult<bool> {
    let current = comments::table.find(comment.id).filter(comments::version.eq(comment.version));
    let moved =
        (comments::status.eq(to.as_str()), comments::version.eq(comment.version + 1), comments::is_indexed.eq(false));
    let placed = place.map(|shown| {
        (
            comments::shown_parent_id.eq(shown.parent_id),
            comments::shown_depth.eq(shown.depth),
            comments::shown_replies.eq(shown.replies),
            comments::shown_below.eq(shown.below),
        )
    });
    let no_duplicate = (to == Status::Trash).then_some(comments::duplicate_hash.eq(None::<i64>));
    let changed = execute_on_either(conn, diesel::update(current).set((moved, placed, no_duplicate)))?;
    Ok(changed == 1)
}

/// Moves comments that nobody else can change now from whatever version and status to the next; their places among the
/// published stay.
pub(in crate::comments) fn set_statuses(conn: &mut Conn, ids: &[CommentId], to: Status) -> StoreResult<()> {
    let moved =
        (comments::status.eq(to.as_str()), comments::version.eq(comments::version + 1), comments::is_indexed.eq(false));
    let no_duplicate = (to == Status::Trash).then_some(comments::duplicate_hash.eq(None::<i64>));
    diesel::update(comments::table.filter(comments::id.eq_any(ids))).set((moved, no_duplicate)).execute(conn)?;
    Ok(())
}
