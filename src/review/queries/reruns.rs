//! The SQL of rules that are tried, and of rules that are applied anew.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, ModeratorId, RerunId, SiteId};
use crate::review::rerun::Rerun;
use crate::store::schema::{comments, decisions, rule_reruns};
use crate::store::{Conn, Db, StoreResult, lock_rows};

#[derive(Queryable, Selectable)]
#[diesel(table_name = rule_reruns)]
#[diesel(check_for_backend(Db))]
struct RerunRow {
    id: RerunId,
    site_id: SiteId,
    moderator_id: ModeratorId,
    mark_at: Millis,
    mark_id: CommentId,
    total: i64,
    done: i64,
    published: i64,
    spam: i64,
    created_at: Millis,
    finished_at: Option<Millis>,
}

impl RerunRow {
    fn into_rerun(self) -> Rerun {
        Rerun {
            id: self.id,
            site: self.site_id,
            by: self.moderator_id,
            mark: (self.mark_at, self.mark_id),
            total: self.total,
            done: self.done,
            published: self.published,
            spam: self.spam,
            created_at: self.created_at,
            finished_at: self.finished_at,
        }
    }
}

pub(in crate::review) fn find_rerun(conn: &mut Conn, id: RerunId) -> StoreResult<Option<Rerun>> {
    let row = rule_reruns::table.find(id).select(RerunRow::as_select()).first(conn).optional()?;
    Ok(row.map(RerunRow::into_rerun))
}

/// As [`find_rerun`], and on PostgreSQL nobody else works on it until the commit.
pub(in crate::review) fn lock_rerun(conn: &mut Conn, id: RerunId) -> StoreResult<Option<Rerun>> {
    lock_rows(conn, "SELECT id FROM rule_reruns WHERE id = ANY($1) FOR UPDATE", vec![id.get()])?;
    find_rerun(conn, id)
}

/// Those that somebody has to go on with, the oldest first.
pub(in crate::review) fn list_running(conn: &mut Conn) -> StoreResult<Vec<RerunId>> {
    let running = rule_reruns::table.filter(rule_reruns::finished_at.is_null());
    Ok(running.order(rule_reruns::id).select(rule_reruns::id).load(conn)?)
}

/// Ends what runs on a site.
pub(in crate::review) fn end_running(conn: &mut Conn, site: SiteId, now: Millis) -> StoreResult<()> {
    let running = rule_reruns::table.filter(rule_reruns::site_id.eq(site).and(rule_reruns::finished_at.is_null()));
    diesel::update(running).set(rule_reruns::finished_at.eq(Some(now))).execute(conn)?;
    Ok(())
}

pub(in crate::review) fn insert_rerun(conn: &mut Conn, rerun: &Rerun) -> StoreResult<()> {
    diesel::insert_into(rule_reruns::table)
        .values((
            rule_reruns::id.eq(rerun.id),
            rule_reruns::site_id.eq(rerun.site),
            rule_reruns::moderator_id.eq(rerun.by),
            rule_reruns::mark_at.eq(rerun.mark.0),
            rule_reruns::mark_id.eq(rerun.mark.1),
            rule_reruns::total.eq(rerun.total),
            rule_reruns::done.eq(rerun.done),
            rule_reruns::published.eq(rerun.published),
            rule_reruns::spam.eq(rerun.spam),
            rule_reruns::created_at.eq(rerun.created_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes how far it came.
pub(in crate::review) fn update_rerun(conn: &mut Conn, rerun: &Rerun) -> StoreResult<()> {
    diesel::update(rule_reruns::table.find(rerun.id))
        .set((
            rule_reruns::mark_at.eq(rerun.mark.0),
            rule_reruns::mark_id.eq(rerun.mark.1),
            rule_reruns::done.eq(rerun.done),
            rule_reruns::published.eq(rerun.published),
            rule_reruns::spam.eq(rerun.spam),
            rule_reruns::finished_at.eq(rerun.finished_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// How many comments wait on a site.
pub(in crate::review) fn count_waiting(conn: &mut Conn, site: SiteId, until: Millis) -> StoreResult<i64> {
    let waiting =
        comments::table.filter(comments::site_id.eq(site)).filter(comments::status.eq(Status::Pending.as_str()));
    Ok(waiting.filter(comments::created_at.le(until)).count().get_result(conn)?)
}

/// The next comments that wait, in the order of the queue, of those that were there when it began.
pub(in crate::review) fn list_waiting_after(
    conn: &mut Conn,
    rerun: &Rerun,
    most: i64,
) -> StoreResult<Vec<(Millis, CommentId)>> {
    let (at, id) = rerun.mark;
    let is_later = comments::created_at.gt(at).or(comments::created_at.eq(at).and(comments::id.gt(id)));
    Ok(comments::table
        .filter(comments::site_id.eq(rerun.site))
        .filter(comments::status.eq(Status::Pending.as_str()))
        .filter(comments::created_at.le(rerun.created_at))
        .filter(comments::created_at.ge(at).and(is_later))
        .order((comments::created_at, comments::id))
        .limit(most)
        .select((comments::created_at, comments::id))
        .load(conn)?)
}

/// Those of these that no person has touched: nobody decided about them, changed their words or reported them.
pub(in crate::review) fn list_untouched(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<CommentId>> {
    let touched: Vec<CommentId> = decisions::table
        .filter(decisions::comment_id.eq_any(ids))
        .filter(decisions::moderator_id.is_not_null().or(decisions::reason.is_not_null()))
        .select(decisions::comment_id)
        .load(conn)?;
    let touched: HashSet<CommentId> = touched.into_iter().collect();
    let found: Vec<CommentId> = comments::table
        .filter(comments::id.eq_any(ids))
        .filter(comments::edited_at.is_null())
        .filter(comments::moderator_id.is_null())
        .filter(comments::reports.eq(0))
        .select(comments::id)
        .load(conn)?;
    Ok(found.into_iter().filter(|id| !touched.contains(id)).collect())
}

/// The latest comments of readers on a site whose words are still there, the latest first.
pub(in crate::review) fn list_latest(conn: &mut Conn, site: SiteId, most: u32) -> StoreResult<Vec<CommentId>> {
    let mut found: Vec<(Millis, CommentId)> = Vec::new();
    // An index serves each status by itself.
    for status in Status::ALL.into_iter().filter(|status| !status.is_final()) {
        let latest: Vec<(Millis, CommentId)> = comments::table
            .filter(comments::site_id.eq(site))
            .filter(comments::status.eq(status.as_str()))
            .filter(comments::moderator_id.is_null())
            .order((comments::created_at.desc(), comments::id.desc()))
            .limit(i64::from(most))
            .select((comments::created_at, comments::id))
            .load(conn)?;
        found.extend(latest);
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// What people decided last about these comments.
pub(in crate::review) fn list_decided_by_people(
    conn: &mut Conn,
    ids: &[CommentId],
) -> StoreResult<HashMap<CommentId, Status>> {
    let mut lines: Vec<(i64, CommentId, String)> = decisions::table
        .filter(decisions::comment_id.eq_any(ids))
        .filter(decisions::moderator_id.is_not_null())
        .select((decisions::version, decisions::comment_id, decisions::to_status))
        .load(conn)?;
    lines.sort_unstable();
    // The last one stays.
    Ok(lines.into_iter().filter_map(|(_, id, to)| Some((id, Status::parse(&to)?))).collect())
}
