//! Claims and the next comment: `src/review/claims.rs`.

use std::collections::BTreeSet;

use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::jobs;
use rejoinder::store::StoreError;
use rejoinder::store::schema::claims;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

async fn claim(app: &TestApp, person: &Person, id: i64) -> Answer {
    Answer::of(app.request_as(person, Method::POST, &format!("/api/v1/review/comments/{id}/claim"))).await
}

async fn release(app: &TestApp, person: &Person, id: i64) -> Answer {
    Answer::of(app.request_as(person, Method::DELETE, &format!("/api/v1/review/comments/{id}/claim"))).await
}

async fn next_of(app: &TestApp, person: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::POST, "/api/v1/review/next").json(body)).await
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

/// Two moderators and comments that wait, one a minute.
async fn desk(app: &TestApp, count: usize) -> (Person, Person, Vec<i64>) {
    let article = app.article("a").await;
    let mut waiting = Vec::new();
    for number in 0..count {
        waiting.push(app.posted(&article, &form(&format!("number {number}"))).await);
        app.advance(60);
    }
    (app.moderator().await, app.person("other", Role::Moderator, &["main"]).await, waiting)
}

mod claiming {
    use super::*;

    #[test]
    fn a_claim_lasts_five_minutes_and_is_renewed_by_asking_again() {
        on_each_database(async |app| {
            let (person, other, waiting) = desk(app, 1).await;
            let id = waiting[0];
            assert_eq!(one(app, &other, id).await["claim"], Value::Null);
            let answer = claim(app, &person, id).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let wanted = json!({ "by": "moderator", "expires_at": "2026-11-24T12:06:00.000Z" });
            assert_eq!(answer.json(), wanted);
            let seen = one(app, &other, id).await;
            assert_eq!(
                (&seen["claim"], &seen["claimed_by"], &seen["version"]),
                (&wanted, &json!("moderator"), &json!(1))
            );
            app.advance(240);
            let wanted = json!({ "by": "moderator", "expires_at": "2026-11-24T12:10:00.000Z" });
            assert_eq!(claim(app, &person, id).await.expect(200).json(), wanted);
            app.advance(299);
            assert_eq!(claim(app, &other, id).await.expect_problem(409, "conflict")["claim"], wanted);
            app.advance(1);
            let seen = one(app, &other, id).await;
            assert_eq!((&seen["claim"], &seen["claimed_by"]), (&Value::Null, &Value::Null));
            assert_eq!(claim(app, &other, id).await.expect(200).json()["by"], "other");
            claim(app, &person, id).await.expect_problem(409, "conflict");
        });
    }

    #[test]
    fn only_who_has_it_gives_it_back() {
        on_each_database(async |app| {
            let (person, other, waiting) = desk(app, 1).await;
            let id = waiting[0];
            release(app, &person, id).await.expect(204);
            claim(app, &person, id).await.expect(200);
            assert_eq!(release(app, &other, id).await.expect_problem(409, "conflict")["claim"]["by"], "moderator");
            assert_eq!(one(app, &other, id).await["claimed_by"], "moderator");
            release(app, &person, id).await.expect(204);
            assert_eq!(one(app, &other, id).await["claimed_by"], Value::Null);
            claim(app, &other, id).await.expect(200);
        });
    }

    #[test]
    fn a_decision_by_anybody_ends_it() {
        on_each_database(async |app| {
            let (person, other, waiting) = desk(app, 1).await;
            let id = waiting[0];
            claim(app, &person, id).await.expect(200);
            app.decide(&other, id, 1, "approve").await.expect(201);
            assert_eq!(one(app, &person, id).await["claim"], Value::Null);
            claim(app, &other, id).await.expect(200);
        });
    }

    #[test]
    fn of_many_at_once_one_gets_it() {
        on_each_database(async |app| {
            let (_, _, waiting) = desk(app, 10).await;
            let mut people = Vec::new();
            for number in 0..12 {
                people.push(app.person(&format!("m{number}"), Role::Moderator, &["main"]).await);
            }
            for id in waiting {
                let answers = join_all(people.iter().map(|person| claim(app, person, id))).await;
                let mut holders = BTreeSet::new();
                let mut got = 0;
                for answer in answers {
                    if answer.status == 200 {
                        got += 1;
                        holders.insert(answer.json()["by"].clone().to_string());
                    } else {
                        holders.insert(answer.expect_problem(409, "conflict")["claim"]["by"].clone().to_string());
                    }
                }
                assert_eq!((got, holders.len()), (1, 1), "{holders:?}");
            }
        });
    }

    #[test]
    fn what_has_expired_is_cleared_away() {
        on_each_database(async |app| {
            let (person, _, waiting) = desk(app, 2).await;
            claim(app, &person, waiting[0]).await.expect(200);
            app.advance(100);
            claim(app, &person, waiting[1]).await.expect(200);
            app.advance(200);
            jobs::run_once(&app.app).await.expect("the jobs");
            let left = app
                .app
                .store
                .read(|conn| Ok::<_, StoreError>(claims::table.select(claims::comment_id).load::<i64>(conn)?));
            assert_eq!(left.await.expect("the store"), [waiting[1]]);
        });
    }

    #[test]
    fn what_is_not_there_or_elsewhere_is_404() {
        on_each_database(async |app| {
            app.site("second").await;
            let person = app.moderator().await;
            let article = app.article_on("second", "a").await;
            let id = app.posted(&article, &form("elsewhere")).await;
            for id in [id, 999_999] {
                claim(app, &person, id).await.expect_problem(404, "not-found");
                release(app, &person, id).await.expect_problem(404, "not-found");
            }
        });
    }
}

mod handing_out {
    use super::*;

    #[test]
    fn the_oldest_that_nobody_else_has_comes_next() {
        on_each_database(async |app| {
            let (person, other, waiting) = desk(app, 3).await;
            let first = next_of(app, &person, &json!({})).await.expect(200);
            assert_eq!((first.header("etag"), first.header("cache-control")), (Some("\"1\""), Some("no-store")));
            assert_eq!(first.json(), one(app, &person, waiting[0]).await);
            assert_eq!(first.json()["claim"]["by"], "moderator");
            assert_eq!(next_of(app, &other, &json!({})).await.expect(200).json()["id"], waiting[1]);
            // Until it is decided or given back it is one's own.
            assert_eq!(next_of(app, &person, &json!({})).await.expect(200).json()["id"], waiting[0]);
            app.decide(&person, waiting[0], 1, "approve").await.expect(201);
            assert_eq!(next_of(app, &person, &json!({})).await.expect(200).json()["id"], waiting[2]);
            app.decide(&person, waiting[2], 1, "spam").await.expect(201);
            let none = next_of(app, &person, &json!({})).await.expect(204);
            assert_eq!((none.body.len(), none.header("cache-control")), (0, Some("no-store")));
            app.advance(300);
            assert_eq!(next_of(app, &person, &json!({})).await.expect(200).json()["id"], waiting[1]);
        });
    }

    #[test]
    fn a_filter_says_from_what() {
        on_each_database(async |app| {
            app.site("second").await;
            let admin = app.admin().await;
            let (a, b) = (app.article("a").await, app.article_on("second", "b").await);
            let (first, second) = (app.posted(&a, &form("one")).await, app.posted(&b, &form("two")).await);
            let spam = app.posted(&a, &form("three")).await;
            app.decide(&admin, spam, 1, "spam").await.expect(201);
            for (filter, wanted) in [
                (json!({ "site": "second" }), second),
                (json!({ "site": ["second"], "status": ["spam", "pending"] }), second),
                (json!({ "article": ["a", "c"], "status": "any" }), first),
                (json!({ "status": ["spam"] }), spam),
                (json!({}), first),
            ] {
                let answer = next_of(app, &admin, &json!({ "filter": filter })).await.expect(200);
                assert_eq!(answer.json()["id"], wanted, "{filter}");
            }
            next_of(app, &admin, &json!({ "filter": { "article": "none" } })).await.expect(204);
            next_of(app, &admin, &json!({ "filter": null })).await.expect(200);
        });
    }

    #[test]
    fn a_filter_that_is_wrong_claims_nothing() {
        on_each_database(async |app| {
            let (person, other, waiting) = desk(app, 1).await;
            for (body, faults) in [
                (json!({ "filter": [] }), vec![("/filter", "type")]),
                (json!({ "filter": "pending" }), vec![("/filter", "type")]),
                (json!({ "filter": { "statsu": "pending" } }), vec![("/filter/statsu", "unknown")]),
                (json!({ "filter": { "status": "held" } }), vec![("/filter/status", "choice")]),
                (json!({ "filter": { "since": "yesterday" } }), vec![("/filter/since", "format")]),
                (
                    json!({ "fitler": {}, "filter": { "a/b": 1, "status": 7 } }),
                    vec![("/fitler", "unknown"), ("/filter/a~1b", "unknown"), ("/filter/status", "type")],
                ),
            ] {
                next_of(app, &person, &body).await.expect_faults(&faults);
            }
            assert_eq!(one(app, &other, waiting[0]).await["claim"], Value::Null);
        });
    }

    #[test]
    fn who_may_not_see_what_is_personal_cannot_choose_by_it() {
        on_each_database(async |app| {
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            let article = app.article("a").await;
            app.posted(&article, &form("a comment")).await;
            for filter in [json!({ "email": "ada@example.org" }), json!({ "ip": "127.0.0.1" }), json!({ "ip": null })] {
                next_of(app, &reviewer, &json!({ "filter": filter })).await.expect_problem(403, "forbidden");
            }
            let given = next_of(app, &reviewer, &json!({})).await.expect(200);
            assert!(!given.text().contains("ada@example.org") && !given.text().contains("127.0.0.1\""));
        });
    }

    /// No two are ever given the same, and together they decide everything once.
    #[test]
    fn many_who_ask_at_once_each_get_another() {
        on_each_database(async |app| {
            let (_, _, waiting) = desk(app, 45).await;
            let mut people = Vec::new();
            for number in 0..15 {
                people.push(app.person(&format!("m{number}"), Role::Moderator, &["main"]).await);
            }
            let work = async |person: &Person| {
                let mut mine = Vec::new();
                loop {
                    let answer = next_of(app, person, &json!({})).await;
                    if answer.status == 204 {
                        return mine;
                    }
                    let given = answer.expect(200).json();
                    let (id, version) = (given["id"].as_i64().unwrap(), given["version"].as_i64().unwrap());
                    assert_eq!(given["claim"]["by"], person.username);
                    mine.push(id);
                    // Nobody else had it, so nobody was faster.
                    app.decide(person, id, version, "reject").await.expect(201);
                }
            };
            let given: Vec<Vec<i64>> = join_all(people.iter().map(work)).await;
            let mut all: Vec<i64> = given.concat();
            all.sort_unstable();
            let mut wanted = waiting.clone();
            wanted.sort_unstable();
            assert_eq!(all, wanted);
        });
    }
}
