//! People, by administrators: added, listed, changed, removed. What they may do changes with their next request.

use diesel::prelude::*;
use rejoinder::accounts::Role;
use rejoinder::audit::Actor;
use rejoinder::store::StoreError;
use rejoinder::store::schema::{api_keys, moderators};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

const PEOPLE: &str = "/api/v1/moderators";

async fn add(app: &TestApp, by: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(by, Method::POST, PEOPLE).json(body)).await
}

async fn change(app: &TestApp, by: &Person, id: i64, body: &Value) -> Answer {
    Answer::of(app.request_as(by, Method::PATCH, &format!("{PEOPLE}/{id}")).json(body)).await
}

async fn remove(app: &TestApp, by: &Person, id: i64) -> Answer {
    Answer::of(app.request_as(by, Method::DELETE, &format!("{PEOPLE}/{id}"))).await
}

async fn sign_in(app: &TestApp, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    Answer::of(app.request(Method::POST, "/api/v1/session").json(&body)).await
}

async fn id_of(app: &TestApp, person: &Person) -> i64 {
    app.get_as(person, "/api/v1/me").await.expect(200).json()["id"].as_i64().expect("an id")
}

async fn names(app: &TestApp, by: &Person) -> Vec<String> {
    let items = app.get_as(by, PEOPLE).await.expect(200).json()["items"].as_array().expect("items").clone();
    items.iter().map(|item| item["username"].as_str().expect("a name").to_owned()).collect()
}

mod adding {
    use super::*;

    #[test]
    fn somebody_with_a_password_can_sign_in_at_once() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("second").await;
            let body = json!({ "username": "ines", "password": PASSWORD, "role": "lead", "sites": ["second", "main", "main"] });
            let answer = add(app, &admin, &body).await.expect(201);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(!answer.text().contains(PASSWORD));
            let made = answer.json();
            let wanted = json!({
                "id": made["id"], "username": "ines", "display_name": "Staff", "role": "lead", "sites": ["main", "second"],
                "disabled": false, "totp": false, "created_at": "2026-11-24T12:00:00.000Z", "reset": null,
            });
            assert_eq!(made, wanted);
            sign_in(app, "ines", PASSWORD).await.expect(200);
        });
    }

    #[test]
    fn somebody_without_one_sets_it_by_the_link_in_the_answer() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let body = json!({ "username": "ines", "role": "moderator", "sites": ["main"], "display_name": "Ines B." });
            let made = add(app, &admin, &body).await.expect(201).json();
            assert_eq!(made["display_name"], "Ines B.");
            assert_eq!(made["reset"]["expires_at"], "2026-11-25T12:00:00.000Z");
            let token = made["reset"]["reset_url"].as_str().and_then(|url| url.rsplit('/').next()).expect("a token");
            for guess in ["", PASSWORD, token] {
                sign_in(app, "ines", guess).await.expect(401);
            }
            let set = app.request(Method::POST, &format!("/api/v1/password-resets/{token}"));
            Answer::of(set.json(&json!({ "new_password": PASSWORD }))).await.expect(204);
            sign_in(app, "ines", PASSWORD).await.expect(200);
        });
    }

    #[test]
    fn what_is_wrong_is_named_at_once_and_nobody_is_added() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            for (body, faults) in [
                (json!({}), &[("/role", "required"), ("/username", "required")][..]),
                (json!({ "username": "ines", "role": null, "sites": ["main"] }), &[("/role", "required")]),
                (json!({ "username": "ines", "role": "lead", "sites": null }), &[("/sites", "required")]),
                (
                    json!({ "username": "two words", "role": "king", "sites": ["main", "nowhere"], "id": 1 }),
                    &[("/id", "unknown"), ("/role", "choice"), ("/sites", "site"), ("/username", "username")],
                ),
                (json!({ "username": "x", "role": "moderator" }), &[("/sites", "required")]),
                (json!({ "username": "x", "role": "moderator", "sites": [] }), &[("/sites", "required")]),
                (json!({ "username": "x", "role": "moderator", "sites": "main" }), &[("/sites", "type")]),
                (json!({ "username": "x", "role": "moderator", "sites": [1] }), &[("/sites/0", "type")]),
                (json!({ "username": "x", "role": "admin", "sites": ["main"] }), &[("/sites", "all_sites")]),
                (
                    json!({ "username": "x", "role": "admin", "display_name": "\u{202e}x" }),
                    &[("/display_name", "invisible_character")],
                ),
                (json!({ "username": "x", "role": "admin", "password": "short" }), &[("/password", "too_short")]),
                (
                    json!({ "username": "x", "role": "admin", "password": "Password123456!" }),
                    &[("/password", "password_common")],
                ),
                (json!({ "username": "ADMIN", "role": "admin" }), &[("/username", "taken")]),
            ] {
                add(app, &admin, &body).await.expect_faults(faults);
            }
            assert_eq!(names(app, &admin).await, ["admin"]);
        });
    }
}

mod seeing {
    use super::*;

    #[test]
    fn everyone_is_listed_in_pages_with_what_they_may() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            for (number, role) in Role::ALL.into_iter().cycle().take(6).enumerate() {
                app.advance(1);
                let sites: &[&str] = if role == Role::Admin { &[] } else { &["main"] };
                app.person(&format!("p{number}"), role, sites).await;
            }
            let (mut seen, mut path) = (Vec::new(), format!("{PEOPLE}?limit=3"));
            let mut pages = 0;
            loop {
                let answer = app.get_as(&admin, &path).await.expect(200);
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                let body = answer.json();
                seen.extend(body["items"].as_array().expect("items").clone());
                pages += 1;
                let Some(next) = body["next"].as_str() else { break };
                let link = format!("<{}{PEOPLE}?limit=3&cursor={next}>; rel=\"next\"", app.base);
                assert_eq!(answer.header("link"), Some(link.as_str()));
                path = format!("{PEOPLE}?limit=3&cursor={next}");
            }
            assert_eq!(pages, 3);
            let names: Vec<&str> = seen.iter().map(|item| item["username"].as_str().expect("a name")).collect();
            assert_eq!(names, ["admin", "p0", "p1", "p2", "p3", "p4", "p5"]);
            assert!(seen.iter().all(|item| item["sites"] == json!(["main"])), "an administrator has all there are");
            assert!(seen[0].as_object().expect("an object").keys().all(|name| !name.contains("password")));
            for (query, pointer, code) in [("limit=0", "/limit", "range"), ("typo=1", "/typo", "unknown")] {
                app.get_as(&admin, &format!("{PEOPLE}?{query}")).await.expect_faults(&[(pointer, code)]);
            }
            app.get_as(&admin, &format!("{PEOPLE}?cursor=x")).await.expect_problem(400, "unreadable");
        });
    }
}

/// S6: what is changed counts from the very next request on.
mod changing {
    use super::*;

    #[test]
    fn another_role_is_another_role_at_once_and_at_every_session() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let here = app.moderator().await;
            let there = app.sign_in("moderator").await;
            let id = id_of(app, &here).await;
            let put = async |person: &Person| {
                let body = json!({ "title": "A", "url": "https://news.example/a" });
                let request = app.request_as(person, Method::PUT, "/api/v1/sites/main/articles/a").json(&body);
                Answer::of(request).await.status
            };
            assert_eq!((put(&here).await, put(&there).await), (403, 403));
            let changed = change(app, &admin, id, &json!({ "role": "lead" })).await.expect(200).json();
            assert_eq!((&changed["role"], &changed["sites"]), (&json!("lead"), &json!(["main"])));
            assert_eq!((put(&here).await, put(&there).await), (201, 200));
            change(app, &admin, id, &json!({ "role": "reviewer-without-emails" })).await.expect(200);
            assert_eq!((put(&here).await, put(&there).await), (403, 403));
            change(app, &admin, id, &json!({ "role": "admin" })).await.expect(200);
            app.get_as(&here, PEOPLE).await.expect(200);
            change(app, &admin, id, &json!({ "role": "moderator" })).await.expect_faults(&[("/sites", "required")]);
            change(app, &admin, id, &json!({ "role": "moderator", "sites": ["main"] })).await.expect(200);
            app.get_as(&here, PEOPLE).await.expect_problem(403, "forbidden");
        });
    }

    #[test]
    fn other_sites_are_other_sites_at_once() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("second").await;
            let here = app.moderator().await;
            let id = id_of(app, &here).await;
            let articles = [app.article("a").await, app.article_on("second", "a").await];
            let ids = [app.posted(&articles[0], &form("one")).await, app.posted(&articles[1], &form("two")).await];
            let sees = async |which: usize| {
                app.get_as(&here, &format!("/api/v1/review/comments/{}", ids[which])).await.status == 200
            };
            assert_eq!((sees(0).await, sees(1).await), (true, false));
            change(app, &admin, id, &json!({ "sites": ["second"] })).await.expect(200);
            assert_eq!((sees(0).await, sees(1).await), (false, true));
            change(app, &admin, id, &json!({ "sites": ["second", "main"] })).await.expect(200);
            assert_eq!((sees(0).await, sees(1).await), (true, true));
        });
    }

    #[test]
    fn disabling_ends_every_session_at_once_and_enabling_brings_none_back() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let here = app.moderator().await;
            let id = id_of(app, &here).await;
            let disabled = change(app, &admin, id, &json!({ "disabled": true })).await.expect(200).json();
            assert_eq!(disabled["disabled"], true);
            app.get_as(&here, "/api/v1/me").await.expect_problem(401, "unauthenticated");
            sign_in(app, "moderator", PASSWORD).await.expect(401);
            change(app, &admin, id, &json!({ "disabled": false })).await.expect(200);
            app.get_as(&here, "/api/v1/me").await.expect_problem(401, "unauthenticated");
            sign_in(app, "moderator", PASSWORD).await.expect(200);
        });
    }

    #[test]
    fn what_is_wrong_is_named_and_changes_nothing() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let id = id_of(app, &app.moderator().await).await;
            let before = app.get_as(&admin, PEOPLE).await.json();
            for (body, faults) in [
                (
                    json!({ "role": "king", "sites": ["nowhere"], "disabled": "yes", "username": "x" }),
                    &[("/disabled", "type"), ("/role", "choice"), ("/sites", "site"), ("/username", "unknown")][..],
                ),
                (json!({ "sites": [] }), &[("/sites", "required")]),
                (json!({ "role": "admin", "sites": ["main"] }), &[("/sites", "all_sites")]),
            ] {
                change(app, &admin, id, &body).await.expect_faults(faults);
            }
            change(app, &admin, 999_999, &json!({ "disabled": true })).await.expect_problem(404, "not-found");
            change(app, &admin, id, &json!({})).await.expect_faults(&[("", "required")]);
            assert_eq!(app.get_as(&admin, PEOPLE).await.json(), before);
        });
    }
}

mod removing {
    use super::*;

    #[test]
    fn whoever_is_removed_is_out_at_once_and_history_goes_on_naming_them() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let here = app.moderator().await;
            let id = id_of(app, &here).await;
            let article = app.article("a").await;
            let comment = app.posted(&article, &form("a comment")).await;
            app.approve(&here, comment).await;
            give_a_key(app, id).await;
            remove(app, &here, id).await.expect_problem(403, "forbidden");
            remove(app, &admin, id).await.expect(204);
            app.get_as(&here, "/api/v1/me").await.expect_problem(401, "unauthenticated");
            sign_in(app, "moderator", PASSWORD).await.expect(401);
            assert_eq!(names(app, &admin).await, ["admin"]);
            let one = app.get_as(&admin, &format!("/api/v1/review/comments/{comment}")).await.expect(200).json();
            assert!(one["decisions"].as_array().expect("decisions").iter().any(|line| line["by"] == "moderator"));
            assert_eq!(count_keys(app).await, 0);
            // Nobody else gets the name, and nothing can be done to them any more.
            let again = json!({ "username": "Moderator", "role": "moderator", "sites": ["main"] });
            add(app, &admin, &again).await.expect_faults(&[("/username", "taken")]);
            change(app, &admin, id, &json!({ "disabled": false })).await.expect_problem(404, "not-found");
            remove(app, &admin, id).await.expect_problem(404, "not-found");
            for path in ["sessions", "reset"] {
                let method = if path == "reset" { Method::POST } else { Method::DELETE };
                let request = app.request_as(&admin, method, &format!("{PEOPLE}/{id}/{path}"));
                Answer::of(request).await.expect_problem(404, "not-found");
            }
        });
    }

    #[test]
    fn a_link_of_somebody_who_was_removed_is_over() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let id = id_of(app, &app.moderator().await).await;
            let made = Answer::of(app.request_as(&admin, Method::POST, &format!("{PEOPLE}/{id}/reset"))).await.json();
            let token = made["reset_url"].as_str().and_then(|url| url.rsplit('/').next()).expect("a token").to_owned();
            remove(app, &admin, id).await.expect(204);
            let set = app.request(Method::POST, &format!("/api/v1/password-resets/{token}"));
            Answer::of(set.json(&json!({ "new_password": PASSWORD }))).await.expect_problem(410, "gone");
        });
    }

    async fn give_a_key(app: &TestApp, id: i64) {
        let given: Result<usize, StoreError> = app
            .app
            .store
            .write(move |conn| {
                let row = (
                    api_keys::id.eq(1),
                    api_keys::moderator_id.eq(id),
                    api_keys::name.eq("a script"),
                    api_keys::hash.eq(vec![1_u8; 32]),
                    api_keys::scopes.eq("[]"),
                    api_keys::created_at.eq(1),
                    api_keys::expires_at.eq(i64::MAX),
                );
                Ok(diesel::insert_into(api_keys::table).values(row).execute(conn)?)
            })
            .await;
        assert_eq!(given.expect("a key"), 1);
    }

    async fn count_keys(app: &TestApp) -> i64 {
        let count: Result<i64, StoreError> =
            app.app.store.read(|conn| Ok(api_keys::table.count().get_result(conn)?)).await;
        count.expect("a number")
    }
}

mod the_last_administrator {
    use super::*;

    #[test]
    fn cannot_be_disabled_demoted_or_removed_by_anybody() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let id = id_of(app, &admin).await;
            app.moderator().await;
            // Somebody who is disabled is nobody to count on.
            let gone = app.person("gone", Role::Admin, &[]).await;
            change(app, &admin, id_of(app, &gone).await, &json!({ "disabled": true })).await.expect(200);
            for body in [
                json!({ "disabled": true }),
                json!({ "role": "lead", "sites": ["main"] }),
                json!({ "role": "moderator", "sites": ["main"], "disabled": true }),
            ] {
                change(app, &admin, id, &body).await.expect_problem(409, "last-admin");
            }
            remove(app, &admin, id).await.expect_problem(409, "last-admin");
            let disabled = rejoinder::accounts::disable_moderator(&app.app, Actor::NOBODY, "admin").await;
            assert!(matches!(disabled, Err(rejoinder::accounts::PeopleError::LastAdmin)));
            change(app, &admin, id, &json!({ "role": "admin", "disabled": false })).await.expect(200);
            app.get_as(&admin, PEOPLE).await.expect(200);
        });
    }

    #[test]
    fn an_administrator_who_is_not_the_last_can_go() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let other = app.person("other", Role::Admin, &[]).await;
            remove(app, &admin, id_of(app, &admin).await).await.expect(204);
            app.get_as(&admin, "/api/v1/me").await.expect(401);
            let id = id_of(app, &other).await;
            remove(app, &other, id).await.expect_problem(409, "last-admin");
        });
    }

    #[test]
    fn two_who_remove_each_other_at_once_do_not_both_succeed() {
        on_each_database(async |app| {
            for round in 0..5 {
                let names = [format!("one{round}"), format!("other{round}")];
                let people =
                    [app.person(&names[0], Role::Admin, &[]).await, app.person(&names[1], Role::Admin, &[]).await];
                let ids = [id_of(app, &people[0]).await, id_of(app, &people[1]).await];
                if round > 0 {
                    remove_others(app, &people[0], &ids).await;
                }
                let answers =
                    futures_util::future::join(remove(app, &people[0], ids[1]), remove(app, &people[1], ids[0])).await;
                let statuses = [answers.0.status, answers.1.status];
                assert!(statuses.contains(&204), "{statuses:?}");
                assert!(statuses.iter().any(|status| matches!(status, 401 | 409)), "{statuses:?}");
                let left: Result<i64, StoreError> = app
                    .app
                    .store
                    .read(|conn| {
                        let admins = moderators::table.filter(moderators::is_disabled.eq(false));
                        Ok(admins.filter(moderators::role.eq("admin")).count().get_result(conn)?)
                    })
                    .await;
                assert_eq!(left.expect("a number"), 1);
            }
        });
    }

    async fn remove_others(app: &TestApp, by: &Person, kept: &[i64]) {
        let items = app.get_as(by, PEOPLE).await.expect(200).json()["items"].as_array().expect("items").clone();
        for id in items.iter().filter_map(|item| item["id"].as_i64()).filter(|id| !kept.contains(id)) {
            remove(app, by, id).await.expect(204);
        }
    }
}
