//! All SQL about sites.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::SiteId;
use crate::kit::key::Key;
use crate::store::schema::sites;
use crate::store::{Conn, Db, StoreError, StoreResult};

use super::{Site, SiteSettings};

/// A site as it is stored; JSON in texts.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sites)]
#[diesel(check_for_backend(Db))]
pub struct SiteRow {
    pub id: SiteId,
    pub key: String,
    pub name: String,
    pub language: String,
    pub origins: String,
    pub settings: String,
}

impl SiteRow {
    /// Reads the texts.
    ///
    /// # Errors
    /// When somebody wrote into the table by hand what no site can be.
    pub fn into_site(self) -> StoreResult<Site> {
        let broken = |what: &str| StoreError::Broken(format!("site {}: its {what} cannot be read", self.id));
        Ok(Site {
            id: self.id,
            key: Key::parse(&self.key).ok_or_else(|| broken("key"))?,
            origins: serde_json::from_str(&self.origins).map_err(|_| broken("origins"))?,
            settings: serde_json::from_str(&self.settings).map_err(|_| broken("settings"))?,
            name: self.name,
            language: self.language,
        })
    }
}

/// The site called `key`.
///
/// # Errors
/// Those of the store.
pub fn find_site(conn: &mut Conn, key: &Key) -> StoreResult<Option<Site>> {
    let row = sites::table.filter(sites::key.eq(key.as_str())).select(SiteRow::as_select()).first(conn).optional()?;
    row.map(SiteRow::into_site).transpose()
}

/// The site with this id.
///
/// # Errors
/// Those of the store.
pub fn find_site_by_id(conn: &mut Conn, id: SiteId) -> StoreResult<Option<Site>> {
    let row = sites::table.find(id).select(SiteRow::as_select()).first(conn).optional()?;
    row.map(SiteRow::into_site).transpose()
}

/// All sites, by key.
///
/// # Errors
/// Those of the store.
pub fn list_sites(conn: &mut Conn) -> StoreResult<Vec<Site>> {
    let rows = sites::table.order(sites::key).select(SiteRow::as_select()).load(conn)?;
    rows.into_iter().map(SiteRow::into_site).collect()
}

/// A page of sites, the first added first: those of `visible`, or all, after `after`.
pub(super) fn list_page(
    conn: &mut Conn,
    visible: Option<&[SiteId]>,
    after: Option<i64>,
    count: i64,
) -> StoreResult<Vec<Site>> {
    let mut query = sites::table.order(sites::id).limit(count).select(SiteRow::as_select()).into_boxed::<Db>();
    if let Some(visible) = visible {
        query = query.filter(sites::id.eq_any(visible));
    }
    if let Some(after) = after {
        query = query.filter(sites::id.gt(SiteId::new(after)));
    }
    query.load(conn)?.into_iter().map(SiteRow::into_site).collect()
}

/// The site called `key`, which nobody else changes until this transaction ends: who changes a site writes all of it.
pub(super) fn find_site_to_change(conn: &mut Conn, key: &Key) -> StoreResult<Option<Site>> {
    // Changes nothing, and so locks the row on PostgreSQL; on SQLite there is one writer anyway.
    diesel::update(sites::table.filter(sites::key.eq(key.as_str()))).set(sites::key.eq(key.as_str())).execute(conn)?;
    find_site(conn, key)
}

pub(super) fn insert_site(conn: &mut Conn, site: &Site, now: Millis) -> StoreResult<()> {
    diesel::insert_into(sites::table)
        .values((
            sites::id.eq(site.id),
            sites::key.eq(site.key.as_str()),
            sites::name.eq(&site.name),
            sites::language.eq(&site.language),
            sites::origins.eq(origins_json(site)),
            sites::settings.eq(settings_json(&site.settings)),
            sites::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn update_site(conn: &mut Conn, site: &Site) -> StoreResult<()> {
    diesel::update(sites::table.find(site.id))
        .set((
            sites::name.eq(&site.name),
            sites::language.eq(&site.language),
            sites::origins.eq(origins_json(site)),
            sites::settings.eq(settings_json(&site.settings)),
        ))
        .execute(conn)?;
    Ok(())
}

fn origins_json(site: &Site) -> String {
    serde_json::Value::from(site.origins.clone()).to_string()
}

/// Only what differs from the defaults, so that a default of tomorrow reaches sites that never changed it.
fn settings_json(settings: &SiteSettings) -> String {
    let (Ok(serde_json::Value::Object(mut all)), Ok(serde_json::Value::Object(defaults))) =
        (serde_json::to_value(settings), serde_json::to_value(SiteSettings::default()))
    else {
        return "{}".to_owned();
    };
    all.retain(|name, value| defaults.get(name) != Some(value));
    serde_json::Value::Object(all).to_string()
}
