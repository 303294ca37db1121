//! Which sites there are, to whoever may manage or read them.

use crate::accounts::Moderator;
use crate::app::App;
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::kit::key::Key;
use crate::store::StoreResult;

use super::{Site, queries};

/// A page of the sites that `moderator` may see, the first added first.
///
/// # Errors
/// Those of the store.
pub async fn list_sites(app: &App, moderator: &Moderator, page: PageQuery) -> StoreResult<(Vec<Site>, Option<Cursor>)> {
    let visible = moderator.visible_sites();
    let limit = page.limit as usize;
    let after = page.cursor.map(|cursor| cursor.last_id);
    let count = i64::from(page.limit) + 1;
    let mut found = app.store.read(move |conn| queries::list_page(conn, visible.as_deref(), after, count)).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|site| Cursor::after(site.id.get()));
    Ok((found, next))
}

/// The site called `key`, if it is one of theirs.
///
/// # Errors
/// Those of the store.
pub async fn find_own_site(app: &App, moderator: &Moderator, key: &Key) -> StoreResult<Option<Site>> {
    let key = key.clone();
    let found = app.store.read(move |conn| queries::find_site(conn, &key)).await?;
    Ok(found.filter(|site| moderator.moderates(site.id)))
}
