//! Signing in, refreshing, signing out and oneself, over HTTP; and [`Moderator`] as what a handler asks for.

use std::pin::Pin;

use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::client::Client;
use crate::http::limits::SignInPaced;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::fault::Fault;

use super::password::PasswordError;
use super::refresh::{self, RefreshError};
use super::rename::{self, RenameError};
use super::sign_in::{self, SignIn, SignInError, Tokens};
use super::{Moderator, Role, queries, sign_out, token};

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    table.add(__path_sign_in, sign_in);
    table.add(__path_refresh_session, refresh_session);
    table.add(__path_sign_out, sign_out);
    table.add(__path_show_me, show_me);
    table.add(__path_rename_me, rename_me);
}

/// A name and a password.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct SignInBody {
    username: String,
    password: String,
}

#[derive(ToSchema)]
#[allow(dead_code)]
struct RefreshBody {
    refresh_token: String,
}

#[derive(ToSchema)]
#[allow(dead_code)]
struct RenameBody {
    display_name: String,
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
struct TokensBody {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: u64,
    refresh_token: String,
}

/// A moderator, to themselves.
#[derive(Serialize, ToSchema)]
struct MeBody {
    #[schema(value_type = i64)]
    id: crate::kit::ids::ModeratorId,
    username: String,
    display_name: String,
    role: Role,
    /// Keys of the sites they may moderate.
    sites: Vec<String>,
    /// Whether a second factor is set up.
    totp: bool,
}

/// Sign in.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = inline(SignInBody),
    responses((status = 200, body = TokensBody), (status = 401, description = "Wrong name or password"),
        (status = 429, description = "Too many tries from this address")))]
async fn sign_in(_: SignInPaced, app: web::Data<App>, client: Client, body: JsonBody) -> Result<HttpResponse, Problem> {
    let mut fields = body.0;
    let username = fields.required_text("username");
    let password = fields.required_text("password");
    fields.refuse_unknown();
    fields.finish()?;
    let asked = SignIn { username, password, address: client.address, user_agent: client.user_agent };
    Ok(tokens(sign_in::sign_in(&app, asked).await?))
}

/// Go on with a session.
#[utoipa::path(post, path = "/api/v1/session/refresh", tag = "session", request_body = inline(RefreshBody),
    responses((status = 200, body = TokensBody), (status = 401, description = "Not a current refresh token")))]
async fn refresh_session(app: web::Data<App>, body: JsonBody) -> Result<HttpResponse, Problem> {
    let mut fields = body.0;
    let token = fields.required_text("refresh_token");
    fields.refuse_unknown();
    fields.finish()?;
    Ok(tokens(refresh::refresh(&app, &token).await?))
}

/// Sign out. The access token stops working at once.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", security(("bearer" = [])),
    responses((status = 204, description = "Signed out"), (status = 401, description = "Not signed in")))]
async fn sign_out(app: web::Data<App>, moderator: Moderator) -> Result<HttpResponse, Problem> {
    sign_out::sign_out(&app, &moderator).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// Oneself.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", security(("bearer" = [])),
    responses((status = 200, body = MeBody), (status = 401, description = "Not signed in")))]
async fn show_me(app: web::Data<App>, moderator: Moderator) -> Result<HttpResponse, Problem> {
    me(&app, moderator).await
}

/// Change one's display name.
#[utoipa::path(patch, path = "/api/v1/me", tag = "session", security(("bearer" = [])), request_body = inline(RenameBody),
    responses((status = 200, body = MeBody), (status = 401, description = "Not signed in"), (status = 422, description = "Not a name")))]
async fn rename_me(app: web::Data<App>, request: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(mut moderator, JsonBody(mut fields)) = request;
    let name = fields.required_text("display_name");
    fields.refuse_unknown();
    fields.finish()?;
    moderator.display_name = rename::rename(&app, &moderator, &name).await?;
    me(&app, moderator).await
}

async fn me(app: &App, moderator: Moderator) -> Result<HttpResponse, Problem> {
    let visible = moderator.visible_sites();
    let sites = app.store.read(move |conn| queries::list_site_keys(conn, visible.as_deref())).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(MeBody {
        id: moderator.id,
        username: moderator.username,
        display_name: moderator.display_name,
        role: moderator.role,
        sites,
        totp: false,
    }))
}

fn tokens(tokens: Tokens) -> HttpResponse {
    HttpResponse::build(StatusCode::OK).insert_header((header::CACHE_CONTROL, "no-store")).json(TokensBody {
        access_token: tokens.access,
        token_type: "Bearer",
        expires_in: token::GOOD_FOR.as_secs(),
        refresh_token: tokens.refresh,
    })
}

impl FromRequest for Moderator {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<web::Data<App>>().ok_or_else(|| Problem::internal("no App"))?;
            let token = bearer(&request).ok_or_else(|| unauthenticated("Bearer realm=\"rejoinder\""))?;
            let invalid = || unauthenticated("Bearer realm=\"rejoinder\", error=\"invalid_token\"");
            let (id, session) = token::verify(app, token, app.clock.now()).ok_or_else(invalid)?;
            let found = app.store.read(move |conn| queries::find_signed_in(conn, id, session)).await?;
            found.ok_or_else(invalid)
        })
    }
}

/// What a moderator sends: first who they are, then whether the rest can be read. Side by side, whoever is not signed in
/// would hear of a missing header before hearing that.
pub struct By<T>(pub Moderator, pub T);

impl<T: FromRequest + 'static> FromRequest for By<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let moderator = Moderator::extract(&request).await?;
            let rest = T::from_request(&request, &mut payload).await.map_err(Into::into)?;
            Ok(Self(moderator, rest))
        })
    }
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let value = headers.next().filter(|_| headers.next().is_none())?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthenticated(challenge: &'static str) -> Problem {
    Problem::new(Kind::Unauthenticated, "Sign in, then send the access token as a Bearer token.")
        .header(header::WWW_AUTHENTICATE, header::HeaderValue::from_static(challenge))
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused => Self::new(Kind::Unauthenticated, "The name or the password is wrong."),
            SignInError::Password(PasswordError::Busy) => {
                Self::new(Kind::Overloaded, "Too many sign-ins at once.").retry_after(1)
            }
            SignInError::Password(error) => Self::internal(error),
            SignInError::Token(error) => Self::internal(error),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => Self::new(Kind::Unauthenticated, "The refresh token is not good. Sign in again."),
            RefreshError::Token(error) => Self::internal(error),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<RenameError> for Problem {
    fn from(error: RenameError) -> Self {
        match error {
            RenameError::Text(fault) => Self::invalid_field("display_name", crate::kit::fault::code_of_text(fault)),
            RenameError::TooLong => Self::invalid(vec![Fault {
                limit: Some(rename::LONGEST as u64),
                ..Fault::new("display_name", "too_long")
            }]),
            RenameError::Store(error) => error.into(),
        }
    }
}
