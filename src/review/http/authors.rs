//! An author's page, over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::bans::{BanKind, Who};
use crate::comments::Status;
use crate::http::body::Query;
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::fault::Fault;
use crate::review::author::{AuthorQuery, load_author};

use super::bans::{self, BanBody};
use super::{QueueItem, queue_item};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_author, show_author);
}

/// What there is to know about an author, on one's sites.
#[derive(Serialize, ToSchema)]
struct AuthorBody {
    record: AuthorCounts,
    /// The newest first.
    comments: Page<QueueItem>,
    /// Those in force that are about them, the newest first, 100 at most; those of all sites among them.
    bans: Vec<BanBody>,
}

/// How many of their comments there are of each status.
#[derive(Serialize, ToSchema)]
struct AuthorCounts {
    pending: i64,
    approved: i64,
    rejected: i64,
    spam: i64,
    trash: i64,
    withdrawn: i64,
}

/// Everything by one author, known by email or by address: exactly one of them.
#[utoipa::path(get, path = "/api/v1/review/authors", tag = "review", security(("bearer" = [])),
    params(("email" = Option<String>, Query), ("ip" = Option<String>, Query, description = "An address; of IPv6 its /64"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = AuthorBody), (status = 400, description = "Not a cursor of this list"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed"), (status = 422, description = "A parameter is wrong")))]
async fn show_author(app: web::Data<App>, asked: By<Query>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(fields)) = asked;
    moderator.require(Right::ReadQueue)?;
    moderator.require(Right::SeePersonal)?;
    let (query, list) = read_query(&app, fields)?;
    let author = load_author(&app, &moderator, query).await?;
    let next = author.next.map(|cursor| cursor.encode(&app.keys.cursor, &list));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link("/api/v1/review/authors"), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    Ok(response.json(AuthorBody {
        record: record(&author.record),
        comments: Page { items: author.comments.into_iter().map(|item| queue_item(item, None)).collect(), next },
        bans: author.bans.into_iter().map(bans::body).collect(),
    }))
}

fn read_query(app: &App, mut fields: Fields) -> Result<(AuthorQuery, String), Problem> {
    const NAMES: [(&str, BanKind); 2] = [("email", BanKind::Email), ("ip", BanKind::Address)];
    if NAMES.iter().filter(|(name, _)| fields.has(name)).count() != 1 {
        for (name, _) in NAMES {
            fields.refuse_with(Fault::new(name, "one_of"));
        }
    }
    let mut found = None;
    for (name, kind) in NAMES {
        match fields.text(name).map(|text| Who::read(kind, name, &text)) {
            Some(Ok((_, who))) => found = Some(who),
            Some(Err(fault)) => fields.refuse_with(fault),
            None => {}
        }
    }
    let list = format!("author {found:?}");
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &list);
    fields.refuse_unknown();
    fields.finish()?;
    let who = found.ok_or_else(|| Problem::invalid_field("email", "one_of"))?;
    Ok((AuthorQuery { who, page: page? }, list))
}

fn record(counts: &[(Status, i64)]) -> AuthorCounts {
    let of = |status| counts.iter().find(|(of, _)| *of == status).map_or(0, |(_, count)| *count);
    AuthorCounts {
        pending: of(Status::Pending),
        approved: of(Status::Approved),
        rejected: of(Status::Rejected),
        spam: of(Status::Spam),
        trash: of(Status::Trash),
        withdrawn: of(Status::Withdrawn),
    }
}
