//! A site's settings: `src/sites/settings.rs`, and that each does what it says.

use rejoinder::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, eventually, form, on_each_database};

const PATH: &str = "/api/v1/sites/main/settings";

async fn put(app: &TestApp, person: &Person, body: &Value) -> Answer {
    Answer::of(app.request_as(person, Method::PUT, PATH).json(body)).await
}

async fn set(app: &TestApp, person: &Person, body: &Value) -> Value {
    put(app, person, body).await.expect(200).json()
}

async fn settings(app: &TestApp, person: &Person) -> Value {
    app.get_as(person, PATH).await.expect(200).json()
}

fn usual() -> Value {
    let reason = |(key, label): (&str, &str)| json!({ "key": key, "label": label, "message": null });
    let reasons = [
        ("offensive", "Offensive"),
        ("abusive", "Abusive"),
        ("spam", "Spam"),
        ("advertising", "Advertising"),
        ("off-topic", "Off topic"),
        ("personal-data", "Personal data"),
        ("illegal", "Illegal"),
        ("misinformation", "Misinformation"),
        ("hate", "Hate"),
        ("duplicate", "Duplicate"),
        ("other", "Other"),
    ];
    json!({
        "policy": "hold_all",
        "required": ["name", "email"],
        "max_depth": 5,
        "order": "oldest",
        "close_after_days": null,
        "hours": null,
        "edit_minutes": 0,
        "reasons": reasons.map(reason),
        "four_eyes": [],
        "report_threshold": 3,
        "budget": 0.01,
        "outside": { "akismet": null, "webhook": null, "time_limit_ms": 2000 },
    })
}

fn everything() -> Value {
    json!({
        "policy": "publish_first",
        "required": ["email"],
        "max_depth": 2,
        "order": "newest",
        "close_after_days": 14,
        "hours": { "from": "08:00", "until": "22:30", "timezone": "Europe/Paris" },
        "edit_minutes": 15,
        "reasons": [
            { "key": "rude", "label": "Rude <b>", "message": "Please stay polite.\nThe team" },
            { "key": "hate", "label": "Hate", "message": null },
        ],
        "four_eyes": ["hate"],
        "report_threshold": 0,
        "budget": 0.005,
        "outside": { "akismet": null, "webhook": null, "time_limit_ms": 500 },
    })
}

mod putting {
    use super::*;

    #[test]
    fn what_is_put_replaces_all_there_was_and_reads_back() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let first = app.get_as(&admin, PATH).await.expect(200);
            assert_eq!(first.header("cache-control"), Some("no-store"));
            assert_eq!(first.json(), usual());
            let answer = put(app, &admin, &everything()).await.expect(200);
            assert_eq!(answer.json(), everything());
            let read = app.get_as(&admin, PATH).await;
            assert_eq!(read.json(), everything());
            assert_eq!(read.header("etag"), answer.header("etag"));
            // What is read may be put back as it is.
            assert_eq!(set(app, &admin, &read.json()).await, everything());
            // What is not said goes back to what it is when nobody says.
            let mut wanted = usual();
            wanted["order"] = json!("top");
            assert_eq!(set(app, &admin, &json!({ "order": "top", "hours": null })).await, wanted);
            assert_eq!(set(app, &admin, &json!({ "close_after_days": null })).await, usual());
            let last = app.get_as(&admin, PATH).await;
            assert_eq!(last.header("etag"), first.header("etag"));
        });
    }

    #[test]
    fn every_wrong_field_is_named_at_once_and_nothing_is_changed() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let body = json!({
                "policy": "sometimes", "required": ["name", "phone"], "max_depth": 0, "order": "random",
                "close_after_days": 0, "hours": { "from": "8:00", "until": "25:00", "timezone": "Mars/Crater", "days": [] },
                "edit_minutes": -1, "reasons": [{ "key": "A b", "label": "x" }, { "label": 1, "text": "x" }, { "key": "c", "label": " " }],
                "four_eyes": ["c", "none"], "report_threshold": 1.5, "budget": 0.11, "max_dept": 3,
            });
            put(app, &admin, &body).await.expect_faults(&[
                ("/policy", "choice"),
                ("/required/1", "choice"),
                ("/max_depth", "range"),
                ("/order", "choice"),
                ("/close_after_days", "range"),
                ("/hours/from", "format"),
                ("/hours/until", "format"),
                ("/hours/timezone", "timezone"),
                ("/hours/days", "unknown"),
                ("/edit_minutes", "range"),
                ("/reasons/0/key", "format"),
                ("/reasons/1/key", "required"),
                ("/reasons/1/label", "type"),
                ("/reasons/1/text", "unknown"),
                ("/reasons/2/label", "blank"),
                ("/four_eyes/1", "choice"),
                ("/report_threshold", "type"),
                ("/budget", "range"),
                ("/max_dept", "unknown"),
            ]);
            put(app, &admin, &json!({})).await.expect_faults(&[("", "required")]);
            let reason = |key: &str| json!({ "key": key, "label": "A label" });
            for (name, value, pointer, code) in [
                ("policy", json!("publish"), "/policy", "choice"),
                ("policy", json!(1), "/policy", "type"),
                ("required", json!("name"), "/required", "type"),
                ("max_depth", json!(11), "/max_depth", "range"),
                ("max_depth", json!("5"), "/max_depth", "type"),
                ("close_after_days", json!(3_651), "/close_after_days", "range"),
                ("policy", json!(null), "/policy", "type"),
                ("reasons", json!(null), "/reasons", "type"),
                ("budget", json!(null), "/budget", "type"),
                ("hours", json!("08:00-22:00"), "/hours", "type"),
                ("hours", json!({ "from": "08:00", "until": "08:00", "timezone": "UTC" }), "/hours/until", "range"),
                ("hours", json!({ "from": "08:00", "until": "22:00" }), "/hours/timezone", "required"),
                ("edit_minutes", json!(10_081), "/edit_minutes", "range"),
                ("edit_minutes", json!(9_999_999_999_u64), "/edit_minutes", "range"),
                ("reasons", json!(["hate"]), "/reasons/0", "type"),
                ("reasons", json!(vec![reason("a"); 51]), "/reasons", "too_many"),
                ("reasons", json!([reason("a"), reason("a")]), "/reasons/1/key", "repeated"),
                (
                    "reasons",
                    json!([{ "key": "a", "label": "x".repeat(101) }]),
                    "/reasons/0/label",
                    "too_many_characters",
                ),
                ("reasons", json!([{ "key": "a", "label": "a\nb" }]), "/reasons/0/label", "control_character"),
                ("reasons", json!([{ "key": "a", "label": "a\u{0}b" }]), "/reasons/0/label", "nul_character"),
                (
                    "reasons",
                    json!([{ "key": "a", "label": "A", "message": "é".repeat(2_001) }]),
                    "/reasons/0/message",
                    "too_many_characters",
                ),
                ("four_eyes", json!(["hate", "hate"]), "/four_eyes/1", "repeated"),
                ("four_eyes", json!(["rude"]), "/four_eyes/0", "choice"),
                ("report_threshold", json!(1_001), "/report_threshold", "range"),
                ("budget", json!(-0.001), "/budget", "range"),
                ("budget", json!("0.01"), "/budget", "type"),
            ] {
                let mut body = json!({});
                body[name] = value;
                put(app, &admin, &body).await.expect_faults(&[(pointer, code)]);
            }
            app.get_as(&admin, &format!("{PATH}?x=1")).await.expect_faults(&[("/x", "unknown")]);
            assert_eq!(settings(app, &admin).await, usual());
        });
    }

    #[test]
    fn who_read_an_older_version_is_told_and_changes_nothing() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let read = app.get_as(&admin, PATH).await;
            let tag = read.header("etag").unwrap().to_owned();
            let with_tag = async |tag: &str, body: &Value| {
                Answer::of(app.request_as(&admin, Method::PUT, PATH).header("if-match", tag).json(body)).await
            };
            let first = with_tag(&tag, &json!({ "max_depth": 3 })).await.expect(200);
            let problem = with_tag(&tag, &json!({ "max_depth": 4 })).await.expect_problem(412, "stale");
            assert_eq!(problem["current"]["max_depth"], 3);
            with_tag("\"7\", W/\"8\"", &json!({ "max_depth": 4 })).await.expect_problem(412, "stale");
            with_tag("7", &json!({ "max_depth": 4 })).await.expect_problem(400, "unreadable");
            assert_eq!(settings(app, &admin).await["max_depth"], 3);
            with_tag(first.header("etag").unwrap(), &json!({ "max_depth": 4 })).await.expect(200);
            with_tag("*", &json!({ "max_depth": 6 })).await.expect(200);
        });
    }

    #[test]
    fn of_many_who_read_the_same_version_one_puts() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let tag = app.get_as(&admin, PATH).await.header("etag").unwrap().to_owned();
            let attempts = (1..9).map(|number| {
                let request = app.request_as(&admin, Method::PUT, PATH).header("if-match", &tag);
                Answer::of(request.json(&json!({ "edit_minutes": number })))
            });
            let answers = futures_util::future::join_all(attempts).await;
            let count = |wanted: u16| answers.iter().filter(|answer| answer.status == wanted).count();
            assert_eq!((count(200), count(412)), (1, 7));
        });
    }

    #[test]
    fn leads_change_moderators_read_and_only_on_their_sites() {
        on_each_database(async |app| {
            app.site("second").await;
            let (moderator, lead) = (app.moderator().await, app.person("lead", Role::Lead, &["main"]).await);
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            set(app, &lead, &everything()).await;
            assert_eq!(settings(app, &moderator).await, everything());
            put(app, &moderator, &everything()).await.expect_problem(403, "forbidden");
            app.get_as(&reviewer, PATH).await.expect_problem(403, "forbidden");
            for site in ["second", "none"] {
                let path = format!("/api/v1/sites/{site}/settings");
                app.get_as(&lead, &path).await.expect_problem(404, "not-found");
                let put = app.request_as(&lead, Method::PUT, &path).json(&everything());
                Answer::of(put).await.expect_problem(404, "not-found");
            }
            assert_eq!(settings(app, &lead).await, everything());
        });
    }

    #[test]
    fn the_log_says_what_changed_from_what_to_what() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            set(app, &admin, &json!({ "max_depth": 3, "budget": 0.02 })).await;
            set(app, &admin, &json!({ "max_depth": 3, "budget": 0.02 })).await;
            app.sealed().await;
            let log = app.get_as(&admin, "/api/v1/audit?action=site-changed").await.expect(200).json();
            assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
            let wanted = json!({ "max_depth": { "from": 5, "to": 3 }, "budget": { "from": 0.01, "to": 0.02 } });
            assert_eq!(log["items"][0]["facts"], wanted);
            assert_eq!(log["items"][0]["by"]["username"], "admin");
        });
    }
}

mod policy {
    use super::*;

    #[test]
    fn publish_first_and_required_fields_count_at_once() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            app.post(&article, &form("held")).await.expect(202);
            set(app, &admin, &json!({ "policy": "publish_first", "required": [] })).await;
            app.post(&article, &json!({ "comment": "no name" })).await.expect(201);
            assert_eq!(app.get(&article).await.json()["form"]["required"], json!(["comment"]));
            set(app, &admin, &json!({ "required": ["email"] })).await;
            app.post(&article, &json!({ "comment": "again" })).await.expect_faults(&[("/email", "required")]);
            app.post(&article, &form("held again")).await.expect(202);
        });
    }

    /// Nobody can be verified yet, so nobody is published by it.
    #[test]
    fn trusting_the_verified_holds_everyone_and_says_why() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            set(app, &admin, &json!({ "policy": "trust_verified" })).await;
            let approved = app.posted(&article, &form("a first one")).await;
            app.approve(&admin, approved).await;
            let id = app.post(&article, &form("another")).await.expect(202).json()["id"].clone();
            let item = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
            let why = "Only authors with a verified record are published at once here; this author has none.";
            assert_eq!(item["reasons"], json!([why]));
        });
    }

    #[test]
    fn a_thread_goes_as_deep_as_it_may_by_now() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            set(app, &admin, &json!({ "policy": "publish_first", "max_depth": 1 })).await;
            let root = app.posted(&article, &form("a root")).await;
            let mut reply = form("a reply");
            reply["parent_id"] = json!(root);
            app.post(&article, &reply).await.expect_faults(&[("/parent_id", "parent")]);
            set(app, &admin, &json!({ "policy": "publish_first", "max_depth": 2 })).await;
            app.post(&article, &reply).await.expect(201);
        });
    }
}

mod order {
    use super::*;

    #[test]
    fn readers_who_do_not_say_get_the_order_of_the_site() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            set(app, &admin, &json!({ "policy": "publish_first" })).await;
            let mut ids = Vec::new();
            for text in ["one", "two", "three"] {
                app.advance(1);
                ids.push(app.posted(&article, &form(text)).await);
            }
            let mut reply = form("a reply to two");
            reply["parent_id"] = json!(ids[1]);
            app.posted(&article, &reply).await;
            let order = async |query: &str| -> Vec<i64> {
                let page = app.get(&format!("{article}/comments{query}")).await.expect(200).json();
                page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
            };
            let on_page = async || {
                let html = app.get("/sites/main/articles/a").await.expect(200).text().to_owned();
                let mut places: Vec<(usize, i64)> =
                    ids.iter().map(|id| (html.find(&format!("id=\"comment-{id}\"")).unwrap(), *id)).collect();
                places.sort_unstable();
                places.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
            };
            let [one, two, three] = ids[..] else { panic!("{ids:?}") };
            for (word, wanted) in
                [("oldest", [one, two, three]), ("newest", [three, two, one]), ("top", [two, one, three])]
            {
                set(app, &admin, &json!({ "policy": "publish_first", "order": word })).await;
                assert_eq!(order("").await, wanted, "{word}");
                assert_eq!(on_page().await, wanted, "{word}");
                assert_eq!(order("?sort=oldest").await, [one, two, three], "{word}");
                // The link to the next page says the order, so that it stays one list.
                let first = app.get(&format!("{article}/comments?limit=2")).await;
                let link = first.header("link").unwrap().to_owned();
                assert!(link.contains(&format!("sort={word}")), "{link}");
                let next = link.trim_start_matches('<').split('>').next().unwrap().strip_prefix(&app.base).unwrap();
                assert_eq!(app.get(next).await.expect(200).json()["items"][0]["id"], wanted[2], "{word}");
            }
        });
    }

    #[test]
    fn an_article_that_is_not_there_is_404_whatever_the_order() {
        on_each_database(async |app| {
            for query in ["", "?sort=newest", "?view=flat"] {
                let path = format!("/api/v1/sites/main/articles/none/comments{query}");
                app.get(&path).await.expect_problem(404, "not-found");
            }
        });
    }
}

mod opening {
    use super::*;

    /// It is 12:00 UTC, 13:00 in Paris.
    fn hours(from: &str, until: &str) -> Value {
        json!({ "hours": { "from": from, "until": until, "timezone": "Europe/Paris" } })
    }

    #[test]
    fn outside_its_hours_a_site_takes_no_comments_and_says_from_when_it_does() {
        on_each_database(async |app| {
            let (admin, article) = (app.admin().await, app.article("a").await);
            set(app, &admin, &hours("08:00", "13:00")).await;
            let problem = app.post(&article, &form("late")).await.expect_problem(403, "comments-closed");
            assert_eq!(problem["opens_at"], "2026-11-25T07:00:00.000Z");
            let head = app.get(&article).await.expect(200).json();
            let names = ["comments_open", "comments_open_at", "comments_close_at"];
            assert_eq!(
                names.map(|name| head[name].clone()),
                [json!(false), json!("2026-11-25T07:00:00.000Z"), json!(null)]
            );
            let page = app.get("/sites/main/articles/a").await.expect(200);
            assert!(page.text().contains("You can comment again from 25 November 2026, 07:00 UTC."), "{}", page.text());
            assert!(!page.text().contains("<form"));

            set(app, &admin, &hours("08:00", "13:01")).await;
            app.post(&article, &form("in time")).await.expect(202);
            let head = app.get(&article).await.json();
            assert_eq!((&head["comments_open"], &head["comments_open_at"]), (&json!(true), &json!(null)));
            assert!(app.get("/sites/main/articles/a").await.text().contains("<form"));
            app.advance(60);
            app.post(&article, &form("a minute late")).await.expect_problem(403, "comments-closed");
            // Replies cannot be begun on the page either, nor is what was kept of it before shown.
            assert!(!app.get("/sites/main/articles/a").await.text().contains("<form"));
            set(app, &admin, &hours("22:00", "13:30")).await;
            app.post(&article, &form("over midnight")).await.expect(202);
        });
    }

    #[test]
    fn an_article_closes_so_many_days_after_it_was_made() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            set(app, &admin, &json!({ "close_after_days": 2 })).await;
            let head = app.get(&article).await.json();
            assert_eq!(
                (&head["comments_open"], &head["comments_close_at"]),
                (&json!(true), &json!("2026-11-26T12:00:00.000Z"))
            );
            app.advance(2 * 86_400 - 1);
            app.post(&article, &form("in time")).await.expect(202);
            app.advance(1);
            let problem = app.post(&article, &form("late")).await.expect_problem(403, "comments-closed");
            assert_eq!(problem["opens_at"], json!(null));
            assert_eq!(app.get(&article).await.json()["comments_open"], false);
            let page = app.get("/sites/main/articles/a").await.text().to_owned();
            assert!(page.contains("Comments on this article are closed.") && !page.contains("<form"));
            // Putting it again makes it no younger; a time of its own comes before the site's.
            app.change_article("a", true, None).await;
            app.post(&article, &form("late")).await.expect_problem(403, "comments-closed");
            app.change_article("a", true, rejoinder::kit::clock::Millis::parse_rfc3339("2026-12-24T00:00:00Z")).await;
            app.post(&article, &form("open again")).await.expect(202);
            app.article("b").await;
            let head = app.get("/api/v1/sites/main/articles/b").await.json();
            assert_eq!(head["comments_close_at"], "2026-11-28T12:00:00.000Z");
        });
    }
}

mod reasons {
    use super::*;

    fn own() -> Value {
        json!({ "reasons": [
            { "key": "rude", "label": "Rude <words>", "message": "Please stay polite." },
            { "key": "spam", "label": "Spam" },
            { "key": "hate", "label": "Against our rules", "message": null },
        ] })
    }

    /// Posts and decides; the decision and the author's receipt.
    async fn decided(app: &TestApp, person: &Person, text: &str, body: &Value) -> (Value, Value, String) {
        let article = app.article("a").await;
        let posted = app.post(&article, &form(text)).await.expect(202).json();
        let id = posted["id"].as_i64().unwrap();
        let decision = app.decide_with(person, id, 1, body).await.expect(201).json();
        let token = posted["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let receipt = app.get(&format!("/api/v1/receipts/{token}")).await.expect(200).json();
        let page = app.get(&format!("/receipts/{token}")).await.expect(200).text().to_owned();
        (decision, receipt, page)
    }

    #[test]
    fn a_decision_takes_the_reasons_of_its_site_alone() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            set(app, &admin, &own()).await;
            app.site("second").await;
            let (here, there) = (app.article("a").await, app.article_on("second", "a").await);
            let (here, there) = (app.posted(&here, &form("here")).await, app.posted(&there, &form("there")).await);
            let reject = |reason: &str| json!({ "decision": "reject", "reason": reason });
            for wrong in ["off-topic", "Rude", "rude ", ""] {
                app.decide_with(&admin, here, 1, &reject(wrong)).await.expect_faults(&[("/reason", "choice")]);
            }
            app.decide_with(&admin, there, 1, &reject("rude")).await.expect_faults(&[("/reason", "choice")]);
            // With everything else that is wrong.
            let body = json!({ "decision": "x", "reason": "off-topic" });
            app.decide_with(&admin, here, 1, &body)
                .await
                .expect_faults(&[("/decision", "choice"), ("/reason", "choice")]);
            app.decide_with(&admin, here, 1, &reject("rude")).await.expect(201);
            app.decide_with(&admin, there, 1, &reject("off-topic")).await.expect(201);
        });
    }

    #[test]
    fn the_author_is_told_what_the_site_says_for_the_reason_when_the_moderator_says_nothing() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            set(app, &admin, &own()).await;
            let body = json!({ "decision": "reject", "reason": "rude" });
            let (decision, receipt, page) = decided(app, &admin, "one", &body).await;
            assert_eq!(decision["message"], "Please stay polite.");
            assert_eq!((&receipt["reason"], &receipt["message"]), (&json!("rude"), &json!("Please stay polite.")));
            assert!(page.contains("Rude &#60;words&#62;") && page.contains("Please stay polite."), "{page}");

            let body = json!({ "decision": "reject", "reason": "rude", "message": "My own words." });
            let (_, receipt, page) = decided(app, &admin, "two", &body).await;
            assert_eq!(receipt["message"], "My own words.");
            assert!(!page.contains("stay polite"));

            let body = json!({ "decision": "reject", "reason": "hate" });
            let (decision, _, page) = decided(app, &admin, "three", &body).await;
            assert_eq!(decision["message"], json!(null));
            assert!(page.contains("Against our rules"), "{page}");

            // Who is approved, waits or is taken for spam is not told why they were rejected.
            for what in ["approve", "spam"] {
                let body = json!({ "decision": what, "reason": "rude" });
                let (decision, receipt, _) = decided(app, &admin, what, &body).await;
                assert_eq!((&decision["message"], &receipt["message"]), (&json!(null), &json!(null)), "{what}");
            }
        });
    }

    #[test]
    fn what_was_said_stays_when_the_site_says_something_else() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            set(app, &admin, &own()).await;
            let article = app.article("a").await;
            let posted = app.post(&article, &form("one")).await.expect(202).json();
            let id = posted["id"].as_i64().unwrap();
            let path = format!("/api/v1/review/comments/{id}/decisions");
            let decide = async || {
                let request = app.request_as(&admin, Method::POST, &path).header("if-match", "\"1\"");
                let request = request.header("idempotency-key", "the same");
                Answer::of(request.json(&json!({ "decision": "reject", "reason": "rude" }))).await
            };
            let first = decide().await.expect(201).json();
            set(app, &admin, &json!({ "max_depth": 5 })).await;
            // The same request again is answered alike, though there is no such reason now.
            assert_eq!(decide().await.expect(201).json(), first);
            let token = posted["receipt_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let page = app.get(&format!("/receipts/{token}")).await.expect(200);
            assert!(page.text().contains("Please stay polite.") && page.text().contains("rude"), "{}", page.text());
        });
    }
}

/// What another program changes, such as the command line or another node, is seen here within a second.
#[test]
fn what_another_program_changes_is_seen_soon() {
    on_each_database(async |app| {
        let article = app.article("a").await;
        app.post(&article, &form("held")).await.expect(202);
        let other = rejoinder::store::Store::open(&app.database.url()).expect("a second opening");
        let changed = other.write(|conn| {
            use diesel::prelude::*;
            use rejoinder::store::schema::sites;
            let closed = r#"{"hours": {"from": "00:00", "until": "00:01", "timezone": "UTC"}}"#;
            let update = diesel::update(sites::table.filter(sites::key.eq("main"))).set(sites::settings.eq(closed));
            Ok::<_, rejoinder::store::StoreError>(update.execute(conn)?)
        });
        changed.await.expect("a change");
        let count = std::sync::atomic::AtomicUsize::new(0);
        eventually("it is closed", async || {
            let text = format!("number {}", count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            app.post(&article, &form(&text)).await.status == 403
        })
        .await;
    });
}
