//! A comment's history: who decided what, when and why.
//!
//! Its first line is screening's and is not kept by itself: the comment says it all, and a post writes two pages less. The
//! line has the comment's id, which is no other line's.

use serde::Serialize;
use utoipa::ToSchema;

use crate::comments::{Comment, Status};
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, DecisionId};

/// One line of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Line {
    #[schema(value_type = i64)]
    pub id: DecisionId,
    #[schema(value_type = i64)]
    pub comment_id: CommentId,
    /// User name of who decided; null when screening did.
    pub by: Option<String>,
    /// Null when the comment was new.
    pub from: Option<Status>,
    pub to: Status,
    pub reason: Option<String>,
    pub note: Option<String>,
    /// What the author was told.
    pub message: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// The comment's version that it made.
    pub version: i64,
}

impl Line {
    /// The line that a comment began with: held when screening had reasons to, else published.
    pub(super) fn first(comment: &Comment) -> Self {
        Self {
            id: DecisionId::new(comment.id.get()),
            comment_id: comment.id,
            by: None,
            from: None,
            to: if comment.held_because.is_empty() { Status::Approved } else { Status::Pending },
            reason: None,
            note: None,
            message: None,
            at: comment.received_at,
            version: 1,
        }
    }
}
