//! Telling Akismet what moderators decided otherwise than it did: it learns from that, for everybody.
//!
//! What is to be told is written when a decision is indexed, and sent by a job: at least once, later and later when it cannot
//! be, and given up after a dozen tries, which is about a day. What is erased or withdrawn meanwhile is not sent.

use std::time::Duration;

use crate::app::App;
use crate::kit::clock::Millis;
use crate::sites::Service;
use crate::store::StoreResult;

use super::Submission;
use super::akismet::Call;
use super::ask::call_akismet;
use super::queries::{self, Report, Reported};

/// Reports sent in one go.
const MOST: i64 = 20;
/// How long one may take. Nobody waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// When nothing was heard of it after so long, somebody else may send it: whoever was at it is gone.
const LEASE: Duration = Duration::from_mins(5);
/// Tries after which it is given up.
const MOST_TRIES: i64 = 12;
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_hours(4);

/// Sends what is due; says how many were sent or given up.
///
/// # Errors
/// Those of the store.
pub async fn send_reports(app: &App) -> StoreResult<usize> {
    let now = app.clock.now();
    let due = app.store.read(move |conn| queries::list_due(conn, now, MOST)).await?;
    let mut done = 0;
    for report in due {
        let (is_ours, until) = (report.clone(), now.plus(LEASE));
        if !app.store.write(move |conn| queries::lease(conn, &is_ours, until)).await? {
            continue;
        }
        done += usize::from(send(app, report, until).await?);
    }
    Ok(done)
}

async fn send(app: &App, report: Report, leased: Millis) -> StoreResult<bool> {
    let comment = report.comment_id;
    let found = app.store.read(move |conn| queries::find_reported(conn, comment)).await?;
    let service = found.as_ref().and_then(|found| found.site.settings.outside.akismet.clone());
    let is_over = match (found, service) {
        (Some(found), Some(service)) => tell(app, &report, &found, &service).await || report.tries + 1 >= MOST_TRIES,
        // Nothing is left to be told, or nobody to tell it.
        _ => true,
    };
    let tries = u32::try_from(report.tries).unwrap_or(0).min(10);
    let wait = (Duration::from_mins(1) * 2_u32.pow(tries)).min(LONGEST_WAIT);
    let next = app.clock.now().plus(wait);
    let end = move |conn: &mut crate::store::Conn| {
        if is_over { queries::end(conn, &report, leased) } else { queries::put_off(conn, &report, leased, next) }
    };
    app.store.write(end).await?;
    Ok(is_over)
}

/// Whether Akismet has taken it.
async fn tell(app: &App, report: &Report, found: &Reported, service: &Service) -> bool {
    let submission = Submission {
        site: &found.site,
        article: &found.article,
        name: &found.name,
        email: found.email.as_deref(),
        url: found.url.as_deref(),
        text: &found.text,
        address: found.ip.as_deref(),
        user_agent: found.user_agent.as_deref(),
        parent: found.parent_id,
        at: found.received_at,
    };
    let call = if report.is_spam { Call::SubmitSpam } else { Call::SubmitHam };
    let told = call_akismet(app, service, call, &submission, TIME_LIMIT).await;
    match &told {
        Ok(answer) if answer.status == 200 => return true,
        Ok(answer) => tracing::warn!(status = answer.status, "Akismet did not take what moderators decided"),
        Err(error) => tracing::warn!(%error, "Akismet could not be told what moderators decided"),
    }
    false
}
