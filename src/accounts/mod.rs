//! Who moderates: people, their passwords, sign-in, sessions, and what a role may do.
//!
//! A moderator signs in with a password and gets an access token (a JWT, 15 minutes) and a refresh token (opaque, used
//! once). Every request looks the session and the person up, so that signing out, disabling and a change of role or
//! sites work at once and not when a token expires. Readers have no accounts and are not here.

mod http;
mod password;
mod people;
mod queries;
mod refresh;
mod rename;
mod sign_in;
mod sign_out;
mod token;

use std::collections::HashSet;

use crate::kit::ids::{ModeratorId, SessionId, SiteId};
use crate::kit::text;

pub use http::{By, routes};
pub use password::{PasswordError, random_words};
pub use people::{
    AddModerator, PeopleError, add_moderator, disable_moderator, find_moderator, list_moderators, reset_password,
};
pub use queries::{forget_old_sessions, load_staff_names};

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything, on all sites.
    Admin,
    /// Reading the queue and deciding, on their sites.
    Moderator,
}

impl Role {
    /// Reads the word of the contract.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "admin" => Some(Self::Admin),
            "moderator" => Some(Self::Moderator),
            _ => None,
        }
    }

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Moderator => "moderator",
        }
    }

    /// Whether this role may put articles.
    pub const fn may_put_articles(self) -> bool {
        matches!(self, Self::Admin)
    }
}

/// A signed-in moderator, as of this request.
#[derive(Debug, Clone)]
pub struct Moderator {
    pub id: ModeratorId,
    pub session: SessionId,
    pub username: String,
    pub display_name: String,
    pub role: Role,
    /// The sites they may moderate; an administrator's list is not asked.
    pub sites: Vec<SiteId>,
}

impl Moderator {
    /// Whether this person moderates the site.
    pub fn moderates(&self, site: SiteId) -> bool {
        self.role == Role::Admin || self.sites.contains(&site)
    }

    /// The sites whose items a list may show; `None` for all.
    pub fn visible_sites(&self) -> Option<Vec<SiteId>> {
        (self.role != Role::Admin).then(|| self.sites.clone())
    }
}

/// The display names of those who moderate, as far as a reader's name may be compared with them.
#[derive(Debug, Default)]
pub struct StaffNames {
    keys: [HashSet<String>; 2],
}

impl StaffNames {
    /// Whether a name can be taken for one of them.
    pub fn has_one_like(&self, name: &str) -> bool {
        let keys = text::lookalike_keys(name);
        self.keys.iter().zip(&keys).any(|(known, key)| known.contains(key))
    }
}
