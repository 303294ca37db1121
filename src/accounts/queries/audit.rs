//! SQL for reading the audit log with the names of people, keys and sites.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::accounts::people::folded;
use crate::audit::EntryRow;
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, AuditEntryId, ModeratorId, SiteId};
use crate::store::schema::{api_keys, audit_entries, moderators, sites};
use crate::store::{Conn, Db, StoreResult};

/// What a list is narrowed to.
pub struct Filter {
    /// Any of these; empty for all.
    pub actions: Vec<&'static str>,
    pub actor: Option<ModeratorId>,
    /// None for all, and for what concerns no site.
    pub sites: Option<Vec<SiteId>>,
    pub since: Option<Millis>,
    pub until: Option<Millis>,
}

/// An entry's place in the order of the log.
pub type Place = (Millis, AuditEntryId);

/// What things are called.
pub struct Names {
    pub usernames: HashMap<ModeratorId, String>,
    pub keys: HashMap<ApiKeyId, String>,
    pub sites: HashMap<SiteId, String>,
}

/// Where a list goes on: the place of an entry that one may see.
pub fn find_place(conn: &mut Conn, visible: Option<&[SiteId]>, id: i64) -> StoreResult<Option<Place>> {
    let mut query = audit_entries::table
        .filter(audit_entries::id.eq(id))
        .select((audit_entries::at, audit_entries::id))
        .into_boxed::<Db>();
    if let Some(visible) = visible {
        query = query.filter(audit_entries::site_id.eq_any(visible));
    }
    Ok(query.first(conn).optional()?)
}

/// Those that have their place in the chain, which is what the indexes hold.
pub fn list_entries(conn: &mut Conn, filter: &Filter, after: Option<Place>, limit: i64) -> StoreResult<Vec<EntryRow>> {
    let mut query = audit_entries::table
        .filter(audit_entries::seq.is_not_null())
        .select(EntryRow::as_select())
        .order((audit_entries::at.desc(), audit_entries::id.desc()))
        .limit(limit)
        .into_boxed::<Db>();
    if let Some(sites) = &filter.sites {
        query = query.filter(audit_entries::site_id.eq_any(sites));
    }
    if !filter.actions.is_empty() {
        query = query.filter(audit_entries::action.eq_any(&filter.actions));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_entries::actor_id.eq(actor));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_entries::at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_entries::at.lt(until));
    }
    if let Some((at, id)) = after {
        let is_older = audit_entries::at.lt(at).or(audit_entries::at.eq(at).and(audit_entries::id.lt(id)));
        query = query.filter(audit_entries::at.le(at)).filter(is_older);
    }
    Ok(query.load(conn)?)
}

pub fn load_names(conn: &mut Conn, rows: &[EntryRow]) -> StoreResult<Names> {
    let actors: Vec<ModeratorId> = rows.iter().filter_map(|row| row.actor_id).collect();
    let used_keys: Vec<ApiKeyId> = rows.iter().filter_map(|row| row.api_key_id).collect();
    let places: Vec<SiteId> = rows.iter().filter_map(|row| row.site_id).collect();
    let usernames: Vec<(ModeratorId, String)> = moderators::table
        .filter(moderators::id.eq_any(actors))
        .select((moderators::id, moderators::username))
        .load(conn)?;
    let keys: Vec<(ApiKeyId, String)> =
        api_keys::table.filter(api_keys::id.eq_any(used_keys)).select((api_keys::id, api_keys::name)).load(conn)?;
    let sites: Vec<(SiteId, String)> =
        sites::table.filter(sites::id.eq_any(places)).select((sites::id, sites::key)).load(conn)?;
    Ok(Names {
        usernames: usernames.into_iter().collect(),
        keys: keys.into_iter().collect(),
        sites: sites.into_iter().collect(),
    })
}

pub fn find_moderator_id(conn: &mut Conn, username: &str) -> StoreResult<Option<ModeratorId>> {
    let named = moderators::table.filter(moderators::username_folded.eq(folded(username)));
    Ok(named.select(moderators::id).first(conn).optional()?)
}

pub fn is_moderator(conn: &mut Conn, id: ModeratorId) -> StoreResult<bool> {
    let found: Option<ModeratorId> = moderators::table.find(id).select(moderators::id).first(conn).optional()?;
    Ok(found.is_some())
}
