//! Editing: a moderator changes what a comment says, and what it said is kept for ever.
//!
//! In one transaction: what is replaced is kept as a revision, the comment says something else and moves to its next
//! version. So the first revision is what its author sent. An edit that changes nothing adds nothing.

use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::Moderator;
use crate::app::App;
use crate::articles::find_keys;
use crate::audit::{self, Action, Blank, Subject};
use crate::comments::{Comment, ReadyEdit, Status, find_comment, reword};
use crate::kit::changes::Change;
use crate::kit::clock::Millis;
use crate::kit::fault::Fault;
use crate::kit::ids::{CommentId, ModeratorId, RevisionId};
use crate::kit::key::Key;
use crate::sites::find_site_by_id;
use crate::store::{Cause, Conn, StoreError};

use super::decide::{Current, load_current};
use super::queries;

/// Edits that a comment takes: all that it ever said is shown with it, 64 KiB for each.
const MOST_REVISIONS: i64 = 100;

/// What an edit replaced.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Revision {
    /// The comment's version that the edit made.
    pub version: i64,
    /// User name of who edited; null for its author.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// What it said until then.
    pub text: String,
    pub name: String,
    pub url: Option<String>,
}

/// Who edits, why and when.
#[derive(Debug, Clone)]
pub struct NewRevision {
    /// None for the comment's author.
    pub by: Option<ModeratorId>,
    pub reason: Option<String>,
    pub at: Millis,
}

/// An edit to be made.
#[derive(Debug, Clone)]
pub struct EditComment {
    pub comment: CommentId,
    pub edit: ReadyEdit,
    /// In the editor's words.
    pub reason: String,
    /// The versions the moderator has read.
    pub versions: Vec<i64>,
}

/// Why nothing was edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("there is no such comment, or it is not one's own")]
    NoSuchComment,
    #[error("its author withdrew it, or it was erased")]
    Gone,
    #[error("it has changed since")]
    Stale(Box<Current>),
    #[error("fields are wrong")]
    Invalid(Vec<Fault>),
    #[error("it was edited too often")]
    TooOften,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for EditError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Edits.
///
/// # Errors
/// See [`EditError`]; nothing is changed then.
pub async fn edit_comment(app: &App, moderator: &Moderator, edit: EditComment) -> Result<(), EditError> {
    let (by, id) = (moderator.clone(), app.store.next_id().await?);
    let fresh = Fresh { id, now: app.clock.now(), entry: audit::blank(app).await? };
    let Some(edited) = app.store.write(move |conn| write(conn, &by, &edit, fresh)).await? else { return Ok(()) };
    if let Some((site, article)) = edited.article_changed {
        app.drop_thread(&site, &article);
    }
    app.tell(edited.change);
    Ok(())
}

/// What the transaction may not make by itself.
#[derive(Clone, Copy)]
struct Fresh {
    id: RevisionId,
    now: Millis,
    entry: Blank,
}

struct Edited {
    change: Change,
    /// The article whose published comments are not what they were.
    article_changed: Option<(Key, Key)>,
}

/// The transaction. `None` when nothing was to be changed.
fn write(conn: &mut Conn, by: &Moderator, edit: &EditComment, fresh: Fresh) -> Result<Option<Edited>, EditError> {
    let comment = find_comment(conn, edit.comment)?.filter(|comment| by.moderates(comment.site_id));
    let comment = comment.ok_or(EditError::NoSuchComment)?;
    if comment.status.is_final() {
        return Err(EditError::Gone);
    }
    if !edit.versions.contains(&comment.version) {
        return Err(stale(conn, comment.id));
    }
    let site = find_site_by_id(conn, comment.site_id)?.ok_or(StoreError::Missing)?;
    if edit.edit.lacks_name(site.settings.required) {
        return Err(EditError::Invalid(vec![Fault::new("name", "required")]));
    }
    let Some(wording) = edit.edit.of(&comment) else { return Ok(None) };
    if queries::revisions::count_revisions(conn, comment.id)? >= MOST_REVISIONS {
        return Err(EditError::TooOften);
    }
    let revision = NewRevision { by: Some(by.id), reason: Some(edit.reason.clone()), at: fresh.now };
    queries::revisions::insert_revision(conn, fresh.id, &comment, &revision)?;
    if !reword(conn, &comment, &wording, fresh.now)? {
        return Err(stale(conn, comment.id));
    }
    let fields = [
        ("text", wording.text != comment.text),
        ("name", wording.name != comment.name),
        ("url", wording.url != comment.url),
    ];
    let changed: Vec<&str> = fields.into_iter().filter(|(_, is_new)| *is_new).map(|(name, _)| name).collect();
    let entry = fresh
        .entry
        .fill(by.actor(), Action::Edited)
        .on_site(comment.site_id)
        .about(Subject::Comment(comment.id))
        .fact("fields", changed)
        .fact("version", comment.version + 1)
        // An editor's own words may name somebody.
        .private("reason", &edit.reason);
    audit::record(conn, &entry)?;
    let is_shown = comment.status == Status::Approved;
    let article_changed = if is_shown { find_keys(conn, comment.article_id)? } else { None };
    let change = Comment { version: comment.version + 1, ..comment }.as_change();
    Ok(Some(Edited { change, article_changed }))
}

fn stale(conn: &mut Conn, id: CommentId) -> EditError {
    match load_current(conn, id) {
        Ok(current) => EditError::Stale(Box::new(current)),
        Err(error) => error.into(),
    }
}
