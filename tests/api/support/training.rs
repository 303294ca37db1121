//! What filters have learned, as the database has it, and counted anew.

use diesel::prelude::*;
use rejoinder::screening::counts::{Change, Label};
use rejoinder::screening::features::Features;
use rejoinder::store::schema::{training, training_counts, training_heads};
use rejoinder::store::{Conn, StoreError, StoreResult, load_on_either};

use super::server::{TestApp, eventually};

/// What is kept of a filter.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// The counts as they are kept.
    pub counts: Change,
    /// The counts of the rows that say they are counted.
    pub recount: Change,
    /// Rows that wait to be learned or taken back.
    pub waiting: usize,
    /// Rows that were set aside.
    pub set_aside: usize,
}

type Row = (i16, i16, Option<Vec<u8>>);

/// What is kept of the filter of the site `main`.
pub fn read(conn: &mut Conn) -> StoreResult<Kept> {
    let rows: Vec<Row> =
        load_on_either(conn, training::table.select((training::label, training::state, training::features)))?;
    let counted: Vec<(i64, i64, i64)> = load_on_either(
        conn,
        training_counts::table.select((training_counts::bucket, training_counts::good, training_counts::spam)),
    )?;
    let comments: Vec<(i64, i64)> =
        load_on_either(conn, training_heads::table.select((training_heads::good, training_heads::spam)))?;
    let mut recount = Change::default();
    for (label, _, features) in rows.iter().filter(|(_, state, _)| matches!(state, 1 | 3)) {
        let features = features.as_deref().and_then(Features::from_bytes).expect("features");
        recount.learn(&features, if *label == 1 { Label::Spam } else { Label::Good });
    }
    let buckets = counted
        .into_iter()
        .filter(|(_, good, spam)| (*good, *spam) != (0, 0))
        .map(|(bucket, good, spam)| (u32::try_from(bucket).expect("a bucket"), [good, spam]))
        .collect();
    let comments = comments.first().map_or([0, 0], |(good, spam)| [*good, *spam]);
    Ok(Kept {
        counts: Change { comments, buckets },
        recount,
        waiting: rows.iter().filter(|(_, state, _)| matches!(state, 0 | 3)).count(),
        set_aside: rows.iter().filter(|(_, state, _)| *state == 2).count(),
    })
}

impl TestApp {
    /// What is kept of the filter of the site `main`, when nothing waits any more; the counts are then those of the rows.
    pub async fn learned(&self) -> Kept {
        let read = || self.app.store.read(read);
        eventually("everything is learned", async || read().await.expect("the store").waiting == 0).await;
        let kept = read().await.map_err(|error: StoreError| error.to_string()).expect("the store");
        assert!(
            kept.counts == kept.recount,
            "{:?} counted, {:?} recounted",
            kept.counts.comments,
            kept.recount.comments
        );
        kept
    }
}
