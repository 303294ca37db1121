//! Oneself.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::rename::{self, RenameError};
use crate::accounts::{Moderator, Right, Role, queries};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::fault::{self, Fault};
use crate::kit::ids::ModeratorId;

use super::{By, SignedIn};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_me, show_me);
    table.add(__path_rename_me, rename_me);
}

#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct RenameBody {
    /// Up to 245 bytes.
    #[schema(min_length = 1, max_length = 245)]
    display_name: String,
}

/// A moderator, to themselves.
#[derive(Serialize, ToSchema)]
struct MeBody {
    #[schema(value_type = i64)]
    id: ModeratorId,
    username: String,
    display_name: String,
    role: Role,
    /// Keys of the sites they may moderate.
    sites: Vec<String>,
    /// Whether a second factor is set up.
    totp: bool,
}

/// Oneself.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", security(("bearer" = [])),
    responses((status = 200, body = MeBody), (status = 401, description = "Not signed in")))]
async fn show_me(app: web::Data<App>, SignedIn(moderator): SignedIn) -> Result<HttpResponse, Problem> {
    me(&app, moderator).await
}

/// Change one's display name.
#[utoipa::path(patch, path = "/api/v1/me", tag = "session", security(("bearer" = [])), request_body = inline(RenameBody),
    responses((status = 200, body = MeBody), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, not in person"),
        (status = 422, description = "Not a name")))]
async fn rename_me(app: web::Data<App>, request: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(mut moderator, JsonBody(mut fields)) = request;
    moderator.require(Right::ChangeOneself)?;
    let name = fields.required_text("display_name");
    fields.refuse_unknown();
    fields.finish()?;
    moderator.display_name = rename::rename(&app, &moderator, &name).await?;
    me(&app, moderator).await
}

async fn me(app: &App, moderator: Moderator) -> Result<HttpResponse, Problem> {
    let visible = moderator.visible_sites();
    let sites = app.store.read(move |conn| queries::people::list_site_keys(conn, visible.as_deref())).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(MeBody {
        id: moderator.id,
        username: moderator.username,
        display_name: moderator.display_name,
        role: moderator.role,
        sites,
        totp: moderator.has_second_factor,
    }))
}

impl From<RenameError> for Problem {
    fn from(error: RenameError) -> Self {
        match error {
            RenameError::Text(fault) => Self::invalid_field("display_name", fault::code_of_text(fault)),
            RenameError::TooLong => Self::invalid(vec![Fault {
                limit: Some(rename::LONGEST as u64),
                ..Fault::new("display_name", "too_long")
            }]),
            RenameError::Store(error) => error.into(),
        }
    }
}
