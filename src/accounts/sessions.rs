//! Sessions: seeing one's own, ending them, and ending those of others. What is ended is ended for the next request.

use crate::app::App;
use crate::audit::{self, Action, Actor, Subject};
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::kit::ids::{ModeratorId, SessionId};
use crate::store::{StoreError, StoreResult};

use super::people::{PeopleError, refuse_key};
use super::queries::manage;
use super::queries::sessions::{self as queries, Alive, SessionRow};
use super::refresh::{ABSOLUTE, IDLE};
use super::sign_out::sign_out;
use super::{Moderator, signed_in};

/// A page of somebody's own live sessions, the newest first.
pub async fn list_sessions(
    app: &App,
    moderator: &Moderator,
    page: PageQuery,
) -> StoreResult<(Vec<SessionRow>, Option<Cursor>)> {
    let (id, alive, limit) = (moderator.id, alive(app), page.limit as usize);
    let after = page.cursor.map(|cursor| SessionId::new(cursor.last_id));
    let count = i64::from(page.limit) + 1;
    let mut rows = app.store.read(move |conn| queries::list_sessions(conn, id, alive, after, count)).await?;
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| is_more).map(|row| Cursor::after(row.id.get()));
    Ok((rows, next))
}

/// Ends one of somebody's own sessions; false when it is none of theirs, or not live. Ending the one they came with is
/// signing out.
pub async fn end_session(app: &App, moderator: &Moderator, session: SessionId) -> StoreResult<bool> {
    if moderator.session() == Some(session) {
        return sign_out(app, moderator).await.map(|()| true);
    }
    let (id, alive, now) = (moderator.id, alive(app), app.clock.now());
    let entry = audit::blank(app).await?.fill(moderator.actor(), Action::SessionEnded).about(Subject::Session(session));
    let ended = app
        .store
        .write(move |conn| {
            let found = queries::find_session(conn, id, alive, session)?;
            let is_ended = found.is_some() && queries::end_session(conn, session, now)?;
            if is_ended {
                audit::record(conn, &entry)?;
            }
            Ok::<_, StoreError>(is_ended)
        })
        .await?;
    signed_in::forget(app);
    Ok(ended)
}

/// Ends all of somebody's own sessions but the one they came with.
pub async fn end_other_sessions(app: &App, moderator: &Moderator) -> StoreResult<()> {
    end_all(app, moderator.actor(), moderator.id, moderator.session()).await
}

/// Ends all sessions of somebody.
///
/// # Errors
/// When there is nobody with this id.
pub async fn end_sessions_of(app: &App, by: Actor, id: ModeratorId) -> Result<(), PeopleError> {
    let found = app.store.read(move |conn| manage::find_person(conn, id)).await?;
    refuse_key(by, id, found.ok_or(PeopleError::Unknown)?.role())?;
    Ok(end_all(app, by, id, None).await?)
}

async fn end_all(app: &App, by: Actor, id: ModeratorId, kept: Option<SessionId>) -> StoreResult<()> {
    let now = app.clock.now();
    let entry = audit::blank(app).await?.fill(by, Action::SessionsEnded).about(Subject::Moderator(id));
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            let count = queries::end_sessions(conn, id, kept, now)?;
            if count == 0 { Ok(()) } else { audit::record(conn, &entry.clone().fact("count", count)) }
        })
        .await;
    signed_in::forget(app);
    written
}

fn alive(app: &App) -> Alive {
    let now = app.clock.now();
    Alive { used_after: now.minus(IDLE), begun_after: now.minus(ABSOLUTE) }
}
