//! Who moderates: people, their passwords, sign-in, sessions, and what a role may do.
//!
//! A moderator signs in with a password, and with a code where there is a second factor, and gets an access token (a JWT,
//! 15 minutes) and a refresh token (opaque, used once), to keep or in cookies. Every request looks the session and the
//! person up, so that signing out, disabling and a change of role or sites work at once and not when a token expires.
//! Programs come with a key of a moderator's, which may no more than its owner. Readers have no accounts and are not here.
#![doc = include_str!("asvs.md")]

mod change_password;
mod change_person;
mod guessing;
mod http;
mod key_access;
mod keys;
mod look_again;
mod moderator;
mod password;
mod people;
mod prove;
mod queries;
mod read_audit;
mod recovery_code;
mod refresh;
mod rename;
mod reset;
mod rights;
mod second_factor;
mod sessions;
mod shown;
mod sign_in;
mod sign_out;
mod signed_in;
mod signing;
mod token;

use std::collections::HashSet;

use crate::kit::text;

pub use change_person::{Change, change_person, disable_moderator};
pub use http::{By, SESSION_COOKIE, SignedIn, routes};
pub use look_again::look_again;
pub use moderator::{Access, KeyAccess, Moderator};
pub use password::{PasswordError, random_words};
pub use people::{AddModerator, Added, PeopleError, add_moderator, find_moderator, list_moderators, reset_password};
pub use queries::keys::forget_old_keys;
pub use queries::people::{find_acting, load_staff_names};
pub use queries::resets::forget_old_resets;
pub use queries::sessions::forget_old_sessions;
pub use rights::{Right, Role, Scope};
pub use second_factor::reset_totp;
pub use signing::{rotate as rotate_signing_key, rotate_when_due as rotate_signing_key_when_due};

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
