//! All SQL about second factors and recovery codes.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::ModeratorId;
use crate::kit::secret::Digest256;
use crate::store::schema::{moderators, recovery_codes};
use crate::store::{Conn, Db, StoreResult};

/// Somebody's second factor.
#[derive(Queryable, Selectable)]
#[diesel(table_name = moderators)]
#[diesel(check_for_backend(Db))]
pub struct SecondFactorRow {
    /// Sealed; empty when there is none.
    pub totp_secret: Option<Vec<u8>>,
    /// Empty while no code has been shown yet.
    pub totp_confirmed_at: Option<Millis>,
}

pub fn load_second_factor(conn: &mut Conn, id: ModeratorId) -> StoreResult<SecondFactorRow> {
    Ok(moderators::table.find(id).select(SecondFactorRow::as_select()).first(conn)?)
}

/// Keeps a secret that is to be confirmed, in place of one that never was; false when there is a confirmed one.
pub fn set_pending_secret(conn: &mut Conn, id: ModeratorId, sealed: &[u8]) -> StoreResult<bool> {
    let open = moderators::table.find(id).filter(moderators::totp_confirmed_at.is_null());
    let set = (moderators::totp_secret.eq(sealed), moderators::totp_last_step.eq(None::<i64>));
    Ok(diesel::update(open).set(set).execute(conn)? == 1)
}

/// Notes that a code of this very secret was shown; false when it is not the one that waits.
pub fn confirm_secret(conn: &mut Conn, id: ModeratorId, sealed: &[u8], step: i64, now: Millis) -> StoreResult<bool> {
    let waiting = moderators::table
        .find(id)
        .filter(moderators::totp_confirmed_at.is_null())
        .filter(moderators::totp_secret.eq(sealed));
    let set = (moderators::totp_confirmed_at.eq(now), moderators::totp_last_step.eq(step));
    Ok(diesel::update(waiting).set(set).execute(conn)? == 1)
}

/// Takes the code of a step; false when it, or a later one, was taken before.
pub fn take_step(conn: &mut Conn, id: ModeratorId, step: i64) -> StoreResult<bool> {
    let is_later = moderators::totp_last_step.is_null().or(moderators::totp_last_step.lt(step));
    let unused = moderators::table
        .find(id)
        .filter(moderators::totp_confirmed_at.is_not_null())
        .filter(is_later.assume_not_null());
    Ok(diesel::update(unused).set(moderators::totp_last_step.eq(step)).execute(conn)? == 1)
}

/// Takes a recovery code; false when it is nobody's, another's or was taken before.
pub fn take_recovery_code(conn: &mut Conn, id: ModeratorId, hash: &Digest256, now: Millis) -> StoreResult<bool> {
    let unused = recovery_codes::table
        .find(hash.as_slice())
        .filter(recovery_codes::moderator_id.eq(id))
        .filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(unused).set(recovery_codes::used_at.eq(now)).execute(conn)? == 1)
}

/// Puts fresh recovery codes in the place of all that there were.
pub fn replace_recovery_codes(conn: &mut Conn, id: ModeratorId, hashes: &[Digest256]) -> StoreResult<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::moderator_id.eq(id))).execute(conn)?;
    for hash in hashes {
        diesel::insert_into(recovery_codes::table)
            .values((recovery_codes::hash.eq(hash.as_slice()), recovery_codes::moderator_id.eq(id)))
            .execute(conn)?;
    }
    Ok(())
}

/// Removes secret and recovery codes; tells what there was.
pub fn remove_second_factor(conn: &mut Conn, id: ModeratorId) -> StoreResult<SecondFactorRow> {
    let before = load_second_factor(conn, id)?;
    let none = (
        moderators::totp_secret.eq(None::<Vec<u8>>),
        moderators::totp_confirmed_at.eq(None::<Millis>),
        moderators::totp_last_step.eq(None::<i64>),
    );
    diesel::update(moderators::table.find(id)).set(none).execute(conn)?;
    replace_recovery_codes(conn, id, &[])?;
    Ok(before)
}
