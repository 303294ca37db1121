//! The published comments of an article, as ready bytes.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::App;
use crate::comments::thread::{self, Sort, ThreadQuery, View};
use crate::http::body::Query;
use crate::http::caching::{PublicBytes, Variant};
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_url};
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::http::wording;
use crate::kit::key::Key;

use super::bodies::{Frame, PublishedComment};
use super::links;

/// The kind of kept bytes.
const JSON: i64 = 0;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_comments, list_comments);
}

/// An article's published comments.
#[utoipa::path(get, path = "/api/v1/sites/{site}/articles/{article}/comments", tag = "readers",
    params(("site" = String, Path), ("article" = String, Path), ("view" = Option<String>, Query, description = "`tree` (default) or `flat`"),
        ("sort" = Option<String>, Query, description = "`oldest` (default), `newest` or `top`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "50 by default; in the tree, roots"), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<PublishedComment>), (status = 304, description = "Not changed"),
        (status = 400, description = "Not a cursor of this list"), (status = 404, description = "No such site or article"),
        (status = 422, description = "A parameter is out of range")))]
async fn list_comments(
    app: web::Data<App>,
    path: web::Path<(Key, Key)>,
    query: Query,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (site, article) = path.into_inner();
    let query = read_query(&app, query.0)?;
    let foreign_writes = app.store.foreign_writes();
    let bytes = app
        .pages
        .get_or_make(&site, &article, Variant(query.numbers(JSON)), foreign_writes, async || {
            thread_bytes(&app, &site, &article, query).await
        })
        .await?;
    Ok(bytes.respond(&request))
}

fn read_query(app: &App, mut fields: Fields) -> Result<ThreadQuery, Problem> {
    let view = fields.choice("view", parse_view).unwrap_or(View::Tree);
    let sort = fields.choice("sort", parse_sort).unwrap_or(Sort::Oldest);
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &ThreadQuery::list(view, sort));
    fields.finish()?;
    Ok(ThreadQuery { view, sort, page: page?, beginning_with: None })
}

fn parse_view(text: &str) -> Option<View> {
    match text {
        "tree" => Some(View::Tree),
        "flat" => Some(View::Flat),
        _ => None,
    }
}

fn parse_sort(text: &str) -> Option<Sort> {
    match text {
        "oldest" => Some(Sort::Oldest),
        "newest" => Some(Sort::Newest),
        "top" => Some(Sort::Top),
        _ => None,
    }
}

/// Reads a page of an article's published comments and writes it as JSON: what is kept ready.
///
/// # Errors
/// When there is no such article, or the cursor is of another; else those of the store.
pub async fn thread_bytes(app: &App, site: &Key, article: &Key, query: ThreadQuery) -> Result<PublicBytes, Problem> {
    let page = thread::load_page(app, site.clone(), article.clone(), query).await?;
    let frame = Frame {
        page: links::page(app, site, article),
        words: wording::in_language(&page.site.language),
        cursors: &app.keys.cursor,
        list: ThreadQuery::list(query.view, query.sort),
    };
    let body = |node: thread::Node| match query.view {
        View::Tree => PublishedComment::with_children(node, &frame),
        View::Flat => PublishedComment::new(node, &frame),
    };
    let next = page.next.map(|cursor| frame.cursor(cursor));
    let next_url = next.as_ref().map(|next| next_url(&links::thread(app, site, article), &query_text(query), next));
    let page = Page { items: page.comments.into_iter().map(body).collect::<Vec<_>>(), next };
    Ok(PublicBytes::json(&page)?.with_next(next_url))
}

/// The query as we would write it: what a client wrote beside it plays no part.
fn query_text(query: ThreadQuery) -> String {
    let view = if query.view == View::Tree { "tree" } else { "flat" };
    let sort = match query.sort {
        Sort::Oldest => "oldest",
        Sort::Newest => "newest",
        Sort::Top => "top",
    };
    format!("view={view}&sort={sort}&limit={}", query.page.limit)
}
