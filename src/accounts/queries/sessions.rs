//! All SQL about sessions and their refresh tokens.

use diesel::prelude::*;

use crate::accounts::people::folded;
use crate::accounts::{Access, Moderator};
use crate::kit::clock::Millis;
use crate::kit::ids::{ModeratorId, SessionId};
use crate::kit::secret::Digest256;
use crate::store::schema::{moderators, refresh_tokens, sessions};
use crate::store::{Conn, Db, StoreResult};

use super::people::{ModeratorRow, with_sites};

/// Sign-ins that are looked at for addresses an account knows.
const MOST_ADDRESSES: i64 = 200;

/// A session to be written, with its first refresh token.
pub struct NewSession {
    pub id: SessionId,
    pub moderator: ModeratorId,
    pub created_at: Millis,
    pub address: String,
    pub user_agent: Option<String>,
    pub refresh_hash: Digest256,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
#[diesel(check_for_backend(Db))]
pub struct SessionRow {
    pub id: SessionId,
    pub created_at: Millis,
    pub last_used_at: Millis,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// A refresh token with its session.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct RefreshRow {
    pub session_id: SessionId,
    pub rotated_at: Option<Millis>,
    pub session_created_at: Millis,
    pub last_used_at: Millis,
    pub ended_at: Option<Millis>,
    pub moderator_id: ModeratorId,
    pub is_disabled: bool,
}

/// The enabled moderator of a session that has not ended.
pub fn find_signed_in(conn: &mut Conn, id: ModeratorId, session: SessionId) -> StoreResult<Option<Moderator>> {
    let row = sessions::table
        .inner_join(moderators::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::ended_at.is_null())
        .filter(moderators::id.eq(id))
        .filter(moderators::is_disabled.eq(false))
        .select(ModeratorRow::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| with_sites(conn, row, Access::Session(session))).transpose()
}

pub fn insert_session(conn: &mut Conn, session: &NewSession) -> StoreResult<()> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session.id),
            sessions::moderator_id.eq(session.moderator),
            sessions::created_at.eq(session.created_at),
            sessions::last_used_at.eq(session.created_at),
            sessions::address.eq(&session.address),
            sessions::user_agent.eq(&session.user_agent),
        ))
        .execute(conn)?;
    insert_refresh_token(conn, session.id, &session.refresh_hash, session.created_at)
}

pub fn insert_refresh_token(conn: &mut Conn, session: SessionId, hash: &Digest256, now: Millis) -> StoreResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::hash.eq(hash.as_slice()),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn find_refresh_token(conn: &mut Conn, hash: &Digest256) -> StoreResult<Option<RefreshRow>> {
    Ok(refresh_tokens::table
        .inner_join(sessions::table.inner_join(moderators::table))
        .filter(refresh_tokens::hash.eq(hash.as_slice()))
        .select((
            sessions::id,
            refresh_tokens::rotated_at,
            sessions::created_at,
            sessions::last_used_at,
            sessions::ended_at,
            moderators::id,
            moderators::is_disabled,
        ))
        .first(conn)
        .optional()?)
}

/// Marks a refresh token as used; false when it was already.
pub fn mark_rotated(conn: &mut Conn, hash: &Digest256, now: Millis) -> StoreResult<bool> {
    let unused = refresh_tokens::table.find(hash.as_slice()).filter(refresh_tokens::rotated_at.is_null());
    Ok(diesel::update(unused).set(refresh_tokens::rotated_at.eq(now)).execute(conn)? == 1)
}

pub fn touch_session(conn: &mut Conn, id: SessionId, now: Millis) -> StoreResult<()> {
    diesel::update(sessions::table.find(id)).set(sessions::last_used_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Ends a session; false when it had ended already.
pub fn end_session(conn: &mut Conn, id: SessionId, now: Millis) -> StoreResult<bool> {
    let live = sessions::table.find(id).filter(sessions::ended_at.is_null());
    Ok(diesel::update(live).set(sessions::ended_at.eq(now)).execute(conn)? == 1)
}

/// Ends every session of somebody, but for the one to keep; how many.
pub fn end_sessions(
    conn: &mut Conn,
    moderator: ModeratorId,
    kept: Option<SessionId>,
    now: Millis,
) -> StoreResult<usize> {
    // No session has the id 0.
    let kept = kept.unwrap_or(SessionId::new(0));
    let of_moderator = sessions::table.filter(sessions::moderator_id.eq(moderator)).filter(sessions::id.ne(kept));
    let live = of_moderator.filter(sessions::ended_at.is_null());
    Ok(diesel::update(live).set(sessions::ended_at.eq(now)).execute(conn)?)
}

/// What has not ended by itself: sessions used and begun after these moments.
#[derive(Debug, Clone, Copy)]
pub struct Alive {
    pub used_after: Millis,
    pub begun_after: Millis,
}

/// Somebody's live sessions, the newest first, after one of them.
pub fn list_sessions(
    conn: &mut Conn,
    moderator: ModeratorId,
    alive: Alive,
    after: Option<SessionId>,
    count: i64,
) -> StoreResult<Vec<SessionRow>> {
    let live = sessions::table
        .filter(sessions::moderator_id.eq(moderator))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::last_used_at.gt(alive.used_after))
        .filter(sessions::created_at.gt(alive.begun_after))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(count)
        .select(SessionRow::as_select())
        .into_boxed::<Db>();
    let Some(after) = after else { return Ok(live.load(conn)?) };
    let begun: Option<Millis> = sessions::table.find(after).select(sessions::created_at).first(conn).optional()?;
    // It is long over and forgotten: whatever came after it in the list is too.
    let Some(begun) = begun else { return Ok(Vec::new()) };
    let earlier = sessions::created_at.lt(begun).or(sessions::created_at.eq(begun).and(sessions::id.lt(after)));
    Ok(live.filter(earlier).load(conn)?)
}

/// Somebody's live session.
pub fn find_session(
    conn: &mut Conn,
    moderator: ModeratorId,
    alive: Alive,
    id: SessionId,
) -> StoreResult<Option<SessionRow>> {
    Ok(sessions::table
        .find(id)
        .filter(sessions::moderator_id.eq(moderator))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::last_used_at.gt(alive.used_after))
        .filter(sessions::created_at.gt(alive.begun_after))
        .select(SessionRow::as_select())
        .first(conn)
        .optional()?)
}

/// Addresses from which an account, by name, was signed in since a moment; the latest of them.
pub fn list_addresses(conn: &mut Conn, username: &str, since: Millis) -> StoreResult<Vec<String>> {
    let of_account = sessions::table
        .inner_join(moderators::table)
        .filter(moderators::username_folded.eq(folded(username)))
        .filter(sessions::created_at.ge(since))
        .order(sessions::created_at.desc())
        .limit(MOST_ADDRESSES);
    let addresses: Vec<Option<String>> = of_account.select(sessions::address).load(conn)?;
    Ok(addresses.into_iter().flatten().collect())
}

/// Deletes sessions last used before `moment`, with their tokens.
///
/// # Errors
/// Those of the store.
pub fn forget_old_sessions(conn: &mut Conn, moment: Millis) -> StoreResult<usize> {
    Ok(diesel::delete(sessions::table.filter(sessions::last_used_at.lt(moment))).execute(conn)?)
}
