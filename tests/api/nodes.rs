//! Two servers on one PostgreSQL: what one does the other knows within moments, and what it may have missed it reads anew.
//!
//! Whoever kept something looks again every five seconds anyway. So a limit below that shows that the news came.

use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use diesel::prelude::*;
use rejoinder::config::{Given, Settings};
use rejoinder::kit::clock::Clock;
use serde_json::json;

use crate::support::events::Events;
use crate::support::server::TestApp;
use crate::support::{Answer, eventually, form, on_each_database};

/// Below the five seconds after which nothing that was kept is trusted.
const SOON: Duration = Duration::from_secs(3);

/// A second server on the same database.
struct Node {
    base: String,
    handle: ServerHandle,
}

impl Node {
    async fn beside(app: &TestApp) -> Self {
        let given = Given {
            database_url: Some(app.database.url_text()),
            listen: Some("127.0.0.1:0".to_owned()),
            limits: Some("off".to_owned()),
            // Whose tokens they are.
            public_url: Some(app.base.clone()),
            ..Given::default()
        };
        let settings = Settings::try_from(given).expect("good settings");
        let running = rejoinder::server::start(settings, Clock::Manual(app.clock.clone())).await.expect("a server");
        actix_web::rt::spawn(running.server);
        Self { base: format!("http://{}", running.address), handle: running.handle }
    }

    async fn texts(&self, app: &TestApp, path: &str) -> Vec<String> {
        let answer = Answer::of(app.client.get(format!("{}{path}", self.base))).await.expect(200);
        let items = answer.json()["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["html"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn on_two_nodes(test: impl AsyncFn(&TestApp, &Node)) {
    on_each_database(async |app| {
        if app.database.url_text().starts_with("postgres") {
            let node = Node::beside(app).await;
            test(app, &node).await;
            node.handle.stop(false).await;
        }
    });
}

/// Waits until the other node shows so many comments, and says for how long.
async fn shown_after(app: &TestApp, node: &Node, path: &str, count: usize) -> Duration {
    let since = Instant::now();
    eventually("the other node shows it", async || node.texts(app, path).await.len() == count).await;
    since.elapsed()
}

#[test]
fn what_one_node_publishes_or_takes_back_the_other_shows_though_it_has_the_thread_ready() {
    on_two_nodes(async |app, node| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let path = format!("{article}/comments");
        for number in 0..5 {
            assert_eq!(node.texts(app, &path).await.len(), number, "the thread is ready in memory");
            let id = app.posted(&article, &form(&format!("number {number}"))).await;
            app.approve(&admin, id).await;
            let took = shown_after(app, node, &path, number + 1).await;
            assert!(took < SOON, "{took:?}");
        }
        let mine = app.get(&path).await.expect(200).json()["items"][0]["id"].as_i64().unwrap();
        app.decide(&admin, mine, 2, "reject").await.expect(201);
        let took = shown_after(app, node, &path, 4).await;
        assert!(took < SOON, "{took:?}");
    });
}

#[test]
fn what_is_set_for_a_site_is_seen_in_threads_of_the_other_node() {
    on_two_nodes(async |app, node| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let path = format!("{article}/comments");
        for text in ["first", "second"] {
            let id = app.posted(&article, &form(text)).await;
            app.approve(&admin, id).await;
            app.clock.advance(Duration::from_secs(1));
        }
        let took = shown_after(app, node, &path, 2).await;
        assert!(took < SOON, "{took:?}");
        let settings = app.get_as(&admin, "/api/v1/sites/main/settings").await.expect(200);
        let mut wanted = settings.json();
        wanted["order"] = json!("newest");
        let put = app.request_as(&admin, reqwest::Method::PUT, "/api/v1/sites/main/settings").json(&wanted);
        let tag = settings.header("etag").unwrap_or_default().to_owned();
        Answer::of(put.header("If-Match", tag)).await.expect(200);
        let since = Instant::now();
        eventually("the other order", async || {
            node.texts(app, &path).await.first().is_some_and(|text| text.contains("second"))
        })
        .await;
        assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    });
}

#[test]
fn desks_follow_live_what_happens_on_the_other_node() {
    on_two_nodes(async |app, node| {
        let person = app.moderator().await;
        let article = app.article("a").await;
        let mut there = Events::open(&app.client, &node.base, &person.access, None).await;
        for number in 0..20 {
            let id = app.posted(&article, &form(&format!("number {number}"))).await;
            let event = there.soon().await;
            assert_eq!(
                (event.kind.as_str(), &event.data["comment_id"]),
                ("comment", &json!(id)),
                "none lost, none twice"
            );
            assert_eq!(event.data["status"], "pending");
            app.decide(&person, id, 1, "reject").await.expect(201);
            let event = there.soon().await;
            assert_eq!((&event.data["comment_id"], &event.data["status"]), (&json!(id), &json!("rejected")));
        }
    });
}

#[test]
fn after_its_line_was_cut_a_node_reads_anew_what_it_may_have_missed() {
    on_two_nodes(async |app, node| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let path = format!("{article}/comments");
        assert!(node.texts(app, &path).await.is_empty(), "the thread is ready in memory");
        let mut there = Events::open(&app.client, &node.base, &admin.access, None).await;
        let id = app.posted(&article, &form("a comment")).await;
        assert_eq!(there.soon().await.kind, "comment");
        cut_the_lines(&app.database.url_text());
        app.approve(&admin, id).await;
        let took = shown_after(app, node, &path, 1).await;
        assert!(took < SOON, "{took:?}");
        eventually_resync(&mut there).await;
    });
}

#[test]
fn two_nodes_learn_each_decision_once_and_know_the_same() {
    on_two_nodes(async |app, node| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let mut ids = Vec::new();
        for number in 0..60 {
            ids.push(app.posted(&article, &form(&format!("number {number} of sixty"))).await);
        }
        // Every other decision is made on each node.
        for (number, id) in ids.iter().enumerate() {
            let base = if number % 2 == 0 { &app.base } else { &node.base };
            let decision = if number % 3 == 0 { "spam" } else { "approve" };
            let request = app.client.post(format!("{base}/api/v1/review/comments/{id}/decisions"));
            let request = request.bearer_auth(&admin.access).header("If-Match", "\"1\"");
            Answer::of(request.json(&json!({ "decision": decision }))).await.expect(201);
        }
        assert_eq!(app.learned().await.counts.comments, [40, 20]);
        let state = async |base: &str| {
            let request = app.client.get(format!("{base}/api/v1/sites/main/screening")).bearer_auth(&admin.access);
            Answer::of(request).await.expect(200).json()
        };
        let same = async || state(&app.base).await == state(&node.base).await;
        eventually("both know the same", same).await;
        app.decide(&admin, ids[0], 2, "hold").await.expect(201);
        assert_eq!(app.learned().await.counts.comments, [40, 19]);
        eventually("both have forgotten the same", same).await;
    });
}

async fn eventually_resync(events: &mut Events) {
    while events.soon().await.kind != "resync" {}
}

/// Ends, on the server, every connection by which these nodes tell each other.
fn cut_the_lines(url: &str) {
    let mut conn = diesel::PgConnection::establish(url).expect("a connection");
    let ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'news of rejoinder_' || left(md5(current_schema()), 16)";
    let ended = diesel::sql_query(ends).execute(&mut conn).expect("they end");
    assert!(ended >= 2, "{ended} ended");
}
