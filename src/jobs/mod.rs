//! Floor 5: work in the background. Each job is a story of its feature, called again and again; none is needed for an
//! answer to be right, and each may run on several nodes at once.

use std::time::Duration;

use actix_web::web;

use crate::accounts::forget_old_sessions;
use crate::app::App;
use crate::comments::clear_addresses;
use crate::store::{StoreError, StoreResult, forget_answers_before, load_mark, move_mark};

/// How often the jobs run.
const EVERY: Duration = Duration::from_mins(1);
/// How long an idempotency key is good for (API.md).
const KEEP_ANSWERS: Duration = Duration::from_hours(24);
/// Sessions are forgotten long after they are over, so that a stolen token is still recognised for a while.
const KEEP_SESSIONS: Duration = Duration::from_hours(1440);
/// Comments whose addresses are cleared in one transaction.
const CHUNK: i64 = 500;
const DAY: Duration = Duration::from_hours(24);

/// Starts the jobs on the runtime of the caller. They end with it.
pub fn start(app: &web::Data<App>) {
    let app = app.clone();
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = run_once(&app).await {
                tracing::warn!(%error, "a background job will be tried again");
            }
        }
    });
}

/// Runs every job once.
///
/// # Errors
/// Those of the store; what was done before stays done.
pub async fn run_once(app: &App) -> StoreResult<()> {
    app.limits.forget_the_rested();
    let now = app.clock.now();
    let (answers, sessions) = (now.minus(KEEP_ANSWERS), now.minus(KEEP_SESSIONS));
    app.store.write(move |conn| forget_answers_before(conn, answers)).await?;
    app.store.write(move |conn| forget_old_sessions(conn, sessions)).await?;
    clear_old_addresses(app).await
}

/// Clears network address and user agent of comments that are older than the settings allow, a chunk at a time.
async fn clear_old_addresses(app: &App) -> StoreResult<()> {
    const MARK: &str = "addresses cleared up to comment";
    if app.settings.keep_address_days == 0 {
        return Ok(());
    }
    let moment = app.clock.now().minus(DAY * app.settings.keep_address_days);
    loop {
        let came = app
            .store
            .write(move |conn| {
                let mark = load_mark(conn, MARK)?;
                let came = clear_addresses(conn, mark, moment, CHUNK)?;
                came.map_or(Ok(()), |mark| move_mark(conn, MARK, mark))?;
                Ok::<_, StoreError>(came)
            })
            .await?;
        if came.is_none() {
            return Ok(());
        }
    }
}
