//! All SQL about the queue and the history of decisions.

pub(super) mod batches;
pub(super) mod claims;
pub(super) mod counting;
pub(super) mod figures;
pub(super) mod finding;
pub(super) mod indexing;
pub(super) mod notes;
pub(super) mod people;
pub(super) mod reruns;
pub(super) mod revisions;
pub(super) mod second_opinions;

use std::collections::HashMap;

use diesel::prelude::*;

use crate::articles::{Article, list_articles_by_id};
use crate::campaigns::list_campaigns;
use crate::comments::{Comment, Status, list_comments};
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, DecisionId, SiteId};
use crate::kit::key::Key;
use crate::kit::text;
use crate::sites::list_sites;
use crate::store::schema::{comments, decisions, moderators};
use crate::store::{Conn, StoreError, StoreResult};

use crate::review::history::Line;
use crate::review::item::{Item, Parent};

/// How many bytes of text and HTML these comments have, in the order given; what is gone is left out.
pub(in crate::review) fn list_sizes(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<(CommentId, i64)>> {
    let sizes = comments::table.filter(comments::id.eq_any(ids)).select((comments::id, comments::size_bytes));
    let mut found: Vec<(CommentId, i64)> = sizes.load(conn)?;
    found.sort_by_key(|(found, _)| ids.iter().position(|id| id == found));
    Ok(found)
}

/// These comments with what stands around them now, in the order given.
pub(in crate::review) fn load_items(conn: &mut Conn, ids: &[CommentId], now: Millis) -> StoreResult<Vec<Item>> {
    let mut found = list_comments(conn, ids)?;
    found.sort_by_key(|comment| ids.iter().position(|id| *id == comment.id));
    with_surroundings(conn, found, now)
}

/// Adds to each comment its site, article and parent, its author's record and claim: a few queries for however many.
pub(in crate::review) fn with_surroundings(
    conn: &mut Conn,
    found: Vec<Comment>,
    now: Millis,
) -> StoreResult<Vec<Item>> {
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
    let ids: Vec<CommentId> = found.iter().map(|comment| comment.id).collect();
    let holders = claims::list_holders(conn, &ids, now)?;
    let records = counting::load_records(conn, &found)?;
    let campaigns = list_campaigns(conn, &ids)?;
    found
        .into_iter()
        .map(|comment| {
            Ok(Item {
                record: comment
                    .email
                    .as_deref()
                    .and_then(|email| records.get(&(comment.site_id, text::fold(email))))
                    .copied(),
                campaign: campaigns.get(&comment.id).copied(),
                claimed_by: holders.get(&comment.id).cloned(),
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
pub(in crate::review) fn load_line(conn: &mut Conn, comment: &Comment, id: DecisionId) -> StoreResult<Line> {
    if id.get() == comment.id.get() {
        return Ok(Line::first(comment));
    }
    lines().filter(decisions::id.eq(id)).first::<LineRow>(conn)?.into_line()
}

/// The latest line of a comment's history as of a version.
pub(in crate::review) fn load_line_at(conn: &mut Conn, comment: &Comment, version: i64) -> StoreResult<Line> {
    let last = lines()
        .filter(decisions::comment_id.eq(comment.id).and(decisions::version.le(version)))
        .order(decisions::version.desc())
        .first::<LineRow>(conn)
        .optional()?;
    last.map_or_else(|| Ok(Line::first(comment)), LineRow::into_line)
}

/// The latest line of a comment's history.
pub(in crate::review) fn load_last_line(conn: &mut Conn, comment: &Comment) -> StoreResult<Line> {
    let last = lines()
        .filter(decisions::comment_id.eq(comment.id))
        .order(decisions::version.desc())
        .first::<LineRow>(conn)
        .optional()?;
    last.map_or_else(|| Ok(Line::first(comment)), LineRow::into_line)
}

/// A comment's history, the oldest line first.
pub(in crate::review) fn list_lines(conn: &mut Conn, comment: &Comment) -> StoreResult<Vec<Line>> {
    let rows: Vec<LineRow> =
        lines().filter(decisions::comment_id.eq(comment.id)).order(decisions::version).load(conn)?;
    // Databases of the first version kept the first line like any other.
    let first = Some(Line::first(comment)).filter(|_| rows.first().is_none_or(|row| row.version > 1));
    first.into_iter().map(Ok).chain(rows.into_iter().map(LineRow::into_line)).collect()
}
