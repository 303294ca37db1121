//! Four eyes: for reasons that a site chooses, a decision takes effect when a second moderator makes the same.
//!
//! The first is kept beside the comment and changes nothing. It is good for the version it was made about; whoever
//! decides otherwise, or edits, has taken it away.

use crate::accounts::Moderator;
use crate::comments::{Comment, Status};
use crate::kit::clock::Millis;
use crate::kit::ids::ModeratorId;
use crate::sites::SiteSettings;
use crate::store::{Conn, StoreResult};

use super::queries::second_opinions::{delete_opinion, find_opinion, put_opinion};

/// A decision that one moderator would make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opinion {
    pub version: i64,
    pub by: ModeratorId,
    pub to: Status,
    pub reason: String,
}

/// What four eyes have to say to a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eyes {
    /// It may be made: the reason asks for no second opinion, or this is the second.
    Enough,
    /// It was the first, and waits now.
    Waits,
    /// The same moderator had it already.
    Same,
}

/// Asks whether a decision may be made now, and keeps it if it is the first of two.
///
/// # Errors
/// Those of the store.
pub(super) fn ask(
    conn: &mut Conn,
    settings: &SiteSettings,
    by: &Moderator,
    comment: &Comment,
    (to, reason): (Status, Option<&str>),
    now: Millis,
) -> StoreResult<Eyes> {
    let Some(reason) = reason.filter(|reason| settings.four_eyes.iter().any(|key| key == reason)) else {
        return Ok(Eyes::Enough);
    };
    let opinion = Opinion { version: comment.version, by: by.id, to, reason: reason.to_owned() };
    match find_opinion(conn, comment.id)? {
        Some(first) if first == opinion => Ok(Eyes::Same),
        Some(first) if first == (Opinion { by: first.by, ..opinion.clone() }) => {
            delete_opinion(conn, comment.id)?;
            Ok(Eyes::Enough)
        }
        _ => {
            put_opinion(conn, comment.id, &opinion, now)?;
            Ok(Eyes::Waits)
        }
    }
}
