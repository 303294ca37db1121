//! More than can be kept: whoever cannot be taken is told so at once and told when to come back, whoever was taken is kept,
//! and readers notice nothing. The long form, with a crowd of thousands, is `cargo bench --bench faults -- overload`.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use rejoinder::kit::ids::of;
use rejoinder::store::{Conn, Store, StoreError};

use crate::support::database::TestDatabase;
use crate::support::server::TestApp;
use crate::support::{eventually, form, on_each_database};

/// So many post at once, twice.
const POSTERS: usize = 40;

/// A gate that writes wait at.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    arrived: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// A write that does nothing, once the gate is open.
async fn wait_at(store: Store, gate: Arc<Gate>) -> Result<(), StoreError> {
    let work = move |_: &mut Conn| {
        gate.pass();
        Ok(())
    };
    store.write(work).await
}

/// Holds every thread that writes, until the gate is opened.
async fn hold(app: &TestApp, gate: &Arc<Gate>) {
    let threads = match app.database {
        TestDatabase::Sqlite { .. } => 1,
        TestDatabase::Postgres { .. } => 8,
    };
    for held in 1..=threads {
        // One after the other: what waits together may be taken by one thread.
        actix_web::rt::spawn(wait_at(app.app.store.clone(), Arc::clone(gate)));
        eventually("one more thread is held", async || gate.arrived.load(Ordering::SeqCst) == held).await;
    }
}

/// Holds every thread that writes, then sends writes until no more may wait; gives how many were let in.
async fn fill(app: &TestApp, gate: &Arc<Gate>) -> usize {
    hold(app, gate).await;
    let mut count = 0;
    // One that is let in waits, and goes on waiting when it is dropped; one that is not is answered at once.
    loop {
        match wait_at(app.app.store.clone(), Arc::clone(gate)).now_or_never() {
            None => count += 1,
            Some(Err(StoreError::Busy)) => return count,
            Some(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_burst_beyond_the_queue_is_told_to_come_back_and_readers_are_served() {
    on_each_database(async |app| {
        let article = app.article("a").await;
        app.publish_first().await;
        let before = app.posted(&article, &form("before it")).await;
        let gate = Arc::new(Gate::default());
        let post = |label: &'static str| {
            let article = article.clone();
            join_all((0..POSTERS).map(move |number| {
                let article = article.clone();
                async move { app.post(&article, &form(&format!("{label} {number}"))).await }
            }))
        };
        let burst = async {
            let waiting = fill(app, &gate).await;
            assert!((1_000..=10_000).contains(&waiting), "what may wait is bounded: {waiting}");
            // Nothing more is let in now.
            for refused in post("too many").await {
                assert_eq!(refused.header("retry-after"), Some("1"));
                refused.expect_problem(503, "overloaded");
            }
            app.get(&format!("{article}/comments")).await.expect(200);
            app.get(&format!("/api/v1/comments/{before}")).await.expect(200);
            app.get("/sites/main/articles/a").await.expect(200);
            app.get("/healthz").await.expect(200);
            gate.open();
        };
        let (first, ()) = join(post("at first"), burst).await;

        let mut kept = 1;
        for answer in first {
            match answer.status {
                201 => kept += 1,
                503 => assert_eq!(answer.header("retry-after"), Some("1")),
                other => panic!("{other}: {}", answer.text()),
            }
        }
        let comments = || async { app.get(&article).await.expect(200).json()["comments"].as_u64() };
        assert_eq!(comments().await, Some(kept));
        // It is over as soon as there is room.
        for answer in post("afterwards").await {
            answer.expect(201);
        }
        assert_eq!(comments().await, Some(kept + POSTERS as u64));
    });
}

/// What is written next needs an id, and ids come in blocks that are written too. Waiting for those must not become a
/// queue of its own, longer than the one for writing.
#[test]
fn a_crowd_that_waits_for_ids_is_bounded_too_and_gets_different_ones() {
    on_each_database(async |app| {
        let gate = Arc::new(Gate::default());
        hold(app, &gate).await;
        let (mut ids, mut waiting, mut refused) = (HashSet::new(), Vec::new(), 0);
        for _ in 0..10_000 {
            let mut next = Box::pin(app.app.store.next_id::<of::Comment>());
            match next.as_mut().now_or_never() {
                Some(Ok(id)) => assert!(ids.insert(id.get())),
                Some(Err(StoreError::Busy)) => refused += 1,
                Some(Err(other)) => panic!("{other}"),
                None => waiting.push(next),
            }
        }
        assert!(waiting.len() < 1_000 && refused > 5_000, "{} wait, {refused} were refused", waiting.len());
        gate.open();
        for id in join_all(waiting).await {
            assert!(ids.insert(id.expect("an id").get()));
        }
    });
}
