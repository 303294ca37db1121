//! Notes, over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use validator::Validate;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::http::body::{JsonBody, Query};
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::ids::CommentId;
use crate::review::notes::{self as story, Note, NoteError};

use super::{gone, word_rules};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_notes, list_notes);
    table.add(__path_write_note, write_note);
}

/// A note.
#[derive(Validate, utoipa::ToSchema)]
struct NoteBody {
    /// For colleagues, up to 2,000 characters.
    #[validate(custom(function = word_rules))]
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}

/// The notes on a comment, the oldest first.
#[utoipa::path(get, path = "/api/v1/review/comments/{id}/notes", tag = "review", security(("bearer" = [])),
    params(("id" = i64, Path), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = Page<Note>), (status = 400, description = "Not a cursor of this list"), (status = 401, description = "Not signed in"),
        (status = 403, description = "Not allowed"), (status = 404, description = "No such comment on your sites"), (status = 422, description = "A parameter is wrong")))]
async fn list_notes(
    app: web::Data<App>,
    asked: By<(web::Path<CommentId>, Query)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (id, Query(mut fields))) = asked;
    moderator.require(Right::ReadQueue)?;
    let list = format!("notes on {id}");
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &list);
    fields.refuse_unknown();
    fields.finish()?;
    let (items, next) = story::list_notes(&app, &moderator, *id, page?).await?;
    let next = next.map(|cursor| cursor.encode(&app.keys.cursor, &list));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link(request.path()), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    Ok(response.json(Page { items, next }))
}

/// Write a note.
#[utoipa::path(post, path = "/api/v1/review/comments/{id}/notes", tag = "review", security(("bearer" = [])), params(("id" = i64, Path)), request_body = inline(NoteBody),
    responses((status = 201, body = Note), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such comment on your sites"), (status = 410, description = "Withdrawn or erased"), (status = 422, description = "Fields are wrong")))]
async fn write_note(app: web::Data<App>, asked: By<(web::Path<CommentId>, JsonBody)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (id, JsonBody(fields))) = asked;
    moderator.require(Right::Decide)?;
    let note = story::write_note(&app, &moderator, id.into_inner(), read_note(fields)?).await?;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(note))
}

fn read_note(mut fields: Fields) -> Result<String, Problem> {
    let body = NoteBody { text: fields.required_text("text") };
    fields.check(&body);
    fields.refuse_unknown();
    fields.finish()?;
    Ok(body.text)
}

impl From<NoteError> for Problem {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::NoSuchComment => Self::not_found(),
            NoteError::Gone => gone(),
            NoteError::ForeignCursor => Self::new(Kind::Unreadable, "The cursor belongs to another list."),
            NoteError::Store(error) => error.into(),
        }
    }
}
