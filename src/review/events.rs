//! Following live what changes on one's sites.
//!
//! A desk asks for what came after the last it has heard of; nothing is kept for it but where it is. Every half second it
//! is looked whether whoever opened it may still see what they saw then, and whether the server is about to stop. A desk
//! that cannot be told what it missed is told that, and reads the queue anew.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::accounts::{Access, Moderator, Right, look_again};
use crate::app::App;
use crate::kit::changes::{After, Change};
use crate::kit::ids::{ApiKeyId, SessionId, SiteId};
use crate::kit::key::Key;
use crate::sites::list_sites;
use crate::store::{Store, StoreError, StoreResult, load_mark, move_mark};

/// How often it is looked whether a desk may go on. Signing out ends it within a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After so long without a change something is said, so that a connection that is dead is noticed (HTML, §9.2.7).
const QUIET: Duration = Duration::from_secs(15);
/// As long as an access token is good for: then whoever follows comes again, with one that is good.
const LONGEST: Duration = Duration::from_mins(15);
/// Changes that are told at once.
const MOST_AT_ONCE: usize = 200;
/// Desks of one session or key. One more ends the oldest: of one whose client is gone that is learnt late.
const MOST_OF_ONE: usize = 8;
/// Desks in all, each a connection.
const MOST: usize = 1_000;

/// Why no desk was opened.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error("too many follow already")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a desk is told.
#[derive(Debug)]
pub enum Told {
    /// From which number on it will be told everything.
    Begun(u64),
    /// Changes on its sites, by number, each with the key of its site.
    Changes(Vec<(u64, Change, Key)>),
    /// What changed until this number cannot be told: it has to be read.
    Resync(u64),
    /// Nothing happens.
    Quiet,
}

/// Somebody who follows.
pub struct Desk {
    app: Arc<App>,
    by: Moderator,
    sites: HashMap<SiteId, Key>,
    /// The number of the last change it has heard of.
    at: u64,
    is_begun: bool,
    /// Whether it is to end when it has said what it has to say.
    is_over: bool,
    news: watch::Receiver<u64>,
    opened: Instant,
    looked: Instant,
    spoke: Instant,
    place: Place,
}

/// Opens a desk, which goes on after the number `last` when that is given; a number that is none of ours cannot be resumed.
///
/// # Errors
/// See [`FollowError`].
pub async fn follow(app: &Arc<App>, moderator: &Moderator, last: Option<u64>) -> Result<Desk, FollowError> {
    let place = Place::take(&app.shelves.get::<Desks>(), Owner::of(moderator)).ok_or(FollowError::Full)?;
    begin(app).await?;
    let (sites, now) = (load_sites(&app.store).await?, Instant::now());
    app.changes.note_foreign_writes(app.store.known_foreign_writes());
    Ok(Desk {
        sites,
        at: last.unwrap_or_else(|| app.changes.latest()),
        // Whoever resumes knows where they are.
        is_begun: last.is_some(),
        is_over: false,
        news: app.changes.follow(),
        opened: now,
        looked: now,
        spoke: now,
        place,
        app: Arc::clone(app),
        by: moderator.clone(),
    })
}

impl Desk {
    /// What there is to tell next; `None` when it is over.
    pub async fn next(&mut self) -> Option<Told> {
        let told = self.find_next().await?;
        self.spoke = Instant::now();
        Some(told)
    }

    async fn find_next(&mut self) -> Option<Told> {
        if !std::mem::replace(&mut self.is_begun, true) {
            return Some(Told::Begun(self.at));
        }
        loop {
            if !self.may_go_on().await {
                return None;
            }
            if self.is_over {
                // It may see other sites by now, of which it has heard nothing.
                return Some(self.resync(self.app.changes.latest()));
            }
            match self.app.changes.after(self.at, MOST_AT_ONCE) {
                After::Lost(latest) => return Some(self.resync(latest)),
                After::Changes(found) => {
                    let is_all = found.len() < MOST_AT_ONCE;
                    let visible = self.see(found).await?;
                    if !visible.is_empty() {
                        return Some(Told::Changes(visible));
                    }
                    if !is_all {
                        continue;
                    }
                }
            }
            if self.spoke.elapsed() >= QUIET {
                return Some(Told::Quiet);
            }
            // Woken by a change, or it is time to look around.
            let _ = timeout(LOOK_EVERY, self.news.changed()).await;
        }
    }

    fn resync(&mut self, latest: u64) -> Told {
        self.at = latest;
        Told::Resync(latest)
    }

    /// Whether it may go on now. When what they may see is not what it was, this is the last thing it says.
    async fn may_go_on(&mut self) -> bool {
        let is_over = self.is_over || self.app.is_stopping.load(Ordering::Relaxed) || self.place.is_displaced();
        if is_over || self.opened.elapsed() >= LONGEST {
            return false;
        }
        if self.looked.elapsed() < LOOK_EVERY {
            return true;
        }
        self.looked = Instant::now();
        self.app.changes.note_foreign_writes(self.app.store.known_foreign_writes());
        // Who cannot be looked up now is not told anything either.
        let Ok(Some(now)) = look_again(&self.app, &self.by).await else { return false };
        if !now.may(Right::ReadQueue) || now.lacks_second_factor(&self.app.settings.require_totp) {
            return false;
        }
        self.is_over = now.visible_sites() != self.by.visible_sites();
        true
    }

    /// Moves on past these changes and keeps those of its sites. `None` when their sites cannot be read.
    async fn see(&mut self, found: Vec<(u64, Change)>) -> Option<Vec<(u64, Change, Key)>> {
        self.at = found.last().map_or(self.at, |(number, _)| *number);
        let mut visible = Vec::new();
        for (number, change) in found {
            if !self.by.moderates(change.site) {
                continue;
            }
            if !self.sites.contains_key(&change.site) {
                self.sites = load_sites(&self.app.store).await.ok()?;
            }
            visible.push((number, change, self.sites.get(&change.site)?.clone()));
        }
        Some(visible)
    }
}

/// Begins the ring, if this is the first desk, in a second that no node and no process before has had.
async fn begin(app: &App) -> StoreResult<()> {
    const MARK: &str = "second that changes are numbered from";
    if app.changes.is_begun() {
        return Ok(());
    }
    let now = app.clock.now().0 / 1_000;
    let write = app.store.write(move |conn| {
        let second = now.max(load_mark(conn, MARK)? + 1);
        move_mark(conn, MARK, second)?;
        Ok::<_, StoreError>(second)
    });
    app.changes.begin(write.await?, app.store.known_foreign_writes());
    Ok(())
}

async fn load_sites(store: &Store) -> StoreResult<HashMap<SiteId, Key>> {
    let sites = store.read(list_sites).await?;
    Ok(sites.into_iter().map(|site| (site.id, site.key)).collect())
}

/// By what a desk is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Session(SessionId),
    Key(ApiKeyId),
    Program,
}

impl Owner {
    fn of(moderator: &Moderator) -> Self {
        match &moderator.access {
            Access::Session(id) => Self::Session(*id),
            Access::Key(key) => Self::Key(key.id),
            Access::Program => Self::Program,
        }
    }
}

/// All desks that are open, in the order in which they were opened; each by whether a newer one has taken its place.
#[derive(Default)]
struct Desks(Mutex<Vec<(Owner, Arc<AtomicBool>)>>);

/// A place among them, until it is dropped.
struct Place {
    desks: Arc<Desks>,
    is_displaced: Arc<AtomicBool>,
}

impl Place {
    /// Takes a place, if need be that of the same owner's oldest. `None` when there is none, or when too many of the owner's
    /// still have to hear that they lost theirs.
    fn take(desks: &Arc<Desks>, owner: Owner) -> Option<Self> {
        let mut all = desks.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own: Vec<_> = all.iter().filter(|(of, _)| *of == owner).map(|(_, displaced)| displaced).collect();
        if all.len() >= MOST || own.len() >= 2 * MOST_OF_ONE {
            return None;
        }
        let live: Vec<_> = own.into_iter().filter(|displaced| !displaced.load(Ordering::Relaxed)).collect();
        if live.len() >= MOST_OF_ONE
            && let Some(oldest) = live.first()
        {
            oldest.store(true, Ordering::Relaxed);
        }
        let is_displaced = Arc::new(AtomicBool::new(false));
        all.push((owner, Arc::clone(&is_displaced)));
        drop(all);
        Some(Self { desks: Arc::clone(desks), is_displaced })
    }

    fn is_displaced(&self) -> bool {
        self.is_displaced.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.desks.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, displaced)| !Arc::ptr_eq(displaced, &self.is_displaced));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i64) -> Owner {
        Owner::Key(ApiKeyId::new(number))
    }

    #[test]
    fn one_desk_too_many_ends_the_oldest_of_the_same_owner() {
        let desks = Arc::default();
        let other = Place::take(&desks, key(2)).unwrap();
        let mut own: Vec<_> = (0..MOST_OF_ONE).map(|_| Place::take(&desks, key(1)).unwrap()).collect();
        assert!(own.iter().all(|place| !place.is_displaced()));
        own.push(Place::take(&desks, key(1)).unwrap());
        own.push(Place::take(&desks, key(1)).unwrap());
        let displaced: Vec<bool> = own.iter().map(Place::is_displaced).collect();
        assert_eq!(displaced[..3], [true, true, false]);
        assert!(!displaced[3..].contains(&true) && !other.is_displaced());
        own.remove(3);
        assert!(!Place::take(&desks, key(1)).unwrap().is_displaced());
        assert!(own[2..].iter().all(|place| !place.is_displaced()), "there was a free place");
    }

    #[test]
    fn desks_are_bounded_by_owner_and_in_all() {
        let desks = Arc::default();
        let own: Vec<_> = (0..2 * MOST_OF_ONE).map(|_| Place::take(&desks, key(1)).unwrap()).collect();
        assert!(Place::take(&desks, key(1)).is_none());
        let others: Vec<_> = (2..).take(MOST - own.len()).map(|at| Place::take(&desks, key(at)).unwrap()).collect();
        assert!(Place::take(&desks, key(0)).is_none());
        drop(others);
        assert!(Place::take(&desks, key(0)).is_some() && Place::take(&desks, key(1)).is_none());
        drop(own);
        assert!(Place::take(&desks, key(1)).is_some());
    }
}
