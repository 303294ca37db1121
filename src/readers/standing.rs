//! Whom a site trusts: an author whose latest proven comments speak for them.
//!
//! Of the latest twenty, one at least must be published and be so because a moderator decided it, and none may have been
//! rejected, put in the trash or taken for spam. So one such decision ends the trust at once, until twenty others have come
//! after it or the decision is taken back. What only the site's policy published speaks for nobody.

use crate::kit::ids::{EmailId, SiteId};
use crate::store::{Conn, StoreResult};

use super::Browser;
use super::queries;

/// How many of an author's proven comments are looked at, the latest.
pub(super) const LATEST: i64 = 20;

/// Who somebody is that a browser was proven to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub email: EmailId,
    /// Whether the site publishes what they write at once, where it does so for anybody.
    pub is_trusted: bool,
}

/// Who writes with this email on this site from this browser; `None` unless the email was verified in it.
///
/// # Errors
/// Those of the store.
pub fn find_standing(conn: &mut Conn, site: SiteId, email: &str, browser: Browser) -> StoreResult<Option<Standing>> {
    let Some(email) = queries::find_email_in(conn, site, &super::folded(email), browser)? else { return Ok(None) };
    let latest = queries::list_latest_statuses(conn, email, LATEST)?;
    let has = |word: &str| latest.iter().any(|(_, status)| status == word);
    let is_refused = ["rejected", "spam", "trash"].into_iter().any(has);
    let published: Vec<_> = latest.iter().filter(|(_, status)| status == "approved").map(|(id, _)| *id).collect();
    let is_trusted = !is_refused && !published.is_empty() && queries::is_one_approved_by_people(conn, &published)?;
    Ok(Some(Standing { email, is_trusted }))
}
