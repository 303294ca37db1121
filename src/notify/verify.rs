//! Verifying an email by its link: looking at it changes nothing, because mail programs look too; only sending the page's
//! form does. What is proven by it is in [`crate::readers`].

use crate::app::App;
use crate::articles::{Article, find_article_by_id};
use crate::comments::{Comment, Status, find_comment};
use crate::kit::clock::Millis;
use crate::kit::secret;
use crate::readers::{
    Browser, GOOD_FOR, NewProof, find_proof_time, keep_proof, read_verification_id, verification_token,
};
use crate::sites::{Site, find_site_by_id};
use crate::store::{Cause, StoreError, StoreResult};

/// What a link is about.
#[derive(Debug)]
pub struct Verification {
    pub comment: Comment,
    pub email: String,
    pub site: Site,
    pub article: Article,
    /// Whether the link was used.
    pub is_done: bool,
}

/// Why a link is of no use.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("there is no such link, or its comment was erased")]
    NoSuchLink,
    #[error("the link is older than seven days")]
    Expired,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for VerifyError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// What a link is about. One that was used stays good for looking at.
///
/// # Errors
/// See [`VerifyError`].
pub async fn find_verification(app: &App, token: &str) -> Result<Verification, VerifyError> {
    let id = read_verification_id(token).ok_or(VerifyError::NoSuchLink)?;
    let found = app.store.read(move |conn| -> StoreResult<_> {
        let Some(comment) = find_comment(conn, id)? else { return Ok(None) };
        let proven_at = find_proof_time(conn, id)?;
        let (site, article) = (find_site_by_id(conn, comment.site_id)?, find_article_by_id(conn, comment.article_id)?);
        Ok(site.zip(article).map(|(site, article)| (comment, site, article, proven_at)))
    });
    let (comment, site, article, proven_at) = found.await?.ok_or(VerifyError::NoSuchLink)?;
    let email = comment.email.clone().filter(|_| comment.status != Status::Erased).ok_or(VerifyError::NoSuchLink)?;
    let theirs = verification_token(app, id, site.id, &email);
    if !secret::is_equal(theirs.as_bytes(), token.as_bytes()) {
        return Err(VerifyError::NoSuchLink);
    }
    if is_expired(app, comment.received_at) {
        return Err(VerifyError::Expired);
    }
    Ok(Verification { comment, email, site, article, is_done: proven_at.is_some() })
}

fn is_expired(app: &App, received_at: Millis) -> bool {
    app.clock.now() >= received_at.plus(GOOD_FOR)
}

/// Uses a link: its comment is proven, and `browser`, if one is to be remembered, is known to be theirs. Says what it was
/// about and whether the browser is known now; a link that was used before makes no browser known.
///
/// # Errors
/// See [`VerifyError`].
pub async fn verify_email(
    app: &App,
    token: &str,
    browser: Option<Browser>,
) -> Result<(Verification, bool), VerifyError> {
    let verification = find_verification(app, token).await?;
    let new = NewProof {
        fresh_id: app.store.next_id().await?,
        comment: verification.comment.id,
        site: verification.site.id,
        email: verification.email.clone(),
        browser,
        at: app.clock.now(),
    };
    let is_known = app.store.write(move |conn| keep_proof(conn, &new)).await?;
    Ok((verification, is_known))
}
