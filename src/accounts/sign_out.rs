//! Signing out: the session ends, and with it its access token and every refresh token, at once.

use crate::app::App;
use crate::store::StoreResult;

use super::{Moderator, queries};

/// Ends the session that `moderator` came with.
///
/// # Errors
/// Those of the store.
pub async fn sign_out(app: &App, moderator: &Moderator) -> StoreResult<()> {
    let (session, now) = (moderator.session, app.clock.now());
    app.store.write(move |conn| queries::end_session(conn, session, now)).await?;
    tracing::info!(moderator = moderator.id.get(), "signed out");
    Ok(())
}
