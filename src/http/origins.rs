//! The origins whose pages may read answers, remembered for a moment so that a page of another origin costs no query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::kit::key::Key;

/// How long a list is good for: a change by a command line takes effect after this.
const GOOD_FOR: Duration = Duration::from_secs(2);

/// The most sites remembered; more are asked for each time.
const MOST: usize = 1024;

/// Lists of origins by site; under no site, those of all sites together.
#[derive(Debug, Default)]
pub struct OriginCache(Mutex<HashMap<Option<Key>, Entry>>);

/// When it was put here, and the list.
type Entry = (Duration, Arc<[String]>);

impl OriginCache {
    /// The list of `site`, when it was put here a moment ago. `elapsed` is the monotonic time.
    pub fn find(&self, site: Option<&Key>, elapsed: Duration) -> Option<Arc<[String]>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, list) = lists.get(&site.cloned())?;
        (elapsed.saturating_sub(*since) < GOOD_FOR).then(|| Arc::clone(list))
    }

    /// Remembers the list of `site`.
    pub fn put(&self, site: Option<Key>, elapsed: Duration, list: Arc<[String]>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MOST {
            lists.clear();
        }
        lists.insert(site, (elapsed, list));
    }

    /// Forgets every list. Call it after the commit that changed one.
    pub fn drop_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
