//! People, for administrators: who there is, adding, changing, removing, ending their sessions, a link for a password.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::change_person::{self, Change};
use crate::accounts::people::{self, AddModerator, PeopleError, Person, is_username};
use crate::accounts::reset::{self, Reset};
use crate::accounts::{Right, Role, rename, sessions};
use crate::app::App;
use crate::http::body::{JsonBody, Query};
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::clock::Millis;
use crate::kit::fault::Fault;
use crate::kit::ids::{ModeratorId, SiteId};

use super::{By, password};

/// The most sites that one person is given by name.
const MOST_SITES: usize = 1_000;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_moderators, list_moderators);
    table.add(__path_add_moderator, add_moderator);
    table.add(__path_change_moderator, change_moderator);
    table.add(__path_remove_moderator, remove_moderator);
    table.add(__path_end_sessions_of_moderator, end_sessions_of_moderator);
    table.add(__path_make_password_reset, make_password_reset);
}

/// A moderator, to administrators.
#[derive(Serialize, ToSchema)]
struct PersonBody {
    #[schema(value_type = i64)]
    id: ModeratorId,
    username: String,
    display_name: String,
    role: Role,
    /// Keys of the sites they may moderate.
    sites: Vec<String>,
    disabled: bool,
    /// Whether a second factor is set up.
    totp: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

/// Somebody who was added.
#[derive(Serialize, ToSchema)]
struct AddedBody {
    #[serde(flatten)]
    person: PersonBody,
    /// Where they set their password; null when it was given.
    reset: Option<ResetBody>,
}

/// A link by which somebody sets their password, once. It is not shown again.
#[derive(Serialize, ToSchema)]
struct ResetBody {
    reset_url: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Millis,
}

#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct AddBody {
    /// 1 to 64 of `A-Z a-z 0-9 . _ ~ @ + -`; compared without case.
    #[schema(pattern = "^[A-Za-z0-9._~@+-]{1,64}$")]
    username: String,
    /// Without one the answer has a link by which they set it themselves.
    password: Option<String>,
    #[schema(inline)]
    role: Role,
    /// Keys; needed but for an administrator, who has every site.
    sites: Option<Vec<String>>,
    /// What readers see; `Staff` when nothing is said.
    display_name: Option<String>,
}

#[derive(ToSchema)]
#[schema(min_properties = 1)]
#[allow(dead_code)]
struct ChangeBody {
    #[schema(inline)]
    role: Option<Role>,
    /// Keys, in place of those there were.
    sites: Option<Vec<String>>,
    disabled: Option<bool>,
}

/// Everyone, the first added first.
#[utoipa::path(get, path = "/api/v1/moderators", tag = "people", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = Page<PersonBody>), (status = 400, description = "Not a cursor of this list"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not an administrator"), (status = 422, description = "A parameter is wrong")))]
async fn list_moderators(app: web::Data<App>, asked: By<Query>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(mut fields)) = asked;
    moderator.require(Right::ManagePeople)?;
    let page = PageQuery::take(&mut fields, &app.keys.cursor, "moderators");
    fields.refuse_unknown();
    fields.finish()?;
    let (people, next) = people::list_people(&app, page?).await?;
    let next = next.map(|cursor| cursor.encode(&app.keys.cursor, "moderators"));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link("/api/v1/moderators"), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    Ok(response.json(Page { items: people.into_iter().map(body).collect(), next }))
}

/// Add a moderator.
#[utoipa::path(post, path = "/api/v1/moderators", tag = "people", security(("bearer" = [])), request_body = inline(AddBody),
    responses((status = 201, body = AddedBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not an administrator"),
        (status = 422, description = "Fields are wrong")))]
async fn add_moderator(app: web::Data<App>, asked: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(moderator, JsonBody(fields)) = asked;
    moderator.require(Right::ManagePeople)?;
    let add = read_person(&app, fields).await?;
    let added = people::add_moderator(&app, moderator.actor(), add).await?;
    let person = load(&app, added.id).await?;
    let reset = added.reset.map(|reset| link(&app, &reset));
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(AddedBody { person, reset }))
}

/// Change what somebody may do. It counts from their next request on.
#[utoipa::path(patch, path = "/api/v1/moderators/{id}", tag = "people", security(("bearer" = [])), params(("id" = i64, Path)),
    request_body = inline(ChangeBody),
    responses((status = 200, body = PersonBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not an administrator"),
        (status = 404, description = "Nobody with this id"), (status = 409, description = "The last administrator"), (status = 422, description = "Fields are wrong")))]
async fn change_moderator(
    app: web::Data<App>,
    asked: By<(web::Path<ModeratorId>, JsonBody)>,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (id, JsonBody(fields))) = asked;
    moderator.require(Right::ManagePeople)?;
    let change = read_change(&app, fields).await?;
    change_person::change_person(&app, moderator.actor(), *id, change).await?;
    let person = load(&app, *id).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(person))
}

/// Remove somebody. History goes on naming them, and nobody else gets their name.
#[utoipa::path(delete, path = "/api/v1/moderators/{id}", tag = "people", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 204, description = "Removed"), (status = 401, description = "Not signed in"), (status = 403, description = "Not an administrator"),
        (status = 404, description = "Nobody with this id"), (status = 409, description = "The last administrator")))]
async fn remove_moderator(app: web::Data<App>, asked: By<web::Path<ModeratorId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::ManagePeople)?;
    change_person::remove_person(&app, moderator.actor(), *id).await?;
    Ok(done())
}

/// End all sessions of somebody.
#[utoipa::path(delete, path = "/api/v1/moderators/{id}/sessions", tag = "people", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 204, description = "Ended"), (status = 401, description = "Not signed in"), (status = 403, description = "Not an administrator"),
        (status = 404, description = "Nobody with this id")))]
async fn end_sessions_of_moderator(
    app: web::Data<App>,
    asked: By<web::Path<ModeratorId>>,
) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::ManagePeople)?;
    sessions::end_sessions_of(&app, moderator.actor(), *id).await?;
    Ok(done())
}

/// Make a link by which somebody sets a new password. Those made before it work no longer.
#[utoipa::path(post, path = "/api/v1/moderators/{id}/reset", tag = "people", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 201, body = ResetBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not an administrator"),
        (status = 404, description = "Nobody with this id")))]
async fn make_password_reset(app: web::Data<App>, asked: By<web::Path<ModeratorId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::ManagePeople)?;
    let reset = reset::make_reset(&app, moderator.actor(), *id).await?;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(link(&app, &reset)))
}

async fn read_person(app: &App, mut fields: Fields) -> Result<AddModerator, Problem> {
    let username = fields.required_text("username");
    if !username.is_empty() && !is_username(&username) {
        fields.refuse::<()>("username", "username");
    }
    let password = fields.text("password");
    let role = fields.required_choice("role", Role::parse);
    let has_sites = !fields.is_absent("sites");
    let sites = read_sites(app, &mut fields).await?;
    if let Some(role) = role
        && (sites.is_some() || !has_sites)
        && let Err(error) = people::check_sites(role, sites.as_deref().unwrap_or_default())
    {
        add_faults(&mut fields, error);
    }
    let display_name = fields.text("display_name");
    if let Some(Err(error)) = display_name.as_deref().map(rename::parse) {
        add_faults(&mut fields, error);
    }
    fields.refuse_unknown();
    fields.finish()?;
    let role = role.unwrap_or(Role::LEAST);
    Ok(AddModerator { username, password, role, sites: sites.unwrap_or_default(), display_name })
}

/// What is wrong with a field is said with what is wrong with the others.
fn add_faults(fields: &mut Fields, error: impl Into<Problem>) {
    error.into().errors.into_iter().for_each(|fault| fields.refuse_with(fault));
}

async fn read_change(app: &App, mut fields: Fields) -> Result<Change, Problem> {
    if !["role", "sites", "disabled"].iter().any(|name| fields.has(name)) {
        fields.refuse_with(Fault::of_whole("required"));
    }
    let role = fields.choice("role", Role::parse);
    let sites = read_sites(app, &mut fields).await?;
    let is_disabled = fields.boolean("disabled");
    fields.refuse_unknown();
    fields.finish()?;
    Ok(Change { role, sites, is_disabled })
}

async fn read_sites(app: &App, fields: &mut Fields) -> Result<Option<Vec<SiteId>>, Problem> {
    let Some(keys) = fields.elements("sites", MOST_SITES) else { return Ok(None) };
    match people::find_sites(app, keys).await {
        Err(PeopleError::NoSuchSite) => Ok(fields.refuse("sites", "site")),
        found => Ok(Some(found?)),
    }
}

async fn load(app: &App, id: ModeratorId) -> Result<PersonBody, Problem> {
    people::find_person(app, id).await?.map(body).ok_or_else(Problem::not_found)
}

fn body(person: Person) -> PersonBody {
    PersonBody {
        role: person.row.role(),
        id: person.row.id,
        username: person.row.username,
        display_name: person.row.display_name,
        sites: person.sites,
        disabled: person.row.is_disabled,
        totp: person.row.totp_confirmed_at.is_some(),
        created_at: person.row.created_at,
    }
}

fn link(app: &App, reset: &Reset) -> ResetBody {
    let reset_url = app.link(&format!("/password-resets/{}", reset.token));
    ResetBody { reset_url, expires_at: reset.expires_at }
}

fn done() -> HttpResponse {
    HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish()
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Username => Self::invalid_field("username", "username"),
            PeopleError::Taken => Self::invalid_field("username", "taken"),
            PeopleError::Unknown => Self::not_found(),
            PeopleError::NoSecondFactor => Self::new(Kind::Conflict, "There is no second factor to remove."),
            PeopleError::InPerson => {
                Self::new(Kind::Forbidden, "A key changes neither its owner nor administrators; do this signed in.")
            }
            PeopleError::LastAdmin => Self::new(Kind::LastAdmin, "Make somebody else an administrator first."),
            PeopleError::NoSuchSite => Self::invalid_field("sites", "site"),
            PeopleError::NoSites(_) => Self::invalid_field("sites", "required"),
            PeopleError::AllSites => Self::invalid_field("sites", "all_sites"),
            PeopleError::DisplayName(error) => error.into(),
            PeopleError::Password(error) => password::problem("password", &error),
            PeopleError::Store(error) => error.into(),
        }
    }
}
