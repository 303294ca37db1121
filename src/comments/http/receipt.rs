//! The author's private link, as a page and for programs. Nothing of it is ever cached, and its address, which is the
//! secret, goes to no other site.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::comments::receipt::{Receipt, ReceiptStatus, find_receipt};
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::http::wording::{self, Wording};
use crate::kit::clock::Millis;
use crate::kit::ids::CommentId;
use crate::sites::SiteSettings;

use super::bodies::{ArticleReference, name_or_anonymous};
use super::{links, views};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_receipt, show_receipt);
    table.add(__path_show_receipt_page, show_receipt_page);
}

/// What an author may know.
#[derive(Serialize, ToSchema)]
struct ReceiptBody {
    #[schema(value_type = i64)]
    id: CommentId,
    status: ReceiptStatus,
    /// Why it was rejected: a key of the site's list.
    reason: Option<String>,
    /// What the moderators say to the author.
    message: Option<String>,
    /// The text as it was sent.
    comment: String,
    html: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// Until when the author may edit it.
    #[schema(value_type = Option<String>, format = DateTime)]
    editable_until: Option<Millis>,
    article: ArticleReference,
}

/// An author's receipt.
#[utoipa::path(get, path = "/api/v1/receipts/{token}", tag = "readers", params(("token" = String, Path)),
    responses((status = 200, body = ReceiptBody), (status = 404, description = "Not a receipt, or the comment was erased")))]
async fn show_receipt(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let receipt = find_receipt(&app, &token).await?.ok_or_else(Problem::not_found)?;
    Ok(private().json(ReceiptBody {
        article: ArticleReference::new(&receipt.site, &receipt.article),
        id: receipt.comment.id,
        status: receipt.status,
        reason: receipt.reason,
        message: receipt.message,
        comment: receipt.comment.text,
        html: receipt.comment.html,
        created_at: receipt.comment.created_at,
        editable_until: None,
    }))
}

/// An author's receipt, as a page.
#[utoipa::path(get, path = "/receipts/{token}", tag = "pages", params(("token" = String, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, description = "Not a receipt, or the comment was erased")))]
async fn show_receipt_page(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let receipt = find_receipt(&app, &token).await?.ok_or_else(Problem::not_found)?;
    Ok(private().content_type("text/html; charset=utf-8").body(render(&app, receipt)?))
}

/// What a reason means: what the site calls it, or, if it left that as it was, our own words in the reader's language.
fn reason_words<'a>(settings: &'a SiteSettings, key: &'a str, words: &Wording) -> &'a str {
    match settings.find_reason(key) {
        Some(reason) if !reason.is_usual() => &reason.label,
        _ => words.reason(key),
    }
}

fn private() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::REFERRER_POLICY, "no-referrer"));
    response
}

fn render(app: &App, receipt: Receipt) -> Result<String, Problem> {
    let words = wording::in_language(&receipt.site.language);
    let page = links::page(app, &receipt.site.key, &receipt.article.key);
    let permalink = (receipt.status == ReceiptStatus::Approved).then(|| links::permalink(&page, receipt.comment.id));
    let view = views::ReceiptPage {
        words,
        css_href: &links::stylesheet(app),
        language: &receipt.site.language,
        site_name: &receipt.site.name,
        article_title: &receipt.article.title,
        article_href: &page,
        status: receipt.status,
        reason: receipt.reason.as_deref().map(|key| reason_words(&receipt.site.settings, key, words)),
        message: receipt.message.as_deref(),
        name: &name_or_anonymous(receipt.comment.name, words),
        html: &receipt.comment.html,
        created_at: &receipt.comment.created_at.to_rfc3339(),
        created_words: &words.moment(receipt.comment.created_at),
        permalink: permalink.as_deref(),
    };
    view.render().map_err(Problem::internal)
}
