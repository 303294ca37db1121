//! The filters that this node keeps in memory: those of the sites that were asked about last, up to [`MOST`].
//!
//! A filter is read when it is first asked for. From then on it follows: what this node learns is added at once, and what
//! others learned within a second, by a job. Whoever posts waits for neither.

use std::sync::{Arc, PoisonError, RwLock};

use quick_cache::sync::Cache;

use crate::app::App;
use crate::kit::ids::SiteId;
use crate::screening::features::FeatureKey;
use crate::store::{StoreError, StoreResult};

use super::model::{Head, LOOKED_BACK_ON, Learned, Model, REPLAYED};
use super::queries;

/// Filters kept at once: 10 MiB each, so 320 MiB at most, where so many sites have taught theirs.
const MOST: usize = 32;

/// How often a filter is read anew that was changed while it was read.
const TRIES: usize = 20;

/// A place for a site's filter.
#[derive(Default)]
pub struct Slot {
    model: RwLock<Option<Model>>,
    /// One at a time reads or changes it.
    turn: tokio::sync::Mutex<()>,
}

struct Kept(Cache<SiteId, Arc<Slot>>);

impl Default for Kept {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Slot {
    /// Asks the filter something; none when it is not in memory.
    pub fn ask<T>(&self, question: impl FnOnce(&Model) -> T) -> Option<T> {
        self.model.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(question)
    }

    /// Teaches it what was just written, if it stands where that began; else it will follow.
    pub fn learn(&self, from: Head, rows: &[Learned], to: Head) {
        let mut model = self.model.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = model.as_mut().filter(|model| model.head == from) {
            model.learn(rows, to);
        }
    }

    fn put(&self, model: Model) {
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Some(model);
    }
}

/// The filter of a site, read if it is not in memory.
///
/// # Errors
/// Those of the store.
pub async fn find_filter(app: &App, site: SiteId) -> StoreResult<Arc<Slot>> {
    let kept = app.shelves.get::<Kept>();
    let slot = kept.0.get(&site).unwrap_or_else(|| {
        let fresh = Arc::default();
        kept.0.insert(site, Arc::clone(&fresh));
        fresh
    });
    if slot.ask(|_| ()).is_none() {
        let _turn = slot.turn.lock().await;
        if slot.ask(|_| ()).is_none() {
            slot.put(load(app, site).await?);
        }
    }
    Ok(slot)
}

/// Brings a filter up to what is kept, if it is behind.
///
/// # Errors
/// Those of the store.
pub async fn follow(app: &App, site: SiteId, slot: &Slot) -> StoreResult<()> {
    let _turn = slot.turn.lock().await;
    let Some(from) = slot.ask(|model| model.head) else { return Ok(()) };
    let most = i64::try_from(REPLAYED).unwrap_or(i64::MAX);
    let read = move |conn: &mut _| -> StoreResult<_> {
        let head = queries::load_head(conn, site)?;
        // What was taken back is in no row any more.
        let is_far = head.takebacks != from.takebacks || head.seq - from.seq > most;
        if head == from || is_far {
            return Ok((head, None));
        }
        Ok((head, Some(queries::list_learned(conn, site, from.seq, head.seq)?)))
    };
    match app.store.read(read).await? {
        (head, _) if head == from => {}
        (head, Some(rows)) => slot.learn(from, &rows, head),
        (_, None) => slot.put(load(app, site).await?),
    }
    Ok(())
}

/// Brings every filter in memory up to what is kept.
///
/// # Errors
/// Those of the store.
pub async fn follow_all(app: &App) -> StoreResult<()> {
    let kept = app.shelves.get::<Kept>();
    let slots: Vec<(SiteId, Arc<Slot>)> = kept.0.iter().collect();
    if slots.is_empty() {
        return Ok(());
    }
    let heads = app.store.read(queries::list_heads).await?;
    for (site, slot) in slots {
        let head = heads.get(&site).copied().unwrap_or_default();
        if slot.ask(|model| model.head != head).unwrap_or(false) {
            follow(app, site, &slot).await?;
        }
    }
    Ok(())
}

/// The key of a site's features.
pub fn key(app: &App, site: SiteId) -> FeatureKey {
    let mac = app.keys.features.mac(&[&site.get().to_be_bytes()]);
    FeatureKey::new(mac.first_chunk().copied().unwrap_or_default())
}

/// Reads a filter. What is read belongs together only if nothing was learned meanwhile.
async fn load(app: &App, site: SiteId) -> StoreResult<Model> {
    let key = key(app, site);
    for _ in 0..TRIES {
        let read = move |conn: &mut _| -> StoreResult<_> {
            let head = queries::load_head(conn, site)?;
            let counts = queries::load_counts(conn, site, head)?;
            let pasts = queries::list_last_pasts(conn, site, LOOKED_BACK_ON)?;
            let last = queries::list_last_learned(conn, site, REPLAYED)?;
            let is_whole = queries::load_head(conn, site)? == head;
            Ok(is_whole.then(|| Model::new(key, head, &counts, &pasts, &last)))
        };
        if let Some(model) = app.store.read(read).await? {
            return Ok(model);
        }
    }
    Err(StoreError::Busy)
}
