//! Reading the audit log over HTTP: filters, pages, and who sees what of it.

use rejoinder::accounts::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

const AUDIT: &str = "/api/v1/audit";

async fn actions(app: &TestApp, person: &Person, query: &str) -> Vec<String> {
    app.sealed().await;
    let page = app.get_as(person, &format!("{AUDIT}?limit=100&{query}")).await.expect(200).json();
    assert_eq!(page["next"], Value::Null, "{page}");
    let action = |item: &Value| item["action"].as_str().expect("an action").to_owned();
    page["items"].as_array().expect("items").iter().map(action).collect()
}

async fn decided(app: &TestApp, person: &Person, article: &str, text: &str) -> i64 {
    let id = app.posted(article, &form(text)).await;
    app.decide_with(person, id, 1, &json!({ "decision": "reject", "reason": "off-topic" })).await.expect(201);
    id
}

#[test]
fn an_entry_says_who_what_when_and_from_where() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let me = app.get_as(&admin, "/api/v1/me").await.expect(200).json();
        let article = app.article("a").await;
        let id = decided(app, &admin, &article, "a comment").await;
        app.sealed().await;
        let page = app.get_as(&admin, &format!("{AUDIT}?limit=1")).await.expect(200);
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let mut item = page.json()["items"][0].take();
        assert!(item["id"].is_i64() && (item["seq"].is_i64() || item["seq"].is_null()));
        for name in ["id", "seq"] {
            item.as_object_mut().expect("an item").remove(name);
        }
        let wanted = json!({
            "at": "2026-11-24T12:00:00.000Z",
            "action": "decided",
            "by": { "id": me["id"], "username": "admin" },
            "key": null,
            "site": "main",
            "subject": { "kind": "comment", "id": id },
            "facts": { "from": "pending", "to": "rejected", "reason": "off-topic", "version": 2 },
            "private": null,
        });
        assert_eq!(item, wanted);

        let wrong = json!({ "username": "somebody", "password": "x" });
        let request = app.request(Method::POST, "/api/v1/session").header("user-agent", "Desk/1").json(&wrong);
        Answer::of(request).await.expect(401);
        app.sealed().await;
        let page = app.get_as(&admin, &format!("{AUDIT}?action=sign-in-refused")).await.expect(200).json();
        let item = &page["items"][0];
        assert_eq!((&item["by"], &item["site"], &item["subject"]), (&Value::Null, &Value::Null, &Value::Null));
        let private = json!({ "username": "somebody", "address": "127.0.0.1", "user_agent": "Desk/1" });
        assert_eq!(item["private"], private);
    });
}

#[test]
fn filters_narrow_it_and_all_hold_together() {
    on_each_database(async |app| {
        app.site("second").await;
        let admin = app.admin().await;
        let moderator = app.moderator().await;
        let id = app.get_as(&moderator, "/api/v1/me").await.expect(200).json()["id"].to_string();
        let (first, second) = (app.article("a").await, app.article_on("second", "b").await);
        decided(app, &moderator, &first, "one").await;
        decided(app, &admin, &second, "two").await;
        app.advance(60);
        decided(app, &admin, &first, "three").await;

        let decided = ["decided"; 3];
        assert_eq!(actions(app, &admin, "action=decided").await, decided);
        assert_eq!(actions(app, &admin, "action=decided&action=signed-in").await.len(), 5);
        assert_eq!(actions(app, &admin, "moderator=moderator").await, ["decided", "signed-in"]);
        assert_eq!(actions(app, &admin, "moderator=MODERATOR&action=decided").await, decided[..1]);
        assert_eq!(actions(app, &admin, &format!("moderator={id}")).await, ["decided", "signed-in"]);
        assert_eq!(actions(app, &admin, "site=second").await, ["decided", "site-added"]);
        assert_eq!(actions(app, &admin, "site=second&site=main&action=decided").await, decided);
        assert_eq!(actions(app, &admin, "site=second&moderator=moderator").await, [""; 0]);
        let (noon, later) = ("2026-11-24T12:00:00Z", "2026-11-24T12:01:00Z");
        assert_eq!(actions(app, &admin, &format!("since={later}")).await, decided[..1]);
        assert_eq!(actions(app, &admin, &format!("until={later}&action=decided")).await, decided[..2]);
        assert_eq!(actions(app, &admin, &format!("since={noon}&until={noon}")).await, [""; 0]);
    });
}

#[test]
fn a_filter_that_names_nothing_is_refused() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        for (query, faults) in [
            ("action=x", &[("/action", "choice")][..]),
            ("action=decided&action=", &[("/action", "choice")]),
            ("moderator=nobody", &[("/moderator", "choice")]),
            ("moderator=", &[("/moderator", "choice")]),
            ("moderator=999999", &[("/moderator", "choice")]),
            ("moderator=a&moderator=b", &[("/moderator", "repeated")]),
            ("site=nowhere&moderator=0", &[("/moderator", "choice"), ("/site", "choice")]),
            ("since=yesterday&until=1", &[("/since", "format"), ("/until", "format")]),
            ("limit=0", &[("/limit", "range")]),
            ("limit=101", &[("/limit", "range")]),
            ("actions=decided", &[("/actions", "unknown")]),
        ] {
            app.get_as(&admin, &format!("{AUDIT}?{query}")).await.expect_faults(faults);
        }
        app.get_as(&admin, &format!("{AUDIT}?cursor=x")).await.expect_problem(400, "unreadable");
    });
}

#[test]
fn pages_lead_through_all_of_it_once() {
    on_each_database(async |app| {
        let admin = app.admin().await;
        let article = app.article("a").await;
        for number in 0..10 {
            // Some in the same millisecond, some not.
            app.advance(u64::from(number % 3 == 0));
            decided(app, &admin, &article, &format!("comment {number}")).await;
        }
        app.sealed().await;
        let all = app.get_as(&admin, &format!("{AUDIT}?limit=100")).await.expect(200).json();
        let id = |item: &Value| item["id"].as_i64().expect("an id");
        let ids: Vec<i64> = all["items"].as_array().expect("items").iter().map(id).collect();
        assert!(ids.len() == 12);
        let mut seen = Vec::new();
        let mut path = format!("{AUDIT}?limit=3");
        loop {
            let page = app.get_as(&admin, &path).await.expect(200);
            let body = page.json();
            seen.extend(body["items"].as_array().expect("items").iter().map(id));
            let Some(next) = body["next"].as_str() else {
                assert!(page.header("link").is_none());
                break;
            };
            path = format!("{AUDIT}?limit=3&cursor={next}");
            assert_eq!(page.header("link"), Some(&*format!("<{}{path}>; rel=\"next\"", app.base)));
        }
        assert_eq!(seen, ids);
        // A cursor is good for its own list alone.
        let cursor = path.split("cursor=").nth(1).expect("a cursor");
        let other = format!("{AUDIT}?action=decided&cursor={cursor}");
        app.get_as(&admin, &other).await.expect_problem(400, "unreadable");
    });
}

/// A lead sees what concerns their sites: no sign-ins, no people, nothing of another site, not even that it is there.
#[test]
fn a_lead_sees_their_sites_alone() {
    on_each_database(async |app| {
        app.site("second").await;
        let admin = app.admin().await;
        let lead = app.person("lead", Role::Lead, &["main"]).await;
        let (first, second) = (app.article("a").await, app.article_on("second", "b").await);
        decided(app, &lead, &first, "one").await;
        decided(app, &admin, &second, "two").await;
        assert_eq!(actions(app, &lead, "").await, ["decided"]);
        assert_eq!(actions(app, &lead, "site=main").await, ["decided"]);
        for unseen in ["second", "nowhere"] {
            app.get_as(&lead, &format!("{AUDIT}?site={unseen}")).await.expect_faults(&[("/site", "choice")]);
        }
        for role in [Role::Moderator, Role::ReviewerWithoutEmails] {
            let person = app.person(role.as_str(), role, &["main"]).await;
            app.get_as(&person, AUDIT).await.expect_problem(403, "forbidden");
        }
        app.get(AUDIT).await.expect_problem(401, "unauthenticated");
    });
}
