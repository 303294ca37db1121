//! Putting a site's rules: all of them at once. A rule that is put with the id it was shown with keeps it, and so stays the
//! rule that held what it held; one without is new.
//!
//! Whoever says which version they changed does not overwrite what somebody else put meanwhile.

use std::collections::{HashMap, HashSet};

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::audit::{self, Action, Entry, Subject};
use crate::kit::fault::Fault;
use crate::kit::ids::RuleId;
use crate::kit::key::Key;
use crate::screening::{Effect, Look, Rule, RuleSet};
use crate::sites::find_own_site;
use crate::store::{Cause, StoreError};

use super::kept::forget_rules;
use super::{SiteRules, queries};

/// A rule as it is put.
#[derive(Debug, Clone)]
pub struct Draft {
    /// None: a new one.
    pub id: Option<RuleId>,
    pub label: Option<String>,
    pub effect: Effect,
    pub look: Look,
}

/// Why nothing was put.
#[derive(Debug, thiserror::Error)]
pub(super) enum RulesError {
    #[error("there is no such site, or it is not one's own")]
    NoSuchSite,
    #[error("rules are wrong")]
    Invalid(Vec<Fault>),
    #[error("somebody changed them meanwhile")]
    Stale { version: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for RulesError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// The rules of the site called `key`.
pub(super) async fn show_rules(app: &App, by: &Moderator, key: &Key) -> Result<SiteRules, RulesError> {
    let site = find_own_site(app, by, key).await?.ok_or(RulesError::NoSuchSite)?;
    Ok(app.store.read(move |conn| queries::load_rules(conn, site.id)).await?)
}

/// Puts rules in place of those of the site called `key`. `versions` are those they may have now; any, when nothing is
/// said.
pub(super) async fn put_rules(
    app: &App,
    by: &Moderator,
    key: &Key,
    drafts: Vec<Draft>,
    versions: Option<Vec<i64>>,
) -> Result<SiteRules, RulesError> {
    let site = find_own_site(app, by, key).await?.filter(|site| by.may_on(Right::ChangeSettings, site.id));
    let site = site.ok_or(RulesError::NoSuchSite)?.id;
    let mut fresh = Vec::new();
    for _ in drafts.iter().filter(|draft| draft.id.is_none()) {
        fresh.push(app.store.next_id().await?);
    }
    let rules = numbered(drafts, fresh.clone());
    // Where the store's threads are, for it takes a while with long lists.
    let compiled = rules.clone();
    let compile = app.store.read(move |_| RuleSet::compile(&compiled).map(drop).map_err(RulesError::Invalid));
    compile.await?;
    let (by, now, blank) = (by.clone(), app.clock.now(), audit::blank(app).await?);
    let put = app.store.write(move |conn| {
        let before = queries::load_rules_to_change(conn, site, now)?;
        if versions.as_ref().is_some_and(|versions| !versions.contains(&before.version)) {
            return Err(RulesError::Stale { version: before.version });
        }
        refuse_foreign_ids(&before, &rules, &fresh)?;
        if before.rules == rules {
            return Ok(before);
        }
        let after = SiteRules { rules: rules.clone(), version: before.version + 1 };
        queries::update_rules(conn, site, &after, now)?;
        let entry = blank.fill(by.actor(), Action::RulesChanged).on_site(site).about(Subject::Site(site));
        audit::record(conn, &told(entry, &before, &after))?;
        Ok(after)
    });
    let rules = put.await?;
    forget_rules(app);
    Ok(rules)
}

/// Drafts as rules, the new ones with these ids.
pub fn numbered(drafts: Vec<Draft>, fresh: Vec<RuleId>) -> Vec<Rule> {
    let mut fresh = fresh.into_iter();
    let number = |draft: Draft| {
        let id = draft.id.or_else(|| fresh.next())?;
        Some(Rule { id, label: draft.label, effect: draft.effect, look: draft.look })
    };
    drafts.into_iter().filter_map(number).collect()
}

/// An id is that of a rule of this site, each once: else a rule would speak for what another held.
fn refuse_foreign_ids(before: &SiteRules, rules: &[Rule], fresh: &[RuleId]) -> Result<(), RulesError> {
    let mut known: HashSet<RuleId> = before.rules.iter().map(|rule| rule.id).chain(fresh.iter().copied()).collect();
    let foreign = rules.iter().enumerate().filter(|(_, rule)| !known.remove(&rule.id));
    let faults: Vec<Fault> =
        foreign.map(|(index, _)| Fault::new("id", "choice").within(&format!("/rules/{index}"))).collect();
    if faults.is_empty() { Ok(()) } else { Err(RulesError::Invalid(faults)) }
}

/// What was added, changed and taken away, by id; the words themselves may be many.
fn told(entry: Entry, before: &SiteRules, after: &SiteRules) -> Entry {
    let old: HashMap<RuleId, &Rule> = before.rules.iter().map(|rule| (rule.id, rule)).collect();
    let kept: HashSet<RuleId> = after.rules.iter().map(|rule| rule.id).collect();
    let ids = |is_so: &dyn Fn(&&Rule) -> bool| -> Vec<RuleId> {
        after.rules.iter().filter(|rule| is_so(rule)).map(|rule| rule.id).collect()
    };
    let removed: Vec<RuleId> = before.rules.iter().map(|rule| rule.id).filter(|id| !kept.contains(id)).collect();
    entry
        .fact("version", after.version)
        .fact("rules", after.rules.len())
        .fact("added", ids(&|rule| !old.contains_key(&rule.id)))
        .fact("changed", ids(&|rule| old.get(&rule.id).is_some_and(|old| old != rule)))
        .fact("removed", removed)
}
