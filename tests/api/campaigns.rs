//! Near-duplicates: `src/campaigns/`, and where the queue takes them together.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::Person;
use crate::support::server::{TestApp, eventually};
use crate::support::{Answer, Setup, on_each_database_with};

/// Readers come from addresses of the test's choice.
const PROXY: Setup = Setup {
    has_limits: false,
    public_url: None,
    trusted_proxies: Some("127.0.0.1"),
    secret: None,
    require_totp: None,
    challenge: None,
};

/// The same offer, to somebody else and with another link.
fn offer(number: usize) -> String {
    let names = ["Maria", "Jonas", "Akiko", "Pedro", "Yasmin", "Olga", "Femi", "Lars"];
    let name = names[number % names.len()];
    format!(
        "Hello {name}, I was struggling with money for years until a friend told me about this amazing trading platform. \
        Within {number} weeks my first deposit had become ten times as much, and the withdrawal arrived the same day. \
        Write to https://win-quickly.example/ref/{number}{name} and thank me later"
    )
}

/// Posts as a reader of the number's own name, email and address.
async fn post(app: &TestApp, article: &str, number: usize, text: &str) -> Answer {
    let body =
        json!({ "name": format!("Reader {number}"), "email": format!("r{number}@example.org"), "comment": text });
    let address = format!("192.0.2.{}", number + 1);
    app.post_with(article, &body, &[("x-forwarded-for", &address)]).await
}

async fn posted(app: &TestApp, article: &str, number: usize, text: &str) -> i64 {
    let answer = post(app, article, number, text).await;
    assert!(matches!(answer.status, 201 | 202), "{}", answer.text());
    answer.json()["id"].as_i64().expect("an id")
}

async fn one(app: &TestApp, person: &Person, id: i64) -> Value {
    app.get_as(person, &format!("/api/v1/review/comments/{id}")).await.expect(200).json()
}

/// Waits until everything is indexed, and gives the number of a comment's campaign.
async fn campaign_of(app: &TestApp, person: &Person, id: i64) -> i64 {
    app.get_as(person, "/api/v1/review/comments?q=anything").await.expect(200);
    one(app, person, id).await["campaign"]["id"].as_i64().expect("a campaign")
}

/// Waits until posting knows that moderators called a text spam.
async fn until_known_as_spam(app: &TestApp, article: &str, text: &str) {
    eventually("what was called spam is held", async || {
        let number = 50 + usize::try_from(fastrand::u32(0..100)).unwrap_or(0);
        let answer = post(app, article, number, text).await;
        answer.status == 202 || {
            app.advance(3_601);
            false
        }
    })
    .await;
}

mod flood {
    use super::*;

    #[test]
    fn the_third_author_of_nearly_the_same_within_an_hour_is_held_whatever_the_policy() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let person = app.moderator().await;
            let (a, b) = (app.article("a").await, app.article("b").await);
            assert_eq!(post(app, &a, 1, &offer(1)).await.status, 201);
            assert_eq!(post(app, &b, 2, &offer(2)).await.status, 201);
            let third = post(app, &a, 3, &offer(3)).await.expect(202).json();
            let item = one(app, &person, third["id"].as_i64().unwrap()).await;
            assert_eq!(
                item["reasons"],
                json!(["Nearly the same came from three or more authors or addresses within an hour."])
            );
            assert_eq!(item["screening"]["rules"][0]["rule"], "flood");
            assert_eq!(
                post(app, &a, 4, "Something else entirely, about the sea wall and the harbour board.").await.status,
                201
            );
            app.advance(3_700);
            assert_eq!(post(app, &b, 5, &offer(5)).await.status, 201);
        });
    }

    #[test]
    fn at_most_two_of_many_sent_at_once_are_published() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let article = app.article("a").await;
            let texts: Vec<String> = (0..12).map(offer).collect();
            let posts = texts.iter().enumerate().map(|(number, text)| post(app, &article, number, text));
            let answers = futures_util::future::join_all(posts).await;
            assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
        });
    }

    #[test]
    fn what_many_say_in_few_words_is_no_flood_nor_what_one_says_everywhere() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let articles =
                [app.article("a").await, app.article("b").await, app.article("c").await, app.article("d").await];
            for (number, article) in articles.iter().enumerate() {
                assert_eq!(post(app, article, number, "Great post! Thank you so much.").await.status, 201);
                assert_eq!(post(app, article, 9, &offer(9)).await.status, 201);
            }
        });
    }
}

mod called_spam {
    use super::*;

    #[test]
    fn what_resembles_what_moderators_called_spam_is_held_until_they_think_better_of_it() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let (article, person) = (app.article("a").await, app.moderator().await);
            let first = posted(app, &article, 1, &offer(1)).await;
            app.decide(&person, first, 1, "spam").await.expect(201);
            app.advance(3_700);
            until_known_as_spam(app, &article, &offer(2)).await;
            app.advance(3_700);
            let held = post(app, &article, 3, &offer(3)).await.expect(202).json()["id"].as_i64().unwrap();
            // Hours have gone by.
            let person = app.sign_in("moderator").await;
            let item = one(app, &person, held).await;
            let reason = format!("It is nearly the same as what moderators called spam (campaign {first}).");
            assert_eq!(item["reasons"], json!([reason]));
            assert_eq!((&item["risk"], &item["screening"]["rules"][0]["rule"]), (&json!(0.5), &json!("campaign")));
            app.decide(&person, first, 2, "approve").await.expect(201);
            app.advance(3_700);
            eventually("nothing is like spam any more", async || {
                app.advance(3_700);
                post(app, &article, 4 + fastrand::usize(0..200), &offer(4)).await.status == 201
            })
            .await;
        });
    }
}

mod together {
    use super::*;

    #[test]
    fn one_filter_takes_a_whole_campaign_in_queue_counts_and_decisions() {
        on_each_database_with(&PROXY, async |app| {
            let person = app.moderator().await;
            let (a, b) = (app.article("a").await, app.article("b").await);
            let mut ids = Vec::new();
            for number in 0..6 {
                ids.push(posted(app, if number % 2 == 0 { &a } else { &b }, number, &offer(number)).await);
            }
            let other = posted(
                app,
                &a,
                7,
                "The sea wall was promised for spring, and the harbour board knows why it is not there.",
            )
            .await;
            let short = posted(app, &a, 8, "Great post!").await;
            let campaign = campaign_of(app, &person, ids[3]).await;
            assert_eq!(campaign, ids[0]);
            for id in [other, short] {
                assert_eq!(one(app, &person, id).await["campaign"], Value::Null);
            }
            let path = format!("/api/v1/review/comments?campaign={campaign}");
            let queue = app.get_as(&person, &path).await.expect(200).json();
            let items = queue["items"].as_array().unwrap();
            let found: Vec<i64> = items.iter().map(|item| item["id"].as_i64().unwrap()).collect();
            assert_eq!(found, ids);
            assert_eq!(items[0]["campaign"], json!({ "id": campaign, "size": 6 }));
            let counts =
                app.get_as(&person, &format!("/api/v1/review/counts?campaign={campaign}")).await.expect(200).json();
            assert_eq!(counts["items"], json!([{ "site": "main", "status": "pending", "count": 6 }]));
            let filter = json!({ "campaign": [campaign.to_string()] });
            let ask = async |path: &str, body: Value| {
                Answer::of(app.request_as(&person, Method::POST, path).json(&body)).await
            };
            let preview = json!({ "decision": "spam", "filter": filter });
            let lead = app.person("lead", rejoinder::accounts::Role::Lead, &["main"]).await;
            let preview =
                Answer::of(app.request_as(&lead, Method::POST, "/api/v1/review/decisions/preview").json(&preview))
                    .await;
            assert_eq!(preview.expect(200).json()["count"], 6);
            let decided =
                ask("/api/v1/review/decisions", json!({ "decision": "spam", "filter": filter, "expected_count": 6 }))
                    .await
                    .expect(201)
                    .json();
            assert_eq!(decided["results"].as_array().unwrap().len(), 6);
            for id in ids {
                assert_eq!(one(app, &person, id).await["status"], "spam");
            }
            assert_eq!(one(app, &person, other).await["status"], "pending");
        });
    }

    #[test]
    fn campaigns_are_a_sites_own_and_no_reader_sees_them() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let admin = app.admin().await;
            app.site("other").await;
            let (here, there) = (app.article("a").await, app.article_on("other", "a").await);
            let first = posted(app, &here, 1, &offer(1)).await;
            posted(app, &there, 2, &offer(2)).await;
            let third = posted(app, &there, 3, &offer(3)).await;
            let fourth = posted(app, &here, 4, &offer(4)).await;
            assert_eq!(campaign_of(app, &admin, fourth).await, first);
            assert_eq!(one(app, &admin, fourth).await["campaign"]["size"], 2);
            assert_ne!(campaign_of(app, &admin, third).await, first);
            let public = app.get(&format!("{here}/comments")).await.expect(200);
            assert!(!public.text().contains("campaign"), "{}", public.text());
        });
    }

    #[test]
    fn an_edit_makes_it_another_text() {
        on_each_database_with(&PROXY, async |app| {
            let (article, person) = (app.article("a").await, app.moderator().await);
            let first = posted(app, &article, 1, &offer(1)).await;
            let second = posted(app, &article, 2, &offer(2)).await;
            assert_eq!(campaign_of(app, &person, second).await, first);
            let body = json!({ "text": "(removed)", "reason": "spam" });
            let edit = app.request_as(&person, Method::PATCH, &format!("/api/v1/review/comments/{second}"));
            Answer::of(edit.header("If-Match", "\"1\"").json(&body)).await.expect(200);
            app.get_as(&person, "/api/v1/review/comments?q=anything").await.expect(200);
            assert_eq!(one(app, &person, second).await["campaign"], Value::Null);
            assert_eq!(one(app, &person, first).await["campaign"], Value::Null);
        });
    }

    #[test]
    fn what_is_no_number_is_refused() {
        on_each_database_with(&PROXY, async |app| {
            let person = app.moderator().await;
            for wrong in ["x", "0", "-1", "9007199254740992", ""] {
                let path = format!("/api/v1/review/comments?campaign={wrong}");
                let answer = app.get_as(&person, &path).await;
                assert_eq!(
                    (answer.status, &answer.json()["errors"][0]["pointer"]),
                    (422, &json!("/campaign")),
                    "{wrong}"
                );
            }
            let none = app.get_as(&person, "/api/v1/review/comments?campaign=12345").await.expect(200).json();
            assert_eq!(none["items"], json!([]));
        });
    }
}

mod restart {
    use rejoinder::config::{Given, Settings};
    use rejoinder::kit::clock::Clock;

    use super::*;

    #[test]
    fn another_node_and_one_that_just_started_know_what_was_posted() {
        on_each_database_with(&PROXY, async |app| {
            app.publish_first().await;
            let (article, person) = (app.article("a").await, app.moderator().await);
            for number in 1..=2 {
                assert_eq!(post(app, &article, number, &offer(number)).await.status, 201);
            }
            campaign_of(app, &person, 2.max(posted(app, &article, 2, &offer(8)).await)).await;
            let given = Given {
                database_url: Some(app.database.url_text()),
                listen: Some("127.0.0.1:0".to_owned()),
                limits: Some("off".to_owned()),
                trusted_proxies: Some("127.0.0.1".to_owned()),
                ..Given::default()
            };
            let settings = Settings::try_from(given).expect("good settings");
            let running = rejoinder::server::start(settings, Clock::Manual(app.clock.clone())).await.expect("a server");
            actix_web::rt::spawn(running.server);
            let body = json!({ "name": "Reader 5", "email": "r5@example.org", "comment": offer(5) });
            let request = app.client.post(format!("http://{}{article}/comments", running.address)).json(&body);
            let answer = Answer::of(request.header("x-forwarded-for", "192.0.2.77")).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            running.handle.stop(false).await;
        });
    }
}

mod real_texts {
    use std::collections::HashSet;
    use std::io::Write;

    use rejoinder::screening::Sketch;

    /// The messages in `$TEST_DATA_DIR/sms-spam`, each once: spam, and good ones.
    fn messages() -> Option<[Vec<String>; 2]> {
        let Some(dir) = std::env::var_os("TEST_DATA_DIR").filter(|dir| !dir.is_empty()) else {
            let warning = b"\n*** REAL TEXTS NOT COMPARED: set TEST_DATA_DIR to the folder that has sms-spam/ ***\n\n";
            // Past the capture of output: it must not go unnoticed.
            std::io::stderr().write_all(warning).expect("standard error");
            return None;
        };
        let path = std::path::Path::new(&dir).join("sms-spam/SMSSpamCollection.tsv");
        let text = std::fs::read_to_string(path).expect("the messages");
        let mut seen = HashSet::new();
        let of = |label: &str, seen: &mut HashSet<String>| {
            let lines = text.lines().filter_map(|line| line.split_once('\t'));
            let texts = lines.filter(|(known, _)| *known == label).map(|(_, text)| text.to_owned());
            texts.filter(|text| seen.insert(rejoinder::kit::text::fold(text))).collect()
        };
        Some([of("spam", &mut seen), of("ham", &mut seen)])
    }

    /// What comparing each with each finds.
    #[derive(Default)]
    struct Found {
        /// Long enough to be compared.
        compared: usize,
        /// Nearly the same as another.
        repeated: usize,
        pairs: usize,
        /// Pairs that share no band, so that a look-up would not meet them.
        missed: usize,
    }

    fn find(texts: &[String]) -> Found {
        let sketches: Vec<Sketch> = texts.iter().filter_map(|text| Sketch::of(text)).collect();
        let (mut found, mut alike) = (Found { compared: sketches.len(), ..Found::default() }, HashSet::new());
        for (at, one) in sketches.iter().enumerate() {
            for (before, other) in sketches[..at].iter().enumerate().filter(|(_, other)| one.is_like(other)) {
                alike.extend([at, before]);
                found.pairs += 1;
                found.missed += usize::from(!one.bands().iter().zip(other.bands()).any(|(one, other)| *one == other));
            }
        }
        Found { repeated: alike.len(), ..found }
    }

    /// Of 621 spam messages 326 repeat another. Of 3.5 million pairs of good ones 44 are alike, nearly all of them indeed:
    /// people pass on verses and wishes.
    #[test]
    fn spam_repeats_itself_and_people_seldom_do() {
        let Some([spam, good]) = messages() else { return };
        let (spam, good) = (find(&spam), find(&good));
        assert!(spam.repeated * 100 > spam.compared * 45, "{} of {}", spam.repeated, spam.compared);
        assert!(spam.missed * 50 < spam.pairs, "{} of {}", spam.missed, spam.pairs);
        let all = good.compared * (good.compared - 1) / 2;
        assert!(good.pairs * 50_000 < all, "{} of {all}", good.pairs);
    }
}
