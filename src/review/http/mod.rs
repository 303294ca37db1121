//! The queue, one comment and decisions about it, over HTTP. Every read is `no-store`; every write says which version it
//! is about.

mod authors;
mod bans;
mod claims;
mod counts;
mod edit;
mod events;
mod figures;
mod many;
mod notes;
mod reply;
mod rules;
mod words;

use std::borrow::Cow;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::ValidationError;

use crate::accounts::{By, Moderator, Right};
use crate::app::App;
use crate::campaigns::Campaign;
use crate::comments::{ReportedBy, Status};
use crate::http::body::{JsonBody, Query};
use crate::http::fields::Fields;
use crate::http::paging::{Page, PageQuery, next_link, next_url};
use crate::http::preconditions::{IdempotencyKey, IfMatch, version_tag};
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::kit::clock::Millis;
use crate::kit::fault::{self, Fault};
use crate::kit::ids::{CommentId, DecisionId};
use crate::kit::markup::escape_text;
use crate::kit::search::{Search, Texts};
use crate::kit::text;
use crate::screening::Screening;
use crate::store::Replay;

use crate::review::claims::Claim;
use crate::review::decide::{self, Current, Decide, DecideError, Decided, Decision, FirstOpinion};
use crate::review::edit::Revision;
use crate::review::filter::Filter;
use crate::review::history::Line;
use crate::review::index::IndexError;
use crate::review::item::{self, Item, Record, WholeItem};
use crate::review::notes::Note;
use crate::review::queue::{self, QueueError, QueueQuery, QueueSort};
use crate::review::reason;

use words::{ClaimedWord, QueueSortWord, ReportedWord, StatusWord};

/// The longest note or message, in characters.
const MAX_WORDS: usize = 2_000;

/// Adds this feature's routes.
pub fn routes(table: &mut RouteTable) {
    table.add(__path_list_queue, list_queue);
    table.add(__path_show_queue_item, show_queue_item);
    table.add(__path_decide, decide);
    many::routes(table);
    counts::routes(table);
    authors::routes(table);
    bans::routes(table);
    claims::routes(table);
    edit::routes(table);
    events::routes(table);
    notes::routes(table);
    reply::routes(table);
    figures::routes(table);
    rules::routes(table);
}

/// A comment in the queue.
#[derive(Serialize, ToSchema)]
struct QueueItem {
    #[serde(flatten)]
    comment: ItemComment,
    /// How many readers' reports wait for an answer.
    reports: i64,
}

/// A comment as moderators see it, in the queue and on its own.
#[derive(Serialize, ToSchema)]
struct ItemComment {
    #[schema(value_type = i64)]
    id: CommentId,
    version: i64,
    /// Key of the site.
    site: String,
    article: ItemArticle,
    status: Status,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// As it was sent.
    text: String,
    /// As it is or would be published.
    html: String,
    author: ItemAuthor,
    /// This, `ip` and `user_agent` are null for whoever may not see what is personal.
    email: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    parent: Option<ItemParent>,
    /// Why it was held, in words.
    reasons: Vec<String>,
    /// 0 to 1.
    risk: f64,
    /// User name of the moderator who holds it now.
    claimed_by: Option<String>,
    /// Others that are nearly the same; null when there are none, or not indexed yet.
    campaign: Option<Campaign>,
    matches: Vec<Match>,
}

#[derive(Serialize, ToSchema)]
struct ItemArticle {
    key: String,
    title: String,
    url: String,
}

#[derive(Serialize, ToSchema)]
struct ItemAuthor {
    name: String,
    url: Option<String>,
    /// What became of this author's comments; null when they gave no email.
    record: Option<AuthorRecord>,
}

/// What became of the latest 1,000 comments with this email that are on this site.
#[derive(Serialize, ToSchema)]
struct AuthorRecord {
    approved: i64,
    /// Those in the trash included.
    rejected: i64,
    spam: i64,
    /// Whether the email was shown to be theirs.
    verified: bool,
}

#[derive(Serialize, ToSchema)]
struct ItemParent {
    #[schema(value_type = i64)]
    id: CommentId,
    name: String,
    text: String,
}

/// Where a search was found.
#[derive(Serialize, ToSchema)]
struct Match {
    /// `text`, `name`, `url` or `email`.
    field: &'static str,
    /// HTML: about 160 characters around the first hit, escaped, each hit in `<mark>`.
    snippet: String,
}

/// One comment, with its history.
#[derive(Serialize, ToSchema)]
struct OneComment {
    #[serde(flatten)]
    comment: ItemComment,
    #[schema(value_type = String, format = DateTime)]
    received_at: Millis,
    /// What led to the verdict; null when nothing did but the site's policy.
    screening: Option<Screening>,
    /// What each edit replaced, the oldest first: the first is what the reader sent.
    revisions: Vec<Revision>,
    /// Who decided what and when, the oldest first.
    decisions: Vec<Line>,
    /// The latest hundred, the oldest of them first.
    notes: Vec<Note>,
    /// Who is at work on it.
    claim: Option<Claim>,
    /// Readers' reports, in place of their number.
    reports: Vec<ReportBody>,
}

/// A reader's report.
#[derive(Serialize, ToSchema)]
struct ReportBody {
    reason: String,
    /// What the reader wrote.
    text: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Millis,
    /// The decision that answered it; null while it waits.
    #[schema(value_type = Option<i64>)]
    answered_by: Option<DecisionId>,
}

/// A decision.
#[derive(ToSchema)]
#[allow(dead_code)] // Described here, read field by field.
struct DecideBody {
    #[schema(inline)]
    decision: Decision,
    /// A key of the reasons that the comment's site offers.
    reason: Option<String>,
    /// For colleagues, up to 2,000 characters.
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// For the author's receipt, up to 2,000 characters; when a comment is rejected or put into the trash, what the site
    /// says for the reason if nothing is said.
    #[schema(max_length = 2000)]
    message: Option<String>,
}

/// The queue.
#[utoipa::path(get, path = "/api/v1/review/comments", tag = "review", security(("bearer" = [])),
    params(("status" = inline(Option<Vec<StatusWord>>), Query, description = "`pending` by default; `any` for all"), ("site" = Option<Vec<String>>, Query),
        ("article" = Option<Vec<String>>, Query), ("author" = Option<Vec<String>>, Query), ("email" = Option<Vec<String>>, Query),
        ("ip" = Option<Vec<String>>, Query, description = "An address or a network in CIDR notation"), ("reason" = Option<Vec<String>>, Query),
        ("rule" = Option<Vec<String>>, Query, description = "Held by this rule: its id, or `ban` and the like"), ("reported" = inline(Option<ReportedWord>), Query), ("claimed" = inline(Option<ClaimedWord>), Query),
        ("campaign" = Option<Vec<i64>>, Query, minimum = 1, description = "Near-duplicates, by a queue item's `campaign.id`"),
        ("q" = Option<String>, Query, description = "Words, `AND`, `OR`, `NOT`, parentheses, `\"phrases\"`"), ("since" = Option<String>, Query, format = DateTime, description = "Inclusive, RFC 3339"),
        ("until" = Option<String>, Query, format = DateTime, description = "Exclusive, RFC 3339"), ("sort" = inline(Option<QueueSortWord>), Query, description = "`oldest` when nothing is said"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$")),
    responses((status = 200, body = Page<QueueItem>), (status = 400, description = "Not a cursor of this list"),
        (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed, or a filter by what one may not see: `email`, `ip`"),
        (status = 422, description = "A parameter is wrong"), (status = 503, description = "Too much waits to be indexed")))]
async fn list_queue(app: web::Data<App>, asked: By<Query>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let By(moderator, Query(fields)) = asked;
    moderator.require(Right::ReadQueue)?;
    if Filter::PERSONAL.iter().any(|name| fields.has(name)) {
        moderator.require(Right::SeePersonal)?;
    }
    let query = read_query(&app, fields)?;
    let (list, search) = (query.list.clone(), query.filter.search.clone());
    let (items, next) = queue::load_queue(&app, &moderator, query).await?;
    let next = next.map(|cursor| cursor.encode(&app.keys.cursor, &list));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(next) = &next {
        let url = next_url(&app.link("/api/v1/review/comments"), request.query_string(), next);
        response.insert_header((header::LINK, next_link(&url)));
    }
    Ok(response.json(Page { items: items.into_iter().map(|item| queue_item(item, search.as_ref())).collect(), next }))
}

/// One comment.
#[utoipa::path(get, path = "/api/v1/review/comments/{id}", tag = "review", security(("bearer" = [])), params(("id" = i64, Path)),
    responses((status = 200, body = OneComment), (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"), (status = 404, description = "No such comment on your sites")))]
async fn show_queue_item(app: web::Data<App>, asked: By<web::Path<CommentId>>) -> Result<HttpResponse, Problem> {
    let By(moderator, id) = asked;
    moderator.require(Right::ReadQueue)?;
    let found = item::find_item(&app, &moderator, id.into_inner()).await?;
    Ok(one_comment(found.ok_or_else(Problem::not_found)?))
}

/// One comment as an answer, with its version.
fn one_comment(whole: WholeItem) -> HttpResponse {
    let version = whole.item.comment.version;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::ETAG, version_tag(version)));
    response.json(OneComment {
        received_at: whole.item.comment.received_at,
        comment: ItemComment { claimed_by: whole.claim.as_ref().map(|claim| claim.by.clone()), ..body(whole.item) },
        screening: whole.screening,
        revisions: whole.revisions,
        decisions: whole.decisions,
        notes: whole.notes,
        claim: whole.claim,
        reports: whole.reports.into_iter().map(report_body).collect(),
    })
}

/// Decide about a comment.
#[utoipa::path(post, path = "/api/v1/review/comments/{id}/decisions", tag = "review", security(("bearer" = [])),
    params(("id" = i64, Path), ("If-Match" = String, Header, pattern = r#"^"[0-9]+"( *, *"[0-9]+")*$"#), ("Idempotency-Key" = Option<String>, Header, pattern = r#"^("[ -~]{1,128}"|[!#-~]([ -~]{0,126}[!#-~])?)$"#)), request_body = inline(DecideBody),
    responses((status = 201, body = Line, description = "Decided"), (status = 200, body = Line, description = "It was so already"),
        (status = 202, body = FirstOpinion, description = "The site wants a second moderator to decide the same"), (status = 409, description = "You have decided so already; somebody else has to"),
        (status = 401, description = "Not signed in"), (status = 403, description = "Not allowed"), (status = 404, description = "No such comment on your sites"), (status = 410, description = "Withdrawn or erased"),
        (status = 412, description = "It has changed since; `current` says how it stands"), (status = 422, description = "Fields are wrong"), (status = 428, description = "If-Match is missing")))]
async fn decide(
    app: web::Data<App>,
    asked: By<(web::Path<CommentId>, IfMatch, IdempotencyKey, JsonBody)>,
) -> Result<HttpResponse, Problem> {
    let By(moderator, (id, versions, key, body)) = asked;
    moderator.require(Right::Decide)?;
    let mut decide = read_decision(&app, &moderator, id.into_inner(), body.0, versions).await?;
    decide.replay = key.0.map(|key| replay(&app, &moderator, &decide, &key));
    let _running = decide.replay.map(|replay| app.running.begin(replay.key)).transpose()?;
    let decided = decide::decide(&app, &moderator, decide).await?;
    let (mut response, version) = match &decided {
        Decided::New(line) => (HttpResponse::Created(), line.version),
        Decided::Already { version, .. } => (HttpResponse::Ok(), *version),
        Decided::Waits(first) => (HttpResponse::Accepted(), first.version),
    };
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::ETAG, version_tag(version)));
    Ok(match decided {
        Decided::New(line) | Decided::Already { line, .. } => response.json(line),
        Decided::Waits(first) => response.json(first),
    })
}

fn read_query(app: &App, mut fields: Fields) -> Result<QueueQuery, Problem> {
    let filter = Filter::take(&mut fields);
    let sort = fields.choice("sort", parse_sort).unwrap_or(QueueSort::Oldest);
    let list = format!("queue {filter:?} {sort:?}");
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &list);
    fields.refuse_unknown();
    fields.finish()?;
    Ok(QueueQuery { filter, sort, page: page?, list })
}

fn parse_sort(text: &str) -> Option<QueueSort> {
    match text {
        "oldest" => Some(QueueSort::Oldest),
        "newest" => Some(QueueSort::Newest),
        "risk" => Some(QueueSort::Risk),
        _ => None,
    }
}

async fn read_decision(
    app: &App,
    moderator: &Moderator,
    comment: CommentId,
    mut fields: Fields,
    versions: IfMatch,
) -> Result<Decide, Problem> {
    let decision = fields.required_choice("decision", Decision::parse);
    let reason = fields.text("reason");
    let note = read_words(&mut fields, "note");
    let message = read_words(&mut fields, "message");
    fields.refuse_unknown();
    // The story asks for it anyway; when it will not come to that, it is said with what else is wrong.
    if fields.has_faults()
        && let Some(reason) = &reason
        && !reason::is_offered(app, moderator, comment, reason).await?
    {
        fields.refuse::<()>("reason", "choice");
    }
    fields.finish()?;
    let decision = decision.ok_or_else(|| Problem::invalid_field("decision", "required"))?;
    Ok(Decide { comment, decision, reason, note, message, versions: versions.0, replay: None })
}

fn read_words(fields: &mut Fields, name: &str) -> Option<String> {
    let text = fields.filled_text(name)?;
    if text.chars().count() > MAX_WORDS {
        fields.refuse_with(Fault { limit: Some(MAX_WORDS as u64), ..Fault::new(name, "too_many_characters") });
        return None;
    }
    Some(text)
}

/// Words that must be there and say something.
fn word_rules(text: &str) -> Result<(), ValidationError> {
    if text.chars().count() > MAX_WORDS {
        let mut error = ValidationError::new("too_many_characters");
        error.add_param(Cow::Borrowed("limit"), &MAX_WORDS);
        return Err(error);
    }
    text::check_comment(text).map_err(fault::of_text)
}

/// The scope of a moderator's key is the route and the account (API.md).
fn replay(app: &App, moderator: &Moderator, decide: &Decide, key: &str) -> Replay {
    let asked = format!("{:?}", (decide.decision, &decide.reason, &decide.note, &decide.message, &decide.versions));
    let (who, what) = (moderator.id.get().to_be_bytes(), decide.comment.get().to_be_bytes());
    Replay {
        key: app.keys.replay.mac(&[b"decide", &what, &who, key.as_bytes()]),
        request: app.keys.replay.mac(&[asked.as_bytes()]),
    }
}

fn queue_item(item: Item, search: Option<&Search>) -> QueueItem {
    let (reports, found) = (item.comment.reports, search.map(|search| matches(&item, search)));
    QueueItem { comment: ItemComment { matches: found.unwrap_or_default(), ..body(item) }, reports }
}

/// What stands in none of the fields that somebody may see is not shown.
fn matches(item: &Item, search: &Search) -> Vec<Match> {
    let comment = &item.comment;
    let mut texts = vec![("text", comment.text.as_str()), ("name", comment.name.as_str())];
    texts.extend(comment.url.as_deref().map(|url| ("url", url)));
    texts.extend(comment.email.as_deref().map(|email| ("email", email)));
    let found = Texts(texts).snippets(search, escape_text);
    found.into_iter().map(|(field, snippet)| Match { field, snippet }).collect()
}

fn report_body(report: ReportedBy) -> ReportBody {
    let ReportedBy { reason, text, at, answered_by } = report;
    ReportBody { reason, text, at, answered_by }
}

fn body(item: Item) -> ItemComment {
    let comment = item.comment;
    ItemComment {
        id: comment.id,
        version: comment.version,
        site: item.site.to_string(),
        article: ItemArticle { key: item.article.key.to_string(), title: item.article.title, url: item.article.url },
        status: comment.status,
        created_at: comment.created_at,
        text: comment.text,
        html: comment.html,
        author: ItemAuthor { name: comment.name, url: comment.url, record: item.record.map(record) },
        email: comment.email,
        ip: comment.ip,
        user_agent: comment.user_agent,
        parent: item.parent.map(|parent| ItemParent { id: parent.id, name: parent.name, text: parent.text }),
        reasons: comment.held_because,
        risk: comment.risk,
        claimed_by: item.claimed_by,
        campaign: item.campaign,
        matches: Vec::new(),
    }
}

fn record(record: Record) -> AuthorRecord {
    // Emails are not verified yet.
    AuthorRecord { approved: record.approved, rejected: record.rejected, spam: record.spam, verified: false }
}

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::TooMuchWaits => Self::new(
                Kind::Overloaded,
                "So much was just written that not all of it can be searched yet. Try again soon, or without `q`, `author`, `email`, `ip` and `reason`.",
            )
            .retry_after(5),
            IndexError::Store(error) => error.into(),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Index(error) => error.into(),
            QueueError::ForeignCursor => Self::new(Kind::Unreadable, "The cursor belongs to another list."),
            QueueError::Store(error) => error.into(),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NoSuchComment => Self::not_found(),
            DecideError::NoSuchReason => Self::invalid_field("reason", "choice"),
            DecideError::Gone => gone(),
            DecideError::Stale(current) => stale(&current),
            DecideError::NeedsAnother => {
                Self::new(Kind::Conflict, "You have decided so already; the site wants somebody else to do so too.")
            }
            DecideError::KeyReused => {
                Self::new(Kind::KeyReused, "The Idempotency-Key came with another request before. Use a new one.")
            }
            DecideError::Store(error) => error.into(),
        }
    }
}

/// Nothing is done any more to what its author took back.
fn gone() -> Problem {
    Problem::new(Kind::Gone, "Its author withdrew it, or it was erased.")
}

/// Somebody came too late, and is told how it stands.
fn stale(current: &Current) -> Problem {
    Problem::new(Kind::Stale, "It has changed since you read it.").with(
        "current",
        json!({
            "status": current.status,
            "version": current.version,
            "decided_by": current.decided_by,
            "decided_at": current.decided_at,
        }),
    )
}
