//! Delivering what waits in the outbox: at least once, on however many nodes.
//!
//! A row is leased, its letter sent, and what became of it written. If the program dies between, the lease runs out and the
//! letter goes again under the same Message-ID. What may work later is tried later, at growing intervals, for three days;
//! what a server refuses for this address is given up at once. The row stays and says so; whom it went to is cleared after
//! 30 days. Neither the row nor the log has what a server said, because that may repeat the address.

use std::time::Duration;

use futures_util::future::join_all;

use crate::app::App;
use crate::kit::clock::Millis;
use crate::outbound::SendError;
use crate::store::{
    MailEnd, StoreResult, WaitingMail, clear_recipients, end_mail, lease_mails, list_due_mails, postpone_mail,
};

use super::letter::letter_of;

/// How long a lease lasts: longer than a letter may take to be sent.
const LEASE: Duration = Duration::from_mins(5);
/// Letters that are sent at the same time.
const AT_ONCE: i64 = 4;
/// How long after the first try the second comes; each further one waits four times as long.
const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_hours(4);
/// How long it is tried (RFC 5321 §4.5.4.1 has four to five days; a verification is good for seven).
const TRY_FOR: Duration = Duration::from_hours(72);
/// How long it is kept whom something went to.
const KEEP_RECIPIENTS: Duration = Duration::from_hours(30 * 24);
/// Rows that are cleared in one transaction.
const CHUNK: i64 = 500;

/// Waits until something is put into the outbox on this node.
pub async fn letter_waits(app: &App) {
    app.mailer.letter_waits().await;
}

/// Delivers everything that is due, while `goes_on`. Without mail nothing is done, and what waits goes on waiting.
///
/// # Errors
/// Those of the store: then what was sent and could not be noted is sent again.
pub async fn deliver_waiting(app: &App, goes_on: impl Fn() -> bool) -> StoreResult<()> {
    while app.mailer.is_on() && goes_on() {
        let leased = lease(app).await?;
        if leased.is_empty() {
            return Ok(());
        }
        for outcome in join_all(leased.iter().map(|mail| deliver(app, mail))).await {
            outcome?;
        }
    }
    Ok(())
}

async fn lease(app: &App) -> StoreResult<Vec<WaitingMail>> {
    let now = app.clock.now();
    // Mostly there is nothing, and that costs no write.
    let due = app.store.read(move |conn| list_due_mails(conn, now, AT_ONCE)).await?;
    if due.is_empty() {
        return Ok(due);
    }
    app.store.write(move |conn| lease_mails(conn, &due, now.plus(LEASE))).await
}

async fn deliver(app: &App, mail: &WaitingMail) -> StoreResult<()> {
    let Some(letter) = letter_of(app, mail).await? else {
        return end(app, mail, MailEnd::Dropped, None).await;
    };
    match app.mailer.send(&letter).await {
        Ok(()) => end(app, mail, MailEnd::Sent, None).await,
        Err(SendError::Never(why)) => {
            tracing::warn!(mail = mail.id, why, "a mail was refused");
            end(app, mail, MailEnd::Refused, Some(why)).await
        }
        Err(SendError::Later(why)) => later(app, mail, why).await,
    }
}

async fn later(app: &App, mail: &WaitingMail, why: String) -> StoreResult<()> {
    let (now, is_first) = (app.clock.now(), mail.attempts == 1);
    if now >= mail.created_at.plus(TRY_FOR) {
        tracing::warn!(mail = mail.id, attempts = mail.attempts, why, "a mail was given up");
        return end(app, mail, MailEnd::Failed, Some(why)).await;
    }
    // Once is enough: a server that is down says the same of every letter, every time.
    if is_first {
        tracing::warn!(mail = mail.id, why, "a mail is tried again later");
    }
    let (mail, until) = (mail.clone(), now.plus(wait_after(mail.attempts)));
    app.store.write(move |conn| postpone_mail(conn, &mail, until, &why)).await
}

/// How long to wait after so many tries.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.max(1) - 1).unwrap_or(u32::MAX).min(10) * 2;
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

async fn end(app: &App, mail: &WaitingMail, end: MailEnd, why: Option<String>) -> StoreResult<()> {
    let (mail, now) = (mail.clone(), app.clock.now());
    app.store.write(move |conn| end_mail(conn, &mail, end, why.as_deref(), now)).await
}

/// Clears whom letters went to that ended 30 days ago, and whose address caused them.
///
/// # Errors
/// Those of the store.
pub async fn clear_old_recipients(app: &App, now: Millis) -> StoreResult<()> {
    let before = now.minus(KEEP_RECIPIENTS);
    while app.store.write(move |conn| clear_recipients(conn, before, CHUNK)).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_four_hours() {
        let minutes: Vec<u64> = (1..7).map(|attempts| wait_after(attempts).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 4, 16, 64, 240, 240]);
        assert_eq!(wait_after(i64::MAX), LONGEST_WAIT);
        assert_eq!(wait_after(0), FIRST_WAIT);
    }
}
