//! S4: guessing is slowed, by account and by address, and locks nobody out.

use std::time::Instant;

use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::store::StoreError;
use rejoinder::store::schema::{audit_entries, sessions};
use reqwest::Method;
use serde_json::json;

use crate::support::people::{PASSWORD, Person};
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, on_each_database, on_each_database_with};

/// With limits, behind a proxy that says who comes.
fn limited() -> Setup {
    Setup { has_limits: true, trusted_proxies: Some("127.0.0.1"), ..Setup::default() }
}

async fn sign_in(app: &TestApp, from: &str, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    let request = app.request(Method::POST, "/api/v1/session").header("x-forwarded-for", from);
    Answer::of(request.json(&body)).await
}

/// An address of its own for each number.
fn address(number: usize) -> String {
    format!("198.51.{}.{}", 100 + number / 200, 1 + number % 200)
}

/// Fails so often as is free, each time from another address.
async fn fail(app: &TestApp, username: &str, times: usize) {
    for number in 0..times {
        sign_in(app, &address(number), username, "wrong").await.expect_problem(401, "unauthenticated");
    }
}

/// Somebody who has never signed in, so that no address is known.
async fn add_victim(app: &TestApp) {
    app.person("victim", Role::Lead, &["main"]).await;
    let gone: Result<usize, StoreError> =
        app.app.store.write(|conn| Ok(diesel::delete(sessions::table).execute(conn)?)).await;
    assert_eq!(gone.expect("deleted"), 1);
}

fn wait_of(answer: &Answer) -> u64 {
    answer.header("retry-after").expect("a wait").parse().expect("seconds")
}

#[test]
fn after_five_failures_the_wait_doubles_from_a_second_to_a_quarter_of_an_hour() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        fail(app, "victim", 5).await;
        let mut waits = Vec::new();
        for number in 5..17 {
            let slowed = sign_in(app, &address(number), "victim", "wrong").await;
            let wait = wait_of(&slowed);
            let body = slowed.expect_problem(429, "too-fast");
            assert_eq!(body["retry_after_s"], wait);
            waits.push(wait);
            app.advance(wait - 1);
            sign_in(app, &address(number), "victim", PASSWORD).await.expect(429);
            app.advance(1);
            sign_in(app, &address(number), "VICTIM", "wrong").await.expect(401);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    });
}

#[test]
fn nobody_is_locked_the_right_password_after_the_wait_works_and_starts_anew() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        fail(app, "victim", 5).await;
        let slowed = sign_in(app, &address(50), "victim", PASSWORD).await.expect(429);
        app.advance(wait_of(&slowed));
        sign_in(app, &address(50), "victim", PASSWORD).await.expect(200);
        // Five are free again for those whom the account does not know.
        fail(app, "victim", 5).await;
        sign_in(app, &address(51), "victim", "wrong").await.expect(429);
    });
}

#[test]
fn a_quiet_hour_is_forgotten() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        fail(app, "victim", 5).await;
        app.advance(1);
        sign_in(app, &address(9), "victim", "wrong").await.expect(401);
        app.advance(60 * 60);
        fail(app, "victim", 5).await;
    });
}

/// S3 and S4: a name that nobody has is slowed like one that somebody has, with the same words.
#[test]
fn a_slowed_try_does_not_tell_whether_there_is_such_a_name() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        let mut seen = Vec::new();
        for (username, password) in [("victim", "wrong"), ("victim", PASSWORD), ("nobody", "wrong")] {
            if seen.len() != 1 {
                fail(app, username, 5).await;
            }
            let answer = sign_in(app, &address(20 + seen.len()), username, password).await;
            let mut headers: Vec<(String, String)> = answer
                .headers
                .iter()
                .filter(|(name, _)| *name != "date")
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            headers.sort();
            seen.push((answer.status, headers, answer.without_trace()));
        }
        assert_eq!(seen[0].0, 429);
        assert_eq!(seen[0], seen[1], "right or wrong");
        assert_eq!(seen[0], seen[2], "known or unknown");
    });
}

/// S3: what a refusal costs does not tell either: one hash of the same strength and one entry of the same kind.
#[test]
fn an_unknown_name_costs_one_equal_hash_and_one_equal_entry() {
    on_each_database(async |app| {
        app.moderator().await;
        let log = async || {
            let rows: Result<Vec<(String, Option<String>)>, StoreError> = app
                .app
                .store
                .read(|conn| {
                    let columns = (audit_entries::action, audit_entries::private);
                    Ok(audit_entries::table.order(audit_entries::id).select(columns).load(conn)?)
                })
                .await;
            rows.expect("the log")
        };
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..15 {
            for which in [round % 2, 1 - round % 2] {
                let username = ["moderator", "nobodyyet"][which];
                let before = log().await.len();
                let began = Instant::now();
                sign_in(app, "127.0.0.1", username, "wrong").await.expect(401);
                times[which].push(began.elapsed());
                let new = log().await.split_off(before);
                assert_eq!(new.len(), 1, "{username}");
                assert_eq!(new[0].0, "sign-in-refused");
                let private: serde_json::Value = serde_json::from_str(new[0].1.as_deref().unwrap()).unwrap();
                assert_eq!(private["username"], username);
            }
        }
        // The bench has the figure. Beside other tests it is enough that neither is without a hash, or has two.
        let fastest = times.map(|times| times.into_iter().min().expect("some").as_secs_f64());
        assert!((0.4..2.5).contains(&(fastest[0] / fastest[1])), "{fastest:?}");
    });
}

#[test]
fn an_address_that_guesses_at_many_names_is_slowed_too() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        app.person("insider", Role::Moderator, &["main"]).await;
        let attacker = "203.0.113.7";
        for number in 0..20 {
            app.advance(6);
            sign_in(app, attacker, &format!("name{number}"), "wrong").await.expect(401);
        }
        // Their own account would let them in, and gives them no new tries at others.
        let slowed = sign_in(app, attacker, "victim", "wrong").await;
        assert_eq!(wait_of(&slowed), 1);
        slowed.expect_problem(429, "too-fast");
        app.advance(6);
        sign_in(app, attacker, "insider", PASSWORD).await.expect(200);
        app.advance(6);
        sign_in(app, attacker, "victim", "wrong").await.expect(401);
        let slowed = sign_in(app, attacker, "victim", "wrong").await;
        assert!(wait_of(&slowed) > 1);
        // Others are not.
        sign_in(app, "203.0.113.8", "victim", PASSWORD).await.expect(200);
    });
}

#[test]
fn the_victim_goes_on_where_they_signed_in_before_and_so_do_their_sessions() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        let home = "192.0.2.44";
        let tokens = sign_in(app, home, "victim", PASSWORD).await.expect(200).json();
        let token = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        let victim =
            Person { username: "victim".to_owned(), access: token("access_token"), refresh: token("refresh_token") };
        fail(app, "victim", 5).await;
        for number in 10..60 {
            sign_in(app, &address(number), "victim", "wrong").await.expect(429);
        }
        app.get_as(&victim, "/api/v1/me").await.expect(200);
        sign_in(app, home, "victim", PASSWORD).await.expect(200);
        // What they mistype counts there alone, and what others do goes on counting elsewhere.
        for _ in 0..5 {
            sign_in(app, home, "victim", "mistyped").await.expect(401);
        }
        sign_in(app, home, "victim", PASSWORD).await.expect(429);
        app.advance(6);
        sign_in(app, home, "victim", PASSWORD).await.expect(200);
        sign_in(app, &address(70), "victim", PASSWORD).await.expect(200);
        let refresh = json!({ "refresh_token": victim.refresh });
        Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&refresh)).await.expect(200);
    });
}

#[test]
fn an_address_is_known_for_thirty_days_and_to_its_account_alone() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        app.person("other", Role::Lead, &["main"]).await;
        let home = "2001:db8:1:2::1";
        sign_in(app, home, "other", PASSWORD).await.expect(200);
        sign_in(app, home, "victim", PASSWORD).await.expect(200);
        app.advance(29 * 24 * 60 * 60);
        fail(app, "victim", 5).await;
        // The same subscriber, on another address of their network.
        sign_in(app, "2001:db8:1:2:ffff::9", "victim", PASSWORD).await.expect(200);
        sign_in(app, "2001:db8:1:3::1", "victim", PASSWORD).await.expect(429);
        app.advance(31 * 24 * 60 * 60);
        fail(app, "victim", 5).await;
        sign_in(app, home, "victim", PASSWORD).await.expect(429);
    });
}

#[test]
fn tries_at_once_are_no_way_around_it() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        let addresses: Vec<String> = (0..40).map(address).collect();
        let answers = join_all(addresses.iter().map(|from| sign_in(app, from, "victim", "wrong"))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
        assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 35);
    });
}

#[test]
fn a_slowed_try_leaves_nothing_in_the_log() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        fail(app, "victim", 5).await;
        let count = async || {
            let count: Result<i64, StoreError> =
                app.app.store.read(|conn| Ok(audit_entries::table.count().get_result(conn)?)).await;
            count.expect("a number")
        };
        let before = count().await;
        for number in 10..20 {
            sign_in(app, &address(number), "victim", PASSWORD).await.expect(429);
        }
        assert_eq!(count().await, before);
    });
}

/// Whoever has got hold of a session guesses at its password as slowly as anybody.
#[test]
fn guessing_the_current_password_is_slowed_alike() {
    on_each_database_with(&limited(), async |app| {
        let person = app.moderator().await;
        let change = async |current: &str| {
            let body = json!({ "current_password": current, "new_password": "ebb tide at the old mill" });
            Answer::of(app.request_as(&person, Method::PUT, "/api/v1/me/password").json(&body)).await
        };
        for _ in 0..5 {
            change("wrong").await.expect_faults(&[("/current_password", "password_wrong")]);
        }
        let slowed = change(PASSWORD).await;
        assert_eq!(wait_of(&slowed), 1);
        slowed.expect_problem(429, "too-fast");
        app.get_as(&person, "/api/v1/me").await.expect(200);
        app.advance(1);
        change(PASSWORD).await.expect(204);
    });
}

#[test]
fn a_link_of_an_administrator_is_a_way_in_for_whoever_is_guessed_at() {
    on_each_database_with(&limited(), async |app| {
        let admin = app.admin().await;
        let id = {
            let person = app.person("victim", Role::Lead, &["main"]).await;
            app.get_as(&person, "/api/v1/me").await.json()["id"].to_string()
        };
        fail(app, "victim", 5).await;
        sign_in(app, &address(9), "victim", PASSWORD).await.expect(429);
        let made = Answer::of(app.request_as(&admin, Method::POST, &format!("/api/v1/moderators/{id}/reset"))).await;
        let url = made.expect(201).json()["reset_url"].as_str().expect("a URL").to_owned();
        let token = url.rsplit('/').next().expect("a token");
        let set = app.request(Method::POST, &format!("/api/v1/password-resets/{token}"));
        Answer::of(set.json(&json!({ "new_password": "ebb tide at the old mill" }))).await.expect(204);
        sign_in(app, &address(9), "victim", "ebb tide at the old mill").await.expect(200);
    });
}

#[test]
fn going_on_with_a_session_is_paced_by_address() {
    on_each_database_with(&limited(), async |app| {
        let refresh = async |from: &str| {
            let body = json!({ "refresh_token": "A".repeat(43) });
            let request = app.request(Method::POST, "/api/v1/session/refresh").header("x-forwarded-for", from);
            Answer::of(request.json(&body)).await
        };
        for _ in 0..60 {
            refresh("203.0.113.7").await.expect(401);
        }
        let refused = refresh("203.0.113.7").await;
        assert_eq!(refused.header("retry-after"), Some("1"));
        refused.expect_problem(429, "too-fast");
        refresh("203.0.113.8").await.expect(401);
    });
}

#[test]
fn limits_that_are_off_slow_nobody() {
    on_each_database(async |app| {
        app.moderator().await;
        for _ in 0..15 {
            sign_in(app, "127.0.0.1", "moderator", "wrong").await.expect(401);
        }
        sign_in(app, "127.0.0.1", "moderator", PASSWORD).await.expect(200);
    });
}

/// D5: a flood of strangers' tries does not keep out somebody who signed in from there before.
#[test]
fn a_flood_leaves_room_for_an_address_that_is_known() {
    on_each_database_with(&limited(), async |app| {
        add_victim(app).await;
        let home = "192.0.2.44";
        sign_in(app, home, "victim", PASSWORD).await.expect(200);
        let names: Vec<(String, String)> = (0..150).map(|number| (address(number), format!("name{number}"))).collect();
        let flood = join_all(names.iter().map(|(from, name)| sign_in(app, from, name, "wrong")));
        let victim = async {
            let mut last = None;
            for _ in 0..3 {
                last = Some(sign_in(app, home, "victim", PASSWORD).await.expect(200));
            }
            last
        };
        let (flooded, last) = futures_util::future::join(flood, victim).await;
        assert!(last.is_some());
        assert!(flooded.iter().all(|answer| matches!(answer.status, 401 | 503)));
        assert!(flooded.iter().any(|answer| answer.status == 503), "it was a flood");
    });
}
