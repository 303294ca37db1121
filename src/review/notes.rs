//! Notes on a comment, from moderators for moderators. They are never shown to readers, and never changed.

use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::Moderator;
use crate::app::App;
use crate::audit::{self, Action, Subject};
use crate::comments::find_comment;
use crate::http::paging::PageQuery;
use crate::kit::clock::Millis;
use crate::kit::cursor::Cursor;
use crate::kit::ids::{CommentId, NoteId};
use crate::store::{Cause, StoreError};

use super::queries;

/// A note.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Note {
    #[schema(value_type = i64)]
    pub id: NoteId,
    /// User name of who wrote it.
    pub by: String,
    pub text: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
}

/// Why there are no notes, or no new one.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    #[error("there is no such comment, or it is not one's own")]
    NoSuchComment,
    #[error("its author withdrew it, or it was erased")]
    Gone,
    #[error("the cursor belongs to another list")]
    ForeignCursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for NoteError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Writes a note.
///
/// # Errors
/// See [`NoteError`].
pub async fn write_note(app: &App, moderator: &Moderator, on: CommentId, text: String) -> Result<Note, NoteError> {
    let (by, id, blank) = (moderator.clone(), app.store.next_id().await?, audit::blank(app).await?);
    let note = Note { id, by: by.username.clone(), text, at: app.clock.now() };
    app.store
        .write(move |conn| {
            let comment = find_comment(conn, on)?.filter(|comment| by.moderates(comment.site_id));
            let comment = comment.ok_or(NoteError::NoSuchComment)?;
            if comment.status.is_final() {
                return Err(NoteError::Gone);
            }
            queries::notes::insert_note(conn, on, by.id, &note)?;
            let entry = blank.fill(by.actor(), Action::Noted).on_site(comment.site_id).about(Subject::Comment(on));
            audit::record(conn, &entry.fact("note", note.id))?;
            Ok(note.clone())
        })
        .await
}

/// A page of the notes on a comment, the oldest first.
///
/// # Errors
/// See [`NoteError`].
pub async fn list_notes(
    app: &App,
    moderator: &Moderator,
    on: CommentId,
    page: PageQuery,
) -> Result<(Vec<Note>, Option<Cursor>), NoteError> {
    let by = moderator.clone();
    app.store
        .read(move |conn| {
            let comment = find_comment(conn, on)?.filter(|comment| by.moderates(comment.site_id));
            comment.ok_or(NoteError::NoSuchComment)?;
            let after = page.cursor.map(|cursor| queries::notes::find_place(conn, on, cursor.last_id)).transpose()?;
            let after = after.map(|place| place.ok_or(NoteError::ForeignCursor)).transpose()?;
            let limit = page.limit as usize;
            let mut notes = queries::notes::list_notes(conn, on, after, i64::from(page.limit) + 1)?;
            let has_more = notes.len() > limit;
            notes.truncate(limit);
            let next = notes.last().filter(|_| has_more).map(|last| Cursor::after(last.id.get()));
            Ok((notes, next))
        })
        .await
}
