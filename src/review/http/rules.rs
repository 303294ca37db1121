//! Trying rules on what is there, and applying a site's rules anew to what waits, over HTTP.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::comments::Status;
use crate::http::body::ListsBody;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::ids::{CommentId, RerunId, RuleId};
use crate::kit::key::Key;
use crate::rules::read_rules;
use crate::screening::Outcome;

use crate::review::rerun::{self, Rerun};
use crate::review::try_rules::{self, Cell, MOST_TRIED, Tried, TryError};

/// Comments that rules are tried on when nobody says.
const USUAL_TRIED: i64 = 1_000;

pub(super) fn routes(table: &mut RouteTable) {
    table.add(__path_try_rules, try_rules);
    table.add(__path_rerun_rules, rerun_rules);
    table.add(__path_show_rerun, show_rerun);
}

/// Rules, as they would be put.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct TryBody {
    #[schema(value_type = Vec<Object>)]
    rules: Vec<serde_json::Value>,
    /// How many of the latest comments: 1,000 unless something is said.
    #[schema(minimum = 1, maximum = 10_000)]
    last: Option<u32>,
}

/// What rules would have said.
#[derive(Serialize, ToSchema)]
struct TriedBody {
    /// Fewer than asked for when there are no more, or when it took longer than 10 seconds.
    looked_at: usize,
    /// How often which verdicts met which decision; what never happened is left out.
    cells: Vec<CellBody>,
    /// In the order of the rules.
    rules: Vec<RuleHitsBody>,
}

#[derive(Serialize, ToSchema)]
struct CellBody {
    /// What the present rules say, whatever the policy.
    before: Outcome,
    /// What these rules would say.
    after: Outcome,
    /// What people decided last; null where nobody has.
    decided: Option<Status>,
    count: usize,
    /// The latest ten.
    #[schema(value_type = Vec<i64>)]
    sample: Vec<CommentId>,
}

#[derive(Serialize, ToSchema)]
struct RuleHitsBody {
    /// Null for a new rule.
    #[schema(value_type = Option<i64>)]
    id: Option<RuleId>,
    hits: usize,
    /// Hits that people approved last.
    approved: usize,
    /// Hits that people rejected, took for spam or put into the trash.
    refused: usize,
}

/// A site's rules, applied anew to what waits.
#[derive(Serialize, ToSchema)]
struct RerunBody {
    #[schema(value_type = i64)]
    id: RerunId,
    state: RerunState,
    /// Comments looked at by now.
    done: i64,
    /// Comments that waited when it began.
    total: i64,
    /// Comments that were published because nothing speaks against them any more.
    published: i64,
    /// Comments that were put away as spam.
    spam: i64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RerunState {
    Running,
    Done,
}

/// Try rules on the latest comments of a site: what they would say, beside what the present ones say and what people
/// decided. The body may have 4 MiB.
#[utoipa::path(post, path = "/api/v1/sites/{site}/rules/try", tag = "rules", security(("bearer" = [])), params(("site" = String, Path)),
    request_body = inline(TryBody),
    responses((status = 200, body = TriedBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such site, or not yours"),
        (status = 422, description = "Rules are wrong; for a pattern `position` is the character from which on it cannot be read, counted from 0")))]
async fn try_rules(app: web::Data<App>, asked: By<(web::Path<Key>, ListsBody)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, ListsBody(mut fields))) = asked;
    moderator.require(Right::ChangeSettings)?;
    let drafts = read_rules(&mut fields);
    let last = fields.whole("last", 1, i64::from(MOST_TRIED)).unwrap_or(USUAL_TRIED);
    fields.refuse_unknown();
    fields.finish()?;
    let ids: Vec<Option<RuleId>> = drafts.iter().map(|draft| draft.id).collect();
    let last = u32::try_from(last).unwrap_or(MOST_TRIED);
    let tried = try_rules::try_rules(&app, &moderator, &key, drafts, last).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(tried_body(tried, ids)))
}

/// Apply a site's rules anew to everything that waits there and that no person has decided about. One that runs already
/// ends.
#[utoipa::path(post, path = "/api/v1/sites/{site}/rules/rerun", tag = "rules", security(("bearer" = [])), params(("site" = String, Path)),
    responses((status = 202, body = RerunBody, description = "Begun; `Location` says how far it is"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed"), (status = 404, description = "No such site, or not yours")))]
async fn rerun_rules(app: web::Data<App>, asked: By<web::Path<Key>>) -> Result<HttpResponse, Problem> {
    let By(moderator, key) = asked;
    moderator.require(Right::ChangeSettings)?;
    let rerun = rerun::rerun_rules(&app, &moderator, &key).await?.ok_or_else(Problem::not_found)?;
    Ok(answer(&app, &key, HttpResponse::Accepted(), &rerun))
}

/// How far a site's rules have been applied anew.
#[utoipa::path(get, path = "/api/v1/sites/{site}/rules/rerun/{id}", tag = "rules", security(("bearer" = [])),
    params(("site" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = RerunBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "None of this site, or not your site")))]
async fn show_rerun(app: web::Data<App>, asked: By<web::Path<(Key, RerunId)>>) -> Result<HttpResponse, Problem> {
    let By(moderator, path) = asked;
    moderator.require(Right::ReadSettings)?;
    let (key, id) = path.into_inner();
    let rerun = rerun::show_rerun(&app, &moderator, &key, id).await?.ok_or_else(Problem::not_found)?;
    Ok(answer(&app, &key, HttpResponse::Ok(), &rerun))
}

fn answer(app: &App, site: &Key, mut response: actix_web::HttpResponseBuilder, rerun: &Rerun) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let path = format!("/api/v1/sites/{site}/rules/rerun/{}", rerun.id);
    response.insert_header((header::LOCATION, app.link(&path)));
    response.json(RerunBody {
        id: rerun.id,
        state: if rerun.finished_at.is_some() { RerunState::Done } else { RerunState::Running },
        done: rerun.done,
        total: rerun.total,
        published: rerun.published,
        spam: rerun.spam,
    })
}

fn tried_body(tried: Tried, ids: Vec<Option<RuleId>>) -> TriedBody {
    let cell = |cell: Cell| CellBody {
        before: cell.before,
        after: cell.after,
        decided: cell.decided,
        count: cell.count,
        sample: cell.sample,
    };
    let hits = tried.hits.into_iter().zip(ids).map(|(hits, id)| RuleHitsBody {
        id,
        hits: hits.hits,
        approved: hits.approved,
        refused: hits.refused,
    });
    TriedBody { looked_at: tried.looked_at, cells: tried.cells.into_iter().map(cell).collect(), rules: hits.collect() }
}

impl From<TryError> for Problem {
    fn from(error: TryError) -> Self {
        match error {
            TryError::NoSuchSite => Self::not_found(),
            TryError::Invalid(faults) => Self::invalid(faults),
            TryError::Store(error) => error.into(),
        }
    }
}
