//! People: adding a moderator, listing them, a new password that somebody else sets. There is no default account.

use crate::app::App;
use crate::audit::{self, Action, Actor, Subject};
use crate::http::paging::PageQuery;
use crate::kit::cursor::Cursor;
use crate::kit::ids::{ModeratorId, SiteId};
use crate::kit::text;
use crate::store::{Constraint, StoreError, StoreResult};

use super::password::{self, PasswordError, Standard};
use super::queries::manage::{self, PersonRow};
use super::queries::people::{self as queries, ModeratorRow, NewModerator};
use super::queries::{keys, resets, sessions};
use super::rename::{self, RenameError};
use super::reset::{self, Reset};
use super::{Moderator, Role, signed_in};

/// What readers see as a moderator's name until it is set.
const USUAL_DISPLAY_NAME: &str = "Staff";

/// A person to be added.
#[derive(Debug)]
pub struct AddModerator {
    pub username: String,
    /// Without one they set it themselves, by a link.
    pub password: Option<String>,
    pub role: Role,
    /// None for an administrator, who has all.
    pub sites: Vec<SiteId>,
    /// What readers see; `Staff` when nothing is said.
    pub display_name: Option<String>,
}

/// Somebody who was added.
#[derive(Debug)]
pub struct Added {
    pub id: ModeratorId,
    /// The link by which they set their password, when they came without one.
    pub reset: Option<Reset>,
}

/// A person with the keys of their sites.
#[derive(Debug, Clone)]
pub struct Person {
    pub row: PersonRow,
    pub sites: Vec<String>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("a user name has 1 to 64 of the characters A-Z a-z 0-9 . _ ~ @ + -")]
    Username,
    #[error("there is a moderator with this name already")]
    Taken,
    #[error("there is no moderator with this name")]
    Unknown,
    #[error("this moderator has no second factor")]
    NoSecondFactor,
    #[error("a key changes neither its owner nor administrators")]
    InPerson,
    #[error("the last administrator cannot be disabled, removed or given another role")]
    LastAdmin,
    #[error("there is no such site")]
    NoSuchSite,
    #[error("a {} needs at least one site", .0.as_str())]
    NoSites(Role),
    #[error("an administrator has every site")]
    AllSites,
    #[error("the display name: {0}")]
    DisplayName(#[from] RenameError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl crate::store::Cause for PeopleError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// A key manages people for its owner, but never makes itself more than it is: it touches neither its owner nor any
/// administrator, and makes none.
///
/// # Errors
/// `InPerson`.
pub(super) fn refuse_key(by: Actor, id: ModeratorId, role: Role) -> Result<(), PeopleError> {
    let is_out_of_reach = by.moderator == Some(id) || role == Role::Admin;
    if by.key.is_some() && is_out_of_reach { Err(PeopleError::InPerson) } else { Ok(()) }
}

/// Adds a moderator.
///
/// # Errors
/// When the name is no user name or taken, or the password too weak.
pub async fn add_moderator(app: &App, by: Actor, add: AddModerator) -> Result<Added, PeopleError> {
    if !is_username(&add.username) {
        return Err(PeopleError::Username);
    }
    let display_name = add.display_name.as_deref().map_or(Ok(USUAL_DISPLAY_NAME.to_owned()), rename::parse)?;
    let password_hash = match &add.password {
        Some(password) => {
            let site_words = app.store.read(queries::list_site_words).await?;
            password::hash_new(app, password, Standard::of(&[&add.username, &display_name], &site_words)).await?
        }
        None => password::hash_of_none(app).await?,
    };
    let (id, now) = (app.store.next_id().await?, app.clock.now());
    refuse_key(by, id, add.role)?;
    let reset = if add.password.is_none() { Some(Reset::new(app, id, by)?) } else { None };
    let row = NewModerator::new(id, add.username, &display_name, add.role, password_hash, now);
    let (sites, new_reset) = (add.sites, reset.as_ref().map(Reset::row));
    let entry = audit::blank(app)
        .await?
        .fill(by, Action::ModeratorAdded)
        .about(Subject::Moderator(id))
        .fact("role", add.role)
        .fact("sites", &sites);
    let entry = if reset.is_some() { entry.fact("with_reset", true) } else { entry };
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            queries::insert_moderator(conn, &row, &sites)?;
            new_reset.as_ref().map_or(Ok(()), |reset| resets::insert_reset(conn, reset))?;
            audit::record(conn, &entry)
        })
        .await;
    match written {
        Err(StoreError::Taken(Constraint::Username)) => Err(PeopleError::Taken),
        other => Ok(other.map(|()| Added { id, reset })?),
    }
}

/// Whether these sites go with a role.
///
/// # Errors
/// Any for a role that has all, none for a role that has not.
pub(super) fn check_sites(role: Role, sites: &[SiteId]) -> Result<(), PeopleError> {
    match (role.has_all_sites(), sites) {
        (true, []) | (false, [_, ..]) => Ok(()),
        (true, _) => Err(PeopleError::AllSites),
        (false, []) => Err(PeopleError::NoSites(role)),
    }
}

/// Everyone, by name.
///
/// # Errors
/// Those of the store.
pub async fn list_moderators(app: &App) -> StoreResult<Vec<ModeratorRow>> {
    app.store.read(queries::list_moderators).await
}

/// A page of everyone, the first added first.
pub async fn list_people(app: &App, page: PageQuery) -> StoreResult<(Vec<Person>, Option<Cursor>)> {
    let limit = page.limit as usize;
    app.store
        .read(move |conn| {
            let after = page.cursor.map(|cursor| ModeratorId::new(cursor.last_id));
            let mut rows = manage::list_people(conn, after, i64::from(page.limit) + 1)?;
            let is_more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| is_more).map(|row| Cursor::after(row.id.get()));
            let ids: Vec<ModeratorId> = rows.iter().map(|row| row.id).collect();
            let mut own = manage::load_site_keys(conn, &ids)?;
            let all = queries::list_site_keys(conn, None)?;
            let people = rows.into_iter().map(|row| {
                let own = own.remove(&row.id).unwrap_or_default();
                Person { sites: if row.role().has_all_sites() { all.clone() } else { own }, row }
            });
            Ok((people.collect(), next))
        })
        .await
}

/// Somebody who was not removed.
pub async fn find_person(app: &App, id: ModeratorId) -> StoreResult<Option<Person>> {
    app.store
        .read(move |conn| {
            let Some(row) = manage::find_person(conn, id)? else { return Ok(None) };
            let sites = if row.role().has_all_sites() {
                queries::list_site_keys(conn, None)?
            } else {
                manage::load_site_keys(conn, &[id])?.remove(&id).unwrap_or_default()
            };
            Ok(Some(Person { row, sites }))
        })
        .await
}

/// The sites with these keys.
///
/// # Errors
/// When one of them is no site.
pub async fn find_sites(app: &App, mut keys: Vec<String>) -> Result<Vec<SiteId>, PeopleError> {
    keys.sort();
    keys.dedup();
    let count = keys.len();
    let found: Vec<SiteId> = app.store.read(move |conn| manage::find_sites(conn, &keys)).await?;
    if found.len() == count { Ok(found) } else { Err(PeopleError::NoSuchSite) }
}

/// A moderator by name, as the program itself acts for one: with no session.
///
/// # Errors
/// When there is none.
pub async fn find_moderator(app: &App, username: &str) -> Result<Moderator, PeopleError> {
    let username = username.to_owned();
    let found = app.store.read(move |conn| queries::find_moderator_by_name(conn, &username)).await?;
    found.ok_or(PeopleError::Unknown)
}

/// Sets a new password and ends every session.
///
/// # Errors
/// When there is no such moderator, or the password is too weak.
pub async fn reset_password(app: &App, by: Actor, username: &str, password: String) -> Result<(), PeopleError> {
    let asked = username.to_owned();
    let (account, standard) = app.store.read(move |conn| reset::load_by_name(conn, &asked)).await?;
    let hash = password::hash_new(app, &password, standard).await?;
    let (id, now) = (account.id, app.clock.now());
    let entry = audit::blank(app).await?.fill(by, Action::PasswordSet).about(Subject::Moderator(id));
    let written: StoreResult<()> = app
        .store
        .write(move |conn| {
            audit::record(conn, &entry)?;
            queries::set_password_hash(conn, id, &hash)?;
            resets::void_resets(conn, id, now)?;
            keys::delete_keys(conn, id)?;
            sessions::end_sessions(conn, id, None, now).map(drop)
        })
        .await;
    signed_in::forget(app);
    Ok(written?)
}

/// Whether it could be somebody's user name.
pub(super) fn is_username(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~@+-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// How user names are compared: without case.
pub(super) fn folded(username: &str) -> String {
    text::fold(username)
}
