//! `src/comments/thread.rs` and `show.rs`: reading the published tree, and what decisions make of it.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;

use futures_util::StreamExt;
use futures_util::future::join_all;
use rejoinder::sites::SetSite;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::TestApp;
use crate::support::{Answer, form, on_each_database};

async fn reply(app: &TestApp, article: &str, parent: i64, text: &str) -> i64 {
    let mut body = form(text);
    body["parent_id"] = json!(parent);
    app.posted(article, &body).await
}

fn id_of(comment: &Value) -> i64 {
    comment["id"].as_i64().expect("an id")
}

fn ids(items: &Value) -> Vec<i64> {
    items.as_array().expect("a list").iter().map(id_of).collect()
}

/// All ids of a forest, each comment before its replies.
fn all_ids(items: &Value) -> Vec<i64> {
    let below = |item: &Value| item.get("children").map(all_ids).unwrap_or_default();
    items.as_array().expect("a list").iter().flat_map(|item| std::iter::once(id_of(item)).chain(below(item))).collect()
}

/// Every page of a list, one after the other.
async fn walk(app: &TestApp, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = list.to_owned();
    loop {
        let answer = app.get(&path).await.expect(200);
        let page = answer.json();
        items.extend(page["items"].as_array().expect("items").clone());
        let link = answer.header("link").map(str::to_owned);
        let Some(next) = page["next"].as_str() else {
            assert_eq!(link, None);
            return items;
        };
        let link = link.expect("a link to the next page");
        let url = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect("a link");
        assert!(url.starts_with(&format!("{}/api/v1/sites/main/articles/", app.base)), "{url}");
        assert!(url.ends_with(&format!("cursor={next}")), "{url}");
        let (by_link, by_cursor) = (url.replace(&app.base, ""), format!("{list}&cursor={next}"));
        assert_eq!(app.get(&by_link).await.expect(200).body, app.get(&by_cursor).await.expect(200).body);
        path = by_cursor;
        assert!(items.len() < 10_000, "the list never ends");
    }
}

mod paging {
    use super::*;

    #[test]
    fn pages_of_any_size_add_up_to_the_list_in_every_order() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let mut random = Random(7);
            let mut known: Vec<i64> = Vec::new();
            for count in 0..25 {
                app.advance(random.below(2));
                let parent = known.get(usize::try_from(random.below(40)).unwrap()).copied();
                let text = format!("number {count}");
                let answer = match parent {
                    Some(parent) => reply(app, &article, parent, &text).await,
                    None => app.posted(&article, &form(&text)).await,
                };
                // The deepest cannot be answered.
                if known.len() < 12 {
                    known.push(answer);
                }
            }
            for view in ["tree", "flat"] {
                for sort in ["oldest", "newest", "top"] {
                    let list = format!("{article}/comments?view={view}&sort={sort}");
                    let whole = app.get(&format!("{list}&limit=100")).await.expect(200).json();
                    assert_eq!(whole["next"], json!(null));
                    let all = all_ids(&whole["items"]);
                    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 25);
                    for limit in 1..=7 {
                        let pages = walk(app, &format!("{list}&limit={limit}")).await;
                        assert_eq!(Value::from(pages), whole["items"], "{view} {sort} {limit}");
                    }
                }
            }
        });
    }

    #[test]
    fn a_cursor_holds_its_place_while_comments_come_and_go() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            let mut posted = Vec::new();
            for count in 0..6 {
                posted.push(app.posted(&article, &form(&format!("number {count}"))).await);
            }
            for list in [format!("{article}/comments?limit=2"), format!("{article}/comments?view=flat&limit=2")] {
                let first = app.get(&list).await.expect(200).json();
                assert_eq!(ids(&first["items"]), posted[..2]);
                let next = format!("{list}&cursor={}", first["next"].as_str().unwrap());
                // The comment that the cursor names goes; the place stays.
                app.decide(&admin, posted[1], 1, "reject").await.expect(201);
                assert_eq!(ids(&app.get(&next).await.expect(200).json()["items"]), posted[2..4]);
                app.decide(&admin, posted[1], 2, "approve").await.expect(201);
                assert_eq!(ids(&app.get(&next).await.expect(200).json()["items"]), posted[2..4]);
                app.decide(&admin, posted[1], 3, "trash").await.expect(201);
                posted.remove(1);
                posted.push(app.posted(&article, &form(&format!("after {list}"))).await);
                posted.remove(0);
                app.decide(&admin, ids(&first["items"])[0], 1, "trash").await.expect(201);
            }
        });
    }

    #[test]
    fn a_cursor_of_another_list_cannot_be_read() {
        on_each_database(async |app| {
            let (article, other) = (app.article("a").await, app.article("b").await);
            app.publish_first().await;
            for count in 0..3 {
                app.posted(&article, &form(&format!("number {count}"))).await;
                app.posted(&other, &form(&format!("number {count}"))).await;
            }
            let cursor = async |list: &str| {
                let page = app.get(&format!("{list}&limit=1")).await.expect(200).json();
                page["next"].as_str().unwrap().to_owned()
            };
            let tree = cursor(&format!("{article}/comments?view=tree")).await;
            app.get(&format!("{article}/comments?cursor={tree}")).await.expect(200);
            for foreign in [
                cursor(&format!("{article}/comments?view=flat")).await,
                cursor(&format!("{article}/comments?sort=newest")).await,
                cursor(&format!("{article}/comments?sort=top")).await,
                cursor(&format!("{other}/comments?view=tree")).await,
                String::new(),
                "x".to_owned(),
                "AAAAAAAAAAAAAAAA".to_owned(),
                tree[..15].to_owned(),
                format!("{tree}AAAA"),
                format!("{tree}=="),
                "%2e%2e".to_owned(),
            ] {
                let refused = app.get(&format!("{article}/comments?cursor={foreign}")).await;
                refused.expect_problem(400, "unreadable");
            }
            app.get(&format!("/sites/main/articles/a?cursor={tree}")).await.expect(200);
            app.get("/sites/main/articles/a?cursor=x").await.expect_problem(400, "unreadable");
        });
    }

    #[test]
    fn a_parameter_out_of_range_is_named_and_an_unknown_one_ignored() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            app.posted(&article, &form("x")).await;
            for (query, pointer, code) in [
                ("limit=0", "/limit", "range"),
                ("limit=101", "/limit", "range"),
                ("limit=4294967295", "/limit", "range"),
                ("limit=99999999999999", "/limit", "type"),
                ("limit=x", "/limit", "type"),
                ("limit=-1", "/limit", "type"),
                ("limit=%2B5", "/limit", "type"),
                ("limit=1.5", "/limit", "type"),
                ("limit=", "/limit", "type"),
                ("limit=1&limit=2", "/limit", "repeated"),
                ("view=list", "/view", "choice"),
                ("view=Tree", "/view", "choice"),
                ("sort=id", "/sort", "choice"),
                ("sort=created_at;DROP", "/sort", "choice"),
                ("sort=%00", "/sort", "nul_character"),
            ] {
                let refused = app.get(&format!("{article}/comments?{query}")).await;
                refused.expect_faults(&[(pointer, code)]);
            }
            let three = app.get(&format!("{article}/comments?limit=0&view=x&sort=y")).await;
            three.expect_faults(&[("/limit", "range"), ("/sort", "choice"), ("/view", "choice")]);
            app.get(&format!("{article}/comments?sort=%ff")).await.expect_problem(400, "unreadable");
            let plain = app.get(&format!("{article}/comments")).await.expect(200);
            for query in ["?", "?utm_source=x", "?view=tree&sort=oldest&limit=50&status=pending&_=1", "?&&", "?%00=1"] {
                let same = app.get(&format!("{article}/comments{query}")).await.expect(200);
                assert_eq!((&same.body, same.header("etag")), (&plain.body, plain.header("etag")), "{query}");
            }
        });
    }

    #[test]
    fn an_article_that_is_not_there_has_no_comments() {
        on_each_database(async |app| {
            app.article("a").await;
            for path in ["/api/v1/sites/main/articles/b/comments", "/api/v1/sites/none/articles/a/comments"] {
                app.get(path).await.expect_problem(404, "not-found");
            }
            app.get("/sites/main/articles/b").await.expect_problem(404, "not-found");
        });
    }
}

mod caching {
    use super::*;

    async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = app.request(Method::GET, path);
        Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Every public read there is, with enough to be worth packing.
    async fn reads(app: &TestApp) -> [String; 4] {
        let article = app.article("a").await;
        app.publish_first().await;
        let mut last = 0;
        for count in 0..5 {
            last = app.posted(&article, &form(&format!("number {count} {}", "and more of it ".repeat(80)))).await;
        }
        [
            format!("{article}/comments"),
            article,
            format!("/api/v1/comments/{last}"),
            "/api/v1/sites/main/counts?article=a".to_owned(),
        ]
    }

    #[test]
    fn every_encoding_has_a_strong_tag_of_its_own_and_is_answered_with_304() {
        on_each_database(async |app| {
            for path in reads(app).await {
                let plain = get(app, &path, &[]).await.expect(200);
                let tag = plain.header("etag").expect("a tag").to_owned();
                assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{tag}");
                assert_eq!(plain.header("content-encoding"), None);
                let packed = get(app, &path, &[("accept-encoding", "gzip")]).await.expect(200);
                let packed_tag = packed.header("etag").expect("a tag").to_owned();
                if plain.body.len() > 1_024 {
                    assert_eq!(packed.header("content-encoding"), Some("gzip"));
                    assert_ne!(tag, packed_tag);
                    let mut text = Vec::new();
                    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut text).unwrap();
                    assert_eq!(text, plain.body);
                }
                for answer in [&plain, &packed] {
                    assert_eq!(answer.header("cache-control"), Some("public, no-cache"));
                    assert_eq!(answer.header("vary"), Some("Accept-Encoding, Origin"));
                    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
                }
                for (tag, encoding) in [(&tag, "identity"), (&packed_tag, "gzip")] {
                    let weak = format!("W/{tag}");
                    let list = format!("\"x\", {tag}");
                    for known in [tag.as_str(), "*", &weak, &list] {
                        let headers = [("if-none-match", known), ("accept-encoding", encoding)];
                        let unchanged = get(app, &path, &headers).await.expect(304);
                        assert!(unchanged.body.is_empty());
                        assert_eq!(unchanged.header("etag"), Some(tag.as_str()));
                        assert_eq!(unchanged.header("cache-control"), Some("public, no-cache"));
                        assert_eq!(unchanged.header("vary"), Some("Accept-Encoding, Origin"));
                    }
                    let stale = get(app, &path, &[("if-none-match", "\"x\""), ("accept-encoding", encoding)]).await;
                    stale.expect(200);
                }
            }
        });
    }

    #[test]
    fn a_new_comment_makes_a_new_tag() {
        on_each_database(async |app| {
            let [list, article, _, counts] = reads(app).await;
            for path in [&list, &article, &counts] {
                let before = get(app, path, &[]).await.expect(200);
                let tag = before.header("etag").unwrap().to_owned();
                app.posted(&article, &form(path)).await;
                let after = get(app, path, &[("if-none-match", &tag)]).await.expect(200);
                assert_ne!(after.header("etag"), Some(tag.as_str()));
            }
        });
    }

    #[test]
    fn head_is_get_without_a_body() {
        on_each_database(async |app| {
            for path in reads(app).await {
                let got = get(app, &path, &[]).await.expect(200);
                let head = Answer::of(app.request(Method::HEAD, &path)).await.expect(200);
                assert!(head.body.is_empty());
                for name in ["etag", "cache-control", "vary", "content-type", "link", "content-length"] {
                    assert_eq!(head.header(name), got.header(name), "{path} {name}");
                }
                let known = app.request(Method::HEAD, &path).header("if-none-match", got.header("etag").unwrap());
                Answer::of(known).await.expect(304);
            }
        });
    }

    #[test]
    fn only_an_origin_of_the_site_is_echoed() {
        on_each_database(async |app| {
            let origins = Some(vec!["https://news.example".to_owned()]);
            app.set_site("main", SetSite { origins, ..SetSite::default() }).await;
            for path in reads(app).await {
                let ours = get(app, &path, &[("origin", "https://news.example")]).await.expect(200);
                assert_eq!(ours.header("access-control-allow-origin"), Some("https://news.example"));
                assert_eq!(ours.header("access-control-allow-credentials"), None);
                for foreign in ["https://evil.example", "null", "*"] {
                    let answer = get(app, &path, &[("origin", foreign)]).await.expect(200);
                    assert_eq!(answer.header("access-control-allow-origin"), None);
                    assert_eq!(answer.header("etag"), ours.header("etag"));
                }
            }
        });
    }
}

mod size {
    use super::*;

    /// Posts many replies to one comment, several at a time.
    async fn many(app: &TestApp, article: &str, parent: i64, count: usize) {
        let texts = (0..count).map(|number| format!("reply {number} to {parent}"));
        let posts =
            futures_util::stream::iter(texts).map(|text| async move { reply(app, article, parent, &text).await });
        let posted: Vec<i64> = posts.buffer_unordered(16).collect().await;
        assert_eq!(posted.len(), count);
    }

    #[test]
    fn no_page_is_enormous_however_much_there_is() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let mut roots = Vec::new();
            for name in ["first", "second", "third"] {
                roots.push(app.posted(&article, &form(name)).await);
            }
            for (root, count) in roots.iter().zip([520, 400, 200]) {
                many(app, &article, *root, count).await;
            }
            let list = format!("{article}/comments");
            let page = app.get(&list).await.expect(200).json();
            // 501 and 401 fit below 1,000; another 201 do not.
            assert_eq!(ids(&page["items"]), roots[..2]);
            let (first, second) = (&page["items"][0], &page["items"][1]);
            assert_eq!((&first["replies"], ids(&first["children"]).len()), (&json!(520), 500));
            assert_eq!((&second["replies"], ids(&second["children"]).len()), (&json!(400), 400));
            assert_eq!(second.get("more"), None);
            let next = app.get(&format!("{list}?cursor={}", page["next"].as_str().unwrap())).await.expect(200).json();
            assert_eq!(ids(&next["items"]), roots[2..]);
            assert_eq!(next["next"], json!(null));
            let more = first["more"].as_str().expect("a cursor for the rest");
            let rest = app.get(&format!("{list}?cursor={more}")).await.expect(200).json();
            assert_eq!((ids(&rest["items"]).len(), &rest["next"]), (20, &json!(null)));
            let together = [ids(&first["children"]), ids(&rest["items"])].concat();
            let flat = walk(app, &format!("{list}?view=flat&limit=100")).await;
            let replies = flat.iter().filter(|item| item["parent_id"] == roots[0]).map(id_of);
            assert_eq!(together, replies.collect::<Vec<_>>());
            assert_eq!(flat.len(), 1_123);
            // The page has the same bounds, and links to both kinds of rest.
            let html = app.get("/sites/main/articles/a").await.expect(200);
            assert_eq!(html.text().matches("<article class=\"comment\"").count(), 902);
            let links = html.text().matches("?cursor=").count();
            assert_eq!(links, 2, "more comments and more replies");
        });
    }

    #[test]
    fn a_page_opened_at_a_comment_shows_it_once_and_hides_nothing_of_the_next_thread() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            for count in 0..50 {
                app.posted(&article, &form(&format!("before {count}"))).await;
            }
            let wanted = app.posted(&article, &form("wanted")).await;
            let busy = app.posted(&article, &form("busy")).await;
            many(app, &article, busy, 510).await;
            let first = app.get("/sites/main/articles/a").await.expect(200);
            assert!(!first.text().contains(&format!("id=\"comment-{wanted}\"")));
            let html = app.get(&format!("/sites/main/articles/a?comment={wanted}")).await.expect(200);
            assert_eq!(html.text().matches(&format!("id=\"comment-{wanted}\"")).count(), 1);
            assert_eq!(html.text().matches("<article class=\"comment\"").count(), 502);
            // One of the last replies of the busy thread is found too, beside its root.
            let flat = walk(app, &format!("{article}/comments?view=flat&limit=100")).await;
            let last = id_of(flat.last().unwrap());
            let html = app.get(&format!("/sites/main/articles/a?comment={last}")).await.expect(200);
            for shown in [busy, last] {
                assert_eq!(html.text().matches(&format!("id=\"comment-{shown}\"")).count(), 1);
            }
        });
    }
}

mod order {
    use super::*;

    #[test]
    fn top_puts_the_most_replied_to_first_then_the_oldest() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            let mut roots = Vec::new();
            for count in 0..4 {
                roots.push(app.posted(&article, &form(&format!("root {count}"))).await);
            }
            let first = reply(app, &article, roots[2], "one").await;
            reply(app, &article, first, "two").await;
            let lone = reply(app, &article, roots[3], "three").await;
            let top = async |view: &str| {
                ids(&app.get(&format!("{article}/comments?sort=top&view={view}")).await.expect(200).json()["items"])
            };
            assert_eq!(top("tree").await, [roots[2], roots[3], roots[0], roots[1]]);
            assert_eq!(top("flat").await[..3], [roots[2], roots[3], first]);
            app.decide(&admin, lone, 1, "reject").await.expect(201);
            assert_eq!(top("tree").await, [roots[2], roots[0], roots[1], roots[3]]);
        });
    }

    #[test]
    fn a_reply_never_stands_before_what_it_replies_to() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            // The clock stands still, and yet each is after the one before.
            let root = app.posted(&article, &form("root")).await;
            let child = reply(app, &article, root, "child").await;
            let grandchild = reply(app, &article, child, "grandchild").await;
            let flat = app.get(&format!("{article}/comments?view=flat")).await.expect(200).json();
            assert_eq!(ids(&flat["items"]), [root, child, grandchild]);
            let times: Vec<_> =
                flat["items"].as_array().unwrap().iter().map(|item| item["created_at"].as_str()).collect();
            assert!(times.is_sorted() && times[0] < times[1] && times[1] < times[2], "{times:?}");
        });
    }
}

mod published {
    use super::*;

    #[test]
    fn a_comment_has_exactly_the_fields_of_the_contract() {
        on_each_database(async |app| {
            let article = app.article("a").await;
            app.publish_first().await;
            let mut body = form("root");
            body["url"] = json!("https://ada.example");
            let root = app.posted(&article, &body).await;
            let child = reply(app, &article, root, "child").await;
            let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let fields =
                ["id", "parent_id", "depth", "author", "html", "created_at", "edited_at", "replies", "permalink"];
            let flat = app.get(&format!("{article}/comments?view=flat")).await.expect(200).json();
            for item in flat["items"].as_array().unwrap() {
                assert_eq!(names(item), fields);
                assert_eq!(names(&item["author"]), ["name", "url", "is_staff"]);
            }
            let tree = app.get(&format!("{article}/comments")).await.expect(200).json();
            assert_eq!(names(&tree["items"][0]), [&fields[..], &["children"]].concat());
            assert_eq!(names(&tree), ["items", "next"]);
            assert_eq!(
                tree["items"][0],
                json!({
                    "id": root,
                    "parent_id": null,
                    "depth": 0,
                    "author": { "name": "Ada", "url": "https://ada.example", "is_staff": false },
                    "html": "<p>root</p>",
                    "created_at": "2026-11-24T12:00:00.000Z",
                    "edited_at": null,
                    "replies": 1,
                    "permalink": format!("{}/sites/main/articles/a?comment={root}#comment-{root}", app.base),
                    "children": [{
                        "id": child,
                        "parent_id": root,
                        "depth": 1,
                        "author": { "name": "Ada", "url": null, "is_staff": false },
                        "html": "<p>child</p>",
                        "created_at": "2026-11-24T12:00:00.001Z",
                        "edited_at": null,
                        "replies": 0,
                        "permalink": format!("{}/sites/main/articles/a?comment={child}#comment-{child}", app.base),
                        "children": [],
                    }],
                })
            );
            let one = app.get(&format!("/api/v1/comments/{child}")).await.expect(200).json();
            assert_eq!(names(&one), [&fields[..], &["article", "ancestors"]].concat());
            assert_eq!(ids(&one["ancestors"]), [root]);
            assert_eq!(names(&one["article"]), ["site", "key", "title", "url"]);
        });
    }

    #[test]
    fn replies_of_a_rejected_comment_hang_on_the_nearest_published_one() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            let root = app.posted(&article, &form("root")).await;
            let middle = reply(app, &article, root, "middle").await;
            let leaf = reply(app, &article, middle, "leaf").await;
            let later = app.posted(&article, &form("later root")).await;
            let tree = async || app.get(&format!("{article}/comments")).await.expect(200).json()["items"].clone();
            app.decide(&admin, middle, 1, "reject").await.expect(201);
            let items = tree().await;
            assert_eq!(all_ids(&items), [root, leaf, later]);
            let moved = &items[0]["children"][0];
            assert_eq!(
                (&moved["parent_id"], &moved["depth"], &items[0]["replies"]),
                (&json!(root), &json!(1), &json!(1))
            );
            app.get(&format!("/api/v1/comments/{middle}")).await.expect_problem(404, "not-found");
            // Without any above it, it stands as a root where its thread stood.
            app.decide(&admin, root, 1, "trash").await.expect(201);
            let items = tree().await;
            assert_eq!(ids(&items), [leaf, later]);
            assert_eq!((&items[0]["parent_id"], &items[0]["depth"]), (&json!(null), &json!(0)));
            assert_eq!(app.get(&article).await.json()["comments"], 2);
            app.decide(&admin, middle, 2, "approve").await.expect(201);
            assert_eq!(all_ids(&tree().await), [middle, leaf, later]);
            app.decide(&admin, root, 2, "approve").await.expect(201);
            let items = tree().await;
            assert_eq!(all_ids(&items), [root, middle, leaf, later]);
            assert_eq!(items[0]["children"][0]["children"][0]["depth"], 2);
        });
    }
}

/// A small generator of its own, so that a failure comes again (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("an index")
    }
}

mod model {
    use super::*;

    const DECISIONS: [(&str, &str); 5] =
        [("approve", "approved"), ("reject", "rejected"), ("spam", "spam"), ("hold", "pending"), ("trash", "trash")];
    const LEVELS: u32 = 8;

    struct Written {
        id: i64,
        /// Index of what it was written under.
        parent: Option<usize>,
        /// Milliseconds since the test began.
        at: u64,
        status: &'static str,
        version: i64,
    }

    /// What was posted and decided; everything served is worked out from it anew each time.
    #[derive(Default)]
    struct Model(Vec<Written>);

    impl Model {
        fn is_published(&self, index: usize) -> bool {
            self.0[index].status == "approved"
        }

        fn published(&self) -> Vec<usize> {
            (0..self.0.len()).filter(|index| self.is_published(*index)).collect()
        }

        /// From the nearest to the root.
        fn above(&self, index: usize) -> Vec<usize> {
            std::iter::successors(self.0[index].parent, |above| self.0[*above].parent).collect()
        }

        fn shown_above(&self, index: usize) -> Vec<usize> {
            self.above(index).into_iter().filter(|above| self.is_published(*above)).collect()
        }

        fn children(&self, index: usize) -> Vec<usize> {
            self.in_order(|other| self.shown_above(other).first() == Some(&index))
        }

        fn below(&self, index: usize) -> usize {
            self.published().into_iter().filter(|other| self.above(*other).contains(&index)).count()
        }

        fn place(&self, index: usize) -> (u64, i64) {
            (self.0[index].at, self.0[index].id)
        }

        fn in_order(&self, is_wanted: impl Fn(usize) -> bool) -> Vec<usize> {
            let mut all: Vec<usize> = self.published().into_iter().filter(|index| is_wanted(*index)).collect();
            all.sort_by_key(|index| self.place(*index));
            all
        }

        fn roots(&self) -> Vec<usize> {
            let thread = |index: usize| self.above(index).last().copied().unwrap_or(index);
            let mut roots = self.in_order(|index| self.shown_above(index).is_empty());
            roots.sort_by_key(|index| (self.place(thread(*index)), self.place(*index)));
            roots
        }

        fn by_below(&self, mut all: Vec<usize>) -> Vec<usize> {
            all.sort_by_key(|index| std::cmp::Reverse(self.below(*index)));
            all
        }

        fn expect(&self, index: usize) -> Value {
            json!({
                "id": self.0[index].id,
                "parent_id": self.shown_above(index).first().map(|above| self.0[*above].id),
                "depth": self.shown_above(index).len(),
                "replies": self.children(index).len(),
            })
        }

        fn expect_tree(&self, roots: &[usize]) -> Value {
            let node = |index: &usize| {
                let mut node = self.expect(*index);
                node["children"] = self.expect_tree(&self.children(*index));
                node
            };
            roots.iter().map(node).collect()
        }

        fn expect_flat(&self, all: &[usize]) -> Value {
            all.iter().map(|index| self.expect(*index)).collect()
        }
    }

    /// What the model says something about.
    fn bare(items: &Value) -> Value {
        let bare_one = |item: &Value| {
            let mut one = json!({});
            for name in ["id", "parent_id", "depth", "replies"] {
                one[name] = item[name].clone();
            }
            if let Some(children) = item.get("children") {
                one["children"] = bare(children);
            }
            one
        };
        items.as_array().expect("a list").iter().map(bare_one).collect()
    }

    async fn check_tree(app: &TestApp, article: &str, model: &Model, what: &str) {
        let tree = app.get(&format!("{article}/comments?limit=100")).await.expect(200).json();
        assert_eq!(bare(&tree["items"]), model.expect_tree(&model.roots()), "{what}");
        assert_eq!(app.get(article).await.expect(200).json()["comments"], model.published().len(), "{what}");
    }

    async fn check_everything(app: &TestApp, article: &str, model: &Model, what: &str) {
        let roots = model.roots();
        let newest: Vec<usize> = roots.iter().rev().copied().collect();
        for (sort, roots) in [("newest", newest), ("top", model.by_below(roots))] {
            let pages = walk(app, &format!("{article}/comments?limit=3&sort={sort}")).await;
            assert_eq!(bare(&pages.into()), model.expect_tree(&roots), "{what} {sort}");
        }
        let all = model.in_order(|_| true);
        let newest: Vec<usize> = all.iter().rev().copied().collect();
        for (sort, all) in [("oldest", all.clone()), ("newest", newest), ("top", model.by_below(all))] {
            let pages = walk(app, &format!("{article}/comments?view=flat&limit=7&sort={sort}")).await;
            assert_eq!(bare(&pages.into()), model.expect_flat(&all), "{what} flat {sort}");
        }
        for (index, written) in model.0.iter().enumerate() {
            let one = app.get(&format!("/api/v1/comments/{}", written.id)).await;
            if !model.is_published(index) {
                one.expect_problem(404, "not-found");
                continue;
            }
            let one = one.expect(200).json();
            assert_eq!(bare(&json!([one])), model.expect_flat(&[index]), "{what}");
            let above: Vec<usize> = model.shown_above(index).into_iter().rev().collect();
            assert_eq!(bare(&one["ancestors"]), model.expect_flat(&above), "{what}");
        }
        let counts = app.get("/api/v1/sites/main/counts?article=a").await.expect(200).json();
        assert_eq!(counts["counts"]["a"], model.published().len(), "{what}");
    }

    async fn post(app: &TestApp, article: &str, model: &mut Model, random: &mut Random, now: u64) {
        let answerable: Vec<usize> = model
            .published()
            .into_iter()
            .filter(|index| model.shown_above(*index).len() + 1 < LEVELS as usize)
            .collect();
        let is_root = answerable.is_empty() || random.below(4) == 0;
        let parent = (!is_root).then(|| answerable[random.index(answerable.len())]);
        let text = format!("number {}", model.0.len());
        let id = match parent {
            Some(parent) => reply(app, article, model.0[parent].id, &text).await,
            None => app.posted(article, &form(&text)).await,
        };
        let at = parent.map_or(now, |parent| now.max(model.0[parent].at + 1));
        model.0.push(Written { id, parent, at, status: "approved", version: 1 });
    }

    async fn decide(app: &TestApp, admin: &Person, model: &mut Model, random: &mut Random) -> String {
        let index = random.index(model.0.len());
        // As many come back as go.
        let choice = if random.below(2) == 0 { 0 } else { random.index(DECISIONS.len()) };
        let (decision, status) = DECISIONS[choice];
        let written = &mut model.0[index];
        let is_new = written.status != status;
        let answer = app.decide(admin, written.id, written.version, decision).await;
        assert_eq!(answer.status, if is_new { 201 } else { 200 }, "{}", answer.text());
        written.status = status;
        written.version += i64::from(is_new);
        format!("{decision} {}", written.id)
    }

    #[test]
    fn after_any_decisions_the_tree_served_is_the_tree_worked_out_anew() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            app.set_site("main", SetSite { max_depth: Some(LEVELS), ..SetSite::default() }).await;
            let (mut random, mut model, mut now) = (Random(2026), Model::default(), 0);
            for _ in 0..30 {
                if random.below(3) == 0 {
                    app.advance(1);
                    now += 1_000;
                }
                post(app, &article, &mut model, &mut random, now).await;
            }
            check_everything(app, &article, &model, "as posted").await;
            let mut history: BTreeMap<usize, String> = BTreeMap::new();
            for step in 0..200 {
                history.insert(step, decide(app, &admin, &mut model, &mut random).await);
                if step % 20 == 7 {
                    post(app, &article, &mut model, &mut random, now).await;
                }
                check_tree(app, &article, &model, &format!("{history:?}")).await;
                if step % 25 == 24 {
                    check_everything(app, &article, &model, &format!("{history:?}")).await;
                }
            }
        });
    }

    /// Takes status and version of every comment from the moderators' list.
    async fn learn(app: &TestApp, admin: &Person, model: &mut Model) {
        let list = app.get_as(admin, "/api/v1/review/comments?status=any&limit=100").await.expect(200).json();
        let items = list["items"].as_array().expect("items");
        assert_eq!(items.len(), model.0.len());
        for item in items {
            let written = model.0.iter_mut().find(|written| written.id == id_of(item)).expect("a comment of ours");
            let status = DECISIONS.iter().find(|(_, status)| *status == item["status"]).expect("a status");
            (written.status, written.version) = (status.1, item["version"].as_i64().expect("a version"));
        }
    }

    #[test]
    fn decisions_and_replies_at_the_same_moment_leave_the_tree_whole() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            app.publish_first().await;
            app.set_site("main", SetSite { max_depth: Some(LEVELS), ..SetSite::default() }).await;
            let (mut random, mut model) = (Random(7), Model::default());
            for _ in 0..12 {
                post(app, &article, &mut model, &mut random, 0).await;
            }
            for round in 0..12 {
                let decisions: Vec<(i64, i64, &str)> = (0..8)
                    .map(|_| {
                        let written = &model.0[random.index(model.0.len())];
                        (written.id, written.version, DECISIONS[random.index(2)].0)
                    })
                    .collect();
                let replies: Vec<(usize, String)> =
                    (0..4).map(|count| (random.index(model.0.len()), format!("round {round}, {count}"))).collect();
                let deciding =
                    decisions.iter().map(|(id, version, decision)| app.decide(&admin, *id, *version, decision));
                let replying = replies.iter().map(|(parent, text)| {
                    let mut body = form(text);
                    body["parent_id"] = json!(model.0[*parent].id);
                    let article = &article;
                    async move { app.post(article, &body).await }
                });
                let (decided, replied) = futures_util::future::join(join_all(deciding), join_all(replying)).await;
                for answer in decided {
                    // Two about one comment: the second comes too late, or finds it decided so already.
                    assert!([200, 201, 412].contains(&answer.status), "{}", answer.text());
                }
                for (answer, (parent, _)) in replied.into_iter().zip(replies) {
                    assert!([201, 422].contains(&answer.status), "{}", answer.text());
                    if answer.status == 201 {
                        let (id, at) = (id_of(&answer.json()), model.0[parent].at + 1);
                        model.0.push(Written { id, parent: Some(parent), at, status: "approved", version: 1 });
                    }
                }
                learn(app, &admin, &mut model).await;
                check_tree(app, &article, &model, &format!("round {round}")).await;
            }
            check_everything(app, &article, &model, "at the end").await;
        });
    }
}
