//! The transparency report: what a site did with a month's comments, for its publisher to publish.
//!
//! It has numbers alone: no reader's and no moderator's name, and no ban; people are counted. Comments count by when they
//! were written or, if they were decided, by the decision, whatever became of them later; months are of UTC.

use std::collections::{BTreeMap, HashSet};

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::bans::without_ban;
use crate::kit::ids::ModeratorId;
use crate::kit::key::Key;
use crate::kit::month::Month;
use crate::sites::find_site;
use crate::store::StoreResult;

use super::queries::figures::{self, DecisionRow};
use super::stats::{days, median};

/// The most different reasons for holding that a report names.
const MOST_HELD_BECAUSE: usize = 100;

/// The report.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub received: i64,
    /// Published at once.
    pub published: i64,
    /// Held for a moderator.
    pub held: i64,
    /// Why they were held, in words, the most frequent first; one comment may be held for several reasons.
    pub held_because: Vec<(String, i64)>,
    /// By the status that moderators gave.
    pub decisions: BTreeMap<String, i64>,
    /// Decisions of moderators by their reason's key; none was given under no key.
    pub reasons: BTreeMap<Option<String>, i64>,
    /// Decisions that took another one back.
    pub undone: i64,
    /// Moderators who decided.
    pub people: usize,
    /// Changes that nobody of the site decided, such as an author's withdrawal.
    pub without_people: i64,
    pub median_seconds_to_decision: Option<i64>,
}

/// A site's report of a month; `None` when there is no such site for `moderator`.
///
/// # Errors
/// Those of the store.
pub async fn load_report(app: &App, moderator: &Moderator, site: &Key, month: Month) -> StoreResult<Option<Report>> {
    let (site, by, range) = (site.clone(), moderator.clone(), month.range());
    app.store
        .read(move |conn| {
            let found = find_site(conn, &site)?.filter(|site| by.may_on(Right::ReadSettings, site.id));
            let Some(site) = found else { return Ok(None) };
            let mut report = Report::default();
            report.add_received(figures::count_received(conn, site.id, &range)?);
            let mut tally = Tally::default();
            for day in days(&range) {
                figures::list_decisions(conn, Some(&[site.id]), &day)?.into_iter().for_each(|row| tally.add(row));
            }
            report.add_decisions(tally);
            Ok(Some(report))
        })
        .await
}

impl Report {
    /// Adds comments by why they were held, as lists in JSON.
    fn add_received(&mut self, counts: Vec<(String, i64)>) {
        let mut by_reason: BTreeMap<String, i64> = BTreeMap::new();
        for (reasons, count) in counts {
            let reasons: Vec<String> = serde_json::from_str(&reasons).unwrap_or_default();
            self.received += count;
            *(if reasons.is_empty() { &mut self.published } else { &mut self.held }) += count;
            for reason in reasons {
                *by_reason.entry(without_ban(&reason)).or_default() += count;
            }
        }
        self.held_because = by_reason.into_iter().collect();
        self.held_because.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.held_because.truncate(MOST_HELD_BECAUSE);
    }

    fn add_decisions(&mut self, tally: Tally) {
        self.decisions = tally.decisions;
        self.reasons = tally.reasons;
        self.undone = tally.undone;
        self.people = tally.people.len();
        self.without_people = tally.without_people;
        self.median_seconds_to_decision = median(tally.waits_ms);
    }
}

/// Decisions, being counted.
#[derive(Default)]
struct Tally {
    decisions: BTreeMap<String, i64>,
    reasons: BTreeMap<Option<String>, i64>,
    undone: i64,
    people: HashSet<ModeratorId>,
    without_people: i64,
    waits_ms: Vec<i64>,
}

impl Tally {
    fn add(&mut self, row: DecisionRow) {
        self.waits_ms.extend(row.waited_ms());
        let Some(moderator) = row.moderator else {
            self.without_people += 1;
            return;
        };
        self.people.insert(moderator);
        if row.is_undo() {
            self.undone += 1;
            return;
        }
        *self.decisions.entry(row.to).or_default() += 1;
        *self.reasons.entry(row.reason).or_default() += 1;
    }
}
