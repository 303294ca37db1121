//! Sites: a publication with a name, a language, the origins of its own pages, and how its comments are treated.
//!
//! A new database has one, `main`. Settings that nobody changed keep their defaults, today's and tomorrow's. Articles
//! hang on a site and are their own feature.

mod add;
mod hours;
mod http;
mod list;
mod origins;
mod outside;
mod put_settings;
mod queries;
mod set;
mod settings;

use crate::kit::ids::SiteId;
use crate::kit::key::Key;

pub use add::{AddSite, SiteError, add_site};
pub use hours::{Hours, TimeOfDay};
pub use http::routes;
pub use list::find_own_site;
pub use origins::list_origins;
pub use outside::{Outside, SealedSecret, Service};
pub use put_settings::{SettingsError, put_settings};
pub use queries::{SiteRow, find_site, find_site_by_id, list_sites};
pub use set::{SetSite, set_site};
pub use settings::{MAX_DEPTH, Order, Reason, RequiredFields, SiteSettings};

/// A site, as the other features see it.
#[derive(Debug, Clone)]
pub struct Site {
    pub id: SiteId,
    pub key: Key,
    pub name: String,
    /// BCP 47 tag of the language of what readers see around comments.
    pub language: String,
    /// Scheme, host and port of the pages that may post and read.
    pub origins: Vec<String>,
    pub settings: SiteSettings,
}
