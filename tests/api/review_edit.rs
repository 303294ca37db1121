//! Editing: `src/review/edit.rs`, `src/comments/edit.rs`.

use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::sites::{RequiredFields, SetSite};
use rejoinder::store::StoreError;
use rejoinder::store::schema::comments;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

fn request(app: &TestApp, person: &Person, id: i64) -> RequestBuilder {
    app.request_as(person, Method::PATCH, &format!("/api/v1/review/comments/{id}"))
}

async fn edit(app: &TestApp, person: &Person, id: i64, version: i64, body: &Value) -> Answer {
    Answer::of(request(app, person, id).header("if-match", format!("\"{version}\"")).json(body)).await
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

async fn waiting(app: &TestApp) -> i64 {
    let article = app.article("a").await;
    let mut body = form("The *first* words");
    body["url"] = json!("https://ada.example/");
    app.posted(&article, &body).await
}

mod changing {
    use super::*;

    #[test]
    fn the_original_is_kept_and_everything_after_it() {
        on_each_database(async |app| {
            let (person, admin) = (app.moderator().await, app.admin().await);
            let id = waiting(app).await;
            let before = one(app, &person, id).await;
            app.advance(60);
            let body = json!({ "text": "Other **words**", "reason": "a name stood there" });
            let answer = edit(app, &person, id, 1, &body).await.expect(200);
            assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some("\"2\""), Some("no-store")));
            let now = answer.json();
            assert_eq!(now, one(app, &person, id).await);
            assert_eq!((&now["version"], &now["status"]), (&json!(2), &json!("pending")));
            assert_eq!(
                (&now["text"], &now["html"]),
                (&json!("Other **words**"), &json!("<p>Other <strong>words</strong></p>"))
            );
            assert_eq!((&now["author"], &now["created_at"]), (&before["author"], &before["created_at"]));
            assert_eq!(now["decisions"], before["decisions"], "an edit is no decision");
            let first = json!({
                "version": 2, "by": "moderator", "reason": "a name stood there", "at": "2026-11-24T12:01:00.000Z",
                "text": "The *first* words", "name": "Ada", "url": "https://ada.example/",
            });
            assert_eq!(now["revisions"], json!([first]));
            app.advance(60);
            let body = json!({ "name": "Somebody", "url": null, "reason": "not his name" });
            let now = edit(app, &admin, id, 2, &body).await.expect(200).json();
            assert_eq!(
                (&now["text"], &now["html"]),
                (&json!("Other **words**"), &json!("<p>Other <strong>words</strong></p>"))
            );
            assert_eq!((&now["author"]["name"], &now["author"]["url"]), (&json!("Somebody"), &Value::Null));
            let second = json!({
                "version": 3, "by": "admin", "reason": "not his name", "at": "2026-11-24T12:02:00.000Z",
                "text": "Other **words**", "name": "Ada", "url": "https://ada.example/",
            });
            assert_eq!(now["revisions"], json!([first, second]));
            for name in ["email", "ip", "user_agent", "received_at"] {
                assert_eq!(now[name], before[name], "{name}");
            }
        });
    }

    #[test]
    fn an_edit_that_changes_nothing_adds_nothing() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let before = one(app, &person, id).await;
            for body in [
                json!({ "reason": "none" }),
                json!({ "text": "The *first* words", "reason": "none" }),
                json!({ "text": "The *first* words", "name": " Ada ", "url": "https://ada.example/", "reason": "none" }),
            ] {
                let answer = edit(app, &person, id, 1, &body).await.expect(200);
                assert_eq!((answer.header("etag"), answer.json()), (Some("\"1\""), before.clone()));
            }
            app.sealed().await;
            let admin = app.admin().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=edited").await.expect(200).json();
            assert_eq!(log["items"], json!([]));
        });
    }

    #[test]
    fn readers_see_the_new_words_and_when() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let article = "/api/v1/sites/main/articles/a";
            app.approve(&person, id).await;
            let shown = async || {
                let thread = app.get(&format!("{article}/comments")).await.expect(200).json();
                (thread["items"][0].clone(), app.get("/sites/main/articles/a").await.expect(200).text().to_owned())
            };
            let (before, page) = shown().await;
            assert!(before["edited_at"].is_null() && page.contains("<em>first</em>"));
            app.advance(60);
            edit(app, &person, id, 2, &json!({ "text": "new", "reason": "MARKED" })).await.expect(200);
            let (after, page) = shown().await;
            assert_eq!(
                (&after["html"], &after["edited_at"]),
                (&json!("<p>new</p>"), &json!("2026-11-24T12:01:00.000Z"))
            );
            assert!(page.contains("<p>new</p>") && !page.contains("first") && !page.contains("MARKED"));
            assert_eq!((&after["id"], &after["created_at"]), (&before["id"], &before["created_at"]));
        });
    }

    #[test]
    fn what_it_is_found_by_is_to_be_written_anew_and_its_size_is_right() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let set = app.app.store.write(move |conn| {
                let all = diesel::update(comments::table.find(id)).set(comments::is_indexed.eq(true));
                Ok::<_, StoreError>(all.execute(conn)?)
            });
            assert_eq!(set.await.expect("the store"), 1);
            edit(app, &person, id, 1, &json!({ "text": "four", "reason": "shorter" })).await.expect(200);
            let read = app.app.store.read(move |conn| {
                let row = comments::table.find(id).select((comments::is_indexed, comments::size_bytes));
                Ok::<(bool, i64), StoreError>(row.first(conn)?)
            });
            assert_eq!(read.await.expect("the store"), (false, 15), "four bytes of text and eleven of HTML");
        });
    }

    #[test]
    fn the_log_tells_who_and_why_and_not_what_was_said() {
        on_each_database(async |app| {
            let (person, admin) = (app.moderator().await, app.admin().await);
            let id = waiting(app).await;
            let body = json!({ "text": "MARKED", "name": "MARKED", "reason": "an address" });
            edit(app, &person, id, 1, &body).await.expect(200);
            app.sealed().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=edited").await.expect(200);
            assert!(!log.text().contains("MARKED") && !log.text().contains("first"), "{}", log.text());
            let entry = &log.json()["items"][0];
            assert_eq!(entry["facts"], json!({ "fields": ["text", "name"], "version": 2 }), "{entry}");
            assert_eq!(entry["private"]["reason"], "an address", "{entry}");
        });
    }

    #[test]
    fn decisions_go_on_from_the_version_that_an_edit_made() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            app.decide(&person, id, 1, "approve").await.expect(201);
            edit(app, &person, id, 2, &json!({ "text": "new", "reason": "r" })).await.expect(200);
            app.decide(&person, id, 2, "trash").await.expect_problem(412, "stale");
            let same = app.decide(&person, id, 3, "approve").await.expect(200);
            assert_eq!(same.header("etag"), Some("\"3\""), "the version that the comment has");
            app.decide(&person, id, 3, "trash").await.expect(201);
            let now = one(app, &person, id).await;
            let versions: Vec<i64> =
                now["decisions"].as_array().unwrap().iter().map(|line| line["version"].as_i64().unwrap()).collect();
            assert_eq!((versions, &now["version"]), (vec![1, 2, 4], &json!(4)));
            edit(app, &person, id, 4, &json!({ "name": "B", "reason": "r" })).await.expect(200);
        });
    }
}

mod refusing {
    use super::*;

    #[test]
    fn an_edit_says_which_version_it_is_about() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let body = json!({ "text": "new", "reason": "r" });
            Answer::of(request(app, &person, id).json(&body)).await.expect_problem(428, "precondition-required");
            let stale = edit(app, &person, id, 2, &body).await.expect_problem(412, "stale");
            assert_eq!((&stale["current"]["version"], &stale["current"]["status"]), (&json!(1), &json!("pending")));
            let now = one(app, &person, id).await;
            assert_eq!((&now["version"], &now["revisions"]), (&json!(1), &json!([])));
        });
    }

    #[test]
    fn the_rules_are_those_of_posting() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            for (body, faults) in [
                (json!({ "text": "new" }), vec![("/reason", "required")]),
                (json!({ "text": "new", "reason": "" }), vec![("/reason", "blank")]),
                (json!({ "text": "new", "reason": "é".repeat(2_001) }), vec![("/reason", "too_many_characters")]),
                (json!({ "text": "", "reason": "r" }), vec![("/text", "blank")]),
                (json!({ "text": null, "reason": "r" }), vec![("/text", "blank")]),
                (json!({ "text": "x".repeat(65_526), "reason": "r" }), vec![("/text", "too_long")]),
                (json!({ "text": "a\u{0}b", "reason": "r" }), vec![("/text", "nul_character")]),
                (json!({ "name": "a\u{202e}b", "reason": "r" }), vec![("/name", "invisible_character")]),
                (json!({ "name": "é".repeat(123), "reason": "r" }), vec![("/name", "too_long")]),
                (json!({ "name": "", "reason": "r" }), vec![("/name", "required")]),
                (json!({ "url": "javascript:alert(1)", "reason": "r" }), vec![("/url", "url")]),
                (
                    json!({ "url": 7, "email": "b@example.org", "reason": "r" }),
                    vec![("/email", "unknown"), ("/url", "type")],
                ),
                (
                    json!({ "text": 1, "status": "approved" }),
                    vec![("/reason", "required"), ("/status", "unknown"), ("/text", "type")],
                ),
            ] {
                edit(app, &person, id, 1, &body).await.expect_faults(&faults);
            }
            assert_eq!(one(app, &person, id).await["version"], 1);
            let required = RequiredFields { name: false, email: false };
            app.set_site("main", SetSite { required: Some(required), ..SetSite::default() }).await;
            let now = edit(app, &person, id, 1, &json!({ "name": "", "reason": "r" })).await.expect(200).json();
            assert_eq!(now["author"]["name"], "");
        });
    }

    #[test]
    fn html_in_an_edit_is_cleaned_as_in_any_comment() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let hostile = json!({ "text": "<img src=x onerror=alert(1)><script>1</script>", "reason": "r" });
            let html =
                edit(app, &person, id, 1, &hostile).await.expect(200).json()["html"].as_str().unwrap().to_owned();
            assert!(!html.contains("<img") && !html.contains("<script"), "{html}");
        });
    }

    #[test]
    fn a_reviewer_without_emails_does_not_edit_and_elsewhere_is_404() {
        on_each_database(async |app| {
            app.site("second").await;
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            let other = app.person("other", Role::Lead, &["second"]).await;
            let id = waiting(app).await;
            let body = json!({ "text": "new", "reason": "r" });
            edit(app, &reviewer, id, 1, &body).await.expect_problem(403, "forbidden");
            edit(app, &other, id, 1, &body).await.expect_problem(404, "not-found");
            edit(app, &other, 999_999, 1, &body).await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn what_was_withdrawn_or_erased_is_gone() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            for status in ["withdrawn", "erased"] {
                let id = app.posted(&article, &form(status)).await;
                let set = app.app.store.write(move |conn| {
                    let all = diesel::update(comments::table.find(id)).set(comments::status.eq(status));
                    Ok::<_, StoreError>(all.execute(conn)?)
                });
                assert_eq!(set.await.expect("the store"), 1);
                edit(app, &person, id, 1, &json!({ "text": "new", "reason": "r" })).await.expect_problem(410, "gone");
                for (path, body) in [
                    ("claim", json!({})),
                    ("notes", json!({ "text": "a note" })),
                    ("replies", json!({ "text": "a reply" })),
                ] {
                    let path = format!("/api/v1/review/comments/{id}/{path}");
                    let request = app.request_as(&person, Method::POST, &path).json(&body);
                    Answer::of(request).await.expect_problem(410, "gone");
                }
            }
        });
    }

    #[test]
    fn a_comment_takes_a_hundred_edits() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            for version in 1..=100 {
                let body = json!({ "text": format!("number {version}"), "reason": "r" });
                edit(app, &person, id, version, &body).await.expect(200);
            }
            let body = json!({ "text": "once more", "reason": "r" });
            edit(app, &person, id, 101, &body).await.expect_problem(409, "conflict");
            let now = one(app, &person, id).await;
            assert_eq!(now["revisions"].as_array().unwrap().len(), 100);
            assert_eq!(now["revisions"][0]["text"], "The *first* words");
        });
    }
}

mod races {
    use super::*;

    /// Edits and decisions of one version at once: one wins, and nothing of the others is left.
    #[test]
    fn of_many_at_once_one_wins() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            for round in 0..15 {
                let id = app.posted(&article, &form(&format!("number {round}"))).await;
                let asked = (0..10).map(async |number: usize| {
                    let text = format!("by number {number}");
                    match number % 3 {
                        0 => app.decide(&person, id, 1, "approve").await.status,
                        _ => edit(app, &person, id, 1, &json!({ "text": text, "reason": text })).await.status,
                    }
                });
                let statuses = join_all(asked).await;
                let won: Vec<u16> = statuses.iter().copied().filter(|status| *status != 412).collect();
                assert!(matches!(won[..], [200 | 201]), "{statuses:?}");
                let now = one(app, &person, id).await;
                assert_eq!(now["version"], 2);
                let (lines, edits) = (now["decisions"].as_array().unwrap().len(), now["revisions"].as_array().unwrap());
                assert_eq!(lines + edits.len(), 2, "{now}");
                if let Some(revision) = edits.first() {
                    assert_eq!((&now["text"], &revision["version"]), (&revision["reason"], &json!(2)));
                }
            }
        });
    }
}
