//! Reading the audit log: admins all of it, leads what happened on their sites.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::App;
use crate::audit::{Action, EntryRow};
use crate::http::paging::PageQuery;
use crate::kit::clock::Millis;
use crate::kit::cursor::Cursor;
use crate::kit::fault::Fault;
use crate::kit::ids::{ModeratorId, SiteId};
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::queries::audit as queries;
use super::queries::keys::list_sites_by_key;
use super::{Moderator, Right};

/// Which entries are asked for; all conditions together.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Any of these; empty for all.
    pub actions: Vec<Action>,
    /// The user name or the id of who acted.
    pub moderator: Option<String>,
    /// Keys of sites; empty for all that one may see.
    pub sites: Vec<String>,
    /// From this moment on.
    pub since: Option<Millis>,
    /// Before this moment.
    pub until: Option<Millis>,
    pub page: PageQuery,
}

/// An entry with the names of what it is about.
#[derive(Debug)]
pub struct AuditItem {
    pub row: EntryRow,
    pub username: Option<String>,
    /// None for a key that has been ended since.
    pub key_name: Option<String>,
    pub site: Option<String>,
    pub facts: BTreeMap<String, Value>,
    /// None for whoever may not see it, and when there is nothing or it was erased.
    pub private: Option<BTreeMap<String, Value>>,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("the cursor belongs to another list")]
    ForeignCursor,
    #[error("some filters name what is not there")]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for AuditError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// A page of the log, the newest first.
///
/// # Errors
/// When a filter names a moderator that there is not or a site that one may not see, or the cursor is of another list.
pub async fn list_audit(
    app: &App,
    moderator: &Moderator,
    query: AuditQuery,
) -> Result<(Vec<AuditItem>, Option<Cursor>), AuditError> {
    let (visible, sees_personal) = (moderator.visible_sites(), moderator.may(Right::SeePersonal));
    app.store
        .read(move |conn| {
            let filter = resolve(conn, visible.as_deref(), &query)?;
            let after = query.page.cursor.map(|cursor| queries::find_place(conn, visible.as_deref(), cursor.last_id));
            let after = after.transpose()?.map(|place| place.ok_or(AuditError::ForeignCursor)).transpose()?;
            let limit = query.page.limit as usize;
            let mut rows = queries::list_entries(conn, &filter, after, i64::from(query.page.limit) + 1)?;
            let has_more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| has_more).map(|last| Cursor::after(last.id.get()));
            Ok((with_names(conn, rows, sees_personal)?, next))
        })
        .await
}

/// The filters, with ids in place of names.
fn resolve(conn: &mut Conn, visible: Option<&[SiteId]>, query: &AuditQuery) -> Result<queries::Filter, AuditError> {
    let mut faults = Vec::new();
    let actor = query.moderator.as_deref().map(|text| find_actor(conn, text)).transpose()?;
    if actor == Some(None) {
        faults.push(Fault::new("moderator", "choice"));
    }
    // A site that one may not see is as good as none.
    let named = list_sites_by_key(conn, visible, &query.sites)?;
    if query.sites.iter().any(|key| named.iter().all(|(_, known)| known != key)) {
        faults.push(Fault::new("site", "choice"));
    }
    if !faults.is_empty() {
        return Err(AuditError::Invalid(faults));
    }
    let sites = match (query.sites.is_empty(), visible) {
        (true, visible) => visible.map(<[SiteId]>::to_vec),
        (false, _) => Some(named.into_iter().map(|(id, _)| id).collect()),
    };
    let actions = query.actions.iter().map(|action| action.as_str()).collect();
    Ok(queries::Filter { actions, actor: actor.flatten(), sites, since: query.since, until: query.until })
}

/// A user name may consist of digits, so it comes before the id.
fn find_actor(conn: &mut Conn, text: &str) -> StoreResult<Option<ModeratorId>> {
    let named = queries::find_moderator_id(conn, text)?;
    match (named, ModeratorId::parse(text)) {
        (None, Some(id)) => queries::is_moderator(conn, id).map(|is_there| is_there.then_some(id)),
        (named, _) => Ok(named),
    }
}

fn with_names(conn: &mut Conn, rows: Vec<EntryRow>, sees_personal: bool) -> StoreResult<Vec<AuditItem>> {
    let names = queries::load_names(conn, &rows)?;
    Ok(rows
        .into_iter()
        .map(|row| AuditItem {
            username: row.actor_id.and_then(|id| names.usernames.get(&id).cloned()),
            key_name: row.api_key_id.and_then(|id| names.keys.get(&id).cloned()),
            site: row.site_id.and_then(|id| names.sites.get(&id).cloned()),
            facts: serde_json::from_str(&row.facts).unwrap_or_default(),
            private: row.private.as_deref().filter(|_| sees_personal).and_then(|text| serde_json::from_str(text).ok()),
            row,
        })
        .collect())
}
