//! Sessions: one sees one's own and ends them; administrators end anyone's. What is ended is ended for the next request.

use rejoinder::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::server::TestApp;
use crate::support::{Answer, on_each_database};

const MINE: &str = "/api/v1/me/sessions";
const DAY: u64 = 24 * 60 * 60;

async fn list(app: &TestApp, person: &Person) -> Vec<Value> {
    app.get_as(person, MINE).await.expect(200).json()["items"].as_array().expect("items").clone()
}

/// The id of the session that asks.
async fn current(app: &TestApp, person: &Person) -> i64 {
    let all = list(app, person).await;
    let current: Vec<&Value> = all.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1, "{all:?}");
    current[0]["id"].as_i64().expect("an id")
}

async fn delete(app: &TestApp, person: &Person, path: &str) -> Answer {
    Answer::of(app.request_as(person, Method::DELETE, path)).await
}

async fn refresh(app: &TestApp, person: &Person) -> Answer {
    let body = json!({ "refresh_token": person.refresh });
    Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&body)).await
}

/// Neither token is good any more, from the very next request on.
async fn expect_ended(app: &TestApp, person: &Person) {
    app.get_as(person, "/api/v1/me").await.expect_problem(401, "unauthenticated");
    refresh(app, person).await.expect_problem(401, "unauthenticated");
}

#[test]
fn one_sees_ones_live_sessions_the_newest_first_and_nobody_elses() {
    on_each_database(async |app| {
        let other = app.admin().await;
        let first = app.moderator().await;
        app.advance(60);
        let body = json!({ "username": "moderator", "password": PASSWORD });
        let request = app.request(Method::POST, "/api/v1/session").header("user-agent", "Desk/1").json(&body);
        Answer::of(request).await.expect(200);
        let answer = app.get_as(&first, MINE).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        assert_eq!(body["next"], Value::Null);
        let [newer, older] = &body["items"].as_array().expect("items")[..] else { panic!("two sessions: {body}") };
        assert_eq!((&newer["current"], &older["current"]), (&json!(false), &json!(true)));
        assert_eq!((&newer["user_agent"], &newer["address"]), (&json!("Desk/1"), &json!("127.0.0.1")));
        assert_eq!(older["created_at"], "2026-11-24T12:00:00.000Z");
        assert_eq!(newer["last_used_at"], "2026-11-24T12:01:00.000Z");
        let mut names: Vec<_> = newer.as_object().expect("an object").keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["address", "created_at", "current", "id", "last_used_at", "user_agent"]);
        assert_eq!(list(app, &other).await.len(), 1);
    });
}

#[test]
fn what_is_over_is_not_in_the_list_and_a_refresh_is_a_use() {
    on_each_database(async |app| {
        let idle = app.moderator().await;
        let used = app.sign_in("moderator").await;
        app.advance(6 * DAY);
        let used_again = refresh(app, &used).await.expect(200).json();
        let fresh = app.sign_in("moderator").await;
        assert_eq!(list(app, &fresh).await.len(), 3);
        app.advance(DAY);
        let fresh = app.sign_in("moderator").await;
        let sessions = list(app, &fresh).await;
        assert_eq!(sessions.len(), 3, "the idle one is over: {sessions:?}");
        assert!(sessions.iter().any(|session| session["last_used_at"] == "2026-11-30T12:00:00.000Z"));
        assert!(used_again["refresh_token"].is_string());
        refresh(app, &idle).await.expect(401);
    });
}

#[test]
fn the_list_comes_in_pages() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        for _ in 0..4 {
            app.sign_in("moderator").await;
        }
        let (mut ids, mut path) = (Vec::new(), format!("{MINE}?limit=2"));
        loop {
            let answer = app.get_as(&person, &path).await.expect(200);
            let body = answer.json();
            ids.extend(body["items"].as_array().expect("items").iter().map(|item| item["id"].as_i64()));
            let Some(next) = body["next"].as_str() else { break };
            let link = answer.header("link").expect("a link").to_owned();
            assert_eq!(link, format!("<{}{MINE}?limit=2&cursor={next}>; rel=\"next\"", app.base));
            path = format!("{MINE}?limit=2&cursor={next}");
        }
        let all: Vec<_> = list(app, &person).await.iter().map(|item| item["id"].as_i64()).collect();
        assert_eq!((ids.len(), &ids), (5, &all));
        app.get_as(&person, &format!("{MINE}?limit=0")).await.expect_faults(&[("/limit", "range")]);
        app.get_as(&person, &format!("{MINE}?typo=1")).await.expect_faults(&[("/typo", "unknown")]);
        // A cursor of one's own list is none of another's.
        let cursor = path.rsplit('=').next().expect("a cursor").to_owned();
        let admin = app.admin().await;
        app.get_as(&admin, &format!("{MINE}?cursor={cursor}")).await.expect_problem(400, "unreadable");
    });
}

/// S6.
#[test]
fn one_ends_another_session_of_ones_own_at_once() {
    on_each_database(async |app| {
        let here = app.moderator().await;
        let there = app.sign_in("moderator").await;
        let id = current(app, &there).await;
        let answer = delete(app, &here, &format!("{MINE}/{id}")).await.expect(204);
        assert!(answer.body.is_empty());
        expect_ended(app, &there).await;
        assert_eq!(list(app, &here).await.len(), 1);
        delete(app, &here, &format!("{MINE}/{id}")).await.expect_problem(404, "not-found");
    });
}

/// S6.
#[test]
fn ending_the_session_that_asks_is_signing_out() {
    on_each_database(async |app| {
        let here = app.moderator().await;
        let there = app.sign_in("moderator").await;
        let id = current(app, &here).await;
        delete(app, &here, &format!("{MINE}/{id}")).await.expect(204);
        expect_ended(app, &here).await;
        app.get_as(&there, "/api/v1/me").await.expect(200);
    });
}

#[test]
fn the_session_of_another_is_none_of_ones_own() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let moderator = app.moderator().await;
        let id = current(app, &moderator).await;
        delete(app, &admin, &format!("{MINE}/{id}")).await.expect_problem(404, "not-found");
        for id in ["0", "999999", "-1", "x", "9007199254740993"] {
            delete(app, &admin, &format!("{MINE}/{id}")).await.expect_problem(404, "not-found");
        }
        app.get_as(&moderator, "/api/v1/me").await.expect(200);
    });
}

/// S6.
#[test]
fn one_ends_all_ones_other_sessions_at_once() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let here = app.moderator().await;
        let elsewhere = [app.sign_in("moderator").await, app.sign_in("moderator").await];
        delete(app, &here, MINE).await.expect(204);
        for person in &elsewhere {
            expect_ended(app, person).await;
        }
        assert_eq!(list(app, &here).await.len(), 1);
        app.get_as(&admin, "/api/v1/me").await.expect(200);
        delete(app, &here, MINE).await.expect(204);
    });
}

/// S6.
#[test]
fn an_administrator_ends_all_sessions_of_somebody_at_once() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let here = app.moderator().await;
        let there = app.sign_in("moderator").await;
        let id = app.get_as(&here, "/api/v1/me").await.json()["id"].to_string();
        let path = format!("/api/v1/moderators/{id}/sessions");
        delete(app, &there, &path).await.expect_problem(403, "forbidden");
        delete(app, &admin, &path).await.expect(204);
        for person in [&here, &there] {
            expect_ended(app, person).await;
        }
        // They are as welcome as before.
        app.sign_in("moderator").await;
        delete(app, &admin, "/api/v1/moderators/999999/sessions").await.expect_problem(404, "not-found");
    });
}

/// S7: a session that was ended stays so, however often its tokens come.
#[test]
fn an_ended_session_does_not_come_back() {
    on_each_database(async |app| {
        let here = app.person("lead", Role::Lead, &["main"]).await;
        let there = app.sign_in("lead").await;
        let before = refresh(app, &there).await.expect(200).json();
        delete(app, &here, MINE).await.expect(204);
        for token in [&there.refresh, &before["refresh_token"].as_str().expect("a token").to_owned()] {
            let body = json!({ "refresh_token": token });
            let answer = Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&body)).await;
            answer.expect_problem(401, "unauthenticated");
        }
        app.get_as(&here, "/api/v1/me").await.expect(200);
    });
}
