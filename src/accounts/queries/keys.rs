//! All SQL about keys for programs.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::accounts::keys::KeyInfo;
use crate::accounts::{Access, KeyAccess, Moderator, Scope};
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, ModeratorId, SiteId};
use crate::kit::secret::Digest256;
use crate::store::schema::{api_keys, moderators, sites};
use crate::store::{Conn, Db, StoreResult};

use super::people::{ModeratorRow, with_sites};

/// A key to be written.
pub struct NewKey {
    pub id: ApiKeyId,
    pub moderator: ModeratorId,
    pub name: String,
    pub hash: Digest256,
    pub scopes: Vec<Scope>,
    pub sites: Option<Vec<SiteId>>,
    pub created_at: Millis,
    pub expires_at: Millis,
}

/// A key as it is kept; JSON in texts.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
#[diesel(check_for_backend(Db))]
struct KeyRow {
    id: ApiKeyId,
    name: String,
    scopes: String,
    sites: Option<String>,
    created_at: Millis,
    expires_at: Millis,
    last_used_at: Option<Millis>,
}

impl KeyRow {
    /// What it was made for. A word that this program does not know lets nothing through.
    fn scopes(&self) -> Vec<Scope> {
        let words: Vec<String> = serde_json::from_str(&self.scopes).unwrap_or_default();
        words.iter().filter_map(|word| Scope::parse(word)).collect()
    }

    /// The sites it is limited to; no site at all when that cannot be read.
    fn sites(&self) -> Option<Vec<SiteId>> {
        let numbers: Vec<i64> = serde_json::from_str(self.sites.as_deref()?).unwrap_or_default();
        Some(numbers.into_iter().map(SiteId::new).collect())
    }
}

/// The enabled owner of a key that is good now, and when it was last used.
pub fn find_by_hash(
    conn: &mut Conn,
    hash: &Digest256,
    now: Millis,
) -> StoreResult<Option<(Moderator, Option<Millis>)>> {
    let found: Option<(KeyRow, ModeratorRow)> = api_keys::table
        .inner_join(moderators::table)
        .filter(api_keys::hash.eq(hash.as_slice()))
        .filter(api_keys::expires_at.gt(now))
        .filter(moderators::is_disabled.eq(false))
        .filter(moderators::removed_at.is_null())
        .select((KeyRow::as_select(), ModeratorRow::as_select()))
        .first(conn)
        .optional()?;
    let Some((key, owner)) = found else { return Ok(None) };
    let access = Access::Key(KeyAccess { id: key.id, scopes: key.scopes(), sites: key.sites() });
    Ok(Some((with_sites(conn, owner, access)?, key.last_used_at)))
}

/// The enabled owner of the key with this id, if it is good now.
pub fn find_by_id(conn: &mut Conn, id: ApiKeyId, now: Millis) -> StoreResult<Option<Moderator>> {
    let hash: Option<Vec<u8>> = api_keys::table.find(id).select(api_keys::hash).first(conn).optional()?;
    let Some(hash) = hash.and_then(|hash| Digest256::try_from(hash).ok()) else { return Ok(None) };
    Ok(find_by_hash(conn, &hash, now)?.map(|(moderator, _)| moderator))
}

/// Notes when a key was used, unless another node has noted a later use.
pub fn note_use(conn: &mut Conn, id: ApiKeyId, now: Millis) -> StoreResult<()> {
    let earlier = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(now));
    diesel::update(api_keys::table.find(id).filter(earlier)).set(api_keys::last_used_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Makes whoever else would give this moderator a key wait until this transaction is over.
pub fn lock_owner(conn: &mut Conn, id: ModeratorId) -> StoreResult<()> {
    diesel::update(moderators::table.find(id)).set(moderators::id.eq(moderators::id)).execute(conn)?;
    Ok(())
}

pub fn count_live_keys(conn: &mut Conn, owner: ModeratorId, now: Millis) -> StoreResult<i64> {
    let own = api_keys::table.filter(api_keys::moderator_id.eq(owner)).filter(api_keys::expires_at.gt(now));
    Ok(own.count().get_result(conn)?)
}

pub fn insert_key(conn: &mut Conn, key: &NewKey) -> StoreResult<()> {
    let words: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let numbers = key.sites.as_ref().map(|sites| sites.iter().map(|site| site.get()).collect::<Vec<_>>());
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(key.id),
            api_keys::moderator_id.eq(key.moderator),
            api_keys::name.eq(&key.name),
            api_keys::hash.eq(key.hash.as_slice()),
            api_keys::scopes.eq(serde_json::Value::from(words).to_string()),
            api_keys::sites.eq(numbers.map(|numbers| serde_json::Value::from(numbers).to_string())),
            api_keys::created_at.eq(key.created_at),
            api_keys::expires_at.eq(key.expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn list_keys(conn: &mut Conn, owner: ModeratorId) -> StoreResult<Vec<KeyInfo>> {
    let rows: Vec<KeyRow> = api_keys::table
        .filter(api_keys::moderator_id.eq(owner))
        .order((api_keys::created_at.desc(), api_keys::id.desc()))
        .select(KeyRow::as_select())
        .load(conn)?;
    let names: HashMap<SiteId, String> =
        sites::table.select((sites::id, sites::key)).load::<(SiteId, String)>(conn)?.into_iter().collect();
    Ok(rows
        .into_iter()
        .map(|row| KeyInfo {
            scopes: row.scopes(),
            sites: row.sites().map(|ids| ids.iter().filter_map(|id| names.get(id).cloned()).collect()),
            id: row.id,
            name: row.name,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        })
        .collect())
}

/// Ends every key of somebody.
pub fn delete_keys(conn: &mut Conn, owner: ModeratorId) -> StoreResult<()> {
    diesel::delete(api_keys::table.filter(api_keys::moderator_id.eq(owner))).execute(conn)?;
    Ok(())
}

/// Deletes a key of a moderator's and says what it was called.
pub fn delete_key(conn: &mut Conn, owner: ModeratorId, id: ApiKeyId) -> StoreResult<Option<String>> {
    let own = api_keys::table.filter(api_keys::id.eq(id)).filter(api_keys::moderator_id.eq(owner));
    let name = own.select(api_keys::name).first(conn).optional()?;
    // Twice at once is one ending: the second finds nothing to delete.
    let count = diesel::delete(own).execute(conn)?;
    Ok(name.filter(|_| count == 1))
}

/// Deletes keys that expired before `moment`.
///
/// # Errors
/// Those of the store.
pub fn forget_old_keys(conn: &mut Conn, moment: Millis) -> StoreResult<usize> {
    Ok(diesel::delete(api_keys::table.filter(api_keys::expires_at.lt(moment))).execute(conn)?)
}

/// Of these keys of sites, those of sites that one may see, with their ids.
pub fn list_sites_by_key(
    conn: &mut Conn,
    visible: Option<&[SiteId]>,
    keys: &[String],
) -> StoreResult<Vec<(SiteId, String)>> {
    let named = sites::table.filter(sites::key.eq_any(keys)).select((sites::id, sites::key)).into_boxed::<Db>();
    Ok(match visible {
        Some(visible) => named.filter(sites::id.eq_any(visible)).load(conn)?,
        None => named.load(conn)?,
    })
}
