//! All SQL about decisions that wait for a second moderator.

use diesel::prelude::*;

use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, ModeratorId};
use crate::store::schema::second_opinions;
use crate::store::{Conn, StoreError, StoreResult, execute_on_either};

use crate::review::second_opinion::Opinion;

#[derive(Queryable)]
struct OpinionRow {
    version: i64,
    moderator_id: ModeratorId,
    to_status: String,
    reason: String,
}

pub(in crate::review) fn find_opinion(conn: &mut Conn, comment: CommentId) -> StoreResult<Option<Opinion>> {
    let row: Option<OpinionRow> = second_opinions::table
        .find(comment)
        .select((
            second_opinions::version,
            second_opinions::moderator_id,
            second_opinions::to_status,
            second_opinions::reason,
        ))
        .first(conn)
        .optional()?;
    row.map(|row| {
        let to = Status::parse(&row.to_status);
        let broken = || StoreError::Broken(format!("the opinion on comment {comment}: its status cannot be read"));
        Ok(Opinion { version: row.version, by: row.moderator_id, to: to.ok_or_else(broken)?, reason: row.reason })
    })
    .transpose()
}

/// Keeps an opinion in place of any before.
pub(in crate::review) fn put_opinion(
    conn: &mut Conn,
    comment: CommentId,
    opinion: &Opinion,
    now: Millis,
) -> StoreResult<()> {
    let values = (
        second_opinions::version.eq(opinion.version),
        second_opinions::moderator_id.eq(opinion.by),
        second_opinions::to_status.eq(opinion.to.as_str()),
        second_opinions::reason.eq(&opinion.reason),
        second_opinions::asked_at.eq(now),
    );
    let insert = diesel::insert_into(second_opinions::table)
        .values((second_opinions::comment_id.eq(comment), values))
        .on_conflict(second_opinions::comment_id)
        .do_update()
        .set(values);
    execute_on_either(conn, insert)?;
    Ok(())
}

pub(in crate::review) fn delete_opinion(conn: &mut Conn, comment: CommentId) -> StoreResult<()> {
    diesel::delete(second_opinions::table.find(comment)).execute(conn)?;
    Ok(())
}
