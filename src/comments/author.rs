//! Whom a guest's comment is by, as far as pace and duplicates must know.
//!
//! An email proves nothing: anyone can type it. So an author is an email and an address together, or, where no email is
//! given, a name and an address. What is kept of it is a keyed hash.

use std::net::IpAddr;

use crate::app::App;
use crate::http::limits::AddressKey;
use crate::kit::ids::ArticleId;
use crate::kit::text;

use super::form::NewComment;

/// A guest, by a keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author(i64);

impl Author {
    /// The author of a comment that came from `address`.
    pub fn of(app: &App, comment: &NewComment, address: Option<IpAddr>) -> Self {
        let (kind, who) = match &comment.email {
            Some(email) => ("email", email.to_lowercase()),
            None => ("name", text::fold(&comment.name)),
        };
        let address = address.map_or(0, |address| AddressKey::from(address).number()).to_be_bytes();
        Self(app.keys.author.short_mac(&[kind.as_bytes(), who.as_bytes(), &address]))
    }

    /// The hash, for counting.
    pub fn key(self) -> i64 {
        self.0
    }

    /// What two comments share that are the same text by the same author under the same article. Line ends and outer
    /// white space do not make a text another.
    pub fn duplicate_hash(self, app: &App, article: ArticleId, comment: &str) -> i64 {
        let same = comment.trim().replace("\r\n", "\n");
        app.keys.author.short_mac(&[&self.0.to_be_bytes(), &article.get().to_be_bytes(), same.as_bytes()])
    }
}
