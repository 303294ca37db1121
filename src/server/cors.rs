//! Cross-origin reading and posting by the pages of a site: its origins are echoed, every other gets no CORS header.
//!
//! Only what readers use is opened. Moderators' tools are no pages of other origins.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::app::App;
use crate::kit::key::Key;
use crate::sites::list_origins;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
const HEADERS: HeaderValue = HeaderValue::from_static("Content-Type, Idempotency-Key, If-None-Match");
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy");
/// Seconds that a browser may remember the answer to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Adds the headers that let a listed origin read the answer, problems included.
///
/// # Errors
/// Those of what lies within.
pub async fn cors<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned().filter(|_| is_for_readers(request.path())) else {
        return next.call(request).await;
    };
    let app = request.app_data::<web::Data<App>>().cloned();
    let whose = whose(request.path());
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = next.call(request).await?;
    let Some(app) = app else { return Ok(response) };
    if !response.headers().contains_key(header::VARY) {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    // Without the list the answer stands, and the browser keeps it from the page.
    let listed = match whose {
        Whose::Site(site) => list_origins(&app, Some(site)).await.unwrap_or_default(),
        Whose::AllSites => list_origins(&app, None).await.unwrap_or_default(),
        Whose::Nobody => return Ok(response),
    };
    let is_listed = listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes());
    if is_listed {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }
    Ok(response)
}

fn is_for_readers(path: &str) -> bool {
    ["/api/v1/sites/", "/api/v1/comments/", "/api/v1/receipts/"].iter().any(|prefix| path.starts_with(prefix))
}

/// Whose origins may read what stands at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Whose {
    Site(Key),
    /// The path names no site.
    AllSites,
    /// The path names something that is no site, or writes one in a way that only hides it.
    Nobody,
}

fn whose(path: &str) -> Whose {
    match path.strip_prefix("/api/v1/sites/") {
        Some(rest) => rest.split('/').next().and_then(Key::parse).map_or(Whose::Nobody, Whose::Site),
        None => Whose::AllSites,
    }
}
