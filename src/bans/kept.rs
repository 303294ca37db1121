//! The book of bans as this node keeps it. It is read again when a ban was made or lifted here, at once, and within a
//! second when that happened on another node: then a mark in the database says whether it did. Otherwise asking for it
//! costs no query.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::App;
use crate::kit::ids::BanId;
use crate::store::{Conn, StoreResult, load_mark, move_mark};

use super::{Book, queries};

/// The mark that every change of the bans moves.
const MARK: &str = "bans";

#[derive(Default)]
struct Kept {
    /// Changes made here.
    changes: AtomicU64,
    latest: Mutex<Option<Latest>>,
    /// One at a time reads the database: after a change, all who post wait for the same book.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Latest {
    /// Changes here, and writes of others, when it was last known to be right.
    stamp: (u64, u64),
    mark: i64,
    book: Arc<Book>,
}

impl Kept {
    fn latest(&self) -> Option<Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stamp(&self, app: &App) -> (u64, u64) {
        (self.changes.load(Ordering::Acquire), app.store.foreign_writes())
    }
}

/// The bans there are.
///
/// # Errors
/// Those of the store.
pub async fn find_book(app: &App) -> StoreResult<Arc<Book>> {
    let kept = app.shelves.get::<Kept>();
    let is_right = |latest: &Latest| latest.stamp == kept.stamp(app);
    if let Some(latest) = kept.latest().filter(is_right) {
        return Ok(latest.book);
    }
    let _turn = kept.reading.lock().await;
    // Taken before reading: a change in between makes another stamp.
    let stamp = kept.stamp(app);
    let known = kept.latest();
    if let Some(latest) = known.as_ref().filter(|latest| latest.stamp == stamp) {
        return Ok(Arc::clone(&latest.book));
    }
    let known = known.map(|latest| (latest.mark, latest.book));
    let (mark, book) = app.store.read(move |conn| read(conn, known.as_ref())).await?;
    let latest = Latest { stamp, mark, book: Arc::clone(&book) };
    *kept.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest);
    Ok(book)
}

/// The mark is read first: bans that are newer than it are read once more, and never missed.
fn read(conn: &mut Conn, known: Option<&(i64, Arc<Book>)>) -> StoreResult<(i64, Arc<Book>)> {
    let mark = load_mark(conn, MARK)?;
    match known {
        Some((known_mark, book)) if *known_mark == mark => Ok((mark, Arc::clone(book))),
        _ => Ok((mark, Arc::new(queries::load_book(conn)?))),
    }
}

/// Tells other nodes that the bans are not what they were: in the transaction that changes them, with an id of which
/// there is no second.
pub(super) fn mark_change(conn: &mut Conn, change: BanId) -> StoreResult<()> {
    move_mark(conn, MARK, change.get())
}

/// Has the book read again: after the commit.
pub fn forget_book(app: &App) {
    app.shelves.get::<Kept>().changes.fetch_add(1, Ordering::AcqRel);
}
