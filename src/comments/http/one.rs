//! One published comment, with its article and what it stands under.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::comments::find;
use crate::http::caching::PublicBytes;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::http::wording;
use crate::kit::ids::CommentId;

use super::bodies::{ArticleReference, Frame, PublishedComment};
use super::links;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_comment, show_comment);
}

/// A published comment in its place.
#[derive(Serialize, ToSchema)]
struct CommentInPlace {
    #[serde(flatten)]
    comment: PublishedComment,
    article: ArticleReference,
    /// The published comments above it, from the root down.
    ancestors: Vec<PublishedComment>,
}

/// One published comment.
#[utoipa::path(get, path = "/api/v1/comments/{id}", tag = "readers", params(("id" = i64, Path)),
    responses((status = 200, body = CommentInPlace), (status = 304, description = "Not changed"),
        (status = 404, description = "No such comment, or not published")))]
async fn show_comment(
    app: web::Data<App>,
    id: web::Path<CommentId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = find::find_published(&app, id.into_inner()).await?.ok_or_else(Problem::not_found)?;
    let frame = Frame {
        page: links::page(&app, &found.site.key, &found.article.key),
        words: wording::in_language(&found.site.language),
        cursors: &app.keys.cursor,
        list: String::new(),
    };
    let body = CommentInPlace {
        comment: PublishedComment::new(found.comment, &frame),
        article: ArticleReference::new(&found.site, &found.article),
        ancestors: found.above.into_iter().map(|node| PublishedComment::new(node, &frame)).collect(),
    };
    Ok(PublicBytes::json(&body)?.respond(&request))
}
