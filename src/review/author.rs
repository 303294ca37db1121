//! An author's page: everything by one email, or from one address, on the sites that a moderator may see. An IPv6 address
//! stands for its subscriber's /64, as a ban of it would.

use crate::accounts::Moderator;
use crate::app::App;
use crate::bans::{Ban, Who, list_bans_of};
use crate::comments::Status;
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::readers::is_verified;

use super::index::index_waiting;
use super::item::Item;
use super::queries;
use super::queries::finding::find_place;
use super::queries::people::{Theirs, list_of};
use super::queue::{QueueError, cut};

/// Of whoever wrote more, the latest so many.
const MOST: i64 = 100_000;

/// Whom it is about, and which page.
#[derive(Debug, Clone)]
pub struct AuthorQuery {
    pub who: Who,
    pub page: PageQuery,
}

/// What there is to know about them.
#[derive(Debug)]
pub struct Author {
    /// How many comments there are of each status.
    pub record: Vec<(Status, i64)>,
    /// The newest first.
    pub comments: Vec<Item>,
    pub next: Option<Cursor>,
    /// Whether somebody has shown the email to be theirs on one of these sites.
    pub is_verified: bool,
    /// Those in force that they would meet on these sites.
    pub bans: Vec<Ban>,
}

/// Loads it.
///
/// # Errors
/// When the cursor is of another list.
pub async fn load_author(app: &App, moderator: &Moderator, query: AuthorQuery) -> Result<Author, QueueError> {
    index_waiting(app).await?;
    let (by, visible, now) = (moderator.clone(), moderator.visible_sites(), app.clock.now());
    app.store
        .read(move |conn| {
            let (who, sites, limit) = (&query.who, visible.as_deref(), query.page.limit as usize);
            let after = query.page.cursor.map(|cursor| find_place(conn, sites, cursor.last_id));
            let after = after.transpose()?.map(|place| place.ok_or(QueueError::ForeignCursor)).transpose()?;
            let mut theirs = list_of(conn, who, sites, MOST)?;
            let record = count(&theirs);
            theirs.retain(|one| after.as_ref().is_none_or(|after| after.is_newer(one.created_at, one.id)));
            theirs.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
            let found: Vec<_> = theirs.iter().take(limit + 1).map(|one| (one.id, one.size_bytes)).collect();
            let on_page = &found[..found.len().min(limit)];
            let ids = cut(on_page);
            let next = ids.last().filter(|_| ids.len() < found.len()).map(|last| Cursor::after(last.get()));
            let items = queries::load_items(conn, &ids, now)?;
            let is_verified = match who {
                Who::Email(email) => is_verified(conn, email, sites)?,
                _ => false,
            };
            Ok(Author {
                record,
                is_verified,
                comments: items.into_iter().map(|item| item.seen_by(&by)).collect(),
                next,
                bans: list_bans_of(conn, who, sites, now)?,
            })
        })
        .await
}

/// In the order of a comment's life.
fn count(theirs: &[Theirs]) -> Vec<(Status, i64)> {
    let of = |status| theirs.iter().filter(|one| one.status == status).map(|_| 1).sum();
    Status::ALL.into_iter().map(|status| (status, of(status))).collect()
}
