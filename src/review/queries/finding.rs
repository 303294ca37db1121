//! The SQL that finds comments: their orders, each served by an index, and what some of them are known by.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double};

use crate::campaigns::list_of_campaigns;
use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, SiteId};
use crate::kit::search::{IndexedWords, words_of};
use crate::review::filter::{Claimed, Filter};
use crate::review::finding::{Asking, Known};
use crate::review::queue::QueueSort;
use crate::store::schema::{articles, claims, comment_lookup, comment_rules, comments, sites};
use crate::store::{Conn, Db, StoreResult};

/// Ids asked for in one statement.
const MOST_IDS: usize = 2_000;

/// A comment's place in the orders of the queue.
#[derive(Debug, Clone, Queryable)]
pub(in crate::review) struct Place {
    pub id: CommentId,
    pub created_at: Millis,
    /// 0 where the order does not ask for it.
    pub risk: f64,
    /// 0 where nobody asks for it.
    pub version: i64,
}

impl Place {
    /// Whether it stands before another in the order of the newest.
    pub fn is_newer(&self, at: Millis, id: CommentId) -> bool {
        (self.created_at, self.id) > (at, id)
    }
}

/// Which columns of a place are read: those not asked for are not, so that the index alone answers.
#[derive(Debug, Clone, Copy)]
pub(in crate::review) struct Columns {
    pub sort: QueueSort,
    pub with_version: bool,
}

type PlaceColumns = (comments::id, comments::created_at, SqlLiteral<Double>, SqlLiteral<BigInt>);

impl Columns {
    fn select(self) -> PlaceColumns {
        let risk = if self.sort == QueueSort::Risk { "comments.risk" } else { "CAST(0 AS DOUBLE PRECISION)" };
        let version = if self.with_version { "comments.version" } else { "CAST(0 AS BIGINT)" };
        (comments::id, comments::created_at, sql(risk), sql(version))
    }
}

/// One of the orders that are merged: comments of one status, of one site or article.
#[derive(Debug, Clone, Copy)]
pub(in crate::review) struct Stream {
    pub status: Status,
    pub of: StreamOf,
}

/// What an order is of, as an index has it.
#[derive(Debug, Clone, Copy)]
pub(in crate::review) enum StreamOf {
    Article(ArticleId),
    Site(SiteId),
    /// Those of a site with a risk above 0: the others are in no index by risk, so that a post need not write it.
    Risky(SiteId),
    /// Those of a site with a risk of 0.
    Calm(SiteId),
}

/// Where comments are looked for at all.
#[derive(Debug, Clone)]
pub(in crate::review) struct Ground {
    pub statuses: Vec<Status>,
    pub sites: Vec<SiteId>,
    pub articles: Option<Vec<ArticleId>>,
}

type Condition<'a> = Box<dyn BoxableExpression<comments::table, Db, SqlType = Bool> + 'a>;

/// Where the list goes on: the place of a comment that one may see.
pub(in crate::review) fn find_place(
    conn: &mut Conn,
    visible: Option<&[SiteId]>,
    id: i64,
) -> StoreResult<Option<Place>> {
    let Some(id) = CommentId::from_number(id) else { return Ok(None) };
    let columns = Columns { sort: QueueSort::Risk, with_version: false };
    let mut query = comments::table.filter(comments::id.eq(id)).select(columns.select()).into_boxed::<Db>();
    if let Some(visible) = visible {
        query = query.filter(comments::site_id.eq_any(visible));
    }
    Ok(query.first(conn).optional()?)
}

/// Ids of comments that others hold now.
pub(in crate::review) fn list_claimed_by_others(conn: &mut Conn, asking: &Asking) -> StoreResult<Vec<i64>> {
    let others = claims::table
        .filter(claims::expires_at.gt(asking.now.0))
        .filter(claims::moderator_id.ne(asking.moderator.get()));
    Ok(others.select(claims::comment_id).load(conn)?)
}

/// Reads which sites and articles are meant.
pub(in crate::review) fn load_ground(conn: &mut Conn, asking: &Asking, filter: &Filter) -> StoreResult<Ground> {
    let mut of_sites = sites::table.select(sites::id).into_boxed::<Db>();
    if !filter.sites.is_empty() {
        of_sites = of_sites.filter(sites::key.eq_any(&filter.sites));
    }
    let mut among: Vec<SiteId> = of_sites.load(conn)?;
    if let Some(visible) = &asking.sites {
        among.retain(|id| visible.contains(id));
    }
    let articles = if filter.articles.is_empty() {
        None
    } else {
        let named = articles::table.filter(articles::site_id.eq_any(&among));
        Some(named.filter(articles::key.eq_any(&filter.articles)).select(articles::id).load(conn)?)
    };
    let statuses = if filter.statuses.is_empty() { Status::ALL.to_vec() } else { filter.statuses.clone() };
    Ok(Ground { statuses, sites: among, articles })
}

/// What must hold beside status, site and article, of what stands in the comments themselves and in their claims.
fn conditions<'a>(asking: &Asking, filter: &Filter) -> Vec<Condition<'a>> {
    let mut all: Vec<Condition<'a>> = Vec::new();
    if let Some(since) = filter.since {
        all.push(Box::new(comments::created_at.ge(since)));
    }
    if let Some(until) = filter.until {
        all.push(Box::new(comments::created_at.lt(until)));
    }
    match filter.is_reported {
        Some(true) => all.push(Box::new(sql::<Bool>("comments.reports > 0"))),
        Some(false) => all.push(Box::new(sql::<Bool>("comments.reports = 0"))),
        None => {}
    }
    let live = || {
        let claim = "EXISTS (SELECT 1 FROM claims WHERE claims.comment_id = comments.id AND claims.expires_at > ";
        sql::<Bool>(claim).bind::<BigInt, _>(asking.now.0)
    };
    match filter.claimed {
        Some(Claimed::Yes) => all.push(Box::new(live().sql(")"))),
        Some(Claimed::Me) => {
            let mine = live().sql(" AND claims.moderator_id = ").bind::<BigInt, _>(asking.moderator.get());
            all.push(Box::new(mine.sql(")")));
        }
        // Left out one by one: there are few, and PostgreSQL would rather sort all comments than look for each.
        Some(Claimed::No) | None => {}
    }
    all
}

fn is_past<'a>(sort: QueueSort, place: &Place) -> Condition<'a> {
    let (id, at, risk) = (place.id, place.created_at, place.risk);
    let later = comments::created_at
        .ge(at)
        .and(comments::created_at.gt(at).or(comments::created_at.eq(at).and(comments::id.gt(id))));
    match sort {
        QueueSort::Oldest => Box::new(later),
        QueueSort::Newest => Box::new(
            comments::created_at
                .le(at)
                .and(comments::created_at.lt(at).or(comments::created_at.eq(at).and(comments::id.lt(id)))),
        ),
        QueueSort::Risk => {
            Box::new(comments::risk.le(risk).and(comments::risk.lt(risk).or(comments::risk.eq(risk).and(later))))
        }
    }
}

/// What an order consists of. The bounds of the risk are written out: only so do both databases see that the index serves.
fn is_of<'a>(stream: Stream) -> Condition<'a> {
    let of = comments::status.eq(stream.status.as_str());
    match stream.of {
        StreamOf::Article(article) => Box::new(of.and(comments::article_id.eq(article))),
        StreamOf::Site(site) => Box::new(of.and(comments::site_id.eq(site))),
        StreamOf::Risky(site) => Box::new(of.and(comments::site_id.eq(site)).and(sql::<Bool>("comments.risk > 0"))),
        StreamOf::Calm(site) => Box::new(of.and(comments::site_id.eq(site)).and(sql::<Bool>("comments.risk = 0"))),
    }
}

/// The next of one order, after a place.
pub(in crate::review) fn list_stream(
    conn: &mut Conn,
    (asking, filter): (&Asking, &Filter),
    stream: Stream,
    columns: Columns,
    after: Option<&Place>,
    count: usize,
) -> StoreResult<Vec<Place>> {
    let mut query = comments::table
        .filter(is_of(stream))
        .select(columns.select())
        .limit(i64::try_from(count).unwrap_or(i64::MAX))
        .into_boxed::<Db>();
    // All that are calm come after any that is not; among themselves they stand by time.
    let is_calm = matches!(stream.of, StreamOf::Calm(_));
    let sort = if is_calm { QueueSort::Oldest } else { columns.sort };
    let after = after.filter(|place| !is_calm || place.risk <= 0.0).map(|place| is_past(sort, place));
    for condition in conditions(asking, filter).into_iter().chain(after) {
        query = query.filter(condition);
    }
    query = match sort {
        QueueSort::Oldest => query.order((comments::created_at, comments::id)),
        QueueSort::Newest => query.order((comments::created_at.desc(), comments::id.desc())),
        QueueSort::Risk => query.order((comments::risk.desc(), comments::created_at, comments::id)),
    };
    Ok(query.load(conn)?)
}

/// A comment that was found, for counting.
pub(in crate::review) type Counted = (CommentId, SiteId, String);

/// Those of these comments that everything holds for but what is indexed, in no order.
pub(in crate::review) fn list_places(
    conn: &mut Conn,
    (asking, filter, ground): (&Asking, &Filter, &Ground),
    ids: &[i64],
    columns: Columns,
) -> StoreResult<Vec<Place>> {
    let mut found = Vec::new();
    for ids in ids.chunks(MOST_IDS) {
        let mut query = comments::table.select(columns.select()).into_boxed::<Db>();
        for condition in on_ground(ground, ids).into_iter().chain(conditions(asking, filter)) {
            query = query.filter(condition);
        }
        found.extend(query.load::<Place>(conn)?);
    }
    Ok(found)
}

/// As [`list_places`], with what they are counted by.
pub(in crate::review) fn list_counted(
    conn: &mut Conn,
    (asking, filter, ground): (&Asking, &Filter, &Ground),
    ids: &[i64],
) -> StoreResult<Vec<Counted>> {
    let mut found = Vec::new();
    for ids in ids.chunks(MOST_IDS) {
        let mut query = comments::table.select((comments::id, comments::site_id, comments::status)).into_boxed::<Db>();
        for condition in on_ground(ground, ids).into_iter().chain(conditions(asking, filter)) {
            query = query.filter(condition);
        }
        found.extend(query.load::<Counted>(conn)?);
    }
    Ok(found)
}

/// Of these comments. What else must hold is written so that no index serves it: without figures about its tables SQLite
/// would rather read a whole site than look up a few thousand ids.
fn on_ground<'a>(ground: &'a Ground, ids: &[i64]) -> Vec<Condition<'a>> {
    let ids: Vec<CommentId> = ids.iter().copied().map(CommentId::new).collect();
    let mut all: Vec<Condition<'a>> = vec![Box::new(comments::id.eq_any(ids))];
    let statuses = ground.statuses.iter().map(|status| status.as_str());
    all.push(Box::new(comments::status.concat("").eq_any(statuses)));
    all.push(Box::new((comments::site_id + 0_i64).eq_any(&ground.sites)));
    if let Some(articles) = &ground.articles {
        all.push(Box::new((comments::article_id + 0_i64).eq_any(articles)));
    }
    all
}

/// How many comments one order has.
pub(in crate::review) fn count_stream(
    conn: &mut Conn,
    asking: &Asking,
    filter: &Filter,
    stream: Stream,
) -> StoreResult<i64> {
    let mut query = comments::table.filter(is_of(stream)).into_boxed::<Db>();
    for condition in conditions(asking, filter) {
        query = query.filter(condition);
    }
    Ok(query.count().get_result(conn)?)
}

/// The sites of articles.
pub(in crate::review) fn list_sites_of(
    conn: &mut Conn,
    articles: &[ArticleId],
) -> StoreResult<Vec<(ArticleId, SiteId)>> {
    let named = articles::table.filter(articles::id.eq_any(articles));
    Ok(named.select((articles::id, articles::site_id)).load(conn)?)
}

/// Ids of up to `most` comments that are known by this, in no order; of `among`, where that is said.
pub(in crate::review) fn list_known(
    conn: &mut Conn,
    known: &Known,
    (asking, among): (&Asking, Option<&[i64]>),
    most: i64,
) -> StoreResult<Vec<i64>> {
    let found: Vec<CommentId> = match known {
        Known::Reported => {
            let reported = comments::table.filter(sql::<Bool>("comments.reports > 0"));
            reported.select(comments::id).limit(most).load(conn)?
        }
        Known::Claimed(claimed) => {
            let mut live = claims::table
                .filter(claims::expires_at.gt(asking.now.0))
                .select(claims::comment_id)
                .limit(most)
                .into_boxed::<Db>();
            if *claimed == Claimed::Me {
                live = live.filter(claims::moderator_id.eq(asking.moderator.get()));
            }
            let ids: Vec<i64> = live.load(conn)?;
            ids.into_iter().map(CommentId::new).collect()
        }
        Known::Campaigns(campaigns) => list_of_campaigns(conn, campaigns, among, most)?,
        Known::Rules(rules) => {
            // One comment may have been held by several of them, and counts once.
            let mut held = comment_rules::table
                .filter(comment_rules::rule.eq_any(rules))
                .select(comment_rules::comment_id)
                .distinct()
                .limit(most)
                .into_boxed::<Db>();
            if let Some(among) = among {
                held = held.filter(comment_rules::comment_id.eq_any(among.iter().copied()));
            }
            let ids: Vec<i64> = held.load(conn)?;
            ids.into_iter().map(CommentId::new).collect()
        }
        Known::Authors(_) | Known::Emails(_) | Known::Networks(_) | Known::Reasons(_) => {
            let mut query = comment_lookup::table.select(comment_lookup::comment_id).limit(most).into_boxed::<Db>();
            if let Some(among) = among {
                query = query.filter(comment_lookup::comment_id.eq_any(among.iter().copied().map(CommentId::new)));
            }
            if let Some(condition) = is_known(known) {
                query = query.filter(condition);
            }
            query.load(conn)?
        }
    };
    Ok(found.into_iter().map(CommentId::get).collect())
}

type LookupCondition<'a> = Box<dyn BoxableExpression<comment_lookup::table, Db, SqlType = Bool> + 'a>;

fn is_known(known: &Known) -> Option<LookupCondition<'_>> {
    match known {
        Known::Authors(names) => Some(Box::new(comment_lookup::name.eq_any(names))),
        Known::Emails(emails) => Some(Box::new(comment_lookup::email.eq_any(emails).assume_not_null())),
        Known::Reasons(reasons) => Some(Box::new(comment_lookup::reason.eq_any(reasons).assume_not_null())),
        Known::Networks(networks) => {
            let within = networks.iter().map(|(low, high)| -> LookupCondition<'_> {
                Box::new(comment_lookup::address.between(low, high).assume_not_null())
            });
            within.reduce(|one, other| Box::new(one.or(other)))
        }
        Known::Rules(_) | Known::Campaigns(_) | Known::Reported | Known::Claimed(_) => None,
    }
}

/// The words of comments as they would be indexed now.
pub(in crate::review) fn load_words(
    conn: &mut Conn,
    ids: &[CommentId],
) -> StoreResult<Vec<(CommentId, usize, IndexedWords)>> {
    type Row = (CommentId, String, Option<String>, String, Option<String>);
    let rows: Vec<Row> = comments::table
        .filter(comments::id.eq_any(ids))
        .select((comments::id, comments::name, comments::url, comments::text, comments::email))
        .load(conn)?;
    let cut =
        |(id, name, url, text, email): Row| (id, text.len(), words_of(&name, url.as_deref(), &text, email.as_deref()));
    Ok(rows.into_iter().map(cut).collect())
}
