//! Robots are told from people by the program alone: a trap, a stamp, a challenge. The solver here knows the protocol only
//! from what `openapi.json` says of it; `tests/altcha/` has those of others.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use futures_util::future::join_all;
use rejoinder::accounts::Role;
use rejoinder::jobs;
use rejoinder::store::StoreError;
use rejoinder::store::schema::spent_challenges;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::database::{TestDatabase, databases};
use crate::support::markup::assert_clean_page;
use crate::support::process::rejoinder;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with, postgres_url};

const USUAL: Setup = Setup {
    has_limits: false,
    public_url: None,
    trusted_proxies: None,
    secret: None,
    require_totp: None,
    challenge: None,
};
const ALWAYS: Setup = Setup { challenge: Some("always"), ..USUAL };
const PAGE: &str = "/sites/main/articles/a";

/// SHA-256 in hexadecimal digits.
fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The object that a solver sends.
fn solve(challenge: &Value) -> Value {
    assert_eq!(challenge["algorithm"], "SHA-256");
    let (salt, wanted) = (challenge["salt"].as_str().unwrap(), challenge["challenge"].as_str().unwrap());
    let most = challenge["maxnumber"].as_u64().unwrap();
    let number = (0..=most).find(|number| hash(&format!("{salt}{number}")) == wanted).expect("a solution");
    json!({
        "algorithm": "SHA-256", "challenge": wanted, "number": number, "salt": salt,
        "signature": challenge["signature"], "took": 1,
    })
}

/// A solution as the form has it.
fn packed(solution: &Value) -> String {
    STANDARD.encode(solution.to_string())
}

async fn solution(app: &TestApp, article: &str) -> Value {
    solve(&app.get(&format!("{article}/challenge")).await.expect(200).json())
}

/// A form with a solution.
fn solved(comment: &str, solution: &Value) -> Value {
    let mut body = form(comment);
    body["altcha"] = json!(packed(solution));
    body
}

/// A JSON post that must be refused for its challenge.
#[track_caller]
fn expect_unsolved(answer: Answer, code: &str) {
    let body = answer.expect_problem(422, "challenge-unsolved");
    assert_eq!(body["errors"][0]["pointer"], "/altcha");
    assert_eq!(body["errors"][0]["code"], code, "{body}");
}

/// How many comments there are, in whatever state.
async fn kept(app: &TestApp) -> i64 {
    use rejoinder::store::schema::comments;
    let count = app.app.store.read(|conn| Ok::<i64, StoreError>(comments::table.count().get_result(conn)?));
    count.await.expect("a count")
}

/// What screening found about a comment, as moderators read it: the rules, and how it stands.
async fn screened(app: &TestApp, id: &Value) -> (Vec<String>, Value) {
    // One for each look: whoever has signed in already is not remembered here.
    let admin = app.person(&format!("admin{id}"), Role::Admin, &[]).await;
    let item = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
    let rules = item["screening"]["rules"].as_array().cloned().unwrap_or_default();
    (rules.iter().map(|rule| rule["rule"].as_str().unwrap().to_owned()).collect(), item["status"].clone())
}

mod trap {
    use super::*;

    #[test]
    fn what_fills_it_in_is_spam_and_answered_like_what_is_held() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let held = app.post(&article, &form("one")).await.expect(202);
            let mut body = form("two");
            body["website2"] = json!("https://spam.example");
            let trapped = app.post(&article, &body).await.expect(202);
            let names = |answer: &Answer| answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&held), names(&trapped));
            assert_eq!(trapped.json()["status"], "pending");
            assert_eq!(screened(app, &trapped.json()["id"]).await, (vec!["honeypot".to_owned()], json!("spam")));
            let receipt = trapped.json()["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            assert_eq!(app.get(&format!("/api/v1/receipts/{receipt}")).await.expect(200).json()["status"], "pending");
            app.publish_first().await;
            let mut body = form("three");
            body["website2"] = json!("x");
            app.post(&article, &body).await.expect(202);
            body["comment"] = json!("four");
            body["website2"] = json!("");
            app.post(&article, &body).await.expect(201);
        });
    }

    #[test]
    fn people_neither_see_nor_hear_nor_reach_it() {
        on_each_database(async |app| {
            app.article("a").await;
            let page = app.get(PAGE).await.expect(200);
            let tags = assert_clean_page(page.text());
            let trap = tags.iter().find(|tag| tag.attribute("name") == Some("website2")).expect("the trap");
            assert_eq!(trap.attribute("tabindex"), Some("-1"));
            assert_eq!(trap.attribute("autocomplete"), Some("off"));
            let around = tags.iter().find(|tag| tag.attribute("class") == Some("trap")).expect("what holds it");
            assert_eq!(around.attribute("aria-hidden"), Some("true"));
        });
    }
}

mod stamp {
    use super::*;

    async fn stamp(app: &TestApp, page: &str) -> String {
        let page = app.get(page).await.expect(200);
        let tags = assert_clean_page(page.text());
        let stamp = tags.iter().find(|tag| tag.attribute("name") == Some("stamp")).expect("a stamp");
        stamp.attribute("value").expect("its value").to_owned()
    }

    fn stamped(comment: &str, stamp: &str) -> Value {
        let mut body = form(comment);
        body["stamp"] = json!(stamp);
        body
    }

    #[test]
    fn too_fast_too_old_and_forged_are_held_and_never_refused() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.article("b").await;
            app.publish_first().await;
            let (fresh, elsewhere) = (stamp(app, PAGE).await, stamp(app, "/sites/main/articles/b").await);
            let hold = |answer: Answer| answer.expect(202).json()["id"].clone();
            let too_fast = hold(app.post(&article, &stamped("too fast", &fresh)).await);
            assert_eq!(screened(app, &too_fast).await, (vec!["stamp".to_owned()], json!("pending")));
            app.advance(3);
            app.post(&article, &stamped("as fast as people are", &fresh)).await.expect(201);
            app.post(&article, &form("from a program, without")).await.expect(201);
            let forged = fresh.replace(&fresh[..1], if fresh.starts_with('A') { "B" } else { "C" });
            for (what, stamp) in [
                ("changed", forged.as_str()),
                ("another article's", &elsewhere),
                ("cut", &fresh[..20]),
                ("made up", "now"),
            ] {
                let id = hold(app.post(&article, &stamped(what, stamp)).await);
                assert_eq!(screened(app, &id).await.0, ["stamp"], "{what}");
            }
            app.advance(24 * 3600 - 3);
            app.post(&article, &stamped("a day", &fresh)).await.expect(201);
            app.advance(1);
            hold(app.post(&article, &stamped("more than a day", &fresh)).await);
        });
    }

    /// Or whoever mends a typing error in a moment would seem too fast.
    #[test]
    fn a_form_that_comes_back_keeps_its_stamp() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let first = stamp(app, PAGE).await;
            app.advance(60);
            for (sent, is_kept) in [(first.as_str(), true), ("forged", false)] {
                let again = app.post_form(&article, &[("comment", ""), ("stamp", sent)]).await.expect(422);
                let tags = assert_clean_page(again.text());
                let came = tags.iter().find(|tag| tag.attribute("name") == Some("stamp")).expect("a stamp");
                assert_eq!(came.attribute("value") == Some(sent), is_kept);
            }
        });
    }
}

mod challenge {
    use super::*;

    #[test]
    fn the_article_says_whether_one_is_asked_for_and_where_it_is() {
        for (mode, is_asked) in [("always", true), ("auto", false), ("off", false)] {
            on_each_database_with(&Setup { challenge: Some(mode), ..USUAL }, async |app| {
                let article = app.article("a").await;
                let asked = app.get(&article).await.expect(200).json()["form"]["challenge"].clone();
                let url = format!("{}{article}/challenge", app.base);
                let wanted = if is_asked { json!({ "url": url, "algorithm": "SHA-256" }) } else { Value::Null };
                assert_eq!(asked, wanted, "{mode}");
                let answer = app.get(&format!("{article}/challenge")).await.expect(200);
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                assert_eq!(answer.header("etag"), None);
                let again = app.get(&format!("{article}/challenge")).await.expect(200);
                assert_ne!(answer.json()["salt"], again.json()["salt"]);
                assert_ne!(answer.json()["challenge"], again.json()["challenge"]);
                for path in ["main/articles/no", "no/articles/a"] {
                    app.get(&format!("/api/v1/sites/{path}/challenge")).await.expect_problem(404, "not-found");
                }
            });
        }
    }

    #[test]
    fn programs_need_a_solution_and_browsers_without_script_are_held() {
        on_each_database_with(&ALWAYS, async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            expect_unsolved(app.post(&article, &form("without")).await, "required");
            let fields =
                |comment| [("name", "Ada"), ("email", "ada@example.org"), ("comment", comment), ("altcha", "")];
            let browser = app.post_form(&article, &fields("by a browser")).await.expect(303);
            assert!(browser.header("location").unwrap().contains("/receipts/"), "it is held");
            let good = packed(&solution(app, &article).await);
            let mut with = fields("by a browser that solves").to_vec();
            with[3].1 = &good;
            let browser = app.post_form(&article, &with).await.expect(303);
            assert!(browser.header("location").unwrap().contains("#comment-"), "it is published");
            with[2].1 = "by a browser that sends it twice";
            let again = app.post_form(&article, &with).await.expect(422);
            assert!(again.text().contains("by a browser that sends it twice"), "what was typed is there");
            assert!(again.text().contains("please post it again"));
            app.post(&article, &solved("by a program", &solution(app, &article).await)).await.expect(201);
            let admin = app.admin().await;
            let held = app.get_as(&admin, "/api/v1/review/comments").await.expect(200).json();
            assert_eq!(held["items"].as_array().unwrap().len(), 1);
            assert_eq!(screened(app, &held["items"][0]["id"]).await.0, ["challenge"]);
        });
    }

    #[test]
    fn each_is_good_for_one_comment_and_a_post_that_is_refused_does_not_use_it_up() {
        on_each_database_with(&ALWAYS, async |app| {
            let article = app.article("a").await;
            let first = solution(app, &article).await;
            let mut wrong = solved("one", &first);
            wrong["email"] = json!("no email");
            app.post(&article, &wrong).await.expect_faults(&[("/email", "email")]);
            app.change_article("a", false, None).await;
            app.post(&article, &solved("one", &first)).await.expect_problem(403, "comments-closed");
            app.change_article("a", true, None).await;
            app.post(&article, &solved("one", &first)).await.expect(202);
            expect_unsolved(app.post(&article, &solved("two", &first)).await, "spent");
            // The same text again is refused by the database, as the use of a challenge is: both or none.
            let second = solution(app, &article).await;
            app.post(&article, &solved("one", &second)).await.expect_problem(409, "duplicate-comment");
            app.post(&article, &solved("two", &second)).await.expect(202);
            assert_eq!(kept(app).await, 2);
        });
    }

    #[test]
    fn the_same_request_by_its_key_is_answered_as_before() {
        on_each_database_with(&ALWAYS, async |app| {
            let article = app.article("a").await;
            let first = solution(app, &article).await;
            let key = [("idempotency-key", "k1")];
            let answer = app.post_with(&article, &solved("one", &first), &key).await.expect(202);
            for body in [solved("one", &first), solved("one", &solution(app, &article).await), form("one")] {
                let again = app.post_with(&article, &body, &key).await.expect(202);
                assert_eq!(again.json(), answer.json());
            }
            app.post_with(&article, &solved("two", &first), &key).await.expect_problem(422, "idempotency-key-reused");
            expect_unsolved(
                app.post_with(&article, &solved("two", &first), &[("idempotency-key", "k2")]).await,
                "spent",
            );
            assert_eq!(kept(app).await, 1);
        });
    }

    /// X16.
    #[test]
    fn nothing_expired_spliced_exchanged_made_up_or_without_work_is_accepted() {
        on_each_database_with(&ALWAYS, async |app| {
            let article = app.article("a").await;
            app.site("second").await;
            let elsewhere = [app.article("b").await, app.article_on("second", "a").await];
            let good = solution(app, &article).await;
            let with = |changes: &[(&str, Value)]| {
                let mut solution = good.clone();
                for (name, value) in changes {
                    solution[*name] = value.clone();
                }
                packed(&solution)
            };
            let (salt, number) = (good["salt"].as_str().unwrap(), good["number"].as_u64().unwrap());
            let digits = number.to_string();
            let rest: u64 = digits[1..].parse().unwrap_or(0);
            let own = |salt: &str, number: u64, key: &[u8]| {
                use hmac::{Hmac, KeyInit, Mac};
                let challenge = hash(&format!("{salt}{number}"));
                let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
                mac.update(challenge.as_bytes());
                let signature = hex(&mac.finalize().into_bytes());
                packed(&json!({
                    "algorithm": "SHA-256", "challenge": challenge, "number": number, "salt": salt,
                    "signature": signature, "maxnumber": 0,
                }))
            };
            let zero = hash(&format!("{salt}0"));
            let mut wrong = vec![
                ("a sign behind it", packed(&good) + "!"),
                ("another number", with(&[("number", json!(number + 1))])),
                ("no work", with(&[("number", json!(0))])),
                ("no work, and its hash", with(&[("number", json!(0)), ("challenge", json!(zero))])),
                ("no work, and no room for any", with(&[("number", json!(0)), ("maxnumber", json!(0))])),
                ("a digit moved into the salt", with(&[("salt", json!(format!("{salt}{}", &digits[..1]))), ("number", json!(rest))])),
                ("an expiry spliced in", with(&[("salt", json!(format!("{salt}expires=9999999999&")))])),
                ("an expiry put before", with(&[("salt", json!(salt.replace('?', "?expires=9999999999&")))])),
                ("an expiry changed", with(&[("salt", json!(salt.replace("expires=", "expires=9")))])),
                ("no expiry", with(&[("salt", json!(salt.split('?').next().unwrap()))])),
                ("no salt", with(&[("salt", json!(""))])),
                ("another salt", with(&[("salt", json!(format!("0{salt}")))])),
                ("another algorithm", with(&[("algorithm", json!("SHA-1"))])),
                ("a longer hash", with(&[("algorithm", json!("SHA-512"))])),
                ("no algorithm", with(&[("algorithm", json!(""))])),
                ("algorithm none", with(&[("algorithm", json!("none"))])),
                ("no signature", with(&[("signature", json!(""))])),
                ("null for a signature", with(&[("signature", Value::Null)])),
                ("the signature in capitals", with(&[("signature", json!(good["signature"].as_str().unwrap().to_uppercase()))])),
                ("the number as text", with(&[("number", json!(digits))])),
                ("signed with no key", own(salt, 0, b"")),
                ("signed with a guess", own("00?expires=9999999999&", 0, b"secret")),
                ("empty parameters", own("?expires=9999999999&", 0, b"")),
                ("version 2 without a prefix", STANDARD.encode(
                    json!({ "challenge": { "parameters": { "algorithm": "SHA-256", "nonce": "", "salt": "", "cost": 1,
                        "keyLength": 32, "keyPrefix": "" }, "signature": "" }, "solution": { "counter": 0, "derivedKey": "" } })
                    .to_string(),
                )),
                ("not base64", "{}".to_owned()),
                ("not JSON", STANDARD.encode("altcha")),
                ("a list", STANDARD.encode("[[[[[[")),
                ("too long", STANDARD.encode(" ".repeat(100_000) + &good.to_string())),
                ("a word", "null".to_owned()),
            ];
            for other in &elsewhere {
                wrong.push(("made for another place", packed(&solution(app, other).await)));
            }
            for (what, altcha) in &wrong {
                let mut body = form(what);
                body["altcha"] = json!(altcha);
                expect_unsolved(app.post(&article, &body).await, "wrong");
            }
            let mut body = form("a number");
            body["altcha"] = json!(7);
            app.post(&article, &body).await.expect_faults(&[("/altcha", "type")]);
            assert_eq!(kept(app).await, 0, "none of {} was accepted", wrong.len());
            app.advance(599);
            let late = solution(app, &article).await;
            app.post(&article, &solved("in time", &good)).await.expect(202);
            app.advance(600);
            expect_unsolved(app.post(&article, &solved("too late", &late)).await, "expired");
            assert_eq!(kept(app).await, 1);
        });
    }

    /// Those who solve one when none is asked for are held to it; where none is ever asked for, nobody is.
    #[test]
    fn what_is_sent_is_judged_unless_challenges_are_off() {
        for (mode, is_judged) in [("auto", true), ("off", false)] {
            on_each_database_with(&Setup { challenge: Some(mode), ..USUAL }, async |app| {
                let article = app.article("a").await;
                app.post(&article, &form("without")).await.expect(202);
                let good = solution(app, &article).await;
                app.post(&article, &solved("with", &good)).await.expect(202);
                let again = app.post(&article, &solved("once more", &good)).await;
                if is_judged { expect_unsolved(again, "spent") } else { drop(again.expect(202)) }
            });
        }
    }

    #[test]
    fn one_of_fifty_at_once_is_accepted() {
        on_each_database_with(&ALWAYS, async |app| {
            let article = app.article("a").await;
            let good = solution(app, &article).await;
            let bodies: Vec<Value> = (0..50).map(|number| solved(&format!("number {number}"), &good)).collect();
            let answers = join_all(bodies.iter().map(|body| app.post(&article, body))).await;
            let count = |status| answers.iter().filter(|answer| answer.status == status).count();
            assert_eq!((count(202), count(422)), (1, 49));
            assert_eq!(kept(app).await, 1);
        });
    }

    /// Two programs on one database; `SQLite` has one.
    #[test]
    fn one_of_fifty_at_once_is_accepted_by_two_nodes() {
        for database in databases() {
            let nodes = if matches!(database, TestDatabase::Sqlite { .. }) { 1 } else { 2 };
            let dir = tempfile::tempdir().expect("a folder");
            let program = || rejoinder(dir.path()).env("REJOINDER_DATABASE_URL", database.url_text());
            program().args("article add --site main --key a --title A --url https://news.example/a").run_well();
            let serve = |_| program().env("REJOINDER_LIMITS", "off").env("REJOINDER_CHALLENGE", "always").serve();
            let servers: Vec<_> = (0..nodes).map(serve).collect();
            actix_web::rt::System::new().block_on(async {
                let client = reqwest::Client::new();
                for round in 0..4 {
                    let path = "/api/v1/sites/main/articles/a";
                    let challenge = client.get(format!("{}{path}/challenge", servers[0].base));
                    let good = solve(&Answer::of(challenge).await.expect(200).json());
                    let sends = (0..50).map(|number| {
                        let base = &servers[number % nodes].base;
                        let body = solved(&format!("{round}: number {number}"), &good);
                        Answer::of(client.post(format!("{base}{path}/comments")).json(&body))
                    });
                    let statuses: Vec<u16> = join_all(sends).await.into_iter().map(|answer| answer.status).collect();
                    let count = |status| statuses.iter().filter(|one| **one == status).count();
                    assert_eq!((count(202), count(422)), (1, 49), "{statuses:?}");
                }
            });
        }
        if postgres_url().is_none() {
            println!("two nodes were not tried: TEST_POSTGRES_URL is not set");
        }
    }

    #[test]
    fn used_up_ones_are_forgotten_a_day_after_they_expired() {
        on_each_database_with(&ALWAYS, async |app| {
            let article = app.article("a").await;
            app.post(&article, &solved("one", &solution(app, &article).await)).await.expect(202);
            let spent = async || {
                jobs::run_once(&app.app).await.expect("every job");
                let count =
                    app.app.store.read(|conn| Ok::<i64, StoreError>(spent_challenges::table.count().get_result(conn)?));
                count.await.expect("a count")
            };
            app.advance(24 * 3600 + 600);
            assert_eq!(spent().await, 1);
            app.advance(1);
            assert_eq!(spent().await, 0);
        });
    }

    #[test]
    fn the_page_has_a_script_only_where_there_is_something_to_solve() {
        for (mode, is_asked) in [("always", true), ("off", false)] {
            on_each_database_with(&Setup { challenge: Some(mode), ..USUAL }, async |app| {
                app.article("a").await;
                let page = app.get(PAGE).await.expect(200);
                let policy = page.header("content-security-policy").unwrap();
                assert_eq!(policy.contains("script-src 'self';"), is_asked, "{policy}");
                assert!(
                    policy.starts_with("default-src 'none'; style-src 'self';") && !policy.contains("unsafe"),
                    "{policy}"
                );
                let (form, script) = (page.text().contains("data-challenge="), page.text().contains("<script"));
                assert_eq!((form, script), (is_asked, is_asked));
                assert_eq!(page.text().matches("<script").count(), usize::from(is_asked));
                let receipt = app.get("/problems/not-found").await.expect(200);
                assert!(!receipt.header("content-security-policy").unwrap().contains("script-src"));
            });
        }
        on_each_database(async |app| {
            for path in ["/reply.js", "/solve.js"] {
                let script = app.get(path).await.expect(200);
                assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
                assert!(!script.text().contains("eval") && !script.text().contains("innerHTML"));
            }
        });
    }
}

mod pressure {
    use super::*;

    const PACED: Setup = Setup { has_limits: true, trusted_proxies: Some("127.0.0.1"), ..USUAL };

    async fn post_from(app: &TestApp, article: &str, address: &str, comment: &str) -> Answer {
        app.post_with(article, &form(comment), &[("x-forwarded-for", address)]).await
    }

    async fn is_asked(app: &TestApp, article: &str, address: &str) -> bool {
        let request = app.request(Method::GET, article).header("x-forwarded-for", address);
        !Answer::of(request).await.expect(200).json()["form"]["challenge"].is_null()
    }

    /// At the fastest that limits let it post, eight minutes long.
    #[test]
    fn an_address_that_posts_without_pause_is_asked_and_others_are_not() {
        on_each_database_with(&PACED, async |app| {
            let article = app.article("a").await;
            let (mut posted, robot) = (0, "192.0.2.1");
            for number in 0..60 {
                let answer = post_from(app, &article, robot, &format!("number {number}")).await;
                match answer.status {
                    202 => posted += 1,
                    422 => {
                        expect_unsolved(answer, "required");
                        break;
                    }
                    _ => drop(answer.expect(429)),
                }
                app.advance(15);
            }
            assert!((30..50).contains(&posted), "{posted}");
            assert!(is_asked(app, &article, robot).await);
            let other = "192.0.2.2";
            assert!(!is_asked(app, &article, other).await);
            post_from(app, &article, other, "by another").await.expect(202);
            let good = solution(app, &article).await;
            app.advance(15);
            let body = solved("with work", &good);
            app.post_with(&article, &body, &[("x-forwarded-for", robot)]).await.expect(202);
            app.advance(601);
            assert!(!is_asked(app, &article, robot).await);
            post_from(app, &article, robot, "rested").await.expect(202);
        });
    }

    #[test]
    fn a_site_under_pressure_asks_everybody_and_other_sites_nobody() {
        on_each_database_with(&PACED, async |app| {
            let article = app.article("a").await;
            app.site("second").await;
            let elsewhere = app.article_on("second", "a").await;
            let address = |number: usize| format!("192.0.2.{number}");
            for number in 0..=200 {
                post_from(app, &article, &address(number), "the same").await.expect(202);
            }
            for number in [7, 250] {
                assert!(is_asked(app, &article, &address(number)).await);
                assert!(!is_asked(app, &elsewhere, &address(number)).await);
            }
            expect_unsolved(post_from(app, &article, &address(250), "another").await, "required");
            post_from(app, &elsewhere, &address(250), "another").await.expect(202);
            app.clock.advance(Duration::from_mins(10));
            assert!(!is_asked(app, &article, &address(7)).await);
        });
    }

    #[test]
    fn where_limits_are_off_there_is_none() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            for number in 0..230 {
                app.post(&article, &form(&format!("number {number}"))).await.expect(202);
            }
            assert!(app.get(&article).await.expect(200).json()["form"]["challenge"].is_null());
        });
    }
}
