//! The published comments of an article, as ready bytes.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::App;
use crate::comments::ground::find_ground;
use crate::comments::thread::{self, Sort, ThreadQuery, View};
use crate::http::body::Query;
use crate::http::caching::{PublicBytes, Variant};
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_url};
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::http::wording;
use crate::kit::key::Key;
use crate::sites::Order;

use super::bodies::{Frame, PublishedComment};
use super::links;

/// The kind of kept bytes.
const JSON: i64 = 0;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_comments, list_comments);
}

/// How the comments of an article are given: each reply below what it answers, or one after the other.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)] // Described here, read word by word.
enum ViewWord {
    Tree,
    Flat,
}

/// An article's published comments.
#[utoipa::path(get, path = "/api/v1/sites/{site}/articles/{article}/comments", tag = "readers",
    params(("site" = String, Path), ("article" = String, Path), ("view" = inline(Option<ViewWord>), Query, description = "`tree` when nothing is said"),
        ("sort" = inline(Option<Order>), Query, description = "The site's order when nothing is said"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "50 by default; in the tree, roots"), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
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
    let query = read_query(&app, &site, &article, query.0).await?;
    let untold_writes = app.store.untold_writes();
    let bytes = app
        .pages
        .get_or_make(&site, &article, Variant(query.numbers(JSON)), untold_writes, async || {
            thread_bytes(&app, &site, &article, query).await
        })
        .await?;
    Ok(bytes.respond(&request))
}

async fn read_query(app: &App, site: &Key, article: &Key, mut fields: Fields) -> Result<ThreadQuery, Problem> {
    let view = fields.choice("view", parse_view).unwrap_or(View::Tree);
    let sort = if fields.has("sort") {
        fields.choice("sort", Sort::parse).unwrap_or_default()
    } else {
        usual_sort(app, site, article).await?
    };
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &ThreadQuery::list(view, sort));
    fields.finish()?;
    Ok(ThreadQuery { view, sort, page: page?, beginning_with: None })
}

/// The order that the site sets.
async fn usual_sort(app: &App, site: &Key, article: &Key) -> Result<Sort, Problem> {
    let ground = find_ground(app, site, article).await?.ok_or_else(Problem::not_found)?;
    Ok(ground.site.settings.order)
}

fn parse_view(text: &str) -> Option<View> {
    match text {
        "tree" => Some(View::Tree),
        "flat" => Some(View::Flat),
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
    let sort = query.sort.as_str();
    format!("view={view}&sort={sort}&limit={}", query.page.limit)
}
