//! The keys that access tokens are signed with: the newest signs, and those before it verify until what they signed has
//! expired. A new one is made every 30 days, or when an administrator says so.
//!
//! They are kept in the database, sealed under the operator's secret when there is one; a key that is not counts as none
//! then, so that whoever can write to the database alone cannot sign. Nodes hear of a new key by reading it: once a
//! minute, and when a token names a key that they do not know, but not more than once a second.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::app::App;
use crate::audit::{self, Action, Actor};
use crate::kit::clock::Millis;
use crate::kit::secret::{self, Key, NoRandomness};
use crate::store::{StoreError, StoreResult};

use super::queries::signing::{self as queries, KeyRow};
use super::token;

/// A key signs for so long.
const LIFE: Duration = Duration::from_hours(30 * 24);
/// How long a key verifies after the next one was made: as long as a token is good, and the minute and more in which
/// another node may not have heard of the next.
const OVERLAP: Duration = token::GOOD_FOR.saturating_add(Duration::from_mins(2));
/// What was read is good for so long.
const FRESH: Duration = Duration::from_mins(1);
/// Tokens that name unknown keys make a node read no more often than this.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Keys are deleted so long after they verified for the last time.
const KEEP: Duration = Duration::from_hours(24);
/// Bytes of a key's name before it is written in base64: 22 letters.
const NAME_BYTES: usize = 16;

/// A key, and how tokens name it.
#[derive(Debug, Clone)]
pub struct SigningKey {
    pub kid: String,
    pub key: Key,
    created_at: Millis,
    /// Until when it verifies; none for the one that signs.
    good_until: Option<Millis>,
}

/// What this node has read, the newest first, and when by its monotonic clock.
#[derive(Default)]
struct Ring {
    read: RwLock<Option<(Arc<Vec<SigningKey>>, Duration)>>,
    /// Whoever reads has it, so that the others wait for what is read.
    reading: Mutex<()>,
    /// The same for whoever makes the first key.
    making: Mutex<()>,
}

/// The key to sign with. The first time ever it is made.
///
/// # Errors
/// Those of the store.
pub async fn current(app: &App) -> StoreResult<SigningKey> {
    if let Some(key) = read_within(app, FRESH).await?.first() {
        return Ok(key.clone());
    }
    let ring = app.shelves.get::<Ring>();
    let _making = ring.making.lock().await;
    if let Some(key) = read_within(app, Duration::ZERO).await?.first() {
        return Ok(key.clone());
    }
    // Another node may make one at the same time. None is lost: each verifies.
    add(app, None).await?;
    read_within(app, Duration::ZERO).await?.first().cloned().ok_or(StoreError::Missing)
}

/// The key of this name, if there is one and it still verifies.
///
/// # Errors
/// Those of the store.
pub async fn find(app: &App, kid: &str, now: Millis) -> StoreResult<Option<Key>> {
    // What cannot be a name of ours costs nothing.
    if secret::decode(kid).is_none_or(|bytes| bytes.len() != NAME_BYTES) {
        return Ok(None);
    }
    let find_in = |keys: &[SigningKey]| keys.iter().find(|key| key.kid == kid).cloned();
    let found = match find_in(&read_within(app, FRESH).await?) {
        None => find_in(&read_within(app, READ_EVERY).await?),
        found => found,
    };
    Ok(found.filter(|key| key.good_until.is_none_or(|until| now < until)).map(|key| key.key))
}

/// Makes a new key, which signs from now on, and says its name.
///
/// # Errors
/// Those of the store.
pub async fn rotate(app: &App, actor: Actor) -> StoreResult<String> {
    // There is one before it, made now if need be, so that it is a change to be told of.
    current(app).await?;
    let kid = add(app, Some(actor)).await?;
    read_within(app, Duration::ZERO).await?;
    Ok(kid)
}

/// Makes a new key when the newest has signed long enough, and deletes those that are long over.
///
/// # Errors
/// Those of the store.
pub async fn rotate_when_due(app: &App) -> StoreResult<()> {
    let now = app.clock.now();
    if current(app).await?.created_at.plus(LIFE) <= now {
        rotate(app, Actor::NOBODY).await?;
    }
    let keys = read_within(app, FRESH).await?;
    let is_over = |key: &&SigningKey| key.good_until.is_some_and(|until| until.plus(KEEP) <= now);
    let over: Vec<String> = keys.iter().filter(is_over).map(|key| key.kid.clone()).collect();
    if over.is_empty() {
        return Ok(());
    }
    app.store.write(move |conn| queries::delete_keys(conn, &over)).await
}

/// Writes a new key. `actor` is who changes it; none when there was no key before.
async fn add(app: &App, actor: Option<Actor>) -> StoreResult<String> {
    let broken = |error: NoRandomness| StoreError::Broken(error.to_string());
    let (name, bytes) = (secret::random().map_err(broken)?, secret::random().map_err(broken)?);
    let kid = secret::encode(&name[..NAME_BYTES]);
    // Newer than the one before, even when the calendar was set back.
    let newest = read_within(app, Duration::ZERO).await?.first().map(|key| key.created_at);
    let created_at =
        newest.map_or(app.clock.now(), |newest| app.clock.now().max(newest.plus(Duration::from_millis(1))));
    let is_sealed = app.settings.secret.is_some();
    let sealed = if is_sealed {
        let sealed = app.keys.signing.seal(&bytes, context(&kid, created_at).as_bytes());
        sealed.map_err(|error| StoreError::Broken(error.to_string()))?
    } else {
        bytes.to_vec()
    };
    let row = KeyRow { kid: kid.clone(), sealed, is_sealed, created_at };
    let entry = match actor {
        Some(actor) => Some(audit::blank(app).await?.fill(actor, Action::SigningKeyRotated).fact("kid", &kid)),
        None => None,
    };
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            queries::insert_key(conn, &row)?;
            entry.as_ref().map_or(Ok(()), |entry| audit::record(conn, entry))
        })
        .await;
    written?;
    Ok(kid)
}

/// What a sealed key is bound to: its name, and its age, so that an old one cannot be made young.
fn context(kid: &str, created_at: Millis) -> String {
    format!("signing key {kid} {}", created_at.0)
}

/// The keys as they were at most `age` ago.
async fn read_within(app: &App, age: Duration) -> StoreResult<Arc<Vec<SigningKey>>> {
    let ring = app.shelves.get::<Ring>();
    let known = |age: Duration| {
        let read = ring.read.read().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().filter(|(_, at)| app.clock.elapsed() < *at + age).map(|(keys, _)| Arc::clone(keys))
    };
    if let Some(keys) = known(age) {
        return Ok(keys);
    }
    let _reading = ring.reading.lock().await;
    // Somebody else may have read meanwhile.
    if let Some(keys) = known(age) {
        return Ok(keys);
    }
    let at = app.clock.elapsed();
    let rows = app.store.read(queries::list_keys).await?;
    let keys = Arc::new(open(app, rows));
    *ring.read.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&keys), at));
    Ok(keys)
}

/// The keys of these rows, which come the newest first; those that count for nothing are left out.
fn open(app: &App, rows: Vec<KeyRow>) -> Vec<SigningKey> {
    let mut next = None;
    let mut keys = Vec::new();
    for row in rows {
        let bytes = match (row.is_sealed, app.settings.secret.is_some()) {
            (true, true) => app.keys.signing.open(&row.sealed, context(&row.kid, row.created_at).as_bytes()),
            (false, false) => Some(row.sealed),
            // Kept in the clear before there was a secret, or sealed under one that is gone.
            (false, true) | (true, false) => None,
        };
        let Some(key) = bytes.and_then(|bytes| Key::from_bytes(&bytes)) else { continue };
        let good_until = next.map(|next: Millis| next.plus(OVERLAP));
        next = Some(row.created_at);
        keys.push(SigningKey { kid: row.kid, key, created_at: row.created_at, good_until });
    }
    keys
}
