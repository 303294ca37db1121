//! The rules of each site as this node keeps them, ready. They are read again when they were put here, at once, and within
//! a second when that happened on another node: their version says whether it did. Otherwise asking for them costs no
//! query.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;

use crate::app::App;
use crate::kit::ids::SiteId;
use crate::screening::RuleSet;
use crate::store::{Conn, StoreResult};

use super::queries;

/// How many sites are remembered.
const MOST: usize = 1_000;

struct Kept {
    /// Changes made here.
    changes: AtomicU64,
    sites: Cache<SiteId, Latest>,
    /// One at a time reads the database: making 60,000 words ready takes a while and should be done once.
    reading: tokio::sync::Mutex<()>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { changes: AtomicU64::new(0), sites: Cache::new(MOST), reading: tokio::sync::Mutex::new(()) }
    }
}

#[derive(Clone)]
struct Latest {
    /// Changes here, and writes of others, when they were last known to be right.
    stamp: (u64, u64),
    version: i64,
    rules: Arc<RuleSet>,
}

impl Kept {
    fn stamp(&self, app: &App) -> (u64, u64) {
        (self.changes.load(Ordering::Acquire), app.store.foreign_writes())
    }
}

/// The rules of a site, ready.
///
/// # Errors
/// Those of the store.
pub async fn find_rules(app: &App, site: SiteId) -> StoreResult<Arc<RuleSet>> {
    let kept = app.shelves.get::<Kept>();
    let stamp = kept.stamp(app);
    if let Some(latest) = kept.sites.get(&site).filter(|latest| latest.stamp == stamp) {
        return Ok(latest.rules);
    }
    let _turn = kept.reading.lock().await;
    // Taken before reading: a change in between makes another stamp.
    let stamp = kept.stamp(app);
    let known = kept.sites.get(&site);
    if let Some(latest) = known.as_ref().filter(|latest| latest.stamp == stamp) {
        return Ok(Arc::clone(&latest.rules));
    }
    let known = known.map(|latest| (latest.version, latest.rules));
    let (version, rules) = app.store.read(move |conn| read(conn, site, known.as_ref())).await?;
    kept.sites.insert(site, Latest { stamp, version, rules: Arc::clone(&rules) });
    Ok(rules)
}

fn read(conn: &mut Conn, site: SiteId, known: Option<&(i64, Arc<RuleSet>)>) -> StoreResult<(i64, Arc<RuleSet>)> {
    let version = queries::find_version(conn, site)?;
    if let Some((_, rules)) = known.filter(|(known, _)| *known == version) {
        return Ok((version, Arc::clone(rules)));
    }
    let found = queries::load_rules(conn, site)?;
    // Rules are compiled before they are kept. What was kept by a program with other limits is left out, rule by rule.
    let rules = RuleSet::compile(&found.rules).unwrap_or_else(|_| {
        let fit: Vec<_> =
            found.rules.into_iter().filter(|rule| RuleSet::compile(std::slice::from_ref(rule)).is_ok()).collect();
        tracing::warn!(%site, "some rules of a site cannot be made ready and are left out");
        RuleSet::compile(&fit).unwrap_or_default()
    });
    Ok((found.version, Arc::new(rules)))
}

/// Has the rules read again: after the commit.
pub(super) fn forget_rules(app: &App) {
    app.shelves.get::<Kept>().changes.fetch_add(1, Ordering::AcqRel);
}
