//! Problems: the one shape of every 4xx and 5xx, RFC 9457's `application/problem+json`.
//!
//! A feature's error becomes a [`Problem`] in that feature's `http.rs`; the [`super::boundary`] turns it into bytes,
//! JSON or, for a browser, a page, and logs the cause of our own failures once. Clients match `type`, a URL whose
//! page explains the kind; `detail` is for people. Nothing a reader sent is repeated in a problem.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use serde_json::{Map, Value, json};

use crate::kit::fault::Fault;

pub use super::problem_kinds::Kind;
use super::problem_page::ProblemDocPage;
use super::wording::{self, Wording};

/// The page that explains a kind of problem.
///
/// # Errors
/// When it cannot be rendered, which is ours to mend.
pub fn problem_document(kind: Kind, css_href: &str) -> Result<String, Problem> {
    let row = kind.row();
    let words = wording::in_language("en");
    let page =
        ProblemDocPage { words, css_href, slug: row.slug, status: row.status, title: row.title, meaning: row.meaning };
    page.render().map_err(Problem::internal)
}

/// A problem on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    pub kind: Kind,
    pub detail: String,
    pub errors: Vec<Fault>,
    pub retry_after_s: Option<u64>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

impl Problem {
    /// A problem of this kind, explained for a person.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            members: Map::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Every wrong field at once.
    pub fn invalid(errors: Vec<Fault>) -> Self {
        let detail = match errors.len() {
            1 => "One field is wrong.".to_owned(),
            count => format!("{count} fields are wrong."),
        };
        let position =
            errors.iter().find(|error| matches!(error.code, "search" | "pattern")).and_then(|error| error.limit);
        let problem = Self { errors, ..Self::new(Kind::Invalid, detail) };
        match position {
            Some(position) => problem.with("position", json!(position)),
            None => problem,
        }
    }

    /// One wrong field.
    pub fn invalid_field(name: &str, code: &'static str) -> Self {
        Self::invalid(vec![Fault::new(name, code)])
    }

    /// Nothing here, or nothing for you.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "There is nothing at this address.")
    }

    /// Our own failure; `cause` goes to the log and never to the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self { cause: Some(cause.to_string()), ..Self::new(Kind::Internal, "The failure is ours and has been logged.") }
    }

    /// Says when to try again, in the header and in the body.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Adds a member to the body (an extension member of RFC 9457 §3.2).
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Notes what is to be logged with it.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// What is to be logged.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The status of its kind.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The body, as JSON. `base` begins the URL of its type.
    pub fn to_json(&self, base: &str, trace_id: &str, words: &Wording) -> Value {
        let row = self.kind.row();
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(format!("{base}/problems/{}", row.slug)));
        body.insert("title".to_owned(), json!(row.title));
        body.insert("status".to_owned(), json!(row.status));
        body.insert("detail".to_owned(), json!(self.detail));
        if !self.errors.is_empty() {
            let errors = self.errors.iter().map(|error| {
                json!({
                    "pointer": error.pointer,
                    "code": error.code,
                    "message": words.field_message(error.code, error.limit),
                })
            });
            body.insert("errors".to_owned(), errors.collect());
        }
        if let Some(seconds) = self.retry_after_s {
            body.insert("retry_after_s".to_owned(), json!(seconds));
        }
        body.extend(self.members.clone());
        body.insert("trace_id".to_owned(), json!(trace_id));
        Value::Object(body)
    }

    /// Status and headers; the boundary adds the body, because only it knows what the client accepts.
    fn without_body(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status());
        let headers = response.headers_mut();
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthenticated && !headers.contains_key(header::WWW_AUTHENTICATE) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rejoinder\""));
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.row().slug, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        // The boundary writes a better body; this one is for what fails around it.
        let body = self.to_json("", "", wording::in_language("en")).to_string();
        let mut response = self.without_body().set_body(BoxBody::new(body));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<crate::store::StoreError> for Problem {
    fn from(error: crate::store::StoreError) -> Self {
        use crate::store::StoreError;
        match &error {
            StoreError::Busy => Self::new(Kind::Overloaded, "Too much waits already.").retry_after(1),
            StoreError::Contended(_) => {
                Self::new(Kind::Overloaded, "Too many changes at once.").retry_after(1).because(&error)
            }
            StoreError::Unavailable(_) => {
                Self::new(Kind::Unavailable, "The database cannot be reached.").retry_after(2).because(&error)
            }
            StoreError::Full(_) => {
                Self::new(Kind::DiskFull, "There is no room to keep it.").retry_after(5).because(&error)
            }
            StoreError::Taken(_) | StoreError::Missing | StoreError::Broken(_) => Self::internal(&error),
        }
    }
}
