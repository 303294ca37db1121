//! What operators and programs ask for: alive, ready, the contract, what a problem means, and the stylesheet.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::caching::PublicBytes;
use crate::http::problem::{Kind, Problem, problem_document};
use crate::http::routes::RouteTable;

use super::routes;

const STYLESHEET: &str = include_str!("../../web/rejoinder.css");

pub fn routes(table: &mut RouteTable) {
    table.add(__path_check_health, check_health);
    table.add(__path_check_readiness, check_readiness);
    table.add(__path_show_contract, show_contract);
    table.add(__path_explain_problem, explain_problem);
    table.add(__path_show_stylesheet, show_stylesheet);
}

#[derive(Serialize, ToSchema)]
struct StateBody {
    /// `ok`.
    status: &'static str,
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operating", responses((status = 200, body = StateBody)))]
async fn check_health() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(StateBody { status: "ok" })
}

/// Whether it can read and write. When not, the problem says why.
#[utoipa::path(get, path = "/readyz", tag = "operating", responses((status = 200, body = StateBody), (status = 503, description = "Not now"), (status = 507, description = "The disk is full")))]
async fn check_readiness(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    app.store.check().await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(StateBody { status: "ok" }))
}

/// This contract.
#[utoipa::path(get, path = "/openapi.json", tag = "operating", responses((status = 200, content_type = "application/json", body = Object), (status = 304, description = "Not changed")))]
async fn show_contract(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Ok(PublicBytes::json(&routes::document(app.public_url.as_str()))?.respond(&request))
}

/// What a kind of problem means: the page that its `type` names.
#[utoipa::path(get, path = "/problems/{slug}", tag = "operating", params(("slug" = String, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, description = "No such kind")))]
async fn explain_problem(
    app: web::Data<App>,
    slug: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.row().slug == slug.as_str()).ok_or_else(Problem::not_found)?;
    let page = problem_document(kind, &app.link("/rejoinder.css"))?;
    Ok(PublicBytes::new("text/html; charset=utf-8", page).respond(&request))
}

/// The stylesheet of every page.
#[utoipa::path(get, path = "/rejoinder.css", tag = "pages", responses((status = 200, content_type = "text/css", body = String), (status = 304, description = "Not changed")))]
async fn show_stylesheet(request: HttpRequest) -> HttpResponse {
    PublicBytes::new("text/css; charset=utf-8", STYLESHEET).respond(&request)
}
