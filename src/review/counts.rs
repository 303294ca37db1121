//! How many comments a filter finds, of each status on each site.
//!
//! Without other conditions that is kept as a number and always exact. With others they are counted: exactly, but for a search
//! that finds more than can be counted while somebody waits, of which it is said that there are at least so many.

use std::collections::BTreeMap;

use crate::accounts::Moderator;
use crate::app::App;
use crate::comments::Status;
use crate::kit::ids::SiteId;
use crate::kit::key::Key;
use crate::sites::list_sites;
use crate::store::{Conn, StoreResult};

use super::filter::Filter;
use super::finding::{Asking, Finder, MOST_KNOWN, Walk};
use super::index::{IndexError, index_waiting};
use super::queries::counting::count_all;
use super::queries::finding::{self as queries, Columns, Stream, StreamOf};
use super::queue::QueueSort;

/// Found by a search up to which all are counted, however few of them are of the statuses asked for.
const MOST_COUNTED: usize = 50_000;

/// Work after which counting what a search finds ends, as [`super::finding`] measures it.
const MOST_WORK: usize = 15_000;

/// A count beyond which nobody is told how many more there are.
const ENOUGH: i64 = 10_000;

/// How many comments of a status there are on a site.
#[derive(Debug, Clone)]
pub struct Group {
    pub site: Key,
    pub status: Status,
    pub count: i64,
    /// Whether there may be more.
    pub is_at_least: bool,
}

/// Counts what a filter finds on the sites that `moderator` may see; what there is none of is left out.
///
/// # Errors
/// When the filter asks for what is indexed, and more waits for that than somebody would wait for.
pub async fn count(app: &App, moderator: &Moderator, filter: Filter) -> Result<Vec<Group>, IndexError> {
    if filter.needs_index() {
        index_waiting(app).await?;
    }
    let asking = Asking::new(moderator, app.clock.now());
    Ok(app.store.read(move |conn| count_by_status(conn, &asking, &filter)).await?)
}

#[derive(Default)]
struct Tally {
    /// By site and status.
    of: BTreeMap<(i64, &'static str), i64>,
    is_partial: bool,
}

impl Tally {
    fn add(&mut self, site: SiteId, status: Status, count: i64) {
        *self.of.entry((site.get(), status.as_str())).or_default() += count;
    }
}

/// The same, on a connection.
pub(super) fn count_by_status(conn: &mut Conn, asking: &Asking, filter: &Filter) -> StoreResult<Vec<Group>> {
    let columns = Columns { sort: QueueSort::Oldest, with_version: false };
    let mut finder = Finder::new(conn, asking, filter, columns)?;
    let asks_more = filter.since.is_some()
        || filter.until.is_some()
        || filter.is_reported.is_some()
        || filter.claimed.is_some()
        || finder.ground.articles.is_some();
    let tally = if filter.needs_index() || finder.among.is_some() {
        finder.narrow(conn, if filter.search.is_some() { MOST_COUNTED } else { usize::MAX - 1 })?;
        count_found(conn, &finder)?
    } else if asks_more {
        let mut tally = count_streams(conn, &finder)?;
        let without: Vec<i64> = finder.without.iter().copied().collect();
        for (_, site, status) in queries::list_counted(conn, finder.asked(), &without)? {
            if let Some(status) = Status::parse(&status) {
                tally.add(site, status, -1);
            }
        }
        tally
    } else {
        count_kept(conn, &finder)?
    };
    let mut counts = Vec::new();
    let sites = list_sites(conn)?;
    for ((site, status), count) in tally.of.into_iter().filter(|(_, count)| *count > 0) {
        let key = sites.iter().find(|known| known.id.get() == site).map(|known| known.key.clone());
        if let (Some(site), Some(status)) = (key, Status::parse(status)) {
            counts.push(Group { site, status, count, is_at_least: tally.is_partial });
        }
    }
    counts.sort_by(|a, b| a.site.as_str().cmp(b.site.as_str()));
    Ok(counts)
}

/// What is on the finder's ground, from the numbers kept.
fn count_kept(conn: &mut Conn, finder: &Finder) -> StoreResult<Tally> {
    let (mut tally, ground) = (Tally::default(), &finder.ground);
    for (site, status, count) in count_all(conn)? {
        let is_asked = ground.statuses.contains(&status);
        if is_asked && ground.sites.contains(&site) {
            tally.add(site, status, count);
        }
    }
    Ok(tally)
}

/// Counts each status by itself, on each site or article, which an index does.
fn count_streams(conn: &mut Conn, finder: &Finder) -> StoreResult<Tally> {
    let mut tally = Tally::default();
    if let Some(articles) = &finder.ground.articles {
        for (article, site) in queries::list_sites_of(conn, articles)? {
            for status in finder.ground.statuses.clone() {
                let stream = Stream { status, of: StreamOf::Article(article) };
                tally.add(site, status, queries::count_stream(conn, finder.asking, finder.filter, stream)?);
            }
        }
        return Ok(tally);
    }
    for (site, status) in count_kept(conn, finder)?.of.into_keys() {
        let (site, Some(status)) = (SiteId::new(site), Status::parse(status)) else { continue };
        let stream = Stream { status, of: StreamOf::Site(site) };
        tally.add(site, status, queries::count_stream(conn, finder.asking, finder.filter, stream)?);
    }
    Ok(tally)
}

/// Counts what the finder's conditions give ids of; without these, what is met on a walk.
fn count_found(conn: &mut Conn, finder: &Finder) -> StoreResult<Tally> {
    let (mut tally, mut work, mut total) = (Tally::default(), 0, 0);
    let mut walk = Walk::new(finder, None, 1_000);
    let mut known = finder.among.as_deref().unwrap_or_default().chunks(MOST_KNOWN / 10);
    loop {
        let ids: Vec<i64> = match &finder.among {
            Some(_) => known.next().unwrap_or_default().to_vec(),
            None => walk.next(conn, 500)?.into_iter().map(|place| place.id.get()).collect(),
        };
        if ids.is_empty() {
            return Ok(tally);
        }
        let mut counted = queries::list_counted(conn, finder.asked(), &ids)?;
        counted.retain(|(id, _, _)| !finder.without.contains(&id.get()));
        if finder.has_checks() {
            let kept = finder.check(conn, counted.iter().map(|(id, _, _)| id.get()).collect(), &mut work)?;
            counted.retain(|(id, _, _)| kept.contains(&id.get()));
        }
        for (_, site, status) in counted {
            if let Some(status) = Status::parse(&status) {
                tally.add(site, status, 1);
                total += 1;
            }
        }
        if finder.search.is_some() && (work >= MOST_WORK || total > ENOUGH) {
            tally.is_partial = true;
            return Ok(tally);
        }
    }
}
