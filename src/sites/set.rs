//! Changing a site: what is given is set, the rest stays.

use serde_json::json;

use crate::app::App;
use crate::audit::{self, Action, Actor, Entry, Subject};
use crate::kit::key::Key;
use crate::screening::Policy;
use crate::store::{Conn, StoreResult};

use super::add::{SiteError, check_name, parse_origin};
use super::{MAX_DEPTH, RequiredFields, Site, queries};

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

/// Changes the site called `key`; the site as it is then. `by` is who does it. What is set to what it was changes nothing.
///
/// # Errors
/// When there is none, or a value is out of range.
pub async fn set_site(app: &App, by: Actor, key: &Key, set: SetSite) -> Result<Site, SiteError> {
    if set.max_depth.is_some_and(|depth| !(1..=MAX_DEPTH).contains(&depth)) {
        return Err(SiteError::Depth);
    }
    set.name.as_deref().map_or(Ok(()), check_name)?;
    let origins: Option<Vec<String>> = match &set.origins {
        Some(origins) => Some(origins.iter().map(|text| parse_origin(text)).collect::<Result<_, _>>()?),
        None => None,
    };
    let key = key.clone();
    let blank = audit::blank(app).await?;
    let site = app
        .store
        .write(move |conn| {
            let before = queries::find_site_to_change(conn, &key)?.ok_or(SiteError::Unknown)?;
            let (mut site, set) = (before.clone(), set.clone());
            site.name = set.name.unwrap_or(site.name);
            site.language = set.language.unwrap_or(site.language);
            site.origins = origins.clone().unwrap_or(site.origins);
            site.settings.policy = set.policy.unwrap_or(site.settings.policy);
            site.settings.required = set.required.unwrap_or(site.settings.required);
            site.settings.max_depth = set.max_depth.unwrap_or(site.settings.max_depth);
            write_changes(conn, blank.fill(by, Action::SiteChanged), &before, &site)?;
            Ok::<_, SiteError>(site)
        })
        .await?;
    forget(app);
    Ok(site)
}

/// After the commit: whatever was made of the site as it was is made anew.
pub(super) fn forget(app: &App) {
    app.drop_threads();
    app.origins.drop_all();
}

/// Writes the site as it is now, and `entry` with everything that is not what it was, from and to; nothing when all is.
pub(super) fn write_changes(conn: &mut Conn, entry: Entry, before: &Site, after: &Site) -> StoreResult<()> {
    let (old, new) = (&before.settings, &after.settings);
    let values = [
        ("name", json!(before.name), json!(after.name)),
        ("language", json!(before.language), json!(after.language)),
        ("origins", json!(before.origins), json!(after.origins)),
        ("policy", json!(old.policy), json!(new.policy)),
        ("required", json!(old.required), json!(new.required)),
        ("max_depth", json!(old.max_depth), json!(new.max_depth)),
        ("order", json!(old.order), json!(new.order)),
        ("close_after_days", json!(old.close_after_days), json!(new.close_after_days)),
        ("hours", json!(old.hours), json!(new.hours)),
        ("edit_minutes", json!(old.edit_minutes), json!(new.edit_minutes)),
        ("reasons", json!(old.reasons), json!(new.reasons)),
        ("four_eyes", json!(old.four_eyes), json!(new.four_eyes)),
        ("report_threshold", json!(old.report_threshold), json!(new.report_threshold)),
        ("budget", json!(old.budget), json!(new.budget)),
        ("outside", old.outside.told(), new.outside.told()),
    ];
    let changed: Vec<_> = values.into_iter().filter(|(_, from, to)| from != to).collect();
    if changed.is_empty() {
        return Ok(());
    }
    queries::update_site(conn, after)?;
    let add = |entry: Entry, (name, from, to)| entry.fact(name, json!({ "from": from, "to": to }));
    let entry = changed.into_iter().fold(entry, add);
    audit::record(conn, &entry.on_site(after.id).about(Subject::Site(after.id)))
}
