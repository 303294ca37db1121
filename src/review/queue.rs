//! The queue: what waits for a moderator, or whatever else they ask for.

use crate::accounts::Moderator;
use crate::app::App;
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::kit::ids::CommentId;
use crate::store::{Cause, StoreError};

use super::filter::Filter;
use super::item::Item;
use super::queries;

/// A page ends early at so many bytes of text and HTML.
const MOST_BYTES: i64 = 2 << 20;

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueSort {
    Oldest,
    Newest,
    /// The riskiest first, then oldest.
    Risk,
}

/// Which comments are asked for, and in which order.
#[derive(Debug, Clone)]
pub struct QueueQuery {
    pub filter: Filter,
    pub sort: QueueSort,
    pub page: PageQuery,
    /// What the list is, for its cursors.
    pub list: String,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the cursor belongs to another list")]
    ForeignCursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for QueueError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// A page of the queue, of the sites that `moderator` may see.
///
/// # Errors
/// When the cursor is of another list.
pub async fn load_queue(
    app: &App,
    moderator: &Moderator,
    query: QueueQuery,
) -> Result<(Vec<Item>, Option<Cursor>), QueueError> {
    let (by, visible) = (moderator.clone(), moderator.visible_sites());
    app.store
        .read(move |conn| {
            let after = query.page.cursor.map(|cursor| queries::find_place(conn, visible.as_deref(), cursor.last_id));
            let after = after.transpose()?.map(|place| place.ok_or(QueueError::ForeignCursor)).transpose()?;
            let limit = i64::from(query.page.limit);
            let found = queries::list_sizes(conn, visible.as_deref(), &query, after.as_ref(), limit + 1)?;
            let ids = cut(&found, query.page.limit as usize);
            let next = ids.last().filter(|_| ids.len() < found.len()).map(|last| Cursor::after(last.get()));
            let items = queries::load_items(conn, &ids)?;
            Ok((items.into_iter().map(|item| item.seen_by(&by)).collect(), next))
        })
        .await
}

/// The first ones, as many as asked for and as fit on a page; always one.
pub(super) fn cut(found: &[(CommentId, i64)], limit: usize) -> Vec<CommentId> {
    let mut total = 0;
    let fits = |(index, (_, bytes)): &(usize, &(CommentId, i64))| {
        total += *bytes;
        *index == 0 || total <= MOST_BYTES
    };
    found.iter().take(limit).enumerate().take_while(fits).map(|(_, (id, _))| *id).collect()
}
