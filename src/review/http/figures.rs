//! Figures over HTTP: those of the desk, and a site's transparency report as JSON or CSV.

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::http::body::Query;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::clock::Millis;
use crate::kit::csv;
use crate::kit::key::Key;
use crate::kit::month::Month;
use crate::review::stats::{self, DayOfWork, Stats};
use crate::review::transparency::{self, Report};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_stats, show_stats);
    table.add(__path_show_transparency, show_transparency);
}

/// Figures of the desk, over the last 30 days in UTC, today included.
#[derive(Serialize, ToSchema)]
struct StatsBody {
    /// How many comments wait.
    pending: i64,
    /// When the one that waits longest was written.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_pending: Option<Millis>,
    /// By day, then name.
    decisions: Vec<DayBody>,
    /// Between a comment's arrival and the first decision by a person; null when there was none.
    median_seconds_to_decision: Option<i64>,
    /// The share of decisions, to approve or for spam, that the filter had foreseen, from 0 to 1; null while it is asked
    /// about none.
    agreement: Option<f64>,
}

#[derive(Serialize, ToSchema)]
struct DayBody {
    /// User name.
    moderator: String,
    /// Such as `2026-11-24`.
    #[schema(value_type = String, format = Date)]
    day: String,
    count: i64,
}

/// What a site did with a month's comments. Numbers alone: nobody is named.
#[derive(Serialize, ToSchema)]
struct TransparencyReport {
    /// Key of the site.
    site: String,
    /// Such as `2026-11`; months are of UTC.
    month: String,
    /// Comments written in this month.
    received: i64,
    /// What became of those at first.
    verdicts: VerdictsBody,
    /// Why they were held, in words, the most frequent first, up to 100; one comment may be held for several reasons.
    held_because: Vec<CountBody>,
    /// Decisions that moderators made in this month, by the status they led to.
    decisions: Vec<CountBody>,
    /// The same by reason; null is for those without one.
    reasons: Vec<ReasonCountBody>,
    /// Decisions that took another one back; they are in no other number here.
    undone: i64,
    /// How many moderators decided.
    people: usize,
    /// Changes of a status that no moderator made, such as an author's withdrawal.
    without_people: i64,
    /// Appeals of authors.
    appeals: i64,
    /// Between a comment's arrival and the first decision by a person in this month; null when there was none.
    median_seconds_to_decision: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct VerdictsBody {
    publish: i64,
    hold: i64,
}

#[derive(Serialize, ToSchema)]
struct CountBody {
    of: String,
    count: i64,
}

#[derive(Serialize, ToSchema)]
struct ReasonCountBody {
    of: Option<String>,
    count: i64,
}

/// Figures of the desk, for the sites one may see.
#[utoipa::path(get, path = "/api/v1/review/stats", tag = "review", security(("bearer" = [])),
    responses((status = 200, body = StatsBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 422, description = "A parameter, and there is none")))]
async fn show_stats(app: web::Data<App>, asked: By<Query>) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(mut fields)) = asked;
    moderator.require(Right::ReadQueue)?;
    fields.refuse_unknown();
    fields.finish()?;
    let stats = stats::load_stats(&app, &moderator).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(stats_body(stats)))
}

/// A site's transparency report.
#[utoipa::path(get, path = "/api/v1/sites/{site}/transparency", tag = "review", security(("bearer" = [])),
    params(("site" = String, Path), ("month" = Option<String>, Query, pattern = "^(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-(0[1-9]|1[0-2])$", description = "Such as `2026-11`; the present one when nothing is said")),
    responses((status = 200, description = "As JSON, or as CSV for `Accept: text/csv`", content((TransparencyReport = "application/json"), (String = "text/csv"))),
        (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such site, or not yours"), (status = 422, description = "Not a month")))]
async fn show_transparency(
    app: web::Data<App>,
    asked: By<(web::Path<Key>, Query)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (site, Query(mut fields))) = asked;
    moderator.require(Right::ReadSettings)?;
    let month = fields.text("month").and_then(|text| Month::parse(&text).or_else(|| fields.refuse("month", "format")));
    fields.refuse_unknown();
    fields.finish()?;
    let month = month.unwrap_or_else(|| Month::of(app.clock.now()));
    let report = transparency::load_report(&app, &moderator, &site, month).await?.ok_or_else(Problem::not_found)?;
    let report = report_body(&site, month, report);
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::VARY, "Accept"));
    if !prefers_csv(request.headers()) {
        return Ok(response.json(report));
    }
    let name = format!("attachment; filename=\"transparency-{site}-{month}.csv\"");
    response.insert_header((header::CONTENT_DISPOSITION, name));
    Ok(response.content_type("text/csv; charset=utf-8; header=present").body(to_csv(&report)))
}

/// Whether `Accept` names CSV and does not name JSON before it.
fn prefers_csv(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else { return false };
    let csv = accept.find("text/csv");
    let json = accept.find("json");
    csv.is_some_and(|csv| json.is_none_or(|json| csv < json))
}

fn stats_body(stats: Stats) -> StatsBody {
    let day = |work: DayOfWork| DayBody {
        moderator: work.moderator,
        day: work.day.to_rfc3339().chars().take("2026-11-24".len()).collect(),
        count: work.count,
    };
    StatsBody {
        pending: stats.pending,
        oldest_pending: stats.oldest_pending,
        decisions: stats.decisions.into_iter().map(day).collect(),
        median_seconds_to_decision: stats.median_seconds_to_decision,
        agreement: stats.agreement,
    }
}

fn report_body(site: &Key, month: Month, report: Report) -> TransparencyReport {
    let count = |(of, count)| CountBody { of, count };
    TransparencyReport {
        site: site.to_string(),
        month: month.to_string(),
        received: report.received,
        verdicts: VerdictsBody { publish: report.published, hold: report.held },
        held_because: report.held_because.into_iter().map(count).collect(),
        decisions: report.decisions.into_iter().map(count).collect(),
        reasons: report.reasons.into_iter().map(|(of, count)| ReasonCountBody { of, count }).collect(),
        undone: report.undone,
        people: report.people,
        without_people: report.without_people,
        appeals: 0,
        median_seconds_to_decision: report.median_seconds_to_decision,
    }
}

/// A line for each number, with the site and the month, so that reports can be put below each other.
fn to_csv(report: &TransparencyReport) -> String {
    let mut lines = vec![
        ("received", "", Some(report.received)),
        ("verdict", "publish", Some(report.verdicts.publish)),
        ("verdict", "hold", Some(report.verdicts.hold)),
    ];
    lines.extend(report.held_because.iter().map(|CountBody { of, count }| ("held_because", of.as_str(), Some(*count))));
    lines.extend(report.decisions.iter().map(|CountBody { of, count }| ("decision", of.as_str(), Some(*count))));
    lines.extend(report.reasons.iter().map(|row| ("reason", row.of.as_deref().unwrap_or(""), Some(row.count))));
    lines.extend([
        ("undone", "", Some(report.undone)),
        ("people", "", i64::try_from(report.people).ok()),
        ("without_people", "", Some(report.without_people)),
        ("appeals", "", Some(report.appeals)),
        ("median_seconds_to_decision", "", report.median_seconds_to_decision),
    ]);
    let mut text = String::new();
    csv::add_line(&mut text, ["site", "month", "figure", "of", "value"]);
    for (figure, of, value) in lines {
        let value = value.map_or_else(String::new, |value| value.to_string());
        csv::add_line(&mut text, [report.site.as_str(), &report.month, figure, of, &value]);
    }
    text
}
