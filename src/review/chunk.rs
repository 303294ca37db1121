//! Some decisions of a batch in one transaction. Each comment is decided whole or left alone, and the result says which;
//! none keeps the others from being decided.

use std::collections::{BTreeSet, HashMap};

use crate::accounts::Moderator;
use crate::articles::find_keys;
use crate::audit::{self, Action, Blank, Subject};
use crate::comments::{
    Comment, NewDecision, Status, answer_reports, change_statuses, insert_decision, list_comments, reopen_reports,
};
use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, DecisionId, ModeratorId, SiteId};
use crate::kit::key::Key;
use crate::learning::teach;
use crate::sites::{SiteSettings, find_site_by_id};
use crate::store::{Conn, StoreError, StoreResult};

use super::batch::{Batch, Goal, ItemResult};
use super::decide::lesson;
use super::queries;
use super::queries::batches::{self, Undoable};
use super::reason;
use super::second_opinion::{self, Eyes};

/// The version of an item that was not one of the moderator's comments when the batch was made.
pub(super) const NOT_FOUND: i64 = -1;

/// What one decision may not make inside the transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    pub id: DecisionId,
    pub entry: Blank,
}

/// What came of a chunk.
pub(super) struct Chunk {
    pub results: Vec<ItemResult>,
    /// The articles whose published comments are not what they were.
    pub articles_changed: Vec<(Key, Key)>,
    /// What to tell those who follow.
    pub changes: Vec<Change>,
}

impl Chunk {
    /// Nothing is decided about these: its moderator may not any more.
    pub fn refused(items: &[(CommentId, i64)]) -> Self {
        let results = items.iter().map(|(id, _)| ItemResult { id: *id, outcome: 403, version: None }).collect();
        Self { results, articles_changed: Vec::new(), changes: Vec::new() }
    }
}

/// A decision to be written.
struct Made {
    to: Status,
    /// Whose word it is now that the comment is so; none when nobody's.
    says: Option<ModeratorId>,
    undoes: Option<DecisionId>,
    reason: Option<String>,
    message: Option<String>,
}

/// What is done with one comment.
enum Step {
    Change(Made),
    /// Nothing, and this is its outcome.
    Leave(u16),
}

/// Decides about these comments, as far as they are at these versions.
///
/// # Errors
/// Those of the store.
pub(super) fn decide(
    conn: &mut Conn,
    by: &Moderator,
    batch: &Batch,
    items: &[(CommentId, i64)],
    fresh: &[Fresh],
    now: Millis,
) -> StoreResult<Chunk> {
    let ids: Vec<CommentId> = items.iter().map(|(id, _)| *id).collect();
    batches::lock_comments(conn, &ids)?;
    let found: HashMap<CommentId, Comment> =
        list_comments(conn, &ids)?.into_iter().map(|comment| (comment.id, comment)).collect();
    let undoable = match batch.goal {
        Goal::Back(_) => batches::list_undoable(conn, items)?,
        Goal::Status(_) => Vec::new(),
    };
    let undoable: HashMap<CommentId, (Undoable, i64)> =
        undoable.into_iter().map(|(id, decision, last)| (id, (decision, last))).collect();
    let mut judge = Judge { conn, by, batch, now, undoable, settings: HashMap::new() };
    let mut steps = Vec::with_capacity(items.len());
    let mut seen = BTreeSet::new();
    for (id, version) in items {
        let comment = found.get(id).filter(|_| *version != NOT_FOUND);
        // The same comment twice in one request: the second time it has the version that the first made.
        let is_again = !seen.insert(*id);
        steps.push(match comment {
            None => Step::Leave(404),
            Some(_) if is_again => Step::Leave(409),
            Some(comment) => judge.step(comment, *version)?,
        });
    }
    write(conn, by, batch, items, (&found, &steps), fresh, now)
}

/// Says what is to be done with each comment.
struct Judge<'a> {
    conn: &'a mut Conn,
    by: &'a Moderator,
    batch: &'a Batch,
    now: Millis,
    /// What is taken back of each comment, and the version of its last decision.
    undoable: HashMap<CommentId, (Undoable, i64)>,
    settings: HashMap<SiteId, SiteSettings>,
}

impl Judge<'_> {
    fn step(&mut self, comment: &Comment, version: i64) -> StoreResult<Step> {
        if !self.by.moderates(comment.site_id) {
            return Ok(Step::Leave(404));
        }
        if comment.status.is_final() {
            return Ok(Step::Leave(410));
        }
        match self.batch.goal {
            Goal::Back(_) => Ok(self.step_back(comment)),
            Goal::Status(_) if comment.version != version => Ok(Step::Leave(409)),
            Goal::Status(to) if comment.status == to => Ok(Step::Leave(200)),
            Goal::Status(to) => self.step_to(comment, to),
        }
    }

    fn step_to(&mut self, comment: &Comment, to: Status) -> StoreResult<Step> {
        let own = self.batch.message.as_ref();
        let Some(reason) = self.batch.reason.as_deref() else {
            return Ok(Step::Change(Made {
                to,
                says: Some(self.by.id),
                undoes: None,
                reason: None,
                message: own.cloned(),
            }));
        };
        let settings = match self.settings.entry(comment.site_id) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let site = find_site_by_id(self.conn, comment.site_id)?.ok_or(StoreError::Missing)?;
                entry.insert(site.settings)
            }
        };
        let eyes = second_opinion::ask(self.conn, settings, self.by, comment, (to, Some(reason)), self.now)?;
        let message = settings.find_reason(reason).map_or(own.cloned(), |reason| reason::message(own, reason, to));
        Ok(match eyes {
            Eyes::Enough => Step::Change(Made {
                to,
                says: Some(self.by.id),
                undoes: None,
                reason: Some(reason.to_owned()),
                message,
            }),
            Eyes::Waits => Step::Leave(202),
            Eyes::Same => Step::Leave(409),
        })
    }

    /// Back to what was before, unless somebody has decided since.
    fn step_back(&self, comment: &Comment) -> Step {
        match self.undoable.get(&comment.id) {
            Some((decision, last)) if decision.version == *last => match decision.from {
                Some(from) => Step::Change(Made {
                    to: from,
                    says: decision.by_before,
                    undoes: Some(decision.id),
                    reason: decision.reason.clone(),
                    message: decision.message.clone(),
                }),
                None => Step::Leave(409),
            },
            Some(_) => Step::Leave(409),
            None => Step::Leave(404),
        }
    }
}

fn write(
    conn: &mut Conn,
    by: &Moderator,
    batch: &Batch,
    items: &[(CommentId, i64)],
    (found, steps): (&HashMap<CommentId, Comment>, &[Step]),
    fresh: &[Fresh],
    now: Millis,
) -> StoreResult<Chunk> {
    let mut changes: HashMap<&'static str, (Status, Vec<&Comment>)> = HashMap::new();
    let mut results = Vec::with_capacity(items.len());
    let (mut articles, mut told, mut moved) = (BTreeSet::new(), Vec::new(), Vec::new());
    let (mut decided, mut undone_of, mut lessons) = (Vec::new(), Vec::new(), Vec::new());
    for (((id, _), step), fresh) in items.iter().zip(steps).zip(fresh) {
        let comment = found.get(id);
        match (comment, step) {
            (Some(comment), Step::Change(made)) => {
                changes.entry(made.to.as_str()).or_insert((made.to, Vec::new())).1.push(comment);
                match made.undoes {
                    Some(undone) => undone_of.push((comment.id, undone)),
                    None => decided.push((comment.id, fresh.id)),
                }
                moved.push(comment.id);
                lessons.push(lesson(fresh.id, comment, made.to, made.says));
                let version = comment.version + 1;
                told.push(Change { comment: comment.id, version, status: made.to.as_str(), site: comment.site_id });
                record(conn, by, batch, comment, made, *fresh, now)?;
                if (comment.status == Status::Approved) != (made.to == Status::Approved) {
                    articles.insert(comment.article_id);
                }
                results.push(ItemResult { id: *id, outcome: 200, version: Some(comment.version + 1) });
            }
            (comment, Step::Leave(outcome)) => {
                let version = comment.filter(|_| *outcome != 404).map(|comment| comment.version);
                results.push(ItemResult { id: *id, outcome: *outcome, version });
            }
            (None, Step::Change(_)) => results.push(ItemResult { id: *id, outcome: 404, version: None }),
        }
    }
    for (to, comments) in changes.into_values() {
        change_statuses(conn, &comments, to)?;
    }
    answer_reports(conn, &decided)?;
    reopen_reports(conn, &undone_of)?;
    queries::claims::end_all(conn, &moved)?;
    teach(conn, &lessons)?;
    Ok(Chunk { results, articles_changed: keys_of(conn, &articles)?, changes: told })
}

/// The line of history and the entry of the audit log.
fn record(
    conn: &mut Conn,
    by: &Moderator,
    batch: &Batch,
    comment: &Comment,
    made: &Made,
    fresh: Fresh,
    now: Millis,
) -> StoreResult<()> {
    let new = NewDecision {
        id: fresh.id,
        comment: comment.id,
        moderator: Some(by.id),
        from: Some(comment.status),
        to: made.to,
        reason: made.reason.clone(),
        note: batch.note.clone(),
        message: made.message.clone(),
        at: now,
        version: comment.version + 1,
        batch: Some(batch.id),
        undoes: made.undoes,
    };
    insert_decision(conn, &new)?;
    let entry = fresh
        .entry
        .fill(by.actor(), Action::Decided)
        .on_site(comment.site_id)
        .about(Subject::Comment(comment.id))
        .change(comment.status, made.to)
        .fact("reason", &made.reason)
        .fact("version", comment.version + 1)
        .fact("batch", batch.id);
    audit::record(conn, &if let Some(undone) = made.undoes { entry.fact("undoes", undone) } else { entry })
}

fn keys_of(conn: &mut Conn, articles: &BTreeSet<ArticleId>) -> StoreResult<Vec<(Key, Key)>> {
    let mut keys = Vec::new();
    for article in articles {
        keys.extend(find_keys(conn, *article)?);
    }
    Ok(keys)
}
