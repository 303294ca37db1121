//! What operators and programs ask for: alive, ready, the contract, what a problem means; and what pages are made with.

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
const REPLY_SCRIPT: &str = include_str!("../../web/reply.js");
const SOLVER: &str = include_str!("../../web/solve.js");
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

pub fn routes(table: &mut RouteTable) {
    table.add(__path_check_health, check_health);
    table.add(__path_check_readiness, check_readiness);
    table.add(__path_show_contract, show_contract);
    table.add(__path_explain_problem, explain_problem);
    table.add(__path_show_stylesheet, show_stylesheet);
    table.add(__path_show_reply_script, show_reply_script);
    table.add(__path_show_solver, show_solver);
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

/// The script of the reply form.
#[utoipa::path(get, path = "/reply.js", tag = "pages", responses((status = 200, content_type = "text/javascript", body = String), (status = 304, description = "Not changed")))]
async fn show_reply_script(request: HttpRequest) -> HttpResponse {
    PublicBytes::new(JAVASCRIPT, REPLY_SCRIPT).respond(&request)
}

/// The script that solves a challenge, as a worker of its own.
#[utoipa::path(get, path = "/solve.js", tag = "pages", responses((status = 200, content_type = "text/javascript", body = String), (status = 304, description = "Not changed")))]
async fn show_solver(request: HttpRequest) -> HttpResponse {
    PublicBytes::new(JAVASCRIPT, SOLVER).respond(&request)
}
