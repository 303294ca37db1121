//! Banning somebody, and, if asked, deciding at once about what they have sent already: the sweep. The ban comes first, so
//! that what is posted meanwhile meets it. The decisions of a sweep are one batch and are undone as one; the ban stays then.

use crate::accounts::Moderator;
use crate::app::App;
use crate::bans::{Ban, BanError, MakeBan, NewBan, judge_ban, keep_ban, note_sweep};
use crate::comments::Status;
use crate::kit::fault::Fault;
use crate::kit::ids::{BatchId, CommentId};
use crate::store::{StoreError, StoreResult};

use super::decide::{self, Decide, DecideError, Decision};
use super::index_first::index_waiting;
use super::queries::{self, Theirs};

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
    let batch = decide_found(app, moderator, sweep.decision, &new.reason, found).await?;
    note_sweep(app, ban.id, batch).await?;
    ban.sweep = Some(batch);
    Ok(ban)
}

/// What they have sent and is to be swept, on the sites that the ban is for; more than can be swept when there is more,
/// as far as their latest so many go.
async fn find(app: &App, moderator: &Moderator, new: &NewBan, sweep: Sweep) -> StoreResult<Vec<(CommentId, i64)>> {
    index_waiting(app).await?;
    let (to, most) = (sweep.decision.status(), i64::try_from(MOST + 1).unwrap_or(i64::MAX));
    let sites = new.site.map(|site| vec![site]).or_else(|| moderator.visible_sites());
    let who = new.who.clone();
    let theirs = app.store.read(move |conn| queries::list_of(conn, &who, sites.as_deref(), most)).await?;
    let is_swept = |theirs: &Theirs| theirs.status != to && sweep.scope.has(theirs.status);
    Ok(theirs.into_iter().filter(is_swept).map(|theirs| (theirs.id, theirs.version)).collect())
}

/// Decides about them; what was decided, withdrawn or erased meanwhile is left as it is. To be connected: this loop gives
/// way to one batch, `many::decide_found`.
async fn decide_found(
    app: &App,
    moderator: &Moderator,
    decision: Decision,
    note: &str,
    found: Vec<(CommentId, i64)>,
) -> StoreResult<BatchId> {
    let batch = app.store.next_id().await?;
    for (comment, version) in found {
        let note = Some(note.to_owned());
        let decide =
            Decide { comment, decision, reason: None, note, message: None, versions: vec![version], replay: None };
        match decide::decide(app, moderator, decide).await {
            Err(DecideError::Store(error)) => return Err(error),
            Err(DecideError::KeyReused) => return Err(StoreError::Broken("a sweep has no idempotency key".to_owned())),
            Ok(_) | Err(DecideError::NoSuchComment | DecideError::Gone | DecideError::Stale(_)) => {}
        }
    }
    Ok(batch)
}
