//! The cookie of a browser that asked to be remembered. No script can read it, no other site's page makes it come along
//! with a post (`SameSite=Lax`), and what it says is for this server alone: it fills the form in and says whose browser it
//! is.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;

use crate::app::App;
use crate::http::cookies;
use crate::http::problem::Problem;

use super::Remembered;
use super::browser::REMEMBERED_FOR;

/// `__Host-`: set by this host over TLS alone, for itself alone (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "__Host-rejoinder-reader";

/// What a request's cookie says.
pub fn remembered_in(request: &HttpRequest, app: &App) -> Option<Remembered> {
    cookies::find(request, COOKIE).and_then(|value| Remembered::open(app, value))
}

/// The header that makes a browser remember.
///
/// # Errors
/// When it were no header value, which ours never is.
pub fn remember_cookie(app: &App, remembered: &Remembered) -> Result<HeaderValue, Problem> {
    cookie(&remembered.seal(app), REMEMBERED_FOR.as_secs())
}

/// The header that makes a browser forget.
///
/// # Errors
/// None in practice: see [`remember_cookie`].
pub fn forget_cookie() -> Result<HeaderValue, Problem> {
    cookie("", 0)
}

fn cookie(value: &str, max_age_s: u64) -> Result<HeaderValue, Problem> {
    let text = format!("{COOKIE}={value}; Max-Age={max_age_s}; Path=/; Secure; HttpOnly; SameSite=Lax");
    let mut value = HeaderValue::from_str(&text).map_err(Problem::internal)?;
    value.set_sensitive(true);
    Ok(value)
}
