//! All SQL about claims. One that has expired is as if it were not there.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, ModeratorId};
use crate::review::claims::Claim;
use crate::store::schema::{claims, moderators};
use crate::store::{Conn, StoreResult, execute_on_either};

/// Writes or renews a claim; false when somebody else has one that lasts. Of many at once one gets it.
pub fn take(conn: &mut Conn, id: CommentId, by: ModeratorId, now: Millis, expires_at: Millis) -> StoreResult<bool> {
    let upsert = diesel::insert_into(claims::table)
        .values((claims::comment_id.eq(id), claims::moderator_id.eq(by), claims::expires_at.eq(expires_at)))
        .on_conflict(claims::comment_id)
        .do_update()
        .set((claims::moderator_id.eq(by), claims::expires_at.eq(expires_at)));
    let free = claims::moderator_id.eq(by).or(claims::expires_at.le(now));
    Ok(execute_on_either(conn, diesel::query_dsl::methods::FilterDsl::filter(upsert, free))? == 1)
}

/// Ends one's own claim.
pub fn give_back(conn: &mut Conn, id: CommentId, by: ModeratorId) -> StoreResult<()> {
    let own = claims::table.find(id).filter(claims::moderator_id.eq(by));
    execute_on_either(conn, diesel::delete(own))?;
    Ok(())
}

/// Ends whoever's claim: the comment was decided.
pub fn end(conn: &mut Conn, id: CommentId) -> StoreResult<()> {
    execute_on_either(conn, diesel::delete(claims::table.find(id)))?;
    Ok(())
}

/// The same of many.
pub fn end_all(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<()> {
    diesel::delete(claims::table.filter(claims::comment_id.eq_any(ids))).execute(conn)?;
    Ok(())
}

/// Who has a comment.
pub fn find_live(conn: &mut Conn, id: CommentId, now: Millis) -> StoreResult<Option<Claim>> {
    let held: Option<(String, Millis)> = claims::table
        .inner_join(moderators::table.on(moderators::id.eq(claims::moderator_id)))
        .filter(claims::comment_id.eq(id))
        .filter(claims::expires_at.gt(now))
        .select((moderators::username, claims::expires_at))
        .first(conn)
        .optional()?;
    Ok(held.map(|(by, expires_at)| Claim { by, expires_at }))
}

/// User names of those who hold these comments now.
pub fn list_holders(conn: &mut Conn, ids: &[CommentId], now: Millis) -> StoreResult<HashMap<CommentId, String>> {
    let held: Vec<(CommentId, String)> = claims::table
        .inner_join(moderators::table.on(moderators::id.eq(claims::moderator_id)))
        .filter(claims::comment_id.eq_any(ids))
        .filter(claims::expires_at.gt(now))
        .select((claims::comment_id, moderators::username))
        .load(conn)?;
    Ok(held.into_iter().collect())
}

/// Deletes the claims that have expired.
///
/// # Errors
/// Those of the store.
pub fn forget_old_claims(conn: &mut Conn, now: Millis) -> StoreResult<usize> {
    Ok(diesel::delete(claims::table.filter(claims::expires_at.le(now))).execute(conn)?)
}
