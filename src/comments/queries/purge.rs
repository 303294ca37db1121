//! The SQL of emptying the spam folder.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, SiteId};
use crate::store::schema::{comments, decisions, notes, reports, revisions, sites};
use crate::store::{Conn, StoreResult};

/// Spam that was written before a moment, and about which nothing was decided since, the oldest first. By site, which is how
/// the index of the queue has it.
pub(in crate::comments) fn list_old_spam(conn: &mut Conn, before: Millis, most: i64) -> StoreResult<Vec<CommentId>> {
    let all: Vec<SiteId> = sites::table.select(sites::id).load(conn)?;
    let mut found = Vec::new();
    for site in all {
        let decided_since = decisions::table
            .filter(decisions::comment_id.eq(comments::id).and(decisions::decided_at.ge(before)))
            .select(decisions::id);
        let old: Vec<CommentId> = comments::table
            .filter(comments::site_id.eq(site).and(comments::status.eq(Status::Spam.as_str())))
            .filter(comments::created_at.lt(before).and(comments::received_at.lt(before)))
            .filter(not(exists(decided_since)))
            .order((comments::created_at, comments::id))
            .limit(most)
            .select(comments::id)
            .load(conn)?;
        found.extend(old);
    }
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}

/// Throws away everything that was written in and about a comment, if it is spam still; its site and version then.
pub(in crate::comments) fn purge(conn: &mut Conn, id: CommentId, now: Millis) -> StoreResult<Option<(SiteId, i64)>> {
    let nothing = None::<String>;
    let spam = comments::table.find(id).filter(comments::status.eq(Status::Spam.as_str()));
    let purged = diesel::update(spam)
        .set((
            (
                comments::status.eq(Status::Erased.as_str()),
                comments::version.eq(comments::version + 1),
                comments::is_indexed.eq(false),
                comments::purged_at.eq(now),
            ),
            (
                comments::name.eq(""),
                comments::email.eq(&nothing),
                comments::url.eq(&nothing),
                comments::text.eq(""),
                comments::html.eq(""),
                comments::size_bytes.eq(0),
                comments::ip.eq(&nothing),
                comments::user_agent.eq(&nothing),
                comments::screening.eq(&nothing),
                comments::held_because.eq("[]"),
                comments::duplicate_hash.eq(None::<i64>),
                comments::reports.eq(0),
            ),
        ))
        .execute(conn)?;
    if purged == 0 {
        return Ok(None);
    }
    diesel::delete(revisions::table.filter(revisions::comment_id.eq(id))).execute(conn)?;
    diesel::delete(notes::table.filter(notes::comment_id.eq(id))).execute(conn)?;
    diesel::delete(reports::table.filter(reports::comment_id.eq(id))).execute(conn)?;
    Ok(Some(comments::table.find(id).select((comments::site_id, comments::version)).first(conn)?))
}

/// Whether a comment that was erased was spam of which its author is told nothing.
pub(in crate::comments) fn was_purged(conn: &mut Conn, id: CommentId) -> StoreResult<bool> {
    let purged = comments::table.find(id).filter(comments::purged_at.is_not_null());
    Ok(diesel::select(exists(purged)).get_result(conn)?)
}
