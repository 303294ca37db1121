//! Coming with a key: what keys of programs look like, and whom one lets in.
//!
//! A key is `rjk_` and 48 letters: base64 for URLs of 256 random bits and of the first 32 bits of their SHA-256. So whoever
//! scans for secrets that got out (`rjk_[A-Za-z0-9_-]{48}`) can tell a key from what only looks like one, and what is
//! mistyped or made up is refused without asking the database. Only SHA-256 of the whole key is kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::ids::ApiKeyId;
use crate::kit::secret::{self, Digest256, NoRandomness};
use crate::store::StoreResult;

use super::Moderator;
use super::queries::keys;

const PREFIX: &str = "rjk_";
const CHECKSUM_BYTES: usize = 4;

/// When a key was last used is written no more often than this.
const NOTE_EVERY: Duration = Duration::from_mins(1);

/// Uses that are remembered before those of over a minute ago are forgotten.
const MOST_NOTED: usize = 1_000;

/// When this node last noted the use of each key.
#[derive(Default)]
struct Noted(Mutex<HashMap<ApiKeyId, Millis>>);

/// Whether a token means to be a key.
pub fn is_key(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A new key, and what is kept of it.
pub fn make() -> Result<(String, Digest256), NoRandomness> {
    let text = write(&secret::random()?);
    let hash = secret::digest(text.as_bytes());
    Ok((text, hash))
}

/// Whom a key lets in now: nobody when it is unknown, over, or its owner was disabled.
pub async fn find_by_key(app: &App, text: &str) -> StoreResult<Option<Moderator>> {
    if !is_well_formed(text) {
        return Ok(None);
    }
    let (hash, now) = (secret::digest(text.as_bytes()), app.clock.now());
    let found = app.store.read(move |conn| keys::find_by_hash(conn, &hash, now)).await?;
    Ok(found.map(|(moderator, last_used_at)| {
        if let Some(key) = moderator.key() {
            note_use(app, key.id, last_used_at, now);
        }
        moderator
    }))
}

fn write(secret: &Digest256) -> String {
    let checksum = secret::digest(secret);
    format!("{PREFIX}{}", secret::encode(&[secret.as_slice(), &checksum[..CHECKSUM_BYTES]].concat()))
}

fn is_well_formed(text: &str) -> bool {
    let bytes = text.strip_prefix(PREFIX).filter(|rest| rest.len() == 48).and_then(secret::decode);
    let Some(bytes) = bytes else { return false };
    bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .is_some_and(|(secret, checksum)| secret::digest(secret).starts_with(checksum))
}

/// Writes that a key was used, beside the request and not before its answer; that one such write is lost harms nobody.
fn note_use(app: &App, id: ApiKeyId, last_used_at: Option<Millis>, now: Millis) {
    let is_recent = |at: Millis| now < at.plus(NOTE_EVERY);
    if last_used_at.is_some_and(is_recent) {
        return;
    }
    {
        let shelf = app.shelves.get::<Noted>();
        let mut noted = shelf.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&id).copied().is_some_and(is_recent) {
            return;
        }
        if noted.len() >= MOST_NOTED {
            noted.retain(|_, at| is_recent(*at));
        }
        noted.insert(id, now);
    }
    let store = app.store.clone();
    tokio::spawn(async move {
        if let Err(error) = store.write(move |conn| keys::note_use(conn, id, now)).await {
            tracing::debug!(%error, "the use of a key was not noted");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_as_secret_scanners_are_told() {
        let (key, hash) = make().unwrap();
        let (other, _) = make().unwrap();
        assert!(is_key(&key) && is_well_formed(&key) && key != other, "{key}");
        assert_eq!(key.len(), 52);
        assert!(key[4..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!(hash, secret::digest(key.as_bytes()));
        // The checksum, reckoned as the description says.
        let bytes = secret::decode(&key[4..]).unwrap();
        assert_eq!(bytes[32..], secret::digest(&bytes[..32])[..4]);
    }

    #[test]
    fn one_wrong_letter_makes_it_no_key() {
        let key = write(&[7; 32]);
        assert!(is_well_formed(&key));
        for at in 0..key.len() {
            let other = if key.as_bytes()[at] == b'A' { "B" } else { "A" };
            let wrong = format!("{}{other}{}", &key[..at], &key[at + 1..]);
            assert!(!is_well_formed(&wrong), "{wrong}");
        }
        for wrong in ["", "rjk_", &key[..51], &format!("{key}A"), &key[4..], &key.to_uppercase(), &format!("{key}=")] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }
}
