//! All SQL about decisions that are made many at once.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::accounts::Right;
use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{ApiKeyId, ArticleId, CommentId, DecisionId, ModeratorId, SiteId};
use crate::store::schema::{comments, decision_batch_results, decision_batches, decisions};
use crate::store::{Conn, Db, StoreError, StoreResult, lock_rows};

use crate::review::batch::{Batch, Goal, ItemResult};

#[derive(Queryable, Selectable)]
#[diesel(table_name = decision_batches)]
#[diesel(check_for_backend(Db))]
struct BatchRow {
    id: DecisionId,
    moderator_id: ModeratorId,
    to_status: Option<String>,
    reason: Option<String>,
    note: Option<String>,
    message: Option<String>,
    undoes: Option<DecisionId>,
    total: i64,
    done: i64,
    created_at: Millis,
    needs: Option<String>,
    api_key_id: Option<ApiKeyId>,
}

/// The rights that a batch may need beside deciding, and the words for them.
const NEEDS: [(Right, &str); 2] = [(Right::DecideMany, "decide-many"), (Right::UndoOthers, "undo-others")];

impl BatchRow {
    fn into_batch(self) -> StoreResult<Batch> {
        let broken = || StoreError::Broken(format!("batch {}: what it is for cannot be read", self.id));
        let goal = match (self.to_status.as_deref(), self.undoes) {
            (Some(to), _) => Goal::Status(Status::parse(to).ok_or_else(broken)?),
            (None, Some(of)) => Goal::Back(of),
            (None, None) => return Err(broken()),
        };
        let right_of = |word: &str| NEEDS.into_iter().find(|(_, known)| *known == word).map(|(right, _)| right);
        let needs = self.needs.as_deref().map(|word| right_of(word).ok_or_else(broken)).transpose()?;
        Ok(Batch {
            id: self.id,
            by: self.moderator_id,
            key: self.api_key_id,
            needs,
            goal,
            reason: self.reason,
            note: self.note,
            message: self.message,
            total: self.total,
            done: self.done,
            created_at: self.created_at,
        })
    }
}

/// Keeps a batch with the comments it is about and the versions they are to have.
pub(in crate::review) fn insert_batch(conn: &mut Conn, batch: &Batch, items: &[(CommentId, i64)]) -> StoreResult<()> {
    let (to, undoes) = match batch.goal {
        Goal::Status(to) => (Some(to.as_str()), None),
        Goal::Back(of) => (None, Some(of)),
    };
    let needs = NEEDS.into_iter().find(|(right, _)| batch.needs == Some(*right)).map(|(_, word)| word);
    diesel::insert_into(decision_batches::table)
        .values((
            decision_batches::id.eq(batch.id),
            decision_batches::moderator_id.eq(batch.by),
            decision_batches::to_status.eq(to),
            decision_batches::reason.eq(&batch.reason),
            decision_batches::note.eq(&batch.note),
            decision_batches::message.eq(&batch.message),
            decision_batches::undoes.eq(undoes),
            decision_batches::items.eq(pack(items)),
            decision_batches::total.eq(batch.total),
            decision_batches::done.eq(batch.done),
            decision_batches::created_at.eq(batch.created_at),
            decision_batches::needs.eq(needs),
            decision_batches::api_key_id.eq(batch.key),
        ))
        .execute(conn)?;
    Ok(())
}

/// Adds comments at the end of a batch, which goes on with them if it was done.
pub(in crate::review) fn append_items(conn: &mut Conn, id: DecisionId, more: &[(CommentId, i64)]) -> StoreResult<()> {
    lock_rows(conn, "SELECT id FROM decision_batches WHERE id = ANY($1) FOR UPDATE", vec![id.get()])?;
    let mut packed: Vec<u8> = decision_batches::table.find(id).select(decision_batches::items).first(conn)?;
    packed.extend(pack(more));
    let count = i64::try_from(more.len()).unwrap_or(i64::MAX);
    diesel::update(decision_batches::table.find(id))
        .set((decision_batches::items.eq(packed), decision_batches::total.eq(decision_batches::total + count)))
        .execute(conn)?;
    Ok(())
}

fn pack(items: &[(CommentId, i64)]) -> Vec<u8> {
    items.iter().flat_map(|(id, version)| [id.get().to_be_bytes(), version.to_be_bytes()]).flatten().collect()
}

fn unpack(bytes: &[u8]) -> Vec<(CommentId, i64)> {
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, i64::from_be_bytes);
    bytes.chunks_exact(16).map(|pair| (CommentId::new(number(&pair[..8])), number(&pair[8..]))).collect()
}

pub(in crate::review) fn find_batch(conn: &mut Conn, id: DecisionId) -> StoreResult<Option<Batch>> {
    let row = decision_batches::table.find(id).select(BatchRow::as_select()).first(conn).optional()?;
    row.map(BatchRow::into_batch).transpose()
}

/// As [`find_batch`], and on PostgreSQL nobody else works on it until the commit.
pub(in crate::review) fn lock_batch(conn: &mut Conn, id: DecisionId) -> StoreResult<Option<Batch>> {
    lock_rows(conn, "SELECT id FROM decision_batches WHERE id = ANY($1) FOR UPDATE", vec![id.get()])?;
    find_batch(conn, id)
}

/// The batches that somebody has to go on with, the oldest first.
pub(in crate::review) fn list_running(conn: &mut Conn) -> StoreResult<Vec<DecisionId>> {
    let is_running = diesel::dsl::sql::<diesel::sql_types::Bool>("decision_batches.done < decision_batches.total");
    Ok(decision_batches::table
        .filter(is_running)
        .order(decision_batches::id)
        .select(decision_batches::id)
        .load(conn)?)
}

/// The items of a batch from `first` on, at most so many.
pub(in crate::review) fn load_items_of(
    conn: &mut Conn,
    id: DecisionId,
    first: i64,
    most: usize,
) -> StoreResult<Vec<(CommentId, i64)>> {
    let packed: Vec<u8> = decision_batches::table.find(id).select(decision_batches::items).first(conn)?;
    let start = usize::try_from(first).unwrap_or(usize::MAX).saturating_mul(16).min(packed.len());
    let end = start.saturating_add(most * 16).min(packed.len());
    Ok(unpack(&packed[start..end]))
}

/// Keeps what came of the items from `first` on.
pub(in crate::review) fn insert_results(
    conn: &mut Conn,
    id: DecisionId,
    first: i64,
    results: &[ItemResult],
) -> StoreResult<()> {
    let rows: Vec<_> = results.iter().map(|result| (result.id, result.outcome, result.version)).collect();
    let text = serde_json::to_string(&rows).map_err(|error| StoreError::Broken(error.to_string()))?;
    diesel::insert_into(decision_batch_results::table)
        .values((
            decision_batch_results::batch_id.eq(id),
            decision_batch_results::number.eq(first),
            decision_batch_results::results.eq(text),
        ))
        .execute(conn)?;
    let done = i64::try_from(results.len()).unwrap_or(i64::MAX);
    diesel::update(decision_batches::table.find(id))
        .set(decision_batches::done.eq(decision_batches::done + done))
        .execute(conn)?;
    Ok(())
}

/// What came of a batch so far, in the order of its items.
pub(in crate::review) fn list_results(conn: &mut Conn, id: DecisionId) -> StoreResult<Vec<ItemResult>> {
    let texts: Vec<String> = decision_batch_results::table
        .filter(decision_batch_results::batch_id.eq(id))
        .order(decision_batch_results::number)
        .select(decision_batch_results::results)
        .load(conn)?;
    let mut all = Vec::new();
    for text in texts {
        let rows: Vec<(i64, u16, Option<i64>)> = serde_json::from_str(&text)
            .map_err(|error| StoreError::Broken(format!("results of batch {id}: {error}")))?;
        all.extend(rows.into_iter().map(|(id, outcome, version)| ItemResult {
            id: CommentId::new(id),
            outcome,
            version,
        }));
    }
    Ok(all)
}

/// Forgets batches that were made before `moment` and are done: they cannot be undone any more.
///
/// # Errors
/// Those of the store.
pub fn forget_batches_before(conn: &mut Conn, moment: Millis) -> StoreResult<usize> {
    let old = decision_batches::table
        .filter(decision_batches::created_at.lt(moment))
        .filter(decision_batches::done.eq(decision_batches::total));
    Ok(diesel::delete(old).execute(conn)?)
}

/// Which of these comments are on which site; those that are nowhere are left out.
pub(in crate::review) fn list_sites_of(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<(CommentId, SiteId)>> {
    Ok(comments::table.filter(comments::id.eq_any(ids)).select((comments::id, comments::site_id)).load(conn)?)
}

/// Keeps everybody else from these comments, and from what is published beside them, until the commit: the articles
/// first, in the order of their ids, as everything does that changes what is published.
pub(in crate::review) fn lock_comments(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<()> {
    let articles: Vec<ArticleId> =
        comments::table.filter(comments::id.eq_any(ids)).select(comments::article_id).distinct().load(conn)?;
    let articles = articles.iter().map(|id| id.get()).collect();
    lock_rows(conn, "SELECT id FROM articles WHERE id = ANY($1) ORDER BY id FOR UPDATE", articles)?;
    let comments = ids.iter().map(|id| id.get()).collect();
    Ok(lock_rows(conn, "SELECT id FROM comments WHERE id = ANY($1) ORDER BY id FOR UPDATE", comments)?)
}

/// A decision that is to be taken back.
#[derive(Debug, Clone)]
pub(in crate::review) struct Undoable {
    pub id: DecisionId,
    pub version: i64,
    /// None for how a comment began, which nobody decided.
    pub from: Option<Status>,
    /// Of the decision before it, which counts again: who made it, unless screening did.
    pub by_before: Option<ModeratorId>,
    pub reason: Option<String>,
    pub message: Option<String>,
}

#[derive(Queryable)]
struct DecisionRow {
    id: DecisionId,
    comment_id: CommentId,
    moderator_id: Option<ModeratorId>,
    from_status: Option<String>,
    version: i64,
    decided_at: Millis,
    reason: Option<String>,
    message: Option<String>,
}

/// One decision: about which comment, by whom, when.
pub(in crate::review) struct Made {
    pub comment: CommentId,
    pub by: Option<ModeratorId>,
    pub version: i64,
    pub at: Millis,
}

pub(in crate::review) fn find_made(conn: &mut Conn, id: DecisionId) -> StoreResult<Option<Made>> {
    let row: Option<DecisionRow> = decisions::table.find(id).select(decision_columns()).first(conn).optional()?;
    Ok(row.map(|row| Made { comment: row.comment_id, by: row.moderator_id, version: row.version, at: row.decided_at }))
}

/// Comments and versions that the decisions of a batch made.
pub(in crate::review) fn list_made_by(conn: &mut Conn, batch: DecisionId) -> StoreResult<Vec<(CommentId, i64)>> {
    Ok(decisions::table
        .filter(decisions::batch_id.eq(batch).assume_not_null())
        .order(decisions::comment_id)
        .select((decisions::comment_id, decisions::version))
        .load(conn)?)
}

/// The decisions about these comments that made these versions, and for each comment the last version that a decision
/// made.
pub(in crate::review) fn list_undoable(
    conn: &mut Conn,
    items: &[(CommentId, i64)],
) -> StoreResult<Vec<(CommentId, Undoable, i64)>> {
    let ids: Vec<CommentId> = items.iter().map(|(id, _)| *id).collect();
    let rows: Vec<DecisionRow> =
        decisions::table.filter(decisions::comment_id.eq_any(&ids)).select(decision_columns()).load(conn)?;
    let wanted: HashMap<CommentId, i64> = items.iter().copied().collect();
    let mut histories: HashMap<CommentId, Vec<DecisionRow>> = HashMap::new();
    for row in rows {
        histories.entry(row.comment_id).or_default().push(row);
    }
    let mut found = Vec::new();
    for (comment, mut history) in histories {
        history.sort_by_key(|row| row.version);
        let Some(last) = history.last().map(|row| row.version) else { continue };
        let Some(at) = history.iter().position(|row| wanted.get(&comment) == Some(&row.version)) else { continue };
        let (row, before) = (&history[at], at.checked_sub(1).map(|before| &history[before]));
        let broken = || StoreError::Broken(format!("decision {}: its status cannot be read", row.id));
        let undoable = Undoable {
            id: row.id,
            version: row.version,
            from: row.from_status.as_deref().map(|from| Status::parse(from).ok_or_else(broken)).transpose()?,
            by_before: before.and_then(|before| before.moderator_id),
            reason: before.and_then(|before| before.reason.clone()),
            message: before.and_then(|before| before.message.clone()),
        };
        found.push((comment, undoable, last));
    }
    Ok(found)
}

type DecisionColumns = (
    decisions::id,
    decisions::comment_id,
    decisions::moderator_id,
    decisions::from_status,
    decisions::version,
    decisions::decided_at,
    decisions::reason,
    decisions::message,
);

fn decision_columns() -> DecisionColumns {
    (
        decisions::id,
        decisions::comment_id,
        decisions::moderator_id,
        decisions::from_status,
        decisions::version,
        decisions::decided_at,
        decisions::reason,
        decisions::message,
    )
}
