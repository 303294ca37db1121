//! SQL of the figures: every statement goes by an index on time.

use std::collections::HashMap;
use std::ops::Range;

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::comments::Status;
use crate::kit::clock::Millis;
use crate::kit::ids::{ModeratorId, SiteId};
use crate::store::schema::{comments, decisions, moderators};
use crate::store::{Conn, Db, StoreResult};

/// How many comments wait, and since when the oldest was written.
pub fn count_pending(conn: &mut Conn, visible: Option<&[SiteId]>) -> StoreResult<(i64, Option<Millis>)> {
    let pending = || comments::table.filter(comments::status.eq(Status::Pending.as_str()));
    let mut count = pending().count().into_boxed::<Db>();
    let Some(visible) = visible else {
        let oldest = pending().order(comments::created_at).select(comments::created_at).first(conn).optional()?;
        return Ok((count.get_result(conn)?, oldest));
    };
    count = count.filter(comments::site_id.eq_any(visible));
    let mut oldest: Option<Millis> = None;
    // One look into the index for each, however much others have.
    for site in visible {
        let of_site = pending().filter(comments::site_id.eq(*site)).order(comments::created_at);
        let found: Option<Millis> = of_site.select(comments::created_at).first(conn).optional()?;
        oldest = found.into_iter().chain(oldest).min();
    }
    Ok((count.get_result(conn)?, oldest))
}

/// User names of these people.
pub fn list_names(conn: &mut Conn, ids: &[ModeratorId]) -> StoreResult<HashMap<ModeratorId, String>> {
    let names = moderators::table.filter(moderators::id.eq_any(ids)).select((moderators::id, moderators::username));
    Ok(names.load(conn)?.into_iter().collect())
}

/// A site's comments written in this time, by why they were held: lists in JSON, empty for those that were not.
pub fn count_received(conn: &mut Conn, site: SiteId, time: &Range<Millis>) -> StoreResult<Vec<(String, i64)>> {
    // Every status by name, so that the index goes on to the time.
    let query = comments::table
        .filter(comments::site_id.eq(site).and(comments::status.eq_any(Status::ALL.map(Status::as_str))))
        .filter(comments::created_at.ge(time.start).and(comments::created_at.lt(time.end)))
        .group_by(comments::held_because)
        .select((comments::held_because, count_star()));
    Ok(query.load(conn)?)
}

/// A decision about a comment.
#[derive(Debug, Queryable)]
pub struct DecisionRow {
    pub moderator: Option<ModeratorId>,
    from: Option<String>,
    pub to: String,
    pub reason: Option<String>,
    undoes: Option<i64>,
    version: i64,
    received_at: Millis,
    decided_at: Millis,
}

impl DecisionRow {
    /// Whether it took another one back.
    pub fn is_undo(&self) -> bool {
        self.undoes.is_some()
    }

    /// How many milliseconds the comment waited for it, when it is the first of a person about one that waited. (A comment
    /// that was edited before has another version by then, and is left out.)
    pub fn waited_ms(&self) -> Option<i64> {
        let is_first =
            self.version == 2 && self.moderator.is_some() && self.from.as_deref() == Some(Status::Pending.as_str());
        is_first.then_some(self.decided_at.0 - self.received_at.0)
    }
}

/// Decisions of this time about comments on these sites, or on all. What screening did when a comment was new is none.
///
/// Ask for a day at most: for a longer time PostgreSQL would rather read every comment than look them up.
pub fn list_decisions(
    conn: &mut Conn,
    sites: Option<&[SiteId]>,
    time: &Range<Millis>,
) -> StoreResult<Vec<DecisionRow>> {
    let mut query = decisions::table
        .inner_join(comments::table)
        .filter(decisions::decided_at.ge(time.start).and(decisions::decided_at.lt(time.end)))
        .filter(decisions::from_status.is_not_null())
        .select((
            decisions::moderator_id,
            decisions::from_status,
            decisions::to_status,
            decisions::reason,
            decisions::undoes,
            decisions::version,
            comments::received_at,
            decisions::decided_at,
        ))
        .into_boxed::<Db>();
    if let Some(sites) = sites {
        // Written so that no index serves it: SQLite would rather go through all comments of a site.
        query = query.filter((comments::site_id + 0_i64).eq_any(sites));
    }
    Ok(query.load(conn)?)
}
