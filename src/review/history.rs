//! A comment's history: who decided what, when and why.

use serde::Serialize;
use utoipa::ToSchema;

use crate::comments::Status;
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
