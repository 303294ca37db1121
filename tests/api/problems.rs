//! Every 4xx and 5xx is a problem (RFC 9457), or for a browser a page that says the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rejoinder::http::problem::Kind;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::routes::fill;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

const VALUES: [(&str, &str); 5] =
    [("site", "main"), ("article", "a"), ("id", "999999"), ("token", "none"), ("slug", "not-a-problem")];

/// Whether it is a problem in full; gives its body.
fn assert_problem(app: &TestApp, answer: Answer, name: &str) -> Value {
    assert!((400..500).contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{name}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{name}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{name}");
    let kind = body["type"].as_str().unwrap_or_default();
    assert!(kind.starts_with(&format!("{}/problems/", app.base)), "{name}: {kind}");
    for member in ["title", "detail"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{name}: {member}");
    }
    let trace = body["trace_id"].as_str().unwrap_or_default();
    assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {trace:?}");
    for error in body["errors"].as_array().into_iter().flatten() {
        assert!(error["pointer"].is_string() && error["code"].is_string(), "{name}: {error}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{name}: {error}");
    }
    body
}

/// Sends what is wrong twice, as a program and as a browser, and holds the two answers together.
async fn assert_refused(app: &TestApp, make: impl Fn() -> RequestBuilder, name: &str) -> Value {
    let body = assert_problem(app, Answer::of(make()).await, name);
    let page = Answer::of(make().header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")).await;
    assert_eq!(body["status"], page.status, "{name}");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{name}");
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    let text = page.text();
    assert!(text.starts_with("<!DOCTYPE html>") || text.starts_with("<!doctype html>"), "{name}");
    assert!(text.contains(&body["status"].to_string()), "{name}");
    body
}

/// A request that is right as far as a route's path, token and precondition go.
fn request(app: &TestApp, person: &Person, method: &str, path: &str) -> RequestBuilder {
    app.request_as(person, method.parse().expect("a method"), path).header("if-match", "\"1\"")
}

/// Every route that takes a body.
async fn with_bodies(app: &TestApp) -> Vec<(String, String)> {
    let document = app.contract().await;
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            if operation["requestBody"].is_object() {
                found.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(found.len() >= 6, "{found:?}");
    found
}

#[test]
fn a_bad_method_is_405_everywhere() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        for (path, _) in app.routes().await {
            let path = fill(&path, &VALUES);
            for method in ["TRACE", "PROPFIND", "BREW", "get"] {
                let body = assert_refused(app, || request(app, &admin, method, &path), &path).await;
                assert_eq!(body["status"], 405, "{method} {path}");
            }
        }
    });
}

#[test]
fn a_bad_path_is_404_everywhere() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        app.article("a").await;
        for (path, methods) in app.routes().await {
            for method in methods {
                let make_json = |path: &str| request(app, &admin, &method, path).json(&form("x"));
                if path.contains('{') {
                    for value in ["%00", "%FF", "%20", "a%2Fb", "..%2F..", "%C3%A9", "x'--", &"x".repeat(300)] {
                        let values = VALUES.map(|(name, _)| (name, value));
                        let filled = fill(&path, &values);
                        let answer = Answer::of(make_json(&filled)).await;
                        assert_eq!(answer.status, 404, "{method} {filled}: {}", answer.text());
                        assert_refused(app, || make_json(&filled), &filled).await;
                    }
                }
                let deeper = format!("{}/nothing/here", fill(&path, &VALUES));
                let body = assert_refused(app, || make_json(&deeper), &deeper).await;
                assert_eq!(body["status"], 404, "{method} {deeper}");
            }
        }
        for path in
            ["/", "/api", "/api/v1", "/api/v1/", "/api/v1/sites/main/none", "/favicon.ico", "/%00", "/%FF", "//healthz"]
        {
            let body = assert_refused(app, || request(app, &admin, "GET", path), path).await;
            assert_eq!(body["status"], 404, "{path}");
        }
    });
}

#[test]
fn a_bad_body_is_refused_everywhere() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        app.article("a").await;
        for (method, path) in with_bodies(app).await {
            let filled = fill(&path, &VALUES);
            let send = |media_type: &str, body: &[u8]| {
                let request = request(app, &admin, &method, &filled).header("content-type", media_type);
                request.body(body.to_vec())
            };
            // To ask for whatever comes next needs nothing, and a letter's link nothing but itself, which is wrong here.
            let needs_nothing = match path.as_str() {
                "/api/v1/review/next" => Some(204),
                "/verifications/{token}" => Some(404),
                _ => None,
            };
            let is_form = path.ends_with("/articles/{article}/comments")
                || path.ends_with("/reports")
                || path.starts_with("/password-resets")
                || path.starts_with("/verifications");
            let json = "application/json";
            for (body, status) in [
                (b"".as_slice(), 400),
                (b"{", 400),
                (b"[1,]", 400),
                (b"{\"a\":1}}", 400),
                (b"{\"a\":\"\xff\"}", 400),
                (b"{\"a\":\"\\ud800\"}", 400),
                (b"{'a':1}", 400),
                (b"\xef\xbb\xbf{}", 400),
                (b"[]", 422),
                (b"null", 422),
                (b"7", 422),
                (b"\"text\"", 422),
                (b"{}", 422),
            ] {
                let name = format!("{method} {path} {:?}", String::from_utf8_lossy(body));
                let answer = Answer::of(send(json, body)).await;
                if let (Some(status), b"{}") = (needs_nothing, body) {
                    assert_eq!(answer.status, status, "{name}: {}", answer.text());
                    continue;
                }
                assert_eq!(answer.status, status, "{name}: {}", answer.text());
                assert_problem(app, answer, &name);
                // A form that a browser sent comes back as a page of its own.
                if !is_form || status == 400 {
                    assert_refused(app, || send(json, body), &name).await;
                }
            }
            for media_type in ["text/plain", "application/xml", "", "json", "application/json; charset=latin1"] {
                let name = format!("{method} {path} as {media_type:?}");
                let body = assert_refused(app, || send(media_type, b"{}"), &name).await;
                assert_eq!(body["status"], 415, "{name}");
            }
            if !is_form {
                let name = format!("{method} {path} as a form");
                let body = assert_refused(app, || send("application/x-www-form-urlencoded", b"a=1"), &name).await;
                assert_eq!(body["status"], 415, "{name}");
            }
            let name = format!("{method} {path} compressed");
            let body = assert_refused(app, || send(json, b"{}").header("content-encoding", "gzip"), &name).await;
            assert_eq!(body["status"], 415, "{name}");
        }
    });
}

#[test]
fn a_bad_query_is_refused_where_a_query_is_read() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        app.article("a").await;
        let (thread, queue) = ("/api/v1/sites/main/articles/a/comments", "/api/v1/review/comments");
        for (path, query, status) in [
            (thread, "limit=0", 422),
            (thread, "limit=x", 422),
            (thread, "view=x", 422),
            (thread, "sort=x", 422),
            (thread, "cursor=x", 400),
            (thread, "limit=%FF", 400),
            (queue, "limit=0", 422),
            (queue, "status=x", 422),
            (queue, "typo=x", 422),
            (queue, "cursor=x", 400),
            (queue, "%FF=1", 400),
            ("/api/v1/moderators", "limit=101", 422),
            ("/api/v1/moderators", "cursor=x", 400),
            ("/api/v1/me/sessions", "typo=x", 422),
            ("/api/v1/me/sessions", "cursor=x", 400),
            ("/api/v1/sites/main/counts", "article=%FF", 400),
        ] {
            let url = format!("{path}?{query}");
            let body = assert_refused(app, || request(app, &admin, "GET", &url), &url).await;
            assert_eq!(body["status"], status, "{url}");
        }
        app.get(&format!("{thread}?unknown=1")).await.expect(200);
    });
}

#[test]
fn json_before_html_in_accept_gets_json() {
    on_each_database(async |app| {
        for (accept, is_page) in [
            ("text/html", true),
            ("text/html, application/json", true),
            ("application/json, text/html", false),
            ("application/problem+json", false),
            ("*/*", false),
            ("", false),
            ("image/png", false),
        ] {
            let answer =
                Answer::of(app.request(reqwest::Method::GET, "/none").header("accept", accept)).await.expect(404);
            let media_type = answer.header("content-type").unwrap_or_default();
            assert_eq!(media_type.starts_with("text/html"), is_page, "{accept:?}");
            assert!(answer.header("vary").is_some_and(|vary| vary.contains("Accept")), "{accept:?}");
        }
    });
}

#[test]
fn every_type_has_a_page() {
    on_each_database(async |app| {
        for kind in Kind::ALL {
            let row = kind.row();
            let page = app.get(&format!("/problems/{}", row.slug)).await.expect(200);
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
            let text = page.text();
            assert!(text.contains(row.title) && text.contains(&row.status.to_string()), "{}", row.slug);
        }
        app.get("/problems/none").await.expect_problem(404, "not-found");
        app.get("/problems/").await.expect_problem(404, "not-found");
    });
}

#[test]
fn nothing_that_was_sent_is_repeated() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        let mark = "zq7marker";
        let body = json!({ "decision": mark, "reason": mark, "note": 1 });
        let answers = [
            app.get(&format!("/{mark}?{mark}={mark}")).await,
            app.get(&format!("/problems/{mark}")).await,
            app.get_as(&admin, &format!("/api/v1/review/comments?status={mark}")).await,
            app.decide_with(&admin, 999_999, 1, &body).await,
            app.post(&article, &json!({ "name": mark, "email": mark, "url": mark, "comment": "" })).await,
        ];
        for answer in answers {
            assert!(answer.status >= 400);
            assert!(!answer.text().contains(mark), "{}", answer.text());
        }
    });
}

/// What is not HTTP never reaches a route; the framework ends the connection after a 4xx.
#[test]
fn what_is_not_http_ends_the_connection_and_nothing_else() {
    on_each_database(async |app| {
        let address = app.base.strip_prefix("http://").expect("an address").to_owned();
        for bytes in [
            b"\r\n\x00\x01\x02\r\n\r\n".as_slice(),
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n",
            b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
            b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ] {
            let (address, sent) = (address.clone(), bytes.to_vec());
            let answer = actix_web::rt::task::spawn_blocking(move || {
                let mut stream = TcpStream::connect(address).expect("a connection");
                stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
                stream.write_all(&sent).expect("sent");
                stream.shutdown(std::net::Shutdown::Write).expect("half closed");
                let mut answer = Vec::new();
                // It may be reset, with bytes of ours unread.
                let _ = stream.read_to_end(&mut answer);
                String::from_utf8_lossy(&answer).into_owned()
            })
            .await
            .expect("a thread");
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{:?}: {answer:?}",
                String::from_utf8_lossy(bytes)
            );
        }
        app.get("/healthz").await.expect(200);
    });
}
