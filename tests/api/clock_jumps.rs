//! The calendar jumps: an administrator sets it, NTP corrects it, a virtual machine wakes. Ids, orders and pages stay
//! whole, limits never notice, and whoever is signed in can go on or sign in again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rejoinder::jobs;
use rejoinder::kit::clock::Millis;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, Person};
use crate::support::server::{NOON, TestApp};
use crate::support::{Answer, Setup, form, on_each_database, on_each_database_with};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// Seconds that the calendar jumps by; at 0 it stands still while time goes on. The last is a machine that starts with no
/// idea of the time, in 1970.
const JUMPS: [i64; 6] = [HOUR, -HOUR, 10 * DAY, -10 * DAY, 0, -NOON.0 / 1_000];

/// The calendar jumps; time itself does not.
fn jump(app: &TestApp, seconds: i64) {
    app.clock.set_calendar(Millis(app.app.clock.now().0 + seconds * 1_000));
}

/// Time passes, but not on the calendar.
fn pass(app: &TestApp, seconds: u64) {
    let calendar = app.app.clock.now();
    app.clock.advance(Duration::from_secs(seconds));
    app.clock.set_calendar(calendar);
}

fn id_of(item: &Value) -> i64 {
    item["id"].as_i64().expect("an id")
}

/// Every comment of a forest, each before its replies.
fn flattened(items: &[Value]) -> Vec<Value> {
    let children = |item: &Value| item["children"].as_array().cloned().unwrap_or_default();
    items.iter().flat_map(|item| std::iter::once(item.clone()).chain(flattened(&children(item)))).collect()
}

/// Every item of every page, from a cursor on.
async fn walk_from(app: &TestApp, admin: &Person, list: &str, mut next: Option<String>) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let path = next.map_or_else(|| list.to_owned(), |cursor| format!("{list}&cursor={cursor}"));
        let answer = if list.contains("/review/") { app.get_as(admin, &path).await } else { app.get(&path).await };
        let page = answer.expect(200).json();
        items.extend(flattened(page["items"].as_array().expect("items")));
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            return items;
        }
        assert!(items.len() < 1_000, "{list} never ends");
    }
}

/// Posts some roots and replies, each answering one of those that are there; gives their ids.
async fn talk(app: &TestApp, article: &str, there: &[i64], label: &str) -> Vec<i64> {
    let mut posted = Vec::new();
    for count in 0..4 {
        posted.push(app.posted(article, &form(&format!("{label} root {count}"))).await);
    }
    for parent in there.iter().chain(&posted.clone()).step_by(3) {
        let mut body = form(&format!("{label} reply to {parent}"));
        body["parent_id"] = json!(parent);
        let answer = app.post(article, &body).await;
        // As deep as replies go is refused, at whatever time.
        if answer.status == 201 {
            posted.push(id_of(&answer.json()));
        } else {
            answer.expect_faults(&[("/parent_id", "parent")]);
        }
    }
    posted
}

mod lists {
    use super::*;

    #[test]
    fn every_comment_has_an_id_of_its_own_and_stands_in_every_list_once_after_what_it_answers() {
        on_each_database(async |app| {
            app.publish_first().await;
            let admin = app.admin().await;
            for seconds in JUMPS {
                let key = format!("a{seconds}");
                let article = app.article(&key).await;
                let mut posted = talk(app, &article, &[], "before").await;
                jump(app, seconds);
                posted.extend(talk(app, &article, &posted, "during").await);
                jump(app, -seconds);
                posted.extend(talk(app, &article, &posted, "after").await);
                assert!(posted.is_sorted_by(|one, next| one < next), "{seconds}: {posted:?}");
                let admin = app.sign_in(&admin.username).await;
                let expected: HashSet<i64> = posted.iter().copied().collect();
                for list in [
                    format!("{article}/comments?view=flat&sort=oldest"),
                    format!("{article}/comments?view=flat&sort=newest"),
                    format!("{article}/comments?view=flat&sort=top"),
                    format!("{article}/comments?view=tree&sort=oldest"),
                    format!("{article}/comments?view=tree&sort=newest"),
                    format!("{article}/comments?view=tree&sort=top"),
                    format!("/api/v1/review/comments?article={key}&status=any&sort=oldest"),
                    format!("/api/v1/review/comments?article={key}&status=any&sort=newest"),
                    format!("/api/v1/review/comments?article={key}&status=any&sort=risk"),
                ] {
                    let items = walk_from(app, &admin, &format!("{list}&limit=3"), None).await;
                    let found: HashSet<i64> = items.iter().map(id_of).collect();
                    assert_eq!((items.len(), &found), (posted.len(), &expected), "{seconds}: {list}");
                }
                replies_follow(app, &admin, &article).await;
            }
        });
    }

    /// In the order written, and by what the times say.
    async fn replies_follow(app: &TestApp, admin: &Person, article: &str) {
        let mut seen: HashMap<i64, String> = HashMap::new();
        for item in walk_from(app, admin, &format!("{article}/comments?view=flat&limit=3"), None).await {
            let at = item["created_at"].as_str().expect("a time").to_owned();
            if let Some(parent) = item["parent_id"].as_i64() {
                assert!(seen.get(&parent).is_some_and(|before| *before < at), "{parent} after {item}");
            }
            seen.insert(id_of(&item), at);
        }
    }

    #[test]
    fn a_list_that_is_being_read_when_the_calendar_jumps_loses_and_repeats_nothing() {
        on_each_database(async |app| {
            app.publish_first().await;
            let admin = app.admin().await;
            for seconds in JUMPS {
                let article = app.article(&format!("a{seconds}")).await;
                let before = talk(app, &article, &[], "before").await;
                for sort in ["oldest", "newest"] {
                    let list = format!("{article}/comments?view=flat&sort={sort}&limit=2");
                    let page = app.get(&list).await.expect(200).json();
                    jump(app, seconds);
                    app.posted(&article, &form(&format!("a newcomer {sort}"))).await;
                    let next = page["next"].as_str().map(str::to_owned);
                    let rest = walk_from(app, &admin, &list, next).await;
                    let all: Vec<i64> =
                        flattened(page["items"].as_array().unwrap()).iter().chain(&rest).map(id_of).collect();
                    let unique: HashSet<i64> = all.iter().copied().collect();
                    assert_eq!(all.len(), unique.len(), "{seconds} {sort}: {all:?}");
                    assert!(before.iter().all(|id| unique.contains(id)), "{seconds} {sort}: {all:?}");
                    jump(app, -seconds);
                }
            }
        });
    }

    #[test]
    fn the_history_of_a_comment_stays_in_the_order_it_was_made() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            for seconds in JUMPS {
                let admin = app.sign_in(&admin.username).await;
                let id = app.posted(&article, &form(&format!("jumped {seconds}"))).await;
                app.decide(&admin, id, 1, "approve").await.expect(201);
                jump(app, seconds);
                let admin = app.sign_in(&admin.username).await;
                app.decide(&admin, id, 2, "reject").await.expect(201);
                let stale = app.decide(&admin, id, 2, "spam").await;
                assert_eq!(stale.expect_problem(412, "stale")["current"]["status"], "rejected");
                let item = app.get_as(&admin, &format!("/api/v1/review/comments/{id}")).await.expect(200).json();
                let versions: Vec<i64> =
                    item["decisions"].as_array().unwrap().iter().filter_map(|line| line["version"].as_i64()).collect();
                assert_eq!(versions, [1, 2, 3], "{seconds}");
                jump(app, -seconds);
            }
        });
    }
}

mod limits {
    use super::*;

    const LIMITED: Setup = Setup {
        has_limits: true,
        public_url: None,
        trusted_proxies: None,
        secret: None,
        require_totp: None,
        challenge: None,
    };

    #[test]
    fn a_jump_neither_ends_nor_lengthens_what_a_poster_has_to_wait() {
        on_each_database_with(&LIMITED, async |app| {
            for seconds in JUMPS {
                let article = app.article(&format!("a{seconds}")).await;
                for count in 0..5 {
                    app.post(&article, &form(&format!("number {count}"))).await.expect(202);
                }
                jump(app, seconds);
                let refused = app.post(&article, &form("too soon")).await;
                assert_eq!(refused.header("retry-after"), Some("15"), "{seconds}");
                refused.expect_problem(429, "too-fast");
                pass(app, 15);
                app.post(&article, &form("in time")).await.expect(202);
                jump(app, -seconds);
                let refused = app.post(&article, &form("too soon again")).await;
                assert_eq!(refused.header("retry-after"), Some("15"), "{seconds}");
                refused.expect_problem(429, "too-fast");
                pass(app, 5 * 15);
            }
        });
    }

    #[test]
    fn a_jump_gives_nobody_more_tries_to_sign_in() {
        on_each_database_with(&LIMITED, async |app| {
            // With the right password: wrong ones are slowed by more than the address.
            let person = app.moderator().await;
            let right = json!({ "username": person.username, "password": PASSWORD });
            let attempt = async || Answer::of(app.request(Method::POST, "/api/v1/session").json(&right)).await;
            pass(app, 10 * 6);
            for seconds in JUMPS {
                for _ in 0..10 {
                    attempt().await.expect(200);
                }
                jump(app, seconds);
                jobs::run_once(&app.app).await.expect("every job");
                assert_eq!(attempt().await.header("retry-after"), Some("6"), "{seconds}");
                pass(app, 6);
                attempt().await.expect(200);
                jump(app, -seconds);
                assert_eq!(attempt().await.header("retry-after"), Some("6"), "{seconds}");
                pass(app, 10 * 6);
            }
        });
    }
}

mod sessions {
    use super::*;

    async fn refresh(app: &TestApp, token: &str) -> Answer {
        let body = json!({ "refresh_token": token });
        Answer::of(app.request(Method::POST, "/api/v1/session/refresh").json(&body)).await
    }

    fn with_tokens(person: &Person, body: &Value) -> Person {
        let token = |name: &str| body[name].as_str().expect("a token").to_owned();
        Person { username: person.username.clone(), access: token("access_token"), refresh: token("refresh_token") }
    }

    /// As any client: the access token while it is good, else the refresh token, else the password.
    async fn go_on(app: &TestApp, person: &Person) -> (&'static str, Person) {
        let answer = app.get_as(person, "/api/v1/me").await;
        if answer.status == 200 {
            return (
                "as before",
                with_tokens(person, &json!({ "access_token": person.access, "refresh_token": person.refresh })),
            );
        }
        answer.expect_problem(401, "unauthenticated");
        let answer = refresh(app, &person.refresh).await;
        if answer.status == 200 {
            return ("refreshed", with_tokens(person, &answer.json()));
        }
        answer.expect_problem(401, "unauthenticated");
        ("signed in again", app.sign_in(&person.username).await)
    }

    #[test]
    fn whoever_is_signed_in_goes_on_by_refreshing_or_at_worst_signs_in_again() {
        let how = [
            ["refreshed", "refreshed"],
            ["refreshed", "refreshed"],
            ["signed in again", "refreshed"],
            ["refreshed", "signed in again"],
            ["as before", "as before"],
            ["refreshed", "signed in again"],
        ];
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            for (seconds, expected) in JUMPS.into_iter().zip(how) {
                let mut person = app.sign_in(&admin.username).await;
                for (count, expected) in expected.into_iter().enumerate() {
                    jump(app, if count == 0 { seconds } else { -seconds });
                    let (how, now) = go_on(app, &person).await;
                    assert_eq!(how, expected, "{seconds}");
                    app.get_as(&now, "/api/v1/review/comments").await.expect(200);
                    let id = app.posted(&article, &form(&format!("by {seconds}, {count}"))).await;
                    app.approve(&now, id).await;
                    person = now;
                }
            }
        });
    }

    /// A token that was used before is taken for a stolen one, though the calendar says that it has not been used yet.
    #[test]
    fn a_calendar_set_back_does_not_lengthen_the_grace_of_a_used_refresh_token() {
        on_each_database(async |app| {
            let admin = app.admin().await;
            for seconds in [-HOUR, -10 * DAY] {
                let person = app.sign_in(&admin.username).await;
                let next = with_tokens(&person, &refresh(app, &person.refresh).await.expect(200).json());
                jump(app, seconds);
                app.advance(60);
                refresh(app, &person.refresh).await.expect_problem(401, "unauthenticated");
                refresh(app, &next.refresh).await.expect_problem(401, "unauthenticated");
            }
        });
    }

    /// A clock that is corrected by a moment takes nothing from a client whose answer was lost.
    #[test]
    fn a_small_correction_leaves_the_grace_of_a_used_refresh_token() {
        on_each_database(async |app| {
            let person = app.admin().await;
            let next = refresh(app, &person.refresh).await.expect(200).json();
            jump(app, -2);
            let again = refresh(app, &person.refresh).await.expect(200).json();
            assert_eq!(again["refresh_token"], next["refresh_token"]);
        });
    }
}

mod repeating {
    use super::*;

    #[test]
    fn the_same_request_with_the_same_key_gets_the_same_answer() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            for seconds in JUMPS {
                let (admin, key) = (app.sign_in(&admin.username).await, format!("jumped {seconds}"));
                let post = async || app.post_with(&article, &form(&key), &[("Idempotency-Key", &key)]).await;
                let first = post().await.expect(202);
                let id = id_of(&first.json());
                let path = format!("/api/v1/review/comments/{id}/decisions");
                let decide = async |person: &Person| {
                    let request = app.request_as(person, Method::POST, &path).header("If-Match", "\"1\"");
                    Answer::of(request.header("Idempotency-Key", &key).json(&json!({ "decision": "approve" }))).await
                };
                let decided = decide(&admin).await.expect(201);
                jump(app, seconds);
                let admin = app.sign_in(&admin.username).await;
                assert_eq!(post().await.expect(202).body, first.body, "{seconds}");
                assert_eq!(decide(&admin).await.expect(201).body, decided.body, "{seconds}");

                jobs::run_once(&app.app).await.expect("every job");
                let again = post().await;
                if seconds > DAY {
                    // A day has passed as far as anybody can tell: the key is forgotten, and the text is there already.
                    again.expect_problem(409, "duplicate-comment");
                } else {
                    assert_eq!(again.expect(202).body, first.body, "{seconds}");
                }
                jump(app, -seconds);
            }
        });
    }
}

mod jobs_in_the_background {
    use super::*;

    #[test]
    fn every_job_ends_well_whatever_the_calendar_says() {
        on_each_database(async |app| {
            let (article, _) = (app.article("a").await, app.admin().await);
            for seconds in JUMPS {
                for (count, step) in [0, seconds, -seconds, -seconds, seconds].into_iter().enumerate() {
                    jump(app, step);
                    app.posted(&article, &form(&format!("at {seconds}, {count}"))).await;
                    jobs::run_once(&app.app).await.expect("every job");
                    app.get("/readyz").await.expect(200);
                }
            }
        });
    }

    /// What came while the calendar was far ahead would seem young for years, and what came after it would wait for it.
    #[test]
    fn addresses_are_cleared_in_time_though_the_calendar_was_once_far_ahead() {
        on_each_database(async |app| {
            let (article, admin) = (app.article("a").await, app.admin().await);
            let mut posted = vec![app.posted(&article, &form("before")).await];
            jump(app, 3_650 * DAY);
            posted.push(app.posted(&article, &form("far ahead")).await);
            jump(app, -3_650 * DAY);
            posted.push(app.posted(&article, &form("after")).await);
            let addresses = async || {
                let admin = app.sign_in(&admin.username).await;
                let page = app.get_as(&admin, "/api/v1/review/comments").await.expect(200).json();
                page["items"].as_array().unwrap().iter().filter(|item| !item["ip"].is_null()).count()
            };
            jobs::run_once(&app.app).await.expect("every job");
            assert_eq!(addresses().await, 3, "not before their time");
            app.advance(91 * DAY.unsigned_abs());
            jobs::run_once(&app.app).await.expect("every job");
            assert_eq!(addresses().await, 0);
        });
    }
}
