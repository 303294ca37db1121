//! Lifting a ban: from the answer on, what they send is treated like everybody's. What was decided stays decided.

use crate::accounts::Moderator;
use crate::app::App;
use crate::audit::{self, Action, Subject};
use crate::kit::ids::BanId;
use crate::store::StoreResult;

use super::kept::{forget_book, mark_change};
use super::queries;

/// Lifts a ban; false when there is none, or it is not on the moderator's sites.
///
/// # Errors
/// Those of the store.
pub async fn lift_ban(app: &App, moderator: &Moderator, id: BanId) -> StoreResult<bool> {
    let (by, visible) = (moderator.actor(), moderator.visible_sites());
    let (blank, change) = (audit::blank(app).await?, app.store.next_id().await?);
    let is_lifted = app
        .store
        .write(move |conn| -> StoreResult<_> {
            let Some(row) = queries::find_ban(conn, visible.as_deref(), id)? else { return Ok(false) };
            if !queries::delete_ban(conn, id)? {
                return Ok(false);
            }
            let entry = blank
                .fill(by, Action::BanLifted)
                .about(Subject::Ban(id))
                .fact("kind", &row.kind)
                .private("value", &row.value);
            let entry = if let Some(site) = row.site_id { entry.on_site(site) } else { entry };
            audit::record(conn, &entry)?;
            mark_change(conn, change)?;
            Ok(true)
        })
        .await?;
    if is_lifted {
        forget_book(app);
    }
    Ok(is_lifted)
}
