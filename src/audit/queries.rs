//! All SQL about the audit log.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, AuditEntryId, ModeratorId, SiteId};
use crate::store::schema::audit_entries;
use crate::store::{Conn, Db, StoreResult, execute_on_either, try_lock_until_commit};

use super::Entry;
use super::chain;

/// An entry as it is kept.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
#[diesel(check_for_backend(Db))]
pub struct EntryRow {
    pub id: AuditEntryId,
    pub at: Millis,
    pub actor_id: Option<ModeratorId>,
    pub api_key_id: Option<ApiKeyId>,
    pub action: String,
    pub site_id: Option<SiteId>,
    pub subject_kind: Option<String>,
    pub subject_id: Option<i64>,
    pub facts: String,
    pub private: Option<String>,
    pub salt: Option<Vec<u8>>,
    pub private_hash: Option<Vec<u8>>,
    pub seq: Option<i64>,
    pub hash: Option<Vec<u8>>,
}

/// Writes an entry. Call it inside the transaction of the act that it tells of.
///
/// # Errors
/// Those of the store; then the act must not happen either.
pub fn record(conn: &mut Conn, entry: &Entry) -> StoreResult<()> {
    let blank = &entry.blank;
    let facts = serde_json::Value::Object(entry.facts.clone()).to_string();
    let private = (!entry.private.is_empty()).then(|| serde_json::Value::Object(entry.private.clone()).to_string());
    let private_hash = private.as_ref().map(|private| chain::hash_private(&blank.salt, private));
    let insert = diesel::insert_into(audit_entries::table).values((
        audit_entries::id.eq(blank.id),
        audit_entries::at.eq(blank.at),
        audit_entries::actor_id.eq(entry.actor.moderator),
        audit_entries::api_key_id.eq(entry.actor.key),
        audit_entries::action.eq(entry.action.as_str()),
        audit_entries::site_id.eq(entry.site),
        audit_entries::subject_kind.eq(entry.subject.map(super::Subject::kind)),
        audit_entries::subject_id.eq(entry.subject.map(super::Subject::number)),
        audit_entries::facts.eq(facts),
        audit_entries::salt.eq(private.is_some().then_some(blank.salt.as_slice())),
        audit_entries::private.eq(private),
        audit_entries::private_hash.eq(private_hash.as_ref().map(<[u8; 32]>::as_slice)),
    ));
    execute_on_either(conn, insert)?;
    Ok(())
}

/// Whether this transaction is the one that may seal, over all nodes.
pub(super) fn is_sealer(conn: &mut Conn) -> StoreResult<bool> {
    /// Any number, the same in every version.
    const SEALING: i32 = 7_303_014;
    Ok(try_lock_until_commit(conn, SEALING)?)
}

pub(super) fn has_unsealed(conn: &mut Conn) -> StoreResult<bool> {
    let unsealed = audit_entries::table.filter(audit_entries::seq.is_null());
    Ok(unsealed.select(audit_entries::id).first::<AuditEntryId>(conn).optional()?.is_some())
}

pub(super) fn count_unsealed(conn: &mut Conn) -> StoreResult<i64> {
    Ok(audit_entries::table.filter(audit_entries::seq.is_null()).count().get_result(conn)?)
}

pub(super) fn count_entries(conn: &mut Conn) -> StoreResult<i64> {
    Ok(audit_entries::table.count().get_result(conn)?)
}

/// What waits to be sealed, in the order of what happened.
pub(super) fn list_unsealed(conn: &mut Conn, limit: i64) -> StoreResult<Vec<EntryRow>> {
    Ok(audit_entries::table
        .filter(audit_entries::seq.is_null())
        .order((audit_entries::at, audit_entries::id))
        .limit(limit)
        .select(EntryRow::as_select())
        .load(conn)?)
}

/// The last place of the chain, and its hash.
pub(super) fn find_head(conn: &mut Conn) -> StoreResult<Option<(i64, Vec<u8>)>> {
    let head: Option<(Option<i64>, Option<Vec<u8>>)> = audit_entries::table
        .filter(audit_entries::seq.is_not_null())
        .order(audit_entries::seq.desc())
        .select((audit_entries::seq, audit_entries::hash))
        .first(conn)
        .optional()?;
    Ok(head.and_then(|(seq, hash)| seq.zip(hash)))
}

pub(super) fn seal_entry(conn: &mut Conn, id: AuditEntryId, seq: i64, hash: &[u8]) -> StoreResult<()> {
    diesel::update(audit_entries::table.find(id))
        .set((audit_entries::seq.eq(seq), audit_entries::hash.eq(hash)))
        .execute(conn)?;
    Ok(())
}

/// The chain from a place on, in order; where somebody put two entries at one place, both.
pub(super) fn list_chain(
    conn: &mut Conn,
    after: Option<(i64, AuditEntryId)>,
    limit: i64,
) -> StoreResult<Vec<EntryRow>> {
    let chain = audit_entries::table
        .filter(audit_entries::seq.is_not_null())
        .order((audit_entries::seq, audit_entries::id))
        .limit(limit)
        .select(EntryRow::as_select())
        .into_boxed::<Db>();
    Ok(match after {
        Some((seq, id)) => chain
            .filter(audit_entries::seq.ge(seq))
            .filter(audit_entries::seq.gt(seq).or(audit_entries::seq.eq(seq).and(audit_entries::id.gt(id))))
            .load(conn)?,
        None => chain.load(conn)?,
    })
}
