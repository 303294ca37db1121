//! Replies by staff: comments that are published at once, by whoever moderates and under their display name.

use validator::Validate;

use crate::accounts::Moderator;
use crate::kit::clock::Millis;
use crate::kit::ids::CommentId;
use crate::kit::markup;
use crate::store::{Conn, StoreResult};

use super::form::text_rules;
use super::{Comment, Shown, Status, queries, show};

/// What a reply says, by the rules of the reply form.
#[derive(Debug, Clone, Validate)]
pub struct StaffText {
    #[validate(custom(function = text_rules))]
    pub text: String,
}

/// A reply, rendered: made before any lock is taken.
#[derive(Debug, Clone)]
pub struct StaffReply {
    id: CommentId,
    text: String,
    html: String,
    now: Millis,
}

impl StaffReply {
    /// A reply made `now`.
    pub fn new(id: CommentId, StaffText { text }: StaffText, now: Millis) -> Self {
        let html = markup::render(&text);
        Self { id, text, html, now }
    }

    /// The comment it becomes, as a reply to `parent`.
    fn below(&self, parent: &Comment, by: &Moderator) -> Comment {
        Comment {
            id: self.id,
            site_id: parent.site_id,
            article_id: parent.article_id,
            parent_id: Some(parent.id),
            ancestors: parent.ancestors.clone().with(parent.id),
            thread_id: parent.thread_id,
            thread_at: parent.thread_at,
            status: Status::Approved,
            version: 1,
            name: by.display_name.clone(),
            email: None,
            url: None,
            text: self.text.clone(),
            ip: None,
            user_agent: None,
            html: self.html.clone(),
            moderator_id: Some(by.id),
            // A reply never stands before what it replies to, whatever the clock says.
            created_at: self.now.max(Millis(parent.created_at.0 + 1)),
            received_at: self.now,
            edited_at: None,
            held_because: Vec::new(),
            risk: 0.0,
            reports: 0,
            shown: Shown::default(),
        }
    }
}

/// Publishes a reply to a comment that takes replies.
///
/// # Errors
/// Those of the store.
pub fn publish_reply(conn: &mut Conn, parent: &Comment, by: &Moderator, reply: &StaffReply) -> StoreResult<Comment> {
    let comment = reply.below(parent, by);
    let shown = show::show_new(conn, &comment)?;
    queries::insert_comment(conn, &comment, shown, queries::Beside::default())?;
    Ok(comment)
}
