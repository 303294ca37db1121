//! What can go wrong with the database, sorted by what the caller can do about it.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

use super::dialect;
use super::job::Cause;

pub type StoreResult<T> = Result<T, StoreError>;

/// A database error, by what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Too much work waits already; later it will not.
    #[error("the store's queue is full")]
    Busy,
    /// The database cannot be reached, or was lost in the middle.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// No room on the disk.
    #[error("the disk is full: {0}")]
    Full(String),
    /// A row like it exists already.
    #[error("a unique constraint refuses it: {0:?}")]
    Taken(Constraint),
    /// What had to be there is not.
    #[error("a row that must exist is missing")]
    Missing,
    /// Two transactions got in each other's way; running it again is right.
    #[error("concurrent transactions: {0}")]
    Contended(String),
    /// Anything else: ours to mend.
    #[error("the database refused: {0}")]
    Broken(String),
}

/// The unique constraints that a feature meets in the normal course of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    SiteKey,
    ArticleKey,
    DuplicateComment,
    Username,
    IdempotencyKey,
    SpentChallenge,
    Other,
}

impl StoreError {
    /// Whether the whole group of a shared commit is lost with it, not only the job that met it.
    pub(super) fn is_of_the_database(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Unavailable(_))
    }
}

impl Cause for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::Missing,
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Taken(dialect::constraint(info.as_ref()))
            }
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, info) => {
                Self::Contended(info.message().to_owned())
            }
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            Error::DatabaseError(_, info) => from_message(info.as_ref()),
            Error::BrokenTransactionManager => Self::Unavailable("the transaction was lost".to_owned()),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// Diesel keeps no code for these; the databases' own messages are stable and in English, or in PostgreSQL's case
/// begin alike in every language with what libpq itself says.
fn from_message(info: &dyn DatabaseErrorInformation) -> StoreError {
    let message = info.message();
    let says = |part: &str| message.contains(part);
    if says("database or disk is full") || says("No space left on device") {
        StoreError::Full(message.to_owned())
    } else if says("deadlock detected") || says("database is locked") || says("database table is locked") {
        StoreError::Contended(message.to_owned())
    } else if says("disk I/O error")
        || says("server closed the connection")
        || says("connection to server")
        || says("no connection to the server")
        || says("terminating connection")
        || says("SSL connection has been closed")
        || says("the database system is")
        || says("could not receive data from server")
        || says("could not send data to server")
        || says("in a read-only transaction")
    {
        StoreError::Unavailable(message.to_owned())
    } else {
        StoreError::Broken(message.to_owned())
    }
}
