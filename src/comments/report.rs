//! What readers report about published comments.
//!
//! Each reader counts once for a comment, for ever: by address, as the limits count it, and of that only a keyed hash is
//! kept. When enough wait for an answer the comment goes back to the queue, in the transaction of the last. A moderator's
//! next decision answers them. If it is published again, only new readers count, and as many as before are needed; so
//! the same few cannot bring down again what a moderator let stand. Nothing that a reporter sees tells any of this.

use std::net::IpAddr;

use crate::app::App;
use crate::articles::{add_to_published, find_keys};
use crate::audit::{self, Action, Actor, Blank, Subject};
use crate::bans::find_book;
use crate::http::limits::AddressKey;
use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, DecisionId};
use crate::kit::key::Key;
use crate::sites::find_site_by_id;
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::{Comment, NewDecision, Status, change_status, insert_decision, queries};

/// What a reader may say is wrong: the keys of these among the reasons for decisions.
pub const REPORT_REASONS: [&str; 8] =
    ["abusive", "hate", "spam", "personal-data", "illegal", "misinformation", "off-topic", "other"];

/// The reason of the decision that sends a comment back to the queue.
const REPORTED: &str = "reported";

/// The most reports of one comment that are shown.
const MOST_SHOWN: i64 = 200;
/// Comments that are looked at in one statement.
const CHUNK: usize = 500;

/// A reader's report.
#[derive(Debug, Clone)]
pub struct Report {
    pub comment: CommentId,
    /// One of [`REPORT_REASONS`].
    pub reason: &'static str,
    pub text: Option<String>,
    pub address: IpAddr,
    /// The origin of the page that sent it, when a browser said one that is not ours.
    pub foreign_origin: Option<String>,
}

/// A report, as moderators see it.
#[derive(Debug, Clone)]
pub struct ReportedBy {
    pub reason: String,
    pub text: Option<String>,
    pub at: Millis,
    /// The decision that answered it.
    pub answered_by: Option<DecisionId>,
}

/// Why it was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("there is no such published comment")]
    NoSuchComment,
    #[error("it was sent by a page of an origin that the site does not list")]
    ForeignOrigin,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for ReportError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Takes a report. One that was made before, and one from a banned address, is answered alike and adds nothing.
///
/// # Errors
/// See [`ReportError`].
pub async fn report_comment(app: &App, report: Report) -> Result<(), ReportError> {
    let (id, now) = (report.comment, app.clock.now());
    let found = app.store.read(move |conn| -> StoreResult<_> {
        let Some(comment) = find_published(conn, id)? else { return Ok(None) };
        find_site_by_id(conn, comment.site_id)
    });
    let site = found.await?.ok_or(ReportError::NoSuchComment)?;
    let lists = |origin: &String| site.origins.iter().any(|listed| listed.eq_ignore_ascii_case(origin));
    if report.foreign_origin.as_ref().is_some_and(|origin| !lists(origin)) {
        return Err(ReportError::ForeignOrigin);
    }
    if find_book(app).await?.find_address(report.address, site.id, now).is_some() {
        return Ok(());
    }
    let new = queries::NewReport {
        id: app.store.next_id().await?,
        comment: id,
        reporter: reporter(app, &report),
        reason: report.reason,
        text: report.text,
        at: now,
    };
    let fresh = Fresh { decision: app.store.next_id().await?, entry: audit::blank(app).await? };
    let threshold = i64::from(site.settings.report_threshold);
    let sent_back = app.store.write(move |conn| write(conn, &new, threshold, fresh)).await?;
    if let Some((change, article)) = sent_back {
        if let Some((site, article)) = article {
            app.drop_thread(&site, &article);
        }
        app.tell(change);
    }
    Ok(())
}

/// Who reports, as one comment knows them: two comments' reports do not tell that they came from one reader.
fn reporter(app: &App, report: &Report) -> i64 {
    let address = AddressKey::from(report.address).number().to_be_bytes();
    app.keys.author.short_mac(&[b"report", &report.comment.get().to_be_bytes(), &address])
}

/// What the transaction may not make by itself.
#[derive(Clone, Copy)]
struct Fresh {
    decision: DecisionId,
    entry: Blank,
}

/// How a comment stands that went back to the queue, and the article that lost it.
type SentBack = (Change, Option<(Key, Key)>);

/// The transaction. `Some` when the comment went back to the queue.
fn write(
    conn: &mut Conn,
    new: &queries::NewReport,
    threshold: i64,
    fresh: Fresh,
) -> Result<Option<SentBack>, ReportError> {
    let comment = find_published(conn, new.comment)?.ok_or(ReportError::NoSuchComment)?;
    // Adds nothing and locks the article on PostgreSQL, before the comment, as everybody does who changes what is
    // published there. So reports come one after the other, and the comment is looked at again.
    add_to_published(conn, comment.article_id, 0)?;
    let comment = find_published(conn, new.comment)?.ok_or(ReportError::NoSuchComment)?;
    if !queries::insert_report_once(conn, new)? {
        return Ok(None);
    }
    queries::count_report(conn, comment.id)?;
    let waiting = comment.reports + 1;
    if threshold == 0 || waiting < threshold {
        return Ok(None);
    }
    send_back(conn, &comment, waiting, new.at, fresh)?;
    let now = Comment { status: Status::Pending, version: comment.version + 1, ..comment };
    Ok(Some((now.as_change(), find_keys(conn, now.article_id)?)))
}

fn send_back(conn: &mut Conn, comment: &Comment, waiting: i64, now: Millis, fresh: Fresh) -> StoreResult<()> {
    if !change_status(conn, comment, Status::Pending)? {
        return Err(StoreError::Contended(format!("comment {} was decided meanwhile", comment.id)));
    }
    let decision = NewDecision {
        id: fresh.decision,
        comment: comment.id,
        moderator: None,
        from: Some(comment.status),
        to: Status::Pending,
        reason: Some(REPORTED.to_owned()),
        note: Some(format!("Readers reported it: {waiting} since the last decision.")),
        message: None,
        at: now,
        version: comment.version + 1,
        batch: None,
        undoes: None,
    };
    insert_decision(conn, &decision)?;
    let entry = fresh
        .entry
        .fill(Actor::NOBODY, Action::Decided)
        .on_site(comment.site_id)
        .about(Subject::Comment(comment.id))
        .change(comment.status, Status::Pending)
        .fact("reason", REPORTED)
        .fact("reports", waiting)
        .fact("version", comment.version + 1);
    audit::record(conn, &entry)
}

fn find_published(conn: &mut Conn, id: CommentId) -> StoreResult<Option<Comment>> {
    Ok(queries::find_comment(conn, id)?.filter(|comment| comment.status == Status::Approved))
}

/// Answers the reports that wait about comments, each by the decision about it. Call it in the transaction that decides;
/// it costs one look-up for each 500 comments of which nobody reported any. Says of how many comments there were some.
///
/// # Errors
/// Those of the store.
pub fn answer_reports(conn: &mut Conn, decided: &[(CommentId, DecisionId)]) -> StoreResult<usize> {
    let mut answered = 0;
    for chunk in decided.chunks(CHUNK) {
        let ids: Vec<CommentId> = chunk.iter().map(|(comment, _)| *comment).collect();
        let reported = queries::list_reported_among(conn, &ids)?;
        for (comment, decision) in chunk.iter().filter(|(comment, _)| reported.contains(comment)) {
            queries::answer_reports_of(conn, *comment, *decision)?;
        }
        answered += reported.len();
    }
    Ok(answered)
}

/// Reopens what a decision answered that is taken back. Call it in the transaction that takes it back.
///
/// # Errors
/// Those of the store.
pub fn reopen_reports(conn: &mut Conn, undone: &[(CommentId, DecisionId)]) -> StoreResult<()> {
    undone.iter().try_for_each(|(comment, decision)| queries::reopen_reports_of(conn, *comment, *decision))
}

/// The latest reports of a comment, the oldest of them first.
///
/// # Errors
/// Those of the store.
pub fn list_reports(conn: &mut Conn, comment: CommentId) -> StoreResult<Vec<ReportedBy>> {
    queries::list_reports(conn, comment, MOST_SHOWN)
}
