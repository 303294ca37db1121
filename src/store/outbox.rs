//! The outbox: what is to be sent, kept in the commit that causes it, and what became of it.
//!
//! Whoever delivers leases a row: it counts an attempt and moves `next_at` to when the lease ends. If the program dies
//! meanwhile, the row is due again then, on any node; so everything is sent at least once. Only who still has the lease
//! writes how it ended. What a row means, its feature knows.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::secret::Digest256;

use super::schema::outbox;
use super::{Conn, StoreResult, execute_on_either};

/// Something to be sent.
#[derive(Debug, Clone)]
pub struct NewMail {
    pub id: i64,
    /// What it is, for its feature.
    pub kind: &'static str,
    /// JSON: what it is made of when it is sent.
    pub payload: String,
    /// In lower case.
    pub recipient: String,
    /// Keyed hash of the network address that caused it.
    pub caused_by: Option<i64>,
    /// Keyed hash of what there may be only one of.
    pub once: Digest256,
    pub at: Millis,
}

/// Something that waits to be sent.
#[derive(Debug, Clone, Queryable)]
pub struct WaitingMail {
    pub id: i64,
    pub kind: String,
    pub payload: String,
    pub recipient: Option<String>,
    pub attempts: i64,
    /// When it was due; once leased, when the lease ends.
    pub next_at: Millis,
    pub created_at: Millis,
}

/// How the wait of something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailEnd {
    Sent,
    /// Nobody takes it for this address.
    Refused,
    /// It was tried for days.
    Failed,
    /// There was no reason for it any more.
    Dropped,
}

impl MailEnd {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

const WAITING: &str = "waiting";

/// Keeps something to be sent, due at once; false when there is one like it already.
///
/// # Errors
/// Those of the store.
pub fn insert_mail_once(conn: &mut Conn, new: &NewMail) -> StoreResult<bool> {
    let row = (
        outbox::id.eq(new.id),
        outbox::kind.eq(new.kind),
        outbox::payload.eq(&new.payload),
        outbox::recipient.eq(&new.recipient),
        outbox::caused_by.eq(new.caused_by),
        outbox::once.eq(new.once.as_slice()),
        outbox::state.eq(WAITING),
        outbox::attempts.eq(0),
        outbox::next_at.eq(new.at.0),
        outbox::created_at.eq(new.at.0),
    );
    let insert = diesel::insert_into(outbox::table).values(row).on_conflict_do_nothing();
    Ok(execute_on_either(conn, insert)? == 1)
}

/// How many went, or are to go, to this address since then.
///
/// # Errors
/// Those of the store.
pub fn count_mails_to(conn: &mut Conn, recipient: &str, since: Millis) -> StoreResult<i64> {
    let to = outbox::table.filter(outbox::recipient.eq(recipient)).filter(outbox::created_at.gt(since.0));
    Ok(to.count().get_result(conn)?)
}

/// How many this network address caused since then.
///
/// # Errors
/// Those of the store.
pub fn count_mails_caused_by(conn: &mut Conn, address: i64, since: Millis) -> StoreResult<i64> {
    let caused = outbox::table.filter(outbox::caused_by.eq(address)).filter(outbox::created_at.gt(since.0));
    Ok(caused.count().get_result(conn)?)
}

/// Up to `most` that are due, the longest due first.
///
/// # Errors
/// Those of the store.
pub fn list_due_mails(conn: &mut Conn, now: Millis, most: i64) -> StoreResult<Vec<WaitingMail>> {
    let due = outbox::table
        // Written out, so that both databases see that the partial index serves.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("outbox.state = 'waiting'"))
        .filter(outbox::next_at.le(now.0))
        .order((outbox::next_at, outbox::id))
        .limit(most);
    let columns = (
        outbox::id,
        outbox::kind,
        outbox::payload,
        outbox::recipient,
        outbox::attempts,
        outbox::next_at,
        outbox::created_at,
    );
    Ok(due.select(columns).load(conn)?)
}

/// Takes the ones of `due` that nobody else has taken since they were read, until `until`.
///
/// # Errors
/// Those of the store.
pub fn lease_mails(conn: &mut Conn, due: &[WaitingMail], until: Millis) -> StoreResult<Vec<WaitingMail>> {
    let mut leased = Vec::with_capacity(due.len());
    for mail in due {
        let attempts = mail.attempts + 1;
        let lease = diesel::update(held(mail)).set((outbox::next_at.eq(until.0), outbox::attempts.eq(attempts)));
        if lease.execute(conn)? == 1 {
            leased.push(WaitingMail { next_at: until, attempts, ..mail.clone() });
        }
    }
    Ok(leased)
}

/// Writes that it is to be tried again at some time, and why. Without the lease nothing is written.
///
/// # Errors
/// Those of the store.
pub fn postpone_mail(conn: &mut Conn, mail: &WaitingMail, until: Millis, why: &str) -> StoreResult<()> {
    diesel::update(held(mail)).set((outbox::next_at.eq(until.0), outbox::last_error.eq(why))).execute(conn)?;
    Ok(())
}

/// Writes how it ended. Without the lease nothing is written, but that it was sent.
///
/// # Errors
/// Those of the store.
pub fn end_mail(conn: &mut Conn, mail: &WaitingMail, end: MailEnd, why: Option<&str>, at: Millis) -> StoreResult<()> {
    let ended = (outbox::state.eq(end.as_str()), outbox::last_error.eq(why), outbox::ended_at.eq(at.0));
    match end {
        // Whoever else is at it sends it a second time; nobody needs a third.
        MailEnd::Sent => diesel::update(outbox::table.find(mail.id)).set(ended).execute(conn)?,
        _ => diesel::update(held(mail)).set(ended).execute(conn)?,
    };
    Ok(())
}

/// The row as long as it is as it was read or leased.
#[diesel::dsl::auto_type]
fn held(mail: &WaitingMail) -> _ {
    let (id, next_at): (i64, i64) = (mail.id, mail.next_at.0);
    let state: &'static str = WAITING;
    outbox::table.filter(outbox::id.eq(id)).filter(outbox::state.eq(state)).filter(outbox::next_at.eq(next_at))
}

/// Clears whom up to `most` went to, or were to go, that ended before then; says how many.
///
/// # Errors
/// Those of the store.
pub fn clear_recipients(conn: &mut Conn, before: Millis, most: i64) -> StoreResult<usize> {
    let ids: Vec<i64> = outbox::table
        .filter(outbox::recipient.is_not_null())
        .filter(outbox::ended_at.lt(before.0))
        .order(outbox::ended_at)
        .limit(most)
        .select(outbox::id)
        .load(conn)?;
    if ids.is_empty() {
        return Ok(0);
    }
    let cleared = (outbox::recipient.eq(None::<String>), outbox::caused_by.eq(None::<i64>));
    Ok(diesel::update(outbox::table.filter(outbox::id.eq_any(ids))).set(cleared).execute(conn)?)
}
