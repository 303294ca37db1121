//! S8: who may do what, in one table: every route of the document for everyone who might ask.

use rejoinder::accounts::{self, Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::routes::fill;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

/// Who asks, in the order of the table's columns.
const WHO: [&str; 7] = ["nobody", "bad token", "signed out", "disabled", "elsewhere", "moderator", "admin"];

/// For everyone alike.
const fn all(status: u16) -> [u16; 7] {
    [status; 7]
}

/// For whoever is signed in.
const fn signed_in(status: u16) -> [u16; 7] {
    [401, 401, 401, 401, status, status, status]
}

/// What each route answers to each of [`WHO`]. A route of the document that is not here fails the test.
#[rustfmt::skip] // A table.
const TABLE: [(&str, &str, [u16; 7]); 20] = [
    ("POST",   "/api/v1/session",                                  all(200)),
    ("POST",   "/api/v1/session/refresh",                          all(401)), // with a token that nobody has
    ("DELETE", "/api/v1/session",                                  signed_in(204)),
    ("GET",    "/api/v1/me",                                       signed_in(200)),
    ("PATCH",  "/api/v1/me",                                       signed_in(200)),
    ("GET",    "/api/v1/sites/{site}/articles/{article}",          all(200)),
    ("PUT",    "/api/v1/sites/{site}/articles/{article}",          [401, 401, 401, 401, 403, 403, 200]),
    ("GET",    "/api/v1/sites/{site}/counts",                      all(200)),
    ("GET",    "/api/v1/sites/{site}/articles/{article}/comments", all(200)),
    ("POST",   "/api/v1/sites/{site}/articles/{article}/comments", all(202)),
    ("GET",    "/api/v1/comments/{id}",                            all(404)), // it waits, and to nobody else is it there
    ("GET",    "/api/v1/receipts/{token}",                         all(200)),
    ("GET",    "/receipts/{token}",                                all(200)),
    ("GET",    "/sites/{site}/articles/{article}",                 all(200)),
    ("GET",    "/api/v1/review/comments",                          signed_in(200)),
    ("GET",    "/api/v1/review/comments/{id}",                     [401, 401, 401, 401, 404, 200, 200]),
    ("POST",   "/api/v1/review/comments/{id}/decisions",           [401, 401, 401, 401, 404, 201, 201]),
    ("GET",    "/healthz",                                         all(200)),
    ("GET",    "/readyz",                                          all(200)),
    ("GET",    "/openapi.json",                                    all(200)),
];

/// Pages that say the same to everyone.
const PAGES: [(&str, &str, [u16; 7]); 2] = [("GET", "/problems/{slug}", all(200)), ("GET", "/rejoinder.css", all(200))];

/// Somebody of each kind; `None` sends no header.
async fn token_of(app: &TestApp, who: &str) -> Option<String> {
    let signed_in = async |username: &str| app.sign_in(username).await;
    match who {
        "nobody" => None,
        "bad token" => Some("eyJhbGciOiJub25lIn0.e30.".to_owned()),
        "signed out" => {
            let person = signed_in("leaver").await;
            Answer::of(app.request_as(&person, Method::DELETE, "/api/v1/session")).await.expect(204);
            Some(person.access)
        }
        "disabled" => Some(disabled(app).await.access),
        name => Some(signed_in(name).await.access),
    }
}

/// Somebody new each time: nobody is disabled twice.
async fn disabled(app: &TestApp) -> Person {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("disabled{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let person = app.person(&name, Role::Admin, &[]).await;
    accounts::disable_moderator(&app.app, &name).await.expect("disabled");
    person
}

/// What is sent to a route so that nothing but rights decides about the answer.
fn body_of(method: &str, path: &str, cell: &str) -> Option<Value> {
    match (method, path) {
        ("POST", "/api/v1/session") => Some(json!({ "username": "moderator", "password": PASSWORD })),
        ("POST", "/api/v1/session/refresh") => Some(json!({ "refresh_token": "A".repeat(43) })),
        ("PATCH", "/api/v1/me") => Some(json!({ "display_name": "Staff" })),
        ("PUT", _) => Some(json!({ "title": "The article a", "url": "https://news.example/a" })),
        ("POST", "/api/v1/review/comments/{id}/decisions") => Some(json!({ "decision": "reject" })),
        ("POST", _) => Some(form(cell)),
        _ => None,
    }
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
        app.admin().await;
        app.moderator().await;
        app.person("elsewhere", Role::Moderator, &["second"]).await;
        app.person("leaver", Role::Admin, &[]).await;
        let article = app.article("a").await;
        let mut wrong = Vec::new();
        for (method, path, statuses) in &table {
            for (who, status) in WHO.into_iter().zip(statuses) {
                let cell = format!("{method} {path} by {who}");
                let posted = app.post(&article, &form(&format!("for {cell}"))).await.expect(202).json();
                let id = posted["id"].to_string();
                let receipt = posted["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap();
                let values = [
                    ("site", "main"),
                    ("article", "a"),
                    ("id", id.as_str()),
                    ("token", receipt),
                    ("slug", "not-found"),
                ];
                let mut request = app.request(method.parse().unwrap(), &fill(path, &values));
                if let Some(token) = token_of(app, who).await {
                    request = request.bearer_auth(token);
                }
                if let Some(body) = body_of(method, path, &cell) {
                    request = request.json(&body);
                }
                let answer = Answer::of(request.header("if-match", "\"1\"")).await;
                if answer.status != *status {
                    wrong.push(format!("{cell}: {}, not {status}", answer.status));
                }
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    });
}

/// Who is not let in is told so before anything they sent is judged, and nothing they sent is done.
#[test]
fn whoever_is_not_let_in_changes_nothing() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        app.moderator().await;
        app.site("second").await;
        app.person("elsewhere", Role::Moderator, &["second"]).await;
        app.person("leaver", Role::Admin, &[]).await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        let state = async || {
            let one = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
            (one, app.get(&article).await.expect(200).json())
        };
        let before = state().await;
        for who in WHO.into_iter().take(5) {
            let token = token_of(app, who).await;
            for decision in ["approve", "reject", "spam", "trash"] {
                let mut request = app
                    .request(Method::POST, &format!("/api/v1/review/comments/{id}/decisions"))
                    .header("if-match", "\"1\"")
                    .json(&json!({ "decision": decision }));
                if let Some(token) = &token {
                    request = request.bearer_auth(token);
                }
                let answer = Answer::of(request).await;
                assert!(matches!(answer.status, 401 | 404), "{who}: {}", answer.status);
            }
            let mut request =
                app.request(Method::PUT, &article).json(&json!({ "title": "x", "url": "https://x.example/" }));
            if let Some(token) = &token {
                request = request.bearer_auth(token);
            }
            let answer = Answer::of(request).await;
            assert!(matches!(answer.status, 401 | 403), "{who}: {}", answer.status);
            assert_eq!(state().await, before, "{who}");
        }
    });
}

/// PEERS.md: a moderator who acts elsewhere. Rights are looked up at each request, not carried in the token.
#[test]
fn a_site_taken_away_is_lost_at_once() {
    use diesel::prelude::*;
    use rejoinder::store::StoreError;
    use rejoinder::store::schema::moderator_sites;
    on_each_database(async |app| {
        let moderator = app.moderator().await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("a comment")).await;
        app.get_as(&moderator, &format!("/api/v1/review/comments/{id}")).await.expect(200);
        let gone: Result<usize, StoreError> =
            app.app.store.write(|conn| Ok(diesel::delete(moderator_sites::table).execute(conn)?)).await;
        assert_eq!(gone.expect("deleted"), 1);
        app.decide(&moderator, id, 1, "approve").await.expect_problem(404, "not-found");
        let queue = app.get_as(&moderator, "/api/v1/review/comments").await.expect(200).json();
        assert_eq!(queue["items"], json!([]));
    });
}
