//! The origins whose pages may read answers: one site's, or, where an address names no site, those of all.

use std::sync::Arc;

use crate::app::App;
use crate::kit::key::Key;
use crate::store::StoreResult;

use super::queries;

/// The origins of the site called `site`; none when there is no such site. A change is seen within two seconds.
///
/// # Errors
/// Those of the store.
pub async fn list_origins(app: &App, site: Option<Key>) -> StoreResult<Arc<[String]>> {
    let elapsed = app.clock.elapsed();
    if let Some(known) = app.origins.find(site.as_ref(), elapsed) {
        return Ok(known);
    }
    let key = site.clone();
    let sites = app
        .store
        .read(move |conn| match &key {
            Some(key) => Ok(queries::find_site(conn, key)?.into_iter().collect()),
            None => queries::list_sites(conn),
        })
        .await?;
    let list: Arc<[String]> = sites.into_iter().flat_map(|site| site.origins).collect();
    app.origins.put(site, elapsed, Arc::clone(&list));
    Ok(list)
}
