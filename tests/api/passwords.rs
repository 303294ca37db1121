//! Passwords: changed with the current one, or set by an administrator's link that works once.

use diesel::prelude::*;
use rejoinder::accounts::Role;
use rejoinder::kit::secret::{decode, digest};
use rejoinder::store::StoreError;
use rejoinder::store::schema::{moderators, password_resets};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::server::TestApp;
use crate::support::{Answer, on_each_database};

const NEW: &str = "ebb tide at the old mill";
const MINE: &str = "/api/v1/me/password";
const HOUR: u64 = 60 * 60;

async fn sign_in(app: &TestApp, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    Answer::of(app.request(Method::POST, "/api/v1/session").json(&body)).await
}

async fn change(app: &TestApp, person: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::PUT, MINE).json(body)).await
}

async fn is_signed_in(app: &TestApp, person: &Person) -> bool {
    app.get_as(person, "/api/v1/me").await.status == 200
}

async fn id_of(app: &TestApp, person: &Person) -> i64 {
    app.get_as(person, "/api/v1/me").await.expect(200).json()["id"].as_i64().expect("an id")
}

/// As if a second factor had been confirmed.
async fn confirm_second_factor(app: &TestApp) {
    let set: Result<usize, StoreError> = app
        .app
        .store
        .write(|conn| Ok(diesel::update(moderators::table).set(moderators::totp_confirmed_at.eq(1)).execute(conn)?))
        .await;
    assert!(set.expect("set") > 0);
}

mod changing {
    use super::*;

    /// S6.
    #[test]
    fn a_new_password_is_the_only_one_and_ends_the_other_sessions_at_once() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let there = app.sign_in("moderator").await;
            let answer = change(app, &here, &json!({ "current_password": PASSWORD, "new_password": NEW })).await;
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(answer.expect(204).body.is_empty());
            assert!(is_signed_in(app, &here).await);
            assert!(!is_signed_in(app, &there).await);
            let refresh = json!({ "refresh_token": there.refresh });
            Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&refresh)).await.expect(401);
            sign_in(app, "moderator", PASSWORD).await.expect(401);
            sign_in(app, "moderator", NEW).await.expect(200);
        });
    }

    #[test]
    fn the_other_sessions_go_on_when_one_says_so() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let there = app.sign_in("moderator").await;
            let body = json!({ "current_password": PASSWORD, "new_password": NEW, "end_other_sessions": false });
            change(app, &here, &body).await.expect(204);
            assert!(is_signed_in(app, &here).await && is_signed_in(app, &there).await);
        });
    }

    #[test]
    fn a_wrong_current_password_changes_nothing_and_signs_nobody_out() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let there = app.sign_in("moderator").await;
            for current in ["", "not the right password", "a password for tests only ", NEW] {
                let body = json!({ "current_password": current, "new_password": NEW });
                change(app, &here, &body).await.expect_faults(&[("/current_password", "password_wrong")]);
            }
            let both = json!({ "current_password": "wrong", "new_password": "short" });
            change(app, &here, &both)
                .await
                .expect_faults(&[("/current_password", "password_wrong"), ("/new_password", "too_short")]);
            assert!(is_signed_in(app, &here).await && is_signed_in(app, &there).await);
            sign_in(app, "moderator", PASSWORD).await.expect(200);
        });
    }

    /// S2, and S9: what is missing, wrong or unknown is named at once.
    #[test]
    fn every_wrong_field_is_named() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            change(app, &here, &json!({}))
                .await
                .expect_faults(&[("/current_password", "required"), ("/new_password", "required")]);
            let body =
                json!({ "current_password": 1, "new_password": null, "end_other_sessions": "no", "role": "admin" });
            change(app, &here, &body).await.expect_faults(&[
                ("/current_password", "type"),
                ("/end_other_sessions", "type"),
                ("/new_password", "required"),
                ("/role", "unknown"),
            ]);
            let too_long = NEW.repeat(6);
            for (new, code) in [
                ("fourteen chars", "too_short"),
                ("Password123456!", "password_common"),
                ("ModeratorModerator", "password_common"),
                (&too_long, "password_too_long"),
            ] {
                let answer = change(app, &here, &json!({ "current_password": PASSWORD, "new_password": new })).await;
                assert!(!answer.text().contains(new), "{new}");
                answer.expect_faults(&[("/new_password", code)]);
            }
        });
    }

    /// S2.
    #[test]
    fn beside_a_second_factor_eight_characters_do() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let body = json!({ "current_password": PASSWORD, "new_password": "tr7kq9xw" });
            let short = change(app, &here, &body).await;
            assert!(short.text().contains("at least 15 characters"));
            short.expect_faults(&[("/new_password", "too_short")]);
            confirm_second_factor(app).await;
            let seven = json!({ "current_password": PASSWORD, "new_password": "tr7kq9x" });
            let short = change(app, &here, &seven).await;
            assert!(short.text().contains("at least 8 characters"));
            short.expect_faults(&[("/new_password", "too_short")]);
            let common = json!({ "current_password": PASSWORD, "new_password": "Football1!" });
            change(app, &here, &common).await.expect_faults(&[("/new_password", "password_common")]);
            change(app, &here, &body).await.expect(204);
        });
    }

    /// S2: composed or not, a password is the same; nothing else of it is folded.
    #[test]
    fn a_password_is_the_same_from_every_keyboard() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let composed = "Ebbe und Flut bei der M\u{fc}hle";
            let decomposed = "Ebbe und Flut bei der Mu\u{308}hle";
            let body = json!({ "current_password": PASSWORD, "new_password": decomposed });
            change(app, &here, &body).await.expect(204);
            for password in [composed, decomposed] {
                sign_in(app, "moderator", password).await.expect(200);
            }
            for wrong in
                ["Ebbe und Flut bei der Muhle", "ebbe und flut bei der m\u{fc}hle", "Ebbe und Flut bei der M\u{fc}hle "]
            {
                sign_in(app, "moderator", wrong).await.expect(401);
            }
        });
    }

    #[test]
    fn a_change_makes_open_links_useless() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let here = app.moderator().await;
            let id = id_of(app, &here).await;
            let token = super::by_link::make(app, &admin, id).await;
            change(app, &here, &json!({ "current_password": PASSWORD, "new_password": NEW })).await.expect(204);
            super::by_link::set(app, &token, "quite another password").await.expect_problem(410, "gone");
        });
    }
}

mod by_link {
    use super::*;

    /// Makes a link; gives its token.
    pub async fn make(app: &TestApp, admin: &Person, id: i64) -> String {
        let request = app.request_as(admin, Method::POST, &format!("/api/v1/moderators/{id}/reset"));
        let answer = Answer::of(request).await.expect(201);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let url = answer.json()["reset_url"].as_str().expect("a URL").to_owned();
        let token = url.strip_prefix(&format!("{}/password-resets/", app.base)).expect("our page").to_owned();
        assert_eq!(decode(&token).map(|bytes| bytes.len()), Some(32));
        token
    }

    pub async fn set(app: &TestApp, token: &str, password: &str) -> Answer {
        let body = json!({ "new_password": password });
        Answer::of(app.request(Method::POST, &format!("/api/v1/password-resets/{token}")).json(&body)).await
    }

    async fn post_form(app: &TestApp, token: &str, password: &str) -> Answer {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("new_password", password);
        let request = app
            .request(Method::POST, &format!("/password-resets/{token}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        Answer::of(request.body(pairs.finish())).await
    }

    async fn page(app: &TestApp, token: &str) -> Answer {
        let request = app.request(Method::GET, &format!("/password-resets/{token}"));
        Answer::of(request.header("accept", "text/html")).await
    }

    #[test]
    fn a_link_sets_the_password_once_ends_every_session_and_signs_nobody_in() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let here = app.moderator().await;
            let id = id_of(app, &here).await;
            let token = make(app, &admin, id).await;
            assert!(is_signed_in(app, &here).await, "making a link changes nothing yet");
            sign_in(app, "moderator", PASSWORD).await.expect(200);
            let answer = set(app, &token, NEW).await.expect(204);
            assert!(answer.body.is_empty() && answer.headers.get("set-cookie").is_none());
            assert!(!is_signed_in(app, &here).await);
            sign_in(app, "moderator", PASSWORD).await.expect(401);
            sign_in(app, "moderator", NEW).await.expect(200);
            set(app, &token, "quite another password").await.expect_problem(410, "gone");
            sign_in(app, "moderator", NEW).await.expect(200);
            assert!(is_signed_in(app, &admin).await);
        });
    }

    #[test]
    fn of_ten_at_once_one_sets_the_password() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let id = id_of(app, &app.moderator().await).await;
            let token = make(app, &admin, id).await;
            let passwords: Vec<String> = (0..10).map(|number| format!("ebb tide at mill number {number}")).collect();
            let tries = passwords.iter().map(|password| set(app, &token, password));
            let answers = futures_util::future::join_all(tries).await;
            let set: Vec<usize> = (0..10).filter(|number| answers[*number].status == 204).collect();
            assert_eq!(set.len(), 1);
            assert!(answers.iter().all(|answer| matches!(answer.status, 204 | 410)));
            sign_in(app, "moderator", &passwords[set[0]]).await.expect(200);
        });
    }

    #[test]
    fn a_link_is_good_for_a_day_and_until_a_newer_one_is_made() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let id = id_of(app, &app.moderator().await).await;
            let (older, newer) = (make(app, &admin, id).await, make(app, &admin, id).await);
            assert_ne!(older, newer);
            set(app, &older, NEW).await.expect_problem(410, "gone");
            page(app, &older).await.expect(410);
            app.advance(24 * HOUR - 1);
            page(app, &newer).await.expect(200);
            app.advance(1);
            page(app, &newer).await.expect(410);
            set(app, &newer, NEW).await.expect_problem(410, "gone");
            sign_in(app, "moderator", PASSWORD).await.expect(200);
        });
    }

    #[test]
    fn what_is_no_link_is_404_and_says_nothing() {
        on_each_database(async |app| {
            app.moderator().await;
            let unknown = rejoinder::kit::secret::encode(&[7; 32]);
            for token in ["x", "none", &unknown, &unknown[1..], &"A".repeat(200)] {
                set(app, token, NEW).await.expect_problem(404, "not-found");
                page(app, token).await.expect(404);
                post_form(app, token, NEW).await.expect(404);
            }
        });
    }

    #[test]
    fn a_password_that_is_refused_leaves_the_link_good() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let here = app.moderator().await;
            let id = id_of(app, &here).await;
            let token = make(app, &admin, id).await;
            set(app, &token, "short").await.expect_faults(&[("/new_password", "too_short")]);
            set(app, &token, "Password123456!").await.expect_faults(&[("/new_password", "password_common")]);
            set(app, &token, "moderator-moderator").await.expect_faults(&[("/new_password", "password_common")]);
            let request = app.request(Method::POST, &format!("/api/v1/password-resets/{token}"));
            let answer = Answer::of(request.json(&json!({ "password": NEW }))).await;
            answer.expect_faults(&[("/new_password", "required"), ("/password", "unknown")]);
            assert!(is_signed_in(app, &here).await);
            set(app, &token, NEW).await.expect(204);
        });
    }

    /// Of a link: its hash, and who made it.
    type Kept = (Vec<u8>, Option<i64>);

    #[test]
    fn the_database_has_the_hash_of_a_link_alone() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let id = id_of(app, &app.moderator().await).await;
            let token = make(app, &admin, id).await;
            let kept: Result<Vec<Kept>, StoreError> = app
                .app
                .store
                .read(|conn| {
                    let columns = (password_resets::hash, password_resets::created_by);
                    Ok(password_resets::table.select(columns).load(conn)?)
                })
                .await;
            let hash = digest(&decode(&token).expect("base64url")).to_vec();
            assert_eq!(kept.expect("links"), [(hash, Some(id_of(app, &admin).await))]);
        });
    }

    #[test]
    fn a_link_leaves_the_second_factor_and_opens_no_disabled_account() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let id = id_of(app, &app.person("other", Role::Lead, &["main"]).await).await;
            confirm_second_factor(app).await;
            let disable = app.request_as(&admin, Method::PATCH, &format!("/api/v1/moderators/{id}"));
            Answer::of(disable.json(&json!({ "disabled": true }))).await.expect(200);
            let token = make(app, &admin, id).await;
            set(app, &token, NEW).await.expect(204);
            sign_in(app, "other", NEW).await.expect_problem(401, "unauthenticated");
            let confirmed: Result<Vec<Option<i64>>, StoreError> = app
                .app
                .store
                .read(|conn| Ok(moderators::table.select(moderators::totp_confirmed_at).load(conn)?))
                .await;
            assert_eq!(confirmed.expect("rows"), [Some(1), Some(1)]);
        });
    }

    mod as_a_page {
        use super::*;

        #[test]
        fn looking_at_it_changes_nothing_and_its_address_goes_nowhere() {
            on_each_database(async |app| {
                let admin = app.admin().await;
                let here = app.moderator().await;
                let id = id_of(app, &here).await;
                let token = make(app, &admin, id).await;
                for _ in 0..3 {
                    let page = page(app, &token).await.expect(200);
                    assert_eq!(page.header("cache-control"), Some("no-store"));
                    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
                    assert!(
                        page.header("content-security-policy").is_some_and(|policy| policy.contains("form-action"))
                    );
                    let text = page.text();
                    assert!(text.contains("type=\"password\"") && text.contains("value=\"moderator\""), "{text}");
                    assert!(text.contains(&format!("action=\"{}/password-resets/{token}\"", app.base)), "{text}");
                    assert!(!text.contains("<script"));
                }
                assert!(is_signed_in(app, &here).await);
                Answer::of(app.request(Method::HEAD, &format!("/password-resets/{token}"))).await.expect(200);
                post_form(app, &token, NEW).await.expect(200);
            });
        }

        #[test]
        fn the_form_sets_the_password() {
            on_each_database(async |app| {
                let admin = app.admin().await;
                let here = app.moderator().await;
                let id = id_of(app, &here).await;
                let token = make(app, &admin, id).await;
                let done = post_form(app, &token, NEW).await.expect(200);
                assert_eq!(done.header("referrer-policy"), Some("no-referrer"));
                assert!(done.text().contains("Your password is set"));
                assert!(!is_signed_in(app, &here).await);
                sign_in(app, "moderator", NEW).await.expect(200);
                let over = post_form(app, &token, "quite another password").await.expect(410);
                assert_eq!(over.header("referrer-policy"), Some("no-referrer"));
                assert!(over.text().contains("<!DOCTYPE html>") && !over.text().contains(&token));
            });
        }

        #[test]
        fn what_is_wrong_stands_beside_the_field_and_what_was_typed_does_not_come_back() {
            on_each_database(async |app| {
                let admin = app.admin().await;
                let id = id_of(app, &app.moderator().await).await;
                let token = make(app, &admin, id).await;
                for (typed, said) in [
                    ("", "at least 15 characters"),
                    ("short one", "at least 15 characters"),
                    ("Password123456!", "among the first that anyone would guess"),
                    (&NEW.repeat(6), "at most 128 characters"),
                ] {
                    let page = post_form(app, &token, typed).await.expect(422);
                    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
                    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
                    let text = page.text();
                    assert!(text.contains("aria-invalid=\"true\""), "{text}");
                    let beside = text.split("id=\"reset-password-error\">").nth(1).expect("a message");
                    assert!(beside.split("</p>").next().unwrap().contains(said), "{said}: {beside}");
                    assert!(typed.is_empty() || !text.contains(typed));
                }
                post_form(app, &token, NEW).await.expect(200);
            });
        }
    }
}
