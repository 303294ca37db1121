//! All SQL about bans.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::kit::clock::Millis;
use crate::kit::ids::{BanId, DecisionId, ModeratorId, SiteId};
use crate::kit::key::Key;
use crate::sites::list_sites;
use crate::store::schema::{bans, moderators};
use crate::store::{Conn, Db, StoreError, StoreResult};

use super::book::Entry;
use super::{Ban, BanKind, Book, NewBan, Who};

/// The most bans about somebody that are shown.
const MOST_OF_ONE: i64 = 100;

/// A ban as it is kept.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = bans)]
#[diesel(check_for_backend(Db))]
pub struct BanRow {
    pub id: BanId,
    pub site_id: Option<SiteId>,
    pub kind: String,
    pub value: String,
    pub reason: String,
    pub moderator_id: ModeratorId,
    pub sweep_id: Option<DecisionId>,
    pub created_at: Millis,
    pub expires_at: Option<Millis>,
}

type Condition<'a> = Box<dyn BoxableExpression<bans::table, Db, SqlType = Bool> + 'a>;

/// Has not expired.
fn is_in_force(now: Millis) -> Condition<'static> {
    Box::new(bans::expires_at.is_null().or(bans::expires_at.gt(now).assume_not_null()))
}

/// Every ban, as it is compared. One that cannot be read, written by another version, bans nobody.
pub(super) fn load_book(conn: &mut Conn) -> StoreResult<Book> {
    type Row = (BanId, Option<SiteId>, String, String, String, Option<Millis>);
    let rows: Vec<Row> = bans::table
        .select((bans::id, bans::site_id, bans::kind, bans::low, bans::high, bans::expires_at))
        .order(bans::id)
        .load(conn)?;
    let mut book = Book::default();
    for (ban, site, kind, low, high, expires_at) in rows {
        if let Some(who) = BanKind::parse(&kind).and_then(|kind| Who::of_bounds(kind, &low, &high)) {
            book.add(&who, Entry { ban, site, expires_at });
        }
    }
    Ok(book)
}

/// A ban in force about the same, on the same site.
pub(super) fn find_same(conn: &mut Conn, new: &NewBan, now: Millis) -> StoreResult<Option<BanRow>> {
    let (low, high) = new.who.bounds();
    let same = bans::table
        .filter(bans::kind.eq(new.kind.as_str()).and(bans::low.eq(low)).and(bans::high.eq(high)))
        .filter(is_in_force(now))
        .select(BanRow::as_select())
        .into_boxed::<Db>();
    let same = match new.site {
        Some(site) => same.filter(bans::site_id.eq(site)),
        None => same.filter(bans::site_id.is_null()),
    };
    Ok(same.first(conn).optional()?)
}

pub(super) fn insert_ban(conn: &mut Conn, id: BanId, new: &NewBan, by: ModeratorId, now: Millis) -> StoreResult<()> {
    let (low, high) = new.who.bounds();
    diesel::insert_into(bans::table)
        .values((
            bans::id.eq(id),
            bans::site_id.eq(new.site),
            bans::kind.eq(new.kind.as_str()),
            bans::value.eq(&new.value),
            bans::low.eq(low),
            bans::high.eq(high),
            bans::reason.eq(&new.reason),
            bans::moderator_id.eq(by),
            bans::created_at.eq(now),
            bans::expires_at.eq(new.expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes with a ban which decisions swept what was there.
///
/// # Errors
/// Those of the store.
pub fn set_sweep(conn: &mut Conn, id: BanId, sweep: DecisionId) -> StoreResult<()> {
    diesel::update(bans::table.find(id)).set(bans::sweep_id.eq(sweep)).execute(conn)?;
    Ok(())
}

pub(super) fn find_ban(conn: &mut Conn, visible: Option<&[SiteId]>, id: BanId) -> StoreResult<Option<BanRow>> {
    let mut query = bans::table.filter(bans::id.eq(id)).select(BanRow::as_select()).into_boxed::<Db>();
    if let Some(visible) = visible {
        query = query.filter(bans::site_id.eq_any(visible).assume_not_null());
    }
    Ok(query.first(conn).optional()?)
}

pub(super) fn delete_ban(conn: &mut Conn, id: BanId) -> StoreResult<bool> {
    Ok(diesel::delete(bans::table.find(id)).execute(conn)? == 1)
}

/// Ids rise with time as far as anybody could tell, and the list needs no index of its own.
pub(super) fn list_rows(
    conn: &mut Conn,
    visible: Option<&[SiteId]>,
    after: Option<i64>,
    count: i64,
) -> StoreResult<Vec<BanRow>> {
    let mut query = bans::table.select(BanRow::as_select()).order(bans::id.desc()).limit(count).into_boxed::<Db>();
    if let Some(visible) = visible {
        query = query.filter(bans::site_id.eq_any(visible).assume_not_null());
    }
    if let Some(after) = after {
        query = query.filter(bans::id.lt(BanId::new(after)));
    }
    Ok(query.load(conn)?)
}

pub(super) fn list_rows_of(
    conn: &mut Conn,
    who: &Who,
    visible: Option<&[SiteId]>,
    now: Millis,
) -> StoreResult<Vec<BanRow>> {
    let kinds = match who {
        Who::Name(_) => vec![BanKind::Name.as_str()],
        Who::Email(_) => vec![BanKind::Email.as_str()],
        Who::Addresses { .. } => vec![BanKind::Address.as_str(), BanKind::Network.as_str()],
    };
    let (low, high) = who.bounds();
    let mut query = bans::table
        .filter(bans::kind.eq_any(kinds).and(bans::low.le(high)).and(bans::high.ge(low)))
        .filter(is_in_force(now))
        .select(BanRow::as_select())
        .order(bans::id.desc())
        .limit(MOST_OF_ONE)
        .into_boxed::<Db>();
    if let Some(visible) = visible {
        query = query.filter(bans::site_id.is_null().or(bans::site_id.eq_any(visible).assume_not_null()));
    }
    Ok(query.load(conn)?)
}

/// Adds the names of sites and moderators.
pub(super) fn with_names(conn: &mut Conn, rows: Vec<BanRow>) -> StoreResult<Vec<Ban>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sites: HashMap<SiteId, Key> = list_sites(conn)?.into_iter().map(|site| (site.id, site.key)).collect();
    let by: Vec<ModeratorId> = rows.iter().map(|row| row.moderator_id).collect();
    let names: Vec<(ModeratorId, String)> = moderators::table
        .filter(moderators::id.eq_any(by))
        .select((moderators::id, moderators::username))
        .load(conn)?;
    let names: HashMap<ModeratorId, String> = names.into_iter().collect();
    rows.into_iter()
        .map(|row| {
            let kind = BanKind::parse(&row.kind);
            Ok(Ban {
                kind: kind.ok_or_else(|| StoreError::Broken(format!("ban {}: its kind cannot be read", row.id)))?,
                site: row.site_id.and_then(|id| sites.get(&id).cloned()),
                by: names.get(&row.moderator_id).cloned(),
                id: row.id,
                value: row.value,
                reason: row.reason,
                created_at: row.created_at,
                expires_at: row.expires_at,
                sweep: row.sweep_id,
            })
        })
        .collect()
}
