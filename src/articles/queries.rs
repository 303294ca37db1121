//! All SQL about articles.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, SiteId};
use crate::kit::key::Key;
use crate::screening::Policy;
use crate::store::schema::{articles, sites};
use crate::store::{Conn, Db, StoreError, StoreResult, execute_on_either};

use super::Article;

#[derive(Queryable, Selectable)]
#[diesel(table_name = articles)]
#[diesel(check_for_backend(Db))]
struct ArticleRow {
    id: ArticleId,
    site_id: SiteId,
    key: String,
    title: String,
    url: String,
    summary: Option<String>,
    policy: Option<String>,
    comments_open: bool,
    comments_close_at: Option<Millis>,
    published: i64,
    created_at: Millis,
}

impl ArticleRow {
    fn into_article(self) -> StoreResult<Article> {
        let key = Key::parse(&self.key);
        Ok(Article {
            key: key.ok_or_else(|| StoreError::Broken(format!("article {}: its key cannot be read", self.id)))?,
            policy: self.policy.as_deref().and_then(Policy::parse),
            id: self.id,
            site_id: self.site_id,
            title: self.title,
            url: self.url,
            summary: self.summary,
            comments_open: self.comments_open,
            comments_close_at: self.comments_close_at,
            published: self.published,
            created_at: self.created_at,
        })
    }
}

/// The keys of an article's site and its own, by which the public knows it.
///
/// # Errors
/// Those of the store.
pub fn find_keys(conn: &mut Conn, article: ArticleId) -> StoreResult<Option<(Key, Key)>> {
    let keys: Option<(String, String)> = articles::table
        .find(article)
        .inner_join(sites::table)
        .select((sites::key, articles::key))
        .first(conn)
        .optional()?;
    Ok(keys.and_then(|(site, article)| Key::parse(&site).zip(Key::parse(&article))))
}

/// The article that a site calls `key`.
///
/// # Errors
/// Those of the store.
pub fn find_article(conn: &mut Conn, site: SiteId, key: &Key) -> StoreResult<Option<Article>> {
    let row = articles::table
        .filter(articles::site_id.eq(site).and(articles::key.eq(key.as_str())))
        .select(ArticleRow::as_select())
        .first(conn)
        .optional()?;
    row.map(ArticleRow::into_article).transpose()
}

/// The article with this id.
///
/// # Errors
/// Those of the store.
pub fn find_article_by_id(conn: &mut Conn, id: ArticleId) -> StoreResult<Option<Article>> {
    let row = articles::table.find(id).select(ArticleRow::as_select()).first(conn).optional()?;
    row.map(ArticleRow::into_article).transpose()
}

/// The articles with these ids.
///
/// # Errors
/// Those of the store.
pub fn list_articles_by_id(conn: &mut Conn, ids: &[ArticleId]) -> StoreResult<Vec<Article>> {
    let rows = articles::table.filter(articles::id.eq_any(ids)).select(ArticleRow::as_select()).load(conn)?;
    rows.into_iter().map(ArticleRow::into_article).collect()
}

pub(super) fn insert_article(conn: &mut Conn, article: &Article) -> StoreResult<()> {
    diesel::insert_into(articles::table)
        .values((
            articles::id.eq(article.id),
            articles::site_id.eq(article.site_id),
            articles::key.eq(article.key.as_str()),
            articles::title.eq(&article.title),
            articles::url.eq(&article.url),
            articles::summary.eq(&article.summary),
            articles::comments_open.eq(article.comments_open),
            articles::comments_close_at.eq(article.comments_close_at),
            articles::published.eq(0_i64),
            articles::created_at.eq(article.created_at),
            articles::updated_at.eq(article.created_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn update_article(conn: &mut Conn, article: &Article, now: Millis) -> StoreResult<()> {
    diesel::update(articles::table.find(article.id))
        .set((
            articles::title.eq(&article.title),
            articles::url.eq(&article.url),
            articles::summary.eq(&article.summary),
            articles::comments_open.eq(article.comments_open),
            articles::comments_close_at.eq(article.comments_close_at),
            articles::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keys and published counts of those of `keys` that there are.
pub(super) fn list_counts(conn: &mut Conn, site: SiteId, keys: &[String]) -> StoreResult<Vec<(String, i64)>> {
    Ok(articles::table
        .filter(articles::site_id.eq(site).and(articles::key.eq_any(keys)))
        .select((articles::key, articles::published))
        .load(conn)?)
}

/// Changes how many comments are published. On PostgreSQL it also locks the article's row, so that all who publish or
/// unpublish there come one after the other.
///
/// # Errors
/// Those of the store.
pub fn add_to_published(conn: &mut Conn, article: ArticleId, change: i64) -> StoreResult<()> {
    let update =
        diesel::update(articles::table.find(article)).set(articles::published.eq(articles::published + change));
    execute_on_either(conn, update)?;
    Ok(())
}
