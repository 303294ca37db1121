//! Nothing acknowledged is lost when the process dies: it is killed again and again while readers post and a moderator
//! decides, and afterwards everything that a client was told is there, once, as it was told.
//!
//! Five kills belong to the suite; `REJOINDER_TEST_KILLS=200 cargo test --release --test api crash` is the long form, on a
//! database with a hundred thousand comments.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::process::{Serving, rejoinder};

const READERS: usize = 8;
const ARTICLE: &str = "/api/v1/sites/main/articles/a/comments";
const PASSWORD: &str = "a password for crashes";

/// What clients were told, and what they asked and heard nothing of.
#[derive(Default)]
struct Ledger {
    /// Text of each comment that was acknowledged, by id, and its status as last acknowledged.
    told: BTreeMap<i64, (String, &'static str)>,
    /// Acknowledged comments that wait for a decision.
    waiting: VecDeque<i64>,
    /// Posts without an answer: they are sent again with the same key.
    unheard: Vec<String>,
    /// Decisions without an answer.
    undecided: Vec<i64>,
    posts: usize,
    decisions: usize,
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let wanted = std::env::var("REJOINDER_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let (kills, before) = wanted.map_or((5, "100"), |kills| (kills, "100000"));
    let dir = tempfile::tempdir().unwrap();
    let program = || rejoinder(dir.path()).env("REJOINDER_LIMITS", "off").env("REJOINDER_LOG", "error");
    program().args("article add --site main --key a --title A --url https://news.example/a").run_well();
    program().args("generate --comments").arg(before).run_well();
    program().args("moderator add ines --role admin --password-stdin").input(PASSWORD).run_well();

    let mut random = fastrand::Rng::new();
    let (mut ledger, mut slowest) = (Ledger::default(), Duration::ZERO);
    for _ in 0..kills {
        let began = Instant::now();
        let server = program().serve();
        actix_web::rt::System::new().block_on(async {
            let token = sign_in(&server.base).await;
            slowest = slowest.max(began.elapsed());
            use_until_killed(server, &token, &mut ledger, Duration::from_millis(random.u64(20..400))).await;
        });
    }
    let server = program().serve();
    actix_web::rt::System::new().block_on(async {
        let token = sign_in(&server.base).await;
        send_again(&server.base, &token, &mut ledger).await;
    });
    drop(server);
    compare(&dir.path().join("rejoinder.db"), &ledger);
    println!(
        "{kills} kills: {} posts and {} decisions acknowledged, none lost, none doubled; ready and signed in within {slowest:?}",
        ledger.posts, ledger.decisions
    );
}

async fn sign_in(base: &str) -> String {
    let body = json!({ "username": "ines", "password": PASSWORD });
    let answer = reqwest::Client::new().post(format!("{base}/api/v1/session")).json(&body).send().await.unwrap();
    let body: serde_json::Value = answer.json().await.unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

/// Readers post and a moderator decides, until the server is killed under them.
async fn use_until_killed(server: Serving, token: &str, ledger: &mut Ledger, after: Duration) {
    let base = server.base.clone();
    send_again(&base, token, ledger).await;
    let shared = RefCell::new(std::mem::take(ledger));
    let readers = (0..READERS).map(|_| read(&base, &shared));
    let kill = async {
        actix_web::rt::time::sleep(after).await; // the moment of the kill
        drop(server);
    };
    futures_util::future::join3(futures_util::future::join_all(readers), moderate(&base, token, &shared), kill).await;
    *ledger = shared.into_inner();
}

async fn read(base: &str, ledger: &RefCell<Ledger>) {
    let client = reqwest::Client::new();
    loop {
        let text = format!("{:032x}", fastrand::u128(..));
        match answered(post(&client, base, &text)).await {
            Some((status, body)) => tell_post(ledger, text, status, &body),
            None => return ledger.borrow_mut().unheard.push(text),
        }
    }
}

async fn moderate(base: &str, token: &str, ledger: &RefCell<Ledger>) {
    let client = reqwest::Client::new();
    loop {
        let next = ledger.borrow_mut().waiting.pop_front();
        let Some(id) = next else {
            // Nothing to decide yet: asking whether it is alive gives the readers time to post.
            if answered(client.get(format!("{base}/healthz"))).await.is_none() {
                return;
            }
            continue;
        };
        match answered(decide(&client, base, token, id)).await {
            Some((status, _)) => tell_decision(&mut ledger.borrow_mut(), id, status),
            None => return ledger.borrow_mut().undecided.push(id),
        }
    }
}

/// What was asked and not heard of is asked again, with the same keys: the answers must be as if it were the first time.
async fn send_again(base: &str, token: &str, ledger: &mut Ledger) {
    let client = reqwest::Client::new();
    let shared = RefCell::new(std::mem::take(ledger));
    let unheard = std::mem::take(&mut shared.borrow_mut().unheard);
    for text in unheard {
        let (status, body) = answered(post(&client, base, &text)).await.expect("an answer");
        tell_post(&shared, text, status, &body);
    }
    *ledger = shared.into_inner();
    for id in std::mem::take(&mut ledger.undecided) {
        let (status, _) = answered(decide(&client, base, token, id)).await.expect("an answer");
        tell_decision(ledger, id, status);
    }
}

fn tell_post(ledger: &RefCell<Ledger>, text: String, status: u16, body: &serde_json::Value) {
    assert_eq!(status, 202, "{body}");
    let id = body["id"].as_i64().expect("an id");
    let mut ledger = ledger.borrow_mut();
    ledger.posts += 1;
    ledger.waiting.push_back(id);
    assert!(ledger.told.insert(id, (text, "pending")).is_none(), "two comments were told the id {id}");
}

fn tell_decision(ledger: &mut Ledger, id: i64, status: u16) {
    assert_eq!(status, 201);
    ledger.decisions += 1;
    ledger.told.entry(id).and_modify(|told| told.1 = "approved");
}

fn post(client: &reqwest::Client, base: &str, text: &str) -> RequestBuilder {
    let body = json!({ "name": "Ada", "email": "ada@example.org", "comment": text });
    client.request(Method::POST, format!("{base}{ARTICLE}")).header("Idempotency-Key", text).json(&body)
}

fn decide(client: &reqwest::Client, base: &str, token: &str, id: i64) -> RequestBuilder {
    let request = client.post(format!("{base}/api/v1/review/comments/{id}/decisions")).bearer_auth(token);
    let request = request.header("If-Match", "\"1\"").header("Idempotency-Key", format!("decide {id}"));
    request.json(&json!({ "decision": "approve" }))
}

/// The whole answer, or nothing: then nobody was told anything.
async fn answered(request: RequestBuilder) -> Option<(u16, serde_json::Value)> {
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.ok()?))
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Text)]
    status: String,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

fn compare(database: &std::path::Path, ledger: &Ledger) {
    let mut conn = SqliteConnection::establish(&database.display().to_string()).unwrap();
    let check: Vec<Word> =
        diesel::sql_query("SELECT integrity_check AS word FROM pragma_integrity_check").load(&mut conn).unwrap();
    assert_eq!(check.iter().map(|row| row.word.as_str()).collect::<Vec<_>>(), ["ok"]);
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT c.id, c.text, c.status FROM comments c JOIN articles a ON a.id = c.article_id WHERE a.key = 'a'",
    )
    .load(&mut conn)
    .unwrap();
    let kept: BTreeMap<i64, (String, String)> = rows.into_iter().map(|row| (row.id, (row.text, row.status))).collect();
    // Every request was answered in the end, so what is kept is what was told: nothing less, nothing more.
    let told: BTreeMap<i64, (String, String)> =
        ledger.told.iter().map(|(id, (text, status))| (*id, (text.clone(), (*status).to_owned()))).collect();
    assert!(kept == told, "{} kept, {} told", kept.len(), told.len());
    let doubled: Vec<Word> = diesel::sql_query(
        "SELECT CAST(comment_id AS TEXT) AS word FROM decisions WHERE to_status = 'approved' GROUP BY comment_id HAVING count(*) > 1",
    )
    .load(&mut conn)
    .unwrap();
    assert!(doubled.is_empty(), "decided twice: {}", doubled.len());
    assert!(ledger.posts > 0 && ledger.decisions > 0);
}
