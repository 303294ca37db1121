//! Putting a site's settings: all of them at once. What is not said goes back to what it is when nobody says.
//!
//! Whoever says which version they changed does not overwrite what somebody else put meanwhile.

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::audit::{self, Action};
use crate::kit::fault::Fault;
use crate::kit::key::Key;
use crate::store::{Cause, StoreError};

use super::set::{forget, write_changes};
use super::{Site, SiteSettings, queries};

/// Why nothing was put.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("there is no such site, or it is not one's own")]
    NoSuchSite,
    #[error("fields are wrong")]
    Invalid(Vec<Fault>),
    #[error("somebody changed them meanwhile")]
    Stale(Box<SiteSettings>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for SettingsError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Puts `settings` in place of those of the site called `key`. `versions` are those they may have now; any, when nothing
/// is said.
///
/// # Errors
/// See [`SettingsError`]; nothing is changed then.
pub async fn put_settings(
    app: &App,
    by: &Moderator,
    key: &Key,
    settings: SiteSettings,
    versions: Option<Vec<i64>>,
) -> Result<SiteSettings, SettingsError> {
    let faults = settings.faults();
    if !faults.is_empty() {
        return Err(SettingsError::Invalid(faults));
    }
    let (key, by) = (key.clone(), by.clone());
    let blank = audit::blank(app).await?;
    let written = app.store.write(move |conn| {
        let before = queries::find_site_to_change(conn, &key)?;
        let before =
            before.filter(|site| by.may_on(Right::ChangeSettings, site.id)).ok_or(SettingsError::NoSuchSite)?;
        if versions.as_ref().is_some_and(|versions| !versions.contains(&before.settings.version())) {
            return Err(SettingsError::Stale(Box::new(before.settings)));
        }
        let mut after = Site { settings: settings.clone(), ..before.clone() };
        let faults = after.settings.outside.keep_secrets_of(&before.settings.outside);
        if !faults.is_empty() {
            return Err(SettingsError::Invalid(faults));
        }
        write_changes(conn, blank.fill(by.actor(), Action::SiteChanged), &before, &after)?;
        Ok(after.settings)
    });
    let settings = written.await?;
    forget(app);
    Ok(settings)
}
