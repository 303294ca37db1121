//! An entry, put together. What comes from outside the transaction (id, moment, salt) is taken before it, as a
//! [`Blank`], so that a transaction that is run again writes the same entry.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::App;
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, AuditEntryId, ModeratorId, SiteId};
use crate::kit::secret::{self, Digest256};
use crate::store::{StoreError, StoreResult};

use super::{Action, Subject};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Empty: somebody who has not shown who they are, or the program itself.
    pub moderator: Option<ModeratorId>,
    /// The key by which a program acts for the moderator.
    pub key: Option<ApiKeyId>,
}

impl Actor {
    /// Whoever is at the command line, or nobody that is known.
    pub const NOBODY: Self = Self { moderator: None, key: None };

    /// A moderator in person.
    pub const fn moderator(id: ModeratorId) -> Self {
        Self { moderator: Some(id), key: None }
    }
}

/// What an entry needs that a transaction may not make: take it before, and fill it in inside.
#[derive(Debug, Clone, Copy)]
pub struct Blank {
    pub(super) id: AuditEntryId,
    pub(super) at: Millis,
    pub(super) salt: Digest256,
}

/// Takes what one entry needs.
///
/// # Errors
/// Those of the store; also when the operating system gives no random bytes.
pub async fn blank(app: &App) -> StoreResult<Blank> {
    let salt = secret::random().map_err(|error| StoreError::Broken(error.to_string()))?;
    Ok(Blank { id: app.store.next_id().await?, at: app.clock.now(), salt })
}

impl Blank {
    /// The entry that tells of `action` by `actor`.
    pub fn fill(self, actor: Actor, action: Action) -> Entry {
        Entry { blank: self, actor, action, site: None, subject: None, facts: Map::new(), private: Map::new() }
    }
}

/// An entry to be written. Never put a secret in it: no password, code, token or key, and no hash of one.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) blank: Blank,
    pub(super) actor: Actor,
    pub(super) action: Action,
    pub(super) site: Option<SiteId>,
    pub(super) subject: Option<Subject>,
    pub(super) facts: Map<String, Value>,
    pub(super) private: Map<String, Value>,
}

impl Entry {
    /// On which site, so that those who read the log of that site see it.
    #[must_use]
    pub fn on_site(mut self, site: SiteId) -> Self {
        self.site = Some(site);
        self
    }

    /// To what.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }

    /// A fact that is about no person: it stays for ever.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Serialize) -> Self {
        self.facts.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// From what to what: two facts.
    #[must_use]
    pub fn change(self, from: impl Serialize, to: impl Serialize) -> Self {
        self.fact("from", from).fact("to", to)
    }

    /// Something about a person: it can be erased, and the chain still verifies.
    #[must_use]
    pub fn private(mut self, name: &str, value: impl Serialize) -> Self {
        self.private.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Where a request came from; private.
    #[must_use]
    pub fn from_client(self, address: IpAddr, user_agent: Option<&str>) -> Self {
        self.private("address", address).private("user_agent", user_agent)
    }
}
