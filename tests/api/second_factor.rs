//! The second factor: setting it up, signing in with it, losing it, and roles that must have it.

use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::accounts::{self, PeopleError, Role};
use rejoinder::kit::totp;
use rejoinder::store::StoreError;
use rejoinder::store::schema::{audit_entries, moderators, recovery_codes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person, base32_bytes};
use crate::support::routes::fill;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, on_each_database, on_each_database_with};

const TOTP: &str = "/api/v1/me/totp";
const CODES: &str = "/api/v1/me/totp/recovery-codes";
/// Longer than any step.
const NEXT: u64 = 30;

/// Somebody with a second factor.
struct Factor {
    secret: String,
    recovery: Vec<String>,
}

async fn send(app: &TestApp, person: &Person, method: Method, path: &str, body: &Value) -> Answer {
    Answer::of(app.request_as(person, method, path).json(body)).await
}

async fn enrol(app: &TestApp, person: &Person) -> Answer {
    Answer::of(app.request_as(person, Method::POST, TOTP)).await
}

async fn confirm(app: &TestApp, person: &Person, code: &str) -> Answer {
    send(app, person, Method::PUT, TOTP, &json!({ "code": code })).await
}

/// Sets a second factor up, and lets its first code pass.
async fn set_up(app: &TestApp, person: &Person) -> Factor {
    let secret = text(&enrol(app, person).await.expect(201).json()["secret"]);
    let answer = confirm(app, person, &app.totp(&secret)).await.expect(200).json();
    app.advance(NEXT);
    Factor { secret, recovery: texts(&answer["recovery_codes"]) }
}

async fn sign_in(app: &TestApp, code: Option<&str>) -> Answer {
    sign_in_as(app, "moderator", PASSWORD, code).await
}

async fn sign_in_as(app: &TestApp, username: &str, password: &str, code: Option<&str>) -> Answer {
    let mut body = json!({ "username": username, "password": password });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    Answer::of(app.request(Method::POST, "/api/v1/session").json(&body)).await
}

async fn has_totp(app: &TestApp, person: &Person) -> bool {
    app.get_as(person, "/api/v1/me").await.expect(200).json()["totp"].as_bool().expect("a boolean")
}

/// Action and facts of every entry of the log since the last time.
async fn told(app: &TestApp, seen: &mut usize) -> Vec<(String, Value)> {
    let rows: Result<Vec<(String, String)>, StoreError> = app
        .app
        .store
        .read(|conn| {
            let rows = audit_entries::table.order(audit_entries::id);
            Ok(rows.select((audit_entries::action, audit_entries::facts)).load(conn)?)
        })
        .await;
    let rows = rows.expect("the log");
    let new = rows[*seen..].iter().map(|(action, facts)| (action.clone(), serde_json::from_str(facts).expect("JSON")));
    let new = new.collect();
    *seen = rows.len();
    new
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(text).collect()
}

mod setting_up {
    use super::*;

    #[test]
    fn a_secret_comes_as_text_as_address_and_as_picture_and_counts_when_confirmed() {
        let setup = Setup { public_url: Some("https://talk.news.example/c"), ..Setup::default() };
        on_each_database_with(&setup, async |app| {
            let person = app.moderator().await;
            let mut seen = 0;
            told(app, &mut seen).await;
            let answer = enrol(app, &person).await.expect(201);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let body = answer.json();
            let secret = text(&body["secret"]);
            assert_eq!(secret.len(), 32, "160 bits");
            let uri = format!(
                "otpauth://totp/Rejoinder%20%28talk.news.example%29:moderator?secret={secret}\
                 &issuer=Rejoinder%20%28talk.news.example%29&algorithm=SHA1&digits=6&period=30"
            );
            assert_eq!(body["otpauth_uri"], uri);
            let svg = text(&body["qr_svg"]);
            assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>"), "{svg}");

            // Nothing asks for it yet.
            assert!(!has_totp(app, &person).await);
            sign_in(app, None).await.expect(200);
            assert_eq!(told(app, &mut seen).await, [("signed-in".to_owned(), json!({}))]);

            let codes = confirm(app, &person, &app.totp(&secret)).await.expect(200);
            assert_eq!(codes.header("cache-control"), Some("no-store"));
            let mut codes = texts(&codes.json()["recovery_codes"]);
            codes.sort();
            codes.dedup();
            assert_eq!(codes.len(), 10);
            assert!(codes.iter().all(|code| code.replace('-', "").len() == 12), "60 bits each: {codes:?}");
            assert_eq!(told(app, &mut seen).await, [("totp-on".to_owned(), json!({}))]);
            assert!(has_totp(app, &person).await);
            sign_in(app, None).await.expect_problem(401, "unauthenticated");
        });
    }

    #[test]
    fn a_new_secret_takes_the_place_of_one_that_waits_but_not_of_a_confirmed_one() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let first = text(&enrol(app, &person).await.expect(201).json()["secret"]);
            let second = text(&enrol(app, &person).await.expect(201).json()["secret"]);
            assert_ne!(first, second);
            confirm(app, &person, &app.totp(&first)).await.expect_faults(&[("/code", "wrong")]);
            confirm(app, &person, &app.totp(&second)).await.expect(200);
            enrol(app, &person).await.expect_problem(409, "conflict");
            app.advance(NEXT);
            confirm(app, &person, &app.totp(&second)).await.expect_problem(409, "conflict");
            sign_in(app, Some(&app.totp(&second))).await.expect(200);
        });
    }

    #[test]
    fn what_confirms_nothing_is_refused_and_changes_nothing() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            confirm(app, &person, "123456").await.expect_problem(409, "conflict");
            let secret = text(&enrol(app, &person).await.expect(201).json()["secret"]);
            for wrong in ["", "12345", "1234567", "abcdef", &app.totp_aside(&secret, 2), &app.totp_aside(&secret, -2)] {
                confirm(app, &person, wrong).await.expect_faults(&[("/code", "wrong")]);
            }
            let put = async |body: Value| send(app, &person, Method::PUT, TOTP, &body).await;
            put(json!({})).await.expect_faults(&[("/code", "required")]);
            put(json!({ "code": 123_456 })).await.expect_faults(&[("/code", "type")]);
            put(json!({ "code": "1", "x": 1 })).await.expect_faults(&[("/x", "unknown")]);
            assert!(!has_totp(app, &person).await);
            // A space in the middle is how some apps show it.
            let code = app.totp(&secret);
            confirm(app, &person, &format!("{} {}", &code[..3], &code[3..])).await.expect(200);
        });
    }

    #[test]
    fn of_many_confirmations_at_once_one_counts() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let secret = text(&enrol(app, &person).await.expect(201).json()["secret"]);
            let code = app.totp(&secret);
            let answers = join_all((0..10).map(|_| confirm(app, &person, &code))).await;
            let mut good = answers.iter().filter(|answer| answer.status == 200);
            let codes = texts(&good.next().expect("one").json()["recovery_codes"]);
            assert!(good.next().is_none());
            assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)));
            // The codes that were shown are those that count.
            sign_in(app, Some(&codes[0])).await.expect(200);
        });
    }
}

mod signing_in {
    use super::*;

    #[test]
    fn a_code_signs_in_once_then_the_next_one_and_a_recovery_code_once() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let secret = text(&enrol(app, &person).await.expect(201).json()["secret"]);
            let confirming = app.totp(&secret);
            let answer = confirm(app, &person, &confirming).await.expect(200).json();
            let recovery = texts(&answer["recovery_codes"]);
            sign_in(app, Some(&confirming)).await.expect(401);

            app.advance(NEXT);
            let code = app.totp(&secret);
            sign_in(app, Some(&code)).await.expect(200);
            sign_in(app, Some(&code)).await.expect_problem(401, "unauthenticated");
            app.advance(NEXT);
            sign_in(app, Some(&code)).await.expect(401);
            sign_in(app, Some(&app.totp(&secret))).await.expect(200);
            sign_in(app, Some(&recovery[0])).await.expect(200);
            sign_in(app, Some(&recovery[0])).await.expect_problem(401, "unauthenticated");
            // However it is typed.
            let typed = recovery[1].to_uppercase().replace('-', " ");
            sign_in(app, Some(&typed)).await.expect(200);
            sign_in(app, Some(&recovery[1])).await.expect(401);
            sign_in(app, Some(&recovery[2])).await.expect(200);
        });
    }

    #[test]
    fn a_code_is_good_one_step_early_and_one_late_and_no_earlier_one_after_it() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let factor = set_up(app, &person).await;
            let code = |steps| app.totp_aside(&factor.secret, steps);
            for steps in [-2, 2, 3, -3, 20] {
                sign_in(app, Some(&code(steps))).await.expect(401);
            }
            app.advance(NEXT);
            sign_in(app, Some(&code(-1))).await.expect(200);
            sign_in(app, Some(&code(1))).await.expect(200);
            sign_in(app, Some(&code(0))).await.expect(401);
            app.advance(2 * NEXT);
            sign_in(app, Some(&code(0))).await.expect(200);
        });
    }

    /// S3: who has the right password and no code hears what everybody hears.
    #[test]
    fn a_wrong_code_is_the_answer_to_a_wrong_password_and_uses_nothing_up() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let factor = set_up(app, &person).await;
            app.person("other", Role::Moderator, &["main"]).await;
            let (good, recovery) = (app.totp(&factor.secret), factor.recovery[0].as_str());
            let mut seen = 0;
            told(app, &mut seen).await;
            let mut answers = Vec::new();
            for (username, password, code, why) in [
                ("moderator", PASSWORD, None, "code"),
                ("moderator", PASSWORD, Some(""), "code"),
                ("moderator", PASSWORD, Some("000000 or so"), "code"),
                ("moderator", PASSWORD, Some("zzzz-zzzz-zzzz"), "code"),
                ("moderator", PASSWORD, Some(PASSWORD), "code"),
                ("moderator", "not the right password", Some(good.as_str()), "password"),
                ("moderator", "not the right password", Some(recovery), "password"),
                ("moderator", "not the right password", None, "password"),
                ("nobody", PASSWORD, Some(good.as_str()), "unknown"),
                ("other", "not the right password", Some(recovery), "password"),
            ] {
                let answer = sign_in_as(app, username, password, code).await.expect(401);
                let told = told(app, &mut seen).await;
                assert_eq!(told, [("sign-in-refused".to_owned(), json!({ "why": why }))], "{username} {code:?}");
                let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
                answers.push((names, answer.without_trace()));
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
            sign_in(app, Some(&good)).await.expect(200);
            assert_eq!(told(app, &mut seen).await, [("signed-in".to_owned(), json!({ "second_factor": "totp" }))]);
            sign_in(app, Some(recovery)).await.expect(200);
            let mut told = told(app, &mut seen).await;
            told.sort_by(|one, other| one.0.cmp(&other.0));
            let signed_in = ("signed-in".to_owned(), json!({ "second_factor": "recovery-code" }));
            assert_eq!(told, [("recovery-code-used".to_owned(), json!({})), signed_in]);
        });
    }

    #[test]
    fn of_twenty_who_bring_one_code_at_once_one_gets_in() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let factor = set_up(app, &person).await;
            for code in [app.totp(&factor.secret), factor.recovery[0].clone()] {
                let answers = join_all((0..20).map(|_| sign_in(app, Some(&code)))).await;
                let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
                assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
                assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 19, "{statuses:?}");
            }
        });
    }

    #[test]
    fn without_a_second_factor_a_code_is_not_looked_at() {
        on_each_database(async |app| {
            app.moderator().await;
            sign_in(app, Some("123456")).await.expect(200);
            sign_in(app, Some("")).await.expect(200);
            let body = json!({ "username": "moderator", "password": PASSWORD, "code": 123_456 });
            let answer = Answer::of(app.request(Method::POST, "/api/v1/session").json(&body)).await;
            answer.expect_faults(&[("/code", "type")]);
        });
    }

    #[test]
    fn somebody_elses_code_is_no_code() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let other = app.person("other", Role::Moderator, &["main"]).await;
            let factor = set_up(app, &person).await;
            let others = set_up(app, &other).await;
            sign_in(app, Some(&app.totp(&others.secret))).await.expect(401);
            sign_in(app, Some(&others.recovery[0])).await.expect(401);
            // What was sealed for one opens for nobody else, whoever writes it there.
            let swapped: Result<(), StoreError> = app
                .app
                .store
                .write(|conn| {
                    let theirs = moderators::table.filter(moderators::username.eq("other"));
                    let sealed: Option<Vec<u8>> = theirs.select(moderators::totp_secret).first(conn)?;
                    let ours = moderators::table.filter(moderators::username.eq("moderator"));
                    diesel::update(ours).set(moderators::totp_secret.eq(sealed)).execute(conn)?;
                    Ok(())
                })
                .await;
            swapped.expect("swapped");
            for secret in [&others.secret, &factor.secret] {
                sign_in(app, Some(&app.totp(secret))).await.expect(401);
            }
        });
    }
}

mod losing {
    use super::*;

    #[test]
    fn it_is_removed_with_the_password_alone() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let factor = set_up(app, &person).await;
            let mut seen = 0;
            told(app, &mut seen).await;
            let remove = async |body: Value| send(app, &person, Method::DELETE, TOTP, &body).await;
            remove(json!({ "password": "not the right password" }))
                .await
                .expect_faults(&[("/password", "password_wrong")]);
            remove(json!({})).await.expect_faults(&[("/password", "required")]);
            assert!(has_totp(app, &person).await);
            assert_eq!(told(app, &mut seen).await, []);
            assert!(remove(json!({ "password": PASSWORD })).await.expect(204).body.is_empty());
            assert_eq!(told(app, &mut seen).await, [("totp-off".to_owned(), json!({}))]);
            assert!(!has_totp(app, &person).await);
            sign_in(app, None).await.expect(200);
            told(app, &mut seen).await;
            remove(json!({ "password": PASSWORD })).await.expect(204);
            assert_eq!(told(app, &mut seen).await, []);
            // A new one is a new one: nothing of the old is good.
            let new = set_up(app, &person).await;
            sign_in(app, Some(&app.totp(&factor.secret))).await.expect(401);
            sign_in(app, Some(&factor.recovery[0])).await.expect(401);
            sign_in(app, Some(&app.totp(&new.secret))).await.expect(200);
        });
    }

    #[test]
    fn new_recovery_codes_end_the_old_ones() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let renew = async |body: Value| send(app, &person, Method::POST, CODES, &body).await;
            renew(json!({ "password": PASSWORD })).await.expect_problem(409, "conflict");
            let factor = set_up(app, &person).await;
            let mut seen = 0;
            told(app, &mut seen).await;
            renew(json!({ "password": "not the right password" }))
                .await
                .expect_faults(&[("/password", "password_wrong")]);
            let answer = renew(json!({ "password": PASSWORD })).await.expect(201);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(told(app, &mut seen).await, [("recovery-codes-made".to_owned(), json!({}))]);
            let codes = texts(&answer.json()["recovery_codes"]);
            assert_eq!(codes.len(), 10);
            sign_in(app, Some(&factor.recovery[0])).await.expect(401);
            sign_in(app, Some(&codes[9])).await.expect(200);
            sign_in(app, Some(&app.totp(&factor.secret))).await.expect(200);
        });
    }

    /// Otherwise a session left open would be a place to guess the password at.
    #[test]
    fn a_password_is_shown_again_at_the_pace_of_signing_in() {
        on_each_database_with(&Setup { has_limits: true, ..Setup::default() }, async |app| {
            let person = app.moderator().await;
            let body = json!({ "password": "not the right password" });
            let mut statuses = Vec::new();
            for count in 0..10 {
                let (method, path) = if count % 2 == 0 { (Method::DELETE, TOTP) } else { (Method::POST, CODES) };
                statuses.push(send(app, &person, method, path, &body).await.status);
            }
            assert_eq!(statuses, [[422; 5], [429; 5]].concat());
        });
    }

    #[test]
    fn the_command_line_resets_it_and_ends_every_session() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let admin = app.admin().await;
            let none = accounts::reset_totp(&app.app, "moderator").await;
            assert!(matches!(none, Err(PeopleError::NoSecondFactor)));
            let unknown = accounts::reset_totp(&app.app, "nobody").await;
            assert!(matches!(unknown, Err(PeopleError::Unknown)));
            let factor = set_up(app, &person).await;
            let mut seen = 0;
            told(app, &mut seen).await;
            accounts::reset_totp(&app.app, "moderator").await.expect("reset");
            assert_eq!(told(app, &mut seen).await, [("totp-off".to_owned(), json!({}))]);
            app.get_as(&person, "/api/v1/me").await.expect(401);
            app.get_as(&admin, "/api/v1/me").await.expect(200);
            sign_in(app, None).await.expect(200);
            let kept: Result<i64, StoreError> =
                app.app.store.read(|conn| Ok(recovery_codes::table.count().get_result(conn)?)).await;
            assert_eq!(kept.expect("a number"), 0);
            let person = app.sign_in("moderator").await;
            set_up(app, &person).await;
            sign_in(app, Some(&factor.recovery[0])).await.expect(401);
        });
    }
}

mod required {
    use super::*;

    /// What somebody may do whose role must have a second factor and who has none.
    const OPEN: [(&str, &str, u16); 6] = [
        ("GET", "/api/v1/me", 200),
        ("POST", TOTP, 201),
        ("PUT", TOTP, 422),
        ("POST", CODES, 409),
        ("DELETE", TOTP, 204),
        ("DELETE", "/api/v1/session", 204),
    ];

    fn body_of(path: &str) -> Value {
        if path == CODES { json!({ "password": PASSWORD }) } else { json!({ "code": "no code" }) }
    }

    #[test]
    fn a_role_that_must_have_it_may_only_set_it_up_until_it_has() {
        let setup = Setup { require_totp: Some("lead, admin"), ..Setup::default() };
        on_each_database_with(&setup, async |app| {
            let lead = app.person("lead", Role::Lead, &["main"]).await;
            let values = [("site", "main"), ("article", "a"), ("id", "1"), ("token", "x"), ("slug", "not-found")];
            let document = app.contract().await;
            let mut count = 0;
            for (path, methods) in app.routes().await {
                for method in methods {
                    let operation = &document["paths"][&path][method.to_lowercase()];
                    let is_open = OPEN.iter().any(|(open, at, _)| *open == method && *at == path);
                    if operation["security"].is_null() || is_open {
                        continue;
                    }
                    // Sessions are for anybody to look after.
                    if path.starts_with("/api/v1/me/sessions") {
                        continue;
                    }
                    let request = app.request_as(&lead, method.parse().unwrap(), &fill(&path, &values));
                    Answer::of(request.json(&json!({}))).await.expect_problem(403, "second-factor-required");
                    count += 1;
                }
            }
            assert!(count >= 5, "{count}");
            for (method, path, status) in OPEN {
                let body = if method == "DELETE" { json!({ "password": PASSWORD }) } else { body_of(path) };
                send(app, &lead, method.parse().unwrap(), path, &body).await.expect(status);
            }

            let lead = app.sign_in("lead").await;
            let queue = "/api/v1/review/comments";
            app.get_as(&lead, queue).await.expect_problem(403, "second-factor-required");
            set_up(app, &lead).await;
            app.get_as(&lead, queue).await.expect(200);
            send(app, &lead, Method::DELETE, TOTP, &json!({ "password": PASSWORD })).await.expect(204);
            app.get_as(&lead, queue).await.expect_problem(403, "second-factor-required");
        });
    }

    #[test]
    fn each_role_is_required_by_its_own_name() {
        for role in Role::ALL {
            let setup = Setup { require_totp: Some(role.as_str()), ..Setup::default() };
            on_each_database_with(&setup, async |app| {
                for somebody in Role::ALL {
                    let person = app.person(somebody.as_str(), somebody, &["main"]).await;
                    let answer = app.get_as(&person, "/api/v1/review/comments").await;
                    assert_eq!(answer.status == 403, somebody == role, "{somebody:?} when {role:?} must");
                }
            });
        }
    }
}

mod secrecy {
    use super::*;

    /// What is kept of second factors, and what the log says.
    type Kept = (Option<Vec<u8>>, Vec<Vec<u8>>, Vec<String>);

    /// Neither in clear nor as a code or a hash without a key; and no answer but the first has it.
    #[test]
    fn the_secret_is_kept_sealed_and_shown_once() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let factor = set_up(app, &person).await;
            let bytes = base32_bytes(&factor.secret);
            assert_eq!(totp::base32(&bytes), factor.secret);
            sign_in(app, Some(&factor.recovery[0])).await.expect(200);

            let kept: Result<Kept, StoreError> = app
                .app
                .store
                .read(|conn| {
                    let sealed = moderators::table.select(moderators::totp_secret).first(conn)?;
                    let hashes = recovery_codes::table.select(recovery_codes::hash).load(conn)?;
                    let facts = audit_entries::table.select(audit_entries::facts).load(conn)?;
                    Ok((sealed, hashes, facts))
                })
                .await;
            let (sealed, hashes, facts) = kept.expect("what is kept");
            let sealed = sealed.expect("a secret");
            assert_eq!(sealed.len(), 20 + 29);
            assert!(!sealed.windows(8).any(|window| bytes.windows(8).any(|part| part == window)));
            assert_eq!(hashes.len(), 10);
            for code in &factor.recovery {
                for form in [code.clone(), code.replace('-', "")] {
                    let plain = rejoinder::kit::secret::digest(form.as_bytes()).to_vec();
                    assert!(!hashes.contains(&plain), "a hash without a key could be guessed offline");
                }
                assert!(!facts.iter().any(|facts| facts.contains(code)));
            }
            for path in ["/api/v1/me", "/api/v1/review/comments"] {
                let answer = app.get_as(&person, path).await.expect(200);
                assert!(!answer.text().contains(&factor.secret) && !answer.text().contains("secret"), "{path}");
            }
            for problem in [enrol(app, &person).await, confirm(app, &person, &app.totp(&factor.secret)).await] {
                assert_eq!(problem.status, 409);
                assert!(
                    !problem.text().contains(&factor.secret) && !problem.text().contains(&app.totp(&factor.secret))
                );
            }
        });
    }
}
