//! A site's settings: reading them, and putting all of them. What is read may be put back as it is.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::http::body::{JsonBody, Query};
use crate::http::fields::Fields;
use crate::http::preconditions::{MaybeIfMatch, version_tag};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::fault::Fault;
use crate::kit::key::Key;
use crate::screening::Policy;
use crate::sites::hours::find_timezone;
use crate::sites::put_settings::{self, SettingsError};
use crate::sites::settings::MOST_REASONS;
use crate::sites::{Hours, Order, Reason, RequiredFields, SiteSettings, TimeOfDay, list};

use super::outside::{self, OutsideBody, PutOutsideBody};

/// What can be left out, but not be `null`: there is no policy that is none.
const NEVER_NULL: [&str; 9] =
    ["policy", "required", "max_depth", "order", "edit_minutes", "reasons", "four_eyes", "report_threshold", "budget"];

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_settings, show_settings);
    table.add(__path_replace_settings, replace_settings);
}

/// How a site treats comments.
#[derive(Serialize, ToSchema)]
struct SettingsBody {
    /// `trust_verified` publishes authors with a verified record at once and holds everybody else.
    policy: Policy,
    /// What a reader must fill in beside the comment: `name`, `email`.
    required: Vec<&'static str>,
    /// Levels of replies, roots counted: 1 to 10.
    max_depth: u32,
    /// In which order readers get threads when they do not say.
    order: Order,
    /// Articles that have no closing time of their own close so many days after they were made: 1 to 3,650; null for never.
    close_after_days: Option<u32>,
    /// When comments are taken, each day; null for always.
    hours: Option<HoursBody>,
    /// For how long an author may edit: 0 to 10,080.
    edit_minutes: u32,
    /// What moderators may give as a reason: up to 50.
    reasons: Vec<ReasonBody>,
    /// Keys of the reasons for which a second moderator must agree.
    four_eyes: Vec<String>,
    /// So many reports by readers bring a published comment back to the queue: up to 1,000; 0 for none.
    report_threshold: u32,
    /// The share of good comments that a filter may hold back: 0 to 0.1.
    budget: f64,
    outside: OutsideBody,
}

/// From when until when. What ends before it begins goes on over midnight.
#[derive(Serialize, ToSchema)]
struct HoursBody {
    /// Such as `08:00`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    from: String,
    /// The first minute that is outside; not equal to `from`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    until: String,
    /// A name of the IANA database, such as `Europe/Paris`.
    timezone: String,
}

/// Why a moderator may decide as they do.
#[derive(Serialize, ToSchema)]
struct ReasonBody {
    /// 1 to 64 of `a-z 0-9 -`, not first or last a hyphen.
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")]
    key: String,
    /// What moderators read, up to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    label: String,
    /// What the author of a rejected comment is told when the moderator writes nothing, up to 2,000 characters.
    #[schema(max_length = 2000)]
    message: Option<String>,
}

/// What is not said is what it is for a new site; something must be.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
#[schema(min_properties = 1)]
struct PutSettingsBody {
    #[schema(required = false)]
    policy: Policy,
    #[schema(required = false, inline, max_items = 2)]
    required: Vec<RequiredName>,
    #[schema(required = false, minimum = 1, maximum = 10)]
    max_depth: u32,
    #[schema(required = false)]
    order: Order,
    #[schema(minimum = 1, maximum = 3650)]
    close_after_days: Option<u32>,
    #[schema(inline)]
    hours: Option<HoursBody>,
    #[schema(required = false, maximum = 10080)]
    edit_minutes: u32,
    #[schema(required = false, inline, max_items = 50)]
    reasons: Vec<ReasonBody>,
    #[schema(required = false, max_items = 50)]
    four_eyes: Vec<String>,
    #[schema(required = false, maximum = 1000)]
    report_threshold: u32,
    #[schema(required = false, minimum = 0.0, maximum = 0.1)]
    budget: f64,
    #[schema(inline)]
    outside: Option<PutOutsideBody>,
}

/// A field that readers may have to fill in.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)] // Described here, read word by word.
enum RequiredName {
    Name,
    Email,
}

/// A site's settings.
#[utoipa::path(get, path = "/api/v1/sites/{site}/settings", tag = "sites", security(("bearer" = [])), params(("site" = String, Path)),
    responses((status = 200, body = SettingsBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such site, or not yours"), (status = 422, description = "A parameter, and there is none")))]
async fn show_settings(app: web::Data<App>, asked: By<(web::Path<Key>, Query)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, Query(mut fields))) = asked;
    moderator.require(Right::ReadSettings)?;
    fields.refuse_unknown();
    fields.finish()?;
    let site = list::find_own_site(&app, &moderator, &key).await?.ok_or_else(Problem::not_found)?;
    Ok(answer(&site.settings))
}

/// Replace a site's settings. They count from the next request on, on other nodes within a second. With `If-Match` they
/// are put only if they are still as they were read.
#[utoipa::path(put, path = "/api/v1/sites/{site}/settings", tag = "sites", security(("bearer" = [])),
    params(("site" = String, Path), ("If-Match" = Option<String>, Header, pattern = r#"^("[0-9]+"( *, *"[0-9]+")*|[*])$"#)), request_body = inline(PutSettingsBody),
    responses((status = 200, body = SettingsBody), (status = 400, description = "If-Match cannot be read"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed"), (status = 404, description = "No such site, or not yours"),
        (status = 412, description = "Changed since; `current` says how they stand"), (status = 422, description = "Fields are wrong")))]
async fn replace_settings(
    app: web::Data<App>,
    asked: By<(web::Path<Key>, MaybeIfMatch, JsonBody)>,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, MaybeIfMatch(versions), JsonBody(fields))) = asked;
    moderator.require(Right::ChangeSettings)?;
    let settings = read_settings(&app, &key, fields)?;
    let settings = put_settings::put_settings(&app, &moderator, &key, settings, versions).await?;
    Ok(answer(&settings))
}

fn answer(settings: &SiteSettings) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::ETAG, version_tag(settings.version())))
        .json(body(settings))
}

fn read_settings(app: &App, site: &Key, mut fields: Fields) -> Result<SiteSettings, Problem> {
    if fields.is_empty() {
        // More likely a mistake than the wish to lose every setting.
        fields.refuse_with(Fault::of_whole("required"));
    }
    fields.refuse_null(&NEVER_NULL);
    let usual = SiteSettings::default();
    let settings = SiteSettings {
        policy: fields.choice("policy", Policy::parse).unwrap_or(usual.policy),
        required: read_required(&mut fields).unwrap_or(usual.required),
        max_depth: read_number(&mut fields, "max_depth").unwrap_or(usual.max_depth),
        order: fields.choice("order", Order::parse).unwrap_or(usual.order),
        close_after_days: read_number(&mut fields, "close_after_days"),
        hours: read_hours(&mut fields),
        edit_minutes: read_number(&mut fields, "edit_minutes").unwrap_or(usual.edit_minutes),
        reasons: read_reasons(&mut fields).unwrap_or(usual.reasons),
        four_eyes: fields.elements("four_eyes", MOST_REASONS).unwrap_or(usual.four_eyes),
        report_threshold: read_number(&mut fields, "report_threshold").unwrap_or(usual.report_threshold),
        budget: fields.decimal("budget").unwrap_or(usual.budget),
        outside: outside::take(app, site, &mut fields)?,
    };
    fields.add_faults(settings.faults());
    fields.refuse_unknown();
    fields.finish()?;
    Ok(settings)
}

/// What each may be at most is [`SiteSettings::faults`]'s to say.
fn read_number(fields: &mut Fields, name: &str) -> Option<u32> {
    fields.whole(name, 0, i64::from(u32::MAX)).and_then(|number| number.try_into().ok())
}

fn read_required(fields: &mut Fields) -> Option<RequiredFields> {
    let names = fields.elements("required", 2)?;
    for (index, name) in names.iter().enumerate() {
        if !matches!(name.as_str(), "name" | "email") {
            fields.refuse_with(Fault::of_element("required", index, "choice"));
        }
    }
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    Some(RequiredFields { name: has("name"), email: has("email") })
}

fn read_hours(fields: &mut Fields) -> Option<Hours> {
    let mut object = fields.object("hours")?;
    let [from, until] = ["from", "until"].map(|name| read_time(&mut object, name));
    let name = object.required_text("timezone");
    let timezone = find_timezone(&name);
    if timezone.is_none() {
        object.add_faults(vec![Fault::new("timezone", "timezone")]);
    }
    fields.end(object, "/hours");
    Some(Hours { from: from?, until: until?, timezone: timezone? })
}

fn read_time(object: &mut Fields, name: &str) -> Option<TimeOfDay> {
    let text = object.required_text(name);
    let time = TimeOfDay::parse(&text);
    if time.is_none() {
        object.add_faults(vec![Fault::new(name, "format")]);
    }
    time
}

/// Reasons whose fields could be read, and empty ones in place of the others, so that each keeps its number.
fn read_reasons(fields: &mut Fields) -> Option<Vec<Reason>> {
    let mut reasons = Vec::new();
    for (index, mut object) in fields.objects("reasons", MOST_REASONS)?.into_iter().enumerate() {
        let (key, label) = (object.required_text("key"), object.required_text("label"));
        reasons.push(Reason { key, label, message: object.filled_text("message") });
        fields.end(object, &format!("/reasons/{index}"));
    }
    Some(reasons)
}

fn body(settings: &SiteSettings) -> SettingsBody {
    let required = [("name", settings.required.name), ("email", settings.required.email)];
    let hours = |hours: &Hours| HoursBody {
        from: hours.from.to_string(),
        until: hours.until.to_string(),
        timezone: hours.timezone.clone(),
    };
    let reason = |reason: &Reason| ReasonBody {
        key: reason.key.clone(),
        label: reason.label.clone(),
        message: reason.message.clone(),
    };
    SettingsBody {
        policy: settings.policy,
        required: required.into_iter().filter_map(|(name, is_required)| is_required.then_some(name)).collect(),
        max_depth: settings.max_depth,
        order: settings.order,
        close_after_days: settings.close_after_days,
        hours: settings.hours.as_ref().map(hours),
        edit_minutes: settings.edit_minutes,
        reasons: settings.reasons.iter().map(reason).collect(),
        four_eyes: settings.four_eyes.clone(),
        report_threshold: settings.report_threshold,
        budget: settings.budget,
        outside: outside::body(&settings.outside),
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::NoSuchSite => Self::not_found(),
            SettingsError::Invalid(faults) => Self::invalid(faults),
            SettingsError::Stale(current) => Self::new(Kind::Stale, "The settings have changed since you read them.")
                .with("current", json!(body(&current))),
            SettingsError::Store(error) => error.into(),
        }
    }
}
