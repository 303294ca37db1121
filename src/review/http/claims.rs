//! Claims and the next comment, over HTTP.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::accounts::{By, Moderator, Right};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::fields::Fields;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::ids::CommentId;
use crate::review::claims::{self as story, Claim, ClaimError};
use crate::review::filter::Filter;
use crate::review::item::find_item;

use super::{OneComment, gone, one_comment};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_claim, claim);
    table.add(__path_release, release);
    table.add(__path_claim_next, claim_next);
}

/// Which comments to choose from.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct NextBody {
    /// The names that the queue's query has, those that can be repeated as lists; `pending` ones when it is left out.
    #[schema(value_type = Option<Object>)]
    filter: Option<serde_json::Value>,
}

/// Claim a comment for five minutes, or renew the claim.
#[utoipa::path(post, path = "/api/v1/review/comments/{id}/claim", tag = "review", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 200, body = Claim), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such comment on your sites"), (status = 409, description = "Somebody else has it: `claim` says who, until when"),
        (status = 410, description = "Withdrawn or erased")))]
async fn claim(app: web::Data<App>, asked: By<web::Path<CommentId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::Decide)?;
    let claim = story::claim(&app, &moderator, id.into_inner()).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(claim))
}

/// Give a comment back.
#[utoipa::path(delete, path = "/api/v1/review/comments/{id}/claim", tag = "review", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 204, description = "Nobody has it"), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such comment on your sites"), (status = 409, description = "Somebody else has it: `claim` says who, until when")))]
async fn release(app: web::Data<App>, asked: By<web::Path<CommentId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::Decide)?;
    story::release(&app, &moderator, id.into_inner()).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Claim the oldest comment that nobody else has. Until it is decided or given back, the same is given again.
#[utoipa::path(post, path = "/api/v1/review/next", tag = "review", security(("bearer" = [])), request_body = inline(NextBody),
    responses((status = 200, body = OneComment), (status = 204, description = "There is none"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed, or a filter by what one may not see: `email`, `ip`"), (status = 422, description = "The filter is wrong")))]
async fn claim_next(app: web::Data<App>, asked: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(moderator, JsonBody(fields)) = asked;
    moderator.require(Right::ReadQueue)?;
    moderator.require(Right::Decide)?;
    let filter = read_filter(&moderator, fields)?;
    let found = match story::claim_next(&app, &moderator, filter).await? {
        Some(id) => find_item(&app, &moderator, id).await?,
        None => None,
    };
    let none = || HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish();
    Ok(found.map_or_else(none, one_comment))
}

fn read_filter(moderator: &Moderator, mut fields: Fields) -> Result<Filter, Problem> {
    let mut inner = fields.object("filter").unwrap_or_default();
    if Filter::PERSONAL.iter().any(|name| inner.has(name)) {
        moderator.require(Right::SeePersonal)?;
    }
    let filter = Filter::take(&mut inner);
    fields.end(inner, "/filter");
    fields.refuse_unknown();
    fields.finish()?;
    Ok(filter)
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::NoSuchComment => Self::not_found(),
            ClaimError::Gone => gone(),
            ClaimError::Held(claim) => {
                Self::new(Kind::Conflict, "Somebody else is at work on it.").with("claim", json!(claim))
            }
            ClaimError::Store(error) => error.into(),
        }
    }
}
