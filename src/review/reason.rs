//! Reasons of decisions: those that the comment's site offers, and what an author is told when the moderator writes
//! nothing.

use crate::accounts::Moderator;
use crate::app::App;
use crate::comments::{Status, find_comment};
use crate::kit::ids::{CommentId, SiteId};
use crate::sites::{Reason, SiteSettings, find_site_by_id};
use crate::store::{Conn, StoreError, StoreResult};

use super::decide::{Decide, DecideError};

/// The reason that a site calls `key`.
pub(super) fn find_reason(conn: &mut Conn, site: SiteId, key: &str) -> StoreResult<Option<Reason>> {
    let site = find_site_by_id(conn, site)?;
    Ok(site.and_then(|site| site.settings.find_reason(key).cloned()))
}

/// What the author is told: what the moderator wrote, else what the site says for the reason, where the author sees one.
pub(super) fn message(own: Option<&String>, reason: &Reason, to: Status) -> Option<String> {
    let is_told = matches!(to, Status::Rejected | Status::Trash);
    own.or(reason.message.as_ref().filter(|_| is_told)).cloned()
}

/// The decision with its message, and, when there is a reason, what the site has set about it.
///
/// # Errors
/// When the site offers no such reason.
pub(super) fn settle(
    conn: &mut Conn,
    site: SiteId,
    decide: &Decide,
) -> Result<(Decide, Option<SiteSettings>), DecideError> {
    let Some(key) = &decide.reason else { return Ok((decide.clone(), None)) };
    let settings = find_site_by_id(conn, site)?.ok_or(StoreError::Missing)?.settings;
    let reason = settings.find_reason(key).ok_or(DecideError::NoSuchReason)?;
    let message = message(decide.message.as_ref(), reason, decide.decision.status());
    Ok((Decide { message, ..decide.clone() }, Some(settings)))
}

/// Whether a reason may be given for a comment; so it is, when there is no such comment for them.
pub(super) async fn is_offered(app: &App, by: &Moderator, comment: CommentId, key: &str) -> StoreResult<bool> {
    let (by, key) = (by.clone(), key.to_owned());
    app.store
        .read(move |conn| {
            let Some(comment) = find_comment(conn, comment)?.filter(|comment| by.moderates(comment.site_id)) else {
                return Ok(true);
            };
            Ok(find_reason(conn, comment.site_id, &key)?.is_some())
        })
        .await
}
