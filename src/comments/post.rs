//! What happens when a reader posts a comment, in eight steps.
//!
//! 1. **Parse**: the form was read into a [`ReplyForm`]; what is wrong with it is said in step 2, all at once.
//! 2. **Place**: site, article, the comment replied to; closed, foreign or too deep is refused. The only step that
//!    reads: the ground once, then remembered; the comment replied to and an idempotency key in one more.
//! 3. **Identify**: who it is by, as far as a guest can be known (see [`crate::readers`]), and whether they are banned.
//! 4. **Pace**: a challenge, if one is asked for; how fast this author posts. (The address was counted before.)
//! 5. **Render**: Markdown to clean HTML, once, before any lock is taken.
//! 6. **Judge**: published or held, and why: policy, filter, names, bans, rules, repetition, robots, services outside.
//! 7. **Keep**: one transaction: comment, tree and counters, idempotency key, challenge used up, letter to the author.
//!    All exist or none does. The only step that writes.
//! 8. **Tell**: drop what was kept ready of the article's thread, tell the desks that follow live, wake the mailer.

use std::net::IpAddr;
use std::sync::Arc;

use crate::app::App;
use crate::articles::Door;
use crate::bans::{Hit, Sender, find_book};
use crate::http::limits::TooFast;
use crate::kit::altcha::Solved;
use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::fault::Fault;
use crate::kit::ids::{CommentId, DecisionId};
use crate::kit::key::Key;
use crate::kit::markup;
use crate::learning::{Asked, ask_filter};
use crate::readers::{self, Browser, Standing, ask_to_verify, find_standing, prove_comment};
use crate::rules::find_rules;
use crate::screening::{self, Facts, Finding, Opinion, Outcome, Submission, Verdict};
use crate::store::{self, Cause, Conn, Constraint, KeptAnswer, Replay, StoreError};

use super::author::Author;
use super::form::{NewComment, ReplyForm};
use super::ground::{Ground, find_ground};
use super::others;
use super::queries::Beside;
use super::robots::{self, ChallengeFault, Traces};
use super::{Ancestors, Comment, NewDecision, Shown, Status, queries, show};

/// A reader's post.
#[derive(Debug, Clone)]
pub struct Post {
    pub site: Key,
    pub article: Key,
    pub form: ReplyForm,
    /// Where it comes from; none for what the program itself posts.
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// The origin of the page that sent it, when a browser said one that is not ours.
    pub foreign_origin: Option<String>,
    /// The key by which it may be sent again.
    pub replay: Option<Replay>,
    /// What tells whether a robot sent it; none for what the program itself posts.
    pub traces: Option<Traces>,
    /// The browser that sent it, if it asked to be remembered before.
    pub browser: Option<Browser>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Posted {
    pub id: CommentId,
    /// Whether it was published at once.
    pub is_published: bool,
    /// False when the same request was answered before.
    pub is_new: bool,
}

/// Why it was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("there is no such site or article")]
    NoSuchArticle,
    #[error("the article takes no comments")]
    Closed,
    #[error("the article takes no comments at this hour")]
    ClosedUntil(Millis),
    #[error("it was sent by a page of an origin that the site does not list")]
    ForeignOrigin,
    #[error("fields are wrong")]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Challenge(#[from] ChallengeFault),
    #[error(transparent)]
    TooFast(#[from] TooFast),
    #[error("the same text by the same author is there already")]
    Duplicate,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for PostError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Posts a comment.
///
/// # Errors
/// See [`PostError`]; nothing is kept then.
pub async fn post_comment(app: &App, post: Post) -> Result<Posted, PostError> {
    let now = app.clock.now();
    let place = find_place(app, &post).await?;
    if let Some(kept) = place.kept {
        return replayed(kept);
    }
    let comment = accept(&post, &place, now)?;
    let author = Author::of(app, &comment, post.address);
    let bans = find_bans(app, &post, &place, &comment, now).await?;
    let (signs, solved) = robots::look(app, &post, &place.ground, now)?;
    app.limits.posts_by_author.count(&author.key())?;
    let html = markup::render(&comment.text);
    let rules = apply_rules(app, &post, &place, (&comment, &html), now).await?;
    let opinion = find_opinion(app, &place, &comment).await?;
    let repeated = others::find_repeated(app, &post, &place.ground, &comment, now).await?;
    let findings = bans.iter().map(Hit::finding).chain(rules).chain(signs.findings()).chain(repeated);
    let verdict = judge(&place, &comment, &opinion, findings.collect());
    let verdict = others::ask_outside(app, &post, &place.ground, &comment, verdict, now).await;
    let posted = keep(app, &post, &place, Judged { comment, author, html, verdict, solved }, now).await?;
    tell(app, &post, &place, &posted);
    Ok(posted)
}

/// Where a comment is to go.
struct Place {
    /// Site, article and the names of staff, remembered from one post to the next.
    ground: Arc<Ground>,
    parent: Option<Comment>,
    /// What the same request was answered with before.
    kept: Option<KeptAnswer>,
    /// Who it is by, if its email was verified in the browser that sent it.
    standing: Option<Standing>,
}

async fn find_place(app: &App, post: &Post) -> Result<Place, PostError> {
    let ground = find_ground(app, &post.site, &post.article).await?.ok_or(PostError::NoSuchArticle)?;
    let (parent_id, replay) = (post.form.parent_id, post.replay);
    let (site, who) = (ground.site.id, post.form.email.clone().zip(post.browser));
    if parent_id.is_none() && replay.is_none() && who.is_none() {
        return Ok(Place { ground, parent: None, kept: None, standing: None });
    }
    let read = app.store.read(move |conn| {
        let parent = parent_id.map(|id| queries::find_comment(conn, id)).transpose()?.flatten();
        let kept = replay.map(|replay| store::find_kept_answer(conn, &replay)).transpose()?.flatten();
        let who = who.as_ref().map(|(email, browser)| find_standing(conn, site, email, *browser));
        Ok::<_, StoreError>((parent, kept, who.transpose()?.flatten()))
    });
    let (parent, kept, standing) = read.await?;
    Ok(Place { ground, parent, kept, standing })
}

fn accept(post: &Post, place: &Place, now: Millis) -> Result<NewComment, PostError> {
    let lists = |origin: &String| place.ground.site.origins.iter().any(|listed| listed.eq_ignore_ascii_case(origin));
    if post.foreign_origin.as_ref().is_some_and(|origin| !lists(origin)) {
        return Err(PostError::ForeignOrigin);
    }
    match place.ground.door(now) {
        Door::Open => {}
        Door::OpensAt(at) => return Err(PostError::ClosedUntil(at)),
        Door::Closed => return Err(PostError::Closed),
    }
    let parent_fault = post.form.parent_id.and_then(|_| parent_fault(place));
    post.form.clone().accept(place.ground.site.settings.required, parent_fault).map_err(PostError::Invalid)
}

/// One answer for a parent that is missing, not published, elsewhere, or as deep as replies go: a reader cannot find out
/// by replying which comments there are.
fn parent_fault(place: &Place) -> Option<Fault> {
    let is_answerable = place.parent.as_ref().is_some_and(|parent| place.ground.takes_replies_to(parent));
    (!is_answerable).then(|| Fault::new("parent_id", "parent"))
}

/// The bans that the author meets. They are in memory; only after one of them changed is the database asked.
async fn find_bans(
    app: &App,
    post: &Post,
    place: &Place,
    comment: &NewComment,
    now: Millis,
) -> Result<Vec<Hit>, StoreError> {
    let (name, email) = (comment.name.as_str(), comment.email.as_deref());
    let sender = Sender { name, email, address: post.address, site: place.ground.site.id, now };
    Ok(find_book(app).await?.hits(&sender))
}

/// What the site's filter thinks. It is in memory, and the database is asked only for the first post after a start.
async fn find_opinion(app: &App, place: &Place, comment: &NewComment) -> Result<Opinion, StoreError> {
    let site = &place.ground.site;
    let asked = Asked {
        site: site.id,
        text: &comment.text,
        name: &comment.name,
        email: comment.email.as_deref(),
        url: comment.url.as_deref(),
        budget: site.settings.budget,
    };
    ask_filter(app, asked).await
}

/// What the site's rules say. They are in memory; the database is asked only where a rule is about first comments.
async fn apply_rules(
    app: &App,
    post: &Post,
    place: &Place,
    (comment, html): (&NewComment, &str),
    now: Millis,
) -> Result<Vec<Finding>, StoreError> {
    let site = &place.ground.site;
    let rules = find_rules(app, site.id).await?;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let is_first = rules.asks_for_first_comments() && {
        let (site, email, address) = (site.id, comment.email.clone(), post.address);
        !app.store.read(move |conn| queries::is_known(conn, site, email.as_deref(), address)).await?
    };
    Ok(rules.judge(&Submission {
        text: &comment.text,
        html,
        name: &comment.name,
        url: comment.url.as_deref(),
        email: comment.email.as_deref(),
        address: post.address,
        is_first,
        at: now,
        timezone: site.settings.timezone(),
    }))
}

/// The first finding is the first reason.
fn judge(place: &Place, comment: &NewComment, opinion: &Opinion, findings: Vec<Finding>) -> Verdict {
    let policy = place.ground.article.policy.unwrap_or(place.ground.site.settings.policy);
    let is_staff_lookalike = place.ground.staff.has_one_like(&comment.name);
    let is_trusted = place.standing.is_some_and(|standing| standing.is_trusted);
    let verdict = screening::judge(Facts { policy, is_staff_lookalike, is_trusted, filter: Some(opinion) });
    findings.into_iter().rev().fold(verdict, Verdict::with)
}

/// What the steps before have made of a comment.
struct Judged {
    comment: NewComment,
    author: Author,
    html: String,
    verdict: Verdict,
    /// The challenge that it solved.
    solved: Option<Solved>,
}

/// What the transaction writes.
struct Kept {
    row: Comment,
    /// The id of the history's first line, where that is kept by itself.
    first_line: Option<DecisionId>,
    duplicate_hash: i64,
    /// What led to the verdict, as JSON.
    screening: Option<String>,
    /// The challenge that is used up.
    solved: Option<Solved>,
    replay: Option<Replay>,
    standing: Option<Standing>,
    letter: Option<readers::Request>,
    answer: Posted,
}

async fn keep(app: &App, post: &Post, place: &Place, mut judged: Judged, now: Millis) -> Result<Posted, PostError> {
    let duplicate_hash = judged.author.duplicate_hash(app, place.ground.article.id, &judged.comment.text);
    let screening = judged.verdict.screening().map(|screening| serde_json::to_string(&screening)).transpose();
    let screening = screening.map_err(|error| StoreError::Broken(format!("a verdict: {error}")))?;
    let solved = judged.solved.take();
    let row = row(app.store.next_id().await?, post, place, judged, now);
    let first_line = if row.status == Status::Spam { Some(app.store.next_id().await?) } else { None };
    let letter = letter(app, post, place, &row).await?;
    let posted = Posted { id: row.id, is_published: row.status == Status::Approved, is_new: true };
    let answer = posted.clone();
    let (replay, standing) = (post.replay, place.standing);
    let kept = Kept { row, first_line, duplicate_hash, screening, solved, replay, standing, letter, answer };
    let kept = Arc::new(kept);
    let write = move |conn: &mut Conn| write(conn, &kept);
    let mut outcome = app.store.write(write.clone()).await;
    if let Err(PostError::Store(StoreError::Taken(Constraint::IdempotencyKey))) = outcome {
        // The same request at the same moment was faster: now its answer is there to be found.
        outcome = app.store.write(write).await;
    }
    let kept = match outcome {
        Err(PostError::Store(StoreError::Taken(Constraint::DuplicateComment))) => return Err(PostError::Duplicate),
        Err(PostError::Store(StoreError::Taken(Constraint::SpentChallenge))) => {
            return Err(ChallengeFault::Spent.into());
        }
        outcome => outcome?,
    };
    kept.map_or(Ok(posted), replayed)
}

/// The letter that asks whether its email is theirs who sent it, unless that is known or it is spam.
async fn letter(app: &App, post: &Post, place: &Place, row: &Comment) -> Result<Option<readers::Request>, StoreError> {
    let (Some(email), Some(address)) = (&row.email, post.address) else { return Ok(None) };
    if !readers::may_be_asked(app) || place.standing.is_some() || row.status == Status::Spam {
        return Ok(None);
    }
    let id = app.store.next_id::<Comment>().await?.get();
    Ok(Some(readers::request_of(app, id, (row.id, row.site_id), email, address, row.received_at)))
}

fn row(id: CommentId, post: &Post, place: &Place, judged: Judged, now: Millis) -> Comment {
    let (parent, comment, verdict) = (place.parent.as_ref(), judged.comment, judged.verdict);
    // A reply never stands before what it replies to, whatever the clock says.
    let created_at = parent.map_or(now, |parent| now.max(Millis(parent.created_at.0 + 1)));
    Comment {
        id,
        site_id: place.ground.site.id,
        article_id: place.ground.article.id,
        parent_id: parent.map(|parent| parent.id),
        ancestors: parent.map_or_else(Ancestors::default, |parent| parent.ancestors.clone().with(parent.id)),
        thread_id: parent.map_or(id, |parent| parent.thread_id),
        thread_at: parent.map_or(created_at, |parent| parent.thread_at),
        status: match verdict.outcome {
            Outcome::Publish => Status::Approved,
            Outcome::Hold => Status::Pending,
            Outcome::Spam => Status::Spam,
        },
        version: 1,
        name: comment.name,
        email: comment.email,
        url: comment.url,
        text: comment.text,
        ip: post.address.map(|address| address.to_string()),
        user_agent: post.user_agent.clone(),
        html: judged.html,
        moderator_id: None,
        created_at,
        received_at: now,
        edited_at: None,
        held_because: verdict.reasons,
        risk: verdict.risk,
        reports: 0,
        shown: Shown::default(),
    }
}

/// The transaction. `Some` when the same request was answered before: then nothing is written.
fn write(conn: &mut Conn, kept: &Kept) -> Result<Option<KeptAnswer>, PostError> {
    let row = &kept.row;
    if let Some(replay) = &kept.replay {
        if let Some(answer) = store::find_kept_answer(conn, replay)? {
            return Ok(Some(answer));
        }
        store::keep_answer(conn, replay, row.id.get(), kept.answer.status_code(), row.received_at)?;
    }
    if let Some(solved) = &kept.solved {
        queries::spend_challenge(conn, solved)?;
    }
    let shown = if row.status == Status::Approved { show::show_new(conn, row)? } else { Shown::default() };
    let beside = Beside { duplicate_hash: Some(kept.duplicate_hash), screening: kept.screening.as_deref() };
    queries::insert_comment(conn, row, shown, beside)?;
    // Of a comment that was published or held at first, the comment itself says so.
    if let Some(id) = kept.first_line {
        queries::insert_decision(conn, &NewDecision::first(id, row))?;
    }
    if let Some(standing) = kept.standing {
        prove_comment(conn, row.id, standing.email, row.received_at)?;
    }
    if let Some(letter) = &kept.letter {
        ask_to_verify(conn, letter)?;
    }
    Ok(None)
}

fn replayed(kept: KeptAnswer) -> Result<Posted, PostError> {
    if !kept.is_same_request {
        return Err(PostError::KeyReused);
    }
    let is_published = kept.status == Posted::PUBLISHED;
    Ok(Posted { id: CommentId::new(kept.made_id), is_published, is_new: false })
}

fn tell(app: &App, post: &Post, place: &Place, posted: &Posted) {
    if posted.is_published {
        app.drop_thread(&post.site, &post.article);
    }
    if posted.is_new {
        app.mailer.wake();
        let status = if posted.is_published { Status::Approved } else { Status::Pending };
        let site = place.ground.site.id;
        app.tell(Change { comment: posted.id, version: 1, status: status.as_str(), site });
    }
}

impl Posted {
    const PUBLISHED: u16 = 201;
    const HELD: u16 = 202;

    /// 201 when published, 202 when held.
    pub fn status_code(&self) -> u16 {
        if self.is_published { Self::PUBLISHED } else { Self::HELD }
    }
}
