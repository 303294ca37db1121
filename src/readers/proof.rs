//! Proofs: that an email was verified on a site, and which comments are by who has it.

use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, EmailId, SiteId};
use crate::store::{Conn, StoreResult};

use super::{Browser, queries};

/// How long after the first use of a link it still says whose a browser is: a double click is answered twice.
const SECOND_USE_WITHIN_MS: i64 = 600_000;

/// What the use of a link proves.
#[derive(Debug, Clone)]
pub struct NewProof {
    /// The id that the email gets when it was not verified on this site before.
    pub fresh_id: EmailId,
    pub comment: CommentId,
    pub site: SiteId,
    pub email: String,
    /// The browser in which the link was opened, if it is to be remembered.
    pub browser: Option<Browser>,
    pub at: Millis,
}

/// Keeps what the use of a link proves; says whether the browser is now known to be theirs. A link that was used before
/// proves nothing further.
///
/// # Errors
/// Those of the store.
pub fn keep_proof(conn: &mut Conn, new: &NewProof) -> StoreResult<bool> {
    let email = queries::load_or_insert_email(conn, new.fresh_id, new.site, &super::folded(&new.email), new.at)?;
    queries::prove_comment(conn, new.comment, email, new.at)?;
    let first_use = queries::find_proof_time(conn, new.comment)?.unwrap_or(new.at);
    let Some(browser) = new.browser.filter(|_| new.at.0 - first_use.0 <= SECOND_USE_WITHIN_MS) else {
        return Ok(false);
    };
    queries::bind_browser(conn, browser, email, new.at)?;
    Ok(true)
}

/// Those of these comments that are proven.
///
/// # Errors
/// Those of the store.
pub fn list_proven(conn: &mut Conn, comments: &[CommentId]) -> StoreResult<Vec<CommentId>> {
    queries::list_proven(conn, comments)
}

/// Whether an email was verified on one of these sites, or on any.
///
/// # Errors
/// Those of the store.
pub fn is_verified(conn: &mut Conn, email: &str, sites: Option<&[SiteId]>) -> StoreResult<bool> {
    queries::is_verified(conn, &super::folded(email), sites)
}
