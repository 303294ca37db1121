//! Services outside that are asked about comments: `src/outside/`, and the setting that names them.

use diesel::prelude::*;
use rejoinder::store::StoreError;
use rejoinder::store::schema::{outside_reports, sites};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::outside::FakeService;
use crate::support::people::Person;
use crate::support::server::{TestApp, eventually};
use crate::support::{Answer, form, on_each_database};

const PATH: &str = "/api/v1/sites/main/settings";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const KEY: &str = "hunter2hunter2";

async fn put(app: &TestApp, person: &Person, outside: Value) -> Answer {
    let body = json!({ "policy": "publish_first", "outside": outside });
    Answer::of(app.request_as(person, Method::PUT, PATH).json(&body)).await
}

fn webhook(service: &FakeService) -> Value {
    json!({ "webhook": { "url": format!("{}/hook", service.base), "secret": SECRET }, "time_limit_ms": 500 })
}

fn akismet(service: &FakeService) -> Value {
    json!({ "akismet": { "url": format!("{}/", service.base), "key": KEY }, "time_limit_ms": 500 })
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

/// Posts a text and gives the status of the answer, its id, and how the comment stands.
async fn post(app: &TestApp, person: &Person, article: &str, text: &str) -> (u16, i64, Value) {
    let answer = app.post(article, &form(text)).await;
    let id = answer.json()["id"].as_i64().expect("an id");
    (answer.status, id, one(app, person, id).await)
}

mod setting {
    use super::*;

    #[test]
    fn secrets_go_in_and_never_come_out() {
        on_each_database(async |app| {
            let (admin, service) = (app.admin().await, FakeService::start());
            let both = json!({ "webhook": webhook(&service)["webhook"], "akismet": akismet(&service)["akismet"] });
            let answer = put(app, &admin, both.clone()).await.expect(200);
            let wanted = json!({
                "akismet": { "key": "********", "url": both["akismet"]["url"] },
                "webhook": { "url": both["webhook"]["url"], "secret": "********" },
                "time_limit_ms": 2000,
            });
            assert_eq!(answer.json()["outside"], wanted);
            let read = app.get_as(&admin, PATH).await.expect(200);
            // What is read may be put back, and changes nothing.
            let again = Answer::of(app.request_as(&admin, Method::PUT, PATH).json(&read.json())).await.expect(200);
            assert_eq!((again.json(), again.header("etag")), (read.json(), read.header("etag")));
            app.sealed().await;
            let audit = app.get_as(&admin, "/api/v1/audit").await.expect(200);
            let stored = app
                .app
                .store
                .read(|conn| Ok::<Vec<String>, StoreError>(sites::table.select(sites::settings).load(conn)?));
            for text in [answer.text(), read.text(), audit.text(), &stored.await.unwrap().join(" ")] {
                assert!(!text.contains(KEY) && !text.contains("C2FVsBQ"), "{text}");
            }
            assert!(audit.text().contains("/hook"), "{}", audit.text());
            // Whoever does not know a secret sends it nowhere else.
            for (service, name) in [("webhook", "secret"), ("akismet", "key")] {
                let mut moved = read.json();
                moved["outside"][service]["url"] = json!("https://elsewhere.example/");
                let refused = Answer::of(app.request_as(&admin, Method::PUT, PATH).json(&moved)).await;
                let fault = refused.json()["errors"][0].clone();
                assert_eq!((refused.status, &fault["pointer"]), (422, &json!(format!("/outside/{service}/{name}"))));
            }
            assert_eq!(put(app, &admin, Value::Null).await.json()["outside"]["webhook"], Value::Null);
        });
    }

    #[test]
    fn no_private_address_and_nothing_half_said_is_taken() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let hook = |url: &str| json!({ "webhook": { "url": url, "secret": SECRET } });
            for url in [
                "https://10.0.0.1/",
                "https://2130706434/",
                "https://[::ffff:10.0.0.1]/",
                "https://169.254.169.254/latest",
                "http://news.example/",
                "ftp://news.example/",
                "https://user:pass@news.example/",
                "news.example",
                "/hook",
            ] {
                let refused = put(app, &admin, hook(url)).await;
                let fault = &refused.json()["errors"][0];
                assert_eq!((refused.status, &fault["pointer"]), (422, &json!("/outside/webhook/url")), "{url}");
            }
            for (outside, pointer) in [
                (json!({ "webhook": { "url": "https://a.example/" } }), "/outside/webhook/secret"),
                (json!({ "webhook": { "url": "https://a.example/", "secret": "short" } }), "/outside/webhook/secret"),
                (json!({ "webhook": { "secret": SECRET } }), "/outside/webhook/url"),
                (json!({ "akismet": {} }), "/outside/akismet/key"),
                (json!({ "akismet": { "key": "a b" } }), "/outside/akismet/key"),
                (json!({ "akismet": { "key": "********" } }), "/outside/akismet/key"),
                (json!({ "akismet": { "key": "k", "more": 1 } }), "/outside/akismet/more"),
                (json!({ "time_limit_ms": 5001 }), "/outside/time_limit_ms"),
                (json!({ "time_limit_ms": 99 }), "/outside/time_limit_ms"),
                (json!({ "other": 1 }), "/outside/other"),
                (json!([]), "/outside"),
            ] {
                let refused = put(app, &admin, outside.clone()).await;
                let pointers: Vec<Value> =
                    refused.json()["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].clone()).collect();
                assert!(refused.status == 422 && pointers.contains(&json!(pointer)), "{outside}: {pointers:?}");
            }
        });
    }
}

mod webhooks {
    use super::*;

    #[test]
    fn a_webhook_holds_or_calls_spam_and_what_it_is_sent_is_signed() {
        on_each_database(async |app| {
            let (admin, service, article) = (app.admin().await, FakeService::start(), app.article("a").await);
            put(app, &admin, webhook(&service)).await.expect(200);
            let (status, _, item) = post(app, &admin, &article, "first").await;
            assert_eq!((status, &item["screening"]["rules"][0]["effect"]), (201, &json!("log")));
            let received = service.take_received();
            assert_eq!((received.len(), received[0].path.as_str()), (1, "/hook"));
            let hook = standardwebhooks::Webhook::new(SECRET).unwrap();
            let at: i64 = received[0].header("webhook-timestamp").parse().unwrap();
            let expected = hook.sign(received[0].header("webhook-id"), at, received[0].body.as_bytes()).unwrap();
            assert_eq!((received[0].header("webhook-signature"), at), (expected.as_str(), 1_795_521_600));
            let body: Value = serde_json::from_str(&received[0].body).unwrap();
            let wanted = json!({
                "type": "comment.screening",
                "timestamp": "2026-11-24T12:00:00.000Z",
                "data": {
                    "site": "main",
                    "article": { "key": "a", "title": "The article a", "url": "https://news.example/a" },
                    "comment": {
                        "name": "Ada", "email": "ada@example.org", "url": null, "text": "first",
                        "ip": "127.0.0.1", "user_agent": null, "parent_id": null,
                    },
                },
            });
            assert_eq!(body, wanted);
            service.says(200, r#"{"verdict": "hold"}"#);
            let (status, _, item) = post(app, &admin, &article, "second").await;
            assert_eq!(
                (status, &item["status"], &item["reasons"]),
                (202, &json!("pending"), &json!(["The site's webhook wants it held."]))
            );
            service.says(200, r#"{"verdict": "spam"}"#);
            let (status, _, item) = post(app, &admin, &article, "third").await;
            assert_eq!((status, &item["status"]), (202, &json!("spam")));
            service.says(200, r#"{"verdict": null}"#);
            assert_eq!(post(app, &admin, &article, "fourth").await.0, 201);
        });
    }

    #[test]
    fn without_an_answer_that_is_one_it_is_held() {
        on_each_database(async |app| {
            let (admin, service, article) = (app.admin().await, FakeService::start(), app.article("a").await);
            put(app, &admin, webhook(&service)).await.expect(200);
            let long = format!("{{\"verdict\": null, \"more\": \"{}\"}}", "x".repeat(70_000));
            for (number, (status, body)) in
                [(500, ""), (302, ""), (200, "publish"), (200, long.as_str())].into_iter().enumerate()
            {
                service.says(status, body);
                let (answered, _, item) = post(app, &admin, &article, &format!("number {number}")).await;
                assert_eq!((answered, &item["status"]), (202, &json!("pending")), "{status} {body}");
                let reason = item["reasons"][0].as_str().unwrap();
                assert!(reason.starts_with("The site's webhook could not be asked: "), "{reason}");
            }
            // Nothing was asked elsewhere.
            assert!(service.take_received().iter().all(|received| received.path == "/hook"));
            service.says(204, "");
            assert_eq!(post(app, &admin, &article, "all is well").await.0, 201);
            service.says_nothing_for_long();
            let began = std::time::Instant::now();
            assert_eq!(post(app, &admin, &article, "a long wait").await.0, 202);
            assert!(began.elapsed() < std::time::Duration::from_secs(5));
        });
    }

    #[test]
    fn what_fails_again_and_again_is_left_alone_for_half_a_minute() {
        on_each_database(async |app| {
            let (admin, service, article) = (app.admin().await, FakeService::start(), app.article("a").await);
            put(app, &admin, webhook(&service)).await.expect(200);
            service.says(500, "");
            for number in 0..8 {
                assert_eq!(post(app, &admin, &article, &format!("number {number}")).await.0, 202);
            }
            assert_eq!(service.take_received().len(), 5);
            service.says(204, "");
            assert_eq!(post(app, &admin, &article, "too early").await.0, 202);
            app.advance(31);
            assert_eq!(post(app, &admin, &article, "tried again").await.0, 201);
            assert_eq!(post(app, &admin, &article, "as before").await.0, 201);
            assert_eq!(service.count(), 2);
        });
    }

    #[test]
    fn what_is_spam_already_leaves_for_nobody() {
        on_each_database(async |app| {
            let (admin, service, article) = (app.admin().await, FakeService::start(), app.article("a").await);
            put(app, &admin, webhook(&service)).await.expect(200);
            let ban = json!({ "kind": "name", "value": "Ada", "reason": "tests" });
            Answer::of(app.request_as(&admin, Method::POST, "/api/v1/bans").json(&ban)).await.expect(201);
            assert_eq!(post(app, &admin, &article, "first").await.2["status"], "spam");
            assert_eq!(service.count(), 0);
        });
    }
}

mod akismets {
    use super::*;

    async fn reports(app: &TestApp) -> i64 {
        let count = app.app.store.read(|conn| Ok::<i64, StoreError>(outside_reports::table.count().get_result(conn)?));
        count.await.unwrap()
    }

    /// Waits until what is decided is indexed.
    async fn indexed(app: &TestApp, person: &Person) {
        app.get_as(person, "/api/v1/review/comments?q=anything").await.expect(200);
    }

    #[test]
    fn akismet_is_asked_and_told_what_people_see_otherwise() {
        on_each_database(async |app| {
            let (admin, service, article) = (app.admin().await, FakeService::start(), app.article("a").await);
            put(app, &admin, akismet(&service)).await.expect(200);
            service.says(200, "true");
            let (status, spam, item) = post(app, &admin, &article, "buy now").await;
            assert_eq!(
                (status, &item["status"], &item["reasons"]),
                (202, &json!("spam"), &json!(["Akismet calls it spam."]))
            );
            service.says(200, "false");
            let (status, ham, _) = post(app, &admin, &article, "a good point").await;
            assert_eq!(status, 201);
            let received = service.take_received();
            assert_eq!(received.len(), 2);
            for (name, value) in [
                ("api_key", KEY),
                ("blog", "https://news.example"),
                ("permalink", "https://news.example/a"),
                ("user_ip", "127.0.0.1"),
                ("comment_type", "comment"),
                ("comment_author", "Ada"),
                ("comment_author_email", "ada@example.org"),
                ("comment_content", "buy now"),
                ("blog_charset", "UTF-8"),
            ] {
                assert_eq!(received[0].field(name).as_deref(), Some(value), "{name}");
            }
            assert_eq!(received[0].path, "/1.1/comment-check");
            // Agreed: nothing is told.
            app.decide(&admin, ham, 1, "reject").await.expect(201);
            app.decide(&admin, ham, 2, "approve").await.expect(201);
            indexed(app, &admin).await;
            assert_eq!((reports(app).await, service.count()), (0, 0));
            // Told later, when it cannot be told at once.
            service.says(503, "");
            app.decide(&admin, spam, 1, "approve").await.expect(201);
            indexed(app, &admin).await;
            eventually("a try", async || service.count() > 0).await;
            assert_eq!(reports(app).await, 1);
            service.says(200, "Thanks for making the web a better place.");
            service.take_received();
            eventually("it is told", async || {
                app.advance(60);
                reports(app).await == 0
            })
            .await;
            // Hours may have gone by.
            let admin = app.sign_in("admin").await;
            app.decide(&admin, ham, 3, "spam").await.expect(201);
            indexed(app, &admin).await;
            eventually("the other is told", async || service.count() >= 2).await;
            let told: Vec<(String, Option<String>)> =
                service.take_received().iter().map(|one| (one.path.clone(), one.field("comment_content"))).collect();
            assert!(told.contains(&("/1.1/submit-ham".to_owned(), Some("buy now".to_owned()))), "{told:?}");
            assert!(told.contains(&("/1.1/submit-spam".to_owned(), Some("a good point".to_owned()))), "{told:?}");
            eventually("nothing is left to be told", async || reports(app).await == 0).await;
        });
    }

    #[test]
    fn a_key_that_is_not_valid_holds_everything() {
        on_each_database(async |app| {
            let (admin, service, article) = (app.admin().await, FakeService::start(), app.article("a").await);
            put(app, &admin, akismet(&service)).await.expect(200);
            service.says(200, "invalid");
            let (status, id, item) = post(app, &admin, &article, "a good point").await;
            assert_eq!((status, &item["screening"]["rules"][0]["effect"]), (202, &json!("hold")));
            // It said nothing about that one, so it is told nothing.
            app.decide(&admin, id, 1, "spam").await.expect(201);
            indexed(app, &admin).await;
            assert_eq!(reports(app).await, 0);
        });
    }
}
