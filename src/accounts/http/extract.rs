//! Who a request comes from, as what a handler asks for: [`Moderator`], [`SignedIn`], or [`By`] with what was sent.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};

use crate::accounts::{Moderator, Right, key_access, signed_in, token};
use crate::app::App;
use crate::http::problem::{Kind, Problem};

use super::cookies;

/// Somebody who is signed in, even without the second factor that their role must have. Only for what it takes to set one
/// up, and to leave; everything else asks for a [`Moderator`], who has what their role must have.
pub struct SignedIn(pub Moderator);

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<web::Data<App>>().ok_or_else(|| Problem::internal("no App"))?;
            let token = access_token(&request, app)?.ok_or_else(|| unauthenticated("Bearer realm=\"rejoinder\""))?;
            let invalid = || unauthenticated("Bearer realm=\"rejoinder\", error=\"invalid_token\"");
            if key_access::is_key(token) {
                return key_access::find_by_key(app, token).await?.map(Self).ok_or_else(invalid);
            }
            let (id, session) = token::verify(app, token, app.clock.now()).await?.ok_or_else(invalid)?;
            let found = signed_in::find_signed_in(app, id, session).await?;
            found.map(Arc::unwrap_or_clone).map(Self).ok_or_else(invalid)
        })
    }
}

impl FromRequest for Moderator {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let SignedIn(moderator) = SignedIn::extract(&request).await?;
            let app = request.app_data::<web::Data<App>>().ok_or_else(|| Problem::internal("no App"))?;
            if moderator.lacks_second_factor(&app.settings.require_totp) {
                return Err(Problem::new(
                    Kind::SecondFactorRequired,
                    "Set up a second factor first: your role needs one.",
                ));
            }
            Ok(moderator)
        })
    }
}

impl Moderator {
    /// Asks for a right.
    ///
    /// # Errors
    /// 403, when they do not have it or the key they came with does not let it through.
    pub fn require(&self, right: Right) -> Result<(), Problem> {
        if self.may(right) {
            return Ok(());
        }
        let why = if self.role.has(right) {
            "The key that this was sent with is not good for it."
        } else {
            "Your role may not do this."
        };
        Err(Problem::new(Kind::Forbidden, why))
    }
}

/// What a moderator sends: first who they are, then whether the rest can be read. Side by side, whoever is not signed in
/// would hear of a missing header before hearing that.
pub struct By<T, Who = Moderator>(pub Who, pub T);

impl<T, Who> FromRequest for By<T, Who>
where
    T: FromRequest + 'static,
    Who: FromRequest<Error = Problem> + 'static,
{
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let who = Who::extract(&request).await?;
            let rest = T::from_request(&request, &mut payload).await.map_err(Into::into)?;
            Ok(Self(who, rest))
        })
    }
}

/// The access token that a request came with, in its header or in a cookie.
fn access_token<'a>(request: &'a HttpRequest, app: &App) -> Result<Option<&'a str>, Problem> {
    cookies::refuse_two_credentials(request)?;
    let Some(cookie) = cookies::find(request, cookies::SESSION_COOKIE) else { return Ok(bearer(request)) };
    cookies::refuse_cross_site(request, app)?;
    Ok(Some(cookie))
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
