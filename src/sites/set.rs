//! Changing a site: what is given is set, the rest stays.

use crate::app::App;
use crate::kit::key::Key;
use crate::screening::Policy;

use super::add::{SiteError, parse_origin};
use super::{MAX_DEPTH, RequiredFields, queries};

/// What is to change.
#[derive(Debug, Default, Clone)]
pub struct SetSite {
    pub name: Option<String>,
    pub language: Option<String>,
    pub origins: Option<Vec<String>>,
    pub policy: Option<Policy>,
    pub required: Option<RequiredFields>,
    pub max_depth: Option<u32>,
}

/// Changes the site called `key`.
///
/// # Errors
/// When there is none, or a value is out of range.
pub async fn set_site(app: &App, key: &Key, set: SetSite) -> Result<(), SiteError> {
    if set.max_depth.is_some_and(|depth| !(1..=MAX_DEPTH).contains(&depth)) {
        return Err(SiteError::Depth);
    }
    let origins: Option<Vec<String>> = match &set.origins {
        Some(origins) => Some(origins.iter().map(|text| parse_origin(text)).collect::<Result<_, _>>()?),
        None => None,
    };
    let key = key.clone();
    app.store
        .write(move |conn| {
            let mut site = queries::find_site(conn, &key)?.ok_or(SiteError::Unknown)?;
            let set = set.clone();
            site.name = set.name.unwrap_or(site.name);
            site.language = set.language.unwrap_or(site.language);
            site.origins = origins.clone().unwrap_or(site.origins);
            site.settings.policy = set.policy.unwrap_or(site.settings.policy);
            site.settings.required = set.required.unwrap_or(site.settings.required);
            site.settings.max_depth = set.max_depth.unwrap_or(site.settings.max_depth);
            Ok::<_, SiteError>(queries::update_site(conn, &site)?)
        })
        .await?;
    app.pages.drop_all();
    Ok(())
}
