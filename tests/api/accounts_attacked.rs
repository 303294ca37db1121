//! What somebody who attacked accounts, keys and links once found; each was a bug.

use rejoinder::accounts::{Role, reset_totp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::process::rejoinder;
use crate::support::server::TestApp;
use crate::support::{Answer, on_each_database};

async fn send(app: &TestApp, person: &Person, method: Method, path: &str, body: Value) -> Answer {
    Answer::of(app.request_as(person, method, path).json(&body)).await
}

/// A program with a key that may all that its owner may.
async fn program(app: &TestApp, owner: &Person, sites: Option<Value>) -> Person {
    let mut body = json!({ "name": "a program", "scopes": ["admin"] });
    if let Some(sites) = sites {
        body["sites"] = sites;
    }
    let made = send(app, owner, Method::POST, "/api/v1/me/keys", body).await.expect(201).json();
    Person {
        username: "a program".to_owned(),
        access: made["key"].as_str().unwrap().to_owned(),
        refresh: String::new(),
    }
}

async fn id_of(app: &TestApp, person: &Person) -> Value {
    app.get_as(person, "/api/v1/me").await.expect(200).json()["id"].clone()
}

async fn sign_in(app: &TestApp, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    Answer::of(app.request(Method::POST, "/api/v1/session").json(&body)).await
}

async fn use_link(app: &TestApp, url: &Value, password: &str) -> Answer {
    let token = url.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let request = app.request(Method::POST, &format!("/api/v1/password-resets/{token}"));
    Answer::of(request.json(&json!({ "new_password": password }))).await
}

#[test]
fn a_key_of_some_sites_does_not_manage_people() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let key = program(app, &admin, Some(json!(["main"]))).await;
        app.get_as(&key, "/api/v1/review/comments").await.expect(200);
        app.get_as(&key, "/api/v1/moderators").await.expect_problem(403, "forbidden");
        let add = json!({ "username": "evil", "password": PASSWORD, "role": "moderator", "sites": ["main"] });
        send(app, &key, Method::POST, "/api/v1/moderators", add).await.expect_problem(403, "forbidden");
    });
}

#[test]
fn a_key_makes_nobody_an_administrator_and_gets_at_none() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let other = app.person("other", Role::Admin, &[]).await;
        let key = program(app, &admin, None).await;
        let people = "/api/v1/moderators";
        let add =
            |role: &str, sites: Value| json!({ "username": role, "password": PASSWORD, "role": role, "sites": sites });
        send(app, &key, Method::POST, people, add("admin", json!([]))).await.expect_problem(403, "forbidden");
        let added = send(app, &key, Method::POST, people, add("moderator", json!(["main"]))).await.expect(201).json();
        let one = format!("{people}/{}", added["id"]);
        send(app, &key, Method::PATCH, &one, json!({ "role": "admin", "sites": [] }))
            .await
            .expect_problem(403, "forbidden");
        send(app, &key, Method::PATCH, &one, json!({ "role": "lead" })).await.expect(200);
        for person in [&admin, &other] {
            let one = format!("{people}/{}", id_of(app, person).await);
            for (method, rest) in [(Method::POST, "/reset"), (Method::DELETE, "/sessions"), (Method::DELETE, "")] {
                let answer = Answer::of(app.request_as(&key, method, &format!("{one}{rest}"))).await;
                answer.expect_problem(403, "forbidden");
            }
            let change = json!({ "disabled": true });
            send(app, &key, Method::PATCH, &one, change).await.expect_problem(403, "forbidden");
        }
    });
}

#[test]
fn a_link_is_good_for_as_long_as_its_maker_is_an_administrator() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let someone = id_of(app, &app.moderator().await).await;
        for (number, end) in ["disabled", "demoted", "removed"].into_iter().enumerate() {
            let evicted = app.person(&format!("evicted{number}"), Role::Admin, &[]).await;
            let reset = format!("/api/v1/moderators/{someone}/reset");
            let link = Answer::of(app.request_as(&evicted, Method::POST, &reset)).await.expect(201).json();
            let path = format!("/api/v1/moderators/{}", id_of(app, &evicted).await);
            match end {
                "disabled" => send(app, &admin, Method::PATCH, &path, json!({ "disabled": true })).await.expect(200),
                "demoted" => {
                    let change = json!({ "role": "lead", "sites": ["main"] });
                    send(app, &admin, Method::PATCH, &path, change).await.expect(200)
                }
                _ => Answer::of(app.request_as(&admin, Method::DELETE, &path)).await.expect(204),
            };
            use_link(app, &link["reset_url"], "ebb tide at the old mill").await.expect_problem(410, "gone");
        }
        sign_in(app, "moderator", PASSWORD).await.expect(200);
    });
}

#[test]
fn a_password_too_short_to_stand_alone_opens_nothing_when_the_second_factor_is_gone() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let secret = Answer::of(app.request_as(&person, Method::POST, "/api/v1/me/totp")).await.expect(201).json();
        let code = json!({ "code": app.totp(secret["secret"].as_str().unwrap()) });
        send(app, &person, Method::PUT, "/api/v1/me/totp", code).await.expect(200);
        let short = json!({ "current_password": PASSWORD, "new_password": "kVq7#zLp" });
        send(app, &person, Method::PUT, "/api/v1/me/password", short).await.expect(204);
        reset_totp(&app.app, "moderator").await.unwrap();
        sign_in(app, "moderator", "kVq7#zLp").await.expect_problem(401, "unauthenticated");
    });
}

#[test]
fn keys_end_with_a_reset_and_with_disabling() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let person = app.moderator().await;
        let path = format!("/api/v1/moderators/{}", id_of(app, &person).await);
        let key = program(app, &person, None).await;
        let link = Answer::of(app.request_as(&admin, Method::POST, &format!("{path}/reset"))).await.expect(201).json();
        app.get_as(&key, "/api/v1/review/comments").await.expect(200);
        use_link(app, &link["reset_url"], PASSWORD).await.expect(204);
        app.get_as(&key, "/api/v1/review/comments").await.expect_problem(401, "unauthenticated");

        let person = app.sign_in("moderator").await;
        let key = program(app, &person, None).await;
        for is_disabled in [true, false] {
            send(app, &admin, Method::PATCH, &path, json!({ "disabled": is_disabled })).await.expect(200);
        }
        app.get_as(&key, "/api/v1/review/comments").await.expect_problem(401, "unauthenticated");
    });
}

#[test]
fn the_database_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    rejoinder(dir.path()).arg("migrate").run_well();
    let mode = dir.path().join("rejoinder.db").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}
