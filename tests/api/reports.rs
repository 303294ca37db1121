//! What readers report: `src/comments/report.rs`.

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::markup::assert_clean_page;
use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

/// Readers come from addresses of the test's choice.
const PROXY: Setup = Setup {
    has_limits: false,
    public_url: None,
    trusted_proxies: Some("127.0.0.1"),
    secret: None,
    require_totp: None,
    challenge: None,
};

fn request(app: &TestApp, id: i64, address: &str) -> RequestBuilder {
    app.request(Method::POST, &format!("/api/v1/comments/{id}/reports")).header("x-forwarded-for", address)
}

async fn report(app: &TestApp, id: i64, address: &str) -> Answer {
    Answer::of(request(app, id, address).json(&json!({ "reason": "abusive" }))).await
}

async fn reported(app: &TestApp, id: i64, addresses: std::ops::Range<u8>) {
    for number in addresses {
        report(app, id, &format!("192.0.2.{number}")).await.expect(202);
    }
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

/// The number in the queue.
async fn count(app: &TestApp, person: &Person, id: i64) -> i64 {
    let queue = app.get_as(person, "/api/v1/review/comments?status=any&limit=100").await.expect(200).json();
    let item = queue["items"].as_array().unwrap().iter().find(|item| item["id"] == id).expect("the comment").clone();
    item["reports"].as_i64().unwrap()
}

async fn published(app: &TestApp) -> i64 {
    app.publish_first().await;
    let article = app.article("a").await;
    app.posted(&article, &form("a comment")).await
}

async fn is_public(app: &TestApp, id: i64) -> bool {
    let listed = app.get("/api/v1/sites/main/articles/a/comments").await.expect(200).json();
    let is_listed = listed["items"].as_array().unwrap().iter().any(|item| item["id"] == id);
    assert_eq!(app.get(&format!("/api/v1/comments/{id}")).await.status == 200, is_listed);
    is_listed
}

mod taking {
    use super::*;

    #[test]
    fn a_report_is_kept_for_moderators_and_answered_alike_whoever_sends_it() {
        on_each_database_with(&PROXY, async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            let body = json!({ "reason": "hate", "text": "See the <b>last</b> line.", "unknown": 1 });
            let first = Answer::of(request(app, id, "192.0.2.1").json(&body)).await.expect(202);
            assert_eq!(first.header("cache-control"), Some("no-store"));
            assert_eq!(first.json(), json!({ "status": "received" }));
            app.advance(60);
            let again = Answer::of(request(app, id, "192.0.2.1").json(&json!({ "reason": "spam" }))).await.expect(202);
            assert_eq!(again.text(), first.text());
            report(app, id, "2001:db8:1:2::1").await.expect(202);
            // The same subscriber.
            report(app, id, "2001:db8:1:2:3::4").await.expect(202);
            assert_eq!(count(app, &person, id).await, 2);
            let wanted = json!([
                { "reason": "hate", "text": "See the <b>last</b> line.", "at": "2026-11-24T12:00:00.000Z", "answered_by": null },
                { "reason": "abusive", "text": null, "at": "2026-11-24T12:01:00.000Z", "answered_by": null },
            ]);
            assert_eq!(one(app, &person, id).await["reports"], wanted);
            assert!(is_public(app, id).await);
        });
    }

    #[test]
    fn forms_are_taken_too() {
        on_each_database_with(&PROXY, async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            let urlencoded = request(app, id, "192.0.2.1")
                .header("content-type", "application/x-www-form-urlencoded")
                .body("reason=off-topic&text=");
            Answer::of(urlencoded).await.expect(202);
            let multipart = reqwest::multipart::Form::new().text("reason", "other").text("text", "odd");
            Answer::of(request(app, id, "192.0.2.2").multipart(multipart)).await.expect(202);
            let reports = one(app, &person, id).await["reports"].clone();
            assert_eq!((&reports[0]["reason"], &reports[0]["text"]), (&json!("off-topic"), &Value::Null));
            assert_eq!((&reports[1]["reason"], &reports[1]["text"]), (&json!("other"), &json!("odd")));
        });
    }

    #[test]
    fn what_is_not_published_is_as_unknown_as_what_is_not_there() {
        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let id = app.posted(&article, &form("a comment")).await;
            let unknown = report(app, 999_999, "192.0.2.1").await;
            let wanted = unknown.without_trace();
            unknown.expect_problem(404, "not-found");
            for (version, decision) in [(0, ""), (1, "reject"), (2, "spam"), (3, "trash"), (4, "hold")] {
                if version > 0 {
                    app.decide(&person, id, version, decision).await.expect(201);
                }
                assert_eq!(report(app, id, "192.0.2.1").await.without_trace(), wanted, "{decision}");
                app.get(&format!("/comments/{id}/report")).await.expect_problem(404, "not-found");
            }
            assert_eq!(one(app, &person, id).await["reports"], json!([]));
        });
    }

    #[test]
    fn every_wrong_field_is_named() {
        on_each_database(async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            for (body, faults) in [
                (json!({}), vec![("/reason", "required")]),
                (json!({ "reason": "" }), vec![("/reason", "required")]),
                (json!({ "reason": null }), vec![("/reason", "required")]),
                (json!({ "reason": "because" }), vec![("/reason", "choice")]),
                (json!({ "reason": "advertising" }), vec![("/reason", "choice")]),
                (json!({ "reason": ["spam"] }), vec![("/reason", "type")]),
                (json!({ "reason": "spam", "text": 1 }), vec![("/text", "type")]),
                (json!({ "reason": "spam", "text": "a\u{0}" }), vec![("/text", "nul_character")]),
                (json!({ "reason": "spam", "text": "é".repeat(2_001) }), vec![("/text", "too_many_characters")]),
                (json!({ "reason": "x", "text": 1 }), vec![("/reason", "choice"), ("/text", "type")]),
            ] {
                Answer::of(request(app, id, "192.0.2.1").json(&body)).await.expect_faults(&faults);
                // Whether there is such a comment is not told by it.
                Answer::of(request(app, 999_999, "192.0.2.1").json(&body)).await.expect_faults(&faults);
            }
            let longest = json!({ "reason": "spam", "text": "é".repeat(2_000) });
            Answer::of(request(app, id, "192.0.2.1").json(&longest)).await.expect(202);
            assert_eq!(count(app, &person, id).await, 1);
        });
    }

    #[test]
    fn only_pages_of_the_site_may_send_one() {
        on_each_database(async |app| {
            let id = published(app).await;
            let origins = Some(vec!["https://news.example".to_owned()]);
            app.set_site("main", rejoinder::sites::SetSite { origins, ..Default::default() }).await;
            let send = async |origin: &str| {
                let request = request(app, id, "192.0.2.1").header("origin", origin);
                Answer::of(request.json(&json!({ "reason": "spam" }))).await
            };
            let own = send("https://news.example").await.expect(202);
            assert_eq!(own.header("access-control-allow-origin"), Some("https://news.example"));
            let foreign = send("https://evil.example").await;
            assert_eq!(foreign.header("access-control-allow-origin"), None);
            foreign.expect_problem(403, "foreign-origin");
            send(&app.base).await.expect(202);
        });
    }

    #[test]
    fn one_address_reports_at_a_pace() {
        on_each_database_with(&Setup { has_limits: true, ..PROXY }, async |app| {
            let id = published(app).await;
            for _ in 0..10 {
                report(app, id, "192.0.2.1").await.expect(202);
            }
            let answer = report(app, id, "192.0.2.1").await;
            assert!(answer.header("retry-after").is_some() && answer.header("ratelimit-policy").is_some());
            answer.expect_problem(429, "too-fast");
            report(app, id, "192.0.2.2").await.expect(202);
            app.advance(30);
            report(app, id, "192.0.2.1").await.expect(202);
        });
    }
}

mod returning {
    use super::*;

    #[test]
    fn enough_reports_send_a_comment_back_to_the_queue() {
        on_each_database_with(&PROXY, async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            reported(app, id, 1..3).await;
            reported(app, id, 1..3).await;
            assert!(is_public(app, id).await);
            app.advance(5);
            reported(app, id, 3..4).await;
            assert!(!is_public(app, id).await);
            assert_eq!(app.get("/api/v1/sites/main/articles/a").await.json()["comments"], 0);
            let seen = one(app, &person, id).await;
            assert_eq!((&seen["status"], &seen["version"]), (&json!("pending"), &json!(2)));
            let line = &seen["decisions"][1];
            assert_eq!(
                (&line["by"], &line["from"], &line["to"]),
                (&Value::Null, &json!("approved"), &json!("pending"))
            );
            assert_eq!((&line["reason"], &line["at"]), (&json!("reported"), &json!("2026-11-24T12:00:05.000Z")));
            assert_eq!(line["note"], "Readers reported it: 3 since the last decision.");
            let queue = app.get_as(&person, "/api/v1/review/comments").await.json();
            assert_eq!((&queue["items"][0]["id"], &queue["items"][0]["reports"]), (&json!(id), &json!(3)));
            // Whoever comes later finds nothing to report.
            report(app, id, "192.0.2.4").await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn a_decision_answers_the_reports_and_only_new_readers_count_after_it() {
        on_each_database_with(&PROXY, async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            reported(app, id, 1..4).await;
            let line = app.decide(&person, id, 2, "approve").await.expect(201).json();
            let seen = one(app, &person, id).await;
            let answered: Vec<&Value> = seen["reports"].as_array().unwrap().iter().map(|r| &r["answered_by"]).collect();
            assert_eq!(answered, [&line["id"]; 3]);
            assert_eq!(count(app, &person, id).await, 0);
            // The same readers add nothing, however often.
            for _ in 0..2 {
                reported(app, id, 1..4).await;
            }
            assert!(is_public(app, id).await);
            assert_eq!(count(app, &person, id).await, 0);
            // New ones are needed, and as many.
            reported(app, id, 4..6).await;
            assert!(is_public(app, id).await);
            reported(app, id, 6..7).await;
            assert!(!is_public(app, id).await);
            app.decide(&person, id, 4, "reject").await.expect(201);
            let seen = one(app, &person, id).await;
            assert!(seen["reports"].as_array().unwrap().iter().all(|report| report["answered_by"].is_i64()));
        });
    }

    #[test]
    fn approving_what_stands_answers_its_reports_and_adds_no_line() {
        on_each_database_with(&PROXY, async |app| {
            let (id, admin) = (published(app).await, app.admin().await);
            reported(app, id, 1..3).await;
            let before = one(app, &admin, id).await["decisions"].clone();
            app.decide(&admin, id, 1, "approve").await.expect(200);
            let seen = one(app, &admin, id).await;
            assert_eq!((&seen["decisions"], &seen["version"]), (&before, &json!(1)));
            assert_eq!(count(app, &admin, id).await, 0);
            assert!(seen["reports"].as_array().unwrap().iter().all(|report| report["answered_by"] == before[0]["id"]));
            app.sealed().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=reports-answered").await.expect(200).json();
            assert_eq!(log["items"][0]["facts"], json!({ "reports": 2, "version": 1 }));
            app.decide(&admin, id, 1, "approve").await.expect(200);
            app.sealed().await;
            let again = app.get_as(&admin, "/api/v1/audit?action=reports-answered").await.expect(200).json();
            assert_eq!(again, log, "nothing was left to answer");
            reported(app, id, 3..5).await;
            assert!(is_public(app, id).await, "only new ones count");
        });
    }

    #[test]
    fn what_is_sent_back_takes_its_place_in_the_tree_from_nobody() {
        on_each_database_with(&PROXY, async |app| {
            let (root, person) = (published(app).await, app.moderator().await);
            let mut reply = form("a reply");
            reply["parent_id"] = json!(root);
            let reply = app.posted("/api/v1/sites/main/articles/a", &reply).await;
            let tree = async || app.get("/api/v1/sites/main/articles/a/comments").await.json()["items"].clone();
            let before = tree().await;
            reported(app, root, 1..4).await;
            let now = tree().await;
            assert_eq!((&now[0]["id"], &now[0]["parent_id"]), (&json!(reply), &Value::Null));
            app.decide(&person, root, 2, "approve").await.expect(201);
            assert_eq!(tree().await, before);
        });
    }

    #[test]
    fn readers_who_report_at_once_are_each_counted_once() {
        on_each_database_with(&PROXY, async |app| {
            let person = app.moderator().await;
            app.publish_first().await;
            let article = app.article("a").await;
            for round in 0..4 {
                let id = app.posted(&article, &form(&format!("round {round}"))).await;
                // Each of eight twice: what comes when it is back in the queue finds nothing.
                let sends =
                    (0..16).map(|number| async move { report(app, id, &format!("192.0.2.{}", number % 8)).await });
                let statuses: Vec<u16> = join_all(sends).await.into_iter().map(|answer| answer.status).collect();
                assert!(statuses.iter().all(|status| [202, 404].contains(status)), "{statuses:?}");
                let seen = one(app, &person, id).await;
                assert_eq!((&seen["status"], &seen["version"]), (&json!("pending"), &json!(2)));
                assert_eq!(seen["reports"].as_array().unwrap().len(), 3);
                assert_eq!(count(app, &person, id).await, 3);
            }
        });
    }

    #[test]
    fn reports_and_decisions_at_once_leave_nothing_half_done() {
        on_each_database_with(&PROXY, async |app| {
            let person = app.moderator().await;
            app.publish_first().await;
            let article = app.article("a").await;
            for round in 0..4 {
                let id = app.posted(&article, &form(&format!("round {round}"))).await;
                let sends =
                    (0..6).map(|number| async move { report(app, id, &format!("192.0.2.{number}")).await.status });
                let decides =
                    ["reject", "approve", "spam"].map(|word| async { app.decide(&person, id, 1, word).await.status });
                let (sent, decided) = futures_util::future::join(join_all(sends), join_all(decides)).await;
                assert!(sent.iter().all(|status| [202, 404].contains(status)), "{sent:?}");
                assert!(decided.iter().all(|status| [200, 201, 412].contains(status)), "{decided:?}");
                let seen = one(app, &person, id).await;
                let open = seen["reports"].as_array().unwrap().iter().filter(|report| report["answered_by"].is_null());
                assert_eq!(i64::try_from(open.count()).unwrap(), count(app, &person, id).await);
                let lines = seen["decisions"].as_array().unwrap();
                assert_eq!(lines.last().unwrap()["to"], seen["status"]);
                assert_eq!(is_public(app, id).await, seen["status"] == "approved");
            }
        });
    }

    #[test]
    fn the_banned_are_answered_alike_and_not_counted() {
        on_each_database_with(&PROXY, async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            let ban = json!({ "kind": "network", "value": "192.0.2.0/24", "site": "main", "reason": "a brigade" });
            Answer::of(app.request_as(&person, Method::POST, "/api/v1/bans").json(&ban)).await.expect(201);
            reported(app, id, 1..9).await;
            assert!(is_public(app, id).await);
            assert_eq!(one(app, &person, id).await["reports"], json!([]));
        });
    }
}

mod hiding {
    use super::*;

    #[test]
    fn nothing_public_tells_that_a_comment_was_reported() {
        on_each_database_with(&PROXY, async |app| {
            let id = published(app).await;
            let see = async || {
                let mut seen = Vec::new();
                for path in [
                    "/api/v1/sites/main/articles/a".to_owned(),
                    "/api/v1/sites/main/articles/a/comments".to_owned(),
                    format!("/api/v1/comments/{id}"),
                    format!("/comments/{id}/report"),
                ] {
                    let answer = app.get(&path).await.expect(200);
                    seen.push((answer.header("etag").map(str::to_owned), answer.text().to_owned()));
                }
                seen
            };
            let before = see().await;
            reported(app, id, 1..3).await;
            assert_eq!(see().await, before);
        });
    }

    #[test]
    fn no_address_is_kept_and_no_two_comments_share_a_reporter() {
        use diesel::prelude::*;
        use rejoinder::store::StoreError;
        use rejoinder::store::schema::reports;

        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let article = app.article("a").await;
            for text in ["one", "two"] {
                let id = app.posted(&article, &form(text)).await;
                report(app, id, "192.0.2.1").await.expect(202);
            }
            let read = app
                .app
                .store
                .read(|conn| Ok::<Vec<i64>, StoreError>(reports::table.select(reports::reporter).load(conn)?));
            let reporters = read.await.unwrap();
            assert_eq!(reporters.len(), 2);
            assert_ne!(reporters[0], reporters[1]);
        });
    }
}

mod page {
    use super::*;

    async fn browse(app: &TestApp, id: i64, body: &str) -> Answer {
        let request = request(app, id, "192.0.2.1")
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("content-type", "application/x-www-form-urlencoded");
        Answer::of(request.body(body.to_owned())).await
    }

    #[test]
    fn every_published_comment_leads_to_a_form_that_works_without_script() {
        on_each_database_with(&PROXY, async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            let article = app.get("/sites/main/articles/a").await.expect(200);
            let href = format!("{}/comments/{id}/report", app.base);
            let tags = assert_clean_page(article.text());
            assert!(tags.iter().any(|tag| tag.attribute("href") == Some(&href)), "{}", article.text());
            let form = app.get(&href.replace(&app.base, "")).await.expect(200);
            assert_eq!(form.header("cache-control"), Some("no-store"));
            let tags = assert_clean_page(form.text());
            assert!(form.text().contains("<p>a comment</p>") && form.text().contains("Report this comment"));
            let action = tags.iter().find(|tag| tag.name == "form").unwrap().attribute("action").unwrap();
            assert_eq!(action, format!("{}/api/v1/comments/{id}/reports", app.base));
            let radios = tags.iter().filter(|tag| tag.attribute("type") == Some("radio"));
            let reasons: Vec<String> = radios.map(|tag| tag.attribute("value").unwrap().to_owned()).collect();
            let words = ["abusive", "hate", "spam", "personal-data", "illegal", "misinformation", "off-topic", "other"];
            assert_eq!(reasons, words);
            // Looking reports nothing.
            assert_eq!(count(app, &person, id).await, 0);
            let sent = browse(app, id, "reason=hate&text=Look").await.expect(202);
            assert_clean_page(sent.text());
            assert!(sent.text().contains("Thank you for your report"));
            assert_eq!(one(app, &person, id).await["reports"][0]["text"], "Look");
        });
    }

    #[test]
    fn what_is_wrong_comes_back_with_what_was_typed() {
        on_each_database(async |app| {
            let (id, person) = (published(app).await, app.moderator().await);
            let answer = browse(app, id, "text=%3C%2Ftextarea%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").await.expect(422);
            assert_clean_page(answer.text());
            assert!(answer.text().contains("&#60;script") || answer.text().contains("&lt;script"), "{}", answer.text());
            assert!(answer.text().contains("report-reason-error"));
            let long = format!("reason=spam&text={}", "x".repeat(2_001));
            let answer = browse(app, id, &long).await.expect(422);
            let tags = assert_clean_page(answer.text());
            let chosen: Vec<_> = tags.iter().filter(|tag| tag.attribute("checked").is_some()).collect();
            assert_eq!(chosen.len(), 1);
            assert_eq!(chosen[0].attribute("value"), Some("spam"));
            assert!(answer.text().contains("report-text-error"));
            assert_eq!(count(app, &person, id).await, 0);
            assert_eq!(browse(app, 999_999, "").await.status, 404);
            assert_eq!(browse(app, 999_999, "reason=spam").await.status, 404);
        });
    }
}
