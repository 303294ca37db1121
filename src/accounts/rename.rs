//! Changing one's display name: the only thing about a moderator that readers ever see.

use crate::app::App;
use crate::kit::text::{self, TextFault};
use crate::store::{StoreError, StoreResult};

use super::{Moderator, queries};

/// The longest display name, in bytes, as for any other name.
pub const LONGEST: usize = 245;

/// Why a name was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    #[error(transparent)]
    Text(#[from] TextFault),
    #[error("the name is longer than {LONGEST} bytes")]
    TooLong,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sets the display name and returns it as it is kept.
///
/// # Errors
/// When it is no name, or too long.
pub async fn rename(app: &App, moderator: &Moderator, display_name: &str) -> Result<String, RenameError> {
    let name = text::name(display_name)?;
    if name.len() > LONGEST {
        return Err(RenameError::TooLong);
    }
    let (id, kept) = (moderator.id, name.clone());
    let written: StoreResult<()> = app.store.write(move |conn| queries::set_display_name(conn, id, &name)).await;
    written?;
    // Whoever posts under a name like it is judged by the new name from now on.
    app.pages.drop_all();
    Ok(kept)
}
