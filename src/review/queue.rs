//! The queue: what waits for a moderator, or whatever else they ask for.

use crate::accounts::Moderator;
use crate::app::App;
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::kit::ids::CommentId;
use crate::store::{Cause, StoreError};

use super::filter::Filter;
use super::finding::{Asking, list_page};
use super::index::{IndexError, index_waiting};
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
    Index(#[from] IndexError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for QueueError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Index(error) => error.store_error(),
            Self::ForeignCursor => None,
        }
    }
}

/// A page of the queue, of the sites that `moderator` may see.
///
/// # Errors
/// When the cursor is of another list; when the filter asks for what is indexed, and more waits for that than somebody would
/// wait for.
pub async fn load_queue(
    app: &App,
    moderator: &Moderator,
    query: QueueQuery,
) -> Result<(Vec<Item>, Option<Cursor>), QueueError> {
    if query.filter.needs_index() {
        index_waiting(app).await?;
    }
    let (by, asking) = (moderator.clone(), Asking::new(moderator, app.clock.now()));
    app.store
        .read(move |conn| {
            let visible = asking.sites.as_deref();
            let after = query.page.cursor.map(|cursor| queries::finding::find_place(conn, visible, cursor.last_id));
            let after = after.transpose()?.map(|place| place.ok_or(QueueError::ForeignCursor)).transpose()?;
            let limit = query.page.limit as usize;
            let (found, goes_on) = list_page(conn, &asking, &query.filter, query.sort, after.as_ref(), limit)?;
            let ids = cut(&queries::list_sizes(conn, &found)?);
            let goes_on = if ids.len() < found.len() { ids.last().copied() } else { goes_on };
            let items = queries::load_items(conn, &ids, asking.now)?;
            let items = items.into_iter().map(|item| item.seen_by(&by)).collect();
            Ok((items, goes_on.map(|last| Cursor::after(last.get()))))
        })
        .await
}

/// The first ones, as many as fit on a page; always one.
pub(super) fn cut(found: &[(CommentId, i64)]) -> Vec<CommentId> {
    let mut total = 0;
    let fits = |(index, (_, bytes)): &(usize, &(CommentId, i64))| {
        total += *bytes;
        *index == 0 || total <= MOST_BYTES
    };
    found.iter().enumerate().take_while(fits).map(|(_, (id, _))| *id).collect()
}
