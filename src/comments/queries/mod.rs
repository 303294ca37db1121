//! All SQL about comments. Their statuses and history are in `history`; what keeps the published tree is in `tree`, what changes words
//! in `wording`, what readers report in `reports`, whom one has heard of in `authors`, challenges used up in `challenges`.

mod authors;
mod challenges;
mod history;
pub(in crate::comments) mod purge;
mod reports;
mod tree;
mod wording;

use std::collections::HashMap;
use std::ops::Range;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, ModeratorId, SiteId};
use crate::store::schema::{comment_lookup, comments};
use crate::store::{Conn, Db, StoreError, StoreResult, execute_on_either, load_on_either};

use super::thread::Sort;
use super::{Ancestors, Comment, Shown, Status};

pub(in crate::comments) use authors::is_known;
pub use authors::{Wrote, list_first_published};
pub use challenges::forget_challenges_before;
pub(in crate::comments) use challenges::spend_challenge;
pub use history::insert_decision;
pub(in crate::comments) use history::{find_last_word, set_status, set_statuses};
pub(in crate::comments) use reports::{
    NewReport, answer_reports_of, count_report, insert_report_once, list_reported_among, list_reports,
    reopen_reports_of,
};
pub(in crate::comments) use tree::{
    add_below, add_replies, count_published_below, deepen_below, hang_replies_of, hang_replies_on, list_published_among,
};
pub(in crate::comments) use wording::set_wording;

/// Whole rows, for moderators and for the program itself.
#[derive(Queryable, Selectable)]
#[diesel(table_name = comments)]
#[diesel(check_for_backend(Db))]
pub struct CommentRow {
    id: CommentId,
    site_id: SiteId,
    article_id: ArticleId,
    parent_id: Option<CommentId>,
    ancestors: String,
    thread_id: CommentId,
    thread_at: Millis,
    status: String,
    version: i64,
    name: String,
    email: Option<String>,
    url: Option<String>,
    text: String,
    ip: Option<String>,
    user_agent: Option<String>,
    html: String,
    moderator_id: Option<ModeratorId>,
    created_at: Millis,
    received_at: Millis,
    edited_at: Option<Millis>,
    held_because: String,
    risk: f64,
    reports: i64,
    shown_parent_id: Option<CommentId>,
    shown_depth: i32,
    shown_replies: i64,
    shown_below: i64,
}

impl CommentRow {
    /// Reads the texts.
    ///
    /// # Errors
    /// When somebody wrote a status by hand that there is not.
    pub fn into_comment(self) -> StoreResult<Comment> {
        let status = Status::parse(&self.status);
        Ok(Comment {
            status: status
                .ok_or_else(|| StoreError::Broken(format!("comment {}: its status cannot be read", self.id)))?,
            ancestors: Ancestors::parse(&self.ancestors),
            held_because: serde_json::from_str(&self.held_because).unwrap_or_default(),
            shown: Shown {
                parent_id: self.shown_parent_id,
                depth: self.shown_depth,
                replies: self.shown_replies,
                below: self.shown_below,
            },
            id: self.id,
            site_id: self.site_id,
            article_id: self.article_id,
            parent_id: self.parent_id,
            thread_id: self.thread_id,
            thread_at: self.thread_at,
            version: self.version,
            name: self.name,
            email: self.email,
            url: self.url,
            text: self.text,
            ip: self.ip,
            user_agent: self.user_agent,
            html: self.html,
            moderator_id: self.moderator_id,
            created_at: self.created_at,
            received_at: self.received_at,
            edited_at: self.edited_at,
            risk: self.risk,
            reports: self.reports,
        })
    }
}

/// A published comment and its place, without its HTML: which of them go on a page is decided before that is read.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = comments)]
#[diesel(check_for_backend(Db))]
pub struct PublishedRow {
    pub id: CommentId,
    pub thread_id: CommentId,
    pub thread_at: Millis,
    pub name: String,
    pub url: Option<String>,
    pub size_bytes: i64,
    pub moderator_id: Option<ModeratorId>,
    pub created_at: Millis,
    pub edited_at: Option<Millis>,
    pub shown_parent_id: Option<CommentId>,
    pub shown_depth: i32,
    pub shown_replies: i64,
    pub shown_below: i64,
}

/// Published. Written out and not bound, because only then do both databases see that a partial index serves.
fn is_published() -> SqlLiteral<Bool> {
    sql("comments.status = 'approved'")
}

/// Any condition on comments.
type Condition<'a> = Box<dyn BoxableExpression<comments::table, Db, SqlType = Bool> + 'a>;

/// Those written below a comment, at whatever depth.
fn is_below<'a>(comment: CommentId, thread: CommentId) -> Condition<'a> {
    Box::new(comments::thread_id.eq(thread).and(comments::ancestors.like(format!("%/{comment}/%"))))
}

/// After `row` in the order `(created_at, id)`.
fn is_after<'a>(row: &PublishedRow) -> Condition<'a> {
    let same_time = comments::created_at.eq(row.created_at).and(comments::id.gt(row.id));
    Box::new(comments::created_at.ge(row.created_at).and(comments::created_at.gt(row.created_at).or(same_time)))
}

/// Before `row` in the order `(created_at, id)`.
fn is_before<'a>(row: &PublishedRow) -> Condition<'a> {
    let same_time = comments::created_at.eq(row.created_at).and(comments::id.lt(row.id));
    Box::new(comments::created_at.le(row.created_at).and(comments::created_at.lt(row.created_at).or(same_time)))
}

/// After `root` in the order of threads: a root that is not its thread's first comment stands in its thread's place.
fn is_root_after<'a>(root: &PublishedRow) -> Condition<'a> {
    let in_thread = comments::thread_id.eq(root.thread_id).and(is_after(root));
    let at_time = comments::thread_at.eq(root.thread_at).and(comments::thread_id.gt(root.thread_id).or(in_thread));
    Box::new(comments::thread_at.ge(root.thread_at).and(comments::thread_at.gt(root.thread_at).or(at_time)))
}

/// Before `root` in the order of threads.
fn is_root_before<'a>(root: &PublishedRow) -> Condition<'a> {
    let in_thread = comments::thread_id.eq(root.thread_id).and(is_before(root));
    let at_time = comments::thread_at.eq(root.thread_at).and(comments::thread_id.lt(root.thread_id).or(in_thread));
    Box::new(comments::thread_at.le(root.thread_at).and(comments::thread_at.lt(root.thread_at).or(at_time)))
}

/// After `row` among those with fewer replies below, then in the order `otherwise`.
fn has_fewer_below<'a>(row: &PublishedRow, otherwise: Condition<'a>) -> Condition<'a> {
    let same = comments::shown_below.eq(row.shown_below).and(otherwise);
    Box::new(comments::shown_below.le(row.shown_below).and(comments::shown_below.lt(row.shown_below).or(same)))
}

pub(in crate::comments) fn list_flat(
    conn: &mut Conn,
    article: ArticleId,
    sort: Sort,
    after: Option<&PublishedRow>,
    count: i64,
) -> StoreResult<Vec<PublishedRow>> {
    let mut query = comments::table
        .filter(is_published())
        .filter(comments::article_id.eq(article))
        .select(PublishedRow::as_select())
        .limit(count)
        .into_boxed::<Db>();
    if let Some(row) = after {
        query = query.filter(match sort {
            Sort::Oldest => is_after(row),
            Sort::Newest => is_before(row),
            Sort::Top => has_fewer_below(row, is_after(row)),
        });
    }
    query = match sort {
        Sort::Oldest => query.order((comments::created_at, comments::id)),
        Sort::Newest => query.order((comments::created_at.desc(), comments::id.desc())),
        Sort::Top => query.order((comments::shown_below.desc(), comments::created_at, comments::id)),
    };
    Ok(query.load(conn)?)
}

pub(in crate::comments) fn list_roots(
    conn: &mut Conn,
    article: ArticleId,
    sort: Sort,
    after: Option<&PublishedRow>,
    count: i64,
) -> StoreResult<Vec<PublishedRow>> {
    let mut query = comments::table
        .filter(is_published())
        .filter(comments::shown_parent_id.is_null())
        .filter(comments::article_id.eq(article))
        .select(PublishedRow::as_select())
        .limit(count)
        .into_boxed::<Db>();
    if let Some(root) = after {
        query = query.filter(match sort {
            Sort::Oldest => is_root_after(root),
            Sort::Newest => is_root_before(root),
            Sort::Top => has_fewer_below(root, is_root_after(root)),
        });
    }
    let oldest = (comments::thread_at, comments::thread_id, comments::created_at, comments::id);
    query = match sort {
        Sort::Oldest => query.order(oldest),
        Sort::Newest => query.order((
            comments::thread_at.desc(),
            comments::thread_id.desc(),
            comments::created_at.desc(),
            comments::id.desc(),
        )),
        Sort::Top => query.order(comments::shown_below.desc()).then_order_by(oldest),
    };
    Ok(query.load(conn)?)
}

/// Every published reply in these threads, in the order written.
pub(in crate::comments) fn list_replies(conn: &mut Conn, threads: &[CommentId]) -> StoreResult<Vec<PublishedRow>> {
    Ok(comments::table
        .filter(comments::thread_id.eq_any(threads))
        .filter(is_published())
        .filter(comments::shown_parent_id.is_not_null())
        .order((comments::created_at, comments::id))
        .select(PublishedRow::as_select())
        .load(conn)?)
}

/// Published replies below one root, in the order written, after `after`.
pub(in crate::comments) fn list_replies_below(
    conn: &mut Conn,
    root: &PublishedRow,
    after: Option<&PublishedRow>,
    count: i64,
) -> StoreResult<Vec<PublishedRow>> {
    let mut query = comments::table
        .filter(is_below(root.id, root.thread_id))
        .filter(is_published())
        .order((comments::created_at, comments::id))
        .select(PublishedRow::as_select())
        .limit(count)
        .into_boxed::<Db>();
    if let Some(row) = after {
        query = query.filter(is_after(row));
    }
    Ok(query.load(conn)?)
}

/// A published comment, if it was written below this root.
pub(in crate::comments) fn find_reply_below(
    conn: &mut Conn,
    root: &PublishedRow,
    id: CommentId,
) -> StoreResult<Option<PublishedRow>> {
    let found = find_published(conn, id)?;
    Ok(found.filter(|(_, _, ancestors)| ancestors.ids().contains(&root.id)).map(|(row, _, _)| row))
}

/// The HTML of these comments.
pub(in crate::comments) fn load_html(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<HashMap<CommentId, String>> {
    let rows: Vec<(CommentId, String)> =
        comments::table.filter(comments::id.eq_any(ids)).select((comments::id, comments::html)).load(conn)?;
    Ok(rows.into_iter().collect())
}

/// A comment's place in the orders of its article, published or not.
pub(in crate::comments) fn find_place(
    conn: &mut Conn,
    article: ArticleId,
    id: CommentId,
) -> StoreResult<Option<PublishedRow>> {
    Ok(comments::table
        .find(id)
        .filter(comments::article_id.eq(article))
        .select(PublishedRow::as_select())
        .first(conn)
        .optional()?)
}

/// The root under which a published comment of this article stands; itself, when it is one.
pub(in crate::comments) fn find_root_of(
    conn: &mut Conn,
    article: ArticleId,
    id: CommentId,
) -> StoreResult<Option<PublishedRow>> {
    let Some((row, of_article, ancestors)) = find_published(conn, id)? else { return Ok(None) };
    if of_article != article {
        return Ok(None);
    }
    let root = list_published_rows(conn, ancestors.ids())?.into_iter().next();
    Ok(Some(root.unwrap_or(row)))
}

/// A published comment, with its article and what it was written under.
pub(in crate::comments) fn find_published(
    conn: &mut Conn,
    id: CommentId,
) -> StoreResult<Option<(PublishedRow, ArticleId, Ancestors)>> {
    let found: Option<(PublishedRow, ArticleId, String)> = comments::table
        .find(id)
        .filter(is_published())
        .select((PublishedRow::as_select(), comments::article_id, comments::ancestors))
        .first(conn)
        .optional()?;
    Ok(found.map(|(row, article, ancestors)| (row, article, Ancestors::parse(&ancestors))))
}

/// The published ones of `ids`, in the order given.
pub(in crate::comments) fn list_published_rows(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<PublishedRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: Vec<PublishedRow> = comments::table
        .filter(comments::id.eq_any(ids))
        .filter(is_published())
        .select(PublishedRow::as_select())
        .load(conn)?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

/// A comment, whatever its status.
///
/// # Errors
/// Those of the store.
pub fn find_comment(conn: &mut Conn, id: CommentId) -> StoreResult<Option<Comment>> {
    let query = comments::table.find(id).select(<CommentRow as Selectable<Db>>::construct_selection());
    let row: Option<CommentRow> = load_on_either(conn, query)?.pop();
    row.map(CommentRow::into_comment).transpose()
}

/// Those of `ids` that there are, whatever their status, in no order.
///
/// # Errors
/// Those of the store.
pub fn list_comments(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<Comment>> {
    let rows: Vec<CommentRow> =
        comments::table.filter(comments::id.eq_any(ids)).select(CommentRow::as_select()).load(conn)?;
    rows.into_iter().map(CommentRow::into_comment).collect()
}

/// What is kept with a comment and not read back with it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::comments) struct Beside<'a> {
    pub duplicate_hash: Option<i64>,
    /// JSON.
    pub screening: Option<&'a str>,
}

pub(in crate::comments) fn insert_comment(
    conn: &mut Conn,
    comment: &Comment,
    shown: Shown,
    beside: Beside,
) -> StoreResult<()> {
    // Written for each database by itself: the common backend writes the SQL anew each time, which is half the cost.
    let insert = diesel::insert_into(comments::table).values((
        (
            comments::id.eq(comment.id),
            comments::site_id.eq(comment.site_id),
            comments::article_id.eq(comment.article_id),
            comments::parent_id.eq(comment.parent_id),
            comments::ancestors.eq(comment.ancestors.to_string()),
            comments::thread_id.eq(comment.thread_id),
            comments::thread_at.eq(comment.thread_at),
            comments::status.eq(comment.status.as_str()),
            comments::version.eq(comment.version),
            comments::name.eq(&comment.name),
            comments::email.eq(&comment.email),
            comments::url.eq(&comment.url),
            comments::text.eq(&comment.text),
            comments::ip.eq(&comment.ip),
            comments::user_agent.eq(&comment.user_agent),
        ),
        (
            comments::html.eq(&comment.html),
            comments::size_bytes.eq(size_bytes(&comment.text, &comment.html)),
            comments::moderator_id.eq(comment.moderator_id),
            comments::duplicate_hash.eq(beside.duplicate_hash),
            comments::created_at.eq(comment.created_at),
            comments::received_at.eq(comment.received_at),
            comments::shown_parent_id.eq(shown.parent_id),
            comments::shown_depth.eq(shown.depth),
            comments::shown_replies.eq(shown.replies),
            comments::shown_below.eq(shown.below),
            comments::held_because.eq(serde_json::Value::from(comment.held_because.clone()).to_string()),
            comments::risk.eq(comment.risk),
            comments::screening.eq(beside.screening),
        ),
    ));
    execute_on_either(conn, insert)?;
    Ok(())
}

/// Everything behind the verdict about a comment, as JSON; none where nothing was but the site's policy.
///
/// # Errors
/// Those of the store.
pub fn find_screening(conn: &mut Conn, id: CommentId) -> StoreResult<Option<String>> {
    let found = comments::table.filter(comments::id.eq(id)).select(comments::screening);
    Ok(found.first::<Option<String>>(conn).optional()?.flatten())
}

/// Writes a verdict in place of the one before. The reasons stay as they are when there are none to say. What moderators
/// find it by is no longer up to date.
///
/// # Errors
/// Those of the store.
pub fn set_screening(
    conn: &mut Conn,
    id: CommentId,
    reasons: Option<&[String]>,
    risk: f64,
    screening: Option<&str>,
) -> StoreResult<()> {
    let reasons = reasons.map(|reasons| comments::held_because.eq(serde_json::Value::from(reasons).to_string()));
    let verdict = (comments::risk.eq(risk), comments::screening.eq(screening), comments::is_indexed.eq(false));
    diesel::update(comments::table.find(id)).set((reasons, verdict)).execute(conn)?;
    Ok(())
}

/// How much room a comment takes on a page.
fn size_bytes(text: &str, html: &str) -> i64 {
    i64::try_from(text.len() + html.len()).unwrap_or(i64::MAX)
}

/// Clears address and user agent of up to `most` comments after `mark`, until one that was received in the time of which
/// they are `kept`; says how far it came, and nothing when there is none left.
///
/// # Errors
/// Those of the store.
pub fn clear_addresses(conn: &mut Conn, mark: i64, kept: &Range<Millis>, most: i64) -> StoreResult<Option<i64>> {
    let ids: Vec<(CommentId, Millis)> = comments::table
        .filter(comments::id.gt(CommentId::new(mark)))
        .order(comments::id)
        .limit(most)
        .select((comments::id, comments::received_at))
        .load(conn)?;
    let old: Vec<CommentId> = ids.into_iter().take_while(|(_, at)| !kept.contains(at)).map(|(id, _)| id).collect();
    let Some(last) = old.last() else { return Ok(None) };
    diesel::update(comments::table.filter(comments::id.eq_any(&old)))
        .set((comments::ip.eq(None::<String>), comments::user_agent.eq(None::<String>)))
        .execute(conn)?;
    // After the comments themselves, so that nobody can index meanwhile what they were; and not by indexing them anew, for
    // there may be a million.
    let found_by = comment_lookup::table.filter(comment_lookup::comment_id.eq_any(&old));
    diesel::update(found_by.filter(comment_lookup::address.is_not_null()))
        .set(comment_lookup::address.eq(None::<String>))
        .execute(conn)?;
    Ok(Some(last.get()))
}
