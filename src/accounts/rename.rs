//! Changing one's display name: the only thing about a moderator that readers ever see.

use crate::app::App;
use crate::audit::{self, Action, Subject};
use crate::kit::text::{self, TextFault};
use crate::store::{StoreError, StoreResult};

use super::queries::people;
use super::{Moderator, signed_in};

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

/// A display name as it is kept.
///
/// # Errors
/// When it is no name, or too long.
pub fn parse(display_name: &str) -> Result<String, RenameError> {
    let name = text::name(display_name)?;
    if name.len() > LONGEST { Err(RenameError::TooLong) } else { Ok(name) }
}

/// Sets the display name and returns it as it is kept.
///
/// # Errors
/// When it is no name, or too long.
pub async fn rename(app: &App, moderator: &Moderator, display_name: &str) -> Result<String, RenameError> {
    let name = parse(display_name)?;
    if name == moderator.display_name {
        return Ok(name);
    }
    let (id, kept) = (moderator.id, name.clone());
    let entry = audit::blank(app)
        .await?
        .fill(moderator.actor(), Action::DisplayNameChanged)
        .about(Subject::Moderator(id))
        .private("from", &moderator.display_name)
        .private("to", &name);
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            people::set_display_name(conn, id, &name)?;
            audit::record(conn, &entry)
        })
        .await;
    written?;
    signed_in::forget(app);
    // Whoever posts under a name like it is judged by the new name from now on.
    app.drop_threads();
    Ok(kept)
}
