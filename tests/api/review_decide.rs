//! Decisions: `src/review/decide.rs`.

use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::review::index_waiting;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

/// Each state with the decision that leads to it.
const STATES: [(&str, &str); 5] =
    [("pending", "hold"), ("approved", "approve"), ("rejected", "reject"), ("spam", "spam"), ("trash", "trash")];

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

fn request(app: &TestApp, person: &Person, id: i64) -> RequestBuilder {
    app.request_as(person, Method::POST, &format!("/api/v1/review/comments/{id}/decisions"))
}

/// A comment that waits, on an article of its own.
async fn waiting(app: &TestApp) -> i64 {
    let article = app.article("a").await;
    app.posted(&article, &form("a comment")).await
}

mod changing {
    use super::*;

    #[test]
    fn a_decision_moves_the_comment_and_says_so() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            app.advance(60);
            let body = json!({ "decision": "reject", "reason": "off-topic", "note": "again", "message": "Not here." });
            let answer = app.decide_with(&person, id, 1, &body).await.expect(201);
            assert_eq!(answer.header("etag"), Some("\"2\""));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let line = answer.json();
            let wanted = json!({
                "id": line["id"],
                "comment_id": id,
                "by": "moderator",
                "from": "pending",
                "to": "rejected",
                "reason": "off-topic",
                "note": "again",
                "message": "Not here.",
                "at": "2026-11-24T12:01:00.000Z",
                "version": 2,
            });
            assert_eq!(line, wanted);
            let now = one(app, &person, id).await;
            assert_eq!((&now["status"], &now["version"]), (&json!("rejected"), &json!(2)));
            assert_eq!(now["decisions"].as_array().unwrap().len(), 2);
            assert_eq!(now["decisions"][1], line);
        });
    }

    #[test]
    fn every_state_becomes_every_other_and_the_same_adds_nothing() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let mut published = 0;
            for (from, into) in STATES {
                for (to, decision) in STATES {
                    let id = app.posted(&article, &form(&format!("{from} to {to}"))).await;
                    let mut version = 1;
                    if from != "pending" {
                        app.decide(&person, id, 1, into).await.expect(201);
                        version = 2;
                    }
                    let before = one(app, &person, id).await;
                    let answer = app.decide(&person, id, version, decision).await;
                    if from == to {
                        let answer = answer.expect(200);
                        assert_eq!(answer.header("etag"), Some(format!("\"{version}\"").as_str()));
                        assert_eq!(answer.json()["to"], to);
                        assert_eq!(one(app, &person, id).await, before, "{from} to {to}");
                    } else {
                        let answer = answer.expect(201);
                        assert_eq!(answer.header("etag"), Some(format!("\"{}\"", version + 1).as_str()));
                        let line = answer.json();
                        assert_eq!((&line["from"], &line["to"]), (&json!(from), &json!(to)));
                        let after = one(app, &person, id).await;
                        assert_eq!((&after["status"], &after["version"]), (&json!(to), &json!(version + 1)));
                    }
                    let public = app.get(&format!("/api/v1/comments/{id}")).await;
                    assert_eq!(public.status, if to == "approved" { 200 } else { 404 }, "{from} to {to}");
                    published += i64::from(to == "approved");
                    assert_eq!(app.get(&article).await.json()["comments"], published, "{from} to {to}");
                }
            }
        });
    }

    #[test]
    fn the_history_has_one_line_for_every_change_each_beginning_where_the_last_ended() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let decisions = ["approve", "spam", "hold", "trash", "approve", "reject"];
            for (version, decision) in (1..).zip(decisions) {
                app.advance(1);
                app.decide(&person, id, version, decision).await.expect(201);
            }
            let lines = one(app, &person, id).await["decisions"].as_array().unwrap().clone();
            assert_eq!(lines.len(), decisions.len() + 1);
            assert_eq!((&lines[0]["from"], &lines[0]["by"]), (&Value::Null, &Value::Null));
            for (number, pair) in lines.windows(2).enumerate() {
                assert_eq!(pair[0]["to"], pair[1]["from"]);
                assert_eq!(pair[1]["version"], number + 2);
                assert_eq!(pair[1]["by"], "moderator");
                assert!(pair[0]["at"].as_str().unwrap() < pair[1]["at"].as_str().unwrap());
            }
        });
    }

    #[test]
    fn what_the_reader_sent_stays_as_it_was() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let body = json!({
                "name": "Ada é 🐎", "email": "ada@example.org", "url": "https://ada.example/?a=1&b=2",
                "comment": "  *Some* text\r\n\r\n<b>with</b> everything  ",
            });
            let post = app.request(Method::POST, &format!("{article}/comments")).header("user-agent", "Tester/1.0 (x)");
            let id = Answer::of(post.json(&body)).await.expect(202).json()["id"].as_i64().unwrap();
            let sent = |one: &Value| {
                let names =
                    ["text", "html", "author", "email", "ip", "user_agent", "created_at", "received_at", "parent"];
                names.map(|name| one[name].clone())
            };
            let before = sent(&one(app, &person, id).await);
            assert_eq!(before[0], body["comment"]);
            let decisions =
                ["approve", "reject", "spam", "hold", "trash", "spam", "approve", "hold", "reject", "trash"];
            for (version, decision) in (1..).zip(decisions) {
                app.advance(1);
                let body = json!({ "decision": decision, "reason": "other", "note": "n", "message": "m" });
                app.decide_with(&person, id, version, &body).await.expect(201);
                assert_eq!(sent(&one(app, &person, id).await), before, "{decision}");
            }
        });
    }

    #[test]
    fn what_is_published_is_read_as_soon_as_it_was_decided() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let id = app.posted(&article, &form("a comment")).await;
            let seen = async || app.get(&format!("{article}/comments")).await.json()["items"].as_array().unwrap().len();
            assert_eq!(seen().await, 0);
            for (version, decision) in (1..).zip(["approve", "hold", "approve", "trash"]) {
                app.decide(&person, id, version, decision).await.expect(201);
                assert_eq!(seen().await, usize::from(decision == "approve"));
            }
        });
    }

    #[test]
    fn the_author_hears_the_reason_and_the_message_and_never_the_note() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let posted = app.post(&article, &form("a comment")).await.expect(202).json();
            let id = posted["id"].as_i64().unwrap();
            let body = json!({ "decision": "reject", "reason": "hate", "note": "SECRET", "message": "Not so." });
            app.decide_with(&person, id, 1, &body).await.expect(201);
            let token = posted["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap();
            let receipt = app.get(&format!("/api/v1/receipts/{token}")).await.expect(200);
            assert!(!receipt.text().contains("SECRET") && !receipt.text().contains("moderator"), "{}", receipt.text());
            let receipt = receipt.json();
            assert_eq!((&receipt["status"], &receipt["reason"]), (&json!("rejected"), &json!("hate")));
            assert_eq!(receipt["message"], "Not so.");
        });
    }
}

mod preconditions {
    use super::*;

    async fn send(app: &TestApp, person: &Person, id: i64, if_match: &str) -> Answer {
        Answer::of(request(app, person, id).header("if-match", if_match).json(&json!({ "decision": "approve" }))).await
    }

    #[test]
    fn a_decision_must_say_which_version_it_is_about() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let without = request(app, &person, id).json(&json!({ "decision": "approve" }));
            Answer::of(without).await.expect_problem(428, "precondition-required");
            send(app, &person, id, "*").await.expect_problem(428, "precondition-required");
            assert_eq!(one(app, &person, id).await["version"], 1);
        });
    }

    #[test]
    fn whoever_comes_late_is_told_how_it_stands_and_changes_nothing() {
        on_each_database(async |app| {
            let (admin, person) = (app.admin().await, app.moderator().await);
            let id = waiting(app).await;
            let early = send(app, &person, id, "\"7\"").await.expect_problem(412, "stale");
            let wanted = json!({
                "status": "pending", "version": 1, "decided_by": null, "decided_at": "2026-11-24T12:00:00.000Z",
            });
            assert_eq!(early["current"], wanted);
            app.advance(5);
            app.decide(&admin, id, 1, "spam").await.expect(201);
            index_waiting(&app.app).await.expect("an author's record that does not change by itself");
            let before = one(app, &person, id).await;
            for decision in ["approve", "reject", "hold", "trash", "spam"] {
                let body = app.decide(&person, id, 1, decision).await.expect_problem(412, "stale");
                let wanted = json!({
                    "status": "spam", "version": 2, "decided_by": "admin", "decided_at": "2026-11-24T12:00:05.000Z",
                });
                assert_eq!(body["current"], wanted, "{decision}");
                assert_eq!(one(app, &person, id).await, before, "{decision}");
            }
        });
    }

    #[test]
    fn a_tag_that_is_not_the_version_matches_nothing() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            for tag in ["W/\"1\"", "\"01x\"", "\"\"", "\"1", "\"-1\"", "\"99999999999999999999\"", "\"2\""] {
                send(app, &person, id, tag).await.expect_problem(412, "stale");
            }
            for no_tag in ["1", "'1'", "x"] {
                send(app, &person, id, no_tag).await.expect_problem(400, "unreadable");
            }
            send(app, &person, id, "\"9\", \"1\"").await.expect(201);
        });
    }
}

mod bodies {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_and_nothing_is_decided() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let long = "x".repeat(2_001);
            for (body, faults) in [
                (json!({}), vec![("/decision", "required")]),
                (json!({ "decision": "delete" }), vec![("/decision", "choice")]),
                (json!({ "decision": "Approve" }), vec![("/decision", "choice")]),
                (json!({ "decision": "approved" }), vec![("/decision", "choice")]),
                (json!({ "decision": 1 }), vec![("/decision", "type")]),
                (json!({ "decision": "reject", "reason": "because" }), vec![("/reason", "choice")]),
                (json!({ "decision": "reject", "reason": ["spam"] }), vec![("/reason", "type")]),
                (json!({ "decision": "reject", "note": long }), vec![("/note", "too_many_characters")]),
                (
                    json!({ "decision": "reject", "message": "é".repeat(2_001) }),
                    vec![("/message", "too_many_characters")],
                ),
                (json!({ "decision": "reject", "note": "a\u{0}b" }), vec![("/note", "nul_character")]),
                (json!({ "decision": "approve", "expected_verison": 1 }), vec![("/expected_verison", "unknown")]),
                (
                    json!({ "decision": "x", "reason": "y", "note": 1, "message": false, "status": "approved" }),
                    vec![
                        ("/decision", "choice"),
                        ("/message", "type"),
                        ("/note", "type"),
                        ("/reason", "choice"),
                        ("/status", "unknown"),
                    ],
                ),
            ] {
                app.decide_with(&person, id, 1, &body).await.expect_faults(&faults);
            }
            assert_eq!(one(app, &person, id).await["decisions"].as_array().unwrap().len(), 1);
        });
    }

    #[test]
    fn a_decision_that_is_null_is_missing() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            app.decide_with(&person, id, 1, &json!({ "decision": null }))
                .await
                .expect_faults(&[("/decision", "required")]);
        });
    }

    #[test]
    fn notes_and_messages_have_two_thousand_characters_not_bytes() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let longest = "é".repeat(2_000);
            let body = json!({ "decision": "reject", "note": longest, "message": longest });
            assert_eq!(app.decide_with(&person, id, 1, &body).await.expect(201).json()["note"], longest);
        });
    }

    #[test]
    fn every_usual_reason_is_taken() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let reasons = [
                "offensive",
                "abusive",
                "spam",
                "advertising",
                "off-topic",
                "personal-data",
                "illegal",
                "misinformation",
                "hate",
                "duplicate",
                "other",
            ];
            for (number, reason) in (1..).zip(reasons) {
                let decision = if number % 2 == 1 { "reject" } else { "hold" };
                let body = json!({ "decision": decision, "reason": reason });
                assert_eq!(app.decide_with(&person, id, number, &body).await.expect(201).json()["reason"], reason);
            }
        });
    }
}

mod replay {
    use super::*;

    async fn send(app: &TestApp, person: &Person, id: i64, version: i64, decision: &str, key: &str) -> Answer {
        let request =
            request(app, person, id).header("if-match", format!("\"{version}\"")).header("idempotency-key", key);
        Answer::of(request.json(&json!({ "decision": decision }))).await
    }

    #[test]
    fn the_same_key_and_body_get_the_same_answer_even_if_it_was_decided_since() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let first = send(app, &person, id, 1, "approve", "k").await.expect(201);
            for decision in ["", "spam"] {
                if !decision.is_empty() {
                    app.decide(&person, id, 2, decision).await.expect(201);
                }
                for key in ["k", "\"k\""] {
                    let again = send(app, &person, id, 1, "approve", key).await.expect(201);
                    assert_eq!(again.json(), first.json());
                    assert_eq!(again.header("etag"), first.header("etag"));
                }
            }
            let now = one(app, &person, id).await;
            assert_eq!((&now["status"], now["decisions"].as_array().unwrap().len()), (&json!("spam"), 3));
        });
    }

    #[test]
    fn the_same_key_with_another_body_or_version_is_refused() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            send(app, &person, id, 1, "approve", "k").await.expect(201);
            send(app, &person, id, 1, "spam", "k").await.expect_problem(422, "idempotency-key-reused");
            send(app, &person, id, 2, "approve", "k").await.expect_problem(422, "idempotency-key-reused");
            assert_eq!(one(app, &person, id).await["status"], "approved");
        });
    }

    #[test]
    fn a_key_is_its_owners_and_its_comments_alone() {
        on_each_database(async |app| {
            let (admin, person) = (app.admin().await, app.moderator().await);
            let article = app.article("a").await;
            let (a, b) = (app.posted(&article, &form("a")).await, app.posted(&article, &form("b")).await);
            send(app, &person, a, 1, "approve", "k").await.expect(201);
            send(app, &person, b, 1, "approve", "k").await.expect(201);
            send(app, &admin, a, 1, "approve", "k").await.expect_problem(412, "stale");
            send(app, &admin, a, 2, "spam", "k").await.expect(201);
        });
    }

    #[test]
    fn what_was_refused_is_not_kept() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            send(app, &person, id, 9, "approve", "k").await.expect(412);
            send(app, &person, id, 1, "spam", "k").await.expect(201);
        });
    }

    #[test]
    fn a_key_has_up_to_128_printable_characters() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            for key in ["", "\"\"", &"k".repeat(129), "é", "a\tb"] {
                send(app, &person, id, 1, "approve", key).await.expect_problem(400, "unreadable");
            }
            send(app, &person, id, 1, "approve", &"k".repeat(128)).await.expect(201);
        });
    }

    #[test]
    fn twenty_at_once_with_one_key_decide_once() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let id = waiting(app).await;
            let answers = join_all((0..20).map(|_| send(app, &person, id, 1, "approve", "k"))).await;
            let mut made = Vec::new();
            for answer in answers {
                match answer.status {
                    201 => made.push(answer.json()["id"].clone()),
                    _ => drop(answer.expect_problem(409, "still-running")),
                }
            }
            assert!(!made.is_empty());
            made.dedup();
            assert_eq!(made.len(), 1);
            assert_eq!(one(app, &person, id).await["version"], 2);
        });
    }
}

mod races {
    use super::*;

    /// R9.
    #[test]
    fn of_twenty_moderators_who_decide_at_once_one_wins() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let mut people = Vec::new();
            for number in 0..20 {
                people.push(app.person(&format!("m{number}"), Role::Moderator, &["main"]).await);
            }
            for round in 0..50 {
                let id = app.posted(&article, &form(&format!("number {round}"))).await;
                let decisions = ["approve", "reject", "spam", "trash"];
                let asked = people.iter().enumerate().map(|(at, person)| app.decide(person, id, 1, decisions[at % 4]));
                let answers = join_all(asked).await;
                let mut winner = None;
                for (at, answer) in answers.into_iter().enumerate() {
                    if answer.status == 201 {
                        assert!(winner.replace((at, answer.json())).is_none(), "two won {id}");
                    } else {
                        let current = &answer.expect_problem(412, "stale")["current"];
                        assert_eq!(current["version"], 2);
                    }
                }
                let (at, line) = winner.expect("one wins");
                let now = one(app, &people[0], id).await;
                assert_eq!(now["version"], 2);
                assert_eq!(now["status"], line["to"]);
                let lines = now["decisions"].as_array().unwrap();
                assert_eq!(lines.len(), 2);
                assert_eq!(lines[1], line);
                assert_eq!(line["by"], format!("m{at}"));
            }
            let approved = app.get_as(&people[0], "/api/v1/review/comments?status=approved&limit=100").await.json();
            let shown = approved["items"].as_array().unwrap().len();
            assert_eq!(app.get(&article).await.json()["comments"], shown);
        });
    }
}
