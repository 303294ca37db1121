//! All SQL about people: who there is, what they are called, which sites they have.

use diesel::prelude::*;

use crate::accounts::people::folded;
use crate::accounts::{Access, Moderator, Role, StaffNames};
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, ModeratorId, SiteId};
use crate::kit::text;
use crate::store::schema::{moderator_sites, moderators, sites};
use crate::store::{Conn, Db, StoreResult};

use super::keys;
use super::second_factor::SecondFactorRow;

/// Sites whose names are looked at when a password is judged.
const MOST_SITE_WORDS: i64 = 50;

/// What signing in and new passwords need of an account.
#[derive(Queryable, Selectable)]
#[diesel(table_name = moderators)]
#[diesel(check_for_backend(Db))]
pub struct Credentials {
    pub id: ModeratorId,
    pub username: String,
    pub display_name: String,
    pub password_hash: String,
    pub is_disabled: bool,
    pub removed_at: Option<Millis>,
    #[diesel(embed)]
    pub second_factor: SecondFactorRow,
}

/// A moderator as the command line lists them.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = moderators)]
#[diesel(check_for_backend(Db))]
pub struct ModeratorRow {
    pub id: ModeratorId,
    pub username: String,
    pub display_name: String,
    pub role: String,
    pub is_disabled: bool,
    pub created_at: Millis,
    pub totp_confirmed_at: Option<Millis>,
}

/// A moderator to be written.
#[derive(Insertable)]
#[diesel(table_name = moderators)]
pub struct NewModerator {
    pub id: ModeratorId,
    username: String,
    username_folded: String,
    display_name: String,
    lookalike_a: String,
    lookalike_b: String,
    role: &'static str,
    password_hash: String,
    is_disabled: bool,
    created_at: Millis,
}

impl NewModerator {
    pub fn new(
        id: ModeratorId,
        username: String,
        display_name: &str,
        role: Role,
        password_hash: String,
        created_at: Millis,
    ) -> Self {
        let [lookalike_a, lookalike_b] = text::lookalike_keys(display_name);
        Self {
            id,
            username_folded: folded(&username),
            username,
            display_name: display_name.to_owned(),
            lookalike_a,
            lookalike_b,
            role: role.as_str(),
            password_hash,
            is_disabled: false,
            created_at,
        }
    }
}

pub fn find_credentials(conn: &mut Conn, username: &str) -> StoreResult<Option<Credentials>> {
    Ok(moderators::table
        .filter(moderators::username_folded.eq(folded(username)))
        .select(Credentials::as_select())
        .first(conn)
        .optional()?)
}

pub fn find_credentials_by_id(conn: &mut Conn, id: ModeratorId) -> StoreResult<Option<Credentials>> {
    Ok(moderators::table.find(id).select(Credentials::as_select()).first(conn).optional()?)
}

/// Keys and names of sites, as words that no password may consist of.
pub fn list_site_words(conn: &mut Conn) -> StoreResult<Vec<String>> {
    let sites = sites::table.order(sites::id).limit(MOST_SITE_WORDS).select((sites::key, sites::name));
    let words: Vec<(String, String)> = sites.load(conn)?;
    Ok(words.into_iter().flat_map(|(key, name)| [key, name]).collect())
}

pub fn find_moderator_by_name(conn: &mut Conn, username: &str) -> StoreResult<Option<Moderator>> {
    let row = moderators::table
        .filter(moderators::username_folded.eq(folded(username)))
        .filter(moderators::removed_at.is_null())
        .select(ModeratorRow::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| with_sites(conn, row, Access::Program)).transpose()
}

/// Whoever began something that goes on without them, and what they may now; none when they are disabled or removed, or
/// the key that they began it with is over.
///
/// # Errors
/// Those of the store.
pub fn find_acting(
    conn: &mut Conn,
    id: ModeratorId,
    key: Option<ApiKeyId>,
    now: Millis,
) -> StoreResult<Option<Moderator>> {
    if let Some(key) = key {
        return keys::find_by_id(conn, key, now);
    }
    let enabled = moderators::table
        .find(id)
        .filter(moderators::is_disabled.eq(false))
        .filter(moderators::removed_at.is_null())
        .select(ModeratorRow::as_select());
    let row = enabled.first(conn).optional()?;
    row.map(|row| with_sites(conn, row, Access::Program)).transpose()
}

/// The moderator of a row, as they were let in.
pub fn with_sites(conn: &mut Conn, row: ModeratorRow, access: Access) -> StoreResult<Moderator> {
    // A word that this program does not know was written by a newer one.
    let role = Role::parse(&row.role).unwrap_or(Role::LEAST);
    let sites = if role.has_all_sites() {
        Vec::new()
    } else {
        let own = moderator_sites::table.filter(moderator_sites::moderator_id.eq(row.id));
        own.select(moderator_sites::site_id).load(conn)?
    };
    Ok(Moderator {
        id: row.id,
        username: row.username,
        display_name: row.display_name,
        role,
        sites,
        has_second_factor: row.totp_confirmed_at.is_some(),
        access,
    })
}

/// The keys of the sites that a moderator has, in order; of all sites for an administrator.
pub fn list_site_keys(conn: &mut Conn, visible: Option<&[SiteId]>) -> StoreResult<Vec<String>> {
    let keys = sites::table.order(sites::key).select(sites::key).into_boxed::<Db>();
    Ok(match visible {
        Some(ids) => keys.filter(sites::id.eq_any(ids)).load(conn)?,
        None => keys.load(conn)?,
    })
}

pub fn list_moderators(conn: &mut Conn) -> StoreResult<Vec<ModeratorRow>> {
    let present = moderators::table.filter(moderators::removed_at.is_null());
    Ok(present.order(moderators::username_folded).select(ModeratorRow::as_select()).load(conn)?)
}

pub fn insert_moderator(conn: &mut Conn, row: &NewModerator, sites: &[SiteId]) -> StoreResult<()> {
    diesel::insert_into(moderators::table).values(row).execute(conn)?;
    add_sites(conn, row.id, sites)
}

/// Gives sites to somebody who does not have them.
pub fn add_sites(conn: &mut Conn, id: ModeratorId, sites: &[SiteId]) -> StoreResult<()> {
    for site in sites {
        diesel::insert_into(moderator_sites::table)
            .values((moderator_sites::moderator_id.eq(id), moderator_sites::site_id.eq(site)))
            .execute(conn)?;
    }
    Ok(())
}

pub fn load_password_hash(conn: &mut Conn, id: ModeratorId) -> StoreResult<String> {
    Ok(moderators::table.find(id).select(moderators::password_hash).first(conn)?)
}

pub fn set_password_hash(conn: &mut Conn, id: ModeratorId, hash: &str) -> StoreResult<()> {
    diesel::update(moderators::table.find(id)).set(moderators::password_hash.eq(hash)).execute(conn)?;
    Ok(())
}

/// The same, unless the hash is another by now; false then.
pub fn replace_password_hash(conn: &mut Conn, id: ModeratorId, before: &str, hash: &str) -> StoreResult<bool> {
    let unchanged = moderators::table.find(id).filter(moderators::password_hash.eq(before));
    Ok(diesel::update(unchanged).set(moderators::password_hash.eq(hash)).execute(conn)? == 1)
}

pub fn set_display_name(conn: &mut Conn, id: ModeratorId, name: &str) -> StoreResult<()> {
    let [a, b] = text::lookalike_keys(name);
    diesel::update(moderators::table.find(id))
        .set((moderators::display_name.eq(name), moderators::lookalike_a.eq(a), moderators::lookalike_b.eq(b)))
        .execute(conn)?;
    Ok(())
}

/// What the display names of enabled moderators are compared by.
///
/// # Errors
/// Those of the store.
pub fn load_staff_names(conn: &mut Conn) -> StoreResult<StaffNames> {
    let keys: Vec<(String, String)> = moderators::table
        .filter(moderators::is_disabled.eq(false))
        .select((moderators::lookalike_a, moderators::lookalike_b))
        .distinct()
        .load(conn)?;
    let (first, second) = keys.into_iter().unzip();
    Ok(StaffNames { keys: [first, second] })
}
