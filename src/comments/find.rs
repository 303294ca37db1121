//! One published comment, with its article and the published comments above it.

use crate::app::App;
use crate::articles::{Article, find_article_by_id};
use crate::kit::ids::CommentId;
use crate::sites::{Site, find_site_by_id};
use crate::store::StoreResult;

use super::queries;
use super::thread::{Node, fill};

/// A published comment in its place.
pub struct Found {
    pub comment: Node,
    /// From the root down.
    pub above: Vec<Node>,
    pub site: Site,
    pub article: Article,
}

/// The published comment with this id; `None` also for one that is not published.
///
/// # Errors
/// Those of the store.
pub async fn find_published(app: &App, id: CommentId) -> StoreResult<Option<Found>> {
    app.store
        .read(move |conn| {
            let Some((comment, article_id, ancestors)) = queries::find_published(conn, id)? else { return Ok(None) };
            let above = queries::list_published_rows(conn, ancestors.ids())?;
            let mut nodes: Vec<Node> = above.into_iter().chain([comment]).map(Node::alone).collect();
            fill(conn, &mut nodes)?;
            let Some(comment) = nodes.pop() else { return Ok(None) };
            let Some(article) = find_article_by_id(conn, article_id)? else { return Ok(None) };
            let Some(site) = find_site_by_id(conn, article.site_id)? else { return Ok(None) };
            Ok(Some(Found { comment, above: nodes, site, article }))
        })
        .await
}
