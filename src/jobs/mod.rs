//! Floor 5: work in the background. Each job is a story of its feature, called again and again; none is needed for an
//! answer to be right, and each may run on several nodes at once.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::web;
use tokio::time::{Interval, MissedTickBehavior};

use crate::accounts::{forget_old_keys, forget_old_resets, forget_old_sessions, rotate_signing_key_when_due};
use crate::app::App;
use crate::audit;
use crate::campaigns;
use crate::comments::{clear_addresses, forget_challenges_before, purge_old_spam};
use crate::learning;
use crate::notify;
use crate::outside::send_reports;
use crate::readers::forget_old_browsers;
use crate::review::{self, Chunk, forget_old_claims, index_chunk};
use crate::store::{StoreError, StoreResult, forget_answers_before, load_mark, move_mark};

/// How often the jobs run.
const EVERY: Duration = Duration::from_mins(1);
/// How long an idempotency key is good for (API.md).
const KEEP_ANSWERS: Duration = Duration::from_hours(24);
/// Used up challenges are known for so long after they have expired: the clocks of nodes may differ by much less.
const KEEP_CHALLENGES: Duration = Duration::from_hours(24);
/// Sessions are forgotten long after they are over, so that a stolen token is still recognised for a while.
const KEEP_SESSIONS: Duration = Duration::from_hours(1440);
/// What came of decisions about many can be asked for some time after they can no longer be taken back.
const KEEP_BATCHES: Duration = Duration::from_hours(7 * 24);
/// Keys are listed for so long after they have expired.
const KEEP_KEYS: Duration = Duration::from_hours(90 * 24);
/// Comments whose addresses are cleared in one transaction.
const CHUNK: i64 = 500;
const DAY: Duration = Duration::from_hours(24);
/// How often the audit log is sealed: each entry within a second of its commit.
const SEAL_EVERY: Duration = Duration::from_millis(500);

/// How long a batch that nobody woke waits at most: one that a crash interrupted, or that failed.
const BATCHES_EVERY: Duration = Duration::from_secs(5);
/// How long a mail waits at most that nobody woke: one that is to be tried again, or that another node was at.
const MAIL_EVERY: Duration = Duration::from_secs(1);
/// For how long the browser is known in which an email was verified.
const KEEP_BROWSERS: Duration = Duration::from_hours(365 * 24);
/// How long a lesson for a filter waits at most that nobody woke; and how long it takes until this node knows what another
/// has learned.
const LEARN_EVERY: Duration = Duration::from_secs(1);
/// How often what waits to be indexed is looked for.
const INDEX_EVERY: Duration = Duration::from_secs(1);
/// How often outside services are told what moderators decided.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// Writes in that time above which one chunk is indexed and no more: readers who post go first.
const FEW_WRITES: u64 = 300;
/// Writes during one chunk above which the next one waits its turn; the chunk itself is one.
const FEW_MEANWHILE: u64 = 20;

/// Starts the jobs on the runtime of the caller. They end with it.
pub fn start(app: &web::Data<App>) {
    actix_web::rt::spawn(seal_for_ever(app.clone()));
    actix_web::rt::spawn(decide_for_ever(app.clone()));
    actix_web::rt::spawn(rerun_for_ever(app.clone()));
    actix_web::rt::spawn(index_for_ever(app.clone()));
    actix_web::rt::spawn(learn_for_ever(app.clone()));
    actix_web::rt::spawn(hear_for_ever(app.clone()));
    actix_web::rt::spawn(deliver_for_ever(app.clone()));
    actix_web::rt::spawn(report_for_ever(app.clone()));
    let app = app.clone();
    actix_web::rt::spawn(async move {
        let mut ticks = ticks(EVERY);
        loop {
            ticks.tick().await;
            if let Err(error) = run_once(&app).await {
                tracing::warn!(%error, "a background job will be tried again");
            }
        }
    });
}

/// Seals the audit log again and again, until the server is about to stop: then nothing should be at work any more. A
/// failure is told once, not twice a second until it is over.
async fn seal_for_ever(app: web::Data<App>) {
    let (mut ticks, mut is_failing) = (ticks(SEAL_EVERY), false);
    let goes_on = || !app.is_stopping.load(Ordering::Relaxed);
    while goes_on() {
        ticks.tick().await;
        let sealed = audit::seal_while(&app.store, goes_on).await;
        if let (Err(error), false) = (&sealed, is_failing) {
            tracing::warn!(%error, "the audit log is not sealed at present");
        }
        is_failing = sealed.is_err();
    }
}

/// Goes on with decisions about many comments, as they come and after a crash.
async fn decide_for_ever(app: web::Data<App>) {
    let mut is_failing = false;
    let goes_on = || !app.is_stopping.load(Ordering::Relaxed);
    while goes_on() {
        let decided = review::run_batches(&app, goes_on).await;
        if let (Err(error), false) = (&decided, is_failing) {
            tracing::warn!(%error, "decisions about many comments wait and will be tried again");
        }
        is_failing = decided.is_err();
        let _ = actix_web::rt::time::timeout(BATCHES_EVERY, review::batch_waits(&app)).await;
    }
}

/// Teaches the sites' filters what moderators decide, as it comes, and follows what other nodes have learned.
async fn learn_for_ever(app: web::Data<App>) {
    let (mut is_failing, mut looked, mut seen) = (false, Instant::now(), app.store.writes());
    let goes_on = || !app.is_stopping.load(Ordering::Relaxed);
    while goes_on() {
        let is_calm = is_calm(app.store.writes() - seen, looked.elapsed());
        let is_first = Cell::new(true);
        let learned = async {
            learning::learn_waiting(&app, || goes_on() && (is_first.take() || is_calm)).await?;
            learning::follow_others(&app).await
        };
        let learned = learned.await;
        if let (Err(error), false) = (&learned, is_failing) {
            tracing::warn!(%error, "filters learn nothing at present");
        }
        is_failing = learned.is_err();
        (looked, seen) = (Instant::now(), app.store.writes());
        if is_calm {
            let _ = actix_web::rt::time::timeout(LEARN_EVERY, learning::lesson_waits(&app)).await;
        } else {
            // Whoever decides or posts goes first: some are learned now and then, the rest when it is quiet again.
            actix_web::rt::time::sleep(LEARN_EVERY).await;
        }
    }
}

/// Whether so many writes in this time are few.
fn is_calm(writes: u64, time: Duration) -> bool {
    let tenths = time.as_millis() / 100 + 1;
    u128::from(writes) <= u128::from(FEW_WRITES) / 10 * tenths
}

/// Goes on with rules that are applied anew, as they come and after a crash.
async fn rerun_for_ever(app: web::Data<App>) {
    let mut is_failing = false;
    let goes_on = || !app.is_stopping.load(Ordering::Relaxed);
    while goes_on() {
        let run = review::run_reruns(&app, goes_on).await;
        if let (Err(error), false) = (&run, is_failing) {
            tracing::warn!(%error, "rules that are applied anew wait and will be tried again");
        }
        is_failing = run.is_err();
        let _ = actix_web::rt::time::timeout(BATCHES_EVERY, review::rerun_waits(&app)).await;
    }
}

/// Delivers mail, as it comes and when it is due again, until the server is about to stop.
async fn deliver_for_ever(app: web::Data<App>) {
    let mut is_failing = false;
    let goes_on = || !app.is_stopping.load(Ordering::Relaxed);
    while goes_on() && app.mailer.is_on() {
        let delivered = notify::deliver_waiting(&app, goes_on).await;
        if let (Err(error), false) = (&delivered, is_failing) {
            tracing::warn!(%error, "mail waits at present");
        }
        is_failing = delivered.is_err();
        let _ = actix_web::rt::time::timeout(MAIL_EVERY, notify::letter_waits(&app)).await;
    }
}

/// Indexes what waits again and again, until the server is about to stop: all of it while there are few writes.
async fn index_for_ever(app: web::Data<App>) {
    let (mut ticks, mut is_failing, mut seen) = (ticks(INDEX_EVERY), false, app.store.writes());
    while !app.is_stopping.load(Ordering::Relaxed) {
        ticks.tick().await;
        let is_calm = app.store.writes() - seen <= FEW_WRITES;
        let indexed = index_some(&app, is_calm).await;
        if let (Err(error), false) = (&indexed, is_failing) {
            tracing::warn!(%error, "what moderators search is not brought up to date at present");
        }
        is_failing = indexed.is_err();
        seen = app.store.writes();
    }
}

/// Does what other nodes tell, where there can be others.
async fn hear_for_ever(app: web::Data<App>) {
    let Some(mut news) = app.store.take_news() else { return };
    while let Some(line) = news.recv().await {
        app.hear(&line);
    }
}

async fn index_some(app: &App, is_calm: bool) -> StoreResult<()> {
    // What other nodes have indexed. What this one has is read at the next tick.
    campaigns::refresh(app).await?;
    let mut goes_on = true;
    while goes_on && !app.is_stopping.load(Ordering::Relaxed) {
        let before = app.store.writes();
        // What is done elsewhere need not be done here.
        let chunk = index_chunk(app).await?;
        goes_on = is_calm && matches!(chunk, Chunk::Indexed(1..)) && app.store.writes() - before <= FEW_MEANWHILE;
    }
    Ok(())
}

/// Tells outside services what moderators decided otherwise than they did.
async fn report_for_ever(app: web::Data<App>) {
    let (mut ticks, mut is_failing) = (ticks(REPORT_EVERY), false);
    while !app.is_stopping.load(Ordering::Relaxed) {
        ticks.tick().await;
        let sent = send_reports(&app).await;
        if let (Err(error), false) = (&sent, is_failing) {
            tracing::warn!(%error, "outside services are not told of decisions at present");
        }
        is_failing = sent.is_err();
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Runs every job once.
///
/// # Errors
/// Those of the store; what was done before stays done.
pub async fn run_once(app: &App) -> StoreResult<()> {
    app.limits.forget_the_rested();
    app.pressure.forget_the_rested(app.clock.elapsed());
    let now = app.clock.now();
    let (answers, sessions) = (now.minus(KEEP_ANSWERS), now.minus(KEEP_SESSIONS));
    app.store.write(move |conn| forget_answers_before(conn, answers)).await?;
    let challenges = now.minus(KEEP_CHALLENGES);
    app.store.write(move |conn| forget_challenges_before(conn, challenges)).await?;
    app.store.write(move |conn| forget_old_sessions(conn, sessions)).await?;
    app.store.write(move |conn| forget_old_resets(conn, sessions)).await?;
    let batches = now.minus(KEEP_BATCHES);
    app.store.write(move |conn| review::forget_batches_before(conn, batches)).await?;
    let keys = now.minus(KEEP_KEYS);
    app.store.write(move |conn| forget_old_keys(conn, keys)).await?;
    app.store.write(move |conn| forget_old_claims(conn, now)).await?;
    let browsers = now.minus(KEEP_BROWSERS);
    app.store.write(move |conn| forget_old_browsers(conn, browsers)).await?;
    notify::clear_old_recipients(app, now).await?;
    rotate_signing_key_when_due(app).await?;
    purge_old_spam(app).await?;
    clear_old_addresses(app).await
}

/// Clears network address and user agent of comments that are older than the settings allow, a chunk at a time.
async fn clear_old_addresses(app: &App) -> StoreResult<()> {
    const MARK: &str = "addresses cleared up to comment";
    if app.settings.keep_address_days == 0 {
        return Ok(());
    }
    let now = app.clock.now();
    // What says that it came from the future came while the calendar was wrong. It would stand in the way of all that came
    // after it until that day, so its turn comes with theirs. Clocks of nodes may differ by much less than a day.
    let kept = now.minus(DAY * app.settings.keep_address_days)..now.plus(DAY);
    loop {
        let kept = kept.clone();
        let came = app
            .store
            .write(move |conn| {
                let mark = load_mark(conn, MARK)?;
                let came = clear_addresses(conn, mark, &kept, CHUNK)?;
                came.map_or(Ok(()), |mark| move_mark(conn, MARK, mark))?;
                Ok::<_, StoreError>(came)
            })
            .await?;
        if came.is_none() {
            return Ok(());
        }
    }
}
