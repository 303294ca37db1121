//! The rules of a site: `src/rules`, `src/screening/rules`, and what `src/review` does with them.

use diesel::prelude::*;
use rejoinder::accounts::Role;
use rejoinder::review::index_waiting;
use rejoinder::screening::Policy;
use rejoinder::sites::SetSite;
use rejoinder::store::schema::site_rules;
use rejoinder::store::{Store, StoreError};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, Setup, eventually, form, on_each_database, on_each_database_with};

const PATH: &str = "/api/v1/sites/main/rules";
const QUEUE: &str = "/api/v1/review/comments";

/// Readers come from addresses of the test's choice.
const PROXY: Setup = Setup {
    has_limits: false,
    public_url: None,
    trusted_proxies: Some("127.0.0.1"),
    secret: None,
    require_totp: None,
    challenge: None,
};

async fn put(app: &TestApp, person: &Person, rules: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::PUT, PATH).json(&json!({ "rules": rules }))).await
}

/// Puts rules; gives their ids.
async fn set(app: &TestApp, person: &Person, rules: Value) -> Vec<i64> {
    let answer = put(app, person, &rules).await.expect(200).json();
    answer["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_i64().unwrap()).collect()
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("{QUEUE}/{id}")).await.expect(200).json()
}

fn words(words: &[&str], effect: &str) -> Value {
    json!({ "kind": "words", "words": words, "effect": effect })
}

async fn queue(app: &TestApp, person: &Person, query: &str) -> Vec<i64> {
    let page = app.get_as(person, &format!("{QUEUE}{query}")).await.expect(200).json();
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

/// Has the rules applied anew and waits for it.
async fn rerun(app: &TestApp, person: &Person) -> Value {
    let begun = Answer::of(app.request_as(person, Method::POST, &format!("{PATH}/rerun"))).await.expect(202);
    let location = begun.header("location").unwrap().trim_start_matches(&app.base).to_owned();
    eventually("the rerun is done", async || app.get_as(person, &location).await.expect(200).json()["state"] == "done")
        .await;
    app.get_as(person, &location).await.json()
}

mod putting {
    use super::*;

    #[test]
    fn rules_read_back_as_they_were_put_and_keep_their_ids() {
        on_each_database(async |app| {
            let lead = app.person("lead", Role::Lead, &["main"]).await;
            let first = app.get_as(&lead, PATH).await.expect(200);
            assert_eq!((first.json(), first.header("etag")), (json!({ "rules": [] }), Some("\"0\"")));
            assert_eq!(first.header("cache-control"), Some("no-store"));
            let rules = json!([words(&["casino", "cheap pills"], "hold"), { "kind": "links", "effect": "spam", "label": "Links" }]);
            let answer = put(app, &lead, &rules).await.expect(200);
            assert_eq!(answer.header("etag"), Some("\"1\""));
            let put_first = answer.json();
            let (one, two) = (&put_first["rules"][0], &put_first["rules"][1]);
            let wanted = json!({ "id": one["id"], "label": null, "effect": "hold", "kind": "words",
                "words": ["casino", "cheap pills"], "fields": ["text", "name", "url"] });
            assert_eq!(*one, wanted);
            assert_eq!(
                *two,
                json!({ "id": two["id"], "label": "Links", "effect": "spam", "kind": "links", "at_least": 2 })
            );
            assert_eq!(app.get_as(&lead, PATH).await.json(), put_first);
            // What is read may be put back as it is; nothing is another then.
            let same = put(app, &lead, &put_first["rules"]).await.expect(200);
            assert_eq!((same.header("etag"), same.json()), (Some("\"1\""), put_first.clone()));
            let changed = json!([two, words(&["new"], "log")]);
            let answer = put(app, &lead, &changed).await.expect(200);
            assert_eq!(
                (answer.json()["rules"][0]["id"].clone(), answer.header("etag")),
                (two["id"].clone(), Some("\"2\""))
            );
            assert_ne!(answer.json()["rules"][1]["id"], one["id"]);
            // Whoever read them before does not overwrite that.
            let request =
                app.request_as(&lead, Method::PUT, PATH).header("if-match", "\"1\"").json(&json!({ "rules": [] }));
            let stale = Answer::of(request).await.expect_problem(412, "stale");
            assert_eq!(stale["current"], json!({ "version": 2 }));
            app.sealed().await;
            let log = app.get_as(&lead, "/api/v1/audit?action=rules-changed").await.expect(200).json();
            let entries = log["items"].as_array().unwrap();
            assert_eq!(entries.len(), 2, "{log}");
            assert!(log.to_string().contains(&format!("\"removed\":[{}]", one["id"])), "{log}");
        });
    }

    #[test]
    fn what_is_wrong_is_named_where_it_stands_and_nothing_is_changed() {
        on_each_database(async |app| {
            let lead = app.person("lead", Role::Lead, &["main"]).await;
            let ids = set(app, &lead, json!([words(&["casino"], "hold")])).await;
            let rules = json!([
                { "kind": "words", "words": ["a", 1], "effect": "hold" },
                { "kind": "odd", "effect": "hold" },
                { "kind": "regex", "pattern": "x", "effect": "ban", "flags": "i" },
                { "kind": "links", "at_least": "2", "effect": "hold", "id": -1 },
                { "effect": "hold" },
                { "kind": "words", "words": ["x"], "fields": ["text", "ip"] },
            ]);
            put(app, &lead, &rules).await.expect_faults(&[
                ("/rules/0/words/1", "type"),
                ("/rules/1/kind", "choice"),
                ("/rules/2/effect", "choice"),
                ("/rules/2/flags", "unknown"),
                ("/rules/3/at_least", "type"),
                ("/rules/3/id", "range"),
                ("/rules/4/kind", "required"),
                ("/rules/5/effect", "required"),
                ("/rules/5/fields/1", "choice"),
            ]);
            let rules = json!([words(&["x"], "hold"), words(&["y"], "hold"), words(&["z"], "hold"),
                { "kind": "regex", "pattern": "é(b", "effect": "hold" }, { "kind": "hosts", "hosts": ["a b"], "effect": "hold" }]);
            let answer = put(app, &lead, &rules).await;
            let problem = answer.json();
            answer.expect_faults(&[("/rules/3/pattern", "pattern"), ("/rules/4/hosts/0", "host")]);
            assert_eq!(problem["position"], 1);
            assert!(problem["errors"][0]["message"].as_str().unwrap().contains("from its character 1 on"), "{problem}");
            for pattern in [r"\w{5000}", "((a{100}){100}){100}"] {
                let rules = json!([{ "kind": "regex", "pattern": pattern, "effect": "hold" }]);
                put(app, &lead, &rules).await.expect_faults(&[("/rules/0/pattern", "pattern_size")]);
            }
            // An id that no rule of the site has, and one twice.
            let mut foreign = words(&["x"], "hold");
            foreign["id"] = json!(4_711_000);
            let mut own = words(&["x"], "hold");
            own["id"] = json!(ids[0]);
            let twice = json!([foreign, own.clone(), own]);
            put(app, &lead, &twice).await.expect_faults(&[("/rules/0/id", "choice"), ("/rules/2/id", "choice")]);
            let nothing = Answer::of(app.request_as(&lead, Method::PUT, PATH).json(&json!({}))).await;
            nothing.expect_faults(&[("/rules", "required")]);
            assert_eq!(app.get_as(&lead, PATH).await.json()["rules"][0]["words"], json!(["casino"]));
        });
    }

    #[test]
    fn sixty_thousand_words_fit_into_a_body_and_four_mebibytes_are_its_end() {
        on_each_database(async |app| {
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            app.publish_first().await;
            let list: Vec<String> = (0..60_000).map(|number| format!("forbidden word number {number}")).collect();
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            set(app, &lead, json!([words(&list, "hold")])).await;
            app.post(&article, &form("A forbidden WORD, number 59999!")).await.expect(202);
            app.post(&article, &form("a forbidden word number 60000")).await.expect(201);
            let many = [&list[..], &["one more"]].concat();
            put(app, &lead, &json!([words(&many, "hold")])).await.expect_faults(&[("/rules/0/words", "too_many")]);
            let large = format!("{{\"rules\": []{}}}", " ".repeat(4 * 1024 * 1024));
            let send = |method, path: &str| {
                app.request_as(&lead, method, path).header("content-type", "application/json").body(large.clone())
            };
            Answer::of(send(Method::PUT, PATH)).await.expect_problem(413, "too-large");
            Answer::of(send(Method::POST, &format!("{PATH}/try"))).await.expect_problem(413, "too-large");
        });
    }

    /// The change is made behind this node's back.
    #[test]
    fn another_nodes_rules_count_within_a_moment() {
        on_each_database(async |app| {
            app.publish_first().await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            set(app, &lead, json!([words(&["casino"], "hold")])).await;
            app.post(&article, &form("the casino")).await.expect(202);
            let other = Store::open(&app.database.url()).expect("another node's store");
            let changed: Result<usize, StoreError> = other
                .write(|conn| {
                    let none = (site_rules::rules.eq("[]"), site_rules::version.eq(2));
                    Ok(diesel::update(site_rules::table).set(none).execute(conn)?)
                })
                .await;
            assert_eq!(changed.expect("a write"), 1);
            let number = std::cell::Cell::new(0);
            eventually("the rule is gone here too", async || {
                number.set(number.get() + 1);
                app.post(&article, &form(&format!("the casino {}", number.get()))).await.status == 201
            })
            .await;
        });
    }
}

mod judging {
    use super::*;

    #[test]
    fn each_kind_holds_what_it_is_about_and_lets_pass_what_it_is_not() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            let post = |name: &str, email: &str, url: &str, text: &str| json!({ "name": name, "email": email, "url": url, "comment": text });
            let usual = |text: &str| post("Ada", "ada@mail.example", "https://ada.example", text);
            for (rule, bad, good) in [
                (
                    json!({ "kind": "words", "words": ["cialis"] }),
                    usual("buy CIÁLIS now"),
                    usual("socialism is not specialist"),
                ),
                (
                    json!({ "kind": "words", "words": ["king"], "fields": ["name"] }),
                    post("The King", "a@b.example", "", "x1"),
                    usual("the king"),
                ),
                (json!({ "kind": "regex", "pattern": r"(?i)\bwin \d+" }), usual("You WIN 100"), usual("twin 100")),
                (
                    json!({ "kind": "links", "at_least": 2 }),
                    usual("https://a.example https://b.example"),
                    usual("https://a.example and `https://b.example`"),
                ),
                (
                    json!({ "kind": "hosts", "hosts": ["spam.example"] }),
                    usual("[x](https://www.spam.example/1)"),
                    usual("spam.example in words"),
                ),
                (
                    json!({ "kind": "hosts", "hosts": ["ada.example"] }),
                    usual("by its website"),
                    post("Ada", "a@ada.example", "https://notada.example", "y"),
                ),
                (
                    json!({ "kind": "email", "emails": ["mail.example"] }),
                    usual("from there"),
                    post("Ada", "ada@email.example", "", "z"),
                ),
                (json!({ "kind": "length", "min": 4, "max": 10 }), usual("abc"), usual("abcdef")),
                (json!({ "kind": "capitals", "letters": 5 }), usual("THIS IS LOUD"), usual("This Is Not")),
                (
                    json!({ "kind": "script", "allowed": ["Latin"] }),
                    usual("купите сейчас"),
                    usual("buy сейчас or buy later"),
                ),
                (json!({ "kind": "hours", "from": "11:00", "until": "13:00" }), usual("at noon"), usual("never sent")),
            ] {
                let mut rule = rule;
                rule["effect"] = json!("hold");
                let ids = set(app, &lead, json!([rule])).await;
                let held = app.post(&article, &bad).await;
                assert_eq!(held.status, 202, "{rule} {bad}: {}", held.text());
                let seen = one(app, &lead, held.json()["id"].as_i64().unwrap()).await;
                assert!(seen["reasons"][0].as_str().unwrap().ends_with(&format!("(rule {}).", ids[0])), "{seen}");
                assert_eq!(seen["screening"]["rules"][0]["rule"], json!(ids[0].to_string()));
                if rule["kind"] == "hours" {
                    continue;
                }
                let published = app.post(&article, &good).await;
                assert_eq!(published.status, 201, "{rule} {good}: {}", published.text());
            }
            set(app, &lead, json!([{ "kind": "network", "networks": ["192.0.2.0/24"], "effect": "hold" }])).await;
            for (address, status) in [("192.0.2.200", 202), ("192.0.3.1", 201)] {
                let forwarded = [("x-forwarded-for", address)];
                app.post_with(&article, &usual(&format!("from {address}")), &forwarded).await.expect(status);
            }
        });
    }

    #[test]
    fn spam_is_answered_byte_for_byte_like_what_is_held_but_for_its_id() {
        on_each_database(async |app| {
            app.publish_first().await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            let ids = set(
                app,
                &lead,
                json!([words(&["holdme"], "hold"), words(&["spamme"], "spam"), words(&["logme"], "log")]),
            )
            .await;
            let held = app.post(&article, &form("holdme please")).await.expect(202);
            let spam = app.post(&article, &form("spamme please")).await.expect(202);
            let logged = app.post(&article, &form("logme please")).await.expect(201).json()["id"].as_i64().unwrap();
            let id = |answer: &Answer| answer.json()["id"].as_i64().unwrap();
            let token =
                |answer: &Answer| answer.json()["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let bare = |text: &str, of: &Answer| {
                text.replace(&token(of), "TOKEN").replace(&format!("\"id\":{}", id(of)), "\"id\":ID")
            };
            let head = |answer: &Answer| {
                let shown = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                    format!("{name}: {value:?}")
                };
                let mut lines: Vec<String> =
                    answer.headers.iter().filter(|(name, _)| *name != "date").map(shown).collect();
                lines.retain(|line| !line.starts_with("set-cookie"));
                bare(&lines.join("\n"), answer)
            };
            assert_eq!(bare(held.text(), &held), bare(spam.text(), &spam));
            assert_eq!(head(&held), head(&spam));
            let receipt = async |of: &Answer| {
                let receipt = app.get(&format!("/api/v1/receipts/{}", token(of))).await.expect(200);
                bare(receipt.text(), of).replace("holdme", "WORD").replace("spamme", "WORD")
            };
            assert_eq!(receipt(&held).await, receipt(&spam).await);
            let of = |answer: &Answer| format!("{QUEUE}/{}", id(answer));
            let seen = app.get_as(&lead, &of(&spam)).await.json();
            assert_eq!((&seen["status"], &seen["risk"]), (&json!("spam"), &json!(1.0)));
            let wanted = json!({ "verdict": "spam", "filter": null, "rules": [
                { "rule": ids[1].to_string(), "effect": "spam", "field": "text", "match": "spamme", "start": 0 }] });
            assert_eq!(seen["screening"], wanted);
            assert_eq!(seen["reasons"], json!([format!("Contains \"spamme\" (rule {}).", ids[1])]));
            let seen = one(app, &lead, logged).await;
            assert_eq!((&seen["status"], &seen["reasons"]), (&json!("approved"), &json!([])));
            assert_eq!(seen["screening"]["rules"][0]["effect"], "log");
        });
    }

    #[test]
    fn an_author_is_new_until_something_of_theirs_is_published() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            set(app, &lead, json!([{ "kind": "first_comment", "effect": "hold" }])).await;
            let post =
                async |text: &str, address| app.post_with(&article, &form(text), &[("x-forwarded-for", address)]).await;
            let first = post("one", "192.0.2.1").await.expect(202).json()["id"].as_i64().unwrap();
            post("two", "192.0.2.1").await.expect(202);
            app.approve(&lead, first).await;
            index_waiting(&app.app).await.expect("indexed");
            post("three", "192.0.2.1").await.expect(201);
            // An email alone proves nothing.
            post("four", "192.0.2.2").await.expect(202);
        });
    }

    #[test]
    fn what_staff_write_is_not_judged() {
        on_each_database(async |app| {
            app.publish_first().await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            set(app, &lead, json!([words(&["casino"], "spam")])).await;
            let id = app.post(&article, &form("a question")).await.expect(201).json()["id"].as_i64().unwrap();
            let path = format!("{QUEUE}/{id}/replies");
            let reply = app.request_as(&lead, Method::POST, &path).header("if-match", "\"1\"");
            Answer::of(reply.json(&json!({ "text": "The casino answers." }))).await.expect(201);
            let edit = app.request_as(&lead, Method::PATCH, &format!("{QUEUE}/{id}")).header("if-match", "\"1\"");
            Answer::of(edit.json(&json!({ "text": "about the casino", "reason": "clearer" }))).await.expect(200);
            assert_eq!(app.get(&format!("{article}/comments")).await.json()["items"][0]["replies"], 1);
        });
    }

    #[test]
    fn under_the_policy_screened_everything_waits_until_the_filter_has_learnt() {
        on_each_database(async |app| {
            let screened = SetSite { policy: Some(Policy::Screened), ..SetSite::default() };
            app.set_site("main", screened).await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            let id = app.post(&article, &form("hello")).await.expect(202).json()["id"].as_i64().unwrap();
            let seen = one(app, &lead, id).await;
            assert!(seen["reasons"][0].as_str().unwrap().contains("has not learnt enough"), "{seen}");
            assert_eq!(app.get_as(&lead, "/api/v1/sites/main/settings").await.json()["policy"], "screened");
        });
    }

    #[test]
    fn a_reviewer_without_emails_does_not_learn_them_from_hits() {
        on_each_database_with(&PROXY, async |app| {
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            let rules = json!([
                { "kind": "email", "emails": ["example.org"], "effect": "hold" },
                { "kind": "network", "networks": ["192.0.2.0/24"], "effect": "hold" },
                { "kind": "words", "words": ["ada"], "fields": ["email"], "effect": "hold" },
                { "kind": "regex", "pattern": "[a-z]+@", "fields": ["email"], "effect": "hold" },
            ]);
            set(app, &lead, rules).await;
            let posted =
                app.post_with(&article, &form("hello"), &[("x-forwarded-for", "192.0.2.77")]).await.expect(202);
            let path = format!("{QUEUE}/{}", posted.json()["id"]);
            let (seen, shown) =
                (app.get_as(&lead, &path).await.expect(200), app.get_as(&reviewer, &path).await.expect(200));
            let matches = |answer: &Answer| -> Vec<Value> {
                let all = answer.json()["screening"]["rules"].clone();
                all.as_array().unwrap().iter().map(|hit| hit["match"].clone()).collect()
            };
            assert_eq!(
                matches(&seen),
                ["ada@example.org", "192.0.2.77", "ada@example.org", "ada@example.org"].map(Value::from)
            );
            assert_eq!(matches(&shown), vec![Value::Null; 4]);
            for personal in ["example.org", "192.0.2.77", "ada@"] {
                assert!(!shown.text().contains(personal), "{personal}: {}", shown.text());
            }
            assert_eq!(shown.json()["reasons"], seen.json()["reasons"]);
            app.get_as(&reviewer, PATH).await.expect_problem(403, "forbidden");
        });
    }
}

mod finding {
    use super::*;

    #[test]
    fn the_queue_its_counts_and_decisions_about_many_are_filtered_by_what_held() {
        on_each_database(async |app| {
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            let ids = set(
                app,
                &lead,
                json!([words(&["casino"], "hold"), words(&["pills"], "hold"), words(&["fine"], "log")]),
            )
            .await;
            let both = app.posted(&article, &form("casino pills")).await;
            let casino = app.posted(&article, &form("the casino")).await;
            let fine = app.posted(&article, &form("fine")).await;
            let rule = |place: usize| format!("?rule={}", ids[place]);
            assert_eq!(queue(app, &lead, &rule(0)).await, [both, casino]);
            assert_eq!(queue(app, &lead, &rule(1)).await, [both]);
            assert_eq!(queue(app, &lead, &format!("{}&rule={}", rule(0), ids[1])).await, [both, casino]);
            assert_eq!(queue(app, &lead, &rule(2)).await, [0; 0], "a rule that only logs holds nothing");
            assert_eq!(queue(app, &lead, &format!("{}&q=pills&sort=newest", rule(0))).await, [both]);
            let counts = app.get_as(&lead, &format!("/api/v1/review/counts{}&rule={}", rule(0), ids[1])).await.json();
            assert_eq!(counts["items"], json!([{ "site": "main", "status": "pending", "count": 2 }]));
            let filter = json!({ "rule": [ids[0].to_string()] });
            let post = |path: &str, body: Value| app.request_as(&lead, Method::POST, path).json(&body);
            let preview = json!({ "decision": "spam", "filter": filter });
            let preview = Answer::of(post("/api/v1/review/decisions/preview", preview)).await.expect(200).json();
            assert_eq!((&preview["count"], &preview["sample"][0]["id"]), (&json!(2), &json!(both)));
            let many = json!({ "decision": "spam", "filter": filter, "expected_count": 2 });
            Answer::of(post("/api/v1/review/decisions", many)).await.expect(201);
            assert_eq!(queue(app, &lead, "").await, [fine]);
            assert_eq!(queue(app, &lead, &format!("{}&status=spam", rule(1))).await, [both]);
            assert_eq!(queue(app, &lead, "?rule=nobody&status=any").await, [0; 0]);
        });
    }
}

mod trying {
    use super::*;

    #[test]
    fn rules_are_tried_on_what_people_decided_and_change_nothing() {
        on_each_database(async |app| {
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            let ids = set(app, &lead, json!([words(&["casino"], "hold")])).await;
            let mut posted = Vec::new();
            for (text, decision) in [
                ("casino one", Some("spam")),
                ("casino two", Some("approve")),
                ("pills one", Some("reject")),
                ("pills two", None),
                ("a good one", Some("approve")),
            ] {
                let id = app.posted(&article, &form(text)).await;
                if let Some(decision) = decision {
                    app.decide(&lead, id, 1, decision).await.expect(201);
                }
                posted.push(id);
            }
            let changed = json!({ "rules": [
                { "id": ids[0], "kind": "words", "words": ["casino one"], "effect": "spam" }, words(&["pills"], "hold")] });
            let path = format!("{PATH}/try");
            let tried = Answer::of(app.request_as(&lead, Method::POST, &path).json(&changed)).await.expect(200).json();
            assert_eq!(tried["looked_at"], 5);
            let cell = |before: &str, after: &str, decided: Option<&str>, of: usize| json!({ "before": before, "after": after, "decided": decided, "count": 1, "sample": [posted[of]] });
            let cells = tried["cells"].as_array().unwrap();
            for wanted in [
                cell("hold", "spam", Some("spam"), 0),
                cell("hold", "publish", Some("approved"), 1),
                cell("publish", "hold", Some("rejected"), 2),
                cell("publish", "hold", None, 3),
                cell("publish", "publish", Some("approved"), 4),
            ] {
                assert!(cells.contains(&wanted), "{wanted} in {tried}");
            }
            assert_eq!(cells.len(), 5);
            let hits = json!([{ "id": ids[0], "hits": 1, "approved": 0, "refused": 1 }, { "id": null, "hits": 2, "approved": 0, "refused": 1 }]);
            assert_eq!(tried["rules"], hits);
            let last = json!({ "rules": [], "last": 2 });
            let tried = Answer::of(app.request_as(&lead, Method::POST, &path).json(&last)).await.expect(200).json();
            assert_eq!((&tried["looked_at"], &tried["rules"]), (&json!(2), &json!([])));
            let wrong = json!({ "rules": [{ "kind": "regex", "pattern": "(", "effect": "hold" }], "last": 10_001 });
            Answer::of(app.request_as(&lead, Method::POST, &path).json(&wrong))
                .await
                .expect_faults(&[("/last", "range")]);
            assert_eq!(one(app, &lead, posted[3]).await["version"], 1);
            assert_eq!(app.get_as(&lead, PATH).await.json()["rules"][0]["words"], json!(["casino"]));
        });
    }
}

mod applying_anew {
    use super::*;

    #[test]
    fn what_waits_is_judged_anew_and_what_people_touched_is_not() {
        on_each_database(async |app| {
            app.publish_first().await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            let ids = set(app, &lead, json!([words(&["casino", "pills", "hello"], "hold")])).await;
            let casino = app.posted(&article, &form("the casino")).await;
            let pills = app.posted(&article, &form("the pills")).await;
            let hello = app.posted(&article, &form("hello there")).await;
            // A person has decided about these, and changed the words of the last.
            let approved = app.posted(&article, &form("casino, approved")).await;
            app.approve(&lead, approved).await;
            let kept = app.posted(&article, &form("casino, held again")).await;
            app.approve(&lead, kept).await;
            app.decide(&lead, kept, 2, "hold").await.expect(201);
            let edited = app.posted(&article, &form("casino, edited")).await;
            let edit = app.request_as(&lead, Method::PATCH, &format!("{QUEUE}/{edited}")).header("if-match", "\"1\"");
            Answer::of(edit.json(&json!({ "text": "the casino, edited", "reason": "clearer" }))).await.expect(200);
            assert_eq!(app.get(&format!("{article}/comments")).await.json()["items"].as_array().unwrap().len(), 1);

            let new = set(app, &lead, json!([words(&["casino"], "spam"), words(&["pills"], "hold")])).await;
            let done = rerun(app, &lead).await;
            assert_eq!(
                (&done["total"], &done["published"], &done["spam"]),
                (&json!(5), &json!(1), &json!(1)),
                "{done}"
            );
            assert_eq!(done["done"], done["total"]);

            let seen = one(app, &lead, casino).await;
            assert_eq!((&seen["status"], &seen["version"]), (&json!("spam"), &json!(2)));
            let reason = format!("Contains \"casino\" (rule {}).", new[0]);
            let line = &seen["decisions"][1];
            assert_eq!((&line["by"], &line["from"], &line["to"]), (&Value::Null, &json!("pending"), &json!("spam")));
            assert_eq!((&line["note"], &seen["reasons"][0]), (&json!(reason), &json!(reason)));
            assert_eq!(
                (&seen["screening"]["verdict"], &seen["decisions"][0]["to"]),
                (&json!("spam"), &json!("pending"))
            );

            let seen = one(app, &lead, pills).await;
            assert_eq!((&seen["status"], &seen["version"]), (&json!("pending"), &json!(1)));
            assert_eq!(seen["reasons"], json!([format!("Contains \"pills\" (rule {}).", new[1])]));
            assert_eq!(queue(app, &lead, &format!("?rule={}", new[1])).await, [pills]);

            let seen = one(app, &lead, hello).await;
            assert_eq!((&seen["status"], &seen["screening"]), (&json!("approved"), &Value::Null));
            assert_eq!(seen["decisions"][0]["to"], "pending", "how it began is still told");
            assert_eq!(app.get(&format!("{article}/comments")).await.json()["items"].as_array().unwrap().len(), 2);
            for (id, status, version) in [(approved, "approved", 2), (kept, "pending", 3), (edited, "pending", 2)] {
                let seen = one(app, &lead, id).await;
                assert_eq!((&seen["status"], &seen["version"]), (&json!(status), &json!(version)), "{seen}");
                assert_eq!(seen["screening"]["rules"][0]["rule"], json!(ids[0].to_string()));
            }
            let again = rerun(app, &lead).await;
            assert_eq!((&again["total"], &again["published"], &again["spam"]), (&json!(3), &json!(0), &json!(0)));
            app.sealed().await;
            let log = app.get_as(&lead, "/api/v1/audit?action=rules-rerun").await.expect(200).json();
            assert_eq!(log["items"].as_array().unwrap().len(), 2, "{log}");
            app.get_as(&lead, &format!("{PATH}/rerun/4711000")).await.expect_problem(404, "not-found");
        });
    }

    #[test]
    fn whatever_else_holds_a_comment_still_does() {
        on_each_database(async |app| {
            app.publish_first().await;
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            set(app, &lead, json!([words(&["casino"], "hold")])).await;
            let mut body = form("the casino");
            body["name"] = json!("Staff");
            let id = app.posted(&article, &body).await;
            assert_eq!(one(app, &lead, id).await["reasons"].as_array().unwrap().len(), 2);
            set(app, &lead, json!([])).await;
            let done = rerun(app, &lead).await;
            assert_eq!((&done["total"], &done["published"]), (&json!(1), &json!(0)));
            let seen = one(app, &lead, id).await;
            assert_eq!((&seen["status"], seen["reasons"].as_array().unwrap().len()), (&json!("pending"), 1));
            assert_eq!(seen["screening"]["rules"][0]["rule"], "staff");
        });
    }

    #[test]
    fn more_than_a_chunk_is_done_to_the_end() {
        on_each_database(async |app| {
            let (lead, article) = (app.person("lead", Role::Lead, &["main"]).await, app.article("a").await);
            for number in 0..450 {
                app.posted(&article, &form(&format!("the casino {number}"))).await;
            }
            set(app, &lead, json!([words(&["casino"], "spam")])).await;
            let done = rerun(app, &lead).await;
            assert_eq!((&done["total"], &done["done"], &done["spam"]), (&json!(450), &json!(450), &json!(450)));
            assert_eq!(queue(app, &lead, "").await, [0; 0]);
        });
    }
}
