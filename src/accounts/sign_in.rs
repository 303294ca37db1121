//! Signing in: name, password and, where there is a second factor, a code in; a session with its first pair of tokens out.
//!
//! A wrong name, a disabled account, a wrong password and a wrong, used or missing code are one answer after one hash and
//! one write, that of an entry in the audit log. The session is written only when all is well. A try that comes too soon
//! after others is told so before any of it, whether there is such a name or not.

use std::net::IpAddr;

use crate::app::App;
use crate::audit::{self, Action, Actor, Entry, Subject};
use crate::kit::ids::SessionId;
use crate::kit::places::Queue;
use crate::kit::secret::{self, Digest256};
use crate::store::{StoreError, StoreResult};

use super::guessing::{self, TooSoon};
use super::password::{self, Checked, PasswordError};
use super::people::is_username;
use super::queries::people::{self, Credentials};
use super::queries::sessions::{self, NewSession};
use super::shown::Shown;
use super::signing;
use super::token::{self, TokenError};

/// Who wants in, and from where.
#[derive(Debug)]
pub struct SignIn {
    pub username: String,
    pub password: String,
    /// Of an app, or a recovery code. Not looked at when there is no second factor.
    pub code: Option<String>,
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
    #[error("wrong name, password or code")]
    Refused,
    #[error(transparent)]
    TooSoon(#[from] TooSoon),
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
/// `Refused` for every wrong name, password or code, and for disabled accounts, alike.
pub async fn sign_in(app: &App, asked: SignIn) -> Result<Tokens, SignInError> {
    let (username, since) = (asked.username.clone(), guessing::known_since(app));
    let (account, addresses) = app
        .store
        .read(move |conn| {
            let account = people::find_credentials(conn, &username)?;
            Ok::<_, StoreError>((account, sessions::list_addresses(conn, &username, since)?))
        })
        .await?;
    let is_known = guessing::is_known(&addresses, asked.address);
    let guess = guessing::begin(app, &asked.username, asked.address, is_known)?;
    let hash = account.as_ref().filter(|account| !account.is_disabled).map(|account| account.password_hash.clone());
    let queue = if is_known { Queue::Known } else { Queue::Newcomers };
    let checked = match password::check(app, queue, &asked.password, hash).await {
        Ok(checked) => checked,
        Err(error) => {
            guess.was_none();
            return Err(error.into());
        }
    };
    let (Some(account), Checked::Right | Checked::RightButWeak) = (&account, &checked) else {
        let refusal = refusal(app, &asked, account.as_ref(), "password").await?;
        app.store.write(move |conn| audit::record(conn, &refusal)).await?;
        return Err(refused());
    };

    if is_too_short_alone(account, &asked.password) {
        let refusal = refusal(app, &asked, Some(account), "too_short_alone").await?;
        app.store.write(move |conn| audit::record(conn, &refusal)).await?;
        return Err(refused());
    }
    let Some(tokens) = open_session(app, &asked, account).await? else { return Err(refused()) };
    guess.was_right();
    tracing::info!(moderator = account.id.get(), "signed in");
    if checked == Checked::RightButWeak {
        let kept = strengthen(app, account, &asked.password).await;
        // Whoever signed in did so well; the next time will do.
        kept.unwrap_or_else(|error| tracing::warn!(%error, "a weak hash of a password was left as it is"));
    }
    Ok(tokens)
}

/// A password that is good beside a second factor opens nothing once that is gone (NIST SP 800-63B-4 §3.1.1.2), whoever
/// took it away. The hash does not tell how long it is; whoever signs in does.
fn is_too_short_alone(account: &Credentials, password: &str) -> bool {
    account.second_factor.totp_confirmed_at.is_none() && password.chars().count() < password::SHORTEST
}

/// Uses the code up and opens a session, or tells the log that the code was wrong.
async fn open_session(app: &App, asked: &SignIn, account: &Credentials) -> Result<Option<Tokens>, SignInError> {
    let (id, now) = (account.id, app.clock.now());
    let shown = Shown::by(app, account, asked.code.as_deref());
    let (refresh, refresh_hash) = first_refresh_token()?;
    let session = NewSession {
        id: app.store.next_id().await?,
        moderator: id,
        created_at: now,
        address: asked.address.to_string(),
        user_agent: asked.user_agent.clone(),
        refresh_hash,
    };
    let access = token::issue(app, &signing::current(app).await?, id, session.id, now)?;
    let entries = entries(app, asked, account, shown, session.id).await?;
    let refusal = refusal(app, asked, Some(account), "code").await?;
    let hash = account.password_hash.clone();
    let opened: StoreResult<bool> = app
        .store
        .write(move |conn| {
            // A password that was changed since it was checked opens nothing: its sessions have been ended already.
            if !people::replace_password_hash(conn, id, &hash, &hash)? {
                audit::record(conn, &refusal.clone().fact("why", "password"))?;
                return Ok(false);
            }
            if !shown.take(conn, id, now)? {
                audit::record(conn, &refusal)?;
                return Ok(false);
            }
            sessions::insert_session(conn, &session)?;
            entries.iter().try_for_each(|entry| audit::record(conn, entry))?;
            Ok(true)
        })
        .await;
    Ok(opened?.then_some(Tokens { access, refresh }))
}

/// What a sign-in that goes well leaves in the log: itself, and that a recovery code is gone.
async fn entries(
    app: &App,
    asked: &SignIn,
    account: &Credentials,
    shown: Shown,
    session: SessionId,
) -> StoreResult<Vec<Entry>> {
    let actor = Actor::moderator(account.id);
    let mut signed_in = audit::blank(app)
        .await?
        .fill(actor, Action::SignedIn)
        .about(Subject::Session(session))
        .from_client(asked.address, asked.user_agent.as_deref());
    if let Some(word) = shown.as_str() {
        signed_in = signed_in.fact("second_factor", word);
    }
    let mut entries = vec![signed_in];
    if let Shown::Recovery(_) = shown {
        let used = audit::blank(app).await?.fill(actor, Action::RecoveryCodeUsed);
        entries.push(used.about(Subject::Moderator(account.id)));
    }
    Ok(entries)
}

/// Keeps a hash of today's strength. Only after all was right: a second hash before would tell by its time that the
/// password was.
async fn strengthen(app: &App, account: &Credentials, password: &str) -> Result<(), SignInError> {
    let stronger = password::hash_again(app, password).await?;
    let (id, weak) = (account.id, account.password_hash.clone());
    app.store.write(move |conn| people::replace_password_hash(conn, id, &weak, &stronger)).await?;
    Ok(())
}

fn refused() -> SignInError {
    tracing::info!("a sign-in was refused");
    SignInError::Refused
}

/// Tells who was refused and why; alike for every refusal, so that it tells whoever waits for the answer nothing.
async fn refusal(app: &App, asked: &SignIn, account: Option<&Credentials>, wrong: &str) -> StoreResult<Entry> {
    let why = match account {
        None => "unknown",
        Some(account) if account.is_disabled => "disabled",
        Some(_) => wrong,
    };
    // What can be no user name is likelier a password in the wrong field than a name.
    let name = Some(&asked.username).filter(|name| is_username(name));
    let entry = audit::blank(app)
        .await?
        .fill(Actor::NOBODY, Action::SignInRefused)
        .fact("why", why)
        .private("username", name)
        .from_client(asked.address, asked.user_agent.as_deref());
    Ok(match account {
        Some(account) => entry.about(Subject::Moderator(account.id)),
        None => entry,
    })
}

fn first_refresh_token() -> Result<(String, Digest256), TokenError> {
    let token = secret::random()?;
    Ok((secret::encode(&token), secret::digest(&token)))
}
