//! All SQL about revisions.

use diesel::prelude::*;

use crate::comments::Comment;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, RevisionId};
use crate::review::edit::{NewRevision, Revision};
use crate::store::schema::{moderators, revisions};
use crate::store::{Conn, StoreResult};

#[derive(Queryable)]
struct RevisionRow {
    version: i64,
    by: Option<String>,
    reason: Option<String>,
    at: Millis,
    text: String,
    name: String,
    url: Option<String>,
}

/// Keeps what an edit is about to replace.
pub fn insert_revision(conn: &mut Conn, id: RevisionId, replaced: &Comment, new: &NewRevision) -> StoreResult<()> {
    diesel::insert_into(revisions::table)
        .values((
            revisions::id.eq(id),
            revisions::comment_id.eq(replaced.id),
            revisions::version.eq(replaced.version + 1),
            revisions::moderator_id.eq(new.by),
            revisions::reason.eq(&new.reason),
            revisions::text.eq(&replaced.text),
            revisions::name.eq(&replaced.name),
            revisions::url.eq(&replaced.url),
            revisions::edited_at.eq(new.at),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn count_revisions(conn: &mut Conn, of: CommentId) -> StoreResult<i64> {
    Ok(revisions::table.filter(revisions::comment_id.eq(of)).count().get_result(conn)?)
}

/// What the edits of a comment replaced, the oldest first.
pub fn list_revisions(conn: &mut Conn, of: CommentId) -> StoreResult<Vec<Revision>> {
    let who = moderators::table.on(revisions::moderator_id.eq(moderators::id.nullable()));
    let rows: Vec<RevisionRow> = revisions::table
        .left_join(who)
        .filter(revisions::comment_id.eq(of))
        .order((revisions::version, revisions::id))
        .select((
            revisions::version,
            moderators::username.nullable(),
            revisions::reason,
            revisions::edited_at,
            revisions::text,
            revisions::name,
            revisions::url,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|RevisionRow { version, by, reason, at, text, name, url }| Revision {
            version,
            by,
            reason,
            at,
            text,
            name,
            url,
        })
        .collect())
}
