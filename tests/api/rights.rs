//! S8: who may do what, in one table: every route of the document for everyone who might ask.

use std::collections::HashMap;

use rejoinder::accounts::{self, Role};
use rejoinder::audit::Actor;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::PASSWORD;
use crate::support::routes::fill;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

/// Those who are not let in, and those who are, in the order of the table's columns.
const OUTSIDE: [&str; 4] = ["nobody", "bad token", "signed out", "disabled"];
const INSIDE: [&str; 4] = ["reviewer", "moderator", "lead", "admin"];

/// What a route answers to [`OUTSIDE`], to [`INSIDE`] on a site of theirs, and to [`INSIDE`] on another; an admin has all.
type Answers = ([u16; 4], [u16; 4], [u16; 4]);

/// For everyone alike.
const fn all(status: u16) -> Answers {
    ([status; 4], [status; 4], [status; 4])
}

/// For whoever is signed in.
const fn signed_in(status: u16) -> Answers {
    by_role([status; 4], [status; 4])
}

const fn by_role(own: [u16; 4], other: [u16; 4]) -> Answers {
    ([401; 4], own, other)
}

/// What each route answers to each of them. A route of the document that is not here fails the test.
#[rustfmt::skip] // A table.
const TABLE: [(&str, &str, Answers); 77] = [
    ("POST",   "/api/v1/session",                                  all(200)),
    ("POST",   "/api/v1/session/refresh",                          all(401)), // with a token that nobody has
    ("DELETE", "/api/v1/session",                                  signed_in(204)),
    ("GET",    "/api/v1/me",                                       signed_in(200)),
    ("PATCH",  "/api/v1/me",                                       signed_in(200)),
    ("POST",   "/api/v1/me/totp",                                  signed_in(201)),
    ("PUT",    "/api/v1/me/totp",                                  signed_in(422)), // with no code at all
    ("DELETE", "/api/v1/me/totp",                                  signed_in(204)),
    ("POST",   "/api/v1/me/totp/recovery-codes",                   signed_in(409)), // there is none to recover
    ("PUT",    "/api/v1/me/password",                              signed_in(204)),
    ("GET",    "/api/v1/me/sessions",                              signed_in(200)),
    ("DELETE", "/api/v1/me/sessions",                              signed_in(204)),
    ("DELETE", "/api/v1/me/sessions/{id}",                         signed_in(404)), // of somebody else
    ("GET",    "/api/v1/moderators",                               by_role([403, 403, 403, 200], [403, 403, 403, 200])),
    ("POST",   "/api/v1/moderators",                               by_role([403, 403, 403, 201], [403, 403, 403, 201])),
    ("PATCH",  "/api/v1/moderators/{id}",                          by_role([403, 403, 403, 200], [403, 403, 403, 200])),
    ("DELETE", "/api/v1/moderators/{id}",                          by_role([403, 403, 403, 204], [403, 403, 403, 204])),
    ("DELETE", "/api/v1/moderators/{id}/sessions",                 by_role([403, 403, 403, 204], [403, 403, 403, 204])),
    ("POST",   "/api/v1/moderators/{id}/reset",                    by_role([403, 403, 403, 201], [403, 403, 403, 201])),
    ("POST",   "/api/v1/password-resets/{token}",                  all(404)), // with a token that nobody has
    ("GET",    "/password-resets/{token}",                         all(404)),
    ("POST",   "/password-resets/{token}",                         all(404)),
    ("GET",    "/verifications/{token}",                           all(404)), // with a token of another kind
    ("POST",   "/verifications/{token}",                           all(404)),
    ("GET",    "/api/v1/me/keys",                                  signed_in(200)),
    ("POST",   "/api/v1/me/keys",                                  signed_in(201)),
    ("DELETE", "/api/v1/me/keys/{id}",                             signed_in(404)), // with an id that no key of theirs has
    ("GET",    "/api/v1/audit",                                    by_role([403, 403, 200, 200], [403, 403, 200, 200])),
    ("GET",    "/api/v1/sites/{site}/articles/{article}",          all(200)),
    ("PUT",    "/api/v1/sites/{site}/articles/{article}",          by_role([403, 403, 200, 200], [403, 403, 404, 200])),
    ("GET",    "/api/v1/sites/{site}/counts",                      all(200)),
    ("GET",    "/api/v1/sites/{site}/articles/{article}/comments", all(200)),
    ("POST",   "/api/v1/sites/{site}/articles/{article}/comments", all(202)),
    ("GET",    "/api/v1/sites/{site}/articles/{article}/challenge", all(200)),
    ("GET",    "/api/v1/comments/{id}",                            all(404)), // it waits, and to nobody else is it there
    ("POST",   "/api/v1/comments/{id}/reports",                    all(404)),
    ("GET",    "/comments/{id}/report",                            all(404)),
    ("GET",    "/api/v1/receipts/{token}",                         all(200)),
    ("GET",    "/receipts/{token}",                                all(200)),
    ("GET",    "/sites/{site}/articles/{article}",                 all(200)),
    ("GET",    "/api/v1/review/comments",                          signed_in(200)),
    ("GET",    "/api/v1/review/counts",                            signed_in(200)),
    ("GET",    "/api/v1/review/comments/{id}",                     by_role([200; 4], [404, 404, 404, 200])),
    ("POST",   "/api/v1/review/comments/{id}/decisions",           by_role([201; 4], [404, 404, 404, 201])),
    ("POST",   "/api/v1/review/decisions",                         by_role([201; 4], [201; 4])), // another site's is a 404 among the results
    ("POST",   "/api/v1/review/decisions/preview",                 by_role([403, 200, 200, 200], [403, 200, 200, 200])),
    ("GET",    "/api/v1/review/decisions/{id}",                    signed_in(404)), // a batch of somebody else; an admin's own test is in review_many
    ("POST",   "/api/v1/review/decisions/{id}/undo",               signed_in(404)), // how a comment began, which nobody decided
    ("GET",    "/api/v1/review/authors",                           by_role([403, 422, 422, 422], [403, 422, 422, 422])), // of nobody
    ("GET",    "/api/v1/bans",                                     by_role([403, 200, 200, 200], [403, 200, 200, 200])),
    ("POST",   "/api/v1/bans",                                     by_role([403, 201, 201, 201], [403, 422, 422, 201])),
    ("DELETE", "/api/v1/bans/{id}",                                by_role([403, 204, 204, 204], [403, 404, 404, 204])),
    ("PATCH",  "/api/v1/review/comments/{id}",                     by_role([403, 200, 200, 200], [403, 404, 404, 200])),
    ("POST",   "/api/v1/review/comments/{id}/claim",               by_role([200; 4], [404, 404, 404, 200])),
    ("DELETE", "/api/v1/review/comments/{id}/claim",               by_role([204; 4], [404, 404, 404, 204])),
    ("GET",    "/api/v1/review/comments/{id}/notes",               by_role([200; 4], [404, 404, 404, 200])),
    ("POST",   "/api/v1/review/comments/{id}/notes",               by_role([201; 4], [404, 404, 404, 201])),
    ("POST",   "/api/v1/review/comments/{id}/replies",             by_role([201; 4], [404, 404, 404, 201])),
    ("POST",   "/api/v1/review/next",                              signed_in(200)),
    ("GET",    "/api/v1/review/events",                            signed_in(200)),
    ("GET",    "/api/v1/review/stats",                             signed_in(200)),
    ("GET",    "/api/v1/sites",                                    by_role([403, 403, 403, 200], [403, 403, 403, 200])),
    ("POST",   "/api/v1/sites",                                    by_role([403, 403, 403, 201], [403, 403, 403, 201])),
    ("PATCH",  "/api/v1/sites/{site}",                             by_role([403, 403, 403, 200], [403, 403, 403, 200])),
    ("GET",    "/api/v1/sites/{site}/settings",                    by_role([403, 200, 200, 200], [403, 404, 404, 200])),
    ("PUT",    "/api/v1/sites/{site}/settings",                    by_role([403, 403, 200, 200], [403, 403, 404, 200])),
    ("GET",    "/api/v1/sites/{site}/rules",                       by_role([403, 200, 200, 200], [403, 404, 404, 200])),
    ("PUT",    "/api/v1/sites/{site}/rules",                       by_role([403, 403, 200, 200], [403, 403, 404, 200])),
    ("POST",   "/api/v1/sites/{site}/rules/try",                   by_role([403, 403, 200, 200], [403, 403, 404, 200])),
    ("POST",   "/api/v1/sites/{site}/rules/rerun",                 by_role([403, 403, 202, 202], [403, 403, 404, 202])),
    ("GET",    "/api/v1/sites/{site}/rules/rerun/{id}",            by_role([403, 404, 404, 404], [403, 404, 404, 404])), // with an id that no rerun has
    ("GET",    "/api/v1/sites/{site}/screening",                   by_role([403, 200, 200, 200], [403, 404, 404, 200])),
    ("DELETE", "/api/v1/sites/{site}/screening/training",          by_role([403, 403, 422, 422], [403, 403, 422, 422])), // taught by nobody in particular
    ("GET",    "/api/v1/sites/{site}/transparency",                by_role([403, 200, 200, 200], [403, 404, 404, 200])),
    ("GET",    "/healthz",                                         all(200)),
    ("GET",    "/readyz",                                          all(200)),
    ("GET",    "/openapi.json",                                    all(200)),
];

/// Pages that say the same to everyone.
const PAGES: [(&str, &str, Answers); 4] = [
    ("GET", "/problems/{slug}", all(200)),
    ("GET", "/rejoinder.css", all(200)),
    ("GET", "/reply.js", all(200)),
    ("GET", "/solve.js", all(200)),
];

/// Somebody of each kind, on the site `main`; who sends no header has no token.
struct Everyone(HashMap<&'static str, Option<String>>);

impl Everyone {
    async fn on(app: &TestApp) -> Self {
        let mut tokens = HashMap::from([("nobody", None), ("bad token", Some("eyJhbGciOiJub25lIn0.e30.".to_owned()))]);
        let leaver = app.person("leaver", Role::Admin, &[]).await;
        Answer::of(app.request_as(&leaver, Method::DELETE, "/api/v1/session")).await.expect(204);
        tokens.insert("signed out", Some(leaver.access));
        let disabled = app.person("disabled", Role::Admin, &[]).await;
        // Not the last one, who could not be disabled.
        tokens.insert("admin", Some(app.admin().await.access));
        accounts::disable_moderator(&app.app, Actor::NOBODY, "disabled").await.expect("disabled");
        tokens.insert("disabled", Some(disabled.access));
        let roles = [("reviewer", Role::ReviewerWithoutEmails), ("moderator", Role::Moderator), ("lead", Role::Lead)];
        for (name, role) in roles {
            tokens.insert(name, Some(app.person(name, role, &["main"]).await.access));
        }
        Self(tokens)
    }

    fn token(&self, who: &str) -> Option<&str> {
        self.0[who].as_deref()
    }

    /// Whoever has just signed out signs in again.
    async fn come_back(&mut self, app: &TestApp, who: &'static str) {
        self.0.insert(who, Some(app.sign_in(who).await.access));
    }
}

/// What is sent to a route so that nothing but rights decides about the answer.
fn body_of(method: &str, path: &str, cell: &str) -> Option<Value> {
    match (method, path) {
        ("POST", "/api/v1/session") => Some(json!({ "username": "moderator", "password": PASSWORD })),
        ("POST", "/api/v1/session/refresh") => Some(json!({ "refresh_token": "A".repeat(43) })),
        ("PATCH", "/api/v1/me") => Some(json!({ "display_name": "Staff" })),
        ("PUT", "/api/v1/me/totp") => Some(json!({ "code": "no code" })),
        ("DELETE", "/api/v1/me/totp") | ("POST", "/api/v1/me/totp/recovery-codes") => {
            Some(json!({ "password": PASSWORD }))
        }
        ("PUT", "/api/v1/me/password") => Some(json!({ "current_password": PASSWORD, "new_password": PASSWORD })),
        ("POST", "/api/v1/moderators") => {
            let username: String = cell.chars().filter(char::is_ascii_alphanumeric).collect();
            Some(json!({ "username": username, "role": "moderator", "sites": ["main"] }))
        }
        ("PATCH", "/api/v1/moderators/{id}") => Some(json!({ "role": "lead" })),
        ("POST", "/api/v1/password-resets/{token}" | "/password-resets/{token}") => {
            Some(json!({ "new_password": "ebb tide at the old mill" }))
        }
        (
            "POST",
            "/api/v1/moderators/{id}/reset"
            | "/api/v1/review/comments/{id}/claim"
            | "/api/v1/sites/{site}/rules/rerun"
            | "/api/v1/review/decisions/{id}/undo",
        ) => None,
        ("POST", "/api/v1/me/keys") => Some(json!({ "name": "a key", "scopes": ["review:read"] })),
        ("POST", "/api/v1/sites") => {
            let key: String = cell.chars().filter(char::is_ascii_alphanumeric).collect();
            Some(json!({ "key": key, "name": "A site" }))
        }
        ("PATCH", "/api/v1/sites/{site}") => Some(json!({ "name": "Another name" })),
        ("PUT", "/api/v1/sites/{site}/settings") => Some(json!({ "max_depth": 5 })),
        ("PUT", "/api/v1/sites/{site}/rules") | ("POST", "/api/v1/sites/{site}/rules/try") => {
            Some(json!({ "rules": [] }))
        }
        ("PUT", _) => Some(json!({ "title": "The article a", "url": "https://news.example/a" })),
        ("PATCH", "/api/v1/review/comments/{id}") => Some(json!({ "text": cell, "reason": "because" })),
        ("POST", "/api/v1/review/comments/{id}/notes") => Some(json!({ "text": cell })),
        ("POST", "/api/v1/review/comments/{id}/replies") => Some(json!({ "text": cell, "approve_parent": true })),
        ("POST", "/api/v1/review/next") => Some(json!({})),
        ("POST", "/api/v1/review/comments/{id}/decisions") => Some(json!({ "decision": "reject" })),
        ("POST", "/api/v1/review/decisions") => Some(json!({ "decision": "reject", "items": [] })),
        ("POST", "/api/v1/review/decisions/preview") => Some(json!({ "decision": "reject", "filter": {} })),
        ("POST", "/api/v1/comments/{id}/reports") => Some(json!({ "reason": "spam" })),
        ("POST", "/api/v1/bans") => {
            let site = if cell.ends_with("on another site") { "second" } else { "main" };
            Some(json!({ "kind": "name", "value": cell, "site": site, "reason": "a test" }))
        }
        ("POST", _) => Some(form(cell)),
        _ => None,
    }
}

/// Somebody new; their id.
async fn somebody(app: &TestApp, number: usize) -> String {
    let person = app.person(&format!("somebody{number}"), Role::Moderator, &["main"]).await;
    app.get_as(&person, "/api/v1/me").await.expect(200).json()["id"].to_string()
}

/// Somebody banned on a site; the ban's id.
async fn ban(app: &TestApp, site: &str, number: usize) -> String {
    let admin = app.sign_in("admin").await;
    let body = json!({ "kind": "name", "value": format!("Troll {number}"), "site": site, "reason": "a test" });
    let answer = Answer::of(app.request_as(&admin, Method::POST, "/api/v1/bans").json(&body)).await;
    answer.expect(201).json()["id"].to_string()
}

#[test]
fn every_route_answers_everyone_as_the_table_says() {
    on_each_database(async |app| {
        let table = [TABLE.as_slice(), PAGES.as_slice()].concat();
        for (path, methods) in app.routes().await {
            for method in methods {
                let has_row = table.iter().any(|row| row.0 == method && row.1 == path);
                assert!(has_row, "{method} {path} has no row in this table");
            }
        }

        app.site("second").await;
        let mut everyone = Everyone::on(app).await;
        let articles = [app.article("a").await, app.article_on("second", "a").await];
        let (mut wrong, mut count) = (Vec::new(), 0);
        for (method, path, (outside, own, other)) in &table {
            let outsiders = OUTSIDE.into_iter().zip(outside).map(|(who, status)| (who, 0, status));
            let on_own = INSIDE.into_iter().zip(own).map(|(who, status)| (who, 0, status));
            let on_other = INSIDE.into_iter().zip(other).map(|(who, status)| (who, 1, status));
            for (who, site, status) in outsiders.chain(on_own).chain(on_other) {
                let cell = format!("{method} {path} by {who} on {}", ["their site", "another site"][site]);
                let posted = app.post(&articles[site], &form(&format!("for {cell}"))).await.expect(202).json();
                let id = match path.strip_prefix("/api/v1/moderators/{id}") {
                    Some(_) => somebody(app, count).await,
                    None if *path == "/api/v1/bans/{id}" => ban(app, ["main", "second"][site], count).await,
                    None => posted["id"].to_string(),
                };
                let receipt = posted["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap();
                let values = [
                    ("site", ["main", "second"][site]),
                    ("article", "a"),
                    ("id", id.as_str()),
                    ("token", receipt),
                    ("slug", "not-found"),
                ];
                let mut request = app.request(method.parse().unwrap(), &fill(path, &values));
                if let Some(token) = everyone.token(who) {
                    request = request.bearer_auth(token);
                }
                if let Some(body) = body_of(method, path, &cell) {
                    request = request.json(&body);
                }
                // Settings have no version that could be known beforehand, and rules another than a comment.
                if !path.ends_with("/settings") && !path.ends_with("/rules") {
                    request = request.header("if-match", "\"1\"");
                }
                let answer = Answer::of(request).await;
                if answer.status != *status {
                    wrong.push(format!("{cell}: {}, not {status}", answer.status));
                }
                if *method == "DELETE" && *path == "/api/v1/session" && answer.status == 204 {
                    everyone.come_back(app, who).await;
                }
                count += 1;
            }
        }
        println!("{count} cells: {} routes for {} kinds of people", table.len(), OUTSIDE.len() + 2 * INSIDE.len());
        assert_eq!(wrong, Vec::<String>::new());
    });
}

/// Who is not let in is told so before anything they sent is judged, and nothing they sent is done.
#[test]
fn whoever_is_not_let_in_changes_nothing() {
    on_each_database(async |app| {
        app.site("second").await;
        let everyone = Everyone::on(app).await;
        let admin = app.sign_in("admin").await;
        let article = app.article_on("second", "a").await;
        let id = app.posted(&article, &form("a comment")).await;
        let state = async || {
            let one = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
            (one, app.get(&article).await.expect(200).json())
        };
        let before = state().await;
        for who in OUTSIDE.into_iter().chain(INSIDE.into_iter().take(3)) {
            let token = everyone.token(who);
            for decision in ["approve", "reject", "spam", "trash"] {
                let mut request = app
                    .request(Method::POST, &format!("/api/v1/review/comments/{id}/decisions"))
                    .header("if-match", "\"1\"")
                    .json(&json!({ "decision": decision }));
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let answer = Answer::of(request).await;
                assert!(matches!(answer.status, 401 | 404), "{who}: {}", answer.status);
            }
            let mut request =
                app.request(Method::PUT, &article).json(&json!({ "title": "x", "url": "https://x.example/" }));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = Answer::of(request).await;
            assert!(matches!(answer.status, 401 | 403 | 404), "{who}: {}", answer.status);
            assert_eq!(state().await, before, "{who}");
        }
    });
}

/// PEERS.md: a moderator who acts elsewhere. Rights are not carried in the token.
#[test]
fn a_site_taken_away_is_lost_at_once() {
    on_each_database(async |app| {
        app.site("second").await;
        let (moderator, admin) = (app.moderator().await, app.admin().await);
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        app.get_as(&moderator, &format!("/api/v1/review/comments/{id}")).await.expect(200);
        let person = app.get_as(&moderator, "/api/v1/me").await.expect(200).json()["id"].clone();
        let change = app.request_as(&admin, Method::PATCH, &format!("/api/v1/moderators/{person}"));
        Answer::of(change.json(&json!({ "sites": ["second"] }))).await.expect(200);
        app.decide(&moderator, id, 1, "approve").await.expect_problem(404, "not-found");
        let queue = app.get_as(&moderator, "/api/v1/review/comments").await.expect(200).json();
        assert_eq!(queue["items"], json!([]));
    });
}

/// A role that this program does not know, written by another version, may do the least.
#[test]
fn an_unknown_role_may_do_the_least() {
    use diesel::prelude::*;
    use rejoinder::store::StoreError;
    use rejoinder::store::schema::moderators;
    on_each_database(async |app| {
        let person = app.person("somebody", Role::Admin, &[]).await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        for word in ["Admin", "superadmin", ""] {
            let set: Result<usize, StoreError> = app
                .app
                .store
                .write(move |conn| {
                    Ok(diesel::update(moderators::table).set(moderators::role.eq(word)).execute(conn)?)
                })
                .await;
            assert_eq!(set.expect("set"), 1);
            let me = app.get_as(&person, "/api/v1/me").await.expect(200).json();
            assert_eq!((&me["role"], &me["sites"]), (&json!("reviewer-without-emails"), &json!([])), "{word:?}");
            app.get_as(&person, &format!("/api/v1/review/comments/{id}")).await.expect_problem(404, "not-found");
        }
    });
}

/// Who reviews without emails never gets one, nor an address, nor a user agent, nor a way to look for them.
#[test]
fn a_reviewer_without_emails_sees_nothing_personal() {
    on_each_database(async |app| {
        let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
        let moderator = app.moderator().await;
        let article = app.article("a").await;
        let posted = app.post_with(&article, &form("a comment"), &[("user-agent", "MarkedAgent/9.9")]).await;
        let id = posted.expect(202).json()["id"].as_i64().unwrap();
        let (queue, one) = ("/api/v1/review/comments", format!("/api/v1/review/comments/{id}"));
        for path in [queue, "/api/v1/review/comments?status=any&sort=risk", &one] {
            let seen = app.get_as(&moderator, path).await.expect(200);
            let text = app.get_as(&reviewer, path).await.expect(200);
            for personal in ["ada@example.org", "127.0.0.1\"", "MarkedAgent"] {
                assert!(seen.text().contains(personal), "{path}: a moderator sees {personal}");
                assert!(!text.text().contains(personal), "{path}: {personal}");
            }
            let item = |answer: &Answer| {
                let json = answer.json();
                if json["items"].is_array() { json["items"][0].clone() } else { json }
            };
            let (mut seen, shown) = (item(&seen), item(&text));
            for name in ["email", "ip", "user_agent"] {
                assert!(shown[name].is_null() && shown.get(name).is_some(), "{path}: {name}");
                seen[name] = Value::Null;
            }
            assert_eq!(seen, shown, "{path}: nothing else differs");
        }
        for filter in ["email=ada@example.org", "ip=127.0.0.1", "ip=", "email=a&email=b"] {
            app.get_as(&reviewer, &format!("{queue}?{filter}")).await.expect_problem(403, "forbidden");
        }
        let decided = app.decide(&reviewer, id, 1, "approve").await.expect(201);
        assert!(!decided.text().contains("ada@example.org"));
    });
}
