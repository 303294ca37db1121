//! Adding a site.

use url::Url;
use validator::ValidationError;

use crate::app::App;
use crate::audit::{self, Action, Actor, Subject};
use crate::kit::fault;
use crate::kit::ids::SiteId;
use crate::kit::key::Key;
use crate::kit::text;
use crate::store::{Cause, Constraint, StoreError, StoreResult};

use super::{MAX_DEPTH, Site, SiteSettings, queries};

/// The longest name, in bytes.
const MAX_NAME: usize = 1_000;

/// A site to be added.
#[derive(Debug)]
pub struct AddSite {
    pub key: Key,
    pub name: String,
    pub origins: Vec<String>,
}

/// Why a site was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error("there is a site with this key already")]
    Taken,
    #[error("there is no site with this key")]
    Unknown,
    #[error("a name has 1 to {MAX_NAME} bytes, without line ends")]
    Name(ValidationError),
    #[error("an origin is scheme, host and perhaps port, such as https://news.example, not {0:?}")]
    Origin(String),
    #[error("max_depth must be from 1 to {MAX_DEPTH}")]
    Depth,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for SiteError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Adds a site with default settings. `by` is who does it.
///
/// # Errors
/// When the key is taken, the name is none or an origin is none.
pub async fn add_site(app: &App, by: Actor, add: AddSite) -> Result<SiteId, SiteError> {
    check_name(&add.name)?;
    let site = Site {
        id: app.store.next_id().await?,
        key: add.key,
        name: add.name,
        language: "en".to_owned(),
        origins: add.origins.iter().map(|text| parse_origin(text)).collect::<Result<_, _>>()?,
        settings: SiteSettings::default(),
    };
    let (id, now) = (site.id, app.clock.now());
    let entry = audit::blank(app)
        .await?
        .fill(by, Action::SiteAdded)
        .on_site(id)
        .about(Subject::Site(id))
        .fact("key", site.key.as_str())
        .fact("name", &site.name)
        .fact("origins", &site.origins);
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            queries::insert_site(conn, &site, now)?;
            audit::record(conn, &entry)
        })
        .await;
    match written {
        Err(StoreError::Taken(Constraint::SiteKey)) => Err(SiteError::Taken),
        other => Ok(other.map(|()| id)?),
    }
}

/// Whether a site may be called so.
pub(super) fn check_name(name: &str) -> Result<(), SiteError> {
    let rules = || {
        fault::filled(name)?;
        text::check_plain(name).map_err(fault::of_text)?;
        fault::at_most(name, MAX_NAME)
    };
    rules().map_err(SiteError::Name)
}

/// Reads an origin and writes it as browsers do (RFC 6454 §6.2).
pub(super) fn parse_origin(text: &str) -> Result<String, SiteError> {
    let refused = || SiteError::Origin(text.to_owned());
    let url = Url::parse(text).map_err(|_| refused())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !is_bare {
        return Err(refused());
    }
    Ok(url.origin().ascii_serialization())
}
