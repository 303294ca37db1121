//! Decisions about many comments at once, their previews and how they stand, and taking decisions back, over HTTP.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::accounts::{By, Moderator, Right};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::fields::Fields;
use crate::http::preconditions::IdempotencyKey;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::ids::{CommentId, DecisionId};
use crate::store::Replay;

use super::{QueueItem, queue_item, read_words};
use crate::review::batch::ItemResult;
use crate::review::decide::Decision;
use crate::review::filter::Filter;
use crate::review::many::{self, BatchState, DecideMany, MOST, ManyError, Which};
use crate::review::undo::{self, UndoError};

/// The largest version that there can be: JSON's whole numbers end there.
const MAX_VERSION: i64 = (1 << 53) - 1;

pub(super) fn routes(table: &mut RouteTable) {
    table.add(__path_preview_decisions, preview_decisions);
    table.add(__path_decide_many, decide_many);
    table.add(__path_show_decisions, show_decisions);
    table.add(__path_undo_decisions, undo_decisions);
}

/// Decisions about many comments: about `items`, or about all that `filter` finds.
struct DecideManyBody;

impl PartialSchema for DecideManyBody {
    fn schema() -> RefOr<Schema> {
        let either = OneOfBuilder::new().item(DecideItemsBody::schema()).item(DecideFoundBody::schema());
        RefOr::T(Schema::OneOf(either.build()))
    }
}

impl ToSchema for DecideManyBody {}

/// Decisions about these comments.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct DecideItemsBody {
    #[schema(inline)]
    decision: Decision,
    /// A key of the reasons that the comments' sites offer.
    reason: Option<String>,
    /// For colleagues, up to 2,000 characters.
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// For the authors' receipts, up to 2,000 characters.
    #[schema(max_length = 2000)]
    message: Option<String>,
    /// Up to 100,000, each as far as it is at that version.
    #[schema(inline, max_items = 100_000)]
    items: Vec<ItemBody>,
}

/// Decisions about all that a filter finds.
#[derive(ToSchema)]
#[allow(dead_code)]
struct DecideFoundBody {
    #[schema(inline)]
    decision: Decision,
    /// A key of the reasons that the comments' sites offer.
    reason: Option<String>,
    /// For colleagues, up to 2,000 characters.
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// For the authors' receipts, up to 2,000 characters.
    #[schema(max_length = 2000)]
    message: Option<String>,
    /// The names and values of the queue's filters; a name that may be repeated takes a list.
    #[schema(value_type = Object)]
    filter: Value,
    /// How many the filter finds, as a preview said.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    expected_count: u64,
}

#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct ItemBody {
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    id: i64,
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    expected_version: i64,
}

/// What would be decided.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct PreviewBody {
    #[schema(inline)]
    decision: Decision,
    #[schema(value_type = Object)]
    filter: Value,
}

/// How many comments a filter finds, and the first of them.
#[derive(Serialize, ToSchema)]
struct Preview {
    count: usize,
    sample: Vec<QueueItem>,
}

/// Decisions made at once. While they run, `results` is of those that are done.
#[derive(Serialize, ToSchema)]
struct BatchBody {
    #[schema(value_type = i64)]
    id: DecisionId,
    state: BatchWord,
    done: i64,
    total: i64,
    results: Vec<ResultBody>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum BatchWord {
    Running,
    Done,
}

/// What came of one comment.
#[derive(Serialize, ToSchema)]
struct ResultBody {
    #[schema(value_type = i64)]
    id: CommentId,
    /// 200 decided (or so already), 202 waits for a second moderator, 404, 409 changed since, 410 withdrawn or erased,
    /// 403 its moderator lost the right meanwhile.
    outcome: u16,
    /// The version it has now.
    version: Option<i64>,
}

/// Count what a filter finds before deciding about it.
#[utoipa::path(post, path = "/api/v1/review/decisions/preview", tag = "review", security(("bearer" = [])), request_body = inline(PreviewBody),
    responses((status = 200, body = Preview), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"),
        (status = 422, description = "Fields are wrong, or the filter finds more than 100,000")))]
async fn preview_decisions(app: web::Data<App>, asked: By<JsonBody>) -> Result<HttpResponse, Problem> {
    let By(moderator, JsonBody(mut fields)) = asked;
    moderator.require(Right::DecideMany)?;
    let decision = read_decision(&mut fields);
    let filter = read_filter(&mut fields, &moderator)?;
    fields.refuse_unknown();
    fields.finish()?;
    let filter = decision.and(filter).ok_or_else(|| Problem::invalid_field("filter", "required"))?;
    let search = filter.search.clone();
    let (count, sample) = many::preview(&app, &moderator, filter).await?;
    let sample = sample.into_iter().map(|item| queue_item(item, search.as_ref())).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Preview { count, sample }))
}

/// Decide about many comments.
#[utoipa::path(post, path = "/api/v1/review/decisions", tag = "review", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, pattern = r#"^("[ -~]{1,128}"|[!#-~]([ -~]{0,126}[!#-~])?)$"#)), request_body = inline(DecideManyBody),
    responses((status = 201, body = BatchBody, description = "Decided, up to 1,000"), (status = 202, body = BatchBody, description = "More: they are being decided; `Location` says how far"),
        (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"), (status = 409, description = "The filter finds another number by now: `count`"),
        (status = 422, description = "Fields are wrong, or more than 100,000")))]
async fn decide_many(app: web::Data<App>, asked: By<(IdempotencyKey, JsonBody)>) -> Result<HttpResponse, Problem> {
    let By(moderator, (key, JsonBody(fields))) = asked;
    moderator.require(Right::Decide)?;
    let mut many = read_many(fields, &moderator)?;
    many.replay = key.0.map(|key| replay(&app, &moderator, &many, &key));
    let _running = many.replay.map(|replay| app.running.begin(replay.key)).transpose()?;
    let state = many::decide_many(&app, &moderator, many).await?;
    let is_at_once = state.total <= many::MOST_AT_ONCE;
    Ok(answer(&app, if is_at_once { HttpResponse::Created() } else { HttpResponse::Accepted() }, state))
}

/// How far decisions about many comments are.
#[utoipa::path(get, path = "/api/v1/review/decisions/{id}", tag = "review", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 200, body = BatchBody), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"), (status = 404, description = "None of yours")))]
async fn show_decisions(app: web::Data<App>, asked: By<web::Path<DecisionId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::ReadQueue)?;
    let state = many::show_batch(&app, &moderator, id.into_inner()).await?;
    Ok(answer(&app, HttpResponse::Ok(), state))
}

/// Take back a decision, or many that were made at once, within 24 hours.
#[utoipa::path(post, path = "/api/v1/review/decisions/{id}/undo", tag = "review", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 200, body = BatchBody, description = "Taken back; 409 among the results is a comment that was decided again since"),
        (status = 202, body = BatchBody, description = "More than 10,000: they are being taken back; `Location` says how far"),
        (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"), (status = 404, description = "No such decision about comments of yours"),
        (status = 409, description = "It is still being made"), (status = 410, description = "Made more than 24 hours ago")))]
async fn undo_decisions(app: web::Data<App>, asked: By<web::Path<DecisionId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::Decide)?;
    let state = undo::undo(&app, &moderator, id.into_inner()).await?;
    let is_at_once = state.total <= undo::MOST_AT_ONCE;
    Ok(answer(&app, if is_at_once { HttpResponse::Ok() } else { HttpResponse::Accepted() }, state))
}

fn answer(app: &App, mut response: actix_web::HttpResponseBuilder, state: BatchState) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::LOCATION, app.link(&format!("/api/v1/review/decisions/{}", state.id))));
    response.json(BatchBody {
        id: state.id,
        state: if state.is_done() { BatchWord::Done } else { BatchWord::Running },
        done: state.done,
        total: state.total,
        results: state.results.into_iter().map(ResultBody::from).collect(),
    })
}

fn read_many(mut fields: Fields, moderator: &Moderator) -> Result<DecideMany, Problem> {
    let decision = read_decision(&mut fields);
    let reason = fields.text("reason");
    let note = read_words(&mut fields, "note");
    let message = read_words(&mut fields, "message");
    let items = read_items(&mut fields);
    let filter = read_filter(&mut fields, moderator)?;
    let expected_count = fields.whole("expected_count", 0, MAX_VERSION);
    if filter.is_some() && expected_count.is_none() {
        fields.refuse::<()>("expected_count", "required");
    }
    fields.refuse_unknown();
    fields.finish()?;
    let which = match (items, filter) {
        (Some(items), None) => Which::Items(items),
        (None, Some(filter)) => {
            let expected_count = expected_count.and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
            Which::Found { filter: Box::new(filter), expected_count }
        }
        (Some(_), Some(_)) => return Err(Problem::invalid_field("filter", "not_both")),
        (None, None) => return Err(Problem::invalid_field("items", "required")),
    };
    let decision = decision.ok_or_else(|| Problem::invalid_field("decision", "required"))?;
    Ok(DecideMany { decision, reason, note, message, which, replay: None })
}

fn read_decision(fields: &mut Fields) -> Option<Decision> {
    fields.required_choice("decision", Decision::parse)
}

fn read_items(fields: &mut Fields) -> Option<Vec<(CommentId, i64)>> {
    let objects = fields.objects("items", MOST)?;
    let mut items = Vec::with_capacity(objects.len());
    for (index, mut object) in objects.into_iter().enumerate() {
        for name in ["id", "expected_version"] {
            object.require(name);
        }
        let (id, version) = (object.id("id"), object.whole("expected_version", 1, MAX_VERSION));
        items.extend(id.zip(version));
        fields.end(object, &format!("/items/{index}"));
    }
    Some(items)
}

/// The filter, for those who may decide by one.
fn read_filter(fields: &mut Fields, moderator: &Moderator) -> Result<Option<Filter>, Problem> {
    let Some(mut object) = fields.object("filter") else { return Ok(None) };
    moderator.require(Right::DecideMany)?;
    if Filter::PERSONAL.iter().any(|name| object.has(name)) {
        moderator.require(Right::SeePersonal)?;
    }
    let filter = Filter::take(&mut object);
    fields.end(object, "/filter");
    Ok(Some(filter))
}

/// The scope of a moderator's key is the route and the account (API.md).
fn replay(app: &App, moderator: &Moderator, many: &DecideMany, key: &str) -> Replay {
    let asked = format!("{:?}", (many.decision, &many.reason, &many.note, &many.message, &many.which));
    Replay {
        key: app.keys.replay.mac(&[b"decide many", &moderator.id.get().to_be_bytes(), key.as_bytes()]),
        request: app.keys.replay.mac(&[asked.as_bytes()]),
    }
}

impl From<ItemResult> for ResultBody {
    fn from(result: ItemResult) -> Self {
        Self { id: result.id, outcome: result.outcome, version: result.version }
    }
}

impl From<ManyError> for Problem {
    fn from(error: ManyError) -> Self {
        match error {
            ManyError::Moved { count } => {
                Self::new(Kind::Conflict, "The filter finds another number of comments by now. Look at them again.")
                    .with("count", count.into())
            }
            ManyError::Index(error) => error.into(),
            ManyError::NoSuchReason => Self::invalid_field("reason", "choice"),
            ManyError::TooMany => Self::invalid_field("filter", "too_many"),
            ManyError::NoSuchBatch => Self::not_found(),
            ManyError::KeyReused => {
                Self::new(Kind::KeyReused, "The Idempotency-Key came with another request before. Use a new one.")
            }
            ManyError::Store(error) => error.into(),
        }
    }
}

impl From<UndoError> for Problem {
    fn from(error: UndoError) -> Self {
        match error {
            UndoError::NoSuchDecision => Self::not_found(),
            UndoError::NotOnesOwn => Self::new(Kind::Forbidden, "It is another moderator's decision."),
            UndoError::TooLate => Self::new(Kind::Gone, "Decisions can be taken back for 24 hours."),
            UndoError::StillRunning => {
                Self::new(Kind::Conflict, "It is still being made. Take it back when it is done.").retry_after(1)
            }
            UndoError::Store(error) => error.into(),
        }
    }
}
