//! Signing in, going on with a session, signing out, and oneself: `src/accounts`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::accounts::{self, AddModerator, PasswordError, PeopleError, Role};
use rejoinder::audit::Actor;
use rejoinder::store::StoreError;
use rejoinder::store::schema::{moderators, refresh_tokens, sessions};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::server::{NOON, TestApp};
use crate::support::{Answer, Setup, on_each_database, on_each_database_with};

const DAY: u64 = 24 * 60 * 60;

async fn try_to_sign_in(app: &TestApp, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    Answer::of(app.request(Method::POST, "/api/v1/session").json(&body)).await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    let body = json!({ "refresh_token": token });
    Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&body)).await
}

/// Goes on with a session that is expected to go on; gives the new pair.
async fn refreshed(app: &TestApp, person: &Person) -> Person {
    let answer = refresh(app, &person.refresh).await.expect(200).json();
    let token = |name: &str| answer[name].as_str().expect("a token").to_owned();
    Person { username: person.username.clone(), access: token("access_token"), refresh: token("refresh_token") }
}

async fn is_signed_in(app: &TestApp, person: &Person) -> bool {
    let answer = app.get_as(person, "/api/v1/me").await;
    match answer.status {
        200 => true,
        401 => {
            answer.expect_problem(401, "unauthenticated");
            false
        }
        other => panic!("neither in nor out: {other}"),
    }
}

/// Every hash there is, by name of user.
async fn hash_of(app: &TestApp, username: &'static str) -> String {
    let found: Result<String, StoreError> = app
        .app
        .store
        .read(move |conn| {
            let row = moderators::table.filter(moderators::username.eq(username)).select(moderators::password_hash);
            Ok(row.first(conn)?)
        })
        .await;
    found.expect("a hash")
}

async fn add(app: &TestApp, username: &str, password: &str) -> Result<(), PeopleError> {
    let (username, password) = (username.to_owned(), password.to_owned());
    let add =
        AddModerator { username, password: Some(password), role: Role::Admin, sites: Vec::new(), display_name: None };
    accounts::add_moderator(&app.app, Actor::NOBODY, add).await.map(drop)
}

/// One part of a JWT, read.
fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

mod sign_in {
    use super::*;

    #[test]
    fn a_name_and_its_password_open_a_session() {
        on_each_database(async |app| {
            app.moderator().await;
            let answer = try_to_sign_in(app, "moderator", PASSWORD).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let body = answer.json();
            assert_eq!(body["token_type"], "Bearer");
            assert_eq!(body["expires_in"], 900);
            let mut names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
            names.sort();
            assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);
        });
    }

    #[test]
    fn names_are_compared_without_case() {
        on_each_database(async |app| {
            app.moderator().await;
            try_to_sign_in(app, "MODERATOR", PASSWORD).await.expect(200);
        });
    }

    /// S3: whoever asks cannot tell which names there are, nor which of them are disabled.
    #[test]
    fn every_refusal_is_the_same_answer() {
        on_each_database(async |app| {
            app.admin().await;
            app.moderator().await;
            app.person("gone", Role::Moderator, &["main"]).await;
            accounts::disable_moderator(&app.app, Actor::NOBODY, "gone").await.expect("disabled");
            let long = "x".repeat(1_000);
            let tries = [
                ("moderator", "not the right password"),
                ("moderator", ""),
                ("moderator", long.as_str()),
                ("moderator", "A password for tests only"),
                ("moderator", "a password for tests only "),
                ("nobody", PASSWORD),
                ("nobody", "not the right password"),
                ("", PASSWORD),
                (long.as_str(), PASSWORD),
                ("mod%rator", PASSWORD),
                ("' OR 1=1 --", PASSWORD),
                ("gone", PASSWORD),
                ("gone", "not the right password"),
                ("nobody\u{301}", PASSWORD),
            ];
            let mut seen = Vec::new();
            for (username, password) in tries {
                let answer = try_to_sign_in(app, username, password).await;
                let mut headers: Vec<(String, String)> = answer
                    .headers
                    .iter()
                    .filter(|(name, _)| *name != "date")
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                    .collect();
                headers.sort();
                let status = answer.status;
                let mut body = answer.expect_problem(401, "unauthenticated");
                assert!(body.as_object_mut().unwrap().remove("trace_id").is_some());
                seen.push((username, status, headers, body));
            }
            for one in &seen[1..] {
                assert_eq!((one.1, &one.2, &one.3), (seen[0].1, &seen[0].2, &seen[0].3), "{}", one.0);
            }
            assert!(seen[0].2.iter().any(|(name, _)| name == "www-authenticate"));
        });
    }

    #[test]
    fn what_is_missing_wrong_or_unknown_is_named_at_once() {
        on_each_database(async |app| {
            let send = async |body: &Value| Answer::of(app.request(Method::POST, "/api/v1/session").json(body)).await;
            send(&json!({})).await.expect_faults(&[("/password", "required"), ("/username", "required")]);
            send(&json!({ "username": 7, "password": null, "role": "admin" })).await.expect_faults(&[
                ("/password", "required"),
                ("/role", "unknown"),
                ("/username", "type"),
            ]);
            send(&json!({ "username": "a\u{0}b", "password": "p" }))
                .await
                .expect_faults(&[("/username", "nul_character")]);
        });
    }

    #[test]
    fn an_address_has_ten_tries_then_one_per_six_seconds() {
        on_each_database_with(&Setup { has_limits: true, ..Setup::default() }, async |app| {
            add(app, "known", PASSWORD).await.expect("added");
            for number in 0..10 {
                // Another name each time: one alone is slowed sooner.
                try_to_sign_in(app, &format!("nobody{number}"), PASSWORD).await.expect(401);
            }
            let refused = try_to_sign_in(app, "known", PASSWORD).await;
            assert_eq!(refused.header("retry-after"), Some("6"));
            assert!(refused.header("ratelimit").is_some() && refused.header("ratelimit-policy").is_some());
            refused.expect_problem(429, "too-fast");
            app.advance(6);
            try_to_sign_in(app, "known", PASSWORD).await.expect(200);
        });
    }
}

mod passwords {
    use super::*;

    /// Reads `$argon2id$v=19$m=…,t=…,p=…$salt$hash` by hand, so that nothing of ours judges itself.
    fn strength(hash: &str) -> (String, u32, u32, u32, usize) {
        let parts: Vec<&str> = hash.split('$').collect();
        assert_eq!(parts.len(), 6, "{hash}");
        let number = |name: &str| -> u32 {
            let found = parts[3].split(',').find_map(|pair| pair.strip_prefix(name));
            found.expect("a parameter").parse().expect("a number")
        };
        let salt = STANDARD_NO_PAD.decode(parts[4]).expect("base64").len();
        (parts[1].to_owned(), number("m="), number("t="), number("p="), salt)
    }

    fn assert_strong(hash: &str) {
        let (algorithm, memory, passes, lanes, salt) = strength(hash);
        assert_eq!(algorithm, "argon2id");
        assert!(memory >= 19_456 && passes >= 2 && lanes == 1 && salt >= 16, "{hash}");
    }

    /// S1.
    #[test]
    fn every_stored_hash_is_of_the_promised_strength_and_salted_alone() {
        on_each_database(async |app| {
            for name in ["one", "two", "three"] {
                add(app, name, PASSWORD).await.expect("added");
            }
            accounts::reset_password(&app.app, Actor::NOBODY, "three", "another password for tests".to_owned())
                .await
                .expect("reset");
            let hashes: Result<Vec<String>, StoreError> =
                app.app.store.read(|conn| Ok(moderators::table.select(moderators::password_hash).load(conn)?)).await;
            let mut hashes = hashes.expect("hashes");
            assert_eq!(hashes.len(), 3);
            for hash in &hashes {
                assert_strong(hash);
            }
            hashes.sort();
            hashes.dedup();
            assert_eq!(hashes.len(), 3, "the same password twice, and yet no hash twice");
        });
    }

    /// S1.
    #[test]
    fn a_weaker_hash_is_replaced_at_sign_in_and_only_then() {
        on_each_database(async |app| {
            add(app, "old", PASSWORD).await.expect("added");
            let weak = weak_hash();
            let kept = weak.clone();
            let set: Result<usize, StoreError> = app
                .app
                .store
                .write(move |conn| {
                    Ok(diesel::update(moderators::table).set(moderators::password_hash.eq(&kept)).execute(conn)?)
                })
                .await;
            assert_eq!(set.expect("set"), 1);
            try_to_sign_in(app, "old", "not the right password").await.expect(401);
            assert_eq!(hash_of(app, "old").await, weak);
            try_to_sign_in(app, "old", PASSWORD).await.expect(200);
            let stronger = hash_of(app, "old").await;
            assert_strong(&stronger);
            try_to_sign_in(app, "old", PASSWORD).await.expect(200);
            assert_eq!(hash_of(app, "old").await, stronger, "a strong one is left alone");
        });
    }

    /// 128 characters that do not repeat themselves.
    fn long_password() -> String {
        let text = "Eleven heron wade beside grey reeds; two boats drift past the mill, and nobody \
                    counts how often the rope was mended last winter.";
        let text: String = text.chars().chain("0123456789".chars().cycle()).take(128).collect();
        assert_eq!(text.len(), 128);
        text
    }

    #[test]
    fn no_password_and_no_token_is_in_the_database_as_it_is() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let Some(path) = app.database.url_text().strip_prefix("sqlite:").map(str::to_owned) else { return };
            let mut kept = std::fs::read(&path).expect("the database");
            kept.extend(std::fs::read(format!("{path}-wal")).unwrap_or_default());
            let holds = |text: &[u8]| kept.windows(text.len()).any(|window| window == text);
            assert!(holds(b"moderator"), "the account is there");
            let token = URL_SAFE_NO_PAD.decode(&person.refresh).expect("base64url");
            for secret in [PASSWORD.as_bytes(), person.refresh.as_bytes(), &token, person.access.as_bytes()] {
                assert!(!holds(secret));
            }
        });
    }

    fn weak_hash() -> String {
        use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
        let params = Params::new(8_192, 2, 1, None).expect("parameters");
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(PASSWORD.as_bytes());
        hash.map(|hash: argon2::password_hash::phc::PasswordHash| hash.to_string()).expect("a hash")
    }

    /// S2, through what the command line calls.
    #[test]
    fn a_password_is_judged_by_length_and_commonness_alone() {
        on_each_database(async |app| {
            let (longest, too_long) = (long_password(), long_password() + "x");
            let long_marks = "é".repeat(7);
            let table: [(&str, Option<PasswordError>); 19] = [
                ("", Some(PasswordError::TooShort(15))),
                ("short", Some(PasswordError::TooShort(15))),
                ("14 characters.", Some(PasswordError::TooShort(15))),
                (&long_marks, Some(PasswordError::TooShort(15))), // 14 bytes, 7 characters
                ("15 CHARACTERS..", Some(PasswordError::Common)), // one common word
                ("onlylowercaselettershere", None),
                ("ONLY UPPER CASE LETTERS HERE", None),
                ("fünfzehn zeichen mit umlauten", None),
                ("      spaces around it count      ", None),
                ("密码密码很长很长真的很长的密码短语好", None),
                ("correct horse battery staple 🐎", None),
                (&longest, None),
                (&too_long, Some(PasswordError::TooLong)),
                ("passwordpassword", Some(PasswordError::Common)),
                ("PassWordPassWord", Some(PasswordError::Common)),
                ("123456789012345", Some(PasswordError::Common)),
                ("qwertyuiopasdfgh", Some(PasswordError::Common)),
                ("aaaaaaaaaaaaaaaaaaaa", Some(PasswordError::Common)),
                ("ludovica.marchetti", Some(PasswordError::Common)), // the user's own name
            ];
            for (number, (password, refused)) in table.into_iter().enumerate() {
                let username =
                    if password.starts_with("ludovica") { password.to_owned() } else { format!("user{number}") };
                match (add(app, &username, password).await, refused) {
                    (Ok(()), None) => {
                        try_to_sign_in(app, &username, password).await.expect(200);
                    }
                    (Err(PeopleError::Password(found)), Some(refused)) => assert_eq!(found, refused, "{password:?}"),
                    (outcome, refused) => panic!("{password:?}: {outcome:?}, not {refused:?}"),
                }
            }
        });
    }

    #[test]
    fn nothing_of_a_password_is_cut_off_or_folded() {
        on_each_database(async |app| {
            let longest = long_password();
            add(app, "long", &longest).await.expect("added");
            try_to_sign_in(app, "long", &longest).await.expect(200);
            let last_differs = format!("{}?", &longest[..127]);
            for wrong in [&last_differs, &longest[..127], &longest[..72], &longest.to_uppercase(), longest.trim_end()] {
                if wrong != longest {
                    try_to_sign_in(app, "long", wrong).await.expect(401);
                }
            }
        });
    }

    #[test]
    fn a_user_name_is_taken_once_whatever_its_case() {
        on_each_database(async |app| {
            add(app, "Ada", PASSWORD).await.expect("added");
            assert!(matches!(add(app, "aDA", PASSWORD).await, Err(PeopleError::Taken)));
            for refused in ["", "two words", "ünïcode", "a/b", "a\u{0}", "a\n", &"x".repeat(65)] {
                assert!(matches!(add(app, refused, PASSWORD).await, Err(PeopleError::Username)), "{refused:?}");
            }
        });
    }
}

mod tokens {
    use super::*;

    #[test]
    fn an_access_token_says_who_and_which_session_for_fifteen_minutes() {
        on_each_database(async |app| {
            let one = app.moderator().await;
            let mut header = part(&one.access, 0);
            let kid = header.as_object_mut().unwrap().remove("kid").expect("a kid");
            assert_eq!((kid.as_str().unwrap().len(), header), (22, json!({ "typ": "at+jwt", "alg": "HS256" })));
            let claims = part(&one.access, 1);
            let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sid", "sub"]);
            let me = app.get_as(&one, "/api/v1/me").await.expect(200).json();
            assert_eq!(claims["sub"], me["id"].to_string());
            assert_eq!(claims["iss"], app.app.public_url.as_str());
            assert_eq!(claims["iat"], NOON.0 / 1000);
            assert_eq!(claims["exp"], NOON.0 / 1000 + 900);
            let other = app.sign_in("moderator").await;
            let other = part(&other.access, 1);
            assert_ne!(claims["jti"], other["jti"]);
            assert_ne!(claims["sid"], other["sid"]);
        });
    }

    #[test]
    fn an_access_token_is_good_to_the_last_second() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            app.advance(899);
            assert!(is_signed_in(app, &person).await);
            app.advance(1);
            assert!(!is_signed_in(app, &person).await);
            let person = refreshed(app, &person).await;
            assert!(is_signed_in(app, &person).await);
        });
    }

    #[test]
    fn refresh_tokens_have_256_bits_and_are_stored_as_hashes_alone() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let token = URL_SAFE_NO_PAD.decode(&person.refresh).expect("base64url");
            assert_eq!(token.len(), 32);
            let kept: Result<Vec<Vec<u8>>, StoreError> =
                app.app.store.read(|conn| Ok(refresh_tokens::table.select(refresh_tokens::hash).load(conn)?)).await;
            assert_eq!(kept.expect("hashes"), [rejoinder::kit::secret::digest(&token).to_vec()]);
        });
    }
}

mod going_on {
    use super::*;

    #[test]
    fn a_refresh_token_gives_a_new_pair_of_the_same_session() {
        on_each_database(async |app| {
            let first = app.moderator().await;
            let second = refreshed(app, &first).await;
            assert_ne!(first.refresh, second.refresh);
            assert_ne!(first.access, second.access);
            assert_eq!(part(&first.access, 1)["sid"], part(&second.access, 1)["sid"]);
            assert!(is_signed_in(app, &first).await && is_signed_in(app, &second).await);
        });
    }

    #[test]
    fn the_immediate_predecessor_gives_the_same_successor_for_ten_seconds() {
        on_each_database(async |app| {
            let first = app.moderator().await;
            let second = refreshed(app, &first).await;
            app.advance(9);
            assert_eq!(refreshed(app, &first).await.refresh, second.refresh);
            assert!(is_signed_in(app, &second).await);
        });
    }

    #[test]
    fn after_ten_seconds_the_predecessor_ends_the_whole_family() {
        on_each_database(async |app| {
            let first = app.moderator().await;
            let second = refreshed(app, &first).await;
            app.advance(10);
            refresh(app, &first.refresh).await.expect_problem(401, "unauthenticated");
            refresh(app, &second.refresh).await.expect_problem(401, "unauthenticated");
            assert!(!is_signed_in(app, &first).await && !is_signed_in(app, &second).await);
        });
    }

    #[test]
    fn a_token_whose_successor_was_used_ends_the_family_even_at_once() {
        on_each_database(async |app| {
            let first = app.moderator().await;
            let second = refreshed(app, &first).await;
            let third = refreshed(app, &second).await;
            refresh(app, &first.refresh).await.expect(401);
            refresh(app, &third.refresh).await.expect(401);
            assert!(!is_signed_in(app, &third).await);
        });
    }

    #[test]
    fn one_family_that_ends_takes_no_other_with_it() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let there = app.sign_in("moderator").await;
            refreshed(app, &here).await;
            app.advance(10);
            refresh(app, &here.refresh).await.expect(401);
            assert!(is_signed_in(app, &there).await);
            refreshed(app, &there).await;
        });
    }

    /// S7.
    #[test]
    fn fifty_at_once_get_one_successor() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let answers = join_all((0..50).map(|_| refresh(app, &person.refresh))).await;
            let mut successors: Vec<String> = answers
                .into_iter()
                .map(|answer| answer.expect(200).json()["refresh_token"].as_str().unwrap().to_owned())
                .collect();
            successors.dedup();
            assert_eq!(successors.len(), 1);
            let kept: Result<i64, StoreError> =
                app.app.store.read(|conn| Ok(refresh_tokens::table.count().get_result(conn)?)).await;
            assert_eq!(kept.expect("a number"), 2);
            refresh(app, &successors[0]).await.expect(200);
        });
    }

    #[test]
    fn what_is_no_refresh_token_of_ours_is_one_answer() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let flipped = URL_SAFE_NO_PAD.encode([7_u8; 32]);
            let twice = person.refresh.clone() + &person.refresh;
            for token in
                ["", "x", "é", &flipped, &person.access, &person.refresh[1..], &twice, &format!("{}=", person.refresh)]
            {
                refresh(app, token).await.expect_problem(401, "unauthenticated");
            }
            refreshed(app, &person).await;
        });
    }

    #[test]
    fn a_session_is_over_after_seven_days_unused() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            app.advance(7 * DAY - 1);
            let person = refreshed(app, &person).await;
            app.advance(7 * DAY);
            refresh(app, &person.refresh).await.expect(401);
        });
    }

    #[test]
    fn a_session_is_over_after_thirty_days_however_used() {
        on_each_database(async |app| {
            let mut person = app.moderator().await;
            for _ in 0..4 {
                app.advance(6 * DAY);
                person = refreshed(app, &person).await;
            }
            app.advance(6 * DAY - 1);
            person = refreshed(app, &person).await;
            app.advance(1);
            refresh(app, &person.refresh).await.expect(401);
        });
    }
}

mod ending {
    use super::*;

    /// S6.
    #[test]
    fn signing_out_ends_the_access_token_and_the_refresh_token_at_once() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let elsewhere = app.sign_in("moderator").await;
            let answer = Answer::of(app.request_as(&person, Method::DELETE, "/api/v1/session")).await.expect(204);
            assert!(answer.body.is_empty());
            assert!(!is_signed_in(app, &person).await);
            refresh(app, &person.refresh).await.expect(401);
            Answer::of(app.request_as(&person, Method::DELETE, "/api/v1/session")).await.expect(401);
            assert!(is_signed_in(app, &elsewhere).await);
        });
    }

    #[test]
    fn signing_out_ends_every_token_of_the_session() {
        on_each_database(async |app| {
            let first = app.moderator().await;
            let second = refreshed(app, &first).await;
            Answer::of(app.request_as(&first, Method::DELETE, "/api/v1/session")).await.expect(204);
            assert!(!is_signed_in(app, &second).await);
            refresh(app, &second.refresh).await.expect(401);
        });
    }

    /// S6.
    #[test]
    fn disabling_somebody_ends_every_session_of_theirs_at_once() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let here = app.moderator().await;
            let there = app.sign_in("moderator").await;
            accounts::disable_moderator(&app.app, Actor::NOBODY, "moderator").await.expect("disabled");
            for person in [&here, &there] {
                assert!(!is_signed_in(app, person).await);
                refresh(app, &person.refresh).await.expect(401);
            }
            try_to_sign_in(app, "moderator", PASSWORD).await.expect(401);
            assert!(is_signed_in(app, &admin).await);
        });
    }

    #[test]
    fn the_last_administrator_cannot_be_disabled() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.moderator().await;
            let refused = accounts::disable_moderator(&app.app, Actor::NOBODY, "admin").await;
            assert!(matches!(refused, Err(PeopleError::LastAdmin)));
            assert!(is_signed_in(app, &admin).await);
            add(app, "second", PASSWORD).await.expect("added");
            accounts::disable_moderator(&app.app, Actor::NOBODY, "admin").await.expect("disabled");
            assert!(!is_signed_in(app, &admin).await);
        });
    }

    /// S6.
    #[test]
    fn a_new_password_ends_every_session_at_once_and_is_the_only_one() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let there = app.sign_in("moderator").await;
            let new = "quite another password";
            accounts::reset_password(&app.app, Actor::NOBODY, "moderator", new.to_owned()).await.expect("reset");
            for person in [&here, &there] {
                assert!(!is_signed_in(app, person).await);
                refresh(app, &person.refresh).await.expect(401);
            }
            try_to_sign_in(app, "moderator", PASSWORD).await.expect(401);
            try_to_sign_in(app, "moderator", new).await.expect(200);
        });
    }

    #[test]
    fn a_password_that_is_refused_ends_nothing() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            assert!(accounts::reset_password(&app.app, Actor::NOBODY, "moderator", "short".to_owned()).await.is_err());
            assert!(is_signed_in(app, &person).await);
            assert!(matches!(
                accounts::reset_password(&app.app, Actor::NOBODY, "nobody", PASSWORD.to_owned()).await,
                Err(PeopleError::Unknown)
            ));
        });
    }

    #[test]
    fn what_is_no_longer_there_signs_nobody_in() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let gone: Result<usize, StoreError> =
                app.app.store.write(|conn| Ok(diesel::delete(sessions::table).execute(conn)?)).await;
            assert_eq!(gone.expect("deleted"), 1);
            assert!(!is_signed_in(app, &person).await);
            refresh(app, &person.refresh).await.expect(401);
        });
    }
}

mod oneself {
    use super::*;

    async fn rename(app: &TestApp, person: &Person, body: &Value) -> Answer {
        Answer::of(app.request_as(person, Method::PATCH, "/api/v1/me").json(body)).await
    }

    #[test]
    fn one_sees_ones_name_role_and_sites() {
        on_each_database(async |app| {
            app.site("second").await;
            let moderator = app.moderator().await;
            let admin = app.admin().await;
            let answer = app.get_as(&moderator, "/api/v1/me").await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let me = answer.json();
            assert!(me["id"].as_i64().is_some_and(|id| id > 0));
            let wanted = json!({
                "id": me["id"],
                "username": "moderator",
                "display_name": "Staff",
                "role": "moderator",
                "sites": ["main"],
                "totp": false,
            });
            assert_eq!(me, wanted);
            let admin = app.get_as(&admin, "/api/v1/me").await.json();
            assert_eq!((&admin["role"], &admin["sites"]), (&json!("admin"), &json!(["main", "second"])));
        });
    }

    #[test]
    fn one_changes_ones_display_name() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let answer = rename(app, &person, &json!({ "display_name": "  The  Editors " })).await.expect(200);
            assert_eq!(answer.json()["display_name"], "The Editors");
            let me = app.get_as(&person, "/api/v1/me").await.json();
            assert_eq!((&me["display_name"], &me["username"]), (&json!("The Editors"), &json!("moderator")));
        });
    }

    #[test]
    fn a_display_name_follows_the_rules_of_names() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            for (name, code) in [
                (json!(""), "blank"),
                (json!("   "), "blank"),
                (json!("x".repeat(246)), "too_long"),
                (json!("a\u{0}b"), "nul_character"),
                (json!("a\u{7}b"), "control_character"),
                (json!("a\u{202e}b"), "invisible_character"),
                (json!(7), "type"),
                (json!(null), "required"),
            ] {
                rename(app, &person, &json!({ "display_name": name })).await.expect_faults(&[("/display_name", code)]);
            }
            rename(app, &person, &json!({ "display_name": "x".repeat(245) })).await.expect(200);
        });
    }

    /// S9.
    #[test]
    fn nothing_else_of_oneself_can_be_sent() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let before = app.get_as(&person, "/api/v1/me").await.json();
            let body = json!({
                "display_name": "New", "role": "admin", "id": 1, "username": "root", "sites": ["x"], "totp": true,
                "is_disabled": false, "password_hash": "x",
            });
            rename(app, &person, &body).await.expect_faults(&[
                ("/id", "unknown"),
                ("/is_disabled", "unknown"),
                ("/password_hash", "unknown"),
                ("/role", "unknown"),
                ("/sites", "unknown"),
                ("/totp", "unknown"),
                ("/username", "unknown"),
            ]);
            assert_eq!(app.get_as(&person, "/api/v1/me").await.json(), before);
        });
    }
}

mod order {
    use super::*;

    #[test]
    fn whoever_is_signed_out_hears_that_before_anything_else_that_is_wrong() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            Answer::of(app.request_as(&person, Method::DELETE, "/api/v1/session")).await.expect(204);
            let decisions = "/api/v1/review/comments/1/decisions";
            let without_if_match = app.request_as(&person, Method::POST, decisions).json(&json!({}));
            let without_type = app.request_as(&person, Method::POST, decisions).header("If-Match", "\"1\"").body("x");
            let unreadable =
                app.request_as(&person, Method::PATCH, "/api/v1/me").header("content-type", "application/json");
            for request in [
                without_if_match,
                without_type,
                unreadable.body("{"),
                app.request_as(&person, Method::GET, "/api/v1/review/comments?limit=%ff"),
                app.request_as(&person, Method::PUT, "/api/v1/sites/main/articles/a").body("x"),
            ] {
                Answer::of(request).await.expect_problem(401, "unauthenticated");
            }
        });
    }
}
