//! Deciding about one comment.
//!
//! In one transaction: the comment is moved from the version the moderator saw to the next, the published tree and its
//! counters follow, a line of history is written. A comment that has changed since is left alone, and the moderator told
//! how it stands. Deciding what already is adds nothing. For some reasons a site wants a second moderator first.

use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::Moderator;
use crate::app::App;
use crate::articles::find_keys;
use crate::audit::{self, Action, Blank, Entry, Subject};
use crate::comments::{Comment, NewDecision, Status, answer_reports, change_status, find_comment, insert_decision};
use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, DecisionId, ModeratorId};
use crate::kit::key::Key;
use crate::learning::{self, Lesson, teach};
use crate::screening::counts::Label;
use crate::store::{self, Cause, Conn, Constraint, Replay, StoreError};

use super::history::Line;
use super::second_opinion::{self, Eyes};
use super::{queries, reason};

/// What a moderator may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Decision {
    Approve,
    Reject,
    Spam,
    Hold,
    Trash,
}

impl Decision {
    /// Reads the word of the contract.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "approve" => Some(Self::Approve),
            "reject" => Some(Self::Reject),
            "spam" => Some(Self::Spam),
            "hold" => Some(Self::Hold),
            "trash" => Some(Self::Trash),
            _ => None,
        }
    }

    /// The status it leads to.
    pub const fn status(self) -> Status {
        match self {
            Self::Approve => Status::Approved,
            Self::Reject => Status::Rejected,
            Self::Spam => Status::Spam,
            Self::Hold => Status::Pending,
            Self::Trash => Status::Trash,
        }
    }
}

/// A decision to be made.
#[derive(Debug, Clone)]
pub struct Decide {
    pub comment: CommentId,
    pub decision: Decision,
    /// A key of the site's list of reasons.
    pub reason: Option<String>,
    /// For colleagues.
    pub note: Option<String>,
    /// For the author's receipt; what the site says for the reason, when nothing is said.
    pub message: Option<String>,
    /// The versions the moderator decides about.
    pub versions: Vec<i64>,
    /// The key by which it may be sent again.
    pub replay: Option<Replay>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Decided {
    New(Line),
    /// It was so already. An edit since the last decision makes the comment's version more than that decision's.
    Already {
        line: Line,
        version: i64,
    },
    /// The site wants a second moderator to make the same decision.
    Waits(Box<FirstOpinion>),
}

/// A decision that a second moderator has to make too.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FirstOpinion {
    #[schema(value_type = i64)]
    pub comment_id: CommentId,
    /// User name of the first.
    pub by: String,
    pub from: Status,
    pub to: Status,
    pub reason: Option<String>,
    /// The comment's version, which is as it was.
    pub version: i64,
}

/// How a comment stands, told to whoever came too late.
#[derive(Debug, Clone)]
pub struct Current {
    pub status: Status,
    pub version: i64,
    pub decided_by: Option<String>,
    pub decided_at: Option<Millis>,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("there is no such comment, or it is not one's own")]
    NoSuchComment,
    #[error("its author withdrew it, or it was erased")]
    Gone,
    #[error("its site offers no such reason")]
    NoSuchReason,
    #[error("it has changed since")]
    Stale(Box<Current>),
    #[error("somebody else has to make the same decision")]
    NeedsAnother,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for DecideError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Decides.
///
/// # Errors
/// See [`DecideError`]; nothing is changed then.
pub async fn decide(app: &App, moderator: &Moderator, decide: Decide) -> Result<Decided, DecideError> {
    let (by, fresh) = (moderator.clone(), fresh(app).await?);
    let write = move |conn: &mut Conn| write(conn, &by, &decide, fresh);
    let outcome = match app.store.write(write.clone()).await {
        // The same request at the same moment was faster: now its answer is there to be found.
        Err(DecideError::Store(StoreError::Taken(Constraint::IdempotencyKey))) => app.store.write(write).await?,
        outcome => outcome?,
    };
    if let Some((site, article)) = outcome.article_changed {
        app.drop_thread(&site, &article);
    }
    if let Some(change) = outcome.change {
        app.tell(change);
        learning::wake(app);
    }
    Ok(outcome.decided)
}

/// What the transaction may not make by itself.
#[derive(Clone, Copy)]
pub(super) struct Fresh {
    id: DecisionId,
    now: Millis,
    entry: Blank,
}

/// Takes it, for one decision.
pub(super) async fn fresh(app: &App) -> Result<Fresh, StoreError> {
    Ok(Fresh { id: app.store.next_id().await?, now: app.clock.now(), entry: audit::blank(app).await? })
}

pub(super) struct Outcome {
    decided: Decided,
    /// The article whose published comments are not what they were.
    article_changed: Option<(Key, Key)>,
    /// What to tell those who follow, when something changed.
    change: Option<Change>,
}

impl Outcome {
    fn of(decided: Decided) -> Self {
        Self { decided, article_changed: None, change: None }
    }
}

/// The transaction, which may be part of a larger one.
pub(super) fn write(conn: &mut Conn, by: &Moderator, decide: &Decide, fresh: Fresh) -> Result<Outcome, DecideError> {
    let comment = find_comment(conn, decide.comment)?.filter(|comment| by.moderates(comment.site_id));
    let comment = comment.ok_or(DecideError::NoSuchComment)?;
    if let Some(replay) = &decide.replay
        && let Some(kept) = store::find_kept_answer(conn, replay)?
    {
        if !kept.is_same_request {
            return Err(DecideError::KeyReused);
        }
        if kept.status == 202 {
            let from = queries::load_line_at(conn, &comment, kept.made_id)?.to;
            return Ok(Outcome::of(waits(by, decide, (comment.id, from, kept.made_id))));
        }
        let line = queries::load_line(conn, &comment, DecisionId::new(kept.made_id))?;
        let version = line.version;
        return Ok(Outcome::of(if kept.status == 201 {
            Decided::New(line)
        } else {
            Decided::Already { line, version }
        }));
    }
    let (decide, settings) = &reason::settle(conn, comment.site_id, decide)?;
    if comment.status.is_final() {
        return Err(DecideError::Gone);
    }
    if !decide.versions.contains(&comment.version) {
        return Err(stale(conn, decide.comment));
    }
    let to = decide.decision.status();
    if comment.status == to {
        let line = queries::load_last_line(conn, &comment)?;
        if answer_reports(conn, &[(comment.id, line.id)])? > 0 {
            audit::record(conn, &reports_answered(by, &comment, fresh))?;
        }
        keep_answer(conn, decide, line.id.get(), 200, fresh.now)?;
        return Ok(Outcome::of(Decided::Already { line, version: comment.version }));
    }
    if let Some(settings) = settings {
        match second_opinion::ask(conn, settings, by, &comment, (to, decide.reason.as_deref()), fresh.now)? {
            Eyes::Enough => {}
            Eyes::Same => return Err(DecideError::NeedsAnother),
            Eyes::Waits => {
                audit_opinion(conn, by, decide, &comment, fresh)?;
                // It made nothing that has an id; the version it is about says how the comment stood.
                keep_answer(conn, decide, comment.version, 202, fresh.now)?;
                return Ok(Outcome::of(waits(by, decide, (comment.id, comment.status, comment.version))));
            }
        }
    }
    change(conn, by, decide, &comment, fresh)
}

fn change(
    conn: &mut Conn,
    by: &Moderator,
    decide: &Decide,
    comment: &Comment,
    fresh: Fresh,
) -> Result<Outcome, DecideError> {
    let to = decide.decision.status();
    let (was_shown, is_shown) = (comment.status == Status::Approved, to == Status::Approved);
    if !change_status(conn, comment, to)? {
        return Err(stale(conn, comment.id));
    }
    let new = NewDecision {
        id: fresh.id,
        comment: comment.id,
        moderator: Some(by.id),
        from: Some(comment.status),
        to,
        reason: decide.reason.clone(),
        note: decide.note.clone(),
        message: decide.message.clone(),
        at: fresh.now,
        version: comment.version + 1,
        batch: None,
        undoes: None,
    };
    insert_decision(conn, &new)?;
    // Only what is or was published can have been reported.
    if was_shown || comment.reports > 0 {
        answer_reports(conn, &[(comment.id, fresh.id)])?;
    }
    queries::claims::end(conn, comment.id)?;
    teach(conn, &[lesson(fresh.id, comment, to, Some(by.id))])?;
    let entry = fresh
        .entry
        .fill(by.actor(), Action::Decided)
        .on_site(comment.site_id)
        .about(Subject::Comment(comment.id))
        .change(comment.status, to)
        .fact("reason", &decide.reason)
        .fact("version", comment.version + 1);
    audit::record(conn, &entry)?;
    keep_answer(conn, decide, fresh.id.get(), 201, fresh.now)?;
    let article_changed = if was_shown == is_shown { None } else { find_keys(conn, comment.article_id)? };
    let change = Change { comment: comment.id, version: new.version, status: to.as_str(), site: comment.site_id };
    Ok(Outcome { decided: Decided::New(line(by, &new)), article_changed, change: Some(change) })
}

/// What a decision says to the filter: good or spam, or nothing any more. `by` is whose word it is.
pub(super) fn lesson(decision: DecisionId, comment: &Comment, to: Status, by: Option<ModeratorId>) -> Lesson {
    let label = match to {
        Status::Approved => Some(Label::Good),
        Status::Spam => Some(Label::Spam),
        _ => None,
    };
    Lesson { decision, site: comment.site_id, comment: comment.id, says: by.zip(label) }
}

fn waits(by: &Moderator, decide: &Decide, (comment_id, from, version): (CommentId, Status, i64)) -> Decided {
    Decided::Waits(Box::new(FirstOpinion {
        comment_id,
        by: by.username.clone(),
        from,
        to: decide.decision.status(),
        reason: decide.reason.clone(),
        version,
    }))
}

fn audit_opinion(
    conn: &mut Conn,
    by: &Moderator,
    decide: &Decide,
    comment: &Comment,
    fresh: Fresh,
) -> Result<(), StoreError> {
    let entry = fresh
        .entry
        .fill(by.actor(), Action::SecondOpinionAsked)
        .on_site(comment.site_id)
        .about(Subject::Comment(comment.id))
        .change(comment.status, decide.decision.status())
        .fact("reason", &decide.reason)
        .fact("version", comment.version);
    audit::record(conn, &entry)
}

/// Deciding what is so already adds nothing to the history, but answers readers who said that it should be otherwise.
fn reports_answered(by: &Moderator, comment: &Comment, fresh: Fresh) -> Entry {
    let entry = fresh.entry.fill(by.actor(), Action::ReportsAnswered).on_site(comment.site_id);
    entry.about(Subject::Comment(comment.id)).fact("reports", comment.reports).fact("version", comment.version)
}

/// A decision as the history will show it.
fn line(by: &Moderator, new: &NewDecision) -> Line {
    Line {
        id: new.id,
        comment_id: new.comment,
        by: Some(by.username.clone()),
        from: new.from,
        to: new.to,
        reason: new.reason.clone(),
        note: new.note.clone(),
        message: new.message.clone(),
        at: new.at,
        version: new.version,
    }
}

fn keep_answer(conn: &mut Conn, decide: &Decide, made: i64, status: u16, now: Millis) -> Result<(), StoreError> {
    match &decide.replay {
        Some(replay) => store::keep_answer(conn, replay, made, status, now),
        None => Ok(()),
    }
}

fn stale(conn: &mut Conn, id: CommentId) -> DecideError {
    match load_current(conn, id) {
        Ok(current) => DecideError::Stale(Box::new(current)),
        Err(error) => error.into(),
    }
}

pub(super) fn load_current(conn: &mut Conn, id: CommentId) -> Result<Current, StoreError> {
    let comment = find_comment(conn, id)?.ok_or(StoreError::Missing)?;
    let line = queries::load_last_line(conn, &comment)?;
    Ok(Current { status: comment.status, version: comment.version, decided_by: line.by, decided_at: Some(line.at) })
}
