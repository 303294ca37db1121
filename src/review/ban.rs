//! Banning somebody, and, if asked, deciding at once about what they have sent already: the sweep. The ban comes first, so
//! that what is posted meanwhile meets it. The decisions of a sweep are one batch and are undone as one; the ban stays then.

use crate::accounts::Moderator;
use crate::app::App;
use crate::bans::{Ban, BanError, MakeBan, NewBan, judge_ban, keep_ban, note_sweep};
use crate::comments::Status;
use crate::kit::fault::Fault;
use crate::kit::ids::CommentId;
use crate::store::{StoreError, StoreResult};

use super::decide::Decision;
use super::index::{IndexError, index_waiting};
use super::many::decide_found;
use super::queries::people::{Theirs, list_of};

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

/// Bans somebody and sweeps.
///
/// # Errors
/// When fields are wrong, the same ban is there, or there is more to sweep than can be decided about at once. Nothing is
/// changed then.
pub async fn ban(app: &App, moderator: &Moderator, make: MakeBan, sweep: Option<Sweep>) -> Result<Ban, BanError> {
    let new = judge_ban(app, moderator, make).await?;
    let Some(sweep) = sweep else { return keep_ban(app, moderator, new).await };
    if find(app, moderator, &new, sweep).await?.len() > MOST {
        return Err(BanError::Invalid(vec![Fault { limit: Some(MOST as u64), ..Fault::new("sweep", "too_many") }]));
    }
    let mut ban = keep_ban(app, moderator, new.clone()).await?;
    let mut found = find(app, moderator, &new, sweep).await?;
    found.truncate(MOST);
    let batch = decide_found(app, moderator, sweep.decision, SWEPT, found).await?;
    note_sweep(app, ban.id, batch).await?;
    ban.sweep = Some(batch);
    Ok(ban)
}

/// What they have sent and is to be swept, on the sites that the ban is for; more than can be swept when there is more,
/// as far as their latest so many go.
async fn find(app: &App, moderator: &Moderator, new: &NewBan, sweep: Sweep) -> StoreResult<Vec<(CommentId, i64)>> {
    index_waiting(app).await.map_err(|error| match error {
        IndexError::TooMuchWaits => StoreError::Busy,
        IndexError::Store(error) => error,
    })?;
    let (to, most) = (sweep.decision.status(), i64::try_from(MOST + 1).unwrap_or(i64::MAX));
    let sites = new.site.map(|site| vec![site]).or_else(|| moderator.visible_sites());
    let who = new.who.clone();
    let theirs = app.store.read(move |conn| list_of(conn, &who, sites.as_deref(), most)).await?;
    let is_swept = |theirs: &Theirs| theirs.status != to && sweep.scope.has(theirs.status);
    Ok(theirs.into_iter().filter(is_swept).map(|theirs| (theirs.id, theirs.version)).collect())
}
