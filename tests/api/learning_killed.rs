//! Counts are those of the rows that say so, however often the process dies between a decision and its learning.
//!
//! Five kills belong to the suite; `REJOINDER_TEST_KILLS=100 cargo test --release --test api learning_killed` is the long
//! form.

use std::time::Duration;

use diesel::Connection;
use rejoinder::store::Conn;
use serde_json::{Value, json};

use crate::support::process::rejoinder;
use crate::support::training::{self, Kept};

const ARTICLE: &str = "/api/v1/sites/main/articles/a/comments";
const PASSWORD: &str = "a password for crashes";

fn kept(dir: &std::path::Path) -> Kept {
    let path = dir.join("rejoinder.db").display().to_string();
    training::read(&mut Conn::Sqlite(diesel::SqliteConnection::establish(&path).unwrap())).unwrap()
}

#[test]
fn counts_equal_a_recount_after_a_kill_at_any_moment() {
    let wanted = std::env::var("REJOINDER_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: usize = wanted.unwrap_or(5);
    let dir = tempfile::tempdir().unwrap();
    let program = || rejoinder(dir.path()).env("REJOINDER_LIMITS", "off").env("REJOINDER_LOG", "error");
    program().args("article add --site main --key a --title A --url https://news.example/a").run_well();
    program().args("moderator add ines --role admin --password-stdin").input(PASSWORD).run_well();

    let mut random = fastrand::Rng::new();
    let (mut decided, mut learned_between) = (0, 0);
    for kill in 0..kills {
        let server = program().serve();
        let after = Duration::from_millis(random.u64(0..300));
        decided += actix_web::rt::System::new().block_on(async {
            let base = server.base.clone();
            let work =
                futures_util::future::join_all((0..4).map(|worker| decide_until_killed(&base, kill * 4 + worker)));
            let (decided, ()) = futures_util::future::join(work, async {
                // Once there is something to learn.
                actix_web::rt::time::sleep(Duration::from_millis(300) + after).await;
                drop(server);
            })
            .await;
            decided.into_iter().sum::<usize>()
        });
        let kept = kept(dir.path());
        assert!(
            kept.counts == kept.recount,
            "after kill {kill}: {:?}, {:?}",
            kept.counts.comments,
            kept.recount.comments
        );
        learned_between += kept.waiting;
    }
    let server = program().serve();
    let since = std::time::Instant::now();
    while kept(dir.path()).waiting > 0 {
        assert!(since.elapsed() < Duration::from_secs(30), "what waited was never learned");
        std::thread::sleep(Duration::from_millis(50)); // it is another process
    }
    drop(server);
    let kept = kept(dir.path());
    assert!(kept.counts == kept.recount);
    println!(
        "{kills} kills, {decided} decisions acknowledged, {learned_between} of them not yet learned at a kill; {:?} learned in the end",
        kept.counts.comments
    );
    assert!(decided > 0);
}

/// Posts and decides again and again, both ways and back, until the server is gone; says how often it was answered.
async fn decide_until_killed(base: &str, worker: usize) -> usize {
    let client = reqwest::Client::new();
    let body = json!({ "username": "ines", "password": PASSWORD });
    let Ok(answer) = client.post(format!("{base}/api/v1/session")).json(&body).send().await else { return 0 };
    let Ok(body) = answer.json::<Value>().await else { return 0 };
    let token = body["access_token"].as_str().unwrap_or_default().to_owned();
    let mut decided = 0;
    for number in 0.. {
        let body = json!({ "name": "Ada", "email": "ada@example.org", "comment": format!("comment {number} of worker {worker}") });
        let Ok(answer) = client.post(format!("{base}{ARTICLE}")).json(&body).send().await else { break };
        let Ok(posted) = answer.json::<Value>().await else { break };
        for (version, decision) in
            (1..).zip([["approve", "spam"], ["spam", "hold"], ["approve", "approve"]][number % 3])
        {
            let request =
                client.post(format!("{base}/api/v1/review/comments/{}/decisions", posted["id"])).bearer_auth(&token);
            let request = request.header("If-Match", format!("\"{version}\"")).json(&json!({ "decision": decision }));
            let Ok(_) = request.send().await else { return decided };
            decided += 1;
        }
    }
    decided
}
