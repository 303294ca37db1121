//! Headers: none smuggled in, those that protect browsers on every answer, CORS by site, and whom a proxy speaks for.

use rejoinder::sites::SetSite;
use reqwest::Method;
use serde_json::json;

use crate::support::people::Person;
use crate::support::raw::RawAnswer;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with, percent};

const LISTED: &str = "https://news.example";

async fn list_origin(app: &TestApp) {
    app.set_site("main", SetSite { origins: Some(vec![LISTED.to_owned()]), ..SetSite::default() }).await;
}

mod smuggling {
    use super::*;

    /// What would become a header of its own if it were written as it is, in every spelling that a decoder may meet.
    const SMUGGLED: [&str; 9] = [
        "a\r\nX-Smuggled: 1",
        "a\nX-Smuggled: 1",
        "a\rX-Smuggled: 1",
        "\r\n\r\nX-Smuggled: 1",
        "a%0d%0aX-Smuggled: 1",
        "a\u{560d}\u{560a}X-Smuggled: 1",
        "a\u{85}X-Smuggled: 1",
        "a\u{2028}X-Smuggled: 1",
        "a\u{b}\u{c}\u{1}\u{7f}X-Smuggled: 1",
    ];

    #[track_caller]
    fn expect_clean(answer: &Answer) {
        assert!(answer.status < 500, "{}", answer.text());
        assert!(answer.headers.get("x-smuggled").is_none());
        for (name, value) in &answer.headers {
            let is_plain = value.as_bytes().iter().all(|byte| (0x20..0x7f).contains(byte));
            assert!(is_plain, "{name}: {value:?}");
        }
    }

    #[test]
    fn line_ends_in_a_field_make_no_header() {
        on_each_database(async |app| {
            app.publish_first().await;
            let article = app.article("a").await;
            for (number, text) in SMUGGLED.iter().enumerate() {
                for field in ["name", "email", "url", "comment", "submission"] {
                    for accept in ["application/json", "text/html"] {
                        let mut body = form(&format!("{number} {field} {accept}"));
                        body[field] = json!(format!("{text} {field} {accept}"));
                        let request =
                            app.request(Method::POST, &format!("{article}/comments")).header("accept", accept);
                        let answer = Answer::of(request.json(&body)).await;
                        expect_clean(&answer);
                        if field == "email" || field == "url" {
                            assert_eq!(answer.status, 422, "{text:?} is no {field}");
                        }
                    }
                }
            }
        });
    }

    #[test]
    fn line_ends_in_an_article_or_a_decision_make_no_header() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            let id = app.posted(&article, &form("one")).await;
            for text in SMUGGLED {
                for field in ["title", "url", "summary", "comments_close_at"] {
                    let mut body = json!({ "title": "A", "url": "https://news.example/a" });
                    body[field] = json!(text);
                    let put = Answer::of(app.request_as(&admin, Method::PUT, &article).json(&body)).await;
                    expect_clean(&put);
                }
                for field in ["decision", "reason"] {
                    let mut body = json!({ "decision": "approve" });
                    body[field] = json!(text);
                    let decided = app.decide_with(&admin, id, 1, &body).await;
                    expect_clean(&decided);
                    assert_eq!(decided.status, 422);
                }
                let name = app.request_as(&admin, Method::PATCH, "/api/v1/me").json(&json!({ "display_name": text }));
                expect_clean(&Answer::of(name).await);
                let session = app.request(Method::POST, "/api/v1/session");
                expect_clean(&Answer::of(session.json(&json!({ "username": text, "password": text }))).await);
            }
            for path in [&article, "/api/v1/me"] {
                expect_clean(&app.get_as(&admin, path).await);
            }
        });
    }

    #[test]
    fn line_ends_in_an_address_make_no_header() {
        on_each_database(async |app| {
            app.publish_first().await;
            let article = app.article("a").await;
            let admin = app.admin().await;
            for number in 0..3 {
                app.posted(&article, &form(&format!("number {number}"))).await;
            }
            for text in SMUGGLED.map(percent) {
                for path in [
                    format!("{article}/comments?limit=1&view=flat&x={text}"),
                    format!("{article}/comments?limit=1&{text}=1"),
                    format!("{article}/comments?view={text}"),
                    format!("{article}/comments?cursor={text}"),
                    format!("/api/v1/sites/main/articles/{text}"),
                    format!("/api/v1/sites/{text}/articles/a/comments"),
                    format!("/sites/main/articles/{text}"),
                    format!("/sites/main/articles/a?comment={text}"),
                    format!("/api/v1/comments/{text}"),
                    format!("/receipts/{text}"),
                    format!("/api/v1/receipts/{text}"),
                    format!("/problems/{text}"),
                    format!("/{text}"),
                    format!("/api/v1/review/comments?status=any&limit=1&article=a&article={text}"),
                    format!("/api/v1/review/comments?status=any&limit=1&site=main&site={text}"),
                    format!("/api/v1/review/comments/{text}"),
                ] {
                    expect_clean(&app.get_as(&admin, &path).await);
                }
                let post = app.request(Method::POST, &format!("/api/v1/sites/main/articles/{text}/comments"));
                expect_clean(&Answer::of(post.header("accept", "text/html").json(&form("lost"))).await);
            }
            // The queue's link to its next page repeats the query: as it was escaped, and nothing else.
            let path = format!("/api/v1/review/comments?status=any&limit=1&article=a&article={}", percent(SMUGGLED[0]));
            let link = app.get_as(&admin, &path).await.expect(200);
            assert!(link.header("link").is_some_and(|link| link.contains("%0D%0A")), "{:?}", link.headers);
        });
    }

    #[test]
    fn control_characters_in_a_header_are_refused_or_come_back_nowhere() {
        on_each_database(async |app| {
            list_origin(app).await;
            let article = app.article("a").await;
            let names = [
                "Origin",
                "User-Agent",
                "X-Forwarded-For",
                "Idempotency-Key",
                "If-None-Match",
                "Accept",
                "Accept-Encoding",
                "Authorization",
                "If-Match",
                "Cookie",
                "Referer",
                "X-Request-Id",
                "Traceparent",
                "Host",
            ];
            for name in names {
                for value in [
                    &b"a\0b"[..],
                    b"a\x01b",
                    b"a\x7fb",
                    b"a\x1b[31m",
                    b"a\rX-Smuggled: 1",
                    b"a\nX-Smuggled: 1",
                    b"a\r\n X-Smuggled: 1",
                    b"\xe9\xff",
                    b"\xc3\xa9",
                    b"https://news.example\r\n X-Smuggled: 1",
                    b"https://news.example\nX-Smuggled: 1",
                ] {
                    let host = if name == "Host" { "" } else { "Host: news.example\r\n" };
                    let start = format!("GET {article}/comments HTTP/1.1\r\n{host}Connection: close\r\n{name}: ");
                    let request = [start.as_bytes(), value, b"\r\n\r\n"].concat();
                    let answer = app.raw().ask(&request);
                    assert!(answer.status < 500, "{name}: {value:?}");
                    expect_no_more_than_ours(&answer, &String::from_utf8_lossy(&request));
                }
            }
        });
    }

    fn expect_no_more_than_ours(answer: &RawAnswer, request: &str) {
        let ours = [
            "access-control-allow-origin",
            "access-control-expose-headers",
            "allow",
            "cache-control",
            "connection",
            "content-encoding",
            "content-length",
            "content-security-policy",
            "content-type",
            "cross-origin-opener-policy",
            "date",
            "etag",
            "link",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "referrer-policy",
            "retry-after",
            "vary",
            "www-authenticate",
            "x-content-type-options",
            "x-frame-options",
        ];
        for (name, value) in &answer.headers {
            assert!(ours.contains(&name.as_str()), "{name}: {value} after {request:?}");
            assert!(!value.contains("X-Smuggled"), "{name}: {value} after {request:?}");
            assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{name}: {value:?} after {request:?}");
        }
    }

    #[test]
    fn a_user_agent_is_kept_for_moderators_and_goes_into_no_header() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let mut raw = app.raw();
            let body = form("from an odd browser").to_string();
            let answer = raw.ask(
                [
                    format!("POST {article}/comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len()).as_bytes(),
                    b"User-Agent: odd\xff\xe9\t\"<b>\r\n\r\n",
                    body.as_bytes(),
                ]
                .concat(),
            );
            assert_eq!(answer.status, 202);
            let admin = app.admin().await;
            let queue = app.get_as(&admin, "/api/v1/review/comments").await.json();
            assert_eq!(queue["items"][0]["user_agent"], "odd\u{fffd}\u{fffd}\t\"<b>");
        });
    }
}

mod protection {
    use super::*;

    const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

    #[test]
    fn every_answer_carries_what_protects_browsers() {
        on_each_database(async |app| {
            app.publish_first().await;
            let article = app.article("a").await;
            let admin = app.admin().await;
            let posted = app.post(&article, &form("one")).await.expect(201).json();
            let id = posted["id"].as_i64().expect("an id");
            let receipt = posted["receipt_url"].as_str().expect("a link").trim_start_matches(&app.base).to_owned();
            let comments = format!("{article}/comments");
            let one = format!("/api/v1/comments/{id}");
            let decisions = format!("/api/v1/review/comments/{id}/decisions");
            let page = "/sites/main/articles/a";
            for (method, path, status, is_page) in [
                (Method::GET, "/healthz", 200, false),
                (Method::GET, "/readyz", 200, false),
                (Method::GET, "/openapi.json", 200, false),
                (Method::GET, "/rejoinder.css", 200, false),
                (Method::GET, "/problems/invalid", 200, true),
                (Method::GET, "/problems/none", 404, false),
                (Method::GET, "/nowhere", 404, false),
                (Method::GET, "/", 404, false),
                (Method::DELETE, "/healthz", 405, false),
                (Method::OPTIONS, "/healthz", 204, false),
                (Method::HEAD, "/healthz", 200, false),
                (Method::GET, &article, 200, false),
                (Method::GET, &comments, 200, false),
                (Method::HEAD, &comments, 200, false),
                (Method::GET, &one, 200, false),
                (Method::GET, "/api/v1/sites/main/counts?article=a", 200, false),
                (Method::GET, page, 200, true),
                (Method::HEAD, page, 200, true),
                (Method::GET, &receipt, 200, true),
                (Method::POST, &comments, 415, false),
                (Method::GET, "/api/v1/me", 200, false),
                (Method::GET, "/api/v1/review/comments?status=any", 200, false),
                (Method::GET, "/api/v1/review/comments?limit=0", 422, false),
                (Method::GET, "/api/v1/review/comments?cursor=x", 400, false),
                (Method::POST, &decisions, 428, false),
                (Method::POST, "/api/v1/session", 415, false),
                (Method::DELETE, "/api/v1/session", 204, false),
                (Method::GET, "/api/v1/me", 401, false), // signed out by now
            ] {
                let answer = Answer::of(app.request_as(&admin, method.clone(), path)).await;
                let what = format!("{method} {path}");
                assert_eq!(answer.status, status, "{what}");
                expect_protected(&answer, is_page, &what);
                // As a browser asks: every problem is a page then.
                if status >= 400 {
                    let html = Answer::of(app.request_as(&admin, method, path).header("accept", "text/html")).await;
                    expect_protected(&html, true, &what);
                }
            }
            let known = app.get(&comments).await.header("etag").expect("a tag").to_owned();
            let answer =
                Answer::of(app.request(Method::GET, &comments).header("if-none-match", known)).await.expect(304);
            expect_protected(&answer, false, "304");
            let request = app.request(Method::POST, &comments).header("accept", "text/html");
            let answer = Answer::of(request.json(&form("two"))).await.expect(303);
            expect_protected(&answer, false, "303");
        });
    }

    #[track_caller]
    fn expect_protected(answer: &Answer, is_page: bool, what: &str) {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        let is_html = answer.header("content-type").is_some_and(|media_type| media_type.starts_with("text/html"));
        assert_eq!(is_html, is_page, "{what}: {:?}", answer.header("content-type"));
        if is_page {
            for part in [
                "default-src 'none'",
                "style-src 'self'",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.contains(part), "{what}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{what}: {policy}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{what}");
            assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"), "{what}");
            assert!(answer.header("referrer-policy").is_some(), "{what}");
        } else {
            assert_eq!(policy, DATA, "{what}");
        }
        assert_eq!(answer.header("server"), None, "{what}");
        assert_eq!(answer.header("set-cookie"), None, "{what}");
    }

    #[test]
    fn a_receipt_sends_its_address_nowhere() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let posted = app.post(&article, &form("one")).await.expect(202).json();
            let page = posted["receipt_url"].as_str().expect("a link").trim_start_matches(&app.base).to_owned();
            for path in [page.clone(), format!("/api/v1{page}")] {
                let answer = app.get(&path).await.expect(200);
                assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
        });
    }
}

mod cors {
    use super::*;

    /// Addresses that readers' pages ask for, each with an answer of its own kind.
    async fn readers_addresses(app: &TestApp) -> Vec<(Method, String, u16)> {
        let article = app.article("a").await;
        app.publish_first().await;
        let posted = app.post(&article, &form("one")).await.expect(201).json();
        let receipt = posted["receipt_url"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
        vec![
            (Method::GET, article.clone(), 200),
            (Method::GET, format!("{article}/comments"), 200),
            (Method::GET, format!("{article}/comments?limit=0"), 422),
            (Method::GET, format!("{article}/comments?cursor=x"), 400),
            (Method::HEAD, format!("{article}/comments"), 200),
            (Method::GET, "/api/v1/sites/main/articles/none".to_owned(), 404),
            (Method::GET, "/api/v1/sites/main/nothing/like/it".to_owned(), 404),
            (Method::DELETE, format!("{article}/comments"), 405),
            (Method::POST, format!("{article}/comments"), 415),
            (Method::GET, "/api/v1/sites/main/counts?article=a".to_owned(), 200),
            (Method::GET, format!("/api/v1/comments/{}", posted["id"]), 200),
            (Method::GET, "/api/v1/comments/999999".to_owned(), 404),
            (Method::GET, format!("/api/v1/receipts/{receipt}"), 200),
            (Method::GET, "/api/v1/receipts/none".to_owned(), 404),
        ]
    }

    fn varies_by_origin(answer: &Answer) -> bool {
        let vary =
            answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
        vary.split(',').any(|name| name.trim().eq_ignore_ascii_case("origin"))
    }

    fn cors_headers(answer: &Answer) -> Vec<&str> {
        answer
            .headers
            .keys()
            .map(reqwest::header::HeaderName::as_str)
            .filter(|name| name.starts_with("access-control-"))
            .collect()
    }

    #[test]
    fn a_listed_origin_may_read_every_answer_problems_included() {
        on_each_database(async |app| {
            list_origin(app).await;
            for (method, path, status) in readers_addresses(app).await {
                let answer = Answer::of(app.request(method.clone(), &path).header("origin", LISTED)).await;
                assert_eq!(answer.status, status, "{method} {path}");
                assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED), "{method} {path}");
                assert_eq!(answer.headers.get_all("access-control-allow-origin").iter().count(), 1);
                assert_eq!(answer.header("access-control-allow-credentials"), None, "{method} {path}");
                assert!(varies_by_origin(&answer), "{method} {path}: {:?}", answer.headers);
            }
        });
    }

    #[test]
    fn every_other_origin_gets_no_header_of_cors() {
        on_each_database(async |app| {
            list_origin(app).await;
            for (method, path, status) in readers_addresses(app).await {
                for origin in [
                    "https://evil.example",
                    "null",
                    "*",
                    "http://news.example",
                    "https://news.example:8443",
                    "https://news.example.evil.example",
                    "https://sub.news.example",
                    "https://newsxexample",
                    "https://news.example/",
                    "https://news.example, https://evil.example",
                    "",
                ] {
                    for method in [method.clone(), Method::OPTIONS] {
                        let request = app.request(method.clone(), &path).header("origin", origin);
                        let answer = Answer::of(request.header("access-control-request-method", "POST")).await;
                        assert!(
                            method == Method::OPTIONS || answer.status == status,
                            "{method} {path} {origin}: {}",
                            answer.status
                        );
                        assert_eq!(cors_headers(&answer), Vec::<&str>::new(), "{method} {path} {origin}");
                        assert!(varies_by_origin(&answer), "{method} {path} {origin}: {:?}", answer.headers);
                    }
                }
                // No origin, no header; but what a cache keeps must know that others got some.
                let answer = Answer::of(app.request(method.clone(), &path)).await;
                assert_eq!(cors_headers(&answer), Vec::<&str>::new(), "{method} {path}");
                let is_cached = answer.header("cache-control").is_some_and(|control| control.contains("public"));
                assert!(!is_cached || varies_by_origin(&answer), "{method} {path}: {:?}", answer.headers);
            }
        });
    }

    #[test]
    fn a_preflight_tells_a_listed_origin_what_it_may() {
        on_each_database(async |app| {
            list_origin(app).await;
            let article = app.article("a").await;
            let request = app.request(Method::OPTIONS, &format!("{article}/comments")).header("origin", LISTED);
            let request = request.header("access-control-request-method", "POST");
            let answer =
                Answer::of(request.header("access-control-request-headers", "content-type,idempotency-key")).await;
            assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
            assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
            let lists = |name: &str, wanted: &[&str]| {
                let list = answer.header(name).unwrap_or_default().to_ascii_lowercase();
                let list: Vec<&str> = list.split(',').map(str::trim).collect();
                assert!(wanted.iter().all(|wanted| list.contains(wanted)), "{name}: {list:?}");
                assert!(!list.contains(&"*"));
            };
            lists("access-control-allow-methods", &["get", "post"]);
            lists("access-control-allow-headers", &["content-type", "idempotency-key", "if-none-match"]);
            assert!(answer.header("access-control-max-age").is_some());
            assert!(varies_by_origin(&answer));
        });
    }

    #[test]
    fn the_origins_of_one_site_are_not_those_of_another() {
        on_each_database(async |app| {
            list_origin(app).await;
            app.site("other").await;
            let path = app.article_on("other", "a").await;
            let answer = Answer::of(app.request(Method::GET, &path).header("origin", LISTED)).await.expect(200);
            assert_eq!(cors_headers(&answer), Vec::<&str>::new());
            let request = app.request(Method::POST, &format!("{path}/comments")).header("origin", LISTED);
            Answer::of(request.json(&form("astray"))).await.expect_problem(403, "foreign-origin");
        });
    }

    #[test]
    fn moderators_routes_are_open_to_no_other_origin() {
        on_each_database(async |app| {
            list_origin(app).await;
            let admin = app.admin().await;
            for path in ["/api/v1/me", "/api/v1/session", "/api/v1/review/comments", "/healthz", "/openapi.json"] {
                for method in [Method::GET, Method::OPTIONS] {
                    let request = app.request_as(&admin, method, path).header("origin", LISTED);
                    let answer = Answer::of(request.header("access-control-request-method", "GET")).await;
                    assert_eq!(cors_headers(&answer), Vec::<&str>::new(), "{path}");
                }
            }
        });
    }

    #[test]
    fn readers_post_from_our_origin_a_listed_one_or_none() {
        on_each_database(async |app| {
            list_origin(app).await;
            let path = format!("{}/comments", app.article("a").await);
            let own = app.base.clone();
            for (number, (origin, is_taken)) in [
                (Some(own.as_str()), true),
                (Some(LISTED), true),
                (None, true),
                (Some("https://evil.example"), false),
                (Some("null"), false),
                (Some("http://news.example"), false),
                (Some("https://news.example:444"), false),
                (Some("https://news.example.evil.example"), false),
                (Some("https://news.example/"), false),
                (Some(""), false),
                (Some("file://"), false),
            ]
            .into_iter()
            .enumerate()
            {
                for accept in ["application/json", "text/html"] {
                    let mut request = app.request(Method::POST, &path).header("accept", accept);
                    if let Some(origin) = origin {
                        request = request.header("origin", origin);
                    }
                    let answer = Answer::of(request.json(&form(&format!("number {number} {accept}")))).await;
                    let status = match (is_taken, accept) {
                        (true, "text/html") => 303,
                        (true, _) => 202,
                        (false, _) => 403,
                    };
                    assert_eq!(answer.status, status, "{origin:?}: {}", answer.text());
                }
            }
            let admin = app.admin().await;
            let queue = app.get_as(&admin, "/api/v1/review/comments").await.json();
            assert_eq!(queue["items"].as_array().map(Vec::len), Some(6));
        });
    }

    #[test]
    fn no_origin_hides_behind_a_listed_one() {
        on_each_database(async |app| {
            list_origin(app).await;
            let path = format!("{}/comments", app.article("a").await);
            for (first, second) in [(LISTED, "https://evil.example"), ("https://evil.example", LISTED)] {
                let body = form("of two origins").to_string();
                let length = body.len();
                let answer = app.raw().ask(format!(
                    "POST {path} HTTP/1.1\r\nHost: x\r\nOrigin: {first}\r\nOrigin: {second}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                ));
                let echoed = answer.all("access-control-allow-origin");
                assert!(echoed.is_empty() || echoed == [LISTED], "{echoed:?}");
                assert!(!echoed.contains(&"https://evil.example"));
            }
        });
    }
}

mod proxies {
    use super::*;

    /// The queue's `ip` of a comment posted with these headers.
    async fn address_of(app: &TestApp, admin: &Person, article: &str, headers: &[&str]) -> String {
        let body = form(&format!("through {headers:?}")).to_string();
        let lines: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
        let length = body.len();
        let answer = app.raw().ask(format!(
            "POST {article}/comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n{lines}\r\n{body}"
        ));
        assert_eq!(answer.status, 202, "{headers:?}: {}", String::from_utf8_lossy(&answer.body));
        let id = serde_json::from_slice::<serde_json::Value>(&answer.body).expect("JSON")["id"].clone();
        let item = app.get_as(admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
        item["ip"].as_str().expect("an address").to_owned()
    }

    #[test]
    fn without_a_trusted_proxy_nobody_speaks_for_another() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            for headers in [
                &[][..],
                &["X-Forwarded-For: 203.0.113.7"],
                &["X-Forwarded-For: 203.0.113.7, 127.0.0.1"],
                &[
                    "Forwarded: for=203.0.113.7",
                    "X-Real-IP: 203.0.113.7",
                    "CF-Connecting-IP: 203.0.113.7",
                    "Client-IP: 203.0.113.7",
                ],
            ] {
                assert_eq!(address_of(app, &admin, &article, headers).await, "127.0.0.1", "{headers:?}");
            }
        });
    }

    #[test]
    fn a_chain_is_believed_from_its_end_as_far_as_trusted_proxies_wrote_it() {
        let setup = Setup { trusted_proxies: Some("127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48"), ..Setup::default() };
        on_each_database_with(&setup, async |app| {
            let article = app.article("a").await;
            let admin = app.admin().await;
            for (headers, address) in [
                (&[][..], "127.0.0.1"),
                (&["X-Forwarded-For: 203.0.113.7"], "203.0.113.7"),
                (&["x-forwarded-for:203.0.113.7"], "203.0.113.7"),
                // What a client wrote itself stands before what the first proxy saw.
                (&["X-Forwarded-For: 192.0.2.66, 203.0.113.7"], "203.0.113.7"),
                (&["X-Forwarded-For: 192.0.2.66, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
                (&["X-Forwarded-For: 203.0.113.7, 10.1.2.3, 10.9.9.9"], "203.0.113.7"),
                (&["X-Forwarded-For: 10.1.1.1, 203.0.113.7"], "203.0.113.7"),
                (&["X-Forwarded-For: 203.0.113.7", "X-Forwarded-For: 10.1.2.3"], "203.0.113.7"),
                (&["X-Forwarded-For: 192.0.2.66", "X-Forwarded-For: 203.0.113.7"], "203.0.113.7"),
                (&["X-Forwarded-For: 192.0.2.66", "X-Forwarded-For: 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
                // Only proxies of ours: the one furthest away.
                (&["X-Forwarded-For: 10.1.2.3, 10.4.5.6"], "10.1.2.3"),
                // What is no address ends the chain at the last one that was.
                (&["X-Forwarded-For: 203.0.113.7, unknown, 10.1.2.3"], "10.1.2.3"),
                (&["X-Forwarded-For: 203.0.113.7, , 10.1.2.3"], "10.1.2.3"),
                (&["X-Forwarded-For: unknown"], "127.0.0.1"),
                (&["X-Forwarded-For: "], "127.0.0.1"),
                (&["X-Forwarded-For: 203.0.113.7;10.1.2.3"], "127.0.0.1"),
                (&["X-Forwarded-For: 203.0.113.7:4711"], "203.0.113.7"),
                (&["X-Forwarded-For: 2001:db8::7"], "2001:db8::7"),
                (&["X-Forwarded-For: [2001:db8::7]:4711, 2001:db8:ffff::1"], "2001:db8::7"),
                (&["X-Forwarded-For: ::ffff:203.0.113.7"], "203.0.113.7"),
                (&["X-Forwarded-For: 203.0.113.7, ::ffff:10.1.2.3"], "203.0.113.7"),
                (&["Forwarded: for=192.0.2.66", "X-Real-IP: 192.0.2.66"], "127.0.0.1"),
            ] {
                assert_eq!(address_of(app, &admin, &article, headers).await, address, "{headers:?}");
            }
        });
    }
}
