//! Reporting a comment: by programs and pages of a site, and by a page of ours with a form that works without script.
//! Looking at the page reports nothing.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::comments::find::find_published;
use crate::comments::report::{REPORT_REASONS, Report, ReportError, report_comment as story};
use crate::http::body::FormBody;
use crate::http::boundary::{IsPage, prefers_html};
use crate::http::client::{Client, foreign_origin};
use crate::http::fields::Fields;
use crate::http::limits::ReportPaced;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::http::wording;
use crate::kit::fault::Fault;
use crate::kit::ids::CommentId;
use crate::kit::text;

use super::bodies::name_or_anonymous;
use super::links;
use super::views::{ChoiceView, FieldView, ReportPage, ReportSentPage};

/// The longest text, in characters.
const MAX_TEXT: usize = 2_000;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_report_comment, report_comment);
    table.add(__path_show_report_page, show_report_page);
}

/// A report.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct ReportBody {
    #[schema(inline)]
    reason: ReportReason,
    /// For the moderators, up to 2,000 characters.
    #[schema(max_length = 2000)]
    text: Option<String>,
}

/// Why a reader reports a comment.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[allow(dead_code)] // Described here; `REPORT_REASONS` are read.
enum ReportReason {
    Abusive,
    Hate,
    Spam,
    PersonalData,
    Illegal,
    Misinformation,
    OffTopic,
    Other,
}

/// That it arrived.
#[derive(Serialize, ToSchema)]
struct ReportedBody {
    /// Always `received`.
    status: &'static str,
}

/// What was filled in.
struct ReportForm {
    /// One of those that there are.
    reason: Option<&'static str>,
    text: Option<String>,
    faults: Vec<Fault>,
}

/// Report a comment to the moderators. The same reader's second report of it is answered alike and adds nothing.
#[utoipa::path(post, path = "/api/v1/comments/{id}/reports", tag = "readers", params(("id" = i64, Path)),
    request_body(content((inline(ReportBody) = "application/json"), (inline(ReportBody) = "application/x-www-form-urlencoded"), (inline(ReportBody) = "multipart/form-data"))),
    responses((status = 202, body = ReportedBody, description = "Received; to a browser a page that says so"), (status = 400, description = "Unreadable"),
        (status = 403, description = "Sent from another origin"), (status = 404, description = "No such comment, or not published"), (status = 413, description = "Over 512 KiB"),
        (status = 415, description = "Another media type"), (status = 422, description = "Fields are wrong; to a browser the form again"), (status = 429, description = "Too fast")))]
async fn report_comment(
    _: ReportPaced,
    app: web::Data<App>,
    id: web::Path<CommentId>,
    client: Client,
    request: HttpRequest,
    body: FormBody,
) -> Result<HttpResponse, Problem> {
    let (id, form) = (id.into_inner(), read_form(body.fields));
    let is_browser = prefers_html(request.headers());
    let reason = match form.reason {
        Some(reason) if form.faults.is_empty() => reason,
        _ if is_browser => return page(&app, id, &form).await,
        _ => return Err(Problem::invalid(form.faults)),
    };
    let foreign_origin = foreign_origin(&request, &app);
    story(&app, Report { comment: id, reason, text: form.text, address: client.address, foreign_origin }).await?;
    if is_browser {
        sent_page(&app)
    } else {
        Ok(private(StatusCode::ACCEPTED).json(ReportedBody { status: "received" }))
    }
}

/// A form to report a comment by.
#[utoipa::path(get, path = "/comments/{id}/report", tag = "pages", params(("id" = i64, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, description = "No such comment, or not published")))]
async fn show_report_page(app: web::Data<App>, id: web::Path<CommentId>) -> Result<HttpResponse, Problem> {
    page(&app, id.into_inner(), &ReportForm { reason: None, text: None, faults: Vec::new() }).await
}

fn read_form(mut fields: Fields) -> ReportForm {
    let has_reason = fields.has("reason");
    let known = |text: &str| REPORT_REASONS.into_iter().find(|known| *known == text);
    let reason = fields.choice("reason", |text| if text.is_empty() { Some(None) } else { known(text).map(Some) });
    let text = fields.filled_text("text").filter(|text| text::check_comment(text).is_ok());
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
        fields.refuse_with(Fault { limit: Some(MAX_TEXT as u64), ..Fault::new("text", "too_many_characters") });
    }
    let mut faults = fields.take_faults();
    if reason.flatten().is_none() && (!has_reason || faults.iter().all(|fault| fault.pointer != "/reason")) {
        faults.push(Fault::new("reason", "required"));
    }
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    ReportForm { reason: reason.flatten(), text, faults }
}

/// The form, as it was filled in; what would be right stands beside what is wrong.
async fn page(app: &App, id: CommentId, form: &ReportForm) -> Result<HttpResponse, Problem> {
    let found = find_published(app, id).await?.ok_or_else(Problem::not_found)?;
    let words = wording::in_language(&found.site.language);
    let message = |pointer: &str| {
        let fault = form.faults.iter().find(|fault| fault.pointer == pointer)?;
        Some(words.field_message(fault.code, fault.limit))
    };
    let (wrong_reason, wrong_text) = (message("/reason"), message("/text"));
    let choice = |key: &'static str| ChoiceView { key, words: words.reason(key), is_chosen: form.reason == Some(key) };
    let choices = REPORT_REASONS.map(choice);
    let page = links::page(app, &found.site.key, &found.article.key);
    let view = ReportPage {
        words,
        css_href: &links::stylesheet(app),
        language: &found.site.language,
        site_name: &found.site.name,
        action: &links::reports(app, id),
        name: &name_or_anonymous(found.comment.row.name, words),
        html: &found.comment.html,
        created_at: &found.comment.row.created_at.to_rfc3339(),
        created_words: &words.moment(found.comment.row.created_at),
        permalink: &links::permalink(&page, id),
        choices: &choices,
        wrong_reason: wrong_reason.as_deref(),
        text: FieldView { value: form.text.as_deref().unwrap_or_default(), error: wrong_text.as_deref() },
    };
    let html = view.render().map_err(Problem::internal)?;
    let status = if form.faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut response = private(status).content_type("text/html; charset=utf-8").body(html);
    response.extensions_mut().insert(IsPage);
    Ok(response)
}

/// It says the same whatever came of it.
fn sent_page(app: &App) -> Result<HttpResponse, Problem> {
    let view = ReportSentPage { words: wording::in_language("en"), css_href: &links::stylesheet(app) };
    let html = view.render().map_err(Problem::internal)?;
    Ok(private(StatusCode::ACCEPTED).content_type("text/html; charset=utf-8").body(html))
}

fn private(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::NoSuchComment => Self::not_found(),
            ReportError::ForeignOrigin => Self::new(
                Kind::ForeignOrigin,
                "The page that sent this belongs to an origin that the site does not list.",
            ),
            ReportError::Store(error) => error.into(),
        }
    }
}
