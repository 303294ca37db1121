//! Setting a password by a link, as a page. No script; looking at it changes nothing, because mail programs look too. Its
//! address, which is the secret, goes to no other site and into no cache.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::accounts::reset::{self, UseReset};
use crate::app::App;
use crate::http::body::FormBody;
use crate::http::boundary::{IsPage, prefers_html};
use crate::http::client::Client;
use crate::http::limits::SignInPaced;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::http::wording::{self, Wording};
use crate::kit::key::Key;

use super::resets::NewPasswordBody;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_password_reset_page, show_password_reset_page);
    table.add(__path_send_password_reset_form, send_password_reset_form);
}

/// The form for a new password.
#[derive(Debug, Template)]
#[template(path = "password_reset.html", config = "web/askama.toml")]
struct ResetPage<'a> {
    words: &'a Wording,
    css_href: &'a str,
    action: &'a str,
    username: &'a str,
    /// What would be right in the field, when it came back.
    error: Option<&'a str>,
}

/// What stands there when it is done.
#[derive(Debug, Template)]
#[template(path = "password_reset_done.html", config = "web/askama.toml")]
struct ResetDonePage<'a> {
    words: &'a Wording,
    css_href: &'a str,
}

/// The form for a new password.
#[utoipa::path(get, path = "/password-resets/{token}", tag = "pages", params(("token" = String, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, description = "No such link"),
        (status = 410, description = "Used, expired, or a newer one was made")))]
async fn show_password_reset_page(app: web::Data<App>, token: web::Path<Key>) -> Result<HttpResponse, Problem> {
    form(&app, &token, None).await
}

/// Set a password by the form.
#[utoipa::path(post, path = "/password-resets/{token}", tag = "pages", params(("token" = String, Path)),
    request_body(content((inline(NewPasswordBody) = "application/x-www-form-urlencoded"), (inline(NewPasswordBody) = "multipart/form-data"), (inline(NewPasswordBody) = "application/json"))),
    responses((status = 200, content_type = "text/html", body = String, description = "Set"), (status = 404, description = "No such link"),
        (status = 410, description = "Used, expired, or a newer one was made"), (status = 422, description = "Not a password that can be used; to a browser the form again"),
        (status = 429, description = "Too many tries from this address")))]
async fn send_password_reset_form(
    _: SignInPaced,
    app: web::Data<App>,
    token: web::Path<Key>,
    client: Client,
    request: HttpRequest,
    body: FormBody,
) -> Result<HttpResponse, Problem> {
    match set(&app, &token, client, body).await {
        Ok(()) => {
            let css_href = app.link("/rejoinder.css");
            let page = ResetDonePage { words: wording::in_language("en"), css_href: &css_href };
            Ok(private(StatusCode::OK, page.render().map_err(Problem::internal)?))
        }
        Err(problem) if problem.kind == Kind::Invalid && prefers_html(request.headers()) => {
            form(&app, &token, Some(&problem)).await
        }
        Err(problem) => Err(problem),
    }
}

async fn set(app: &App, token: &Key, client: Client, body: FormBody) -> Result<(), Problem> {
    let mut fields = body.fields;
    let password = fields.required_text("new_password");
    fields.finish()?;
    let token = token.as_str().to_owned();
    let asked = UseReset { token, password, address: client.address, user_agent: client.user_agent };
    Ok(reset::use_reset(app, asked).await?)
}

/// The form, empty: a password that was not taken is not sent back.
async fn form(app: &App, token: &Key, problem: Option<&Problem>) -> Result<HttpResponse, Problem> {
    let username = reset::find_reset(app, token.as_str()).await?;
    let words = wording::in_language("en");
    let fault = problem.and_then(|problem| problem.errors.first());
    let error = fault.map(|fault| words.field_message(fault.code, fault.limit));
    let page = ResetPage {
        words,
        css_href: &app.link("/rejoinder.css"),
        action: &app.link(&format!("/password-resets/{token}")),
        username: &username,
        error: error.as_deref(),
    };
    let html = page.render().map_err(Problem::internal)?;
    let mut response = private(problem.map_or(StatusCode::OK, Problem::status), html);
    response.extensions_mut().insert(IsPage);
    Ok(response)
}

fn private(status: StatusCode, html: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .content_type("text/html; charset=utf-8")
        .body(html)
}
