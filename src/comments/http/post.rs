//! Posting a comment: JSON and forms alike, answered to programs with JSON and to browsers with a page.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::comments::{Post, Posted, ReplyForm, Traces, post_comment as story, receipt_token};
use crate::http::body::FormBody;
use crate::http::boundary::prefers_html;
use crate::http::client::{Client, foreign_origin};
use crate::http::fields::Fields;
use crate::http::limits::PostPaced;
use crate::http::preconditions::IdempotencyKey;
use crate::http::problem::Problem;
use crate::http::routes::RouteTable;
use crate::kit::ids::CommentId;
use crate::kit::key::Key;
use crate::store::Replay;

use super::{links, page};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_post_comment, post_comment);
}

/// The reply form.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct PostComment {
    /// Up to 245 bytes; required unless the site says otherwise.
    name: Option<String>,
    /// Up to 100 bytes; never published; required unless the site says otherwise.
    email: Option<String>,
    /// Markdown, up to 65,525 bytes.
    comment: String,
    /// The author's website, up to 200 bytes.
    url: Option<String>,
    /// The published comment it replies to.
    parent_id: Option<i64>,
    /// A nonce: the same one again, with the same content, is answered alike and makes nothing.
    submission: Option<String>,
    /// The solution of a challenge, when the article asks for one (`form.challenge`).
    altcha: Option<String>,
    /// When the page's form was given out, signed; programs leave it out.
    stamp: Option<String>,
    /// Left empty: people do not see it.
    website2: Option<String>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
struct PostedBody {
    #[schema(value_type = i64)]
    id: CommentId,
    /// `approved` or `pending`.
    status: &'static str,
    /// The author's private link.
    receipt_url: String,
}

/// Post a comment.
#[utoipa::path(post, path = "/api/v1/sites/{site}/articles/{article}/comments", tag = "readers",
    params(("site" = String, Path), ("article" = String, Path), ("Idempotency-Key" = Option<String>, Header, pattern = r#"^("[ -~]{1,128}"|[!#-~]([ -~]{0,126}[!#-~])?)$"#)),
    request_body(content((inline(PostComment) = "application/json"), (inline(PostComment) = "application/x-www-form-urlencoded"), (inline(PostComment) = "multipart/form-data"))),
    responses((status = 201, body = PostedBody, description = "Published"), (status = 202, body = PostedBody, description = "Held"),
        (status = 303, description = "To a browser: see the comment, or its receipt"), (status = 400, description = "Unreadable"),
        (status = 403, description = "Closed, or sent from another origin"), (status = 404, description = "No such site or article"),
        (status = 409, description = "The same text again, or the same key at the same time"), (status = 413, description = "Over 512 KiB"),
        (status = 415, description = "Another media type"), (status = 422, description = "Fields are wrong, or a challenge is not solved"), (status = 429, description = "Too fast")))]
async fn post_comment(
    paced: PostPaced,
    app: web::Data<App>,
    path: web::Path<(Key, Key)>,
    client: Client,
    key: IdempotencyKey,
    request: HttpRequest,
    body: FormBody,
) -> Result<HttpResponse, Problem> {
    let (site, article) = path.into_inner();
    let is_browser = prefers_html(request.headers());
    let (form, submission, traces) = read_form(body.fields);
    let replay = key.0.as_deref().or(submission.as_deref()).map(|key| replay(&app, &site, &article, key, &form));
    let _running = replay.filter(|_| key.0.is_some()).map(|replay| app.running.begin(replay.key)).transpose()?;
    let post = Post {
        site,
        article,
        form,
        address: Some(client.address),
        user_agent: client.user_agent,
        foreign_origin: foreign_origin(&request, &app),
        replay,
        traces: Some(Traces { is_browser, ..traces }),
    };
    let outcome = match paced.too_fast {
        Some(too_fast) => Err(too_fast.into()),
        None => story(&app, post.clone()).await,
    };
    match outcome {
        Ok(posted) if is_browser => Ok(see_other(&app, &post, &posted)),
        Ok(posted) => Ok(answer(&app, &posted)),
        Err(error) if is_browser => page::form_again(&app, &post, error.into()).await,
        Err(error) => Err(error.into()),
    }
}

/// Reads the fields; those of other features and unknown ones are ignored. Addresses are trimmed, as WordPress does.
fn read_form(mut fields: Fields) -> (ReplyForm, Option<String>, Traces) {
    let trimmed = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let submission = fields.filled_text("submission").filter(|nonce| nonce.len() <= 128);
    let traces = Traces {
        is_trapped: fields.filled_text("website2").is_some(),
        stamp: fields.filled_text("stamp"),
        solution: fields.filled_text("altcha"),
        is_browser: false,
    };
    let form = ReplyForm {
        name: fields.filled_text("name"),
        email: fields.filled_text("email").and_then(trimmed),
        url: fields.filled_text("url").and_then(trimmed),
        comment: fields.filled_text("comment"),
        parent_id: fields.id("parent_id"),
        faults: fields.take_faults(),
    };
    (form, submission, traces)
}

/// The scope of a reader's key is the route, the name and the email (API.md); the request is all that is kept of it.
fn replay(app: &App, site: &Key, article: &Key, key: &str, form: &ReplyForm) -> Replay {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (name, email) = (text(&form.name), text(&form.email));
    let parent = form.parent_id.map_or(0, CommentId::get).to_be_bytes();
    let route = [b"post comment".as_slice(), site.as_str().as_bytes(), article.as_str().as_bytes()];
    let who = [name.as_bytes(), email.as_bytes()];
    let (url, comment) = (text(&form.url), text(&form.comment));
    // A field that could not be read is not the same as none: such a form is another request.
    let unread: Vec<&[u8]> = form.faults.iter().map(|fault| fault.pointer.as_bytes()).collect();
    Replay {
        key: app.keys.replay.mac(&[&route[..], &who[..], &[key.as_bytes()]].concat()),
        request: app.keys.replay.mac(&[&[url.as_bytes(), comment.as_bytes(), &parent], &unread[..]].concat()),
    }
}

fn answer(app: &App, posted: &Posted) -> HttpResponse {
    let status = StatusCode::from_u16(posted.status_code()).unwrap_or(StatusCode::ACCEPTED);
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if posted.is_published {
        response.insert_header((header::LOCATION, links::comment(app, posted.id)));
    }
    response.json(PostedBody {
        id: posted.id,
        status: if posted.is_published { "approved" } else { "pending" },
        receipt_url: links::receipt(app, &receipt_token(app, posted.id)),
    })
}

/// A browser goes on to the comment, or to the page that only its author has.
fn see_other(app: &App, post: &Post, posted: &Posted) -> HttpResponse {
    let location = if posted.is_published {
        links::permalink(&links::page(app, &post.site, &post.article), posted.id)
    } else {
        links::receipt(app, &receipt_token(app, posted.id))
    };
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
