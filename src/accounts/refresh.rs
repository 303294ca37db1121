//! Refreshing: a refresh token is used once and gives a new pair.
//!
//! A token's successor is made from it by a keyed hash, so a client whose answer was lost (or two tabs at once) gets the
//! same successor within ten seconds. Any other token that was used before has been copied by somebody: the whole
//! session ends (RFC 9700 §4.14.2).

use std::net::IpAddr;
use std::time::Duration;

use crate::app::App;
use crate::audit::{self, Action, Actor, Entry, Subject};
use crate::kit::clock::Millis;
use crate::kit::secret;
use crate::store::{Conn, StoreError};

use super::queries::sessions::{self as queries, RefreshRow};
use super::sign_in::Tokens;
use super::token::{self, TokenError};
use super::{signed_in, signing};

/// How long the immediate predecessor still gives its successor.
const GRACE: Duration = Duration::from_secs(10);
/// A session unused for so long is over.
pub const IDLE: Duration = Duration::from_hours(168);
/// A session is over after so long, used or not.
pub const ABSOLUTE: Duration = Duration::from_hours(720);

/// Who wants to go on, and from where.
#[derive(Debug)]
pub struct Refresh {
    pub token: String,
    pub address: IpAddr,
    pub user_agent: Option<String>,
}

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error("the refresh token is not good")]
    Refused,
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a token was found.
enum Found {
    /// It is the current one, or was until a moment ago.
    Good(RefreshRow),
    /// It was used before: its session is over.
    Reused,
    /// Nobody's, or of a session that is over.
    Unknown,
}

/// Goes on with a session.
///
/// # Errors
/// `Refused` for any token that is not the current one of a live session of an enabled account.
pub async fn refresh(app: &App, asked: Refresh) -> Result<Tokens, RefreshError> {
    let token = secret::decode(&asked.token).filter(|bytes| bytes.len() == 32).ok_or(RefreshError::Refused)?;
    let successor = app.keys.refresh.mac(&[&token]);
    let (hash, successor_hash) = (secret::digest(&token), secret::digest(&successor));
    let now = app.clock.now();
    // Before the token is used up: without a key to sign with nothing is to happen.
    let key = signing::current(app).await?;
    // Nobody has shown who they are: whoever brings a used token is not known.
    let entry = audit::blank(app)
        .await?
        .fill(Actor::NOBODY, Action::RefreshReused)
        .from_client(asked.address, asked.user_agent.as_deref());
    let found = app.store.write(move |conn| rotate(conn, hash, successor_hash, now, &entry)).await?;
    match found {
        Found::Good(row) => {
            let access = token::issue(app, &key, row.moderator_id, row.session_id, now)?;
            Ok(Tokens { access, refresh: secret::encode(&successor) })
        }
        Found::Reused => {
            signed_in::forget(app);
            tracing::warn!("a used refresh token came back; its session was ended");
            Err(RefreshError::Refused)
        }
        Found::Unknown => Err(RefreshError::Refused),
    }
}

fn rotate(
    conn: &mut Conn,
    hash: [u8; 32],
    successor: [u8; 32],
    now: Millis,
    reused: &Entry,
) -> Result<Found, StoreError> {
    let Some(row) = queries::find_refresh_token(conn, &hash)? else { return Ok(Found::Unknown) };
    let is_over = row.ended_at.is_some()
        || row.is_disabled
        || row.last_used_at.plus(IDLE) <= now
        || row.session_created_at.plus(ABSOLUTE) <= now;
    if is_over {
        return Ok(Found::Unknown);
    }
    // The first to mark it as used wins; on PostgreSQL the others wait here for it.
    if queries::mark_rotated(conn, &hash, now)? {
        queries::insert_refresh_token(conn, row.session_id, &successor, now)?;
        queries::touch_session(conn, row.session_id, now)?;
        return Ok(Found::Good(row));
    }
    let rotated_at = queries::find_refresh_token(conn, &hash)?.and_then(|row| row.rotated_at);
    // On both sides of it: a calendar that was set back must not make the moment last until it comes again.
    let is_fresh = rotated_at.is_some_and(|at| at.minus(GRACE) < now && now < at.plus(GRACE));
    let is_successor_unused =
        queries::find_refresh_token(conn, &successor)?.is_some_and(|successor| successor.rotated_at.is_none());
    if is_fresh && is_successor_unused {
        return Ok(Found::Good(row));
    }
    if queries::end_session(conn, row.session_id, now)? {
        let reused = reused.clone().fact("session", row.session_id);
        audit::record(conn, &reused.about(Subject::Moderator(row.moderator_id)))?;
    }
    Ok(Found::Reused)
}
