//! `If-Match` on writes to one comment or to settings, and `Idempotency-Key`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest, dev::Payload};

use crate::kit::secret::Digest256;

use super::problem::{Kind, Problem};

/// The longest Idempotency-Key, in characters.
const MAX_KEY: usize = 128;

/// The versions that a writer says the comment may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(pub Vec<i64>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let missing =
            || Problem::new(Kind::PreconditionRequired, "Send If-Match with the ETag of the version you decide about.");
        let value = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
        // "*" would mean "whatever it is by now", which is what this header is here to prevent.
        std::future::ready(match value {
            None | Some("*") => Err(missing()),
            Some(value) if !value.contains('"') => {
                Err(Problem::new(Kind::Unreadable, "If-Match holds a version in quotes, as the ETag did: \"1\"."))
            }
            Some(value) => Ok(parse_versions(value)),
        })
    }
}

/// The versions that a writer says it may have, if they say so at all: where the last writer may win.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeIfMatch(pub Option<Vec<i64>>);

impl FromRequest for MaybeIfMatch {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let header = request.headers().get(header::IF_MATCH);
        std::future::ready(match header.map(HeaderValue::as_bytes) {
            None | Some(b"*") => Ok(Self(None)),
            Some(_) => {
                IfMatch::from_request(request, payload).into_inner().map(|IfMatch(versions)| Self(Some(versions)))
            }
        })
    }
}

/// A tag that is not one of our versions matches nothing, a weak one included (RFC 9110 §13.1.1).
fn parse_versions(value: &str) -> IfMatch {
    let version = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    IfMatch(value.split(',').filter_map(version).collect())
}

/// A version as a strong `ETag`.
pub fn version_tag(version: i64) -> HeaderValue {
    // Digits between quotes are always a header value.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The key by which a client may send the same request again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("idempotency-key") else {
            return std::future::ready(Ok(Self(None)));
        };
        let text = value
            .to_str()
            .ok()
            .map(|text| text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text));
        let is_printable = |text: &&str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let key = text.filter(|text| (1..=MAX_KEY).contains(&text.len())).filter(is_printable);
        std::future::ready(key.map(|key| Self(Some(key.to_owned()))).ok_or_else(|| {
            Problem::new(Kind::Unreadable, "An Idempotency-Key has 1 to 128 printable ASCII characters.")
        }))
    }
}

/// Requests with an Idempotency-Key that are not answered yet, by the hash of key and scope. Per node.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashSet<Digest256>>);

impl Running {
    /// Notes that a request with this key has begun; it ends when what is returned is dropped.
    ///
    /// # Errors
    /// A 409 problem when another with the same key has not ended.
    pub fn begin(&self, key: Digest256) -> Result<RunningRequest<'_>, Problem> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
            return Ok(RunningRequest { all: self, key });
        }
        let problem = Problem::new(Kind::StillRunning, "The first request with this Idempotency-Key still runs.");
        Err(problem.retry_after(1))
    }
}

/// A request with an Idempotency-Key, until it is answered.
#[derive(Debug)]
pub struct RunningRequest<'a> {
    all: &'a Running,
    key: Digest256,
}

impl Drop for RunningRequest<'_> {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
