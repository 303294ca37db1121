//! The second factor: a secret that an app makes codes of (RFC 6238), and recovery codes for when the device is lost.
//!
//! A secret waits until the first right code confirms it; only then does signing in ask for one. It is kept sealed, bound
//! to its owner. A code is taken once: the step it is of moves forward by a conditional update, so that of many who
//! bring the same code at once one gets in. What signing in does with it stands in `shown`.

use std::net::IpAddr;

use crate::app::App;
use crate::audit::{self, Action, Actor, Subject};
use crate::kit::ids::ModeratorId;
use crate::kit::seal::CannotSeal;
use crate::kit::secret::{self, NoRandomness};
use crate::kit::{qr, totp};
use crate::store::{StoreError, StoreResult};

use super::password;
use super::people::PeopleError;
use super::prove::{ProveError, prove};
use super::queries::second_factor::{self as queries, SecondFactorRow};
use super::queries::{people, sessions};
use super::{Moderator, recovery_code, signed_in};

/// A secret that waits for its first code: shown once.
#[derive(Debug)]
pub struct Enrolled {
    /// As people type it.
    pub secret: String,
    pub otpauth_uri: String,
    pub qr_svg: String,
}

/// Recovery codes, shown once.
pub type RecoveryCodes = [String; recovery_code::COUNT];

/// Why a second factor was left as it was.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    #[error("there is a second factor already")]
    IsOn,
    #[error("there is no second factor, or none that waits for a code")]
    IsOff,
    #[error("wrong code")]
    WrongCode,
    #[error("the password is too short to stand alone")]
    PasswordTooShort,
    #[error("the secret cannot be opened: it was sealed under another key, or for somebody else")]
    Unreadable,
    #[error("the address is too long for a picture")]
    Picture,
    #[error(transparent)]
    NotProven(#[from] ProveError),
    #[error(transparent)]
    CannotSeal(#[from] CannotSeal),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a secret that waits for its first code, in place of one that never got any.
///
/// # Errors
/// `IsOn` when there is a confirmed one.
pub async fn enrol(app: &App, moderator: &Moderator) -> Result<Enrolled, SecondFactorError> {
    let id = moderator.id;
    let bytes = secret::random()?;
    let bytes = &bytes[..totp::SECRET_BYTES];
    let sealed = app.keys.totp.seal(bytes, &context(id))?;
    let issuer = format!("Rejoinder ({})", app.public_url.host());
    let otpauth_uri = totp::uri(bytes, &issuer, &moderator.username);
    let qr_svg = qr::svg(&otpauth_uri).ok_or(SecondFactorError::Picture)?;
    let is_kept = app.store.write(move |conn| queries::set_pending_secret(conn, id, &sealed)).await?;
    if !is_kept {
        return Err(SecondFactorError::IsOn);
    }
    Ok(Enrolled { secret: totp::base32(bytes), otpauth_uri, qr_svg })
}

/// Confirms the secret that waits by a code of it; from now on signing in asks for one.
///
/// # Errors
/// `WrongCode`; `IsOn` and `IsOff` when no secret waits.
pub async fn confirm(app: &App, moderator: &Moderator, code: &str) -> Result<RecoveryCodes, SecondFactorError> {
    let (id, now) = (moderator.id, app.clock.now());
    let row = app.store.read(move |conn| queries::load_second_factor(conn, id)).await?;
    let sealed = match row {
        SecondFactorRow { totp_confirmed_at: Some(_), .. } => return Err(SecondFactorError::IsOn),
        SecondFactorRow { totp_secret, .. } => totp_secret.ok_or(SecondFactorError::IsOff)?,
    };
    let bytes = open(app, id, &sealed).ok_or(SecondFactorError::Unreadable)?;
    let step = totp::step_of(&bytes, &digits(code), now).ok_or(SecondFactorError::WrongCode)?;
    let (codes, hashes) = fresh_codes(app, id)?;
    let entry = audit::blank(app).await?.fill(moderator.actor(), Action::TotpOn).about(Subject::Moderator(id));
    let is_confirmed: StoreResult<bool> = app
        .store
        .write(move |conn| {
            if !queries::confirm_secret(conn, id, &sealed, step, now)? {
                return Ok(false);
            }
            queries::replace_recovery_codes(conn, id, &hashes)?;
            audit::record(conn, &entry)?;
            Ok(true)
        })
        .await;
    if !is_confirmed? {
        return Err(SecondFactorError::IsOff);
    }
    signed_in::forget(app);
    Ok(codes)
}

/// Removes the second factor, or the secret that waits. Without one it does nothing.
///
/// # Errors
/// When the password is not proven, or good only beside a second factor.
pub async fn remove(
    app: &App,
    moderator: &Moderator,
    password: &str,
    address: IpAddr,
) -> Result<(), SecondFactorError> {
    let id = moderator.id;
    prove(app, moderator, password, address).await?;
    if password.chars().count() < password::SHORTEST {
        return Err(SecondFactorError::PasswordTooShort);
    }
    let entry = audit::blank(app).await?.fill(moderator.actor(), Action::TotpOff).about(Subject::Moderator(id));
    let removed: StoreResult<()> = app
        .store
        .write(move |conn| {
            let before = queries::remove_second_factor(conn, id)?;
            if before.totp_confirmed_at.is_some() { audit::record(conn, &entry) } else { Ok(()) }
        })
        .await;
    removed?;
    signed_in::forget(app);
    Ok(())
}

/// Makes new recovery codes; the old ones are good no more.
///
/// # Errors
/// When the password is not proven; `IsOff` without a second factor.
pub async fn renew(
    app: &App,
    moderator: &Moderator,
    password: &str,
    address: IpAddr,
) -> Result<RecoveryCodes, SecondFactorError> {
    let id = moderator.id;
    prove(app, moderator, password, address).await?;
    let (codes, hashes) = fresh_codes(app, id)?;
    let entry =
        audit::blank(app).await?.fill(moderator.actor(), Action::RecoveryCodesMade).about(Subject::Moderator(id));
    let is_renewed: StoreResult<bool> = app
        .store
        .write(move |conn| {
            if queries::load_second_factor(conn, id)?.totp_confirmed_at.is_none() {
                return Ok(false);
            }
            queries::replace_recovery_codes(conn, id, &hashes)?;
            audit::record(conn, &entry)?;
            Ok(true)
        })
        .await;
    if is_renewed? { Ok(codes) } else { Err(SecondFactorError::IsOff) }
}

/// Removes somebody's second factor and ends every session: the command line's way when device and codes are lost.
///
/// # Errors
/// When there is no such moderator, or nothing to remove.
pub async fn reset_totp(app: &App, username: &str) -> Result<(), PeopleError> {
    let (username, now) = (username.to_owned(), app.clock.now());
    let entry = audit::blank(app).await?.fill(Actor::NOBODY, Action::TotpOff);
    let reset: Result<(), PeopleError> = app
        .store
        .write(move |conn| {
            let account = people::find_credentials(conn, &username)?.ok_or(PeopleError::Unknown)?;
            if queries::remove_second_factor(conn, account.id)?.totp_secret.is_none() {
                return Err(PeopleError::NoSecondFactor);
            }
            audit::record(conn, &entry.clone().about(Subject::Moderator(account.id)))?;
            sessions::end_sessions(conn, account.id, None, now)?;
            Ok(())
        })
        .await;
    reset?;
    signed_in::forget(app);
    Ok(())
}

/// The secret of a second factor.
pub(super) fn open(app: &App, owner: ModeratorId, sealed: &[u8]) -> Option<Vec<u8>> {
    app.keys.totp.open(sealed, &context(owner))
}

/// A code as apps show it, some with a space in the middle.
pub(super) fn digits(code: &str) -> String {
    code.chars().filter(|c| *c != ' ').collect()
}

/// Whose it is: in another's row it does not open.
fn context(owner: ModeratorId) -> Vec<u8> {
    format!("second factor of moderator {owner}").into_bytes()
}

fn fresh_codes(app: &App, owner: ModeratorId) -> Result<(RecoveryCodes, Vec<secret::Digest256>), NoRandomness> {
    let codes = recovery_code::make()?;
    let hashes = codes.iter().filter_map(|code| recovery_code::hash(app, owner, code)).collect();
    Ok((codes, hashes))
}
