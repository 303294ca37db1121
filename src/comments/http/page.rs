//! An article's page, rendered on the server: its head, its published comments, a fresh reply form. It needs no script;
//! the one there is solves the challenge, where one is asked for.
//!
//! The comments are the cached part; head and form are made for each request, so the page itself is never stored.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use bytes::{Buf, Bytes};
use futures_util::stream;

use crate::app::App;
use crate::articles::Door;
use crate::comments::ground::{Ground, find_ground};
use crate::comments::robots::{make_stamp, read_stamp};
use crate::comments::thread::{self, Node, Sort, ThreadQuery, View};
use crate::comments::{Post, ReplyForm, queries};
use crate::http::body::Query;
use crate::http::boundary::{IsPage, RunsScript};
use crate::http::caching::{PublicBytes, Variant};
use crate::http::client::address_of;
use crate::http::paging::{PageQuery, next_url};
use crate::http::pressure::asks_for_challenge;
use crate::http::problem::{Kind, Problem};
use crate::http::routes::RouteTable;
use crate::http::wording::{self, Wording};
use crate::kit::cursor::Cursor;
use crate::kit::fault::Fault;
use crate::kit::ids::CommentId;
use crate::kit::key::Key;
use crate::kit::secret;
use crate::screening::Stamp;

use super::bodies::name_or_anonymous;
use super::links;
use super::views::{ArticlePage, CommentView, FieldView, FormView, ParentView, ThreadView, WorkView};

pub fn routes(table: &mut RouteTable) {
    table.add(__path_show_article_page, show_article_page);
}

/// Kinds of kept bytes, beside the JSON of the same query: with links that answer, and without.
const HTML_OPEN: i64 = 1;
const HTML_CLOSED: i64 = 2;

/// Marks where the comments go. What the template writes before them is never reader's text, and nothing else has a NUL.
const THREAD: &str = "\0";

/// What the page is made of, beside its comments.
struct Head {
    ground: Arc<Ground>,
    /// The published comment that the form answers.
    parent: Option<(CommentId, String)>,
    /// When the form was given out first.
    stamp: String,
    /// Whether who asks for the page must solve a challenge before posting.
    is_challenged: bool,
}

/// Who asks for the page.
struct Visitor<'a> {
    address: Option<IpAddr>,
    /// The form's stamp, when it comes back.
    stamp: Option<&'a str>,
}

/// An article with its comments and the reply form.
#[utoipa::path(get, path = "/sites/{site}/articles/{article}", tag = "pages",
    params(("site" = String, Path), ("article" = String, Path), ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$"),
        ("comment" = Option<String>, Query, description = "Show the page on which the comment with this id stands; what is none is passed over"),
        ("reply_to" = Option<String>, Query, description = "Make the form answer the comment with this id; what is none is passed over")),
    responses((status = 200, content_type = "text/html", body = String), (status = 400, description = "Not a cursor of this list"),
        (status = 404, description = "No such site or article")))]
async fn show_article_page(
    app: web::Data<App>,
    path: web::Path<(Key, Key)>,
    query: Query,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (site, article) = path.into_inner();
    let mut fields = query.0;
    let (comment, reply_to) = (fields.id("comment"), fields.id("reply_to"));
    let visitor = Visitor { address: Some(address_of(&request)), stamp: None };
    let head = load_head(&app, &site, &article, reply_to, visitor).await?;
    let list = ThreadQuery::list(View::Tree, head.ground.site.settings.order);
    let page = PageQuery::take(&mut fields, &app.keys.cursor, &list)?;
    // One length for everybody: each other one would be made and kept by itself.
    let page = PageQuery { limit: PageQuery::USUAL_LIMIT, ..page };
    let comments = comments(&app, &head, page, comment.or(reply_to)).await?;
    render(&app, &head, &comments, &ReplyForm::default(), None, StatusCode::OK)
}

/// The page again, after a form that was not taken: what is wrong stands beside each field, and what was typed is there.
pub async fn form_again(app: &App, post: &Post, problem: Problem) -> Result<HttpResponse, Problem> {
    let can_be_mended = matches!(
        problem.kind,
        Kind::Invalid | Kind::DuplicateComment | Kind::KeyReused | Kind::ChallengeUnsolved | Kind::TooFast
    );
    if !can_be_mended {
        return Err(problem);
    }
    let page = PageQuery { limit: PageQuery::USUAL_LIMIT, cursor: None };
    let stamp = post.traces.as_ref().and_then(|traces| traces.stamp.as_deref());
    let visitor = Visitor { address: post.address, stamp };
    let head = load_head(app, &post.site, &post.article, post.form.parent_id, visitor).await?;
    let comments = comments(app, &head, page, post.form.parent_id).await?;
    let mut response = render(app, &head, &comments, &post.form, Some(&problem), problem.status())?;
    if let Some(seconds) = problem.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(IsPage);
    Ok(response)
}

async fn load_head(
    app: &App,
    site: &Key,
    article: &Key,
    reply_to: Option<CommentId>,
    visitor: Visitor<'_>,
) -> Result<Head, Problem> {
    let ground = find_ground(app, site, article).await?.ok_or_else(Problem::not_found)?;
    let is_challenged = visitor.address.is_some_and(|address| asks_for_challenge(app, ground.site.id, address));
    // A form that comes back keeps its stamp, or whoever mends a typing error in a moment would seem too fast.
    let is_ours = |stamp: &&str| read_stamp(app, site, article, stamp, app.clock.now()) != Stamp::Forged;
    let stamp = visitor.stamp.filter(is_ours).map_or_else(|| make_stamp(app, site, article), str::to_owned);
    let Some(reply_to) = reply_to else { return Ok(Head { ground, parent: None, stamp, is_challenged }) };
    let parent = app.store.read(move |conn| queries::find_comment(conn, reply_to)).await?;
    let parent = parent.filter(|parent| ground.takes_replies_to(parent)).map(|parent| (parent.id, parent.name));
    Ok(Head { ground, parent, stamp, is_challenged })
}

/// The thread's bytes: the page asked for, or, when a published comment is `wanted` that is not on it, the one where that
/// stands. Whatever else is wanted gets the page that everybody gets.
async fn comments(
    app: &App,
    head: &Head,
    page: PageQuery,
    wanted: Option<CommentId>,
) -> Result<Arc<PublicBytes>, Problem> {
    let query = ThreadQuery { view: View::Tree, sort: head.ground.site.settings.order, page, beginning_with: None };
    let bytes = cached(app, head, query).await?;
    let Some(wanted) = wanted.filter(|_| page.cursor.is_none()) else { return Ok(bytes) };
    // Comments cannot contain this: in their text every `<` is escaped.
    let anchor = format!("<article class=\"comment\" id=\"comment-{wanted}\"");
    if std::str::from_utf8(bytes.plain()).is_ok_and(|html| html.contains(&anchor)) {
        return Ok(bytes);
    }
    let article = head.ground.article.id;
    match app.store.read(move |conn| queries::find_root_of(conn, article, wanted)).await? {
        Some(_) => cached(app, head, ThreadQuery { beginning_with: Some(wanted), ..query }).await,
        None => Ok(bytes),
    }
}

async fn cached(app: &App, head: &Head, query: ThreadQuery) -> Result<Arc<PublicBytes>, Problem> {
    let is_open = head.ground.door(app.clock.now()) == Door::Open;
    let variant = Variant(query.numbers(if is_open { HTML_OPEN } else { HTML_CLOSED }));
    let make = async || make(app, head, query, is_open).await;
    app.pages
        .get_or_make(&head.ground.site.key, &head.ground.article.key, variant, app.store.untold_writes(), make)
        .await
}

async fn make(app: &App, head: &Head, query: ThreadQuery, is_open: bool) -> Result<PublicBytes, Problem> {
    let page = thread::load_page(app, head.ground.site.key.clone(), head.ground.article.key.clone(), query).await?;
    let words = wording::in_language(&page.site.language);
    let view = Viewer {
        app,
        page: links::page(app, &head.ground.site.key, &head.ground.article.key),
        words,
        deepest: i64::from(head.ground.site.settings.max_depth) - 1,
        sort: query.sort,
        is_open,
    };
    let comments: Vec<CommentView> = page.comments.into_iter().map(|node| view.comment(node)).collect();
    let html = ThreadView { words, comments: &comments }.render().map_err(Problem::internal)?;
    let next = page.next.map(|cursor| view.goes_on_at(cursor));
    Ok(PublicBytes::new("text/html; charset=utf-8", html).with_next(next))
}

/// Turns comments into what the template shows.
struct Viewer<'a> {
    app: &'a App,
    page: String,
    words: &'static Wording,
    deepest: i64,
    sort: Sort,
    is_open: bool,
}

impl Viewer<'_> {
    fn goes_on_at(&self, cursor: Cursor) -> String {
        let list = ThreadQuery::list(View::Tree, self.sort);
        next_url(&self.page, "", &cursor.encode(&self.app.keys.cursor, &list))
    }

    fn comment(&self, node: Node) -> CommentView {
        let row = node.row;
        let can_be_answered = self.is_open && i64::from(row.shown_depth) < self.deepest;
        CommentView {
            id: row.id.get(),
            depth: i64::from(row.shown_depth),
            name: name_or_anonymous(row.name, self.words),
            url: row.url,
            is_staff: row.moderator_id.is_some(),
            html: node.html,
            created_at: row.created_at.to_rfc3339(),
            created_words: self.words.moment(row.created_at),
            edited_words: row.edited_at.map(|at| self.words.moment(at)),
            permalink: links::permalink(&self.page, row.id),
            reply_href: can_be_answered.then(|| format!("{}?reply_to={}#reply", self.page, row.id)),
            report_href: links::report_page(self.app, row.id),
            more_href: node.more.map(|cursor| self.goes_on_at(cursor)),
            children: node.children.into_iter().map(|child| self.comment(child)).collect(),
        }
    }
}

fn render(
    app: &App,
    head: &Head,
    comments: &PublicBytes,
    form: &ReplyForm,
    problem: Option<&Problem>,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let words = wording::in_language(&head.ground.site.language);
    let page = links::page(app, &head.ground.site.key, &head.ground.article.key);
    let action = links::thread(app, &head.ground.site.key, &head.ground.article.key);
    let submission = secret::encode(&secret::random().map_err(Problem::internal)?[..16]);
    let faults = problem.map_or(&[][..], |problem| &problem.errors);
    let message = |name: &str| find_message(faults, name, words);
    let (name, email, url, comment) = (message("name"), message("email"), message("url"), message("comment"));
    let is_whole = |problem: &&Problem| faults.is_empty() || problem.kind == Kind::ChallengeUnsolved;
    let whole = message("parent_id").or_else(|| problem.filter(is_whole).map(|problem| said(problem, words)));
    let field = |value: &'_ Option<String>| value.clone().unwrap_or_default();
    let values = [field(&form.name), field(&form.email), field(&form.url), field(&form.comment)];
    let cancel_href = format!("{page}#reply");
    let form = FormView {
        action: &action,
        parent: head.parent.as_ref().map(|(id, name)| ParentView { id: id.get(), name, cancel_href: &cancel_href }),
        name: FieldView { value: &values[0], error: name.as_deref() },
        email: FieldView { value: &values[1], error: email.as_deref() },
        url: FieldView { value: &values[2], error: url.as_deref() },
        comment: FieldView { value: &values[3], error: comment.as_deref() },
        submission: &submission,
        stamp: &head.stamp,
        work: head.is_challenged.then(|| WorkView {
            script: links::script(app),
            solver: links::solver(app),
            challenge: links::challenge(app, &head.ground.site.key, &head.ground.article.key),
        }),
        name_required: head.ground.site.settings.required.name,
        email_required: head.ground.site.settings.required.email,
        problem: whole.as_deref(),
    };
    let door = head.ground.door(app.clock.now());
    let opens_at = if let Door::OpensAt(at) = door { Some(words.opens_again(&words.moment(at))) } else { None };
    let view = ArticlePage {
        words,
        css_href: &links::stylesheet(app),
        site_name: &head.ground.site.name,
        language: &head.ground.site.language,
        title: &head.ground.article.title,
        summary: head.ground.article.summary.as_deref(),
        url: &head.ground.article.url,
        comments_count: head.ground.article.published,
        thread_html: THREAD,
        more_href: comments.next(),
        form: (door == Door::Open).then_some(form),
        closed: opens_at.as_deref().unwrap_or(words.comments_closed),
    };
    let mut above = Bytes::from(view.render().map_err(Problem::internal)?);
    let place = above.iter().position(|byte| *byte == THREAD.as_bytes()[0]);
    let mut below = above.split_off(place.ok_or_else(|| Problem::internal("a page without a place for comments"))?);
    below.advance(THREAD.len());
    // The comments may have megabytes: all who are reading this page share them.
    let parts = [above, comments.plain().clone(), below];
    let length = parts.iter().map(|part| part.len() as u64).sum();
    let body = SizedStream::new(length, stream::iter(parts.map(Ok::<_, Infallible>)));
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let mut response = response.content_type("text/html; charset=utf-8").body(body);
    if head.is_challenged {
        response.extensions_mut().insert(RunsScript);
    }
    Ok(response)
}

/// A problem that no field is wrong in, to a person who filled in a form. Keys are a matter of programs: here the form was
/// sent before, and now comes back with a nonce of its own.
fn said(problem: &Problem, words: &Wording) -> String {
    match problem.kind {
        Kind::KeyReused => words.form_sent_before.to_owned(),
        Kind::ChallengeUnsolved => words.challenge_again.to_owned(),
        _ => problem.detail.clone(),
    }
}

fn find_message(faults: &[Fault], name: &str, words: &Wording) -> Option<String> {
    let fault = faults.iter().find(|fault| fault.pointer.strip_prefix('/') == Some(name))?;
    Some(words.field_message(fault.code, fault.limit))
}
