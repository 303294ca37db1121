//! A site's rules over HTTP: reading them, and putting all of them. What is read may be put back as it is.

mod read;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::http::body::{ListsBody, Query};
use crate::http::preconditions::{MaybeIfMatch, version_tag};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::key::Key;
use crate::screening::Rule;

use super::SiteRules;
use super::put::{self, RulesError};

pub use read::read_rules;

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_rules, show_rules);
    table.add(__path_replace_rules, replace_rules);
}

/// What a site screens by.
#[derive(Serialize, ToSchema)]
struct RulesBody {
    rules: Vec<Rule>,
}

/// The rules of a site, up to 1,000, with up to 60,000 words, hosts, emails and networks in all. A rule without an `id` is
/// new. What a rule need not say: `label`; `fields` of words and patterns (`text`, `name`, `url`); `at_least` (2); `share`
/// (0.7 of capitals, 0.5 of scripts); `letters` (20); `timezone`.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct PutRulesBody {
    #[schema(value_type = Vec<Object>)]
    rules: Vec<serde_json::Value>,
}

/// A site's rules.
#[utoipa::path(get, path = "/api/v1/sites/{site}/rules", tag = "rules", security(("bearer" = [])), params(("site" = String, Path)),
    responses((status = 200, body = RulesBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such site, or not yours"), (status = 422, description = "A parameter, and there is none")))]
async fn show_rules(app: web::Data<App>, asked: By<(web::Path<Key>, Query)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, Query(mut fields))) = asked;
    moderator.require(Right::ReadSettings)?;
    fields.refuse_unknown();
    fields.finish()?;
    Ok(answer(put::show_rules(&app, &moderator, &key).await?))
}

/// Replace a site's rules. They count from the next comment on, on other nodes within a second. With `If-Match` they are
/// put only if they are still as they were read. The body may have 4 MiB.
#[utoipa::path(put, path = "/api/v1/sites/{site}/rules", tag = "rules", security(("bearer" = [])),
    params(("site" = String, Path), ("If-Match" = Option<String>, Header)), request_body = inline(PutRulesBody),
    responses((status = 200, body = RulesBody), (status = 400, description = "If-Match cannot be read"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed"), (status = 404, description = "No such site, or not yours"),
        (status = 412, description = "Changed since; `current` says at which version they are"),
        (status = 422, description = "Rules are wrong; for a pattern `position` is the character from which on it cannot be read, counted from 0")))]
async fn replace_rules(
    app: web::Data<App>,
    asked: By<(web::Path<Key>, MaybeIfMatch, ListsBody)>,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, MaybeIfMatch(versions), ListsBody(mut fields))) = asked;
    moderator.require(Right::ChangeSettings)?;
    let drafts = read_rules(&mut fields);
    fields.refuse_unknown();
    fields.finish()?;
    Ok(answer(put::put_rules(&app, &moderator, &key, drafts, versions).await?))
}

fn answer(rules: SiteRules) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::ETAG, version_tag(rules.version)))
        .json(RulesBody { rules: rules.rules })
}

impl From<RulesError> for Problem {
    fn from(error: RulesError) -> Self {
        match error {
            RulesError::NoSuchSite => Self::not_found(),
            RulesError::Invalid(faults) => Self::invalid(faults),
            RulesError::Stale { version } => Self::new(Kind::Stale, "The rules have changed since you read them.")
                .with("current", json!({ "version": version })),
            RulesError::Store(error) => error.into(),
        }
    }
}
