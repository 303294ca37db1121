//! Keys for programs: making one, seeing which there are, ending one. A key may never more than its owner at that moment,
//! and nothing that only the owner in person may.

use std::time::Duration;

use crate::app::App;
use crate::audit::{self, Action, Entry, Subject};
use crate::kit::clock::Millis;
use crate::kit::fault::{self, Fault};
use crate::kit::ids::{ApiKeyId, SiteId};
use crate::kit::secret::NoRandomness;
use crate::kit::text;
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::queries::keys as queries;
use super::{Moderator, Scope, key_access, signed_in};

/// The longest name, in bytes.
pub const LONGEST_NAME: usize = 100;
/// The most sites that a key can be limited to; for more, leave it unlimited.
pub const MOST_SITES: usize = 100;
/// The most keys of one person that are good at a time.
pub const MOST_KEYS: i64 = 50;

/// How long a key is good for when nobody says.
const USUAL_LIFE: Duration = Duration::from_hours(90 * 24);
/// The longest that it can be good for: a year, and a leap year too.
const LONGEST_LIFE: Duration = Duration::from_hours(366 * 24);

/// A key to be made.
#[derive(Debug)]
pub struct MakeKey {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Keys of sites, [`MOST_SITES`] at most; none for all of its owner's.
    pub sites: Option<Vec<String>>,
    /// In 90 days when nothing is said.
    pub expires_at: Option<Millis>,
}

/// A key, as its owner sees it.
#[derive(Debug)]
pub struct KeyInfo {
    pub id: ApiKeyId,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Keys of sites; none for all of its owner's.
    pub sites: Option<Vec<String>>,
    pub created_at: Millis,
    pub expires_at: Millis,
    pub last_used_at: Option<Millis>,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("some fields are wrong")]
    Invalid(Vec<Fault>),
    #[error("there are {MOST_KEYS} keys already")]
    TooMany,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for KeyError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Makes a key. What it reads is returned here and never again.
///
/// # Errors
/// When fields are wrong, a site is not one of the owner's, or there are too many keys.
pub async fn make_key(app: &App, owner: &Moderator, make: MakeKey) -> Result<(KeyInfo, String), KeyError> {
    let now = app.clock.now();
    let (name, expires_at, mut faults) = judge(&make, now);
    let sites = match &make.sites {
        Some(keys) => Some(find_sites(app, owner, keys.clone(), &mut faults).await?),
        None => None,
    };
    if !faults.is_empty() {
        return Err(KeyError::Invalid(faults));
    }
    let (text, hash) = key_access::make()?;
    let row = queries::NewKey {
        id: app.store.next_id().await?,
        moderator: owner.id,
        name: name.clone(),
        hash,
        scopes: make.scopes.clone(),
        sites: sites.clone(),
        created_at: now,
        expires_at,
    };
    let id = row.id;
    let entry = audit::blank(app)
        .await?
        .fill(owner.actor(), Action::KeyMade)
        .about(Subject::Key(id))
        .fact("name", &name)
        .fact("scopes", &make.scopes)
        .fact("sites", &sites)
        .fact("expires_at", expires_at);
    app.store.write(move |conn| insert(conn, &row, now, &entry)).await?;
    let (scopes, sites) = (make.scopes, make.sites);
    Ok((KeyInfo { id, name, scopes, sites, created_at: now, expires_at, last_used_at: None }, text))
}

/// The keys of a moderator, the newest first; those that expired not long ago are among them.
///
/// # Errors
/// Those of the store.
pub async fn list_keys(app: &App, owner: &Moderator) -> StoreResult<Vec<KeyInfo>> {
    let id = owner.id;
    app.store.read(move |conn| queries::list_keys(conn, id)).await
}

/// Ends a key of a moderator's own, at once; false when there is none with this id.
///
/// # Errors
/// Those of the store.
pub async fn end_key(app: &App, owner: &Moderator, id: ApiKeyId) -> StoreResult<bool> {
    let owner_id = owner.id;
    let entry = audit::blank(app).await?.fill(owner.actor(), Action::KeyEnded).about(Subject::Key(id));
    let has_ended = app
        .store
        .write(move |conn| {
            let Some(name) = queries::delete_key(conn, owner_id, id)? else { return Ok(false) };
            audit::record(conn, &entry.clone().fact("name", name))?;
            Ok::<_, StoreError>(true)
        })
        .await?;
    signed_in::forget(app);
    Ok(has_ended)
}

/// The name as it is kept, the end, and all that is wrong.
fn judge(make: &MakeKey, now: Millis) -> (String, Millis, Vec<Fault>) {
    let mut faults = Vec::new();
    let name = text::name(&make.name).unwrap_or_else(|fault| {
        faults.push(Fault::new("name", fault::code_of_text(fault)));
        String::new()
    });
    if name.len() > LONGEST_NAME {
        faults.push(Fault { limit: Some(LONGEST_NAME as u64), ..Fault::new("name", "too_long") });
    }
    let expires_at = make.expires_at.unwrap_or_else(|| now.plus(USUAL_LIFE));
    if expires_at <= now || expires_at > now.plus(LONGEST_LIFE) {
        faults.push(Fault::new("expires_at", "expiry"));
    }
    (name, expires_at, faults)
}

/// The ids of sites, as far as they are the owner's; of those that are not, a fault each.
async fn find_sites(
    app: &App,
    owner: &Moderator,
    keys: Vec<String>,
    faults: &mut Vec<Fault>,
) -> StoreResult<Vec<SiteId>> {
    let (visible, asked) = (owner.visible_sites(), keys.clone());
    let known = app.store.read(move |conn| queries::list_sites_by_key(conn, visible.as_deref(), &asked)).await?;
    let mut ids = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        match known.iter().find(|(_, known)| known == key) {
            Some((id, _)) if ids.contains(id) => faults.push(Fault::of_element("sites", index, "repeated")),
            Some((id, _)) => ids.push(*id),
            None => faults.push(Fault::of_element("sites", index, "choice")),
        }
    }
    Ok(ids)
}

fn insert(conn: &mut Conn, row: &queries::NewKey, now: Millis, entry: &Entry) -> Result<(), KeyError> {
    queries::lock_owner(conn, row.moderator)?;
    if queries::count_live_keys(conn, row.moderator, now)? >= MOST_KEYS {
        return Err(KeyError::TooMany);
    }
    queries::insert_key(conn, row)?;
    Ok(audit::record(conn, entry)?)
}
