//! Bans: `src/bans` and `src/review/ban.rs`.

use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::review::index_waiting;
use rejoinder::store::StoreError;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

/// Readers come from addresses of the test's choice.
const PROXY: Setup = Setup {
    has_limits: false,
    public_url: None,
    trusted_proxies: Some("127.0.0.1"),
    secret: None,
    require_totp: None,
    challenge: None,
};

async fn ban(app: &TestApp, person: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::POST, "/api/v1/bans").json(body)).await
}

fn on_main(kind: &str, value: &str) -> Value {
    json!({ "kind": kind, "value": value, "site": "main", "reason": "a flood" })
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

fn from(name: &str, email: &str, comment: &str) -> Value {
    json!({ "name": name, "email": email, "comment": comment })
}

async fn post_from(app: &TestApp, article: &str, body: &Value, address: &str) -> Answer {
    app.post_with(article, body, &[("x-forwarded-for", address)]).await
}

async fn status(app: &TestApp, person: &Person, id: i64) -> String {
    one(app, person, id).await["status"].as_str().unwrap().to_owned()
}

mod in_force {
    use super::*;

    #[test]
    fn what_the_banned_send_goes_to_the_spam_folder_and_is_answered_like_any_that_is_held() {
        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let held = app.post(&article, &from("Ada", "ada@example.org", "fine")).await.expect(202);
            let made = ban(app, &person, &on_main("email", "Troll@Example.org")).await.expect(201);
            assert_eq!(made.header("cache-control"), Some("no-store"));
            let made = made.json();
            let wanted = json!({
                "id": made["id"], "kind": "email", "value": "Troll@Example.org", "site": "main", "reason": "a flood",
                "by": "moderator", "created_at": "2026-11-24T12:00:00.000Z", "expires_at": null, "sweep": null,
            });
            assert_eq!(made, wanted);
            let caught = app.post(&article, &from("Bob", "TROLL@example.org", "buy")).await.expect(202);
            let names = |answer: &Answer| {
                let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
                names.extend(answer.json().as_object().unwrap().keys().cloned());
                names
            };
            assert_eq!(names(&caught), names(&held));
            let caught = caught.json();
            assert_eq!(caught["status"], "pending");
            let token = caught["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap();
            let receipt = app.get(&format!("/api/v1/receipts/{token}")).await.expect(200).json();
            assert_eq!((&receipt["status"], &receipt["reason"]), (&json!("pending"), &Value::Null));
            let id = caught["id"].as_i64().unwrap();
            let seen = one(app, &person, id).await;
            assert_eq!((&seen["status"], &seen["version"]), (&json!("spam"), &json!(1)));
            assert_eq!(seen["reasons"][0], format!("The email is banned (ban {}).", made["id"]));
            // By the number of a ban one could tell which comments are from the same email.
            let ruth = app.person("ruth", Role::ReviewerWithoutEmails, &["main"]).await;
            let spam = app.get_as(&ruth, "/api/v1/review/comments?status=spam").await.json();
            for seen in [one(app, &ruth, id).await, spam["items"][0].clone()] {
                assert_eq!(seen["reasons"][0], "The email is banned.");
            }
            let report = app.get_as(&person, "/api/v1/sites/main/transparency").await.json();
            let because = report["held_because"].as_array().unwrap();
            assert!(because.iter().any(|line| line["of"] == "The email is banned."), "{because:?}");
            let line = &seen["decisions"][0];
            assert_eq!((&line["by"], &line["from"], &line["to"]), (&Value::Null, &Value::Null, &json!("spam")));
            let queue = app.get_as(&person, "/api/v1/review/comments").await.json();
            assert_eq!(queue["items"].as_array().unwrap().len(), 1, "only what is held waits");
            // It is a comment like any: a mistake is mended.
            let line = app.decide(&person, id, 1, "approve").await.expect(201).json();
            assert_eq!(line["from"], "spam");
            assert_eq!(one(app, &person, id).await["decisions"].as_array().unwrap().len(), 2);
        });
    }

    #[test]
    fn every_kind_is_caught_also_where_all_is_published() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let (article, person) = (app.article("a").await, app.moderator().await);
            for body in [
                on_main("name", "Trôll  Two"),
                on_main("email", "troll@example.org"),
                on_main("address", "192.0.2.1"),
                on_main("address", "2001:db8:1:2::3"),
                on_main("network", "198.51.100.77/24"),
            ] {
                ban(app, &person, &body).await.expect(201);
            }
            let good = ("Ada", "ada@example.org", "203.0.113.9");
            for (number, (name, email, address, wanted)) in [
                (good.0, good.1, good.2, "approved"),
                ("TROLL TWO", good.1, good.2, "spam"),
                ("Troll", good.1, good.2, "approved"),
                (good.0, "Troll@EXAMPLE.org", good.2, "spam"),
                (good.0, good.1, "192.0.2.1", "spam"),
                (good.0, good.1, "192.0.2.2", "approved"),
                (good.0, good.1, "2001:db8:1:2:ffff::1", "spam"),
                (good.0, good.1, "2001:db8:1:3::1", "approved"),
                (good.0, good.1, "198.51.100.1", "spam"),
                (good.0, good.1, "198.51.101.1", "approved"),
                // A name that can be taken for a banned one waits for a moderator.
                ("Тroll Two", good.1, good.2, "pending"),
            ]
            .into_iter()
            .enumerate()
            {
                let body = from(name, email, &format!("number {number}"));
                let answer = post_from(app, &article, &body, address).await;
                assert_eq!(answer.status, if wanted == "approved" { 201 } else { 202 }, "{name} {email} {address}");
                let id = answer.json()["id"].as_i64().unwrap();
                assert_eq!(status(app, &person, id).await, wanted, "{name} {email} {address}");
                let public = app.get(&format!("/api/v1/comments/{id}")).await;
                assert_eq!(public.status, if wanted == "approved" { 200 } else { 404 });
            }
        });
    }

    #[test]
    fn a_ban_holds_on_its_site_and_one_of_all_sites_everywhere() {
        on_each_database(async |app| {
            app.site("second").await;
            let (main, second) = (app.article("a").await, app.article_on("second", "a").await);
            let admin = app.admin().await;
            ban(app, &admin, &on_main("email", "one@example.org")).await.expect(201);
            let all = json!({ "kind": "email", "value": "all@example.org", "reason": "x" });
            let made = ban(app, &admin, &all).await.expect(201).json();
            assert_eq!(made["site"], Value::Null);
            for (article, email, wanted) in [
                (&main, "one@example.org", "spam"),
                (&second, "one@example.org", "pending"),
                (&main, "all@example.org", "spam"),
                (&second, "all@example.org", "spam"),
            ] {
                let id = app.posted(article, &from("Bob", email, "text")).await;
                assert_eq!(status(app, &admin, id).await, wanted, "{article} {email}");
            }
        });
    }

    #[test]
    fn it_ends_when_it_expires_and_when_it_is_lifted() {
        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let mut body = on_main("name", "Troll");
            body["expires_at"] = json!("2026-11-24T12:01:00Z");
            ban(app, &person, &body).await.expect(201);
            let made = ban(app, &person, &on_main("email", "troll@example.org")).await.expect(201).json();
            let post = async |name: &str, email: &str, text: &str| {
                let id = app.posted(&article, &from(name, email, text)).await;
                status(app, &person, id).await
            };
            assert_eq!(post("Troll", "x@example.org", "1").await, "spam");
            app.advance(59);
            assert_eq!(post("Troll", "x@example.org", "2").await, "spam");
            app.advance(1);
            assert_eq!(post("Troll", "x@example.org", "3").await, "pending");
            assert_eq!(post("Bob", "troll@example.org", "4").await, "spam");
            let path = format!("/api/v1/bans/{}", made["id"]);
            let lift = app.request_as(&person, Method::DELETE, &path);
            assert!(Answer::of(lift).await.expect(204).body.is_empty());
            assert_eq!(post("Bob", "troll@example.org", "5").await, "pending");
            Answer::of(app.request_as(&person, Method::DELETE, &path)).await.expect_problem(404, "not-found");
            // What has expired is no obstacle to a new one.
            ban(app, &person, &on_main("name", "Troll")).await.expect(201);
            assert_eq!(post("Troll", "x@example.org", "6").await, "spam");
        });
    }

    /// As on a second node: the change is made behind this one's back.
    #[test]
    fn another_nodes_ban_is_in_force_within_a_moment() {
        use diesel::prelude::*;
        use rejoinder::store::schema::{bans, job_marks};
        use rejoinder::store::{Store, StoreError};

        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            app.posted(&article, &from("Bob", "other@example.org", "before")).await;
            let other = Store::open(&app.database.url()).expect("a second store");
            let wrote = other.write(|conn| {
                diesel::insert_into(bans::table)
                    .values((
                        bans::id.eq(9_000_000_000_i64),
                        bans::kind.eq("email"),
                        bans::value.eq("other@example.org"),
                        bans::low.eq("other@example.org"),
                        bans::high.eq("other@example.org"),
                        bans::reason.eq("x"),
                        bans::moderator_id.eq(1_i64),
                        bans::created_at.eq(1_i64),
                    ))
                    .execute(conn)?;
                diesel::insert_into(job_marks::table)
                    .values((job_marks::name.eq("bans"), job_marks::mark.eq(9_000_000_000_i64)))
                    .execute(conn)?;
                Ok::<_, StoreError>(())
            });
            wrote.await.expect("a ban");
            let number = std::sync::atomic::AtomicU32::new(0);
            crate::support::eventually("the ban is in force here", async || {
                let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let body = from("Bob", "other@example.org", &format!("after {number}"));
                let id = app.posted(&article, &body).await;
                status(app, &person, id).await == "spam"
            })
            .await;
        });
    }
}

mod making {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_and_nobody_is_banned() {
        on_each_database(async |app| {
            app.site("second").await;
            let (person, admin) = (app.moderator().await, app.admin().await);
            let with = |name: &str, value: Value| {
                let mut body = on_main("name", "Troll");
                body[name] = value;
                body
            };
            let without = |name: &str| {
                let mut body = on_main("name", "Troll");
                body.as_object_mut().unwrap().remove(name);
                body
            };
            let of_kind = |kind: &str, value: &str| on_main(kind, value);
            let sweep = |value: Value| with("sweep", value);
            for (body, faults) in [
                (
                    json!({}),
                    vec![("/kind", "required"), ("/reason", "required"), ("/site", "required"), ("/value", "required")],
                ),
                (without("kind"), vec![("/kind", "required")]),
                (with("kind", Value::Null), vec![("/kind", "required")]),
                (with("kind", json!("user")), vec![("/kind", "choice")]),
                (with("kind", json!(1)), vec![("/kind", "type")]),
                (with("value", json!("")), vec![("/value", "blank")]),
                (with("value", json!("a\u{0}b")), vec![("/value", "nul_character")]),
                (of_kind("email", "nobody"), vec![("/value", "email")]),
                (of_kind("address", "10.0.0.0/24"), vec![("/value", "address")]),
                (of_kind("network", "10.0.0.1"), vec![("/value", "network")]),
                (of_kind("network", "0.0.0.0/0"), vec![("/value", "too_wide")]),
                (of_kind("network", "::/32"), vec![("/value", "too_wide")]),
                (without("reason"), vec![("/reason", "required")]),
                (with("reason", json!("")), vec![("/reason", "required")]),
                (with("reason", json!("x".repeat(2_001))), vec![("/reason", "too_many_characters")]),
                (with("expires_at", json!("tomorrow")), vec![("/expires_at", "format")]),
                (with("expires_at", json!("2026-11-24T12:00:00Z")), vec![("/expires_at", "future")]),
                (without("site"), vec![("/site", "required")]),
                (with("site", json!("second")), vec![("/site", "site")]),
                (with("site", json!("nowhere")), vec![("/site", "site")]),
                (with("site", json!("no/key")), vec![("/site", "site")]),
                (with("expires", json!("2027-01-01T00:00:00Z")), vec![("/expires", "unknown")]),
                (sweep(json!("all")), vec![("/sweep", "type")]),
                (sweep(json!({})), vec![("/sweep/decision", "required"), ("/sweep/scope", "required")]),
                (sweep(json!({ "decision": null, "scope": "all" })), vec![("/sweep/decision", "required")]),
                (sweep(json!({ "decision": "approve", "scope": "all" })), vec![("/sweep/decision", "choice")]),
                (sweep(json!({ "decision": "spam", "scope": "some" })), vec![("/sweep/scope", "choice")]),
                (sweep(json!({ "decision": "spam", "scope": "all", "x": 1 })), vec![("/sweep/x", "unknown")]),
            ] {
                ban(app, &person, &body).await.expect_faults(&faults);
            }
            let list = app.get_as(&admin, "/api/v1/bans").await.expect(200).json();
            assert_eq!(list, json!({ "items": [], "next": null }));
        });
    }

    #[test]
    fn the_same_again_is_a_conflict_that_names_the_ban() {
        on_each_database(async |app| {
            let (person, admin) = (app.moderator().await, app.admin().await);
            let first = ban(app, &person, &on_main("email", "troll@example.org")).await.expect(201).json();
            let again = ban(app, &person, &on_main("email", "TROLL@example.org")).await.expect_problem(409, "conflict");
            assert_eq!(again["ban"], first["id"]);
            // On all sites it is another.
            let all = json!({ "kind": "email", "value": "troll@example.org", "reason": "x" });
            ban(app, &admin, &all).await.expect(201);
            ban(app, &admin, &all).await.expect_problem(409, "conflict");
        });
    }

    #[test]
    fn each_is_told_in_the_log_and_never_whom_it_is_about_for_ever() {
        on_each_database(async |app| {
            let (person, admin) = (app.moderator().await, app.admin().await);
            let made = ban(app, &person, &on_main("email", "troll@example.org")).await.expect(201).json();
            let path = format!("/api/v1/bans/{}", made["id"]);
            Answer::of(app.request_as(&person, Method::DELETE, &path)).await.expect(204);
            app.sealed().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=ban-made&action=ban-lifted").await.expect(200).json();
            let items = log["items"].as_array().unwrap();
            assert_eq!(items.len(), 2);
            for (item, action) in items.iter().zip(["ban-lifted", "ban-made"]) {
                assert_eq!((&item["action"], &item["site"]), (&json!(action), &json!("main")));
                assert_eq!(item["subject"], json!({ "kind": "ban", "id": made["id"] }));
                assert_eq!(item["facts"]["kind"], "email");
                assert!(!item["facts"].to_string().contains("troll"), "{item}");
                assert_eq!(item["private"]["value"], "troll@example.org");
            }
        });
    }

    #[test]
    fn whoever_may_not_see_emails_learns_none_by_banning() {
        on_each_database(async |app| {
            let (reviewer, lead) = (
                app.person("r", Role::ReviewerWithoutEmails, &["main"]).await,
                app.person("l", Role::Lead, &["main"]).await,
            );
            ban(app, &lead, &on_main("email", "troll@example.org")).await.expect(201);
            ban(app, &reviewer, &on_main("name", "Troll")).await.expect_problem(403, "forbidden");
            app.get_as(&reviewer, "/api/v1/bans").await.expect_problem(403, "forbidden");
            // A key that may decide and not read.
            let key = json!({ "name": "k", "scopes": ["review:decide"] });
            let key = Answer::of(app.request_as(&lead, Method::POST, "/api/v1/me/keys").json(&key)).await.expect(201);
            let key = key.json()["key"].as_str().unwrap().to_owned();
            let get = app.request(Method::GET, "/api/v1/bans").bearer_auth(&key);
            Answer::of(get).await.expect_problem(403, "forbidden");
            let post = app.request(Method::POST, "/api/v1/bans").bearer_auth(&key);
            Answer::of(post.json(&on_main("email", "x@example.org"))).await.expect_problem(403, "forbidden");
        });
    }
}

mod listing {
    use super::*;

    #[test]
    fn pages_go_on_and_show_the_bans_of_ones_sites() {
        on_each_database(async |app| {
            app.site("second").await;
            let (person, admin) = (app.moderator().await, app.admin().await);
            let mut own = Vec::new();
            for number in 0..5 {
                let body = on_main("name", &format!("Troll {number}"));
                own.push(ban(app, &person, &body).await.expect(201).json()["id"].clone());
            }
            let foreign = json!({ "kind": "name", "value": "Bob", "site": "second", "reason": "x" });
            let foreign = ban(app, &admin, &foreign).await.expect(201).json()["id"].clone();
            let all = json!({ "kind": "name", "value": "Eve", "reason": "x" });
            let all = ban(app, &admin, &all).await.expect(201).json()["id"].clone();
            let ids = async |person: &Person| {
                let (mut path, mut ids) = ("/api/v1/bans?limit=2".to_owned(), Vec::new());
                loop {
                    let answer = app.get_as(person, &path).await.expect(200);
                    assert_eq!(answer.header("cache-control"), Some("no-store"));
                    let page = answer.json();
                    ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
                    match page["next"].as_str() {
                        Some(next) => {
                            assert!(answer.header("link").unwrap().contains(next));
                            path = format!("/api/v1/bans?limit=2&cursor={next}");
                        }
                        None => return ids,
                    }
                }
            };
            own.reverse();
            assert_eq!(ids(&person).await, own);
            assert_eq!(ids(&admin).await, [vec![all.clone(), foreign.clone()], own.clone()].concat());
            for id in [foreign, all] {
                let lift = app.request_as(&person, Method::DELETE, &format!("/api/v1/bans/{id}"));
                Answer::of(lift).await.expect_problem(404, "not-found");
            }
            for (query, status) in [("typo=1", 422), ("limit=0", 422), ("cursor=x", 400)] {
                assert_eq!(app.get_as(&person, &format!("/api/v1/bans?{query}")).await.status, status, "{query}");
            }
        });
    }
}

mod sweeping {
    use super::*;

    fn with_sweep(kind: &str, value: &str, decision: &str, scope: &str) -> Value {
        let mut body = on_main(kind, value);
        body["sweep"] = json!({ "decision": decision, "scope": scope });
        body
    }

    #[test]
    fn all_that_waits_or_all_there_is_is_decided() {
        on_each_database_with(&PROXY, async |app| {
            app.site("second").await;
            let (main, second) = (app.article("a").await, app.article_on("second", "a").await);
            let (person, admin) = (app.moderator().await, app.admin().await);
            for (kind, value, name, email, address) in [
                ("email", "Troll@example.org", "Bob", "troll@example.org", "192.0.2.1"),
                ("name", "tröll", "TROLL", "a@example.org", "192.0.2.2"),
                ("address", "192.0.2.3", "Bob", "b@example.org", "192.0.2.3"),
                ("network", "198.51.100.0/24", "Bob", "c@example.org", "198.51.100.7"),
            ] {
                for (scope, wanted) in
                    [("pending", ["rejected", "approved", "spam"]), ("all", ["rejected", "rejected", "rejected"])]
                {
                    let post = async |article: &str, text: &str| {
                        let body = from(name, email, &format!("{kind} {scope} {text}"));
                        post_from(app, article, &body, address).await.expect(202).json()["id"].as_i64().unwrap()
                    };
                    let theirs = [post(&main, "1").await, post(&main, "2").await, post(&main, "3").await];
                    app.approve(&admin, theirs[1]).await;
                    app.decide(&admin, theirs[2], 1, "spam").await.expect(201);
                    let elsewhere = post(&second, "4").await;
                    let body = from("Ada", "ada@example.org", &format!("{kind} {scope}"));
                    let other = post_from(app, &main, &body, "203.0.113.1").await.json()["id"].as_i64().unwrap();
                    let made = ban(app, &person, &with_sweep(kind, value, "reject", scope)).await.expect(201).json();
                    assert!(made["sweep"]["decision_id"].is_i64(), "{made}");
                    for (id, wanted) in theirs.into_iter().zip(wanted) {
                        assert_eq!(status(app, &admin, id).await, wanted, "{kind} {scope}");
                    }
                    for id in [elsewhere, other] {
                        assert_eq!(status(app, &admin, id).await, "pending", "{kind} {scope}");
                    }
                    let line = one(app, &admin, theirs[0]).await["decisions"][1].clone();
                    assert_eq!((&line["by"], &line["note"]), (&json!("moderator"), &json!("Its author is banned.")));
                    let listed = app.get_as(&person, "/api/v1/bans?limit=1").await.json()["items"][0].clone();
                    assert_eq!(listed, made);
                    let path = format!("/api/v1/bans/{}", made["id"]);
                    Answer::of(app.request_as(&person, Method::DELETE, &path)).await.expect(204);
                }
            }
        });
    }

    #[test]
    fn what_its_author_withdrew_or_what_is_so_already_is_left_alone() {
        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let id = app.posted(&article, &from("Bob", "troll@example.org", "1")).await;
            app.decide(&person, id, 1, "spam").await.expect(201);
            index_waiting(&app.app).await.expect("an author's record that does not change by itself");
            let before = one(app, &person, id).await;
            ban(app, &person, &with_sweep("email", "troll@example.org", "spam", "all")).await.expect(201);
            assert_eq!(one(app, &person, id).await, before);
        });
    }

    #[test]
    fn posts_that_come_while_somebody_is_banned_are_swept_or_caught() {
        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let posts = (0..20).map(|number| {
                let article = &article;
                async move { app.posted(article, &from("Bob", "troll@example.org", &format!("{number}"))).await }
            });
            let (ids, made) = futures_util::future::join(
                join_all(posts),
                ban(app, &person, &with_sweep("email", "troll@example.org", "spam", "all")),
            )
            .await;
            made.expect(201);
            let later = app.posted(&article, &from("Bob", "troll@example.org", "later")).await;
            assert_eq!(status(app, &person, later).await, "spam");
            for id in ids {
                let status = status(app, &person, id).await;
                assert!(status == "spam" || status == "pending", "{status}");
            }
        });
    }

    /// Whatever breaks off in between: a ban whose sweep is lost would look as if there were nothing to sweep.
    #[test]
    fn a_ban_and_its_sweep_are_both_made_or_neither_is() {
        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let id = app.posted(&article, &from("Bob", "troll@example.org", "1")).await;
            let rename = async |from: &'static str, to: &'static str| {
                let sql = format!("ALTER TABLE {from} RENAME TO {to}");
                let renamed =
                    app.app.store.write(move |conn| Ok::<_, StoreError>(diesel::sql_query(sql.clone()).execute(conn)?));
                renamed.await.unwrap();
            };
            let body = with_sweep("email", "troll@example.org", "spam", "all");
            rename("decision_batches", "away").await;
            ban(app, &person, &body).await.expect(500);
            assert_eq!(app.get_as(&person, "/api/v1/bans").await.json()["items"], json!([]));
            rename("away", "decision_batches").await;
            ban(app, &person, &body).await.expect(201);
            assert_eq!(status(app, &person, id).await, "spam");
        });
    }

    #[test]
    fn the_same_ban_again_sweeps_again_and_is_the_same_ban() {
        on_each_database(async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let first = app.posted(&article, &from("Bob", "troll@example.org", "1")).await;
            let made = ban(app, &person, &on_main("email", "troll@example.org")).await.expect(201).json();
            assert_eq!(status(app, &person, first).await, "pending");
            let mut body = with_sweep("email", "troll@example.org", "trash", "pending");
            body["reason"] = json!("another word");
            let again = ban(app, &person, &body).await.expect(200).json();
            let sweep = again["sweep"]["decision_id"].clone();
            let mut wanted = made.clone();
            wanted["sweep"] = json!({ "decision_id": sweep });
            assert_eq!(again, wanted);
            assert_eq!(status(app, &person, first).await, "trash");
            // With nothing left, the sweep that could be taken back is still the one that is told.
            assert_eq!(ban(app, &person, &body).await.expect(200).json(), wanted);
            assert_eq!(app.get_as(&person, "/api/v1/bans").await.json()["items"], json!([wanted]));
            let undo = app.request_as(&person, Method::POST, &format!("/api/v1/review/decisions/{sweep}/undo"));
            Answer::of(undo).await.expect(200);
            assert_eq!(status(app, &person, first).await, "pending");
            // Without a sweep it is there already.
            let there = ban(app, &person, &on_main("email", "troll@example.org")).await.expect_problem(409, "conflict");
            assert_eq!(there["ban"], made["id"]);
        });
    }

    #[test]
    fn a_published_comment_is_gone_from_the_page_at_once() {
        on_each_database(async |app| {
            app.publish_first().await;
            let (article, person) = (app.article("a").await, app.moderator().await);
            app.posted(&article, &from("Bob", "troll@example.org", "1")).await;
            let seen = async || app.get(&format!("{article}/comments")).await.json()["items"].as_array().unwrap().len();
            assert_eq!(seen().await, 1);
            ban(app, &person, &with_sweep("email", "troll@example.org", "trash", "all")).await.expect(201);
            assert_eq!(seen().await, 0);
        });
    }
}

mod authors {
    use super::*;

    async fn author(app: &TestApp, person: &Person, query: &str) -> Answer {
        app.get_as(person, &format!("/api/v1/review/authors?{query}")).await
    }

    #[test]
    fn a_page_has_everything_by_an_email_or_an_address_on_ones_sites() {
        on_each_database_with(&PROXY, async |app| {
            app.site("second").await;
            let (main, second) = (app.article("a").await, app.article_on("second", "a").await);
            let (person, admin) = (app.moderator().await, app.admin().await);
            let mut ids = Vec::new();
            for (number, article) in [&main, &main, &second, &main].into_iter().enumerate() {
                app.advance(1);
                let body = from("Bob", "Bob@example.org", &format!("number {number}"));
                let address = if number == 3 { "192.0.2.9" } else { "192.0.2.1" };
                ids.push(post_from(app, article, &body, address).await.json()["id"].as_i64().unwrap());
            }
            post_from(app, &main, &from("Bob", "bob@example.com", "another"), "192.0.2.8").await.expect(202);
            app.approve(&admin, ids[0]).await;
            app.decide(&admin, ids[1], 1, "spam").await.expect(201);
            let shown = |page: &Value| -> Vec<i64> {
                let items = page["comments"]["items"].as_array().unwrap();
                items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
            };
            let record = |pending: i64| json!({ "pending": pending, "approved": 1, "rejected": 0, "spam": 1, "trash": 0, "withdrawn": 0 });
            let page = author(app, &admin, "email=BOB%40example.org").await.expect(200);
            assert_eq!(page.header("cache-control"), Some("no-store"));
            let page = page.json();
            assert_eq!(shown(&page), [ids[3], ids[2], ids[1], ids[0]]);
            assert_eq!(page["record"], record(2));
            assert_eq!(page["comments"]["items"][0]["email"], "Bob@example.org");
            let page = author(app, &person, "email=bob%40example.org").await.expect(200).json();
            assert_eq!((shown(&page), &page["record"]), (vec![ids[3], ids[1], ids[0]], &record(1)));
            let page = author(app, &admin, "ip=192.0.2.1").await.expect(200).json();
            assert_eq!((shown(&page), &page["record"]), (vec![ids[2], ids[1], ids[0]], &record(1)));
            assert_eq!(author(app, &admin, "ip=192.0.2.7").await.expect(200).json()["comments"]["items"], json!([]));
            // Page by page.
            let (mut query, mut all) = ("email=bob%40example.org&limit=1".to_owned(), Vec::new());
            loop {
                let page = author(app, &admin, &query).await.expect(200).json();
                all.extend(shown(&page));
                let Some(next) = page["comments"]["next"].as_str() else { break };
                query = format!("email=bob%40example.org&limit=1&cursor={next}");
            }
            assert_eq!(all, [ids[3], ids[2], ids[1], ids[0]]);
        });
    }

    #[test]
    fn the_bans_that_are_about_them_stand_there() {
        on_each_database(async |app| {
            app.site("second").await;
            let (person, admin) = (app.moderator().await, app.admin().await);
            let mut made = Vec::new();
            for (kind, value, site) in [
                ("email", "bob@example.org", Some("main")),
                ("email", "bob@example.org", Some("second")),
                ("email", "bob@example.org", None),
                ("email", "bob@example.com", None),
                ("address", "192.0.2.1", Some("main")),
                ("network", "192.0.2.0/24", None),
                ("network", "192.0.3.0/24", None),
                ("address", "2001:db8::1", None),
            ] {
                let body = json!({ "kind": kind, "value": value, "site": site, "reason": "x" });
                made.push(ban(app, &admin, &body).await.expect(201).json()["id"].clone());
            }
            let bans = async |person: &Person, query: &str| -> Vec<Value> {
                let page = author(app, person, query).await.expect(200).json();
                page["bans"].as_array().unwrap().iter().map(|ban| ban["id"].clone()).collect()
            };
            let of = |numbers: &[usize]| -> Vec<Value> { numbers.iter().map(|at| made[*at].clone()).collect() };
            assert_eq!(bans(&admin, "email=bob%40example.org").await, of(&[2, 1, 0]));
            assert_eq!(bans(&person, "email=bob%40example.org").await, of(&[2, 0]));
            assert_eq!(bans(&person, "ip=192.0.2.1").await, of(&[5, 4]));
            assert_eq!(bans(&person, "ip=192.0.2.2").await, of(&[5]));
            assert_eq!(bans(&person, "ip=2001%3Adb8%3A%3A2").await, of(&[7]));
        });
    }

    #[test]
    fn exactly_one_of_them_is_asked_for_by_somebody_who_may() {
        on_each_database(async |app| {
            let person = app.moderator().await;
            let both = [("/email", "one_of"), ("/ip", "one_of")];
            author(app, &person, "").await.expect_faults(&both);
            author(app, &person, "email=a%40example.org&ip=192.0.2.1").await.expect_faults(&both);
            author(app, &person, "email=x").await.expect_faults(&[("/email", "email")]);
            author(app, &person, "ip=192.0.2.0%2F24").await.expect_faults(&[("/ip", "address")]);
            author(app, &person, "ip=192.0.2.1&x=1").await.expect_faults(&[("/x", "unknown")]);
            author(app, &person, "ip=192.0.2.1&cursor=x").await.expect_problem(400, "unreadable");
            let reviewer = app.person("r", Role::ReviewerWithoutEmails, &["main"]).await;
            author(app, &reviewer, "ip=192.0.2.1").await.expect_problem(403, "forbidden");
        });
    }
}

#[test]
fn a_form_that_is_banned_looks_like_one_that_is_held() {
    on_each_database(async |app| {
        let (article, person) = (app.article("a").await, app.moderator().await);
        ban(app, &person, &on_main("name", "Ada")).await.expect(201);
        let fields = [("name", "Ada"), ("email", "ada@example.org"), ("comment", "Well said.")];
        let answer = app.post_form(&article, &fields).await.expect(303);
        assert!(answer.header("location").unwrap().contains("/receipts/"));
        app.posted(&article, &form("another")).await;
    });
}
