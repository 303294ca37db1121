//! Sealing: giving entries their place in the chain, after they were written and apart from it, so that writers on
//! several nodes never wait for each other.
//!
//! One sealer works at a time, wherever it runs. If two ever did, the place of an entry is unique and the second one's
//! transaction would fail whole: the chain cannot fork. Entries are sealed in the order of what happened as far as it is
//! known then; one that is committed late comes later, and that is its place.

use crate::store::{Conn, Store, StoreError, StoreResult};

use super::{chain, queries};

/// The most entries in one transaction: some ten milliseconds for whoever wants to write next.
const BATCH: i64 = 500;

/// Seals what waits as long as `goes_on`, and says how much it was. Nothing when another node does it at this moment.
///
/// # Errors
/// Those of the store; what was sealed before stays so.
pub async fn seal_while(store: &Store, goes_on: impl Fn() -> bool) -> StoreResult<usize> {
    let mut sealed = 0;
    // Most of the time there is nothing, and nothing is to be written then.
    while goes_on() && store.read(queries::has_unsealed).await? {
        match store.write(seal_batch).await {
            Ok(0) | Err(StoreError::Taken(_)) => break,
            Ok(count) => sealed += count,
            Err(error) => return Err(error),
        }
    }
    Ok(sealed)
}

/// Seals all that waits.
///
/// # Errors
/// As [`seal_while`].
pub async fn seal(store: &Store) -> StoreResult<usize> {
    seal_while(store, || true).await
}

fn seal_batch(conn: &mut Conn) -> StoreResult<usize> {
    if !queries::is_sealer(conn)? {
        return Ok(0);
    }
    let (mut seq, mut hash) = queries::find_head(conn)?.unwrap_or((0, chain::START.to_vec()));
    let waiting = queries::list_unsealed(conn, BATCH)?;
    for row in &waiting {
        (seq, hash) = (seq + 1, chain::hash_after(&hash, row).to_vec());
        queries::seal_entry(conn, row.id, seq, &hash)?;
    }
    Ok(waiting.len())
}
