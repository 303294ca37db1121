//! The memory of a node: read from the database when it is first asked for, so that it is right after a restart too, and
//! kept up by what is indexed here and elsewhere. Posting asks memory alone and waits for nobody.
//!
//! What other nodes take is known here once they have indexed it: within two seconds while writes are few.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::app::App;
use crate::http::limits::AddressKey;
use crate::kit::clock::Millis;
use crate::kit::ids::{CampaignId, CommentId, SiteId};
use crate::kit::text;
use crate::screening::{Finding, Sketch};
use crate::store::StoreResult;

use super::queries::{self, Sketched};
use super::seen::{FLOOD_TIME, Join, Joining, Memory, Seen};

/// What is sent, by whom and from where.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    pub site: SiteId,
    pub text: &'a str,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub address: Option<IpAddr>,
    pub at: Millis,
}

#[derive(Default)]
struct Kept {
    memory: Mutex<Memory>,
    /// One at a time reads.
    reading: tokio::sync::Mutex<()>,
}

impl Kept {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What repetition says against a comment. It is remembered at once: whether it is then kept or not, it was tried. Costs a
/// sketch and look-ups in memory, some ten microseconds; the first after a start reads the database.
///
/// # Errors
/// Those of the store.
pub async fn find_repeated(app: &App, sent: Sent<'_>) -> StoreResult<Vec<Finding>> {
    let Some(sketch) = Sketch::of(sent.text) else { return Ok(Vec::new()) };
    let kept = app.shelves.get::<Kept>();
    if kept.memory().read_to.is_none() {
        refresh(app).await?;
    }
    let seen = Seen {
        site: sent.site,
        indexed: None,
        author: author(app, sent.name, sent.email),
        address: sent.address.map(|from| address(app, from)),
        at: sent.at,
        is_spam: None,
    };
    Ok(kept.memory().look_and_note(sketch, seen))
}

/// Reads what was indexed, here and elsewhere, since it was read last.
///
/// # Errors
/// Those of the store.
pub async fn refresh(app: &App) -> StoreResult<()> {
    let kept = app.shelves.get::<Kept>();
    let _turn = kept.reading.lock().await;
    let (since, most) = (kept.memory().read_to, i64::try_from(Memory::MOST).unwrap_or(i64::MAX));
    // Whom and where from is asked of those alone that may be part of a flood.
    let recent = app.clock.now().minus(FLOOD_TIME);
    let (read_to, rows) = app.store.read(move |conn| queries::list_changed(conn, since, recent, most)).await?;
    let mut memory = kept.memory();
    for row in rows {
        let Some(sketch) = Sketch::from_bytes(&row.sketch) else { continue };
        memory.note_indexed(sketch, seen(app, &row));
    }
    memory.read_to = Some(read_to);
    Ok(())
}

/// Gives comments that were read to be indexed their campaigns; with them, up to which change that holds.
///
/// # Errors
/// Those of the store.
pub async fn join_campaigns(app: &App, all: &[Joining]) -> StoreResult<(Vec<CampaignId>, i64)> {
    refresh(app).await?;
    let kept = app.shelves.get::<Kept>();
    let memory = kept.memory();
    let mut join = Join::new(&memory);
    Ok((all.iter().map(|one| join.join(one)).collect(), memory.read_to.unwrap_or(0)))
}

fn seen(app: &App, row: &Sketched) -> Seen {
    let sender = row.sender.as_ref();
    Seen {
        site: row.site_id,
        indexed: Some((CommentId::new(row.comment_id.get()), CampaignId::new(row.campaign))),
        author: sender.map_or(0, |sender| author(app, &sender.name, sender.email.as_deref())),
        address: sender.and_then(|sender| sender.ip.as_deref()?.parse().ok()).map(|from| address(app, from)),
        at: sender.map_or(Millis(0), |sender| sender.received_at),
        is_spam: row.is_spam,
    }
}

fn author(app: &App, name: &str, email: Option<&str>) -> i64 {
    match email {
        Some(email) => app.keys.author.short_mac(&[b"repeated email", email.to_lowercase().as_bytes()]),
        None => app.keys.author.short_mac(&[b"repeated name", text::fold(name).as_bytes()]),
    }
}

fn address(app: &App, address: IpAddr) -> i64 {
    app.keys.author.short_mac(&[b"repeated address", &AddressKey::from(address).number().to_be_bytes()])
}
