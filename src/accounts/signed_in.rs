//! Who is signed in, remembered from one request to the next.
//!
//! What is remembered is good until anything changes what anybody may do: here, where each such story calls [`forget`]
//! after its commit; by another program or node, which the store's count of foreign writes tells within a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;

use crate::app::App;
use crate::kit::ids::{ModeratorId, SessionId};
use crate::store::StoreResult;

use super::{Moderator, queries};

/// How many sessions are remembered.
const MOST: usize = 1_000;

/// The state that something was read in: how often anything was forgotten, and the store's foreign writes.
type Stamp = (u64, u64);

struct SignedIn {
    forgotten: AtomicU64,
    known: Cache<(ModeratorId, SessionId), (Stamp, Arc<Moderator>)>,
}

impl Default for SignedIn {
    fn default() -> Self {
        Self { forgotten: AtomicU64::new(0), known: Cache::new(MOST) }
    }
}

/// The enabled moderator of a session that has not ended.
///
/// # Errors
/// Those of the store.
pub(super) async fn find_signed_in(
    app: &App,
    id: ModeratorId,
    session: SessionId,
) -> StoreResult<Option<Arc<Moderator>>> {
    let shelf = app.shelves.get::<SignedIn>();
    // Taken before reading: a change in between makes what is read a thing of the past.
    let stamp = (shelf.forgotten.load(Ordering::Acquire), app.store.foreign_writes());
    if let Some((_, moderator)) = shelf.known.get(&(id, session)).filter(|(kept, _)| *kept == stamp) {
        return Ok(Some(moderator));
    }
    let found = app.store.read(move |conn| queries::sessions::find_signed_in(conn, id, session)).await?.map(Arc::new);
    if let Some(moderator) = &found {
        shelf.known.insert((id, session), (stamp, Arc::clone(moderator)));
    }
    Ok(found)
}

/// Forgets everyone: what somebody may do has changed.
pub(super) fn forget(app: &App) {
    app.shelves.get::<SignedIn>().forgotten.fetch_add(1, Ordering::AcqRel);
}
