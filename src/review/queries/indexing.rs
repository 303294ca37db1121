//! The SQL that brings up to date what moderators find comments by.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::campaigns::{NewSketch, are_sketches_as_of, write_sketches};
use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, ModeratorId, SiteId};
use crate::kit::search::IndexedWords;
use crate::outside::{NewReport, put_reports};
use crate::store::schema::{comment_counts, comment_lookup, comment_rules, comments, decisions};
use crate::store::{
    Conn, Db, StoreResult, WasRead, execute_on_either, mark_indexed, try_lock_until_commit, write_words,
};

/// The lock that one indexer at a time has.
const INDEXING: i32 = 0x0001_d3c5;

/// Rules and comments written in one statement.
const MOST_PAIRS: usize = 5_000;

/// A comment that waits, as far as it is found by.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = comments)]
#[diesel(check_for_backend(Db))]
pub(in crate::review) struct Waiting {
    pub id: CommentId,
    pub site_id: SiteId,
    pub status: String,
    pub version: i64,
    pub name: String,
    pub email: Option<String>,
    pub url: Option<String>,
    pub text: String,
    pub ip: Option<String>,
    pub moderator_id: Option<ModeratorId>,
    pub edited_at: Option<Millis>,
    /// JSON.
    pub screening: Option<String>,
}

/// What is kept of a comment to find it by.
#[derive(Debug)]
pub(in crate::review) struct Indexed {
    pub comment: Waiting,
    pub name: String,
    pub email: Option<String>,
    pub address: Option<String>,
    /// What held it: ids of rules, and words such as `ban`.
    pub rules: Vec<String>,
    pub words: IndexedWords,
    pub sketch: Sketched,
    /// What an outside service is to be told of it.
    pub report: Option<NewReport>,
}

/// What is done about the sketch by which near-duplicates are found.
#[derive(Debug, Clone)]
pub(in crate::review) enum Sketched {
    /// Nothing: it is right, or there is none.
    Kept,
    New(NewSketch),
    /// It is taken away.
    Gone,
}

/// Not up to date. Written out, so that the partial index serves.
fn is_waiting() -> SqlLiteral<Bool> {
    sql("NOT comments.is_indexed")
}

/// Ids of up to `most` comments that wait, in order.
pub(in crate::review) fn list_waiting_ids(conn: &mut Conn, most: i64) -> StoreResult<Vec<CommentId>> {
    Ok(comments::table.filter(is_waiting()).order(comments::id).limit(most).select(comments::id).load(conn)?)
}

/// Up to `most` comments that wait, those with the lowest ids.
pub(in crate::review) fn list_waiting(conn: &mut Conn, most: i64) -> StoreResult<Vec<Waiting>> {
    let waiting = comments::table.filter(is_waiting()).order(comments::id).limit(most);
    Ok(waiting.select(Waiting::as_select()).load(conn)?)
}

/// Writes what these comments are found by, but for those that have changed since they were read; says how many were
/// written, and nothing while another node is at it, or was since campaigns were joined, up to the change `joined_at`.
pub(in crate::review) fn write_indexed(
    conn: &mut Conn,
    all: &[Indexed],
    joined_at: Option<i64>,
    now: Millis,
) -> StoreResult<Option<usize>> {
    if !try_lock_until_commit(conn, INDEXING)? {
        return Ok(None);
    }
    if let Some(joined_at) = joined_at
        && !are_sketches_as_of(conn, joined_at)?
    {
        return Ok(None);
    }
    let read: Vec<WasRead> = all
        .iter()
        .map(|Indexed { comment, .. }| WasRead {
            id: comment.id.get(),
            version: comment.version,
            ip: comment.ip.clone(),
        })
        .collect();
    // Once marked, they cannot change before the commit.
    let marked: std::collections::HashSet<i64> = mark_indexed(conn, &read)?.into_iter().collect();
    let all: Vec<&Indexed> = all.iter().filter(|one| marked.contains(&one.comment.id.get())).collect();
    let ids: Vec<CommentId> = all.iter().map(|one| one.comment.id).collect();
    if !ids.is_empty() {
        let before = load_before(conn, &ids)?;
        write_lookup(conn, &all, &ids, !before.is_empty())?;
        write_counts(conn, &all, &before)?;
        let words: Vec<(i64, IndexedWords, bool)> = all
            .iter()
            .filter(|one| before.get(&one.comment.id).is_none_or(|before| before.is_other_text(&one.comment)))
            .map(|one| (one.comment.id.get(), one.words.clone(), !before.contains_key(&one.comment.id)))
            .collect();
        write_words(conn, &words)?;
        let new: Vec<&NewSketch> = all.iter().filter_map(|one| one.sketch.as_new()).collect();
        let gone = all.iter().filter(|one| matches!(one.sketch, Sketched::Gone));
        write_sketches(conn, &new, &gone.map(|one| one.comment.id).collect::<Vec<_>>())?;
        let reports: Vec<NewReport> = all.iter().filter_map(|one| one.report.clone()).collect();
        put_reports(conn, &reports, now)?;
    }
    Ok(Some(ids.len()))
}

impl Sketched {
    /// One of a text that was not sketched before.
    pub fn as_new_text(&mut self) -> Option<&mut NewSketch> {
        if let Self::New(sketch) = self { Some(sketch).filter(|sketch| sketch.is_new_text) } else { None }
    }

    fn as_new(&self) -> Option<&NewSketch> {
        if let Self::New(sketch) = self { Some(sketch) } else { None }
    }
}

/// How a comment was indexed last.
struct Before {
    site_id: SiteId,
    status: String,
    words_of: Option<Millis>,
}

impl Before {
    /// An edit says when it was made; what is erased is erased from here too, whatever else it says.
    fn is_other_text(&self, comment: &Waiting) -> bool {
        self.words_of != comment.edited_at || comment.status == Status::Erased.as_str()
    }
}

fn load_before(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<HashMap<CommentId, Before>> {
    let rows: Vec<(CommentId, SiteId, String, Option<Millis>)> = comment_lookup::table
        .filter(comment_lookup::comment_id.eq_any(ids))
        .select((comment_lookup::comment_id, comment_lookup::site_id, comment_lookup::status, comment_lookup::words_of))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, site_id, status, words_of)| (id, Before { site_id, status, words_of })).collect())
}

fn write_lookup(conn: &mut Conn, all: &[&Indexed], ids: &[CommentId], some_are_there: bool) -> StoreResult<()> {
    let lines: Vec<(CommentId, Option<String>)> = decisions::table
        .filter(decisions::comment_id.eq_any(ids))
        .order(decisions::version)
        .select((decisions::comment_id, decisions::reason))
        .load(conn)?;
    let mut reasons: HashMap<CommentId, Option<String>> = lines.into_iter().collect(); // the last one stays
    if some_are_there {
        diesel::delete(comment_lookup::table.filter(comment_lookup::comment_id.eq_any(ids))).execute(conn)?;
    }
    let rows: Vec<_> = all
        .iter()
        .map(|one| {
            (
                comment_lookup::comment_id.eq(one.comment.id),
                comment_lookup::site_id.eq(one.comment.site_id),
                comment_lookup::status.eq(&one.comment.status),
                comment_lookup::name.eq(&one.name),
                comment_lookup::email.eq(one.email.as_deref()),
                comment_lookup::address.eq(one.address.as_deref()),
                comment_lookup::reason.eq(reasons.remove(&one.comment.id).flatten()),
                comment_lookup::words_of.eq(one.comment.edited_at),
            )
        })
        .collect();
    execute_on_either(conn, diesel::insert_into(comment_lookup::table).values(rows))?;
    write_rules(conn, all, ids, some_are_there)
}

fn write_rules(conn: &mut Conn, all: &[&Indexed], ids: &[CommentId], some_are_there: bool) -> StoreResult<()> {
    if some_are_there {
        let ids = ids.iter().map(|id| id.get());
        diesel::delete(comment_rules::table.filter(comment_rules::comment_id.eq_any(ids))).execute(conn)?;
    }
    let held = |one: &&Indexed| {
        let id = one.comment.id.get();
        one.rules.iter().map(move |rule| (rule.clone(), id)).collect::<Vec<_>>()
    };
    let pairs: Vec<(String, i64)> = all.iter().flat_map(held).collect();
    // PostgreSQL binds no more than 65,535 values in one statement.
    for some in pairs.chunks(MOST_PAIRS) {
        let rows: Vec<_> =
            some.iter().map(|(rule, id)| (comment_rules::rule.eq(rule), comment_rules::comment_id.eq(id))).collect();
        execute_on_either(conn, diesel::insert_into(comment_rules::table).values(rows))?;
    }
    Ok(())
}

/// Adds what they are now and takes away what they were counted as.
fn write_counts(conn: &mut Conn, all: &[&Indexed], before: &HashMap<CommentId, Before>) -> StoreResult<()> {
    let mut changes: BTreeMap<(i64, &str), i64> = BTreeMap::new();
    for one in all {
        *changes.entry((one.comment.site_id.get(), &one.comment.status)).or_default() += 1;
        if let Some(before) = before.get(&one.comment.id) {
            *changes.entry((before.site_id.get(), &before.status)).or_default() -= 1;
        }
    }
    for ((site, status), change) in changes.into_iter().filter(|(_, change)| *change != 0) {
        let row = (
            comment_counts::site_id.eq(SiteId::new(site)),
            comment_counts::status.eq(status),
            comment_counts::count.eq(change),
        );
        let upsert = diesel::insert_into(comment_counts::table)
            .values(row)
            .on_conflict((comment_counts::site_id, comment_counts::status))
            .do_update()
            .set(comment_counts::count.eq(comment_counts::count + change));
        execute_on_either(conn, upsert)?;
    }
    Ok(())
}
