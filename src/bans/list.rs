//! Which bans there are: in pages, and those that are about somebody.
//!
//! A list shows the bans of the sites that one has. Those of all sites hold there too, but name people of other sites; they
//! are listed to whoever has all sites, and shown to others only where they are about somebody already known.

use crate::accounts::Moderator;
use crate::app::App;
use crate::http::paging::PageQuery;
use crate::kit::clock::Millis;
use crate::kit::cursor::Cursor;
use crate::kit::ids::SiteId;
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::{Ban, Who, queries};

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum BanListError {
    #[error("the cursor belongs to another list")]
    ForeignCursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for BanListError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// A page of the bans, expired ones too, the newest first.
///
/// # Errors
/// When the cursor is of another list.
pub async fn list_bans(
    app: &App,
    moderator: &Moderator,
    page: PageQuery,
) -> Result<(Vec<Ban>, Option<Cursor>), BanListError> {
    let (visible, limit) = (moderator.visible_sites(), page.limit as usize);
    app.store
        .read(move |conn| {
            let after = page.cursor.map(|cursor| cursor.last_id);
            let mut rows = queries::list_rows(conn, visible.as_deref(), after, i64::from(page.limit) + 1)?;
            let has_more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| has_more).map(|last| Cursor::after(last.id.get()));
            Ok((queries::with_names(conn, rows)?, next))
        })
        .await
}

/// The bans in force about somebody, on these sites and on all, the newest first.
///
/// # Errors
/// Those of the store.
pub fn list_bans_of(conn: &mut Conn, who: &Who, visible: Option<&[SiteId]>, now: Millis) -> StoreResult<Vec<Ban>> {
    let rows = queries::list_rows_of(conn, who, visible, now)?;
    queries::with_names(conn, rows)
}
