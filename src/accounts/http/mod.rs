//! Signing in, sessions, people and oneself, over HTTP; and [`Moderator`](super::Moderator) and [`SignedIn`] as what a
//! handler asks for.
//!
//! One file for each thing a path begins with; each turns its own story's errors into problems.

mod audit;
mod cookies;
mod extract;
mod keys;
mod me;
mod password;
mod people;
mod reset_page;
mod resets;
mod session;
mod sessions;
mod totp;

use crate::http::routes::RouteTable;

pub use cookies::SESSION_COOKIE;
pub use extract::{By, SignedIn};

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    session::routes(table);
    me::routes(table);
    totp::routes(table);
    password::routes(table);
    sessions::routes(table);
    people::routes(table);
    resets::routes(table);
    reset_page::routes(table);
    keys::routes(table);
    audit::routes(table);
}
