//! Replying as staff: a published comment under a moderator's display name, and, if asked, the approval of what it replies
//! to in the same transaction. A closed article takes staff's replies; depth is limited as for readers.

use crate::accounts::Moderator;
use crate::app::App;
use crate::articles::find_keys;
use crate::audit::{self, Action, Blank, Subject};
use crate::comments::{
    Comment, NewDecision, StaffReply, StaffText, Status, find_comment, insert_decision, publish_reply,
};
use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, DecisionId};
use crate::kit::key::Key;
use crate::sites::find_site_by_id;
use crate::store::{self, Cause, Conn, Constraint, Replay, StoreError};

use super::decide::{self, Decide, DecideError, Decision};

/// A reply to be made.
#[derive(Debug, Clone)]
pub struct Reply {
    pub parent: CommentId,
    pub text: StaffText,
    /// The versions of the parent that are approved by it; `None` to reply to what is published already.
    pub approves: Option<Vec<i64>>,
    /// The key by which it may be sent again.
    pub replay: Option<Replay>,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Replied {
    pub id: CommentId,
}

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// What stands in the way of approving the parent, or of seeing it.
    #[error(transparent)]
    Parent(#[from] DecideError),
    #[error("what it replies to is not published")]
    NotPublished,
    #[error("replies go no deeper")]
    TooDeep,
}

impl From<StoreError> for ReplyError {
    fn from(error: StoreError) -> Self {
        Self::Parent(error.into())
    }
}

impl Cause for ReplyError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Parent(error) = self { error.store_error() } else { None }
    }
}

/// Replies.
///
/// # Errors
/// See [`ReplyError`]; nothing is kept then, and the parent is as it was.
pub async fn reply_as_staff(app: &App, moderator: &Moderator, reply: Reply) -> Result<Replied, ReplyError> {
    let (by, now) = (moderator.clone(), app.clock.now());
    let fresh = Fresh {
        reply: StaffReply::new(app.store.next_id().await?, reply.text.clone(), now),
        line: app.store.next_id().await?,
        entry: audit::blank(app).await?,
        approval: decide::fresh(app).await?,
        now,
    };
    let write = move |conn: &mut Conn| write(conn, &by, &reply, &fresh);
    let outcome = match app.store.write(write.clone()).await {
        // The same request at the same moment was faster: now its answer is there to be found.
        Err(error) if is_key_taken(&error) => app.store.write(write).await?,
        outcome => outcome?,
    };
    if let Some((site, article)) = outcome.article_changed {
        app.drop_thread(&site, &article);
    }
    outcome.changes.into_iter().for_each(|change| app.tell(change));
    Ok(outcome.replied)
}

/// What the transaction may not make by itself.
#[derive(Clone)]
struct Fresh {
    reply: StaffReply,
    line: DecisionId,
    entry: Blank,
    approval: decide::Fresh,
    now: Millis,
}

struct Outcome {
    replied: Replied,
    changes: Vec<Change>,
    article_changed: Option<(Key, Key)>,
}

fn is_key_taken(error: &ReplyError) -> bool {
    matches!(error, ReplyError::Parent(DecideError::Store(StoreError::Taken(Constraint::IdempotencyKey))))
}

fn write(conn: &mut Conn, by: &Moderator, reply: &Reply, fresh: &Fresh) -> Result<Outcome, ReplyError> {
    let find = |conn: &mut Conn| -> Result<Comment, ReplyError> {
        let found = find_comment(conn, reply.parent)?.filter(|comment| by.moderates(comment.site_id));
        found.ok_or_else(|| DecideError::NoSuchComment.into())
    };
    let before = find(conn)?;
    if let Some(replay) = &reply.replay
        && let Some(kept) = store::find_kept_answer(conn, replay)?
    {
        if !kept.is_same_request {
            return Err(DecideError::KeyReused.into());
        }
        let replied = Replied { id: CommentId::new(kept.made_id) };
        return Ok(Outcome { replied, changes: Vec::new(), article_changed: None });
    }
    if before.status.is_final() {
        return Err(DecideError::Gone.into());
    }
    if let Some(versions) = &reply.approves {
        decide::write(conn, by, &approval(reply.parent, versions), fresh.approval)?;
    }
    let parent = find(conn)?;
    if parent.status != Status::Approved {
        return Err(ReplyError::NotPublished);
    }
    let site = find_site_by_id(conn, parent.site_id)?.ok_or(StoreError::Missing)?;
    if !parent.takes_replies(site.settings.max_depth) {
        return Err(ReplyError::TooDeep);
    }
    let comment = publish_reply(conn, &parent, by, &fresh.reply)?;
    tell_history(conn, by, &parent, &comment, fresh)?;
    if let Some(replay) = &reply.replay {
        store::keep_answer(conn, replay, comment.id.get(), 201, fresh.now)?;
    }
    let approved = Some(parent.as_change()).filter(|_| parent.version != before.version);
    let changes = approved.into_iter().chain([comment.as_change()]).collect();
    Ok(Outcome { replied: Replied { id: comment.id }, changes, article_changed: find_keys(conn, parent.article_id)? })
}

fn approval(comment: CommentId, versions: &[i64]) -> Decide {
    Decide {
        comment,
        decision: Decision::Approve,
        reason: None,
        note: None,
        message: None,
        versions: versions.to_vec(),
        replay: None,
    }
}

/// Writes who published the reply, in its history and in the log.
fn tell_history(
    conn: &mut Conn,
    by: &Moderator,
    parent: &Comment,
    comment: &Comment,
    fresh: &Fresh,
) -> Result<(), StoreError> {
    let line = NewDecision {
        id: fresh.line,
        comment: comment.id,
        moderator: Some(by.id),
        from: None,
        to: comment.status,
        reason: None,
        note: None,
        message: None,
        at: fresh.now,
        version: comment.version,
        batch: None,
        undoes: None,
    };
    insert_decision(conn, &line)?;
    let entry = fresh.entry.fill(by.actor(), Action::Replied).on_site(comment.site_id);
    audit::record(conn, &entry.about(Subject::Comment(comment.id)).fact("parent", parent.id))
}
