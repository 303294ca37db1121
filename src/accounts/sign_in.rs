//! Signing in: name and password in, a session with its first pair of tokens out.
//!
//! A wrong name, a disabled account and a wrong password are one answer after one hash. The session is written only when
//! all is well.

use std::net::IpAddr;

use crate::app::App;
use crate::kit::secret::{self, Digest256};
use crate::store::{StoreError, StoreResult};

use super::password::{self, Checked, PasswordError};
use super::queries::{self, NewSession};
use super::token::{self, TokenError};

/// Who wants in, and from where.
#[derive(Debug)]
pub struct SignIn {
    pub username: String,
    pub password: String,
    pub address: IpAddr,
    pub user_agent: Option<String>,
}

/// The pair of tokens that a session goes on with.
#[derive(Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("wrong name or password")]
    Refused,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Signs a moderator in.
///
/// # Errors
/// `Refused` for every wrong name, password or disabled account alike.
pub async fn sign_in(app: &App, asked: SignIn) -> Result<Tokens, SignInError> {
    let username = asked.username;
    let account = app.store.read(move |conn| queries::find_credentials(conn, &username)).await?;
    let hash = account.as_ref().filter(|account| !account.is_disabled).map(|account| account.password_hash.clone());
    let checked = password::check(app, asked.password, hash).await?;
    let (Some(account), Checked::Right | Checked::RightButWeak(_)) = (account, &checked) else {
        tracing::info!("a sign-in was refused");
        return Err(SignInError::Refused);
    };

    let now = app.clock.now();
    let (refresh, refresh_hash) = first_refresh_token()?;
    let session = NewSession {
        id: app.store.next_id().await?,
        moderator: account.id,
        created_at: now,
        address: asked.address.to_string(),
        user_agent: asked.user_agent,
        refresh_hash,
    };
    let access = token::issue(app, account.id, session.id, now)?;
    let id = account.id;
    let stronger = if let Checked::RightButWeak(hash) = checked { Some(hash) } else { None };
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            if let Some(hash) = &stronger {
                queries::set_password_hash(conn, id, hash)?;
            }
            queries::insert_session(conn, &session)
        })
        .await;
    written?;
    tracing::info!(moderator = id.get(), "signed in");
    Ok(Tokens { access, refresh })
}

fn first_refresh_token() -> Result<(String, Digest256), TokenError> {
    let token = secret::random()?;
    Ok((secret::encode(&token), secret::digest(&token)))
}
