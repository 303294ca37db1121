//! The audit log: every act that it tells of leaves one entry, none of them a secret, and nobody can change one.

use diesel::prelude::*;
use rejoinder::accounts::{self, Role};
use rejoinder::audit::Actor;
use rejoinder::kit::secret::digest;
use rejoinder::screening::Policy;
use rejoinder::sites::SetSite;
use rejoinder::store::schema::audit_entries;
use rejoinder::store::{Store, StoreError};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::database::{TestDatabase, databases};
use crate::support::people::PASSWORD;
use crate::support::server::{NOON, TestApp};
use crate::support::{Answer, form, on_each_database};

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Queryable)]
struct Row {
    id: i64,
    at: i64,
    actor: Option<i64>,
    key: Option<i64>,
    action: String,
    site: Option<i64>,
    subject_kind: Option<String>,
    subject_id: Option<i64>,
    facts: String,
    private: Option<String>,
    salt: Option<Vec<u8>>,
    private_hash: Option<Vec<u8>>,
    seq: Option<i64>,
    hash: Option<Vec<u8>>,
}

impl Row {
    fn facts(&self) -> Value {
        serde_json::from_str(&self.facts).expect("JSON")
    }

    fn private(&self) -> Value {
        self.private.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"))
    }
}

async fn rows(app: &TestApp) -> Vec<Row> {
    let rows: Result<Vec<Row>, StoreError> =
        app.app.store.read(|conn| Ok(audit_entries::table.order(audit_entries::id).load(conn)?)).await;
    rows.expect("the log")
}

/// Tells what an act has left.
struct Log<'a> {
    app: &'a TestApp,
    seen: usize,
}

impl<'a> Log<'a> {
    async fn of(app: &'a TestApp) -> Self {
        Self { app, seen: rows(app).await.len() }
    }

    /// The one entry since the last time.
    #[track_caller]
    fn one(&mut self, action: &'static str) -> impl Future<Output = Row> {
        let caller = std::panic::Location::caller();
        async move {
            let rows = rows(self.app).await;
            let new: Vec<&str> = rows[self.seen..].iter().map(|row| row.action.as_str()).collect();
            assert_eq!(new, [action], "{caller}");
            self.seen += 1;
            rows[self.seen - 1].clone()
        }
    }

    async fn none(&self, why: &str) {
        assert_eq!(rows(self.app).await.len(), self.seen, "{why}");
    }
}

async fn id_of(app: &TestApp, person: &crate::support::people::Person) -> i64 {
    app.get_as(person, "/api/v1/me").await.expect(200).json()["id"].as_i64().expect("an id")
}

async fn try_to_sign_in(app: &TestApp, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    Answer::of(app.request(Method::POST, "/api/v1/session").header("user-agent", "Desk/1").json(&body)).await
}

mod acts {
    use super::*;

    #[test]
    fn signing_in_and_out_is_told_with_who_and_from_where() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let id = id_of(app, &moderator).await;
            let mut log = Log::of(app).await;

            try_to_sign_in(app, "moderator", PASSWORD).await.expect(200);
            let row = log.one("signed-in").await;
            assert_eq!((row.actor, row.at, row.subject_kind.as_deref()), (Some(id), NOON.0, Some("session")));
            assert_eq!(row.private(), json!({ "address": "127.0.0.1", "user_agent": "Desk/1" }));

            try_to_sign_in(app, "moderator", "not the right password").await.expect(401);
            let row = log.one("sign-in-refused").await;
            assert_eq!((row.actor, row.subject_kind.as_deref(), row.subject_id), (None, Some("moderator"), Some(id)));
            assert_eq!(row.facts(), json!({ "why": "password" }));
            let private = json!({ "username": "moderator", "address": "127.0.0.1", "user_agent": "Desk/1" });
            assert_eq!(row.private(), private);

            try_to_sign_in(app, "nobody", PASSWORD).await.expect(401);
            let row = log.one("sign-in-refused").await;
            assert_eq!((row.subject_id, row.facts()), (None, json!({ "why": "unknown" })));
            // A password that was typed where the name belongs is not kept.
            try_to_sign_in(app, PASSWORD, "").await.expect(401);
            assert_eq!(log.one("sign-in-refused").await.private()["username"], Value::Null);

            Answer::of(app.request_as(&moderator, Method::DELETE, "/api/v1/session")).await.expect(204);
            assert_eq!(log.one("signed-out").await.actor, Some(id));
            Answer::of(app.request_as(&moderator, Method::DELETE, "/api/v1/session")).await.expect(401);
            log.none("nobody was signed in").await;
        });
    }

    #[test]
    fn a_refresh_token_that_comes_back_is_told_once() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let id = id_of(app, &moderator).await;
            let mut log = Log::of(app).await;
            let refresh = async || {
                let body = json!({ "refresh_token": moderator.refresh });
                Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&body)).await.status
            };
            assert_eq!(refresh().await, 200);
            log.none("going on is no act").await;
            app.advance(11);
            assert_eq!((refresh().await, refresh().await), (401, 401));
            let row = log.one("refresh-reused").await;
            assert_eq!((row.actor, row.subject_id), (None, Some(id)));
            assert_eq!(row.private()["address"], "127.0.0.1");
        });
    }

    #[test]
    fn a_decision_is_told_with_from_to_and_why_and_a_reader_leaves_nothing() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let id = id_of(app, &moderator).await;
            let article = app.article("a").await;
            let mut log = Log::of(app).await;
            let comment = app.posted(&article, &form("a comment")).await;
            log.none("readers are not in it").await;
            let decide = async |version: i64, key: &str| {
                let path = format!("/api/v1/review/comments/{comment}/decisions");
                let request = app
                    .request_as(&moderator, Method::POST, &path)
                    .header("if-match", format!("\"{version}\""))
                    .header("idempotency-key", key)
                    .json(&json!({ "decision": "reject", "reason": "off-topic", "note": "a note" }));
                Answer::of(request).await.status
            };
            assert_eq!(decide(1, "one").await, 201);
            let row = log.one("decided").await;
            assert_eq!((row.actor, row.site, row.key), (Some(id), Some(1), None));
            assert_eq!((row.subject_kind.as_deref(), row.subject_id), (Some("comment"), Some(comment)));
            let facts = json!({ "from": "pending", "to": "rejected", "reason": "off-topic", "version": 2 });
            assert_eq!((row.facts(), row.private, row.salt, row.private_hash), (facts, None, None, None));
            assert_eq!(decide(1, "one").await, 201);
            log.none("the same request again").await;
            assert_eq!((decide(2, "two").await, decide(1, "three").await), (200, 412));
            log.none("it was so already, or it was refused").await;
        });
    }

    #[test]
    fn changes_of_people_sites_and_articles_are_told() {
        on_each_database(async |app| {
            let mut log = Log::of(app).await;
            let add = async |name: &str, role| {
                let add = accounts::AddModerator {
                    username: name.to_owned(),
                    password: Some(PASSWORD.to_owned()),
                    role,
                    sites: vec![rejoinder::kit::ids::SiteId::new(1)],
                    display_name: None,
                };
                accounts::add_moderator(&app.app, Actor::NOBODY, add).await
            };
            let id = add("lead", Role::Lead).await.expect("added").id.get();
            let row = log.one("moderator-added").await;
            assert_eq!((row.actor, row.subject_id), (None, Some(id)));
            assert_eq!(row.facts(), json!({ "role": "lead", "sites": [1] }));
            assert!(add("lead", Role::Admin).await.is_err());
            log.none("the name was taken").await;

            let lead = app.sign_in("lead").await;
            log.one("signed-in").await;
            let rename = async |name: &str| {
                let body = json!({ "display_name": name });
                Answer::of(app.request_as(&lead, Method::PATCH, "/api/v1/me").json(&body)).await.expect(200);
            };
            rename("The desk").await;
            let row = log.one("display-name-changed").await;
            assert_eq!((row.actor, row.private()), (Some(id), json!({ "from": "Staff", "to": "The desk" })));
            rename("The desk").await;
            log.none("it was called so already").await;

            let body = json!({ "title": "A", "url": "https://news.example/a" });
            let put = async || {
                let path = "/api/v1/sites/main/articles/a";
                Answer::of(app.request_as(&lead, Method::PUT, path).json(&body)).await.status
            };
            assert_eq!(put().await, 201);
            let row = log.one("article-put").await;
            assert_eq!((row.actor, row.site, &row.facts()["is_new"]), (Some(id), Some(1), &json!(true)));

            accounts::reset_password(&app.app, Actor::NOBODY, "lead", "another password for tests".to_owned())
                .await
                .expect("reset");
            assert_eq!(log.one("password-set").await.subject_id, Some(id));
            accounts::disable_moderator(&app.app, Actor::NOBODY, "lead").await.expect("disabled");
            assert_eq!(log.one("moderator-disabled").await.subject_id, Some(id));
            try_to_sign_in(app, "lead", "another password for tests").await.expect(401);
            assert_eq!(log.one("sign-in-refused").await.facts(), json!({ "why": "disabled" }));

            app.site("second").await;
            assert_eq!(log.one("site-added").await.facts()["key"], "second");
            let set =
                SetSite { policy: Some(Policy::PublishFirst), name: Some("Main".to_owned()), ..SetSite::default() };
            app.set_site("main", set.clone()).await;
            let row = log.one("site-changed").await;
            assert_eq!(row.facts(), json!({ "policy": { "from": "hold_all", "to": "publish_first" } }));
            app.set_site("main", set).await;
            log.none("nothing was changed").await;
        });
    }
}

mod kept {
    use super::*;

    #[test]
    fn no_secret_is_in_it_and_what_is_personal_is_hashed_with_its_salt() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            try_to_sign_in(app, "moderator", "the-wrong-password-that-was-typed").await.expect(401);
            try_to_sign_in(app, "the right name?", PASSWORD).await.expect(401);
            accounts::reset_password(&app.app, Actor::NOBODY, "moderator", "another password for tests".to_owned())
                .await
                .expect("reset");
            let rows = rows(app).await;
            let text = format!("{rows:?}");
            for secret in ["the-wrong-password", PASSWORD, "another password", &moderator.access, &moderator.refresh] {
                assert!(!text.contains(secret), "{secret}");
            }
            assert!(!text.contains("argon2"));
            let mut salts = Vec::new();
            for row in rows.iter().filter(|row| row.private.is_some()) {
                let salt = row.salt.as_deref().expect("a salt");
                assert!(salt.len() >= 16 && !salts.contains(&salt), "every salt is its own");
                let hash = digest(&[salt, row.private.as_deref().unwrap_or_default().as_bytes()].concat());
                assert_eq!(row.private_hash.as_deref(), Some(hash.as_slice()), "{}", row.action);
                salts.push(salt);
            }
            assert!(salts.len() >= 3);
            assert!(rows.iter().all(|row| row.seq.is_none() == row.hash.is_none()));
        });
    }

    /// Whoever has the program's own connection can add, seal once, erase what is personal, and nothing else.
    #[test]
    fn an_entry_cannot_be_changed_or_deleted_by_sql() {
        on_each_bare_store(async |store, is_sqlite| {
            let execute = async |sql: &str| {
                let sql = sql.to_owned();
                let done: Result<usize, StoreError> =
                    store.write(move |conn| Ok(diesel::sql_query(&sql).execute(conn)?)).await;
                done
            };
            let rows = async || {
                let rows: Result<Vec<Row>, StoreError> =
                    store.read(|conn| Ok(audit_entries::table.order(audit_entries::id).load(conn)?)).await;
                rows.expect("the log")
            };
            let columns = "id, at, action, facts";
            let (first, second) = (1, 2);
            let bytes = if is_sqlite { "x'00'" } else { "'\\x00'::bytea" };
            let other_bytes = bytes.replace("00", "01");
            let added = [
                format!("INSERT INTO audit_entries ({columns}) VALUES ({first}, 1, 'y', '{{\"a\": 1}}')"),
                format!(
                    "INSERT INTO audit_entries ({columns}, actor_id, private, salt, private_hash)
                     VALUES ({second}, 2, 'y', '{{}}', 7, '{{\"b\": 1}}', {bytes}, {bytes})"
                ),
            ];
            for sql in &added {
                assert_eq!(execute(sql).await.ok(), Some(1), "{sql}");
            }
            let before = rows().await;
            let mut refused = vec![
                "DELETE FROM audit_entries".to_owned(),
                format!("DELETE FROM audit_entries WHERE id = {first}"),
                format!("INSERT INTO audit_entries ({columns}, seq, hash) VALUES (99, 1, 'x', '{{}}', 1, {bytes})"),
                format!("INSERT INTO audit_entries ({columns}) VALUES ({first}, 1, 'x', '{{}}')"),
                format!("UPDATE audit_entries SET seq = 1 WHERE id = {first}"),
                format!("UPDATE audit_entries SET private = NULL WHERE id = {second}"),
            ];
            for change in ["id = id + 1", "at = 1", "actor_id = 9", "api_key_id = 9", "action = 'x'", "site_id = 9"] {
                refused.push(format!("UPDATE audit_entries SET {change}"));
            }
            for change in ["subject_kind = 'x'", "subject_id = 9", "facts = '{\"x\": 1}'", "private = '{}'"] {
                refused.push(format!("UPDATE audit_entries SET {change}"));
            }
            for change in ["private_hash", "salt"] {
                refused.push(format!("UPDATE audit_entries SET {change} = {other_bytes}"));
            }
            if is_sqlite {
                refused.push(format!("REPLACE INTO audit_entries ({columns}) VALUES ({first}, 1, 'x', '{{}}')"));
            } else {
                refused.push("TRUNCATE audit_entries".to_owned());
            }
            for sql in &refused {
                assert!(execute(sql).await.is_err(), "{sql}");
                assert_eq!(rows().await, before, "{sql}");
            }

            let seal = format!("UPDATE audit_entries SET seq = 1, hash = {bytes} WHERE id = ");
            assert_eq!(execute(&format!("{seal}{first}")).await.ok(), Some(1), "sealed once");
            assert!(execute(&format!("{seal}{second}")).await.is_err(), "a place has one entry");
            for change in ["seq = 2", "seq = NULL, hash = NULL", "hash = NULL"] {
                let sql = format!("UPDATE audit_entries SET {change} WHERE id = {first}");
                assert!(execute(&sql).await.is_err(), "{sql}");
            }
            if is_sqlite {
                assert!(execute(&format!("{}{second}", seal.replace("UPDATE", "UPDATE OR REPLACE"))).await.is_err());
            }
            let erase = format!("UPDATE audit_entries SET private = NULL, salt = NULL WHERE id = {second}");
            assert_eq!(execute(&erase).await.ok(), Some(1), "erased");
            let after = rows().await;
            assert_eq!((after.len(), after[0].seq, after[1].private_hash.is_some()), (2, Some(1), true));
            assert_eq!((&after[1].private, &after[1].salt), (&None, &None));
        });
    }

    /// Without a server, whose sealer would be at work too.
    fn on_each_bare_store(test: impl AsyncFn(&Store, bool)) {
        for database in databases() {
            let store = Store::open(&database.url()).expect("a store");
            let is_sqlite = matches!(database, TestDatabase::Sqlite { .. });
            actix_web::rt::System::new().block_on(test(&store, is_sqlite));
        }
    }
}

/// What administrators and people themselves do about accounts: one entry each, and none for what changes nothing.
mod accounts_by_hand {
    use super::*;
    use crate::support::people::Person;

    const NEW: &str = "ebb tide at the old mill";

    async fn send(app: &TestApp, by: &Person, method: Method, path: &str, body: &Value) -> Answer {
        let request = app.request_as(by, method, path);
        Answer::of(if body.is_null() { request } else { request.json(body) }).await
    }

    #[test]
    fn what_administrators_do_about_people_is_told() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let by = id_of(app, &admin).await;
            let mut log = Log::of(app).await;
            let people = "/api/v1/moderators";
            let add = json!({ "username": "ines", "role": "moderator", "sites": ["main"] });
            let added = send(app, &admin, Method::POST, people, &add).await.expect(201).json();
            let (id, first) = (added["id"].as_i64().unwrap(), added["reset"]["reset_url"].as_str().unwrap().to_owned());
            let row = log.one("moderator-added").await;
            assert_eq!((row.actor, row.subject_id), (Some(by), Some(id)));
            assert_eq!(row.facts(), json!({ "role": "moderator", "sites": [1], "with_reset": true }));

            let one = format!("{people}/{id}");
            send(app, &admin, Method::PATCH, &one, &json!({ "role": "lead" })).await.expect(200);
            let row = log.one("moderator-changed").await;
            assert_eq!((row.actor, row.subject_id), (Some(by), Some(id)));
            assert_eq!(row.facts(), json!({ "role": { "from": "moderator", "to": "lead" } }));
            send(app, &admin, Method::PATCH, &one, &json!({ "role": "lead", "sites": ["main"] })).await.expect(200);
            send(app, &admin, Method::PATCH, &one, &json!({ "disabled": false })).await.expect(200);
            send(app, &admin, Method::PATCH, &one, &json!({ "sites": ["nowhere"] })).await.expect(422);
            send(app, &admin, Method::DELETE, &format!("{people}/{by}"), &Value::Null).await.expect(409);
            log.none("nothing was changed, or it was refused").await;
            let admin_again = json!({ "role": "admin", "disabled": true });
            send(app, &admin, Method::PATCH, &one, &admin_again).await.expect(200);
            let changed = json!({
                "role": { "from": "lead", "to": "admin" },
                "sites": { "from": [1], "to": [] },
                "disabled": { "from": false, "to": true },
            });
            assert_eq!(log.one("moderator-disabled").await.facts(), changed);
            send(app, &admin, Method::PATCH, &one, &json!({ "disabled": false })).await.expect(200);
            log.one("moderator-changed").await;

            let made = send(app, &admin, Method::POST, &format!("{one}/reset"), &Value::Null).await.expect(201).json();
            assert_eq!(log.one("password-reset-made").await.subject_id, Some(id));
            let token = made["reset_url"].as_str().unwrap().rsplit('/').next().unwrap();
            let path = format!("/api/v1/password-resets/{token}");
            let set = async |password: &str| {
                let request = app.request(Method::POST, &path).header("user-agent", "Desk/1");
                Answer::of(request.json(&json!({ "new_password": password }))).await.status
            };
            assert_eq!(set("short").await, 422);
            log.none("the password was refused").await;
            assert_eq!(set(NEW).await, 204);
            let row = log.one("password-reset-used").await;
            assert_eq!((row.actor, row.subject_id), (None, Some(id)));
            assert_eq!(row.private(), json!({ "address": "127.0.0.1", "user_agent": "Desk/1" }));
            assert_eq!(set(NEW).await, 410);
            log.none("the link was used").await;

            let sessions = format!("{one}/sessions");
            send(app, &admin, Method::DELETE, &sessions, &Value::Null).await.expect(204);
            log.none("there was no session").await;
            try_to_sign_in(app, "ines", NEW).await.expect(200);
            log.one("signed-in").await;
            send(app, &admin, Method::DELETE, &sessions, &Value::Null).await.expect(204);
            let row = log.one("sessions-ended").await;
            assert_eq!((row.actor, row.subject_id, row.facts()), (Some(by), Some(id), json!({ "count": 1 })));
            send(app, &admin, Method::DELETE, &one, &Value::Null).await.expect(204);
            assert_eq!(log.one("moderator-removed").await.subject_id, Some(id));

            let text = format!("{:?}", rows(app).await);
            for secret in [NEW, token, first.rsplit('/').next().unwrap()] {
                assert!(!text.contains(secret), "{secret}");
            }
        });
    }

    #[test]
    fn what_people_do_about_their_own_sessions_and_password_is_told() {
        on_each_database(async |app| {
            let here = app.moderator().await;
            let id = id_of(app, &here).await;
            let (other, third) = (app.sign_in("moderator").await, app.sign_in("moderator").await);
            let mut log = Log::of(app).await;
            let mine = "/api/v1/me/sessions";
            let sessions = app.get_as(&other, mine).await.expect(200).json();
            let items = sessions["items"].as_array().unwrap().iter();
            let session = items.clone().find(|item| item["current"] == true).unwrap()["id"].as_i64().unwrap();
            log.none("looking is no act").await;
            send(app, &here, Method::DELETE, &format!("{mine}/{session}"), &Value::Null).await.expect(204);
            let row = log.one("session-ended").await;
            assert_eq!(
                (row.actor, row.subject_kind.as_deref(), row.subject_id),
                (Some(id), Some("session"), Some(session))
            );
            send(app, &here, Method::DELETE, &format!("{mine}/{session}"), &Value::Null).await.expect(404);
            log.none("it had ended").await;
            send(app, &here, Method::DELETE, mine, &Value::Null).await.expect(204);
            assert_eq!(log.one("sessions-ended").await.facts(), json!({ "count": 1 }));
            send(app, &here, Method::DELETE, mine, &Value::Null).await.expect(204);
            log.none("there was no other").await;
            send(app, &third, Method::DELETE, mine, &Value::Null).await.expect(401);

            let path = "/api/v1/me/password";
            let wrong = json!({ "current_password": "wrong", "new_password": NEW });
            send(app, &here, Method::PUT, path, &wrong).await.expect(422);
            log.none("nothing was changed").await;
            let right = json!({ "current_password": PASSWORD, "new_password": NEW });
            send(app, &here, Method::PUT, path, &right).await.expect(204);
            let row = log.one("password-changed").await;
            assert_eq!((row.actor, row.facts()), (Some(id), json!({ "ended_other_sessions": true })));
            let current = app.get_as(&here, mine).await.expect(200).json()["items"][0]["id"].to_string();
            send(app, &here, Method::DELETE, &format!("{mine}/{current}"), &Value::Null).await.expect(204);
            log.one("signed-out").await;
        });
    }
}
