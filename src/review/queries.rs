//! All SQL about the queue and the history of decisions.

pub(super) mod figures;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::articles::{Article, list_articles_by_id};
use crate::comments::{Comment, CommentRow, Status};
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, DecisionId, SiteId};
use crate::kit::key::Key;
use crate::sites::list_sites;
use crate::store::schema::{articles, comments, decisions, moderators, sites};
use crate::store::{Conn, Db, StoreError, StoreResult};

use super::filter::Filter;
use super::history::Line;
use super::item::{Item, Parent};
use super::queue::{QueueQuery, QueueSort};

/// A comment's place in the orders of the queue.
#[derive(Queryable)]
pub(super) struct Place {
    id: CommentId,
    created_at: Millis,
    risk: f64,
}

type Condition<'a> = Box<dyn BoxableExpression<comments::table, Db, SqlType = Bool> + 'a>;

/// Where the list goes on: the place of a comment that one may see.
pub(super) fn find_place(conn: &mut Conn, visible: Option<&[SiteId]>, id: i64) -> StoreResult<Option<Place>> {
    let Some(id) = CommentId::from_number(id) else { return Ok(None) };
    let mut query = comments::table
        .filter(comments::id.eq(id))
        .select((comments::id, comments::created_at, comments::risk))
        .into_boxed::<Db>();
    if let Some(visible) = visible {
        query = query.filter(comments::site_id.eq_any(visible));
    }
    Ok(query.first(conn).optional()?)
}

fn is_past<'a>(sort: QueueSort, place: &Place) -> Condition<'a> {
    let (id, at, risk) = (place.id, place.created_at, place.risk);
    let later = comments::created_at
        .ge(at)
        .and(comments::created_at.gt(at).or(comments::created_at.eq(at).and(comments::id.gt(id))));
    match sort {
        QueueSort::Oldest => Box::new(later),
        QueueSort::Newest => Box::new(
            comments::created_at
                .le(at)
                .and(comments::created_at.lt(at).or(comments::created_at.eq(at).and(comments::id.lt(id)))),
        ),
        QueueSort::Risk => Box::new(comments::risk.lt(risk).or(comments::risk.eq(risk).and(later))),
    }
}

/// Ids and sizes of what is asked for, in order: which of them go on a page is decided before they are read.
pub(super) fn list_sizes(
    conn: &mut Conn,
    visible: Option<&[SiteId]>,
    asked: &QueueQuery,
    after: Option<&Place>,
    count: i64,
) -> StoreResult<Vec<(CommentId, i64)>> {
    let conditions = conditions(conn, visible, &asked.filter)?;
    let mut query = comments::table.select((comments::id, comments::size_bytes)).limit(count).into_boxed::<Db>();
    for condition in conditions.into_iter().chain(after.map(|place| is_past(asked.sort, place))) {
        query = query.filter(condition);
    }
    query = match asked.sort {
        QueueSort::Oldest => query.order((comments::created_at, comments::id)),
        QueueSort::Newest => query.order((comments::created_at.desc(), comments::id.desc())),
        QueueSort::Risk => query.order((comments::risk.desc(), comments::created_at, comments::id)),
    };
    Ok(query.load(conn)?)
}

/// Ids and versions of up to `most` comments that a filter finds, the oldest first.
pub(super) fn list_matching(
    conn: &mut Conn,
    visible: Option<&[SiteId]>,
    filter: &Filter,
    most: i64,
) -> StoreResult<Vec<(CommentId, i64)>> {
    let conditions = conditions(conn, visible, filter)?;
    let mut query = comments::table.select((comments::id, comments::version)).limit(most).into_boxed::<Db>();
    for condition in conditions {
        query = query.filter(condition);
    }
    Ok(query.order((comments::created_at, comments::id)).load(conn)?)
}

/// A filter as SQL, on the sites that one may see.
fn conditions<'a>(
    conn: &mut Conn,
    visible: Option<&'a [SiteId]>,
    filter: &'a Filter,
) -> StoreResult<Vec<Condition<'a>>> {
    let mut all: Vec<Condition<'a>> = Vec::new();
    if let Some(visible) = visible {
        all.push(Box::new(comments::site_id.eq_any(visible)));
    }
    if !filter.statuses.is_empty() {
        all.push(Box::new(comments::status.eq_any(filter.statuses.iter().map(|status| status.as_str()))));
    }
    if !filter.sites.is_empty() {
        let ids: Vec<SiteId> = sites::table.filter(sites::key.eq_any(&filter.sites)).select(sites::id).load(conn)?;
        all.push(Box::new(comments::site_id.eq_any(ids)));
    }
    if !filter.articles.is_empty() {
        let keys = articles::table.filter(articles::key.eq_any(&filter.articles));
        let ids: Vec<ArticleId> = keys.select(articles::id).load(conn)?;
        all.push(Box::new(comments::article_id.eq_any(ids)));
    }
    if let Some(since) = filter.since {
        all.push(Box::new(comments::created_at.ge(since)));
    }
    if let Some(until) = filter.until {
        all.push(Box::new(comments::created_at.lt(until)));
    }
    Ok(all)
}

/// These comments with what stands around them, in the order given.
pub(super) fn load_items(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<Item>> {
    let rows: Vec<CommentRow> =
        comments::table.filter(comments::id.eq_any(ids)).select(CommentRow::as_select()).load(conn)?;
    let mut found = rows.into_iter().map(CommentRow::into_comment).collect::<StoreResult<Vec<_>>>()?;
    found.sort_by_key(|comment| ids.iter().position(|id| *id == comment.id));
    with_surroundings(conn, found)
}

/// Adds to each comment its site, article and parent: three queries for however many.
pub(super) fn with_surroundings(conn: &mut Conn, found: Vec<Comment>) -> StoreResult<Vec<Item>> {
    let sites: HashMap<SiteId, Key> = list_sites(conn)?.into_iter().map(|site| (site.id, site.key)).collect();
    let article_ids: Vec<ArticleId> = found.iter().map(|comment| comment.article_id).collect();
    let articles: HashMap<ArticleId, Article> =
        list_articles_by_id(conn, &article_ids)?.into_iter().map(|article| (article.id, article)).collect();
    let parent_ids: Vec<CommentId> = found.iter().filter_map(|comment| comment.parent_id).collect();
    let parents: Vec<(CommentId, String, String)> = comments::table
        .filter(comments::id.eq_any(parent_ids))
        .select((comments::id, comments::name, comments::text))
        .load(conn)?;
    let parents: HashMap<CommentId, Parent> =
        parents.into_iter().map(|(id, name, text)| (id, Parent { id, name, text })).collect();
    found
        .into_iter()
        .map(|comment| {
            Ok(Item {
                site: sites.get(&comment.site_id).cloned().ok_or(StoreError::Missing)?,
                article: articles.get(&comment.article_id).cloned().ok_or(StoreError::Missing)?,
                parent: comment.parent_id.and_then(|id| parents.get(&id).cloned()),
                comment,
            })
        })
        .collect()
}

#[derive(Queryable)]
struct LineRow {
    id: DecisionId,
    comment_id: CommentId,
    by: Option<String>,
    from: Option<String>,
    to: String,
    reason: Option<String>,
    note: Option<String>,
    message: Option<String>,
    at: Millis,
    version: i64,
}

impl LineRow {
    fn into_line(self) -> StoreResult<Line> {
        let broken = || StoreError::Broken(format!("decision {}: its status cannot be read", self.id));
        Ok(Line {
            from: self.from.as_deref().map(|from| Status::parse(from).ok_or_else(broken)).transpose()?,
            to: Status::parse(&self.to).ok_or_else(broken)?,
            id: self.id,
            comment_id: self.comment_id,
            by: self.by,
            reason: self.reason,
            note: self.note,
            message: self.message,
            at: self.at,
            version: self.version,
        })
    }
}

/// Decisions with the user name of who made them.
#[diesel::dsl::auto_type]
fn lines() -> _ {
    let who = moderators::table.on(decisions::moderator_id.eq(moderators::id.nullable()));
    decisions::table.left_join(who).select((
        decisions::id,
        decisions::comment_id,
        moderators::username.nullable(),
        decisions::from_status,
        decisions::to_status,
        decisions::reason,
        decisions::note,
        decisions::message,
        decisions::decided_at,
        decisions::version,
    ))
}

/// The line of a comment's history with this id.
pub(super) fn load_line(conn: &mut Conn, comment: &Comment, id: DecisionId) -> StoreResult<Line> {
    if id.get() == comment.id.get() {
        return Ok(Line::first(comment));
    }
    lines().filter(decisions::id.eq(id)).first::<LineRow>(conn)?.into_line()
}

/// The latest line of a comment's history.
pub(super) fn load_last_line(conn: &mut Conn, comment: &Comment) -> StoreResult<Line> {
    let last = lines()
        .filter(decisions::comment_id.eq(comment.id))
        .order(decisions::version.desc())
        .first::<LineRow>(conn)
        .optional()?;
    last.map_or_else(|| Ok(Line::first(comment)), LineRow::into_line)
}

/// A comment's history, the oldest line first.
pub(super) fn list_lines(conn: &mut Conn, comment: &Comment) -> StoreResult<Vec<Line>> {
    let rows: Vec<LineRow> =
        lines().filter(decisions::comment_id.eq(comment.id)).order(decisions::version).load(conn)?;
    // Databases of the first version kept the first line like any other.
    let first = Some(Line::first(comment)).filter(|_| rows.first().is_none_or(|row| row.version > 1));
    first.into_iter().map(Ok).chain(rows.into_iter().map(LineRow::into_line)).collect()
}
