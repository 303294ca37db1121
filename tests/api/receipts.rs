//! `src/comments/receipt.rs`: what an author hears of a comment, and that nobody else does.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

/// Posts a comment and gives its id and its receipt's token.
async fn posted(app: &TestApp, article: &str, text: &str) -> (i64, String) {
    let body = app.post(article, &form(text)).await.expect(202).json();
    let token = body["receipt_url"]
        .as_str()
        .and_then(|url| url.strip_prefix(&format!("{}/receipts/", app.base)))
        .expect("a receipt")
        .to_owned();
    (body["id"].as_i64().expect("an id"), token)
}

async fn receipt(app: &TestApp, token: &str) -> Value {
    app.get(&format!("/api/v1/receipts/{token}")).await.expect(200).json()
}

async fn page(app: &TestApp, token: &str) -> Answer {
    app.get(&format!("/receipts/{token}")).await.expect(200)
}

mod told {
    use super::*;

    #[test]
    fn a_receipt_has_exactly_the_fields_of_the_contract() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let (id, token) = posted(app, &article, "*Well* said.").await;
            assert_eq!(
                receipt(app, &token).await,
                json!({
                    "id": id,
                    "status": "pending",
                    "reason": null,
                    "message": null,
                    "comment": "*Well* said.",
                    "html": "<p><em>Well</em> said.</p>",
                    "created_at": "2026-11-24T12:00:00.000Z",
                    "editable_until": null,
                    "article": {
                        "site": "main",
                        "key": "a",
                        "title": "The article a",
                        "url": "https://news.example/a",
                    },
                })
            );
        });
    }

    #[test]
    fn each_decision_is_told_in_the_words_meant_for_the_author() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let (id, token) = posted(app, &article, "Whatever becomes of this.").await;
            let waiting = "Your comment is waiting for review";
            let published = "Your comment is published";
            let refused = "Your comment was not published";
            assert!(page(app, &token).await.text().contains(waiting));
            // Who is taken for spam hears what they heard last, and nothing new.
            for (version, decision, status, title, heard) in [
                (1, "approve", "approved", published, 1),
                (2, "reject", "rejected", refused, 2),
                (3, "hold", "pending", waiting, 3),
                (4, "spam", "pending", waiting, 3),
                (5, "trash", "rejected", refused, 5),
                (6, "approve", "approved", published, 6),
            ] {
                let message = format!("A message with <b>tags</b>, number {version}.");
                let body = json!({
                    "decision": decision, "reason": "off-topic", "note": "for colleagues only", "message": message,
                });
                app.decide_with(&admin, id, version, &body).await.expect(201);
                let told = receipt(app, &token).await;
                assert_eq!(told["status"], status, "{decision}");
                assert_eq!(told["message"], format!("A message with <b>tags</b>, number {heard}."), "{decision}");
                let reason = if status == "rejected" { json!("off-topic") } else { json!(null) };
                assert_eq!(told["reason"], reason, "{decision}");
                let page = page(app, &token).await;
                let html = page.text();
                assert!(html.contains(title), "{decision}: {html}");
                assert_eq!(html.contains("It is not about the article."), status == "rejected", "{decision}");
                let escaped = format!("A message with &#60;b&#62;tags&#60;/b&#62;, number {heard}.");
                assert!(html.contains(&escaped), "{decision}: {html}");
                assert_eq!(html.contains(&format!("?comment={id}#comment-{id}")), status == "approved", "{decision}");
                assert!(!html.contains("colleagues") && !told.to_string().contains("colleagues"));
            }
            // A decision without words takes back the words of the one before.
            app.decide(&admin, id, 7, "reject").await.expect(201);
            let told = receipt(app, &token).await;
            assert_eq!((&told["reason"], &told["message"]), (&json!(null), &json!(null)));
        });
    }

    #[test]
    fn who_decided_is_not_told() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let decider = app.person("quisling", rejoinder::accounts::Role::Admin, &[]).await;
            let (id, token) = posted(app, &article, "x").await;
            app.decide(&decider, id, 1, "reject").await.expect(201);
            for text in [receipt(app, &token).await.to_string(), page(app, &token).await.text().to_owned()] {
                assert!(!text.contains("quisling"));
                assert!(!text.contains("ada@example.org"));
                assert!(!text.contains("moderator_id"));
            }
        });
    }
}

mod kept_private {
    use super::*;

    #[test]
    fn a_receipt_is_never_stored_and_its_address_goes_nowhere() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let (_, token) = posted(app, &article, "x").await;
            for path in [format!("/api/v1/receipts/{token}"), format!("/receipts/{token}")] {
                let answer = app.get(&path).await.expect(200);
                assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
                assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
                assert_eq!(answer.header("etag"), None, "{path}");
                assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
            }
            let html = page(app, &token).await;
            assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
            assert!(html.text().contains("<meta name=\"robots\" content=\"noindex\">"));
            assert!(!html.text().contains(&token), "the page repeats its own secret");
        });
    }

    #[test]
    fn a_token_cannot_be_guessed_from_another() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let (_, token) = posted(app, &article, "mine").await;
            let (other, _) = posted(app, &article, "another's").await;
            let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            assert!(bytes.len() >= 24, "at least 128 bits beside the id");
            let mut guesses = Vec::new();
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                guesses.push(URL_SAFE_NO_PAD.encode(flipped));
            }
            let mut of_another = bytes.clone();
            of_another[..8].copy_from_slice(&other.to_be_bytes());
            guesses.push(URL_SAFE_NO_PAD.encode(of_another));
            for length in 0..bytes.len() {
                guesses.push(URL_SAFE_NO_PAD.encode(&bytes[..length]));
            }
            guesses.push(URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat()));
            guesses.extend([
                format!("{token}="),
                format!("{token}A"),
                format!("%20{token}"),
                token.to_lowercase(),
                other.to_string(),
                "x".repeat(5_000),
                "%00".to_owned(),
                "%ff".to_owned(),
                "..%2f..%2fetc".to_owned(),
            ]);
            let mut bodies = HashSet::new();
            for guess in guesses.iter().filter(|guess| !guess.is_empty()) {
                for path in [format!("/api/v1/receipts/{guess}"), format!("/receipts/{guess}")] {
                    let answer = app.get(&path).await;
                    assert_eq!(answer.status, 404, "{path}");
                    bodies.insert(answer.without_trace());
                }
            }
            assert_eq!(bodies.len(), 1, "every wrong token is answered alike: {bodies:?}");
            app.get(&format!("/receipts/{token}")).await.expect(200);
        });
    }

    #[test]
    fn only_reading_is_possible() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let (_, token) = posted(app, &article, "x").await;
            let head = Answer::of(app.request(reqwest::Method::HEAD, &format!("/receipts/{token}"))).await.expect(200);
            assert!(head.body.is_empty());
            for method in [reqwest::Method::POST, reqwest::Method::PUT] {
                let answer = Answer::of(app.request(method, &format!("/api/v1/receipts/{token}"))).await;
                answer.expect_problem(405, "method-not-allowed");
            }
        });
    }
}
