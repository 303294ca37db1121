//! Identifiers: positive integers below 2^53 (what a JavaScript number holds exactly), one type per thing
//! named, so that a comment's id cannot be passed where an article's is meant. Stored as `BIGINT`.
//!
//! They are handed out by `store::Store::next_id` before anything is written; this module only types them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;

/// The largest id: 2^53 − 1.
pub const MAX_ID: i64 = (1 << 53) - 1;

/// What an id may name.
pub mod of {
    /// A site: a publication with its own settings, articles and moderators.
    #[derive(Debug)]
    pub enum Site {}
    /// An article that comments hang on.
    #[derive(Debug)]
    pub enum Article {}
    /// A comment.
    #[derive(Debug)]
    pub enum Comment {}
    /// A decision about a comment.
    #[derive(Debug)]
    pub enum Decision {}
    /// A person who moderates.
    #[derive(Debug)]
    pub enum Moderator {}
    /// A moderator's signed-in session.
    #[derive(Debug)]
    pub enum Session {}
    /// A key by which a program acts for a moderator.
    #[derive(Debug)]
    pub enum ApiKey {}
    /// A moderator's note on a comment.
    #[derive(Debug)]
    pub enum Note {}
    /// What an edit of a comment replaced.
    #[derive(Debug)]
    pub enum Revision {}
    /// An entry of the audit log.
    #[derive(Debug)]
    pub enum AuditEntry {}
    /// A ban: somebody whose comments are not wanted.
    #[derive(Debug)]
    pub enum Ban {}
    /// What a reader says against a comment.
    #[derive(Debug)]
    pub enum Report {}
    /// Comments that are nearly the same: the id of the first of them.
    #[derive(Debug)]
    pub enum Campaign {}
    /// A rule of a site.
    #[derive(Debug)]
    pub enum Rule {}
    /// A site's rules applied anew to what waits.
    #[derive(Debug)]
    pub enum Rerun {}
}

pub type SiteId = Id<of::Site>;
pub type ArticleId = Id<of::Article>;
pub type CommentId = Id<of::Comment>;
pub type DecisionId = Id<of::Decision>;
pub type ModeratorId = Id<of::Moderator>;
pub type SessionId = Id<of::Session>;
pub type ApiKeyId = Id<of::ApiKey>;
pub type NoteId = Id<of::Note>;
pub type RevisionId = Id<of::Revision>;
pub type AuditEntryId = Id<of::AuditEntry>;
pub type BanId = Id<of::Ban>;
pub type ReportId = Id<of::Report>;
pub type CampaignId = Id<of::Campaign>;
pub type RuleId = Id<of::Rule>;
pub type RerunId = Id<of::Rerun>;

/// The id of one `Of`.
#[derive(AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct Id<Of: 'static> {
    value: i64,
    of: PhantomData<fn() -> Of>,
}

impl<Of> Id<Of> {
    /// An id known to be one: read from the store or handed out by it.
    pub const fn new(value: i64) -> Self {
        Self { value, of: PhantomData }
    }

    /// Reads what a client sent: digits only, no sign, no leading zero, from 1 to [`MAX_ID`].
    pub fn parse(text: &str) -> Option<Self> {
        let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let value: i64 = text.parse().ok().filter(|_| is_canonical)?;
        Self::from_number(value)
    }

    /// Takes a number that a client sent, from 1 to [`MAX_ID`].
    pub fn from_number(value: i64) -> Option<Self> {
        (1..=MAX_ID).contains(&value).then_some(Self::new(value))
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.value
    }
}

// Written out because a derive would ask the same of `Of`, which is never a value.
impl<Of> Clone for Id<Of> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Of> Copy for Id<Of> {}
impl<Of> PartialEq for Id<Of> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl<Of> Eq for Id<Of> {}
impl<Of> PartialOrd for Id<Of> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<Of> Ord for Id<Of> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}
impl<Of> Hash for Id<Of> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}
impl<Of> fmt::Debug for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
impl<Of> fmt::Display for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
impl<Of> serde::Serialize for Id<Of> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.value)
    }
}

/// Reads an id out of a path, where it is text.
impl<'de, Of> serde::Deserialize<'de> for Id<Of> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id"))
    }
}

impl<Of, DB> ToSql<BigInt, DB> for Id<Of>
where
    DB: Backend,
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.value.to_sql(out)
    }
}

impl<Of, DB> FromSql<BigInt, DB> for Id<Of>
where
    DB: Backend,
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        i64::from_sql(bytes).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_positive_numbers_are_ids() {
        for refused in ["", "0", "-1", "+1", "01", " 1", "1 ", "1.0", "9007199254740992", "99999999999999999999", "１"]
        {
            assert_eq!(CommentId::parse(refused), None, "{refused:?}");
        }
        assert_eq!(CommentId::parse("9007199254740991"), Some(CommentId::new(MAX_ID)));
    }
}
