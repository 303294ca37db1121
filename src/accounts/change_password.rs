//! Changing one's own password: only with the one there is, which is guessed at here as little as at sign-in.

use std::net::IpAddr;

use crate::app::App;
use crate::audit::{self, Action, Subject};
use crate::store::{StoreError, StoreResult};

use super::password::{self, PasswordError};
use super::prove::{ProveError, prove};
use super::queries::{people, resets, sessions};
use super::{Moderator, reset, signed_in};

/// What somebody asks for.
#[derive(Debug)]
pub struct ChangePassword {
    pub current: String,
    pub new: String,
    pub ends_other_sessions: bool,
    pub address: IpAddr,
}

/// Why the password stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The one there is was wrong; and what is wrong with the new one, if anything.
    #[error("the current password is wrong")]
    Wrong(Option<PasswordError>),
    #[error(transparent)]
    NotProven(#[from] ProveError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes somebody's own password. The session they came with goes on.
///
/// # Errors
/// When the current one is wrong, or the new one too weak.
pub async fn change_password(
    app: &App,
    moderator: &Moderator,
    asked: ChangePassword,
) -> Result<(), ChangePasswordError> {
    let id = moderator.id;
    let standard = app
        .store
        .read(move |conn| {
            let account = people::find_credentials_by_id(conn, id)?.ok_or(StoreError::Missing)?;
            reset::standard_of(conn, &account)
        })
        .await?;
    let before = match prove(app, moderator, &asked.current, asked.address).await {
        Err(ProveError::Wrong) => {
            return match password::judge_new(app, &asked.new, standard).await {
                Err(error @ (PasswordError::Busy | PasswordError::Failed(_))) => Err(error.into()),
                judged => Err(ChangePasswordError::Wrong(judged.err())),
            };
        }
        proven => proven?,
    };
    let hash = password::hash_new(app, &asked.new, standard).await?;
    write(app, moderator, before, hash, asked.ends_other_sessions).await
}

async fn write(
    app: &App,
    moderator: &Moderator,
    before: String,
    hash: String,
    ends_other_sessions: bool,
) -> Result<(), ChangePasswordError> {
    let (id, kept, now) = (moderator.id, moderator.session(), app.clock.now());
    let entry = audit::blank(app)
        .await?
        .fill(moderator.actor(), Action::PasswordChanged)
        .about(Subject::Moderator(id))
        .fact("ended_other_sessions", ends_other_sessions);
    let written: StoreResult<bool> = app
        .store
        .write(move |conn| {
            // Another may have been set since the current one was checked: then it was not the current one any more.
            if !people::replace_password_hash(conn, id, &before, &hash)? {
                return Ok(false);
            }
            resets::void_resets(conn, id, now)?;
            if ends_other_sessions {
                sessions::end_sessions(conn, id, kept, now)?;
            }
            audit::record(conn, &entry)?;
            Ok(true)
        })
        .await;
    let is_replaced = written?;
    signed_in::forget(app);
    if is_replaced { Ok(()) } else { Err(ChangePasswordError::Wrong(None)) }
}
