//! How many comments are published, for many articles at once: what an index page shows beside its headlines.

use crate::app::App;
use crate::kit::key::Key;
use crate::sites::find_site;
use crate::store::{Conn, StoreResult};

use super::queries;

/// The most articles asked for at once.
pub const MOST: usize = 100;

/// Keys and counts of those of `articles` that there are; `None` when there is no such site.
///
/// # Errors
/// Those of the store.
pub async fn list_counts(app: &App, site: Key, articles: Vec<String>) -> StoreResult<Option<Vec<(String, i64)>>> {
    let read = move |conn: &mut Conn| {
        let Some(site) = find_site(conn, &site)? else { return Ok(None) };
        queries::list_counts(conn, site.id, &articles).map(Some)
    };
    // A headline's number may be some seconds old.
    app.store.read_behind(read).await
}
