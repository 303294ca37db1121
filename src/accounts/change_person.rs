//! Changing what somebody may do: another role, other sites, disabled or enabled again, removed. It counts from the next
//! request on.
//!
//! There is always an enabled administrator: the last one cannot be made anything else, by nobody.

use crate::app::App;
use crate::audit::{self, Action, Actor, Entry, Subject};
use crate::kit::clock::Millis;
use crate::kit::ids::{ModeratorId, SiteId};
use crate::store::{Conn, StoreResult};

use super::people::{PeopleError, check_sites, refuse_key};
use super::queries::manage::{self, PersonRow};
use super::queries::{keys, people, resets, sessions};
use super::{Role, signed_in};

/// What is to be changed; what is empty stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub role: Option<Role>,
    pub sites: Option<Vec<SiteId>>,
    pub is_disabled: Option<bool>,
}

/// How somebody is to be.
struct Wanted {
    role: Role,
    sites: Vec<SiteId>,
    is_disabled: bool,
}

/// Changes somebody.
///
/// # Errors
/// When there is nobody with this id, it is the last administrator, or the sites do not go with the role.
pub async fn change_person(app: &App, by: Actor, id: ModeratorId, change: Change) -> Result<(), PeopleError> {
    let (blank, now) = (audit::blank(app).await?, app.clock.now());
    app.store
        .write(move |conn| {
            let before = manage::find_person(conn, id)?.ok_or(PeopleError::Unknown)?;
            let sites = manage::list_sites_of(conn, id)?;
            let wanted = wanted(&before, &sites, &change)?;
            refuse_key(by, id, before.role())?;
            refuse_key(by, id, wanted.role)?;
            if before.role() == Role::Admin && (wanted.is_disabled || wanted.role != Role::Admin) {
                keep_an_admin(conn, id)?;
            }
            let action = match (before.is_disabled, wanted.is_disabled) {
                (false, true) => Action::ModeratorDisabled,
                _ => Action::ModeratorChanged,
            };
            let entry = blank.fill(by, action).about(Subject::Moderator(id));
            if let Some(entry) = write_changes(conn, &before, &sites, &wanted, entry, now)? {
                audit::record(conn, &entry)?;
            }
            Ok::<_, PeopleError>(())
        })
        .await?;
    signed_in::forget(app);
    Ok(())
}

/// Disables a moderator, by name, and ends every session of theirs.
///
/// # Errors
/// When there is none, or it is the last administrator.
pub async fn disable_moderator(app: &App, by: Actor, username: &str) -> Result<(), PeopleError> {
    let username = username.to_owned();
    let found = app.store.read(move |conn| people::find_moderator_by_name(conn, &username)).await?;
    let id = found.ok_or(PeopleError::Unknown)?.id;
    change_person(app, by, id, Change { is_disabled: Some(true), ..Change::default() }).await
}

/// Removes somebody: all by which they could get in is gone, and their name stays taken, so that history can name them.
///
/// # Errors
/// When there is nobody with this id, or it is the last administrator.
pub async fn remove_person(app: &App, by: Actor, id: ModeratorId) -> Result<(), PeopleError> {
    let (blank, now) = (audit::blank(app).await?, app.clock.now());
    app.store
        .write(move |conn| {
            let before = manage::find_person(conn, id)?.ok_or(PeopleError::Unknown)?;
            refuse_key(by, id, before.role())?;
            keep_an_admin(conn, id)?;
            manage::remove(conn, id, now)?;
            resets::void_resets(conn, id, now)?;
            sessions::end_sessions(conn, id, None, now)?;
            let entry = blank.fill(by, Action::ModeratorRemoved).about(Subject::Moderator(id));
            Ok::<_, PeopleError>(audit::record(conn, &entry.fact("role", before.role()))?)
        })
        .await?;
    signed_in::forget(app);
    Ok(())
}

/// Fails when there is no other administrator than this one.
fn keep_an_admin(conn: &mut Conn, id: ModeratorId) -> Result<(), PeopleError> {
    if manage::lock_admins(conn)? == [id] { Err(PeopleError::LastAdmin) } else { Ok(()) }
}

fn wanted(before: &PersonRow, sites: &[SiteId], change: &Change) -> Result<Wanted, PeopleError> {
    let role = change.role.unwrap_or(before.role());
    let named = change.sites.as_deref();
    let kept = if role.has_all_sites() { &[] } else { sites };
    let sites = named.unwrap_or(kept).to_vec();
    // Whoever has none already, because a site was deleted, can still be disabled.
    if change.sites.is_some() || change.role.is_some() {
        check_sites(role, &sites)?;
    }
    Ok(Wanted { role, sites, is_disabled: change.is_disabled.unwrap_or(before.is_disabled) })
}

/// Writes what differs; the entry with all of it, or nothing when nothing does.
fn write_changes(
    conn: &mut Conn,
    before: &PersonRow,
    sites: &[SiteId],
    wanted: &Wanted,
    mut entry: Entry,
    now: Millis,
) -> StoreResult<Option<Entry>> {
    let mut is_changed = false;
    let mut tell = |name: &str, from: serde_json::Value, to: serde_json::Value| {
        is_changed = true;
        entry = entry.clone().fact(name, serde_json::json!({ "from": from, "to": to }));
    };
    if wanted.role != before.role() {
        tell("role", before.role().as_str().into(), wanted.role.as_str().into());
        manage::set_role(conn, before.id, wanted.role)?;
    }
    if wanted.sites != sites {
        tell("sites", numbers(sites), numbers(&wanted.sites));
        manage::set_sites(conn, before.id, &wanted.sites)?;
    }
    if wanted.is_disabled != before.is_disabled {
        tell("disabled", before.is_disabled.into(), wanted.is_disabled.into());
        manage::set_disabled(conn, before.id, wanted.is_disabled)?;
    }
    if wanted.is_disabled {
        sessions::end_sessions(conn, before.id, None, now)?;
        keys::delete_keys(conn, before.id)?;
    }
    Ok(is_changed.then_some(entry))
}

fn numbers(sites: &[SiteId]) -> serde_json::Value {
    sites.iter().map(|site| site.get()).collect()
}
