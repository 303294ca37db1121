//! The filter's state over HTTP, and taking back what somebody taught it.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::http::body::Query;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::key::Key;
use crate::screening::thresholds::FEWEST;

use super::queries::TaughtBy;
use super::state::{History, State, load_state};
use super::take_back::{TakeBackError, take_back};

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_screening, show_screening);
    table.add(__path_take_back_training, take_back_training);
}

/// How a site's filter stands.
#[derive(Serialize, ToSchema)]
struct ScreeningState {
    learned: LearnedBody,
    /// How many of each kind it must have learned before it decides anything by itself.
    needed: usize,
    /// Whether it has learned so many.
    decides: bool,
    /// How many decisions have had their turn to be learned, and how many wait for it or are to be taken back.
    watermark: i64,
    waiting: i64,
    /// Whether the second stage scores too, the regression beside the counts.
    second_stage: bool,
    thresholds: ThresholdsBody,
    history: HistoryBody,
    /// By user name.
    taught_by: Vec<TaughtByBody>,
}

#[derive(Serialize, ToSchema)]
struct LearnedBody {
    /// Comments that were approved.
    good: i64,
    spam: i64,
}

/// Scores (log-odds, above 0 means spam) from which a comment is decided by itself where the policy lets the filter do so;
/// null where nothing is certain enough for the budget.
#[derive(Serialize, ToSchema)]
struct ThresholdsBody {
    /// The share of good comments that may be held back by mistake: a setting of the site.
    budget: f64,
    spam_above: Option<f64>,
    publish_below: Option<f64>,
}

/// How the filter foresaw the last decisions that it learned, up to 8,000, each before it was learned. Shares from 0 to 1.
#[derive(Serialize, ToSchema)]
struct HistoryBody {
    decisions: usize,
    /// Of all, those it foresaw wrongly.
    error: Option<f64>,
    /// The chance that spam scores above a good comment.
    auc: Option<f64>,
    /// By today's thresholds: of good comments, those put away.
    false_positives: Option<f64>,
    /// By today's thresholds: of spam, what is published.
    leak: Option<f64>,
    /// By today's thresholds: of all, what is left to people.
    left_to_people: Option<f64>,
}

#[derive(Serialize, ToSchema)]
struct TaughtByBody {
    /// User name; null for somebody who was removed since.
    moderator: Option<String>,
    good: i64,
    spam: i64,
    /// Decisions that the filter does not follow, since this person contradicts it far more often than others do.
    set_aside: i64,
}

/// What was taken back.
#[derive(Serialize, ToSchema)]
struct TakenBack {
    /// Decisions whose training was taken back.
    decisions: usize,
}

/// How a site's filter stands: what it has learned, from whom, and what it decides by itself.
#[utoipa::path(get, path = "/api/v1/sites/{site}/screening", tag = "sites", security(("bearer" = [])), params(("site" = String, Path)),
    responses((status = 200, body = ScreeningState), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such site, or not yours"), (status = 422, description = "A parameter, and there is none")))]
async fn show_screening(app: web::Data<App>, asked: By<(web::Path<Key>, Query)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, Query(mut fields))) = asked;
    moderator.require(Right::ReadSettings)?;
    fields.refuse_unknown();
    fields.finish()?;
    let state = load_state(&app, &moderator, &key).await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body(state)))
}

/// Take back what one moderator taught a site's filter, exactly. Their decisions stand; the filter follows within seconds.
#[utoipa::path(delete, path = "/api/v1/sites/{site}/screening/training", tag = "sites", security(("bearer" = [])),
    params(("site" = String, Path), ("moderator" = String, Query, description = "User name")),
    responses((status = 200, body = TakenBack), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such site, or not yours"), (status = 422, description = "Nobody has this name, or there is another parameter")))]
async fn take_back_training(app: web::Data<App>, asked: By<(web::Path<Key>, Query)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, Query(mut fields))) = asked;
    moderator.require(Right::ChangeSettings)?;
    let name = fields.required_text("moderator");
    fields.refuse_unknown();
    fields.finish()?;
    let decisions = take_back(&app, &moderator, &key, &name).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(TakenBack { decisions }))
}

fn body(state: State) -> ScreeningState {
    let needed = i64::try_from(FEWEST).unwrap_or(i64::MAX);
    let History { decisions, error, auc, false_positives, leak, left_to_people } = state.history;
    ScreeningState {
        learned: LearnedBody { good: state.good, spam: state.spam },
        needed: FEWEST,
        decides: state.good >= needed && state.spam >= needed,
        watermark: state.watermark,
        waiting: state.waiting,
        second_stage: true,
        thresholds: ThresholdsBody {
            budget: state.budget,
            spam_above: state.spam_above,
            publish_below: state.publish_below,
        },
        history: HistoryBody { decisions, error, auc, false_positives, leak, left_to_people },
        taught_by: state.taught_by.into_iter().map(taught_by).collect(),
    }
}

fn taught_by(TaughtBy { moderator, good, spam, set_aside }: TaughtBy) -> TaughtByBody {
    TaughtByBody { moderator, good, spam, set_aside }
}

impl From<TakeBackError> for Problem {
    fn from(error: TakeBackError) -> Self {
        match error {
            TakeBackError::NoSuchSite => Self::not_found(),
            TakeBackError::NoSuchModerator => Self::invalid_field("moderator", "choice"),
            TakeBackError::Store(error) => error.into(),
        }
    }
}
