//! Who may do what: one table of rights by role, and by the scopes of the key that a request came with.
//!
//! Nothing else in the program compares roles. A right says what may be done at all; on which sites it may be done is
//! asked beside it, of [`Moderator`](super::Moderator).

use serde::Serialize;
use utoipa::ToSchema;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything, on all sites.
    Admin,
    /// What moderators may, and settings, articles and the audit log, on their sites.
    Lead,
    /// Reading the queue and deciding, on their sites.
    Moderator,
    /// Reading the queue and deciding, on their sites, without what is personal about readers.
    ReviewerWithoutEmails,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::ReviewerWithoutEmails, Self::Moderator, Self::Lead, Self::Admin];

    /// The role that may do the least: what a word in the database means that this program does not know.
    pub const LEAST: Self = Self::ReviewerWithoutEmails;

    /// Reads the word of the contract.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Lead => "lead",
            Self::Moderator => "moderator",
            Self::ReviewerWithoutEmails => "reviewer-without-emails",
        }
    }

    /// Whether this role has every site there is and will be.
    pub const fn has_all_sites(self) -> bool {
        matches!(self, Self::Admin)
    }

    /// Whether this role has a right at all.
    pub fn has(self, right: Right) -> bool {
        row(right).0.contains(&self)
    }
}

/// Something that not everyone may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    ReadQueue,
    Decide,
    /// Changing what a reader's comment says.
    Edit,
    /// Emails, network addresses and user agents of readers, and to look for them.
    SeePersonal,
    Ban,
    /// Deciding about many comments by a filter.
    DecideMany,
    UndoOthers,
    ReadSettings,
    /// Settings, rules, and taking back what a filter learnt.
    ChangeSettings,
    ReadAudit,
    PutArticles,
    /// Moderators, and other people's sessions.
    ManagePeople,
    ManageSites,
    /// One's own name, password, second factor, sessions and keys.
    ChangeOneself,
}

/// What a key was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum Scope {
    #[serde(rename = "review:read")]
    ReviewRead,
    #[serde(rename = "review:decide")]
    ReviewDecide,
    #[serde(rename = "articles:write")]
    ArticlesWrite,
    #[serde(rename = "audit:read")]
    AuditRead,
    /// All that its owner may, but for what only the owner in person may.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] =
        [Self::ReviewRead, Self::ReviewDecide, Self::ArticlesWrite, Self::AuditRead, Self::Admin];

    /// Reads the word of the contract.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReviewRead => "review:read",
            Self::ReviewDecide => "review:decide",
            Self::ArticlesWrite => "articles:write",
            Self::AuditRead => "audit:read",
            Self::Admin => "admin",
        }
    }

    /// Whether a key with this scope alone lets a right of its owner through.
    pub fn lets_through(self, right: Right) -> bool {
        row(right).1.contains(&self)
    }
}

const ADMIN: &[Role] = &[Role::Admin];
const LEAD: &[Role] = &[Role::Lead, Role::Admin];
const MODERATOR: &[Role] = &[Role::Moderator, Role::Lead, Role::Admin];
const EVERYONE: &[Role] = &Role::ALL;

/// The table: which roles have the right, and which scopes of a key let it through. A right without a row does not
/// compile.
#[rustfmt::skip]
#[allow(clippy::match_same_arms)] // A table: one row for each right.
const fn row(right: Right) -> (&'static [Role], &'static [Scope]) {
    match right {
        Right::ReadQueue      => (EVERYONE,  &[Scope::ReviewRead, Scope::Admin]),
        Right::Decide         => (EVERYONE,  &[Scope::ReviewDecide, Scope::Admin]),
        Right::Edit           => (MODERATOR, &[Scope::ReviewDecide, Scope::Admin]),
        Right::SeePersonal    => (MODERATOR, &[Scope::ReviewRead, Scope::Admin]),
        Right::Ban            => (MODERATOR, &[Scope::ReviewDecide, Scope::Admin]),
        Right::DecideMany     => (MODERATOR, &[Scope::ReviewDecide, Scope::Admin]),
        Right::UndoOthers     => (MODERATOR, &[Scope::ReviewDecide, Scope::Admin]),
        Right::ReadSettings   => (MODERATOR, &[Scope::ReviewRead, Scope::Admin]),
        Right::ChangeSettings => (LEAD,      &[Scope::Admin]),
        Right::ReadAudit      => (LEAD,      &[Scope::AuditRead, Scope::Admin]),
        Right::PutArticles    => (LEAD,      &[Scope::ArticlesWrite, Scope::Admin]),
        Right::ManagePeople   => (ADMIN,     &[Scope::Admin]),
        Right::ManageSites    => (ADMIN,     &[Scope::Admin]),
        Right::ChangeOneself  => (EVERYONE,  &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_roles_and_scopes_are_read_strictly() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        for word in ["", "Admin", "admin ", "root", "reviewer", "review:*", "*"] {
            assert_eq!(Role::parse(word), None, "{word:?}");
        }
        assert_eq!(Scope::parse("review:*"), None);
    }

    #[test]
    fn settings_name_the_roles_that_there_are() {
        let mut named = crate::config::ROLES.to_vec();
        named.reverse();
        assert_eq!(named, Role::ALL.map(Role::as_str));
    }

    #[test]
    fn each_role_may_what_the_one_before_it_may() {
        let rights = [
            Right::ReadQueue,
            Right::Decide,
            Right::Edit,
            Right::SeePersonal,
            Right::Ban,
            Right::DecideMany,
            Right::UndoOthers,
            Right::ReadSettings,
            Right::ChangeSettings,
            Right::ReadAudit,
            Right::PutArticles,
            Right::ManagePeople,
            Right::ManageSites,
            Right::ChangeOneself,
        ];
        let count = |role: Role| rights.into_iter().filter(|right| role.has(*right)).count();
        assert_eq!(Role::ALL.map(count), [3, 9, 12, 14]);
        for right in rights {
            for pair in Role::ALL.windows(2) {
                assert!(!pair[0].has(right) || pair[1].has(right), "{right:?}");
            }
        }
    }
}
