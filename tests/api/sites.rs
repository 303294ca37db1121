//! Sites: `src/sites`.

use rejoinder::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, on_each_database};

const SITES: &str = "/api/v1/sites";

async fn add(app: &TestApp, person: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::POST, SITES).json(body)).await
}

async fn change(app: &TestApp, person: &Person, key: &str, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::PATCH, &format!("{SITES}/{key}")).json(body)).await
}

async fn list(app: &TestApp, person: &Person) -> Vec<Value> {
    app.get_as(person, SITES).await.expect(200).json()["items"].as_array().unwrap().clone()
}

#[test]
fn a_site_is_added_listed_and_changed() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let body = json!({ "key": "news", "name": "The news", "origins": ["https://NEWS.example:443", "http://a.example:8080"] });
        let added = add(app, &admin, &body).await.expect(201);
        assert_eq!(added.header("cache-control"), Some("no-store"));
        let wanted = json!({
            "key": "news",
            "name": "The news",
            "language": "en",
            "origins": ["https://news.example", "http://a.example:8080"],
        });
        assert_eq!(added.json(), wanted);
        let main = json!({ "key": "main", "name": "Main", "language": "en", "origins": [] });
        assert_eq!(list(app, &admin).await, [main.clone(), wanted]);
        app.get_as(&admin, "/api/v1/sites/news/settings").await.expect(200);

        let changed = change(app, &admin, "news", &json!({ "name": "News & more" })).await.expect(200).json();
        assert_eq!(
            (&changed["name"], &changed["origins"][1]),
            (&json!("News & more"), &json!("http://a.example:8080"))
        );
        let changed = change(app, &admin, "news", &json!({ "origins": [] })).await.expect(200).json();
        assert_eq!((&changed["name"], &changed["origins"]), (&json!("News & more"), &json!([])));
        assert_eq!(list(app, &admin).await[0], main);
    });
}

#[test]
fn every_wrong_field_is_named_and_nothing_is_done() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let wrong =
            json!({ "key": "a/b", "name": "a\nb", "origins": ["https://a.example", "a.example", 1], "policy": "x" });
        add(app, &admin, &wrong).await.expect_faults(&[
            ("/key", "format"),
            ("/name", "control_character"),
            ("/origins/2", "type"),
            ("/policy", "unknown"),
        ]);
        add(app, &admin, &json!({})).await.expect_faults(&[("/key", "required"), ("/name", "required")]);
        for (name, value, pointer, code) in [
            ("key", json!("main"), "/key", "taken"),
            ("key", json!("x".repeat(201)), "/key", "format"),
            ("key", json!(1), "/key", "type"),
            ("name", json!(""), "/name", "required"),
            ("name", json!("x".repeat(1_001)), "/name", "too_long"),
            ("origins", json!("https://a.example"), "/origins", "type"),
            ("origins", json!(vec!["https://a.example"; 101]), "/origins", "too_many"),
            ("origins", json!(["https://a.example/path"]), "/origins/0", "origin"),
            ("origins", json!(["https://a.example", "*"]), "/origins/1", "origin"),
            ("origins", json!(["javascript:alert(1)"]), "/origins/0", "origin"),
        ] {
            let mut body = json!({ "key": "fine", "name": "Fine" });
            body[name] = value;
            add(app, &admin, &body).await.expect_faults(&[(pointer, code)]);
        }
        change(app, &admin, "main", &json!({})).await.expect_faults(&[("", "required")]);
        change(app, &admin, "main", &json!({ "key": "x", "name": "" }))
            .await
            .expect_faults(&[("/key", "unknown"), ("/name", "required")]);
        change(app, &admin, "none", &json!({ "name": "x" })).await.expect_problem(404, "not-found");
        app.get_as(&admin, "/api/v1/sites?limit=0").await.expect_faults(&[("/limit", "range")]);
        app.get_as(&admin, "/api/v1/sites?x=1").await.expect_faults(&[("/x", "unknown")]);
        assert_eq!(list(app, &admin).await.len(), 1);
    });
}

#[test]
fn the_list_goes_on_page_by_page() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        for number in 0..4 {
            add(app, &admin, &json!({ "key": format!("s{number}"), "name": "A site" })).await.expect(201);
        }
        let (mut keys, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let page = app.get_as(&admin, &format!("{SITES}{query}")).await.expect(200);
            let body = page.json();
            keys.extend(body["items"].as_array().unwrap().iter().map(|site| site["key"].as_str().unwrap().to_owned()));
            let Some(next) = body["next"].as_str() else { break };
            query = format!("?limit=2&cursor={next}");
            assert_eq!(page.header("link"), Some(format!("<{}{SITES}{query}>; rel=\"next\"", app.base).as_str()));
        }
        assert_eq!(keys, ["main", "s0", "s1", "s2", "s3"]);
        app.get_as(&admin, &format!("{SITES}?cursor=AAAA")).await.expect_problem(400, "unreadable");
    });
}

#[test]
fn of_many_who_add_the_same_at_once_one_does() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let body = json!({ "key": "news", "name": "The news" });
        let answers = futures_util::future::join_all((0..10).map(|_| add(app, &admin, &body))).await;
        let count = |wanted: u16| answers.iter().filter(|answer| answer.status == wanted).count();
        assert_eq!((count(201), count(422)), (1, 9));
    });
}

/// Who changes one thing of a site takes nothing back that somebody else changes at the same time.
#[test]
fn changes_of_different_things_at_once_all_stay() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        for round in 0..5 {
            let (name, depth) = (json!({ "name": format!("Name {round}") }), json!({ "max_depth": 1 + round }));
            let origins = json!({ "origins": [format!("https://o{round}.example")] });
            let put = app.request_as(&admin, Method::PUT, "/api/v1/sites/main/settings").json(&depth);
            let (a, b, c) = futures_util::future::join3(
                change(app, &admin, "main", &name),
                change(app, &admin, "main", &origins),
                Answer::of(put),
            )
            .await;
            assert_eq!((a.status, b.status, c.status), (200, 200, 200));
            let site = list(app, &admin).await[0].clone();
            assert_eq!((&site["name"], &site["origins"]), (&name["name"], &origins["origins"]));
            let settings = app.get_as(&admin, "/api/v1/sites/main/settings").await.expect(200).json();
            assert_eq!(settings["max_depth"], depth["max_depth"]);
        }
    });
}

#[test]
fn origins_count_at_once() {
    on_each_database(async |app| {
        let (admin, article) = (app.admin().await, app.article("a").await);
        let from_page = async || {
            let request = app.request(Method::GET, &article).header("origin", "https://news.example");
            Answer::of(request).await.header("access-control-allow-origin").map(str::to_owned)
        };
        assert_eq!(from_page().await, None);
        change(app, &admin, "main", &json!({ "origins": ["https://news.example"] })).await.expect(200);
        assert_eq!(from_page().await.as_deref(), Some("https://news.example"));
        change(app, &admin, "main", &json!({ "origins": [] })).await.expect(200);
        assert_eq!(from_page().await, None);
    });
}

#[test]
fn changes_are_in_the_log_with_what_changed() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        add(app, &admin, &json!({ "key": "news", "name": "The news" })).await.expect(201);
        change(app, &admin, "news", &json!({ "name": "News", "origins": [] })).await.expect(200);
        // The same again changes nothing.
        change(app, &admin, "news", &json!({ "name": "News" })).await.expect(200);
        app.sealed().await;
        let log = |action: &str| format!("/api/v1/audit?action={action}");
        let added = app.get_as(&admin, &log("site-added")).await.expect(200).json()["items"].clone();
        assert_eq!((&added[0]["by"]["username"], &added[0]["facts"]["key"]), (&json!("admin"), &json!("news")));
        let changed = app.get_as(&admin, &log("site-changed")).await.expect(200).json()["items"].clone();
        assert_eq!(changed.as_array().unwrap().len(), 1, "{changed}");
        assert_eq!(changed[0]["facts"], json!({ "name": { "from": "The news", "to": "News" } }));
    });
}

#[test]
fn a_key_for_some_sites_manages_those_alone() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        app.site("second").await;
        let body = json!({ "name": "k", "scopes": ["admin"], "sites": ["second"] });
        let made = Answer::of(app.request_as(&admin, Method::POST, "/api/v1/me/keys").json(&body)).await.expect(201);
        let key = made.json()["key"].as_str().unwrap().to_owned();
        let program = Person { username: "admin".to_owned(), access: key, refresh: String::new() };
        assert_eq!(list(app, &program).await.len(), 1);
        change(app, &program, "main", &json!({ "name": "x" })).await.expect_problem(404, "not-found");
        change(app, &program, "second", &json!({ "name": "x" })).await.expect(200);
        add(app, &program, &json!({ "key": "third", "name": "x" })).await.expect_problem(403, "forbidden");
        let lead = app.person("lead", Role::Lead, &["main"]).await;
        app.get_as(&lead, SITES).await.expect_problem(403, "forbidden");
    });
}
