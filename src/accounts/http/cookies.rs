//! A session in cookies, for pages of this very server: the same two tokens, where no script can read them.
//!
//! A browser sends cookies along whoever makes it ask. So what changes something by cookie must also say that one of our
//! own pages sent it (Fetch Metadata, or `Origin`); and a request never comes with a token and a cookie, because then it
//! could not be told whose it is. Readers' routes look at neither: what a cache keeps of them is nobody's own.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName, HeaderValue};

use crate::accounts::sign_in::Tokens;
use crate::accounts::{refresh, token};
use crate::app::App;
use crate::http::cookies::pairs;
use crate::http::problem::{Kind, Problem};

pub use crate::http::cookies::find;

/// The cookie with the access token. `__Host-`: set by this host over TLS alone, for itself alone (RFC 6265bis §4.1.3.2).
pub const SESSION_COOKIE: &str = "__Host-rejoinder-session";
/// The cookie with the refresh token.
pub const REFRESH_COOKIE: &str = "__Host-rejoinder-refresh";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether any of our cookies came.
pub fn has_any(request: &HttpRequest) -> bool {
    pairs(request).any(|(name, _)| name == SESSION_COOKIE || name == REFRESH_COOKIE)
}

/// Refuses a request that came with an `Authorization` header and one of our cookies.
///
/// # Errors
/// A 400 problem.
pub fn refuse_two_credentials(request: &HttpRequest) -> Result<(), Problem> {
    if request.headers().contains_key(header::AUTHORIZATION) && has_any(request) {
        return Err(two_credentials());
    }
    Ok(())
}

/// A token and a cookie.
pub fn two_credentials() -> Problem {
    Problem::new(Kind::TwoCredentials, "Send a token or the cookies of a session, not both.")
}

/// Refuses what would change something and does not say that one of our own pages sent it.
///
/// # Errors
/// A 403 problem.
pub fn refuse_cross_site(request: &HttpRequest, app: &App) -> Result<(), Problem> {
    if request.method().is_safe() || is_of_our_pages(request, app) {
        return Ok(());
    }
    Err(Problem::new(Kind::CrossSite, "Cookies count only for what a page of this server sends."))
}

/// `Sec-Fetch-Site` decides where it is sent: a browser that knows it tells the truth, and no page can write it. `Origin`
/// is for those that do not.
fn is_of_our_pages(request: &HttpRequest, app: &App) -> bool {
    let is_only = |name: HeaderName, wanted: &str| {
        let mut values = request.headers().get_all(name);
        let first = values.next().map(HeaderValue::as_bytes);
        first.is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes())) && values.next().is_none()
    };
    if request.headers().contains_key(SEC_FETCH_SITE) {
        is_only(SEC_FETCH_SITE, "same-origin")
    } else {
        is_only(header::ORIGIN, app.public_url.origin())
    }
}

/// Headers that give a browser the two tokens, each for as long as it may be good.
///
/// # Errors
/// When a token were no header value, which ours never are.
pub fn set(tokens: &Tokens) -> Result<[HeaderValue; 2], Problem> {
    Ok([
        cookie(SESSION_COOKIE, &tokens.access, token::GOOD_FOR)?,
        cookie(REFRESH_COOKIE, &tokens.refresh, refresh::IDLE)?,
    ])
}

/// Headers that take both away again.
///
/// # Errors
/// None in practice: see [`set`].
pub fn clear() -> Result<[HeaderValue; 2], Problem> {
    Ok([cookie(SESSION_COOKIE, "", Duration::ZERO)?, cookie(REFRESH_COOKIE, "", Duration::ZERO)?])
}

fn cookie(name: &str, value: &str, max_age: Duration) -> Result<HeaderValue, Problem> {
    let max_age_s = max_age.as_secs();
    let text = format!("{name}={value}; Max-Age={max_age_s}; Path=/; Secure; HttpOnly; SameSite=Strict");
    let mut value = HeaderValue::from_str(&text).map_err(Problem::internal)?;
    value.set_sensitive(true);
    Ok(value)
}
