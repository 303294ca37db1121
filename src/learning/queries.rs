//! All SQL about what filters learn. Every statement that changes counts changes the rows that they are made of too, and
//! the head of the site, in one transaction.

use std::collections::HashMap;
use std::ops::Range;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, DecisionId, ModeratorId, SiteId};
use crate::screening::counts::{Change, Label};
use crate::screening::features::Features;
use crate::screening::teaching::Teaching;
use crate::screening::thresholds::Past;
use crate::store::schema::{
    comments, decisions, moderators, training, training_counts, training_heads, training_teachers,
};
use crate::store::{Conn, Db, StoreError, StoreResult, add_counts, execute_on_either, load_on_either};

use super::fold::Moved;
use super::model::{Head, Learned};
use super::teach::Lesson;

/// How a row of training stands.
const WAITS: i16 = 0;
const COUNTED: i16 = 1;
const SET_ASIDE: i16 = 2;
const LEAVES: i16 = 3;

/// Rows in one statement.
const CHUNK: usize = 500;

const fn label_number(label: Label) -> i16 {
    match label {
        Label::Good => 0,
        Label::Spam => 1,
    }
}

const fn label_of(number: i16) -> Label {
    if number == 1 { Label::Spam } else { Label::Good }
}

/// Whatever was said of these comments is not said any more. What waits first, which then cannot be learned: on
/// PostgreSQL whoever is learning it now is waited for, and it is seen as learned next.
pub(super) fn unsay(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<()> {
    for ids in ids.chunks(CHUNK) {
        let of_them = || training::table.filter(training::comment_id.eq_any(ids).and(training::state.ne(LEAVES)));
        diesel::delete(of_them().filter(training::state.ne(COUNTED))).execute(conn)?;
        diesel::update(of_them().filter(training::state.eq(COUNTED))).set(training::state.eq(LEAVES)).execute(conn)?;
    }
    Ok(())
}

/// Has everything forgotten that was learned from these comments, for whom the law wants it forgotten. In the transaction
/// that erases them; the counts follow within seconds, and the last hashes of their features go with that.
///
/// # Errors
/// Those of the store.
pub fn forget_comments(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<()> {
    unsay(conn, ids)
}

pub(super) fn insert_lessons(conn: &mut Conn, lessons: &[Lesson]) -> StoreResult<()> {
    let rows = lessons.iter().filter_map(|lesson| {
        let (moderator, label) = lesson.says?;
        Some((
            training::id.eq(lesson.decision),
            training::site_id.eq(lesson.site),
            training::comment_id.eq(lesson.comment),
            training::moderator_id.eq(moderator),
            training::label.eq(label_number(label)),
            training::state.eq(WAITS),
            training::stands_for.eq(1),
        ))
    });
    let rows: Vec<_> = rows.collect();
    for rows in rows.chunks(CHUNK) {
        execute_on_either(conn, diesel::insert_into(training::table).values(rows))?;
    }
    Ok(())
}

/// Something waits to be learned or taken back. Written out, so that both databases see that a partial index serves.
fn is_waiting() -> diesel::expression::SqlLiteral<Bool> {
    sql("training.state IN (0, 3)")
}

/// The sites where something waits.
pub(super) fn list_waiting_sites(conn: &mut Conn) -> StoreResult<Vec<SiteId>> {
    Ok(training::table.filter(is_waiting()).select(training::site_id).distinct().load(conn)?)
}

/// How many rows of a site wait.
pub(super) fn count_waiting(conn: &mut Conn, site: SiteId) -> StoreResult<i64> {
    Ok(training::table.filter(is_waiting()).filter(training::site_id.eq(site)).count().get_result(conn)?)
}

/// A comment that a lesson is about, as it is now.
#[derive(Queryable)]
pub(super) struct Waiting {
    pub id: DecisionId,
    pub moderator: ModeratorId,
    label: i16,
    pub text: String,
    pub name: String,
    pub email: Option<String>,
    pub url: Option<String>,
    /// What led to its first verdict.
    pub screening: Option<String>,
}

impl Waiting {
    pub const fn label(&self) -> Label {
        label_of(self.label)
    }
}

/// Lessons of a site that wait, in the order in which they are learned.
pub(super) fn list_waiting(conn: &mut Conn, site: SiteId, most: i64) -> StoreResult<Vec<Waiting>> {
    let query = training::table
        .inner_join(comments::table.on(comments::id.eq(training::comment_id)))
        .filter(is_waiting())
        .filter(training::site_id.eq(site).and(training::state.eq(WAITS)))
        .order(training::id)
        .limit(most)
        .select((
            training::id,
            training::moderator_id,
            training::label,
            comments::text,
            comments::name,
            comments::email,
            comments::url,
            comments::screening,
        ));
    Ok(query.load(conn)?)
}

/// A row that was counted and is to be taken back.
pub(super) struct Leaving {
    pub id: DecisionId,
    pub label: Label,
    pub features: Features,
}

pub(super) fn list_leaving(conn: &mut Conn, site: SiteId, most: i64) -> StoreResult<Vec<Leaving>> {
    let rows: Vec<(DecisionId, i16, Option<Vec<u8>>)> = training::table
        .filter(is_waiting())
        .filter(training::site_id.eq(site).and(training::state.eq(LEAVES)))
        .order(training::id)
        .limit(most)
        .select((training::id, training::label, training::features))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, label, features)| Ok(Leaving { id, label: label_of(label), features: read(id, features)? }))
        .collect()
}

fn read(id: DecisionId, features: Option<Vec<u8>>) -> StoreResult<Features> {
    let features = features.as_deref().and_then(Features::from_bytes);
    features.ok_or_else(|| StoreError::Broken(format!("training {id}: its features cannot be read")))
}

/// How far a site's filter has learned.
pub(super) fn load_head(conn: &mut Conn, site: SiteId) -> StoreResult<Head> {
    let row: Option<HeadRow> = training_heads::table.find(site).select(head_columns()).first(conn).optional()?;
    Ok(row.map(head).unwrap_or_default())
}

type HeadRow = (i64, i64, i64, i64);

fn head_columns() -> (training_heads::seq, training_heads::takebacks, training_heads::good, training_heads::spam) {
    (training_heads::seq, training_heads::takebacks, training_heads::good, training_heads::spam)
}

fn head((seq, takebacks, good, spam): HeadRow) -> Head {
    Head { seq, takebacks, comments: [good, spam] }
}

pub(super) fn list_heads(conn: &mut Conn) -> StoreResult<HashMap<SiteId, Head>> {
    let rows: Vec<(SiteId, HeadRow)> =
        training_heads::table.select((training_heads::site_id, head_columns())).load(conn)?;
    Ok(rows.into_iter().map(|(site, row)| (site, head(row))).collect())
}

/// All counts of a site.
pub(super) fn load_counts(conn: &mut Conn, site: SiteId, head: Head) -> StoreResult<Change> {
    let query = training_counts::table.filter(training_counts::site_id.eq(site)).select((
        training_counts::bucket,
        training_counts::good,
        training_counts::spam,
    ));
    let rows: Vec<(i64, i64, i64)> = load_on_either(conn, query)?;
    let buckets = rows.into_iter().filter_map(|(bucket, good, spam)| Some((u32::try_from(bucket).ok()?, [good, spam])));
    Ok(Change { comments: head.comments, buckets: buckets.collect() })
}

type LearnedRow = (DecisionId, i16, Option<f64>, i32, Option<Vec<u8>>);

fn learned((id, label, evidence, stands_for, features): LearnedRow) -> StoreResult<Learned> {
    Ok(Learned { features: read(id, features)?, past: past(label, evidence, stands_for) })
}

fn learned_columns() -> (training::id, training::label, training::evidence, training::stands_for, training::features) {
    (training::id, training::label, training::evidence, training::stands_for, training::features)
}

/// What was learned behind one place, up to another, in order.
pub(super) fn list_learned(conn: &mut Conn, site: SiteId, behind: i64, up_to: i64) -> StoreResult<Vec<Learned>> {
    let rows: Vec<LearnedRow> = training::table
        .filter(training::site_id.eq(site).and(training::seq.is_not_null()))
        .filter(training::seq.gt(behind).and(training::seq.le(up_to)).assume_not_null())
        .filter(training::state.ne(SET_ASIDE))
        .order(training::seq)
        .select(learned_columns())
        .load(conn)?;
    rows.into_iter().map(learned).collect()
}

/// The last rows that were learned and are not to be taken back, in order.
pub(super) fn list_last_learned(conn: &mut Conn, site: SiteId, most: usize) -> StoreResult<Vec<Learned>> {
    let mut rows: Vec<LearnedRow> = training::table
        .filter(training::site_id.eq(site).and(training::seq.is_not_null()))
        .filter(training::state.eq(COUNTED))
        .order(training::seq.desc())
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(learned_columns())
        .load(conn)?;
    rows.reverse();
    rows.into_iter().map(learned).collect()
}

/// How the last rows that were learned, and are not to be taken back, were foreseen, in order.
pub(super) fn list_last_pasts(conn: &mut Conn, site: SiteId, most: usize) -> StoreResult<Vec<Past>> {
    let mut rows: Vec<(i16, Option<f64>, i32)> = training::table
        .filter(training::site_id.eq(site).and(training::seq.is_not_null()))
        .filter(training::state.eq(COUNTED))
        .order(training::seq.desc())
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select((training::label, training::evidence, training::stands_for))
        .load(conn)?;
    rows.reverse();
    Ok(rows.into_iter().map(|(label, evidence, stands_for)| past(label, evidence, stands_for)).collect())
}

fn past(label: i16, evidence: Option<f64>, stands_for: i32) -> Past {
    let stands_for = u32::try_from(stands_for).unwrap_or(1);
    Past { evidence: evidence.unwrap_or(0.0), label: label_of(label), stands_for }
}

/// Whom a site's filter was taught by.
pub(super) fn load_teachers(conn: &mut Conn, site: SiteId) -> StoreResult<HashMap<ModeratorId, Teaching>> {
    let rows: Vec<(ModeratorId, i64, i64)> = training_teachers::table
        .filter(training_teachers::site_id.eq(site))
        .select((training_teachers::moderator_id, training_teachers::contradicted, training_teachers::decisions))
        .load(conn)?;
    let teaching = |contradicted: i64, decisions: i64| Teaching {
        contradicted: contradicted.cast_unsigned(),
        decisions: decisions.cast_unsigned(),
    };
    Ok(rows.into_iter().map(|(who, contradicted, decisions)| (who, teaching(contradicted, decisions))).collect())
}

/// A lesson whose turn has come.
pub(super) struct Taught {
    pub id: DecisionId,
    pub seq: i64,
    pub past: Past,
    pub is_set_aside: bool,
    pub agrees: Option<bool>,
    pub features: Vec<u8>,
}

/// What one transaction of learning writes.
pub(super) struct Folded {
    pub site: SiteId,
    pub from: Head,
    pub to: Head,
    pub taught: Vec<Taught>,
    pub left: Vec<DecisionId>,
    pub change: Change,
    pub teachers: Vec<(ModeratorId, Teaching)>,
}

/// Learns: rows, counts and head, if the head is where this began and every row as it was read.
///
/// # Errors
/// Those of the store; and when somebody else has changed any of it, then nothing must be kept.
pub(super) fn write_folded(conn: &mut Conn, folded: &Folded) -> Result<(), Moved> {
    move_head(conn, folded)?;
    for row in &folded.taught {
        let waits = training::table.find(row.id).filter(training::state.eq(WAITS));
        let state = if row.is_set_aside { SET_ASIDE } else { COUNTED };
        let changed = diesel::update(waits)
            .set((
                training::state.eq(state),
                training::seq.eq(row.seq),
                training::evidence.eq(row.past.evidence),
                training::agrees.eq(row.agrees),
                training::stands_for.eq(i32::try_from(row.past.stands_for).unwrap_or(i32::MAX)),
                training::features.eq((!row.is_set_aside).then_some(&row.features)),
            ))
            .execute(conn)
            .map_err(StoreError::from)?;
        if changed != 1 {
            return Err(Moved::Elsewhere);
        }
    }
    let leaving = training::table.filter(training::id.eq_any(&folded.left).and(training::state.eq(LEAVES)));
    if diesel::delete(leaving).execute(conn).map_err(StoreError::from)? != folded.left.len() {
        return Err(Moved::Elsewhere);
    }
    let counts: Vec<(i64, i64, i64)> =
        folded.change.buckets.iter().map(|(bucket, [good, spam])| (i64::from(*bucket), *good, *spam)).collect();
    if !counts.is_empty() {
        add_counts(conn, folded.site.get(), &counts).map_err(StoreError::from)?;
    }
    for (moderator, teaching) in &folded.teachers {
        keep_teacher(conn, folded.site, *moderator, *teaching)?;
    }
    Ok(())
}

fn move_head(conn: &mut Conn, folded: &Folded) -> Result<(), Moved> {
    let (from, to) = (folded.from, folded.to);
    ensure_head(conn, folded.site)?;
    let as_read = training_heads::table
        .find(folded.site)
        .filter(training_heads::seq.eq(from.seq).and(training_heads::takebacks.eq(from.takebacks)));
    let moved = (
        training_heads::seq.eq(to.seq),
        training_heads::takebacks.eq(to.takebacks),
        training_heads::good.eq(to.comments[0]),
        training_heads::spam.eq(to.comments[1]),
    );
    match diesel::update(as_read).set(moved).execute(conn).map_err(StoreError::from)? {
        1 => Ok(()),
        _ => Err(Moved::Elsewhere),
    }
}

fn ensure_head(conn: &mut Conn, site: SiteId) -> StoreResult<()> {
    let insert = diesel::insert_into(training_heads::table)
        .values((
            training_heads::site_id.eq(site),
            training_heads::seq.eq(0),
            training_heads::takebacks.eq(0),
            training_heads::good.eq(0),
            training_heads::spam.eq(0),
        ))
        .on_conflict_do_nothing();
    execute_on_either(conn, insert)?;
    Ok(())
}

fn keep_teacher(conn: &mut Conn, site: SiteId, moderator: ModeratorId, teaching: Teaching) -> StoreResult<()> {
    let kept = (
        training_teachers::contradicted.eq(teaching.contradicted.cast_signed()),
        training_teachers::decisions.eq(teaching.decisions.cast_signed()),
    );
    let upsert = diesel::insert_into(training_teachers::table)
        .values((training_teachers::site_id.eq(site), training_teachers::moderator_id.eq(moderator), kept))
        .on_conflict((training_teachers::site_id, training_teachers::moderator_id))
        .do_update()
        .set(kept);
    execute_on_either(conn, upsert)?;
    Ok(())
}

/// Has all that somebody taught a site's filter taken back; says how many decisions that are. What is learned at this
/// moment is begun anew: the head moves.
pub(super) fn unsay_all_of(conn: &mut Conn, site: SiteId, moderator: ModeratorId) -> StoreResult<usize> {
    ensure_head(conn, site)?;
    diesel::update(training_heads::table.find(site))
        .set(training_heads::takebacks.eq(training_heads::takebacks + 1))
        .execute(conn)?;
    let of_them = || {
        training::table
            .filter(training::site_id.eq(site).and(training::moderator_id.eq(moderator)))
            .filter(training::state.ne(LEAVES))
    };
    let unlearned = diesel::delete(of_them().filter(training::state.ne(COUNTED))).execute(conn)?;
    let counted = diesel::update(of_them()).set(training::state.eq(LEAVES)).execute(conn)?;
    let teacher = training_teachers::table.find((site, moderator));
    diesel::delete(teacher).execute(conn)?;
    Ok(unlearned + counted)
}

/// Whoever has this user name, folded.
pub(super) fn find_teacher(conn: &mut Conn, name: &str) -> StoreResult<Option<ModeratorId>> {
    let named = moderators::table.filter(moderators::username_folded.eq(name)).select(moderators::id);
    Ok(named.first(conn).optional()?)
}

/// How much somebody has taught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaughtBy {
    /// User name; none when they were removed since.
    pub moderator: Option<String>,
    pub good: i64,
    pub spam: i64,
    /// Decisions that are not followed, since this person contradicts the filter far more often than others do.
    pub set_aside: i64,
}

/// Who taught a site's filter how much, by name.
pub(super) fn list_taught_by(conn: &mut Conn, site: SiteId) -> StoreResult<Vec<TaughtBy>> {
    let rows: Vec<(ModeratorId, i16, i16, i64)> = training::table
        .filter(training::site_id.eq(site).and(training::state.ne(LEAVES)))
        .group_by((training::moderator_id, training::label, training::state))
        .select((training::moderator_id, training::label, training::state, count_star()))
        .load(conn)?;
    let ids: Vec<ModeratorId> = rows.iter().map(|(id, ..)| *id).collect();
    let names = moderators::table.filter(moderators::id.eq_any(ids)).select((moderators::id, moderators::username));
    let names: HashMap<ModeratorId, String> = names.load(conn)?.into_iter().collect();
    let mut by: HashMap<ModeratorId, TaughtBy> = HashMap::new();
    for (id, label, state, count) in rows {
        let moderator = names.get(&id).cloned();
        let taught = by.entry(id).or_insert(TaughtBy { moderator, good: 0, spam: 0, set_aside: 0 });
        match (state, label_of(label)) {
            (SET_ASIDE, _) => taught.set_aside += count,
            (_, Label::Good) => taught.good += count,
            (_, Label::Spam) => taught.spam += count,
        }
    }
    let mut all: Vec<TaughtBy> = by.into_values().collect();
    all.sort_by(|one, other| one.moderator.cmp(&other.moderator));
    Ok(all)
}

/// How many decisions of this time the filter foresaw, and how many it was asked about, on these sites or all.
///
/// # Errors
/// Those of the store.
pub fn count_agreements(conn: &mut Conn, sites: Option<&[SiteId]>, time: &Range<Millis>) -> StoreResult<(i64, i64)> {
    let mut query = training::table
        .inner_join(decisions::table.on(decisions::id.eq(training::id)))
        .filter(decisions::decided_at.ge(time.start).and(decisions::decided_at.lt(time.end)))
        .filter(training::agrees.is_not_null())
        .group_by(training::agrees)
        .select((training::agrees, count_star()))
        .into_boxed::<Db>();
    if let Some(sites) = sites {
        query = query.filter(training::site_id.eq_any(sites));
    }
    let rows: Vec<(Option<bool>, i64)> = query.load(conn)?;
    let agreed = rows.iter().filter(|(agrees, _)| *agrees == Some(true)).map(|(_, count)| count).sum();
    Ok((agreed, rows.iter().map(|(_, count)| count).sum()))
}
