//! Comments over HTTP: posting, reading threads, receipts, and the server-rendered page.
//!
//! One file per verb; the shapes that several share are in `bodies`, the pages' in `views`.

mod bodies;
mod challenge;
mod links;
mod one;
mod page;
mod post;
mod receipt;
mod report;
mod thread;
mod views;

use serde_json::json;

use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;

pub use thread::thread_bytes;

use super::PostError;
use super::thread::ThreadError;

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    post::routes(table);
    thread::routes(table);
    one::routes(table);
    receipt::routes(table);
    report::routes(table);
    challenge::routes(table);
    page::routes(table);
}

impl From<PostError> for Problem {
    fn from(error: PostError) -> Self {
        match error {
            PostError::NoSuchArticle => Self::not_found(),
            PostError::Closed => Self::new(Kind::CommentsClosed, "Comments on this article are closed."),
            PostError::ClosedUntil(at) => {
                let detail = format!("No comments are taken at this hour; they are again from {at}.");
                Self::new(Kind::CommentsClosed, detail).with("opens_at", json!(at))
            }
            PostError::ForeignOrigin => Self::new(
                Kind::ForeignOrigin,
                "The page that sent this belongs to an origin that the site does not list.",
            ),
            PostError::Invalid(faults) => Self::invalid(faults),
            PostError::Challenge(fault) => challenge::problem(fault),
            PostError::TooFast(error) => error.into(),
            PostError::Duplicate => {
                Self::new(Kind::DuplicateComment, "You have already sent exactly this text to this article.")
            }
            PostError::KeyReused => {
                Self::new(Kind::KeyReused, "The Idempotency-Key came with another request before. Use a new one.")
            }
            PostError::Store(error) => error.into(),
        }
    }
}

impl From<ThreadError> for Problem {
    fn from(error: ThreadError) -> Self {
        match error {
            ThreadError::NoSuchArticle => Self::not_found(),
            ThreadError::ForeignCursor => {
                Self::new(Kind::Unreadable, "The cursor is not one of ours, or belongs to another list.")
            }
            ThreadError::Store(error) => error.into(),
        }
    }
}
