//! Replies by staff: `src/review/reply.rs`.

use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::sites::SetSite;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

fn request(app: &TestApp, person: &Person, id: i64) -> RequestBuilder {
    app.request_as(person, Method::POST, &format!("/api/v1/review/comments/{id}/replies"))
}

async fn reply(app: &TestApp, person: &Person, id: i64, body: &Value) -> Answer {
    Answer::of(request(app, person, id).json(body)).await
}

async fn approving(app: &TestApp, person: &Person, id: i64, version: i64) -> Answer {
    let body = json!({ "text": "A reply by *staff*", "approve_parent": true });
    Answer::of(request(app, person, id).header("if-match", format!("\"{version}\"")).json(&body)).await
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

async fn shown(app: &TestApp, article: &str) -> Vec<Value> {
    app.get(&format!("{article}/comments?view=flat")).await.expect(200).json()["items"].as_array().unwrap().clone()
}

#[test]
fn a_reply_is_published_under_the_display_name() {
    on_each_database(async |app| {
        let person = app.person("ottokar", Role::Moderator, &["main"]).await;
        let rename = app.request_as(&person, Method::PATCH, "/api/v1/me").json(&json!({ "display_name": "The desk" }));
        Answer::of(rename).await.expect(200);
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        app.approve(&person, id).await;
        // Now the page is kept ready.
        assert_eq!(shown(app, &article).await.len(), 1);
        let answer = reply(app, &person, id, &json!({ "text": "So it *is*." })).await.expect(201);
        assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some("\"1\""), Some("no-store")));
        let made = answer.json()["id"].as_i64().unwrap();
        let location = format!("{}/api/v1/review/comments/{made}", app.base);
        assert_eq!(answer.header("location"), Some(location.as_str()));
        assert_eq!(answer.json(), json!({ "id": made, "parent_id": id, "status": "approved", "version": 1 }));
        let all = shown(app, &article).await;
        assert_eq!(all.len(), 2);
        let published = &all[1];
        assert_eq!(published["author"], json!({ "name": "The desk", "url": null, "is_staff": true }));
        assert_eq!((&published["parent_id"], &published["depth"]), (&json!(id), &json!(1)));
        assert_eq!(published["html"], "<p>So it <em>is</em>.</p>");
        assert_eq!((&all[0]["replies"], &all[0]["author"]["is_staff"]), (&json!(1), &json!(false)));
        let item = one(app, &person, made).await;
        assert_eq!((&item["email"], &item["ip"], &item["user_agent"]), (&Value::Null, &Value::Null, &Value::Null));
        let line = &item["decisions"][0];
        assert_eq!((&line["by"], &line["from"], &line["to"]), (&json!("ottokar"), &Value::Null, &json!("approved")));
        assert_eq!(item["decisions"].as_array().unwrap().len(), 1);
        assert!(!app.get("/sites/main/articles/a").await.text().contains("ottokar"), "the user name is not public");
        // It is decided about like any other.
        app.decide(&person, made, 1, "trash").await.expect(201);
        assert_eq!(shown(app, &article).await.len(), 1);
    });
}

#[test]
fn the_parent_is_approved_with_it_when_asked() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        reply(app, &person, id, &json!({ "text": "too early" })).await.expect_problem(409, "conflict");
        let without = json!({ "text": "no version", "approve_parent": true });
        reply(app, &person, id, &without).await.expect_problem(428, "precondition-required");
        approving(app, &person, id, 9).await.expect_problem(412, "stale");
        assert_eq!(shown(app, &article).await.len(), 0);
        let made = approving(app, &person, id, 1).await.expect(201).json()["id"].clone();
        let ids: Vec<Value> = shown(app, &article).await.iter().map(|item| item["id"].clone()).collect();
        assert_eq!(ids, [json!(id), made]);
        let parent = one(app, &person, id).await;
        assert_eq!((&parent["status"], &parent["version"]), (&json!("approved"), &json!(2)));
        let line = &parent["decisions"][1];
        assert_eq!(
            (&line["by"], &line["from"], &line["to"]),
            (&json!("moderator"), &json!("pending"), &json!("approved"))
        );
        // What is approved already stays as it is.
        approving(app, &person, id, 2).await.expect(201);
        assert_eq!(one(app, &person, id).await["version"], 2);
        assert_eq!(app.get(&article).await.json()["comments"], 3);
        app.sealed().await;
        let admin = app.admin().await;
        let log = app.get_as(&admin, "/api/v1/audit?action=replied").await.expect(200);
        assert_eq!(log.json()["items"].as_array().unwrap().len(), 2);
        assert!(!log.text().contains("staff"));
        let log = app.get_as(&admin, "/api/v1/audit?action=decided").await.expect(200).json();
        assert_eq!(log["items"].as_array().unwrap().len(), 1);
    });
}

/// Either both happen or neither: a reply that is refused approves nothing.
#[test]
fn too_deep_a_reply_is_refused_as_to_readers_and_approves_nothing() {
    on_each_database(async |app| {
        app.set_site("main", SetSite { max_depth: Some(2), ..SetSite::default() }).await;
        let person = app.moderator().await;
        let article = app.article("a").await;
        let root = app.posted(&article, &form("a root")).await;
        app.approve(&person, root).await;
        let mut below = form("below");
        below["parent_id"] = json!(root);
        let below = app.posted(&article, &below).await;
        approving(app, &person, below, 1).await.expect_faults(&[("/parent_id", "parent")]);
        assert_eq!(one(app, &person, below).await["version"], 1);
        assert_eq!(shown(app, &article).await.len(), 1);
        reply(app, &person, root, &json!({ "text": "not too deep" })).await.expect(201);
    });
}

#[test]
fn a_closed_article_takes_replies_by_staff() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        app.approve(&person, id).await;
        app.change_article("a", false, None).await;
        reply(app, &person, id, &json!({ "text": "The last word" })).await.expect(201);
    });
}

#[test]
fn what_is_wrong_with_a_reply_is_named() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        app.approve(&person, id).await;
        for (body, faults) in [
            (json!({}), vec![("/text", "required")]),
            (json!({ "text": "" }), vec![("/text", "blank")]),
            (json!({ "text": "\u{200b}" }), vec![("/text", "blank")]),
            (json!({ "text": "x".repeat(65_526) }), vec![("/text", "too_long")]),
            (json!({ "text": ["a"], "approve_parent": "yes" }), vec![("/approve_parent", "type"), ("/text", "type")]),
            (json!({ "text": "a", "name": "Somebody else" }), vec![("/name", "unknown")]),
        ] {
            reply(app, &person, id, &body).await.expect_faults(&faults);
        }
        assert_eq!(shown(app, &article).await.len(), 1);
        reply(app, &person, id, &json!({ "text": "x".repeat(65_525) })).await.expect(201);
    });
}

#[test]
fn html_in_a_reply_is_cleaned_as_in_any_comment() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        app.approve(&person, id).await;
        let hostile = json!({ "text": "<script>alert(1)</script>[a](javascript:alert(1))" });
        reply(app, &person, id, &hostile).await.expect(201);
        let html = shown(app, &article).await[1]["html"].as_str().unwrap().to_owned();
        assert!(!html.contains("<script") && !html.contains("href=\"javascript"), "{html}");
    });
}

#[test]
fn elsewhere_and_nowhere_is_404() {
    on_each_database(async |app| {
        app.site("second").await;
        let (person, admin) = (app.moderator().await, app.admin().await);
        let article = app.article_on("second", "a").await;
        let id = app.posted(&article, &form("elsewhere")).await;
        app.approve(&admin, id).await;
        for id in [id, 999_999] {
            reply(app, &person, id, &json!({ "text": "hello" })).await.expect_problem(404, "not-found");
            approving(app, &person, id, 2).await.expect_problem(404, "not-found");
        }
        assert_eq!(app.get(&article).await.json()["comments"], 1);
    });
}

#[test]
fn the_same_key_says_it_once() {
    on_each_database(async |app| {
        let (person, other) = (app.moderator().await, app.person("other", Role::Moderator, &["main"]).await);
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        let body = json!({ "text": "once", "approve_parent": true });
        let send = async |person: &Person, body: &Value, version: &str| {
            let request = request(app, person, id).header("if-match", version).header("idempotency-key", "k");
            Answer::of(request.json(body)).await
        };
        let answers = join_all((0..10).map(|_| send(&person, &body, "\"1\""))).await;
        let mut made = Vec::new();
        for answer in answers {
            match answer.status {
                201 => made.push(answer.json()["id"].clone()),
                _ => drop(answer.expect_problem(409, "still-running")),
            }
        }
        let again = send(&person, &body, "\"1\"").await.expect(201).json();
        made.push(again["id"].clone());
        made.dedup();
        assert_eq!(made.len(), 1);
        app.decide(&person, again["id"].as_i64().unwrap(), 1, "trash").await.expect(201);
        assert_eq!(send(&person, &body, "\"1\"").await.expect(201).json(), again, "even if it was decided since");
        send(&person, &json!({ "text": "another" }), "\"1\"").await.expect_problem(422, "idempotency-key-reused");
        send(&person, &body, "\"2\"").await.expect_problem(422, "idempotency-key-reused");
        send(&other, &body, "\"2\"").await.expect(201);
        assert_eq!(app.get(&article).await.json()["comments"], 2);
    });
}

/// Two who approve the same comment with a reply: one does both, the other neither.
#[test]
fn of_many_who_approve_with_a_reply_at_once_one_wins() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let article = app.article("a").await;
        for round in 1..=5 {
            let id = app.posted(&article, &form(&format!("number {round}"))).await;
            let answers = join_all((0..8).map(|_| approving(app, &person, id, 1))).await;
            let won = answers.iter().filter(|answer| answer.status == 201).count();
            assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 412)));
            assert_eq!(won, 1);
            assert_eq!(app.get(&article).await.json()["comments"], 2 * round);
        }
    });
}
