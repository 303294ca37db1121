//! Showing an article: its head, and what its reply form asks for.

use crate::app::App;
use crate::kit::key::Key;
use crate::sites::{Site, find_site};
use crate::store::StoreResult;

use super::{Article, queries};

/// An article with its site; `None` when either is not there.
///
/// # Errors
/// Those of the store.
pub async fn find_article(app: &App, site: Key, article: Key) -> StoreResult<Option<(Site, Article)>> {
    app.store
        .read(move |conn| {
            let Some(site) = find_site(conn, &site)? else { return Ok(None) };
            let article = queries::find_article(conn, site.id, &article)?;
            Ok(article.map(|article| (site, article)))
        })
        .await
}
