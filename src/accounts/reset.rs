//! Resetting: an administrator makes a link, and whoever has it sets a password, once, within 24 hours.
//!
//! The link carries 256 random bits, of which the database keeps only the SHA-256; a newer one makes it useless, and so
//! does whatever ends its maker's being an administrator. Setting the password ends every session and key, signs nobody
//! in, and leaves the second factor as it is: a link in the wrong hands must not be all that it takes.

use std::net::IpAddr;
use std::time::Duration;

use crate::app::App;
use crate::audit::{self, Action, Actor, Subject};
use crate::kit::clock::Millis;
use crate::kit::ids::ModeratorId;
use crate::kit::secret::{self, Digest256};
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::password::{self, PasswordError, Standard};
use super::people::{PeopleError, refuse_key};
use super::queries::people::{self, Credentials};
use super::queries::resets::{self as queries, NewReset};
use super::queries::{keys, manage, sessions};
use super::{Right, guessing, signed_in};

/// How long a link is good for.
const GOOD_FOR: Duration = Duration::from_hours(24);

/// A link that was made: the only time that its token is known.
pub struct Reset {
    pub token: String,
    pub expires_at: Millis,
    row: NewReset,
}

impl std::fmt::Debug for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reset(hidden)")
    }
}

/// Whoever came with a link.
#[derive(Debug)]
pub struct UseReset {
    pub token: String,
    pub password: String,
    pub address: IpAddr,
    pub user_agent: Option<String>,
}

/// Why no password was set.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    #[error("there is no such link")]
    Unknown,
    #[error("the link was used, has expired, or a newer one was made")]
    Over,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for ResetError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl Reset {
    /// Makes a link for somebody. It is good once it is written.
    pub(super) fn new(app: &App, moderator: ModeratorId, by: Actor) -> StoreResult<Self> {
        let token = secret::random().map_err(|error| StoreError::Broken(error.to_string()))?;
        let now = app.clock.now();
        let row = NewReset {
            hash: secret::digest(&token),
            moderator,
            created_by: by.moderator,
            created_at: now,
            expires_at: now.plus(GOOD_FOR),
        };
        Ok(Self { token: secret::encode(&token), expires_at: row.expires_at, row })
    }

    /// What is kept of it.
    pub(super) fn row(&self) -> NewReset {
        self.row
    }
}

/// Makes a link by which somebody sets their password, and makes those before it useless.
///
/// # Errors
/// When there is nobody with this id.
pub async fn make_reset(app: &App, by: Actor, id: ModeratorId) -> Result<Reset, PeopleError> {
    let reset = Reset::new(app, id, by)?;
    let (row, now) = (reset.row(), app.clock.now());
    let entry = audit::blank(app).await?.fill(by, Action::PasswordResetMade).about(Subject::Moderator(id));
    app.store
        .write(move |conn| {
            manage::lock_person(conn, id)?;
            let person = manage::find_person(conn, id)?.ok_or(PeopleError::Unknown)?;
            refuse_key(by, person.id, person.role())?;
            queries::void_resets(conn, id, now)?;
            queries::insert_reset(conn, &row)?;
            Ok::<_, PeopleError>(audit::record(conn, &entry)?)
        })
        .await?;
    Ok(reset)
}

/// Whose password a link sets, by user name; changes nothing.
///
/// # Errors
/// When it is no link, or is over.
pub async fn find_reset(app: &App, token: &str) -> Result<String, ResetError> {
    let (hash, now) = (hash_of(token)?, app.clock.now());
    Ok(app.store.read(move |conn| load_open(conn, &hash, now)).await?.username)
}

/// Sets the password that a link was made for.
///
/// # Errors
/// When it is no link, or is over; when the password is too weak, and then the link is still good.
pub async fn use_reset(app: &App, asked: UseReset) -> Result<(), ResetError> {
    let (hash, now) = (hash_of(&asked.token)?, app.clock.now());
    let (account, standard) = app
        .store
        .read(move |conn| {
            let account = load_open(conn, &hash, now)?;
            let standard = standard_of(conn, &account)?;
            Ok::<_, ResetError>((account, standard))
        })
        .await?;
    let password_hash = password::hash_new(app, &asked.password, standard).await?;
    let id = account.id;
    // Whoever has the link has not shown who they are by anything else.
    let entry = audit::blank(app)
        .await?
        .fill(Actor::NOBODY, Action::PasswordResetUsed)
        .about(Subject::Moderator(id))
        .from_client(asked.address, asked.user_agent.as_deref());
    let set: Result<(), ResetError> = app
        .store
        .write(move |conn| {
            load_open(conn, &hash, now)?;
            // Of two at once the second finds it used.
            if !queries::use_reset(conn, &hash, now)? {
                return Err(ResetError::Over);
            }
            // Whoever had the account before has nothing of it left: no other link, no session, no key.
            queries::void_resets(conn, id, now)?;
            people::set_password_hash(conn, id, &password_hash)?;
            sessions::end_sessions(conn, id, None, now)?;
            keys::delete_keys(conn, id)?;
            Ok(audit::record(conn, &entry)?)
        })
        .await;
    set?;
    signed_in::forget(app);
    guessing::clear(app, &account.username);
    Ok(())
}

/// The account of a name, and what a new password of it is judged by.
pub(super) fn load_by_name(conn: &mut Conn, username: &str) -> Result<(Credentials, Standard), PeopleError> {
    let account = people::find_credentials(conn, username)?.filter(|account| account.removed_at.is_none());
    let account = account.ok_or(PeopleError::Unknown)?;
    let standard = standard_of(conn, &account)?;
    Ok((account, standard))
}

/// What a new password of an account is judged by.
pub(super) fn standard_of(conn: &mut Conn, account: &Credentials) -> StoreResult<Standard> {
    let site_words = people::list_site_words(conn)?;
    let standard = Standard::of(&[&account.username, &account.display_name], &site_words);
    Ok(standard.with_second_factor(account.second_factor.totp_confirmed_at.is_some()))
}

fn hash_of(token: &str) -> Result<Digest256, ResetError> {
    let token = secret::decode(token).filter(|bytes| bytes.len() == 32).ok_or(ResetError::Unknown)?;
    Ok(secret::digest(&token))
}

fn load_open(conn: &mut Conn, hash: &Digest256, now: Millis) -> Result<Credentials, ResetError> {
    let reset = queries::find_reset(conn, hash)?.ok_or(ResetError::Unknown)?;
    let account = people::find_credentials_by_id(conn, reset.moderator_id)?.ok_or(ResetError::Unknown)?;
    let is_over = reset.used_at.is_some() || reset.expires_at <= now || account.removed_at.is_some();
    if is_over || !is_by_an_admin(conn, reset.created_by)? { Err(ResetError::Over) } else { Ok(account) }
}

/// Whether whoever made a link could make it now; the command line always can.
fn is_by_an_admin(conn: &mut Conn, maker: Option<ModeratorId>) -> StoreResult<bool> {
    let Some(maker) = maker else { return Ok(true) };
    let maker = manage::find_person(conn, maker)?;
    Ok(maker.is_some_and(|maker| !maker.is_disabled && maker.role().has(Right::ManagePeople)))
}
