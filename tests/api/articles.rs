//! Articles: `src/articles`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

const PATH: &str = "/api/v1/sites/main/articles/new";

async fn put(app: &TestApp, person: &Person, path: &str, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::PUT, path).json(body)).await
}

fn good() -> Value {
    json!({ "title": "A title", "url": "https://news.example/new" })
}

mod putting {
    use super::*;

    #[test]
    fn the_first_time_makes_it_and_later_times_change_it() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.get(PATH).await.expect_problem(404, "not-found");
            let made = put(app, &admin, PATH, &good()).await.expect(201);
            assert_eq!(made.header("location"), Some(format!("{}{PATH}", app.base).as_str()));
            assert_eq!(made.header("cache-control"), Some("no-store"));
            let wanted = json!({
                "site": "main",
                "key": "new",
                "title": "A title",
                "summary": null,
                "url": "https://news.example/new",
                "comments_open": true,
                "comments_close_at": null,
                "comments_open_at": null,
                "comments": 0,
                "form": {
                    "required": ["name", "email", "comment"],
                    "limits": { "name": 245, "email": 100, "url": 200, "comment": 65_525 },
                    "challenge": null,
                },
            });
            assert_eq!(made.json(), wanted);
            assert_eq!(app.get(PATH).await.expect(200).json(), wanted);
            let body = json!({
                "title": "Another & <b>", "url": "http://news.example:8080/x?y=1#z", "summary": "In short",
                "comments_open": false, "comments_close_at": "2026-12-24T18:00:00+01:00",
            });
            let changed = put(app, &admin, PATH, &body).await.expect(200);
            assert_eq!(changed.header("location"), None);
            let shown = app.get(PATH).await.json();
            assert_eq!(changed.json(), shown);
            for name in ["title", "url", "summary", "comments_open"] {
                assert_eq!(shown[name], body[name], "{name}");
            }
            assert_eq!(shown["comments_close_at"], "2026-12-24T17:00:00.000Z");
            // What is not said again goes back to what it is when nothing is said.
            put(app, &admin, PATH, &good()).await.expect(200);
            assert_eq!(app.get(PATH).await.json(), wanted);
        });
    }

    #[test]
    fn every_wrong_field_is_named_at_once_and_nothing_is_made() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            put(app, &admin, PATH, &json!({})).await.expect_faults(&[("/title", "required"), ("/url", "required")]);
            let body = json!({
                "title": "x".repeat(1_001), "url": "javascript:alert(1)", "summary": "x".repeat(4_001),
                "comments_open": "yes", "comments_close_at": "tomorrow", "titel": "x", "id": 7, "site_id": 2,
            });
            put(app, &admin, PATH, &body).await.expect_faults(&[
                ("/comments_close_at", "format"),
                ("/comments_open", "type"),
                ("/id", "unknown"),
                ("/site_id", "unknown"),
                ("/summary", "too_long"),
                ("/titel", "unknown"),
                ("/title", "too_long"),
                ("/url", "url"),
            ]);
            for (name, value, code) in [
                ("title", json!(""), "required"),
                ("title", json!(1), "type"),
                ("title", json!("a\u{0}b"), "nul_character"),
                ("title", json!("a\nb"), "control_character"),
                ("url", json!(""), "required"),
                ("url", json!("news.example/new"), "url"),
                ("url", json!("/new"), "url"),
                ("url", json!("ftp://news.example/new"), "url"),
                ("url", json!("data:text/html,x"), "url"),
                ("url", json!(format!("https://news.example/{}", "x".repeat(2_000))), "too_long"),
                ("url", json!("https://news.example/\r\nSet-Cookie: x"), "control_character"),
                ("summary", json!(["x"]), "type"),
                ("summary", json!("a\u{0}b"), "nul_character"),
            ] {
                let mut body = good();
                body[name] = value;
                put(app, &admin, PATH, &body).await.expect_faults(&[(&format!("/{name}"), code)]);
            }
            app.get(PATH).await.expect(404);
        });
    }

    #[test]
    fn the_longest_of_everything_is_taken() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let body = json!({
                "title": "x".repeat(1_000),
                "url": format!("https://news.example/{}", "x".repeat(2_000 - 21)),
                "summary": "é".repeat(2_000),
            });
            let path = format!("/api/v1/sites/main/articles/{}", "k".repeat(200));
            put(app, &admin, &path, &body).await.expect(201);
            app.get(&path).await.expect(200);
            put(app, &admin, &format!("{path}k"), &body).await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn only_who_may_does_and_only_on_sites_there_are() {
        on_each_database(async |app| {
            let (admin, moderator) = (app.admin().await, app.moderator().await);
            put(app, &moderator, PATH, &good()).await.expect_problem(403, "forbidden");
            Answer::of(app.request(Method::PUT, PATH).json(&good())).await.expect_problem(401, "unauthenticated");
            app.get(PATH).await.expect(404);
            let elsewhere = "/api/v1/sites/none/articles/new";
            put(app, &admin, elsewhere, &good()).await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn a_change_keeps_the_comments_and_their_number() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.publish_first().await;
            put(app, &admin, PATH, &good()).await.expect(201);
            app.post(PATH, &form("one")).await.expect(201);
            let mut body = good();
            body["title"] = json!("Changed");
            assert_eq!(put(app, &admin, PATH, &body).await.expect(200).json()["comments"], 1);
            assert_eq!(app.get(&format!("{PATH}/comments")).await.json()["items"].as_array().unwrap().len(), 1);
        });
    }

    #[test]
    fn many_at_once_make_one() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let body = good();
            let answers = futures_util::future::join_all((0..20).map(|_| put(app, &admin, PATH, &body))).await;
            let made = answers.iter().filter(|answer| answer.status == 201).count();
            let changed = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!((made, changed), (1, 19));
        });
    }
}

mod closing {
    use super::*;

    #[test]
    fn an_article_closes_when_it_is_said_to() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let mut body = good();
            body["comments_close_at"] = json!("2026-11-24T12:01:00Z");
            put(app, &admin, PATH, &body).await.expect(201);
            app.advance(59);
            app.post(PATH, &form("in time")).await.expect(202);
            assert_eq!(app.get(PATH).await.json()["comments_open"], true);
            app.advance(1);
            app.post(PATH, &form("too late")).await.expect_problem(403, "comments-closed");
            assert_eq!(app.get(PATH).await.json()["comments_open"], false);
            body = good();
            body["comments_open"] = json!(false);
            put(app, &admin, PATH, &body).await.expect(200);
            app.post(PATH, &form("closed")).await.expect_problem(403, "comments-closed");
            put(app, &admin, PATH, &good()).await.expect(200);
            app.post(PATH, &form("open again")).await.expect(202);
        });
    }
}

mod counts {
    use super::*;

    #[test]
    fn published_comments_are_counted_and_unknown_articles_left_out() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let (a, _) = (app.article("a").await, app.article("b").await);
            app.site("second").await;
            app.article_on("second", "c").await;
            let ids = [app.posted(&a, &form("1")).await, app.posted(&a, &form("2")).await];
            app.posted(&a, &form("waits")).await;
            for id in ids {
                app.approve(&admin, id).await;
            }
            let counts =
                async |query: &str| app.get(&format!("/api/v1/sites/main/counts{query}")).await.expect(200).json();
            let wanted = json!({ "counts": { "a": 2, "b": 0 } });
            assert_eq!(counts("?article=a&article=b&article=c&article=none&article=%25").await, wanted);
            assert_eq!(counts("?article=a&article=a&other=1").await, json!({ "counts": { "a": 2 } }));
            assert_eq!(counts("").await, json!({ "counts": {} }));
            app.decide(&admin, ids[0], 2, "trash").await.expect(201);
            assert_eq!(counts("?article=a").await, json!({ "counts": { "a": 1 } }));
            app.get("/api/v1/sites/none/counts?article=a").await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn a_hundred_articles_may_be_asked_for_at_once() {
        on_each_database(async |app| {
            app.article("a99").await;
            let query =
                |count: usize| (0..count).map(|number| format!("article=a{number}")).collect::<Vec<_>>().join("&");
            let answer = app.get(&format!("/api/v1/sites/main/counts?{}", query(100))).await.expect(200);
            assert_eq!(answer.json(), json!({ "counts": { "a99": 0 } }));
            app.get(&format!("/api/v1/sites/main/counts?{}", query(101))).await.expect_faults(&[("/article", "range")]);
        });
    }
}
