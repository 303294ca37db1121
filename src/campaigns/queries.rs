//! All SQL about campaigns: the sketches of comments, each with its campaign and what people called it.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::{CampaignId, CommentId, SiteId};
use crate::store::schema::{comment_sketches, comments, decisions};
use crate::store::{Conn, Db, StoreResult, execute_on_either, load_mark, move_mark};

use super::Campaign;

/// The mark that every change of the sketches moves.
const MARK: &str = "sketches";
/// Ids asked for in one statement.
const MOST_IDS: usize = 2_000;

/// A sketch as it is kept.
#[derive(Debug)]
pub(super) struct Sketched {
    pub comment_id: CommentId,
    pub site_id: SiteId,
    pub campaign: i64,
    pub sketch: Vec<u8>,
    pub is_spam: Option<bool>,
    /// Of what came lately.
    pub sender: Option<Sender>,
}

/// Who sent a comment, when and where from.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Sender {
    pub name: String,
    pub email: Option<String>,
    pub ip: Option<String>,
    pub received_at: Millis,
}

type Row = (CommentId, SiteId, i64, Vec<u8>, Option<bool>);

/// The sketches that have changed since a change, the latest `most` of them and of those called spam when nothing was read
/// before; the oldest change first. Those that came after `recent` say who sent them. With them, up to which change.
pub(super) fn list_changed(
    conn: &mut Conn,
    since: Option<i64>,
    recent: Millis,
    most: i64,
) -> StoreResult<(i64, Vec<Sketched>)> {
    use comment_sketches::{campaign, comment_id, is_spam, seq, site_id, sketch};
    let columns = (seq, (comment_id, site_id, campaign, sketch, is_spam));
    // Read first: what is newer than it is read once more, and never missed.
    let mark = load_mark(conn, MARK)?;
    if since == Some(mark) {
        return Ok((mark, Vec::new()));
    }
    let latest = || comment_sketches::table.select(columns).order(seq.desc()).limit(most).into_boxed::<Db>();
    let mut rows: Vec<(i64, Row)> = match since {
        Some(since) => latest().filter(seq.gt(since)).load(conn)?,
        None => latest().load(conn)?,
    };
    if since.is_none() {
        rows.extend(latest().filter(is_spam.eq(true).assume_not_null()).load::<(i64, Row)>(conn)?);
    }
    rows.sort_unstable_by_key(|(at, _)| *at);
    rows.dedup_by_key(|(at, _)| *at);
    let ids: Vec<CommentId> = rows.iter().map(|(_, (id, ..))| *id).collect();
    let mut senders = list_senders(conn, &ids, recent)?;
    let sketched = |(_, (id, site, of, bytes, called)): (i64, Row)| Sketched {
        comment_id: id,
        site_id: site,
        campaign: of,
        sketch: bytes,
        is_spam: called,
        sender: senders.remove(&id),
    };
    Ok((mark, rows.into_iter().map(sketched).collect()))
}

fn list_senders(conn: &mut Conn, ids: &[CommentId], recent: Millis) -> StoreResult<HashMap<CommentId, Sender>> {
    let mut senders = HashMap::new();
    for ids in ids.chunks(MOST_IDS) {
        let rows: Vec<(CommentId, Sender)> = comments::table
            .filter(comments::id.eq_any(ids))
            .filter(comments::received_at.ge(recent))
            .select((comments::id, (comments::name, comments::email, comments::ip, comments::received_at)))
            .load(conn)?;
        senders.extend(rows);
    }
    Ok(senders)
}

/// What is kept of a comment already.
#[derive(Debug, Clone)]
pub struct Before {
    pub campaign: CampaignId,
    pub sketch: Vec<u8>,
    pub is_spam: Option<bool>,
}

/// Those of these comments that have a sketch.
///
/// # Errors
/// Those of the store.
pub fn list_sketched(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<HashMap<CommentId, Before>> {
    let mut found = HashMap::new();
    for ids in ids.chunks(MOST_IDS) {
        let rows: Vec<Row> = comment_sketches::table
            .filter(comment_sketches::comment_id.eq_any(ids))
            .select((
                comment_sketches::comment_id,
                comment_sketches::site_id,
                comment_sketches::campaign,
                comment_sketches::sketch,
                comment_sketches::is_spam,
            ))
            .load(conn)?;
        let before = |(id, _, of, sketch, is_spam)| (id, Before { campaign: CampaignId::new(of), sketch, is_spam });
        found.extend(rows.into_iter().map(before));
    }
    Ok(found)
}

/// Those of these comments about which a person decided last.
///
/// # Errors
/// Those of the store.
pub fn list_decided_by_people(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<Vec<CommentId>> {
    let mut last = HashMap::new();
    for ids in ids.chunks(MOST_IDS) {
        let lines: Vec<(CommentId, Option<i64>)> = decisions::table
            .filter(decisions::comment_id.eq_any(ids))
            .order(decisions::version)
            .select((decisions::comment_id, decisions::moderator_id))
            .load(conn)?;
        last.extend(lines); // the last one stays
    }
    Ok(last.into_iter().filter_map(|(id, moderator)| moderator.map(|_| id)).collect())
}

/// A sketch to be kept.
#[derive(Debug, Clone)]
pub struct NewSketch {
    pub comment: CommentId,
    pub site: SiteId,
    pub campaign: CampaignId,
    pub sketch: Vec<u8>,
    pub is_spam: Option<bool>,
    /// Whether its campaign is still to be found.
    pub is_new_text: bool,
}

/// Whether no sketch has changed since this change; until the end of the transaction, for whoever alone may index.
///
/// # Errors
/// Those of the store.
pub fn are_sketches_as_of(conn: &mut Conn, change: i64) -> StoreResult<bool> {
    Ok(load_mark(conn, MARK)? == change)
}

/// Writes sketches in place of what these comments had, and takes away those of `gone`. By one at a time.
///
/// # Errors
/// Those of the store.
pub fn write_sketches(conn: &mut Conn, all: &[&NewSketch], gone: &[CommentId]) -> StoreResult<()> {
    let replaced: Vec<CommentId> = all.iter().map(|one| one.comment).chain(gone.iter().copied()).collect();
    for ids in replaced.chunks(MOST_IDS) {
        diesel::delete(comment_sketches::table.filter(comment_sketches::comment_id.eq_any(ids))).execute(conn)?;
    }
    if all.is_empty() {
        return Ok(());
    }
    let mark = load_mark(conn, MARK)?;
    let rows: Vec<_> = (mark + 1..)
        .zip(all)
        .map(|(seq, one)| {
            (
                comment_sketches::comment_id.eq(one.comment),
                comment_sketches::site_id.eq(one.site),
                comment_sketches::campaign.eq(one.campaign.get()),
                comment_sketches::seq.eq(seq),
                comment_sketches::sketch.eq(&one.sketch),
                comment_sketches::is_spam.eq(one.is_spam),
            )
        })
        .collect();
    execute_on_either(conn, diesel::insert_into(comment_sketches::table).values(rows))?;
    move_mark(conn, MARK, mark + i64::try_from(all.len()).unwrap_or(0))
}

/// The campaigns of these comments, of those that have others in theirs.
///
/// # Errors
/// Those of the store.
pub fn list_campaigns(conn: &mut Conn, ids: &[CommentId]) -> StoreResult<HashMap<CommentId, Campaign>> {
    use comment_sketches::{campaign, comment_id};
    let of: Vec<(CommentId, i64)> =
        comment_sketches::table.filter(comment_id.eq_any(ids)).select((comment_id, campaign)).load(conn)?;
    let numbers: Vec<i64> = of.iter().map(|(_, number)| *number).collect();
    let sizes: Vec<(i64, i64)> = comment_sketches::table
        .filter(campaign.eq_any(numbers))
        .group_by(campaign)
        .select((campaign, diesel::dsl::count_star()))
        .load(conn)?;
    let sizes: HashMap<i64, i64> = sizes.into_iter().filter(|(_, size)| *size > 1).collect();
    let one = |(id, number): (CommentId, i64)| {
        Some((id, Campaign { id: CampaignId::new(number), size: *sizes.get(&number)? }))
    };
    Ok(of.into_iter().filter_map(one).collect())
}

/// Ids of up to `most` comments of these campaigns, in no order; of `among`, where that is said.
///
/// # Errors
/// Those of the store.
pub fn list_of_campaigns(
    conn: &mut Conn,
    campaigns: &[CampaignId],
    among: Option<&[i64]>,
    most: i64,
) -> StoreResult<Vec<CommentId>> {
    use comment_sketches::{campaign, comment_id};
    let numbers: Vec<i64> = campaigns.iter().map(|one| one.get()).collect();
    let mut query =
        comment_sketches::table.filter(campaign.eq_any(numbers)).select(comment_id).limit(most).into_boxed::<Db>();
    if let Some(among) = among {
        query = query.filter(comment_id.eq_any(among.iter().copied().map(CommentId::new).collect::<Vec<_>>()));
    }
    Ok(query.load(conn)?)
}
