//! Whether somebody who was let in some time ago would still be, for what goes on longer than a request.

use std::sync::Arc;

use crate::app::App;
use crate::store::StoreResult;

use super::queries::keys;
use super::{Access, Moderator, signed_in};

/// The moderator as of now, by the session or key that they came with; `None` when it is over or they were disabled.
///
/// # Errors
/// Those of the store.
pub async fn look_again(app: &App, moderator: &Moderator) -> StoreResult<Option<Arc<Moderator>>> {
    match &moderator.access {
        Access::Session(session) => signed_in::find_signed_in(app, moderator.id, *session).await,
        Access::Key(key) => {
            let (id, now) = (key.id, app.clock.now());
            Ok(app.store.read(move |conn| keys::find_by_id(conn, id, now)).await?.map(Arc::new))
        }
        Access::Program => Ok(Some(Arc::new(moderator.clone()))),
    }
}
