//! Finding comments by a [`Filter`]: quick however many there are, and every one that the filter holds for.
//!
//! What a comment is known by (words, name, email, address, reason, rule, report, claim) gives ids first, when these are not too
//! many; all such sets must hold. Else the comments are walked through in the order asked for, which an index serves for each
//! status by itself, and each is looked at. A page may end early then; its cursor goes on where looking stopped.

use std::collections::{HashSet, VecDeque};

use crate::accounts::{Moderator, Right};
use crate::kit::clock::Millis;
use crate::kit::ids::{CampaignId, CommentId, ModeratorId, SiteId};
use crate::kit::search::{Search, is_found};
use crate::store::{Conn, StoreResult, list_by_words};

use super::filter::{Claimed, Filter};
use super::queries::finding::{self as queries, Columns, Ground, Place, Stream, StreamOf};
use super::queue::QueueSort;

/// The most comments that a condition may give ids of; what gives more is looked for by walking.
pub(super) const MOST_KNOWN: usize = 20_000;
/// Ids up to which they are looked up by themselves rather than met on a walk.
const FEW: usize = 2_000;
/// Comments met on a walk for known ids before these are looked up after all.
const LONG_WALK: usize = 20_000;
/// Comments of a walk that are read at once when each must be looked at.
const LOOKED_AT: usize = 200;
/// Work after which a page ends early: a comment looked at is 1, and 1 more for each 1,000 bytes of its text.
const PAGE_WORK: usize = 5_000;
/// The same before an index is asked: a word that most have fills a page at once.
const FIRST_WORK: usize = 300;

/// Who asks, and when.
#[derive(Debug, Clone)]
pub struct Asking {
    pub moderator: ModeratorId,
    /// The sites they may see; `None` for all.
    pub sites: Option<Vec<SiteId>>,
    pub sees_personal: bool,
    pub now: Millis,
}

impl Asking {
    pub fn new(moderator: &Moderator, now: Millis) -> Self {
        Self {
            moderator: moderator.id,
            sites: moderator.visible_sites(),
            sees_personal: moderator.may(Right::SeePersonal),
            now,
        }
    }
}

/// What some comments are known by.
#[derive(Debug, Clone)]
pub(super) enum Known {
    Authors(Vec<String>),
    Emails(Vec<String>),
    Networks(Vec<(String, String)>),
    Reasons(Vec<String>),
    Campaigns(Vec<CampaignId>),
    Rules(Vec<String>),
    Reported,
    /// Claimed by somebody, or by whoever asks.
    Claimed(Claimed),
}

/// A page of what a filter finds: up to `limit` ids after a place, and the comment after which it goes on, if it does.
pub(super) fn list_page(
    conn: &mut Conn,
    asking: &Asking,
    filter: &Filter,
    sort: QueueSort,
    after: Option<&Place>,
    limit: usize,
) -> StoreResult<(Vec<CommentId>, Option<CommentId>)> {
    let columns = Columns { sort, with_version: false };
    let mut finder = Finder::new(conn, asking, filter, columns)?;
    let (mut found, mut goes_on) = (Vec::new(), None);
    let is_tried = filter.search.is_some() && known(filter).is_empty();
    if is_tried {
        (found, goes_on) = finder.collect(conn, after, limit, FIRST_WORK)?;
    }
    if !is_tried || (found.len() < limit && goes_on.is_some()) {
        finder.narrow(conn, MOST_KNOWN)?;
        (found, goes_on) = finder.collect(conn, after, limit, PAGE_WORK)?;
    }
    Ok((found.into_iter().map(|place| place.id).collect(), goes_on.map(|place| place.id)))
}

/// Ids and versions of up to `most` comments that a filter finds, the oldest first, however long it takes.
pub fn list_matching(
    conn: &mut Conn,
    asking: &Asking,
    filter: &Filter,
    most: usize,
) -> StoreResult<Vec<(CommentId, i64)>> {
    let columns = Columns { sort: QueueSort::Oldest, with_version: true };
    let mut finder = Finder::new(conn, asking, filter, columns)?;
    finder.narrow(conn, MOST_KNOWN)?;
    let (found, _) = finder.collect(conn, None, most, usize::MAX)?;
    Ok(found.into_iter().map(|place| (place.id, place.version)).collect())
}

/// How many comments a filter finds, counting no further than `most`; however long it takes.
pub fn count_matching(conn: &mut Conn, asking: &Asking, filter: &Filter, most: usize) -> StoreResult<usize> {
    Ok(list_matching(conn, asking, filter, most)?.len())
}

fn known(filter: &Filter) -> Vec<Known> {
    let mut all = Vec::new();
    if !filter.authors.is_empty() {
        all.push(Known::Authors(filter.authors.clone()));
    }
    if !filter.emails.is_empty() {
        all.push(Known::Emails(filter.emails.clone()));
    }
    if !filter.networks.is_empty() {
        all.push(Known::Networks(filter.networks.clone()));
    }
    if !filter.reasons.is_empty() {
        all.push(Known::Reasons(filter.reasons.clone()));
    }
    if !filter.campaigns.is_empty() {
        all.push(Known::Campaigns(filter.campaigns.clone()));
    }
    if !filter.rules.is_empty() {
        all.push(Known::Rules(filter.rules.clone()));
    }
    if filter.is_reported == Some(true) {
        all.push(Known::Reported);
    }
    all.extend(filter.claimed.filter(|claimed| *claimed != Claimed::No).map(Known::Claimed));
    all
}

/// What is looked for, and how far it has been narrowed down.
pub(super) struct Finder<'a> {
    pub asking: &'a Asking,
    pub filter: &'a Filter,
    pub ground: Ground,
    columns: Columns,
    /// The only ones it can be, ascending.
    pub among: Option<Vec<i64>>,
    /// None of these.
    pub without: HashSet<i64>,
    /// What must be looked at comment by comment.
    pub checks: Vec<Known>,
    pub search: Option<&'a Search>,
}

impl<'a> Finder<'a> {
    pub fn new(conn: &mut Conn, asking: &'a Asking, filter: &'a Filter, columns: Columns) -> StoreResult<Self> {
        let ground = queries::load_ground(conn, asking, filter)?;
        let is_claimed_no = filter.claimed == Some(Claimed::No);
        let without = if is_claimed_no { queries::list_claimed_by_others(conn, asking)? } else { Vec::new() };
        // Whoever may not see it finds nothing by it, whoever forgot to refuse them.
        let among = (filter.is_personal() && !asking.sees_personal).then(Vec::new);
        let (without, search) = (without.into_iter().collect(), filter.search.as_ref());
        Ok(Self { asking, filter, ground, columns, among, without, checks: Vec::new(), search })
    }

    /// Finds the ids that it can be, where a condition gives no more than `most`.
    pub fn narrow(&mut self, conn: &mut Conn, most: usize) -> StoreResult<()> {
        let limit = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
        for known in known(self.filter) {
            let ids = queries::list_known(conn, &known, (self.asking, None), limit)?;
            if !self.keep_among(ids, most) {
                // What is reported or claimed is asked of each comment that is met anyway.
                self.checks.extend(Some(known).filter(|known| !matches!(known, Known::Reported | Known::Claimed(_))));
            }
        }
        if let Some(search) = self.search.filter(|search| search.is_anchored()) {
            let ids = list_by_words(conn, search, self.asking.sees_personal, limit)?;
            if self.keep_among(ids, most) {
                self.search = None;
            }
        }
        Ok(())
    }

    fn keep_among(&mut self, mut ids: Vec<i64>, most: usize) -> bool {
        if ids.len() > most {
            return false;
        }
        ids.sort_unstable();
        match &mut self.among {
            Some(among) => among.retain(|id| ids.binary_search(id).is_ok()),
            None => self.among = Some(ids),
        }
        true
    }

    /// What the statements need to know.
    pub fn asked(&self) -> (&'a Asking, &'a Filter, &Ground) {
        (self.asking, self.filter, &self.ground)
    }

    /// Up to `wanted` places, and the last one that was looked at when there may be more.
    fn collect(
        &self,
        conn: &mut Conn,
        after: Option<&Place>,
        wanted: usize,
        most_work: usize,
    ) -> StoreResult<(Vec<Place>, Option<Place>)> {
        if self.among.as_ref().is_some_and(|among| among.len() <= FEW) {
            return self.collect_listed(conn, after, wanted, most_work);
        }
        let among: Option<HashSet<i64>> = self.among.as_ref().map(|among| among.iter().copied().collect());
        let chunk = match (&among, self.has_checks()) {
            (Some(_), _) => FEW,
            (None, true) => LOOKED_AT,
            (None, false) => wanted.saturating_add(1).min(10_000),
        };
        let mut walk = Walk::new(self, after.cloned(), chunk);
        let (mut found, mut met, mut work) = (Vec::new(), 0, 0);
        loop {
            let mut places = walk.next(conn, chunk)?;
            let Some(last) = places.last().cloned() else { return Ok((found, None)) };
            met += places.len();
            if let Some(among) = &among {
                places.retain(|place| among.contains(&place.id.get()));
            }
            found.extend(self.checked(conn, places, &mut work)?);
            if found.len() > wanted {
                return Ok(first_of(found, wanted));
            }
            if among.is_some() && met >= LONG_WALK {
                return self.collect_listed(conn, after, wanted, most_work);
            }
            if work >= most_work {
                return Ok((found, Some(last)));
            }
        }
    }

    /// The same, when the ids that it can be are looked up.
    fn collect_listed(
        &self,
        conn: &mut Conn,
        after: Option<&Place>,
        wanted: usize,
        most_work: usize,
    ) -> StoreResult<(Vec<Place>, Option<Place>)> {
        let ids = self.among.as_deref().unwrap_or_default();
        let mut places = queries::list_places(conn, self.asked(), ids, self.columns)?;
        let sort = self.columns.sort;
        places.retain(|place| after.is_none_or(|after| sort.compare(after, place).is_lt()));
        places.sort_unstable_by(|a, b| sort.compare(a, b));
        let (mut found, mut work) = (Vec::new(), 0);
        for chunk in places.chunks(LOOKED_AT) {
            found.extend(self.checked(conn, chunk.to_vec(), &mut work)?);
            if found.len() > wanted {
                return Ok(first_of(found, wanted));
            }
            if work >= most_work {
                return Ok((found, chunk.last().cloned()));
            }
        }
        Ok((found, None))
    }

    pub fn has_checks(&self) -> bool {
        self.search.is_some() || !self.checks.is_empty()
    }

    /// Those of these places that hold what must be looked at.
    fn checked(&self, conn: &mut Conn, mut places: Vec<Place>, work: &mut usize) -> StoreResult<Vec<Place>> {
        places.retain(|place| !self.without.contains(&place.id.get()));
        if !self.has_checks() || places.is_empty() {
            return Ok(places);
        }
        let kept = self.check(conn, places.iter().map(|place| place.id.get()).collect(), work)?;
        Ok(places.into_iter().filter(|place| kept.contains(&place.id.get())).collect())
    }

    /// Those of these ids that hold what must be looked at.
    pub fn check(&self, conn: &mut Conn, mut ids: Vec<i64>, work: &mut usize) -> StoreResult<HashSet<i64>> {
        *work += ids.len();
        for known in &self.checks {
            ids = queries::list_known(conn, known, (self.asking, Some(&ids)), i64::MAX)?;
        }
        let Some(search) = self.search else { return Ok(ids.into_iter().collect()) };
        let ids: Vec<CommentId> = ids.into_iter().map(CommentId::new).collect();
        let mut kept = HashSet::new();
        for (id, bytes, words) in queries::load_words(conn, &ids)? {
            *work += bytes / 1_000;
            if is_found(search, &words, self.asking.sees_personal) {
                kept.insert(id.get());
            }
        }
        Ok(kept)
    }

    /// The orders that are merged.
    pub fn streams(&self) -> Vec<Stream> {
        let Ground { statuses, sites, articles } = &self.ground;
        let of: Vec<StreamOf> = match articles {
            Some(articles) => articles.iter().copied().map(StreamOf::Article).collect(),
            None if self.columns.sort == QueueSort::Risk => sites.iter().copied().map(StreamOf::Risky).collect(),
            None => sites.iter().copied().map(StreamOf::Site).collect(),
        };
        statuses.iter().flat_map(|status| of.iter().map(|of| Stream { status: *status, of: *of })).collect()
    }
}

fn first_of(mut places: Vec<Place>, wanted: usize) -> (Vec<Place>, Option<Place>) {
    let has_more = places.len() > wanted;
    places.truncate(wanted);
    let last = places.last().cloned().filter(|_| has_more);
    (places, last)
}

/// Orders merged into one.
pub(super) struct Walk<'f, 'a> {
    finder: &'f Finder<'a>,
    heads: Vec<Head>,
    chunk: usize,
}

struct Head {
    stream: Stream,
    read: VecDeque<Place>,
    after: Option<Place>,
    is_over: bool,
}

impl<'f, 'a> Walk<'f, 'a> {
    pub fn new(finder: &'f Finder<'a>, after: Option<Place>, chunk: usize) -> Self {
        let head = |stream| Head { stream, read: VecDeque::new(), after: after.clone(), is_over: false };
        Self { heads: finder.streams().into_iter().map(head).collect(), finder, chunk }
    }

    /// The next `count`, fewer only at the end.
    pub fn next(&mut self, conn: &mut Conn, count: usize) -> StoreResult<Vec<Place>> {
        let mut places = Vec::new();
        while places.len() < count {
            for head in &mut self.heads {
                if head.read.is_empty() && !head.is_over {
                    head.read_on(conn, self.finder, self.chunk)?;
                }
            }
            let sort = self.finder.columns.sort;
            let first = self.heads.iter_mut().filter(|head| !head.read.is_empty()).min_by(|a, b| {
                let (Some(a), Some(b)) = (a.read.front(), b.read.front()) else { return std::cmp::Ordering::Equal };
                sort.compare(a, b)
            });
            let Some(place) = first.and_then(|head| head.read.pop_front()) else { break };
            places.push(place);
        }
        Ok(places)
    }
}

impl Head {
    fn read_on(&mut self, conn: &mut Conn, finder: &Finder, count: usize) -> StoreResult<()> {
        let (asked, columns) = ((finder.asking, finder.filter), finder.columns);
        let read = queries::list_stream(conn, asked, self.stream, columns, self.after.as_ref(), count)?;
        let is_over = read.len() < count;
        if let (true, StreamOf::Risky(site)) = (is_over, self.stream.of) {
            self.stream.of = StreamOf::Calm(site);
            if read.is_empty() {
                return self.read_on(conn, finder, count);
            }
        } else {
            self.is_over = is_over;
        }
        self.after = read.last().cloned().or(self.after.take());
        self.read = read.into();
        Ok(())
    }
}

impl QueueSort {
    /// Which of two places comes first.
    pub(super) fn compare(self, a: &Place, b: &Place) -> std::cmp::Ordering {
        let by_time = || (a.created_at, a.id.get()).cmp(&(b.created_at, b.id.get()));
        match self {
            Self::Oldest => by_time(),
            Self::Newest => by_time().reverse(),
            Self::Risk => b.risk.total_cmp(&a.risk).then_with(by_time),
        }
    }
}

#[cfg(test)]
mod tests;
