//! All SQL about moderators, their sessions and their tokens.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::{ModeratorId, SessionId, SiteId};
use crate::kit::secret::Digest256;
use crate::kit::text;
use crate::store::schema::{moderator_sites, moderators, refresh_tokens, sessions, sites};
use crate::store::{Conn, Db, StoreResult};

use super::people::folded;
use super::{Moderator, Role, StaffNames};

/// What signing in needs of an account.
#[derive(Queryable, Selectable)]
#[diesel(table_name = moderators)]
#[diesel(check_for_backend(Db))]
pub(super) struct Credentials {
    pub id: ModeratorId,
    pub password_hash: String,
    pub is_disabled: bool,
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
}

/// A moderator to be written.
#[derive(Insertable)]
#[diesel(table_name = moderators)]
pub(super) struct NewModerator {
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

/// A session to be written, with its first refresh token.
pub(super) struct NewSession {
    pub id: SessionId,
    pub moderator: ModeratorId,
    pub created_at: Millis,
    pub address: String,
    pub user_agent: Option<String>,
    pub refresh_hash: Digest256,
}

/// A refresh token with its session.
#[derive(Debug, Clone, Copy, Queryable)]
pub(super) struct RefreshRow {
    pub session_id: SessionId,
    pub rotated_at: Option<Millis>,
    pub session_created_at: Millis,
    pub last_used_at: Millis,
    pub ended_at: Option<Millis>,
    pub moderator_id: ModeratorId,
    pub is_disabled: bool,
}

pub(super) fn find_credentials(conn: &mut Conn, username: &str) -> StoreResult<Option<Credentials>> {
    Ok(moderators::table
        .filter(moderators::username_folded.eq(folded(username)))
        .select(Credentials::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn find_moderator_by_name(conn: &mut Conn, username: &str) -> StoreResult<Option<Moderator>> {
    let row = moderators::table
        .filter(moderators::username_folded.eq(folded(username)))
        .select(ModeratorRow::as_select())
        .first(conn)
        .optional()?;
    // Acting without a session: no session has the id 0.
    row.map(|row| with_sites(conn, row, SessionId::new(0))).transpose()
}

/// The enabled moderator of a session that has not ended.
pub(super) fn find_signed_in(conn: &mut Conn, id: ModeratorId, session: SessionId) -> StoreResult<Option<Moderator>> {
    let row = sessions::table
        .inner_join(moderators::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::ended_at.is_null())
        .filter(moderators::id.eq(id))
        .filter(moderators::is_disabled.eq(false))
        .select(ModeratorRow::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| with_sites(conn, row, session)).transpose()
}

fn with_sites(conn: &mut Conn, row: ModeratorRow, session: SessionId) -> StoreResult<Moderator> {
    // A role this program does not know, written by a newer one, may do the least.
    let role = Role::parse(&row.role).unwrap_or(Role::Moderator);
    let sites = match role {
        Role::Admin => Vec::new(),
        Role::Moderator => moderator_sites::table
            .filter(moderator_sites::moderator_id.eq(row.id))
            .select(moderator_sites::site_id)
            .load(conn)?,
    };
    Ok(Moderator { id: row.id, session, username: row.username, display_name: row.display_name, role, sites })
}

/// The keys of the sites that a moderator has, in order; of all sites for an administrator.
pub(super) fn list_site_keys(conn: &mut Conn, visible: Option<&[SiteId]>) -> StoreResult<Vec<String>> {
    let keys = sites::table.order(sites::key).select(sites::key).into_boxed::<Db>();
    Ok(match visible {
        Some(ids) => keys.filter(sites::id.eq_any(ids)).load(conn)?,
        None => keys.load(conn)?,
    })
}

pub(super) fn list_moderators(conn: &mut Conn) -> StoreResult<Vec<ModeratorRow>> {
    Ok(moderators::table.order(moderators::username_folded).select(ModeratorRow::as_select()).load(conn)?)
}

pub(super) fn insert_moderator(conn: &mut Conn, row: &NewModerator, sites: &[SiteId]) -> StoreResult<()> {
    diesel::insert_into(moderators::table).values(row).execute(conn)?;
    for site in sites {
        diesel::insert_into(moderator_sites::table)
            .values((moderator_sites::moderator_id.eq(row.id), moderator_sites::site_id.eq(site)))
            .execute(conn)?;
    }
    Ok(())
}

pub(super) fn set_password_hash(conn: &mut Conn, id: ModeratorId, hash: &str) -> StoreResult<()> {
    diesel::update(moderators::table.find(id)).set(moderators::password_hash.eq(hash)).execute(conn)?;
    Ok(())
}

pub(super) fn set_display_name(conn: &mut Conn, id: ModeratorId, name: &str) -> StoreResult<()> {
    let [a, b] = text::lookalike_keys(name);
    diesel::update(moderators::table.find(id))
        .set((moderators::display_name.eq(name), moderators::lookalike_a.eq(a), moderators::lookalike_b.eq(b)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn disable(conn: &mut Conn, id: ModeratorId) -> StoreResult<()> {
    diesel::update(moderators::table.find(id)).set(moderators::is_disabled.eq(true)).execute(conn)?;
    Ok(())
}

pub(super) fn is_last_admin(conn: &mut Conn, id: ModeratorId) -> StoreResult<bool> {
    let admins: Vec<ModeratorId> = moderators::table
        .filter(moderators::role.eq(Role::Admin.as_str()))
        .filter(moderators::is_disabled.eq(false))
        .select(moderators::id)
        .load(conn)?;
    Ok(admins == [id])
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

pub(super) fn insert_session(conn: &mut Conn, session: &NewSession) -> StoreResult<()> {
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

pub(super) fn insert_refresh_token(
    conn: &mut Conn,
    session: SessionId,
    hash: &Digest256,
    now: Millis,
) -> StoreResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::hash.eq(hash.as_slice()),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn find_refresh_token(conn: &mut Conn, hash: &Digest256) -> StoreResult<Option<RefreshRow>> {
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
pub(super) fn mark_rotated(conn: &mut Conn, hash: &Digest256, now: Millis) -> StoreResult<bool> {
    let unused = refresh_tokens::table.find(hash.as_slice()).filter(refresh_tokens::rotated_at.is_null());
    Ok(diesel::update(unused).set(refresh_tokens::rotated_at.eq(now)).execute(conn)? == 1)
}

pub(super) fn touch_session(conn: &mut Conn, id: SessionId, now: Millis) -> StoreResult<()> {
    diesel::update(sessions::table.find(id)).set(sessions::last_used_at.eq(now)).execute(conn)?;
    Ok(())
}

pub(super) fn end_session(conn: &mut Conn, id: SessionId, now: Millis) -> StoreResult<()> {
    let live = sessions::table.find(id).filter(sessions::ended_at.is_null());
    diesel::update(live).set(sessions::ended_at.eq(now)).execute(conn)?;
    Ok(())
}

pub(super) fn end_sessions(conn: &mut Conn, moderator: ModeratorId, now: Millis) -> StoreResult<()> {
    let live = sessions::table.filter(sessions::moderator_id.eq(moderator)).filter(sessions::ended_at.is_null());
    diesel::update(live).set(sessions::ended_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Deletes sessions last used before `moment`, with their tokens.
///
/// # Errors
/// Those of the store.
pub fn forget_old_sessions(conn: &mut Conn, moment: Millis) -> StoreResult<usize> {
    Ok(diesel::delete(sessions::table.filter(sessions::last_used_at.lt(moment))).execute(conn)?)
}
