//! Articles: what comments hang on. The publisher names them by a key of its own and says where they stand.
//!
//! An article knows whether it takes comments and how many are published; the comments themselves are another feature.

mod count;
mod http;
mod put;
mod queries;
mod show;

use std::time::Duration;

use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, SiteId};
use crate::kit::key::Key;
use crate::screening::Policy;
use crate::sites::SiteSettings;

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
    /// What the publisher says; ask [`Article::door`].
    pub comments_open: bool,
    /// What the publisher says; ask [`Article::closes_at`].
    pub comments_close_at: Option<Millis>,
    /// How many comments are published.
    pub published: i64,
    pub created_at: Millis,
}

/// Whether comments are taken at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    /// Outside the site's hours, which begin again then.
    OpensAt(Millis),
    /// For good, as far as anyone has said.
    Closed,
}

impl Article {
    /// Whether it takes comments at this moment, on a site with these settings.
    pub fn door(&self, settings: &SiteSettings, now: Millis) -> Door {
        let is_over = |at: Millis| self.closes_at(settings).is_some_and(|closing| closing <= at);
        if !self.comments_open || is_over(now) {
            return Door::Closed;
        }
        match settings.hours.as_ref().and_then(|hours| hours.opens_at(now)) {
            None => Door::Open,
            Some(at) if is_over(at) => Door::Closed,
            Some(at) => Door::OpensAt(at),
        }
    }

    /// When it closes: when its publisher says, else so long after it was made as the site says.
    pub fn closes_at(&self, settings: &SiteSettings) -> Option<Millis> {
        let days = |days: u32| self.created_at.plus(Duration::from_hours(24 * u64::from(days)));
        self.comments_close_at.or_else(|| settings.close_after_days.map(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::{Hours, TimeOfDay};

    const DAY: i64 = 86_400_000;

    fn article(comments_open: bool, comments_close_at: Option<i64>) -> Article {
        Article {
            id: ArticleId::new(1),
            site_id: SiteId::new(1),
            key: Key::parse("a").unwrap(),
            title: String::new(),
            url: String::new(),
            summary: None,
            policy: None,
            comments_open,
            comments_close_at: comments_close_at.map(Millis),
            published: 0,
            created_at: Millis(0),
        }
    }

    #[test]
    fn the_publisher_closes_an_article_before_the_site_does() {
        let site = SiteSettings { close_after_days: Some(2), ..SiteSettings::default() };
        let usual = SiteSettings::default();
        let door = |article: &Article, settings, at| article.door(settings, Millis(at));
        let plain = article(true, None);
        assert_eq!(door(&plain, &usual, 1_000 * DAY), Door::Open);
        assert_eq!(door(&plain, &site, 2 * DAY - 1), Door::Open);
        assert_eq!(door(&plain, &site, 2 * DAY), Door::Closed);
        assert_eq!(door(&article(true, Some(5 * DAY)), &site, 5 * DAY - 1), Door::Open);
        assert_eq!(door(&article(true, Some(DAY)), &site, DAY), Door::Closed);
        assert_eq!(door(&article(false, None), &usual, 0), Door::Closed);
    }

    #[test]
    fn outside_the_hours_it_opens_again_unless_it_closes_before() {
        let time = |text| TimeOfDay::parse(text).unwrap();
        let hours = Hours { from: time("08:00"), until: time("22:00"), timezone: "UTC".to_owned() };
        let site = SiteSettings { hours: Some(hours), ..SiteSettings::default() };
        let (night, morning) = (Millis(7 * DAY / 24), Millis(8 * DAY / 24));
        assert_eq!(article(true, None).door(&site, night), Door::OpensAt(morning));
        assert_eq!(article(true, None).door(&site, morning), Door::Open);
        assert_eq!(article(true, Some(morning.0)).door(&site, night), Door::Closed);
        assert_eq!(article(false, None).door(&site, night), Door::Closed);
    }
}
