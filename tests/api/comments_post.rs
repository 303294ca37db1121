//! `src/comments/post.rs`, step by step.

use std::collections::HashSet;

use futures_util::future::join;
use rejoinder::sites::{RequiredFields, SetSite};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::{NOON, TestApp};
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

const LIMITED: Setup = Setup {
    has_limits: true,
    public_url: None,
    trusted_proxies: None,
    secret: None,
    require_totp: None,
    challenge: None,
};

/// A body of a media type, as it is.
async fn send(app: &TestApp, article: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = app.request(Method::POST, &format!("{article}/comments")).header("content-type", media_type);
    Answer::of(request.body(body.into())).await
}

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

fn multipart(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes());
        body.extend(*value);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

/// Every byte as a form may escape it.
fn octets(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.push('%');
        text.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        text
    })
}

/// The form with one field as given.
fn form_with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = form("Well said.");
    body[name] = value.into();
    body
}

async fn one(app: &TestApp, admin: &Person, id: i64) -> Value {
    app.get_as(admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

mod parse {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let body = json!({
                "name": "x".repeat(246),
                "email": "not an email",
                "url": "javascript:alert(1)",
                "comment": "\u{0}",
                "parent_id": "first",
            });
            app.post(&article, &body).await.expect_faults(&[
                ("/comment", "nul_character"),
                ("/email", "email"),
                ("/name", "too_long"),
                ("/parent_id", "type"),
                ("/url", "url"),
            ]);
        });
    }

    #[test]
    fn the_three_media_types_of_forms_are_read_alike() {
        on_each_database(async |app| {
            let article = format!("{}/comments", app.article("a").await);
            let fields = [("name", "Ada"), ("email", "ada@example.org")];
            let request = || app.request(Method::POST, &article);
            let urlencoded = request().header("content-type", "application/x-www-form-urlencoded");
            Answer::of(urlencoded.body("name=Ada&email=ada%40example.org&comment=one+%C3%A9")).await.expect(202);
            let multipart =
                fields.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(*name, *value));
            Answer::of(request().multipart(multipart.text("comment", "two é"))).await.expect(202);
            Answer::of(request().json(&form("three é"))).await.expect(202);
            let admin = app.admin().await;
            let items = app.get_as(&admin, "/api/v1/review/comments").await.json();
            let texts: Vec<_> = items["items"].as_array().unwrap().iter().map(|item| item["text"].clone()).collect();
            assert_eq!(texts, ["one é", "two é", "three é"]);
        });
    }

    #[test]
    fn the_site_says_which_fields_must_be_filled_in() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let all = [("/comment", "required"), ("/email", "required"), ("/name", "required")];
            app.post(&article, &json!({})).await.expect_faults(&all);
            let require = async |name, email| {
                let required = Some(RequiredFields { name, email });
                app.set_site("main", SetSite { required, ..SetSite::default() }).await;
            };
            require(false, true).await;
            app.post(&article, &json!({})).await.expect_faults(&all[..2]);
            require(true, false).await;
            app.post(&article, &json!({})).await.expect_faults(&[all[0], all[2]]);
            require(false, false).await;
            app.post(&article, &json!({})).await.expect_faults(&all[..1]);
            app.publish_first().await;
            let id = app.posted(&article, &json!({ "comment": "By nobody." })).await;
            let shown = app.get(&format!("/api/v1/comments/{id}")).await.expect(200).json();
            assert_eq!(shown["author"], json!({ "name": "Anonymous", "url": null, "is_staff": false }));
        });
    }

    #[test]
    fn an_empty_field_is_none() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let required = [("/comment", "required"), ("/email", "required"), ("/name", "required")];
            send(app, &article, URLENCODED, "name=&email=&comment=&url=&parent_id=&submission=")
                .await
                .expect_faults(&required);
            let empty: Vec<(&str, &[u8])> =
                ["name", "email", "comment", "url", "parent_id"].iter().map(|name| (*name, b"".as_slice())).collect();
            send(app, &article, MULTIPART, multipart(&empty)).await.expect_faults(&required);
            let nulls = json!({ "name": null, "email": null, "url": null, "comment": null, "parent_id": null });
            app.post(&article, &nulls).await.expect_faults(&required);
            app.post(&article, &json!({ "name": " ", "email": " ", "url": " ", "comment": " \n" }))
                .await
                .expect_faults(&[("/comment", "blank"), ("/email", "required"), ("/name", "blank")]);
            let filled = "name=Ada&email=ada%40example.org&comment=x&url=&parent_id=";
            send(app, &article, URLENCODED, filled).await.expect(202);
        });
    }

    #[test]
    fn each_limit_is_exact_to_the_byte() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let email = |bytes: usize| format!("{}@{}.org", "a".repeat(64), "d".repeat(bytes - 69));
            let url = |bytes: usize| format!("https://example.org/{}", "u".repeat(bytes - 20));
            for (field, fits, over) in [
                ("name", "n".repeat(245), "n".repeat(246)),
                ("name", format!("{}n", "é".repeat(122)), "é".repeat(123)),
                ("email", email(100), email(101)),
                ("url", url(200), url(201)),
                ("comment", "c".repeat(65_525), "c".repeat(65_526)),
                ("comment", format!("{}c", "😀".repeat(16_381)), format!("{}cc", "😀".repeat(16_381))),
            ] {
                assert_eq!(fits.len() + 1, over.len());
                let mut body = form(&format!("{field} {}", fits.chars().count()));
                body[field] = json!(fits);
                app.post(&article, &body).await.expect(202);
                let refused = app.post(&article, &form_with(field, over)).await;
                refused.expect_faults(&[(&format!("/{field}"), "too_long")]);
            }
        });
    }

    #[test]
    fn the_longest_comment_fits_however_it_is_escaped() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            for (character, bytes) in [('a', 1), ('"', 1), ('é', 2), ('線', 3)] {
                let text = character.to_string().repeat(65_525 / bytes);
                let escaped = format!("\\u{:04x}", u32::from(character)).repeat(65_525 / bytes);
                let body = format!(r#"{{"name":"Ada","email":"ada@example.org","comment":"{escaped}"}}"#);
                let id = send(app, &article, "application/json", body).await.expect(202).json()["id"].as_i64().unwrap();
                assert_eq!(one(app, &admin, id).await["text"], text);
                let octets = octets(text.as_bytes());
                let body = format!("name=Ada&email=other%40example.org&comment={octets}");
                let id = send(app, &article, URLENCODED, body).await.expect(202).json()["id"].as_i64().unwrap();
                assert_eq!(one(app, &admin, id).await["text"], text);
            }
        });
    }

    #[test]
    fn text_is_kept_exactly_as_it_was_sent() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            for text in [
                " \r\n leading and trailing \t",
                "a\u{202e}b\u{200b}\u{e0041}\u{feff}",
                "\u{1}\u{1b}[31m\u{7f}\u{85}",
                "Z\u{321}\u{322}\u{336}\u{337}\u{338}\u{334}",
                "e\u{301} and é",
                "'; DROP TABLE comments; --",
                "%_\\'\" LIKE",
                "\u{fffe}\u{ffff}\u{10ffff}",
            ] {
                let id = app.posted(&article, &form(text)).await;
                assert_eq!(one(app, &admin, id).await["text"], text);
            }
        });
    }

    #[test]
    fn a_value_of_a_wrong_type_is_refused_by_name() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            for wrong in [json!(5), json!(true), json!([]), json!(["x"]), json!({}), json!({ "x": "y" })] {
                for field in ["name", "email", "url", "comment", "submission"] {
                    let refused = app.post(&article, &form_with(field, wrong.clone())).await;
                    refused.expect_faults(&[(&format!("/{field}"), "type")]);
                }
            }
            for (wrong, code) in [
                (json!(true), "type"),
                (json!([1]), "type"),
                (json!({}), "type"),
                (json!("first"), "type"),
                (json!("-1"), "type"),
                (json!(" 1"), "type"),
                (json!(0), "range"),
                (json!(-1), "range"),
                (json!(9_007_199_254_740_992_i64), "range"),
                (json!(u64::MAX), "range"),
                (json!("99999999999999999999999999"), "range"),
            ] {
                app.post(&article, &form_with("parent_id", wrong.clone())).await.expect_faults(&[("/parent_id", code)]);
            }
            for whole in [json!([]), json!("text"), json!(null), json!(1)] {
                app.post(&article, &whole).await.expect_faults(&[("", "type")]);
            }
            let twice = send(app, &article, URLENCODED, "name=Ada&name=Bob&email=a%40b.org&comment=x").await;
            twice.expect_faults(&[("/name", "repeated")]);
        });
    }

    #[test]
    fn nul_is_refused_in_every_field_on_both_databases() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            for field in ["name", "email", "url", "comment", "submission"] {
                let good = match field {
                    "email" => "ada@example.org\0",
                    "url" => "https://example.org/\0",
                    _ => "a\0b",
                };
                let faults = [(format!("/{field}"), "nul_character")];
                let faults: Vec<_> = faults.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
                app.post(&article, &form_with(field, good)).await.expect_faults(&faults);
                let mut fields =
                    vec![("name", "Ada"), ("email", "ada@example.org"), ("comment", "x"), ("url", "https://x.org")];
                fields.retain(|(name, _)| *name != field);
                fields.push((field, good));
                let urlencoded: Vec<_> =
                    fields.iter().map(|(name, value)| format!("{name}={}", value.replace('\0', "%00"))).collect();
                send(app, &article, URLENCODED, urlencoded.join("&")).await.expect_faults(&faults);
                let parts: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
                send(app, &article, MULTIPART, multipart(&parts)).await.expect_faults(&faults);
            }
            app.post(&article, &form_with("parent_id", "1\0")).await.expect_faults(&[("/parent_id", "type")]);
        });
    }

    #[test]
    fn what_is_not_utf8_cannot_be_read() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let json =
                |bad: &[u8]| [br#"{"name":"Ada","email":"a@b.org","comment":""#.as_slice(), bad, br#""}"#].concat();
            let bad: [&[u8]; 5] = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"];
            for bytes in bad {
                send(app, &article, "application/json", json(bytes)).await.expect_problem(400, "unreadable");
                let raw = [b"name=Ada&email=a%40b.org&comment=".as_slice(), bytes].concat();
                send(app, &article, URLENCODED, raw).await.expect_problem(400, "unreadable");
                let octets = octets(bytes);
                let escaped = format!("name=Ada&email=a%40b.org&comment={octets}");
                send(app, &article, URLENCODED, escaped).await.expect_problem(400, "unreadable");
                let parts = multipart(&[("name", b"Ada"), ("email", b"a@b.org"), ("comment", bytes)]);
                send(app, &article, MULTIPART, parts).await.expect_problem(400, "unreadable");
            }
            for lone in [r"\ud800", r"\udc00", r"\ud800x", r"\ud800\ud800", r"\udc00\ud800"] {
                let body = json(lone.as_bytes());
                send(app, &article, "application/json", body).await.expect_problem(400, "unreadable");
            }
        });
    }

    #[test]
    fn what_is_not_json_cannot_be_read() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let deep = "[".repeat(100_000);
            for body in
                ["", " ", "{", "[1,]", r#"{"a":1,}"#, "{'a':1}", "{} x", "nul", "\u{feff}{}", "{\"a\":\"\n\"}", &deep]
            {
                send(app, &article, "application/json", body).await.expect_problem(400, "unreadable");
            }
            for body in ["", "--XX", "no parts at all", "--YY\r\n\r\n--YY--\r\n"] {
                send(app, &article, MULTIPART, body).await.expect_problem(400, "unreadable");
            }
            send(app, &article, "multipart/form-data", multipart(&[])).await.expect_problem(400, "unreadable");
        });
    }

    #[test]
    fn unknown_fields_are_ignored_and_never_stored() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let other = app.article("b").await;
            let honest = app.posted(&article, &form("An honest comment.")).await;
            let extra = [
                ("status", json!("approved")),
                ("id", json!(123)),
                ("site_id", json!(77)),
                ("site", json!("elsewhere")),
                ("article_id", json!(78)),
                ("article", json!("b")),
                ("thread_id", json!(honest)),
                ("ancestors", json!(format!("/{honest}/"))),
                ("version", json!(9)),
                ("is_staff", json!(true)),
                ("html", json!("<b>bold</b>")),
                ("depth", json!(3)),
                ("moderator_id", json!(1)),
                ("created_at", json!("2001-01-01T00:00:00Z")),
                ("edited_at", json!("2001-01-01T00:00:00Z")),
                ("ip", json!("192.0.2.1")),
                ("user_agent", json!("made up")),
                ("risk", json!(-1)),
                ("nothing", json!([{ "at": "all" }])),
            ];
            let mut body = form("A comment with more than was asked for.");
            for (name, value) in &extra {
                body[*name] = value.clone();
            }
            let by_json = app.post(&article, &body).await.expect(202).json();
            assert_eq!(by_json["status"], "pending");
            let pairs: Vec<String> = extra
                .iter()
                .map(|(name, value)| format!("{name}={}", value.to_string().trim_matches('"').replace('&', "")))
                .collect();
            let urlencoded = format!("name=Ada&email=ada%40example.org&comment=by+form&{}", pairs.join("&"));
            let by_form = send(app, &article, URLENCODED, urlencoded).await.expect(202).json();
            for answer in [by_json, by_form] {
                let id = answer["id"].as_i64().unwrap();
                assert!(id > honest && id < 1_000_000_000, "an id of its own, {id}");
                let (stored, usual) = (one(app, &admin, id).await, one(app, &admin, honest).await);
                for field in
                    ["site", "article", "status", "version", "ip", "user_agent", "created_at", "risk", "parent"]
                {
                    assert_eq!(stored[field], usual[field], "{field}");
                }
                assert!(stored["html"].as_str().unwrap().starts_with("<p>"), "{stored}");
                app.approve(&admin, id).await;
                let shown = app.get(&format!("/api/v1/comments/{id}")).await.expect(200).json();
                assert_eq!((&shown["author"]["is_staff"], &shown["depth"]), (&json!(false), &json!(0)));
                assert_eq!((&shown["parent_id"], &shown["edited_at"]), (&json!(null), &json!(null)));
            }
            let elsewhere = app.get(&format!("{other}/comments")).await.expect(200).json();
            assert_eq!(elsewhere["items"], json!([]));
        });
    }

    #[test]
    fn other_media_types_are_not_taken() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let body = form("x").to_string();
            for media_type in [
                "text/plain",
                "text/html",
                "application/xml",
                "application/jsonx",
                "application/problem+json",
                "application/json; charset=iso-8859-1",
                "application/x-www-form-urlencoded; charset=utf-16",
                "",
                ";",
            ] {
                let refused = send(app, &article, media_type, body.clone()).await;
                refused.expect_problem(415, "unsupported-media-type");
            }
            let request = || app.request(Method::POST, &format!("{article}/comments"));
            Answer::of(request().body(body.clone())).await.expect_problem(415, "unsupported-media-type");
            for coding in ["gzip", "br", "deflate", "gzip, identity"] {
                let packed = request().header("content-type", "application/json").header("content-encoding", coding);
                Answer::of(packed.body(body.clone())).await.expect_problem(415, "unsupported-media-type");
            }
            for media_type in
                ["Application/JSON", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\""]
            {
                send(app, &article, media_type, form(media_type).to_string()).await.expect(202);
            }
        });
    }

    #[test]
    fn a_body_over_512_kib_is_not_read_to_its_end() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let path = format!("{article}/comments");
            let head = |framing: &str, media_type: &str| {
                format!(
                    "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {media_type}\r\n{framing}\r\n\r\n"
                )
            };
            for media_type in ["application/json", URLENCODED, MULTIPART] {
                // Declared: refused before a byte of it comes.
                let declared = app.send_raw(head("Content-Length: 524289", media_type).into_bytes()).await;
                assert!(declared.starts_with("HTTP/1.1 413 "), "{media_type}: {declared}");
                assert!(declared.contains("/problems/too-large"), "{media_type}: {declared}");
                // Not declared, and it never ends: the answer comes all the same.
                let part = b"--XX\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\n";
                let mut request = head("Transfer-Encoding: chunked", media_type).into_bytes();
                request.extend(format!("{:x}\r\n", part.len()).bytes().chain(*part).chain(*b"\r\n"));
                for _ in 0..40 {
                    request.extend(b"4000\r\n".iter().chain(&[b'x'; 0x4000]).chain(b"\r\n"));
                }
                let chunked = app.send_raw(request).await;
                assert!(chunked.starts_with("HTTP/1.1 413 "), "{media_type}: {chunked}");
            }
            // What is no field's value counts too.
            for filler in ["--XX\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n", "before the first part\r\n"]
            {
                let mut request = head("Transfer-Encoding: chunked", MULTIPART).into_bytes();
                let chunk = filler.repeat(0x4000 / filler.len());
                for _ in 0..40 {
                    request.extend(format!("{:x}\r\n{chunk}\r\n", chunk.len()).into_bytes());
                }
                let chunked = app.send_raw(request).await;
                assert!(chunked.starts_with("HTTP/1.1 413 "), "{filler:?}: {chunked}");
            }
            let just_fits = format!("{}{}", form("x"), " ".repeat(512 * 1024 - form("x").to_string().len()));
            send(app, &article, "application/json", just_fits.clone()).await.expect(202);
            send(app, &article, "application/json", just_fits + " ").await.expect_problem(413, "too-large");
        });
    }
}

mod place {
    use super::*;

    #[test]
    fn an_unknown_site_and_an_unknown_article_are_the_same_404() {
        on_each_database(async |app| {
            app.article("a").await;
            app.site("other").await;
            let paths = [
                "/api/v1/sites/main/articles/b",
                "/api/v1/sites/other/articles/a",
                "/api/v1/sites/nowhere/articles/a",
                "/api/v1/sites/main/articles/a%20b",
                "/api/v1/sites/ma%00in/articles/a",
            ];
            let mut bodies = HashSet::new();
            for path in paths {
                let refused = app.post(path, &form("x")).await;
                bodies.insert(refused.without_trace());
                refused.expect_problem(404, "not-found");
            }
            assert_eq!(bodies.len(), 1, "{bodies:?}");
        });
    }

    #[test]
    fn a_closed_article_takes_nothing() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.change_article("a", false, None).await;
            app.post(&article, &form("too late")).await.expect_problem(403, "comments-closed");
            assert_eq!(app.get(&article).await.json()["comments_open"], false);
            app.change_article("a", true, None).await;
            app.post(&article, &form("in time")).await.expect(202);
        });
    }

    #[test]
    fn an_article_closes_when_its_time_has_come() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.change_article("a", true, Some(NOON.plus(std::time::Duration::from_mins(1)))).await;
            app.advance(59);
            app.post(&article, &form("a second before")).await.expect(202);
            assert_eq!(app.get(&article).await.json()["comments_open"], true);
            app.advance(1);
            app.post(&article, &form("on the stroke")).await.expect_problem(403, "comments-closed");
            assert_eq!(app.get(&article).await.json()["comments_open"], false);
        });
    }

    #[test]
    fn a_parent_that_cannot_be_answered_is_the_same_422_whatever_it_is() {
        on_each_database(async |app| {
            let (article, other, admin) = (app.article("a").await, app.article("b").await, app.admin().await);
            let pending = app.posted(&article, &form("waits")).await;
            let mut parents = vec![("missing", 999_999), ("pending", pending)];
            for decision in ["reject", "spam", "trash"] {
                let id = app.posted(&article, &form(decision)).await;
                app.decide(&admin, id, 1, decision).await.expect(201);
                parents.push((decision, id));
            }
            let unpublished = app.posted(&article, &form("published once")).await;
            app.approve(&admin, unpublished).await;
            app.decide(&admin, unpublished, 2, "hold").await.expect(201);
            parents.push(("held again", unpublished));
            app.publish_first().await;
            parents.push(("on another article", app.posted(&other, &form("elsewhere")).await));
            let mut deepest = app.posted(&article, &form("level 0")).await;
            for level in 1..5 {
                let mut body = form(&format!("level {level}"));
                body["parent_id"] = json!(deepest);
                deepest = app.posted(&article, &body).await;
            }
            parents.push(("as deep as it goes", deepest));
            let mut bodies = HashSet::new();
            for (what, id) in parents {
                let refused = app.post(&article, &form_with("parent_id", id)).await;
                assert_eq!(refused.status, 422, "{what}");
                bodies.insert(refused.without_trace());
                refused.expect_faults(&[("/parent_id", "parent")]);
            }
            assert_eq!(bodies.len(), 1, "{bodies:?}");
        });
    }

    #[test]
    fn only_our_pages_the_sites_pages_and_programs_may_post() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let origins = Some(vec!["https://news.example".to_owned()]);
            app.set_site("main", SetSite { origins, ..SetSite::default() }).await;
            let post = async |origin: &str| app.post_with(&article, &form(origin), &[("origin", origin)]).await;
            for foreign in [
                "https://evil.example",
                "http://news.example",
                "https://news.example:8443",
                "https://news.example.evil.example",
                "null",
                "",
            ] {
                post(foreign).await.expect_problem(403, "foreign-origin");
            }
            for known in [app.base.as_str(), "https://news.example"] {
                post(known).await.expect(202);
            }
            app.post(&article, &form("no origin at all")).await.expect(202);
        });
    }
}

mod pace {
    use super::*;

    #[test]
    fn an_address_has_a_burst_of_five_then_one_per_fifteen_seconds() {
        on_each_database_with(&LIMITED, async |app| {
            let article = app.article("a").await;
            for count in 0..5 {
                app.post(&article, &form(&format!("number {count}"))).await.expect(202);
            }
            let refused = app.post(&article, &form("one too many")).await;
            assert_eq!(refused.header("retry-after"), Some("15"));
            assert_eq!(refused.header("ratelimit"), Some("\"address\";r=0;t=15"));
            refused.expect_problem(429, "too-fast");
            app.advance(15);
            app.post(&article, &form("in time")).await.expect(202);
        });
    }

    #[test]
    fn the_address_is_counted_whatever_was_posted_and_where() {
        on_each_database_with(&LIMITED, async |app| {
            let (first, second) = (app.article("a").await, app.article("b").await);
            app.post(&first, &form("one")).await.expect(202);
            app.post(&second, &json!({})).await.expect_problem(422, "invalid");
            send(app, &first, "text/plain", "x").await.expect_problem(415, "unsupported-media-type");
            app.post("/api/v1/sites/main/articles/none", &form("x")).await.expect_problem(404, "not-found");
            app.post(&second, &form("two")).await.expect(202);
            app.post(&second, &form("three")).await.expect_problem(429, "too-fast");
            // Reading goes on.
            app.get(&format!("{first}/comments")).await.expect(200);
        });
    }

    #[test]
    fn a_forged_address_counts_for_nothing_where_no_proxy_is_known() {
        on_each_database_with(&LIMITED, async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let mut last = 0;
            for count in 0..5 {
                let forged = format!("192.0.2.{count}");
                let headers =
                    [("x-forwarded-for", forged.as_str()), ("x-real-ip", &forged), ("forwarded", "for=192.0.2.9")];
                let answer = app.post_with(&article, &form(&forged), &headers).await.expect(202);
                last = answer.json()["id"].as_i64().unwrap();
            }
            let again = app.post_with(&article, &form("six"), &[("x-forwarded-for", "198.51.100.7")]).await;
            again.expect_problem(429, "too-fast");
            assert_eq!(one(app, &admin, last).await["ip"], "127.0.0.1");
        });
    }

    #[test]
    fn a_known_proxy_is_believed_as_far_as_it_wrote() {
        let setup = Setup { trusted_proxies: Some("127.0.0.1, 10.0.0.0/8"), ..LIMITED };
        on_each_database_with(&setup, async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let mut text = 0;
            let mut post = async |forwarded: &str| {
                text += 1;
                app.post_with(&article, &form(&format!("text {text}")), &[("x-forwarded-for", forwarded)]).await
            };
            // What the client wrote itself stands before what the proxy added, and changes nothing.
            for count in 0..5 {
                let answer = post(&format!("198.51.100.{count}, 192.0.2.1, 10.0.0.3")).await.expect(202);
                let id = answer.json()["id"].as_i64().unwrap();
                assert_eq!(one(app, &admin, id).await["ip"], "192.0.2.1");
            }
            post("203.0.113.1, 192.0.2.1").await.expect_problem(429, "too-fast");
            post("::ffff:192.0.2.1").await.expect_problem(429, "too-fast");
            post("192.0.2.1:4711").await.expect_problem(429, "too-fast");
            post("192.0.2.2").await.expect(202);
            // What is no address is nobody's: the last hop that can be read counts.
            let id = post("unknown, 192.0.2.7").await.expect(202).json()["id"].as_i64().unwrap();
            assert_eq!(one(app, &admin, id).await["ip"], "192.0.2.7");
            let id = post("<script>").await.expect(202).json()["id"].as_i64().unwrap();
            assert_eq!(one(app, &admin, id).await["ip"], "127.0.0.1");
        });
    }

    #[test]
    fn ipv6_counts_by_what_one_subscriber_has() {
        let setup = Setup { trusted_proxies: Some("127.0.0.1"), ..LIMITED };
        on_each_database_with(&setup, async |app| {
            let article = app.article("a").await;
            let post = async |from: &str| app.post_with(&article, &form(from), &[("x-forwarded-for", from)]).await;
            for host in 1..=5 {
                post(&format!("2001:db8:0:7:{host}::{host}")).await.expect(202);
            }
            post("2001:db8:0:7:ffff:ffff:ffff:ffff").await.expect_problem(429, "too-fast");
            post("2001:db8:0:8::1").await.expect(202);
        });
    }

    #[test]
    fn the_same_text_by_the_same_author_is_taken_once() {
        let setup = Setup { trusted_proxies: Some("127.0.0.1"), ..Setup::default() };
        on_each_database_with(&setup, async |app| {
            let (article, other, admin) = (app.article("a").await, app.article("b").await, app.admin().await);
            let first = app.posted(&article, &form("I said this.")).await;
            app.post(&article, &form("I said this.")).await.expect_problem(409, "duplicate-comment");
            let again = json!({ "name": "Eve", "email": "ADA@example.org", "comment": " I said this.\r\n" });
            app.post(&article, &again).await.expect_problem(409, "duplicate-comment");
            // Anything else about it makes it another comment.
            app.posted(&other, &form("I said this.")).await;
            app.posted(&article, &form("I said this!")).await;
            let elsewhere = [("x-forwarded-for", "192.0.2.1")];
            app.post_with(&article, &form("I said this."), &elsewhere).await.expect(202);
            let somebody_else = json!({ "name": "Ada", "email": "ada@example.net", "comment": "I said this." });
            app.posted(&article, &somebody_else).await;
            // However it was decided it is in the way, until it is in the trash.
            for (version, decision) in [(1, "reject"), (2, "spam"), (3, "approve")] {
                app.decide(&admin, first, version, decision).await.expect(201);
                app.post(&article, &form("I said this.")).await.expect_problem(409, "duplicate-comment");
            }
            app.decide(&admin, first, 4, "trash").await.expect(201);
            let second = app.posted(&article, &form("I said this.")).await;
            assert_ne!(first, second);
        });
    }

    #[test]
    fn the_same_text_twice_at_once_is_one_comment() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            for round in 0..10 {
                let body = form(&format!("round {round}"));
                let (one, two) = join(app.post(&article, &body), app.post(&article, &body)).await;
                let mut statuses = [one.status, two.status];
                statuses.sort_unstable();
                assert_eq!(statuses, [202, 409]);
            }
        });
    }
}

mod judge {
    use super::*;

    #[test]
    fn the_policy_decides_what_is_published_at_once() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let held = app.post(&article, &form("held")).await.expect(202);
            assert_eq!(held.header("location"), None);
            assert_eq!(held.header("cache-control"), Some("no-store"));
            assert_eq!(held.json()["status"], "pending");
            app.publish_first().await;
            let published = app.post(&article, &form("published")).await.expect(201);
            let body = published.json();
            let id = body["id"].as_i64().unwrap();
            assert_eq!(published.header("location"), Some(format!("{}/api/v1/comments/{id}", app.base).as_str()));
            assert_eq!(body["status"], "approved");
            let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
            assert_eq!(names, ["id", "status", "receipt_url"]);
            assert!(body["receipt_url"].as_str().unwrap().starts_with(&format!("{}/receipts/", app.base)));
            let location = published.header("location").unwrap().replace(&app.base, "");
            assert_eq!(app.get(&location).await.expect(200).json()["id"], id);
        });
    }

    #[test]
    fn who_looks_like_a_moderator_is_held_and_not_told_why() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            app.post(&article, &form("by nobody special")).await.expect(201);
            // A comment that is held for another reason, to compare with.
            app.set_site("main", SetSite { policy: Some(rejoinder::screening::Policy::HoldAll), ..SetSite::default() })
                .await;
            let usual = app.post(&article, &form("held like any")).await.expect(202);
            app.publish_first().await;
            for (count, name) in [
                "Staff",
                "staff",
                " S t a f f ",
                "\u{405}t\u{430}ff",
                "Ｓｔａｆｆ",
                "𝓢𝓽𝓪𝓯𝓯",
                "stàff",
                "St4ff".replace('4', "\u{251}").as_str(),
                "ꓢtaff",
                "Sta\u{fb00}",
                "S.t-a_f'f!",
                "S\u{442}\u{430}ff",
                "ꜱᴛᴀꜰꜰ",
                "Staff ✓",
                "★ Staff ★",
                "🅢🅣🅐🅕🅕",
                "🇸🇹🇦🇫🇫",
            ]
            .iter()
            .enumerate()
            {
                let body = json!({ "name": name, "email": "x@example.org", "comment": format!("number {count}") });
                let held = app.post(&article, &body).await;
                assert_eq!(held.status, 202, "{name:?} was taken for nobody's: {}", held.text());
                let body = held.json();
                let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
                assert_eq!((names(&body), &body["status"]), (names(&usual.json()), &json!("pending")));
                let headers = |answer: &Answer| -> Vec<(String, String)> {
                    let all = answer.headers.iter().filter(|(name, _)| *name != "date" && *name != "content-length");
                    all.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
                };
                assert_eq!(headers(&held), headers(&usual), "{name:?}");
                let token = |body: &Value| body["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
                let receipt = app.get(&format!("/api/v1/receipts/{}", token(&body))).await.expect(200).json();
                assert_eq!(
                    (&receipt["status"], &receipt["reason"], &receipt["message"]),
                    (&json!("pending"), &json!(null), &json!(null))
                );
                let item = one(app, &admin, body["id"].as_i64().unwrap()).await;
                assert_eq!(item["reasons"], json!(["The name can be taken for that of a member of staff."]));
            }
            for name in ["Stefan", "Stafford", "Gustaff", "李小龍"] {
                let body = json!({ "name": name, "email": "x@example.org", "comment": format!("by {name}") });
                app.post(&article, &body).await.expect(201);
            }
        });
    }

    #[test]
    fn names_that_mislead_are_refused() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            for (name, code) in [
                ("a\u{202e}b", "invisible_character"),
                ("a\u{2066}b", "invisible_character"),
                ("staf\u{200b}f", "invisible_character"),
                ("a\u{e0041}", "invisible_character"),
                ("a\u{feff}", "invisible_character"),
                ("\u{3164}", "invisible_character"),
                ("a\nb", "control_character"),
                ("a\u{1b}[31m", "control_character"),
                ("a\u{2028}b", "control_character"),
                ("Z\u{321}\u{322}\u{336}\u{337}\u{338}", "stacked_marks"),
                ("\u{a0}\u{3000}", "blank"),
            ] {
                app.post(&article, &form_with("name", name)).await.expect_faults(&[("/name", code)]);
            }
        });
    }
}

mod keep {
    use super::*;

    async fn keyed(app: &TestApp, article: &str, key: &str, body: &Value) -> Answer {
        app.post_with(article, body, &[("idempotency-key", key)]).await
    }

    #[test]
    fn the_same_key_and_body_get_the_same_answer_even_after_a_decision() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let first = keyed(app, &article, "key-1", &form("once")).await.expect(202);
            let again = keyed(app, &article, "key-1", &form("once")).await.expect(202);
            assert_eq!(first.body, again.body);
            // Quoted, as the draft has it, it is the same key.
            let quoted = keyed(app, &article, "\"key-1\"", &form("once")).await.expect(202);
            assert_eq!(first.body, quoted.body);
            let id = first.json()["id"].as_i64().unwrap();
            for (version, decision) in [(1, "approve"), (2, "reject"), (3, "trash")] {
                app.decide(&admin, id, version, decision).await.expect(201);
                let after = keyed(app, &article, "key-1", &form("once")).await.expect(202);
                assert_eq!(first.body, after.body);
            }
            app.publish_first().await;
            let published = keyed(app, &article, "key-2", &form("at once")).await.expect(201);
            app.decide(&admin, published.json()["id"].as_i64().unwrap(), 1, "reject").await.expect(201);
            let after = keyed(app, &article, "key-2", &form("at once")).await.expect(201);
            assert_eq!((&published.body, published.header("location")), (&after.body, after.header("location")));
            // The article may have closed meanwhile: what was answered stays answered.
            app.change_article("a", false, None).await;
            assert_eq!(keyed(app, &article, "key-1", &form("once")).await.expect(202).body, first.body);
            let queue = app.get_as(&admin, "/api/v1/review/comments?status=any").await.json();
            assert_eq!(queue["items"].as_array().unwrap().len(), 2);
        });
    }

    #[test]
    fn a_key_comes_with_one_request_only() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let parent = app.posted(&article, &form("to be answered")).await;
            let mut first = form("once");
            first["url"] = json!("https://example.org");
            keyed(app, &article, "key", &first).await.expect(201);
            for (field, value) in [
                ("comment", json!("twice")),
                ("url", json!("https://example.net")),
                ("url", json!(null)),
                ("url", json!(5)),
                ("parent_id", json!(parent)),
                ("parent_id", json!("x")),
            ] {
                let mut other = first.clone();
                other[field] = value.clone();
                let refused = keyed(app, &article, "key", &other).await;
                assert_eq!(refused.status, 422, "{field} {value}: {}", refused.text());
            }
            keyed(app, &article, "key", &form("twice")).await.expect_problem(422, "idempotency-key-reused");
        });
    }

    #[test]
    fn another_name_email_or_article_has_keys_of_its_own() {
        on_each_database(async |app| {
            let (article, other) = (app.article("a").await, app.article("b").await);
            let body = |name: &str, email: &str| json!({ "name": name, "email": email, "comment": "the same" });
            let mut ids = HashSet::new();
            for (article, body) in [
                (&article, body("Ada", "ada@example.org")),
                (&article, body("Bob", "bob@example.org")),
                (&article, body("Ada", "ada@example.net")),
                (&other, body("Ada", "ada@example.org")),
            ] {
                ids.insert(keyed(app, article, "key", &body).await.expect(202).json()["id"].as_i64());
            }
            assert_eq!(ids.len(), 4);
        });
    }

    #[test]
    fn only_what_was_taken_is_kept() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            keyed(app, &article, "key", &form("")).await.expect_problem(422, "invalid");
            app.change_article("a", false, None).await;
            keyed(app, &article, "key", &form("x")).await.expect_problem(403, "comments-closed");
            app.change_article("a", true, None).await;
            keyed(app, &article, "key", &form("another text")).await.expect(202);
            app.posted(&article, &form("said before")).await;
            keyed(app, &article, "key-2", &form("said before")).await.expect_problem(409, "duplicate-comment");
            keyed(app, &article, "key-2", &form("something new")).await.expect(202);
        });
    }

    #[test]
    fn what_is_no_key_is_refused() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let longest = "k".repeat(128);
            keyed(app, &article, &longest, &form("fits")).await.expect(202);
            for key in ["", "\"\"", &"k".repeat(129), "caf\u{e9}"] {
                let refused = keyed(app, &article, key, &form("x")).await;
                refused.expect_problem(400, "unreadable");
            }
        });
    }

    #[test]
    fn two_at_once_with_one_key_are_one_comment() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            for round in 0..20 {
                let (key, body) = (format!("key-{round}"), form(&format!("round {round}")));
                let (one, two) = join(keyed(app, &article, &key, &body), keyed(app, &article, &key, &body)).await;
                let (taken, put_off): (Vec<_>, Vec<_>) =
                    [one, two].into_iter().partition(|answer| answer.status == 202);
                for answer in put_off {
                    assert!(answer.header("retry-after").is_some());
                    answer.expect_problem(409, "still-running");
                }
                assert!(!taken.is_empty());
                assert!(taken.iter().all(|answer| answer.body == taken[0].body));
            }
            let queue = app.get_as(&admin, "/api/v1/review/comments?limit=100").await.json();
            assert_eq!(queue["items"].as_array().unwrap().len(), 20);
        });
    }

    #[test]
    fn a_double_click_without_script_is_one_comment_and_one_receipt() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            for round in 0..10 {
                let (nonce, text) = (format!("nonce-{round}"), format!("round {round}"));
                let fields =
                    [("name", "Ada"), ("email", "ada@example.org"), ("comment", &text), ("submission", nonce.as_str())];
                let (one, two) = join(app.post_form(&article, &fields), app.post_form(&article, &fields)).await;
                let (one, two) = (one.expect(303), two.expect(303));
                assert!(one.header("location").unwrap().starts_with(&format!("{}/receipts/", app.base)));
                assert_eq!(one.header("location"), two.header("location"));
                let later = app.post_form(&article, &fields).await.expect(303);
                assert_eq!(one.header("location"), later.header("location"));
            }
            let queue = app.get_as(&admin, "/api/v1/review/comments?limit=100").await.json();
            assert_eq!(queue["items"].as_array().unwrap().len(), 10);
        });
    }

    #[test]
    fn a_key_is_good_for_a_day() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let first = keyed(app, &article, "key", &form("once")).await.expect(202);
            app.advance(23 * 3_600);
            assert_eq!(keyed(app, &article, "key", &form("once")).await.expect(202).body, first.body);
        });
    }
}

mod tell {
    use super::*;

    #[test]
    fn a_published_comment_is_everywhere_at_once() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let mut ids = Vec::new();
            for count in 1..=5 {
                // Every answer was kept ready from the round before.
                let id = app.posted(&article, &form(&format!("number {count}"))).await;
                ids.push(id);
                for query in ["", "?view=flat", "?sort=newest", "?view=flat&sort=top"] {
                    let list = app.get(&format!("{article}/comments{query}")).await.expect(200).json();
                    let mut listed: Vec<i64> =
                        list["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect();
                    listed.sort_unstable();
                    assert_eq!(listed, ids, "{query}");
                }
                let counts = app.get("/api/v1/sites/main/counts?article=a&article=none").await.expect(200).json();
                assert_eq!(counts, json!({ "counts": { "a": count } }));
                assert_eq!(app.get(&article).await.json()["comments"], count);
                let page = app.get("/sites/main/articles/a").await.expect(200);
                assert!(page.text().contains(&format!("id=\"comment-{id}\"")));
                app.get(&format!("/api/v1/comments/{id}")).await.expect(200);
            }
        });
    }
}
