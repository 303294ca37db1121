//! Made-up comments in any number, for measuring: few articles have most of them (Zipf's law), most are replies, every
//! state occurs, and they lie a year back. The same call makes the same texts.
//!
//! They are written as posts and decisions would leave them, some thousands in a transaction: the published tree of a
//! chunk is put together before it is written, so that each row is written once.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::app::App;
use crate::articles::{add_to_published, find_article};
use crate::kit::clock::Millis;
use crate::kit::ids::{ArticleId, CommentId, DecisionId, SiteId};
use crate::kit::key::Key;
use crate::kit::markup;
use crate::sites::find_site;
use crate::store::{Conn, StoreError, StoreResult, widen_page_cache};

use super::{Ancestors, Comment, NewDecision, Shown, Status, queries};

/// Comments written in one transaction.
const CHUNK: u64 = 5_000;
/// How many of an article's latest published comments replies go to.
const RECENT: usize = 40;
/// The time over which they are spread.
const SPREAD: Duration = Duration::from_hours(8760);

const NAMES: [&str; 12] =
    ["Ada", "Bruno", "Chiara", "Dmitri", "Emeka", "Fatima", "Goro", "Hana", "Ines", "Joao", "Καλλιόπη", "李明"];
const WORDS: [&str; 40] = [
    "the", "tide", "mill", "turns", "again", "and", "nobody", "asked", "whether", "it", "would", "last", "a", "winter",
    "council", "says", "that", "money", "is", "there", "but", "who", "has", "seen", "*any*", "of", "it", "in", "our",
    "street", "we", "still", "wait", "for", "**one**", "answer", "from", "them", "since", "spring",
];

/// Where generated comments go.
struct Target {
    article: ArticleId,
    /// The latest published ones, to reply to.
    recent: VecDeque<Comment>,
}

/// Makes `count` comments on those of `articles` that there are, and tells `progress` how many are there by now.
///
/// # Errors
/// When there is no such site or none of the articles; else those of the store.
pub async fn generate_comments(
    app: &App,
    site: &Key,
    articles: Vec<Key>,
    count: u64,
    mut progress: impl FnMut(u64),
) -> StoreResult<()> {
    let key = site.clone();
    let (site_id, ids) = app.store.read(move |conn| find_articles(conn, &key, &articles)).await?;
    let mut targets: Vec<Target> = ids.into_iter().map(|article| Target { article, recent: VecDeque::new() }).collect();
    let count_of_articles = targets.len();
    app.store.write(widen_page_cache).await?;
    let mut random = fastrand::Rng::with_seed(7);
    let began = app.clock.now().minus(SPREAD);
    let mut done = 0;
    while done < count {
        let mut chunk = Chunk::default();
        for number in done..(done + CHUNK).min(count) {
            let at = Millis(began.0 + spread_ms(number, count));
            let (id, decision) = (app.store.next_id().await?, app.store.next_id().await?);
            let target = &mut targets[zipf(&mut random, count_of_articles)];
            chunk.add(make(&mut random, site_id, target, id, at), decision);
        }
        done += chunk.made.len() as u64;
        let chunk = std::sync::Arc::new(chunk);
        app.store.write(move |conn| chunk.write(conn)).await?;
        progress(done);
    }
    app.drop_threads();
    Ok(())
}

fn find_articles(conn: &mut Conn, site: &Key, articles: &[Key]) -> StoreResult<(SiteId, Vec<ArticleId>)> {
    let site = find_site(conn, site)?.ok_or(StoreError::Missing)?;
    let mut ids = Vec::new();
    for key in articles {
        ids.extend(find_article(conn, site.id, key)?.map(|article| article.id));
    }
    if ids.is_empty() { Err(StoreError::Missing) } else { Ok((site.id, ids)) }
}

fn spread_ms(number: u64, count: u64) -> i64 {
    let part = u128::from(number) * SPREAD.as_millis() / u128::from(count.max(1));
    i64::try_from(part).unwrap_or(0)
}

/// The first of `count` most often, the k-th in proportion to 1/k: the inverse of the logarithm that sums them up.
fn zipf(random: &mut fastrand::Rng, count: usize) -> usize {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = ((count as f64 + 1.0).powf(random.f64()) - 1.0) as usize;
    rank.min(count - 1)
}

fn make(random: &mut fastrand::Rng, site_id: SiteId, target: &mut Target, id: CommentId, at: Millis) -> Comment {
    let parent = if random.u8(..100) < 60 { random.choice(&target.recent) } else { None };
    let parent = parent.filter(|parent| parent.ancestors.ids().len() < 4).cloned();
    let status = match random.u8(..100) {
        0..80 => Status::Approved,
        80..88 => Status::Pending,
        88..92 => Status::Rejected,
        92..98 => Status::Spam,
        _ => Status::Trash,
    };
    let name = NAMES[random.usize(..NAMES.len())];
    let text = (0..random.usize(8..70)).map(|_| WORDS[random.usize(..WORDS.len())]).collect::<Vec<_>>().join(" ");
    let comment = Comment {
        id,
        site_id,
        article_id: target.article,
        parent_id: parent.as_ref().map(|parent| parent.id),
        ancestors: parent.as_ref().map_or_else(Ancestors::default, |parent| parent.ancestors.clone().with(parent.id)),
        thread_id: parent.as_ref().map_or(id, |parent| parent.thread_id),
        thread_at: parent.as_ref().map_or(at, |parent| parent.thread_at),
        status,
        version: 1,
        name: name.to_owned(),
        email: Some(format!("reader{}@example.org", random.u32(..50_000))),
        url: None,
        html: markup::render(&text),
        text,
        ip: Some(format!("198.51.{}.{}", random.u8(..), random.u8(..))),
        user_agent: Some("generated".to_owned()),
        moderator_id: None,
        created_at: parent.as_ref().map_or(at, |parent| at.max(Millis(parent.created_at.0 + 1))),
        received_at: at,
        edited_at: None,
        held_because: vec!["Every comment here waits for a moderator.".to_owned()],
        risk: random.f64(),
        reports: 0,
        shown: Shown::default(),
    };
    if status == Status::Approved {
        target.recent.push_back(comment.clone());
        if target.recent.len() > RECENT {
            target.recent.pop_front();
        }
    }
    comment
}

/// What one transaction writes.
#[derive(Default)]
struct Chunk {
    made: Vec<(Comment, DecisionId)>,
    /// Direct replies and all below that these comments gain, be they of this chunk or from before.
    replies: HashMap<CommentId, (i64, i64)>,
    published: HashMap<ArticleId, i64>,
}

impl Chunk {
    /// Whoever is replied to is published, so the published tree is the one written.
    fn add(&mut self, comment: Comment, decision: DecisionId) {
        if comment.status == Status::Approved {
            *self.published.entry(comment.article_id).or_default() += 1;
            for above in comment.ancestors.ids() {
                self.replies.entry(*above).or_default().1 += 1;
            }
            if let Some(parent) = comment.parent_id {
                self.replies.entry(parent).or_default().0 += 1;
            }
        }
        self.made.push((comment, decision));
    }

    fn write(&self, conn: &mut Conn) -> StoreResult<()> {
        for (article, count) in &self.published {
            add_to_published(conn, *article, *count)?;
        }
        let mut from_before = self.replies.clone();
        for (comment, decision) in &self.made {
            let (replies, below) = from_before.remove(&comment.id).unwrap_or_default();
            let is_decided = comment.status != Status::Pending;
            let version = if is_decided { 2 } else { 1 };
            queries::insert_comment(
                conn,
                &Comment { version, ..comment.clone() },
                place(comment, replies, below),
                queries::Beside::default(),
            )?;
            if is_decided {
                queries::insert_decision(conn, &decided(comment, *decision))?;
            }
        }
        for (id, (replies, below)) in from_before {
            queries::add_replies(conn, id, replies)?;
            queries::add_below(conn, &[id], below)?;
        }
        Ok(())
    }
}

fn place(comment: &Comment, replies: i64, below: i64) -> Shown {
    if comment.status != Status::Approved {
        return Shown::default();
    }
    let depth = i32::try_from(comment.ancestors.ids().len()).unwrap_or(i32::MAX);
    Shown { parent_id: comment.parent_id, depth, replies, below }
}

/// The decision that brought a comment from pending to where it is.
fn decided(comment: &Comment, id: DecisionId) -> NewDecision {
    NewDecision {
        id,
        comment: comment.id,
        moderator: None,
        from: Some(Status::Pending),
        to: comment.status,
        reason: None,
        note: None,
        message: None,
        at: comment.received_at,
        version: 2,
        batch: None,
        undoes: None,
    }
}
