//! All SQL about notes.

use diesel::prelude::*;

use crate::kit::clock::Millis;
use crate::kit::ids::{CommentId, ModeratorId, NoteId};
use crate::review::notes::Note;
use crate::store::schema::{moderators, notes};
use crate::store::{Conn, Db, StoreResult};

#[derive(Queryable)]
struct NoteRow {
    id: NoteId,
    by: String,
    text: String,
    at: Millis,
}

impl From<NoteRow> for Note {
    fn from(NoteRow { id, by, text, at }: NoteRow) -> Self {
        Self { id, by, text, at }
    }
}

/// Notes with the user name of who wrote them.
#[diesel::dsl::auto_type]
fn signed() -> _ {
    let who = moderators::table.on(notes::moderator_id.eq(moderators::id));
    notes::table.inner_join(who).select((notes::id, moderators::username, notes::text, notes::written_at))
}

pub fn insert_note(conn: &mut Conn, on: CommentId, by: ModeratorId, note: &Note) -> StoreResult<()> {
    diesel::insert_into(notes::table)
        .values((
            notes::id.eq(note.id),
            notes::comment_id.eq(on),
            notes::moderator_id.eq(by),
            notes::text.eq(&note.text),
            notes::written_at.eq(note.at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Where a list of these notes goes on.
pub fn find_place(conn: &mut Conn, on: CommentId, id: i64) -> StoreResult<Option<(Millis, NoteId)>> {
    let note = notes::table.filter(notes::comment_id.eq(on)).filter(notes::id.eq(NoteId::new(id)));
    Ok(note.select((notes::written_at, notes::id)).first(conn).optional()?)
}

/// Notes on a comment, the oldest first.
pub fn list_notes(
    conn: &mut Conn,
    on: CommentId,
    after: Option<(Millis, NoteId)>,
    most: i64,
) -> StoreResult<Vec<Note>> {
    let mut query = signed().filter(notes::comment_id.eq(on)).limit(most).into_boxed::<Db>();
    if let Some((at, id)) = after {
        query = query.filter(notes::written_at.gt(at).or(notes::written_at.eq(at).and(notes::id.gt(id))));
    }
    let rows: Vec<NoteRow> = query.order((notes::written_at, notes::id)).load(conn)?;
    Ok(rows.into_iter().map(Note::from).collect())
}

/// The latest notes on a comment, the oldest of them first.
pub fn list_latest_notes(conn: &mut Conn, on: CommentId, most: i64) -> StoreResult<Vec<Note>> {
    let latest = signed().filter(notes::comment_id.eq(on)).limit(most);
    let rows: Vec<NoteRow> = latest.order((notes::written_at.desc(), notes::id.desc())).load(conn)?;
    Ok(rows.into_iter().rev().map(Note::from).collect())
}
