//! What an `Idempotency-Key` was answered with, kept in the same commit as what it made.
//!
//! A row holds hashes of the key and of the request, the id of what was made and the status: never the answer,
//! which the feature builds again. The feature decides what a key's scope is and hashes that with it.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::secret::Digest256;

use super::schema::idempotency_keys;
use super::{Conn, StoreResult};

/// A key and the request it came with, as hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Hash of the key and its scope.
    pub key: Digest256,
    /// Hash of everything the request asks for.
    pub request: Digest256,
}

/// What the first request with a key was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The id of what it made.
    pub made_id: i64,
    /// Its HTTP status.
    pub status: u16,
    /// Whether it asked for the same.
    pub is_same_request: bool,
}

/// The answer kept for this key, if there is one.
///
/// # Errors
/// Those of the store.
pub fn find_kept_answer(conn: &mut Conn, replay: &Replay) -> StoreResult<Option<KeptAnswer>> {
    let row: Option<(Vec<u8>, i64, i16)> = idempotency_keys::table
        .find(replay.key.as_slice())
        .select((idempotency_keys::request_hash, idempotency_keys::made_id, idempotency_keys::status))
        .first(conn)
        .optional()?;
    Ok(row.map(|(request, made_id, status)| KeptAnswer {
        made_id,
        status: status.unsigned_abs(),
        is_same_request: request == replay.request,
    }))
}

/// Keeps an answer. Part of the transaction that makes what it answers for.
///
/// # Errors
/// Those of the store; `Taken(IdempotencyKey)` when another request with this key was faster.
pub fn keep_answer(conn: &mut Conn, replay: &Replay, made_id: i64, status: u16, now: Millis) -> StoreResult<()> {
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::key_hash.eq(replay.key.as_slice()),
            idempotency_keys::request_hash.eq(replay.request.as_slice()),
            idempotency_keys::made_id.eq(made_id),
            idempotency_keys::status.eq(i16::try_from(status).unwrap_or(200)),
            idempotency_keys::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets the answers given before `moment`.
///
/// # Errors
/// Those of the store.
pub fn forget_answers_before(conn: &mut Conn, moment: Millis) -> StoreResult<usize> {
    Ok(diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(moment))).execute(conn)?)
}
