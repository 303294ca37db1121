//! Bans over HTTP. They name people by email and address, so they are shown only to whoever may see these.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::bans::{Ban, BanError, BanKind, BanListError, Banned, MakeBan, lift_ban as lift, list_bans as list};
use crate::http::body::{JsonBody, Query};
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::clock::Millis;
use crate::kit::fault::{self, Fault};
use crate::kit::ids::{BanId, DecisionId};
use crate::review::ban::{self, Scope, Sweep};

use super::read_words;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_bans, list_bans);
    table.add(__path_make_ban, make_ban);
    table.add(__path_lift_ban, lift_ban);
}

/// A ban to be made.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct MakeBanBody {
    #[schema(inline)]
    kind: BanKind,
    /// A name, an email, an address (of IPv6 its /64), or a network of at most an IPv4 /16 or an IPv6 /32.
    #[schema(min_length = 1)]
    value: String,
    /// Key of the site. Whoever has all sites may leave it out: then it holds on all.
    site: Option<String>,
    /// For colleagues, up to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// Until when; without it for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    #[schema(inline)]
    sweep: Option<SweepBody>,
}

/// What becomes of what they have sent already.
#[derive(ToSchema)]
#[allow(dead_code)]
struct SweepBody {
    #[schema(inline)]
    decision: SweepDecision,
    #[schema(inline)]
    scope: Scope,
}

/// What becomes of it: anything but `approve`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
enum SweepDecision {
    Reject,
    Spam,
    Hold,
    Trash,
}

/// A ban.
#[derive(Serialize, ToSchema)]
pub(super) struct BanBody {
    #[schema(value_type = i64)]
    id: BanId,
    kind: BanKind,
    value: String,
    /// Key of the site; null for all.
    site: Option<String>,
    reason: String,
    /// User name of who made it; null when they were removed since.
    by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    sweep: Option<SweptBody>,
}

/// The decisions about what was there.
#[derive(Serialize, ToSchema)]
struct SweptBody {
    /// To look at them and to undo them, all at once.
    #[schema(value_type = i64)]
    decision_id: DecisionId,
}

/// The bans of one's sites, expired ones too, the newest first; those of all sites for whoever has all.
#[utoipa::path(get, path = "/api/v1/bans", tag = "review", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = Page<BanBody>), (status = 400, description = "Not a cursor of this list"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed"), (status = 422, description = "A parameter is wrong")))]
async fn list_bans(app: web::Data<App>, asked: By<Query>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(mut fields)) = asked;
    moderator.require(Right::Ban)?;
    moderator.require(Right::SeePersonal)?;
    let page = PageQuery::take(&mut fields, &app.keys.cursor, "bans");
    fields.refuse_unknown();
    fields.finish()?;
    let (bans, next) = list(&app, &moderator, page?).await?;
    let next = next.map(|cursor| cursor.encode(&app.keys.cursor, "bans"));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link("/api/v1/bans"), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    Ok(response.json(Page { items: bans.into_iter().map(body).collect(), next }))
}

/// Ban somebody, and decide about what they have sent already, if asked. What they send from now on goes to the spam
/// folder, and is answered like any comment that is held. With `sweep`, a ban that is there already sweeps again and stays
/// as it is.
#[utoipa::path(post, path = "/api/v1/bans", tag = "review", security(("bearer" = [])), request_body = inline(MakeBanBody),
    responses((status = 201, body = BanBody, description = "Banned"),
        (status = 200, body = BanBody, description = "They were banned there already, as this says; what they have sent was swept"), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 409, description = "The same is there already, and there is no `sweep`; `ban` is its id"), (status = 422, description = "Fields are wrong, or there is too much to sweep")))]
async fn make_ban(app: web::Data<App>, asked: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(moderator, JsonBody(fields)) = asked;
    moderator.require(Right::Ban)?;
    moderator.require(Right::SeePersonal)?;
    let (make, sweep) = read_ban(fields);
    if sweep.is_some() {
        moderator.require(Right::DecideMany)?;
    }
    let (mut response, ban) = match ban::ban(&app, &moderator, make, sweep).await? {
        Banned::New(ban) => (HttpResponse::Created(), ban),
        Banned::Already(ban) => (HttpResponse::Ok(), ban),
    };
    Ok(response.insert_header((header::CACHE_CONTROL, "no-store")).json(body(ban)))
}

/// Lift a ban. What was decided stays decided.
#[utoipa::path(delete, path = "/api/v1/bans/{id}", tag = "review", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 204, description = "Lifted"), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such ban of yours")))]
async fn lift_ban(app: web::Data<App>, asked: By<web::Path<BanId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::Ban)?;
    if !lift(&app, &moderator, id.into_inner()).await? {
        return Err(Problem::not_found());
    }
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// What is wrong with the fields is said together with what is wrong with their values.
fn read_ban(mut fields: Fields) -> (MakeBan, Option<Sweep>) {
    let kind = fields.required_choice("kind", BanKind::parse);
    let value = fields.required_text("value");
    let site = fields.text("site");
    let reason = read_words(&mut fields, "reason").unwrap_or_default();
    let expires_at = fields.moment("expires_at");
    let sweep = read_sweep(&mut fields);
    fields.refuse_unknown();
    let mut faults = fields.take_faults();
    if reason.is_empty() {
        fault::add(&mut faults, vec![Fault::new("reason", "required")]);
    }
    (MakeBan { kind, value, site, reason, expires_at, faults }, sweep)
}

fn read_sweep(fields: &mut Fields) -> Option<Sweep> {
    let mut object = fields.object("sweep")?;
    let decision = object.required_choice("decision", Sweep::parse_decision);
    let scope = object.required_choice("scope", Scope::parse);
    fields.end(object, "/sweep");
    Some(Sweep { decision: decision?, scope: scope? })
}

/// A ban, for whoever may see whom it is about.
pub(super) fn body(ban: Ban) -> BanBody {
    BanBody {
        id: ban.id,
        kind: ban.kind,
        value: ban.value,
        site: ban.site.map(|key| key.to_string()),
        reason: ban.reason,
        by: ban.by,
        created_at: ban.created_at,
        expires_at: ban.expires_at,
        sweep: ban.sweep.map(|decision_id| SweptBody { decision_id }),
    }
}

impl From<BanError> for Problem {
    fn from(error: BanError) -> Self {
        match error {
            BanError::Invalid(faults) => Self::invalid(faults),
            BanError::Exists(id) => {
                let problem =
                    Self::new(Kind::Conflict, "They are banned there already; lift that ban to make another.");
                problem.with("ban", json!(id))
            }
            BanError::Store(error) => error.into(),
        }
    }
}

impl From<BanListError> for Problem {
    fn from(error: BanListError) -> Self {
        match error {
            BanListError::ForeignCursor => Self::new(Kind::Unreadable, "The cursor belongs to another list."),
            BanListError::Store(error) => error.into(),
        }
    }
}
