//! What happens around every request, in this order: the path below a prefix, `HEAD` as `GET`, a hold on the body, the
//! handler, headers that protect browsers, and, when something went wrong, the problem's bytes and one line in the log.
//!
//! Requests are logged at `debug`; the default level, `info`, says nothing of requests that went well. A line names the
//! route and never the path, a query, an address or anything a reader sent.

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::BuildHasher;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::body::{BodySize, BodyStream, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use askama::Template;
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use tracing::Instrument;

use crate::app::App;

use super::limits::Standing;
use super::problem::{Kind, Problem};
use super::problem_page::ProblemPage;
use super::{unread, wording};

/// The content security policy of every page: own styles, own forms, nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// The same for a page with a script of ours, which may ask this server and start another.
const SCRIPT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// The same for what is no page: nothing may come of it even where a browser shows it as one.
const DATA_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Surrounds a request.
///
/// # Errors
/// Those of the framework itself.
pub async fn boundary<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let trace = next_trace();
    strip_prefix(&mut request);
    let is_head = request.method() == Method::HEAD;
    if is_head {
        // Routes know GET alone; the connection remembers that no body is to be sent.
        request.head_mut().method = Method::GET;
    }
    let method = request.method().clone();
    let unread = unread::hold(&mut request);
    let span = tracing::debug_span!("request", trace_id = %TraceId(trace));
    // Handlers' and extractors' errors have become answers below; an error here would be the framework's own.
    let called = AssertUnwindSafe(next.call(request).instrument(span)).catch_unwind().await;
    let response = called.unwrap_or_else(|_| Err(panicked(trace).into()))?;
    let mut response = answer_problems(response, trace);
    if is_head {
        response = response.map_body(|_, body| without_stream(body));
    }
    finish_headers(&mut response);
    tracing::debug!(
        trace_id = %TraceId(trace),
        %method,
        route = response.request().match_pattern().unwrap_or_default(),
        status = response.status().as_u16(),
        "answered"
    );
    Ok(match unread {
        Some(unread) => unread::release_after(unread, response),
        None => response,
    })
}

/// A handler panicked. Its message went to standard error when it did; the client hears what it hears of any failure.
fn panicked(trace: u128) -> Problem {
    tracing::error!(trace_id = %TraceId(trace), "a handler panicked");
    Problem::internal("a handler panicked")
}

/// The framework makes a body even where none is to be sent. One that has no end would keep the connection for ever.
fn without_stream<B: MessageBody + 'static>(body: EitherBody<B, BoxBody>) -> EitherBody<B, BoxBody> {
    match body.size() {
        BodySize::Stream => {
            EitherBody::right(BoxBody::new(BodyStream::new(stream::empty::<Result<Bytes, Infallible>>())))
        }
        _ => body,
    }
}

/// Turns the body of every 4xx and 5xx, the framework's own included, into a problem.
fn answer_problems<B: MessageBody>(
    response: ServiceResponse<B>,
    trace: u128,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() || response.response().extensions().contains::<IsPage>() {
        return response.map_into_left_body();
    }
    let problem = response.response().extensions().get::<Problem>().cloned();
    let problem = problem.unwrap_or_else(|| of_the_framework(status));
    let trace_id = TraceId(trace).to_string();
    log(&problem, response.request(), &trace_id);
    let (media_type, body) = render(&problem, response.request(), &trace_id);
    let mut response = response.map_body(|_, _| EitherBody::right(BoxBody::new(body)));
    *response.response_mut().status_mut() = problem.status();
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// Marks an answer that is a page about a problem already: a form that comes back with its wrong fields.
pub struct IsPage;

/// Marks a page that runs a script of ours.
pub struct RunsScript;

fn of_the_framework(status: StatusCode) -> Problem {
    let kind = Kind::ALL.into_iter().find(|kind| kind.row().status == status.as_u16());
    match kind {
        Some(kind) if kind != Kind::Internal => Problem::new(kind, kind.row().meaning),
        _ if status.is_client_error() => {
            Problem::new(Kind::Unreadable, "The request is not one that HTTP allows here.")
        }
        _ => Problem::internal(format_args!("the framework answered {status}")),
    }
}

/// Our own failures are errors; being full or without a database is a warning; what clients do wrong is nobody's news.
fn log(problem: &Problem, request: &HttpRequest, trace_id: &str) {
    let status = problem.kind.row().status;
    let route = request.match_pattern().unwrap_or_default();
    match problem.cause() {
        Some(cause) if status == 500 => {
            tracing::error!(trace_id, route, cause = %OneLine(cause), "the request failed");
        }
        Some(cause) => tracing::warn!(trace_id, route, status, cause = %OneLine(cause), "the request was put off"),
        None => {}
    }
}

fn render(problem: &Problem, request: &HttpRequest, trace_id: &str) -> (HeaderValue, Vec<u8>) {
    let base = request.app_data::<web::Data<App>>().map_or("", |app| app.public_url.as_str());
    let words = wording::in_language("en");
    if prefers_html(request.headers()) {
        let row = problem.kind.row();
        let errors: Vec<(String, String)> = problem
            .errors
            .iter()
            .map(|error| (error.pointer.clone(), words.field_message(error.code, error.limit)))
            .collect();
        let page = ProblemPage {
            words,
            css_href: &format!("{base}/rejoinder.css"),
            status: row.status,
            title: row.title,
            detail: &problem.detail,
            errors: &errors,
            trace_id: (row.status >= 500).then_some(trace_id),
        };
        if let Ok(html) = page.render() {
            return (HeaderValue::from_static("text/html; charset=utf-8"), html.into_bytes());
        }
    }
    let body = problem.to_json(base, trace_id, words).to_string();
    (HeaderValue::from_static("application/problem+json"), body.into_bytes())
}

/// Whether a browser asks for a page: `Accept` names `text/html` and does not name JSON before it.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else { return false };
    let html = accept.find("text/html");
    let json = accept.find("json");
    html.is_some_and(|html| json.is_none_or(|json| html < json))
}

fn finish_headers<B>(response: &mut ServiceResponse<B>) {
    let standing = response.request().extensions_mut().remove::<Standing>();
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/html"));
    let runs_script = response.response().extensions().contains::<RunsScript>();
    let app = response.request().app_data::<web::Data<App>>();
    if app.is_some_and(|app| app.is_stopping.load(Ordering::Relaxed)) {
        // Whoever keeps the connection must not begin another request on it that nobody would read any more.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = match (is_page, runs_script) {
        (true, true) => SCRIPT_POLICY,
        (true, false) => PAGE_POLICY,
        (false, _) => DATA_POLICY,
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if is_page {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        if !headers.contains_key(header::REFERRER_POLICY) {
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
        }
        headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    }
    if let Some(standing) = standing {
        standing.write(headers);
    }
}

/// When readers reach us below a path, and the proxy before us leaves it in, it is taken off here.
fn strip_prefix(request: &mut ServiceRequest) {
    let Some(app) = request.app_data::<web::Data<App>>() else { return };
    let prefix = app.public_url.path();
    if prefix.is_empty() {
        return;
    }
    let uri = request.uri().clone();
    let Some(rest) = uri.path().strip_prefix(prefix).filter(|rest| rest.starts_with('/')) else { return };
    let path_and_query = match uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    if let Ok(stripped) = path_and_query.parse::<Uri>() {
        request.match_info_mut().get_mut().update(&stripped);
        request.head_mut().uri = stripped;
    }
}

/// A request's number, unlike any other's here and hard to guess elsewhere.
fn next_trace() -> u128 {
    static SEED: LazyLock<(RandomState, RandomState)> = LazyLock::new(|| (RandomState::new(), RandomState::new()));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    u128::from(SEED.0.hash_one(count)) << 64 | u128::from(SEED.1.hash_one(count))
}

/// 32 hexadecimal digits, as W3C Trace Context has them.
struct TraceId(u128);

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A cause on one line: what a database quotes may hold anything.
struct OneLine<'a>(&'a str);

impl std::fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.escape_debug().fmt(f)
    }
}
