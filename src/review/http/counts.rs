//! How many comments a filter finds, over HTTP.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::comments::Status;
use crate::http::body::Query;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::review::counts::{self, Group};
use crate::review::filter::Filter;

use super::words::{ClaimedWord, ReportedWord, StatusWord};

pub(super) fn routes(table: &mut RouteTable) {
    table.add(__path_count_queue, count_queue);
}

/// How many comments there are.
#[derive(Serialize, ToSchema)]
struct QueueCounts {
    items: Vec<QueueCount>,
}

/// How many comments of a status there are on a site.
#[derive(Serialize, ToSchema)]
struct QueueCount {
    /// Key of the site.
    site: String,
    status: Status,
    count: i64,
    /// There with `true` when a search finds more than was counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    at_least: bool,
}

/// How many comments there are.
#[utoipa::path(get, path = "/api/v1/review/counts", tag = "review", security(("bearer" = [])),
    params(("status" = inline(Option<Vec<StatusWord>>), Query, description = "`pending` by default; `any` for all"), ("site" = Option<Vec<String>>, Query),
        ("article" = Option<Vec<String>>, Query), ("author" = Option<Vec<String>>, Query), ("email" = Option<Vec<String>>, Query),
        ("ip" = Option<Vec<String>>, Query, description = "An address or a network in CIDR notation"), ("reason" = Option<Vec<String>>, Query),
        ("rule" = Option<Vec<String>>, Query, description = "Held by this rule: its id, or `ban` and the like"), ("reported" = inline(Option<ReportedWord>), Query), ("claimed" = inline(Option<ClaimedWord>), Query),
        ("campaign" = Option<Vec<i64>>, Query, minimum = 1, description = "Near-duplicates, by a queue item's `campaign.id`"),
        ("q" = Option<String>, Query, description = "Words, `AND`, `OR`, `NOT`, parentheses, `\"phrases\"`"),
        ("since" = Option<String>, Query, format = DateTime, description = "Inclusive, RFC 3339"), ("until" = Option<String>, Query, format = DateTime, description = "Exclusive, RFC 3339")),
    responses((status = 200, body = QueueCounts), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed, or a filter by what one may not see: `email`, `ip`"),
        (status = 422, description = "A parameter is wrong"), (status = 503, description = "Too much waits to be indexed")))]
async fn count_queue(app: web::Data<App>, asked: By<Query>) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(mut fields)) = asked;
    moderator.require(Right::ReadQueue)?;
    if Filter::PERSONAL.iter().any(|name| fields.has(name)) {
        moderator.require(Right::SeePersonal)?;
    }
    let filter = Filter::take(&mut fields);
    fields.refuse_unknown();
    fields.finish()?;
    let counts = counts::count(&app, &moderator, filter).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(response.json(QueueCounts { items: counts.into_iter().map(body).collect() }))
}

fn body(group: Group) -> QueueCount {
    QueueCount { site: group.site.to_string(), status: group.status, count: group.count, at_least: group.is_at_least }
}
