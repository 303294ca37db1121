//! Trust: an email is verified by a link that only its mailbox gets, and what follows is narrow. Typing somebody's name and
//! email earns nothing, and spoils nothing.

use rejoinder::screening::Policy;
use rejoinder::sites::SetSite;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::database::databases;
use crate::support::mailbox::{Mail, Mailbox};
use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, eventually, on_each_database, percent};

const COOKIE: &str = "__Host-rejoinder-reader";

/// A site that trusts the verified, on each database, with a mailbox.
fn on_a_trusting_site(test: impl AsyncFn(&TestApp, &Mailbox, &str, &Person)) {
    for database in databases() {
        let mailbox = Mailbox::start();
        let setup = Setup { mail: Some(mailbox.url.clone().leak()), ..Setup::default() };
        actix_web::rt::System::new().block_on(async {
            let app = TestApp::start(&setup, database).await;
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.set_site("main", SetSite { policy: Some(Policy::TrustVerified), ..SetSite::default() }).await;
            test(&app, &mailbox, &article, &admin).await;
            app.stop().await;
        });
    }
}

fn by(email: &str, comment: &str) -> Value {
    json!({ "name": "Ada", "email": email, "comment": comment })
}

const ADA: &str = "ada@example.org";

async fn post(app: &TestApp, article: &str, body: &Value, cookie: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = cookie.into_iter().map(|cookie| ("cookie", cookie)).collect();
    app.post_with(article, body, &headers).await
}

/// The reader's cookie that an answer sets, as a browser sends it.
fn cookie_of(answer: &Answer) -> Option<String> {
    let set = answer.header("set-cookie")?;
    assert!(set.starts_with(&format!("{COOKIE}=")), "{set}");
    Some(set.split(';').next().unwrap().to_owned())
}

/// The latest letter to somebody, when so many came in all.
async fn letter(mailbox: &Mailbox, count: usize, to: &str) -> Mail {
    eventually("the letter came", async || mailbox.mails().len() >= count).await;
    mailbox.mails().into_iter().rfind(|mail| mail.to == to).expect("a letter")
}

/// Opens a link and sends its form, as the one in whose mailbox it is.
async fn confirm(app: &TestApp, path: &str, remember: bool, cookie: Option<&str>) -> Answer {
    let body = if remember { "remember=yes" } else { "" };
    let mut request = app
        .request(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", &app.base)
        .body(body);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    Answer::of(request).await
}

async fn is_verified(app: &TestApp, admin: &Person, id: i64) -> bool {
    let item = app.get_as(admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
    item["author"]["record"]["verified"].as_bool().expect("a boolean")
}

/// Somebody whose browser is known, and of whom a moderator has approved one comment; their cookie and that comment.
async fn trusted(app: &TestApp, mailbox: &Mailbox, article: &str, admin: &Person, email: &str) -> (String, i64) {
    let before = mailbox.mails().len();
    let id = app.posted(article, &by(email, &format!("the first by {email}"))).await;
    let path = letter(mailbox, before + 1, email).await.path();
    let cookie = cookie_of(&confirm(app, &path, true, None).await.expect(200)).expect("a cookie");
    app.approve(admin, id).await;
    (cookie, id)
}

mod spoofing {
    use super::*;

    #[test]
    fn a_trusted_author_is_published_at_once_and_nobody_else_under_their_name() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let (cookie, _) = trusted(app, mailbox, article, admin, ADA).await;
            let published =
                post(app, article, &by("Ada@Example.org", "by Ada herself"), Some(&cookie)).await.expect(201);
            assert!(is_verified(app, admin, published.json()["id"].as_i64().unwrap()).await);
            // Another browser, with nothing; with a cookie that nothing was verified in; with that of somebody else who is
            // trusted; with one that was tampered with.
            let bare = post(app, article, &by(ADA, "by another"), None).await.expect(202);
            assert!(!is_verified(app, admin, bare.json()["id"].as_i64().unwrap()).await);
            let mut remembered = by(ADA, "by another who is remembered");
            remembered["remember"] = json!(true);
            let mallorys = cookie_of(&post(app, article, &remembered, None).await.expect(202)).expect("a cookie");
            post(app, article, &by(ADA, "by another, again"), Some(&mallorys)).await.expect(202);
            let (of_another, _) = trusted(app, mailbox, article, admin, "eve@example.org").await;
            post(app, article, &by(ADA, "by Eve"), Some(&of_another)).await.expect(202);
            post(app, article, &by("eve@example.org", "by Eve as herself"), Some(&of_another)).await.expect(201);
            let value = cookie.split_once('=').unwrap().1;
            for at in [0, 30, 45, 60, 90, value.len() - 2] {
                let mut changed = value.to_owned().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let changed = format!("{COOKIE}={}", String::from_utf8(changed).unwrap());
                post(app, article, &by(ADA, &format!("tampered {at}")), Some(&changed)).await.expect(202);
            }
            for odd in
                [format!("{COOKIE}="), format!("{COOKIE}=x"), format!("{cookie}; {cookie}"), format!("x{cookie}")]
            {
                post(app, article, &by(ADA, &format!("odd {odd}")), Some(&odd)).await.expect(202);
            }
            // Nor on another site, where it was not verified.
            app.site("second").await;
            app.set_site("second", SetSite { policy: Some(Policy::TrustVerified), ..SetSite::default() }).await;
            let elsewhere = app.article_on("second", "a").await;
            post(app, &elsewhere, &by(ADA, "elsewhere"), Some(&cookie)).await.expect(202);
            post(app, article, &by(ADA, "by Ada in the end"), Some(&cookie)).await.expect(201);
        });
    }

    /// Whoever sends a comment with somebody's email gets nothing, even when that somebody opens the link.
    #[test]
    fn a_link_makes_the_browser_known_in_which_it_is_opened_and_not_the_one_that_wrote() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            trusted(app, mailbox, article, admin, ADA).await;
            app.advance(86_400);
            let mut spoofed = by(ADA, "by Mallory");
            spoofed["remember"] = json!(true);
            let mallorys = cookie_of(&post(app, article, &spoofed, None).await.expect(202)).expect("a cookie");
            let path = letter(mailbox, 2, ADA).await.path();
            confirm(app, &path, true, None).await.expect(200);
            post(app, article, &by(ADA, "by Mallory again"), Some(&mallorys)).await.expect(202);
        });
    }

    #[test]
    fn nobody_can_spoil_anothers_record() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let (cookie, _) = trusted(app, mailbox, article, admin, ADA).await;
            for decision in ["reject", "spam", "trash"] {
                let id = app.posted(article, &by(ADA, &format!("to {decision}"))).await;
                app.decide(admin, id, 1, decision).await.expect(201);
            }
            post(app, article, &by(ADA, "by Ada"), Some(&cookie)).await.expect(201);
        });
    }

    /// A page of another site can send a link of its own sender's; the reader's browser must not become theirs by it.
    #[test]
    fn another_sites_page_makes_no_browser_known() {
        on_a_trusting_site(async |app, mailbox, article, _| {
            app.posted(article, &by(ADA, "x")).await;
            let path = letter(mailbox, 1, ADA).await.path();
            for origin in ["https://evil.example", "null"] {
                let request =
                    app.request(Method::POST, &path).header("origin", origin).json(&json!({ "remember": true }));
                assert_eq!(cookie_of(&Answer::of(request).await.expect(200)), None, "{origin}");
            }
        });
    }
}

mod record {
    use super::*;

    #[test]
    fn one_refusal_of_a_proven_comment_ends_the_trust_and_taking_it_back_restores_it() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let (cookie, first) = trusted(app, mailbox, article, admin, ADA).await;
            for decision in ["reject", "spam", "trash"] {
                let text = format!("to {decision}");
                let published = post(app, article, &by(ADA, &text), Some(&cookie)).await.expect(201).json();
                let id = published["id"].as_i64().unwrap();
                let decided = app.decide(admin, id, 1, decision).await.expect(201).json();
                post(app, article, &by(ADA, &format!("after {text}")), Some(&cookie)).await.expect(202);
                let undo = format!("/api/v1/review/decisions/{}/undo", decided["id"]);
                Answer::of(app.request_as(admin, Method::POST, &undo)).await.expect(200);
                post(app, article, &by(ADA, &format!("{text} taken back")), Some(&cookie)).await.expect(201);
            }
            app.decide(admin, first, 2, "reject").await.expect(201);
            post(app, article, &by(ADA, "after the first was refused"), Some(&cookie)).await.expect(202);
        });
    }

    #[test]
    fn a_refusal_counts_until_twenty_others_have_come_after_it() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let (cookie, first) = trusted(app, mailbox, article, admin, ADA).await;
            app.decide(admin, first, 2, "reject").await.expect(201);
            for number in 0..20 {
                let held = post(app, article, &by(ADA, &format!("number {number}")), Some(&cookie)).await.expect(202);
                app.approve(admin, held.json()["id"].as_i64().unwrap()).await;
            }
            post(app, article, &by(ADA, "the twenty-first"), Some(&cookie)).await.expect(201);
        });
    }

    /// What only a policy let through speaks for nobody.
    #[test]
    fn what_no_moderator_saw_earns_nothing() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            app.publish_first().await;
            let id = app.posted(article, &by(ADA, "published unseen")).await;
            let path = letter(mailbox, 1, ADA).await.path();
            let cookie = cookie_of(&confirm(app, &path, true, None).await.expect(200)).expect("a cookie");
            post(app, article, &by(ADA, "published unseen, too"), Some(&cookie)).await.expect(201);
            app.set_site("main", SetSite { policy: Some(Policy::TrustVerified), ..SetSite::default() }).await;
            post(app, article, &by(ADA, "not trusted"), Some(&cookie)).await.expect(202);
            assert!(is_verified(app, admin, id).await);
            // A moderator who decides so says something.
            app.decide(admin, id, 1, "hold").await.expect(201);
            app.decide(admin, id, 2, "approve").await.expect(201);
            post(app, article, &by(ADA, "trusted now"), Some(&cookie)).await.expect(201);
        });
    }

    #[test]
    fn trust_opens_no_other_door() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let (cookie, _) = trusted(app, mailbox, article, admin, ADA).await;
            app.set_site("main", SetSite { policy: Some(Policy::HoldAll), ..SetSite::default() }).await;
            post(app, article, &by(ADA, "held as all are"), Some(&cookie)).await.expect(202);
            app.set_site("main", SetSite { policy: Some(Policy::TrustVerified), ..SetSite::default() }).await;
            let posing = json!({ "name": "Staff", "email": ADA, "comment": "as staff" });
            post(app, article, &posing, Some(&cookie)).await.expect(202);
            let ban = json!({ "kind": "email", "value": ADA, "reason": "x" });
            Answer::of(app.request_as(admin, Method::POST, "/api/v1/bans").json(&ban)).await.expect(201);
            let banned = post(app, article, &by(ADA, "banned"), Some(&cookie)).await.expect(202).json();
            let item = app.get_as(admin, &format!("/api/v1/review/comments/{}", banned["id"])).await.expect(200).json();
            assert_eq!(item["status"], "spam");
        });
    }

    #[test]
    fn moderators_see_what_is_proven() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let (_, proven) = trusted(app, mailbox, article, admin, ADA).await;
            let typed = app.posted(article, &by(ADA, "typed")).await;
            assert_eq!((is_verified(app, admin, proven).await, is_verified(app, admin, typed).await), (true, false));
            let queue = app.get_as(admin, "/api/v1/review/comments?status=any").await.expect(200).json();
            let seen: Vec<bool> = queue["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["author"]["record"]["verified"].as_bool().unwrap())
                .collect();
            assert_eq!(seen, [true, false]);
            let of = async |query: &str| {
                app.get_as(admin, &format!("/api/v1/review/authors?{query}")).await.expect(200).json()["verified"]
                    .clone()
            };
            assert_eq!(of(&format!("email={}", percent("ADA@example.org"))).await, true);
            assert_eq!(of("email=eve@example.org").await, false);
            assert_eq!(of("ip=127.0.0.1").await, false);
        });
    }
}

mod links {
    use super::*;

    #[test]
    fn looking_changes_nothing_and_sending_the_form_verifies_once() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let id = app.posted(article, &by(ADA, "Is *this* mine?")).await;
            let path = letter(mailbox, 1, ADA).await.path();
            for _ in 0..3 {
                let page = app.get(&path).await.expect(200);
                assert_eq!(page.header("cache-control"), Some("no-store"));
                assert_eq!(page.header("referrer-policy"), Some("same-origin"));
                assert!(page.text().contains("Is this your comment?") && page.text().contains("<em>this</em>"));
                assert!(page.text().contains(ADA));
                assert_eq!(cookie_of(&page), None);
            }
            assert!(!is_verified(app, admin, id).await);
            let done = confirm(app, &path, false, None).await.expect(200);
            assert!(done.text().contains("Thank you, that is confirmed"));
            assert_eq!(cookie_of(&done), None, "nobody asked for a cookie");
            assert!(is_verified(app, admin, id).await);
            assert!(app.get(&path).await.expect(200).text().contains("Thank you"));
            // It is still held, and the queue has it as before.
            let item = app.get_as(admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
            assert_eq!((&item["status"], &item["version"]), (&json!("pending"), &json!(1)));
        });
    }

    #[test]
    fn a_link_that_was_used_makes_no_further_browser_known() {
        on_a_trusting_site(async |app, mailbox, article, _| {
            app.posted(article, &by(ADA, "x")).await;
            let path = letter(mailbox, 1, ADA).await.path();
            assert!(cookie_of(&confirm(app, &path, true, None).await.expect(200)).is_some());
            // A double click is answered as the click.
            app.advance(599);
            assert!(cookie_of(&confirm(app, &path, true, None).await.expect(200)).is_some());
            app.advance(2);
            assert_eq!(cookie_of(&confirm(app, &path, true, None).await.expect(200)), None);
        });
    }

    #[test]
    fn a_link_is_good_for_seven_days() {
        on_a_trusting_site(async |app, mailbox, article, admin| {
            let id = app.posted(article, &by(ADA, "x")).await;
            let path = letter(mailbox, 1, ADA).await.path();
            app.advance(7 * 86_400 - 1);
            app.get(&path).await.expect(200);
            app.advance(1);
            app.get(&path).await.expect_problem(410, "gone");
            confirm(app, &path, true, None).await.expect_problem(410, "gone");
            let admin = app.sign_in(&admin.username).await;
            assert!(!is_verified(app, &admin, id).await);
        });
    }

    #[test]
    fn a_link_cannot_be_made_of_another() {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        on_a_trusting_site(async |app, mailbox, article, _| {
            let id = app.posted(article, &by(ADA, "x")).await;
            let other = app.post(article, &by("eve@example.org", "y")).await.expect(202).json();
            let path = letter(mailbox, 2, ADA).await.path();
            let bytes = URL_SAFE_NO_PAD.decode(path.rsplit('/').next().unwrap()).unwrap();
            assert_eq!(bytes.len(), 40, "256 bits beside the id");
            let mut guesses: Vec<Vec<u8>> = (0..bytes.len() * 8)
                .step_by(7)
                .map(|bit| {
                    let mut flipped = bytes.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    flipped
                })
                .collect();
            let mut of_another = bytes.clone();
            of_another[..8].copy_from_slice(&other["id"].as_i64().unwrap().to_be_bytes());
            guesses.extend([of_another, bytes[..39].to_vec(), [&bytes[..], &[0]].concat(), id.to_be_bytes().to_vec()]);
            for guess in guesses.iter().map(|guess| URL_SAFE_NO_PAD.encode(guess)) {
                app.get(&format!("/verifications/{guess}")).await.expect_problem(404, "not-found");
            }
            let receipt = other["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            confirm(app, &format!("/verifications/{receipt}"), true, None).await.expect_problem(404, "not-found");
        });
    }
}

mod remembering {
    use super::*;

    #[test]
    fn a_cookie_is_set_when_asked_for_and_never_otherwise() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            assert_eq!(cookie_of(&app.get("/sites/main/articles/a").await), None);
            assert_eq!(cookie_of(&app.post(&article, &by(ADA, "one")).await.expect(202)), None);
            let fields = [("name", "Ada"), ("email", ADA), ("comment", "two")];
            assert_eq!(cookie_of(&app.post_form(&article, &fields).await.expect(303)), None);
            let ticked = [&fields[..2], &[("comment", "three"), ("remember", "yes")]].concat();
            let answer = app.post_form(&article, &ticked).await.expect(303);
            let attributes: Vec<&str> = answer.header("set-cookie").unwrap().split("; ").skip(1).collect();
            assert_eq!(attributes, ["Max-Age=31536000", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]);
            // One that was not taken sets none.
            let refused = [("name", "Ada"), ("email", "no email"), ("comment", "x"), ("remember", "yes")];
            let page = app.post_form(&article, &refused).await.expect(422);
            assert_eq!(cookie_of(&page), None);
            assert!(page.text().contains("value=\"yes\" checked"), "the box is as it was");
            let wrong = json!({ "name": "Ada", "email": ADA, "comment": "x", "remember": "perhaps" });
            app.post(&article, &wrong).await.expect_faults(&[("/remember", "choice")]);
        });
    }

    #[test]
    fn the_form_is_filled_in_for_who_is_remembered_and_for_nobody_else() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let fields = [
                ("name", "Zoë \"<b>\" Quux"),
                ("email", ADA),
                ("url", "https://zoe.example/"),
                ("comment", "one"),
                ("remember", "on"),
            ];
            let cookie = cookie_of(&app.post_form(&article, &fields).await.expect(303)).expect("a cookie");
            let page = async |cookie: Option<&str>| {
                let mut request = app.request(Method::GET, "/sites/main/articles/a");
                if let Some(cookie) = cookie {
                    request = request.header("cookie", cookie);
                }
                let answer = Answer::of(request).await.expect(200);
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                answer.text().to_owned()
            };
            let filled = page(Some(&cookie)).await;
            for value in ["Zoë &#34;&#60;b&#62;&#34; Quux", ADA, "https://zoe.example/"] {
                assert!(filled.contains(&format!("value=\"{value}\"")), "{value}");
            }
            assert!(filled.contains("value=\"yes\" checked"));
            assert!(!page(None).await.contains(ADA));
            assert!(!page(Some(&format!("{cookie}x"))).await.contains(ADA));
            // A year later it is forgotten.
            app.advance(366 * 86_400);
            assert!(!page(Some(&cookie)).await.contains(ADA));
        });
    }

    #[test]
    fn a_box_that_is_no_longer_ticked_forgets() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let mut body = by(ADA, "one");
            body["remember"] = json!(true);
            let cookie = cookie_of(&app.post(&article, &body).await.expect(202)).expect("a cookie");
            let silent = post(app, &article, &by(ADA, "two"), Some(&cookie)).await.expect(202);
            assert_eq!(cookie_of(&silent), None, "a program that says nothing changes nothing");
            let mut body = by(ADA, "three");
            body["remember"] = json!(false);
            let forgotten = post(app, &article, &body, Some(&cookie)).await.expect(202);
            assert!(forgotten.header("set-cookie").unwrap().starts_with(&format!("{COOKIE}=; Max-Age=0;")));
        });
    }
}
