//! One comment as a moderator sees it: everything a decision needs.

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::articles::Article;
use crate::comments::{Comment, find_comment};
use crate::kit::ids::CommentId;
use crate::kit::key::Key;
use crate::store::StoreResult;

use super::history::Line;
use super::queries;

/// A comment with what stands around it.
#[derive(Debug)]
pub struct Item {
    pub comment: Comment,
    pub site: Key,
    pub article: Article,
    /// What it replies to, published or not.
    pub parent: Option<Parent>,
    /// Of its author by email; none without one. It tells no email.
    pub record: Option<Record>,
    /// User name of who holds it now.
    pub claimed_by: Option<String>,
}

impl Item {
    /// What `moderator` may see of it. Every way out of this feature goes through here.
    #[must_use]
    pub(super) fn seen_by(mut self, moderator: &Moderator) -> Self {
        if !moderator.may(Right::SeePersonal) {
            self.comment.email = None;
            self.comment.ip = None;
            self.comment.user_agent = None;
        }
        self
    }
}

/// What became of an author's latest comments on a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    pub approved: i64,
    /// Those in the trash included.
    pub rejected: i64,
    pub spam: i64,
}

/// What a comment replies to.
#[derive(Debug, Clone)]
pub struct Parent {
    pub id: CommentId,
    pub name: String,
    pub text: String,
}

/// One comment and its history, the oldest line first; `None` also for one of another's site.
///
/// # Errors
/// Those of the store.
pub async fn find_item(app: &App, moderator: &Moderator, id: CommentId) -> StoreResult<Option<(Item, Vec<Line>)>> {
    let (by, now) = (moderator.clone(), app.clock.now());
    app.store
        .read(move |conn| {
            let Some(comment) = find_comment(conn, id)?.filter(|comment| by.moderates(comment.site_id)) else {
                return Ok(None);
            };
            let lines = queries::list_lines(conn, &comment)?;
            let item = queries::with_surroundings(conn, vec![comment], now)?.pop();
            Ok(item.map(|item| (item.seen_by(&by), lines)))
        })
        .await
}
