//! One's own sessions.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{Right, sessions};
use crate::app::App;
use crate::http::body::Query;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::clock::Millis;
use crate::kit::ids::SessionId;

use super::{By, SignedIn};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_my_sessions, list_my_sessions);
    table.add(__path_end_my_other_sessions, end_my_other_sessions);
    table.add(__path_end_my_session, end_my_session);
}

/// A session that has not ended.
#[derive(Serialize, ToSchema)]
struct SessionBody {
    #[schema(value_type = i64)]
    id: SessionId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// When it was last refreshed, which a client does every 15 minutes at most.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Millis,
    /// Where it was begun.
    address: Option<String>,
    user_agent: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
}

/// One's own sessions, the newest first.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "session", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = Page<SessionBody>), (status = 400, description = "Not a cursor of this list"), (status = 401, description = "Not signed in"),
        (status = 403, description = "With a key, not in person"), (status = 422, description = "A parameter is wrong")))]
async fn list_my_sessions(
    app: web::Data<App>,
    asked: By<Query, SignedIn>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let By(SignedIn(moderator), Query(mut fields)) = asked;
    moderator.require(Right::ChangeOneself)?;
    let list = format!("sessions of {}", moderator.id);
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &list);
    fields.refuse_unknown();
    fields.finish()?;
    let (rows, next) = sessions::list_sessions(&app, &moderator, page?).await?;
    let next = next.map(|cursor| cursor.encode(&app.keys.cursor, &list));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link("/api/v1/me/sessions"), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    let items = rows.into_iter().map(|row| SessionBody {
        current: moderator.session() == Some(row.id),
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        address: row.address,
        user_agent: row.user_agent,
    });
    Ok(response.json(Page { items: items.collect(), next }))
}

/// End all of one's own sessions but the one that asks.
#[utoipa::path(delete, path = "/api/v1/me/sessions", tag = "session", security(("bearer" = [])),
    responses((status = 204, description = "Ended"), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, not in person")))]
async fn end_my_other_sessions(app: web::Data<App>, SignedIn(moderator): SignedIn) -> Result<HttpResponse, Problem> {
    moderator.require(Right::ChangeOneself)?;
    sessions::end_other_sessions(&app, &moderator).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// End one of one's own sessions. Ending the one that asks is signing out.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "session", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 204, description = "Ended"), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, not in person"),
        (status = 404, description = "No live session of one's own")))]
async fn end_my_session(
    app: web::Data<App>,
    asked: By<web::Path<SessionId>, SignedIn>,
) -> Result<HttpResponse, Problem> {
    let By(SignedIn(moderator), id) = asked;
    moderator.require(Right::ChangeOneself)?;
    if !sessions::end_session(&app, &moderator, id.into_inner()).await? {
        return Err(Problem::not_found());
    }
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}
