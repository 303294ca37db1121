//! The SQL about what readers report.

use diesel::prelude::*;

use crate::comments::report::ReportedBy;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, DecisionId, ReportId};
use crate::store::schema::{comments, reports};
use crate::store::{Conn, StoreResult, execute_on_either};

/// A report to be kept.
#[derive(Debug, Clone)]
pub struct NewReport {
    pub id: ReportId,
    pub comment: CommentId,
    /// Keyed hash of who reports what.
    pub reporter: i64,
    pub reason: &'static str,
    pub text: Option<String>,
    pub at: Millis,
}

/// Keeps a report; false when the same reader has reported the comment before.
pub(in crate::comments) fn insert_report_once(conn: &mut Conn, new: &NewReport) -> StoreResult<bool> {
    let insert = diesel::insert_into(reports::table)
        .values((
            reports::id.eq(new.id),
            reports::comment_id.eq(new.comment),
            reports::reporter.eq(new.reporter),
            reports::reason.eq(new.reason),
            reports::text.eq(&new.text),
            reports::reported_at.eq(new.at),
        ))
        .on_conflict((reports::comment_id, reports::reporter))
        .do_nothing();
    Ok(execute_on_either(conn, insert)? == 1)
}

/// Counts one more on its comment.
pub(in crate::comments) fn count_report(conn: &mut Conn, comment: CommentId) -> StoreResult<()> {
    let update = diesel::update(comments::table.find(comment)).set(comments::reports.eq(comments::reports + 1));
    execute_on_either(conn, update)?;
    Ok(())
}

/// Those of `ids` with reports that wait for an answer.
pub(in crate::comments) fn list_reported_among(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<CommentId>> {
    let reported = comments::table.filter(comments::id.eq_any(ids)).filter(comments::reports.gt(0));
    Ok(reported.select(comments::id).load(conn)?)
}

/// The decision answers whatever waits of a comment.
pub(in crate::comments) fn answer_reports_of(
    conn: &mut Conn,
    comment: CommentId,
    decision: DecisionId,
) -> StoreResult<()> {
    // First the comment, as whoever changes its status does: nobody waits in a ring.
    diesel::update(comments::table.find(comment)).set(comments::reports.eq(0)).execute(conn)?;
    let waiting = reports::table.filter(reports::comment_id.eq(comment)).filter(reports::answered_by.is_null());
    diesel::update(waiting).set(reports::answered_by.eq(decision)).execute(conn)?;
    Ok(())
}

/// Takes back that these decisions answered reports: they wait again.
pub(in crate::comments) fn reopen_reports_of(
    conn: &mut Conn,
    comment: CommentId,
    decision: DecisionId,
) -> StoreResult<()> {
    let answered = reports::table.filter(reports::comment_id.eq(comment)).filter(reports::answered_by.eq(decision));
    let reopened = diesel::update(answered).set(reports::answered_by.eq(None::<DecisionId>)).execute(conn)?;
    if reopened > 0 {
        let more = i64::try_from(reopened).unwrap_or(i64::MAX);
        diesel::update(comments::table.find(comment))
            .set(comments::reports.eq(comments::reports + more))
            .execute(conn)?;
    }
    Ok(())
}

/// The latest so many reports of a comment, in the order they came.
pub(in crate::comments) fn list_reports(
    conn: &mut Conn,
    comment: CommentId,
    most: i64,
) -> StoreResult<Vec<ReportedBy>> {
    type Row = (String, Option<String>, Millis, Option<DecisionId>);
    let rows: Vec<Row> = reports::table
        .filter(reports::comment_id.eq(comment))
        .order((reports::reported_at.desc(), reports::id.desc()))
        .limit(most)
        .select((reports::reason, reports::text, reports::reported_at, reports::answered_by))
        .load(conn)?;
    let reported = |(reason, text, at, answered_by)| ReportedBy { reason, text, at, answered_by };
    Ok(rows.into_iter().rev().map(reported).collect())
}
