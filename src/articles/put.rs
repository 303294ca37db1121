//! Putting an article: the publisher says what it is; the first time makes it, later times change it.

use url::Url;
use validator::{Validate, ValidationError};

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::audit::{self, Action, Entry, Subject};
use crate::kit::clock::Millis;
use crate::kit::fault::{self, Fault};
use crate::kit::ids::ArticleId;
use crate::kit::key::Key;
use crate::kit::text;
use crate::sites::{Site, find_site};
use crate::store::{Cause, Conn, Constraint, StoreError};

use super::{Article, queries};

/// The longest title, in bytes.
const MAX_TITLE: usize = 1_000;
/// The longest URL, in bytes: what every browser takes.
const MAX_URL: usize = 2_000;
/// The longest summary, in bytes.
const MAX_SUMMARY: usize = 4_000;

/// What an article is said to be.
#[derive(Debug, Clone, Validate)]
pub struct PutArticle {
    #[validate(custom(function = title_rules))]
    pub title: String,
    #[validate(custom(function = url_rules))]
    pub url: String,
    #[validate(custom(function = summary_rules))]
    pub summary: Option<String>,
    /// Open, when nothing is said.
    pub comments_open: Option<bool>,
    pub comments_close_at: Option<Millis>,
}

/// What became of it.
#[derive(Debug)]
pub struct Put {
    pub site: Site,
    pub article: Article,
    pub is_new: bool,
}

/// Why nothing was put.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    #[error("there is no such site, or it is not one's own")]
    NoSuchSite,
    #[error("fields are wrong")]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for PutError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Puts an article. `by` is who asks; none when it is the program itself, which may on every site.
///
/// # Errors
/// When there is no such site for them, or fields are wrong.
pub async fn put_article(
    app: &App,
    by: Option<&Moderator>,
    site: &Key,
    article: &Key,
    put: PutArticle,
) -> Result<Put, PutError> {
    let faults = fault::of(&put);
    if !faults.is_empty() {
        return Err(PutError::Invalid(faults));
    }
    let (fresh_id, now) = (app.store.next_id().await?, app.clock.now());
    let (site_key, article_key, by) = (site.clone(), article.clone(), by.cloned());
    let blank = audit::blank(app).await?;
    let write = move |conn: &mut Conn| {
        let site = find_site(conn, &site_key)?.filter(|site| may(by.as_ref(), site)).ok_or(PutError::NoSuchSite)?;
        let known = queries::find_article(conn, site.id, &article_key)?;
        let is_new = known.is_none();
        let article = put.clone().into_article(known, (fresh_id, now), &site, &article_key);
        if is_new {
            queries::insert_article(conn, &article)?;
        } else {
            queries::update_article(conn, &article, now)?;
        }
        if let Some(by) = &by {
            audit::record(conn, &tell(blank.fill(by.actor(), Action::ArticlePut), &article, is_new))?;
        }
        Ok(Put { site, article, is_new })
    };
    let outcome = match app.store.write(write.clone()).await {
        // Two at once made it new; the second now changes it.
        Err(PutError::Store(StoreError::Taken(Constraint::ArticleKey))) => app.store.write(write).await,
        outcome => outcome,
    };
    app.drop_thread(site, article);
    outcome
}

fn may(by: Option<&Moderator>, site: &Site) -> bool {
    by.is_none_or(|by| by.may_on(Right::PutArticles, site.id))
}

fn tell(entry: Entry, article: &Article, is_new: bool) -> Entry {
    entry
        .on_site(article.site_id)
        .about(Subject::Article(article.id))
        .fact("key", article.key.as_str())
        .fact("is_new", is_new)
        .fact("title", &article.title)
        .fact("url", &article.url)
        .fact("comments_open", article.comments_open)
        .fact("comments_close_at", article.comments_close_at)
}

impl PutArticle {
    /// `fresh` are the id and the moment it is made, when it is not known yet.
    fn into_article(self, known: Option<Article>, fresh: (ArticleId, Millis), site: &Site, key: &Key) -> Article {
        let (id, created_at) = known.as_ref().map_or(fresh, |article| (article.id, article.created_at));
        Article {
            id,
            created_at,
            policy: known.as_ref().and_then(|article| article.policy),
            published: known.as_ref().map_or(0, |article| article.published),
            site_id: site.id,
            key: key.clone(),
            title: self.title,
            url: self.url,
            summary: self.summary.filter(|summary| !summary.is_empty()),
            comments_open: self.comments_open.unwrap_or(true),
            comments_close_at: self.comments_close_at,
        }
    }
}

fn title_rules(title: &str) -> Result<(), ValidationError> {
    fault::filled(title)?;
    text::check_plain(title).map_err(fault::of_text)?;
    fault::at_most(title, MAX_TITLE)
}

fn url_rules(url: &str) -> Result<(), ValidationError> {
    fault::filled(url)?;
    text::check_plain(url).map_err(fault::of_text)?;
    fault::at_most(url, MAX_URL)?;
    let is_web = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_web { Ok(()) } else { Err(ValidationError::new("url")) }
}

fn summary_rules(summary: &str) -> Result<(), ValidationError> {
    fault::at_most(summary, MAX_SUMMARY)
}
