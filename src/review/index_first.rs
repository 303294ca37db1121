//! To be connected: what brings `comment_lookup` up to date gives way to the story that indexes what waits. Until then
//! whoever looks for comments by their author has them looked up here, all that were never indexed.

use crate::app::App;
use crate::store::StoreResult;

use super::queries;

/// Brings up to date what comments are found by.
///
/// # Errors
/// Those of the store.
pub async fn index_waiting(app: &App) -> StoreResult<()> {
    app.store.write(queries::index_waiting).await
}
