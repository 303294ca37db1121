//! All SQL by which administrators see and change people.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::accounts::Role;
use crate::kit::clock::Millis;
use crate::kit::ids::{ModeratorId, SiteId};
use crate::store::schema::{api_keys, moderator_sites, moderators, recovery_codes, sites};
use crate::store::{Conn, Db, StoreResult, lock_rows};

use super::people::add_sites;

/// A person as administrators see them.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = moderators)]
#[diesel(check_for_backend(Db))]
pub struct PersonRow {
    pub id: ModeratorId,
    pub username: String,
    pub display_name: String,
    pub role: String,
    pub is_disabled: bool,
    pub created_at: Millis,
    pub totp_confirmed_at: Option<Millis>,
}

impl PersonRow {
    /// Their role; the least when it is a word of a newer program.
    pub fn role(&self) -> Role {
        Role::parse(&self.role).unwrap_or(Role::LEAST)
    }
}

/// Somebody who was not removed.
pub fn find_person(conn: &mut Conn, id: ModeratorId) -> StoreResult<Option<PersonRow>> {
    let present = moderators::table.find(id).filter(moderators::removed_at.is_null());
    Ok(present.select(PersonRow::as_select()).first(conn).optional()?)
}

/// Keeps everybody else from changing somebody until the commit.
pub fn lock_person(conn: &mut Conn, id: ModeratorId) -> StoreResult<()> {
    Ok(lock_rows(conn, "SELECT id FROM moderators WHERE id = ANY($1) FOR UPDATE", vec![id.get()])?)
}

/// Those who were not removed, the first added first, after one of them.
pub fn list_people(conn: &mut Conn, after: Option<ModeratorId>, count: i64) -> StoreResult<Vec<PersonRow>> {
    let present = moderators::table
        .filter(moderators::removed_at.is_null())
        .order((moderators::created_at, moderators::id))
        .limit(count)
        .select(PersonRow::as_select())
        .into_boxed::<Db>();
    let Some(after) = after else { return Ok(present.load(conn)?) };
    // Whoever was removed in between still has a row, and so a place.
    let added: Millis = moderators::table.find(after).select(moderators::created_at).first(conn)?;
    let later = moderators::created_at.gt(added).or(moderators::created_at.eq(added).and(moderators::id.gt(after)));
    Ok(present.filter(later).load(conn)?)
}

/// Which sites these people have of their own, by key, in order.
pub fn load_site_keys(conn: &mut Conn, ids: &[ModeratorId]) -> StoreResult<HashMap<ModeratorId, Vec<String>>> {
    let pairs: Vec<(ModeratorId, String)> = moderator_sites::table
        .inner_join(sites::table)
        .filter(moderator_sites::moderator_id.eq_any(ids))
        .order(sites::key)
        .select((moderator_sites::moderator_id, sites::key))
        .load(conn)?;
    let mut keys: HashMap<ModeratorId, Vec<String>> = HashMap::new();
    for (id, key) in pairs {
        keys.entry(id).or_default().push(key);
    }
    Ok(keys)
}

/// The sites with these keys; those that there are.
pub fn find_sites(conn: &mut Conn, keys: &[String]) -> StoreResult<Vec<SiteId>> {
    Ok(sites::table.filter(sites::key.eq_any(keys)).order(sites::id).select(sites::id).load(conn)?)
}

/// The sites that somebody has of their own.
pub fn list_sites_of(conn: &mut Conn, id: ModeratorId) -> StoreResult<Vec<SiteId>> {
    let own = moderator_sites::table.filter(moderator_sites::moderator_id.eq(id));
    Ok(own.order(moderator_sites::site_id).select(moderator_sites::site_id).load(conn)?)
}

/// The enabled administrators. Until this transaction ends, no other changes one of them: two who remove each other at
/// once would else both find that there is another.
pub fn lock_admins(conn: &mut Conn) -> StoreResult<Vec<ModeratorId>> {
    let is_admin = moderators::role.eq(Role::Admin.as_str());
    let admins = moderators::table.filter(is_admin).filter(moderators::is_disabled.eq(false));
    diesel::update(admins).set(moderators::is_disabled.eq(false)).execute(conn)?;
    Ok(admins.select(moderators::id).load(conn)?)
}

pub fn set_role(conn: &mut Conn, id: ModeratorId, role: Role) -> StoreResult<()> {
    diesel::update(moderators::table.find(id)).set(moderators::role.eq(role.as_str())).execute(conn)?;
    Ok(())
}

pub fn set_sites(conn: &mut Conn, id: ModeratorId, sites: &[SiteId]) -> StoreResult<()> {
    diesel::delete(moderator_sites::table.filter(moderator_sites::moderator_id.eq(id))).execute(conn)?;
    add_sites(conn, id, sites)
}

pub fn set_disabled(conn: &mut Conn, id: ModeratorId, is_disabled: bool) -> StoreResult<()> {
    diesel::update(moderators::table.find(id)).set(moderators::is_disabled.eq(is_disabled)).execute(conn)?;
    Ok(())
}

/// Takes away all by which somebody could get in; the row stays, so that history can name them.
pub fn remove(conn: &mut Conn, id: ModeratorId, now: Millis) -> StoreResult<()> {
    diesel::update(moderators::table.find(id))
        .set((
            moderators::removed_at.eq(now),
            moderators::is_disabled.eq(true),
            moderators::totp_secret.eq(None::<Vec<u8>>),
            moderators::totp_confirmed_at.eq(None::<Millis>),
        ))
        .execute(conn)?;
    diesel::delete(api_keys::table.filter(api_keys::moderator_id.eq(id))).execute(conn)?;
    diesel::delete(recovery_codes::table.filter(recovery_codes::moderator_id.eq(id))).execute(conn)?;
    diesel::delete(moderator_sites::table.filter(moderator_sites::moderator_id.eq(id))).execute(conn)?;
    Ok(())
}
