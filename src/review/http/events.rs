//! What changes, live: server-sent events (HTML, §9.2).

use std::convert::Infallible;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::http::body::Query;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::review::events::{Desk, FollowError, Told, follow};

/// How long a client waits before it comes again, in milliseconds.
const RETRY_MS: u32 = 1_000;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_follow_review, follow_review);
}

/// What changes on one's sites, as it happens.
///
/// `event: comment` with `data: {comment_id, version, status, site}` for each new version of a comment: posted, decided or
/// edited. Of one comment the highest version counts; changes of the same moment may come in another order. `event: resync`
/// when what was missed cannot be told: read the queue again. The first `id:` comes at once and without an event, so that
/// a connection that breaks before the first event resumes as well. A stream ends at sign-out, when one's sites change, and
/// after 15 minutes: come again with `Last-Event-ID`.
#[utoipa::path(get, path = "/api/v1/review/events", tag = "review", security(("bearer" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "The last `id:` received: goes on after it")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed"), (status = 422, description = "A parameter is wrong"), (status = 503, description = "Too many follow already")))]
async fn follow_review(app: web::Data<App>, asked: By<Query>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(mut fields)) = asked;
    moderator.require(Right::ReadQueue)?;
    fields.refuse_unknown();
    fields.finish()?;
    // What cannot be read is no number of ours, and so cannot be resumed.
    let last = request.headers().get("last-event-id").map(|id| id.to_str().ok().and_then(parse_number).unwrap_or(0));
    let desk = follow(&app.into_inner(), &moderator, last).await?;
    let events = stream::unfold(desk, async |mut desk: Desk| {
        let told = desk.next().await?;
        Some((Ok::<_, Infallible>(write(&told)), desk))
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Some proxies keep answers back until they are whole; this one says not to (nginx).
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(events)))
}

/// Digits alone; `parse` would take a sign.
fn parse_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn write(told: &Told) -> Bytes {
    match told {
        Told::Begun(number) => format!("retry: {RETRY_MS}\nid: {number}\n\n").into(),
        Told::Resync(number) => format!("event: resync\nid: {number}\ndata: {{}}\n\n").into(),
        Told::Quiet => Bytes::from_static(b": quiet\n\n"),
        Told::Changes(changes) => {
            let event = |(number, change, site): &(u64, crate::kit::changes::Change, crate::kit::key::Key)| {
                let data = json!({
                    "comment_id": change.comment,
                    "version": change.version,
                    "status": change.status,
                    "site": site.as_str(),
                });
                format!("event: comment\nid: {number}\ndata: {data}\n\n")
            };
            changes.iter().map(event).collect::<String>().into()
        }
    }
}

impl From<FollowError> for Problem {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Full => Self::new(Kind::Overloaded, "Too many follow already.").retry_after(10),
            FollowError::Store(error) => error.into(),
        }
    }
}
