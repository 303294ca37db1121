//! Banning somebody. The ban is in force when it is answered; who or what it is about stands in the private part of the
//! audit log's entry and nowhere else in the log.

use crate::accounts::Moderator;
use crate::app::App;
use crate::audit::{self, Action, Entry, Subject};
use crate::kit::clock::Millis;
use crate::kit::fault::{self, Fault};
use crate::kit::ids::{BanId, SiteId};
use crate::kit::key::Key;
use crate::sites::{Site, find_site};
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::kept::{forget_book, mark_change};
use super::{Ban, BanKind, Who, queries};

/// What a moderator asks for.
#[derive(Debug, Clone)]
pub struct MakeBan {
    pub kind: Option<BanKind>,
    pub value: String,
    /// Key of a site; none for all sites.
    pub site: Option<String>,
    pub reason: String,
    pub expires_at: Option<Millis>,
    /// What was found wrong in reading it.
    pub faults: Vec<Fault>,
}

/// A ban that may be made.
#[derive(Debug, Clone)]
pub struct NewBan {
    pub kind: BanKind,
    /// As it is shown.
    pub value: String,
    pub who: Who,
    /// None: all sites.
    pub site: Option<SiteId>,
    pub site_key: Option<Key>,
    pub reason: String,
    pub expires_at: Option<Millis>,
}

/// Why nobody was banned.
#[derive(Debug, thiserror::Error)]
pub enum BanError {
    #[error("fields are wrong")]
    Invalid(Vec<Fault>),
    #[error("they are banned already")]
    Exists(BanId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for BanError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Reads what is asked for; writes nothing.
///
/// # Errors
/// Every field that is wrong. A site that is not the moderator's is as good as none; all sites are only for those who have
/// all.
pub async fn judge_ban(app: &App, moderator: &Moderator, make: MakeBan) -> Result<NewBan, BanError> {
    let (mut faults, now) = (make.faults, app.clock.now());
    let read = make.kind.map(|kind| Who::read(kind, "value", &make.value).map(|(value, who)| (kind, value, who)));
    let read = read.transpose();
    fault::add(&mut faults, read.as_ref().err().cloned().into_iter().collect());
    if make.expires_at.is_some_and(|expires_at| expires_at <= now) {
        fault::add(&mut faults, vec![Fault::new("expires_at", "future")]);
    }
    let site = find_own_site(app, moderator, make.site.as_deref()).await?;
    fault::add(&mut faults, site.as_ref().err().cloned().into_iter().collect());
    match (read, site) {
        (Ok(Some((kind, value, who))), Ok(site)) if faults.is_empty() => Ok(NewBan {
            kind,
            value,
            who,
            site: site.as_ref().map(|site| site.id),
            site_key: site.map(|site| site.key),
            reason: make.reason,
            expires_at: make.expires_at,
        }),
        _ => {
            faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
            Err(BanError::Invalid(faults))
        }
    }
}

async fn find_own_site(
    app: &App,
    moderator: &Moderator,
    key: Option<&str>,
) -> StoreResult<Result<Option<Site>, Fault>> {
    let Some(key) = key else {
        return Ok(if moderator.visible_sites().is_none() { Ok(None) } else { Err(Fault::new("site", "required")) });
    };
    let Some(key) = Key::parse(key) else { return Ok(Err(Fault::new("site", "site"))) };
    let found = app.store.read(move |conn| find_site(conn, &key)).await?;
    let own = found.filter(|site| moderator.moderates(site.id));
    Ok(own.map(Some).ok_or_else(|| Fault::new("site", "site")))
}

/// A ban with all that its transaction may not make by itself.
#[derive(Debug, Clone)]
pub struct ReadyBan {
    pub new: NewBan,
    id: BanId,
    by: Moderator,
    now: Millis,
    entry: Entry,
}

/// A ban that is in force now.
#[derive(Debug, Clone)]
pub enum Banned {
    New(Ban),
    /// There was the same already, which stays as it is.
    Already(Ban),
}

/// Makes everything ready to ban; writes nothing.
///
/// # Errors
/// Those of the store.
pub async fn ready_ban(app: &App, moderator: &Moderator, new: NewBan) -> StoreResult<ReadyBan> {
    let id = app.store.next_id().await?;
    let entry = audit::blank(app)
        .await?
        .fill(moderator.actor(), Action::BanMade)
        .about(Subject::Ban(id))
        .fact("kind", new.kind)
        .fact("expires_at", new.expires_at)
        .private("value", &new.value)
        .private("reason", &new.reason);
    let entry = if let Some(site) = new.site { entry.on_site(site) } else { entry };
    Ok(ReadyBan { new, id, by: moderator.clone(), now: app.clock.now(), entry })
}

/// Makes the ban, unless there is the same already, in force. Part of a transaction; call [`forget_book`] after its commit.
///
/// # Errors
/// Those of the store.
pub fn write_ban(conn: &mut Conn, ready: &ReadyBan) -> StoreResult<Banned> {
    let ReadyBan { new, id, by, now, entry } = ready;
    if let Some(row) = queries::find_same(conn, new, *now)? {
        let ban = queries::with_names(conn, vec![row])?.pop().ok_or(StoreError::Missing)?;
        return Ok(Banned::Already(ban));
    }
    queries::insert_ban(conn, *id, new, by.id, *now)?;
    mark_change(conn, *id)?;
    audit::record(conn, entry)?;
    Ok(Banned::New(Ban {
        id: *id,
        site: new.site_key.clone(),
        kind: new.kind,
        value: new.value.clone(),
        reason: new.reason.clone(),
        by: Some(by.username.clone()),
        created_at: *now,
        expires_at: new.expires_at,
        sweep: None,
    }))
}

/// Makes the ban and nothing else.
///
/// # Errors
/// When there is the same already, in force.
pub async fn keep_ban(app: &App, ready: ReadyBan) -> Result<Ban, BanError> {
    let written = app.store.write(move |conn: &mut Conn| match write_ban(conn, &ready)? {
        Banned::New(ban) => Ok(ban),
        Banned::Already(ban) => Err(BanError::Exists(ban.id)),
    });
    let ban = written.await?;
    forget_book(app);
    Ok(ban)
}
