//! Editing a comment, over HTTP.

use actix_web::{HttpResponse, web};
use validator::Validate;

use crate::accounts::{By, Right};
use crate::app::App;
use crate::comments::Edit;
use crate::http::body::JsonBody;
use crate::http::fields::Fields;
use crate::http::preconditions::IfMatch;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::ids::CommentId;
use crate::review::edit::{self as story, EditComment, EditError};
use crate::review::item::find_item;

use super::{OneComment, gone, one_comment, stale, word_rules};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_edit_comment, edit_comment);
}

/// What a comment is to say. What is left out stays.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct EditBody {
    /// Markdown, up to 65,525 bytes.
    text: Option<String>,
    /// Up to 245 bytes; null for none, where the site does not ask for one.
    name: Option<String>,
    /// Up to 200 bytes; null for none.
    url: Option<String>,
    /// Why, for colleagues, up to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Why, by its rules.
#[derive(Validate)]
struct Why {
    #[validate(custom(function = word_rules))]
    reason: String,
}

/// Edit a comment. What it said is kept as a revision; an edit that changes nothing adds none.
#[utoipa::path(patch, path = "/api/v1/review/comments/{id}", tag = "review", security(("bearer" = [])),
    params(("id" = i64, Path), ("If-Match" = String, Header, pattern = r#"^"[0-9]+"( *, *"[0-9]+")*$"#)), request_body = inline(EditBody),
    responses((status = 200, body = OneComment), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such comment on your sites"), (status = 409, description = "Edited a hundred times already"), (status = 410, description = "Withdrawn or erased"),
        (status = 412, description = "It has changed since; `current` says how it stands"), (status = 422, description = "Fields are wrong"), (status = 428, description = "If-Match is missing")))]
async fn edit_comment(
    app: web::Data<App>,
    asked: By<(web::Path<CommentId>, IfMatch, JsonBody)>,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (id, versions, JsonBody(fields))) = asked;
    moderator.require(Right::Edit)?;
    // The answer is the whole comment.
    moderator.require(Right::ReadQueue)?;
    story::edit_comment(&app, &moderator, read_edit(*id, fields, versions)?).await?;
    let whole = find_item(&app, &moderator, *id).await?;
    Ok(one_comment(whole.ok_or_else(Problem::not_found)?))
}

fn read_edit(comment: CommentId, mut fields: Fields, versions: IfMatch) -> Result<EditComment, Problem> {
    let why = Why { reason: fields.required_text("reason") };
    let edit = Edit {
        text: read_or_empty(&mut fields, "text"),
        name: read_or_empty(&mut fields, "name"),
        url: read_or_empty(&mut fields, "url").map(|url| url.trim().to_owned()),
    };
    fields.check(&why);
    fields.check(&edit);
    fields.refuse_unknown();
    fields.finish()?;
    let edit = edit.accept().map_err(Problem::invalid)?;
    Ok(EditComment { comment, edit, reason: why.reason, versions: versions.0 })
}

/// A field that stays as it is when it is left out, and is emptied by null.
fn read_or_empty(fields: &mut Fields, name: &str) -> Option<String> {
    fields.has(name).then(|| fields.text(name).unwrap_or_default())
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NoSuchComment => Self::not_found(),
            EditError::Gone => gone(),
            EditError::Stale(current) => stale(&current),
            EditError::Invalid(faults) => Self::invalid(faults),
            EditError::TooOften => Self::new(Kind::Conflict, "It was edited a hundred times; that is all it takes."),
            EditError::Store(error) => error.into(),
        }
    }
}
