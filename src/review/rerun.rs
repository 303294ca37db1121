//! Applying a site's rules anew to everything that waits there, chunk by chunk, in the background.
//!
//! What a person has decided, edited or been told of by a report is left alone. What the rules now say otherwise is changed
//! by a decision of screening, with its reasons as the note; what still waits gets the new reasons. Each chunk is one
//! transaction with how far it came, so that a rerun that was interrupted goes on where it was.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::accounts::{Moderator, Right, load_staff_names};
use crate::app::App;
use crate::articles::{find_keys, list_articles_by_id};
use crate::audit::{self, Action, Actor, Blank, Subject};
use crate::bans::find_book;
use crate::comments::{
    Comment, NewDecision, Status, change_status, find_screening, insert_decision, list_comments, set_screening,
};
use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, DecisionId, ModeratorId, RerunId, SiteId};
use crate::kit::key::Key;
use crate::rules::find_rules;
use crate::screening::{Outcome, Verdict};
use crate::sites::{find_own_site, find_site_by_id};
use crate::store::{Conn, StoreError, StoreResult};

use super::index::{IndexError, index_waiting};
use super::judged::{Around, find_firsts, findings};
use super::queries;
use super::queries::batches::lock_comments;
use super::queries::reruns;

/// Comments judged in one transaction.
const CHUNK: i64 = 200;

/// Rules applied anew.
#[derive(Debug, Clone)]
pub struct Rerun {
    pub id: RerunId,
    pub site: SiteId,
    pub by: ModeratorId,
    /// The place of the last comment that was looked at, in the order of the queue.
    pub mark: (Millis, CommentId),
    /// Comments that waited when it began.
    pub total: i64,
    pub done: i64,
    pub published: i64,
    pub spam: i64,
    pub created_at: Millis,
    pub finished_at: Option<Millis>,
}

/// Wakes whoever goes on with reruns.
#[derive(Default)]
struct Waiting(Notify);

/// Begins to apply the rules of the site called `key` anew; `None` when it is not one's own. One that runs there ends.
///
/// # Errors
/// Those of the store.
pub async fn rerun_rules(app: &App, by: &Moderator, key: &Key) -> StoreResult<Option<Rerun>> {
    let site = find_own_site(app, by, key).await?.filter(|site| by.may_on(Right::ChangeSettings, site.id));
    let Some(site) = site.map(|site| site.id) else { return Ok(None) };
    let (id, now, blank, actor, by) =
        (app.store.next_id().await?, app.clock.now(), audit::blank(app).await?, by.actor(), by.id);
    let write = app.store.write(move |conn| {
        let total = reruns::count_waiting(conn, site, now)?;
        let mark = (Millis(i64::MIN), CommentId::new(0));
        let rerun =
            Rerun { id, site, by, mark, total, done: 0, published: 0, spam: 0, created_at: now, finished_at: None };
        reruns::end_running(conn, site, now)?;
        reruns::insert_rerun(conn, &rerun)?;
        let entry = blank.fill(actor, Action::RulesRerun).on_site(site).about(Subject::Site(site));
        audit::record(conn, &entry.fact("rerun", id).fact("waiting", total))?;
        Ok::<_, StoreError>(rerun)
    });
    let rerun = write.await?;
    app.shelves.get::<Waiting>().0.notify_one();
    Ok(Some(rerun))
}

/// How far a rerun is; `None` when there is none of this id on a site of one's own.
///
/// # Errors
/// Those of the store.
pub async fn show_rerun(app: &App, by: &Moderator, key: &Key, id: RerunId) -> StoreResult<Option<Rerun>> {
    let Some(site) = find_own_site(app, by, key).await? else { return Ok(None) };
    let found = app.store.read(move |conn| reruns::find_rerun(conn, id)).await?;
    Ok(found.filter(|rerun| rerun.site == site.id))
}

/// Resolves when a rerun was begun.
pub async fn rerun_waits(app: &App) {
    app.shelves.get::<Waiting>().0.notified().await;
}

/// Goes on with every rerun that is not finished, those included that a crash interrupted.
///
/// # Errors
/// Those of the store; they can be tried again.
pub async fn run_reruns(app: &App, goes_on: impl Fn() -> bool) -> StoreResult<()> {
    for id in app.store.read(reruns::list_running).await? {
        while goes_on() && run_chunk(app, id).await? {}
    }
    Ok(())
}

/// A comment and what is to become of it.
struct Judged {
    comment: Comment,
    verdict: Verdict,
    /// JSON.
    screening: Option<String>,
    decision: DecisionId,
    entry: Blank,
}

impl Judged {
    fn status(&self) -> Status {
        match self.verdict.outcome {
            Outcome::Publish => Status::Approved,
            Outcome::Hold => Status::Pending,
            Outcome::Spam => Status::Spam,
        }
    }
}

/// Judges and writes the next chunk; false when there is none.
async fn run_chunk(app: &App, id: RerunId) -> StoreResult<bool> {
    // What is indexed while it is judged would be found by what held it before.
    match index_waiting(app).await {
        Ok(()) | Err(IndexError::TooMuchWaits) => {}
        Err(IndexError::Store(error)) => return Err(error),
    }
    let found = app.store.read(move |conn| reruns::find_rerun(conn, id)).await?;
    let Some(rerun) = found.filter(|rerun| rerun.finished_at.is_none()) else { return Ok(false) };
    let Some((looked_at, mark, changed)) = judge_chunk(app, &rerun).await? else { return Ok(false) };
    let now = app.clock.now();
    let chunk = Arc::new((rerun, looked_at, mark, changed));
    let written = app.store.write(move |conn| {
        let (rerun, looked_at, mark, changed) = &*chunk;
        write_chunk(conn, rerun, (*looked_at, *mark), changed, now)
    });
    let Some((changes, articles)) = written.await? else { return Ok(true) };
    for (site, article) in articles {
        app.pages.drop_article(&site, &article);
    }
    for change in changes {
        app.changes.tell(change);
    }
    Ok(mark.is_some())
}

/// How many were looked at, where the last of them stands, and those of which the verdict is another. `None` when the
/// site is gone.
type JudgedChunk = (i64, Option<(Millis, CommentId)>, Vec<Judged>);

async fn judge_chunk(app: &App, rerun: &Rerun) -> StoreResult<Option<JudgedChunk>> {
    let (rules, book, now) = (find_rules(app, rerun.site).await?, find_book(app).await?, app.clock.now());
    let rerun = rerun.clone();
    let read = app.store.read(move |conn| {
        let Some(site) = find_site_by_id(conn, rerun.site)? else { return Ok(None) };
        let places = reruns::list_waiting_after(conn, &rerun, CHUNK)?;
        let ids: Vec<CommentId> = places.iter().map(|(_, id)| *id).collect();
        let untouched = reruns::list_untouched(conn, &ids)?;
        let comments = list_comments(conn, &untouched)?;
        let articles: Vec<ArticleId> = comments.iter().map(|comment| comment.article_id).collect();
        let policies = list_articles_by_id(conn, &articles)?;
        let policies = policies.into_iter().filter_map(|article| Some((article.id, article.policy?))).collect();
        let firsts = find_firsts(conn, &site, &comments, &[&rules])?;
        let around = Around { site, policies, staff: load_staff_names(conn)?, book: Arc::clone(&book), now };
        let mut judged = Vec::new();
        for comment in comments {
            let before = find_screening(conn, comment.id)?;
            let parsed = before.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let found = findings(&rules, &around.site, &comment, firsts.contains(&comment.id));
            let verdict = around.judge(&comment, parsed, found);
            let screening = verdict.screening().map(|screening| serde_json::to_string(&screening)).transpose();
            let screening = screening.map_err(|error| StoreError::Broken(format!("a verdict: {error}")))?;
            let is_same =
                verdict.outcome == Outcome::Hold && screening == before && verdict.reasons == comment.held_because;
            if !is_same {
                judged.push((comment, verdict, screening));
            }
        }
        Ok::<_, StoreError>(Some((places.len(), places.last().copied(), judged)))
    });
    let Some((looked_at, mark, judged)) = read.await? else { return Ok(None) };
    let mut changed = Vec::with_capacity(judged.len());
    for (comment, verdict, screening) in judged {
        let (decision, entry) = (app.store.next_id().await?, audit::blank(app).await?);
        changed.push(Judged { comment, verdict, screening, decision, entry });
    }
    Ok(Some((i64::try_from(looked_at).unwrap_or(i64::MAX), mark, changed)))
}

type Written = (Vec<Change>, Vec<(Key, Key)>);

/// The transaction of a chunk; nothing when somebody else has done it meanwhile.
fn write_chunk(
    conn: &mut Conn,
    read: &Rerun,
    (looked_at, mark): (i64, Option<(Millis, CommentId)>),
    changed: &[Judged],
    now: Millis,
) -> StoreResult<Option<Written>> {
    let rerun = reruns::lock_rerun(conn, read.id)?;
    let Some(mut rerun) = rerun.filter(|now| now.finished_at.is_none() && now.mark == read.mark) else {
        return Ok(None);
    };
    let ids: Vec<CommentId> = changed.iter().map(|judged| judged.comment.id).collect();
    lock_comments(conn, &ids)?;
    let versions: Vec<(CommentId, i64)> = list_comments(conn, &ids)?.iter().map(|now| (now.id, now.version)).collect();
    let (mut changes, mut articles, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for judged in changed {
        let comment = &judged.comment;
        // Whoever decided meanwhile was a person.
        if !versions.contains(&(comment.id, comment.version)) {
            continue;
        }
        let to = judged.status();
        // A published comment goes on telling why it was held.
        let reasons = (to != Status::Approved).then_some(judged.verdict.reasons.as_slice());
        set_screening(conn, comment.id, reasons, judged.verdict.risk, judged.screening.as_deref())?;
        if to == Status::Pending || !change_status(conn, comment, to)? {
            continue;
        }
        record(conn, &rerun, judged, now)?;
        moved.push(comment.id);
        changes.push(Change {
            comment: comment.id,
            version: comment.version + 1,
            status: to.as_str(),
            site: rerun.site,
        });
        if to == Status::Approved {
            rerun.published += 1;
            articles.extend(find_keys(conn, comment.article_id)?);
        } else {
            rerun.spam += 1;
        }
    }
    queries::claims::end_all(conn, &moved)?;
    rerun.done += looked_at;
    match mark {
        Some(mark) => rerun.mark = mark,
        None => rerun.finished_at = Some(now),
    }
    reruns::update_rerun(conn, &rerun)?;
    Ok(Some((changes, articles)))
}

/// The line of history and the entry of the audit log: screening decided; who had the rules applied stands in the entry of
/// that.
fn record(conn: &mut Conn, rerun: &Rerun, judged: &Judged, now: Millis) -> StoreResult<()> {
    let (comment, to) = (&judged.comment, judged.status());
    let note = if judged.verdict.reasons.is_empty() {
        "The rules find nothing against it any more.".to_owned()
    } else {
        judged.verdict.reasons.join(" ")
    };
    let new = NewDecision {
        id: judged.decision,
        comment: comment.id,
        moderator: None,
        from: Some(comment.status),
        to,
        reason: None,
        note: Some(note),
        message: None,
        at: now,
        version: comment.version + 1,
        batch: None,
        undoes: None,
    };
    insert_decision(conn, &new)?;
    let entry = judged.entry.fill(Actor::NOBODY, Action::Decided).on_site(comment.site_id);
    let entry = entry.about(Subject::Comment(comment.id)).change(comment.status, to);
    audit::record(conn, &entry.fact("version", comment.version + 1).fact("rerun", rerun.id))
}
