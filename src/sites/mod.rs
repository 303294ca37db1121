//! Sites: a publication with a name, a language, the origins of its own pages, and how its comments are treated.
//!
//! A new database has one, `main`. Settings that nobody changed keep their defaults, today's and tomorrow's. Articles
//! hang on a site and are their own feature.

mod add;
mod origins;
mod queries;
mod set;

use serde::{Deserialize, Serialize};

use crate::kit::ids::SiteId;
use crate::kit::key::Key;
use crate::screening::Policy;

pub use add::{AddSite, SiteError, add_site};
pub use origins::list_origins;
pub use queries::{SiteRow, find_site, find_site_by_id, list_sites};
pub use set::{SetSite, set_site};

/// The deepest nesting that may be set, in levels.
pub const MAX_DEPTH: u32 = 10;

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

/// How a site treats comments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteSettings {
    pub policy: Policy,
    pub required: RequiredFields,
    /// Levels of replies, roots counted: 1 to [`MAX_DEPTH`]. The deepest comment's `depth` is one less.
    pub max_depth: u32,
    /// Reasons for which a decision needs a second moderator.
    pub four_eyes: Vec<String>,
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self { policy: Policy::default(), required: RequiredFields::default(), max_depth: 5, four_eyes: Vec::new() }
    }
}

/// What a reader must fill in, beside the comment itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequiredFields {
    pub name: bool,
    pub email: bool,
}

impl Default for RequiredFields {
    fn default() -> Self {
        Self { name: true, email: true }
    }
}
