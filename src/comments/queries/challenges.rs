//! The SQL of challenges that were used up.

use diesel::prelude::*;

use crate::kit::altcha::Solved;
use crate::kit::clock::Millis;
use crate::store::schema::spent_challenges;
use crate::store::{Conn, StoreResult, execute_on_either};

/// Uses up a challenge. Part of the transaction that keeps the post.
///
/// # Errors
/// Those of the store; `Taken(SpentChallenge)` when a post was taken with it before.
pub(in crate::comments) fn spend_challenge(conn: &mut Conn, solved: &Solved) -> StoreResult<()> {
    let insert = diesel::insert_into(spent_challenges::table).values((
        spent_challenges::nonce.eq(solved.nonce.as_slice()),
        spent_challenges::expires_at.eq(solved.expires_at),
    ));
    execute_on_either(conn, insert)?;
    Ok(())
}

/// Forgets those that expired before `moment`.
///
/// # Errors
/// Those of the store.
pub fn forget_challenges_before(conn: &mut Conn, moment: Millis) -> StoreResult<usize> {
    let old = spent_challenges::table.filter(spent_challenges::expires_at.lt(moment));
    Ok(diesel::delete(old).execute(conn)?)
}
