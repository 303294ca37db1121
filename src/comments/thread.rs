//! Reading an article's published comments, a page at a time: as a tree or flat, in three orders.
//!
//! A page of the tree holds whole threads: `limit` counts roots, each with all its replies. Two bounds keep a page cheap
//! whatever an article has become: of a root with more than 500 replies the first 500 come, with a cursor for the rest,
//! and a page ends early at 1,000 comments. Replies stand in the order they were written, whatever the order of roots.

use std::collections::HashMap;

use crate::app::App;
use crate::articles::find_article;
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::kit::ids::{ArticleId, CommentId};
use crate::kit::key::Key;
use crate::sites::{Site, find_site};
use crate::store::{Cause, Conn, StoreError};

use super::queries::{self, PublishedRow};

/// The most replies that come with one root.
const MOST_BELOW_ROOT: i64 = 500;
/// A page ends before the root that would take it past so many comments.
const MOST_ON_PAGE: i64 = 1_000;

/// Whether replies stand under what they reply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    Tree,
    Flat,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    Oldest,
    Newest,
    /// Most published replies below first, then oldest.
    Top,
}

/// Which comments are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadQuery {
    pub view: View,
    pub sort: Sort,
    pub page: PageQuery,
    /// Begin with the thread of this comment, wherever it stands in the list.
    pub beginning_with: Option<CommentId>,
}

/// A page of comments, with where they stand.
pub struct ThreadPage {
    pub site: Site,
    pub comments: Vec<Node>,
    pub next: Option<Cursor>,
}

/// A published comment and the replies that come with it.
pub struct Node {
    pub row: PublishedRow,
    pub children: Vec<Node>,
    /// Where the rest of a root's replies go on.
    pub more: Option<Cursor>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ThreadError {
    #[error("there is no such site or article")]
    NoSuchArticle,
    #[error("the cursor belongs to another article")]
    ForeignCursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for ThreadError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl ThreadQuery {
    /// What the list is, for its cursors.
    pub fn list(view: View, sort: Sort) -> String {
        format!("thread {view:?} {sort:?}")
    }

    /// What tells this query from others on the same article, for keeping what it gives; `kind` tells how it is shown.
    pub fn numbers(self, kind: i64) -> [i64; 7] {
        let cursor = self.page.cursor;
        [
            kind,
            self.view as i64,
            self.sort as i64,
            i64::from(self.page.limit),
            cursor.map_or(0, |cursor| cursor.last_id),
            cursor.and_then(|cursor| cursor.within_root).unwrap_or(0),
            self.beginning_with.map_or(0, CommentId::get),
        ]
    }
}

/// Reads a page.
///
/// # Errors
/// When there is no such article, or the cursor is of another.
pub async fn load_page(app: &App, site: Key, article: Key, query: ThreadQuery) -> Result<ThreadPage, ThreadError> {
    app.store
        .read(move |conn| {
            let site = find_site(conn, &site)?.ok_or(ThreadError::NoSuchArticle)?;
            let article = find_article(conn, site.id, &article)?.ok_or(ThreadError::NoSuchArticle)?;
            let (comments, next) = match query.view {
                View::Tree => read_tree(conn, article.id, query)?,
                View::Flat => read_flat(conn, article.id, query)?,
            };
            Ok(ThreadPage { site, comments, next })
        })
        .await
}

type Read = (Vec<Node>, Option<Cursor>);

fn read_flat(conn: &mut Conn, article: ArticleId, query: ThreadQuery) -> Result<Read, ThreadError> {
    let after = query.page.cursor.map(|cursor| place_of(conn, article, cursor.last_id)).transpose()?;
    let limit = query.page.limit as usize;
    let mut rows = queries::list_flat(conn, article, query.sort, after.as_ref(), i64::from(query.page.limit) + 1)?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|row| row.id.get()).filter(|_| has_more);
    let next = last.map(Cursor::after);
    Ok((rows.into_iter().map(Node::alone).collect(), next))
}

fn read_tree(conn: &mut Conn, article: ArticleId, query: ThreadQuery) -> Result<Read, ThreadError> {
    if let Some(Cursor { last_id, within_root: Some(root), .. }) = query.page.cursor {
        return read_rest(conn, article, root, last_id);
    }
    let limit = query.page.limit as usize;
    let mut roots = list_roots(conn, article, query, i64::from(query.page.limit) + 1)?;
    let fitting = count_fitting(&roots).min(limit);
    let has_more = roots.len() > fitting;
    roots.truncate(fitting);
    let next = roots.last().filter(|_| has_more).map(|root| Cursor::after(root.id.get()));
    Ok((with_replies(conn, roots, query)?, next))
}

/// The roots of a page and one more, to know whether there is another page.
fn list_roots(
    conn: &mut Conn,
    article: ArticleId,
    query: ThreadQuery,
    count: i64,
) -> Result<Vec<PublishedRow>, ThreadError> {
    if let Some(first) = query.beginning_with.map(|id| queries::find_root_of(conn, article, id)).transpose()?.flatten()
    {
        let rest = queries::list_roots(conn, article, query.sort, Some(&first), count - 1)?;
        return Ok(std::iter::once(first).chain(rest).collect());
    }
    let after = query.page.cursor.map(|cursor| place_of(conn, article, cursor.last_id)).transpose()?;
    Ok(queries::list_roots(conn, article, query.sort, after.as_ref(), count)?)
}

/// How many of the roots fit on a page with their replies; always one.
fn count_fitting(roots: &[PublishedRow]) -> usize {
    let mut total = 0;
    let fitting = roots.iter().take_while(|root| {
        total += 1 + root.shown_below.min(MOST_BELOW_ROOT);
        total <= MOST_ON_PAGE
    });
    fitting.count().max(1)
}

/// One query for the replies of all ordinary roots, one more for each of the at most two that have too many.
fn with_replies(conn: &mut Conn, roots: Vec<PublishedRow>, query: ThreadQuery) -> Result<Vec<Node>, ThreadError> {
    let is_ordinary = |root: &&PublishedRow| (1..=MOST_BELOW_ROOT).contains(&root.shown_below);
    let threads: Vec<CommentId> = roots.iter().filter(is_ordinary).map(|root| root.thread_id).collect();
    let replies = if threads.is_empty() { Vec::new() } else { queries::list_replies(conn, &threads)? };
    let mut below = hang(replies);
    roots
        .into_iter()
        .map(|root| {
            if root.shown_below > MOST_BELOW_ROOT {
                return with_first_replies(conn, root, query.beginning_with);
            }
            let children = below.remove(&Some(root.id)).unwrap_or_default();
            Ok(Node { row: root, children, more: None })
        })
        .collect()
}

fn with_first_replies(conn: &mut Conn, root: PublishedRow, wanted: Option<CommentId>) -> Result<Node, ThreadError> {
    let mut replies = queries::list_replies_below(conn, &root, None, MOST_BELOW_ROOT)?;
    let is_missing = |id: &CommentId| *id != root.id && replies.iter().all(|reply| reply.id != *id);
    // The page may hold another thread than the one that is asked for; nothing is missing from that.
    if let Some(wanted) = wanted.filter(is_missing)
        && let Some((first, _, ancestors)) = queries::find_published(conn, wanted)?
        && ancestors.ids().contains(&root.id)
    {
        let rest = queries::list_replies_below(conn, &root, Some(&first), MOST_BELOW_ROOT - 1)?;
        replies = std::iter::once(first).chain(rest).collect();
    }
    let more = replies.last().map(|last| Cursor::within(root.id.get(), last.id.get()));
    Ok(Node { children: hang_loosely(replies), row: root, more })
}

/// The rest of a root's replies: each under what it replies to where that is on the page too, else by itself.
fn read_rest(conn: &mut Conn, article: ArticleId, root: i64, last: i64) -> Result<Read, ThreadError> {
    let root = place_of(conn, article, root)?;
    let after = place_of(conn, article, last)?;
    let mut replies = queries::list_replies_below(conn, &root, Some(&after), MOST_BELOW_ROOT + 1)?;
    let most = usize::try_from(MOST_BELOW_ROOT).unwrap_or(usize::MAX);
    let has_more = replies.len() > most;
    replies.truncate(most);
    let last = replies.last().filter(|_| has_more);
    let next = last.map(|last| Cursor::within(root.id.get(), last.id.get()));
    Ok((hang_loosely(replies), next))
}

/// The comment that a cursor names, published or not: its place in the order is what counts.
fn place_of(conn: &mut Conn, article: ArticleId, id: i64) -> Result<PublishedRow, ThreadError> {
    let id = CommentId::from_number(id).ok_or(ThreadError::ForeignCursor)?;
    let found = queries::find_place(conn, article, id)?;
    found.ok_or(ThreadError::ForeignCursor)
}

/// Hangs replies, in the order written, under what they reply to. What is left in the map are those that hang on
/// something not among them.
fn hang(replies: Vec<PublishedRow>) -> HashMap<Option<CommentId>, Vec<Node>> {
    let mut below: HashMap<Option<CommentId>, Vec<Node>> = HashMap::new();
    // A reply stands after what it replies to, so from the end every comment's own replies are complete.
    for row in replies.into_iter().rev() {
        let mut children = below.remove(&Some(row.id)).unwrap_or_default();
        children.reverse();
        let parent = row.shown_parent_id;
        below.entry(parent).or_default().push(Node { row, children, more: None });
    }
    for nodes in below.values_mut() {
        nodes.reverse();
    }
    below
}

fn hang_loosely(replies: Vec<PublishedRow>) -> Vec<Node> {
    let mut nodes: Vec<Node> = hang(replies).into_values().flatten().collect();
    nodes.sort_by_key(|node| (node.row.created_at, node.row.id));
    nodes
}

impl Node {
    fn alone(row: PublishedRow) -> Self {
        Self { row, children: Vec::new(), more: None }
    }
}
