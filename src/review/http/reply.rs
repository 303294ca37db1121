//! Replying as staff, over HTTP.

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::accounts::{By, Moderator, Right};
use crate::app::App;
use crate::comments::{StaffText, Status};
use crate::http::body::JsonBody;
use crate::http::fields::Fields;
use crate::http::preconditions::{IdempotencyKey, IfMatch, version_tag};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::ids::CommentId;
use crate::review::reply::{self as story, Reply, ReplyError};
use crate::store::Replay;

pub fn routes(table: &mut RouteTable) {
    table.add(__path_reply_as_staff, reply_as_staff);
}

/// A reply by staff.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct ReplyBody {
    /// Markdown, up to 65,525 bytes.
    #[schema(min_length = 1, max_length = 65525)]
    text: String,
    /// Whether what it replies to is approved with it; then `If-Match` says at which version.
    approve_parent: Option<bool>,
}

/// What was published.
#[derive(Serialize, utoipa::ToSchema)]
struct RepliedBody {
    #[schema(value_type = i64)]
    id: CommentId,
    #[schema(value_type = i64)]
    parent_id: CommentId,
    status: Status,
    version: i64,
}

/// Reply to a comment as staff: published at once, under one's display name.
#[utoipa::path(post, path = "/api/v1/review/comments/{id}/replies", tag = "review", security(("bearer" = [])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header, description = "Needed to approve the parent"), ("Idempotency-Key" = Option<String>, Header, pattern = r#"^("[ -~]{1,128}"|[!#-~]([ -~]{0,126}[!#-~])?)$"#)), request_body = inline(ReplyBody),
    responses((status = 201, body = RepliedBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such comment on your sites"), (status = 409, description = "What it replies to is not published"), (status = 410, description = "Withdrawn or erased"),
        (status = 412, description = "It has changed since; `current` says how it stands"), (status = 422, description = "Fields are wrong, or replies go no deeper"), (status = 428, description = "If-Match is missing")))]
async fn reply_as_staff(
    app: web::Data<App>,
    asked: By<(web::Path<CommentId>, IdempotencyKey, JsonBody)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (id, key, JsonBody(fields))) = asked;
    moderator.require(Right::Decide)?;
    let mut reply = read_reply(*id, fields, &request).await?;
    reply.replay = key.0.map(|key| replay(&app, &moderator, &reply, &key));
    let _running = reply.replay.map(|replay| app.running.begin(replay.key)).transpose()?;
    let replied = story::reply_as_staff(&app, &moderator, reply).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::ETAG, version_tag(1)));
    response.insert_header((header::LOCATION, app.link(&format!("/api/v1/review/comments/{}", replied.id))));
    Ok(response.json(RepliedBody { id: replied.id, parent_id: *id, status: Status::Approved, version: 1 }))
}

async fn read_reply(parent: CommentId, mut fields: Fields, request: &HttpRequest) -> Result<Reply, Problem> {
    let text = StaffText { text: fields.required_text("text") };
    let is_approval = fields.boolean("approve_parent").unwrap_or(false);
    fields.check(&text);
    fields.refuse_unknown();
    fields.finish()?;
    let approves = if is_approval { Some(IfMatch::extract(request).await?.0) } else { None };
    Ok(Reply { parent, text, approves, replay: None })
}

/// The scope of a moderator's key is the route and the account (API.md).
fn replay(app: &App, moderator: &Moderator, reply: &Reply, key: &str) -> Replay {
    let asked = format!("{:?}", (&reply.text.text, &reply.approves));
    let (who, what) = (moderator.id.get().to_be_bytes(), reply.parent.get().to_be_bytes());
    Replay {
        key: app.keys.replay.mac(&[b"reply", &what, &who, key.as_bytes()]),
        request: app.keys.replay.mac(&[asked.as_bytes()]),
    }
}

impl From<ReplyError> for Problem {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Parent(error) => error.into(),
            ReplyError::NotPublished => Self::new(
                Kind::Conflict,
                "What it replies to is not published. Approve it first, or with the reply: approve_parent.",
            ),
            ReplyError::TooDeep => Self::invalid_field("parent_id", "parent"),
        }
    }
}
