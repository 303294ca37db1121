//! Reading an article's published comments, a page at a time: as a tree or flat, in three orders.
//!
//! A page of the tree holds whole threads: `limit` counts roots, each with all its replies. Two bounds keep a page cheap
//! whatever an article has become: of a root with more than 500 replies the first 500 come, with a cursor for the rest,
//! and a page ends early at 1,000 comments or 2 MiB. Replies stand in the order they were written, whatever the order of roots.

use std::collections::{HashMap, HashSet};

use crate::app::App;
use crate::articles::find_article;
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::kit::ids::{ArticleId, CommentId};
use crate::kit::key::Key;
use crate::sites::{Site, find_site};
use crate::store::{BEHIND, Cause, Conn, StoreError, StoreResult};

use super::queries::{self, PublishedRow};

/// In which order.
pub use crate::sites::Order as Sort;

/// The most replies that come with one root.
const MOST_BELOW_ROOT: i64 = 500;
/// A page ends before the root that would take it past so many comments,
const MOST_ON_PAGE: usize = 1_000;
/// or past so many bytes of text and HTML: a comment may have 65 KB of text, and five times that of HTML.
const MOST_BYTES: i64 = 2 << 20;

/// Whether replies stand under what they reply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    Tree,
    Flat,
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
    pub html: String,
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
    let is_settled = app.pages.is_settled_for(&site, &article, BEHIND);
    let read = move |conn: &mut Conn| {
        let site = find_site(conn, &site)?.ok_or(ThreadError::NoSuchArticle)?;
        let article = find_article(conn, site.id, &article)?.ok_or(ThreadError::NoSuchArticle)?;
        let (mut comments, next) = match query.view {
            View::Tree => read_tree(conn, article.id, query)?,
            View::Flat => read_flat(conn, article.id, query)?,
        };
        fill(conn, &mut comments)?;
        Ok(ThreadPage { site, comments, next })
    };
    // What has just changed may not have come to a replica yet.
    if is_settled { app.store.read_behind(read).await } else { app.store.read(read).await }
}

type Read = (Vec<Node>, Option<Cursor>);

fn read_flat(conn: &mut Conn, article: ArticleId, query: ThreadQuery) -> Result<Read, ThreadError> {
    let after = query.page.cursor.map(|cursor| place_of(conn, article, cursor.last_id)).transpose()?;
    let mut rows = queries::list_flat(conn, article, query.sort, after.as_ref(), i64::from(query.page.limit) + 1)?;
    let fitting = count_fitting(&rows, MOST_BYTES).min(query.page.limit as usize).max(1);
    let has_more = rows.len() > fitting;
    rows.truncate(fitting);
    let next = rows.last().filter(|_| has_more).map(|row| Cursor::after(row.id.get()));
    Ok((rows.into_iter().map(Node::alone).collect(), next))
}

fn read_tree(conn: &mut Conn, article: ArticleId, query: ThreadQuery) -> Result<Read, ThreadError> {
    if let Some(Cursor { last_id, within_root: Some(root) }) = query.page.cursor {
        return read_rest(conn, article, root, last_id);
    }
    let roots = list_roots(conn, article, query, i64::from(query.page.limit) + 1)?;
    let fetched = roots.len();
    let nodes = with_replies(conn, roots, query)?;
    let next = nodes.last().filter(|_| nodes.len() < fetched).map(|node| Cursor::after(node.row.id.get()));
    Ok((nodes, next))
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

/// The roots that go on the page, each with its replies. A page ends before the root that would make it too long; only
/// when that is the first are its replies cut instead.
fn with_replies(conn: &mut Conn, roots: Vec<PublishedRow>, query: ThreadQuery) -> Result<Vec<Node>, ThreadError> {
    let mut replies = list_ordinary_replies(conn, &roots)?;
    let (mut nodes, mut comments, mut bytes) = (Vec::new(), 0, 0);
    for root in roots.into_iter().take(query.page.limit as usize) {
        let below = match replies.remove(&root.id) {
            Some(below) => below,
            None if root.shown_below > 0 => first_replies(conn, &root, query.beginning_with)?,
            None => Vec::new(),
        };
        comments += 1 + below.len();
        bytes += root.size_bytes + below.iter().map(|reply| reply.size_bytes).sum::<i64>();
        let is_too_long = comments > MOST_ON_PAGE || bytes > MOST_BYTES;
        if is_too_long && !nodes.is_empty() {
            break;
        }
        nodes.push(hang_on(root, below));
        if is_too_long {
            break;
        }
    }
    Ok(nodes)
}

/// One query for the replies of all roots that have no more than fit; by root, in the order written.
fn list_ordinary_replies(
    conn: &mut Conn,
    roots: &[PublishedRow],
) -> Result<HashMap<CommentId, Vec<PublishedRow>>, ThreadError> {
    let is_ordinary = |root: &&PublishedRow| (1..=MOST_BELOW_ROOT).contains(&root.shown_below);
    let threads: Vec<CommentId> = roots.iter().filter(is_ordinary).map(|root| root.thread_id).collect();
    if threads.is_empty() {
        return Ok(HashMap::new());
    }
    let mut root_of: HashMap<CommentId, CommentId> =
        roots.iter().filter(is_ordinary).map(|root| (root.id, root.id)).collect();
    let mut by_root: HashMap<CommentId, Vec<PublishedRow>> = HashMap::new();
    for reply in queries::list_replies(conn, &threads)? {
        // A reply stands after what it replies to; one whose root is on another page is not for this one.
        let root = reply.shown_parent_id.and_then(|parent| root_of.get(&parent).copied());
        if let Some(root) = root {
            root_of.insert(reply.id, root);
            by_root.entry(root).or_default().push(reply);
        }
    }
    Ok(by_root)
}

/// The first replies of a root that has too many; those from `wanted` on, when that is not among them.
fn first_replies(
    conn: &mut Conn,
    root: &PublishedRow,
    wanted: Option<CommentId>,
) -> Result<Vec<PublishedRow>, ThreadError> {
    let replies = queries::list_replies_below(conn, root, None, MOST_BELOW_ROOT)?;
    let is_missing = |id: &CommentId| *id != root.id && replies.iter().all(|reply| reply.id != *id);
    if let Some(wanted) = wanted.filter(is_missing)
        && let Some(first) = queries::find_reply_below(conn, root, wanted)?
    {
        let rest = queries::list_replies_below(conn, root, Some(&first), MOST_BELOW_ROOT - 1)?;
        return Ok(std::iter::once(first).chain(rest).collect());
    }
    Ok(replies)
}

/// A root with as many of its replies as fit, and where the rest go on.
fn hang_on(root: PublishedRow, mut replies: Vec<PublishedRow>) -> Node {
    let fitting = count_fitting(&replies, MOST_BYTES - root.size_bytes);
    replies.truncate(fitting);
    let has_more = i64::try_from(replies.len()).is_ok_and(|count| count < root.shown_below);
    let last = replies.last().map_or(root.id, |last| last.id);
    let more = has_more.then(|| Cursor::within(root.id.get(), last.get()));
    Node { children: hang(replies), more, ..Node::alone(root) }
}

/// How many of the first rows have no more than so many bytes together.
fn count_fitting(rows: &[PublishedRow], bytes: i64) -> usize {
    let mut total = 0;
    let fits = |row: &&PublishedRow| {
        total += row.size_bytes;
        total <= bytes
    };
    rows.iter().take_while(fits).count()
}

/// The rest of a root's replies: each under what it replies to where that is on the page too, else by itself.
fn read_rest(conn: &mut Conn, article: ArticleId, root: i64, last: i64) -> Result<Read, ThreadError> {
    let root = place_of(conn, article, root)?;
    let after = place_of(conn, article, last)?;
    let mut replies = queries::list_replies_below(conn, &root, Some(&after), MOST_BELOW_ROOT + 1)?;
    let most = usize::try_from(MOST_BELOW_ROOT).unwrap_or(usize::MAX);
    let fitting = count_fitting(&replies, MOST_BYTES).min(most).max(1);
    let has_more = replies.len() > fitting;
    replies.truncate(fitting);
    let next = replies.last().filter(|_| has_more).map(|last| Cursor::within(root.id.get(), last.id.get()));
    Ok((hang(replies), next))
}

/// The comment that a cursor names, published or not: its place in the order is what counts.
fn place_of(conn: &mut Conn, article: ArticleId, id: i64) -> Result<PublishedRow, ThreadError> {
    let id = CommentId::from_number(id).ok_or(ThreadError::ForeignCursor)?;
    let found = queries::find_place(conn, article, id)?;
    found.ok_or(ThreadError::ForeignCursor)
}

/// Hangs replies, given in the order written, under what they reply to; those whose parent is not among them stand for
/// themselves.
fn hang(replies: Vec<PublishedRow>) -> Vec<Node> {
    let here: HashSet<CommentId> = replies.iter().map(|reply| reply.id).collect();
    let mut below: HashMap<Option<CommentId>, Vec<Node>> = HashMap::new();
    // A reply stands after what it replies to, so from the end every comment's own replies are complete.
    for row in replies.into_iter().rev() {
        let mut children = below.remove(&Some(row.id)).unwrap_or_default();
        children.reverse();
        let parent = row.shown_parent_id.filter(|parent| here.contains(parent));
        below.entry(parent).or_default().push(Node { children, ..Node::alone(row) });
    }
    let mut top = below.remove(&None).unwrap_or_default();
    top.reverse();
    top
}

impl Node {
    /// A comment without the replies that may come with it, and without its HTML.
    pub(super) fn alone(row: PublishedRow) -> Self {
        Self { row, html: String::new(), children: Vec::new(), more: None }
    }
}

/// Reads the HTML of all these comments, in one query.
pub(super) fn fill(conn: &mut Conn, nodes: &mut [Node]) -> StoreResult<()> {
    let mut ids = Vec::new();
    collect_ids(nodes, &mut ids);
    if !ids.is_empty() {
        put_html(nodes, &mut queries::load_html(conn, &ids)?);
    }
    Ok(())
}

fn collect_ids(nodes: &[Node], ids: &mut Vec<CommentId>) {
    for node in nodes {
        ids.push(node.row.id);
        collect_ids(&node.children, ids);
    }
}

fn put_html(nodes: &mut [Node], html: &mut HashMap<CommentId, String>) {
    for node in nodes {
        node.html = html.remove(&node.row.id).unwrap_or_default();
        put_html(&mut node.children, html);
    }
}
