//! Articles: what comments hang on. The publisher names them by a key of its own and says where they stand.
//!
//! An article knows whether it takes comments and how many are published; the comments themselves are another feature.

mod count;
mod http;
mod put;
mod queries;
mod show;

use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, SiteId};
use crate::kit::key::Key;
use crate::screening::Policy;

pub use http::routes;
pub use put::{Put, PutArticle, PutError, put_article};
pub use queries::{add_to_published, find_article, find_article_by_id, find_keys, list_articles_by_id};

/// An article.
#[derive(Debug, Clone)]
pub struct Article {
    pub id: ArticleId,
    pub site_id: SiteId,
    pub key: Key,
    pub title: String,
    pub url: String,
    pub summary: Option<String>,
    /// Overrides the site's.
    pub policy: Option<Policy>,
    pub comments_open: bool,
    pub comments_close_at: Option<Millis>,
    /// How many comments are published.
    pub published: i64,
}

impl Article {
    /// Whether it takes comments at this moment.
    pub fn is_open(&self, now: Millis) -> bool {
        self.comments_open && self.comments_close_at.is_none_or(|closing| now < closing)
    }
}
