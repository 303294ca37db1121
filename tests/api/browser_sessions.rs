//! S10: sessions in cookies, and that no page of another site can use them.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::people::PASSWORD;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

const SESSION: &str = "__Host-rejoinder-session";
const REFRESH: &str = "__Host-rejoinder-refresh";
const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

/// What a browser has of us.
#[derive(Clone, Debug, PartialEq)]
struct Jar {
    session: String,
    refresh: String,
}

impl Jar {
    /// The cookies that an answer set; attributes as they must be.
    #[track_caller]
    fn of(headers: &HeaderMap) -> Self {
        let all: Vec<&str> = headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(all.len(), 2, "{all:?}");
        let value = |name: &str, max_age: u64| {
            let cookie = all.iter().find_map(|cookie| cookie.strip_prefix(&format!("{name}="))).expect("the cookie");
            let (value, attributes) = cookie.split_once("; ").expect("attributes");
            let mut attributes: Vec<&str> = attributes.split("; ").collect();
            attributes.sort_unstable();
            let max_age = format!("Max-Age={max_age}");
            assert_eq!(attributes, ["HttpOnly", &max_age, "Path=/", "SameSite=Strict", "Secure"]);
            value.to_owned()
        };
        Self { session: value(SESSION, 900), refresh: value(REFRESH, 7 * 24 * 60 * 60) }
    }

    fn on(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("cookie", format!("theme=dark; {SESSION}={}; {REFRESH}={}", self.session, self.refresh))
    }
}

fn sign_in_request(app: &TestApp) -> RequestBuilder {
    let body = json!({ "username": "moderator", "password": PASSWORD, "cookies": true });
    app.request(Method::POST, "/api/v1/session").json(&body)
}

async fn signed_in(app: &TestApp) -> Jar {
    Jar::of(&Answer::of(sign_in_request(app).header(OURS.0, OURS.1)).await.expect(200).headers)
}

async fn send(request: RequestBuilder, headers: &[(&str, &str)]) -> Answer {
    Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

async fn is_signed_in(app: &TestApp, jar: &Jar) -> bool {
    Answer::of(jar.on(app.request(Method::GET, "/api/v1/me"))).await.status == 200
}

#[test]
fn the_tokens_come_in_cookies_and_not_in_the_answer() {
    on_each_database(async |app| {
        app.moderator().await;
        let answer = Answer::of(sign_in_request(app).header(OURS.0, OURS.1)).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json(), json!({ "token_type": "Cookie", "expires_in": 900 }));
        let jar = Jar::of(&answer.headers);
        let me = Answer::of(jar.on(app.request(Method::GET, "/api/v1/me"))).await.expect(200).json();
        assert_eq!(me["username"], "moderator");
        assert_eq!(Answer::of(jar.on(app.request(Method::HEAD, "/api/v1/me"))).await.status, 200);
        // Without the wish, nothing is set.
        for wish in [json!(false), json!(null)] {
            let body = json!({ "username": "moderator", "password": PASSWORD, "cookies": wish });
            let answer = Answer::of(app.request(Method::POST, "/api/v1/session").json(&body)).await.expect(200);
            assert!(answer.header("set-cookie").is_none() && answer.json()["access_token"].is_string());
        }
        let body = json!({ "username": "moderator", "password": PASSWORD, "cookies": "yes" });
        Answer::of(app.request(Method::POST, "/api/v1/session").json(&body))
            .await
            .expect_faults(&[("/cookies", "type")]);
        // A refusal sets none.
        let body = json!({ "username": "moderator", "password": "not the right password", "cookies": true });
        let refused = app.request(Method::POST, "/api/v1/session").header(OURS.0, OURS.1).json(&body);
        assert!(Answer::of(refused).await.expect(401).header("set-cookie").is_none());
    });
}

/// Every `Sec-Fetch-Site` there is × every kind of `Origin` × every method: what changes something goes through from our
/// own pages alone; what only reads always does.
#[test]
fn what_changes_something_must_come_from_our_own_pages() {
    let setup = Setup { public_url: Some("https://talk.news.example/comments"), ..Setup::default() };
    on_each_database_with(&setup, async |app| {
        app.moderator().await;
        let article = app.article("a").await;
        let comment = app.posted(&article, &form("a comment")).await;
        let sites: [&[&str]; 9] = [
            &[],
            &["same-origin"],
            &["same-site"],
            &["cross-site"],
            &["none"],
            &[""],
            &["same-origin, cross-site"],
            &["same-origin", "cross-site"],
            &["cross-site", "same-origin"],
        ];
        let origins: [&[&str]; 10] = [
            &[],
            &["https://talk.news.example"],
            &["https://evil.example"],
            &["null"],
            &[""],
            &["http://talk.news.example"],
            &["https://talk.news.example:8443"],
            &["https://talk.news.example.evil.example"],
            &["https://news.example"],
            &["https://talk.news.example", "https://evil.example"],
        ];
        let jar = signed_in(app).await;
        let queue = "/api/v1/review/comments";
        let decision = format!("{queue}/{comment}/decisions");
        let mut cells = 0;
        for site in sites {
            for origin in origins {
                let is_ours = matches!((site, origin), ([], ["https://talk.news.example"]) | (["same-origin"], _));
                let headers: Vec<(&str, &str)> = site
                    .iter()
                    .map(|value| ("sec-fetch-site", *value))
                    .chain(origin.iter().map(|value| ("origin", *value)))
                    .collect();
                let name = format!("{site:?} {origin:?}");
                for (method, path, good) in [
                    (Method::GET, "/api/v1/me", 200),
                    (Method::GET, queue, 200),
                    (Method::HEAD, queue, 200),
                    (Method::PATCH, "/api/v1/me", 422),
                    (Method::POST, &decision, 422),
                    (Method::PUT, "/api/v1/me/totp", 422),
                    (Method::PUT, &article, 422),
                    (Method::DELETE, "/api/v1/me/totp", 422),
                ] {
                    let is_safe = matches!(method, Method::GET | Method::HEAD);
                    let request = jar.on(app.request(method.clone(), path)).header("if-match", "\"1\"");
                    let request = if is_safe { request } else { request.json(&json!({})) };
                    let answer = send(request, &headers).await;
                    if is_safe || is_ours {
                        // A moderator puts no articles.
                        let status = if method == Method::PUT && path == article { 403 } else { good };
                        assert_eq!(answer.status, status, "{name} {method} {path}");
                        assert!(status != 403 || answer.json()["type"].as_str().unwrap().ends_with("/forbidden"));
                    } else {
                        answer.expect_problem(403, "cross-site");
                    }
                    cells += 1;
                }
                // Signing in by cookies: another site must not sign somebody in as somebody else.
                let answer = send(sign_in_request(app), &headers).await;
                assert_eq!(answer.status, if is_ours { 200 } else { 403 }, "{name}");
                assert_eq!(answer.header("set-cookie").is_some(), is_ours, "{name}");
                // Nor go on with a session of theirs, nor end it.
                if !is_ours {
                    for (method, path) in
                        [(Method::POST, "/api/v1/session/refresh"), (Method::DELETE, "/api/v1/session")]
                    {
                        let answer = send(jar.on(app.request(method, path)), &headers).await;
                        assert!(answer.header("set-cookie").is_none(), "{name} {path}");
                        answer.expect_problem(403, "cross-site");
                    }
                }
                cells += 3;
            }
        }
        println!("{cells} cells");
        assert!(is_signed_in(app, &jar).await, "nothing of all that ended the session");
    });
}

#[test]
fn a_token_needs_no_origin_and_never_comes_with_a_cookie() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let jar = signed_in(app).await;
        for (method, path) in [(Method::GET, "/api/v1/me"), (Method::PATCH, "/api/v1/me")] {
            let body = json!({ "display_name": "Staff" });
            let cross = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
            send(app.request_as(&person, method.clone(), path).json(&body), &cross).await.expect(200);
            for cookie in [
                format!("{SESSION}={}", jar.session),
                format!("{REFRESH}={}", jar.refresh),
                format!("{SESSION}="),
                format!("a=b; {SESSION}=x"),
            ] {
                let request = app.request_as(&person, method.clone(), path).header("cookie", &cookie).json(&body);
                send(request, &[OURS]).await.expect_problem(400, "two-credentials");
            }
            let other_scheme = jar.on(app.request(method.clone(), path)).header("authorization", "Basic eDp5");
            send(other_scheme.json(&body), &[OURS]).await.expect_problem(400, "two-credentials");
            // Cookies that are not ours mean nothing.
            let request = app.request_as(&person, method.clone(), path).header("cookie", "session=x").json(&body);
            Answer::of(request).await.expect(200);
        }
        let refresh = jar.on(app.request(Method::POST, "/api/v1/session/refresh"));
        let with_body = refresh.json(&json!({ "refresh_token": person.refresh }));
        send(with_body, &[OURS]).await.expect_problem(400, "two-credentials");
        let with_header = jar.on(app.request(Method::POST, "/api/v1/session/refresh")).bearer_auth(&person.access);
        send(with_header, &[OURS]).await.expect_problem(400, "two-credentials");
        assert!(is_signed_in(app, &jar).await);
    });
}

#[test]
fn the_refresh_cookie_gives_a_new_pair_of_cookies() {
    on_each_database(async |app| {
        app.moderator().await;
        let first = signed_in(app).await;
        let refresh = |jar: &Jar| jar.on(app.request(Method::POST, "/api/v1/session/refresh"));
        let answer = send(refresh(&first), &[OURS]).await.expect(200);
        assert_eq!(answer.json(), json!({ "token_type": "Cookie", "expires_in": 900 }));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let second = Jar::of(&answer.headers);
        assert!(second.refresh != first.refresh && second.session != first.session);
        assert!(is_signed_in(app, &second).await);
        // An empty object beside it is as good; anything in it is not.
        let third = Jar::of(&send(refresh(&second).json(&json!({})), &[OURS]).await.expect(200).headers);
        send(refresh(&third).json(&json!({ "x": 1 })), &[OURS]).await.expect_faults(&[("/x", "unknown")]);
        // The rules of refreshing are the same: what was used before ends the session.
        send(refresh(&first), &[OURS]).await.expect_problem(401, "unauthenticated");
        assert!(!is_signed_in(app, &third).await);
        send(refresh(&third), &[OURS]).await.expect(401);
    });
}

#[test]
fn the_cookie_is_good_as_long_as_the_token_in_it() {
    on_each_database(async |app| {
        app.moderator().await;
        let jar = signed_in(app).await;
        app.advance(899);
        assert!(is_signed_in(app, &jar).await);
        app.advance(1);
        assert!(!is_signed_in(app, &jar).await);
        let swapped = Jar { session: jar.refresh.clone(), refresh: jar.session.clone() };
        assert!(!is_signed_in(app, &swapped).await, "a refresh token opens nothing");
        let new = send(jar.on(app.request(Method::POST, "/api/v1/session/refresh")), &[OURS]).await.expect(200);
        assert!(is_signed_in(app, &Jar::of(&new.headers)).await);
    });
}

#[test]
fn a_cookie_that_comes_twice_is_none() {
    on_each_database(async |app| {
        app.moderator().await;
        let jar = signed_in(app).await;
        for cookie in [
            format!("{SESSION}={}; {SESSION}=x", jar.session),
            format!("{SESSION}=x; {SESSION}={}", jar.session),
            format!("{SESSION}={0}; {SESSION}={0}", jar.session),
            format!("__host-rejoinder-session={}", jar.session),
            format!("rejoinder-session={}", jar.session),
        ] {
            let answer = Answer::of(app.request(Method::GET, "/api/v1/me").header("cookie", &cookie)).await;
            answer.expect_problem(401, "unauthenticated");
        }
    });
}

#[test]
fn signing_out_takes_the_cookies_away_and_ends_the_session() {
    on_each_database(async |app| {
        let person = app.moderator().await;
        let jar = signed_in(app).await;
        let answer = send(jar.on(app.request(Method::DELETE, "/api/v1/session")), &[OURS]).await.expect(204);
        assert_eq!(answer.header("clear-site-data"), Some("\"cookies\", \"storage\""));
        let cleared: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap()).collect();
        let attributes = "Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict";
        assert_eq!(cleared, [format!("{SESSION}=; {attributes}"), format!("{REFRESH}=; {attributes}")]);
        assert!(!is_signed_in(app, &jar).await);
        let refresh = jar.on(app.request(Method::POST, "/api/v1/session/refresh"));
        send(refresh, &[OURS]).await.expect(401);
        // A program that signs out has no cookies, and may share its address with somebody's browser.
        let answer = Answer::of(app.request_as(&person, Method::DELETE, "/api/v1/session")).await.expect(204);
        assert!(answer.header("clear-site-data").is_none() && answer.header("set-cookie").is_none());
    });
}

/// What readers get is the same for everyone, so that a cache may keep it.
#[test]
fn readers_routes_look_at_no_cookie() {
    on_each_database(async |app| {
        app.moderator().await;
        app.publish_first().await;
        let article = app.article("a").await;
        let comment = app.posted(&article, &form("a comment")).await;
        let jar = signed_in(app).await;
        let comparable = |answer: &Answer| {
            let mut headers: Vec<String> = answer
                .headers
                .iter()
                .filter(|(name, _)| *name != "date")
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            headers.sort();
            (answer.status, headers, answer.body.len())
        };
        for path in [
            article.clone(),
            format!("{article}/comments"),
            format!("/api/v1/comments/{comment}"),
            "/api/v1/sites/main/counts?article=a".to_owned(),
            "/sites/main/articles/a".to_owned(),
        ] {
            let plain = app.get(&path).await;
            let with_cookie = Answer::of(jar.on(app.request(Method::GET, &path))).await;
            let with_dead_cookie = app.request(Method::GET, &path).header("cookie", format!("{SESSION}=x"));
            assert_eq!(plain.status, 200, "{path}");
            assert_eq!(comparable(&with_cookie), comparable(&plain), "{path}");
            assert_eq!(comparable(&Answer::of(with_dead_cookie).await), comparable(&plain), "{path}");
        }
        // And a comment that a moderator posts is a reader's.
        let posted = jar.on(app.request(Method::POST, &format!("{article}/comments"))).json(&form("another"));
        let posted = Answer::of(posted).await.expect(201);
        let one = app.get(&format!("/api/v1/comments/{}", posted.json()["id"])).await.expect(200).json();
        assert_eq!(one["author"]["is_staff"], false);
    });
}

#[test]
fn no_answer_lets_another_origin_read_with_credentials() {
    on_each_database(async |app| {
        app.moderator().await;
        let article = app.article("a").await;
        let jar = signed_in(app).await;
        for path in ["/api/v1/me", "/api/v1/session", "/api/v1/review/comments", &article, "/healthz"] {
            for method in [Method::GET, Method::OPTIONS] {
                let headers = [
                    ("origin", "https://evil.example"),
                    ("sec-fetch-site", "cross-site"),
                    ("access-control-request-method", "POST"),
                ];
                let answer = send(jar.on(app.request(method, path)), &headers).await;
                assert!(answer.header("access-control-allow-credentials").is_none(), "{path}");
                assert!(answer.header("access-control-allow-origin").is_none(), "{path}");
            }
        }
    });
}
