//! Comments: what readers write, from the reply form to the published thread.
//!
//! `post` is the story of the product, in eight steps. `show` keeps the published tree right when a comment comes or goes;
//! `thread` reads it in pages. A held or removed comment appears in nothing that this feature gives to the public: the
//! tree, its counts and its order are those of the published comments alone. Who decides about comments is not here but
//! in `review`.

mod author;
mod edit;
mod find;
mod form;
mod generate;
mod ground;
mod http;
mod others;
mod post;
mod purge;
mod queries;
mod receipt;
mod report;
mod robots;
mod show;
mod staff;
mod thread;

use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, ModeratorId, SiteId};

pub use edit::{Edit, ReadyEdit, Wording, reword};
pub use form::ReplyForm;
pub use generate::generate_comments;
pub use http::{routes, thread_bytes};
pub use post::{Post, PostError, Posted, post_comment};
pub use purge::purge_old_spam;
pub use queries::{
    Wrote, clear_addresses, find_comment, find_screening, forget_challenges_before, insert_decision, list_comments,
    list_first_published, set_screening,
};
pub use receipt::receipt_token;
pub use report::{ReportedBy, answer_reports, list_reports, reopen_reports};
pub use robots::Traces;
pub use show::{change_status, change_statuses};
pub use staff::{StaffReply, StaffText, publish_reply};
pub use thread::{Sort, ThreadQuery, View};

/// Where a comment stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for a moderator.
    Pending,
    /// Published.
    Approved,
    Rejected,
    Spam,
    Trash,
    /// Taken back by its author; final.
    Withdrawn,
    /// Erased by a privacy request; final.
    Erased,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Approved, Self::Rejected, Self::Spam, Self::Trash, Self::Withdrawn, Self::Erased];

    /// Reads the word of the contract and of the database.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// The word of the contract and of the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Spam => "spam",
            Self::Trash => "trash",
            Self::Withdrawn => "withdrawn",
            Self::Erased => "erased",
        }
    }

    /// Whether no decision changes it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Erased)
    }
}

/// A comment as it is kept, with what the reader sent.
#[derive(Debug, Clone)]
pub struct Comment {
    pub id: CommentId,
    pub site_id: SiteId,
    pub article_id: ArticleId,
    pub parent_id: Option<CommentId>,
    /// Every comment above it where it was written, from the root down.
    pub ancestors: Ancestors,
    pub thread_id: CommentId,
    pub thread_at: Millis,
    pub status: Status,
    pub version: i64,
    pub name: String,
    pub email: Option<String>,
    pub url: Option<String>,
    pub text: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub html: String,
    pub moderator_id: Option<ModeratorId>,
    pub created_at: Millis,
    pub received_at: Millis,
    pub edited_at: Option<Millis>,
    pub held_because: Vec<String>,
    pub risk: f64,
    /// How many readers' reports wait for an answer.
    pub reports: i64,
    /// Where it stands among the published, while it is published itself.
    pub shown: Shown,
}

impl Comment {
    /// Whether there may be replies to it on a site with so many levels of them: it is published, and not as deep as
    /// replies go. Its depth is the one that readers see, or a refusal would tell that something above it was removed.
    pub fn takes_replies(&self, max_depth: u32) -> bool {
        self.status == Status::Approved && i64::from(self.shown.depth) < i64::from(max_depth) - 1
    }

    /// How it stands, for those who follow what changes.
    pub fn as_change(&self) -> Change {
        Change { comment: self.id, version: self.version, status: self.status.as_str(), site: self.site_id }
    }
}

/// A place in the published tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// The nearest published comment above; none for a root.
    pub parent_id: Option<CommentId>,
    pub depth: i32,
    /// Direct replies shown.
    pub replies: i64,
    /// All replies shown below.
    pub below: i64,
}

/// The comments above one, from the root down; stored as `/7/12/`, so that "is below 12" is `LIKE '%/12/%'`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ancestors(Vec<CommentId>);

impl Ancestors {
    /// Reads what the database holds.
    pub fn parse(text: &str) -> Self {
        Self(text.split('/').filter_map(CommentId::parse).collect())
    }

    /// Those of a reply to `parent`, whose own these are.
    #[must_use]
    pub fn with(mut self, parent: CommentId) -> Self {
        self.0.push(parent);
        self
    }

    /// From the root down.
    pub fn ids(&self) -> &[CommentId] {
        &self.0
    }
}

impl std::fmt::Display for Ancestors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.iter().try_for_each(|id| write!(f, "/{id}"))?;
        f.write_str("/")
    }
}

/// A line of a comment's history, to be written.
#[derive(Debug, Clone)]
pub struct NewDecision {
    pub id: crate::kit::ids::DecisionId,
    pub comment: CommentId,
    /// None when screening decided.
    pub moderator: Option<ModeratorId>,
    /// None when the comment was new.
    pub from: Option<Status>,
    pub to: Status,
    pub reason: Option<String>,
    pub note: Option<String>,
    pub message: Option<String>,
    pub at: Millis,
    /// The comment's version that it made.
    pub version: i64,
    /// The batch of which it is one.
    pub batch: Option<crate::kit::ids::DecisionId>,
    /// The decision that it takes back.
    pub undoes: Option<crate::kit::ids::DecisionId>,
}

impl NewDecision {
    /// Screening's, about a comment that is new.
    pub fn first(id: crate::kit::ids::DecisionId, comment: &Comment) -> Self {
        Self {
            id,
            comment: comment.id,
            moderator: None,
            from: None,
            to: comment.status,
            reason: None,
            note: None,
            message: None,
            at: comment.received_at,
            version: comment.version,
            batch: None,
            undoes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_read_back_what_they_write() {
        for text in ["", "/7/", "/7/12/9007199254740991/"] {
            assert_eq!(Ancestors::parse(text).to_string(), text);
        }
        assert_eq!(Ancestors::parse("/7/").with(CommentId::new(12)).to_string(), "/7/12/");
    }

    #[test]
    fn every_status_reads_back_what_it_writes() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
    }
}
