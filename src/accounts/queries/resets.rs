//! All SQL about links by which somebody sets a new password.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::ModeratorId;
use crate::kit::secret::Digest256;
use crate::store::schema::password_resets;
use crate::store::{Conn, Db, StoreResult};

/// A link that was made.
#[derive(Debug, Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = password_resets)]
#[diesel(check_for_backend(Db))]
pub struct ResetRow {
    pub moderator_id: ModeratorId,
    pub created_by: Option<ModeratorId>,
    pub expires_at: Millis,
    pub used_at: Option<Millis>,
}

/// A link to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewReset {
    pub hash: Digest256,
    pub moderator: ModeratorId,
    pub created_by: Option<ModeratorId>,
    pub created_at: Millis,
    pub expires_at: Millis,
}

pub fn insert_reset(conn: &mut Conn, reset: &NewReset) -> StoreResult<()> {
    diesel::insert_into(password_resets::table)
        .values((
            password_resets::hash.eq(reset.hash.as_slice()),
            password_resets::moderator_id.eq(reset.moderator),
            password_resets::created_by.eq(reset.created_by),
            password_resets::created_at.eq(reset.created_at),
            password_resets::expires_at.eq(reset.expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn find_reset(conn: &mut Conn, hash: &Digest256) -> StoreResult<Option<ResetRow>> {
    Ok(password_resets::table.find(hash.as_slice()).select(ResetRow::as_select()).first(conn).optional()?)
}

/// Marks a link as used; false when it was already.
pub fn use_reset(conn: &mut Conn, hash: &Digest256, now: Millis) -> StoreResult<bool> {
    let unused = password_resets::table.find(hash.as_slice()).filter(password_resets::used_at.is_null());
    Ok(diesel::update(unused).set(password_resets::used_at.eq(now)).execute(conn)? == 1)
}

/// Makes every link of somebody useless that is not used yet.
pub fn void_resets(conn: &mut Conn, moderator: ModeratorId, now: Millis) -> StoreResult<()> {
    let unused = password_resets::table
        .filter(password_resets::moderator_id.eq(moderator))
        .filter(password_resets::used_at.is_null());
    diesel::update(unused).set(password_resets::used_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Deletes links that expired before `moment`.
///
/// # Errors
/// Those of the store.
pub fn forget_old_resets(conn: &mut Conn, moment: Millis) -> StoreResult<usize> {
    Ok(diesel::delete(password_resets::table.filter(password_resets::expires_at.lt(moment))).execute(conn)?)
}
