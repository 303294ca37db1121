//! The queue and one comment of it: `src/review/queue.rs`, `src/review/item.rs`.

use rejoinder::accounts::Role;
use rejoinder::sites::SetSite;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

const QUEUE: &str = "/api/v1/review/comments";
const NONE: [i64; 0] = [];

/// Ids of a page of the queue.
async fn ids(app: &TestApp, person: &Person, query: &str) -> Vec<i64> {
    let page = app.get_as(person, &format!("{QUEUE}{query}")).await.expect(200).json();
    page["items"].as_array().expect("items").iter().map(|item| item["id"].as_i64().expect("an id")).collect()
}

/// Posts so many comments, a second apart; gives their ids.
async fn posted(app: &TestApp, article: &str, count: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(app.posted(article, &form(&format!("{article} {number}"))).await);
        app.advance(1);
    }
    ids
}

/// One comment in each of the five states, in the order `pending`, `approved`, `rejected`, `spam`, `trash`.
async fn one_in_each_state(app: &TestApp, person: &Person) -> Vec<i64> {
    let article = app.article("states").await;
    let ids = posted(app, &article, 5).await;
    for (id, decision) in ids[1..].iter().zip(["approve", "reject", "spam", "trash"]) {
        app.decide(person, *id, 1, decision).await.expect(201);
    }
    ids
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn sorted<const N: usize>(mut names: [&str; N]) -> [&str; N] {
    names.sort_unstable();
    names
}

mod filters {
    use super::*;

    #[test]
    fn what_waits_is_shown_unless_another_status_is_asked_for() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let all = one_in_each_state(app, &admin).await;
            assert_eq!(ids(app, &admin, "").await, all[..1]);
            for (number, status) in ["pending", "approved", "rejected", "spam", "trash"].into_iter().enumerate() {
                assert_eq!(ids(app, &admin, &format!("?status={status}")).await, [all[number]], "{status}");
            }
            assert_eq!(ids(app, &admin, "?status=any").await, all);
            assert_eq!(ids(app, &admin, "?status=spam&status=approved").await, [all[1], all[3]]);
            assert_eq!(ids(app, &admin, "?status=spam&status=any").await, all);
            assert_eq!(ids(app, &admin, "?status=withdrawn&status=erased").await, NONE);
        });
    }

    #[test]
    fn sites_and_articles_can_be_named_and_named_again() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("second").await;
            app.site("third").await;
            let mut at = Vec::new();
            for (site, article) in [("main", "a"), ("main", "b"), ("second", "a"), ("third", "c")] {
                let article = app.article_on(site, article).await;
                at.push(posted(app, &article, 1).await[0]);
            }
            assert_eq!(ids(app, &admin, "").await, at);
            assert_eq!(ids(app, &admin, "?site=main").await, at[..2]);
            assert_eq!(ids(app, &admin, "?site=second&site=third").await, at[2..]);
            assert_eq!(ids(app, &admin, "?article=a").await, [at[0], at[2]]);
            assert_eq!(ids(app, &admin, "?article=b&article=c").await, [at[1], at[3]]);
            assert_eq!(ids(app, &admin, "?site=main&article=a").await, at[..1]);
            assert_eq!(ids(app, &admin, "?site=main&article=c").await, NONE);
            assert_eq!(ids(app, &admin, "?site=none&site=main").await, at[..2]);
            for none in ["?site=none", "?article=none", "?site=%27", "?site=", "?article=%25", "?article=_"] {
                assert_eq!(ids(app, &admin, none).await, NONE, "{none}");
            }
        });
    }

    #[test]
    fn since_is_inclusive_and_until_exclusive_to_the_millisecond() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let all = posted(app, &article, 3).await; // at noon, and one and two seconds later
            for (query, found) in [
                ("?since=2026-11-24T12:00:01Z", &all[1..]),
                ("?since=2026-11-24T12:00:01.000Z", &all[1..]),
                ("?since=2026-11-24T12:00:01.001Z", &all[2..]),
                ("?until=2026-11-24T12:00:01Z", &all[..1]),
                ("?until=2026-11-24T12:00:01.001Z", &all[..2]),
                ("?since=2026-11-24T12:00:00Z&until=2026-11-24T12:00:02Z", &all[..2]),
                ("?since=2026-11-24T12:00:01Z&until=2026-11-24T12:00:01Z", &[]),
                ("?since=2026-11-24T12:00:02Z&until=2026-11-24T12:00:01Z", &[]),
                ("?since=2026-11-24T13:00:01%2B01:00", &all[1..]), // the same moment elsewhere
                ("?since=1970-01-01T00:00:00Z&until=9999-01-01T00:00:00Z", &all[..]),
            ] {
                assert_eq!(ids(app, &admin, query).await, found, "{query}");
            }
        });
    }

    #[test]
    fn what_is_wrong_with_a_query_is_named_at_once() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            for (query, faults) in [
                ("status=new", vec![("/status", "choice")]),
                ("status=pending&status=Pending", vec![("/status", "choice")]),
                ("status=any&status=x", vec![("/status", "choice")]),
                ("status=", vec![("/status", "choice")]),
                ("stauts=pending", vec![("/stauts", "unknown")]),
                ("offset=10", vec![("/offset", "unknown")]),
                ("sort=id", vec![("/sort", "choice")]),
                ("sort=oldest&sort=newest", vec![("/sort", "repeated")]),
                ("since=yesterday", vec![("/since", "format")]),
                ("until=2026-11-24", vec![("/until", "format")]),
                ("since=2026-11-24T12:00:00", vec![("/since", "format")]),
                ("limit=0", vec![("/limit", "range")]),
                ("limit=101", vec![("/limit", "range")]),
                ("limit=-1", vec![("/limit", "type")]),
                ("limit=ten", vec![("/limit", "type")]),
                ("limit=1&limit=2", vec![("/limit", "repeated")]),
                (
                    "status=x&sort=y&since=z&limit=0&page=2",
                    vec![
                        ("/limit", "range"),
                        ("/page", "unknown"),
                        ("/since", "format"),
                        ("/sort", "choice"),
                        ("/status", "choice"),
                    ],
                ),
            ] {
                app.get_as(&admin, &format!("{QUEUE}?{query}")).await.expect_faults(&faults);
            }
            app.get_as(&admin, &format!("{QUEUE}?status=%ff")).await.expect_problem(400, "unreadable");
        });
    }
}

mod order {
    use super::*;

    #[test]
    fn oldest_newest_and_riskiest_first() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let mut all = Vec::new();
            for (number, name) in ["Ada", "Staff", "Bea", "Staff", "Cem"].into_iter().enumerate() {
                let body = json!({ "name": name, "email": "a@example.org", "comment": format!("number {number}") });
                all.push(app.posted(&article, &body).await);
                app.advance(1);
            }
            assert_eq!(ids(app, &admin, "").await, all);
            assert_eq!(ids(app, &admin, "?sort=oldest").await, all);
            let newest: Vec<i64> = all.iter().rev().copied().collect();
            assert_eq!(ids(app, &admin, "?sort=newest").await, newest);
            // Whoever poses as staff is a risk; among equals the oldest comes first.
            assert_eq!(ids(app, &admin, "?sort=risk").await, [all[1], all[3], all[0], all[2], all[4]]);
        });
    }

    #[test]
    fn pages_add_up_to_the_list_in_every_order() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            for number in 0..11 {
                let name = if number % 3 == 0 { "Staff" } else { "Ada" };
                let body = json!({ "name": name, "email": "a@example.org", "comment": format!("number {number}") });
                app.posted(&article, &body).await;
                app.advance(u64::from(number % 2 == 0)); // some at the same moment
            }
            for sort in ["oldest", "newest", "risk"] {
                let whole = ids(app, &admin, &format!("?sort={sort}")).await;
                assert_eq!(whole.len(), 11);
                for limit in [1, 2, 5, 10, 11] {
                    let mut path = format!("{QUEUE}?sort={sort}&limit={limit}");
                    let mut found = Vec::new();
                    loop {
                        let answer = app.get_as(&admin, &path).await.expect(200);
                        let link = answer.header("link").map(str::to_owned);
                        let page = answer.json();
                        let items = page["items"].as_array().unwrap();
                        assert!(items.len() <= limit);
                        found.extend(items.iter().map(|item| item["id"].as_i64().unwrap()));
                        let Some(next) = page["next"].as_str() else {
                            assert_eq!(link, None);
                            break;
                        };
                        let link = link.expect("a link");
                        let url = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").expect("a next link");
                        assert!(url.ends_with(&format!("cursor={next}")), "{url}");
                        path = url.strip_prefix(&app.base).expect("an absolute URL").to_owned();
                    }
                    assert_eq!(found, whole, "{sort} by {limit}");
                }
            }
        });
    }

    #[test]
    fn a_page_goes_on_after_its_last_item_was_decided() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let all = posted(app, &article, 4).await;
            let page = app.get_as(&admin, &format!("{QUEUE}?limit=2")).await.json();
            app.approve(&admin, all[0]).await;
            app.approve(&admin, all[1]).await;
            let next = page["next"].as_str().unwrap();
            assert_eq!(ids(app, &admin, &format!("?limit=2&cursor={next}")).await, all[2..]);
        });
    }

    #[test]
    fn a_cursor_of_another_list_or_of_nobodys_making_is_refused() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("second").await;
            let stranger = app.person("stranger", Role::Moderator, &["second"]).await;
            let article = app.article("a").await;
            posted(app, &article, 3).await;
            let page = app.get_as(&admin, &format!("{QUEUE}?limit=1")).await.json();
            let cursor = page["next"].as_str().unwrap();
            for query in ["sort=newest", "status=any", "site=main", "since=2026-11-24T12:00:00Z"] {
                app.get_as(&admin, &format!("{QUEUE}?{query}&cursor={cursor}")).await.expect_problem(400, "unreadable");
            }
            for cursor in ["x", "", "é", "AAAAAAAAAAAAAAAA", &cursor[1..], &format!("{cursor}{cursor}")] {
                app.get_as(&admin, &format!("{QUEUE}?cursor={cursor}")).await.expect_problem(400, "unreadable");
            }
            // It names a comment that this moderator may not know of.
            app.get_as(&stranger, &format!("{QUEUE}?cursor={cursor}")).await.expect_problem(400, "unreadable");
            app.get_as(&admin, &format!("{QUEUE}?limit=2&cursor={cursor}")).await.expect(200);
        });
    }

    #[test]
    fn fifty_are_on_a_page_unless_said_otherwise_and_a_hundred_at_most() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            for number in 0..101 {
                app.posted(&article, &form(&format!("number {number}"))).await;
            }
            assert_eq!(ids(app, &admin, "").await.len(), 50);
            assert_eq!(ids(app, &admin, "?limit=100").await.len(), 100);
        });
    }
}

mod item {
    use super::*;

    const QUEUE_ITEM: [&str; 19] = [
        "id",
        "version",
        "site",
        "article",
        "status",
        "created_at",
        "text",
        "html",
        "author",
        "email",
        "ip",
        "user_agent",
        "parent",
        "reasons",
        "risk",
        "claimed_by",
        "reports",
        "matches",
        "campaign",
    ];

    fn queue_item() -> Vec<&'static str> {
        let mut names: Vec<&str> = QUEUE_ITEM.to_vec();
        names.sort_unstable();
        names
    }

    async fn post_fully(app: &TestApp) -> i64 {
        let article = app.article("a").await;
        let body = json!({
            "name": "Ada Lovelace",
            "email": "ada@example.org",
            "url": "https://ada.example/",
            "comment": "Some *emphasis* & <b>more</b>",
        });
        let request = app.request(Method::POST, &format!("{article}/comments")).header("user-agent", "Tester/1.0");
        Answer::of(request.json(&body)).await.expect(202).json()["id"].as_i64().expect("an id")
    }

    #[test]
    fn an_item_has_the_contracts_names_and_no_others() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let id = post_fully(app).await;
            let answer = app.get_as(&moderator, QUEUE).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let page = answer.json();
            assert_eq!(names(&page), ["items", "next"]);
            assert_eq!(page["next"], Value::Null);
            let item = &page["items"][0];
            assert_eq!(names(item), queue_item());
            assert_eq!(names(&item["author"]), ["name", "record", "url"]);
            let html = item["html"].as_str().unwrap();
            assert!(html.contains("<em>emphasis</em>") && !html.contains("<b>"), "{html}");
            let wanted = json!({
                "id": id,
                "version": 1,
                "site": "main",
                "article": { "key": "a", "title": "The article a", "url": "https://news.example/a" },
                "status": "pending",
                "created_at": "2026-11-24T12:00:00.000Z",
                "text": "Some *emphasis* & <b>more</b>",
                "html": html,
                "author": { "name": "Ada Lovelace", "url": "https://ada.example/", "record": item["author"]["record"] },
                "email": "ada@example.org",
                "ip": "127.0.0.1",
                "user_agent": "Tester/1.0",
                "parent": null,
                "reasons": ["Every comment here waits for a moderator."],
                "risk": 0.0,
                "claimed_by": null,
                "campaign": null,
                "reports": 0,
                "matches": [],
            });
            assert_eq!(*item, wanted);
        });
    }

    #[test]
    fn one_comment_adds_its_history_and_has_its_version_as_etag() {
        on_each_database(async |app| {
            let moderator = app.moderator().await;
            let id = post_fully(app).await;
            let answer = app.get_as(&moderator, &format!("{QUEUE}/{id}")).await.expect(200);
            assert_eq!(answer.header("etag"), Some("\"1\""));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let one = answer.json();
            let mut wanted = queue_item();
            wanted.extend(["received_at", "screening", "revisions", "decisions", "notes", "claim"]);
            wanted.sort_unstable();
            assert_eq!(names(&one), wanted);
            assert_eq!(one["received_at"], "2026-11-24T12:00:00.000Z");
            for name in ["revisions", "notes", "reports"] {
                assert_eq!(one[name], json!([]), "{name}");
            }
            assert_eq!(one["claim"], Value::Null);
            let line = &one["decisions"][0];
            let line_names =
                sorted(["id", "comment_id", "by", "from", "to", "reason", "note", "message", "at", "version"]);
            assert_eq!(names(line), line_names);
            assert_eq!((&line["by"], &line["from"], &line["to"]), (&Value::Null, &Value::Null, &json!("pending")));
            // What is in the list is what is on its own, but for the reports.
            let mut listed = app.get_as(&moderator, QUEUE).await.json()["items"][0].clone();
            listed["reports"] = json!([]);
            for (name, value) in listed.as_object().unwrap() {
                assert_eq!(one[name], *value, "{name}");
            }
        });
    }

    #[test]
    fn an_items_text_reads_back_exactly() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let texts = [
                "  leading and trailing  \n\n",
                "line\r\nline\rline\n",
                "\u{1F469}\u{200D}\u{1F4BB} e\u{301} \u{5B57} \u{627}\u{644}",
                "'; DROP TABLE comments; -- %_\\",
                "<script>alert(1)</script> & &amp;",
                "a\u{200B}b\u{202E}c",
            ];
            for text in texts {
                let id = app.posted(&article, &form(text)).await;
                let one = app.get_as(&admin, &format!("{QUEUE}/{id}")).await.expect(200).json();
                assert_eq!(one["text"], text);
                assert!(!one["html"].as_str().unwrap().contains("<script"));
            }
        });
    }

    #[test]
    fn a_reply_comes_with_what_it_replies_to() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let parent = app.posted(&article, &form("the parent")).await;
            app.approve(&admin, parent).await;
            let mut reply = form("the reply");
            reply["parent_id"] = json!(parent);
            let reply = app.posted(&article, &reply).await;
            let wanted = json!({ "id": parent, "name": "Ada", "text": "the parent" });
            let item = app.get_as(&admin, QUEUE).await.json()["items"][0].clone();
            assert_eq!((&item["id"], &item["parent"]), (&json!(reply), &wanted));
            // And still when the parent is gone from the public.
            app.decide(&admin, parent, 2, "trash").await.expect(201);
            let item = app.get_as(&admin, &format!("{QUEUE}/{reply}")).await.json();
            assert_eq!(item["parent"], wanted);
        });
    }

    #[test]
    fn why_it_was_held_is_said_in_words() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let publish_first =
                SetSite { policy: Some(rejoinder::screening::Policy::PublishFirst), ..SetSite::default() };
            app.set_site("main", publish_first).await;
            let article = app.article("a").await;
            let published = app.posted(&article, &form("at once")).await;
            let mut staff = form("as staff");
            staff["name"] = json!("Stаff"); // a Cyrillic а
            let held = app.posted(&article, &staff).await;
            let one = async |id: i64| app.get_as(&admin, &format!("{QUEUE}/{id}")).await.expect(200).json();
            assert_eq!((&one(published).await["reasons"], &one(published).await["risk"]), (&json!([]), &json!(0.0)));
            let held = one(held).await;
            assert_eq!(held["reasons"].as_array().unwrap().len(), 1);
            let risk = held["risk"].as_f64().unwrap();
            assert!(risk > 0.0 && risk <= 1.0, "{risk}");
        });
    }
}

mod others {
    use super::*;

    #[test]
    fn a_list_leaves_out_what_one_may_not_see_and_one_of_it_is_404() {
        on_each_database(async |app| {
            app.site("second").await;
            let admin = app.admin().await;
            let of_main = app.moderator().await;
            let of_second = app.person("second", Role::Moderator, &["second"]).await;
            let of_both = app.person("both", Role::Moderator, &["main", "second"]).await;
            let of_none = app.person("none", Role::Moderator, &[]).await;
            let on_main = app.article("a").await;
            let on_second = app.article_on("second", "a").await;
            let (main, second) = (app.posted(&on_main, &form("x")).await, app.posted(&on_second, &form("x")).await);
            for (person, seen) in [
                (&admin, vec![main, second]),
                (&of_main, vec![main]),
                (&of_second, vec![second]),
                (&of_both, vec![main, second]),
                (&of_none, vec![]),
            ] {
                assert_eq!(ids(app, person, "").await, seen, "{}", person.username);
                assert_eq!(ids(app, person, "?status=any&site=main&site=second").await, seen, "{}", person.username);
                for id in [main, second] {
                    let answer = app.get_as(person, &format!("{QUEUE}/{id}")).await;
                    assert_eq!(answer.status, if seen.contains(&id) { 200 } else { 404 }, "{}", person.username);
                }
            }
            assert_eq!(ids(app, &of_main, "?site=second").await, NONE);
        });
    }

    #[test]
    fn anothers_comment_and_none_at_all_are_one_answer() {
        on_each_database(async |app| {
            app.site("second").await;
            let moderator = app.moderator().await;
            let article = app.article_on("second", "a").await;
            let id = app.posted(&article, &form("x")).await;
            let mut answers = Vec::new();
            for id in [id.to_string(), "999999".to_owned(), "9007199254740991".to_owned()] {
                for method in [Method::GET, Method::POST] {
                    let is_read = method == Method::GET;
                    let path = format!("{QUEUE}/{id}{}", if is_read { "" } else { "/decisions" });
                    let request = app.request_as(&moderator, method, &path).header("if-match", "\"1\"");
                    let request = if is_read { request } else { request.json(&json!({ "decision": "approve" })) };
                    let mut body = Answer::of(request).await.expect_problem(404, "not-found");
                    body.as_object_mut().unwrap().remove("trace_id");
                    answers.push(body);
                }
            }
            answers.dedup();
            assert_eq!(answers.len(), 1);
        });
    }

    #[test]
    fn what_is_no_id_is_404() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            for id in ["0", "-1", "01", "x", "1.0", "9007199254740992", "99999999999999999999", "1%20", "%EF%BC%91"] {
                app.get_as(&admin, &format!("{QUEUE}/{id}")).await.expect_problem(404, "not-found");
            }
        });
    }
}
