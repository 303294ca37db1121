//! Signing out: the session ends, and with it its access token and every refresh token, at once.

use crate::app::App;
use crate::audit::{self, Action, Subject};
use crate::store::StoreResult;

use super::queries::sessions;
use super::{Moderator, signed_in};

/// Ends the session that `moderator` came with; whoever came with none stays as they are.
///
/// # Errors
/// Those of the store.
pub async fn sign_out(app: &App, moderator: &Moderator) -> StoreResult<()> {
    let Some(session) = moderator.session() else { return Ok(()) };
    let now = app.clock.now();
    let entry = audit::blank(app).await?.fill(moderator.actor(), Action::SignedOut).about(Subject::Session(session));
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            // Twice at once is one sign-out.
            if sessions::end_session(conn, session, now)? { audit::record(conn, &entry) } else { Ok(()) }
        })
        .await;
    written?;
    signed_in::forget(app);
    tracing::info!(moderator = moderator.id.get(), "signed out");
    Ok(())
}
