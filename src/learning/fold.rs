//! Learning what waits: rows of training become counts, some in each transaction, on one node at a time.
//!
//! What a transaction writes is worked out before it, beside the writer. It holds only if the head of the site is still
//! where it was, and every row as it was read; else it is begun anew. So after any crash the counts are those of the rows
//! that say so, to the last one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::App;
use crate::kit::ids::{ModeratorId, SiteId};
use crate::screening::counts::{Change, Label};
use crate::screening::features::{Features, Written};
use crate::screening::teaching::Teaching;
use crate::screening::thresholds::{Past, STANDS_FOR};
use crate::screening::{DRAWN, Screening};
use crate::store::{Cause, Conn, StoreError, StoreResult};

use super::ask::domain;
use super::kept::{self, Slot, find_filter, follow};
use super::model::{Head, Learned, Model, has_learned};
use super::queries::{self, Folded, Leaving, Taught, Waiting};

/// Comments learned in one transaction: some twelve thousand features, and whoever writes meanwhile waits for some 20 ms.
const CHUNK: i64 = 32;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Moved {
    #[error("somebody else has learned or decided meanwhile")]
    Elsewhere,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cause for Moved {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Learns everything that waits, site by site.
///
/// # Errors
/// Those of the store; what was learned stays so.
pub async fn learn_waiting(app: &App, goes_on: impl Fn() -> bool) -> StoreResult<()> {
    for site in app.store.read(queries::list_waiting_sites).await? {
        while goes_on() && learn_some(app, site).await? {}
    }
    Ok(())
}

/// Brings the filters that this node keeps up to what others have learned.
///
/// # Errors
/// Those of the store.
pub async fn follow_others(app: &App) -> StoreResult<()> {
    kept::follow_all(app).await
}

/// Learns some of what waits on a site; false when nothing is left, or somebody else is at it.
pub(super) async fn learn_some(app: &App, site: SiteId) -> StoreResult<bool> {
    let (slot, key) = (find_filter(app, site).await?, kept::key(app, site));
    let asked = Arc::clone(&slot);
    let read = move |conn: &mut Conn| -> StoreResult<_> {
        let (leaving, waiting) = (queries::list_leaving(conn, site, CHUNK)?, queries::list_waiting(conn, site, CHUNK)?);
        let teachers = queries::load_teachers(conn, site)?;
        // Read last: what was learned since makes the transaction begin anew.
        let head = queries::load_head(conn, site)?;
        let features: Vec<Features> = waiting.iter().map(|row| Features::of(key, &written(row))).collect();
        let worked_out = asked.ask(|model| {
            let is_behind = model.head != head;
            (!is_behind).then(|| fold(model, (site, head), &leaving, (&waiting, &features), teachers))
        });
        let has_any = !leaving.is_empty() || !waiting.is_empty();
        Ok((has_any, worked_out.flatten(), features))
    };
    let (has_any, folded, features) = app.store.read(read).await?;
    if !has_any {
        return Ok(false);
    }
    let Some(folded) = folded else {
        follow(app, site, &slot).await?;
        return Ok(true);
    };
    let folded = Arc::new(folded);
    let write = Arc::clone(&folded);
    match app.store.write(move |conn: &mut Conn| queries::write_folded(conn, &write)).await {
        Ok(()) => tell(app, site, &slot, &folded, features).await.map(|()| true),
        // Another node does it; the next round sees what is left.
        Err(Moved::Elsewhere) => follow(app, site, &slot).await.map(|()| false),
        Err(Moved::Store(error)) => Err(error),
    }
}

/// Teaches the filter in memory what was written.
async fn tell(app: &App, site: SiteId, slot: &Slot, folded: &Folded, features: Vec<Features>) -> StoreResult<()> {
    if folded.left.is_empty() {
        let rows = features.into_iter().zip(&folded.taught).filter(|(_, taught)| !taught.is_set_aside);
        let rows: Vec<Learned> = rows.map(|(features, taught)| Learned { features, past: taught.past }).collect();
        slot.learn(folded.from, &rows, folded.to);
        return Ok(());
    }
    // The second stage and the record cannot forget: they are made anew.
    follow(app, site, slot).await
}

fn written(row: &Waiting) -> Written<'_> {
    Written {
        text: &row.text,
        name: &row.name,
        email_domain: domain(row.email.as_deref()),
        url: row.url.as_deref().unwrap_or_default(),
    }
}

/// Works out what learning these rows changes. Each is scored by what the filter knows before it.
fn fold(
    model: &Model,
    (site, from): (SiteId, Head),
    leaving: &[Leaving],
    (waiting, features): (&[Waiting], &[Features]),
    mut teachers: HashMap<ModeratorId, Teaching>,
) -> Folded {
    let (mut change, mut taught, mut to) = (Change::default(), Vec::with_capacity(waiting.len()), from);
    for row in leaving {
        change.unlearn(&row.features, row.label);
        to.takebacks += 1;
    }
    // To know what was learned before the next of them, the filter is copied, which takes some 3 ms.
    let mut ahead = (waiting.len() > 1).then(|| model.filter.clone());
    for (row, features) in waiting.iter().zip(features) {
        let (label, stands_for) = (row.label(), if was_drawn(row) { STANDS_FOR } else { 1 });
        let filter = ahead.as_ref().unwrap_or(&model.filter);
        let (score, had_learned) = (filter.score(features), has_learned(filter));
        let own = teachers.get(&row.moderator).copied().unwrap_or_default().with(score.value, label);
        teachers.insert(row.moderator, own);
        let others: Vec<Teaching> =
            teachers.iter().filter(|(who, _)| **who != row.moderator).map(|(_, teaching)| *teaching).collect();
        let is_set_aside = own.is_in_doubt(&others);
        if !is_set_aside {
            change.learn(features, label);
            if let Some(ahead) = &mut ahead {
                ahead.learn(features, label, stands_for);
            }
        }
        to.seq += 1;
        let foresaw = (score.value > 0.0) == (label == Label::Spam);
        taught.push(Taught {
            id: row.id,
            seq: to.seq,
            past: Past { evidence: score.evidence, label, stands_for },
            is_set_aside,
            agrees: had_learned.then_some(foresaw),
            features: features.to_bytes(),
        });
    }
    to.comments = [0, 1].map(|kind| from.comments[kind] + change.comments[kind]);
    let at_work: Vec<ModeratorId> = waiting.iter().map(|row| row.moderator).collect();
    let teachers = teachers.into_iter().filter(|(who, _)| at_work.contains(who)).collect();
    Folded { site, from, to, taught, left: leaving.iter().map(|row| row.id).collect(), change, teachers }
}

/// Whether people look at it only because it was drawn at random.
fn was_drawn(row: &Waiting) -> bool {
    let screening = row.screening.as_deref().and_then(|text| serde_json::from_str::<Screening>(text).ok());
    screening.is_some_and(|screening| screening.rules.iter().any(|hit| hit.rule == DRAWN))
}
