//! All SQL about outside opinions: what was said about comments, and what is to be told about them.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::articles::{Article, find_article_by_id};
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, SiteId};
use crate::screening::{Effect, Screening};
use crate::sites::{Site, find_site_by_id};
use crate::store::schema::{comments, outside_reports};
use crate::store::{Conn, Db, StoreResult, execute_on_either};

use super::ask::AKISMET;

/// What people decided, for Akismet.
#[derive(Debug, Clone)]
pub struct NewReport {
    pub comment: CommentId,
    pub site: SiteId,
    pub is_spam: bool,
}

/// Those of these comments about which Akismet said something, and whether it called them spam.
///
/// # Errors
/// Those of the store.
pub fn list_judged(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<HashMap<CommentId, bool>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(CommentId, Option<String>)> = comments::table
        .filter(comments::id.eq_any(ids))
        .filter(comments::screening.is_not_null())
        .select((comments::id, comments::screening))
        .load(conn)?;
    let said = |(id, screening): (CommentId, Option<String>)| {
        let screening: Screening = serde_json::from_str(&screening?).ok()?;
        let hit = screening.rules.into_iter().find(|hit| hit.rule == AKISMET.rule)?;
        // Held is what it could not be asked about.
        (hit.effect != Effect::Hold).then_some((id, hit.effect == Effect::Spam))
    };
    Ok(rows.into_iter().filter_map(said).collect())
}

/// Writes what is to be told, in place of what was to be told of the same comments.
///
/// # Errors
/// Those of the store.
pub fn put_reports(conn: &mut Conn, all: &[NewReport], now: Millis) -> StoreResult<()> {
    for report in all {
        let upsert = diesel::insert_into(outside_reports::table)
            .values((
                outside_reports::comment_id.eq(report.comment),
                outside_reports::site_id.eq(report.site),
                outside_reports::is_spam.eq(report.is_spam),
                outside_reports::tries.eq(0_i64),
                outside_reports::due_at.eq(now),
            ))
            .on_conflict(outside_reports::comment_id)
            .do_update()
            .set((
                outside_reports::is_spam.eq(report.is_spam),
                outside_reports::tries.eq(0_i64),
                outside_reports::due_at.eq(now),
            ));
        execute_on_either(conn, upsert)?;
    }
    Ok(())
}

/// What is to be told.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = outside_reports)]
#[diesel(check_for_backend(Db))]
pub(super) struct Report {
    pub comment_id: CommentId,
    pub is_spam: bool,
    pub tries: i64,
    due_at: Millis,
}

pub(super) fn list_due(conn: &mut Conn, now: Millis, most: i64) -> StoreResult<Vec<Report>> {
    let due = outside_reports::table.filter(outside_reports::due_at.le(now)).order(outside_reports::due_at);
    Ok(due.limit(most).select(Report::as_select()).load(conn)?)
}

/// Takes a report to be sent by this node alone until then; false when another was faster.
pub(super) fn lease(conn: &mut Conn, report: &Report, until: Millis) -> StoreResult<bool> {
    let same = outside_reports::table.find(report.comment_id).filter(outside_reports::due_at.eq(report.due_at));
    Ok(diesel::update(same).set(outside_reports::due_at.eq(until)).execute(conn)? == 1)
}

/// Takes away what was sent or given up, unless something else is to be told meanwhile.
pub(super) fn end(conn: &mut Conn, report: &Report, leased: Millis) -> StoreResult<()> {
    let same = outside_reports::table.find(report.comment_id).filter(outside_reports::due_at.eq(leased));
    diesel::delete(same).execute(conn)?;
    Ok(())
}

/// Leaves it to a later try.
pub(super) fn put_off(conn: &mut Conn, report: &Report, leased: Millis, next: Millis) -> StoreResult<()> {
    let same = outside_reports::table.find(report.comment_id).filter(outside_reports::due_at.eq(leased));
    diesel::update(same)
        .set((outside_reports::due_at.eq(next), outside_reports::tries.eq(report.tries + 1)))
        .execute(conn)?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = comments)]
#[diesel(check_for_backend(Db))]
struct CommentRow {
    site_id: SiteId,
    article_id: ArticleId,
    parent_id: Option<CommentId>,
    status: String,
    name: String,
    email: Option<String>,
    url: Option<String>,
    text: String,
    ip: Option<String>,
    user_agent: Option<String>,
    received_at: Millis,
}

/// A comment that something is told about, with where it stands.
#[derive(Debug)]
pub(super) struct Reported {
    pub site: Site,
    pub article: Article,
    pub parent_id: Option<CommentId>,
    pub name: String,
    pub email: Option<String>,
    pub url: Option<String>,
    pub text: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub received_at: Millis,
}

/// The comment; `None` when its author took it back, or it was erased.
pub(super) fn find_reported(conn: &mut Conn, id: CommentId) -> StoreResult<Option<Reported>> {
    let row = comments::table.find(id).select(CommentRow::as_select()).first(conn).optional()?;
    let Some(row) = row.filter(|row| !matches!(row.status.as_str(), "withdrawn" | "erased")) else { return Ok(None) };
    let Some(site) = find_site_by_id(conn, row.site_id)? else { return Ok(None) };
    let Some(article) = find_article_by_id(conn, row.article_id)? else { return Ok(None) };
    Ok(Some(Reported {
        site,
        article,
        parent_id: row.parent_id,
        name: row.name,
        email: row.email,
        url: row.url,
        text: row.text,
        ip: row.ip,
        user_agent: row.user_agent,
        received_at: row.received_at,
    }))
}
