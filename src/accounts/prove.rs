//! Showing one's password once more, for what a session left open must not do. It is guessed at here as little as at
//! sign-in.

use std::net::IpAddr;

use crate::app::App;
use crate::kit::places::Queue;
use crate::store::{StoreError, StoreResult};

use super::Moderator;
use super::guessing::{self, TooSoon};
use super::password::{self, Checked, PasswordError};
use super::queries::{people, sessions};

/// Why it was not shown.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error("the password is wrong")]
    Wrong,
    #[error(transparent)]
    TooSoon(#[from] TooSoon),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks the password of somebody who is signed in; gives the hash that it was right for.
///
/// # Errors
/// When it is wrong, or comes too soon after others that were.
pub async fn prove(app: &App, moderator: &Moderator, password: &str, address: IpAddr) -> Result<String, ProveError> {
    let (id, username, since) = (moderator.id, moderator.username.clone(), guessing::known_since(app));
    let read: StoreResult<_> = app
        .store
        .read(move |conn| {
            Ok((people::load_password_hash(conn, id)?, sessions::list_addresses(conn, &username, since)?))
        })
        .await;
    let (hash, addresses) = read?;
    let is_known = guessing::is_known(&addresses, address);
    let guess = guessing::begin(app, &moderator.username, address, is_known)?;
    match password::check(app, Queue::Known, password, Some(hash.clone())).await {
        Ok(Checked::Right | Checked::RightButWeak) => {
            guess.was_right();
            Ok(hash)
        }
        Ok(Checked::Wrong) => Err(ProveError::Wrong),
        Err(error) => {
            guess.was_none();
            Err(error.into())
        }
    }
}
