//! Figures of the desk and the transparency report: `src/review/stats.rs`, `src/review/transparency.rs`.

use rejoinder::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

const STATS: &str = "/api/v1/review/stats";
const REPORT: &str = "/api/v1/sites/main/transparency";
const HELD: &str = "Every comment here waits for a moderator.";

async fn stats(app: &TestApp, person: &Person) -> Value {
    app.get_as(person, STATS).await.expect(200).json()
}

async fn report(app: &TestApp, person: &Person, month: &str) -> Value {
    app.get_as(person, &format!("{REPORT}?month={month}")).await.expect(200).json()
}

async fn csv(app: &TestApp, person: &Person, accept: &str) -> Answer {
    Answer::of(app.request_as(person, Method::GET, &format!("{REPORT}?month=2026-11")).header("accept", accept)).await
}

/// Posts a comment, lets time pass, decides.
async fn decided(app: &TestApp, person: &Person, article: &str, seconds: u64, body: &Value) -> i64 {
    let id = app.posted(article, &form(&format!("waits {seconds} for {body}"))).await;
    app.advance(seconds);
    app.decide_with(person, id, 1, body).await.expect(201);
    id
}

mod stats {
    use super::*;

    #[test]
    fn an_empty_desk_has_empty_figures() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let answer = app.get_as(&moderator, STATS).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let wanted = json!({
                "pending": 0, "oldest_pending": null, "decisions": [], "median_seconds_to_decision": null, "agreement": null,
            });
            assert_eq!(answer.json(), wanted);
            app.get_as(&moderator, &format!("{STATS}?days=7")).await.expect_faults(&[("/days", "unknown")]);
        });
    }

    #[test]
    fn what_waits_and_who_decided_how_many_on_which_day() {
        on_each_database(async |app| {
            let (ada, bob) = (app.moderator().await, app.person("bob", Role::Moderator, &["main"]).await);
            let article = app.article("a").await;
            app.posted(&article, &form("waits longest")).await;
            app.advance(10);
            app.posted(&article, &form("waits too")).await;
            let approve = json!({ "decision": "approve" });
            let id = decided(app, &ada, &article, 30, &approve).await;
            decided(app, &ada, &article, 10, &approve).await;
            decided(app, &bob, &article, 20, &json!({ "decision": "spam" })).await;
            // A second thought is a decision, but nobody waited for it.
            app.advance(5_000);
            let bob = app.sign_in("bob").await;
            app.decide(&bob, id, 2, "reject").await.expect(201);
            app.advance(86_400);
            let bob = app.sign_in("bob").await;
            decided(app, &bob, &article, 40, &approve).await;
            let found = stats(app, &bob).await;
            assert_eq!(found["pending"], 2);
            assert_eq!(found["oldest_pending"], "2026-11-24T12:00:00.000Z");
            let line =
                |moderator: &str, day: &str, count: i64| json!({ "moderator": moderator, "day": day, "count": count });
            let wanted =
                [line("bob", "2026-11-24", 2), line("moderator", "2026-11-24", 2), line("bob", "2026-11-25", 1)];
            assert_eq!(found["decisions"], json!(wanted));
            // Of 10, 20, 30 and 40, of the two in the middle the shorter.
            assert_eq!(found["median_seconds_to_decision"], 20);
        });
    }

    #[test]
    fn they_go_back_thirty_days() {
        on_each_database(async |app| {
            let (moderator, article) = (app.moderator().await, app.article("a").await);
            decided(app, &moderator, &article, 7, &json!({ "decision": "approve" })).await;
            for (days, lines) in [(29, 1), (1, 0)] {
                app.advance(days * 86_400);
                let moderator = app.sign_in("moderator").await;
                let found = stats(app, &moderator).await;
                assert_eq!(found["decisions"].as_array().unwrap().len(), lines, "{found}");
                assert_eq!(found["median_seconds_to_decision"].is_null(), lines == 0);
            }
        });
    }

    #[test]
    fn everybody_sees_the_figures_of_their_sites_alone() {
        on_each_database(async |app| {
            app.site("second").await;
            let (admin, moderator) = (app.admin().await, app.moderator().await);
            let nobody = app.person("nobody", Role::Moderator, &[]).await;
            let (main, second) = (app.article("a").await, app.article_on("second", "a").await);
            app.posted(&second, &form("theirs")).await;
            decided(app, &admin, &second, 10, &json!({ "decision": "approve" })).await;
            app.posted(&main, &form("ours")).await;
            let all = stats(app, &admin).await;
            assert_eq!((&all["pending"], &all["oldest_pending"]), (&json!(2), &json!("2026-11-24T12:00:00.000Z")));
            assert_eq!((&all["decisions"][0]["count"], &all["median_seconds_to_decision"]), (&json!(1), &json!(10)));
            let ours = stats(app, &moderator).await;
            assert_eq!((&ours["pending"], &ours["oldest_pending"]), (&json!(1), &json!("2026-11-24T12:00:10.000Z")));
            assert_eq!((&ours["decisions"], &ours["median_seconds_to_decision"]), (&json!([]), &json!(null)));
            assert_eq!(stats(app, &nobody).await["pending"], 0);
        });
    }
}

mod transparency {
    use super::*;

    #[test]
    fn a_month_in_numbers_and_nobody_named() {
        on_each_database(async |app| {
            app.site("second").await;
            let (admin, moderator) = (app.admin().await, app.person("marguerite", Role::Moderator, &["main"]).await);
            let article = app.article("a").await;
            app.posted(&article, &form("waits")).await;
            let reject = json!({ "decision": "reject", "reason": "off-topic" });
            decided(app, &moderator, &article, 10, &reject).await;
            decided(app, &admin, &article, 30, &reject).await;
            let id = decided(app, &moderator, &article, 50, &json!({ "decision": "approve" })).await;
            app.decide_with(&moderator, id, 2, &json!({ "decision": "spam", "reason": "spam" })).await.expect(201);
            app.publish_first().await;
            app.post(&article, &form("at once")).await.expect(201);
            // What another site did, and another month, is not in it.
            let other = app.article_on("second", "a").await;
            decided(app, &admin, &other, 1, &reject).await;
            app.advance(30 * 86_400);
            app.post(&article, &form("in December")).await.expect(201);
            let moderator = app.sign_in("marguerite").await;
            let found = report(app, &moderator, "2026-11").await;
            let wanted = json!({
                "site": "main", "month": "2026-11", "received": 5, "verdicts": { "publish": 1, "hold": 4 },
                "held_because": [{ "of": HELD, "count": 4 }],
                "decisions": [{ "of": "approved", "count": 1 }, { "of": "rejected", "count": 2 }, { "of": "spam", "count": 1 }],
                "reasons": [{ "of": null, "count": 1 }, { "of": "off-topic", "count": 2 }, { "of": "spam", "count": 1 }],
                "undone": 0, "people": 2, "without_people": 0, "appeals": 0, "median_seconds_to_decision": 30,
            });
            assert_eq!(found, wanted);
            assert!(!found.to_string().contains("marguerite") && !found.to_string().contains("admin"));
            let december = app.get_as(&moderator, REPORT).await.expect(200).json();
            assert_eq!((&december["month"], &december["received"]), (&json!("2026-12"), &json!(1)));
            let nothing = report(app, &moderator, "2031-01").await;
            assert_eq!((&nothing["received"], &nothing["median_seconds_to_decision"]), (&json!(0), &json!(null)));
        });
    }

    #[test]
    fn as_csv_it_has_a_line_for_each_number_and_no_formulas() {
        on_each_database(async |app| {
            let (moderator, article) = (app.moderator().await, app.article("a").await);
            let id =
                decided(app, &moderator, &article, 10, &json!({ "decision": "reject", "reason": "off-topic" })).await;
            // As an older version, or somebody by hand, might have left it.
            let hostile = app.app.store.write(move |conn| {
                use diesel::prelude::*;
                use rejoinder::store::schema::comments;
                let reasons = r#"["=HYPERLINK(\"https://evil.example\",\"x\")", "+1", "-1", "@x", "\tx"]"#;
                let update =
                    diesel::update(comments::table.filter(comments::id.eq(id))).set(comments::held_because.eq(reasons));
                Ok::<_, rejoinder::store::StoreError>(update.execute(conn)?)
            });
            hostile.await.expect("a change");
            let answer = csv(app, &moderator, "text/csv").await.expect(200);
            assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let disposition = "attachment; filename=\"transparency-main-2026-11.csv\"";
            assert_eq!(answer.header("content-disposition"), Some(disposition));
            let mut lines: Vec<&str> = answer.text().split_terminator("\r\n").collect();
            lines.sort_unstable();
            let mut wanted = [
                "site,month,figure,of,value",
                "main,2026-11,received,,1",
                "main,2026-11,verdict,publish,0",
                "main,2026-11,verdict,hold,1",
                "main,2026-11,held_because,\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"x\"\")\",1",
                "main,2026-11,held_because,'+1,1",
                "main,2026-11,held_because,'-1,1",
                "main,2026-11,held_because,'@x,1",
                "main,2026-11,held_because,'\tx,1",
                "main,2026-11,decision,rejected,1",
                "main,2026-11,reason,off-topic,1",
                "main,2026-11,undone,,0",
                "main,2026-11,people,,1",
                "main,2026-11,without_people,,0",
                "main,2026-11,appeals,,0",
                "main,2026-11,median_seconds_to_decision,,10",
            ];
            wanted.sort_unstable();
            assert_eq!(lines, wanted);
            for (accept, media_type) in [
                ("text/csv, application/json;q=0.5", "text/csv; charset=utf-8; header=present"),
                ("application/json, text/csv", "application/json"),
                ("*/*", "application/json"),
            ] {
                assert_eq!(csv(app, &moderator, accept).await.expect(200).header("content-type"), Some(media_type));
            }
        });
    }

    #[test]
    fn what_is_no_month_or_nobody_asked_for_is_refused() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            for month in ["", "2026", "2026-13", "2026-1", "26-11", "2026-11-01", "november", "-001-01", "9999-12"] {
                let answer = app.get_as(&moderator, &format!("{REPORT}?month={month}")).await;
                answer.expect_faults(&[("/month", "format")]);
            }
            let twice = app.get_as(&moderator, &format!("{REPORT}?month=2026-10&month=2026-11")).await;
            twice.expect_faults(&[("/month", "repeated")]);
            app.get_as(&moderator, &format!("{REPORT}?mouth=2026-11")).await.expect_faults(&[("/mouth", "unknown")]);
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            app.get_as(&reviewer, REPORT).await.expect_problem(403, "forbidden");
            app.site("second").await;
            for site in ["second", "none"] {
                let path = format!("/api/v1/sites/{site}/transparency");
                app.get_as(&moderator, &path).await.expect_problem(404, "not-found");
            }
        });
    }
}
