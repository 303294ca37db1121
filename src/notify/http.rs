//! The page behind the link that verifies an email. No script; its address, which is the secret, goes to no other site and
//! into no cache.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::body::FormBody;
use crate::http::client::foreign_origin;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::http::wording::{self, ReceiptWords, Wording};
use crate::kit::key::Key;
use crate::readers::{Browser, Details, Remembered, remember_cookie, remembered_in};

use super::verify::{Verification, VerifyError, find_verification, verify_email as story};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_verification, show_verification);
    table.add(__path_verify_email, verify_email);
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::NoSuchLink => Self::not_found(),
            VerifyError::Expired => Self::new(Kind::Gone, "This link was good for seven days."),
            VerifyError::Store(error) => error.into(),
        }
    }
}

/// What the page sends.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct VerifyEmailBody {
    /// Whether this browser is to be remembered as theirs, by a cookie, for a year.
    remember: Option<bool>,
}

/// The page that asks.
#[derive(Debug, Template)]
#[template(path = "verification.html", config = "web/askama.toml")]
struct VerificationPage<'a> {
    words: &'a Wording,
    css_href: &'a str,
    language: &'a str,
    site_name: &'a str,
    article_title: &'a str,
    action: &'a str,
    email: &'a str,
    name: &'a str,
    /// Clean HTML; not escaped again.
    html: &'a str,
    created_at: &'a str,
    created_words: &'a str,
    is_remembered: bool,
}

/// What stands there when it is done.
#[derive(Debug, Template)]
#[template(path = "verification_done.html", config = "web/askama.toml")]
struct VerificationDonePage<'a> {
    words: &'a Wording,
    css_href: &'a str,
    language: &'a str,
    site_name: &'a str,
    done: &'a ReceiptWords,
    article_href: &'a str,
    article_title: &'a str,
}

/// Ask whether a comment is by who has its email.
#[utoipa::path(get, path = "/verifications/{token}", tag = "pages", params(("token" = String, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, description = "No such link, or its comment was erased"),
        (status = 410, description = "Older than seven days")))]
async fn show_verification(
    app: web::Data<App>,
    token: web::Path<Key>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = find_verification(&app, token.as_str()).await?;
    if found.is_done {
        return done(&app, &found, false);
    }
    let words = wording::in_language(&found.site.language);
    let name = if found.comment.name.is_empty() { words.anonymous } else { &found.comment.name };
    let page = VerificationPage {
        words,
        css_href: &app.link("/rejoinder.css"),
        language: &found.site.language,
        site_name: &found.site.name,
        article_title: &found.article.title,
        action: &app.link(&format!("/verifications/{token}")),
        email: &found.email,
        name,
        html: &found.comment.html,
        created_at: &found.comment.created_at.to_rfc3339(),
        created_words: &words.moment(found.comment.created_at),
        is_remembered: remembered_in(&request, &app).is_some(),
    };
    Ok(private(page.render().map_err(Problem::internal)?))
}

/// Verify an email by its link.
#[utoipa::path(post, path = "/verifications/{token}", tag = "pages", params(("token" = String, Path)),
    request_body(content((inline(VerifyEmailBody) = "application/x-www-form-urlencoded"), (inline(VerifyEmailBody) = "multipart/form-data"), (inline(VerifyEmailBody) = "application/json"))),
    responses((status = 200, content_type = "text/html", body = String, description = "Verified, now or before"), (status = 404, description = "No such link, or its comment was erased"),
        (status = 410, description = "Older than seven days"), (status = 422, description = "A field is wrong")))]
async fn verify_email(
    app: web::Data<App>,
    token: web::Path<Key>,
    request: HttpRequest,
    body: FormBody,
) -> Result<HttpResponse, Problem> {
    let mut fields = body.fields;
    let wants = fields.tick("remember").unwrap_or(false);
    fields.finish()?;
    // Another site's page could send a link of its own, to make a reader's browser somebody else's.
    let is_asked = wants && foreign_origin(&request, &app).is_none();
    let known = remembered_in(&request, &app);
    let browser = match &known {
        _ if !is_asked => None,
        Some(known) => Some(known.browser),
        None => Some(Browser::fresh().map_err(Problem::internal)?),
    };
    let (found, is_known) = story(&app, token.as_str(), browser).await?;
    let mut response = done(&app, &found, is_known)?;
    if let Some(browser) = browser.filter(|_| is_known) {
        let comment = &found.comment;
        let name = Some(comment.name.clone()).filter(|name| !name.is_empty());
        let details = Details { name, email: Some(found.email.clone()), url: comment.url.clone() };
        let cookie = remember_cookie(&app, &Remembered { browser, details })?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn done(app: &App, found: &Verification, is_remembered: bool) -> Result<HttpResponse, Problem> {
    let words = wording::in_language(&found.site.language);
    let page = VerificationDonePage {
        words,
        css_href: &app.link("/rejoinder.css"),
        language: &found.site.language,
        site_name: &found.site.name,
        done: if is_remembered { &words.verify_done_and_remembered } else { &words.verify_done },
        article_href: &app.link(&format!("/sites/{}/articles/{}", found.site.key, found.article.key)),
        article_title: &found.article.title,
    };
    Ok(private(page.render().map_err(Problem::internal)?))
}

/// The address goes to our own pages alone, so that a browser says with the form where it stands.
fn private(html: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .content_type("text/html; charset=utf-8")
        .body(html)
}
