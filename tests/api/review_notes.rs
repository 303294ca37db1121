//! Notes: `src/review/notes.rs`.

use rejoinder::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

async fn write(app: &TestApp, person: &Person, id: i64, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::POST, &format!("/api/v1/review/comments/{id}/notes")).json(body)).await
}

async fn list(app: &TestApp, person: &Person, id: i64, query: &str) -> Answer {
    app.get_as(person, &format!("/api/v1/review/comments/{id}/notes{query}")).await
}

async fn waiting(app: &TestApp) -> i64 {
    let article = app.article("a").await;
    app.posted(&article, &form("a comment")).await
}

#[test]
fn a_note_is_seen_by_colleagues_and_by_nobody_else() {
    on_each_database(async |app| {
        let (person, admin) = (app.moderator().await, app.admin().await);
        let article = app.article("a").await;
        let posted = app.post(&article, &form("a comment")).await.expect(202).json();
        let id = posted["id"].as_i64().unwrap();
        assert_eq!(list(app, &person, id, "").await.expect(200).json(), json!({ "items": [], "next": null }));
        let first = write(app, &person, id, &json!({ "text": "MARKED: see\nhis *other* ones" })).await.expect(201);
        assert_eq!(first.header("cache-control"), Some("no-store"));
        let first = first.json();
        let wanted = json!({
            "id": first["id"], "by": "moderator", "text": "MARKED: see\nhis *other* ones", "at": "2026-11-24T12:00:00.000Z",
        });
        assert_eq!(first, wanted);
        app.advance(60);
        let second = write(app, &admin, id, &json!({ "text": "MARKED too" })).await.expect(201).json();
        let listed = list(app, &admin, id, "").await.expect(200);
        assert_eq!(listed.header("cache-control"), Some("no-store"));
        assert_eq!(listed.json(), json!({ "items": [first, second], "next": null }));
        let one = app.get_as(&person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
        assert_eq!((&one["notes"], &one["version"]), (&json!([first, second]), &json!(1)));
        app.approve(&person, id).await;
        let receipt = posted["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap();
        for path in [
            format!("{article}/comments"),
            format!("/api/v1/comments/{id}"),
            format!("/api/v1/receipts/{receipt}"),
            "/sites/main/articles/a".to_owned(),
        ] {
            assert!(!app.get(&path).await.expect(200).text().contains("MARKED"), "{path}");
        }
    });
}

#[test]
fn the_log_tells_of_a_note_and_not_what_it_says() {
    on_each_database(async |app| {
        let (person, admin) = (app.moderator().await, app.admin().await);
        let id = waiting(app).await;
        let note = write(app, &person, id, &json!({ "text": "MARKED" })).await.expect(201).json();
        app.sealed().await;
        let log = app.get_as(&admin, "/api/v1/audit?action=noted").await.expect(200);
        assert!(!log.text().contains("MARKED"));
        let entry = &log.json()["items"][0];
        assert_eq!((&entry["subject"]["id"], &entry["facts"]["note"]), (&json!(id), &note["id"]), "{entry}");
    });
}

#[test]
fn notes_come_in_pages() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let id = waiting(app).await;
        let mut written = Vec::new();
        for number in 0..5 {
            let text = json!({ "text": format!("note {number}") });
            written.push(write(app, &person, id, &text).await.expect(201).json());
            app.advance(number % 2);
        }
        let (mut read, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = list(app, &person, id, &format!("?limit=2{cursor}")).await.expect(200);
            read.extend(page.json()["items"].as_array().unwrap().clone());
            let Some(next) = page.json()["next"].as_str().map(str::to_owned) else { break };
            let link = page.header("link").expect("a link");
            assert!(link.contains(&format!("/api/v1/review/comments/{id}/notes?limit=2&cursor={next}")), "{link}");
            cursor = format!("&cursor={next}");
        }
        assert_eq!(read, written);
        let other = app.posted("/api/v1/sites/main/articles/a", &form("another")).await;
        list(app, &person, other, &format!("?limit=2{cursor}")).await.expect_problem(400, "unreadable");
        list(app, &person, id, "?limit=0").await.expect_faults(&[("/limit", "range")]);
        list(app, &person, id, "?by=me").await.expect_faults(&[("/by", "unknown")]);
    });
}

#[test]
fn what_is_wrong_with_a_note_is_named() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let id = waiting(app).await;
        for (body, faults) in [
            (json!({}), vec![("/text", "required")]),
            (json!({ "text": null }), vec![("/text", "required")]),
            (json!({ "text": "" }), vec![("/text", "blank")]),
            (json!({ "text": " \u{200b}\n" }), vec![("/text", "blank")]),
            (json!({ "text": 7 }), vec![("/text", "type")]),
            (json!({ "text": "a\u{0}b" }), vec![("/text", "nul_character")]),
            (json!({ "text": "é".repeat(2_001) }), vec![("/text", "too_many_characters")]),
            (json!({ "text": "a", "by": "somebody" }), vec![("/by", "unknown")]),
        ] {
            write(app, &person, id, &body).await.expect_faults(&faults);
        }
        write(app, &person, id, &json!({ "text": "é".repeat(2_000) })).await.expect(201);
        assert_eq!(list(app, &person, id, "").await.json()["items"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn notes_elsewhere_are_not_there() {
    on_each_database(async |app| {
        app.site("second").await;
        let (person, other) = (app.moderator().await, app.person("other", Role::Moderator, &["second"]).await);
        let id = waiting(app).await;
        write(app, &person, id, &json!({ "text": "a note" })).await.expect(201);
        for id in [id, 999_999] {
            list(app, &other, id, "").await.expect_problem(404, "not-found");
            write(app, &other, id, &json!({ "text": "a note" })).await.expect_problem(404, "not-found");
        }
    });
}
