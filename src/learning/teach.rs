//! Teaching: what a decision leaves for the filter, in the decision's own transaction.
//!
//! Only people teach. Approving says that a comment is good, the spam folder that it is spam; whatever else is decided, or
//! taken back, says nothing any more. So each comment teaches one thing at most, the last that was said of it.

use tokio::sync::Notify;

use crate::app::App;
use crate::kit::ids::{CommentId, DecisionId, ModeratorId, SiteId};
use crate::screening::counts::Label;
use crate::store::{Conn, StoreResult};

use super::queries;

/// What a decision says about a comment.
#[derive(Debug, Clone, Copy)]
pub struct Lesson {
    pub decision: DecisionId,
    pub site: SiteId,
    pub comment: CommentId,
    /// Who says so, and what; none when nothing is said any more.
    pub says: Option<(ModeratorId, Label)>,
}

/// Wakes whoever learns.
#[derive(Default)]
struct Waiting(Notify);

/// Keeps what decisions say, in place of what was said before. In their transaction, of which nobody else changes the
/// comments meanwhile; two or three statements, however many they are.
///
/// # Errors
/// Those of the store.
pub fn teach(conn: &mut Conn, lessons: &[Lesson]) -> StoreResult<()> {
    let comments: Vec<CommentId> = lessons.iter().map(|lesson| lesson.comment).collect();
    queries::unsay(conn, &comments)?;
    queries::insert_lessons(conn, lessons)
}

/// Has it learned soon: after the commit.
pub fn wake(app: &App) {
    app.shelves.get::<Waiting>().0.notify_one();
}

/// Resolves when there may be something to learn.
pub async fn lesson_waits(app: &App) {
    app.shelves.get::<Waiting>().0.notified().await;
}
