//! The SQL that changes what a comment says.

use diesel::prelude::*;

use crate::comments::Comment;
use crate::comments::edit::Wording;
use crate::kit::clock::Millis;
use crate::store::schema::comments;
use crate::store::{Conn, StoreResult, execute_on_either};

use super::size_bytes;

/// Moves a comment from its version to the next with other words; false when it is not at that version any more. What it
/// is found by has to be written anew.
pub(in crate::comments) fn set_wording(
    conn: &mut Conn,
    comment: &Comment,
    wording: &Wording,
    now: Millis,
) -> StoreResult<bool> {
    let current = comments::table.find(comment.id).filter(comments::version.eq(comment.version));
    let update = diesel::update(current).set((
        comments::text.eq(&wording.text),
        comments::html.eq(&wording.html),
        comments::size_bytes.eq(size_bytes(&wording.text, &wording.html)),
        comments::name.eq(&wording.name),
        comments::url.eq(&wording.url),
        comments::edited_at.eq(now),
        comments::version.eq(comment.version + 1),
        comments::is_indexed.eq(false),
    ));
    Ok(execute_on_either(conn, update)? == 1)
}
