//! Reading a request's body: bounded in size before it is read, and in time while it is.

use std::time::Duration;

use actix_multipart::MultipartError;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use super::fields::Fields;
use super::problem::{Kind, Problem};

/// The most that a body may have, in bytes: 65,525 bytes of text fit, however JSON escapes them.
pub const MAX_BODY: usize = 512 * 1024;

/// The most that a body with lists of words and addresses may have, in bytes: 60,000 of them fit.
pub const MAX_LISTS: usize = 4 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The media types that bodies come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    Json,
    UrlEncoded,
    MultipartForm,
}

/// A reader's form: JSON, urlencoded or multipart, read into fields alike.
pub struct FormBody {
    pub fields: Fields,
    pub media_type: MediaType,
}

impl FromRequest for FormBody {
    type Error = Problem;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let media_type = media_type(request.headers())?;
            refuse_declared_size(request.headers(), MAX_BODY)?;
            let reading = async {
                match media_type {
                    MediaType::Json => Fields::from_json(&read(payload, MAX_BODY).await?),
                    MediaType::UrlEncoded => Fields::from_urlencoded(&read(payload, MAX_BODY).await?),
                    MediaType::MultipartForm => read_multipart(request.headers(), payload).await,
                }
            };
            let fields = in_time(reading).await?;
            Ok(Self { fields, media_type })
        })
    }
}

/// A moderator's or a program's body: a JSON object.
pub struct JsonBody(pub Fields);

impl FromRequest for JsonBody {
    type Error = Problem;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { read_json(&request, payload, MAX_BODY).await.map(Self) })
    }
}

/// As [`JsonBody`], of up to [`MAX_LISTS`] bytes: for the few routes that take long lists.
pub struct ListsBody(pub Fields);

impl FromRequest for ListsBody {
    type Error = Problem;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { read_json(&request, payload, MAX_LISTS).await.map(Self) })
    }
}

async fn read_json(request: &HttpRequest, payload: Payload, most: usize) -> Result<Fields, Problem> {
    if media_type(request.headers())? != MediaType::Json {
        return Err(unsupported("Send application/json."));
    }
    refuse_declared_size(request.headers(), most)?;
    in_time(async { Fields::from_json(&read(payload, most).await?) }).await
}

fn media_type(headers: &HeaderMap) -> Result<MediaType, Problem> {
    if headers.get_all(header::CONTENT_ENCODING).any(|value| value.as_bytes() != b"identity") {
        return Err(unsupported("Send the body without a Content-Encoding."));
    }
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (essence, parameters) = declared.split_once(';').unwrap_or((declared, ""));
    let charset = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8") && !charset.eq_ignore_ascii_case("utf8")) {
        return Err(unsupported("Send UTF-8."));
    }
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(MediaType::Json),
        "application/x-www-form-urlencoded" => Ok(MediaType::UrlEncoded),
        "multipart/form-data" => Ok(MediaType::MultipartForm),
        _ => Err(unsupported("Send application/json, application/x-www-form-urlencoded or multipart/form-data.")),
    }
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType, detail)
}

fn too_large(most: usize) -> Problem {
    Problem::new(Kind::TooLarge, format!("The body is larger than {most} bytes."))
}

fn refuse_declared_size(headers: &HeaderMap, most: usize) -> Result<(), Problem> {
    let declared: Option<u64> =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    if declared.is_some_and(|bytes| bytes > most as u64) { Err(too_large(most)) } else { Ok(()) }
}

async fn in_time<T>(reading: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(BODY_DEADLINE, reading)
        .await
        .unwrap_or_else(|_| Err(Problem::new(Kind::Timeout, "The body did not arrive within ten seconds.")))
}

async fn read(mut payload: Payload, most: usize) -> Result<BytesMut, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(broken_off)?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn read_multipart(headers: &HeaderMap, payload: Payload) -> Result<Fields, Problem> {
    let mut parts = actix_multipart::Multipart::new(headers, bounded(payload));
    let mut fields = Fields::default();
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(not_multipart)?;
        let name = part.name().unwrap_or_default().to_owned();
        let mut value = Vec::new();
        while let Some(chunk) = part.next().await {
            value.extend_from_slice(&chunk.map_err(not_multipart)?);
        }
        let value = String::from_utf8(value).map_err(|_| Problem::new(Kind::Unreadable, "The form is not UTF-8."))?;
        fields.add(name, value);
    }
    Ok(fields)
}

/// The same bytes, with an error where they pass the limit: what stands between the parts of a form counts too.
fn bounded(payload: Payload) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    let mut size = 0;
    payload.map(move |chunk| {
        let chunk = chunk?;
        size += chunk.len();
        if size > MAX_BODY { Err(PayloadError::Overflow) } else { Ok(chunk) }
    })
}

fn not_multipart(error: MultipartError) -> Problem {
    match error {
        MultipartError::Payload(PayloadError::Overflow) => too_large(MAX_BODY),
        _ => Problem::new(Kind::Unreadable, "The body is not a multipart form."),
    }
}

fn broken_off(_: PayloadError) -> Problem {
    Problem::new(Kind::Unreadable, "The body broke off, or is not framed as HTTP asks.")
}

/// The query, read like a form. Readers' routes ignore what they do not know; moderators' routes refuse it.
pub struct Query(pub Fields);

impl FromRequest for Query {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Fields::from_urlencoded(request.query_string().as_bytes()).map(Self))
    }
}

/// What a path that does not parse is answered with: an id or key of the wrong shape names nothing.
pub fn path_config() -> web::PathConfig {
    web::PathConfig::default().error_handler(|_, _| Problem::not_found().into())
}
