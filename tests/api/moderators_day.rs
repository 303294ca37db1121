//! A day of ten moderators on one queue, each doing what comes to mind: at its end everything adds up.
//!
//! `REJOINDER_TEST_DAY=100000 cargo test --release --test api moderators_day -- --nocapture` makes it a long one; it then
//! says how long, and what was done.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use futures_util::future::join_all;
use rejoinder::audit;
use rejoinder::comments::generate_comments;
use rejoinder::review::index_all;
use rejoinder::store::StoreError;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::{TestApp, eventually, key_of};
use crate::support::{Answer, on_each_database};

const ARTICLES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const MODERATORS: u64 = 10;

/// What everybody does together.
#[derive(Default)]
struct Day {
    /// Who holds what by a claim.
    held: Mutex<HashMap<i64, u64>>,
    /// What was answered to what, and how often.
    done: Mutex<BTreeMap<String, u64>>,
}

impl Day {
    fn note(&self, what: &str, answer: &Answer) {
        assert!(answer.status < 500, "{what}: {}", answer.text());
        *self.done.lock().unwrap().entry(format!("{what} {}", answer.status)).or_default() += 1;
    }
}

/// One of the ten.
struct Worker<'a> {
    app: &'a TestApp,
    person: Person,
    number: u64,
    random: fastrand::Rng,
    day: &'a Day,
    /// What they decided, to be taken back perhaps.
    mine: Vec<Value>,
}

impl Worker<'_> {
    async fn send(&self, what: &str, method: Method, path: &str, version: Option<i64>, body: Option<Value>) -> Answer {
        let mut request = self.app.request_as(&self.person, method, path);
        if let Some(version) = version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = Answer::of(request).await;
        self.day.note(what, &answer);
        answer
    }

    fn decision(&mut self) -> &'static str {
        ["approve", "approve", "reject", "spam", "trash", "hold"][self.random.usize(..6)]
    }

    async fn act(&mut self) {
        match self.random.u8(..100) {
            0..30 => self.take_the_next().await,
            30..55 => self.decide_from_the_queue().await,
            55..70 => self.decide_some().await,
            70..80 => self.take_back().await,
            80..88 => self.edit().await,
            88..94 => self.reply().await,
            94..97 => self.decide_by_filter().await,
            _ => self.ban().await,
        }
    }

    /// Claims, and decides about what was claimed: nobody else may have been given it.
    async fn take_the_next(&mut self) {
        let answer = self.send("next", Method::POST, "/api/v1/review/next", None, Some(json!({}))).await;
        if answer.status != 200 {
            return;
        }
        let item = answer.json();
        let id = item["id"].as_i64().unwrap();
        let other = self.day.held.lock().unwrap().insert(id, self.number);
        assert!(other.is_none_or(|other| other == self.number), "{id} was given to {other:?} and {}", self.number);
        let path = format!("/api/v1/review/comments/{id}/decisions");
        let body = json!({ "decision": self.decision() });
        // Whoever holds it by now may give it back before the answer is here.
        self.day.held.lock().unwrap().remove(&id);
        let decided = self.send("decide claimed", Method::POST, &path, item["version"].as_i64(), Some(body)).await;
        if decided.status == 201 {
            self.mine.push(decided.json()["id"].clone());
        } else {
            self.send("release", Method::DELETE, &format!("/api/v1/review/comments/{id}/claim"), None, None).await;
        }
    }

    async fn page(&mut self) -> Vec<Value> {
        let sort = ["oldest", "newest", "risk"][self.random.usize(..3)];
        let status = ["pending", "approved", "any"][self.random.usize(..3)];
        let article = ARTICLES[self.random.usize(..ARTICLES.len())];
        let path = format!("/api/v1/review/comments?status={status}&sort={sort}&article={article}&limit=20");
        let answer = self.send("queue", Method::GET, &path, None, None).await;
        answer.json()["items"].as_array().cloned().unwrap_or_default()
    }

    async fn decide_from_the_queue(&mut self) {
        let page = self.page().await;
        let Some(item) = self.random.choice(&page).cloned() else { return };
        let path = format!("/api/v1/review/comments/{}/decisions", item["id"]);
        let body = json!({ "decision": self.decision(), "reason": "other" });
        let answer = self.send("decide", Method::POST, &path, item["version"].as_i64(), Some(body)).await;
        if answer.status == 201 {
            self.mine.push(answer.json()["id"].clone());
        }
    }

    async fn decide_some(&mut self) {
        let page = self.page().await;
        let items: Vec<Value> =
            page.iter().map(|item| json!({ "id": item["id"], "expected_version": item["version"] })).collect();
        let body = json!({ "decision": self.decision(), "items": items });
        let answer = self.send("decide some", Method::POST, "/api/v1/review/decisions", None, Some(body)).await;
        self.mine.push(answer.json()["id"].clone());
    }

    async fn take_back(&mut self) {
        if self.mine.is_empty() {
            return;
        }
        let id = self.mine.swap_remove(self.random.usize(..self.mine.len()));
        self.send("undo", Method::POST, &format!("/api/v1/review/decisions/{id}/undo"), None, None).await;
    }

    async fn edit(&mut self) {
        let page = self.page().await;
        let Some(item) = self.random.choice(&page).cloned() else { return };
        let body =
            json!({ "text": format!("edited by {}: {}", self.number, self.random.u32(..)), "reason": "clearer" });
        let path = format!("/api/v1/review/comments/{}", item["id"]);
        self.send("edit", Method::PATCH, &path, item["version"].as_i64(), Some(body)).await;
    }

    async fn reply(&mut self) {
        let page = self.page().await;
        let Some(item) = self.random.choice(&page).cloned() else { return };
        let body = json!({ "text": format!("a word from staff {}", self.random.u64(..)), "approve_parent": true });
        let path = format!("/api/v1/review/comments/{}/replies", item["id"]);
        self.send("reply", Method::POST, &path, item["version"].as_i64(), Some(body)).await;
    }

    async fn decide_by_filter(&mut self) {
        let filter =
            json!({ "email": format!("reader{}@example.org", self.random.u32(..500)), "status": ["pending", "spam"] });
        let asked = json!({ "decision": "spam", "filter": filter });
        let path = "/api/v1/review/decisions/preview";
        let count = self.send("preview", Method::POST, path, None, Some(asked)).await.json()["count"].clone();
        let body = json!({ "decision": "spam", "reason": "spam", "filter": filter, "expected_count": count });
        let answer = self.send("decide found", Method::POST, "/api/v1/review/decisions", None, Some(body)).await;
        if answer.status < 300 {
            self.mine.push(answer.json()["id"].clone());
        }
    }

    async fn ban(&mut self) {
        let value = format!("reader{}@example.org", self.random.u32(..500));
        let body = json!({ "kind": "email", "value": value, "site": "main", "reason": "spam",
            "sweep": { "decision": "spam", "scope": "all" } });
        self.send("ban", Method::POST, "/api/v1/bans", None, Some(body)).await;
    }
}

async fn number(app: &TestApp, sql: &'static str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let row: Result<Row, StoreError> =
        app.app.store.read(move |conn| Ok(diesel::sql_query(sql).get_result(conn)?)).await;
    row.expect("a number").n
}

/// Statements that count what does not add up.
const RECOUNTS: [(&str, &str); 7] = [
    (
        "comments are what their history says",
        "SELECT count(*) AS n FROM comments c WHERE c.status <> coalesce(
             (SELECT d.to_status FROM decisions d WHERE d.comment_id = c.id ORDER BY d.version DESC LIMIT 1),
             CASE WHEN c.held_because = '[]' THEN 'approved' ELSE 'pending' END)",
    ),
    (
        "each line begins where the last one ended",
        "SELECT count(*) AS n FROM (SELECT d.from_status AS was,
             lag(d.to_status) OVER (PARTITION BY d.comment_id ORDER BY d.version) AS before FROM decisions d) l
         WHERE before IS NOT NULL AND was <> before",
    ),
    (
        "articles count what is published",
        "SELECT count(*) AS n FROM articles a WHERE a.published <>
             (SELECT count(*) FROM comments c WHERE c.article_id = a.id AND c.status = 'approved')",
    ),
    (
        "replies hang on what is published",
        "SELECT count(*) AS n FROM comments c WHERE c.status = 'approved' AND c.shown_parent_id IS NOT NULL AND NOT EXISTS
             (SELECT 1 FROM comments p WHERE p.id = c.shown_parent_id AND p.status = 'approved')",
    ),
    (
        "direct replies are counted",
        "SELECT count(*) AS n FROM (SELECT c.id, c.shown_replies AS kept, count(r.id) AS found FROM comments c
             LEFT JOIN comments r ON r.thread_id = c.thread_id AND r.status = 'approved' AND r.shown_parent_id = c.id
             WHERE c.status = 'approved' GROUP BY c.id, c.shown_replies) x WHERE kept <> found",
    ),
    (
        "all replies below are counted",
        "SELECT count(*) AS n FROM (SELECT c.id, c.shown_below AS kept, count(r.id) AS found FROM comments c
             LEFT JOIN comments r ON r.thread_id = c.thread_id AND r.status = 'approved'
                  AND r.ancestors LIKE '%/' || c.id || '/%'
             WHERE c.status = 'approved' GROUP BY c.id, c.shown_below) x WHERE kept <> found",
    ),
    (
        "each decision of a person is in the audit log once",
        "SELECT abs((SELECT count(*) FROM decisions WHERE moderator_id IS NOT NULL) -
             (SELECT count(*) FROM audit_entries WHERE action IN ('decided', 'replied'))) AS n",
    ),
];

#[test]
fn everything_adds_up_after_a_day_of_ten_moderators() {
    let wanted = std::env::var("REJOINDER_TEST_DAY").ok().and_then(|text| text.parse().ok());
    let (comments, actions) = wanted.map_or((1_500, 25), |comments: u64| (comments, 500));
    on_each_database(async |app| {
        for key in ARTICLES {
            app.article(key).await;
        }
        let articles = ARTICLES.map(key_of).to_vec();
        generate_comments(&app.app, &key_of("main"), articles, comments, |_| {}).await.unwrap();
        // Looking for people has to wait for no more than the day itself makes.
        index_all(&app.app, |_| {}).await.unwrap();
        let day = Day::default();
        let began = std::time::Instant::now();
        let mut workers = Vec::new();
        for number in 0..MODERATORS {
            let person = app.person(&format!("worker{number}"), rejoinder::accounts::Role::Lead, &["main"]).await;
            let random = fastrand::Rng::with_seed(number);
            workers.push(Worker { app, person, number, random, day: &day, mine: Vec::new() });
        }
        join_all(workers.iter_mut().map(async |worker| {
            for _ in 0..actions {
                worker.act().await;
            }
        }))
        .await;
        let running = "SELECT count(*) AS n FROM decision_batches WHERE done < total";
        eventually("every batch is done", async || number(app, running).await == 0).await;
        app.sealed().await;
        for (what, sql) in RECOUNTS {
            assert_eq!(number(app, sql).await, 0, "{what}");
        }
        let admin = app.admin().await;
        let counts = app.get_as(&admin, "/api/v1/review/counts?status=any").await.expect(200).json();
        let counted: i64 = counts["items"].as_array().unwrap().iter().map(|row| row["count"].as_i64().unwrap()).sum();
        assert_eq!(counted, number(app, "SELECT count(*) AS n FROM comments").await);
        let verified = audit::verify(&app.app, None, |_| {}).await.unwrap();
        assert!(verified.flaws.is_empty(), "{:?}", verified.flaws);
        println!("{comments} comments, {} s: {:?}", began.elapsed().as_secs(), day.done.lock().unwrap());
    });
}
