//! X11: the server is what its `OpenAPI` document says, and nothing more.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::PASSWORD;
use crate::support::routes::{METHODS, fill};
use crate::support::{Answer, form, on_each_database};

const VALUES: [(&str, &str); 5] =
    [("site", "main"), ("article", "a"), ("id", "999999"), ("token", "none"), ("slug", "not-found")];

#[test]
fn the_document_is_of_version_3_1_and_whole() {
    on_each_database(async |app| {
        let answer = app.get("/openapi.json").await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let document = answer.json();
        assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
        assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
        let mut references = Vec::new();
        find_references(&document, &mut references);
        for reference in references {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} names nothing");
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            let named: BTreeSet<&str> =
                path.split('{').skip(1).map(|rest| rest.split_once('}').expect("a closed parameter").0).collect();
            for (method, operation) in item.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                let described: BTreeSet<&str> = parameters
                    .iter()
                    .filter(|parameter| parameter["in"] == "path")
                    .map(|parameter| parameter["name"].as_str().unwrap())
                    .collect();
                assert_eq!(described, named, "{method} {path}");
                assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path}");
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
    });
}

fn find_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.push(reference.clone());
            }
            members.values().for_each(|value| find_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| find_references(value, found)),
        _ => {}
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_which_is_its_handlers() {
    on_each_database(async |app| {
        let source = sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        let document = app.contract().await;
        let mut seen = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
                assert!(source.contains(&format!("async fn {name}(")), "{method} {path}: no handler {name:?}");
                assert!(source.contains(&format!("__path_{name}, {name})")), "{method} {path}: {name} is not served");
                assert!(seen.insert(name), "{method} {path}: a second of its name");
            }
        }
        let described = source.matches("#[utoipa::path(").count();
        assert_eq!(described, seen.len(), "every handler that is described is in the document");
    });
}

fn sources(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .map(|path| if path.is_dir() { sources(&path) } else { std::fs::read_to_string(&path).unwrap_or_default() })
        .collect()
}

#[test]
fn what_is_documented_is_served_and_what_is_not_is_405() {
    on_each_database(async |app| {
        app.article("a").await;
        for (path, documented) in app.routes().await {
            let filled = fill(&path, &VALUES);
            let mut allowed: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
            allowed.insert("OPTIONS");
            if allowed.contains("GET") {
                allowed.insert("HEAD");
            }
            for method in METHODS {
                let answer = app.send(method, &filled).await;
                let allow: Option<BTreeSet<&str>> = answer.header("allow").map(|allow| allow.split(", ").collect());
                let name = format!("{method} {path}: {}", answer.status);
                match (allowed.contains(method), method) {
                    (true, "OPTIONS") => {
                        assert_eq!(answer.status, 204, "{name}");
                        assert_eq!(allow.as_ref(), Some(&allowed), "{name}");
                    }
                    (true, _) => assert!(answer.status != 405 && answer.status < 500, "{name}"),
                    (false, _) => {
                        assert_eq!(allow.as_ref(), Some(&allowed), "{name}");
                        if method == "HEAD" {
                            assert_eq!(answer.status, 405, "{name}");
                        } else {
                            answer.expect_problem(405, "method-not-allowed");
                        }
                    }
                }
            }
            // A path that is not there is another thing than one that takes another method.
            for absent in [format!("{filled}/nothing/here"), format!("/api/v2{filled}")] {
                assert_eq!(app.send("DELETE", &absent).await.status, 404, "{absent}");
            }
        }
    });
}

#[test]
fn what_asks_for_a_token_is_what_answers_401_without_one() {
    on_each_database(async |app| {
        app.article("a").await;
        let document = app.contract().await;
        for scheme in ["bearer", "cookie"] {
            assert!(document["components"]["securitySchemes"][scheme].is_object(), "{scheme}");
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let schemes = operation["security"].as_array().cloned().unwrap_or_default();
                let asks = !schemes.is_empty();
                assert!(!asks || schemes == [json!({ "bearer": [] }), json!({ "cookie": [] })], "{method} {path}");
                let request = app.request(method.to_uppercase().parse().unwrap(), &fill(path, &VALUES));
                let answer = Answer::of(request.header("if-match", "\"1\"").json(&json!({}))).await;
                assert_eq!(answer.status == 401, asks, "{method} {path}: {}", answer.status);
                if asks {
                    assert!(operation["responses"]["401"].is_object(), "{method} {path} does not say 401");
                }
            }
        }
    });
}

#[test]
fn answers_are_as_their_schemas_say() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let root = app.posted(&article, &form("a root")).await;
        app.approve(&admin, root).await;
        let mut reply = form("a reply");
        reply["parent_id"] = json!(root);
        reply["url"] = json!("https://ada.example/");
        let reply = app.post(&article, &reply).await.expect(202);
        let reply_id = reply.json()["id"].as_i64().unwrap();
        let receipt = reply.json()["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let document = app.contract().await;
        let check = |method: &str, path: &str, answer: Answer| expect_described(&document, method, path, answer);
        let article_path = "/api/v1/sites/{site}/articles/{article}";
        let comments_path = "/api/v1/sites/{site}/articles/{article}/comments";
        check("post", comments_path, reply);
        check("get", article_path, app.get(&article).await);
        check("get", comments_path, app.get(&format!("{article}/comments")).await);
        check("get", comments_path, app.get(&format!("{article}/comments?view=flat&limit=1")).await);
        let challenge = app.get(&format!("{article}/challenge")).await;
        check("get", "/api/v1/sites/{site}/articles/{article}/challenge", challenge);
        check("get", "/api/v1/sites/{site}/counts", app.get("/api/v1/sites/main/counts?article=a").await);
        check("get", "/api/v1/comments/{id}", app.get(&format!("/api/v1/comments/{root}")).await);
        check("get", "/api/v1/receipts/{token}", app.get(&format!("/api/v1/receipts/{receipt}")).await);
        let queue = "/api/v1/review/comments";
        check("get", queue, app.get_as(&admin, &format!("{queue}?status=any&limit=1")).await);
        let one = "/api/v1/review/comments/{id}";
        check("get", one, app.get_as(&admin, &format!("{queue}/{reply_id}")).await);
        check("get", one, app.get_as(&admin, &format!("{queue}/{root}")).await);
        let decide = "/api/v1/review/comments/{id}/decisions";
        check("post", decide, app.decide(&admin, reply_id, 1, "approve").await);
        check("post", decide, app.decide(&admin, reply_id, 2, "approve").await);
        check("get", "/api/v1/me", app.get_as(&admin, "/api/v1/me").await);
        let rename = app.request_as(&admin, Method::PATCH, "/api/v1/me").json(&json!({ "display_name": "New" }));
        check("patch", "/api/v1/me", Answer::of(rename).await);
        let put = json!({ "title": "T", "url": "https://news.example/b", "comments_close_at": "2027-01-01T00:00:00Z" });
        for _ in 0..2 {
            let request = app.request_as(&admin, Method::PUT, "/api/v1/sites/main/articles/b").json(&put);
            check("put", article_path, Answer::of(request).await);
        }
        let mine = "/api/v1/me/sessions";
        check("get", mine, app.get_as(&admin, mine).await);
        let people = "/api/v1/moderators";
        check("get", people, app.get_as(&admin, people).await);
        let add = json!({ "username": "ines", "role": "moderator", "sites": ["main"] });
        let added = Answer::of(app.request_as(&admin, Method::POST, people).json(&add)).await;
        let person = format!("{people}/{}", added.json()["id"]);
        check("post", people, added);
        let change = app.request_as(&admin, Method::PATCH, &person).json(&json!({ "role": "lead" }));
        check("patch", "/api/v1/moderators/{id}", Answer::of(change).await);
        let reset = app.request_as(&admin, Method::POST, &format!("{person}/reset"));
        check("post", "/api/v1/moderators/{id}/reset", Answer::of(reset).await);
        let refresh = json!({ "refresh_token": admin.refresh });
        let refresh = app.request(Method::POST, "/api/v1/session/refresh").json(&refresh);
        check("post", "/api/v1/session/refresh", Answer::of(refresh).await);
        let second_factor = "/api/v1/me/totp";
        let enrol = app.request_as(&admin, Method::POST, second_factor);
        let enrolled = Answer::of(enrol).await;
        let secret = enrolled.json()["secret"].as_str().unwrap().to_owned();
        check("post", second_factor, enrolled);
        let body = json!({ "code": app.totp(&secret) });
        let confirm = app.request_as(&admin, Method::PUT, second_factor).json(&body);
        check("put", second_factor, Answer::of(confirm).await);
        let renew = "/api/v1/me/totp/recovery-codes";
        let body = json!({ "password": PASSWORD });
        check("post", renew, Answer::of(app.request_as(&admin, Method::POST, renew).json(&body)).await);
        let moderator = app.moderator().await;
        for cookies in [false, true] {
            let body = json!({ "username": moderator.username, "password": PASSWORD, "cookies": cookies });
            let sign_in = app.request(Method::POST, "/api/v1/session").header("sec-fetch-site", "same-origin");
            check("post", "/api/v1/session", Answer::of(sign_in.json(&body)).await);
        }
        let keys = "/api/v1/me/keys";
        for body in [
            json!({ "name": "k", "scopes": ["admin"] }),
            json!({ "name": "k", "scopes": ["admin"], "sites": ["main"] }),
        ] {
            check("post", keys, Answer::of(app.request_as(&admin, Method::POST, keys).json(&body)).await);
        }
        check("get", keys, app.get_as(&admin, keys).await);
        check("get", "/api/v1/audit", app.get_as(&admin, "/api/v1/audit").await);
        for path in ["/healthz", "/readyz"] {
            check("get", path, app.get(path).await);
        }
    });
}

#[test]
fn answers_about_people_are_as_their_schemas_say() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let root = app.posted(&article, &form("a root")).await;
        app.approve(&admin, root).await;
        let document = app.contract().await;
        let check = |method: &str, path: &str, answer: Answer| expect_described(&document, method, path, answer);
        let report = app.request(Method::POST, &format!("/api/v1/comments/{root}/reports"));
        let report = Answer::of(report.json(&json!({ "reason": "spam" }))).await;
        check("post", "/api/v1/comments/{id}/reports", report);
        let one = app.get_as(&admin, &format!("/api/v1/review/comments/{root}")).await;
        check("get", "/api/v1/review/comments/{id}", one);
        let bans = "/api/v1/bans";
        let mut body = json!({ "kind": "email", "value": "ada@example.org", "reason": "x" });
        body["sweep"] = json!({ "decision": "spam", "scope": "all" });
        check("post", bans, Answer::of(app.request_as(&admin, Method::POST, bans).json(&body)).await);
        check("get", bans, app.get_as(&admin, bans).await);
        let authors = "/api/v1/review/authors";
        check("get", authors, app.get_as(&admin, &format!("{authors}?email=ada%40example.org&limit=1")).await);
    });
}

#[test]
fn answers_about_sites_are_as_their_schemas_say() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let id = app.posted(&article, &form("one")).await;
        app.decide_with(&admin, id, 1, &json!({ "decision": "reject", "reason": "hate" })).await.expect(201);
        let document = app.contract().await;
        let check = |method: &str, path: &str, answer: Answer| expect_described(&document, method, path, answer);
        let sites = "/api/v1/sites";
        let add = json!({ "key": "third", "name": "A third", "origins": ["https://third.example"] });
        check("post", sites, Answer::of(app.request_as(&admin, Method::POST, sites).json(&add)).await);
        check("get", sites, app.get_as(&admin, sites).await);
        let change = app.request_as(&admin, Method::PATCH, "/api/v1/sites/third").json(&json!({ "name": "3rd" }));
        check("patch", "/api/v1/sites/{site}", Answer::of(change).await);
        let settings = "/api/v1/sites/{site}/settings";
        let hours = json!({ "from": "08:00", "until": "22:00", "timezone": "Europe/Paris" });
        let put = app.request_as(&admin, Method::PUT, "/api/v1/sites/third/settings").json(&json!({ "hours": hours }));
        check("put", settings, Answer::of(put).await);
        check("get", settings, app.get_as(&admin, "/api/v1/sites/third/settings").await);
        let rules = json!({ "rules": [
            { "kind": "words", "words": ["one"], "effect": "hold", "label": "A word" },
            { "kind": "regex", "pattern": "two", "effect": "spam" }, { "kind": "links", "effect": "log" },
            { "kind": "hosts", "hosts": ["a.example"], "effect": "hold" }, { "kind": "email", "emails": ["a.example"], "effect": "hold" },
            { "kind": "network", "networks": ["192.0.2.0/24"], "effect": "hold" }, { "kind": "length", "min": 2, "effect": "log" },
            { "kind": "capitals", "effect": "hold" }, { "kind": "script", "refused": ["Han"], "effect": "hold" },
            { "kind": "first_comment", "effect": "hold" }, { "kind": "hours", "from": "22:00", "until": "06:00", "effect": "hold" },
        ] });
        let path = "/api/v1/sites/{site}/rules";
        let at = |method, rest: &str| app.request_as(&admin, method, &format!("/api/v1/sites/main/rules{rest}"));
        check("put", path, Answer::of(at(Method::PUT, "").json(&rules)).await);
        check("get", path, Answer::of(at(Method::GET, "")).await);
        check("post", &format!("{path}/try"), Answer::of(at(Method::POST, "/try").json(&rules)).await);
        let rerun = Answer::of(at(Method::POST, "/rerun")).await;
        let id = rerun.json()["id"].clone();
        check("post", &format!("{path}/rerun"), rerun);
        check("get", &format!("{path}/rerun/{{id}}"), Answer::of(at(Method::GET, &format!("/rerun/{id}"))).await);
        check("get", "/api/v1/review/stats", app.get_as(&admin, "/api/v1/review/stats").await);
        let report = "/api/v1/sites/{site}/transparency";
        check("get", report, app.get_as(&admin, "/api/v1/sites/main/transparency").await);
    });
}

#[test]
fn the_answers_of_working_together_are_as_their_schemas_say() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let root = app.posted(&article, &form("a root")).await;
        app.approve(&admin, root).await;
        let document = app.contract().await;
        let (queue, one) = ("/api/v1/review/comments", "/api/v1/review/comments/{id}");
        for (method, rest, body) in [
            ("post", "/claim", json!({})),
            ("post", "/notes", json!({ "text": "a note" })),
            ("post", "/replies", json!({ "text": "a reply" })),
            ("patch", "", json!({ "text": "other words", "reason": "because" })),
            ("get", "/notes", json!({})),
            ("get", "", json!({})),
        ] {
            let path = format!("{queue}/{root}{rest}");
            let request = app.request_as(&admin, method.to_uppercase().parse().unwrap(), &path);
            let answer = Answer::of(request.header("if-match", "\"2\"").json(&body)).await;
            expect_described(&document, method, &format!("{one}{rest}"), answer);
        }
        app.posted(&article, &form("a third")).await;
        let next = app.request_as(&admin, Method::POST, "/api/v1/review/next").json(&json!({}));
        expect_described(&document, "post", "/api/v1/review/next", Answer::of(next).await);
    });
}

/// Fails unless an answer is what the document says of this operation and status, and no more.
fn expect_described(document: &Value, method: &str, path: &str, answer: Answer) {
    let operation = &document["paths"][path][method];
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{method} {path} does not say {}: {}", answer.status, answer.text());
    let schema = &response["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path}: no schema for {}", answer.status);
    let mut faults = Vec::new();
    judge(document, schema, &answer.json(), "", &mut faults);
    find_undescribed(document, schema, &answer.json(), "", &mut faults);
    assert_eq!(faults, Vec::<String>::new(), "{method} {path}");
}

/// A small judge of JSON Schema: types, required and known names, items, choices, references, combinations.
fn judge(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(&reference[1..]).expect("what is referred to");
        return judge(document, target, value, at, faults);
    }
    if let Some(all) = schema["allOf"].as_array() {
        for schema in all {
            judge(document, schema, value, at, faults);
        }
    }
    for name in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[name].as_array() {
            let fits = choices.iter().any(|schema| {
                let mut faults = Vec::new();
                judge(document, schema, value, at, &mut faults);
                faults.is_empty()
            });
            if !fits {
                faults.push(format!("{at}: {value} is none of {name}"));
            }
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is_of(value, name)) {
        faults.push(format!("{at}: {value} is not {types:?}"));
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        faults.push(format!("{at}: {value} is not one of {choices:?}"));
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                faults.push(format!("{at}/{name} is missing"));
            }
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = members.get(name) {
                judge(document, schema, value, &format!("{at}/{name}"), faults);
            }
        }
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            judge(document, &schema["items"], item, &format!("{at}/{number}"), faults);
        }
    }
}

/// Names in an answer that its schema does not have.
fn find_undescribed(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schemas = parts(document, schema);
    let is_open = schemas.iter().any(|schema| schema.get("additionalProperties").is_some());
    for (name, value) in value.as_object().into_iter().flatten().filter(|_| !is_open) {
        let at = format!("{at}/{name}");
        match schemas.iter().find_map(|schema| schema["properties"].get(name)) {
            Some(schema) => find_undescribed(document, schema, value, &at, faults),
            None => faults.push(format!("{at} is not described")),
        }
    }
    for item in value.as_array().into_iter().flatten() {
        for schema in schemas.iter().filter(|schema| schema["items"].is_object()) {
            find_undescribed(document, &schema["items"], item, at, faults);
        }
    }
}

/// A schema and everything that it is put together from.
fn parts<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![schema];
    if let Some(reference) = schema["$ref"].as_str() {
        found.extend(parts(document, document.pointer(&reference[1..]).expect("what is referred to")));
    }
    for name in ["allOf", "oneOf", "anyOf"] {
        found.extend(schema[name].as_array().into_iter().flatten().flat_map(|schema| parts(document, schema)));
    }
    found
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
