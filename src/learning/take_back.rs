//! Taking back what one moderator taught a site's filter: exactly that, whatever others taught before or after.
//!
//! Their decisions stand. The counts follow within seconds; until then the filter goes on with what it knows.

use crate::accounts::Moderator;
use crate::app::App;
use crate::audit::{self, Action, Subject};
use crate::kit::key::Key;
use crate::kit::text;
use crate::sites::find_own_site;
use crate::store::{Cause, Conn, StoreError};

use super::{queries, wake};

/// Why nothing was taken back.
#[derive(Debug, thiserror::Error)]
pub enum TakeBackError {
    #[error("there is no such site, or it is not one's own")]
    NoSuchSite,
    #[error("there is nobody of this name")]
    NoSuchModerator,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for TakeBackError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Takes it back; says how many decisions that are.
///
/// # Errors
/// See [`TakeBackError`]; nothing is taken back then.
pub async fn take_back(app: &App, by: &Moderator, site: &Key, teacher: &str) -> Result<usize, TakeBackError> {
    let site = find_own_site(app, by, site).await?.ok_or(TakeBackError::NoSuchSite)?;
    let (blank, by, name) = (audit::blank(app).await?, by.clone(), text::fold(teacher));
    let write = move |conn: &mut Conn| {
        let teacher = queries::find_teacher(conn, &name)?.ok_or(TakeBackError::NoSuchModerator)?;
        let count = queries::unsay_all_of(conn, site.id, teacher)?;
        let entry = blank
            .fill(by.actor(), Action::TrainingTakenBack)
            .on_site(site.id)
            .about(Subject::Moderator(teacher))
            .fact("decisions", count as u64);
        audit::record(conn, &entry)?;
        Ok::<usize, TakeBackError>(count)
    };
    let count = app.store.write(write).await?;
    wake(app);
    Ok(count)
}
