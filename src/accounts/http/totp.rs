//! One's second factor. Whoever's role must have one, and has none, may do this and little else.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::Right;
use crate::accounts::second_factor::{self, SecondFactorError};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::client::Client;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;

use super::{By, SignedIn};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_enrol_totp, enrol_totp);
    table.add(__path_confirm_totp, confirm_totp);
    table.add(__path_remove_totp, remove_totp);
    table.add(__path_renew_recovery_codes, renew_recovery_codes);
}

#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct ConfirmBody {
    #[schema(min_length = 1)]
    code: String,
}

#[derive(ToSchema)]
#[allow(dead_code)]
struct PasswordBody {
    #[schema(min_length = 1)]
    password: String,
}

/// A secret that waits for its first code. It is shown this once.
#[derive(Serialize, ToSchema)]
struct EnrolledBody {
    /// To be typed into an app: base32.
    secret: String,
    otpauth_uri: String,
    /// The same as a picture, an SVG document.
    qr_svg: String,
}

/// What signs one in when the device is lost. Shown this once.
#[derive(Serialize, ToSchema)]
struct RecoveryCodesBody {
    /// Ten, each good once.
    recovery_codes: Vec<String>,
}

/// Set a second factor up: a secret for an app. Nothing asks for codes before the first one has confirmed it.
#[utoipa::path(post, path = "/api/v1/me/totp", tag = "session", security(("bearer" = [])),
    responses((status = 201, body = EnrolledBody), (status = 401, description = "Not signed in"),
        (status = 403, description = "With a key, not in person"), (status = 409, description = "There is one already")))]
async fn enrol_totp(app: web::Data<App>, SignedIn(moderator): SignedIn) -> Result<HttpResponse, Problem> {
    moderator.require(Right::ChangeOneself)?;
    let enrolled = second_factor::enrol(&app, &moderator).await?;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(EnrolledBody {
        secret: enrolled.secret,
        otpauth_uri: enrolled.otpauth_uri,
        qr_svg: enrolled.qr_svg,
    }))
}

/// Confirm the second factor with a code of the app.
#[utoipa::path(put, path = "/api/v1/me/totp", tag = "session", security(("bearer" = [])), request_body = inline(ConfirmBody),
    responses((status = 200, body = RecoveryCodesBody), (status = 401, description = "Not signed in"),
        (status = 403, description = "With a key, not in person"),
        (status = 409, description = "No secret waits for a code"), (status = 422, description = "Not the code")))]
async fn confirm_totp(app: web::Data<App>, request: By<JsonBody, SignedIn>) -> Result<HttpResponse, Problem> {
    let By(SignedIn(moderator), JsonBody(mut fields)) = request;
    moderator.require(Right::ChangeOneself)?;
    let code = fields.required_text("code");
    fields.refuse_unknown();
    fields.finish()?;
    Ok(shown(StatusCode::OK, second_factor::confirm(&app, &moderator, &code).await?))
}

/// Remove the second factor.
#[utoipa::path(delete, path = "/api/v1/me/totp", tag = "session", security(("bearer" = [])), request_body = inline(PasswordBody),
    responses((status = 204, description = "There is none any more"), (status = 401, description = "Not signed in"),
        (status = 403, description = "With a key, not in person"), (status = 409, description = "The password is too short to stand alone"),
        (status = 422, description = "Not the password"), (status = 429, description = "Too many wrong passwords")))]
async fn remove_totp(app: web::Data<App>, request: WithPassword) -> Result<HttpResponse, Problem> {
    let By(SignedIn(moderator), (client, body)) = request;
    moderator.require(Right::ChangeOneself)?;
    second_factor::remove(&app, &moderator, &password(body)?, client.address).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Make new recovery codes. The old ones are good no more.
#[utoipa::path(post, path = "/api/v1/me/totp/recovery-codes", tag = "session", security(("bearer" = [])), request_body = inline(PasswordBody),
    responses((status = 201, body = RecoveryCodesBody), (status = 401, description = "Not signed in"),
        (status = 403, description = "With a key, not in person"), (status = 409, description = "There is no second factor"),
        (status = 422, description = "Not the password"), (status = 429, description = "Too many wrong passwords")))]
async fn renew_recovery_codes(app: web::Data<App>, request: WithPassword) -> Result<HttpResponse, Problem> {
    let By(SignedIn(moderator), (client, body)) = request;
    moderator.require(Right::ChangeOneself)?;
    let codes = second_factor::renew(&app, &moderator, &password(body)?, client.address).await?;
    Ok(shown(StatusCode::CREATED, codes))
}

/// Somebody signed in who shows their password again.
type WithPassword = By<(Client, JsonBody), SignedIn>;

fn password(JsonBody(mut fields): JsonBody) -> Result<String, Problem> {
    let password = fields.required_text("password");
    fields.refuse_unknown();
    fields.finish().map(|()| password)
}

fn shown(status: StatusCode, codes: second_factor::RecoveryCodes) -> HttpResponse {
    let body = RecoveryCodesBody { recovery_codes: codes.into() };
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::IsOn => Self::new(Kind::Conflict, "There is a second factor. Remove it first."),
            SecondFactorError::IsOff => {
                Self::new(Kind::Conflict, "There is no second factor that this could be done to.")
            }
            SecondFactorError::WrongCode => Self::invalid_field("code", "wrong"),
            SecondFactorError::PasswordTooShort => {
                Self::new(Kind::Conflict, "Your password is too short to stand alone. Set a longer one first.")
            }
            SecondFactorError::NotProven(error) => error.into(),
            SecondFactorError::Store(error) => error.into(),
            error => Self::internal(error),
        }
    }
}
