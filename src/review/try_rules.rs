//! Trying rules before they are put: what they would have said of the latest comments, beside what the present rules say
//! and what people decided. Nothing is changed by it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::comments::{Status, list_comments};
use crate::kit::fault::Fault;
use crate::kit::ids::{CommentId, MAX_ID, RuleId};
use crate::kit::key::Key;
use crate::rules::{Draft, find_rules, numbered};
use crate::screening::{Effect, Finding, Outcome, RuleSet};
use crate::sites::find_own_site;
use crate::store::{Cause, StoreError};

use super::judged::{find_firsts, findings};
use super::queries::reruns;

/// The most comments that rules are tried on.
pub const MOST_TRIED: u32 = 10_000;
/// Comments read at once.
const CHUNK: usize = 200;
/// How long somebody waits; what has not been looked at by then is not.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ids shown of each cell.
const SAMPLE: usize = 10;

/// What came of it.
#[derive(Debug, Default)]
pub struct Tried {
    pub looked_at: usize,
    pub cells: Vec<Cell>,
    /// By the place of the rule.
    pub hits: Vec<RuleHits>,
}

/// Comments of which the present rules, the tried ones and people said the same.
#[derive(Debug)]
pub struct Cell {
    pub before: Outcome,
    pub after: Outcome,
    /// What people decided last; none where nobody has.
    pub decided: Option<Status>,
    pub count: usize,
    /// The latest.
    pub sample: Vec<CommentId>,
}

/// What one of the tried rules found.
#[derive(Debug, Clone, Default)]
pub struct RuleHits {
    pub hits: usize,
    /// Of these, those that people approved last, and those that they decided against.
    pub approved: usize,
    pub refused: usize,
}

/// Why they were not tried.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    #[error("there is no such site, or it is not one's own")]
    NoSuchSite,
    #[error("rules are wrong")]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for TryError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// One at a time: it keeps a thread that reads for seconds, and there are few.
#[derive(Default)]
struct Turn(tokio::sync::Mutex<()>);

/// Tries rules on the latest `last` comments of the site called `key`.
///
/// # Errors
/// See [`TryError`].
pub async fn try_rules(app: &App, by: &Moderator, key: &Key, drafts: Vec<Draft>, last: u32) -> Result<Tried, TryError> {
    let site = find_own_site(app, by, key).await?.filter(|site| by.may_on(Right::ChangeSettings, site.id));
    let site = site.ok_or(TryError::NoSuchSite)?;
    let present = find_rules(app, site.id).await?;
    let turns = app.shelves.get::<Turn>();
    let _turn = turns.0.lock().await;
    // New rules have no ids yet. These are nobody's, and are not shown.
    let fresh = (0..).take(drafts.len()).map(|index| RuleId::new(MAX_ID - index)).collect();
    let rules = numbered(drafts, fresh);
    let read = app.store.read(move |conn| {
        let began = Instant::now();
        let tried = RuleSet::compile(&rules).map_err(TryError::Invalid)?;
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (place, rule) in rules.iter().enumerate() {
            places.insert(rule.id.to_string(), place);
        }
        let mut all = Tried { hits: vec![RuleHits::default(); rules.len()], ..Tried::default() };
        let mut cells: BTreeMap<_, Cell> = BTreeMap::new();
        let latest = reruns::list_latest(conn, site.id, last)?;
        for ids in latest.chunks(CHUNK).take_while(|_| began.elapsed() <= PATIENCE) {
            let mut comments = list_comments(conn, ids)?;
            comments.sort_by_key(|comment| std::cmp::Reverse((comment.created_at, comment.id)));
            let firsts = find_firsts(conn, &site, &comments, &[&present, &tried])?;
            let decided = reruns::list_decided_by_people(conn, ids)?;
            for comment in &comments {
                if began.elapsed() > PATIENCE {
                    break;
                }
                let is_first = firsts.contains(&comment.id);
                let before = outcome(&findings(&present, &site, comment, is_first));
                let found = findings(&tried, &site, comment, is_first);
                let (after, decided) = (outcome(&found), decided.get(&comment.id).copied());
                for place in found.iter().filter_map(|finding| places.get(&finding.hit.rule)) {
                    all.hits[*place].count(decided);
                }
                let cell = cells.entry((before, after, decided.map(Status::as_str))).or_insert_with(|| Cell {
                    before,
                    after,
                    decided,
                    count: 0,
                    sample: Vec::new(),
                });
                cell.count += 1;
                if cell.sample.len() < SAMPLE {
                    cell.sample.push(comment.id);
                }
                all.looked_at += 1;
            }
        }
        all.cells = cells.into_values().collect();
        Ok(all)
    });
    read.await
}

impl RuleHits {
    fn count(&mut self, decided: Option<Status>) {
        self.hits += 1;
        match decided {
            Some(Status::Approved) => self.approved += 1,
            Some(Status::Rejected | Status::Spam | Status::Trash) => self.refused += 1,
            _ => {}
        }
    }
}

/// What rules alone make of it.
fn outcome(findings: &[Finding]) -> Outcome {
    let of = |finding: &Finding| match finding.hit.effect {
        Effect::Log => Outcome::Publish,
        Effect::Hold => Outcome::Hold,
        Effect::Spam => Outcome::Spam,
    };
    findings.iter().map(of).max().unwrap_or(Outcome::Publish)
}
