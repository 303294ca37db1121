//! The ground on which a comment is posted: its site, its article, and the names of staff. It is the same for every post
//! to an article until one of them changes, so it is read once and remembered under the article's stamp.

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::accounts::{StaffNames, load_staff_names};
use crate::app::App;
use crate::articles::{Article, Door, find_article};
use crate::http::caching::Stamp;
use crate::kit::clock::Millis;
use crate::kit::key::Key;
use crate::sites::{Site, find_site};
use crate::store::StoreResult;

use super::Comment;

/// How many articles are remembered.
const MOST: usize = 2_000;

/// What is the same for every post to an article.
#[derive(Debug)]
pub struct Ground {
    pub site: Site,
    pub article: Article,
    pub staff: StaffNames,
}

impl Ground {
    /// Whether comments are taken at this moment.
    pub fn door(&self, now: Millis) -> Door {
        self.article.door(&self.site.settings, now)
    }

    /// Whether readers may reply to a comment: a published one of this article, not as deep as replies go.
    pub fn takes_replies_to(&self, parent: &Comment) -> bool {
        parent.article_id == self.article.id && parent.takes_replies(self.site.settings.max_depth)
    }
}

/// The grounds remembered.
struct Grounds(Cache<(Key, Key), (Stamp, Arc<Ground>)>);

impl Default for Grounds {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

/// The ground of an article; `None` when there is no such site or article.
///
/// # Errors
/// Those of the store.
pub async fn find_ground(app: &App, site: &Key, article: &Key) -> StoreResult<Option<Arc<Ground>>> {
    let grounds = app.shelves.get::<Grounds>();
    let stamp = app.pages.stamp(site, article, app.store.foreign_writes());
    let place = (site.clone(), article.clone());
    if let Some((_, ground)) = grounds.0.get(&place).filter(|(kept, _)| *kept == stamp) {
        return Ok(Some(ground));
    }
    let (site, article) = place.clone();
    let read = app.store.read(move |conn| -> StoreResult<_> {
        let Some(site) = find_site(conn, &site)? else { return Ok(None) };
        let Some(article) = find_article(conn, site.id, &article)? else { return Ok(None) };
        Ok(Some(Arc::new(Ground { site, article, staff: load_staff_names(conn)? })))
    });
    let found = read.await?;
    if let Some(ground) = &found {
        grounds.0.insert(place, (stamp, Arc::clone(ground)));
    }
    Ok(found)
}
