//! Keys for programs: made once and shown once, never good for more than their owner may now, and over when they are.

use diesel::prelude::*;
use rejoinder::accounts::{self, Right, Role, Scope};
use rejoinder::audit::Actor;
use rejoinder::kit::secret;
use rejoinder::store::StoreError;
use rejoinder::store::schema::{api_keys, audit_entries, moderator_sites, moderators};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::routes::fill;
use crate::support::server::{TestApp, eventually};
use crate::support::{Answer, form, on_each_database};

const KEYS: &str = "/api/v1/me/keys";
const DAY_S: u64 = 24 * 60 * 60;

async fn try_to_make(app: &TestApp, person: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::POST, KEYS).json(body)).await
}

async fn made(app: &TestApp, person: &Person, body: &Value) -> Value {
    try_to_make(app, person, body).await.expect(201).json()
}

/// A key with these scopes.
async fn key(app: &TestApp, person: &Person, scopes: &[&str]) -> String {
    let body = json!({ "name": scopes.join(" and "), "scopes": scopes });
    text(&made(app, person, &body).await["key"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn request_with(app: &TestApp, key: &str, method: Method, path: &str) -> RequestBuilder {
    app.request(method, path).bearer_auth(key)
}

async fn get_with(app: &TestApp, key: &str, path: &str) -> Answer {
    Answer::of(request_with(app, key, Method::GET, path)).await
}

async fn list(app: &TestApp, person: &Person) -> Vec<Value> {
    app.get_as(person, KEYS).await.expect(200).json()["items"].as_array().expect("items").clone()
}

mod made {
    use super::*;

    #[test]
    fn a_key_is_shown_once_and_kept_as_a_hash() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let body = json!({ "name": "  The  CMS ", "scopes": ["articles:write", "review:read"], "sites": ["main"],
                "expires_at": "2027-01-01T00:00:00Z" });
            let answer = try_to_make(app, &admin, &body).await.expect(201);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let mut made = answer.json();
            let key = text(&made["key"]);
            assert!(key.starts_with("rjk_") && key.len() == 52, "{key}");
            made.as_object_mut().expect("an object").remove("key");
            let wanted = json!({
                "id": made["id"], "name": "The CMS", "scopes": ["articles:write", "review:read"], "sites": ["main"],
                "created_at": "2026-11-24T12:00:00.000Z", "expires_at": "2027-01-01T00:00:00.000Z", "last_used_at": null,
            });
            assert_eq!(made, wanted);
            assert_eq!(list(app, &admin).await, [wanted]);

            let rows: Result<Vec<(Vec<u8>, String)>, StoreError> = app
                .app
                .store
                .read(|conn| Ok(api_keys::table.select((api_keys::hash, api_keys::name)).load(conn)?))
                .await;
            assert_eq!(rows.expect("the keys"), [(secret::digest(key.as_bytes()).to_vec(), "The CMS".to_owned())]);
            let facts: Result<Vec<String>, StoreError> = app
                .app
                .store
                .read(|conn| {
                    let made = audit_entries::table.filter(audit_entries::action.eq("key-made"));
                    Ok(made.select(audit_entries::facts).load(conn)?)
                })
                .await;
            let facts = facts.expect("the log");
            assert!(
                facts.len() == 1 && facts[0].contains("\"name\":\"The CMS\"") && !facts[0].contains("rjk_"),
                "{facts:?}"
            );
        });
    }

    #[test]
    fn it_is_good_for_90_days_unless_said_and_for_a_year_at_most() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let body = json!({ "name": "a", "scopes": ["review:read"] });
            assert_eq!(made(app, &moderator, &body).await["expires_at"], "2027-02-22T12:00:00.000Z");
            for (expires_at, code) in [
                ("2026-11-24T12:00:00Z", "expiry"),
                ("2020-01-01T00:00:00Z", "expiry"),
                ("2027-11-25T12:00:00.001Z", "expiry"),
                ("9000-01-01T00:00:00Z", "expiry"),
                ("tomorrow", "format"),
            ] {
                let body = json!({ "name": "a", "scopes": ["review:read"], "expires_at": expires_at });
                try_to_make(app, &moderator, &body).await.expect_faults(&[("/expires_at", code)]);
            }
            let body = json!({ "name": "a", "scopes": ["review:read"], "expires_at": "2027-11-25T12:00:00Z" });
            made(app, &moderator, &body).await;
        });
    }

    #[test]
    fn what_is_wrong_is_named_to_the_element() {
        on_each_database(async |app| {
            app.site("second").await;
            let moderator = app.moderator().await;
            let with = |name: &str, value: Value| {
                let mut body = json!({ "name": "a", "scopes": ["review:read"] });
                body[name] = value;
                body
            };
            let cases: Vec<(Value, Vec<(&str, &str)>)> = vec![
                (json!({}), vec![("/name", "required"), ("/scopes", "required")]),
                (with("scopes", json!(null)), vec![("/scopes", "required")]),
                (with("scopes", json!([])), vec![("/scopes", "required")]),
                (with("scopes", json!("review:read")), vec![("/scopes", "type")]),
                (with("scopes", json!(["review:read", "root"])), vec![("/scopes/1", "choice")]),
                (
                    with("scopes", json!(["*", "review:*", ""])),
                    vec![("/scopes/0", "choice"), ("/scopes/1", "choice"), ("/scopes/2", "choice")],
                ),
                (with("scopes", json!(["admin", 7, null])), vec![("/scopes/1", "type"), ("/scopes/2", "type")]),
                (with("scopes", json!(["admin", "admin"])), vec![("/scopes/1", "repeated")]),
                (with("scopes", json!(vec!["x"; 6])), vec![("/scopes", "too_many")]),
                (with("sites", json!([])), vec![("/sites", "required")]),
                (with("sites", json!("main")), vec![("/sites", "type")]),
                // Not theirs, and not there: the same.
                (with("sites", json!(["main", "second"])), vec![("/sites/1", "choice")]),
                (with("sites", json!(["nowhere", "main"])), vec![("/sites/0", "choice")]),
                (with("sites", json!(["main", "main"])), vec![("/sites/1", "repeated")]),
                (with("sites", json!(["main", "a\0b"])), vec![("/sites/1", "nul_character")]),
                (with("sites", json!(vec!["main"; 101])), vec![("/sites", "too_many")]),
                (with("name", json!(" ")), vec![("/name", "blank")]),
                (with("name", json!("a\nb")), vec![("/name", "control_character")]),
                (with("name", json!("x".repeat(101))), vec![("/name", "too_long")]),
                (with("rights", json!(["all"])), vec![("/rights", "unknown")]),
                (with("id", json!(1)), vec![("/id", "unknown")]),
            ];
            for (body, faults) in cases {
                try_to_make(app, &moderator, &body).await.expect_faults(&faults);
            }
            assert_eq!(list(app, &moderator).await, [Value::Null; 0]);
        });
    }

    #[test]
    fn fifty_are_enough_however_they_are_asked_for() {
        on_each_database(async |app| {
            let (moderator, admin) = (app.moderator().await, app.admin().await);
            let body = json!({ "name": "a", "scopes": ["review:read"] });
            let asked = (0..55).map(|_| try_to_make(app, &moderator, &body));
            let statuses: Vec<u16> =
                futures_util::future::join_all(asked).await.into_iter().map(|answer| answer.status).collect();
            let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
            assert_eq!((count(201), count(409)), (50, 5), "{statuses:?}");
            try_to_make(app, &moderator, &body).await.expect_problem(409, "conflict");
            made(app, &admin, &body).await;
            let first = list(app, &moderator).await[0]["id"].to_string();
            Answer::of(app.request_as(&moderator, Method::DELETE, &format!("{KEYS}/{first}"))).await.expect(204);
            made(app, &moderator, &body).await;
            // Those that have expired do not count.
            app.advance(90 * DAY_S);
            let moderator = app.sign_in("moderator").await;
            made(app, &moderator, &body).await;
        });
    }
}

mod good_for {
    use super::*;

    /// Every route of the document that asks for a token, and the right that it asks for; `None` is good for everyone who
    /// is let in. A route without a row fails the test.
    #[rustfmt::skip] // A table.
    const TABLE: [(&str, &str, Option<Right>); 58] = [
        ("DELETE", "/api/v1/session",                         Some(Right::ChangeOneself)),
        ("GET",    "/api/v1/me",                              None),
        ("PATCH",  "/api/v1/me",                              Some(Right::ChangeOneself)),
        ("PUT",    "/api/v1/me/password",                     Some(Right::ChangeOneself)),
        ("GET",    "/api/v1/me/sessions",                     Some(Right::ChangeOneself)),
        ("DELETE", "/api/v1/me/sessions",                     Some(Right::ChangeOneself)),
        ("DELETE", "/api/v1/me/sessions/{id}",                Some(Right::ChangeOneself)),
        ("POST",   "/api/v1/me/totp",                         Some(Right::ChangeOneself)),
        ("PUT",    "/api/v1/me/totp",                         Some(Right::ChangeOneself)),
        ("DELETE", "/api/v1/me/totp",                         Some(Right::ChangeOneself)),
        ("POST",   "/api/v1/me/totp/recovery-codes",          Some(Right::ChangeOneself)),
        ("GET",    "/api/v1/me/keys",                         Some(Right::ChangeOneself)),
        ("POST",   "/api/v1/me/keys",                         Some(Right::ChangeOneself)),
        ("DELETE", "/api/v1/me/keys/{id}",                    Some(Right::ChangeOneself)),
        ("GET",    "/api/v1/moderators",                      Some(Right::ManagePeople)),
        ("POST",   "/api/v1/moderators",                      Some(Right::ManagePeople)),
        ("GET",    "/api/v1/moderators/{id}",                 Some(Right::ManagePeople)),
        ("PATCH",  "/api/v1/moderators/{id}",                 Some(Right::ManagePeople)),
        ("DELETE", "/api/v1/moderators/{id}",                 Some(Right::ManagePeople)),
        ("GET",    "/api/v1/moderators/{id}/sessions",        Some(Right::ManagePeople)),
        ("DELETE", "/api/v1/moderators/{id}/sessions",        Some(Right::ManagePeople)),
        ("POST",   "/api/v1/moderators/{id}/reset",           Some(Right::ManagePeople)),
        ("GET",    "/api/v1/sites",                           Some(Right::ManageSites)),
        ("POST",   "/api/v1/sites",                           Some(Right::ManageSites)),
        ("PATCH",  "/api/v1/sites/{site}",                    Some(Right::ManageSites)),
        ("PUT",    "/api/v1/sites/{site}/articles/{article}", Some(Right::PutArticles)),
        ("GET",    "/api/v1/review/comments",                 Some(Right::ReadQueue)),
        ("GET",    "/api/v1/review/comments/{id}",            Some(Right::ReadQueue)),
        ("POST",   "/api/v1/review/comments/{id}/decisions",  Some(Right::Decide)),
        ("GET",    "/api/v1/review/stats",                    Some(Right::ReadQueue)),
        ("GET",    "/api/v1/sites/{site}/settings",           Some(Right::ReadSettings)),
        ("GET",    "/api/v1/sites/{site}/screening",          Some(Right::ReadSettings)),
        ("DELETE", "/api/v1/sites/{site}/screening/training", Some(Right::ChangeSettings)),
        ("PUT",    "/api/v1/sites/{site}/settings",           Some(Right::ChangeSettings)),
        ("GET",    "/api/v1/sites/{site}/rules",              Some(Right::ReadSettings)),
        ("PUT",    "/api/v1/sites/{site}/rules",              Some(Right::ChangeSettings)),
        ("POST",   "/api/v1/sites/{site}/rules/try",          Some(Right::ChangeSettings)),
        ("POST",   "/api/v1/sites/{site}/rules/rerun",        Some(Right::ChangeSettings)),
        ("GET",    "/api/v1/sites/{site}/rules/rerun/{id}",   Some(Right::ReadSettings)),
        ("GET",    "/api/v1/sites/{site}/transparency",       Some(Right::ReadSettings)),
        ("PATCH",  "/api/v1/review/comments/{id}",            Some(Right::Edit)),
        ("POST",   "/api/v1/review/comments/{id}/claim",      Some(Right::Decide)),
        ("DELETE", "/api/v1/review/comments/{id}/claim",      Some(Right::Decide)),
        ("GET",    "/api/v1/review/comments/{id}/notes",      Some(Right::ReadQueue)),
        ("POST",   "/api/v1/review/comments/{id}/notes",      Some(Right::Decide)),
        ("POST",   "/api/v1/review/comments/{id}/replies",    Some(Right::Decide)),
        ("POST",   "/api/v1/review/next",                     Some(Right::Decide)),
        ("GET",    "/api/v1/review/counts",                   Some(Right::ReadQueue)),
        ("POST",   "/api/v1/review/decisions",                Some(Right::Decide)),
        ("POST",   "/api/v1/review/decisions/preview",        Some(Right::DecideMany)),
        ("GET",    "/api/v1/review/decisions/{id}",           Some(Right::ReadQueue)),
        ("POST",   "/api/v1/review/decisions/{id}/undo",      Some(Right::Decide)),
        ("GET",    "/api/v1/review/authors",                  Some(Right::SeePersonal)),
        ("GET",    "/api/v1/bans",                            Some(Right::Ban)),
        ("POST",   "/api/v1/bans",                            Some(Right::Ban)),
        ("DELETE", "/api/v1/bans/{id}",                       Some(Right::Ban)),
        ("GET",    "/api/v1/review/events",                   Some(Right::ReadQueue)),
        ("GET",    "/api/v1/audit",                           Some(Right::ReadAudit)),
    ];

    /// What changes something and answers with a comment needs the right to read it as well.
    const READS_TOO: [(&str, &str); 4] = [
        ("PATCH", "/api/v1/review/comments/{id}"),
        ("POST", "/api/v1/review/next"),
        ("GET", "/api/v1/bans"),
        ("POST", "/api/v1/bans"),
    ];

    /// An administrator's key with one scope is let through exactly where the table of rights says so.
    #[test]
    fn each_scope_opens_its_own_routes_and_no_other() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let mut keys = Vec::new();
            for scope in Scope::ALL {
                keys.push((scope, key(app, &admin, &[scope.as_str()]).await));
            }
            let values = [("site", "none"), ("article", "none"), ("id", "999999"), ("token", "none"), ("slug", "none")];
            let document = app.contract().await;
            let mut count = 0;
            for (path, item) in document["paths"].as_object().expect("paths") {
                for (method, operation) in item.as_object().expect("a path item") {
                    if operation["security"].as_array().is_none_or(Vec::is_empty) {
                        continue;
                    }
                    let method = method.to_uppercase();
                    let row = TABLE.iter().find(|row| row.0 == method && row.1 == path);
                    let (_, _, right) = row.unwrap_or_else(|| panic!("{method} {path} has no row in this table"));
                    for (scope, key) in &keys {
                        let request = request_with(app, key, method.parse().expect("a method"), &fill(path, &values));
                        let request = request.header("if-match", "\"1\"");
                        let request =
                            if operation["requestBody"].is_object() { request.json(&json!({})) } else { request };
                        let answer = Answer::of(request).await;
                        let reads_too = READS_TOO.contains(&(method.as_str(), path.as_str()));
                        let is_open = right.is_none_or(|right| scope.lets_through(right))
                            && (!reads_too || scope.lets_through(Right::ReadQueue));
                        let name = format!("{method} {path} with {}: {}", scope.as_str(), answer.text());
                        if is_open {
                            assert!(!matches!(answer.status, 401 | 403) && answer.status < 500, "{name}");
                        } else {
                            answer.expect_problem(403, "forbidden");
                        }
                        count += 1;
                    }
                }
            }
            println!("{count} cells of routes and scopes");
        });
    }

    #[test]
    fn a_key_does_what_its_scopes_say_in_its_owners_name() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let id = app.posted(&article, &form("a comment")).await;
            let (reader, decider) =
                (key(app, &admin, &["review:read"]).await, key(app, &admin, &["review:decide"]).await);
            let queue = get_with(app, &reader, "/api/v1/review/comments").await.expect(200).json();
            assert_eq!(
                (&queue["items"][0]["id"], &queue["items"][0]["email"]),
                (&json!(id), &json!("ada@example.org"))
            );
            let decide = async |key: &str| {
                let path = format!("/api/v1/review/comments/{id}/decisions");
                let request = request_with(app, key, Method::POST, &path).header("if-match", "\"1\"");
                Answer::of(request.json(&json!({ "decision": "approve" }))).await
            };
            decide(&reader).await.expect_problem(403, "forbidden");
            assert_eq!(decide(&decider).await.expect(201).json()["by"], "admin");
            // The log says that it was the key.
            app.sealed().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=decided").await.expect(200).json();
            let item = &log["items"][0];
            assert_eq!((&item["by"]["username"], &item["key"]["name"]), (&json!("admin"), &json!("review:decide")));
            // So it does of many at once, and undoing them.
            let body = json!({ "decision": "spam", "items": [{ "id": id, "expected_version": 2 }] });
            let request = request_with(app, &decider, Method::POST, "/api/v1/review/decisions").json(&body);
            let batch = Answer::of(request).await.expect(201).json()["id"].clone();
            let path = format!("/api/v1/review/decisions/{batch}/undo");
            Answer::of(request_with(app, &decider, Method::POST, &path)).await.expect(200);
            app.sealed().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=decided").await.expect(200).json();
            let by_key: Vec<&Value> =
                log["items"].as_array().unwrap().iter().map(|item| &item["key"]["name"]).collect();
            assert_eq!(by_key, ["review:decide"; 3]);
            // With the log alone, nothing that is personal.
            let auditor = key(app, &admin, &["audit:read"]).await;
            let log = get_with(app, &auditor, "/api/v1/audit?action=signed-in").await.expect(200).json();
            assert_eq!(log["items"][0]["private"], Value::Null);
            let both = key(app, &admin, &["audit:read", "review:read"]).await;
            let log = get_with(app, &both, "/api/v1/audit?action=signed-in").await.expect(200).json();
            assert_eq!(log["items"][0]["private"]["address"], "127.0.0.1");
        });
    }

    #[test]
    fn a_key_of_one_site_knows_no_other() {
        on_each_database(async |app| {
            app.site("second").await;
            let admin = app.admin().await;
            let (first, second) = (app.article("a").await, app.article_on("second", "b").await);
            let ours = app.posted(&first, &form("ours")).await;
            let theirs = app.posted(&second, &form("theirs")).await;
            let body = json!({ "name": "one site", "scopes": ["admin"], "sites": ["main"] });
            let key = text(&made(app, &admin, &body).await["key"]);
            let queue = get_with(app, &key, "/api/v1/review/comments").await.expect(200).json();
            let ids: Vec<&Value> = queue["items"].as_array().expect("items").iter().map(|item| &item["id"]).collect();
            assert_eq!(ids, [&json!(ours)]);
            get_with(app, &key, &format!("/api/v1/review/comments/{ours}")).await.expect(200);
            get_with(app, &key, &format!("/api/v1/review/comments/{theirs}")).await.expect_problem(404, "not-found");
            assert_eq!(get_with(app, &key, "/api/v1/me").await.expect(200).json()["sites"], json!(["main"]));
            let put = async |article: &str| {
                let body = json!({ "title": "T", "url": "https://news.example/t" });
                Answer::of(request_with(app, &key, Method::PUT, article).json(&body)).await.status
            };
            assert_eq!((put(&first).await, put(&second).await), (200, 404));
            let log = get_with(app, &key, "/api/v1/audit?limit=100").await.expect(200).json();
            assert!(log["items"].as_array().expect("items").iter().all(|item| item["site"] == "main"), "{log}");
            get_with(app, &key, "/api/v1/audit?site=second").await.expect_faults(&[("/site", "choice")]);
        });
    }

    /// What the owner loses, the key loses at once: role, sites, and being let in at all.
    #[test]
    fn a_key_never_has_more_rights_than_its_owner_has_now() {
        on_each_database(async |app| {
            let (_, admin) = (app.admin().await, app.person("second-admin", Role::Admin, &[]).await);
            let article = app.article("a").await;
            let id = app.posted(&article, &form("a comment")).await;
            let key = key(app, &admin, &["admin"]).await;
            let one = format!("/api/v1/review/comments/{id}");
            let execute = async |change: fn(&mut rejoinder::store::Conn) -> diesel::QueryResult<usize>| {
                let done: Result<usize, StoreError> = app.app.store.write(move |conn| Ok(change(conn)?)).await;
                done.expect("changed");
            };
            let me = async || {
                let me = get_with(app, &key, "/api/v1/me").await.expect(200).json();
                (text(&me["role"]), me["sites"].clone())
            };
            get_with(app, &key, "/api/v1/audit").await.expect(200);
            get_with(app, &key, &one).await.expect(200);

            execute(|conn| {
                let owner = moderators::table.filter(moderators::username.eq("second-admin"));
                let id: i64 = owner.select(moderators::id).first(conn)?;
                diesel::insert_into(moderator_sites::table)
                    .values((moderator_sites::moderator_id.eq(id), moderator_sites::site_id.eq(1_i64)))
                    .execute(conn)?;
                diesel::update(moderators::table.find(id)).set(moderators::role.eq("moderator")).execute(conn)
            })
            .await;
            assert_eq!(me().await, ("moderator".to_owned(), json!(["main"])));
            get_with(app, &key, "/api/v1/audit").await.expect_problem(403, "forbidden");
            assert_eq!(get_with(app, &key, &one).await.expect(200).json()["email"], "ada@example.org");

            execute(|conn| {
                let owner = moderators::table.filter(moderators::username.eq("second-admin"));
                diesel::update(owner).set(moderators::role.eq("reviewer-without-emails")).execute(conn)
            })
            .await;
            assert_eq!(get_with(app, &key, &one).await.expect(200).json()["email"], Value::Null);

            execute(|conn| diesel::delete(moderator_sites::table).execute(conn)).await;
            assert_eq!(me().await.1, json!([]));
            get_with(app, &key, &one).await.expect_problem(404, "not-found");

            accounts::disable_moderator(&app.app, Actor::NOBODY, "second-admin").await.expect("disabled");
            get_with(app, &key, "/api/v1/me").await.expect_problem(401, "unauthenticated");
            execute(|conn| {
                let owner = moderators::table.filter(moderators::username.eq("second-admin"));
                diesel::update(owner)
                    .set((moderators::is_disabled.eq(false), moderators::removed_at.eq(Some(1_i64))))
                    .execute(conn)
            })
            .await;
            get_with(app, &key, "/api/v1/me").await.expect_problem(401, "unauthenticated");
        });
    }

    #[test]
    fn words_that_this_program_does_not_know_let_nothing_through() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let key = key(app, &admin, &["admin"]).await;
            for (scopes, sites) in
                [("[\"everything\"]", None), ("not JSON", None), ("[\"review:read\"]", Some("not JSON"))]
            {
                let done: Result<usize, StoreError> = app
                    .app
                    .store
                    .write(move |conn| {
                        let set = (api_keys::scopes.eq(scopes), api_keys::sites.eq(sites));
                        Ok(diesel::update(api_keys::table).set(set).execute(conn)?)
                    })
                    .await;
                assert_eq!(done.expect("changed"), 1);
                if sites.is_some() {
                    let queue = get_with(app, &key, "/api/v1/review/comments").await.expect(200).json();
                    assert_eq!(queue["items"], json!([]));
                } else {
                    get_with(app, &key, "/api/v1/review/comments").await.expect_problem(403, "forbidden");
                }
            }
        });
    }
}

mod over {
    use super::*;

    /// Expired, ended, forged: one answer.
    #[test]
    fn whatever_is_no_key_any_more_gets_the_same_401() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let body = json!({ "name": "short", "scopes": ["review:read"], "expires_at": "2026-11-24T12:10:00Z" });
            let short = text(&made(app, &admin, &body).await["key"]);
            let ended = made(app, &admin, &json!({ "name": "ended", "scopes": ["review:read"] })).await;
            get_with(app, &short, "/api/v1/me").await.expect(200);
            get_with(app, &text(&ended["key"]), "/api/v1/me").await.expect(200);

            let end = async |id: &str| {
                Answer::of(app.request_as(&admin, Method::DELETE, &format!("{KEYS}/{id}"))).await.status
            };
            let id = ended["id"].to_string();
            assert_eq!((end(&id).await, end(&id).await, end("999999").await), (204, 404, 404));
            let refused = get_with(app, &text(&ended["key"]), "/api/v1/me").await.expect(401);

            app.advance(599);
            get_with(app, &short, "/api/v1/me").await.expect(200);
            app.advance(1);
            let unknown = {
                let random = secret::random().expect("random bytes");
                format!("rjk_{}", secret::encode(&[&random[..], &secret::digest(&random)[..4]].concat()))
            };
            let other_letter = if short.ends_with('A') { "B" } else { "A" };
            let wrong = [
                ("expired", short.clone()),
                ("well formed and unknown", unknown),
                ("a wrong checksum", format!("{}{other_letter}", &short[..51])),
                ("cut", short[..51].to_owned()),
                ("longer", format!("{short}A")),
                ("the prefix", "rjk_".to_owned()),
                ("in capitals", short.to_uppercase()),
            ];
            for (name, key) in wrong {
                let answer = get_with(app, &key, "/api/v1/me").await;
                assert_eq!(answer.status, 401, "{name}");
                assert_eq!(answer.without_trace(), refused.without_trace(), "{name}");
                assert_eq!(answer.header("www-authenticate"), refused.header("www-authenticate"), "{name}");
                assert!(!answer.text().contains("rjk_"), "{name}");
            }
        });
    }

    /// Without the table of keys every look into it fails; what a key cannot be is refused all the same.
    #[test]
    fn a_wrong_checksum_costs_no_look_into_the_database() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let key = key(app, &admin, &["review:read"]).await;
            let done: Result<usize, StoreError> =
                app.app.store.write(|conn| Ok(diesel::sql_query("DROP TABLE api_keys").execute(conn)?)).await;
            done.expect("dropped");
            get_with(app, &key, "/api/v1/me").await.expect_problem(500, "internal");
            let other_letter = if key.ends_with('A') { "B" } else { "A" };
            let wrong = format!("{}{other_letter}", &key[..51]);
            get_with(app, &wrong, "/api/v1/me").await.expect_problem(401, "unauthenticated");
        });
    }

    #[test]
    fn a_key_cannot_make_or_end_keys_or_change_its_owner() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            let key = key(app, &admin, &all).await;
            let id = list(app, &admin).await[0]["id"].to_string();
            let body = json!({ "name": "another", "scopes": ["admin"] });
            let requests = [
                request_with(app, &key, Method::GET, KEYS),
                request_with(app, &key, Method::POST, KEYS).json(&body),
                request_with(app, &key, Method::DELETE, &format!("{KEYS}/{id}")),
                request_with(app, &key, Method::PATCH, "/api/v1/me").json(&json!({ "display_name": "x" })),
                request_with(app, &key, Method::DELETE, "/api/v1/session"),
            ];
            for request in requests {
                Answer::of(request).await.expect_problem(403, "forbidden");
            }
            assert_eq!(list(app, &admin).await.len(), 1);
            assert_eq!(get_with(app, &key, "/api/v1/me").await.expect(200).json()["display_name"], "Staff");
        });
    }

    #[test]
    fn nobody_sees_or_ends_somebody_elses_key() {
        on_each_database(async |app| {
            let (moderator, admin) = (app.moderator().await, app.admin().await);
            let made = made(app, &moderator, &json!({ "name": "theirs", "scopes": ["review:read"] })).await;
            assert_eq!(list(app, &admin).await, [Value::Null; 0]);
            let path = format!("{KEYS}/{}", made["id"]);
            Answer::of(app.request_as(&admin, Method::DELETE, &path)).await.expect_problem(404, "not-found");
            get_with(app, &text(&made["key"]), "/api/v1/me").await.expect(200);
            // Ending it is told with what it was called.
            Answer::of(app.request_as(&moderator, Method::DELETE, &path)).await.expect(204);
            app.sealed().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=key-ended").await.expect(200).json();
            assert_eq!(log["items"].as_array().map(Vec::len), Some(1));
            let item = &log["items"][0];
            assert_eq!(item["facts"], json!({ "name": "theirs" }));
            assert_eq!(item["subject"], json!({ "kind": "key", "id": made["id"] }));
        });
    }

    /// Once a minute, and never before the answer.
    #[test]
    fn when_it_was_last_used_is_noted_to_the_minute() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let key = key(app, &admin, &["review:read"]).await;
            let last_used = async || list(app, &admin).await[0]["last_used_at"].clone();
            assert_eq!(last_used().await, Value::Null);
            let noon = json!("2026-11-24T12:00:00.000Z");
            get_with(app, &key, "/api/v1/me").await.expect(200);
            eventually("the first use is noted", async || last_used().await == noon).await;
            app.advance(59);
            get_with(app, &key, "/api/v1/me").await.expect(200);
            assert_eq!(last_used().await, noon);
            app.advance(1);
            get_with(app, &key, "/api/v1/me").await.expect(200);
            eventually("a later use is noted", async || last_used().await == json!("2026-11-24T12:01:00.000Z")).await;
        });
    }
}
