//! The filter of a site learns from decisions and from nothing else, exactly, and says what it knows.

use diesel::prelude::*;
use rejoinder::accounts::Role;
use rejoinder::screening::Policy;
use rejoinder::sites::SetSite;
use rejoinder::store::StoreError;
use rejoinder::store::schema::comments;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, eventually, form, on_each_database};

const SCREENING: &str = "/api/v1/sites/main/screening";

fn spam(number: usize) -> String {
    format!("Subscribe to my channel for free gift cards, number {number}: http://cards{number}.example/win")
}

fn good(number: usize) -> String {
    format!("I remember this bridge from my childhood, we crossed it {number} times on the way to school")
}

async fn set_policy(app: &TestApp, policy: Policy) {
    app.set_site("main", SetSite { policy: Some(policy), ..SetSite::default() }).await;
}

/// Posts them, and gives their ids.
async fn posted(app: &TestApp, article: &str, texts: impl Iterator<Item = String>) -> Vec<i64> {
    let mut ids = Vec::new();
    for text in texts {
        ids.push(app.posted(article, &form(&text)).await);
    }
    ids
}

/// Decides about many at version 1; gives the id by which that can be undone.
async fn decide_many(app: &TestApp, person: &Person, decision: &str, ids: &[i64]) -> i64 {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "expected_version": 1 })).collect();
    let body = json!({ "decision": decision, "items": items });
    let answer = Answer::of(app.request_as(person, Method::POST, "/api/v1/review/decisions").json(&body)).await;
    answer.expect(201).json()["id"].as_i64().expect("an id")
}

async fn undo(app: &TestApp, person: &Person, id: i64) {
    let path = format!("/api/v1/review/decisions/{id}/undo");
    Answer::of(app.request_as(person, Method::POST, &path)).await.expect(200);
}

async fn state(app: &TestApp, person: &Person) -> Value {
    app.get_as(person, SCREENING).await.expect(200).json()
}

/// A comment as moderators see it.
async fn item(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

/// Teaches a site's filter so much of each kind.
async fn teach(app: &TestApp, person: &Person, article: &str, count: usize) {
    let ids = posted(app, article, (0..count).map(good)).await;
    decide_many(app, person, "approve", &ids).await;
    let ids = posted(app, article, (0..count).map(spam)).await;
    decide_many(app, person, "spam", &ids).await;
    app.learned().await;
}

mod what_teaches {
    use super::*;

    #[test]
    fn a_comment_teaches_the_last_that_was_said_of_it() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            let ids = posted(app, &article, (0..3).map(good)).await;
            app.approve(&admin, ids[0]).await;
            app.decide(&admin, ids[1], 1, "reject").await.expect(201);
            assert_eq!(app.learned().await.counts.comments, [1, 0]);
            let before = app.learned().await.counts;

            app.decide(&admin, ids[2], 1, "spam").await.expect(201);
            assert_eq!(app.learned().await.counts.comments, [1, 1]);
            app.decide(&admin, ids[2], 2, "approve").await.expect(201);
            assert_eq!(app.learned().await.counts.comments, [2, 0]);
            app.decide(&admin, ids[2], 3, "hold").await.expect(201);
            assert!(app.learned().await.counts == before, "as if it had never been decided");
            app.decide(&admin, ids[0], 2, "trash").await.expect(201);
            assert_eq!(app.learned().await.counts.comments, [0, 0]);
        });
    }

    #[test]
    fn what_is_undone_is_unlearned_and_what_was_said_before_counts_again() {
        on_each_database(async |app| {
            let (admin, lead) = (app.admin().await, app.person("lead", Role::Lead, &["main"]).await);
            let article = app.article("a").await;
            let ids = posted(app, &article, (0..20).map(good)).await;
            let batch = decide_many(app, &admin, "approve", &ids).await;
            let before = app.learned().await.counts;
            assert_eq!(before.comments, [20, 0]);
            let wrong = app.decide(&lead, ids[0], 2, "spam").await.expect(201).json()["id"].as_i64().unwrap();
            assert_eq!(app.learned().await.counts.comments, [19, 1]);
            undo(app, &lead, wrong).await;
            assert!(app.learned().await.counts == before);
            let by = &state(app, &admin).await["taught_by"];
            assert_eq!(
                *by,
                json!([{ "moderator": "admin", "good": 20, "spam": 0, "set_aside": 0 }]),
                "whose word it was"
            );

            undo(app, &admin, batch).await;
            let left = app.learned().await.counts;
            // One was decided again since, by the two decisions above.
            assert_eq!(left.comments, [1, 0]);
        });
    }

    #[test]
    fn what_only_screening_decided_teaches_nothing() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            set_policy(app, Policy::PublishFirst).await;
            posted(app, &article, (0..3).map(good)).await;
            let body = json!({ "kind": "name", "value": "Ada", "site": "main", "reason": "a test" });
            Answer::of(app.request_as(&admin, Method::POST, "/api/v1/bans").json(&body)).await.expect(201);
            posted(app, &article, (3..5).map(good)).await;
            assert_eq!(app.learned().await.counts.comments, [0, 0]);
        });
    }
}

mod what_is_decided {
    use super::*;

    #[test]
    fn nothing_is_decided_before_fifty_of_each_kind_and_the_reason_says_how_many_there_are() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            set_policy(app, Policy::Screened).await;
            let first = app.posted(&article, &form("the first")).await;
            let reasons = item(app, &admin, first).await["reasons"].clone();
            assert_eq!(reasons, json!(["The filter has not learnt enough yet (0 of 50 approved, 0 of 50 spam)."]));
            let ids = posted(app, &article, (0..12).map(good)).await;
            decide_many(app, &admin, "approve", &ids).await;
            let ids = posted(app, &article, (0..3).map(spam)).await;
            decide_many(app, &admin, "spam", &ids).await;
            app.learned().await;
            let last = app.posted(&article, &form(&spam(99))).await;
            let item = item(app, &admin, last).await;
            assert_eq!(
                item["reasons"],
                json!(["The filter has not learnt enough yet (12 of 50 approved, 3 of 50 spam)."])
            );
            assert!(item["risk"].as_f64().unwrap() > 0.5, "it has an opinion all the same: {item}");
        });
    }

    #[test]
    fn what_it_knows_is_published_or_put_away_and_explained() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            teach(app, &admin, &article, 150).await;
            let state = state(app, &admin).await;
            assert_eq!((&state["learned"], &state["decides"]), (&json!({ "good": 150, "spam": 150 }), &json!(true)));
            assert_eq!((&state["watermark"], &state["waiting"]), (&json!(300), &json!(0)));
            assert!(state["history"]["left_to_people"].as_f64().unwrap() < 0.7, "{state}");

            set_policy(app, Policy::Screened).await;
            let (mut published, mut put_away) = (0, 0);
            for number in 1_000..1_010 {
                let answer = app.post(&article, &form(&good(number))).await;
                published += usize::from(answer.status == 201);
                let id = app.posted(&article, &form(&spam(number))).await;
                let item = item(app, &admin, id).await;
                let was_drawn = item["screening"]["rules"][0]["rule"] == "drawn";
                put_away += usize::from(item["status"] == "spam" || was_drawn);
                let filter = &item["screening"]["filter"];
                let sum: f64 =
                    filter["tokens"].as_array().unwrap().iter().map(|one| one["weight"].as_f64().unwrap()).sum();
                let sum = sum + filter["prior"].as_f64().unwrap() + filter["rest"].as_f64().unwrap();
                assert!((sum - filter["score"].as_f64().unwrap()).abs() < 1e-9, "{filter}");
                assert!(filter["tokens"].as_array().unwrap().len() <= 10);
            }
            // One in fifty is drawn for people.
            assert!(published >= 8, "{published} of 10 published");
            assert!(put_away >= 9, "{put_away} of 10 put away");

            set_policy(app, Policy::HoldAll).await;
            let held = app.posted(&article, &form(&spam(2_000))).await;
            let item = item(app, &admin, held).await;
            assert_eq!(item["status"], "pending", "there it only sorts");
            assert!(item["risk"].as_f64().unwrap() > 0.9, "{item}");
        });
    }

    #[test]
    fn a_filter_is_the_same_when_it_was_read_again() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            teach(app, &admin, &article, 60).await;
            let before = state(app, &admin).await;
            // What was taken back has it read anew.
            let id = app.posted(&article, &form("something else entirely")).await;
            app.approve(&admin, id).await;
            app.learned().await;
            app.decide(&admin, id, 2, "hold").await.expect(201);
            app.learned().await;
            eventually("it is read again", async || state(app, &admin).await["history"] == before["history"]).await;
            assert_eq!(state(app, &admin).await["thresholds"], before["thresholds"]);
        });
    }

    #[test]
    fn the_desk_is_told_how_often_the_filter_had_foreseen_what_people_decide() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            let stats =
                async || app.get_as(&admin, "/api/v1/review/stats").await.expect(200).json()["agreement"].clone();
            assert_eq!(stats().await, Value::Null);
            teach(app, &admin, &article, 60).await;
            assert!(stats().await.as_f64().unwrap() > 0.8, "{}", stats().await);
        });
    }
}

mod taken_back {
    use super::*;

    #[test]
    fn what_one_moderator_taught_wrongly_is_taken_back_exactly() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            let wrong = app.moderator().await;
            teach(app, &admin, &article, 60).await;
            let before = app.learned().await.counts;
            let ids = posted(app, &article, (10_000..10_500).map(spam)).await;
            decide_many(app, &wrong, "approve", &ids).await;
            let taught = app.learned().await;
            let approved = taught.counts.comments[0] - 60;
            assert_eq!(approved + i64::try_from(taught.set_aside).unwrap(), 500);

            let mut spam_still = 0;
            for number in 20_000..20_020 {
                let id = app.posted(&article, &form(&spam(number))).await;
                spam_still += usize::from(item(app, &admin, id).await["risk"].as_f64().unwrap() > 0.5);
            }
            assert!(spam_still >= 10, "{spam_still} of 20 are spam still, {approved} wrong approvals were learned");

            let path = format!("{SCREENING}/training?moderator=moderator");
            let answer = Answer::of(app.request_as(&admin, Method::DELETE, &path)).await.expect(200);
            assert_eq!(answer.json(), json!({ "decisions": 500 }));
            assert!(app.learned().await.counts == before);
            app.sealed().await;
            let entries = app.get_as(&admin, "/api/v1/audit?action=training-taken-back").await.expect(200).json();
            assert_eq!(entries["items"][0]["facts"]["decisions"], 500, "{entries}");
            let nobody = format!("{SCREENING}/training?moderator=nobody");
            let answer = Answer::of(app.request_as(&admin, Method::DELETE, &nobody)).await;
            answer.expect_faults(&[("/moderator", "choice")]);
        });
    }
}

mod the_spam_folder {
    use super::*;

    /// Status, text, email and name.
    type Left = (String, String, Option<String>, String);

    #[test]
    fn spam_loses_its_words_after_thirty_days_and_nobody_is_told() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            let answer = app.post(&article, &form(&spam(1))).await.expect(202).json();
            let (old, receipt) = (answer["id"].as_i64().unwrap(), answer["receipt_url"].as_str().unwrap());
            let receipt = format!("/api/v1/receipts/{}", receipt.rsplit('/').next().unwrap());
            app.decide(&admin, old, 1, "spam").await.expect(201);
            let reply = app.posted(&article, &form(&good(1))).await;
            app.approve(&admin, reply).await;
            let learned = app.learned().await.counts;
            app.advance(20 * 24 * 60 * 60);
            let admin = app.sign_in("admin").await;
            let young = app.posted(&article, &form(&spam(2))).await;
            app.decide(&admin, young, 1, "spam").await.expect(201);
            app.advance(11 * 24 * 60 * 60);
            rejoinder::jobs::run_once(&app.app).await.unwrap();

            let admin = app.sign_in("admin").await;
            let folder = app.get_as(&admin, "/api/v1/review/comments?status=spam").await.expect(200).json();
            let ids: Vec<i64> =
                folder["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
            assert_eq!(ids, [young]);
            let kept: Result<Left, StoreError> = app
                .app
                .store
                .read(move |conn| {
                    let columns = (comments::status, comments::text, comments::email, comments::name);
                    Ok(comments::table
                        .filter(comments::id.eq(rejoinder::kit::ids::CommentId::new(old)))
                        .select(columns)
                        .first(conn)?)
                })
                .await;
            assert_eq!(kept.unwrap(), ("erased".to_owned(), String::new(), None, String::new()));
            assert_eq!(app.get(&receipt).await.expect(200).json()["status"], "pending");
            assert_eq!(app.learned().await.counts.comments, [learned.comments[0], learned.comments[1] + 1]);
            assert_eq!(
                app.get(&format!("{article}/comments")).await.expect(200).json()["items"].as_array().unwrap().len(),
                1
            );
        });
    }
}
