//! Signing in, going on and signing out.

use std::pin::Pin;

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::password::PasswordError;
use crate::accounts::refresh::{self, Refresh, RefreshError};
use crate::accounts::sign_in::{self, SignIn, SignInError, Tokens};
use crate::accounts::{Right, sign_out, token};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::client::Client;
use crate::http::limits::{RefreshPaced, SignInPaced};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;

use super::{SignedIn, cookies};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_sign_in, sign_in);
    table.add(__path_refresh_session, refresh_session);
    table.add(__path_sign_out, sign_out);
}

/// A name, a password and, where there is a second factor, a code.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct SignInBody {
    #[schema(min_length = 1)]
    username: String,
    #[schema(min_length = 1)]
    password: String,
    /// Of the app that was set up, or a recovery code.
    code: Option<String>,
    /// Whether the tokens come in cookies (`__Host-rejoinder-session`, `__Host-rejoinder-refresh`) and not in the answer.
    /// For pages of this server: the request needs `Sec-Fetch-Site: same-origin`, or the public URL as `Origin`.
    cookies: Option<bool>,
}

/// Not needed with the cookie.
#[derive(ToSchema)]
#[allow(dead_code)]
struct RefreshBody {
    #[schema(min_length = 1)]
    refresh_token: String,
}

/// A pair of tokens, or word that they came in cookies.
#[derive(Serialize, ToSchema)]
struct TokensBody {
    /// Left out with cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// `Bearer`, or `Cookie` when the tokens came in cookies.
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: u64,
    /// Left out with cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// Where a session's tokens are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    ByClient,
    InCookies,
}

/// Sign in.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = inline(SignInBody),
    responses((status = 200, body = TokensBody), (status = 401, description = "Wrong name, password or code"),
        (status = 403, description = "Asks for cookies, and was not sent by a page of this server"),
        (status = 422, description = "Fields are wrong"),
        (status = 429, description = "Too many tries from this address, or wrong ones for this name")))]
async fn sign_in(
    _: SignInPaced,
    request: HttpRequest,
    app: web::Data<App>,
    client: Client,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let mut fields = body.0;
    let username = fields.required_text("username");
    let password = fields.required_text("password");
    let code = fields.text("code");
    let keeping = if fields.boolean("cookies") == Some(true) { Keeping::InCookies } else { Keeping::ByClient };
    fields.refuse_unknown();
    fields.finish()?;
    if keeping == Keeping::InCookies {
        // Another site must not be able to sign somebody in as somebody else.
        cookies::refuse_cross_site(&request, &app)?;
    }
    let asked = SignIn { username, password, code, address: client.address, user_agent: client.user_agent };
    give(sign_in::sign_in(&app, asked).await?, keeping)
}

/// Go on with a session, by a refresh token in the body or in the cookie.
#[utoipa::path(post, path = "/api/v1/session/refresh", tag = "session", request_body = inline(RefreshBody),
    responses((status = 200, body = TokensBody), (status = 400, description = "A token and a cookie at once"),
        (status = 401, description = "Not a current refresh token"),
        (status = 403, description = "With the cookie, and not sent by a page of this server"),
        (status = 422, description = "Fields are wrong"),
        (status = 429, description = "Too many from this address")))]
async fn refresh_session(
    _: RefreshPaced,
    app: web::Data<App>,
    client: Client,
    sent: RefreshToken,
) -> Result<HttpResponse, Problem> {
    let asked = Refresh { token: sent.token, address: client.address, user_agent: client.user_agent };
    give(refresh::refresh(&app, asked).await?, sent.kept)
}

/// Sign out. The access token stops working at once; cookies are taken away.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", security(("bearer" = [])),
    responses((status = 204, description = "Signed out"), (status = 401, description = "Not signed in"), (status = 403, description = "With a key, which is no session")))]
async fn sign_out(
    app: web::Data<App>,
    SignedIn(moderator): SignedIn,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    moderator.require(Right::ChangeOneself)?;
    sign_out::sign_out(&app, &moderator).await?;
    let mut answer = HttpResponse::NoContent();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    if cookies::has_any(&request) {
        for cookie in cookies::clear()? {
            answer.append_header((header::SET_COOKIE, cookie));
        }
        answer.insert_header(("Clear-Site-Data", "\"cookies\", \"storage\""));
    }
    Ok(answer.finish())
}

/// The refresh token that a request came with.
struct RefreshToken {
    token: String,
    kept: Keeping,
}

impl FromRequest for RefreshToken {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let app = request.app_data::<web::Data<App>>().ok_or_else(|| Problem::internal("no App"))?;
            let cookie = cookies::find(&request, cookies::REFRESH_COOKIE);
            if cookie.is_some() {
                cookies::refuse_two_credentials(&request)?;
                cookies::refuse_cross_site(&request, app)?;
            }
            match cookie {
                Some(token) if !request.headers().contains_key(header::CONTENT_TYPE) => {
                    Ok(Self { token: token.to_owned(), kept: Keeping::InCookies })
                }
                cookie => Self::in_body(JsonBody::from_request(&request, &mut payload).await?, cookie),
            }
        })
    }
}

impl RefreshToken {
    /// A body beside the cookie may be there, and has nothing in it.
    fn in_body(JsonBody(mut fields): JsonBody, cookie: Option<&str>) -> Result<Self, Problem> {
        if let Some(token) = cookie {
            if fields.has("refresh_token") {
                return Err(cookies::two_credentials());
            }
            fields.refuse_unknown();
            fields.finish()?;
            return Ok(Self { token: token.to_owned(), kept: Keeping::InCookies });
        }
        let token = fields.required_text("refresh_token");
        fields.refuse_unknown();
        fields.finish()?;
        Ok(Self { token, kept: Keeping::ByClient })
    }
}

/// Hands a pair of tokens out.
fn give(tokens: Tokens, keeping: Keeping) -> Result<HttpResponse, Problem> {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    let expires_in = token::GOOD_FOR.as_secs();
    let body = match keeping {
        Keeping::ByClient => TokensBody {
            access_token: Some(tokens.access),
            token_type: "Bearer",
            expires_in,
            refresh_token: Some(tokens.refresh),
        },
        Keeping::InCookies => {
            for cookie in cookies::set(&tokens)? {
                answer.append_header((header::SET_COOKIE, cookie));
            }
            TokensBody { access_token: None, token_type: "Cookie", expires_in, refresh_token: None }
        }
    };
    Ok(answer.json(body))
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused => Self::new(Kind::Unauthenticated, "The name, the password or the code is wrong."),
            SignInError::TooSoon(error) => error.into(),
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
