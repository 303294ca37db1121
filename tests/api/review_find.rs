//! Finding comments: `src/review/finding.rs`, `src/review/counts.rs`, `src/review/index.rs`, and the search in `src/kit/search`.

use std::collections::BTreeMap;

use diesel::prelude::*;
use rejoinder::accounts::Role;
use rejoinder::comments::clear_addresses;
use rejoinder::http::fields::Fields;
use rejoinder::kit::clock::Millis;
use rejoinder::kit::ids::{CommentId, ModeratorId};
use rejoinder::kit::search::{Search, is_found, words_of};
use rejoinder::review::{Asking, Filter, count_matching, index_waiting, list_matching};
use rejoinder::store::schema::{claims, comment_counts, comment_lookup, comments};
use rejoinder::store::{StoreError, list_by_words};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{eventually, form, on_each_database, percent};

const QUEUE: &str = "/api/v1/review/comments";
const COUNTS: &str = "/api/v1/review/counts";
const NONE: [i64; 0] = [];

async fn items(app: &TestApp, person: &Person, query: &str) -> Vec<Value> {
    let page = app.get_as(person, &format!("{QUEUE}{query}")).await.expect(200).json();
    page["items"].as_array().expect("items").clone()
}

async fn ids(app: &TestApp, person: &Person, query: &str) -> Vec<i64> {
    items(app, person, query).await.iter().map(|item| item["id"].as_i64().expect("an id")).collect()
}

/// Counts by site and status, and whether any is a lower bound.
async fn counts(app: &TestApp, person: &Person, query: &str) -> BTreeMap<(String, String), i64> {
    let answer = app.get_as(person, &format!("{COUNTS}{query}")).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let items = answer.json()["items"].as_array().expect("items").clone();
    items
        .iter()
        .map(|item| {
            assert_eq!(item.get("at_least"), None, "{item}");
            ((text(&item["site"]), text(&item["status"])), item["count"].as_i64().expect("a count"))
        })
        .collect()
}

fn total(counts: &BTreeMap<(String, String), i64>) -> i64 {
    counts.values().sum()
}

async fn decided(app: &TestApp, person: &Person, id: i64, decision: &str, reason: Option<&str>) {
    let body = match reason {
        Some(reason) => json!({ "decision": decision, "reason": reason }),
        None => json!({ "decision": decision }),
    };
    app.decide_with(person, id, 1, &body).await.expect(201);
}

/// A claim as the desk makes them.
async fn claimed(app: &TestApp, comment: i64, moderator: i64, until: Millis) {
    let row = (claims::comment_id.eq(comment), claims::moderator_id.eq(moderator), claims::expires_at.eq(until.0));
    let insert = app
        .app
        .store
        .write(move |conn| diesel::insert_into(claims::table).values(row).execute(conn).map_err(StoreError::from));
    insert.await.expect("a claim");
}

async fn reported(app: &TestApp, comment: i64, count: i64) {
    let update = app.app.store.write(move |conn| {
        let one = comments::table.find(CommentId::new(comment));
        diesel::update(one).set(comments::reports.eq(count)).execute(conn).map_err(StoreError::from)
    });
    update.await.expect("reports");
}

async fn from_address(app: &TestApp, comment: i64, address: &str) {
    let address = address.to_owned();
    let update = app.app.store.write(move |conn| {
        let one = comments::table.find(CommentId::new(comment));
        let set = (comments::ip.eq(Some(&address)), comments::is_indexed.eq(false));
        diesel::update(one).set(set).execute(conn).map_err(StoreError::from)
    });
    update.await.expect("an address");
}

async fn id_of(app: &TestApp, person: &Person) -> i64 {
    app.get_as(person, "/api/v1/me").await.expect(200).json()["id"].as_i64().expect("an id")
}

fn everything(now: Millis) -> Asking {
    Asking { moderator: ModeratorId::new(1), sites: None, sees_personal: true, now }
}

fn filter(query: &str) -> Filter {
    let mut fields = Fields::from_urlencoded(query.as_bytes()).expect("a query");
    let filter = Filter::take(&mut fields);
    assert!(fields.take_faults().is_empty(), "{query}");
    filter
}

mod filters {
    use super::*;

    #[test]
    fn authors_emails_addresses_and_reasons_are_found() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let mut all = Vec::new();
            for (name, email, address) in [
                ("Ada", "ada@example.org", "198.51.100.7"),
                ("ÁDA", "Bea@Example.org", "198.51.100.200"),
                ("Bea", "bea@example.org", "198.51.101.7"),
                ("Cem", "c@example.org", "2001:db8::1"),
            ] {
                let body = json!({ "name": name, "email": email, "comment": format!("{name} {email}") });
                all.push(app.posted(&article, &body).await);
                from_address(app, all[all.len() - 1], address).await;
                app.advance(1);
            }
            for (query, found) in [
                ("?author=ada", vec![0, 1]),
                ("?author=%C3%A1da&author=Cem", vec![0, 1, 3]),
                ("?author=ad", vec![]),
                ("?email=bea%40example.org", vec![1, 2]),
                ("?email=BEA%40EXAMPLE.ORG&author=bea", vec![2]),
                ("?ip=198.51.100.7", vec![0]),
                ("?ip=198.51.100.0/24", vec![0, 1]),
                ("?ip=198.51.100.0%2F23&sort=newest", vec![2, 1, 0]),
                ("?ip=::ffff:198.51.100.7&ip=2001:db8::/32", vec![0, 3]),
                ("?ip=0.0.0.0/0", vec![0, 1, 2]),
                ("?reason=spam", vec![]),
            ] {
                let found: Vec<i64> = found.into_iter().map(|number: usize| all[number]).collect();
                assert_eq!(ids(app, &admin, query).await, found, "{query}");
            }
            decided(app, &admin, all[0], "spam", Some("spam")).await;
            decided(app, &admin, all[1], "reject", Some("hate")).await;
            assert_eq!(ids(app, &admin, "?reason=spam&reason=hate").await, NONE, "none of them waits");
            assert_eq!(ids(app, &admin, "?reason=spam&reason=hate&status=any").await, all[..2]);
            // The last decision counts.
            app.decide_with(&admin, all[0], 2, &json!({ "decision": "reject", "reason": "other" })).await.expect(201);
            assert_eq!(ids(app, &admin, "?reason=spam&status=any").await, NONE);
            assert_eq!(ids(app, &admin, "?reason=other&status=any").await, all[..1]);
        });
    }

    #[test]
    fn reports_and_live_claims_are_found() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let (mine, other) = (id_of(app, &admin).await, 77);
            let article = app.article("a").await;
            let mut all = Vec::new();
            for number in 0..4 {
                all.push(app.posted(&article, &form(&format!("number {number}"))).await);
                app.advance(1);
            }
            reported(app, all[1], 2).await;
            let now = app.app.clock.now();
            claimed(app, all[0], mine, Millis(now.0 + 60_000)).await;
            claimed(app, all[1], other, Millis(now.0 + 60_000)).await;
            claimed(app, all[2], other, now).await; // over
            for (query, found) in [
                ("?reported=yes", vec![1]),
                ("?reported=no", vec![0, 2, 3]),
                ("?claimed=yes", vec![0, 1]),
                ("?claimed=me", vec![0]),
                ("?claimed=no", vec![0, 2, 3]),
                ("?claimed=yes&reported=no", vec![0]),
            ] {
                let found: Vec<i64> = found.into_iter().map(|number: usize| all[number]).collect();
                assert_eq!(ids(app, &admin, query).await, found, "{query}");
            }
            let items = items(app, &admin, "?status=any").await;
            let seen: Vec<(&Value, &Value)> =
                items.iter().map(|item| (&item["reports"], &item["claimed_by"])).collect();
            assert_eq!(seen[0], (&json!(0), &json!("admin")));
            assert_eq!(seen[1].0, &json!(2));
            assert_eq!(seen[2].1, &Value::Null, "its claim is over");
        });
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_named() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            for path in [QUEUE, COUNTS] {
                for (query, faults) in [
                    ("reported=maybe", vec![("/reported", "choice")]),
                    ("claimed=all", vec![("/claimed", "choice")]),
                    ("claimed=no&claimed=yes", vec![("/claimed", "repeated")]),
                    ("ip=300.1.1.1", vec![("/ip", "format")]),
                    ("ip=10.0.0.0/33", vec![("/ip", "format")]),
                    ("q=(a", vec![("/q", "search")]),
                    ("q=", vec![("/q", "search")]),
                    ("campaign=x", vec![("/campaign", "format")]),
                    ("colour=red", vec![("/colour", "unknown")]),
                    ("author=a%00b", vec![("/author", "nul_character")]),
                ] {
                    app.get_as(&admin, &format!("{path}?{query}")).await.expect_faults(&faults);
                }
                let many = vec!["author=a"; 101].join("&");
                app.get_as(&admin, &format!("{path}?{many}")).await.expect_faults(&[("/author", "too_many")]);
                let fault = app.get_as(&admin, &format!("{path}?q=%C3%BC%20OR%20(a")).await;
                assert_eq!(fault.expect_problem(422, "invalid")["position"], 5);
            }
            app.get_as(&admin, &format!("{COUNTS}?sort=newest")).await.expect_faults(&[("/sort", "unknown")]);
        });
    }

    #[test]
    fn nobody_learns_by_a_filter_what_they_may_not_see() {
        on_each_database(async |app| {
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            let moderator = app.moderator().await;
            let article = app.article("a").await;
            let id = app
                .posted(&article, &json!({ "name": "Ada", "email": "secret@hidden.example", "comment": "text" }))
                .await;
            for path in [QUEUE, COUNTS] {
                for query in ["email=secret%40hidden.example", "ip=127.0.0.1", "email=", "ip=x", "email=a&ip=b"] {
                    app.get_as(&reviewer, &format!("{path}?{query}")).await.expect_problem(403, "forbidden");
                }
            }
            assert_eq!(ids(app, &moderator, "?q=secret").await, [id]);
            assert_eq!(ids(app, &reviewer, "?q=secret").await, NONE);
            assert_eq!(ids(app, &reviewer, "?q=NOT%20secret").await, [id]);
            assert_eq!(total(&counts(app, &moderator, "?q=hidden").await), 1);
            assert_eq!(total(&counts(app, &reviewer, "?q=hidden").await), 0);
            let found = items(app, &moderator, "?q=hidden%20ada").await.remove(0)["matches"].clone();
            let marked = json!([{ "field": "name", "snippet": "<mark>Ada</mark>" },
                { "field": "email", "snippet": "secret@<mark>hidden</mark>.example" }]);
            assert_eq!(found, marked);
            let found = items(app, &reviewer, "?q=ada%20OR%20hidden").await.remove(0)["matches"].clone();
            assert_eq!(found, json!([{ "field": "name", "snippet": "<mark>Ada</mark>" }]));
            // Whoever forgets to refuse finds nothing either.
            let asking = Asking { sees_personal: false, ..everything(app.app.clock.now()) };
            let asked = filter("email=secret%40hidden.example");
            let found = app.app.store.read(move |conn| list_matching(conn, &asking, &asked, 10)).await;
            assert_eq!(found.expect("the store").len(), 0);
        });
    }

    #[test]
    fn other_sites_are_neither_listed_nor_counted() {
        on_each_database(async |app| {
            app.site("second").await;
            let moderator = app.moderator().await;
            let mut all = Vec::new();
            for site in ["main", "second"] {
                let article = app.article_on(site, "a").await;
                all.push(app.posted(&article, &form("tide")).await);
            }
            for query in ["?q=tide", "?author=ada", "?email=ada%40example.org", "?site=main&site=second", "?article=a"]
            {
                assert_eq!(ids(app, &moderator, query).await, all[..1], "{query}");
                assert_eq!(total(&counts(app, &moderator, query).await), 1, "{query}");
            }
            assert_eq!(ids(app, &moderator, "?site=second&q=tide").await, NONE);
            assert_eq!(total(&counts(app, &moderator, "?site=second").await), 0);
            let admin = app.admin().await;
            assert_eq!(total(&counts(app, &admin, "").await), 2);
        });
    }

    /// A comment as the model knows it.
    struct Model {
        id: i64,
        site: &'static str,
        article: &'static str,
        name: &'static str,
        email: &'static str,
        word: &'static str,
        status: &'static str,
        reason: Option<&'static str>,
        is_reported: bool,
        at_s: u64,
    }

    #[test]
    fn filters_combine_as_sets_intersect() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("second").await;
            let mut random = fastrand::Rng::with_seed(11);
            let mut all: Vec<Model> = Vec::new();
            for number in 0..60 {
                let one = Model {
                    id: 0,
                    site: ["main", "second"][random.usize(..2)],
                    article: ["a", "b"][random.usize(..2)],
                    name: ["Ada", "Bea", "Cem"][random.usize(..3)],
                    email: ["x@one.example", "y@two.example"][random.usize(..2)],
                    word: ["tide", "潮汐表", "Ébb"][random.usize(..3)],
                    status: ["pending", "approved", "rejected", "spam", "trash"][random.usize(..5)],
                    reason: [None, Some("spam"), Some("other")][random.usize(..3)],
                    is_reported: random.bool(),
                    at_s: number,
                };
                let article = app.article_on(one.site, one.article).await;
                let comment = format!("{} number {number}", one.word);
                let id =
                    app.posted(&article, &json!({ "name": one.name, "email": one.email, "comment": comment })).await;
                let decision = match one.status {
                    "approved" => Some("approve"),
                    "rejected" => Some("reject"),
                    "spam" => Some("spam"),
                    "trash" => Some("trash"),
                    _ => None,
                };
                if let Some(decision) = decision {
                    decided(app, &admin, id, decision, one.reason).await;
                }
                if one.is_reported {
                    reported(app, id, 1).await;
                }
                let reason = one.reason.filter(|_| decision.is_some());
                all.push(Model { id, reason, ..one });
                app.advance(1);
            }
            for _ in 0..120 {
                let (mut query, mut left) = (Vec::new(), all.iter().collect::<Vec<_>>());
                let mut add = |random: &mut fastrand::Rng, text: &str, holds: &dyn Fn(&Model) -> bool| {
                    if random.u8(..10) < 3 {
                        query.push(text.to_owned());
                        left.retain(|one| holds(one));
                    }
                };
                let status = ["pending", "approved", "any"][random.usize(..3)];
                add(&mut random, "site=main", &|one| one.site == "main");
                add(&mut random, "article=b", &|one| one.article == "b");
                add(&mut random, "author=ada&author=bea", &|one| one.name != "Cem");
                add(&mut random, "email=x%40one.example", &|one| one.email == "x@one.example");
                add(&mut random, "q=ebb%20OR%20tide", &|one| one.word != "潮汐表");
                add(&mut random, "reason=spam", &|one| one.reason == Some("spam"));
                add(&mut random, "reported=yes", &|one| one.is_reported);
                add(&mut random, "since=2026-11-24T12:00:20Z", &|one| one.at_s >= 20);
                add(&mut random, "until=2026-11-24T12:00:45Z", &|one| one.at_s < 45);
                left.retain(|one| status == "any" || one.status == status);
                query.push(format!("status={status}"));
                let query = query.join("&");
                let mut expected: Vec<i64> = left.iter().map(|one| one.id).collect();
                assert_eq!(ids(app, &admin, &format!("?limit=100&{query}")).await, expected, "{query}");
                let mut by_status: BTreeMap<(String, String), i64> = BTreeMap::new();
                for one in &left {
                    *by_status.entry((one.site.to_owned(), one.status.to_owned())).or_default() += 1;
                }
                assert_eq!(counts(app, &admin, &format!("?{query}")).await, by_status, "{query}");
                let (asking, asked) = (everything(app.app.clock.now()), filter(&query));
                let matching = app.app.store.read(move |conn| {
                    assert_eq!(
                        count_matching(conn, &asking, &asked, 1_000)?,
                        list_matching(conn, &asking, &asked, 1_000)?.len()
                    );
                    list_matching(conn, &asking, &asked, 1_000)
                });
                let matching: Vec<i64> = matching.await.expect("the store").iter().map(|(id, _)| id.get()).collect();
                assert_eq!(matching, expected, "{query}");
                expected.reverse();
                assert_eq!(ids(app, &admin, &format!("?limit=100&sort=newest&{query}")).await, expected, "{query}");
            }
        });
    }
}

mod paging {
    use super::*;

    #[test]
    fn what_stayed_is_shown_once_while_others_come_and_go() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            for (sort, query) in [("oldest", ""), ("newest", "&q=tide"), ("risk", "&author=ada&author=staff")] {
                let mut random = fastrand::Rng::with_seed(3);
                let mut all = Vec::new();
                for number in 0..40 {
                    let name = if number % 4 == 0 { "Staff" } else { "Ada" };
                    let comment = format!("tide {sort} {number}");
                    all.push(
                        app.posted(&article, &json!({ "name": name, "email": "a@example.org", "comment": comment }))
                            .await,
                    );
                    app.advance(u64::from(number % 3 == 0));
                }
                let (mut gone, mut seen) = (Vec::new(), Vec::new());
                let mut path = format!("{QUEUE}?sort={sort}&limit=5{query}");
                loop {
                    let page = app.get_as(&admin, &path).await.expect(200).json();
                    seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()));
                    let Some(next) = page["next"].as_str() else { break };
                    path = format!("{QUEUE}?sort={sort}&limit=5{query}&cursor={next}");
                    // Somebody decides about any of them, the one that the cursor stands on included; somebody posts.
                    let one = if random.bool() { *seen.last().unwrap() } else { all[random.usize(..all.len())] };
                    if !gone.contains(&one) {
                        decided(app, &admin, one, "approve", None).await;
                        gone.push(one);
                    }
                    app.posted(&article, &form(&format!("tide meanwhile {sort} {}", random.u32(..)))).await;
                }
                let mut once = seen.clone();
                once.sort_unstable();
                once.dedup();
                assert_eq!(once.len(), seen.len(), "{sort}: none twice");
                let stayed: Vec<&i64> = all.iter().filter(|id| !gone.contains(id)).collect();
                assert!(stayed.iter().all(|id| seen.contains(id)), "{sort}: {stayed:?} {seen:?}");
                // Next round begins with an empty queue.
                for id in ids(app, &admin, "?limit=100").await {
                    decided(app, &admin, id, "trash", None).await;
                }
            }
        });
    }
}

mod search {
    use super::*;

    #[test]
    fn every_language_is_found() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let mut all = Vec::new();
            for comment in [
                "The tide turns at the café; don't wait.",
                "我是中国人民的朋友。",
                "Ο Σίσυφος ΑΝΕΒΑΊΝΕΙ",
                "ひらがなとカタカナ",
                "대한민국 만세",
                "हिन्दी में लिखा",
                "ภาษาไทยง่าย",
                "Ёжик в тумане",
                "مُحَمَّد هنا",
                "Look at https://shop.example/buy?x=1 👍",
            ] {
                let body = json!({ "name": "Zoë", "email": "zoe@mail.example", "url": "https://home.example", "comment": comment });
                all.push(app.posted(&article, &body).await);
                app.advance(1);
            }
            for (query, found) in [
                ("TIDE", vec![0]),
                ("cafe", vec![0]),
                ("tid", vec![]),
                ("\"tide turns\"", vec![0]),
                ("\"turns tide\"", vec![]),
                ("don't", vec![0]),
                ("中国", vec![1]),
                ("国人民", vec![1]),
                ("友", vec![1]),
                ("中人", vec![]),
                ("σισυφοσ ανεβαινει", vec![2]),
                ("カタカナ", vec![3]),
                ("ｶﾀｶﾅ", vec![3]),
                ("민국", vec![4]),
                ("हिन्दी", vec![5]),
                ("हिन्द", vec![]),
                ("ไทย", vec![6]),
                ("ежик", vec![7]),
                ("محمد", vec![8]),
                ("shop.example", vec![9]),
                ("buy", vec![9]),
                ("👍", vec![9]),
                ("home.example AND 友", vec![1]),
                ("zoe NOT (tide OR 中国 OR σισυφοσ) NOT ไทย", vec![3, 4, 5, 7, 8, 9]),
                ("NOT zoe", vec![]),
                ("zoe@mail.example tide", vec![0]),
                ("\"zoe https\"", vec![]),
                ("\"zoe the\" OR \"example zoe\"", vec![]),
            ] {
                let found: Vec<i64> = found.into_iter().map(|number: usize| all[number]).collect();
                assert_eq!(ids(app, &admin, &format!("?q={}", percent(query))).await, found, "{query}");
                let (asking, asked) = (everything(app.app.clock.now()), filter(&format!("q={}", percent(query))));
                let matching = app.app.store.read(move |conn| list_matching(conn, &asking, &asked, 100)).await;
                let matching: Vec<i64> = matching.expect("the store").iter().map(|(id, _)| id.get()).collect();
                assert_eq!(matching, found, "{query}");
            }
            let found = items(app, &admin, &format!("?q={}", percent("人民 OR home"))).await;
            let found = found.iter().find(|item| item["id"] == all[1]).expect("a comment")["matches"].clone();
            let marked = json!([{ "field": "text", "snippet": "我是中国<mark>人民</mark>的朋友。" },
                { "field": "url", "snippet": "https://<mark>home</mark>.example/" }]);
            let marked_as_sent = json!([{ "field": "text", "snippet": "我是中国<mark>人民</mark>的朋友。" },
                { "field": "url", "snippet": "https://<mark>home</mark>.example" }]);
            assert!(found == marked || found == marked_as_sent, "{found}");
        });
    }

    fn a_text(random: &mut fastrand::Rng) -> String {
        let pieces = [
            "tide", "Tide,", "ébb", "EBB", "中", "国", "中国", "人", "ไท", "가나", "x", "a.b", "'", "\\", "\"", ":",
            "*", "tide*", "ß", "І", "ı", "ﬁ", "½", "👍", "हि", "\u{e000}", "\u{301}", "AND", "NOT",
        ];
        let count = random.usize(1..9);
        let mut text = String::from("w");
        for _ in 0..count {
            text += if random.u8(..3) == 0 { "" } else { " " };
            text += pieces[random.usize(..pieces.len())];
        }
        text
    }

    fn a_query(random: &mut fastrand::Rng, depth: u8) -> String {
        let part = |random: &mut fastrand::Rng| match random.u8(..if depth == 0 { 6 } else { 8 }) {
            0..4 => ["tide", "ebb", "中", "中国", "国人", "ไท", "가", "x", "a.b", "ß", "fi", "1", "👍", "हि", "w", "i"]
                [random.usize(..16)]
            .to_owned(),
            4 | 5 => format!("\"{}\"", a_text(random).replace('"', "")),
            6 => format!("NOT {}", a_query(random, 0)),
            _ => format!("({})", a_query(random, depth - 1)),
        };
        let mut query = part(random);
        for _ in 0..random.u8(..3) {
            query += [" ", " OR ", " AND "][random.usize(..3)];
            query += &part(random);
        }
        query
    }

    #[test]
    fn both_databases_find_exactly_what_the_words_say() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            let mut random = fastrand::Rng::with_seed(5);
            let mut all = Vec::new();
            for number in 0..80 {
                let text = a_text(&mut random);
                let email = format!("{}@tide.example", ["ebb", "x", "w.a"][random.usize(..3)]);
                let id = app
                    .posted(&article, &json!({ "name": format!("N{number}"), "email": email, "comment": text }))
                    .await;
                all.push((id, words_of(&format!("N{number}"), None, &text, Some(&email))));
            }
            // Many places of one word, and more words than are kept.
            let long = format!("{} tide ebb {}", "tide ".repeat(400), "x ebb ".repeat(9_000));
            let id = app.posted(&article, &json!({ "name": "long", "email": "x@tide.example", "comment": long })).await;
            all.push((id, words_of("long", None, long.trim(), Some("x@tide.example"))));
            index_waiting(&app.app).await.expect("indexed");
            let (mut asked, mut with_hits) = (0, 0);
            for _ in 0..600 {
                let query = a_query(&mut random, 3);
                let Ok(search) = Search::parse(&query) else { continue };
                if !search.is_anchored() {
                    continue;
                }
                for with_email in [true, false] {
                    let is_hit = |(_, words): &&(i64, _)| is_found(&search, words, with_email);
                    let expected: Vec<i64> = all.iter().filter(is_hit).map(|(id, _)| *id).collect();
                    let asked_for = search.clone();
                    let found = app
                        .app
                        .store
                        .read(move |conn| Ok::<_, StoreError>(list_by_words(conn, &asked_for, with_email, 1_000)?));
                    let mut found = found.await.expect("the store");
                    found.sort_unstable();
                    assert_eq!(found, expected, "{query}");
                    asked += 1;
                    with_hits += usize::from(!expected.is_empty());
                }
            }
            assert!(asked > 300 && with_hits > 100, "{asked} {with_hits}");
        });
    }

    #[test]
    fn a_cleared_address_is_not_found_any_more() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let id = app.posted(&article, &form("old")).await;
            assert_eq!(ids(app, &admin, "?ip=127.0.0.0/8").await, [id]);
            let none_kept = Millis(0)..Millis(0);
            let clear = app.app.store.write(move |conn| clear_addresses(conn, 0, &none_kept, 100)).await;
            assert_eq!(clear.expect("cleared"), Some(id));
            assert_eq!(ids(app, &admin, "?ip=127.0.0.0/8").await, NONE);
        });
    }

    #[test]
    fn an_edit_and_a_cleared_address_are_found_as_they_are() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let id = app.posted(&article, &form("before")).await;
            from_address(app, id, "198.51.100.7").await;
            assert_eq!(ids(app, &admin, "?q=before&ip=198.51.100.7").await, [id]);
            let edit = app.app.store.write(move |conn| {
                let one = comments::table.find(CommentId::new(id));
                let set = (
                    comments::text.eq("after"),
                    comments::edited_at.eq(Some(Millis(7))),
                    comments::ip.eq(None::<String>),
                    comments::version.eq(2),
                    comments::is_indexed.eq(false),
                );
                diesel::update(one).set(set).execute(conn).map_err(StoreError::from)
            });
            edit.await.expect("an edit");
            for (query, found) in [("?q=before", 0), ("?q=after", 1), ("?ip=198.51.100.7", 0), ("?author=ada", 1)] {
                assert_eq!(ids(app, &admin, query).await.len(), found, "{query}");
                let (asking, asked) = (everything(app.app.clock.now()), filter(&query[1..]));
                let matching = app.app.store.read(move |conn| list_matching(conn, &asking, &asked, 100)).await;
                assert_eq!(matching.expect("the store").len(), found, "{query}");
            }
        });
    }
}

mod counting {
    use super::*;

    #[test]
    fn counts_are_right_at_every_moment() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            app.site("second").await;
            let mut all = Vec::new();
            for number in 0..12 {
                let article = app.article_on(["main", "second"][number % 2], "a").await;
                all.push(app.posted(&article, &form(&format!("number {number}"))).await);
                assert_eq!(total(&counts(app, &admin, "?status=any").await), i64::try_from(all.len()).unwrap());
                if number % 4 == 3 {
                    index_waiting(&app.app).await.expect("indexed");
                    assert_eq!(total(&counts(app, &admin, "?status=any").await), i64::try_from(all.len()).unwrap());
                }
                if number % 3 == 2 {
                    decided(app, &admin, all[number], "spam", None).await;
                    decided(app, &admin, all[number - 1], "reject", None).await;
                }
            }
            let of = |site: &str, status: &str| (site.to_owned(), status.to_owned());
            let expected = BTreeMap::from([
                (of("main", "pending"), 2),
                (of("main", "rejected"), 2),
                (of("main", "spam"), 2),
                (of("second", "pending"), 2),
                (of("second", "rejected"), 2),
                (of("second", "spam"), 2),
            ]);
            assert_eq!(counts(app, &admin, "?status=any").await, expected);
            index_waiting(&app.app).await.expect("indexed");
            assert_eq!(counts(app, &admin, "?status=any").await, expected);
            assert_eq!(total(&counts(app, &admin, "").await), 4);
            assert_eq!(total(&counts(app, &admin, "?status=spam&site=second").await), 2);
            // What is kept is a recount.
            let kept = app.app.store.read(|conn| {
                let rows = comment_counts::table.select((comment_counts::status, comment_counts::count));
                Ok::<Vec<(String, i64)>, StoreError>(rows.filter(comment_counts::count.ne(0)).load(conn)?)
            });
            assert_eq!(kept.await.expect("the store").iter().map(|(_, count)| count).sum::<i64>(), 12);
        });
    }

    #[test]
    fn what_changes_while_it_is_indexed_is_indexed_again() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let article = app.article("a").await;
            let mut all = Vec::new();
            for number in 0..30 {
                all.push(app.posted(&article, &form(&format!("number {number}"))).await);
            }
            let decide = async {
                for id in &all {
                    decided(app, &admin, *id, "approve", Some("other")).await;
                }
            };
            let index = async {
                for _ in 0..20 {
                    index_waiting(&app.app).await.expect("indexed");
                }
            };
            futures_util::future::join(decide, index).await;
            assert_eq!(ids(app, &admin, "?reason=other&status=approved&limit=100").await, all);
            let stale = app.app.store.read(|conn| {
                let lookup =
                    comment_lookup::table.inner_join(comments::table.on(comments::id.eq(comment_lookup::comment_id)));
                let stale = lookup.filter(comment_lookup::status.ne(comments::status)).count();
                Ok::<i64, StoreError>(stale.get_result(conn)?)
            });
            assert_eq!(stale.await.expect("the store"), 0);
            assert_eq!(total(&counts(app, &admin, "?status=any").await), 30);
        });
    }

    #[test]
    fn a_job_indexes_what_nobody_asks_for() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.posted(&article, &form("tide")).await;
            eventually("it is indexed", async || {
                let waiting = app.app.store.read(|conn| {
                    let waiting = comments::table.filter(comments::is_indexed.eq(false)).count();
                    Ok::<i64, StoreError>(waiting.get_result(conn)?)
                });
                waiting.await.is_ok_and(|count| count == 0)
            })
            .await;
        });
    }
}

mod records {
    use super::*;

    #[test]
    fn an_item_says_what_became_of_its_author_on_that_site() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            let reviewer = app.person("reviewer", Role::ReviewerWithoutEmails, &["main"]).await;
            app.site("second").await;
            let (article, other) = (app.article("a").await, app.article_on("second", "a").await);
            let by = |email: &str, number: usize| json!({ "name": "Ada", "email": email, "comment": format!("number {number}") });
            for (number, decision) in ["approve", "approve", "reject", "trash", "spam"].into_iter().enumerate() {
                let id = app.posted(&article, &by("ada@example.org", number)).await;
                decided(app, &admin, id, decision, None).await;
            }
            decided(app, &admin, app.posted(&other, &by("ada@example.org", 9)).await, "approve", None).await;
            let id = app.posted(&article, &by("ADA@example.org", 10)).await;
            let stranger = app.posted(&article, &by("new@example.org", 11)).await;
            index_waiting(&app.app).await.expect("indexed");
            for person in [&admin, &reviewer] {
                let items = items(app, person, "").await;
                let known = json!({ "approved": 2, "rejected": 2, "spam": 1, "verified": false });
                assert_eq!(items[0]["author"]["record"], known);
                assert_eq!(
                    items[1]["author"]["record"],
                    json!({ "approved": 0, "rejected": 0, "spam": 0, "verified": false })
                );
                let one = app.get_as(person, &format!("{QUEUE}/{id}")).await.expect(200).json();
                assert_eq!(one["author"]["record"], known);
            }
            let one = app.request_as(&admin, Method::GET, &format!("{QUEUE}/{stranger}"));
            assert_eq!(crate::support::Answer::of(one).await.expect(200).json()["claimed_by"], Value::Null);
        });
    }
}
