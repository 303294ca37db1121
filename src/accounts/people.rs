//! People: adding a moderator, listing, disabling, a new password. The command line's stories; there is no default account.

use crate::app::App;
use crate::kit::ids::{ModeratorId, SiteId};
use crate::kit::text;
use crate::store::{Constraint, StoreError, StoreResult};

use super::password::{self, PasswordError};
use super::queries::{self, ModeratorRow, NewModerator};
use super::{Moderator, Role};

/// What readers see as a moderator's name until it is set.
const USUAL_DISPLAY_NAME: &str = "Staff";

/// A person to be added.
#[derive(Debug)]
pub struct AddModerator {
    pub username: String,
    pub password: String,
    pub role: Role,
    /// None for an administrator, who has all.
    pub sites: Vec<SiteId>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("a user name has 1 to 64 of the characters A-Z a-z 0-9 . _ ~ @ + -")]
    Username,
    #[error("there is a moderator with this name already")]
    Taken,
    #[error("there is no moderator with this name")]
    Unknown,
    #[error("the last administrator cannot be disabled")]
    LastAdmin,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl crate::store::Cause for PeopleError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Adds a moderator.
///
/// # Errors
/// When the name is no user name or taken, or the password too weak.
pub async fn add_moderator(app: &App, add: AddModerator) -> Result<ModeratorId, PeopleError> {
    if !is_username(&add.username) {
        return Err(PeopleError::Username);
    }
    password::judge(&add.password, &[&add.username])?;
    let password_hash = password::hash(app, add.password).await?;
    let row = NewModerator::new(
        app.store.next_id().await?,
        add.username,
        USUAL_DISPLAY_NAME,
        add.role,
        password_hash,
        app.clock.now(),
    );
    let (id, sites) = (row.id, add.sites);
    let written: StoreResult<()> = app.store.write(move |conn| queries::insert_moderator(conn, &row, &sites)).await;
    match written {
        Err(StoreError::Taken(Constraint::Username)) => Err(PeopleError::Taken),
        other => Ok(other.map(|()| id)?),
    }
}

/// Everyone, by name.
///
/// # Errors
/// Those of the store.
pub async fn list_moderators(app: &App) -> StoreResult<Vec<ModeratorRow>> {
    app.store.read(queries::list_moderators).await
}

/// A moderator by name, as the program itself acts for one: with no session.
///
/// # Errors
/// When there is none.
pub async fn find_moderator(app: &App, username: &str) -> Result<Moderator, PeopleError> {
    let username = username.to_owned();
    let found = app.store.read(move |conn| queries::find_moderator_by_name(conn, &username)).await?;
    found.ok_or(PeopleError::Unknown)
}

/// Disables a moderator and ends every session of theirs.
///
/// # Errors
/// When there is none, or it is the last administrator.
pub async fn disable_moderator(app: &App, username: &str) -> Result<(), PeopleError> {
    let (username, now) = (username.to_owned(), app.clock.now());
    app.store
        .write(move |conn| {
            let account = queries::find_credentials(conn, &username)?.ok_or(PeopleError::Unknown)?;
            if !account.is_disabled && queries::is_last_admin(conn, account.id)? {
                return Err(PeopleError::LastAdmin);
            }
            queries::disable(conn, account.id)?;
            Ok(queries::end_sessions(conn, account.id, now)?)
        })
        .await
}

/// Sets a new password and ends every session.
///
/// # Errors
/// When there is no such moderator, or the password is too weak.
pub async fn reset_password(app: &App, username: &str, password: String) -> Result<(), PeopleError> {
    password::judge(&password, &[username])?;
    let hash = password::hash(app, password).await?;
    let (username, now) = (username.to_owned(), app.clock.now());
    app.store
        .write(move |conn| {
            let account = queries::find_credentials(conn, &username)?.ok_or(PeopleError::Unknown)?;
            queries::set_password_hash(conn, account.id, &hash)?;
            Ok(queries::end_sessions(conn, account.id, now)?)
        })
        .await
}

fn is_username(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~@+-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// How user names are compared: without case.
pub(super) fn folded(username: &str) -> String {
    text::fold(username)
}
