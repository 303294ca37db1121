//! One's own keys for programs.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::keys::{self, KeyError, KeyInfo, MOST_KEYS, MOST_SITES, MakeKey};
use crate::accounts::{Moderator, Right, Scope};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::fields::Fields;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::clock::Millis;
use crate::kit::fault::Fault;
use crate::kit::ids::ApiKeyId;

use super::By;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_keys, list_keys);
    table.add(__path_make_key, make_key);
    table.add(__path_end_key, end_key);
}

/// A key to be made.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct MakeKeyBody {
    /// What it is for, up to 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// At least one.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// Keys of sites, 1 to 100; without it the key is good for all of its owner's.
    #[schema(min_items = 1, max_items = 100)]
    sites: Option<Vec<String>>,
    /// Within a year. Without it the key is good for 90 days.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
}

/// A key, without what it reads.
#[derive(Serialize, ToSchema)]
struct KeyBody {
    #[schema(value_type = i64)]
    id: ApiKeyId,
    name: String,
    scopes: Vec<Scope>,
    /// Keys of the sites it is limited to; null when it is good for all of its owner's.
    sites: Option<Vec<String>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Millis,
    /// To the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Millis>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
struct MadeKeyBody {
    /// What to send as a Bearer token. It is shown here and never again.
    key: String,
    #[serde(flatten)]
    about: KeyBody,
}

#[derive(Serialize, ToSchema)]
struct KeysBody {
    items: Vec<KeyBody>,
}

/// One's keys, the newest first, those that expired in the last 90 days too.
#[utoipa::path(get, path = "/api/v1/me/keys", tag = "session", security(("bearer" = [])),
    responses((status = 200, body = KeysBody), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, not in person")))]
async fn list_keys(app: web::Data<App>, moderator: Moderator) -> Result<HttpResponse, Problem> {
    moderator.require(Right::ChangeOneself)?;
    let items = keys::list_keys(&app, &moderator).await?.into_iter().map(body).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(KeysBody { items }))
}

/// Make a key. It may what its scopes say, as far as its owner may at the moment it is used.
#[utoipa::path(post, path = "/api/v1/me/keys", tag = "session", security(("bearer" = [])), request_body = inline(MakeKeyBody),
    responses((status = 201, body = MadeKeyBody), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, not in person"),
        (status = 409, description = "There are 50 keys that are good already"), (status = 422, description = "Fields are wrong")))]
async fn make_key(app: web::Data<App>, request: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(moderator, JsonBody(mut fields)) = request;
    moderator.require(Right::ChangeOneself)?;
    let make = MakeKey {
        name: fields.required_text("name"),
        scopes: read_scopes(&mut fields),
        sites: read_sites(&mut fields),
        expires_at: fields.moment("expires_at"),
    };
    fields.refuse_unknown();
    fields.finish()?;
    let (key, text) = keys::make_key(&app, &moderator, make).await?;
    let made = MadeKeyBody { key: text, about: body(key) };
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(made))
}

/// End a key. It stops working at once.
#[utoipa::path(delete, path = "/api/v1/me/keys/{id}", tag = "session", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 204, description = "Ended"), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, not in person"),
        (status = 404, description = "No such key of yours")))]
async fn end_key(app: web::Data<App>, asked: By<web::Path<ApiKeyId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::ChangeOneself)?;
    if !keys::end_key(&app, &moderator, id.into_inner()).await? {
        return Err(Problem::not_found());
    }
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

fn read_scopes(fields: &mut Fields) -> Vec<Scope> {
    fields.require("scopes");
    let mut scopes = Vec::new();
    let words = fields.elements("scopes", Scope::ALL.len());
    if words.as_ref().is_some_and(Vec::is_empty) {
        fields.refuse::<()>("scopes", "required");
    }
    for (index, word) in words.unwrap_or_default().iter().enumerate() {
        match Scope::parse(word) {
            Some(scope) if scopes.contains(&scope) => {
                fields.refuse_with(Fault::of_element("scopes", index, "repeated"));
            }
            Some(scope) => scopes.push(scope),
            None => fields.refuse_with(Fault::of_element("scopes", index, "choice")),
        }
    }
    scopes
}

/// None when nothing is said; that a list is empty is no way to say "all".
fn read_sites(fields: &mut Fields) -> Option<Vec<String>> {
    let sites = fields.elements("sites", MOST_SITES)?;
    if sites.is_empty() { fields.refuse("sites", "required") } else { Some(sites) }
}

fn body(key: KeyInfo) -> KeyBody {
    KeyBody {
        id: key.id,
        name: key.name,
        scopes: key.scopes,
        sites: key.sites,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Invalid(faults) => Self::invalid(faults),
            KeyError::TooMany => {
                Self::new(Kind::Conflict, format!("You have {MOST_KEYS} keys already. End one that is not needed."))
            }
            KeyError::NoRandomness(error) => Self::internal(error),
            KeyError::Store(error) => error.into(),
        }
    }
}
