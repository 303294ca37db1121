//! Decisions about many at once, and taking them back: `src/review/many.rs`, `batch.rs`, `chunk.rs`, `undo.rs`.

use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::comments::generate_comments;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::{TestApp, eventually, key_of};
use crate::support::{Answer, form, on_each_database};

const MANY: &str = "/api/v1/review/decisions";

async fn many(app: &TestApp, person: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::POST, MANY).json(body)).await
}

async fn undo(app: &TestApp, person: &Person, id: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::POST, &format!("{MANY}/{id}/undo"))).await
}

async fn preview(app: &TestApp, person: &Person, filter: &Value) -> Answer {
    let body = json!({ "decision": "reject", "filter": filter });
    Answer::of(app.request_as(person, Method::POST, &format!("{MANY}/preview")).json(&body)).await
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

async fn status(app: &TestApp, person: &Person, id: i64) -> Value {
    one(app, person, id).await["status"].clone()
}

/// So many that wait, on an article of their own.
async fn waiting(app: &TestApp, article: &str, count: usize) -> Vec<i64> {
    let article = app.article(article).await;
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(app.posted(&article, &form(&format!("number {number}"))).await);
    }
    ids
}

fn items(ids: &[i64], version: i64) -> Value {
    ids.iter().map(|id| json!({ "id": id, "expected_version": version })).collect()
}

/// Made-up comments on two articles; how many of them wait.
async fn generated(app: &TestApp, admin: &Person, count: u64) -> u64 {
    let keys = ["a", "b"];
    for key in keys {
        app.article(key).await;
    }
    generate_comments(&app.app, &key_of("main"), keys.map(key_of).to_vec(), count, |_| {}).await.unwrap();
    preview(app, admin, &json!({})).await.expect(200).json()["count"].as_u64().unwrap()
}

async fn done(app: &TestApp, person: &Person, location: &str) -> Value {
    let path = location.split_once("/api/").map(|(_, path)| format!("/api/{path}")).unwrap();
    eventually("the batch is done", async || app.get_as(person, &path).await.json()["state"] == "done").await;
    app.get_as(person, &path).await.expect(200).json()
}

/// Every published count of every article is what a recount finds.
async fn assert_counts(app: &TestApp, articles: &[&str]) {
    for key in articles {
        let article = format!("/api/v1/sites/main/articles/{key}");
        let counted = app.get(&article).await.json()["comments"].as_u64().unwrap();
        let (mut listed, mut page) = (0, format!("{article}/comments?view=flat&limit=100"));
        loop {
            let answer = app.get(&page).await.expect(200).json();
            listed += answer["items"].as_array().unwrap().len() as u64;
            let Some(next) = answer["next"].as_str() else { break };
            page = format!("{article}/comments?view=flat&limit=100&cursor={next}");
        }
        assert_eq!(listed, counted, "{key}");
    }
}

mod by_id {
    use super::*;

    #[test]
    fn each_comment_is_decided_or_left_alone_and_the_answer_says_which() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let person = app.moderator().await;
            app.site("other").await;
            let foreign_article = app.article_on("other", "x").await;
            let foreign = app.posted(&foreign_article, &form("elsewhere")).await;
            let ids = waiting(app, "a", 4).await;
            app.decide(&admin, ids[1], 1, "approve").await.expect(201);
            app.decide(&admin, ids[2], 1, "reject").await.expect(201);
            let body = json!({ "decision": "reject", "reason": "off-topic", "message": "Not here.", "items": [
                { "id": ids[0], "expected_version": 1 },
                { "id": ids[1], "expected_version": 1 },
                { "id": ids[2], "expected_version": 2 },
                { "id": foreign, "expected_version": 1 },
                { "id": 9_007_199_254_740_991_i64, "expected_version": 1 },
                { "id": ids[0], "expected_version": 2 },
            ] });
            let answer = many(app, &person, &body).await.expect(201);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let batch = answer.json();
            assert_eq!((&batch["state"], &batch["done"], &batch["total"]), (&json!("done"), &json!(6), &json!(6)));
            let wanted = json!([
                { "id": ids[0], "outcome": 200, "version": 2 },
                { "id": ids[1], "outcome": 409, "version": 2 },
                { "id": ids[2], "outcome": 200, "version": 2 },
                { "id": foreign, "outcome": 404, "version": null },
                { "id": 9_007_199_254_740_991_i64, "outcome": 404, "version": null },
                { "id": ids[0], "outcome": 409, "version": 1 },
            ]);
            assert_eq!(batch["results"], wanted);
            let decided = one(app, &person, ids[0]).await;
            let line = &decided["decisions"][1];
            assert_eq!((&decided["status"], &line["reason"]), (&json!("rejected"), &json!("off-topic")));
            assert_eq!((&line["message"], &line["by"]), (&json!("Not here."), &json!("moderator")));
            assert_eq!(one(app, &person, ids[2]).await["decisions"].as_array().unwrap().len(), 2, "it was so already");
            assert_eq!(status(app, &admin, foreign).await, "pending");
        });
    }

    #[test]
    fn approving_many_publishes_them_and_counts_them() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 12).await;
            assert_eq!(app.get("/api/v1/sites/main/articles/a/comments").await.json()["items"], json!([]));
            let answer = many(app, &person, &json!({ "decision": "approve", "items": items(&ids, 1) })).await;
            let results = answer.expect(201).json()["results"].clone();
            assert!(results.as_array().unwrap().iter().all(|result| result["outcome"] == 200), "{results}");
            let thread = app.get("/api/v1/sites/main/articles/a/comments").await.json();
            assert_eq!(thread["items"].as_array().unwrap().len(), 12);
            assert_counts(app, &["a"]).await;
        });
    }

    #[test]
    fn whole_threads_come_and_go_and_come_back_as_they_were() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let mut ids = Vec::new();
            let mut parent = None;
            for number in 0..4 {
                let mut body = form(&format!("level {number}"));
                body["parent_id"] = json!(parent);
                let id = app.posted(&article, &body).await;
                app.approve(&person, id).await;
                ids.push(id);
                parent = Some(id);
            }
            let thread = |app: &TestApp| app.request(Method::GET, "/api/v1/sites/main/articles/a/comments?view=tree");
            let before = Answer::of(thread(app)).await.json();
            let batch = many(app, &person, &json!({ "decision": "trash", "items": items(&ids, 2) })).await.expect(201);
            assert_eq!(Answer::of(thread(app)).await.json()["items"], json!([]));
            assert_counts(app, &["a"]).await;
            let undone = undo(app, &person, &batch.json()["id"]).await.expect(200).json();
            assert!(undone["results"].as_array().unwrap().iter().all(|result| result["outcome"] == 200), "{undone}");
            assert_eq!(Answer::of(thread(app)).await.json(), before);
            assert_counts(app, &["a"]).await;
        });
    }

    #[test]
    fn what_is_wrong_is_said_of_its_place_and_nothing_is_decided() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 1).await;
            let body = json!({ "decision": "destroy", "reason": "boredom", "surprise": 1, "items": [
                { "id": ids[0], "expected_version": 1 }, { "id": "x" }, 7, { "id": ids[0], "expected_version": 0, "more": 1 },
            ] });
            many(app, &person, &body).await.expect_faults(&[
                ("/decision", "choice"),
                ("/items/2", "type"),
                ("/surprise", "unknown"),
            ]);
            let body = json!({ "decision": "reject", "items": [
                { "id": ids[0], "expected_version": 1 }, { "id": "x" }, { "id": ids[0], "expected_version": 0, "more": 1 },
            ] });
            many(app, &person, &body).await.expect_faults(&[
                ("/items/1/expected_version", "required"),
                ("/items/1/id", "type"),
                ("/items/2/expected_version", "range"),
                ("/items/2/more", "unknown"),
            ]);
            let body = json!({ "decision": null, "items": [{ "id": null, "expected_version": 1 }] });
            many(app, &person, &body).await.expect_faults(&[("/decision", "required"), ("/items/0/id", "required")]);
            let body = json!({ "decision": "reject", "reason": "boredom", "items": items(&ids, 1) });
            many(app, &person, &body).await.expect_faults(&[("/reason", "choice")]);
            many(app, &person, &json!({ "decision": "reject" })).await.expect_faults(&[("/items", "required")]);
            let both = json!({ "decision": "reject", "items": [], "filter": {}, "expected_count": 1 });
            many(app, &person, &both).await.expect_faults(&[("/filter", "not_both")]);
            let no_count = json!({ "decision": "reject", "filter": { "status": "pending" } });
            many(app, &person, &no_count).await.expect_faults(&[("/expected_count", "required")]);
            let wrong =
                json!({ "decision": "reject", "filter": { "status": "lost", "colour": "red" }, "expected_count": 1 });
            many(app, &person, &wrong)
                .await
                .expect_faults(&[("/filter/colour", "unknown"), ("/filter/status", "choice")]);
            assert_eq!(status(app, &person, ids[0]).await, "pending");
        });
    }

    #[test]
    fn the_same_key_gets_the_same_batch_and_another_request_is_refused() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 3).await;
            let send = |body: Value| {
                app.request_as(&person, Method::POST, MANY).header("Idempotency-Key", "again").json(&body)
            };
            let body = json!({ "decision": "spam", "items": items(&ids, 1) });
            let first = Answer::of(send(body.clone())).await.expect(201).json();
            assert_eq!(Answer::of(send(body)).await.expect(201).json(), first);
            assert_eq!(one(app, &person, ids[0]).await["version"], 2);
            let other = json!({ "decision": "approve", "items": items(&ids, 2) });
            Answer::of(send(other)).await.expect_problem(422, "idempotency-key-reused");
        });
    }

    #[test]
    fn of_many_who_decide_the_same_comments_one_wins_each() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 30).await;
            let decisions = ["approve", "reject", "spam", "trash", "approve", "reject"];
            let tries = decisions.map(|decision| {
                let body = json!({ "decision": decision, "items": items(&ids, 1) });
                let person = &person;
                async move { many(app, person, &body).await.expect(201).json() }
            });
            let answers = join_all(tries).await;
            for (index, id) in ids.iter().enumerate() {
                let wins = answers.iter().filter(|answer| answer["results"][index]["outcome"] == 200).count();
                assert_eq!(wins, 1, "{id}");
                let comment = one(app, &person, *id).await;
                assert_eq!((&comment["version"], comment["decisions"].as_array().unwrap().len()), (&json!(2), 2));
                assert_eq!(comment["decisions"][1]["to"], comment["status"]);
            }
            assert_counts(app, &["a"]).await;
        });
    }
}

mod by_filter {
    use super::*;

    #[test]
    fn what_a_preview_counted_is_decided_in_the_background_and_taken_back_as_one() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let pending = generated(app, &admin, 15_000).await;
            assert!(pending > 1_000, "{pending}");
            let shown = preview(app, &admin, &json!({ "status": ["pending"] })).await.expect(200).json();
            assert_eq!((&shown["count"], shown["sample"].as_array().unwrap().len()), (&json!(pending), 5));
            let body = json!({ "decision": "reject", "reason": "spam", "filter": {}, "expected_count": pending });
            let answer = many(app, &admin, &body).await.expect(202);
            let batch = done(app, &admin, answer.header("location").unwrap()).await;
            assert_eq!((&batch["done"], &batch["total"]), (&json!(pending), &json!(pending)));
            let results = batch["results"].as_array().unwrap();
            assert_eq!(results.len() as u64, pending);
            assert!(results.iter().all(|result| result["outcome"] == 200));
            assert_eq!(preview(app, &admin, &json!({})).await.json()["count"], 0);

            let again = results[0]["id"].as_i64().unwrap();
            app.decide(&admin, again, 2, "approve").await.expect(201);
            let undone = undo(app, &admin, &batch["id"]).await.expect(200).json();
            let outcomes = |outcome: u64| {
                undone["results"].as_array().unwrap().iter().filter(|result| result["outcome"] == outcome).count()
                    as u64
            };
            assert_eq!((outcomes(200), outcomes(409)), (pending - 1, 1));
            assert_eq!(status(app, &admin, again).await, "approved");
            assert_eq!(preview(app, &admin, &json!({})).await.json()["count"], pending - 1);
            assert_counts(app, &["a", "b"]).await;
        });
    }

    /// What somebody began ends with the right to it, however much is left.
    #[test]
    fn a_batch_stops_when_its_moderator_is_disabled_or_may_no_longer() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("other").await;
            let pending = generated(app, &admin, 20_000).await;
            let changes = [
                json!({ "role": "reviewer-without-emails" }),
                json!({ "disabled": true }),
                json!({ "sites": ["other"] }),
            ];
            for ((number, change), outcome) in (1..).zip(changes).zip([403, 403, 404]) {
                let person = app.person(&format!("m{number}"), Role::Moderator, &["main"]).await;
                let me = app.get_as(&person, "/api/v1/me").await.json()["id"].clone();
                let left = preview(app, &admin, &json!({})).await.json()["count"].as_u64().unwrap();
                assert_eq!(left, pending);
                let body = json!({ "decision": "reject", "filter": {}, "expected_count": left });
                let batch = many(app, &person, &body).await.expect(202);
                let path = format!("/api/v1/moderators/{me}");
                let changed = app.request_as(&admin, Method::PATCH, &path).json(&change);
                Answer::of(changed).await.expect(200);
                let batch = done(app, &admin, batch.header("location").unwrap()).await;
                let outcomes: Vec<&Value> =
                    batch["results"].as_array().unwrap().iter().map(|result| &result["outcome"]).collect();
                let decided = outcomes.iter().take_while(|outcome| **outcome == 200).count();
                assert!(decided < outcomes.len(), "{change}: it went on");
                assert!(outcomes[decided..].iter().all(|left| *left == outcome), "{change}");
                let now = preview(app, &admin, &json!({})).await.json()["count"].as_u64().unwrap();
                assert_eq!(now, left - decided as u64, "{change}");
                // What changed nothing is nothing to take back, for others than who made it.
                let undone = undo(app, &admin, &batch["id"]).await;
                undone.expect(if decided == 0 { 404 } else { 200 });
            }
        });
    }

    #[test]
    fn a_number_that_moved_is_told_and_nothing_is_done() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 3).await;
            let body = json!({ "decision": "reject", "filter": { "article": "a" }, "expected_count": 2 });
            let problem = many(app, &person, &body).await.expect_problem(409, "conflict");
            assert_eq!(problem["count"], 3);
            assert_eq!(status(app, &person, ids[0]).await, "pending");
            let body = json!({ "decision": "reject", "filter": { "article": ["a"] }, "expected_count": 3 });
            many(app, &person, &body).await.expect(201);
            assert_eq!(status(app, &person, ids[0]).await, "rejected");
        });
    }

    #[test]
    fn a_filter_is_for_moderators_and_finds_only_their_sites() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("other").await;
            let reviewer = app.person("ruth", Role::ReviewerWithoutEmails, &["main"]).await;
            let person = app.moderator().await;
            let foreign = app.article_on("other", "x").await;
            let foreign = app.posted(&foreign, &form("elsewhere")).await;
            let ids = waiting(app, "a", 1).await;
            let body = json!({ "decision": "reject", "filter": { "status": "any" }, "expected_count": 1 });
            many(app, &reviewer, &body).await.expect_problem(403, "forbidden");
            preview(app, &reviewer, &json!({})).await.expect_problem(403, "forbidden");
            many(app, &person, &body).await.expect(201);
            assert_eq!(status(app, &person, ids[0]).await, "rejected");
            assert_eq!(status(app, &admin, foreign).await, "pending");
            let by_id = json!({ "decision": "approve", "items": items(&ids, 2) });
            many(app, &reviewer, &by_id).await.expect(201);
        });
    }
}

mod four_eyes {
    use super::*;

    /// The site wants two moderators to agree that something is hate or illegal.
    async fn want_two(app: &TestApp, admin: &Person) {
        let body = json!({ "four_eyes": ["hate", "illegal"] });
        let put = app.request_as(admin, Method::PUT, "/api/v1/sites/main/settings").json(&body);
        Answer::of(put).await.expect(200);
    }

    #[test]
    fn a_decision_for_such_a_reason_takes_effect_when_a_second_moderator_makes_it() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            want_two(app, &admin).await;
            let (first, second) = (app.moderator().await, app.person("second", Role::Moderator, &["main"]).await);
            let ids = waiting(app, "a", 2).await;
            let hate = json!({ "decision": "reject", "reason": "hate" });
            let waits = app.decide_with(&first, ids[0], 1, &hate).await.expect(202).json();
            let wanted = json!({ "comment_id": ids[0], "by": "moderator", "from": "pending", "to": "rejected",
                "reason": "hate", "version": 1 });
            assert_eq!(waits, wanted);
            assert_eq!(one(app, &first, ids[0]).await["version"], 1);
            app.decide_with(&first, ids[0], 1, &hate).await.expect_problem(409, "conflict");
            // Another reason, or another decision, is not the same opinion.
            app.decide_with(&second, ids[0], 1, &json!({ "decision": "reject", "reason": "illegal" }))
                .await
                .expect(202);
            app.decide_with(&first, ids[0], 1, &hate).await.expect(202);
            let line = app.decide_with(&second, ids[0], 1, &hate).await.expect(201).json();
            assert_eq!((&line["by"], &line["to"]), (&json!("second"), &json!("rejected")));
            // Whatever asks for no second opinion is decided at once.
            app.decide_with(&first, ids[1], 1, &json!({ "decision": "reject", "reason": "spam" })).await.expect(201);
        });
    }

    #[test]
    fn a_first_opinion_that_is_sent_again_gets_the_same_answer_after_the_second() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            want_two(app, &admin).await;
            let (first, second) = (app.moderator().await, app.person("second", Role::Moderator, &["main"]).await);
            let ids = waiting(app, "a", 1).await;
            app.decide(&admin, ids[0], 1, "approve").await.expect(201);
            let hate = json!({ "decision": "reject", "reason": "hate" });
            let ask = async || {
                let path = format!("/api/v1/review/comments/{}/decisions", ids[0]);
                let request = app.request_as(&first, Method::POST, &path).header("if-match", "\"2\"");
                Answer::of(request.header("idempotency-key", "k").json(&hate)).await.expect(202)
            };
            let once = ask().await;
            assert_eq!((&once.json()["from"], &once.json()["version"]), (&json!("approved"), &json!(2)));
            app.decide_with(&second, ids[0], 2, &hate).await.expect(201);
            app.decide(&admin, ids[0], 3, "spam").await.expect(201);
            let again = ask().await;
            assert_eq!((again.json(), again.header("etag")), (once.json(), once.header("etag")));
        });
    }

    #[test]
    fn an_opinion_about_another_version_does_not_count() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            want_two(app, &admin).await;
            let (first, second) = (app.moderator().await, app.person("second", Role::Moderator, &["main"]).await);
            let ids = waiting(app, "a", 1).await;
            let hate = json!({ "decision": "reject", "reason": "hate" });
            app.decide_with(&first, ids[0], 1, &hate).await.expect(202);
            app.decide(&admin, ids[0], 1, "approve").await.expect(201);
            app.decide_with(&second, ids[0], 2, &hate).await.expect(202);
            assert_eq!(status(app, &first, ids[0]).await, "approved");
            app.decide_with(&first, ids[0], 2, &hate).await.expect(201);
        });
    }

    #[test]
    fn many_at_once_do_not_get_round_it() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            want_two(app, &admin).await;
            let (first, second) = (app.moderator().await, app.person("second", Role::Moderator, &["main"]).await);
            let ids = waiting(app, "a", 3).await;
            let body = json!({ "decision": "trash", "reason": "illegal", "items": items(&ids, 1) });
            let outcomes = async |person: &Person| -> Vec<Value> {
                let answer = many(app, person, &body).await.expect(201).json();
                answer["results"].as_array().unwrap().iter().map(|result| result["outcome"].clone()).collect()
            };
            assert_eq!(outcomes(&first).await, [202, 202, 202]);
            assert_eq!(outcomes(&first).await, [409, 409, 409]);
            assert_eq!(status(app, &first, ids[0]).await, "pending");
            assert_eq!(outcomes(&second).await, [200, 200, 200]);
            assert_eq!(status(app, &first, ids[0]).await, "trash");
        });
    }
}

mod taking_back {
    use super::*;

    #[test]
    fn one_decision_goes_back_to_what_was_and_forth_again() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 1).await;
            app.decide(&person, ids[0], 1, "approve").await.expect(201);
            let spam = app.decide(&person, ids[0], 2, "spam").await.expect(201).json();
            let undone = undo(app, &person, &spam["id"]).await.expect(200).json();
            assert_eq!(undone["results"], json!([{ "id": ids[0], "outcome": 200, "version": 4 }]));
            let comment = one(app, &person, ids[0]).await;
            assert_eq!(comment["status"], "approved");
            let line = comment["decisions"].as_array().unwrap().last().unwrap();
            assert_eq!((&line["from"], &line["to"]), (&json!("spam"), &json!("approved")));
            let twice = undo(app, &person, &spam["id"]).await.expect(200).json();
            assert_eq!(twice["results"][0]["outcome"], 409);
            undo(app, &person, &undone["id"]).await.expect(200);
            assert_eq!(status(app, &person, ids[0]).await, "spam");
        });
    }

    #[test]
    fn reviewers_take_back_their_own_and_moderators_everybodys() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ruth = app.person("ruth", Role::ReviewerWithoutEmails, &["main"]).await;
            app.site("other").await;
            let far = app.person("far", Role::Moderator, &["other"]).await;
            let ids = waiting(app, "a", 2).await;
            let of_person = app.decide(&person, ids[0], 1, "reject").await.expect(201).json();
            let of_ruth = app.decide(&ruth, ids[1], 1, "reject").await.expect(201).json();
            undo(app, &ruth, &of_person["id"]).await.expect_problem(403, "forbidden");
            undo(app, &far, &of_person["id"]).await.expect_problem(404, "not-found");
            undo(app, &ruth, &of_ruth["id"]).await.expect(200);
            let again = app.decide(&ruth, ids[1], 3, "reject").await.expect(201).json();
            undo(app, &person, &again["id"]).await.expect(200);
            undo(app, &person, &json!(ids[0])).await.expect_problem(404, "not-found");
            undo(app, &person, &json!(9_007_199_254_740_991_i64)).await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn a_batch_is_shown_to_whoever_made_it() {
        on_each_database(async |app| {
            let (person, admin) = (app.moderator().await, app.admin().await);
            let other = app.person("other", Role::Moderator, &["main"]).await;
            let ids = waiting(app, "a", 2).await;
            let answer = many(app, &person, &json!({ "decision": "spam", "items": items(&ids, 1) })).await.expect(201);
            let batch = answer.json();
            let path = format!("{MANY}/{}", batch["id"]);
            assert_eq!(app.get_as(&person, &path).await.expect(200).json(), batch);
            assert_eq!(app.get_as(&admin, &path).await.expect(200).json(), batch);
            app.get_as(&other, &path).await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn after_a_day_it_is_too_late() {
        on_each_database(async |app| {
            app.moderator().await;
            let ids = waiting(app, "a", 1).await;
            let person = app.sign_in("moderator").await;
            let line = app.decide(&person, ids[0], 1, "reject").await.expect(201).json();
            app.advance(24 * 3600 + 1);
            let person = app.sign_in("moderator").await;
            undo(app, &person, &line["id"]).await.expect_problem(410, "gone");
            assert_eq!(status(app, &person, ids[0]).await, "rejected");
        });
    }

    #[test]
    fn what_counts_again_is_told_with_its_reason_and_message() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let article = app.article("a").await;
            let posted = app.post(&article, &form("a comment")).await.expect(202).json();
            let id = posted["id"].as_i64().unwrap();
            let body = json!({ "decision": "reject", "reason": "abusive", "message": "Please be kind." });
            app.decide_with(&person, id, 1, &body).await.expect(201);
            let approved = app.decide(&person, id, 2, "approve").await.expect(201).json();
            undo(app, &person, &approved["id"]).await.expect(200);
            let token = posted["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let receipt = app.get(&format!("/api/v1/receipts/{token}")).await.expect(200).json();
            assert_eq!((&receipt["status"], &receipt["reason"]), (&json!("rejected"), &json!("abusive")));
            assert_eq!(receipt["message"], "Please be kind.");
            let found = app.get_as(&person, "/api/v1/review/comments?status=rejected&reason=abusive").await.expect(200);
            assert_eq!(found.json()["items"][0]["id"], id);
        });
    }

    #[test]
    fn reports_that_a_decision_answered_wait_again() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 1).await;
            app.approve(&person, ids[0]).await;
            let report = app.request(Method::POST, &format!("/api/v1/comments/{}/reports", ids[0]));
            Answer::of(report.json(&json!({ "reason": "abusive" }))).await.expect(202);
            let line = app.decide(&person, ids[0], 2, "reject").await.expect(201).json();
            assert_eq!(one(app, &person, ids[0]).await["reports"][0]["answered_by"], line["id"]);
            undo(app, &person, &line["id"]).await.expect(200);
            assert_eq!(one(app, &person, ids[0]).await["reports"][0]["answered_by"], Value::Null);
            let reported = app.get_as(&person, "/api/v1/review/comments?status=approved&reported=yes").await.json();
            assert_eq!((&reported["items"][0]["id"], &reported["items"][0]["reports"]), (&json!(ids[0]), &json!(1)));
        });
    }

    #[test]
    fn of_a_batch_over_sites_somebody_takes_back_their_own_and_hears_of_no_other() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let person = app.moderator().await;
            app.site("other").await;
            let foreign = app.article_on("other", "x").await;
            let foreign = app.posted(&foreign, &form("elsewhere")).await;
            let ids = waiting(app, "a", 1).await;
            let all = json!({ "decision": "trash", "items": items(&[foreign, ids[0]], 1) });
            let batch = many(app, &admin, &all).await.expect(201).json();
            let undone = undo(app, &person, &batch["id"]).await.expect(200).json();
            assert_eq!(undone["results"], json!([{ "id": ids[0], "outcome": 200, "version": 3 }]));
            assert_eq!(status(app, &admin, foreign).await, "trash");
        });
    }

    #[test]
    fn a_sweep_leaves_what_staff_wrote() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let ids = waiting(app, "a", 1).await;
            app.approve(&person, ids[0]).await;
            let reply = app.request_as(&person, Method::POST, &format!("/api/v1/review/comments/{}/replies", ids[0]));
            let reply = Answer::of(reply.json(&json!({ "text": "a word from us" }))).await.expect(201).json();
            let ban = json!({ "kind": "name", "value": "Staff", "site": "main", "reason": "an impostor",
                "sweep": { "decision": "spam", "scope": "all" } });
            Answer::of(app.request_as(&person, Method::POST, "/api/v1/bans").json(&ban)).await.expect(201);
            app.get(&format!("/api/v1/comments/{}", reply["id"])).await.expect(200);
        });
    }
}
