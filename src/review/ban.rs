//! Banning somebody, and, if asked, deciding at once about what they have sent already: the sweep.
//!
//! The ban and the batch that sweeps are kept in one transaction, so that a crash leaves both or none; the batch goes on
//! afterwards like any other. What was posted while the ban was not known yet is added to it. The decisions of a sweep are
//! undone as one; the ban stays then.

use std::collections::HashSet;

use crate::accounts::{Moderator, Right};
use crate::app::App;
use crate::bans::{
    Ban, BanError, Banned, MakeBan, NewBan, ReadyBan, Who, forget_book, judge_ban, keep_ban, ready_ban, set_sweep,
    write_ban,
};
use crate::comments::Status;
use crate::kit::fault::Fault;
use crate::kit::ids::{CommentId, DecisionId, SiteId};
use crate::store::{Conn, StoreError, StoreResult};

use super::batch::{self, Batch, Goal};
use super::decide::Decision;
use super::index::{IndexError, index_waiting};
use super::many::{self, ManyError, go_on};
use super::queries::batches;
use super::queries::people::list_of;

/// The note of a sweep's decisions. Not the ban's reason: that may name somebody, and notes are read by those too who may
/// see nothing personal.
const SWEPT: &str = "Its author is banned.";
/// The most comments that are decided about at once (API.md).
const MOST: usize = 100_000;

/// What becomes of what is there.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    pub decision: Decision,
    pub scope: Scope,
}

/// Of how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// What waits.
    Pending,
    /// Whatever can be decided.
    All,
}

impl Scope {
    /// Reads the word of the contract.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "pending" => Some(Self::Pending),
            "all" => Some(Self::All),
            _ => None,
        }
    }

    fn has(self, status: Status) -> bool {
        match self {
            Self::Pending => status == Status::Pending,
            Self::All => !status.is_final(),
        }
    }
}

impl Sweep {
    /// Reads what somebody who is banned may get: nobody bans to publish.
    pub fn parse_decision(text: &str) -> Option<Decision> {
        Decision::parse(text).filter(|decision| *decision != Decision::Approve)
    }
}

/// Bans somebody and sweeps. Of a ban that is there already, in force, only the sweep is done.
///
/// # Errors
/// When fields are wrong, the same ban is there and nothing is to be swept, or there is more to sweep than can be decided
/// about at once. Nothing is changed then.
pub async fn ban(app: &App, moderator: &Moderator, make: MakeBan, sweep: Option<Sweep>) -> Result<Banned, BanError> {
    let ready = ready_ban(app, moderator, judge_ban(app, moderator, make).await?).await?;
    let Some(sweep) = sweep else { return keep_ban(app, ready).await.map(Banned::New) };
    let theirs = Theirs { who: ready.new.who.clone(), sites: sites_of(&ready.new, moderator), sweep };
    let batch = batch(app, moderator, sweep).await?;
    wait_for_index(app).await?;
    let (by, theirs_now, begun) = (moderator.clone(), theirs.clone(), batch.clone());
    let (banned, swept) = app.store.write(move |conn| write(conn, &by, &ready, &begun, &theirs_now)).await?;
    forget_book(app);
    if let Some(swept) = swept {
        add_late(app, batch.id, &theirs, swept).await?;
        match go_on(app, batch.id, many::MOST_AT_ONCE).await {
            Ok(_) => {}
            Err(ManyError::Store(error)) => return Err(error.into()),
            Err(other) => return Err(StoreError::Broken(format!("a sweep: {other}")).into()),
        }
    }
    Ok(banned)
}

/// Whose comments are swept.
#[derive(Clone)]
struct Theirs {
    who: Who,
    /// None: all.
    sites: Option<Vec<SiteId>>,
    sweep: Sweep,
}

fn sites_of(new: &NewBan, moderator: &Moderator) -> Option<Vec<SiteId>> {
    new.site.map(|site| vec![site]).or_else(|| moderator.visible_sites())
}

async fn batch(app: &App, moderator: &Moderator, sweep: Sweep) -> StoreResult<Batch> {
    Ok(Batch {
        id: app.store.next_id().await?,
        by: moderator.id,
        key: moderator.key().map(|key| key.id),
        needs: Some(Right::DecideMany),
        goal: Goal::Status(sweep.decision.status()),
        reason: None,
        note: Some(SWEPT.to_owned()),
        message: None,
        total: 0,
        done: 0,
        created_at: app.clock.now(),
    })
}

async fn wait_for_index(app: &App) -> StoreResult<()> {
    index_waiting(app).await.map_err(|error| match error {
        IndexError::TooMuchWaits => StoreError::Busy,
        IndexError::Store(error) => error,
    })
}

/// The transaction: the ban, and the batch that sweeps. Says what the batch is about; none when the same ban was there
/// and has nothing left to sweep, so that asking again loses no sweep that could be undone.
fn write(
    conn: &mut Conn,
    by: &Moderator,
    ready: &ReadyBan,
    batch: &Batch,
    theirs: &Theirs,
) -> Result<(Banned, Option<HashSet<CommentId>>), BanError> {
    let banned = write_ban(conn, ready)?;
    let found = theirs.list(conn)?;
    if found.len() > MOST {
        return Err(BanError::Invalid(vec![Fault { limit: Some(MOST as u64), ..Fault::new("sweep", "too_many") }]));
    }
    if matches!(&banned, Banned::Already(ban) if ban.sweep.is_some()) && found.is_empty() {
        return Ok((banned, None));
    }
    let batch = Batch { total: i64::try_from(found.len()).unwrap_or(i64::MAX), ..batch.clone() };
    batch::begin(conn, by, &batch, &found, None)?;
    let swept = |ban: Ban| Ban { sweep: Some(batch.id), ..ban };
    let banned = match banned {
        Banned::New(ban) => Banned::New(swept(ban)),
        Banned::Already(ban) => Banned::Already(swept(ban)),
    };
    let (Banned::New(ban) | Banned::Already(ban)) = &banned;
    set_sweep(conn, ban.id, batch.id)?;
    Ok((banned, Some(found.into_iter().map(|(id, _)| id).collect())))
}

/// Adds to the batch what came while the ban was being made: posts that were judged before it.
async fn add_late(app: &App, batch: DecisionId, theirs: &Theirs, known: HashSet<CommentId>) -> StoreResult<()> {
    wait_for_index(app).await?;
    let theirs = theirs.clone();
    let late = app.store.read(move |conn| theirs.list(conn)).await?;
    let room = MOST.saturating_sub(known.len());
    let late: Vec<_> = late.into_iter().filter(|(id, _)| !known.contains(id)).take(room).collect();
    if late.is_empty() {
        return Ok(());
    }
    app.store.write(move |conn| batches::append_items(conn, batch, &late)).await
}

impl Theirs {
    /// What they have sent and is to be swept, on the sites that the ban is for; more than can be swept when there is
    /// more, as far as their latest so many go.
    fn list(&self, conn: &mut Conn) -> StoreResult<Vec<(CommentId, i64)>> {
        let (to, most) = (self.sweep.decision.status(), i64::try_from(MOST + 1).unwrap_or(i64::MAX));
        let all = list_of(conn, &self.who, self.sites.as_deref(), most)?;
        let swept = all.into_iter().filter(|one| one.status != to && self.sweep.scope.has(one.status));
        Ok(swept.map(|one| (one.id, one.version)).collect())
    }
}
